"""Colours of the Displays."""

__all__ = [
    "FAINT",
    "INK",
    "LEFT",
    "MUTED",
    "NORMAL",
    "NORMAL_TINT",
    "POSITIVE",
    "POSITIVE_TINT",
    "RIGHT",
    "UNUSED",
]

# Okabe and Ito's colours where two hues must be told apart, and a clear step in lightness wherever
# one of two states is the one to look at: both survive every colour blindness and a grey print.
INK = "#22303c"
MUTED = "#66727f"
FAINT = "#d5dbe1"
LEFT = "#0072b2"
RIGHT = "#e69f00"
POSITIVE = "#a8215c"
POSITIVE_TINT = "#f8e3ec"
NORMAL = "#a9c4d6"
NORMAL_TINT = "#eef4f8"
UNUSED = "#ffffff"
