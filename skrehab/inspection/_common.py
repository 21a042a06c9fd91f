"""What the Displays share: colours, axes, checks per frame, and the strip of labels over time."""

from dataclasses import dataclass

import numpy as np

from .._optional import require
from ..trials import labelled

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

# what a frame's label says, whatever the labels are called
IS_UNUSED, IS_NORMAL, IS_POSITIVE = -1, 0, 1


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


def check_per_frame(values, n_frames, name):
    """Return one value per frame of one trial as an array, or say what came instead."""
    values = np.asarray(values)
    if values.shape != (n_frames,):
        hint = " For a list with one trial pass its item [0]." if values.shape[:1] == (1,) else ""
        raise ValueError(
            f"{name} must hold one value for each of the trial's {n_frames} frames, "
            f"got shape {values.shape}.{hint}"
        )
    return values


def check_map(saliency_map, name="saliency_map"):
    """Return one trial's map (n_frames, n_landmarks) as floats, or say what came instead."""
    array = np.asarray(saliency_map, dtype=float)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} must have shape (n_frames, n_landmarks), got {array.shape}.")
    return array


def check_states(labels, n_frames, name, pos_label=None):
    """Turn one trial's frame labels into positive, normal and not used."""
    labels = check_per_frame(labels, n_frames, name)
    used = labelled(labels)
    positive = 1 if pos_label is None else pos_label
    states = np.full(n_frames, IS_UNUSED)
    states[used] = [IS_POSITIVE if label == positive else IS_NORMAL for label in labels[used]]
    if pos_label is None:
        strange = sorted({str(label) for label in labels[used] if label not in (0, 1)})
        if strange:
            raise ValueError(
                f"{name} holds {strange}, not only 0, 1 and -1 (not used): "
                "say which label is the positive one with pos_label."
            )
    return states


def check_frame_rate(frame_rate):
    """Return frames per second as a float, or None."""
    if frame_rate is None:
        return None
    if not (np.isscalar(frame_rate) and np.isfinite(frame_rate) and frame_rate > 0):
        raise ValueError(f"frame_rate must be frames per second, above 0; got {frame_rate!r}.")
    return float(frame_rate)


def positive_scores(estimator, trial, pos_label=None):
    """Ask a fitted frame classifier for one trial's positive-class probabilities.

    Returns the scores and the label they are about; None where the classes are not known.
    """
    proba = np.asarray(estimator.predict_proba([trial])[0], dtype=float)
    classes = list(getattr(estimator, "classes_", []))
    if pos_label is None:
        if proba.ndim != 2 or proba.shape[1] != 2:
            raise ValueError(
                f"predict_proba gave shape {proba.shape} for the trial, not (n_frames, 2). "
                f"With more than two classes pass pos_label, one of {classes}."
            )
        return proba[:, 1], (classes[1] if len(classes) == 2 else None)
    if pos_label not in classes:
        raise ValueError(f"pos_label={pos_label!r} is not one of the classes {classes}.")
    return proba[:, classes.index(pos_label)], pos_label


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


def runs(states):
    """Group equal neighbours: list of (first, count, state)."""
    states = np.asarray(states)
    starts = np.flatnonzero(np.r_[True, states[1:] != states[:-1]])
    counts = np.diff(np.r_[starts, len(states)])
    return [
        (int(start), int(count), int(states[start]))
        for start, count in zip(starts, counts, strict=True)
    ]


def state_style(state):
    """Return how a state is filled; not used is hatched, so that it is not colour alone."""
    return {
        IS_POSITIVE: {"facecolor": POSITIVE, "edgecolor": POSITIVE, "linewidth": 0},
        IS_NORMAL: {"facecolor": NORMAL, "edgecolor": NORMAL, "linewidth": 0},
        IS_UNUSED: {
            "facecolor": UNUSED,
            "edgecolor": MUTED,
            "hatch": "//////",
            "linewidth": 0,
        },
    }[state]


def state_handles(states, class_names):
    """Return the legend patches of the states that occur, positive first."""
    from matplotlib.patches import Patch

    names = {IS_POSITIVE: class_names[1], IS_NORMAL: class_names[0], IS_UNUSED: "not used"}
    seen = {int(state) for state in np.unique(np.concatenate(states))}
    handles = []
    for state, name in names.items():
        if state in seen:
            style = {**state_style(state), "linewidth": 0.6, "edgecolor": MUTED}
            handles.append(Patch(label=name, **style))
    return handles


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


# --- frames to draw -------------------------------------------------------------------------------
def choose_frames(frames, n_frames, *, name="frames", of="trial"):
    """Which frames to draw: evenly spread from the first to the last, or those that are named."""
    if np.ndim(frames) == 0:
        if frames != int(frames) or frames < 1:
            raise ValueError(f"{name} must be at least 1, or a list of frames; got {frames!r}.")
        if frames == 1:
            return np.array([n_frames // 2])
        return np.unique(np.linspace(0, n_frames - 1, int(frames)).round().astype(int))
    chosen = np.asarray(frames, dtype=int)
    wrong = [int(frame) for frame in chosen if not -n_frames <= frame < n_frames]
    if wrong or len(chosen) == 0:
        raise ValueError(f"{name} must lie in a {of} of {n_frames} frames, got {list(frames)}.")
    return chosen % n_frames
