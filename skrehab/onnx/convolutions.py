"""FrameTCN, and any network like it, as ONNX operators: a trial at once, or frame by frame."""

import numpy as np

from skrehab.frames.stream import layers_of

__all__ = ["add_convolutions"]


def add_convolutions(graph, x, network, step=1):
    """Add dilated convolutions over time.

    Parameters
    ----------
    graph : Graph
        The graph; with ``graph.first_frame`` it is a stream, and x one frame.
    x : str
        Name of a trial (n_frames, n_landmarks, n_coords) or frame (n_landmarks, n_coords), without
        NaN.
    network : skrehab.networks.sequence.frame_tcn.FrameConvolutions
        Trained.
    step : int, default=1
        Frames from one that the network sees to the next.

    Returns
    -------
    str
        Name of the logits, (n_frames, n_outputs); in a stream there is one frame.

    Raises
    ------
    ValueError
        If it should stream and looks ahead.
    """
    layers = layers_of(network)
    streams = graph.first_frame is not None
    if streams and any(block["padding"][1] for block in layers["blocks"]):
        raise ValueError(
            "The network cannot run live: it is not causal. Train with causal=True, which for "
            "'mil_tcn' is network_params={'causal': True}."
        )
    weight, bias = layers["project"]
    x = graph.add("Reshape", x, graph.constant([1 if streams else -1, weight.shape[1]]))
    x = _linear(graph, x, weight, bias)
    for block in layers["blocks"]:
        convolve = _convolve_frame if streams else _convolve_trial
        y = convolve(graph, x, block, step)
        gain, offset = (_single(graph, block[name]) for name in ("gain", "offset"))
        y = graph.add("LayerNormalization", y, gain, offset, axis=-1, epsilon=block["eps"])
        x = graph.add("Add", x, _gelu(graph, y))
    return _linear(graph, x, *layers["head"])


def _single(graph, values):
    return graph.constant(np.asarray(values, dtype=np.float32))


def _linear(graph, x, weight, bias):
    return graph.add("Gemm", x, _single(graph, weight), _single(graph, bias), transB=1)


def _gelu(graph, x):
    half, one = graph.constant(np.float32(0.5)), graph.constant(np.float32(1))
    normal = graph.add("Erf", graph.add("Mul", x, graph.constant(np.float32(np.sqrt(0.5)))))
    return graph.add("Mul", graph.add("Mul", half, x), graph.add("Add", normal, one))


def _convolve_trial(graph, x, block, step):
    """(n_frames, channels) to the same; zeros stand before the first frame and behind the last."""
    width = len(block["weight"])
    kernel = block["weight"].reshape(width, block["n_taps"], width).transpose(0, 2, 1)
    x = graph.add("Unsqueeze", graph.add("Transpose", x, perm=[1, 0]), graph.constant([0]))
    x = graph.add(
        "Conv",
        x,
        _single(graph, kernel),
        _single(graph, block["bias"]),
        dilations=[step * block["dilation"]],
        pads=[step * side for side in block["padding"]],
    )
    x = graph.add("Squeeze", x, graph.constant([0]))
    return graph.add("Transpose", x, perm=[1, 0])


def _convolve_frame(graph, x, block, step):
    """One frame (1, channels), with those before it out of the state."""
    width, apart = len(block["weight"]), step * block["dilation"]
    reach = apart * (block["n_taps"] - 1)
    if reach:
        state = graph.state((reach, width), "inputs of a convolution in the frames before")
        nothing = graph.constant(np.float32(0))
        before = graph.add("Where", graph.first_frame, nothing, state.name)
        frames = graph.add("Concat", before, x, axis=0)
        end, axis = graph.constant([np.iinfo(np.int64).max]), graph.constant([0])
        graph.remember(state, graph.add("Slice", frames, graph.constant([1]), end, axis))
        x = graph.add("Gather", frames, graph.constant(np.arange(0, reach + 1, apart)), axis=0)
    x = graph.add("Reshape", x, graph.constant([1, block["weight"].shape[1]]))
    return _linear(graph, x, block["weight"], block["bias"])
