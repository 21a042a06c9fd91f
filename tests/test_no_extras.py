"""A machine without mediapipe, PyAV, matplotlib or the extras still has the rest."""

import pathlib

import pytest

from skrehab._optional import require

BLOCKED = ("mediapipe", "av", "matplotlib", "transformers", "torchvision", "pandas", "safetensors")
BLOCKED += (
    "timm",
    "hiera",
    "h5py",
    "openpyxl",
    "onnx",
    "onnxruntime",
    "pyarrow",
    "huggingface_hub",
    "fastapi",
    "starlette",
    "uvicorn",
)
# put before a program's code: these packages are not installed, as far as it can tell
BLOCK = f"""
import sys
class Without:
    names = set({BLOCKED!r})
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        blocked = name.partition(".")[0] in self.names
        return None if blocked else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""


def test_everything_still_imports(run_python):
    code = """
import importlib, pkgutil, skrehab
names = [m.name for m in pkgutil.walk_packages(skrehab.__path__, "skrehab.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
for name in skrehab.__all__:
    getattr(skrehab, name)
print(len(names))
"""
    assert int(run_python(BLOCK + code)) > 15


def test_the_pipeline_still_fits(run_python, tmp_path):
    code = """
sys.path.insert(0, sys.argv[1])
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_trials
from skrehab import DisplacementSmoother
from skrehab.metrics import trial_roc_auc
data = tiny_trials()
steps = [("motion", DisplacementSmoother()), ("labels", tiny_labeler()), ("frames", tiny_frames())]
pipe = Pipeline(steps).fit(data.X, data.y)
print(0 <= trial_roc_auc(pipe, data.X, data.y) <= 1)
"""
    assert (
        run_python(BLOCK + code, pathlib.Path(__file__).parent / "support", cwd=tmp_path) == "True"
    )


@pytest.mark.parametrize(
    ("needs", "code"),
    [
        ("safetensors", "skrehab.save(skrehab.LandmarkScaler().fit([trial]), 'model')"),
        ("safetensors", "skrehab.load('model')"),
        ("matplotlib", "skrehab.SkeletonDisplay.from_predictions(trial).plot()"),
        ("mediapipe", "skrehab.PoseExtractor().fit_transform([video])"),
        ("av", "skrehab.PoseExtractor().fit_transform(['clip.mp4'])"),
    ],
)
def test_the_error_names_the_package(run_python, tmp_path, monkeypatch, needs, code):
    (tmp_path / "clip.mp4").write_bytes(b"not looked at")
    (tmp_path / "pose_landmarker_full.task").write_bytes(b"nor is this")
    monkeypatch.setenv("SKREHAB_MODELS", str(tmp_path))
    setup = f"""
Without.names = {{{needs!r}}}
import numpy as np, skrehab
trial = np.zeros((4, 33, 3), dtype=np.float32)
video = np.zeros((4, 48, 64, 3), dtype=np.uint8)
try:
    {code}
except ImportError as error:
    print(error)
"""
    message = run_python(BLOCK + setup, cwd=tmp_path)
    assert message.startswith(needs) and " is needed to " in message, message or "no error"
    assert message.endswith(f"pip install '{needs}'")


def test_require_names_the_extra():
    assert require("json", None, "to test").dumps([]) == "[]"
    with pytest.raises(
        ImportError, match=r"no_such is needed to dance.*'skrehab\[video\]'"
    ) as info:
        require("no_such", "video", "to dance")
    assert isinstance(info.value.__cause__, ModuleNotFoundError)
    with pytest.raises(ImportError, match="pip install 'no_such'"):
        require("no_such.steps", None, "to dance")


def test_require_survives_a_broken_wheel(tmp_path, monkeypatch):
    """A torchvision that does not fit its torch raises RuntimeError on import."""
    (tmp_path / "broken_wheel.py").write_text("raise RuntimeError('operator nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"RuntimeError: operator nms does not exist"):
        require("broken_wheel", "video", "to watch")
