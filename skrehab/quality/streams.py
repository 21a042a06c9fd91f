"""What the streams of a quality network are given: poses, clip features, or both of each trial."""

import numpy as np

from skrehab._given import filled
from skrehab.preprocessing.lost import complete_trials
from skrehab.training.batching import pad_trials
from skrehab.trials import check_trials

__all__ = ["check_appearance", "check_streams", "collate_streams"]

STREAMS = ("pose", "appearance")


def check_appearance(X, *, n_features=None, name="X"):
    """Validate clip features and return them as a list of float32 arrays.

    Parameters
    ----------
    X : sequence of array-like of shape (n_clips_i, n_features)
        One entry per trial, as from :class:`skrehab.AppearanceFeatures`.
    n_features : int, optional
        Required number of features, normally what was seen in ``fit``.
    name : str, default="X"
        What to call it in error messages.

    Returns
    -------
    list of ndarray of shape (n_clips_i, n_features), dtype float32
        The features.

    Raises
    ------
    ValueError
        If an entry has another shape, no clip, or a value that is not finite; the message names it.
    TypeError
        If X is not a sequence of trials.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.quality.streams import check_appearance
    >>> [one.shape for one in check_appearance([np.zeros((3, 8)), np.zeros((5, 8))])]
    [(3, 8), (5, 8)]
    """
    if isinstance(X, (str, bytes, dict)) or not hasattr(X, "__len__"):
        raise TypeError(f"{name} must be a list of trials, got {type(X).__name__}.")
    if len(X) == 0:
        raise ValueError(f"{name} holds no trial: at least one is needed.")
    features = []
    for i, item in enumerate(X):
        try:
            one = filled(item).astype(np.float32, copy=False)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"{name}[{i}] cannot be read as an array of numbers: {error}."
            ) from error
        if one.ndim != 2 or 0 in one.shape:
            raise ValueError(
                f"{name}[{i}] must hold clip features of shape (n_clips, n_features), got "
                f"{one.shape}."
            )
        wanted = n_features or (features or [one])[0].shape[1]
        if one.shape[1] != wanted:
            origin = "as seen in fit" if n_features else f"like {name}[0]"
            raise ValueError(
                f"{name}[{i}] must have {wanted} features a clip ({origin}), got {one.shape[1]}."
            )
        if not np.isfinite(one).all():
            raise ValueError(f"{name}[{i}] holds values that are not finite.")
        features.append(one)
    return features


def check_streams(X, streams, *, n_landmarks=None, n_coords=None, n_features=None, name="X"):
    """Take trials apart into what the wanted streams read.

    Parameters
    ----------
    X : sequence
        With one stream its arrays, poses ``(n_frames_i, n_landmarks, n_coords)`` or clip features
        ``(n_clips_i, n_features)``; always allowed, and needed for two streams, are dicts
        ``{"pose": ..., "appearance": ...}``.
    streams : {"pose", "appearance", "both"}
        What is read; the rest of a dict is not looked at.
    n_landmarks, n_coords, n_features : int, optional
        Required sizes, normally what was seen in ``fit``.
    name : str, default="X"
        What to call it in error messages.

    Returns
    -------
    list of dict
        ``"pose"`` and ``"appearance"`` of each trial, as far as they are wanted.

    Raises
    ------
    ValueError
        If a trial lacks what is wanted or has a wrong shape; the message names it.
    TypeError
        If X is not a sequence of trials.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.quality.streams import check_streams
    >>> trials = check_streams([np.zeros((4, 33, 3))], "pose")
    >>> list(trials[0])
    ['pose']
    """
    wanted = STREAMS if streams == "both" else (streams,)
    if isinstance(X, (str, bytes, dict)) or not hasattr(X, "__len__"):
        raise TypeError(f"{name} must be a list of trials, got {type(X).__name__}.")
    as_dicts = streams == "both" or (len(X) > 0 and isinstance(next(iter(X)), dict))
    if as_dicts:
        for i, item in enumerate(X):
            lost = [s for s in wanted if not isinstance(item, dict) or item.get(s) is None]
            if lost:
                what = sorted(item) if isinstance(item, dict) else type(item).__name__
                raise ValueError(
                    f"{name}[{i}] must be a dict with {' and '.join(map(repr, wanted))} for "
                    f"streams={streams!r}, got {what}."
                )
    parts = {}
    for stream in wanted:
        items = [item[stream] for item in X] if as_dicts else X
        called = f"{stream} of {name}" if as_dicts else name
        if stream == "pose":
            parts[stream] = complete_trials(
                check_trials(items, n_landmarks=n_landmarks, n_coords=n_coords, name=called)
            )
        else:
            parts[stream] = check_appearance(items, n_features=n_features, name=called)
    return [dict(zip(parts, values)) for values in zip(*parts.values())]


def collate_streams(trials):
    """Name what :class:`skrehab.networks.two_stream.expert.Expert` takes.

    Parameters
    ----------
    trials : list of dict
        One batch, from :func:`check_streams`.

    Returns
    -------
    dict of str to torch.Tensor
        ``x`` and ``lengths`` of poses, ``clips`` and ``n_clips`` of clip features, padded.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.quality.streams import collate_streams
    >>> batch = collate_streams([{"appearance": np.ones((2, 3))}, {"appearance": np.ones((1, 3))}])
    >>> batch["clips"].shape, batch["n_clips"]
    (torch.Size([2, 2, 3]), tensor([2, 1]))
    """
    batch = {}
    for stream, names in zip(STREAMS, (("x", "lengths"), ("clips", "n_clips"))):
        if stream in trials[0]:
            batch |= zip(names, pad_trials([trial[stream] for trial in trials]))
    return batch
