"""Models as ONNX files, which run without Python: in a browser, on a phone, in other programs.

:func:`export_onnx` writes a fitted model, :class:`OnnxModel` and :class:`OnnxStream` run one here.
Names are loaded on first use.

What a step of a pipeline does is written by hand, as a few operators; networks over whole trials
are traced by torch. A transformer of your own takes part if it has

* ``_to_onnx(graph, x)``: add what it does to a trial, float32 (n_frames, n_landmarks, n_coords),
  and return the result's name; see :class:`skrehab.onnx.graph.Graph`;
* ``_to_onnx_stream(graph, frame)``: the same for one frame, with ``graph.state(...)`` for what is
  remembered.
"""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "OnnxModel": "runtime",
        "OnnxStream": "runtime",
        "export_onnx": "export",
    },
)
