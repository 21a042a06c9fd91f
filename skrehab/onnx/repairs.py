"""Steps that repair poses as ONNX operators: gaps filled by holding, sides exchanged."""

import numpy as np

from skrehab.preprocessing import SideNormalizer
from skrehab.preprocessing.gaps import GapFiller

__all__ = ["repairs"]


def repairs():
    """List what is written by hand.

    Returns
    -------
    dict of type to (callable, callable)
        For whole trials and for streams.
    """
    return {GapFiller: (_hold_trial, _hold_frame), SideNormalizer: (_sides, _sides)}


# --- GapFiller ------------------------------------------------------------------------------------
def _check_causal(step):
    if not step.causal:
        raise TypeError(
            "GapFiller has a form in ONNX only if it holds the last value: GapFiller(causal=True)."
        )


def _unseen(graph, out, lost, shape):
    """A fourth coordinate is visibility: 0 where it is held."""
    if shape[1] != 4:
        return out
    zero, three, four, axis = (graph.constant([place]) for place in (0, 3, 4, -1))
    position, visibility = (
        graph.add("Slice", out, zero, three, axis),
        graph.add("Slice", out, three, four, axis),
    )
    held = graph.add("Not", graph.add("IsNaN", visibility))
    held = graph.add("And", held, graph.add("Slice", lost, three, four, axis))
    visibility = graph.add("Where", held, graph.constant(np.float32(0)), visibility)
    return graph.add("Concat", position, visibility, axis=-1)


def _hold_trial(graph, x, step, shape):
    _check_causal(step)
    n_values = shape[0] * shape[1]
    lost = graph.add("IsNaN", x)
    zero, one = graph.constant(np.int64(0)), graph.constant(np.int64(1))
    n = graph.add("Gather", graph.add("Shape", x), zero, axis=0)
    rows = graph.cast(graph.add("Range", zero, n, one), "float32")
    rows = graph.add("Reshape", rows, graph.constant([-1, 1, 1]))
    seen = graph.add("Where", lost, graph.constant(np.float32(-1)), rows)
    # the last frame that shows a value, among this one and the max_frames_ before
    flat = graph.add("Reshape", seen, graph.constant([1, -1, n_values]))
    flat = graph.add("Transpose", flat, perm=[0, 2, 1])
    before = graph.add(
        "MaxPool", flat, kernel_shape=[step.max_frames_ + 1], pads=[step.max_frames_, 0]
    )
    before = graph.add("Transpose", before, perm=[0, 2, 1])
    before = graph.add("Reshape", before, graph.constant([-1, *shape]))
    found = graph.add("Less", before, graph.constant(np.float32(0)))
    place = graph.cast(graph.add("Max", before, graph.constant(np.float32(0))), "int64")
    held = graph.add("GatherElements", x, place, axis=0)
    out = graph.add("Where", found, graph.constant(np.float32(np.nan)), held)
    return _unseen(graph, out, lost, shape)


def _hold_frame(graph, x, step, shape):
    _check_causal(step)
    lost = graph.add("IsNaN", x)
    held_state = graph.state(shape, "value of each coordinate when it was last seen")
    age_state = graph.state(shape, "frames since then")
    held = graph.add("Where", lost, graph.recall(held_state), x)
    # not beyond the limit: an age must not grow for ever; NaN before a value was seen at all
    older = graph.add("Add", graph.recall(age_state), graph.constant(np.float32(1)))
    older = graph.add("Min", older, graph.constant(np.float32(step.max_frames_ + 1)))
    age = graph.add("Where", lost, older, graph.constant(np.float32(0)))
    graph.remember(held_state, held)
    graph.remember(age_state, age)
    fresh = graph.add("LessOrEqual", age, graph.constant(np.float32(step.max_frames_)))
    out = graph.add("Where", fresh, held, graph.constant(np.float32(np.nan)))
    return _unseen(graph, out, lost, shape)


# --- SideNormalizer -------------------------------------------------------------------------------
def _sides(graph, x, step, shape):
    if step.affected_side not in ("left", "right"):
        raise TypeError(
            "SideNormalizer has a form in ONNX only if the side is known: "
            "set_params(affected_side='left') or 'right'."
        )
    if step.affected_side == step.to:
        return x
    order = np.arange(shape[0])
    order[step.pairs_] = step.pairs_[:, ::-1]
    axis = 0 if graph.first_frame is not None else 1
    x = graph.add("Gather", x, graph.constant(order), axis=axis)
    signs = np.ones(shape[1], dtype=np.float32)
    signs[0] = -1
    return graph.add("Mul", x, graph.constant(signs))
