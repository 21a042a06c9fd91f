# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray

from skrehab.pseudo_labels import PatientPipeline
from skrehab.preprocessing import PatientReference
from skrehab.pseudo_labels import Quantile
from skrehab.skeletons import Skeleton

NETWORKS: dict[Any, Any]
def published(network: Literal["lstm", "act", "skateformer", "moment"] | str = 'act', method: Any = 'integrated_gradients', thresholds: Literal[1, 2] = 2, *, threshold: float | tuple[float, float] | Quantile | str | None = None, max_epochs: int = 100, frame_epochs: int = 20, normal_label: Any = None, random_state: int | None = None) -> PatientPipeline: ...
def recommended(skeleton: str | Skeleton | None = 'auto', *, frame_rate: float | None = None, causal: bool = True, n_teachers: int = 2, max_epochs: int | Literal["auto"] = 'auto', augment: bool = True, reference: int | PatientReference | None = None, normal_label: Any = None, random_state: int | None = None) -> PatientPipeline: ...

def __getattr__(name: str) -> Any: ...
