"""SkeletonDisplay: how the person stood, in one frame or a film strip."""

from dataclasses import dataclass

import numpy as np

from ..skeletons import Skeleton, get_skeleton
from ..trials import check_trials
from ._card import edge_side, fit_in_card, seen_from_front, sides_of
from ._checks import check_frame_rate, check_map, choose_frames, positive_scores
from ._colours import FAINT, INK, LEFT, MUTED, NORMAL_TINT, POSITIVE_TINT, RIGHT
from ._drawing import TimeAxis, figure_and_axes
from ._states import (
    CLASS_NAMES,
    IS_NORMAL,
    IS_POSITIVE,
    IS_UNUSED,
    check_states,
    state_handles,
    state_style,
)

__all__ = ["SkeletonDisplay"]


@dataclass(kw_only=True, eq=False, repr=False)
class SkeletonDisplay:
    """Skeleton of one frame, or a film strip of several, seen from the front.

    Left and right have their own colours; the picture shows what the camera saw, so the person's
    left is on its right. Landmarks that were lost (NaN) are left out with their lines. A verdict
    per frame colours the frame's card, saliency per landmark sets the size of the dots.
    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        Positions; the first two coordinates are drawn.
    skeleton : Skeleton
        How landmarks are joined.
    frames : ndarray of shape (n_shown,)
        Indices of the frames to show.
    frame_states : ndarray of shape (n_frames,), default=None
        Verdict per frame: 1 positive, 0 normal, -1 none.
    saliency_map : ndarray of shape (n_frames, n_landmarks), default=None
        Saliency; larger means a larger dot.
    frame_rate : float, default=None
        Frames per second; without it captions count frames.
    class_names : (str, str), default=("normal", "compensation")
        What to call the negative and the positive class.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it is drawn.
    lines_, dots_ : dict of str to matplotlib Collection
        What was drawn of the sides ``left``, ``right`` and ``middle``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import SkeletonDisplay
    >>> trial = np.random.default_rng(0).normal(size=(40, 22, 3))
    >>> display = SkeletonDisplay.from_predictions(trial, skeleton="uiprmd22", frames=4)
    >>> display.frames
    array([ 0, 13, 26, 39])
    """

    trial: np.ndarray
    skeleton: Skeleton
    frames: np.ndarray
    frame_states: np.ndarray | None = None
    saliency_map: np.ndarray | None = None
    frame_rate: float | None = None
    class_names: tuple = CLASS_NAMES

    @classmethod
    def from_estimator(
        cls,
        estimator,
        trial,
        *,
        threshold=0.5,
        pos_label=None,
        **drawing,
    ):
        """Colour a trial's frames by the verdict of a fitted frame classifier.

        Parameters
        ----------
        estimator : estimator
            Fitted frame classifier, or a pipeline that takes poses and ends in one.
        trial : array-like of shape (n_frames, n_landmarks, n_coords)
            Positions, not displacements.
        threshold : float, default=0.5
            From which probability on a frame counts as positive.
        pos_label : label, default=None
            The positive class; None for the one that the model was not told is normal, or for the
            larger of two numbers. Needed of words where no model was told.
        **drawing
            What :meth:`from_predictions` takes besides: `skeleton`, `frames`,
            `saliency_map`, `frame_rate`, `class_names`, `n_columns`, `ax`.

        Returns
        -------
        SkeletonDisplay
            The film strip, drawn.
        """
        scores, _ = positive_scores(estimator, trial, pos_label)
        verdicts = np.where(scores >= threshold, IS_POSITIVE, IS_NORMAL)
        verdicts[np.isnan(scores)] = IS_UNUSED
        return cls.from_predictions(trial, frame_labels=verdicts, **drawing)

    @classmethod
    def from_predictions(
        cls,
        trial,
        *,
        skeleton="mediapipe33",
        frames=8,
        frame_labels=None,
        pos_label=None,
        saliency_map=None,
        frame_rate=None,
        class_names=CLASS_NAMES,
        **plotting,
    ):
        """Draw a trial, with verdicts and saliency where they were computed before.

        Parameters
        ----------
        trial : array-like of shape (n_frames, n_landmarks, n_coords)
            Positions, not displacements.
        skeleton : str or Skeleton, default="mediapipe33"
            How landmarks are joined.
        frames : int or sequence of int, default=8
            How many frames to show, evenly spread, or which.
        frame_labels : array-like of shape (n_frames,), default=None
            Verdict per frame, with ``-1`` for none.
        pos_label : label, default=None
            The positive one of ``frame_labels``; needed when they are not 0 and 1.
        saliency_map : array-like of shape (n_frames, n_landmarks), default=None
            Saliency, shown as the size of the dots.
        frame_rate : float, default=None
            Frames per second, for captions in seconds.
        class_names : (str, str), default=("normal", "compensation")
            What to call the negative and the positive class.
        **plotting
            What :meth:`plot` takes, such as `ax`, `n_columns`.

        Returns
        -------
        SkeletonDisplay
            The film strip, drawn.

        Raises
        ------
        ValueError
            If shapes or lengths do not match; the message says what came.

        Examples
        --------
        >>> import numpy as np
        >>> from skrehab import SkeletonDisplay
        >>> trial = np.random.default_rng(0).normal(size=(40, 17, 3))
        >>> SkeletonDisplay.from_predictions(trial, skeleton="coco17", frames=[7]).frames
        array([7])
        """
        skeleton = get_skeleton(skeleton)
        (trial,) = check_trials([trial], name="trial")
        n_frames, n_landmarks, n_coords = trial.shape
        if n_landmarks != skeleton.n_landmarks or n_coords < 2:
            raise ValueError(
                f"A trial on skeleton {skeleton.name!r} has shape (n_frames, "
                f"{skeleton.n_landmarks}, at least 2), got {trial.shape}."
            )
        states = None
        if frame_labels is not None:
            states = check_states(frame_labels, n_frames, "frame_labels", pos_label)
        if saliency_map is not None:
            saliency_map = check_map(saliency_map)
            if saliency_map.shape != (n_frames, n_landmarks):
                raise ValueError(
                    f"saliency_map must have shape {(n_frames, n_landmarks)} like the trial, "
                    f"got {saliency_map.shape}."
                )
        display = cls(
            trial=trial,
            skeleton=skeleton,
            frames=choose_frames(frames, n_frames),
            frame_states=states,
            saliency_map=saliency_map,
            frame_rate=check_frame_rate(frame_rate),
            class_names=class_names,
        )
        return display.plot(**plotting)

    def plot(self, ax=None, *, n_columns=None):
        """Draw the frames side by side.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure that fits the frames.
        n_columns : int, default=None
            Frames in a row; None for all of them, at most 10.

        Returns
        -------
        SkeletonDisplay
            Itself.
        """
        n_shown = len(self.frames)
        n_columns = n_columns or min(n_shown, 10)
        n_rows = -(-n_shown // n_columns)
        poses = seen_from_front(self.trial[self.frames], self.skeleton)
        poses, width, height = fit_in_card(poses, self.skeleton)
        # units per inch: about 1.35 inches a column, never wider than a page
        inches = min(1.35 if n_columns > 1 else 3.2, 10.5 / n_columns)
        if ax is not None:
            inches = ax.get_window_extent().width / ax.figure.dpi / n_columns
        unit = width / inches
        caption, gap = 0.32 * unit, 0.08 * unit
        step = (width + gap, height + caption + gap)
        origins = np.array([(i % n_columns, -(i // n_columns)) for i in range(n_shown)]) * step
        figsize = (
            max(n_columns * step[0] / unit, 2.6),
            n_rows * step[1] / unit + 0.45,
        )
        figure, ax = figure_and_axes(ax, figsize)

        self._draw_cards(ax, poses, origins, width, height, unit)
        self._draw_bodies(ax, poses + origins[:, None, :])
        ax.set_aspect("equal")
        ax.set_xlim(-0.02 * width, origins[:, 0].max() + 1.02 * width)
        ax.set_ylim(origins[:, 1].min() - caption, 1.02 * height)
        ax.axis("off")
        self._draw_legend(ax)
        self.ax_, self.figure_ = ax, figure
        return self

    def _draw_cards(self, ax, poses, origins, width, height, inch):
        from matplotlib.patches import Rectangle

        tints = {IS_POSITIVE: POSITIVE_TINT, IS_NORMAL: NORMAL_TINT}
        time = TimeAxis(len(self.trial), self.frame_rate)
        bar = 0.045 * inch
        for frame, pose, (x, y) in zip(self.frames, poses, origins, strict=True):
            state = IS_UNUSED if self.frame_states is None else self.frame_states[frame]
            card = {"facecolor": tints.get(state, "white"), "edgecolor": FAINT, "linewidth": 0.8}
            ax.add_patch(Rectangle((x, y), width, height, zorder=0, **card))
            if state != IS_UNUSED:
                ax.add_patch(Rectangle((x, y - bar), width, bar, zorder=1, **state_style(state)))
            middle = x + width / 2
            text = {"ha": "center", "fontsize": "small"}
            below = y - bar - 0.03 * inch
            ax.text(middle, below, time.name(frame), va="top", color=INK, **text)
            if not np.isfinite(pose).all(axis=1).any():
                ax.text(middle, y + height / 2, "no pose", va="center", color=MUTED, **text)

    def _draw_bodies(self, ax, poses):
        """Draw every edge and dot whose landmarks are known; ``poses`` (n_shown, landmarks, 2)."""
        from matplotlib.collections import LineCollection

        known = np.isfinite(poses).all(axis=2)
        sides = sides_of(self.skeleton)
        sizes = self._dot_sizes(known.shape)
        self.lines_, self.dots_ = {}, {}
        for side, colour in (("middle", MUTED), ("right", RIGHT), ("left", LEFT)):
            segments = [
                poses[i, [a, b]]
                for a, b in self.skeleton.edges
                if edge_side(sides[a], sides[b]) == side
                for i in range(len(poses))
                if known[i, a] and known[i, b]
            ]
            style = {"color": colour, "linewidth": 1.8, "capstyle": "round", "zorder": 2}
            self.lines_[side] = ax.add_collection(LineCollection(segments, **style))
            shown = known & (sides == side)
            self.dots_[side] = ax.scatter(
                *poses[shown].T, s=sizes[shown], color=colour, linewidths=0, zorder=3
            )

    def _dot_sizes(self, shape):
        if self.saliency_map is None:
            return np.full(shape, 9.0)
        size = np.abs(np.nan_to_num(self.saliency_map))
        size = size / (size.max() or 1.0)
        return 4.0 + 110.0 * size[self.frames]

    def _draw_legend(self, ax):
        from matplotlib.lines import Line2D

        style = {"marker": "o", "markersize": 4, "linewidth": 2}
        handles = [
            Line2D([], [], color=LEFT, label="left", **style),
            Line2D([], [], color=RIGHT, label="right", **style),
        ]
        if self.frame_states is not None:
            shown = self.frame_states[self.frames]
            if (shown != IS_UNUSED).any():
                handles += state_handles([shown[shown != IS_UNUSED]], self.class_names)
        if self.saliency_map is not None:
            dot = {"marker": "o", "markersize": 8, "linewidth": 0}
            handles.append(Line2D([], [], color=MUTED, label="larger dot: more salient", **dot))
        ax.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=len(handles),
            frameon=False,
            fontsize="small",
            borderaxespad=0.4,
            labelcolor=INK,
        )
