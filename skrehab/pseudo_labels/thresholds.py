"""Where to cut the pseudo-scores of a trial: Table II of the paper, numbers, shares of frames."""

from numbers import Real

import numpy as np

from skrehab.trials import UNLABELLED

__all__ = [
    "PUBLISHED_LANDMARKS",
    "PUBLISHED_THRESHOLDS",
    "Quantile",
    "check_threshold",
    "cut_at",
    "one_between",
    "parse_threshold",
    "prior_threshold",
    "pseudo_labels",
    "published_threshold",
]

#: Landmarks whose sum the published thresholds cut; each of a map in [0, 1].
PUBLISHED_LANDMARKS = 33
#: Thresholds by network and method as Mesquita et al. 2025 print them, Table II.
#: SkateFormer's single gradient threshold lies outside its own pair; kept as printed.
PUBLISHED_THRESHOLDS = {
    ("lstm", "vanilla_gradient"): {"single": 4.5, "dual": (4.0, 6.5)},
    ("lstm", "integrated_gradients"): {"single": 2.5, "dual": (2.0, 3.0)},
    ("act", "vanilla_gradient"): {"single": 5.8, "dual": (5.3, 6.3)},
    ("act", "integrated_gradients"): {"single": 2.7, "dual": (2.2, 3.2)},
    ("skateformer", "vanilla_gradient"): {"single": 3.0, "dual": (1.5, 2.5)},
    ("skateformer", "integrated_gradients"): {"single": 1.5, "dual": (0.7, 2.0)},
    ("moment", "vanilla_gradient"): {"single": 2.5, "dual": (2.0, 3.0)},
    ("moment", "integrated_gradients"): {"single": 3.0, "dual": (2.0, 3.5)},
}


class Quantile(tuple):
    """A threshold that is a share of each trial's own frames: the highest of them are positive.

    It is the pair ``("quantile", share)``, or with two shares the triple ``("quantile", upper,
    lower)``: the highest `upper` of the frames are positive, and those that follow, down to the
    highest `lower`, are not used.

    Parameters
    ----------
    share : float
        Share of the frames of a positive trial that are positive, above 0 and below 1.
    lower : float, optional
        Share, larger than `share`, of which the frames below `share` are not used.

    References
    ----------
    Later versions of the public code of Mesquita et al. 2025, arXiv:2506.03752: 0.38 for integrated
    gradients, 0.30 for the plain gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pseudo_labels import Quantile, pseudo_labels
    >>> Quantile(0.38) == ("quantile", 0.38)
    True
    >>> pseudo_labels(np.array([3.0, 7.0, 5.0, 9.0, 4.0]), 1, threshold=Quantile(0.38))
    array([0, 1, 0, 1, 0])
    """

    __slots__ = ()

    def __new__(cls, share, lower=None):
        return super().__new__(
            cls, ("quantile", share) if lower is None else ("quantile", share, lower)
        )

    def __getnewargs__(self):
        return tuple(self[1:])

    def __repr__(self):
        return f"Quantile({', '.join(map(repr, self[1:]))})"


def check_threshold(threshold, highest=np.inf):
    """Validate a threshold.

    Parameters
    ----------
    threshold : float, (float, float) or Quantile
        What a user gave.
    highest : float, default=inf
        The highest score there can be.

    Returns
    -------
    float, (float, float) or Quantile
        The threshold, in numbers of Python.

    Raises
    ------
    ValueError
        If it is none of them, or outside [0, `highest`].

    Examples
    --------
    >>> from skrehab.pseudo_labels import check_threshold
    >>> check_threshold(("quantile", 0.3))
    Quantile(0.3)
    """
    if isinstance(threshold, tuple | list) and threshold and threshold[0] == "quantile":
        shares = threshold[1:]
        real = all(isinstance(s, Real) and not isinstance(s, bool) for s in shares)
        if not (real and len(shares) in (1, 2) and 0 < shares[0] < 1) or (
            len(shares) == 2 and not shares[0] < shares[1] <= 1
        ):
            raise ValueError(
                "A quantile threshold is ('quantile', share) with a share of the frames above 0 "
                f"and below 1, or ('quantile', upper, lower) with upper < lower, got {threshold!r}."
            )
        return Quantile(*map(float, shares))
    try:
        values = np.asarray(threshold, dtype=float)
    except (TypeError, ValueError):
        values = np.array(np.nan)  # no number at all
    increasing = values.ndim == 0 or (values.shape == (2,) and values[0] < values[1])
    if not (increasing and ((values >= 0) & (values <= highest) & np.isfinite(values)).all()):
        inside = f"in [0, {highest:g}]" if np.isfinite(highest) else "from 0 on"
        raise ValueError(
            f"threshold must be one number {inside}, two increasing ones, or a quantile such as "
            f"('quantile', 0.38), got {threshold!r}."
        )
    return values.item() if values.ndim == 0 else tuple(values.tolist())


def one_between(threshold):
    """Tell the one threshold between two.

    Parameters
    ----------
    threshold : float, (float, float) or Quantile
        From :func:`check_threshold`.

    Returns
    -------
    float, Quantile or None
        The mean of two, of shares as well; None if there is only one.

    Examples
    --------
    >>> from skrehab.pseudo_labels import Quantile, one_between
    >>> one_between((2.0, 3.0)), one_between(Quantile(0.1, 0.3)), one_between(2.0)
    (2.5, Quantile(0.2), None)
    """
    if isinstance(threshold, Quantile):
        return Quantile(float(np.mean(threshold[1:]))) if len(threshold) == 3 else None
    return float(np.mean(threshold)) if np.ndim(threshold) else None


def published_threshold(network, method, n_landmarks, *, dual=False):
    """Look up Table II for trials of any skeleton.

    Parameters
    ----------
    network : str
        Name of the video network.
    method : str
        Attribution method.
    n_landmarks : int
        Landmarks of the trials. The published thresholds cut sums over 33 landmarks; for another
        number they are multiplied by ``n_landmarks / 33``, which is an assumption of ours.
    dual : bool, default=False
        Give two thresholds instead of one.

    Returns
    -------
    float or (float, float)
        On the scale of :func:`skrehab.saliency.score_frames` with ``scale="map"``.

    Raises
    ------
    ValueError
        If the table has no row for them.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, Table II.

    Examples
    --------
    >>> from skrehab.pseudo_labels import published_threshold
    >>> published_threshold("act", "integrated_gradients", 33, dual=True)
    (2.2, 3.2)
    """
    row = PUBLISHED_THRESHOLDS.get((network, method))
    if row is None:
        raise ValueError(
            f"There is no published threshold for {network!r} with {method!r}; give a number or a "
            f"quantile. Published: {sorted(PUBLISHED_THRESHOLDS)}."
        )
    factor = n_landmarks / PUBLISHED_LANDMARKS
    if dual:
        return tuple(factor * value for value in row["dual"])
    return factor * row["single"]


def prior_threshold(scores, prior=0.5):
    """Choose a threshold so that a stated share of the frames of positive trials is above it.

    No frame truth is used: the share comes from what is known of the motion beforehand. Unlike a
    :class:`Quantile`, which cuts each trial at its own scores, it is one threshold for all trials,
    so that one trial may have more positive frames than another.

    Parameters
    ----------
    scores : sequence of ndarray of shape (n_frames_i,)
        Scores of the positive training trials.
    prior : float, default=0.5
        Share of their frames that are positive, all trials together.

    Returns
    -------
    float
        Numpy's linear quantile of order ``1 - prior`` of all scores; 0 if there are none.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pseudo_labels import prior_threshold
    >>> prior_threshold([np.array([0.0, 1.0, 2.0]), np.array([3.0, 4.0])], prior=0.25)
    3.0
    """
    values = np.concatenate([np.zeros(0), *scores])
    return float(np.quantile(values, 1 - prior)) if len(values) else 0.0


def parse_threshold(text):
    """Read a threshold as it is written on a command line.

    Parameters
    ----------
    text : str or None
        ``"2.7"``, ``"2.2,3.2"``, ``"quantile,0.38"``, ``"published"``, ``"published_dual"`` or
        ``"auto"``.

    Returns
    -------
    float, (float, float), Quantile, str or None
        What a :class:`SaliencyPseudoLabeler` takes; None for None.

    Raises
    ------
    ValueError
        If it is none of these.

    Examples
    --------
    >>> from skrehab.pseudo_labels import parse_threshold
    >>> parse_threshold("2.2,3.2"), parse_threshold("quantile,0.38")
    ((2.2, 3.2), Quantile(0.38))
    """
    if text is None or text in ("published", "published_dual", "auto"):
        return text
    first, *rest = text.split(",")
    try:
        if first == "quantile":
            return check_threshold(("quantile", *map(float, rest)))
        values = tuple(map(float, (first, *rest)))
    except ValueError as error:
        if "quantile" in str(error):
            raise
        raise ValueError(
            f"threshold: {text!r} is neither a number nor two, such as '2.2,3.2', nor "
            "'quantile,0.38', 'published', 'published_dual' or 'auto'."
        ) from None
    return check_threshold(values[0] if len(values) == 1 else values)


def cut_at(scores, threshold):
    """Turn a threshold into the numbers at which one trial is cut.

    Parameters
    ----------
    scores : ndarray of shape (n_frames,)
        Scores of one trial.
    threshold : float, (float, float) or Quantile
        A share s means numpy's linear quantile of order ``1 - s`` of these scores, so that n
        different scores have ``ceil(s (n - 1))`` above it.

    Returns
    -------
    (float, float)
        Lower and upper threshold, equal if there is one.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pseudo_labels import cut_at
    >>> cut_at(np.arange(5.0), ("quantile", 0.25))
    (3.0, 3.0)
    """
    threshold = check_threshold(threshold)
    if isinstance(threshold, Quantile):
        cuts = np.quantile(scores, [1 - threshold[-1], 1 - threshold[1]])
        return float(cuts[0]), float(cuts[1])
    return threshold if np.ndim(threshold) else (threshold, threshold)


def pseudo_labels(scores, trial_label, *, threshold, normal_label=0):
    """Label one trial's frames from their pseudo-scores.

    Parameters
    ----------
    scores : ndarray of shape (n_frames,)
        Pseudo-scores, not below zero.
    trial_label : object
        The trial's label.
    threshold : float, (float, float) or Quantile
        One threshold tau, equation (1); two, tau1 < tau2, equation (2), between which frames
        are not used; or a :class:`Quantile` of the trial's own scores.
    normal_label : object, default=0
        The label of a trial without the motion looked for.

    Returns
    -------
    ndarray of shape (n_frames,)
        `trial_label` where the score is above the (upper) threshold, `normal_label` elsewhere,
        ``-1`` between two thresholds.

    Raises
    ------
    ValueError
        If the threshold is not one number, two increasing ones, or a quantile.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, equations (1) and (2).

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pseudo_labels import pseudo_labels
    >>> pseudo_labels(np.array([0.1, 0.5, 0.9]), 1, threshold=(0.3, 0.6))
    array([ 0, -1,  1])
    >>> pseudo_labels(np.array([0.1, 0.5, 0.9]), 0, threshold=(0.3, 0.6))
    array([0, 0, 0])
    """
    low, high = cut_at(scores, threshold)
    kind = object
    if not isinstance(trial_label, str):  # a signed type, so that bool and uint can hold -1 too
        kind = np.promote_types(np.asarray(trial_label).dtype, np.int8)
    labels = np.full(len(scores), normal_label, dtype=kind)
    if trial_label == normal_label:
        return labels
    labels[scores > high] = trial_label
    if low < high:
        labels[(scores >= low) & (scores <= high)] = UNLABELLED
    return labels
