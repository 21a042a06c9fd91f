"""What every reader of interval labels returns, and which recording is asked for."""

from itertools import pairwise
from typing import NamedTuple

from skrehab.formats._names import SeveralRecordings, UnknownRecording, matching


class Annotation(NamedTuple):
    """One labelled interval and where it stands."""

    start: float  # seconds
    stop: float
    label: str
    tier: str = ""  # ELAN's tier, BORIS's subject
    recordings: tuple = ()  # names under which its video may be asked for
    where: str = ""  # its place in the file, for errors


def one_of_several(known, recording):
    """Choose among recordings, each a tuple of its names, the best one to show first.

    Parameters
    ----------
    known : iterable of tuple of str
        Names of each recording.
    recording : str or None
        What is asked for: a name, a path, or a file's name without its ending. None will do where
        there is one recording.

    Returns
    -------
    tuple of str
        Names of the chosen one.

    Raises
    ------
    ValueError
        If there is no such recording, or none is asked for and there are several.
    """
    known = list(dict.fromkeys(known))
    shown = sorted({names[0] if names else "" for names in known})[:10]
    if recording is None:
        if len(known) > 1:
            raise SeveralRecordings(
                f"it holds {len(known)} recordings, so pass recording=, one of {shown}"
            )
        return known[0] if known else ()
    found = matching(str(recording), known)
    if len(found) > 1:
        several = sorted(names[0] for names in found)
        raise ValueError(
            f"{recording!r} names {len(found)} recordings, so pass recording=, one of {several}"
        )
    if not found:
        raise UnknownRecording(f"there is no recording {recording!r}; there are {shown}")
    return found[0]


def only_recording(found, recording):
    """Keep the annotations of one recording."""
    if not found:
        return found
    names = one_of_several((one.recordings for one in found), recording)
    return [one for one in found if one.recordings == names]


def same_tier_overlap(intervals):
    """Return the first two intervals that overlap, or None."""
    ordered = sorted(intervals)
    for one, other in pairwise(ordered):
        if other[0] < one[1]:
            return one, other
    return None
