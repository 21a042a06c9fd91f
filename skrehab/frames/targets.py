"""What a frame model learns from: one label a frame, or the probability of each class.

Soft labels are one array ``(n_frames_i, n_classes)`` a trial, whose rows sum to 1; a row of NaN is
a frame that is not labelled. Trials with soft and with plain labels may stand together, as where
the truth of some is known and others have pseudo-labels.
"""

from dataclasses import dataclass

import numpy as np

from skrehab._given import array_of, filled, in_order
from skrehab.training.class_weights import check_class_weight
from skrehab.trials import check_frame_labels, labelled, ragged

__all__ = ["FrameTargets", "SoftLabels", "check_frame_targets", "class_weights", "frame_weights"]


class SoftLabels(np.ndarray):
    """Soft labels of trials that know the names of their columns.

    A one-dimensional object array that keeps ``classes`` when it is indexed or pickled, so that a
    step that makes soft labels can tell the frame model after it what they mean.

    Parameters
    ----------
    labels : sequence of array-like of shape (n_frames_i, n_classes) or (n_frames_i,)
        Probabilities of each frame, or plain labels.
    classes : array-like of shape (n_classes,)
        Names of the columns.

    Examples
    --------
    >>> from skrehab.frames import SoftLabels
    >>> labels = SoftLabels([[[0.8, 0.2]], [[0.1, 0.9]]], classes=["lean", "normal"])
    >>> labels[1:].classes.tolist()
    ['lean', 'normal']
    """

    def __new__(cls, labels, classes):
        out = ragged(labels).view(cls)
        out.classes = np.asarray(classes)
        return out

    def __array_finalize__(self, other):
        self.classes = getattr(other, "classes", None)

    def __reduce__(self):
        make, arguments, state = super().__reduce__()
        return make, arguments, (state, self.classes)

    def __setstate__(self, state):
        super().__setstate__(state[0])
        self.classes = state[1]


@dataclass(frozen=True)
class FrameTargets:
    """Frame labels as numbers.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels.
    values : list of ndarray
        For each trial the class of each frame as its position in `classes`, ``(n_frames_i,)``; or,
        if any trial has soft labels, probabilities ``(n_frames_i, n_classes)``, float32.
    known : list of ndarray of shape (n_frames_i,), dtype bool
        Which frames are labelled; the values of others mean nothing.
    """

    classes: np.ndarray
    values: list
    known: list

    @property
    def soft(self):
        """Whether values are probabilities."""
        return self.values[0].ndim == 2

    @property
    def codes(self):
        """Most probable class of the labelled frames of each trial."""
        pairs = zip(self.values, self.known)
        return [(v.argmax(axis=1) if self.soft else v)[known] for v, known in pairs]

    def for_network(self, values):
        """Turn values into what the loss takes.

        Parameters
        ----------
        values : ndarray of shape (n_frames,) or (n_frames, n_classes)
            Some of `values`.

        Returns
        -------
        ndarray
            Classes; the probability of the second of two classes; or those of more.
        """
        return values[:, 1] if self.soft and values.shape[1] == 2 else values


def check_frame_targets(y, X, classes=None):
    """Validate frame labels, plain or soft.

    Parameters
    ----------
    y : sequence of array-like of shape (n_frames_i,) or (n_frames_i, n_classes), or SoftLabels
        Labels of each trial as :func:`skrehab.trials.check_frame_labels` takes them, or the
        probability of each class, whose rows sum to 1; a row of NaN is not labelled.
    X : sequence of ndarray of shape (n_frames_i, ...)
        The trials.
    classes : array-like of shape (n_classes,), optional
        Names of the columns of soft labels. None takes those of `y` if it is
        :class:`SoftLabels`, else 0, 1, ...; for plain labels, those that occur.

    Returns
    -------
    FrameTargets
        The labels as numbers.

    Raises
    ------
    ValueError
        If labels do not match the frames, a row is no distribution, a plain label is not among the
        classes, or no frame is labelled; the message names the trial.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.frames import check_frame_targets
    >>> X = [np.zeros((2, 33, 3)), np.zeros((1, 33, 3))]
    >>> targets = check_frame_targets([[[0.8, 0.2], [np.nan, np.nan]], [1]], X)
    >>> targets.values[1], targets.known[0]
    (array([[0., 1.]], dtype=float32), array([ True, False]))
    """
    named = getattr(y, "classes", None)
    if named is not None and classes is not None and not np.array_equal(named, classes):
        raise ValueError(
            f"classes is {np.asarray(classes).tolist()}, but y says {named.tolist()}: leave "
            "classes=None."
        )
    classes = named if classes is None else classes
    # a table of trials of equal length has a row each
    y, X = array_of(y) if hasattr(y, "columns") else in_order(y), in_order(X)
    soft = [] if y is None else [i for i, item in enumerate(y) if _is_soft(item)]
    plain = np.setdiff1d(np.arange(0 if y is None else len(y)), soft)
    if not soft:
        labels = check_frame_labels(y, X)
        values, known = list(labels), [labelled(one) for one in labels]
    else:
        if len(y) != len(X):
            raise ValueError(
                f"y must hold one label array per trial: {len(X)} trials, {len(y)} given."
            )
        n_classes = np.shape(y[soft[0]])[1] if classes is None else len(classes)
        classes = np.arange(n_classes) if classes is None else classes
        values, known = [None] * len(y), [None] * len(y)
        for i in soft:
            values[i], known[i] = _check_soft(y[i], len(X[i]), n_classes, f"y[{i}]")
        for i in plain:
            values[i] = _plain(y, X, i)
            known[i] = labelled(values[i])
    if not any(mask.any() for mask in known):
        raise ValueError("No frame is labelled: every label in y is -1 ('not used').")
    if classes is None:
        classes = np.unique(np.concatenate([one[k] for one, k in zip(values, known)]))
    classes = np.asarray(classes)
    if len(np.unique(classes)) != len(classes) or classes.ndim != 1 or not len(classes):
        raise ValueError(f"classes must name each column once, got {classes.tolist()}.")
    for i in plain:
        codes = _codes(values[i], known[i], classes, f"y[{i}]")
        values[i] = np.eye(len(classes), dtype=np.float32)[codes] if soft else codes
    return FrameTargets(classes, values, known)


def _is_soft(item):
    if hasattr(item, "ndim"):
        return item.ndim == 2 and len(getattr(item, "columns", "more")) != 1
    rows = isinstance(item, list | tuple) and len(item)
    return bool(rows and hasattr(item[0], "__len__") and not isinstance(item[0], str | bytes))


def _plain(y, X, i):
    """Check one trial's plain labels alone, and call it by its number."""
    try:
        return check_frame_labels([y[i]], [X[i]])[0]
    except ValueError as error:
        raise ValueError(str(error).replace("y[0]", f"y[{i}]")) from None


def _check_soft(item, n_frames, n_classes, name):
    try:
        values = np.array(filled(item), dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} cannot be read as probabilities: {error}.") from error
    if values.shape != (n_frames, n_classes):
        raise ValueError(
            f"{name} must have shape ({n_frames}, {n_classes}), one probability a frame and class, "
            f"got {values.shape}."
        )
    lost = np.isnan(values)
    known = ~lost.any(axis=1)
    right = (values >= -1e-4).all(axis=1) & (np.abs(values.sum(axis=1) - 1) < 1e-3)
    wrong = np.flatnonzero(np.where(known, ~right, ~lost.all(axis=1)))
    if len(wrong):
        raise ValueError(
            f"{name}[{wrong[0]}] is {values[wrong[0]].tolist()}: a frame's probabilities must be "
            "between 0 and 1 and sum to 1, or all be NaN for 'not labelled'."
        )
    values[~known] = 0
    return values, known


def _codes(labels, known, classes, name):
    """Position of each label among the classes, whatever their order."""
    codes = np.zeros(len(labels), dtype=np.int64)
    if not known.any():
        return codes
    order = np.argsort(classes, kind="stable")
    try:
        place = np.searchsorted(classes[order], labels[known]).clip(max=len(classes) - 1)
        wrong = np.flatnonzero(classes[order][place] != labels[known])
    except TypeError:  # words among numbers
        wrong = [0]
    if len(wrong):
        label = labels[known].tolist()[wrong[0]]
        raise ValueError(f"{name} holds {label!r}, which is not among {classes.tolist()}.")
    codes[known] = order[place]
    return codes


def class_weights(values, classes, class_weight):
    """Weigh the classes.

    Parameters
    ----------
    values : ndarray of shape (n_frames,) or (n_frames, n_classes)
        Classes of frames as positions, or their probabilities.
    classes : ndarray of shape (n_classes,)
        Class labels.
    class_weight : dict, "balanced" or None
        Weights by label; ``"balanced"`` makes all classes that occur weigh the same, counted by
        their probabilities.

    Returns
    -------
    ndarray of shape (n_classes,)
        Weights; 1 for a class that is not named.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.frames.targets import class_weights
    >>> class_weights(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([0, 1]), "balanced").round(3)
    array([0.667, 2.   ])
    """
    if class_weight == "balanced":
        soft = values.ndim == 2
        count = values.sum(axis=0) if soft else np.bincount(values, minlength=len(classes))
        seen = count > 0
        return np.where(seen, len(values) / (seen.sum() * np.where(seen, count, 1)), 1.0)
    weights = check_class_weight(class_weight, classes) or {}
    return np.array([weights.get(label, 1.0) for label in classes.tolist()], dtype=float)


def frame_weights(values, of_class):
    """Weigh frames by their classes.

    Parameters
    ----------
    values : ndarray of shape (n_frames,) or (n_frames, n_classes)
        Classes as positions, or their probabilities.
    of_class : ndarray of shape (n_classes,)
        Weight of each class.

    Returns
    -------
    ndarray of shape (n_frames,)
        Weights; for soft labels the mean of the classes' weights, by probability.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.frames.targets import frame_weights
    >>> frame_weights(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([1.0, 3.0]))
    array([1., 2.])
    """
    return of_class[values] if values.ndim == 1 else values @ of_class
