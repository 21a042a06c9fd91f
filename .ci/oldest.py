"""Run the tests beside the oldest packages that pyproject.toml allows.

``python .ci/oldest.py`` makes an environment of its own, installs each dependency at its floor,
what these need as they ask for it, and runs the tests given; by default one file of each room that
leans on a package. ``--dry-run`` prints the floors and installs nothing. It installs torch; on
Linux, PyPI's is large.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# one file of each room that leans on a package: a few minutes
TESTS = """
tests/test_surroundings.py tests/test_trials.py tests/test_pipeline.py
tests/pseudo_labels/test_labeler.py tests/frames/test_frame_mlp.py tests/frames/test_frame_tcn.py
tests/evaluation/test_study.py tests/persistence/test_models.py tests/onnx/test_onnx_export.py
tests/formats/test_npz.py tests/formats/test_pose_files.py tests/datasets/test_manifest.py
tests/datasets/test_mini_set.py tests/pose/test_video_reader.py tests/inspection/test_displays.py
tests/cli/test_terminal.py
""".split()
EXTRAS = ("onnx", "formats")


def main():
    """Install the floors and run the tests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dry-run", action="store_true", help="print the floors only")
    parser.add_argument("tests", nargs="*", default=TESTS)
    options = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = floors(project)
    print("\n".join(pins), flush=True)
    if options.dry_run:
        return
    with tempfile.TemporaryDirectory(prefix="skrehab-oldest-") as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = Path(folder) / "bin" / "python"
        tools = ["pytest>=8", "pytest-timeout>=2.3", "hypothesis>=6.100"]
        subprocess.run([python, "-m", "pip", "install", "-q", *pins, *tools], check=True)
        subprocess.run([python, "-m", "pip", "check"], check=True)
        env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        done = subprocess.run([python, "-m", "pytest", "-q", *options.tests], cwd=ROOT, env=env)
        sys.exit(done.returncode)


def floors(project):
    """Return each dependency at the oldest version that is allowed.

    Parameters
    ----------
    project : dict
        The table of that name in pyproject.toml.

    Returns
    -------
    list of str
        Like ``"numpy==2.0"``; a dependency without a floor is an error.
    """
    wanted = list(project["dependencies"])
    for extra in EXTRAS:
        wanted += project["optional-dependencies"][extra]
    pins = {}
    for one in wanted:
        found = re.match(r"([\w-]+)(?:\[[^]]*\])?\s*>=\s*([\w.]+)", one)
        if found is None:
            raise ValueError(f"{one!r} has no floor: write NAME>=VERSION.")
        pins[found[1]] = found[2]
    return [f"{name}=={version}" for name, version in pins.items()]


if __name__ == "__main__":
    main()
