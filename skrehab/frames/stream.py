"""Dilated convolutions one frame at a time: each remembers the inputs that its taps look back to.

Offline, a causal convolution pads a trial with zeros in front and computes all frames at once. Live
it needs the newest frame's own column only, and for that the inputs ``dilation`` frames back,
``2 * dilation`` back, and so on. They are kept in a ring, so a frame costs the same whether it is
the first of a trial or comes after an hour. All is numpy: for one frame, torch takes longer to
start than to calculate.
"""

import numpy as np
from scipy.special import erf
from sklearn.utils.validation import check_is_fitted

from skrehab.networks.sequence.frame_tcn import FrameConvolutions
from skrehab.training.loop import probabilities
from skrehab.trials import check_frame

__all__ = ["Ring", "convolution_stream", "layers_of"]

SQRT_HALF = np.sqrt(0.5)


class Ring:
    """The inputs of one causal convolution, as far back as it looks.

    Parameters
    ----------
    n_taps : int
        Frames that the convolution sees: its kernel size.
    dilation : int
        Frames from one of them to the next.
    width : int
        Numbers a frame.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.frames.stream import Ring
    >>> ring = Ring(3, 2, 1)
    >>> [ring.push(np.array([x])).tolist() for x in (1.0, 2.0, 3.0, 4.0, 5.0)][-1]
    [1.0, 3.0, 5.0]
    """

    def __init__(self, n_taps, dilation, width):
        self.length = dilation * (n_taps - 1) + 1
        self.back = -dilation * np.arange(n_taps - 1, -1, -1)  # oldest first, as in a kernel
        self.values = np.zeros((self.length, width))
        self.at = 0

    def reset(self):
        """Start another trial: before it there is nothing, that is zeros."""
        self.values[:] = 0
        self.at = 0

    def push(self, frame):
        """Take the newest input.

        Parameters
        ----------
        frame : ndarray of shape (width,)
            Input of the convolution.

        Returns
        -------
        ndarray of shape (n_taps * width,)
            What its taps see, the oldest first.
        """
        self.values[self.at] = frame
        seen = self.values[self.at + self.back].ravel()  # below zero counts from the ring's end
        self.at = (self.at + 1) % self.length
        return seen


class ConvolutionStream:
    """Score frames as :class:`~skrehab.networks.sequence.frame_tcn.FrameConvolutions` does.

    Parameters
    ----------
    shape : (int, int)
        n_landmarks and n_coords of a frame.
    layers : dict
        From :func:`layers_of`.
    n_classes : int
        Classes; with one there is nothing to compute.
    scaler : object or None
        What scales a frame first: an object with ``push`` and ``reset``.
    step : int, default=1
        Frames from one that the network sees to the next: frame t is judged from the frames t,
        t - step, t - 2 * step, ..., as if `step` streams took turns.
    """

    def __init__(self, shape, layers, n_classes, scaler, step=1):
        self.shape, self.n_classes, self.scaler = shape, n_classes, scaler
        self.project, self.head, self.blocks = layers["project"], layers["head"], layers["blocks"]
        width = len(self.project[1])
        self.rings = [
            Ring(block["n_taps"], step * block["dilation"], width) for block in self.blocks
        ]

    def reset(self):
        for ring in self.rings:
            ring.reset()
        if self.scaler is not None:
            self.scaler.reset()

    def push(self, frame, timestamp):
        frame = check_frame(frame, self.shape)
        if self.n_classes == 1:
            return np.ones(1, dtype=np.float32)
        if self.scaler is not None:
            frame = self.scaler.push(frame, timestamp)
        weight, bias = self.project
        x = weight @ np.where(np.isnan(frame), 0, frame).ravel() + bias
        for block, ring in zip(self.blocks, self.rings):
            y = block["weight"] @ ring.push(x) + block["bias"]
            y -= y.sum() / len(y)
            y *= block["gain"] / np.sqrt((y @ y) / len(y) + block["eps"])
            y += block["offset"]
            x = x + 0.5 * y * (1 + erf(y * SQRT_HALF))
        weight, bias = self.head
        return probabilities((weight @ x + bias)[None])[0].astype(np.float32)


def layers_of(network):
    """Take the weights out of a causal network, in double precision.

    Parameters
    ----------
    network : skrehab.networks.sequence.frame_tcn.FrameConvolutions
        Trained. One that pools its frame scores afterwards will do.

    Returns
    -------
    dict
        ``"project"`` and ``"head"``, each weight and bias; and ``"blocks"``, a list of dict with
        ``"weight"`` (channels, n_taps * channels), ``"bias"``, ``"gain"``, ``"offset"``, ``"eps"``,
        ``"n_taps"``, ``"dilation"``, ``"padding"``.

    Examples
    --------
    >>> from skrehab.frames.stream import layers_of
    >>> from skrehab.networks.sequence.frame_tcn import FrameConvolutions
    >>> layers_of(FrameConvolutions(5, 3, 1, channels=4))["blocks"][1]["weight"].shape
    (4, 20)
    """

    def numbers(parameter):
        return parameter.detach().cpu().numpy().astype(float)

    def linear(layer):
        return numbers(layer.weight), numbers(layer.bias)

    blocks = []
    for block in network.blocks:
        kernel = numbers(block.conv.weight)  # (out, in, taps)
        blocks.append(
            {
                "weight": kernel.transpose(0, 2, 1).reshape(len(kernel), -1),
                "bias": numbers(block.conv.bias),
                **{"gain": numbers(block.norm.weight), "offset": numbers(block.norm.bias)},
                "eps": block.norm.eps,
                "n_taps": kernel.shape[2],
                "dilation": block.conv.dilation[0],
                "padding": tuple(block.padding),
            }
        )
    return {"project": linear(network.proj), "head": linear(network.head), "blocks": blocks}


def convolution_stream(estimator, how):
    """Score frames live with the convolutions that an estimator was fitted with.

    Parameters
    ----------
    estimator : FrameTCN or VideoClassifier
        Fitted; its weights are copied once, here.
    how : str
        How a user gets a causal one, for the error.

    Returns
    -------
    ConvolutionStream
        What classifies frame by frame; see :mod:`skrehab.live`.

    Raises
    ------
    TypeError
        If its network scores whole trials.
    ValueError
        If the convolutions look ahead.
    """
    check_is_fitted(estimator)
    if not isinstance(estimator.module_, FrameConvolutions):
        raise TypeError(
            f"the network {estimator.network!r} scores whole trials and has no form for streams. "
            "Use 'mil_tcn' with network_params={'causal': True}, or train a FrameTCN on the frame "
            "labels of a SaliencyPseudoLabeler."
        )
    layers = layers_of(estimator.module_)
    step = int(getattr(estimator, "step_", 1))
    ahead = step * sum(block["padding"][1] for block in layers["blocks"])
    if ahead:
        raise ValueError(
            f"it is not causal: its convolutions look {ahead} frames ahead. Train with {how}."
        )
    scaler = getattr(estimator, "scaler_", None)
    return ConvolutionStream(
        (estimator.n_landmarks_, estimator.n_coords_),
        layers,
        len(estimator.classes_),
        None if scaler is None else scaler._stream(),
        step,
    )
