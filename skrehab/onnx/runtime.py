"""Run exported models here, by onnxruntime and without torch."""

import json
import os
from pathlib import Path

import numpy as np

from skrehab._optional import require
from skrehab.trials import check_frame, check_trials, ragged

__all__ = ["FORMAT", "FORMAT_VERSION", "OnnxModel", "OnnxStream"]

FORMAT, FORMAT_VERSION = "skrehab-onnx", 1


def _runtime():
    """Import onnxruntime, told first to keep to itself what it sees."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    return require("onnxruntime", "onnx", "to run ONNX files")


class _OnnxFile:
    """A session and what the file says of itself."""

    kinds = ()

    def __init__(self, source):
        runtime = _runtime()
        name = "The ONNX model" if isinstance(source, bytes) else str(source)
        if not isinstance(source, bytes) and not Path(source).is_file():
            raise FileNotFoundError(f"There is no ONNX file {source}.")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1  # a frame is too little work to share
        options.log_severity_level = 3
        try:
            self._session = runtime.InferenceSession(
                source if isinstance(source, bytes) else str(source),
                options,
                providers=["CPUExecutionProvider"],
            )
        except Exception as error:  # onnxruntime's errors have no common base
            raise ValueError(f"{name} cannot be read: {str(error)[:300]}") from error
        text = self._session.get_modelmeta().custom_metadata_map.get("skrehab")
        try:
            self.spec = json.loads(text) if text else {}
        except ValueError:
            self.spec = {}
        if not isinstance(self.spec, dict) or self.spec.get("format") != FORMAT:
            raise ValueError(f"{name} was not written by skrehab.onnx.")
        if self.spec.get("format_version") != FORMAT_VERSION:
            raise ValueError(
                f"{name} has format version {self.spec.get('format_version')!r}; this skrehab "
                f"reads {FORMAT_VERSION}."
            )
        if self.spec.get("kind") not in self.kinds:
            other = OnnxStream if self.spec.get("kind") == "stream" else OnnxModel
            raise ValueError(f"{name} is read by {other.__name__}, not {type(self).__name__}.")
        self.classes_ = np.array(self.spec["classes"])
        self._shape = (self.spec["n_landmarks"], self.spec["n_coords"])


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
        return [self._session.run([output], {"x": np.ascontiguousarray(one)})[0] for one in X]


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
        proba, *state = self._session.run(self._outputs, {"frame": frame, **self._state})
        self._state = dict(zip(self._names, state))
        return proba

    def reset(self):
        """Start another trial."""
        self._state = {
            one["name"]: np.zeros(one["shape"], dtype=one["dtype"]) for one in self.spec["state"]
        }
