"""MuscleActivationDisplay: which muscle groups are at work, on a body from the front and behind."""

from dataclasses import dataclass

import numpy as np

from ..muscles import MUSCLE_GROUPS, plain_name
from ._colours import FAINT, INK, MUTED
from ._drawing import figure_and_axes
from ._muscle_shapes import (
    BACK,
    BODY,
    FRONT,
    HEAD,
    NAMED_ON_BACK,
    NAMED_ON_FRONT,
    OTHER_NAMES,
    mirrored,
    smooth_outline,
)

__all__ = ["MuscleActivationDisplay"]

# from hardly there to dark: lightness falls all the way, so it works in grey too
_COLOURS = ("#fbf4f7", "#efbfd3", "#d1699a", "#a8215c", "#5e0d35")
_SKIN = "#e9edf0"
_APART = 4.5  # from the middle of one body to the middle of the other
_MARK = " ●"  # beside the name of a group that is truly at work


@dataclass(kw_only=True, eq=False, repr=False)
class MuscleActivationDisplay:
    """A body from the front and from behind, its muscle groups coloured by probability.

    Each group has its name and its probability beside the body. Where the truth is given, the names
    of groups at work have a dot and their shapes a dark edge.
    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    probabilities : ndarray of shape (n_muscles,)
        Probability of each group, in [0, 1].
    muscles : list of str of length n_muscles
        Names of the groups.
    truth : ndarray of shape (n_muscles,), default=None
        1 where a group is truly at work, else 0.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it is drawn.
    regions_ : dict of str to list of matplotlib PathPatch
        Shapes of each group, left and right, front and back, by the name in `muscles`.
    colorbar_ : matplotlib Colorbar or None
        The scale.

    Examples
    --------
    >>> from skrehab.inspection.muscle_activation import MuscleActivationDisplay
    >>> display = MuscleActivationDisplay.from_predictions(
    ...     [0.9, 0.7, 0.1], muscles=["quadriceps", "glutes", "biceps"]
    ... )
    >>> len(display.regions_["quadriceps"])
    2
    """

    probabilities: np.ndarray
    muscles: list
    truth: np.ndarray | None = None

    @classmethod
    def from_estimator(cls, estimator, trial, **drawing):
        """Predict one trial with a fitted multi-label classifier and draw it.

        Parameters
        ----------
        estimator : estimator
            ``predict_proba([trial])[0]`` has shape (n_muscles,).
        trial : object
            One trial, as the estimator takes it: a pose sequence, a video, or a dict of both.
        **drawing
            What :meth:`from_predictions` takes besides: `muscles`, `truth`, `title`, `ax`.

        Returns
        -------
        MuscleActivationDisplay
            Both bodies, coloured and named.
        """
        probabilities = np.asarray(estimator.predict_proba([trial]), dtype=float)
        if probabilities.ndim != 2 or len(probabilities) != 1:
            raise ValueError(
                f"predict_proba gave shape {probabilities.shape} for one trial, not (1, n_muscles)."
            )
        return cls.from_predictions(probabilities[0], **drawing)

    @classmethod
    def from_predictions(cls, probabilities, *, muscles=None, truth=None, **plotting):
        """Draw probabilities that were predicted before.

        Parameters
        ----------
        probabilities : array-like of shape (n_muscles,)
            Probability of each group, in [0, 1]; of one trial, or a mean over trials.
        muscles : sequence of str, default=None
            Names of the groups; None for :data:`skrehab.muscles.MUSCLE_GROUPS`. Usual other names
            are understood; those that are not on the body are listed beneath it.
        truth : array-like of shape (n_muscles,), default=None
            1 where a group is truly at work, else 0.
        **plotting
            What :meth:`plot` takes, such as `ax`, `title`.

        Returns
        -------
        MuscleActivationDisplay
            Both bodies, coloured and named.

        Raises
        ------
        ValueError
            If there is not one probability in [0, 1] for each name.

        Examples
        --------
        >>> import numpy as np
        >>> from skrehab.inspection.muscle_activation import MuscleActivationDisplay
        >>> display = MuscleActivationDisplay.from_predictions(np.linspace(0, 1, 20))
        >>> display.muscles[-1]
        'calves'
        """
        muscles = list(MUSCLE_GROUPS if muscles is None else map(str, muscles))
        probabilities = np.asarray(probabilities, dtype=float)
        if probabilities.shape != (len(muscles),):
            hint = "" if probabilities.ndim == 1 else " For one of several trials pass its row."
            raise ValueError(
                f"probabilities must hold one value for each of {len(muscles)} muscle groups, got "
                f"shape {probabilities.shape}.{hint}"
            )
        if not ((probabilities >= 0) & (probabilities <= 1)).all():
            wrong = int(np.flatnonzero(~((probabilities >= 0) & (probabilities <= 1)))[0])
            raise ValueError(
                f"{muscles[wrong]}: {probabilities[wrong]} is no probability; they lie in [0, 1]."
            )
        if truth is not None:
            truth = np.asarray(truth)
            if truth.shape != probabilities.shape or not np.isin(truth, (0, 1)).all():
                raise ValueError(
                    f"truth must hold 0 or 1 for each of {len(muscles)} muscle groups, got shape "
                    f"{truth.shape}."
                )
        if len({plain_name(name) for name in muscles}) < len(muscles):
            raise ValueError(f"muscles names a group twice: {muscles}.")
        return cls(probabilities=probabilities, muscles=muscles, truth=truth).plot(**plotting)

    def plot(self, ax=None, *, title=None, names=True, colorbar=True, cmap=None):
        """Draw both bodies.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        title : str, default=None
            Title, such as the activity's name.
        names : bool, default=True
            Write names and probabilities beside the bodies.
        colorbar : bool, default=True
            Show what the colours mean.
        cmap : str or matplotlib Colormap, default=None
            Colours from 0 to 1; None for light to dark red.

        Returns
        -------
        MuscleActivationDisplay
            Itself.
        """
        figure, ax = figure_and_axes(ax, (9.2, 7.2) if names else (5.2, 5.4))
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import LinearSegmentedColormap

        if cmap is None:
            cmap = LinearSegmentedColormap.from_list("muscle activation", _COLOURS)
        scale = ScalarMappable(cmap=cmap)
        scale.set_clim(0, 1)
        self.regions_ = {name: [] for name in self.muscles}
        owners = self._owners()
        for view, middle, caption in ((FRONT, 0.0, "front"), (BACK, _APART, "back")):
            _draw_body(ax, middle)
            for region, outlines in view.items():
                self._draw_region(ax, scale, owners.get(region), outlines, middle)
            ax.text(middle, 8.12, caption, ha="center", va="bottom", color=MUTED)
        side = 3.3 if names else 1.15
        if names:
            self._write_names(ax, owners)
        ax.set_xlim(-0.8 - side, _APART + 0.8 + side)
        ax.set_ylim(-1.35 if colorbar else -0.4, 8.5)
        ax.set_aspect("equal")
        ax.axis("off")
        self.colorbar_ = None
        if colorbar:
            box = ax.inset_axes(
                [0.5 * _APART - 1.6, -0.95, 3.2, 0.17], transform=ax.transData, zorder=5
            )
            self.colorbar_ = figure.colorbar(scale, cax=box, orientation="horizontal")
            self.colorbar_.outline.set_edgecolor(FAINT)
            box.tick_params(colors=MUTED, labelcolor=INK, labelsize="small", length=2)
            box.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
            box.set_title("probability", fontsize="small", color=INK, pad=3)
        if names and self.truth is not None:
            note = f"{_MARK.strip()} and dark edge: at work in truth"
            right = _APART + 0.8 + side
            ax.text(right, -0.3, note, ha="right", va="top", fontsize="small", color=INK)
        if title is not None:
            ax.set_title(title, color=INK)
        self.ax_, self.figure_ = ax, figure
        return self

    def _owners(self):
        """Which of `muscles` each region of the body shows; the likeliest where there are more."""
        owners = {}
        for i, name in enumerate(self.muscles):
            for region in _regions_of(name):
                if (
                    region not in owners
                    or self.probabilities[i] > self.probabilities[owners[region]]
                ):
                    owners[region] = i
        return owners

    def _draw_region(self, ax, scale, owner, outlines, middle):
        if owner is None:
            return
        at_work = self.truth is not None and self.truth[owner]
        style = {
            "facecolor": scale.to_rgba(self.probabilities[owner]),
            "edgecolor": INK if at_work else "white",
            "linewidth": 1.5 if at_work else 0.8,
            "zorder": 3 if at_work else 2,
        }
        for outline in outlines:
            for half in (outline, mirrored(outline)):
                patch = _patch(np.asarray(half) + [middle, 0], **style)
                self.regions_[self.muscles[owner]].append(ax.add_patch(patch))

    def _write_names(self, ax, owners):
        written = set()
        for view, regions, middle, way in (
            (FRONT, NAMED_ON_FRONT, 0.0, -1),
            (BACK, NAMED_ON_BACK, _APART, 1),
        ):
            shown = []
            for region in regions:
                owner = owners.get(region)
                if owner is not None and owner not in written:
                    written.add(owner)
                    shown.append((owner, *_anchor(view[region][0])))
            shown.sort(key=lambda one: -one[2])
            heights = _spread([y for *_, y in shown], 0.62, 0.4, 7.5)
            for (owner, x, y), height in zip(shown, heights):
                end = middle + way * 2.15
                ax.plot(
                    [middle + way * x, middle + way * 1.78, end - way * 0.08],
                    [y, height, height],
                    color=MUTED,
                    linewidth=0.6,
                    zorder=4,
                    marker="o",
                    markersize=2.2,
                    markevery=[0],
                )
                self._write(ax, owner, end, height, "left" if way > 0 else "right")
        left = [i for i in range(len(self.muscles)) if i not in written]
        if left:
            text = ", ".join(self._label(i) for i in left)
            ax.text(
                0.5 * _APART, -1.3, f"not on the picture: {text}", ha="center", va="top",
                fontsize="small", color=MUTED, wrap=True,
            )  # fmt: skip

    def _label(self, i):
        mark = _MARK if self.truth is not None and self.truth[i] else ""
        return f"{self.muscles[i]}{mark} {self.probabilities[i]:.0%}"

    def _write(self, ax, i, x, y, side):
        strong = self.probabilities[i] >= 0.5
        ax.text(
            x, y, self._label(i), ha=side, va="center", fontsize="small",
            color=INK if strong else MUTED, fontweight="bold" if strong else "normal",
        )  # fmt: skip


def _regions_of(name):
    """Regions of the body that a name means; none where it is not known."""
    plain = plain_name(name)
    return (plain,) if plain in FRONT or plain in BACK else OTHER_NAMES.get(plain, ())


def _patch(corners, **style):
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    vertices = smooth_outline(corners)
    codes = [Path.MOVETO] + [Path.CURVE4] * (len(vertices) - 1)
    return PathPatch(Path(vertices, codes), joinstyle="round", **style)


def _draw_body(ax, middle):
    from matplotlib.patches import Ellipse

    style = {"facecolor": _SKIN, "edgecolor": FAINT, "linewidth": 1.0, "zorder": 1}
    x, y, half_width, half_height = HEAD
    whole = [*BODY, *mirrored(BODY[1:-1])[::-1]]
    ax.add_patch(_patch(np.asarray(whole) + [middle, 0], **style))
    ax.add_patch(Ellipse((middle + x, y), 2 * half_width, 2 * half_height, **style))


def _anchor(outline):
    """Where a region's leader line starts: its middle."""
    points = np.asarray(outline)
    return float(points[:, 0].mean()), float(points[:, 1].mean())


def _spread(heights, gap, low, high):
    """Heights of names, from the top, at least a gap apart and near to where they want to be."""
    heights = np.array(heights, dtype=float)
    if len(heights) * gap > high - low:
        return np.linspace(high, low, len(heights))
    for _ in range(200):
        for i in range(len(heights) - 1):
            lack = gap - (heights[i] - heights[i + 1])
            if lack > 1e-9:
                heights[i] += lack / 2
                heights[i + 1] -= lack / 2
        heights = np.clip(heights, low, high)
    return heights
