"""The encoder before an expert: one that has learned is a setting, one that has not learns here."""

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

__all__ = ["has_learned", "learned_encoder"]


def has_learned(encoder):
    """Tell whether an encoder is a transformer that was fitted.

    Parameters
    ----------
    encoder : transformer, str or None
        As given to :class:`skrehab.QualityRegressor`.

    Returns
    -------
    bool
        False for None and for a name, such as ``"scratch"``.

    Examples
    --------
    >>> from skrehab import PoseSequencePretrainer
    >>> from skrehab.quality.encoders import has_learned
    >>> has_learned("scratch"), has_learned(PoseSequencePretrainer())
    (False, False)
    """
    if encoder is None or isinstance(encoder, str):
        return False
    try:
        check_is_fitted(encoder)
    except NotFittedError:
        return False
    return True


def learned_encoder(encoder, poses, *, fine_tune, random_state):
    """Return an encoder as it was given if it has learned, else a clone that learns from poses.

    Parameters
    ----------
    encoder : transformer, "scratch" or None
        As given to :class:`skrehab.QualityRegressor`; never changed.
    poses : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        What a clone learns from.
    fine_tune : bool
        Whether it is to be trained further, together with the expert.
    random_state : numpy.random.RandomState
        Seed of a clone that has none of its own.

    Returns
    -------
    transformer or None
        The encoder; None where there is none, or none that has learned before.

    Raises
    ------
    ValueError
        If it is to be trained further and cannot be.

    Examples
    --------
    >>> from skrehab.quality.encoders import learned_encoder
    >>> learned_encoder("scratch", [], fine_tune=True, random_state=None) is None
    True
    """
    if encoder is None or encoder == "scratch":
        return None
    if not has_learned(encoder):
        encoder = clone(encoder)
        if getattr(encoder, "random_state", 0) is None:
            encoder.set_params(random_state=random_state.randint(np.iinfo(np.int32).max))
        encoder.fit(poses)
    if fine_tune and not (
        hasattr(encoder, "network_params_") and hasattr(encoder.module_, "encoder")
    ):
        raise ValueError(
            f"{type(encoder).__name__} cannot be trained further, as a PoseSequencePretrainer "
            "can: pass fine_tune=False."
        )
    return encoder
