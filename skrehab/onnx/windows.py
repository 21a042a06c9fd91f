"""Sums over a moving window of frames as ONNX operators."""

import numpy as np

__all__ = ["sums_in_window"]


def sums_in_window(graph, values, shape, window, ahead=0):
    """Sum each frame of a trial with its neighbours: the difference of two running sums.

    Parameters
    ----------
    graph : Graph
        The graph.
    values : list of str
        Names of values (n_frames, *shape), double.
    shape : tuple of int
        Shape of a frame.
    window : int
        Frames in the window, which is cut at both ends of the trial.
    ahead : int, default=0
        How many of them come after the frame.

    Returns
    -------
    list of str
        Names of the sums, of the same shape.
    """
    zero, one = graph.constant(np.int64(0)), graph.constant(np.int64(1))
    n = graph.add("Gather", graph.add("Shape", values[0]), zero, axis=0)
    stop = graph.add("Add", graph.add("Range", zero, n, one), graph.constant(np.int64(ahead + 1)))
    start = graph.add("Sub", stop, graph.constant(np.int64(window)))
    stop, start = graph.add("Min", stop, n), graph.add("Max", start, zero)
    begin = graph.constant(np.zeros((1, *shape), dtype=np.float64))
    sums = []
    for one_of in values:
        running = graph.add("Concat", begin, graph.add("CumSum", one_of, zero), axis=0)
        ends = (graph.add("Gather", running, place, axis=0) for place in (stop, start))
        sums.append(graph.add("Sub", *ends))
    return sums
