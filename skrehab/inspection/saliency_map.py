"""SaliencyMapDisplay: which landmarks decided, and when."""

from dataclasses import dataclass

import numpy as np

from ..skeletons import body_parts, get_skeleton
from ..skeletons.parts import PARTS
from ._checks import check_frame_rate, check_map, check_per_frame
from ._colours import INK, LEFT, MUTED
from ._drawing import TimeAxis, draw_strips, figure_and_axes, inset_above, legend_below
from ._states import CLASS_NAMES, check_states, state_handles

__all__ = ["SaliencyMapDisplay"]


@dataclass(kw_only=True, eq=False, repr=False)
class SaliencyMapDisplay:
    """Landmarks x time heat map of one trial's saliency.

    Rows are landmarks, columns are frames, as in Fig. 5 of Mesquita et al. Above the map stand,
    where they were given, the frame score that the pseudo-labels are cut from and the frame truth.
    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    saliency_map : ndarray of shape (n_frames, n_landmarks)
        Saliency; NaN where there is none.
    landmark_names : sequence of str of length n_landmarks
        Row labels.
    frame_scores : ndarray of shape (n_frames,), default=None
        Saliency per frame, scaled to [0, 1].
    frame_states : ndarray of shape (n_frames,), default=None
        Truth per frame: 1 positive, 0 normal, -1 not labelled.
    frame_rate : float, default=None
        Frames per second; without it the x axis counts frames.
    method : str, default=None
        How the saliency was computed, for the colour bar.
    class_names : (str, str), default=("normal", "compensation")
        What to call the negative and the positive class.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it is drawn.
    image_ : matplotlib AxesImage
        The heat map.
    colorbar_ : matplotlib Colorbar
        Its scale.
    score_ax_, strip_ax_ : matplotlib Axes or None
        Axes of the frame score and of the truth above the map.

    References
    ----------
    Mesquita et al., "Frame-Level Real-Time Assessment of Stroke Rehabilitation Exercises from
    Video-Level Labeled Data: Task-Specific vs. Foundation Models", Fig. 5.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import SaliencyMapDisplay
    >>> saliency_map = np.random.default_rng(0).random((60, 33))
    >>> display = SaliencyMapDisplay.from_predictions(saliency_map, frame_rate=30)
    >>> display.ax_.get_xlabel()
    'time (s)'
    """

    saliency_map: np.ndarray
    landmark_names: list
    frame_scores: np.ndarray | None = None
    frame_states: np.ndarray | None = None
    frame_rate: float | None = None
    method: str | None = None
    class_names: tuple = CLASS_NAMES

    @classmethod
    def from_estimator(
        cls,
        estimator,
        trial,
        *,
        method="integrated_gradients",
        target=None,
        baseline="zeros",
        n_steps=50,
        aggregate="sum",
        **drawing,
    ):
        """Compute one trial's saliency with a fitted video classifier and draw it.

        Parameters
        ----------
        estimator : VideoClassifier
            Fitted; anything with ``saliency(X, method=, ..., return_maps=True)``.
        trial : array-like of shape (n_frames, n_landmarks, n_coords)
            The trial, as the classifier takes it.
        method : str, default="integrated_gradients"
            Saliency method.
        target : label, default=None
            Class whose logit is explained; None for the predicted one.
        baseline : str or array-like, default="zeros"
            Starting point of integrated gradients.
        n_steps : int or "auto", default=50
            Steps of integrated gradients.
        aggregate : {"sum", "mean", "max", "signed"}, default="sum"
            How a frame's values become its score.
        **drawing
            What :meth:`from_predictions` takes besides: `frame_labels`, `skeleton`, `rows`,
            `frame_rate`, `pos_label`, `class_names`, `cmap`, `ax`.

        Returns
        -------
        SaliencyMapDisplay
            The map with what stands above it, drawn.
        """
        saliency = estimator.saliency(
            [trial],
            method=method,
            target=target,
            baseline=baseline,
            n_steps=n_steps,
            aggregate=aggregate,
            return_maps=True,
        )
        return cls.from_predictions(
            saliency.maps[0], frame_scores=saliency.scores[0], method=method, **drawing
        )

    @classmethod
    def from_predictions(
        cls,
        saliency_map,
        *,
        frame_scores=None,
        frame_labels=None,
        skeleton="mediapipe33",
        rows="landmarks",
        frame_rate=None,
        method=None,
        pos_label=None,
        class_names=CLASS_NAMES,
        **plotting,
    ):
        """Draw a saliency map that was computed before.

        Parameters
        ----------
        saliency_map : array-like of shape (n_frames, n_landmarks)
            Saliency of one trial.
        frame_scores : array-like of shape (n_frames,), default=None
            Saliency per frame in [0, 1]; drawn as a curve above the map.
        frame_labels : array-like of shape (n_frames,), default=None
            Truth per frame, with ``-1`` for not labelled; drawn as a strip above the map.
        skeleton : str, Skeleton or None, default="mediapipe33"
            Names of the rows; None numbers them.
        rows : {"landmarks", "parts"}, default="landmarks"
            A row for each landmark, or for each part of the body, the sum over its landmarks.
        frame_rate : float, default=None
            Frames per second, for seconds on the x axis.
        method : str, default=None
            How the saliency was computed, for the colour bar.
        pos_label : label, default=None
            The positive one of ``frame_labels``; needed when they are not 0 and 1.
        class_names : (str, str), default=("normal", "compensation")
            What to call the negative and the positive class.
        **plotting
            What :meth:`plot` takes, such as `ax`, `cmap`.

        Returns
        -------
        SaliencyMapDisplay
            The map with what stands above it, drawn.

        Raises
        ------
        ValueError
            If lengths do not match, or parts are wanted and no skeleton is given; the message says
            what came.

        Examples
        --------
        >>> import numpy as np
        >>> from skrehab import SaliencyMapDisplay
        >>> display = SaliencyMapDisplay.from_predictions(np.eye(22), skeleton="uiprmd22")
        >>> display.landmark_names[0]
        'waist'
        """
        saliency_map = check_map(saliency_map)
        n_frames, n_landmarks = saliency_map.shape
        if skeleton is None:
            names = [str(i) for i in range(n_landmarks)]
        else:
            skeleton = get_skeleton(skeleton)
            if skeleton.n_landmarks != n_landmarks:
                raise ValueError(
                    f"saliency_map has {n_landmarks} landmarks, skeleton {skeleton.name!r} has "
                    f"{skeleton.n_landmarks}. Pass the right skeleton, or skeleton=None."
                )
            names = [name.replace("_", " ") for name in skeleton.landmarks]
        if rows == "parts":
            if skeleton is None:
                raise ValueError("rows='parts' needs a skeleton, which knows the parts.")
            saliency_map, names = _by_part(saliency_map, body_parts(skeleton))
        elif rows != "landmarks":
            raise ValueError(f"rows must be 'landmarks' or 'parts', got {rows!r}.")
        if frame_scores is not None:
            frame_scores = check_per_frame(frame_scores, n_frames, "frame_scores").astype(float)
        states = None
        if frame_labels is not None:
            states = check_states(frame_labels, n_frames, "frame_labels", pos_label)
        display = cls(
            saliency_map=saliency_map,
            landmark_names=names,
            frame_scores=frame_scores,
            frame_states=states,
            frame_rate=check_frame_rate(frame_rate),
            method=method,
            class_names=class_names,
        )
        return display.plot(**plotting)

    def plot(self, ax=None, *, cmap=None, percentile=99.5):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure high enough for every landmark's name.
        cmap : str or Colormap, default=None
            Colours; None takes a sequential map, or a diverging one around 0 where the saliency
            has a sign.
        percentile : float, default=99.5
            Where the colour scale ends, so that a single spike does not make the rest one colour;
            the colour bar then ends in an arrow.

        Returns
        -------
        SaliencyMapDisplay
            Itself.
        """
        n_frames, n_landmarks = self.saliency_map.shape
        figure, ax = figure_and_axes(ax, (8.5, 1.9 + 0.19 * n_landmarks))
        time = TimeAxis(n_frames, self.frame_rate)

        vmin, vmax, extend, signed = _colour_limits(self.saliency_map, percentile)
        image = ax.imshow(
            np.ma.masked_invalid(self.saliency_map.T),
            aspect="auto",
            origin="upper",
            extent=(*time.limits, n_landmarks - 0.5, -0.5),
            cmap=_colours(cmap or ("PuOr_r" if signed else "RdPu")),
            vmin=vmin,
            vmax=vmax,
        )
        ax.set_xlim(time.limits)
        ax.set_xlabel(time.label, color=INK)
        _name_rows(ax, self.landmark_names)
        ax.spines[:].set_visible(False)
        ax.tick_params(colors=MUTED, labelcolor=INK)

        label = "saliency" if not self.method else f"saliency, {self.method.replace('_', ' ')}"
        self.colorbar_ = figure.colorbar(image, ax=ax, extend=extend, pad=0.015, aspect=40)
        self.colorbar_.set_label(label, color=INK)
        self.colorbar_.outline.set_visible(False)

        above = self._draw_score(ax, time)
        handles = []
        self.strip_ax_ = None
        if self.frame_states is not None:
            self.strip_ax_ = draw_strips(ax, {"truth": self.frame_states}, time, above=above)
            handles = state_handles([self.frame_states], self.class_names)
        if np.isnan(self.saliency_map).any():
            from matplotlib.patches import Patch

            handles.append(Patch(facecolor=_MISSING, label="no saliency"))
        if handles:
            legend_below(ax, handles)
        self.image_, self.ax_, self.figure_ = image, ax, figure
        return self

    def _draw_score(self, ax, time):
        """Draw the frame score over the map; return the height it takes in points."""
        self.score_ax_ = None
        if self.frame_scores is None:
            return 0.0
        points = 42.0
        self.score_ax_ = score_ax = inset_above(ax, points)
        score_ax.fill_between(time.centres, self.frame_scores, color=LEFT, alpha=0.18, linewidth=0)
        marker = "o" if time.n_frames == 1 else None
        score_ax.plot(time.centres, self.frame_scores, color=LEFT, linewidth=1.2, marker=marker)
        score_ax.set_ylim(0, 1.05)
        score_ax.set_yticks([0, 1])
        score_ax.tick_params(left=True, colors=MUTED, labelcolor=INK)
        score_ax.set_ylabel("frame score", rotation=0, ha="right", va="center", color=INK)
        return points + 5.0


def _by_part(saliency_map, parts):
    """Sum landmarks by part of the body, head to feet; NaN where a part has none at all."""
    names = sorted(set(parts), key=PARTS.index)
    columns = []
    for name in names:
        own = saliency_map[:, [part == name for part in parts]]
        known = np.isfinite(own).any(axis=1)
        columns.append(np.where(known, np.nansum(own, axis=1), np.nan))
    return np.stack(columns, axis=1), names


_MISSING = "#dfe3e6"


def _colours(cmap):
    """Copy a colour map with a grey of its own for missing saliency."""
    import matplotlib

    cmap = matplotlib.colormaps[cmap] if isinstance(cmap, str) else cmap
    return cmap.with_extremes(bad=_MISSING)


def _colour_limits(saliency_map, percentile):
    """Return vmin, vmax, the colour bar's arrows, and whether the saliency has a sign."""
    finite = saliency_map[np.isfinite(saliency_map)]
    if finite.size == 0:
        return 0.0, 1.0, "neither", False
    signed = bool(finite.min() < 0)
    size = np.abs(finite)
    vmax = float(np.percentile(size, percentile)) or float(size.max()) or 1.0
    clipped = size.max() > vmax
    if signed:
        return -vmax, vmax, "both" if clipped else "neither", True
    return 0.0, vmax, "max" if clipped else "neither", False


def _name_rows(ax, names):
    """Name every landmark where there is room for 6-point type, else every second, third, ..."""
    points = ax.get_window_extent().height * 72 / ax.figure.dpi / len(names)
    size = float(np.clip(0.72 * points, 6.0, 9.0))
    every = max(1, int(np.ceil(size / points)))
    ax.set_yticks(np.arange(0, len(names), every), names[::every], fontsize=size)
