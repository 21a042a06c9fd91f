"""ClipTimeline: what is done when in a longer video, how often, and how fast."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skrehab._written import written
from skrehab.formats._spreadsheet import put_rows

from ._colours import INK, MUTED
from ._drawing import figure_and_axes, quiet
from ._sliding import find_actions, frame_probabilities, slide

__all__ = ["Action", "ClipTimeline"]

MOVED = "Transport with Object"  # of StrokeVision-Bench: a block is carried over the partition
_COLOURS = ("#a9c4d6", "#e69f00", "#a8215c", "#0072b2", "#009e73", "#66727f")


class Action(NamedTuple):
    """One action of a video.

    Parameters
    ----------
    start, stop : float
        Seconds.
    label : object
        Its class.
    probability : float
        Mean probability of that class over its frames.

    Examples
    --------
    >>> from skrehab.inspection import Action
    >>> action = Action(1.0, 2.5, "Grasping", 0.9)
    >>> action.stop - action.start
    1.5
    """

    start: float
    stop: float
    label: object
    probability: float


@dataclass(kw_only=True, eq=False, repr=False)
class ClipTimeline:
    """Actions of a video, from a classifier of clips that is slid over it.

    Made for the Box and Block Test: a classifier of clips of its four actions, a video of its
    minute, and out comes how many blocks were moved, and how many seconds each took. Create it with
    :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    times : ndarray of shape (n_frames,)
        Of each frame, in seconds.
    proba : ndarray of shape (n_frames, n_classes)
        Probability of each class in each frame.
    classes : list
        Labels of the columns.
    actions : list of Action
        What is done when, without gaps.
    counted : label or None
        The class whose actions are counted.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it is drawn, after :meth:`plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import ClipTimeline
    >>> proba = np.eye(2)[np.repeat([0, 1, 0, 1, 0], 20)]
    >>> timeline = ClipTimeline.from_predictions(
    ...     proba, np.arange(100) / 10, classes=["rest", "moves"], counted="moves"
    ... )
    >>> timeline.count, timeline.seconds_each
    (2, 4.0)
    >>> [(action.start, action.label) for action in timeline.actions][:2]
    [(0.0, 'rest'), (2.0, 'moves')]
    """

    times: np.ndarray
    proba: np.ndarray
    classes: list
    actions: list
    counted: object = None

    @classmethod
    def from_estimator(
        cls,
        classifier,
        video,
        *,
        window=1.0,
        step=0.2,
        min_seconds=0.4,
        counted=None,
        frame_rate=None,
        progress=None,
    ):
        """Slide a classifier over a video.

        Parameters
        ----------
        classifier : VideoClassifier or other estimator
            Fitted on clips; its ``predict_proba`` takes a list of such.
        video : path-like or ndarray of shape (n_frames, ...)
            A video file or its frames, for a network over pixels; a pose for one over poses.
        window : float, default=1.0
            Seconds of a clip, as long as those it was trained on.
        step : float, default=0.2
            Seconds from one clip to the next.
        min_seconds : float, default=0.4
            Shortest action: a shorter run of frames goes to the neighbour that its frames speak
            for more.
        counted : label, optional
            Class whose actions are counted; None is ``"Transport with Object"`` where there is such
            a class, else nothing is counted.
        frame_rate : float, optional
            Frames a second of an array.
        progress : callable, optional
            Called with the number of frames done.

        Returns
        -------
        ClipTimeline
            The actions.

        Raises
        ------
        ValueError
            If a number is not above 0, an array has no frame rate, or no class is called `counted`.
        skrehab.pose.VideoError
            If a file cannot be read.
        """
        for name, value in (("window", window), ("step", step)):
            if not value > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {value!r}.")
        if not hasattr(classifier, "classes_"):
            raise ValueError(f"{type(classifier).__name__} says no classes_: fit it first.")
        times, starts, length, proba = slide(
            *(classifier, video),
            window=window,
            step=step,
            frame_rate=frame_rate,
            progress=progress,
        )
        return cls.from_predictions(
            frame_probabilities(proba, starts, length, len(times)),
            times,
            classes=np.asarray(classifier.classes_).tolist(),
            min_seconds=min_seconds,
            counted=counted,
        )

    @classmethod
    def from_predictions(cls, proba, times, *, classes, min_seconds=0.4, counted=None):
        """Take probabilities of frames that were predicted before.

        Parameters
        ----------
        proba : array-like of shape (n_frames, n_classes)
            Probability of each class in each frame.
        times : array-like of shape (n_frames,)
            In seconds, rising.
        classes : sequence
            Labels of the columns.
        min_seconds, counted
            As of :meth:`from_estimator`.

        Returns
        -------
        ClipTimeline
            The actions.

        Raises
        ------
        ValueError
            If shapes do not fit, times do not rise, or no class is called `counted`.
        """
        proba, times = np.asarray(proba, dtype=float), np.asarray(times, dtype=float)
        classes = list(classes)
        if proba.ndim != 2 or proba.shape != (len(times), len(classes)) or not len(times):
            raise ValueError(
                f"proba must have shape (n_frames, n_classes), here ({len(times)}, "
                f"{len(classes)}), got {proba.shape}."
            )
        if not np.isfinite(proba).all() or not (np.diff(times) > 0).all():
            raise ValueError("proba must be finite numbers, and times must rise.")
        if counted is None and MOVED in classes:
            counted = MOVED
        if counted is not None and counted not in classes:
            raise ValueError(f"counted={counted!r} is not among the classes {classes}.")
        frame = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
        ends = [*times, times[-1] + frame]
        actions = [
            Action(float(ends[a]), float(ends[b]), classes[c], float(proba[a:b, c].mean()))
            for a, b, c in find_actions(proba, times, min_seconds)
        ]
        return cls(times=times, proba=proba, classes=classes, actions=actions, counted=counted)

    @property
    def blocks(self):
        """Actions that are counted."""
        return [action for action in self.actions if action.label == self.counted]

    @property
    def count(self):
        """How many actions are counted: blocks moved; None where no class is."""
        return None if self.counted is None else len(self.blocks)

    @property
    def seconds(self):
        """Seconds from the end of one counted action to that of the next, (count - 1,)."""
        return np.diff([action.stop for action in self.blocks])

    @property
    def seconds_each(self):
        """Median of `seconds`; nan with fewer than two counted actions."""
        return float(np.median(self.seconds)) if len(self.seconds) else float("nan")

    def to_csv(self, path):
        """Write a row for each action: times, label, probability, and the count so far.

        Parameters
        ----------
        path : path-like
            The table; what is there is replaced.
        """
        rows = [["action", "start_s", "stop_s", "label", "probability", "count", "seconds"]]
        done, last = 0, None
        for number, action in enumerate(self.actions, start=1):
            spent = ""
            if self.counted is not None and action.label == self.counted:
                spent = "" if last is None else f"{action.stop - last:.3f}"
                done, last = done + 1, action.stop
            times = f"{action.start:.3f}", f"{action.stop:.3f}"
            so_far = "" if self.counted is None else done
            row = [number, *times, str(action.label), f"{action.probability:.4f}", so_far, spent]
            rows.append(row)
        with written(path, text=True) as file:
            put_rows(file, rows)

    def plot(self, ax=None):
        """Draw the actions over time, one line a class, and the count as it grows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ClipTimeline
            Itself.
        """
        figure, ax = figure_and_axes(ax, (9.0, 1.2 + 0.42 * len(self.classes)))
        for i, label in enumerate(self.classes):
            spans = [(a.start, a.stop - a.start) for a in self.actions if a.label == label]
            colour = _COLOURS[i % len(_COLOURS)]
            ax.broken_barh(spans, (i - 0.38, 0.76), facecolor=colour, edgecolor="white")
        if self.counted is not None:
            row = self.classes.index(self.counted)
            for number, action in enumerate(self.blocks, start=1):
                middle = (action.start + action.stop) / 2
                ax.text(middle, row, str(number), ha="center", va="center", fontsize=7, color=INK)
            title = f"{self.count} of {self.counted!r}"
            if len(self.seconds):
                title += f", {self.seconds_each:.2f} s each (median)"
            ax.set_title(title, fontsize=10, color=INK, loc="left")
        ax.set_yticks(range(len(self.classes)), [str(label) for label in self.classes])
        ax.set_ylim(len(self.classes) - 0.5, -0.5)
        ax.set_xlim(self.times[0], self.actions[-1].stop)
        ax.set_xlabel("time (s)", color=MUTED)
        quiet(ax, grid="x")
        self.ax_, self.figure_ = ax, figure
        return self
