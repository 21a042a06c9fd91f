"""Lost points of a whole trial filled in ONNX, as preprocessing.lost does it."""

import numpy as np

__all__ = ["complete"]

_DOUBLINGS = 20  # frames up to 2 ** 20, ten hours


def complete(graph, x, shape, *, n_persons=1, never="middle"):
    """Fill every lost number of a trial.

    Parameters
    ----------
    graph : Graph
        The graph.
    x : str
        Name of the trial.
    shape : (int, int)
        n_landmarks and n_coords of x.
    n_persons, never
        As :func:`skrehab.preprocessing.lost.complete_poses` has them; ``"keep"`` leaves zeros.

    Returns
    -------
    str
        Name of the result, float32.
    """
    add, constant = graph.add, graph.constant
    zero, one = constant(np.int64(0)), constant(np.int64(1))
    seen = add("Not", add("IsNaN", x))
    if shape[1] == 4:
        size = add("ReduceMax", add("Abs", x), axes=[-1], keepdims=1)  # NaN or above zero
        seen = add("And", seen, add("Not", add("Equal", size, constant(np.float32(0)))))
    values = graph.cast(add("Where", seen, x, constant(np.float32(0))), "float64")
    n = add("Gather", add("Shape", x), zero, axis=0)
    last = add("Sub", n, one)
    rows = add("Range", zero, n, one)
    column = add("Reshape", rows, constant([-1, 1, 1]))
    # the last frame until now that shows a number, -1 if none; the next one from now, n if none
    before = add("Where", seen, column, constant(np.int64(-1)))
    after = add("Where", seen, column, n)
    for k in range(_DOUBLINGS):
        step = constant(np.int64(2**k))
        back = add("Max", add("Sub", rows, step), zero)
        ahead = add("Min", add("Add", rows, step), last)
        before = add("Max", before, add("Gather", before, back, axis=0))
        after = add("Min", after, add("Gather", after, ahead, axis=0))
    none_before, none_after = add("Less", before, zero), add("Greater", after, last)
    ever = add("Not", add("And", none_before, none_after))
    start = add("Where", none_before, after, before)
    stop = add("Where", none_after, start, after)
    start, stop = add("Min", start, last), add("Min", stop, last)  # never seen: anything
    first = add("GatherElements", values, start, axis=0)
    gain = add("Sub", add("GatherElements", values, stop, axis=0), first)
    width = graph.cast(add("Max", add("Sub", stop, start), one), "float64")
    way = graph.cast(add("Sub", column, start), "float64")
    filled = add("Add", first, add("Mul", gain, add("Div", way, width)))
    filled = add("Where", seen, values, filled)
    nought = constant(np.float64(0))
    filled = add("Where", ever, filled, nought)
    if shape[1] == 4:
        place, score = _split(graph, filled, [3, 1])
        whole = add("ReduceMin", graph.cast(seen, "int32"), axes=[-1], keepdims=1)
        score = add("Mul", score, graph.cast(whole, "float64"))
        filled = add("Concat", place, score, axis=-1)
        known, _ = _split(graph, graph.cast(ever, "int32"), [3, 1])
        scored = constant(np.ones((1, shape[0], 1), dtype=np.int32))
        ones = add("Expand", scored, add("Shape", score))
        ever = graph.cast(add("Concat", known, ones, axis=-1), "bool")
    if never == "middle":
        filled = _with_middle(graph, filled, ever, shape, n_persons)
    return graph.cast(filled, "float32")


def _split(graph, x, sizes):
    ends = np.cumsum([0, *sizes])
    axis = graph.constant([-1])
    return [
        graph.add("Slice", x, graph.constant([a]), graph.constant([b]), axis)
        for a, b in zip(ends[:-1].tolist(), ends[1:].tolist())
    ]


def _with_middle(graph, x, ever, shape, n_persons):
    add = graph.add
    apart = graph.constant([-1, n_persons, shape[0] // n_persons, shape[1]])
    x, ever = add("Reshape", x, apart), add("Reshape", ever, apart)
    axes = graph.constant([2])
    count = add("ReduceSum", graph.cast(ever, "float64"), axes, keepdims=1)
    count = add("Max", count, graph.constant(np.float64(1)))
    middle = add("Div", add("ReduceSum", x, axes, keepdims=1), count)
    x = add("Where", ever, x, middle)
    return add("Reshape", x, graph.constant([-1, *shape]))
