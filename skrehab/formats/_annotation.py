"""What every reader of interval labels returns."""

from itertools import pairwise
from typing import NamedTuple


class Annotation(NamedTuple):
    """One labelled interval and where it stands."""

    start: float  # seconds
    stop: float
    label: str
    tier: str = ""  # ELAN's tier, BORIS's subject
    recordings: tuple = ()  # names under which its video may be asked for
    where: str = ""  # its place in the file, for errors


def same_tier_overlap(intervals):
    """Return the first two intervals that overlap, or None."""
    ordered = sorted(intervals)
    for one, other in pairwise(ordered):
        if other[0] < one[1]:
            return one, other
    return None
