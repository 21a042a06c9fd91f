"""FrameTimelineDisplay: one trial over time."""

from dataclasses import dataclass

import numpy as np

from ._checks import check_frame_rate, check_per_frame, positive_scores
from ._colours import FAINT, INK, MUTED, POSITIVE
from ._drawing import TimeAxis, draw_strips, figure_and_axes, legend_below, quiet
from ._states import CLASS_NAMES, check_states, state_handles

__all__ = ["FrameTimelineDisplay"]


@dataclass(kw_only=True, eq=False, repr=False)
class FrameTimelineDisplay:
    """One trial over time: frame probabilities, pseudo-labels and truth.

    The curve is the probability of the positive class in each frame and breaks where a frame has
    none (NaN). Above it stand the pseudo-labels and the truth, where they were given.
    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    frame_scores : ndarray of shape (n_frames,)
        Probability of the positive class, in [0, 1].
    pseudo_states, frame_states : ndarray of shape (n_frames,), default=None
        Pseudo-labels and truth: 1 positive, 0 normal, -1 not used.
    frame_rate : float, default=None
        Frames per second; without it the x axis counts frames.
    threshold : float or None, default=0.5
        From where on a frame counts as positive.
    class_names : (str, str), default=("normal", "compensation")
        What to call the negative and the positive class.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it is drawn.
    line_ : matplotlib Line2D
        The curve.
    threshold_line_ : matplotlib Line2D or None
        The threshold.
    strip_ax_ : matplotlib Axes or None
        Axes of pseudo-labels and truth above the curve.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameTimelineDisplay
    >>> scores = np.clip(np.sin(np.linspace(0, 3, 90)), 0, 1)
    >>> display = FrameTimelineDisplay.from_predictions(
    ...     scores, frame_labels=(scores > 0.7).astype(int), frame_rate=30
    ... )
    >>> display.ax_.get_ylabel()
    'probability of compensation'
    """

    frame_scores: np.ndarray
    pseudo_states: np.ndarray | None = None
    frame_states: np.ndarray | None = None
    frame_rate: float | None = None
    threshold: float | None = 0.5
    class_names: tuple = CLASS_NAMES

    @classmethod
    def from_estimator(cls, estimator, trial, *, pos_label=None, **drawing):
        """Predict one trial's frames with a fitted frame classifier and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted frame classifier, or a pipeline that ends in one: ``predict_proba([trial])[0]``
            has shape (n_frames, n_classes).
        trial : array-like of shape (n_frames, n_landmarks, n_coords), or what the pipeline takes
            The trial.
        pos_label : label, default=None
            The positive class; None for the one that the model was not told is normal, or for the
            larger of two numbers. Needed of words where no model was told.
        **drawing
            What :meth:`from_predictions` takes besides: `pseudo_labels`, `frame_labels`,
            `frame_rate`, `threshold`, `class_names`, `ax`.

        Returns
        -------
        FrameTimelineDisplay
            The time line, drawn.
        """
        scores, pos_label = positive_scores(estimator, trial, pos_label)
        return cls.from_predictions(scores, pos_label=pos_label, **drawing)

    @classmethod
    def from_predictions(
        cls,
        frame_scores,
        *,
        pseudo_labels=None,
        frame_labels=None,
        frame_rate=None,
        threshold=0.5,
        pos_label=None,
        class_names=CLASS_NAMES,
        **plotting,
    ):
        """Draw frame probabilities that were predicted before.

        Parameters
        ----------
        frame_scores : array-like of shape (n_frames,)
            Probability of the positive class; NaN where a frame has none.
        pseudo_labels : array-like of shape (n_frames,), default=None
            Pseudo-labels, with ``-1`` for not used.
        frame_labels : array-like of shape (n_frames,), default=None
            Truth, with ``-1`` for not labelled.
        frame_rate : float, default=None
            Frames per second, for seconds on the x axis.
        threshold : float or None, default=0.5
            From where on a frame counts as positive.
        pos_label : label, default=None
            The positive label; needed when labels are not 0 and 1.
        class_names : (str, str), default=("normal", "compensation")
            What to call the negative and the positive class.
        **plotting
            What :meth:`plot` takes, such as `ax`.

        Returns
        -------
        FrameTimelineDisplay
            The time line, drawn.

        Raises
        ------
        ValueError
            If lengths do not match or scores are no probabilities; the message says what came.

        Examples
        --------
        >>> from skrehab import FrameTimelineDisplay
        >>> display = FrameTimelineDisplay.from_predictions([0.1, 0.8, 0.9, 0.3])
        >>> display.frame_scores
        array([0.1, 0.8, 0.9, 0.3])
        """
        scores = np.asarray(frame_scores, dtype=float)
        if scores.ndim != 1 or len(scores) == 0:
            raise ValueError(f"frame_scores must have shape (n_frames,), got {scores.shape}.")
        if np.any((scores < 0) | (scores > 1)):
            raise ValueError(
                "frame_scores must be probabilities in [0, 1], "
                f"got {np.nanmin(scores):.3g} to {np.nanmax(scores):.3g}."
            )
        states = {}
        for name, labels in (("pseudo_labels", pseudo_labels), ("frame_labels", frame_labels)):
            if labels is not None:
                labels = check_per_frame(labels, len(scores), name)
                labels = check_states(labels, len(scores), name, pos_label)
            states[name] = labels
        display = cls(
            frame_scores=scores,
            pseudo_states=states["pseudo_labels"],
            frame_states=states["frame_labels"],
            frame_rate=check_frame_rate(frame_rate),
            threshold=threshold,
            class_names=class_names,
        )
        return display.plot(**plotting)

    def plot(self, ax=None):
        """Draw the time line.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        FrameTimelineDisplay
            Itself.
        """
        strips = {"pseudo-labels": self.pseudo_states, "truth": self.frame_states}
        strips = {name: states for name, states in strips.items() if states is not None}
        figure, ax = figure_and_axes(ax, (8.5, 2.8 + 0.2 * len(strips)))
        time = TimeAxis(len(self.frame_scores), self.frame_rate)

        # a lone frame between two gaps has no line to either side: give it a dot
        finite = np.isfinite(self.frame_scores)
        alone = finite & ~np.r_[False, finite[:-1]] & ~np.r_[finite[1:], False]
        (self.line_,) = ax.plot(
            time.centres,
            self.frame_scores,
            color=INK,
            linewidth=1.6,
            marker="o" if alone.any() else None,
            markevery=list(np.flatnonzero(alone)),
            markersize=4,
        )
        self.threshold_line_ = None
        if self.threshold is not None:
            self.threshold_line_ = ax.axhline(
                self.threshold, color=MUTED, linewidth=1, linestyle=(0, (4, 3))
            )
            ax.fill_between(
                time.centres,
                self.threshold,
                self.frame_scores,
                where=np.nan_to_num(self.frame_scores, nan=-1) >= self.threshold,
                interpolate=True,
                color=POSITIVE,
                alpha=0.22,
                linewidth=0,
            )
            ax.annotate(
                f"threshold {self.threshold:g}",
                (1, self.threshold),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
                color=MUTED,
            )
        ax.set_ylim(-0.02, 1.02)
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
        ax.set_xlim(time.limits)
        ax.set_xlabel(time.label, color=INK)
        ax.set_ylabel(f"probability of {self.class_names[1]}", color=INK)
        quiet(ax, grid="y")
        for start, stop in _gaps(finite):
            ax.axvspan((start - 0.5) * time.step, (stop - 0.5) * time.step, color=FAINT, alpha=0.5)

        self.strip_ax_ = None
        if strips:
            self.strip_ax_ = draw_strips(ax, strips, time)
        handles = state_handles(list(strips.values()), self.class_names) if strips else []
        if not finite.all():
            from matplotlib.patches import Patch

            handles.append(Patch(facecolor=FAINT, alpha=0.5, label="no score"))
        if handles:
            legend_below(ax, handles)
        self.ax_, self.figure_ = ax, figure
        return self


def _gaps(finite):
    """Return (start, stop) of each run of frames without a score."""
    edges = np.flatnonzero(np.diff(np.r_[True, finite, True].astype(int)))
    return list(zip(edges[::2], edges[1::2], strict=True))
