"""Frame labels of all training trials, cut or soft, by teachers that are fitted already."""

import numpy as np

from skrehab.pseudo_labels.folds import taken_as
from skrehab.pseudo_labels.kept import KeptTeachers
from skrehab.pseudo_labels.soft import soft_from_logits, soft_from_scores
from skrehab.pseudo_labels.teachers import frame_logits
from skrehab.pseudo_labels.thresholds import one_between, prior_threshold, pseudo_labels
from skrehab.trials import labelled, ragged

__all__ = ["hard_labels", "holds_one_class", "soft_labels"]


def soft_labels(folds, trials, known, how, predicted, kept=None):
    """Give each trial soft labels, or the truth of its frames where there is one.

    Parameters
    ----------
    folds : list of (list of estimator, ndarray of int)
        Teachers, and the trials that they label.
    trials : list of ndarray
        Trials.
    known : TrialLabels
        Their labels.
    how : dict
        Parameters of ``saliency``, ``method`` among them.
    predicted : bool
        Take trials as what the teachers predict, and by their labels only if that leaves one class.
    kept : KeptTeachers, optional
        Keeps scores.

    Returns
    -------
    labels : list of ndarray
        Of each trial.
    scores : ndarray of shape (n_trials,), dtype object
        What they were made from.
    fallback : {None, "true_labels"}
        Whether predictions left one class.
    """
    n_classes, normal = len(known.classes), known.normal
    by_logits = how["method"] == "frame_logits"
    logits = {}
    if by_logits:
        for teachers, places in folds:
            own = [trials[i] for i in places]
            logits |= zip(places, frame_logits(teachers, own, known.classes)) if own else {}
    for predict, fallback in _sources(predicted):
        # a trial without a label is not taken as anything where logits say how sure they are
        codes = (
            known.codes if by_logits and not predict else taken_as(folds, trials, known, predict)
        )
        labels = list(known.frames)
        scores = _zeros(trials)
        if not by_logits:
            scores = _scores(folds, trials, codes, known, how, kept)
        for i in np.flatnonzero([one is None for one in labels]):
            if by_logits:
                labels[i] = soft_from_logits(logits[i], codes[i], normal)
                scores[i] = 1 - labels[i][:, normal]
            else:
                labels[i] = soft_from_scores(scores[i], codes[i], normal, n_classes)
        found = labels, scores, fallback
        if not holds_one_class(labels, known):
            break
    return found


def hard_labels(folds, trials, known, how, predicted, threshold, prior, kept=None):
    """Cut each trial's scores, falling back until two classes of frames are there.

    Parameters
    ----------
    folds, trials, known, how, predicted : object
        As in :func:`soft_labels`.
    threshold : float, (float, float), Quantile or None
        None takes that of `prior`.
    prior : float
        Share of positive frames, see :func:`prior_threshold`.
    kept : KeptTeachers, optional
        Keeps scores.

    Returns
    -------
    labels : list of ndarray of shape (n_frames_i,)
        Of each trial.
    scores : ndarray of shape (n_trials,), dtype object
        What was cut.
    threshold : float, (float, float) or Quantile
        Where.
    fallback : {None, "single_threshold", "true_labels"}
        What had to be done.
    """
    normal = known.classes[known.normal]
    for predict, true_labels in _sources(predicted):
        codes = taken_as(folds, trials, known, predict)
        scores = _scores(folds, trials, codes, known, how, kept)
        asked = threshold
        if asked is None:
            positive = [
                one
                for one, code, frames in zip(scores, codes, known.frames)
                if frames is None and code != known.normal
            ]
            asked = prior_threshold(positive, prior)
        cuts = [(asked, None)]
        if (single := one_between(asked)) is not None:
            cuts.append((single, "single_threshold"))
        for cut, single_threshold in cuts:
            labels = [
                pseudo_labels(one, known.classes[code], threshold=cut, normal_label=normal)
                if frames is None
                else frames
                for one, code, frames in zip(scores, codes, known.frames)
            ]
            if not holds_one_class(labels, known):
                return labels, scores, cut, true_labels or single_threshold
    return labels, scores, cut, true_labels or single_threshold


def holds_one_class(labels, known):
    """Tell whether frames of one class only are left.

    Parameters
    ----------
    labels : list of ndarray
        Plain or soft labels of each trial.
    known : TrialLabels
        What the columns are.

    Returns
    -------
    bool
        True if all labelled frames have one label, or for certain the normal one.
    """
    if any(one.ndim == 2 for one in labels):
        normal = known.classes[known.normal]
        return all(
            (one[:, known.normal] == 1).all()
            if one.ndim == 2
            else (one[labelled(one)] == normal).all()
            for one in labels
        )
    return len({value for one in labels for value in np.unique(one[labelled(one)]).tolist()}) < 2


def _sources(predicted):
    """What trials are taken as, one after the other: predicted or not, and its name."""
    return [(True, None), (False, "true_labels")] if predicted else [(False, None)]


def _zeros(trials):
    return ragged(np.zeros(len(trial), dtype=np.float32) for trial in trials)


def _scores(folds, trials, codes, known, how, kept=None):
    """Score the frames of all trials to label that are not taken as normal."""
    scores = _zeros(trials)
    kept = kept or KeptTeachers(None)
    for fold, (teachers, places) in enumerate(folds):
        positive = places[codes[places] != known.normal]
        if len(positive):
            target = known.classes[codes[positive]]
            own = [trials[i] for i in positive]
            found = kept.scores(teachers, fold, own, target=target, **how)
            for i, values in zip(positive, found):
                scores[i] = values
    return scores
