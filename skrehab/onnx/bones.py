"""BoneVectors as ONNX operators, in double precision as the step itself."""

import numpy as np

from skrehab.onnx.windows import sums_in_window
from skrehab.preprocessing.bones import SHORTEST, BoneVectors

__all__ = ["bones"]


def bones():
    """List what is written by hand.

    Returns
    -------
    dict of type to (callable, callable)
        For whole trials and for streams.
    """
    return {BoneVectors: (_bones_of_trial, _bones_of_frame)}


def _vectors(graph, x, step, shape):
    """End minus start of each bone, and which of them are seen, over the last two axes of x."""
    ends = np.zeros((2, len(step._bones()), shape[0]))
    for i, bone in enumerate(step._bones()):
        for side, joint in enumerate(bone):
            np.add.at(ends[side, i], list(joint), 1 / len(joint))
    zero, axis = graph.constant([0]), graph.constant([-1])
    x = graph.add("Slice", x, zero, graph.constant([step._n_dims]), axis)
    gone = graph.add("IsNaN", x)
    x = graph.add("Where", gone, graph.constant(np.float32(0)), x)
    start, end = (
        graph.add("MatMul", graph.constant(one), graph.cast(x, "float64")) for one in ends
    )
    needed = graph.constant((ends.sum(axis=0) > 0).astype(np.float64))
    gone = graph.add("MatMul", needed, graph.cast(gone, "float64"))
    seen = graph.add("Equal", gone, graph.constant(np.float64(0)))
    vectors = graph.add("Sub", end, start)
    vectors = graph.add("Where", seen, vectors, graph.constant(np.float64(0)))
    return vectors, graph.cast(seen, "float64")


def _directions(graph, total, count):
    vectors = graph.add("Div", total, count)  # 0 / 0 is NaN: nothing seen
    length = graph.add("Mul", vectors, vectors)
    length = graph.add("ReduceSum", length, graph.constant([-1]), keepdims=1)
    length = graph.add("Sqrt", length)
    long = graph.add("Greater", length, graph.constant(np.float64(SHORTEST)))
    length = graph.add("Where", long, length, graph.constant(np.float64(np.nan)))
    return graph.cast(graph.add("Div", vectors, length), "float32")


def _bones_of_trial(graph, x, step, shape):
    vectors, seen = _vectors(graph, x, step, shape)
    if step.window == 1:
        return _directions(graph, vectors, seen)
    shape = (len(step._bones()), step._n_dims)
    return _directions(graph, *sums_in_window(graph, [vectors, seen], shape, step.window))


def _bones_of_frame(graph, x, step, shape):
    if step.window == 1:
        return _directions(graph, *_vectors(graph, x, step, shape))
    # poses and not their bones: these are float32 as they come, and the state keeps them exactly
    state = graph.state((step.window - 1, *shape), "poses of the frames before, oldest first")
    axis = graph.constant([0])
    frames = graph.add("Concat", graph.recall(state), graph.add("Unsqueeze", x, axis), axis=0)
    end = graph.constant([np.iinfo(np.int64).max])
    graph.remember(state, graph.add("Slice", frames, graph.constant([1]), end, axis))
    sums = (
        graph.add("ReduceSum", values, axis, keepdims=0)
        for values in _vectors(graph, frames, step, shape)
    )
    return _directions(graph, *sums)
