"""Folds that are finished stay finished: each is kept under the content it was made from.

A key is made of the training trials' bytes, labels, patients and exercises, of the held-out trials'
bytes and of what else the model is told of them, of every parameter of the model, its seed among
them, and of the versions of the packages. What is kept is plain arrays and JSON in an .npz, which
is read without pickle.
"""

import hashlib
import importlib.metadata
import json
import time
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, clone

from skrehab._told import asked_of, predicted, transformed
from skrehab._written import written

_FORMAT = 1


# --- content --------------------------------------------------------------------------------------
def content_key(*items):
    """SHA-256 of anything a fold is made from: arrays, numbers, words, estimators, files."""
    digest = hashlib.sha256()
    for item in items:
        _feed(digest, item)
    return digest.hexdigest()


def _feed(digest, item):
    if isinstance(item, np.ndarray) and item.dtype != object:
        digest.update(f"array {item.dtype.str} {item.shape} ".encode())
        digest.update(np.ascontiguousarray(item).tobytes())
    elif isinstance(item, np.ndarray | list | tuple):
        digest.update(
            f"{'list' if isinstance(item, np.ndarray) else type(item).__name__} ".encode()
        )
        digest.update(f"{len(item)} ".encode())
        for one in item:
            _feed(digest, one)
    elif isinstance(item, dict):
        digest.update(f"dict {len(item)} ".encode())
        for name in sorted(item, key=str):
            _feed(digest, str(name))
            _feed(digest, item[name])
    elif isinstance(item, BaseEstimator):
        kind = type(item)
        digest.update(f"estimator {kind.__module__}.{kind.__qualname__} ".encode())
        _feed(digest, item.get_params(deep=False))
        if vars(item).keys() - item.get_params(deep=False).keys():  # fitted before, or frozen
            _feed_state(digest, item)
    elif isinstance(item, Path):
        digest.update(file_key(str(item), item.stat().st_mtime_ns).encode())
    elif isinstance(item, str) and _is_file(item):
        digest.update(file_key(item, Path(item).stat().st_mtime_ns).encode())
    elif isinstance(item, type) or (callable(item) and hasattr(item, "__qualname__")):
        digest.update(f"{item.__module__}.{item.__qualname__} ".encode())
    elif item is None or isinstance(item, bool | int | float | complex | str | bytes | np.generic):
        digest.update(f"{type(item).__name__} {item!r} ".encode())
    else:
        _feed_state(digest, item)


def _feed_state(digest, item):
    import joblib

    digest.update(joblib.hash(item).encode())


def _is_file(text):
    try:
        return len(text) < 4096 and "\0" not in text and Path(text).is_file()
    except OSError:
        return False


@lru_cache(maxsize=100_000)
def file_key(path, changed):
    """SHA-256 of a file; read again where it has changed."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1)
def _versions():
    names = ("skrehab", "numpy", "scikit-learn", "torch", "imbalanced-learn")
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


# --- a fold ---------------------------------------------------------------------------------------
class Kept(BaseEstimator):
    """Fit a model when it is asked, note what it says of the held-out trials, and keep that.

    What is noted is ``record_``: ``arrays`` (``scores``, ``lengths``, ``video`` and the like) and
    ``about`` (JSON). The model itself is let go, so that a worker does not send it back.
    """

    __metadata_request__fit = {"groups": True, "exercise": True}

    def __init__(self, estimator, folder=None, explain=None):
        self.estimator = estimator
        self.folder = folder
        self.explain = explain

    def fit(self, X, y, groups=None, exercise=None):
        asked = asked_of(self.estimator, "fit", {"groups": groups, "exercise": exercise})
        self.training_ = (list(X), y, asked)
        return self

    def path(self, X, told):
        """File of this very fit and these held-out trials; None where nothing is kept."""
        if self.folder is None:
            return None
        told = asked_of(self.estimator, "predict_proba", told)
        key = content_key(
            *(_FORMAT, _versions(), self.estimator, self.explain, *self.training_, list(X)),
            *([told] if told else []),
        )
        return Path(self.folder) / f"{key}.npz"

    def record(self, X, y, told):
        """What a model fitted on the training trials says of others."""
        path = self.path(X, told)
        train, y_train, asked = self.training_
        del self.training_
        # on a cluster a worker may be lost after the fold was kept, and before it was handed over
        if path is not None and (found := read_record(path)) is not None:
            self.record_ = found
            return found
        start = time.perf_counter()
        with config_context(enable_metadata_routing=True):
            model = clone(self.estimator).fit(train, y_train, **asked)
        fitted = time.perf_counter()
        with config_context(enable_metadata_routing=False):  # but where something is told
            arrays, about = predictions(model, X, told)
            if self.explain is not None:
                arrays, about = explained(model, X, y, told, arrays, about, self.explain)
        about["fit_seconds"] = fitted - start
        about["predict_seconds"] = time.perf_counter() - fitted
        self.record_ = {"arrays": arrays, "about": about, "resumed": False}
        if path is not None:
            try:
                write_record(path, arrays, about)
            except OSError as error:  # the disk is full, or the folder was taken away
                warnings.warn(
                    f"A finished fold cannot be kept in {path.parent} ({error}). The study goes "
                    "on; a second one would make this fold anew.",
                    UserWarning,
                    stacklevel=2,
                )
        return self.record_


class Note(BaseEstimator):
    """Stand where scikit-learn wants a scorer; patients are scored together, after the folds."""

    __metadata_request__score = {"groups": True, "exercise": True}

    def score(self, kept, X, y, groups=None, exercise=None):
        kept.record(X, y, {"groups": groups, "exercise": exercise})
        return 0.0

    __call__ = score


def predictions(model, X, told):
    """Probabilities of held-out trials, of their frames where the model says frames."""
    proba = predicted(model, X, told)
    about = {"classes": np.asarray(model.classes_).tolist()}
    if isinstance(proba, np.ndarray) and proba.dtype != object and proba.ndim == 2:
        return {"video": proba}, about
    arrays = {
        "scores": np.concatenate(list(proba)),
        "lengths": np.array([len(one) for one in proba]),
    }
    if (inside := inner_classifier(model)) is not None:
        before, classifier = inside
        arrays["video"] = predicted(classifier, transformed(before, X, told), told)
        about["video_classes"] = np.asarray(classifier.classes_).tolist()
    return arrays, about


def inner_classifier(model):
    """The steps before a labeler, and the classifier of trials inside it; None without one."""
    before = []
    for _, step in getattr(model, "steps", []):
        if hasattr(step, "fit_resample"):
            classifier = getattr(step, "estimator_", None)
            return (before, classifier) if hasattr(classifier, "predict_proba") else None
        if not hasattr(step, "transform"):
            return None
        before.append(step)
    return None


def explained(model, X, y, told, arrays, about, normal):
    """Add the saliency of two trials with the motion: where the model was most right, and least."""
    inside = inner_classifier(model)
    y = np.asarray(y)
    if inside is None or "scores" not in arrays or not hasattr(inside[1], "saliency"):
        return arrays, about
    labelled = np.flatnonzero(y != normal)
    if not len(labelled):
        return arrays, about
    columns = [i for i, one in enumerate(about["classes"]) if one != normal]
    ends = np.cumsum(arrays["lengths"])[:-1]
    heights = [
        np.quantile(one[:, columns].sum(axis=1), 0.9) for one in np.split(arrays["scores"], ends)
    ]
    order = labelled[np.argsort(np.array(heights)[labelled], kind="stable")]
    chosen = list(dict.fromkeys([int(order[0]), int(order[-1])]))
    before, classifier = inside
    if any(asked_of(step, "transform", told) for step in before):
        trials = transformed(before, X, told)  # what is told of one may concern another
        trials = [trials[i] for i in chosen]
    else:
        trials = transformed(before, [X[i] for i in chosen], {})
    names = getattr(before[-1], "names_", None) if before else None
    for place, trial in zip(chosen, trials):
        target = y[place] if y[place] in classifier.classes_ else classifier.classes_[-1]
        found = classifier.saliency(
            [trial], method="integrated_gradients", target=target, return_maps=True
        )
        arrays[f"map_{place}"] = np.asarray(found.maps[0], dtype=np.float32)
    about["explained"] = chosen
    about["map_names"] = None if names is None else list(map(str, names))
    return arrays, about


# --- files ----------------------------------------------------------------------------------------
def write_record(path, arrays, about):
    """Write a fold; it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path) as file:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)


def read_record(path):
    """Read a fold; None where there is none, or what is there cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name != "about"}
            about = json.loads(str(file["about"]))
    except (OSError, ValueError, KeyError, EOFError):
        return None
    except Exception:  # a zip that was damaged raises errors of its own
        return None
    return {"arrays": arrays, "about": about, "resumed": True}
