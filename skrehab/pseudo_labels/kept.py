"""Fitted classifiers and their scores, kept: a search over thresholds fits each of them once."""

from sklearn.utils.validation import check_memory

import skrehab
from skrehab.pseudo_labels.folds import fit_folds
from skrehab.pseudo_labels.teachers import frame_scores_of

__all__ = ["KeptTeachers"]


class KeptTeachers:
    """Fit teachers and score frames with them, unless the same was done before.

    What is kept goes by the content of trials, labels, patients and parameters, and by the versions
    of skrehab and torch, so that nothing passes from one fold to another, or from one version to
    the next, that it would not have fitted itself. It is joblib's own store, which is read with
    pickle: a folder of one's own.

    Parameters
    ----------
    memory : str, joblib.Memory or None
        Where; None keeps nothing.

    Examples
    --------
    >>> from skrehab.pseudo_labels.kept import KeptTeachers
    >>> KeptTeachers(None).memory is None
    True
    """

    def __init__(self, memory):
        self.memory = None if memory is None else check_memory(memory)
        self.key = None

    def fit(self, *args):
        """Do what :func:`fit_folds` does.

        Parameters
        ----------
        *args
            As of :func:`fit_folds`.

        Returns
        -------
        teachers, fold_teachers, folds
            As of :func:`fit_folds`.
        """
        if self.memory is None:
            return fit_folds(*args)
        import torch
        from joblib import hash as content_of

        # what another version fitted is another classifier
        self.key = content_of((skrehab.__version__, torch.__version__, args))
        return self.memory.cache(_fitted, ignore=["args"])(self.key, args)

    def scores(self, teachers, fold, X, **how):
        """Do what :func:`frame_scores_of` does.

        Parameters
        ----------
        teachers : list of estimator
            Of one fold.
        fold : int
            Which.
        X : list of ndarray
            Trials.
        **how
            For ``saliency``.

        Returns
        -------
        list of ndarray of shape (n_frames_i,)
            Scores.
        """
        if self.memory is None:
            return frame_scores_of(teachers, X, **how)
        from joblib import hash as content_of

        # only short arguments: joblib writes down what a call was made with
        kept = self.memory.cache(_scored, ignore=["teachers", "X", "how"])
        return kept(self.key, fold, content_of((X, how)), teachers, X, how)


def _fitted(key, args):
    return fit_folds(*args)


def _scored(key, fold, content, teachers, X, how):
    return frame_scores_of(teachers, X, **how)
