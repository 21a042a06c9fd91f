"""Inputs as they come: damaged, odd, or wrong. Each case says what must become of it.

A case makes an item, uses it, and expects a right result, or an error that names the item. The
tests run every case, and benchmarks/bad_inputs.py counts what came of them.
"""

from bad_input_cases import (
    batches,
    clips,
    files,
    habits,
    label_owners,
    labels,
    learning,
    manifest_options,
    manifests,
    models,
    programs,
    sequences,
    streams,
    trials,
    videos,
)
from bad_input_cases.case import Case, Outcome

__all__ = ["CASES", "Case", "Outcome"]

_PARTS = (
    *(videos, streams, batches, trials, files, programs, sequences, labels, label_owners),
    *(manifests, manifest_options, models, clips, learning, habits),
)
CASES = [case for part in _PARTS for case in part.CASES]
