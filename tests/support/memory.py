"""Memory: the most that a program of its own took, and what a step leaves behind in this one."""

import sys
import tracemalloc

import pytest

# getrusage's ru_maxrss of a child begins with what the tests themselves had taken before
PEAK = """
def peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
"""
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def left_behind(push, start, stop, warm=100):
    """Bytes that ``push(start, stop)`` leaves behind, those of its first frames not counted."""
    tracemalloc.start()
    try:
        push(start, start + warm)
        before = tracemalloc.get_traced_memory()[0]
        push(start + warm, stop)
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
