"""ActivationMapDisplay: where a video network looked for one muscle group."""

from dataclasses import dataclass

import numpy as np

from skrehab.saliency.label_maps import label_map

from ..muscles import MUSCLE_GROUPS, plain_name
from ._checks import choose_frames
from ._colours import INK, MUTED, POSITIVE
from ._drawing import figure_and_axes

__all__ = ["ActivationMapDisplay"]

_HEAVIEST = 0.72  # of the colour, where the map is strongest: the picture stays visible
_GREY = 0.65  # of the picture's colours is taken away, so that only the map has one
_METHODS = {"grad_cam": "Grad-CAM", "tokens": "attention of tokens"}


@dataclass(kw_only=True, eq=False, repr=False)
class ActivationMapDisplay:
    """Frames of a clip with a map laid over: where the network looked for one label.

    Frames lose most of their colour; the map is the only colour there is, and a line goes round
    everything above half of its maximum. Create it with :meth:`from_estimator` or
    :meth:`from_predictions`.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, height, width, 3), dtype uint8
        The clip, as the network saw it.
    activation_map : ndarray of shape (n_frames, height, width)
        How much each pixel speaks for the label, in [0, 1].
    shown : ndarray of int of shape (n_shown,)
        Which frames to draw.
    name : str, default=None
        The label's name.
    probability : float, default=None
        The label's probability.
    method : str, default=None
        How the map was computed.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it is drawn.
    images_ : list of matplotlib AxesImage
        The frames, in the order of `shown`.
    colorbar_ : matplotlib Colorbar or None
        The scale.

    Notes
    -----
    The map has no finer detail than the network's own grid, and its strongest place is always 1,
    also where the network is sure that the muscle group is not at work: look at the probability
    first. It explains the network, not the patient.

    References
    ----------
    Peng et al. 2024, ACM MM, figure 5 (Grad-CAM for muscle groups).

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import ActivationMapDisplay
    >>> frames = np.full((16, 32, 32, 3), 90, np.uint8)
    >>> heat = np.zeros((16, 32, 32))
    >>> heat[:, 8:16, 8:16] = 1
    >>> display = ActivationMapDisplay.from_predictions(
    ...     frames, heat, name="biceps", probability=0.87
    ... )
    >>> display.ax_.get_title()
    'biceps 87%'
    """

    frames: np.ndarray
    activation_map: np.ndarray
    shown: np.ndarray
    name: str | None = None
    probability: float | None = None
    method: str | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator,
        trial,
        *,
        label=None,
        method="grad_cam",
        layer=None,
        muscles=None,
        **drawing,
    ):
        """Explain one trial with a fitted classifier and draw it.

        Parameters
        ----------
        estimator : MuscleGroupClassifier, MultiLabelVideoClassifier or VideoClassifier
            Fitted, with a network over RGB clips.
        trial : object
            One trial, as the estimator takes it: a video, or a dict with one.
        label : int or str, default=None
            Column of y, or its name; of a :class:`VideoClassifier`, the number of a class or its
            name. None for the likeliest.
        method : {"grad_cam", "tokens"}, default="grad_cam"
            :func:`skrehab.saliency.class_activation.grad_cam`, or
            :func:`skrehab.saliency.class_activation.token_attention` where the network has tokens.
        layer : str, default=None
            Layer of Grad-CAM; None for the last one that has places.
        muscles : sequence of str, default=None
            Names of the labels; None for the classes of a single-label classifier, for
            :data:`skrehab.muscles.MUSCLE_GROUPS` where there are 20, else their numbers.
        **drawing
            What :meth:`from_predictions` takes besides: `shown`, `title`, `ax`.

        Returns
        -------
        ActivationMapDisplay
            The frames with the map laid over them, drawn.

        Raises
        ------
        ValueError
            If there is no such label, or the classifier or the trial has no RGB. (For joints see
            :func:`skrehab.saliency.label_maps.label_map` and :class:`skrehab.SkeletonDisplay`.)
        """
        if method not in _METHODS:
            raise ValueError(f"method must be one of {list(_METHODS)}, got {method!r}.")
        probabilities = np.asarray(estimator.predict_proba([trial]), dtype=float)[0]
        classes = None if hasattr(estimator, "n_labels_") else estimator.classes_.tolist()
        if muscles is None and classes is not None:
            muscles = [str(one) for one in classes]
        names = _names(muscles, len(probabilities))
        column = _column(label, names, probabilities)
        wanted = column if classes is None else classes[column]
        found = label_map(estimator, trial, wanted, method=method, layer=layer)
        return cls.from_predictions(
            found.frames,
            found.values,
            name=names[column],
            probability=probabilities[column],
            method=method,
            **drawing,
        )

    @classmethod
    def from_predictions(
        cls,
        frames,
        activation_map,
        *,
        name=None,
        probability=None,
        method=None,
        shown=6,
        **plotting,
    ):
        """Draw a map that was computed before.

        Parameters
        ----------
        frames : array-like of shape (n_frames, height, width, 3), dtype uint8
            The clip.
        activation_map : array-like of shape (n_frames, height, width)
            The map, in [0, 1].
        name : str, default=None
            The label's name, for the title.
        probability : float, default=None
            The label's probability, for the title.
        method : str, default=None
            How the map was computed, for the colour bar.
        shown : int or list of int, default=6
            How many frames to draw, evenly spread, or which ones.
        **plotting
            What :meth:`plot` takes, such as `ax`, `title`.

        Returns
        -------
        ActivationMapDisplay
            The frames with the map laid over them, drawn.

        Raises
        ------
        ValueError
            If shapes do not match or values are out of range; the message says what came.
        """
        frames, activation_map = np.asarray(frames), np.asarray(activation_map, dtype=float)
        if (
            frames.ndim != 4
            or frames.shape[3] != 3
            or frames.dtype != np.uint8
            or 0 in frames.shape
        ):
            raise ValueError(
                f"frames must be uint8 of shape (n_frames, height, width, 3), got {frames.dtype} "
                f"of shape {frames.shape}."
            )
        if activation_map.shape != frames.shape[:3]:
            raise ValueError(
                f"activation_map must have shape {frames.shape[:3]} like the frames, got "
                f"{activation_map.shape}."
            )
        if not ((activation_map >= 0) & (activation_map <= 1)).all():
            raise ValueError("activation_map must lie in [0, 1], without NaN.")
        if probability is not None and not 0 <= probability <= 1:
            raise ValueError(f"probability must lie in [0, 1], got {probability!r}.")
        display = cls(
            frames=frames,
            activation_map=activation_map,
            shown=choose_frames(shown, len(frames), name="shown", of="clip"),
            name=name,
            probability=probability,
            method=method,
        )
        return display.plot(**plotting)

    def plot(self, ax=None, *, title=None, n_columns=None, colorbar=True):
        """Draw the frames side by side.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure that fits the frames.
        title : str, default=None
            Title; None for the label's name and probability.
        n_columns : int, default=None
            Frames in a row; None for all of them, at most 8.
        colorbar : bool, default=True
            Show what the colour means.

        Returns
        -------
        ActivationMapDisplay
            Itself.
        """
        n_columns = n_columns or min(len(self.shown), 8)
        n_rows = -(-len(self.shown) // n_columns)
        height, width = self.frames.shape[1:3]
        # one unit is a frame's height; captions stand in the gaps beneath
        wide, gap, caption = width / height, 0.04, 0.17
        below = 0.29 if colorbar else 0.0
        size = 1.55 if len(self.shown) > 2 else 2.4  # inches
        total = n_columns * (wide + gap) - gap, n_rows * (1 + caption) + below
        figure, ax = figure_and_axes(ax, (max(size * total[0], 3.2), size * total[1] + 0.4))
        self.images_ = []
        for place, frame in enumerate(self.shown):
            x = (place % n_columns) * (wide + gap)
            y = -(place // n_columns) * (1 + caption)
            heat = self.activation_map[frame]
            box = (x, x + wide, y - 1, y)
            self.images_.append(
                ax.imshow(_blend(self.frames[frame], heat), extent=box, interpolation="bilinear")
            )
            if min(heat.shape) > 1 and heat.min() < 0.5 < heat.max():
                ax.contour(
                    x + (np.arange(width) + 0.5) / height,
                    y - (np.arange(height) + 0.5) / height,
                    heat,
                    levels=[0.5],
                    colors=POSITIVE,
                    linewidths=0.9,
                )
            text = f"{frame + 1} of {len(self.frames)}"
            ax.text(
                x + wide / 2, y - 1.03, text, ha="center", va="top", fontsize="small", color=MUTED
            )
        ax.set_xlim(-0.01, total[0] + 0.01)
        ax.set_ylim(-total[1], 0.01)
        ax.set_aspect("equal")
        ax.axis("off")
        self.colorbar_ = None
        if colorbar:
            self._draw_scale(figure, ax, total)
        if title is None and self.name is not None:
            sure = "" if self.probability is None else f" {self.probability:.0%}"
            title = f"{self.name}{sure}"
        if title is not None:
            ax.set_title(title, color=INK)
        self.ax_, self.figure_ = ax, figure
        return self

    def _draw_scale(self, figure, ax, total):
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import ListedColormap

        steps = np.linspace(0, 1, 128)
        grey = np.full((1, 128, 3), 190, np.uint8)
        scale = ScalarMappable(cmap=ListedColormap(_blend(grey, steps[None])[0] / 255.0))
        scale.set_clim(0, 1)
        wide = min(1.6, 0.8 * total[0])
        middle = total[0] / 2
        box = ax.inset_axes(
            [middle - wide / 2, -total[1] + 0.06, wide, 0.05], transform=ax.transData
        )
        self.colorbar_ = figure.colorbar(scale, cax=box, orientation="horizontal")
        self.colorbar_.outline.set_visible(False)
        box.set_xticks([])
        box.axvline(0.5, color=POSITIVE, linewidth=0.9)
        how = f", {_METHODS.get(self.method, self.method)}" if self.method else ""
        nothing = "" if self.activation_map.any() else ": nothing spoke for it"
        box.set_title(f"where it looked{how}{nothing}", fontsize="small", color=INK, pad=7)
        for x, side, word in ((-0.02, "right", "little"), (1.02, "left", "much")):
            box.text(
                x, 0.5, word, ha=side, va="center", fontsize="small", color=MUTED,
                transform=box.transAxes,
            )  # fmt: skip


def _blend(frame, heat):
    """Lay the map over a picture that keeps little of its own colour."""
    from matplotlib.colors import to_rgb

    picture = frame.astype(float)
    grey = picture @ (0.299, 0.587, 0.114)
    picture += _GREY * (grey[..., None] - picture)
    weight = _HEAVIEST * heat[..., None]
    return (
        (picture + weight * (255 * np.array(to_rgb(POSITIVE)) - picture)).round().astype(np.uint8)
    )


def _names(muscles, n_labels):
    if muscles is None:
        muscles = MUSCLE_GROUPS if n_labels == len(MUSCLE_GROUPS) else range(n_labels)
    names = [str(name) for name in muscles]
    if len(names) != n_labels:
        raise ValueError(f"muscles must hold a name for each of {n_labels} labels, got {names}.")
    return names


def _column(label, names, probabilities):
    if label is None:
        return int(probabilities.argmax())
    if not isinstance(label, str):
        return label  # label_map checks it
    plain = [plain_name(name) for name in names]
    if plain_name(label) not in plain:
        raise ValueError(f"There is no label {label!r}; there are {names}.")
    return plain.index(plain_name(label))
