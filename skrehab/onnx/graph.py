"""A small builder of ONNX graphs: values are names, and each call adds one operator."""

from typing import NamedTuple

import numpy as np

from skrehab._optional import require

__all__ = ["OPSET", "Graph", "State"]

OPSET, _IR_VERSION = 17, 8  # of 2022: old runtimes on phones read it too
_PURPOSE = "to write ONNX files"


class State(NamedTuple):
    """What a stream remembers from one frame to the next.

    Parameters
    ----------
    name : str
        Name of the input; the output is called ``NAME_out``.
    shape : tuple of int
        Its shape.
    meaning : str
        What it is, for people.
    """

    name: str
    shape: tuple
    meaning: str


class Graph:
    """An ONNX graph under construction.

    Attributes
    ----------
    first_frame : str or None
        In a stream: name of a boolean that is true for the first frame of a trial. State is not to
        be trusted then: it may hold anything, zeros for example.
    states : list of (State, str)
        In a stream: what is remembered, and the name of its new value.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.onnx.graph import Graph
    >>> graph = Graph()
    >>> twice = graph.add("Mul", "x", graph.constant(np.float32(2)))
    >>> model = graph.build([("x", "float32", [None, 3])], [("y", twice, "float32", [None, 3])])
    >>> [node.op_type for node in model.graph.node]
    ['Mul', 'Identity']
    """

    def __init__(self):
        self._onnx = require("onnx", "onnx", _PURPOSE)
        self._nodes, self._constants = [], []
        self.first_frame, self.states = None, []

    def constant(self, value):
        """Add a constant.

        Parameters
        ----------
        value : array-like
            Its type is kept.

        Returns
        -------
        str
            Its name.
        """
        name = f"c{len(self._constants)}"
        array = np.array(value, order="C")
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, operator, *inputs, **attributes):
        """Add an operator with one output.

        Parameters
        ----------
        operator : str
            Name of the operator in ONNX.
        *inputs : str
            Names of its inputs.
        **attributes : dict
            Its attributes.

        Returns
        -------
        str
            Name of the output.
        """
        name = f"v{len(self._nodes)}"
        node = self._onnx.helper.make_node(operator, inputs, [name], **attributes)
        self._nodes.append(node)
        return name

    def cast(self, value, dtype):
        """Convert to another type.

        Parameters
        ----------
        value : str
            Name of a value.
        dtype : str
            NumPy's name of the type.

        Returns
        -------
        str
            Name of the result.
        """
        return self.add("Cast", value, to=self._type(dtype))

    def state(self, shape, meaning):
        """Remember something from one frame to the next.

        Parameters
        ----------
        shape : tuple of int
            Its shape; it is float32.
        meaning : str
            What it is, for people.

        Returns
        -------
        State
            What was remembered; give `remember` its new value. At the first frame of a trial it
            reads NaN everywhere, whatever came in.
        """
        state = State(f"state_{len(self.states)}", tuple(shape), meaning)
        self.states.append([state, None])
        return state

    def recall(self, state):
        """Read what was remembered, NaN at the first frame of a trial.

        Parameters
        ----------
        state : State
            From `state`.

        Returns
        -------
        str
            Name of the value.
        """
        nothing = self.constant(np.float32(np.nan))
        return self.add("Where", self.first_frame, nothing, state.name)

    def remember(self, state, value):
        """Say what is remembered for the next frame.

        Parameters
        ----------
        state : State
            From `state`.
        value : str
            Name of the new value.
        """
        next(entry for entry in self.states if entry[0] == state)[1] = value

    def build(self, inputs, outputs):
        """Finish the model.

        Parameters
        ----------
        inputs : list of (str, str, list)
            Name, type and shape; None in a shape is any size.
        outputs : list of (str, str, str, list)
            Name, name of the value, type and shape.

        Returns
        -------
        onnx.ModelProto
            The model.
        """
        helper = self._onnx.helper
        nodes = [
            *self._nodes,
            *(helper.make_node("Identity", [value], [name]) for name, value, *_ in outputs),
        ]
        graph = helper.make_graph(
            nodes,
            "skrehab",
            [self._info(name, dtype, shape) for name, dtype, shape in inputs],
            [self._info(name, dtype, shape) for name, _, dtype, shape in outputs],
            self._constants,
        )
        return helper.make_model(
            graph,
            producer_name="skrehab",
            ir_version=_IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )

    def _type(self, dtype):
        return self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def _info(self, name, dtype, shape):
        sizes = ["n_frames" if size is None else size for size in shape]
        return self._onnx.helper.make_tensor_value_info(name, self._type(dtype), sizes)
