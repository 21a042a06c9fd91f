# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray


class Skeleton:
    name: str
    landmarks: tuple[str, ...]
    parents: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]
    pairs: tuple[tuple[int, int], ...]
    limbs: dict[str, tuple[int, ...]]
    trunk: tuple[int, ...]
    axes: str
    directions: tuple[int, ...]
    units: str
    limb_bones: tuple[Any, ...]
    flipped: tuple[int, ...]
    @property
    def mirrored(self) -> Any: ...
    @property
    def n_landmarks(self) -> Any: ...
    @property
    def n_dims(self) -> Any: ...
    def index(self, landmark: str) -> int: ...
    def __init__(self, *, name: str, landmarks: tuple[str, ...], parents: tuple[int, ...], edges: tuple[tuple[int, int], ...], pairs: tuple[tuple[int, int], ...], limbs: Mapping[str, tuple[int, ...]] = ..., trunk: tuple[int, ...], axes: str, directions: tuple[int, ...], units: str, limb_bones: tuple[Any, ...] = ..., flipped: tuple[int, ...] = ...) -> None: ...
def body_parts(skeleton: str | Skeleton) -> list[str]: ...
def bone_skeleton(skeleton: str | Skeleton) -> Skeleton: ...
def get_skeleton(name: str | Skeleton) -> Skeleton: ...
def guess_skeleton(n_landmarks: int, n_coords: int) -> Skeleton: ...
def list_skeletons() -> list[str]: ...

def __getattr__(name: str) -> Any: ...
