"""Checks of how many and how large: what a maker of data is asked for."""

from numbers import Integral, Real

import numpy as np

__all__ = ["check_frame_rate", "check_whole"]


def check_whole(low, **values):
    """Refuse what is no whole number of at least ``low``, by its name."""
    for name, value in values.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
            raise ValueError(f"{name} must be a whole number of at least {low}, got {value!r}.")


def check_frame_rate(frame_rate):
    """Refuse what is no number of frames per second of at least 1."""
    if not isinstance(frame_rate, Real) or not 1 <= frame_rate < np.inf:
        raise ValueError(f"frame_rate must be at least 1 frame per second, got {frame_rate!r}.")
