"""The container every stage shares: a trial is a sample.

X is a list of ``n_trials`` float arrays ``(n_frames_i, n_landmarks, n_coords)``; a lost landmark is
NaN inside a trial. Labels are one a trial, or one array a trial with ``-1`` for frames not
labelled. Ragged results are one-dimensional object arrays, which scikit-learn can index and join.
"""

import numpy as np

from skrehab._given import array_of, column_of, missing_at, refuse_mixed, weights_of

__all__ = [
    "UNLABELLED",
    "check_frame",
    "check_frame_labels",
    "check_frame_weights",
    "check_groups",
    "check_trial_labels",
    "check_trials",
    "each_trial",
    "labelled",
    "ragged",
    "tag_trial_input",
]

UNLABELLED = -1  # the convention of sklearn.semi_supervised


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


def check_trials(X, *, n_landmarks=None, n_coords=None, name="X"):
    """Validate pose trials and return them as a list of float32 arrays.

    Parameters
    ----------
    X : sequence of array-like of shape (n_frames_i, n_landmarks, n_coords)
        One entry per trial: a list, a tuple, an object array or one 4-D array.
    n_landmarks, n_coords : int, optional
        Required trailing shape, normally what was seen in ``fit``.
    name : str, default="X"
        What to call it in error messages.

    Returns
    -------
    list of ndarray of shape (n_frames_i, n_landmarks, n_coords), dtype float32
        The trials; arrays that already are float32 are not copied.

    Raises
    ------
    ValueError
        If a trial has a wrong shape, no frame, or infinite values; the message names the trial.
    TypeError
        If X is not a sequence of trials.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.trials import check_trials
    >>> [trial.shape for trial in check_trials([np.zeros((4, 33, 3)), np.zeros((7, 33, 3))])]
    [(4, 33, 3), (7, 33, 3)]
    """
    return list(each_trial(X, n_landmarks=n_landmarks, n_coords=n_coords, name=name))


def each_trial(X, *, n_landmarks=None, n_coords=None, name="X"):
    """Validate pose trials one by one, so that only one of them is held as float32.

    Parameters
    ----------
    X, n_landmarks, n_coords, name
        See :func:`check_trials`.

    Yields
    ------
    ndarray of shape (n_frames_i, n_landmarks, n_coords), dtype float32
        The next trial.

    Raises
    ------
    ValueError, TypeError
        As :func:`check_trials`, when it comes to the trial.
    """
    if isinstance(X, (str, bytes, dict)) or not hasattr(X, "__len__"):
        raise TypeError(
            f"{name} must be a list of trials, each of shape (n_frames, n_landmarks, n_coords); "
            f"got {type(X).__name__}."
        )
    if isinstance(X, np.ndarray) and X.dtype != object and X.ndim != 4:
        hint = " For a single trial pass [trial]." if X.ndim == 3 else ""
        raise ValueError(
            f"{name} must be a list of trials, each of shape (n_frames, n_landmarks, n_coords); "
            f"got one array of shape {X.shape}.{hint}"
        )
    if len(X) == 0:
        raise ValueError(f"{name} holds no trial: at least one is needed.")

    like = None
    for i, item in enumerate(X):
        trial = _as_float32(item, f"{name}[{i}]")
        if trial.ndim != 3:
            raise ValueError(
                f"{name}[{i}] must have shape (n_frames, n_landmarks, n_coords), got {trial.shape}."
            )
        if 0 in trial.shape:
            raise ValueError(f"{name}[{i}] is empty: its shape is {trial.shape}.")
        # piece by piece: a mask of a long trial is a quarter of it
        if any(np.isinf(trial[k : k + 4096]).any() for k in range(0, len(trial), 4096)):
            raise ValueError(
                f"{name}[{i}] holds infinite values. Mark lost landmarks with NaN instead."
            )
        like = trial.shape if like is None else like
        expected = (
            n_landmarks if n_landmarks is not None else like[1],
            n_coords if n_coords is not None else like[2],
        )
        if trial.shape[1:] != expected:
            origin = "as seen in fit" if n_landmarks is not None else f"like {name}[0]"
            raise ValueError(
                f"{name}[{i}] must have {expected[0]} landmarks and {expected[1]} coordinates "
                f"({origin}), got shape {trial.shape}."
            )
        yield trial


# kinds of array that numpy would turn into numbers all the same
_NO_NUMBERS = {"c": "complex numbers", "M": "dates", "m": "durations", "V": "records"}


def _as_float32(item, name):
    try:
        array = array_of(item)
        if array.dtype.kind in _NO_NUMBERS:
            raise ValueError(f"it holds {_NO_NUMBERS[array.dtype.kind]}")
        array = array.astype(np.float32, copy=False)
        # what is masked was lost, whatever number stands under the mask
        return array.filled(np.nan) if np.ma.isMaskedArray(array) else array
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"{name} cannot be read as an array of numbers: {error}.") from error


def check_frame(frame, shape, *, name="The frame"):
    """Validate one frame of a trial, as :func:`check_trials` does whole trials.

    Parameters
    ----------
    frame : array-like of shape (n_landmarks, n_coords)
        One frame; NaN where a landmark is lost.
    shape : (int, int)
        Required shape, normally what was seen in ``fit``.
    name : str, default="The frame"
        What to call it in error messages.

    Returns
    -------
    ndarray of shape (n_landmarks, n_coords), dtype float32
        The frame; an array that already is float32 is not copied.

    Raises
    ------
    ValueError
        If the frame has a wrong shape or infinite values.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.trials import check_frame
    >>> check_frame(np.zeros((33, 3)), (33, 3)).dtype
    dtype('float32')
    """
    frame = _as_float32(frame, name)
    if frame.shape != tuple(shape):
        raise ValueError(
            f"{name} must have shape {tuple(shape)} (n_landmarks, n_coords), as seen in fit; got "
            f"{frame.shape}."
        )
    if np.isinf(frame).any():
        raise ValueError(f"{name} holds infinite values. Mark lost landmarks with NaN instead.")
    return frame


def check_trial_labels(y, X):
    """Validate one label per trial.

    Parameters
    ----------
    y : array-like of shape (n_trials,)
        Labels of any type that can be compared.
    X : sequence of length n_trials
        The trials, for the count.

    Returns
    -------
    ndarray of shape (n_trials,)
        The labels.

    Raises
    ------
    ValueError
        If there is not exactly one label per trial, or a label is missing.

    Examples
    --------
    >>> from skrehab.trials import check_trial_labels
    >>> check_trial_labels(["normal", "lean"], [None, None])
    array(['normal', 'lean'], dtype='<U6')
    """
    if y is None:
        raise ValueError("y is needed: one label per trial. It requires y to be passed, got None.")
    y = column_of(array_of(y) if hasattr(y, "detach") or hasattr(y, "toarray") else y, "y")
    if len(y) != len(X):
        raise ValueError(f"y must hold one label per trial: {len(X)} trials, {len(y)} labels.")
    for i, label in enumerate(y):
        if np.ndim(label) != 0:
            raise ValueError(
                f"One label per trial is needed: y[{i}] has shape {np.shape(label)}. "
                "Frame labels go to a frame classifier such as FrameMLP."
            )
        if isinstance(label, float | np.floating) and np.isinf(label):
            raise ValueError(f"y[{i}] is {label}: every trial needs a label.")
    if (i := missing_at(y)) is not None:
        raise ValueError(f"y[{i}] is {list(y)[i]!s}: every trial needs a label.")
    refuse_mixed(y, "y")
    return np.asarray(array_of(y))


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


def check_groups(groups, X, *, name="groups", what="patient"):
    """Validate one patient identifier per trial, or that of an exercise.

    Parameters
    ----------
    groups : array-like of shape (n_trials,) or None
        Patient of each trial.
    X : sequence of length n_trials
        The trials, for the count.
    name, what : str
        What to call it, and what it names, in error messages.

    Returns
    -------
    ndarray of shape (n_trials,) or None
        The patients.

    Raises
    ------
    ValueError
        If there is not exactly one patient per trial, or one is missing (None, NaN, NA, blank).

    Examples
    --------
    >>> from skrehab.trials import check_groups
    >>> check_groups(["P01", "P02"], [None, None])
    array(['P01', 'P02'], dtype='<U3')
    """
    if groups is None:
        return None
    groups = column_of(groups, name)
    if isinstance(groups, list | tuple):
        refuse_mixed(groups, name)  # numpy would make words of all
    groups = array_of(groups)
    if groups.shape != (len(X),):
        raise ValueError(
            f"{name} must name one {what} per trial: {len(X)} trials, got shape {groups.shape}."
        )
    if (i := missing_at(groups)) is not None:
        raise ValueError(
            f"{name}[{i}] is missing, it is {groups[i]!s}: who is not known is not one {what}. "
            f"Name the {what}, or leave the trial out."
        )
    refuse_mixed(groups, name)
    return np.asarray(groups)


def tag_trial_input(tags):
    """Say in scikit-learn's estimator tags that X is a list of trials, NaN allowed.

    Parameters
    ----------
    tags : sklearn.utils.Tags
        Tags of the parent class.

    Returns
    -------
    sklearn.utils.Tags
        The same tags, changed.
    """
    tags.input_tags.two_d_array = False
    tags.input_tags.three_d_array = True
    tags.input_tags.allow_nan = True
    return tags
