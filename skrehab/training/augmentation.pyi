# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray

from skrehab.skeletons import Skeleton


class Augmentation(Any):
    def __init__(self, splice: float = 0.0, rotate: float = 0.0, offset: float = 0.0, mirror: float = 0.0, stretch: float = 0.0, *, cut: float = 0.0, time_jitter: bool = False, crop: float = 0.0, color: float = 0.0, jitter: float = 0.0, turn: float = 0.0, zoom: float = 0.0, swap: Sequence[tuple[Any, Any]] | None = None, vertical: int = 1, skeleton: str | Skeleton | None = None, normal_label: Any = None) -> None: ...
    def changes(self, trials: Sequence[ArrayLike] | NDArray[Any], partners: Sequence[ArrayLike] | NDArray[Any] | None = None, spread: float | ArrayLike = 1.0, whole: ArrayLike | None = None, *, n_frames: int | None = None, classes: ArrayLike | None = None) -> Any: ...
    def clip_changes(self, n_frames: int, *, poses: Any = None, classes: ArrayLike | None = None) -> Any: ...

def __getattr__(name: str) -> Any: ...
