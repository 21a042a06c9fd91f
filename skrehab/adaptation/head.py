"""The last layer of a frame model, moved as little as a few labelled trials ask for."""

import copy

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit

from skrehab._surroundings import predicting
from skrehab.trials import check_trials

__all__ = ["bag_score", "hidden_frames", "nearest_head", "with_head"]

TOP = 0.25  # share of the frames that say whether a trial holds the motion, as in mil_tcn
RIDGE = 1e-3  # directions that this patient's frames do not have: stay


def last_layer(module):
    """Name and layer that gives the logits.

    Parameters
    ----------
    module : torch.nn.Module
        Network of a frame model.

    Returns
    -------
    str, torch.nn.Linear
        The last child that is linear.

    Raises
    ------
    TypeError
        If the network ends in no linear layer with one output.
    """
    children = list(module.named_children())
    name, layer = children[-1] if children else ("", module)
    if not isinstance(layer, torch.nn.Linear):
        raise TypeError(f"The network ends in {type(layer).__name__}, not in a linear layer.")
    if layer.out_features != 1:
        raise TypeError(
            f"Adapting by labels is for two classes; this model has {layer.out_features} outputs. "
            "learn=None adapts the reference alone."
        )
    return name, layer


def hidden_frames(classifier, X):
    """Compute what the last layer of a frame model is given, frame by frame.

    Parameters
    ----------
    classifier : FrameTCN or FrameMLP
        Fitted.
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials as it takes them.

    Returns
    -------
    list of ndarray of shape (n_frames_i, n_channels), dtype float64
        The classifier itself stays as it is.
    """
    model = copy.copy(classifier)
    model.module_ = copy.deepcopy(classifier.module_)
    setattr(model.module_, last_layer(model.module_)[0], torch.nn.Identity())
    X = check_trials(X, n_landmarks=classifier.n_landmarks_, n_coords=classifier.n_coords_)
    if classifier.scaler_ is not None:
        X = classifier.scaler_.transform(X)
    with predicting(model.module_, model.device):
        return [np.asarray(one, dtype=float) for one in model._frame_logits(X)]


def bag_score(logits, share=TOP):
    """Mean of a trial's highest frame logits.

    Parameters
    ----------
    logits : ndarray of shape (n_frames,)
        Of one trial.
    share : float, default=0.25
        Share of the frames, at least one.

    Returns
    -------
    float
        The mean.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.adaptation.head import bag_score
    >>> bag_score(np.array([-2.0, 3.0, 1.0, 0.0]), 0.5)
    2.0
    """
    n = max(1, round(share * len(logits)))
    return float(np.sort(logits)[-n:].mean())


def nearest_head(hidden, motion, weight, bias, *, learn="head", anchor=1.0):
    """Find the last layer that agrees with a few trial labels and is near the one there was.

    It minimises the cross-entropy of the trials, whose logit is the mean of their highest frame
    logits, plus `anchor` times the mean squared change of a frame's logit over these trials, times
    one half. The second keeps what was learned before: with one label the change is small, with
    more labels that agree it grows.

    Parameters
    ----------
    hidden : list of ndarray of shape (n_frames_i, n_channels)
        From :func:`hidden_frames`.
    motion : array-like of shape (n_trials,), dtype bool
        Whether each trial is labelled with the motion.
    weight : ndarray of shape (n_channels,)
        Of the layer there was.
    bias : float
        Likewise.
    learn : {"bias", "head"}, default="head"
        Only the bias, which is the prior and the threshold of this patient in one number; or the
        weights too.
    anchor : float, default=1.0
        Above 0; a larger one trusts the old layer more.

    Returns
    -------
    ndarray of shape (n_channels,), float
        New weight and bias.

    Raises
    ------
    ValueError
        If `anchor` is not above 0, or `learn` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.adaptation import nearest_head
    >>> quiet = [np.zeros((10, 1))]  # frames that the old layer calls 0.5, and nothing happened
    >>> weight, bias = nearest_head(quiet, [False], np.ones(1), 0.0, learn="bias")
    >>> round(bias, 3), weight.tolist()
    (-0.401, [1.0])
    """
    if learn not in ("bias", "head"):
        raise ValueError(f"learn must be 'bias' or 'head', got {learn!r}.")
    if not anchor > 0:
        raise ValueError(f"anchor must be above 0, got {anchor!r}.")
    weight, motion = np.asarray(weight, dtype=float), np.asarray(motion, dtype=bool)
    old = [one @ weight + bias for one in hidden]
    frames = np.concatenate(hidden)
    frames = np.concatenate([frames, np.ones((len(frames), 1))], axis=1)
    ends = np.cumsum([len(one) for one in hidden])[:-1]
    spread = frames.T @ frames / len(frames) + RIDGE * np.eye(frames.shape[1])
    free = np.ones(frames.shape[1]) if learn == "head" else np.eye(frames.shape[1])[-1]

    def loss(change):
        change = change * free
        value = anchor * change @ spread @ change / 2
        slope = anchor * spread @ change
        parts = zip(old, np.split(frames, ends), motion)
        for before, rows, label in parts:
            logits = before + rows @ change
            top = np.argsort(logits)[-max(1, round(TOP * len(logits))) :]
            score = logits[top].mean()
            value += np.logaddexp(0, -score if label else score)
            slope = slope + (expit(score) - label) * rows[top].mean(axis=0)
        return value, slope * free

    change = minimize(loss, np.zeros(len(free)), jac=True, method="L-BFGS-B").x * free
    return weight + change[:-1], float(bias + change[-1])


def with_head(classifier, weight, bias):
    """Copy a frame model with another last layer.

    Parameters
    ----------
    classifier : FrameTCN or FrameMLP
        Fitted; it stays as it is.
    weight : ndarray of shape (n_channels,)
        New.
    bias : float
        New.

    Returns
    -------
    FrameTCN or FrameMLP
        Fitted; shares nothing that learns with the old one.
    """
    model = copy.copy(classifier)
    model.module_ = copy.deepcopy(classifier.module_)
    layer = last_layer(model.module_)[1]
    with torch.no_grad():
        layer.weight.copy_(torch.as_tensor(weight)[None])
        layer.bias.fill_(bias)
    return model
