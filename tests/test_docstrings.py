"""Every public object says what it is, in numpydoc, with an example that runs."""

import doctest
import importlib
import inspect
import pathlib
import pkgutil
import tomllib
import warnings

import pytest

import skrehab

PYPROJECT = pathlib.Path(__file__).resolve().parents[1] / "pyproject.toml"


def public_modules():
    """Name every module of skrehab whose path holds no underscore, and the package itself."""
    found = ["skrehab"]
    for module in pkgutil.walk_packages(skrehab.__path__, "skrehab."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            found.append(module.name)
    return found


def public_objects():
    """Map the full name of every public function, class and method to the object."""
    found = {}
    for module_name in public_modules():
        try:
            module = importlib.import_module(module_name)
            things = [getattr(module, name) for name in getattr(module, "__all__", [])]
        except ImportError:  # test_modules_say_what_is_public fails on it
            continue
        for thing in things:
            if inspect.isclass(thing) or inspect.isfunction(thing):
                if not thing.__module__.startswith("skrehab"):
                    continue
                found[f"{thing.__module__}.{thing.__qualname__}"] = thing
    for full_name, thing in list(found.items()):
        if inspect.isclass(thing):
            for name, member in vars(thing).items():
                member = getattr(member, "__func__", member)
                if not name.startswith("_") and (
                    inspect.isfunction(member) or isinstance(member, property)
                ):
                    found[f"{full_name}.{name}"] = member
    return found


OBJECTS = public_objects()
# signatures that torch, skorch or scikit-learn fixes, explained once at the class
INHERITED = {"classify", "forward"}


def is_file_of(package, name):
    return any(
        (pathlib.Path(folder) / f"{name}.py").exists()
        for folder in getattr(package, "__path__", ())
    )


@pytest.mark.parametrize("name", public_modules())
def test_modules_say_what_is_public(name):
    module = importlib.import_module(name)
    assert module.__doc__
    is_a_file = not hasattr(module, "__path__")
    if is_a_file and name.count(".") < 2:  # rooms speak for their files
        assert hasattr(module, "__all__")
    for public in getattr(module, "__all__", []):  # else the file would hide the name
        hidden = is_file_of(module, public) and not inspect.ismodule(getattr(module, public))
        assert not hidden, f"{name} has a file and a public name {public}"
    for public in getattr(module, "__all__", []):
        assert hasattr(module, public), f"__all__ names {public}, which is not there"


def test_public_objects_are_found():
    for name in ("skrehab.trials.poses.check_trials", "skrehab.video.VideoClassifier.saliency"):
        assert name in OBJECTS
    assert "skrehab.metrics.patients.PatientScores.mean" in OBJECTS  # a property


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_numpydoc(name):
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed")
    if name.rpartition(".")[2] in INHERITED:
        pytest.skip("explained at the class")
    settings = tomllib.loads(PYPROJECT.read_text())["tool"]["numpydoc_validation"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpydoc warns of sections it cannot read
        errors = validate.validate(name)["errors"]
    checks = set(settings["checks"])
    if inspect.isclass(OBJECTS[name]) and "__init__" not in vars(OBJECTS[name]):
        checks -= {"PR01"}  # the signature belongs to another library's base class
    assert not [error for error in errors if error[0] in checks]


@pytest.mark.parametrize(
    "name", sorted(n for n, o in OBJECTS.items() if ">>>" in (o.__doc__ or ""))
)
def test_example(name, tmp_path, monkeypatch):
    thing = OBJECTS[name]
    monkeypatch.chdir(tmp_path)
    finder = doctest.DocTestFinder(recurse=False)
    tests = finder.find(thing, name, globs={})
    assert tests and tests[0].examples
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    report = []
    for test in tests:
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


# classes and functions a user meets first; their examples are the API documentation
@pytest.mark.parametrize("name", sorted(skrehab._PUBLIC))
def test_public_names_have_an_example(name):
    assert ">>>" in getattr(skrehab, name).__doc__
