"""Several yes-or-no labels a trial: losses, probabilities, checks, and what estimators share."""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.base import ClassifierMixin
from torch import nn

from skrehab.trials import UNLABELLED, check_label_rows, tag_trial_input

__all__ = [
    "LOSSES",
    "MultiLabelMixin",
    "SigmoidBCE",
    "SoftmaxBCE",
    "check_multilabel",
    "label_probabilities",
]


# --- losses ---------------------------------------------------------------------------------------
class SigmoidBCE(nn.Module):
    """Binary cross-entropy of every label by itself; a mean over labels, then weighted trials.

    A target of -1 is not known and teaches nothing.
    """

    def forward(self, logits, target_and_weight):
        target, weight = target_and_weight
        known = target >= 0
        loss = F.binary_cross_entropy_with_logits(
            logits, target.clamp(min=0).to(logits.dtype), reduction="none"
        )
        loss = torch.where(known, loss, 0.0)
        return (loss.mean(dim=1) * weight).mean()


class SoftmaxBCE(nn.Module):
    """Binary cross-entropy of probabilities that share 1 between the labels.

    So trained in MuscleMap. With k true labels no probability can be above 1 / k on average, so the
    loss has a floor; it is kept to reproduce published figures.
    """

    def forward(self, logits, target_and_weight):
        target, weight = target_and_weight
        log_p = F.log_softmax(logits, dim=1)
        # torch's own binary cross-entropy stops at -100 too
        log_rest = torch.log1p(-log_p.exp().clamp(max=1 - 1e-7)).clamp(min=-100)
        loss = -torch.where(target > 0, log_p.clamp(min=-100), log_rest)
        return (loss.mean(dim=1) * weight).mean()


LOSSES = {"sigmoid_bce": SigmoidBCE, "softmax_bce": SoftmaxBCE}


def label_probabilities(logits, loss="sigmoid_bce"):
    """Turn logits into the probability of each label.

    Parameters
    ----------
    logits : ndarray of shape (..., n_labels)
        Logits.
    loss : {"sigmoid_bce", "softmax_bce"}, default="sigmoid_bce"
        What the network was trained with.

    Returns
    -------
    ndarray of shape (..., n_labels)
        Probabilities; with ``"softmax_bce"`` they add up to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.multilabel.label_sets import label_probabilities
    >>> label_probabilities(np.zeros((1, 4)))
    array([[0.5, 0.5, 0.5, 0.5]])
    >>> label_probabilities(np.zeros((1, 4)), "softmax_bce")
    array([[0.25, 0.25, 0.25, 0.25]])
    """
    if loss == "sigmoid_bce":
        return 0.5 * (1 + np.tanh(0.5 * logits))  # never overflows
    exp = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def check_multilabel(y, X, loss="sigmoid_bce", *, unlabelled=False):
    """Validate yes-or-no labels of trials.

    Parameters
    ----------
    y : array-like of shape (n_trials, n_labels)
        1 where a trial has a label, else 0.
    X : sequence of length n_trials
        The trials, for the count.
    loss : {"sigmoid_bce", "softmax_bce"}, default="sigmoid_bce"
        What a network is to be trained with.
    unlabelled : bool, default=False
        Whether -1, not known, may stand too. Every label must be known of some trial.

    Returns
    -------
    ndarray of shape (n_trials, n_labels), dtype float32
        The labels.

    Raises
    ------
    ValueError
        If there is not one row a trial, an entry is neither 0 nor 1 (the message names it), the
        loss needs two labels and there is one, or all, and one is not known.

    Examples
    --------
    >>> from skrehab.multilabel.label_sets import check_multilabel
    >>> check_multilabel([[True, False]], [None])
    array([[1., 0.]], dtype=float32)
    """
    y = check_label_rows(y, X, unlabelled=unlabelled)
    if loss == "softmax_bce" and y.shape[1] == 1:
        raise ValueError(
            "loss='softmax_bce' shares a probability of 1 between the labels, and y has one label, "
            "which would always get 1: take loss='sigmoid_bce'."
        )
    if loss == "softmax_bce" and (y == UNLABELLED).any():
        raise ValueError(
            "loss='softmax_bce' shares a probability of 1 between the labels, so all must be known "
            "of a trial, and y holds -1: take loss='sigmoid_bce'."
        )
    return y


# --- estimators -----------------------------------------------------------------------------------
class MultiLabelMixin(ClassifierMixin):
    """What classifiers with ``predict_proba``, one column a label, and a `threshold` share.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> from skrehab.multilabel.label_sets import MultiLabelMixin
    >>> class Always(MultiLabelMixin, BaseEstimator):
    ...     threshold = 0.5
    ...     def predict_proba(self, X):
    ...         return np.tile([0.9, 0.2], (len(X), 1))
    >>> Always().predict([None])
    array([[1, 0]])
    """

    def predict(self, X):
        """Predict which labels each trial has.

        Parameters
        ----------
        X : list
            As in `predict_proba`.

        Returns
        -------
        ndarray of shape (n_trials, n_labels), dtype int
            1 where the probability reaches `threshold`, else 0.
        """
        return (self.predict_proba(X) >= self.threshold).astype(int)

    def __sklearn_tags__(self):
        tags = tag_trial_input(super().__sklearn_tags__())
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.multi_class = False
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags
