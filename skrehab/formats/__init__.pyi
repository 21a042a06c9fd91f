# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray


class PoseFile(tuple[Any, ...]):
    pose: NDArray[Any]
    timestamps: NDArray[Any] | None
    landmarks: tuple[str, ...] | None
    coords: tuple[str, ...] | None
    def __new__(self, pose: Any, timestamps: Any, landmarks: Any, coords: Any = None) -> Any: ...
def read_intervals(path: str | PathLike[str], *, format: Literal["csv", "elan", "eaf", "boris", "cvat"] | None = None, tier: str | None = None, recording: str | None = None, timestamps: ArrayLike | None = None, frame_rate: float | None = None, as_numbers: bool | None = None) -> list[tuple[float, float, int, str]]: ...
def read_long_table(path: str | PathLike[str], *, frame_rate: float | None = None) -> dict[str, PoseFile]: ...
def read_pose(path: str | PathLike[str], *, format: Literal["trc", "openpose", "coco", "long", "wide", "npy", "npz"] | None = None, frame_rate: float | None = None, person: Literal["steady", "follow", "largest"] | int = 'steady', trial: str | None = None, landmarks: str | Sequence[str] | None = None, allow_cut: bool = False) -> PoseFile: ...
def write_intervals(path: str | PathLike[str], intervals: Sequence[tuple[float, float, Any]], *, format: Literal["csv", "elan", "eaf", "boris", "cvat"] | None = None, tier: str | None = None, recording: str | None = None, media: str | PathLike[str] | None = None, timestamps: ArrayLike | None = None, frame_rate: float | None = None, size: tuple[int, int] | None = None, overwrite: bool = False) -> Path: ...
def write_long_table(path: str | PathLike[str], trials: Mapping[str, PoseFile], *, overwrite: bool = False) -> Path: ...
def write_pose(path: str | PathLike[str], pose: PoseFile | ArrayLike, *, landmarks: str | Sequence[str] | None = None, timestamps: ArrayLike | None = None, frame_rate: float | None = None, coords: tuple[str, ...] | None = None, trial: str = 'trial', format: Literal["trc", "openpose", "coco", "long", "wide", "npy", "npz"] | None = None, overwrite: bool = False) -> Path: ...

def __getattr__(name: str) -> Any: ...
