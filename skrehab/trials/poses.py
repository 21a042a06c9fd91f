"""X: poses of trials, or of one frame, checked."""

import os

import numpy as np

from skrehab._given import array_of

__all__ = ["check_frame", "check_trials", "each_trial", "tag_trial_input"]


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


# kinds of array that numpy would turn into numbers all the same
_NO_NUMBERS = {"c": "complex numbers", "M": "dates", "m": "durations", "V": "records"}


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


def _as_float32(item, name):
    try:
        if isinstance(item, str | os.PathLike):
            raise ValueError(
                f"it is {str(item)[:80]!r}; put a PoseExtractor first for videos, and read "
                "files of poses with skrehab.formats.read_pose"
            )
        array = array_of(item)
        if array.dtype.kind in _NO_NUMBERS:
            raise ValueError(f"it holds {_NO_NUMBERS[array.dtype.kind]}")
        if array.dtype.kind == "i" and array.dtype.itemsize >= 4 and array.size:
            if array.min() == np.iinfo(array.dtype).min:
                raise ValueError(
                    f"it holds {array.min()}, which is what NaN becomes in whole numbers. Keep "
                    "floats, with NaN for lost landmarks"
                )
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
