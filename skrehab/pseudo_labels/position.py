"""Whether the scores of frames lean on where in the trial a frame lies, and not on what it shows.

A network that reads its last state has forgotten the beginning: after a short training its gradient
stands at the end of every trial, whatever happens there, while its verdict on trials may be right.
So trials are run backwards: what follows the movement turns round with it, what follows the clock
stays where it was.
"""

import numpy as np

from skrehab.pseudo_labels.teachers import frame_scores_of
from skrehab.trials import UNLABELLED

__all__ = ["LEANS", "MOST", "lean_of", "position_lean"]

LEANS = 0.25  # from which on a lean is said; 1 is the clock alone, -1 the movement alone
FEWEST, MOST = 5, 16  # trials: with fewer nothing is said, and more are not asked
_STEPS = 16  # points on the path of integrated gradients: a course in time needs no more


def lean_of(forward, backward):
    """Tell how much one trial's scores follow the clock.

    Parameters
    ----------
    forward, backward : ndarray of shape (n_frames,)
        Scores of the trial, and of the trial run backwards, in the order that the network saw.

    Returns
    -------
    float
        Half the difference of two correlations, from -1 to 1: of the scores with those of the trial
        run backwards, frame by frame as seen, and frame by frame of the movement. 0 if the scores
        are the same in both directions, which tells nothing; NaN if they do not change.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pseudo_labels.position import lean_of
    >>> rise = np.array([0.0, 1.0, 2.0, 3.0])
    >>> round(lean_of(rise, rise), 3), round(lean_of(rise, rise[::-1]), 3)
    (1.0, -1.0)
    """
    clock, movement = _correlation(forward, backward), _correlation(forward, backward[::-1])
    return (clock - movement) / 2


def _correlation(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / size) if size > 1e-12 else float("nan")


def position_lean(folds, trials, codes, known, how, kept=None):
    """Tell how much the scores of training trials follow the clock, of some of the positive ones.

    Parameters
    ----------
    folds : list of (list of estimator, ndarray of int)
        Teachers, and the trials that they label.
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials.
    codes : ndarray of int of shape (n_trials,)
        What each trial is labelled.
    known : TrialLabels
        Labels; those that are normal are not asked.
    how : dict
        Parameters of ``saliency``, ``method`` among them.
    kept : KeptTeachers, optional
        What keeps their scores; None asks them anew.

    Returns
    -------
    float
        Mean of :func:`lean_of`; NaN where fewer than five trials tell.
    """
    score = frame_scores_of if kept is None else kept.scores
    asked = [
        (fold, i)
        for fold, (_, places) in enumerate(folds)
        for i in places
        if codes[i] not in (UNLABELLED, known.normal)
    ]
    if len(asked) < FEWEST:
        return float("nan")
    own = how["method"] == "frame_logits"
    plain = {"method": how["method"], "baseline": how["baseline"], "n_steps": _STEPS}
    plain |= {"aggregate": "signed" if own else "sum", "smooth": 0 if own else ("centred", 3)}
    plain |= {"coords": how["coords"], "scale": "frames", "z_clip": None}
    leans = []
    chosen = [asked[k] for k in np.linspace(0, len(asked) - 1, min(MOST, len(asked))).astype(int)]
    for fold in sorted({fold for fold, _ in chosen}):
        places = [i for one, i in chosen if one == fold and len(trials[i]) > 2]
        if not places:
            continue
        both = [trials[i] for i in places] + [trials[i][::-1] for i in places]
        target = known.classes[codes[places + places]]
        asking = (folds[fold][0],) if kept is None else (folds[fold][0], fold)
        found = score(*asking, both, target=target, **plain)
        leans += map(lean_of, found[: len(places)], found[len(places) :])
    leans = np.array(leans)[~np.isnan(leans)]
    return float(np.clip(leans.mean(), -1, 1)) if len(leans) >= FEWEST else float("nan")
