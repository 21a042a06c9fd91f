"""Times in files: in which unit they are, and clocks like 01:02:03.5."""

import re
import warnings

import numpy as np

from skrehab.formats._bounds import quoted

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_WORDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "usec", "µs", "μs", "micros", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanosecond", "nanoseconds"), "ns"),
}
_TITLE = re.compile(r"(time ?stamps?|times?|t|seconds)(?:[ _.\-]*[\[(]?([a-zµμ]+)[\])]?)?", re.I)
_CLOCK = re.compile(r"([+-])?(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)", re.ASCII)


def time_unit(title):
    """The unit that a title of times says, "" where it says none; None for other titles."""
    match = _TITLE.fullmatch(title.strip())
    if not match or (match[1].lower() == "t" and not match[2]):
        return None
    if match[1].lower() == "seconds":
        return None if match[2] else "s"
    return _WORDS.get(match[2].lower()) if match[2] else ""


def seconds(times, unit=""):
    """Turn times of frames into seconds.

    Without a unit, steps tell: nobody films one picture in four seconds or more, but 1 to 250 a
    second in milli-, micro- or nanoseconds.

    Parameters
    ----------
    times : ndarray of shape (n_frames,)
        Rising times.
    unit : {"s", "ms", "us", "ns", ""}, default=""
        What the file says of its unit.

    Returns
    -------
    ndarray of shape (n_frames,)
        Seconds; a guess at the unit brings a warning.

    Raises
    ------
    ValueError
        If steps are those of no unit.
    """
    times = np.asarray(times, dtype=float)
    if unit:
        return times if unit == "s" else times * _UNITS[unit]
    if len(times) < 2:
        return times
    step = float(np.median(np.diff(times)))
    if not step >= 1:  # also NaN, which others refuse
        return times
    if step < 4:
        warnings.warn(
            f"times rise by {step:g} from frame to frame and are taken as seconds. If they are "
            "frame numbers, call their column 'frame'; if they have another unit, call it "
            "'time_ms'.",
            UserWarning,
            stacklevel=2,
        )
        return times
    for unit in ("ms", "us", "ns"):
        if 4e-3 <= step * _UNITS[unit] <= 1:
            warnings.warn(
                f"times rise by {step:g} from frame to frame: they are taken as {unit}, not as "
                f"seconds. Call their column 'time_{unit}' to say so.",
                UserWarning,
                stacklevel=2,
            )
            return times * _UNITS[unit]
    raise ValueError(
        f"its times rise by {step:g} from frame to frame, which are no seconds of a video; say the "
        "unit in the title of their column: time_s, time_ms, time_us or time_ns"
    )


def read_clock(text, where, decimal_comma=False):
    """Read seconds, or a clock with minutes, and perhaps hours and a sign."""
    match = _CLOCK.fullmatch(text.strip())
    if match:
        sign, hours, minutes, rest = match.groups()
        value = 3600 * int(hours or 0) + 60 * int(minutes) + float(rest.replace(",", "."))
        return -value if sign == "-" else value
    try:
        return float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        raise ValueError(f"{where}: {quoted(text)} is no time") from None
