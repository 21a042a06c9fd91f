"""What is built of the repository: a readme, an editable install, a source distribution."""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

needs_setuptools = pytest.mark.skipif(
    importlib.util.find_spec("setuptools") is None, reason="setuptools is not installed"
)


def script(path):
    """Load a file that belongs to no package."""
    spec = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(what, source, out):
    """Call setuptools' backend in a folder; return the file that it made."""
    out.mkdir()
    code = "import sys, setuptools.build_meta as b; getattr(b, sys.argv[1])(sys.argv[2])"
    subprocess.run(
        [sys.executable, "-c", code, what, out],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=240,
    )
    (made,) = out.iterdir()
    return made


def readme_alone(text):
    """Call setup.py's function elsewhere: setuptools puts its own distutils in for Python's."""
    code = "import runpy, sys; f = runpy.run_path(sys.argv[1])['readme_alone']; "
    code += "sys.stdout.reconfigure(encoding='utf-8'); sys.stdout.write(f(sys.argv[2]))"
    done = subprocess.run(
        [sys.executable, "-c", code, ROOT / "setup.py", text],
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    return done.stdout


@needs_setuptools
def test_the_readme_stands_alone():
    text = readme_alone((ROOT / "README.md").read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert targets and all(target.startswith("https://") for target in targets)
    assert "![" not in text and "quick start" in text and "# skrehab" in text
    assert readme_alone("a\n\n![p](docs/a.png)\n\nb [c](docs) [d](https://e)") == (
        "a\n\nb c [d](https://e)"
    )


@needs_setuptools
def test_a_script_beside_a_clone_of_this_name_gets_the_package(tmp_path):
    """The finder of an editable install came last: the clone's folder was taken, a namespace."""
    clone = tmp_path / "skrehab"
    (clone / "skrehab").mkdir(parents=True)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    shutil.copy(ROOT / "skrehab" / "__init__.py", clone / "skrehab")
    wheel = build("build_editable", clone, tmp_path / "wheel")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (tmp_path / "use.py").write_text("import skrehab; print(skrehab.__file__)")
    # away first with what this environment has of its own
    code = "import os, site, sys, runpy; "
    code += "sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in repr(f)]; "
    code += (
        "sys.path[:] = [p for p in sys.path if not os.path.exists(p + '/skrehab/__init__.py')]; "
    )
    code += "site.addsitedir(sys.argv[1]); sys.path.insert(0, sys.argv[2]); "
    code += "runpy.run_path('use.py')"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, site, tmp_path],
        cwd=tmp_path, env=env, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert pathlib.Path(done.stdout.strip()) == clone / "skrehab" / "__init__.py"


@needs_setuptools
def test_a_source_distribution_holds_the_repository(tmp_path):
    try:
        tracked = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split("\0")[:-1]
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git repository")
    clone = tmp_path / "clone"
    for name in tracked:
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, clone / name)
    with tarfile.open(build("build_sdist", clone, tmp_path / "out")) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert not {name for name in tracked if (ROOT / name).is_file()} - held
    assert {"tests/conftest.py", "tests/golden/act.json", "constraints.txt"} <= held


# --- the environment of make ----------------------------------------------------------------------
@pytest.fixture
def environment():
    return script(ROOT / ".ci" / "environment.py")


def test_a_python_that_is_too_old_is_named(environment):
    assert environment.too_old((3, 11, 0), "python3") is None
    assert environment.too_old((3, 13, 1), "python3") is None
    for version in ((3, 10, 13), (2, 7, 18)):
        said = environment.too_old(version, "/usr/bin/python3")
        assert "needs Python 3.11 or later" in said and "PYTHON=python3.11" in said
        assert "/usr/bin/python3 is " + ".".join(map(str, version)) in said


def test_another_python_makes_the_environment_anew(environment, tmp_path, capsys):
    folder = tmp_path / "env"
    assert environment.made_with(folder) is None
    environment.main(str(folder), with_pip=False)
    stamp = (folder / ".python").stat().st_mtime_ns
    (folder / "kept").touch()
    environment.main(str(folder), with_pip=False)
    assert (folder / "kept").exists() and (folder / ".python").stat().st_mtime_ns == stamp
    config = folder / "pyvenv.cfg"
    config.write_text(re.sub("(?m)^version = .*$", "version = 3.10.1", config.read_text()))
    environment.main(str(folder), with_pip=False)
    assert not (folder / "kept").exists() and (folder / ".python").exists()
    assert "was made with Python 3.10.1" in capsys.readouterr().err
    assert environment.made_with(folder)[0] == ".".join(map(str, sys.version_info[:3]))


def test_as_make_runs_it(tmp_path):
    """In a process of its own, where the folder of the script comes first on the path."""
    script, folder = ROOT / ".ci" / "environment.py", tmp_path / ".venv"
    said = subprocess.run(
        [sys.executable, str(script), str(folder)], capture_output=True, text=True, timeout=200
    )
    assert said.returncode == 0, said.stderr
    assert (folder / ".python").is_file() and (folder / "pyvenv.cfg").is_file()


# --- the oldest packages --------------------------------------------------------------------------
def test_the_floors_are_those_of_pyproject():
    import tomllib

    oldest = script(ROOT / ".ci" / "oldest.py")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = oldest.floors(project)
    assert {"numpy==2.0", "scikit-learn==1.6", "mediapipe==0.10.32", "onnx==1.16"} <= set(pins)
    assert len(pins) >= len(project["dependencies"])
    with pytest.raises(ValueError, match="'numpy' has no floor"):
        oldest.floors({**project, "dependencies": ["numpy"]})
    assert all((ROOT / test).exists() for test in oldest.TESTS)
