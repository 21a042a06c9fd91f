# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray


class AppearanceFeatures(Any):
    module_: Any
    weights_report_: Any
    def __init__(self, network: Any = 'c3d', *, layer: str | None = None, clip_length: int = 16, stride: int = 16, network_params: Mapping[Any, Any] | None = None, weights: str | PathLike[str] | None = None, weights_sha256: str | None = None, memory: Any = None, batch_size: int = 8, device: str = 'cpu', random_state: int | RandomState | None = None) -> None: ...
    def fit(self, X: Sequence[Any] | NDArray[Any], y: None = None) -> Self: ...
    def transform(self, X: Sequence[Any] | NDArray[Any]) -> list[NDArray[Any]] | list[dict[Any, Any]]: ...

class QualityRegressor(Any):
    module_: Any
    encoder_: Any
    classes_: NDArray[Any]
    summary_: NDArray[Any] | None
    summary_intercept_: float
    summary_weight_: float
    score_mean_: float
    score_scale_: float
    history_: list[dict[Any, Any]]
    n_landmarks_: int | None
    n_coords_: int | None
    n_features_: int | None
    validation_groups_: NDArray[Any] | None
    def __init__(self, encoder: Any = None, *, streams: Literal["pose", "appearance", "both"] = 'pose', head: Literal["regression", "ordinal", "classes"] = 'regression', fine_tune: bool = True, expert: bool = True, encoder_params: Mapping[Any, Any] | None = None, hidden_size: int = 100, pooling: Literal["mean", "last"] = 'mean', reduced_channels: int | None = 64, dropout: float = 0.0, summary: Literal["auto"] | None = 'auto', lr: float = 0.003, max_epochs: int | Literal["auto"] = 'auto', batch_size: int = 25, weight_decay: float = 0.0, schedule: Literal["cosine"] | None = 'cosine', gradient_clip: float | None = 1.0, class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None, early_stopping: bool | Literal["patient"] | Literal["trial"] = False, validation_fraction: float = 0.15, patience: int = 10, device: str = 'cpu', random_state: int | RandomState | None = None, verbose: int = 0, net_params: Mapping[Any, Any] | None = None) -> None: ...
    def fit(self, X: Sequence[Any] | NDArray[Any], y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None) -> Self: ...
    def predict(self, X: Sequence[Any] | NDArray[Any]) -> NDArray[Any]: ...
    def predict_proba(self, X: Sequence[Any] | NDArray[Any]) -> NDArray[Any]: ...
    def score(self, X: Sequence[Any] | NDArray[Any], y: ArrayLike, sample_weight: ArrayLike | None = None) -> float: ...
def cut_clips(frames: Iterable[ArrayLike], length: int = 16, stride: int = 16) -> Iterator[NDArray[Any]]: ...
def table1_settings() -> dict[str, dict[Any, Any]]: ...

def __getattr__(name: str) -> Any: ...
