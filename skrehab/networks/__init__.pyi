# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray


class NetworkSpec:
    name: str
    builder: Any
    summary: str
    reference: str
    licence: str
    input: Literal["pose", "rgb"]
    skeleton: str
    sizes: tuple[str, ...]
    head: str
    ends: tuple[str, ...]
    untrained: tuple[str, ...]
    def load(self) -> Any: ...
    def __init__(self, name: str, builder: Any, summary: str, reference: str, licence: str, input: Literal["pose", "rgb"] = 'pose', skeleton: str = 'any', sizes: tuple[str, ...] = ..., head: str = 'head.', ends: tuple[str, ...] = ..., untrained: tuple[str, ...] = ...) -> None: ...
def build(name: Any, *, n_outputs: int, n_landmarks: int | None = None, n_coords: int | None = None, **params: Any) -> Any: ...
def get_spec(name: Any) -> NetworkSpec: ...
def list_networks() -> list[str]: ...
def register(spec: NetworkSpec) -> None: ...

def __getattr__(name: str) -> Any: ...
