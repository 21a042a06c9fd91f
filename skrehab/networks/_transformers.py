"""Import transformers, also beside a torchvision that does not fit the installed torch."""

import importlib
import importlib.util

import torch

from skrehab._optional import require

__all__ = ["import_transformers"]

_SCHEMAS = []  # torch forgets a definition when its Library object goes


def _mend_torchvision():
    """Let a torchvision whose compiled half does not load be imported all the same.

    PyPI's torchvision is built for CUDA; beside a CPU build of torch its library of operators does
    not load, and its import, hence that of transformers, dies of "operator torchvision::nms does
    not exist". Naming the two operators that its Python half asks for is enough; both still refuse
    to run. A torchvision that works, or is not there, is left alone.
    """
    if importlib.util.find_spec("torchvision") is None:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            return
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _SCHEMAS.append(library)
    except Exception:  # broken in another way: transformers will say how
        return


def import_transformers(purpose):
    """Import transformers or say how to get it.

    Parameters
    ----------
    purpose : str
        What it is needed for, as the end of "transformers is needed ".

    Returns
    -------
    module
        The package.

    Raises
    ------
    ImportError
        If it cannot be imported.
    """
    _mend_torchvision()
    return require("transformers", "moment", purpose)
