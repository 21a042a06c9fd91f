"""Imports point down the floors; importing skrehab is cheap and leaves the process as it was."""

import ast
import pathlib

import pytest

import skrehab

PACKAGE = pathlib.Path(skrehab.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# A file imports only from lower floors; files of one package may import each other. batching stands
# on the ground: it needs nothing of skrehab, and saliency, on floor 2, needs it.
FLOORS = {
    "trials": 0,
    "_optional": 0,
    "skeleton_bones": -1,  # skeletons stand on it
    "skeletons": 0,
    "batching": 0,
    "muscles": 0,
    "conversion": 1,
    "multilabel_metrics": 1,
    "formats": 1,
    "cues": 2,
    "metrics": 2,
    "preprocessing": 2,
    "pose": 2,
    "bones": 3,
    "augmentation": 1,
    "frame_targets": 1,
    "sequences": 0,
    "frame_classifier": 4,
    "frame_tcn": 5,
    "datasets": 3,
    "skeleton_converter": 2,
    "networks": 2,
    "saliency": 2,
    "finetuning": 2,
    "repairs": 3,
    "pose_quality": 4,
    "training": 3,
    "clips": 3,
    "class_activation": 3,
    "label_maps": 5,
    "embeddings": 3,
    "modalities": 4,
    "network_estimator": 4,
    "video": 5,
    "label_sets": 4,
    "multilabel": 5,
    "pretraining": 5,
    "quality": 5,
    "appearance_features": 5,
    "frames": 5,
    "pseudo_labels": 6,
    "fusion": 6,
    "branch_training": 6,
    "evaluation": 6,
    "inspection": 6,
    "model_card": 6,
    "muscle_groups": 7,
    "persistence": 7,
    "live": 7,
    "recording": 7,
    "report": 7,
    "overlay": 7,
    "workflow": 8,  # what the commands do, in Python
    "onnx_export": 8,
    "hub": 8,
    "live_session": 8,
    "live_view": 8,
    "demo": 9,
    "cli_live": 9,
    "serve": 9,
    "cli": 10,
    "__main__": 11,
}
# third-party packages a module may import at its head; anything else waits inside a function
LIGHT = {"numpy"}
AT_HEAD = {
    "trials": LIGHT,
    "_optional": set(),
    "skeleton_bones": set(),
    "skeletons": LIGHT,
    "conversion": LIGHT,
    "batching": {"numpy", "torch"},
    "muscles": set(),
    "multilabel_metrics": {"numpy", "sklearn"},
    "formats": LIGHT,
    "repairs": {"numpy", "sklearn"},
    "pose_quality": LIGHT,
    "pretraining": {"numpy", "joblib", "torch", "sklearn"},
    "quality": {"numpy", "scipy", "torch", "sklearn"},
    "appearance_features": {"numpy", "torch", "sklearn", "joblib"},
    "model_card": set(),
    "onnx_export": {"numpy", "torch", "sklearn"},
    "hub": set(),
    "cues": LIGHT,
    "metrics": {"numpy", "scipy", "sklearn"},
    "preprocessing": {"numpy", "scipy", "sklearn"},
    "bones": {"numpy", "sklearn"},
    "augmentation": {"numpy", "torch", "sklearn"},
    "frame_targets": LIGHT,
    "sequences": {"numpy", "torch"},
    "frame_classifier": {"numpy", "torch", "sklearn"},
    "frame_tcn": {"numpy", "torch", "sklearn"},
    "pose": {"numpy", "scipy", "sklearn", "joblib"},
    "datasets": {"numpy", "scipy", "sklearn"},
    "skeleton_converter": {"sklearn"},
    "networks": {"numpy", "torch"},
    "saliency": {"numpy", "torch"},
    "class_activation": {"torch"},
    "label_maps": {"numpy", "sklearn"},
    "finetuning": {"torch", "skorch"},
    "training": {"numpy", "torch", "sklearn", "skorch"},
    "clips": {"numpy", "torch"},
    "embeddings": {"joblib", "torch"},
    "modalities": {"numpy", "torch"},
    "network_estimator": {"numpy", "torch", "sklearn"},
    "video": {"numpy", "sklearn"},
    "label_sets": {"numpy", "torch", "sklearn"},
    "multilabel": {"numpy", "sklearn"},
    "fusion": {"numpy", "sklearn"},
    "branch_training": {"torch"},
    "muscle_groups": {"numpy", "torch", "sklearn"},
    "frames": {"numpy", "torch", "sklearn"},
    "pseudo_labels": {"numpy", "sklearn", "imblearn"},
    "evaluation": {"numpy", "scipy", "sklearn"},
    "inspection": {"numpy", "sklearn"},
    "persistence": LIGHT,
    "live": LIGHT,
    "recording": LIGHT,
    "live_session": LIGHT,
    "live_view": LIGHT,
    "report": LIGHT,
    "overlay": LIGHT,
    "workflow": {"numpy", "sklearn", "imblearn"},
    "demo": {"numpy", "sklearn", "imblearn"},
    "cli": {"numpy", "typer", "rich"},
    "cli_live": {"typer", "rich"},
    "serve": {"numpy", "typer", "rich"},
    "__main__": set(),
    "": set(),  # skrehab/__init__.py
}
# optional, or heavy, or without a wheel on some machine
HEAVY = {"mediapipe", "av", "matplotlib", "pandas", "transformers", "torchvision", "safetensors"}
HEAVY |= {"timm", "hiera", "h5py", "openpyxl", "onnx", "onnxruntime", "pyarrow", "huggingface_hub"}
HEAVY |= {"fastapi", "starlette", "uvicorn"}


def place(file):
    """Name of the module or package directly under skrehab that a file belongs to."""
    part = file.relative_to(PACKAGE).parts[0]
    return "" if part == "__init__.py" else part.removesuffix(".py")


def imports(file):
    """Yield (absolute dotted name, True if at the head of the module) for each import."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    package = ["skrehab", *file.relative_to(PACKAGE).parts[:-1]]
    inside_functions = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        at_head = id(node) not in inside_functions
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, at_head
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                root = package[: len(package) - node.level + 1]
                base = ".".join([*root, base] if base else root)
            for alias in node.names:  # "from skrehab import video" names a module too
                yield f"{base}.{alias.name}", at_head


def skrehab_imports(file):
    """Yield the top-level place of every skrehab module that a file imports."""
    for name, at_head in imports(file):
        first, _, rest = name.partition(".")
        if first == "skrehab" and rest:
            yield rest.split(".")[0], at_head


def ids(files):
    return [str(file.relative_to(PACKAGE)) for file in files]


every_file = pytest.mark.parametrize("file", FILES, ids=ids(FILES))


def test_the_test_sees_imports(tmp_path):
    """The reader of imports finds all kinds, and tells the head from the inside of functions."""
    file = PACKAGE / "pose" / "probe.py"  # not written: only its place matters
    source = (
        "import a.b, c\nfrom . import d\nfrom .e import f\nfrom ..video import g\n"
        "from skrehab import h\ntry:\n    import i\nexcept ImportError:\n    pass\n"
        "def later():\n    import j\n    from k import l\n"
    )

    class Fake(type(file)):
        def read_text(self, encoding=None):
            return source

    found = dict(imports(Fake(file)))
    assert found == {
        "a.b": True,
        "c": True,
        "skrehab.pose.d": True,
        "skrehab.pose.e.f": True,
        "skrehab.video.g": True,
        "skrehab.h": True,
        "i": True,
        "j": False,
        "k.l": False,
    }


@every_file
def test_every_module_has_a_floor(file):
    if place(file):
        assert place(file) in FLOORS, "write its floor down in this test and in docs/design.rst"


@every_file
def test_imports_point_down(file):
    here = place(file)
    if not here:
        return
    for there, _ in skrehab_imports(file):
        if there in FLOORS and there != here:
            assert FLOORS[there] < FLOORS[here], f"{here} must not import {there}"


@every_file
def test_third_party_at_the_head(file):
    allowed = AT_HEAD[place(file)] | {"skrehab"}
    import sys

    for name, at_head in imports(file):
        package = name.split(".")[0]
        if at_head and package not in sys.stdlib_module_names and package not in allowed:
            pytest.fail(f"import {package} inside the function that needs it")
        if at_head:
            assert package not in HEAVY


@every_file
def test_files_are_short(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 500


def test_no_drawer_for_everything():
    names = {part for file in FILES for part in file.relative_to(PACKAGE).with_suffix("").parts}
    assert not names & {"utils", "util", "helpers", "misc", "common"}


def test_skrehab_imports_nothing_heavy(run_python):
    code = "import sys, skrehab; dir(skrehab); print(*sys.modules)"
    loaded = set(run_python(code).split())
    assert "skrehab" in loaded
    assert not loaded & (HEAVY | {"torch", "sklearn", "skorch", "scipy", "imblearn", "numpy"})


def test_import_leaves_the_process_alone(run_python):
    """No module seeds, draws, sets threads, changes warnings, or picks a plotting backend."""
    code = """
import importlib, os, pkgutil, random, warnings
import numpy as np
import torch, sklearn, imblearn, skorch, scipy.stats  # theirs is not ours to answer for
import sklearn.pipeline, imblearn.pipeline, torch.utils.data
random.seed(5); np.random.seed(5); torch.manual_seed(5)
def state():
    return (random.getstate(), np.random.get_state()[1].tobytes(), np.random.get_state()[2],
            torch.get_rng_state().numpy().tobytes(), torch.get_num_threads(),
            torch.get_default_dtype(), torch.is_grad_enabled(), list(warnings.filters),
            np.geterr(), dict(os.environ), os.getcwd(), sklearn.get_config())
before = state()
import skrehab
for module in pkgutil.walk_packages(skrehab.__path__, "skrehab."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
        after = state()
        changed = [i for i, (a, b) in enumerate(zip(before, after)) if a != b]
        assert not changed, (module.name, changed)
import sys
heavy = {"mediapipe", "av", "matplotlib", "pandas", "transformers", "torchvision", "safetensors"}
print(sorted(heavy & set(sys.modules)))
"""
    loaded = run_python(code)
    # skorch and scikit-learn import pandas and others where they are installed; not at our asking
    assert "mediapipe" not in loaded and "'av'" not in loaded and "matplotlib" not in loaded


def test_public_names():
    assert len(set(skrehab.__all__)) == len(skrehab.__all__)
    assert dir(skrehab) == sorted(skrehab.__all__)
    for name in skrehab.__all__:
        assert getattr(skrehab, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        skrehab.Nothing  # noqa: B018
