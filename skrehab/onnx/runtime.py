"""Run exported models here, by onnxruntime and without torch.

A file may come from anybody: see :mod:`skrehab.onnx.limits` for what it may hold.
"""

import os
import sys
import warnings

import numpy as np

from skrehab._optional import require
from skrehab._shown import shown
from skrehab.onnx.limits import MAX_MEMORY, check_facts, check_graph, read_content, read_facts
from skrehab.trials import check_frame, check_trials, ragged

__all__ = ["FORMAT", "FORMAT_VERSION", "OnnxModel", "OnnxStream"]

FORMAT, FORMAT_VERSION = "skrehab-onnx", 1
_OFF = "ORT_DISABLE_TELEMETRY"

# From 1.29 on onnxruntime reports to Microsoft from its import on, unless it finds this. Said here
# and not only before our own import, which may come after yours.
_TOO_LATE = "onnxruntime" in sys.modules and os.environ.get(_OFF) != "1"
os.environ[_OFF] = "1"


def _runtime():
    """Import onnxruntime, which was told before to keep to itself what it sees."""
    os.environ[_OFF] = "1"
    runtime = require("onnxruntime", "onnx", "to run ONNX files")
    if _TOO_LATE:
        runtime.disable_telemetry_events()  # what is left to do; its uploader runs already
        warnings.warn(
            "onnxruntime was imported before skrehab.onnx, and may report its use and this "
            f"machine to Microsoft. Set {_OFF}=1 before, or import skrehab.onnx.runtime first.",
            stacklevel=4,
        )
    return runtime


def _session(runtime, content):
    """Open a checked model, with an end to the memory that it may take."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # a frame is too little work to share
    options.log_severity_level = 4  # errors come as such; printed, names in the file could act
    options.add_session_config_entry("session.load_model_format", "ONNX")
    info = runtime.OrtMemoryInfo(
        "Cpu", runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, runtime.OrtMemType.DEFAULT
    )
    arena = runtime.OrtArenaCfg(
        {
            "max_mem": MAX_MEMORY,
            "arena_extend_strategy": 1,  # as much as is asked for
            "initial_chunk_size_bytes": -1,
            "max_dead_bytes_per_chunk": -1,
        }
    )
    try:  # once a process; only sessions that ask for it are concerned
        runtime.create_and_register_allocator(info, arena)
    except Exception:  # of no common base: there is one already
        pass
    options.add_session_config_entry("session.use_env_allocators", "1")
    return runtime.InferenceSession(
        content,
        options,
        providers=["CPUExecutionProvider"],
        enable_fallback=0,  # it would print the error, with names of the file, and try again
    )


class _OnnxFile:
    """A session and what the file says of itself."""

    kinds = ()

    def __init__(self, source):
        runtime = _runtime()
        self._name = name = "The ONNX model" if isinstance(source, bytes) else shown(source)
        content = read_content(source, name)
        check_graph(content, name)
        try:
            self._session = _session(runtime, content)
            text = self._session.get_modelmeta().custom_metadata_map.get("skrehab")
        except Exception as error:  # onnxruntime's errors have no common base
            raise ValueError(f"{name} cannot be read: {shown(str(error)[:300])}") from error
        self.spec = read_facts(text, name)
        if self.spec.get("format") != FORMAT:
            raise ValueError(f"{name} was not written by skrehab.onnx.")
        if self.spec.get("format_version") != FORMAT_VERSION:
            raise ValueError(
                f"{name} has format version {self.spec.get('format_version')!r}; this skrehab "
                f"reads {FORMAT_VERSION}."
            )
        if self.spec.get("kind") not in self.kinds:
            other = OnnxStream if self.spec.get("kind") == "stream" else OnnxModel
            raise ValueError(f"{name} is read by {other.__name__}, not {type(self).__name__}.")
        check_facts(self.spec, name)
        self.classes_ = np.array(self.spec["classes"])
        self.normal_label = self.spec.get("normal_label")  # files written before it have none
        self._shape = (self.spec["n_landmarks"], self.spec["n_coords"])

    def _compute(self, outputs, inputs, shape):
        """Run the model; its first output must have the shape."""
        try:
            found = self._session.run(outputs, inputs)
        except Exception as error:
            raise ValueError(f"{self._name} cannot be run: {shown(str(error)[:300])}") from error
        if np.shape(found[0]) != shape:
            raise ValueError(
                f"{self._name} must give {outputs[0]} of shape {shape}, got {np.shape(found[0])}."
            )
        return found


class OnnxModel(_OnnxFile):
    """An exported model of whole trials.

    Parameters
    ----------
    source : str, path-like or bytes
        The ``.onnx`` file, or its content.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, in the order of the probabilities.
    normal_label : label or None
        Which class the model was told is normal; scorers and reports go by it.
    spec : dict
        What the file says of itself: inputs, outputs, skeleton, preprocessing.

    Raises
    ------
    ValueError
        If the file was not written by :func:`export_onnx`, or is one for streams.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skrehab import FrameMLP
    >>> from skrehab.onnx import OnnxModel, export_onnx
    >>> X = [np.zeros((4, 5, 3)), np.ones((6, 5, 3))]
    >>> frames = FrameMLP(max_epochs=2, random_state=0).fit(X, [[0] * 4, [1] * 6])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = OnnxModel(export_onnx(frames, folder + "/frames.onnx"))
    >>> model.predict_proba(X)[1].shape, model.classes_.tolist()
    ((6, 2), [0, 1])
    """

    kinds = ("frames", "trials")

    def predict_proba(self, X):
        """Compute class probabilities.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object, or (n_trials, n_classes)
            One array (n_frames_i, n_classes) a trial from a frame classifier, one row a trial from
            a classifier of trials.
        """
        found = self._run(X, "probabilities")
        return ragged(found) if self.spec["kind"] == "frames" else np.stack(found)

    def predict_frame_proba(self, X):
        """Compute class probabilities of every frame.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object
            One array (n_frames_i, n_classes) a trial.

        Raises
        ------
        AttributeError
            If the model scores whole trials only.
        """
        if self.spec["kind"] == "frames":
            return self.predict_proba(X)
        if all(output["name"] != "frame_probabilities" for output in self.spec["outputs"]):
            raise AttributeError("This model scores whole trials.")
        return ragged(self._run(X, "frame_probabilities"))

    def predict(self, X):
        """Predict labels.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,)
            One label a trial, or one array (n_frames_i,) a trial.
        """
        proba = self.predict_proba(X)
        if self.spec["kind"] == "frames":
            return ragged(self.classes_[one.argmax(axis=1)] for one in proba)
        return self.classes_[proba.argmax(axis=1)]

    def _run(self, X, output):
        X = check_trials(X, n_landmarks=self._shape[0], n_coords=self._shape[1])
        of_frames = self.spec["kind"] == "frames" or output == "frame_probabilities"
        n = len(self.classes_)
        return [
            self._compute(
                [output],
                {"x": np.ascontiguousarray(one)},
                (len(one), n) if of_frames else (n,),
            )[0]
            for one in X
        ]


class OnnxStream(_OnnxFile):
    """An exported model of single frames, with what it remembers.

    Parameters
    ----------
    source : str, path-like or bytes
        The ``.onnx`` file, or its content.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, in the order of the probabilities.
    normal_label : label or None
        Which class the model was told is normal; scorers and reports go by it.
    spec : dict
        What the file says of itself: inputs, outputs, state, skeleton, preprocessing.

    Raises
    ------
    ValueError
        If the file was not written by ``export_onnx(..., streaming=True)``.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skrehab import FrameMLP
    >>> from skrehab.onnx import OnnxStream, export_onnx
    >>> X = [np.zeros((4, 5, 3)), np.ones((6, 5, 3))]
    >>> frames = FrameMLP(max_epochs=2, random_state=0).fit(X, [[0] * 4, [1] * 6])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stream = OnnxStream(export_onnx(frames, folder + "/live.onnx", streaming=True))
    >>> stream.push(X[1][0]).shape
    (2,)
    """

    kinds = ("stream",)

    def __init__(self, source):
        super().__init__(source)
        self._names = [one["name"] for one in self.spec["state"]]
        self._sizes = [tuple(one["shape"]) for one in self.spec["state"]]
        self._outputs = ["probabilities", *(one["comes_back_as"] for one in self.spec["state"])]
        self.reset()

    def push(self, frame):
        """Score the next frame of the trial.

        Parameters
        ----------
        frame : array-like of shape (n_landmarks, n_coords)
            Landmarks; NaN where one is lost.

        Returns
        -------
        ndarray of shape (n_classes,), dtype float32
            Class probabilities.

        Raises
        ------
        ValueError
            If the frame has another shape than in training, or infinite values.
        """
        frame = np.ascontiguousarray(check_frame(frame, self._shape))
        inputs = {"frame": frame, **self._state}
        proba, *state = self._compute(self._outputs, inputs, (len(self.classes_),))
        if [np.shape(one) for one in state] != self._sizes:  # it could grow without end
            raise ValueError(f"{self._name} must remember arrays of the shapes that it names.")
        self._state = dict(zip(self._names, state))
        return proba

    def reset(self):
        """Start another trial."""
        self._state = {
            one["name"]: np.zeros(one["shape"], dtype=one["dtype"]) for one in self.spec["state"]
        }
