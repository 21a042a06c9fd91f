"""Make the virtual environment of the Makefile, and anew when PYTHON is another one.

Run with the Python to use: ``python3 .ci/environment.py .venv``. It also runs on Pythons that are
too old, to say so; hence no f-strings. Called venv.py it would import itself.
"""

import os
import sys

OLDEST = (3, 11)


def too_old(version, executable):
    """Say in a sentence why a Python will not do; None if it will."""
    if tuple(version[:2]) >= OLDEST:
        return None
    return (
        "skrehab needs Python 3.11 or later, and {} is {}. Name another one, as in: "
        "make demo PYTHON=python3.11"
    ).format(executable, ".".join(map(str, version[:3])))


def made_with(folder):
    """Tell version and real path of the Python of an environment; None if there is none."""
    found = {}
    try:
        with open(os.path.join(folder, "pyvenv.cfg")) as file:
            for line in file:
                name, _, value = line.partition("=")
                found[name.strip()] = value.strip()
    except OSError:
        return None
    return found.get("version"), os.path.realpath(found.get("executable", ""))


def main(folder, with_pip=True):
    """Make the environment if there is none of this Python, and stamp it."""
    problem = too_old(sys.version_info, sys.executable)
    if problem:
        sys.exit(problem)
    # a Python in an environment, such as this one, stands for the one it was made with
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    version = ".".join(map(str, sys.version_info[:3]))
    stamp = os.path.join(folder, ".python")
    before, own = made_with(folder), os.path.abspath(sys.prefix) == os.path.abspath(folder)
    if before == (version, base) or own:
        if os.path.exists(stamp):
            return
    else:
        import venv

        if before is not None:
            sys.stderr.write(
                "{} was made with Python {} ({}); it is made anew with {}.\n".format(
                    folder, before[0], before[1], version
                )
            )
        venv.EnvBuilder(with_pip=with_pip, clear=True, symlinks=os.name != "nt").create(folder)
    with open(stamp, "w") as file:
        file.write("{} {}\n".format(version, base))


if __name__ == "__main__":
    main(sys.argv[1])
