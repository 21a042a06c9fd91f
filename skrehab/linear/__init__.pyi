# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray


class PatientRidgeClassifier(Any):
    classes_: NDArray[Any]
    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    alpha_: float
    alpha_scores_: NDArray[Any]
    best_score_: float
    left_out_: Literal["patients", "trials"]
    slope_: float
    n_features_in_: int
    def __init__(self, alphas: ArrayLike | None = None, *, class_weight: Mapping[Any, Any] | Literal["balanced"] | None = None) -> None: ...
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None) -> Self: ...
    def decision_function(self, X: ArrayLike) -> NDArray[Any]: ...
    def predict(self, X: ArrayLike) -> NDArray[Any]: ...
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]: ...

class RidgeParts(tuple[Any, ...]):
    root: Any
    factor: Any
    values: Any
    complement: Any
    back: Any
    mean: Any
    def __new__(self, root: Any, factor: Any, values: Any, complement: Any, back: Any, mean: Any) -> Any: ...
def fit_slope(scores: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None = None) -> float: ...
def left_out_predictions(parts: RidgeParts, y: ArrayLike, alphas: Sequence[float], groups: ArrayLike | None = None) -> NDArray[Any]: ...
def ridge_coefficients(parts: RidgeParts, y: ArrayLike, alpha: float) -> tuple[NDArray[Any], NDArray[Any]]: ...
def ridge_parts(X: ArrayLike, sample_weight: ArrayLike | None = None) -> RidgeParts: ...
def slope_probabilities(scores: ArrayLike, slope: float) -> NDArray[Any]: ...

def __getattr__(name: str) -> Any: ...
