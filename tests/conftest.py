"""Fixtures every test may use."""

import os
import pathlib
import subprocess
import sys

import pytest

# before torch starts its threads: two threads on two shared cores are up to 40 times slower
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # tests import onnxruntime themselves, and report nothing

pytest.register_assert_rewrite("checks", "family_checks", "small_networks", "surrounding_checks")

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"


def pytest_configure(config):
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def tiny():
    """Sixteen ragged trials of four patients; see tests/support/instances.py."""
    from instances import tiny_trials

    return tiny_trials()


@pytest.fixture
def shared():
    """Folder of real data beside the checkout; the test is skipped where it is absent."""
    if not SHARED.exists():
        pytest.skip(f"needs real data in {SHARED}")
    return SHARED


@pytest.fixture
def run_python():
    """Run code in a fresh interpreter and return what it prints; its errors fail the test."""

    def run(code, *arguments, cwd=None, seconds=240):
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            # less than a test has: the error then says what the program printed
            timeout=float(os.environ.get("SKREHAB_TEST_SECONDS", seconds)),
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
