"""Memory that a piece of work takes at most, above what the process held before (Linux only)."""

import ctypes
import gc

__all__ = ["held", "peak", "restart_peak"]


def _status(key):
    """Kilobytes of this process, by the name that the kernel gives them."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key))


def restart_peak():
    """Give back what earlier work left behind, which hides what comes; the peak counts anew."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def held():
    """Kilobytes that this process holds now."""
    return _status("VmRSS")


def peak():
    """Kilobytes that this process held at most since the peak was started again."""
    return _status("VmHWM")
