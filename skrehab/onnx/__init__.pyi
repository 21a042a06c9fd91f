# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.onnx.runtime import OnnxModel as OnnxModel
from skrehab.onnx.runtime import OnnxStream as OnnxStream
from skrehab.onnx.export import export_onnx as export_onnx
