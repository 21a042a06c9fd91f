"""Import torchvision's video models, also beside a CPU build of torch."""

import importlib

import torch

from skrehab._optional import require

__all__ = ["mend_torchvision", "picture_changes", "video_models"]

_SCHEMAS = []  # torch forgets a definition when its Library object goes


def mend_torchvision():
    """Let a torchvision whose compiled half does not load be imported all the same.

    PyPI's torchvision is built for CUDA. Beside a CPU build of torch its library of operators does
    not load, its import dies of "operator torchvision::nms does not exist", and takes the import of
    transformers and timm with it. Naming the two operators that its Python half asks for is enough:
    nothing in a video model calls them, and whoever does still gets an error. A torchvision that
    works, that is broken in another way, or that is not there, is left alone.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            return
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _SCHEMAS.append(library)
    except Exception:  # whoever needs it will say how it is broken
        return


def video_models():
    """Import torchvision's video models or say how to get them.

    Returns
    -------
    module
        ``torchvision.models.video``.

    Raises
    ------
    ImportError
        If torchvision is missing or broken; the message names the extra ``video``.
    """
    mend_torchvision()
    return require("torchvision.models.video", "video", "to build this network")


def picture_changes():
    """Import torchvision's functions that cut, flip and colour pictures, or say how to get them.

    Returns
    -------
    module
        ``torchvision.transforms.v2.functional``.

    Raises
    ------
    ImportError
        If torchvision is missing or broken; the message names the extra ``video``.
    """
    mend_torchvision()
    return require("torchvision.transforms.v2.functional", "video", "to change pictures")
