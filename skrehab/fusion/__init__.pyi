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
from skrehab.multilabel import MultiLabelMixin
from skrehab.multilabel import MultiLabelVideoClassifier
from skrehab.video import VideoClassifier


class BranchLoss(Any):
    def __init__(self, loss: Literal["sigmoid_bce", "softmax_bce"], distillation_weight: float = 1.0) -> None: ...
    def forward(self, outputs: Any, target_and_weight: Any) -> Any: ...

class BranchTraining(Any):
    def __init__(self, network: Any, stage: Literal[1, 2], color_jitter: float) -> None: ...
    def forward(self, has_rgb: Any, has_pose: Any, rgb: Any = None, pose: Any = None, lengths: Any = None) -> list[Any]: ...

class FusionClassifier(Any):
    classes_: NDArray[Any]
    rgb_: VideoClassifier
    pose_: VideoClassifier
    head_: Any
    def __init__(self, rgb: VideoClassifier, pose: VideoClassifier, *, how: Literal["late", "features"] = 'late', weight: float = 0.5, C: float = 0.01) -> None: ...
    def fit(self, X: Sequence[Mapping[Any, Any]], y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None) -> Self: ...
    def predict_proba(self, X: Sequence[Mapping[Any, Any]]) -> NDArray[Any]: ...
    def predict(self, X: Sequence[Mapping[Any, Any]]) -> NDArray[Any]: ...

class MultiLabelFusion(MultiLabelMixin, Any):
    n_labels_: int
    classes_: NDArray[Any]
    rgb_: MultiLabelVideoClassifier
    pose_: MultiLabelVideoClassifier
    scaler_: Any
    heads_: list[Any] | float
    def __init__(self, rgb: MultiLabelVideoClassifier, pose: MultiLabelVideoClassifier, *, how: Literal["sum", "mul", "concat"] = 'sum', weight: float = 0.5, C: float = 0.01, threshold: float = 0.5) -> None: ...
    def fit(self, X: Sequence[Mapping[Any, Any]], y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None) -> Self: ...
    def predict_proba(self, X: Sequence[Mapping[Any, Any]]) -> NDArray[Any]: ...

class MuscleGroupClassifier(MultiLabelMixin, Any):
    n_labels_: int
    classes_: NDArray[Any]
    module_: Any
    stage_: Literal[1, 2]
    history_: list[dict[Any, Any]]
    n_landmarks_: int | None
    n_coords_: int | None
    validation_groups_: NDArray[Any] | None
    weights_report_: Any
    def __init__(self, modality: Literal["both", "rgb", "pose"] = 'both', *, size: Literal["s", "tiny"] = 's', network_params: Mapping[Any, Any] | None = None, loss: Literal["sigmoid_bce", "softmax_bce"] = 'sigmoid_bce', threshold: float = 0.5, stage1_epochs: int = 80, stage2_epochs: int = 80, lr: float = 0.0001, batch_size: int = 16, weight_decay: float = 0.05, schedule: Literal["cosine"] | None = 'cosine', gradient_clip: float | None = 1.0, color_jitter: float = 0.4, normalize_pose: bool = True, min_frames: int | None = None, early_stopping: bool | Literal["patient"] | Literal["trial"] = False, validation_fraction: float = 0.15, patience: int = 10, device: str = 'cpu', random_state: int | RandomState | None = None, weights: str | PathLike[str] | None = None, weights_sha256: str | None = None, verbose: int = 0, net_params: Mapping[Any, Any] | None = None, augment: Augmentation | Mapping[Any, Any] | None = None, warmup: int = 0, decay_norms: bool = True, views: int | tuple[int, int] = 1) -> None: ...
    def fit(self, X: Sequence[Mapping[Any, Any]], y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None) -> Self: ...
    def predict_proba(self, X: Sequence[Mapping[Any, Any]]) -> NDArray[Any]: ...
    def get_params(self, deep: bool = True) -> dict[Any, Any]: ...
    def set_params(self, **params: Any) -> Any: ...

def __getattr__(name: str) -> Any: ...
