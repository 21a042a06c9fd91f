"""Build both distributions, and try each in a fresh environment of every Python that is found.

``python .ci/dist_check.py`` installs all dependencies as ``constraints.txt`` has them, torch
included; ``--light`` leaves torch, MediaPipe and what needs them away, and what is checked is then
less. ``--reuse FOLDER``, an environment such as ``.venv``, takes the dependencies from there for
the Python that it belongs to; CI does so, with ``--only`` it. A Python that cannot make
environments is named and left out, unless there is no other. What was built stays in ``dist/``.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MINORS = (11, 12, 13)
HEAVY = {"torch", "skorch", "mediapipe", "av", "matplotlib", "flatbuffers"}
# of what a source distribution holds, the tests that need least
OWN_TESTS = ["tests/test_skeletons.py", "tests/test_trials.py", "tests/datasets/test_overview.py"]


def main():
    """Build, look inside, install, run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--light", action="store_true", help="without torch and MediaPipe")
    parser.add_argument("--reuse", type=Path, help="environment with the dependencies")
    parser.add_argument("--only", type=int, help="one Python by its minor version, like 11")
    options = parser.parse_args()
    pythons = find_pythons()
    if options.only:
        pythons = {minor: path for minor, path in pythons.items() if minor == options.only}
    print("Pythons:", ", ".join(f"3.{minor} ({path})" for minor, path in pythons.items()))
    missing = [f"3.{minor}" for minor in MINORS if minor not in pythons]
    if missing:
        print("not found, and so not tried:", ", ".join(missing))
    tried = []
    with tempfile.TemporaryDirectory(prefix="skrehab-dist-") as folder:
        sdist, wheel, unpacked = build(Path(folder))
        look_inside(sdist, wheel, unpacked)
        for minor, python in pythons.items():
            venv = Path(folder) / f"venv{minor}"
            if not can_make_environments(python):
                print(f"3.{minor}: {python} has no venv or no pip for it, and is not tried")
                continue
            tried.append(minor)
            print(f"3.{minor}: installing what is needed", flush=True)
            own = install_dependencies(python, venv, wheel, options)
            for dist in (wheel, sdist):
                try_out(own, dist, Path(folder) / f"empty{minor}{dist.suffix}")
                print(f"3.{minor}: {dist.name} is right", flush=True)
            check_requirements(own, options.light)
            if has_pytest(own):
                run(own, "-m", "pytest", "-q", *OWN_TESTS, cwd=unpacked)
                print(f"3.{minor}: the source distribution runs its tests", flush=True)
            shutil.rmtree(venv)
    if not tried:
        sys.exit("No Python that makes environments was found.")


def find_pythons():
    """Find one interpreter of each version: on the path, or where pyenv keeps them."""
    found = {}
    for minor in MINORS:
        kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
        places = [shutil.which(f"python3.{minor}"), sys.executable]
        places += sorted(kept.glob(f"3.{minor}.*/bin/python"))
        for place in places:
            if place and version_of(place) == (3, minor):
                found[minor] = place
                break
    return found


def version_of(python):
    """Tell the version of an interpreter; None if it does not run."""
    code = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else None


def can_make_environments(python):
    """Debian's Python comes without venv and ensurepip."""
    return subprocess.run([python, "-c", "import venv, ensurepip"]).returncode == 0


def check_requirements(python, light):
    """Run ``pip check``; what was left away on purpose may be missing."""
    done = subprocess.run([python, "-m", "pip", "check"], capture_output=True, text=True)
    for line in done.stdout.splitlines() if done.returncode else ():
        missing = re.fullmatch(r"skrehab \S+ requires (\S+), which is not installed\.", line)
        if not (light and missing and missing[1] in HEAVY):
            sys.exit(f"pip check: {line}")


def run(*command, **options):
    """Run something and stop at its first failure."""
    # what a checkout puts on the path must not stand in for what was installed
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= {"OMP_NUM_THREADS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run([str(part) for part in command], check=True, env=env, **options)


def build(folder):
    """Build from what is tracked; the wheel from the unpacked source distribution."""
    clean = folder / "clean"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (clean / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, clean / name)
    tools = make_venv(sys.executable, folder / "tools")
    run(tools, "-m", "pip", "install", "-q", "setuptools>=77")
    out = ROOT / "dist"
    out.mkdir(exist_ok=True)
    code = (
        "import sys; from setuptools import build_meta as b; getattr(b, sys.argv[1])(sys.argv[2])"
    )
    run(tools, "-c", code, "build_sdist", out, cwd=clean, stdout=subprocess.DEVNULL)
    sdist = newest(out, "*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    run(tools, "-c", code, "build_wheel", out, cwd=unpacked, stdout=subprocess.DEVNULL)
    return sdist, newest(out, "*.whl"), unpacked


def look_inside(sdist, wheel, unpacked):
    """Say what a distribution lacks, or has too much."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    lacks = [name for name in tracked if name and not (unpacked / name).exists()]
    if lacks:
        sys.exit(f"{sdist.name} lacks {len(lacks)} files of the repository: {lacks[:10]}")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    if {top for top in tops if not top.startswith("skrehab")}:
        sys.exit(f"{wheel.name} would install {sorted(tops)}")
    python = {str(path.relative_to(ROOT)) for path in (ROOT / "skrehab").rglob("*.py")}
    if python - set(names):
        sys.exit(f"{wheel.name} lacks {sorted(python - set(names))[:10]}")
    print(f"{sdist.name} holds all {len(tracked) - 1} files, {wheel.name} all of the package")


def newest(folder, pattern):
    """Return the file that was just built."""
    return max(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns)


def make_venv(python, folder):
    """Make an environment and return its interpreter."""
    run(python, "-m", "venv", "--clear", folder)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install_dependencies(python, venv, wheel, options):
    """Make an environment with what the wheel needs, and return its interpreter."""
    own = make_venv(python, venv)
    version = ".".join(map(str, version_of(python)))
    reused = (
        [] if options.reuse is None else options.reuse.glob(f"lib/python{version}/site-packages")
    )
    for packages in reused:
        (site,) = venv.glob("lib/python3.*/site-packages")
        (site / "reused.pth").write_text(f"{packages.resolve()}\n")
        run(own, "-m", "pip", "install", "-q", "setuptools>=77")
        return own
    wanted = requirements(wheel)
    if options.light:
        wanted = [one for one in wanted if re.split(r"[^\w-]", one)[0] not in HEAVY]
    constraints = [] if options.light else ["-c", ROOT / "constraints.txt"]
    tests = [] if options.light else ["pytest", "pytest-timeout", "hypothesis"]
    run(own, "-m", "pip", "install", "-q", *constraints, *wanted, *tests, "setuptools>=77")
    return own


def requirements(wheel):
    """What the wheel asks for, without extras."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        lines = archive.read(name).decode().splitlines()
    asked = [line.removeprefix("Requires-Dist: ") for line in lines if "Requires-Dist:" in line]
    return [one for one in asked if "extra ==" not in one]


def try_out(python, dist, empty):
    """Install one distribution and run the smoke test in an empty folder."""
    run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation",
        "--force-reinstall", dist)  # fmt: skip
    empty.mkdir()
    version = re.search(r"-(\d[^-]*?)(?:-py3|\.tar)", dist.name)[1]
    run(python, ROOT / ".ci" / "smoke.py", version, cwd=empty)


def has_pytest(python):
    """Tell whether the tests can be run; without torch their conftest cannot."""
    done = subprocess.run(
        [python, "-c", "import pytest, pytest_timeout, torch"], capture_output=True
    )
    return done.returncode == 0


if __name__ == "__main__":
    main()
