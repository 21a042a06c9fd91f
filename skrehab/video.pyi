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
from skrehab.saliency import Saliency


class VideoClassifier(Any):
    classes_: NDArray[Any]
    module_: Any
    history_: list[dict[Any, Any]]
    n_landmarks_: int | None
    n_coords_: int | None
    scaler_: LandmarkScaler | None
    step_: int
    validation_groups_: NDArray[Any] | None
    weights_report_: Any
    def __init__(self, network: Any = 'act', *, network_params: Mapping[Any, Any] | None = None, lr: float = 0.001, max_epochs: int | Literal["auto"] = 100, batch_size: int = 32, weight_decay: float = 0.0, schedule: Literal["cosine", "cosine_batch"] | None = 'cosine', gradient_clip: float | None = 1.0, class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None, early_stopping: bool | Literal["patient"] | Literal["trial"] = False, validation_fraction: float = 0.15, patience: int = 10, device: str = 'cpu', random_state: int | RandomState | None = None, weights: str | PathLike[str] | None = None, weights_sha256: str | None = None, head: Literal["keep", "new"] = 'keep', freeze: tuple[str, ...] = ..., layer_decay: float | None = None, head_warmup: int = 0, memory: Any = None, verbose: int = 0, net_params: Mapping[Any, Any] | None = None, optimizer: Literal["adam", "adamw"] = 'adam', min_lr: float = 0.0, gradient_clip_value: float | None = None, standardize: bool = False, augment: Augmentation | Mapping[Any, Any] | None = None, like_length: int = 0, step: int | Literal["auto"] = 1, warmup: int = 0, decay_norms: bool = True, views: int | tuple[int, int] = 1) -> None: ...
    def fit(self, X: Sequence[ArrayLike] | NDArray[Any], y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None, exercise: ArrayLike | None = None) -> Self: ...
    def decision_function(self, X: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]: ...
    def predict_proba(self, X: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]: ...
    def predict(self, X: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]: ...
    def predict_frame_proba(self, X: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]: ...
    def saliency(self, X: Sequence[ArrayLike] | NDArray[Any], *, method: Any = 'integrated_gradients', target: Any = None, baseline: Literal["zeros", "rest"] | ArrayLike = 'zeros', n_steps: int | Literal["auto"] = 50, tol: float = 0.01, aggregate: Literal["positive", "sum", "mean", "max", "signed"] = 'sum', smooth: int | tuple[str, int] | Literal["auto"] = 0, coords: Literal["sum", "first"] = 'sum', scale: Literal["frames", "map"] = 'frames', z_clip: float | None = None, normalize: bool = True, return_maps: bool = False) -> NDArray[Any] | Saliency: ...
    def features(self, X: Sequence[Any] | NDArray[Any]) -> NDArray[Any]: ...
    def get_params(self, deep: bool = True) -> dict[Any, Any]: ...
    def set_params(self, **params: Any) -> Any: ...

def __getattr__(name: str) -> Any: ...
