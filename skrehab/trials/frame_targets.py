"""What there is one array of for every trial: labels and weights of its frames."""

import numpy as np

from skrehab._given import array_of, column_of, missing_at, weights_of

__all__ = ["UNLABELLED", "check_frame_labels", "check_frame_weights", "labelled", "ragged"]

#: Label of what is not known, by the convention of :mod:`sklearn.semi_supervised`.
UNLABELLED = -1


def ragged(items):
    """Put arrays of any lengths into a one-dimensional object array.

    ``np.array(list, dtype=object)`` turns equal-length items into a matrix; this never does.

    Parameters
    ----------
    items : iterable of array-like
        One entry per trial.

    Returns
    -------
    ndarray of shape (n_trials,), dtype object
        The same entries.

    Examples
    --------
    >>> from skrehab.trials import ragged
    >>> ragged([[1, 2], [3, 4]]).shape
    (2,)
    """
    items = list(items)
    out = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        out[i] = item if np.ma.isMaskedArray(item) else np.asarray(item)
    return out


def check_frame_labels(y, X):
    """Validate one array of frame labels per trial.

    Parameters
    ----------
    y : sequence of array-like of shape (n_frames_i,)
        Labels with ``-1`` for frames that are not labelled. Whole numbers or words; among words
        ``-1`` stays a number, and the result is an object array.
    X : sequence of ndarray of shape (n_frames_i, ...)
        The trials they belong to.

    Returns
    -------
    ndarray of shape (n_trials,), dtype object
        One label array per trial.

    Raises
    ------
    ValueError
        If a trial's labels do not match its frames, mix words with numbers other than ``-1``, or
        hold the text ``"-1"``; the message names the trial.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.trials import check_frame_labels
    >>> check_frame_labels([[0, 1, -1]], [np.zeros((3, 33, 3))])[0]
    array([ 0,  1, -1])
    >>> check_frame_labels([["none", "lean", -1]], [np.zeros((3, 33, 3))])[0]
    array(['none', 'lean', -1], dtype=object)
    """
    if y is None:
        raise ValueError(
            "Frame labels are needed: one array per trial. It requires y to be passed, got None."
        )
    if len(y) != len(X):
        raise ValueError(f"y must hold one label array per trial: {len(X)} trials, {len(y)} given.")
    labels = []
    for i, (item, trial) in enumerate(zip(y, X)):
        item = _as_labels(item, f"y[{i}]")
        if item.shape != (len(trial),):
            raise ValueError(
                f"Frame labels are needed: y[{i}] must have shape ({len(trial)},), got "
                f"{item.shape}. For one label per trial put a pseudo-labeler before this estimator."
            )
        if item.dtype.kind == "f":
            if not (np.isfinite(item).all() and (item == np.round(item)).all()):
                raise ValueError(f"y[{i}] must hold whole numbers, with -1 for 'not labelled'.")
            item = item.astype(int)
        elif item.dtype.kind in "USO":
            _check_words(item.tolist(), f"y[{i}]")
        labels.append(item)
    return ragged(labels)


def _as_labels(item, name):
    """Read labels as an array; numpy alone would make a word of -1 among words."""
    item = column_of(item, name)
    array = array_of(item)
    if np.ma.isMaskedArray(array):  # what is masked has no label, whatever stands under the mask
        if array.dtype.kind in "US":
            array = array.astype(object)
        whole = array.astype(int) if array.dtype.kind == "b" else array
        return np.where(np.ma.getmaskarray(array), UNLABELLED, whole.data)
    if array.dtype.kind in "OMm" and array.ndim == 1 and (i := missing_at(array)) is not None:
        raise ValueError(
            f"{name} has {array[i]!s} as label of frame {i}: mark frames that are not labelled "
            "with -1."
        )
    if array.dtype.kind in "US" and not hasattr(item, "dtype"):
        if not all(isinstance(label, str | bytes) for label in item):
            return np.array(item, dtype=object)
    return array


def _check_words(labels, name):
    words = [label for label in labels if isinstance(label, str | bytes)]
    if "-1" in words or b"-1" in words:
        raise ValueError(
            f"{name} holds the text '-1'. Frames that are not labelled are marked with the number "
            "-1, among words in a list or an array of dtype object."
        )
    others = [label for label in labels if not isinstance(label, str | bytes)]
    if words and (wrong := [other for other in others if other != UNLABELLED]):
        raise ValueError(
            f"{name} mixes words such as {words[0]!r} with {wrong[0]!r}. Beside words only -1 may "
            "stand, for 'not labelled'."
        )


def labelled(frame_labels):
    """Tell which frames of one trial carry a label.

    Parameters
    ----------
    frame_labels : ndarray of shape (n_frames,)
        Labels, ``-1`` for frames not labelled.

    Returns
    -------
    ndarray of shape (n_frames,), dtype bool
        True where there is a label.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.trials import labelled
    >>> labelled(np.array([0, -1, 1]))
    array([ True, False,  True])
    """
    frame_labels = np.asarray(frame_labels)
    if frame_labels.dtype.kind in "US":
        return np.ones(len(frame_labels), dtype=bool)
    return np.array(frame_labels != UNLABELLED, dtype=bool)


def check_frame_weights(sample_weight, X):
    """Spread trial weights over frames, or validate frame weights.

    Parameters
    ----------
    sample_weight : None, array-like of shape (n_trials,) or sequence of (n_frames_i,) arrays
        Weights; a trial's weight holds for each of its frames.
    X : sequence of ndarray of shape (n_frames_i, ...)
        The trials.

    Returns
    -------
    list of ndarray of shape (n_frames_i,) or None
        One weight per frame.

    Raises
    ------
    ValueError
        If lengths do not match, a weight is missing, negative or not finite, or all are 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.trials import check_frame_weights
    >>> check_frame_weights([2.0], [np.zeros((3, 33, 3))])
    [array([2., 2., 2.])]
    """
    if sample_weight is None:
        return None
    sample_weight = column_of(sample_weight, "sample_weight")
    if len(sample_weight) != len(X):
        raise ValueError(f"sample_weight holds {len(sample_weight)} entries for {len(X)} trials.")
    weights = []
    for i, (weight, trial) in enumerate(zip(sample_weight, X)):
        weight = weights_of(weight, f"sample_weight[{i}]")
        weight = np.full(len(trial), weight) if weight.ndim == 0 else weight
        if weight.shape != (len(trial),) or not (weight >= 0).all() or np.isinf(weight).any():
            raise ValueError(
                f"sample_weight[{i}] must be one finite weight >= 0, or {len(trial)} of them."
            )
        weights.append(weight)
    if not any(weight.any() for weight in weights):
        raise ValueError("sample_weight is 0 for every frame: none is left to count.")
    return weights
