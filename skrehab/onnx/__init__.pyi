# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray

from skrehab.frames import FrameMLP
from skrehab.frames import FrameTCN
from skrehab.skeletons import Skeleton
from skrehab.video import VideoClassifier


class OnnxModel:
    classes_: NDArray[Any]
    normal_label: Any
    spec: dict[Any, Any]
    def predict_proba(self, X: Sequence[ArrayLike] | NDArray[Any]) -> Any: ...
    def predict_frame_proba(self, X: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]: ...
    def predict(self, X: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]: ...
    def __init__(self, source: str | PathLike[str] | bytes) -> None: ...

class OnnxStream:
    classes_: NDArray[Any]
    normal_label: Any
    spec: dict[Any, Any]
    def __init__(self, source: str | PathLike[str] | bytes) -> None: ...
    def push(self, frame: ArrayLike) -> NDArray[Any]: ...
    def reset(self) -> None: ...
def export_onnx(model: Any, path: str | PathLike[str], *, streaming: bool = False, skeleton: str | Skeleton | None = None, frame_rate: float | None = None, metadata: Mapping[Any, Any] | None = None, check: bool = True, overwrite: bool = False) -> Path: ...

def __getattr__(name: str) -> Any: ...
