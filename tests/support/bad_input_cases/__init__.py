"""Inputs as they come: damaged, odd, or wrong. Each case says what must become of it.

A case makes an item, uses it, and expects a right result, or an error that names the item. The
tests run every case, and benchmarks/bad_inputs.py counts what came of them.
"""

from bad_input_cases import batches, files, models, trials, videos
from bad_input_cases.case import Case, Outcome

__all__ = ["CASES", "Case", "Outcome"]

CASES = [case for part in (videos, batches, trials, files, models) for case in part.CASES]
