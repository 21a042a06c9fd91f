"""Steps of a pipeline as ONNX operators, for whole trials and for single frames.

They calculate as the steps themselves do, in double precision where these do.
"""

import numpy as np

from skrehab.frames import FrameMLP, FrameTCN
from skrehab.networks.sequence.frame_tcn import FrameConvolutions
from skrehab.onnx.bones import bones
from skrehab.onnx.convolutions import add_convolutions
from skrehab.onnx.repairs import repairs
from skrehab.onnx.windows import sums_in_window
from skrehab.preprocessing import DisplacementSmoother, LandmarkScaler, PatientReference
from skrehab.preprocessing.converter import SkeletonConverter
from skrehab.preprocessing.skeleton_conversion import conversion

__all__ = ["add_classifier", "add_transformer", "fill_lost", "scores_frames", "transformers"]


def transformers():
    """List what is written by hand.

    Returns
    -------
    dict of type to (callable, callable)
        For whole trials and for streams.
    """
    return {
        DisplacementSmoother: (_smooth_trial, _smooth_frame),
        LandmarkScaler: (_scale, _scale),
        PatientReference: (_subtract, _subtract),
        SkeletonConverter: (_convert, _convert),
        **bones(),
        **repairs(),
    }


def add_transformer(graph, x, name, step, shape):
    """Add a transformer.

    Parameters
    ----------
    graph : Graph
        The graph; with ``graph.first_frame`` it is a stream, and x one frame.
    x : str
        Name of the trial or frame.
    name : str
        The step's name, for errors.
    step : transformer
        Fitted.
    shape : (int, int)
        n_landmarks and n_coords of x.

    Returns
    -------
    x : str
        Name of the result.
    shape : (int, int)
        Its n_landmarks and n_coords.

    Raises
    ------
    TypeError
        If the step has no form in ONNX.
    """
    streams = graph.first_frame is not None
    if streams:
        _check_causal(name, step)
    own = getattr(step, "_to_onnx_stream" if streams else "_to_onnx", None)
    by_hand = transformers().get(type(step))
    if own is not None:
        x = own(graph, x)
    elif by_hand is not None:
        x = by_hand[streams](graph, x, step, shape)
    else:
        raise TypeError(
            f"step {name!r} ({type(step).__name__}) has no form in ONNX; see the documentation of "
            "skrehab.onnx for how to give it one."
        )
    probe = step.transform([np.zeros((1, *shape), dtype=np.float32)])[0]
    return x, probe.shape[1:]


def _check_causal(name, step):
    """A step that may run live says so by `_stream`, and raises ValueError if it looks ahead."""
    if hasattr(step, "_stream"):
        try:
            step._stream()
        except ValueError as error:
            raise ValueError(
                f"The pipeline cannot run live: step {name!r} ({type(step).__name__}): {error}"
            ) from error


# --- DisplacementSmoother -------------------------------------------------------------------------
def _split_visibility(graph, x, step, shape):
    """Positions, and visibility to join again or None."""
    if shape[1] != 4:
        return x, None
    zero, three, four, axis = (graph.constant([place]) for place in (0, 3, 4, -1))
    position = graph.add("Slice", x, zero, three, axis)
    if step.visibility == "drop":
        return position, None
    return position, graph.add("Slice", x, three, four, axis)


def _join(graph, x, visibility):
    return x if visibility is None else graph.add("Concat", x, visibility, axis=-1)


def _sum_and_count(graph, x):
    """Values with zeros for NaN, and ones where there is a value; both double."""
    lost = graph.add("IsNaN", x)
    values = graph.add("Where", lost, graph.constant(np.float32(0)), x)
    return graph.cast(values, "float64"), graph.cast(graph.add("Not", lost), "float64")


def _smooth_trial(graph, x, step, shape):
    x, visibility = _split_visibility(graph, x, step, shape)
    if step.order == "offset_first":
        moved = graph.cast(_average_trial(graph, _offset_trial(graph, x), step, shape), "float32")
    else:
        moved = graph.cast(_offset_trial(graph, _average_trial(graph, x, step, shape)), "float32")
    return _join(graph, moved, visibility)


def _offset_trial(graph, x):
    seen = graph.cast(graph.add("Not", graph.add("IsNaN", x)), "int32")
    first = graph.add("ArgMax", seen, axis=0, keepdims=1)
    return graph.add("Sub", x, graph.add("GatherElements", x, first, axis=0))


def _average_trial(graph, x, step, shape):
    ahead = 0 if step.causal else (step.window - 1) // 2
    shape = (shape[0], min(shape[1], 3))
    values = list(_sum_and_count(graph, x))
    return graph.add("Div", *sums_in_window(graph, values, shape, step.window, ahead))  # 0/0: NaN


def _smooth_frame(graph, x, step, shape):
    x, visibility = _split_visibility(graph, x, step, shape)
    shape = (shape[0], min(shape[1], 3))
    if step.order == "offset_first":
        moved = graph.cast(
            _average_frame(graph, _offset_frame(graph, x, shape), step, shape), "float32"
        )
    else:
        # the state is kept single, as every state: the average is rounded once before the offset
        average = graph.cast(_average_frame(graph, x, step, shape), "float32")
        moved = _offset_frame(graph, average, shape)
    return _join(graph, moved, visibility)


def _offset_frame(graph, x, shape):
    state = graph.state(shape, "position of each landmark in the first frame that shows it")
    first = graph.recall(state)
    first = graph.add("Where", graph.add("IsNaN", first), x, first)
    graph.remember(state, first)
    return graph.add("Sub", x, first)


def _average_frame(graph, x, step, shape):
    if step.window == 1:
        return x
    # the frames before, oldest first
    state = graph.state((step.window - 1, *shape), "what is averaged, in the frames before")
    axis = graph.constant([0])
    now = graph.add("Unsqueeze", x, axis)
    ring = graph.add("Concat", graph.recall(state), now, axis=0)
    end = graph.constant([np.iinfo(np.int64).max])
    graph.remember(state, graph.add("Slice", ring, graph.constant([1]), end, axis))
    sums = (graph.add("ReduceSum", v, axis, keepdims=0) for v in _sum_and_count(graph, ring))
    return graph.add("Div", *sums)


# --- LandmarkScaler -------------------------------------------------------------------------------
def _scale(graph, x, step, shape):
    mean = graph.constant(np.asarray(step.mean_, dtype=np.float64))
    scale = graph.constant(np.asarray(step.scale_, dtype=np.float64))
    centred = graph.add("Sub", graph.cast(x, "float64"), mean)
    return graph.cast(graph.add("Div", centred, scale), "float32")


# --- PatientReference -----------------------------------------------------------------------------
def _subtract(graph, x, step, shape):
    if len(step.reference_) > 1:
        raise ValueError(
            f"PatientReference holds {len(step.reference_)} exercises, and an ONNX file is not "
            "told which it is: take one with for_exercise(name)."
        )
    reference = graph.constant(np.asarray(step.reference_[0], dtype=np.float64))
    return graph.cast(graph.add("Sub", graph.cast(x, "float64"), reference), "float32")


# --- SkeletonConverter ----------------------------------------------------------------------------
def _convert(graph, x, step, shape):
    """A linear map of landmarks, of which only those with a weight may be lost."""
    mapping = conversion(step.source_, step.target)
    n_dims, wanted = mapping.source.n_dims, mapping.target.n_dims
    n_space, axis = min(n_dims, shape[1]), graph.constant([-1])
    zero, end = graph.constant([0]), graph.constant([n_space])
    values, counts = _sum_and_count(graph, x)
    space = graph.add("Slice", values, zero, end, axis)
    moved = graph.add("MatMul", graph.constant(mapping.weights), space)
    moved = graph.add("Mul", moved, graph.constant(mapping.signs[:n_space]))
    seen = graph.add("Slice", counts, zero, end, axis)
    lost = graph.add("Sub", graph.constant(np.float64(1)), seen)
    used = graph.constant((mapping.weights != 0).astype(np.float64))
    lost = graph.add("Greater", graph.add("MatMul", used, lost), graph.constant(np.float64(0)))
    moved = graph.add("Where", lost, graph.constant(np.float64(np.nan)), moved)
    if wanted < n_space:
        moved = graph.add("Slice", moved, zero, graph.constant([wanted]), axis)
    elif wanted > n_space:  # a flat source has z = 0
        rank = 2 if graph.first_frame is not None else 3
        pads = graph.constant([0] * (2 * rank - 1) + [wanted - n_space])
        moved = graph.add("Pad", moved, pads)
    if shape[1] > n_dims:
        far = graph.constant([shape[1]])
        scores = graph.add("Slice", values, graph.constant([n_dims]), far, axis)
        scores = graph.add("MatMul", graph.constant(mapping.score_weights()), scores)
        any_lost = graph.add("ReduceMax", graph.cast(lost, "float64"), axes=[-1], keepdims=1)
        kept = graph.add("Sub", graph.constant(np.float64(1)), any_lost)
        scores = graph.add("Mul", scores, kept)
        moved = graph.add("Concat", moved, scores, axis=-1)
    return graph.cast(moved, "float32")


# --- classifiers ----------------------------------------------------------------------------------
def fill_lost(graph, x):
    """Turn lost landmarks into zeros, as networks are given them.

    Parameters
    ----------
    graph : Graph
        The graph.
    x : str
        Name of a value.

    Returns
    -------
    str
        Name of the result.
    """
    return graph.add("Where", graph.add("IsNaN", x), graph.constant(np.float32(0)), x)


def add_classifier(graph, x, classifier):
    """Add a classifier that scores frames.

    Parameters
    ----------
    graph : Graph
        The graph.
    x : str
        Name of a trial, or of a frame in a stream.
    classifier : FrameMLP, FrameTCN or VideoClassifier
        Fitted; of a VideoClassifier, one whose network scores frames itself.

    Returns
    -------
    str
        Name of the probabilities, (n_frames, n_classes) or, in a stream, (n_classes,).

    Raises
    ------
    TypeError
        If it is another classifier.
    ValueError
        If it should stream and looks ahead.
    """
    streams, x = graph.first_frame is not None, fill_lost(graph, x)
    if isinstance(classifier, FrameMLP):
        x = _dense(graph, x, classifier)
    elif isinstance(classifier, FrameTCN) or scores_frames(classifier):
        step = getattr(classifier, "step_", 1)
        x = add_convolutions(graph, x, classifier.module_, step)
    else:
        raise TypeError(f"{type(classifier).__name__} has no form in ONNX as a frame classifier.")
    n_classes = len(classifier.classes_)
    if n_classes <= 2:  # one logit stands for the second of two classes
        zero = graph.add("Mul", x, graph.constant(np.float32(0)))
        x = zero if n_classes == 1 else graph.add("Concat", zero, x, axis=1)
    x = graph.add("Softmax", x, axis=1)
    return graph.add("Reshape", x, graph.constant([n_classes])) if streams else x


def scores_frames(classifier):
    """Tell whether a classifier of trials has convolutions that score frames by themselves.

    Parameters
    ----------
    classifier : estimator
        Fitted.

    Returns
    -------
    bool
        As of ``VideoClassifier("mil_tcn")``.
    """
    return isinstance(getattr(classifier, "module_", None), FrameConvolutions)


def _dense(graph, x, classifier):
    n_features = classifier.n_landmarks_ * classifier.n_coords_
    rows = 1 if graph.first_frame is not None else -1
    x = graph.add("Reshape", x, graph.constant([rows, n_features]))
    for layer in classifier.module_:
        kind = type(layer).__name__
        if kind == "Linear":
            weight, bias = (p.detach().cpu().numpy() for p in (layer.weight, layer.bias))
            x = graph.add("Gemm", x, graph.constant(weight), graph.constant(bias), transB=1)
        elif kind == "ReLU":
            x = graph.add("Relu", x)
        elif kind != "Dropout":
            raise TypeError(f"A layer {kind} has no form in ONNX here.")
    return x
