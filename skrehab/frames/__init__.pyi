# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray

from skrehab.training.augmentation import Augmentation
from skrehab.preprocessing import LandmarkScaler


class FrameMLP(Any):
    classes_: NDArray[Any]
    module_: Any
    history_: list[dict[Any, Any]]
    n_landmarks_: int
    n_coords_: int
    scaler_: LandmarkScaler | None
    trial_ranking_: float
    validation_groups_: NDArray[Any] | None
    def __init__(self, hidden_layer_sizes: tuple[int, ...] = ..., *, dropout: float = 0.2, lr: float = 0.001, max_epochs: int | Literal["auto"] = 50, batch_size: int = 256, weight_decay: float = 0.0, schedule: Literal["cosine", "cosine_batch"] | None = 'cosine', gradient_clip: float | None = 1.0, class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None, resampler: Any = None, early_stopping: bool | Literal["patient"] | Literal["trial"] = False, validation_fraction: float = 0.15, patience: int = 10, device: str = 'cpu', random_state: int | RandomState | None = None, verbose: int = 0, net_params: Mapping[Any, Any] | None = None, classes: ArrayLike | None = None, optimizer: Literal["adam", "adamw"] = 'adam', min_lr: float = 0.0, gradient_clip_value: float | None = None, standardize: bool = False, augment: Augmentation | Mapping[Any, Any] | None = None) -> None: ...
    def fit(self, X: Sequence[ArrayLike] | NDArray[Any], y: Sequence[ArrayLike] | NDArray[Any], sample_weight: ArrayLike | Sequence[Any] | NDArray[Any] | None = None, groups: ArrayLike | None = None, exercise: ArrayLike | None = None) -> Self: ...
    def predict_proba(self, X: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]: ...
    def predict(self, X: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]: ...
    def score(self, X: Sequence[ArrayLike] | NDArray[Any], y: Sequence[ArrayLike] | NDArray[Any], sample_weight: ArrayLike | Sequence[Any] | NDArray[Any] | None = None) -> float: ...

class FrameTCN(Any):
    classes_: NDArray[Any]
    module_: Any
    history_: list[dict[Any, Any]]
    n_landmarks_: int
    n_coords_: int
    scaler_: LandmarkScaler | None
    step_: int
    trial_ranking_: float
    validation_groups_: NDArray[Any] | None
    def __init__(self, channels: int = 32, n_blocks: int = 4, kernel_size: int = 5, *, causal: bool = True, dropout: float = 0.2, lr: float = 0.002, max_epochs: int | Literal["auto"] = 25, batch_size: int = 32, weight_decay: float = 0.0, schedule: Literal["cosine", "cosine_batch"] | None = 'cosine_batch', gradient_clip: float | None = None, class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None, early_stopping: bool | Literal["patient"] | Literal["trial"] = False, validation_fraction: float = 0.15, patience: int = 10, device: str = 'cpu', random_state: int | RandomState | None = None, verbose: int = 0, net_params: Mapping[Any, Any] | None = None, classes: ArrayLike | None = None, optimizer: Literal["adam", "adamw"] = 'adamw', min_lr: float = 0.0, gradient_clip_value: float | None = None, standardize: bool = True, augment: Augmentation | Mapping[Any, Any] | None = None, like_length: int = 0, step: int | Literal["auto"] = 1) -> None: ...
    def fit(self, X: Sequence[ArrayLike] | NDArray[Any], y: Sequence[ArrayLike] | NDArray[Any], sample_weight: ArrayLike | Sequence[Any] | NDArray[Any] | None = None, groups: ArrayLike | None = None, exercise: ArrayLike | None = None) -> Self: ...
    def predict_proba(self, X: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]: ...
    def predict(self, X: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]: ...
    def score(self, X: Sequence[ArrayLike] | NDArray[Any], y: Sequence[ArrayLike] | NDArray[Any], sample_weight: ArrayLike | Sequence[Any] | NDArray[Any] | None = None) -> float: ...

class FrameTargets:
    classes: NDArray[Any]
    values: list[NDArray[Any]]
    known: list[NDArray[Any]]
    @property
    def soft(self) -> Any: ...
    @property
    def codes(self) -> Any: ...
    def for_network(self, values: ArrayLike) -> NDArray[Any]: ...
    def __init__(self, classes: ArrayLike, values: Sequence[ArrayLike] | NDArray[Any], known: Sequence[ArrayLike] | NDArray[Any]) -> None: ...

class SoftLabels(Any): ...
def check_frame_targets(y: Sequence[ArrayLike] | NDArray[Any] | SoftLabels, X: Sequence[ArrayLike] | NDArray[Any], classes: ArrayLike | None = None) -> FrameTargets: ...

def __getattr__(name: str) -> Any: ...
