"""Positive, normal or not used: what a frame's label says, and how each is drawn."""

import numpy as np

from ..trials import labelled
from ._checks import check_per_frame
from ._colours import MUTED, NORMAL, POSITIVE, UNUSED

__all__ = [
    "CLASS_NAMES",
    "IS_NORMAL",
    "IS_POSITIVE",
    "IS_UNUSED",
    "check_states",
    "runs",
    "state_handles",
    "state_style",
]

CLASS_NAMES = ("normal", "compensation")  # of the negative and the positive class

# what a frame's label says, whatever the labels are called
IS_UNUSED, IS_NORMAL, IS_POSITIVE = -1, 0, 1


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


def runs(states):
    """Group equal neighbours: list of (first, count, state)."""
    states = np.asarray(states)
    starts = np.flatnonzero(np.r_[True, states[1:] != states[:-1]])
    counts = np.diff(np.r_[starts, len(states)])
    return [
        (int(start), int(count), int(states[start]))
        for start, count in zip(starts, counts, strict=True)
    ]
