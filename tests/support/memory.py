"""The most memory that a program of its own took, as code for the fixture ``run_python``."""

import sys

import pytest

# getrusage's ru_maxrss of a child begins with what the tests themselves had taken before
PEAK = """
def peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
"""
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
