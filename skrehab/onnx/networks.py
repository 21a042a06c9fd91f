"""Networks over whole trials, traced by torch."""

import copy
import io
import re
import warnings
from contextlib import contextmanager

import torch
from torch.onnx import symbolic_helper, symbolic_opset12

from skrehab.onnx.graph import OPSET
from skrehab.training.thinning import Thinned

__all__ = ["trace_network"]


class _OneTrial(torch.nn.Module):
    """A network on one trial of any length: probabilities, and of frames where it has them."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        # a tensor, so that it stays a variable of the graph; a number would be written down in it
        lengths = torch._shape_as_tensor(x)[:1]
        out = [self._probabilities(self.network(x[None], lengths))[0]]
        if hasattr(self.network, "frame_logits"):
            out.append(self._probabilities(self.network.frame_logits(x[None], lengths))[0])
        return tuple(out)

    @staticmethod
    def _probabilities(logits):
        if logits.shape[-1] == 1:  # one logit stands for the second of two classes
            logits = torch.cat([torch.zeros_like(logits), logits], dim=-1)
        return torch.softmax(logits, dim=-1)


class _ThinnedInOnnx(Thinned):
    """Thinned without branches on the number of frames, and without dividing what is below zero."""

    def _split(self, x, lengths):
        n, step = x.shape[0], self.step
        n_parts = (x.shape[1] + step - 1) // step
        x = torch.cat([x, x.new_zeros(n, step - 1, *x.shape[2:])], dim=1)[:, : n_parts * step]
        parts = x.reshape(n, -1, step, *x.shape[2:]).transpose(1, 2).flatten(0, 1)
        counts = (lengths[:, None] - torch.arange(step) + step - 1).div(step, rounding_mode="floor")
        return parts, counts.clamp(min=1).flatten(), (counts > 0).to(x.dtype)


def trace_network(network, shape, name, step=1):
    """Trace a network.

    Parameters
    ----------
    network : torch.nn.Module
        With the signature of :mod:`skrehab.networks.registry`.
    shape : (int, int)
        n_landmarks and n_coords.
    name : str
        What to call it in errors.
    step : int, default=1
        Frames from one that the network looks at to the next; see
        :mod:`skrehab.training.thinning`.

    Returns
    -------
    bytes
        The ONNX model: ``x`` (n_frames, n_landmarks, n_coords) to ``probabilities`` (n_classes,)
        and perhaps ``frame_probabilities`` (n_frames, n_classes).

    Raises
    ------
    TypeError
        If torch cannot write one of its operators in ONNX.
    """
    whole = copy.deepcopy(network).cpu().eval()
    one = _OneTrial(whole if step == 1 else _ThinnedInOnnx(whole, step)).eval()
    names = ["probabilities"]
    if hasattr(network, "frame_logits"):
        names.append("frame_probabilities")
    frames = {key: {0: "n_frames"} for key in ("x", *names[1:])}
    example = torch.linspace(-1, 1, 41 * shape[0] * shape[1]).reshape(41, *shape)
    out = io.BytesIO()
    try:
        with warnings.catch_warnings(), _more_operators(), torch.no_grad():
            # it warns of its age, and of sizes that it takes for constants: parity is checked
            warnings.simplefilter("ignore")
            torch.onnx.export(
                one,
                (example,),
                out,
                dynamo=False,
                opset_version=OPSET,
                input_names=["x"],
                output_names=names,
                dynamic_axes=frames,
            )
    except Exception as error:  # its errors have no common base
        reason = str(error).strip().partition("\n")[0][:200]
        raise TypeError(f"{name} has no form in ONNX: {reason}") from error
    return out.getvalue()


# --- operators that torch's tracer does not know --------------------------------------------------
def _transpose(g, x):
    """Exchange the last two axes: tensor.mT."""
    rank = x.type().dim()
    axes = [*range(rank - 2), rank - 1, rank - 2]
    return g.op("Transpose", x, perm_i=axes)


_MATRIX = re.compile(r"(\w)(\w),(\w*)\2(\w)->\3\1\4")


def _einsum(g, equation, tensors, path=None):
    """Write products with a matrix as such: onnxruntime dies of an Einsum over nothing.

    Trials without scores come to that where their skeleton is converted.
    """
    text = symbolic_helper._maybe_get_const(equation, "s").replace(" ", "")
    if _MATRIX.fullmatch(text):
        return g.op("MatMul", *symbolic_helper._unpack_list(tensors))
    return symbolic_opset12.einsum(g, equation, tensors, path)


@symbolic_helper.parse_args("v", "i", "i", "i")
def _unfold(g, x, dimension, size, step):
    """Cut windows of a length that is known from an axis of a length that is not."""

    def integers(*values):
        return g.op("Constant", value_t=torch.tensor(values))

    windows = []
    for i in range(size):
        # the i-th place of every window; the last window must fit
        end = i - size + 1 or torch.iinfo(torch.int64).max
        where = [integers(v) for v in (i, end, dimension, step)]
        windows.append(g.op("Unsqueeze", g.op("Slice", x, *where), integers(-1)))
    return g.op("Concat", *windows, axis_i=-1)


@contextmanager
def _more_operators():
    """Teach the tracer, and leave it as it was."""
    added = {"aten::mT": _transpose, "aten::unfold": _unfold, "aten::einsum": _einsum}
    log = torch._C._jit_onnx_log
    torch._C._jit_onnx_log = lambda *_: None  # it prints whole graphs when it fails
    for name, symbolic in added.items():
        torch.onnx.register_custom_op_symbolic(name, symbolic, OPSET)
    try:
        yield
    finally:
        for name in added:
            torch.onnx.unregister_custom_op_symbolic(name, OPSET)
        torch._C._jit_onnx_log = log
