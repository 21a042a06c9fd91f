"""export_onnx: a fitted model as one ONNX file that says what it wants and what it gives."""

import json
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

import skrehab
from skrehab._optional import require
from skrehab._written import written
from skrehab.metrics.told_normal import told_normal
from skrehab.onnx.graph import Graph
from skrehab.onnx.lost import complete
from skrehab.onnx.networks import trace_network
from skrehab.onnx.runtime import FORMAT, FORMAT_VERSION, OnnxModel, OnnxStream
from skrehab.onnx.steps import add_classifier, add_transformer, fill_lost, scores_frames
from skrehab.skeletons import get_skeleton
from skrehab.video import VideoClassifier

__all__ = ["export_onnx"]

_TOLERANCE = 1e-5
_LENGTHS = (1, 2, 29, 30, 31, 100)  # around the lengths that networks resample to


def export_onnx(
    model,
    path,
    *,
    streaming=False,
    skeleton=None,
    frame_rate=None,
    metadata=None,
    check=True,
    overwrite=False,
):
    """Write a fitted model as an ONNX file.

    Parameters
    ----------
    model : FrameTCN, FrameMLP, VideoClassifier or Pipeline
        Fitted. Before a classifier a pipeline may have :class:`BoneVectors`,
        :class:`DisplacementSmoother`, :class:`LandmarkScaler` and your own transformers with a
        form in ONNX (see :mod:`skrehab.onnx`). Resamplers are skipped, as in ``predict``; so is a
        :class:`PoseExtractor` at the start: the file wants landmarks.
    path : str or path-like
        The ``.onnx`` file.
    streaming : bool, default=False
        Take one frame at a time, and what was remembered of the frames before, instead of a whole
        trial. Only for causal pipelines that end in a frame classifier, or in a VideoClassifier
        that scores frames itself (a causal ``"mil_tcn"``).
    skeleton : str or Skeleton, optional
        Skeleton of the trials, for whoever uses the file; ``"mediapipe33"`` after a PoseExtractor.
    frame_rate : float, optional
        Frames a second of the training trials, for whoever uses the file.
    metadata : dict, optional
        Anything else that JSON can hold.
    check : bool, default=True
        Compare the file's probabilities with the model's on random trials of several lengths, by
        onnxruntime, and refuse to write a file that is off by more than 1e-5.
    overwrite : bool, default=False
        Replace a file that is there already.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        If a step or network has no form in ONNX; the message names it.
    ValueError
        If the pipeline is not causal and should stream, the probabilities differ, or its parts were
        told different normal labels.
    FileExistsError
        If the file is there already.

    Notes
    -----
    A file for trials has the input ``x``, float32 (n_frames, n_landmarks, n_coords), NaN where a
    landmark is lost. Its output ``probabilities`` is (n_frames, n_classes) for a frame classifier
    and (n_classes,) for a :class:`VideoClassifier`, which has ``frame_probabilities`` too if its
    network scores frames. A file for streams has the inputs ``frame`` (n_landmarks, n_coords),
    ``n_seen`` (int32, frames of this trial so far) and ``state_0``, ``state_1``, ...; outputs
    ``n_seen_out`` and ``state_0_out``, ... go in with the next frame. A trial starts with
    ``n_seen`` 0; state may be anything then. The metadata property ``skrehab`` holds all this in
    JSON, with classes, which of them the model was told is normal, skeleton and preprocessing.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrehab import DisplacementSmoother, FrameMLP
    >>> from skrehab.onnx import OnnxStream, export_onnx
    >>> rng = np.random.RandomState(0)
    >>> labels = [np.repeat([0, 1], 15) for _ in range(8)]
    >>> X = [rng.randn(30, 5, 3) + 2 * frames[:, None, None] for frames in labels]
    >>> pipeline = make_pipeline(DisplacementSmoother(causal=True), FrameMLP(random_state=0))
    >>> pipeline = pipeline.fit(X, labels)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stream = OnnxStream(export_onnx(pipeline, folder + "/m.onnx", streaming=True))
    >>> live = [stream.push(frame) for frame in X[0]]
    >>> np.allclose(live, pipeline.predict_proba(X[:1])[0], rtol=0, atol=1e-5)
    True
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists already; pass overwrite=True or another name.")
    pose, steps, last = _split(model)
    if skeleton is None and pose is not None:
        skeleton = "mediapipe33"
    shape = _input_shape(steps, last)
    skeleton = None if skeleton is None else get_skeleton(skeleton)
    if skeleton is not None and skeleton.n_landmarks != shape[0]:
        raise ValueError(
            f"skeleton {skeleton.name!r} has {skeleton.n_landmarks} landmarks, the model "
            f"{shape[0]}."
        )
    if streaming:
        proto, spec = _stream(steps, last, shape)
    else:
        proto, spec = _whole_trials(steps, last, shape)
    facts = {
        **{"format": FORMAT, "format_version": FORMAT_VERSION, "skrehab": skrehab.__version__},
        **spec,
        "classes": (classes := last.classes_.tolist()),
        "normal_label": _normal_among(classes, told_normal(model)),
        **{"n_landmarks": shape[0], "n_coords": shape[1]},
        "skeleton": None if skeleton is None else skeleton.name,
        "landmarks": None if skeleton is None else list(skeleton.landmarks),
        "axes": None if skeleton is None else skeleton.axes,
        "units": None if skeleton is None else skeleton.units,
        "frame_rate": frame_rate,
        "landmarks_from": None if pose is None else _described("pose", pose),
        "preprocessing": [_described(name, step) for name, step in steps],
        "model": type(last).__name__,
        "metadata": metadata or {},
    }
    text = json.dumps(facts, allow_nan=False)
    require("onnx", "onnx", "to write ONNX files").helper.set_model_props(proto, {"skrehab": text})
    content = proto.SerializeToString()
    if check:
        error = _difference(content, steps, last, shape, streaming)
        if not error <= _TOLERANCE:
            raise ValueError(
                f"The ONNX file would not say what the model says: probabilities differ by "
                f"{error:.1e}, more than {_TOLERANCE:.0e}."
            )
    with written(path) as file:
        file.write(content)
    return path


def _normal_among(classes, normal):
    """The normal label as a class is written; None where nobody told, or it is none of these."""
    return classes[classes.index(normal)] if normal in classes else None


def _split(model):
    """PoseExtractor or None, transformers by name, and the classifier."""
    check_is_fitted(model)
    steps = [("", model)]
    while any(hasattr(step, "steps") for _, step in steps):
        steps = [inner for _, step in steps for inner in getattr(step, "steps", [("", step)])]
    steps = [
        (name, step)
        for name, step in steps
        if step is not None and not isinstance(step, str) and not hasattr(step, "fit_resample")
    ]
    if not steps or not hasattr(steps[-1][1], "predict_proba"):
        raise TypeError(
            "export_onnx needs a model that ends in FrameTCN, FrameMLP or VideoClassifier, got "
            f"{type(model).__name__}."
        )
    *steps, (_, last) = steps
    if hasattr(last, "calibrates"):
        raise TypeError(
            "CalibratedByPatient has no form in ONNX: export its estimator_, and put the "
            "probabilities through skrehab.adaptation.apply_map(model.map_, ...)."
        )
    check_is_fitted(last)
    pose = steps.pop(0)[1] if steps and type(steps[0][1]).__name__ == "PoseExtractor" else None
    if getattr(last, "n_landmarks_", 0) is None:
        raise TypeError(f"{last.network!r} looks at RGB; only networks over poses are exported.")
    if getattr(last, "views", 1) not in (1, (1, 1)):
        raise TypeError(
            f"views={last.views!r} are averaged by the estimator; an ONNX file answers for one. "
            "Use set_params(views=1)."
        )
    return pose, steps, last


def _input_shape(steps, last):
    """n_landmarks and n_coords of what goes in: the first step that knows says it."""
    for _, step in [*steps, ("", last)]:
        if hasattr(step, "n_landmarks_"):
            return step.n_landmarks_, step.n_coords_
        if hasattr(step, "scale_"):
            return step.scale_.shape
    raise TypeError("No step knows how many landmarks there are.")


def _own_scaler(last):
    """What a classifier with ``standardize=True`` does before its network, as a step."""
    scaler = getattr(last, "scaler_", None)
    return [] if scaler is None else [("standardize", scaler)]


def _described(name, step):
    params = {key: _plain(value) for key, value in step.get_params(deep=False).items()}
    return {"step": name, "class": type(step).__name__, "params": params}


def _plain(value):
    """A parameter as JSON can hold it; anything odd as text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    known = value is None or isinstance(value, bool | int | str)
    return value if known or (isinstance(value, float) and np.isfinite(value)) else str(value)


# --- the two kinds of file ------------------------------------------------------------------------
def _value(name, dtype, shape, meaning):
    sizes = ["n_frames" if size is None else size for size in shape]
    return {"name": name, "dtype": dtype, "shape": sizes, "meaning": meaning}


def _landmarks(name, shape):
    meaning = "landmarks, NaN where one is lost; a fourth coordinate is its visibility"
    return _value(name, "float32", shape, meaning)


def _whole_trials(steps, last, shape):
    """Model for trials, and what to say of it."""
    graph, x, inner = Graph(), "x", shape
    for name, step in [*steps, *_own_scaler(last)]:
        x, inner = add_transformer(graph, x, name, step, inner)
    inputs = [("x", "float32", [None, *shape])]
    n_classes = len(last.classes_)
    spec = {"kind": "frames", "inputs": [_landmarks("x", [None, *shape])], "state": []}
    per_frame = ("float32", [None, n_classes])
    if not isinstance(last, VideoClassifier):
        x = add_classifier(graph, x, last)
        spec["outputs"] = [_value("probabilities", *per_frame, "of each class at each frame")]
        return graph.build(inputs, [("probabilities", x, *per_frame)]), spec
    onnx = require("onnx", "onnx", "to write ONNX files")
    if hasattr(last.module_, "frame_logits"):
        x = fill_lost(graph, x)
    else:
        n_persons = (last.network_params or {}).get("n_persons", 1)
        never = "middle" if getattr(last, "scaler_", None) is None else "keep"
        x = complete(graph, x, inner, n_persons=n_persons, never=never)
    before = graph.build(inputs, [("features", x, "float32", [None, *inner])])
    network = onnx.load_from_string(
        trace_network(
            last.module_, inner, f"The network {last.network!r}", getattr(last, "step_", 1)
        )
    )
    # the names of one half must not meet those of the other
    network = onnx.compose.add_prefix(network, "network/")
    network.ir_version = before.ir_version
    whole = onnx.compose.merge_models(before, network, [("features", "network/x")])
    names = [output.name for output in whole.graph.output]
    for name in names:
        _rename_output(onnx, whole, name, name.removeprefix("network/"))
    whole.producer_name = "skrehab"
    spec["kind"] = "trials"
    spec["outputs"] = [_value("probabilities", "float32", [n_classes], "of each class")]
    if len(names) > 1:
        meaning = "of each class at each frame"
        spec["outputs"].append(_value("frame_probabilities", *per_frame, meaning))
    return whole, spec


def _rename_output(onnx, model, old, new):
    model.graph.node.append(onnx.helper.make_node("Identity", [old], [new]))
    next(output for output in model.graph.output if output.name == old).name = new


def _stream(steps, last, shape):
    """Model for single frames, and what to say of it."""
    if isinstance(last, VideoClassifier) and not scores_frames(last):
        raise ValueError(
            f"A VideoClassifier looks at whole trials and cannot run live, {last.network!r} too; "
            "one that scores frames can: 'mil_tcn' with network_params={'causal': True}."
        )
    graph, x, inner = Graph(), "frame", shape
    graph.first_frame = graph.add("Equal", "n_seen", graph.constant(np.int32(0)))
    for name, step in [*steps, *_own_scaler(last)]:
        x, inner = add_transformer(graph, x, name, step, inner)
    x = add_classifier(graph, x, last)
    n_seen = graph.add("Add", "n_seen", graph.constant(np.int32(1)))
    states = [state for state, _ in graph.states]
    n_classes = len(last.classes_)
    model = graph.build(
        [
            ("frame", "float32", list(shape)),
            ("n_seen", "int32", []),
            *((state.name, "float32", list(state.shape)) for state in states),
        ],
        [
            ("probabilities", x, "float32", [n_classes]),
            ("n_seen_out", n_seen, "int32", []),
            *(
                (f"{state.name}_out", value, "float32", list(state.shape))
                for state, value in graph.states
            ),
        ],
    )
    counter = _value("n_seen", "int32", [], "frames of this trial so far; 0 starts a trial")
    state = [counter, *(_value(s.name, "float32", s.shape, s.meaning) for s in states)]
    outputs = [_value("probabilities", "float32", [n_classes], "of each class at this frame")]
    return model, {
        "kind": "stream",
        "inputs": [_landmarks("frame", shape)],
        "outputs": outputs,
        "state": [{**one, "comes_back_as": f"{one['name']}_out"} for one in state],
    }


# --- parity ---------------------------------------------------------------------------------------
def _difference(content, steps, last, shape, streaming):
    """Largest difference of probabilities, on random trials of several lengths with gaps."""
    rng = np.random.RandomState(0)
    spread = next((step.scale_ for _, step in steps if hasattr(step, "scale_")), 1.0)
    spread = spread if np.shape(spread) == tuple(shape) else 1.0
    trials = []
    for n_frames in _LENGTHS:
        trial = np.cumsum(rng.randn(n_frames, *shape), axis=0) / 3 * spread
        trial[rng.uniform(size=trial.shape[:2]) < 0.1] = np.nan
        trials.append(trial.astype(np.float32))
    values = trials
    for _, step in steps:
        values = step.transform(values)
    if streaming:
        model, said = OnnxStream(content), []
        for trial in trials:
            model.reset()
            said.append(np.array([model.push(frame) for frame in trial]))
    else:
        said = OnnxModel(content).predict_proba(trials)
    per_frame = streaming and isinstance(last, VideoClassifier)
    expected = last.predict_frame_proba(values) if per_frame else last.predict_proba(values)
    worst = max(float(np.abs(a - b).max()) for a, b in zip(said, expected))
    if (
        not streaming
        and isinstance(last, VideoClassifier)
        and hasattr(last.module_, "frame_logits")
    ):
        frames = OnnxModel(content).predict_frame_proba(trials)
        expected = last.predict_frame_proba(values)
        worst = max(worst, *(float(np.abs(a - b).max()) for a, b in zip(frames, expected)))
    return worst
