"""What the caller has set in torch and numpy, kept out of what runs here.

A default dtype or device, autocast, inference mode, numpy's floating point errors raised: all are
common in notebooks, and none was meant for this package. What is set for all threads of a process
is counted, so that the first to come in sets it and the last to leave puts it back.
"""

import sys
import threading
from contextlib import ExitStack, contextmanager

import numpy as np

__all__ = ["Counted", "check_device", "on_device", "own_surroundings", "predicting", "ready"]


class Counted:
    """A context manager around a setting of the whole process, safe from threads.

    Parameters
    ----------
    get : callable
        Tells the setting.
    put : callable
        Sets it.
    value : object
        What it is to be inside.

    Examples
    --------
    >>> from skrehab._surroundings import Counted
    >>> settings = {"dtype": "double"}
    >>> single = Counted(lambda: settings["dtype"], lambda v: settings.update(dtype=v), "single")
    >>> with single, single:
    ...     print(settings)
    {'dtype': 'single'}
    >>> settings
    {'dtype': 'double'}
    """

    def __init__(self, get, put, value):
        self.get, self.put, self.value = get, put, value
        self.lock, self.inside = threading.Lock(), 0

    def __enter__(self):
        with self.lock:
            if self.inside == 0:
                self.before = self.get()
                if self.before != self.value:
                    self.put(self.value)
            self.inside += 1

    def __exit__(self, *error):
        with self.lock:
            self.inside -= 1
            if self.inside == 0 and self.before != self.value:
                self.put(self.before)


def _torch():
    return sys.modules["torch"]


_SINGLE = Counted(
    lambda: str(_torch().get_default_dtype()),
    lambda name: _torch().set_default_dtype(getattr(_torch(), name.removeprefix("torch."))),
    "torch.float32",
)


@contextmanager
def own_surroundings():
    """Run a block as if the caller had set nothing: float32, cpu, gradients, no autocast.

    Yields
    ------
    None
    """
    with ExitStack() as stack:
        # as numpy has it by itself
        stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        torch = sys.modules.get("torch")
        if torch is not None:
            stack.enter_context(_SINGLE)
            if torch.empty(0).device.type != "cpu":  # costs each call, so only where it is needed
                stack.enter_context(torch.device("cpu"))
            if torch.is_inference_mode_enabled():
                stack.enter_context(torch.inference_mode(False))
            if not torch.is_grad_enabled():
                stack.enter_context(torch.enable_grad())
            for kind in ("cpu", "cuda"):
                if torch.is_autocast_enabled(kind):
                    stack.enter_context(torch.autocast(kind, enabled=False))
        yield


def check_device(device):
    """Validate a torch device.

    Parameters
    ----------
    device : str or None
        Device; None is not checked, nor anything where torch has not been imported.

    Raises
    ------
    ValueError
        If torch does not know it, or this machine has none of it.

    Examples
    --------
    >>> import torch
    >>> from skrehab._surroundings import check_device
    >>> check_device("cpu")
    >>> check_device("banana")
    Traceback (most recent call last):
        ...
    ValueError: device='banana' is not known to torch: it takes 'cpu', 'cuda', 'cuda:1' or 'mps'.
    """
    torch = sys.modules.get("torch")
    if torch is None or device is None:
        return
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError, ValueError):
        raise ValueError(
            f"device={device!r} is not known to torch: it takes 'cpu', 'cuda', 'cuda:1' or 'mps'."
        ) from None
    if wanted.type == "cuda":
        n = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (wanted.index or 0) >= n:
            why = f"only {n} GPU(s)" if n else "no GPU that this torch can use"
            raise ValueError(
                f"device={device!r} cannot be used: there is {why}. Take device='cpu'"
                + (", or a torch built for CUDA." if n == 0 else f" or 'cuda:0' to 'cuda:{n - 1}'.")
            )
    elif wanted.type == "mps":
        if not torch.backends.mps.is_available():
            raise ValueError(
                f"device={device!r} cannot be used: there is no Apple GPU that this torch can use. "
                "Take device='cpu'."
            )
    elif wanted.type != "cpu":
        try:
            torch.empty(1, device=wanted).cpu()
        except Exception:  # what torch raises depends on the device
            raise ValueError(
                f"device={device!r} cannot be used on this machine. Take device='cpu'."
            ) from None


_MOVING = threading.RLock()


def on_device(module, device):
    """Put a network on a device, unless it is there: then it is not touched.

    Moving rebuilds what recurrent networks hold, under the hands of other threads that use them.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    device : str
        Torch device.

    Returns
    -------
    torch.nn.Module
        The same.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    torch = sys.modules["torch"]
    check_device(device)
    wanted = torch.device(device)
    if wanted.type != "cpu":
        wanted = torch.empty(0, device=device).device  # with its number
    with _MOVING:
        if any(one.device != wanted for one in (*module.parameters(), *module.buffers())):
            module.to(wanted)
    return module


def ready(module, device):
    """Put a network on a device and into evaluation mode, unless it is.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    device : str
        Torch device.

    Returns
    -------
    torch.nn.Module
        The same.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    on_device(module, device)
    with _MOVING:
        if any(one.training for one in module.modules()):
            module.eval()
    return module


@contextmanager
def predicting(module, device):
    """Run a block that predicts: in own surroundings, on its device, without gradients.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    device : str
        Torch device.

    Yields
    ------
    torch.nn.Module
        The same, in evaluation mode.
    """
    torch = sys.modules["torch"]
    with own_surroundings():
        ready(module, device)
        with torch.inference_mode():
            yield module
