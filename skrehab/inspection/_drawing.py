"""Axes, the time along them, and strips of states above them."""

from dataclasses import dataclass

import numpy as np

from .._optional import require
from ._colours import FAINT, INK, MUTED
from ._states import runs, state_style

__all__ = [
    "TimeAxis",
    "draw_strips",
    "figure_and_axes",
    "inset_above",
    "legend_below",
    "quiet",
]


def figure_and_axes(ax, figsize):
    """Take the axes given, or make a figure with one pair of axes."""
    if ax is not None:
        return ax.figure, ax
    require("matplotlib", None, "to draw a Display")
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize, layout="constrained")


def quiet(ax, *, grid=None):
    """Leave the left and bottom spine only, and an optional faint grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(MUTED)
    ax.tick_params(colors=MUTED, labelcolor=INK)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color=FAINT, linewidth=0.6)


@dataclass(frozen=True)
class TimeAxis:
    """Where each frame lies on the x axis: frame i is centred on i, or on i / frame_rate."""

    n_frames: int
    frame_rate: float | None

    @property
    def step(self):
        return 1 / self.frame_rate if self.frame_rate else 1.0

    @property
    def label(self):
        return "time (s)" if self.frame_rate else "frame"

    @property
    def centres(self):
        return np.arange(self.n_frames) * self.step

    @property
    def limits(self):
        return -0.5 * self.step, (self.n_frames - 0.5) * self.step

    def name(self, frame):
        """Say when a frame is, for a caption."""
        return f"{frame * self.step:.1f} s" if self.frame_rate else f"frame {frame}"


def inset_above(ax, points, *, gap=5.0, above=0.0):
    """Add axes of a given height over ``ax``, sharing its time axis.

    An inset keeps everything inside the axes the caller gave; heights are in points so that they
    look the same on small and large figures. ``above`` is what already stands there.
    """
    height = ax.get_window_extent().height * 72 / ax.figure.dpi
    box = [0.0, 1 + (gap + above) / height, 1.0, points / height]
    inset = ax.inset_axes(box, sharex=ax)
    inset.spines[:].set_visible(False)
    inset.tick_params(bottom=False, labelbottom=False, left=False, labelcolor=INK)
    return inset


def draw_strips(ax, strips, time, *, above=0.0):
    """Draw rows of coloured states over ``ax``: ``strips`` maps a row's name to its states."""
    from matplotlib.ticker import FixedFormatter, FixedLocator

    row = 15.0
    inset = inset_above(ax, row * len(strips), above=above)
    for position, states in enumerate(strips.values()):
        y = len(strips) - 1 - position
        for state in np.unique(states):
            spans = [
                ((first - 0.5) * time.step, count * time.step)
                for first, count, run in runs(states)
                if run == state
            ]
            inset.broken_barh(spans, (y + 0.12, 0.76), **state_style(int(state)))
    inset.set_ylim(0, len(strips))
    inset.yaxis.set_major_locator(FixedLocator(np.arange(len(strips))[::-1] + 0.5))
    inset.yaxis.set_major_formatter(FixedFormatter(list(strips)))
    return inset


def legend_below(ax, handles, **kwargs):
    """Put a one-row legend under the x label, where it can hide no data."""
    from matplotlib.transforms import ScaledTranslation

    below = ScaledTranslation(0, -36 / 72, ax.figure.dpi_scale_trans)
    return ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=ax.transAxes + below,
        borderaxespad=0,
        borderpad=0,
        ncols=max(len(handles), 1),
        frameon=False,
        fontsize="small",
        handlelength=1.4,
        handleheight=1.0,
        columnspacing=1.4,
        labelcolor=INK,
        **kwargs,
    )
