"""MuscleActivationDisplay: every group in its place, in the colour of its probability."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib
from matplotlib.figure import Figure
from matplotlib.path import Path

from skrehab.inspection._muscle_shapes import (
    BACK,
    BODY,
    FRONT,
    NAMED_ON_BACK,
    NAMED_ON_FRONT,
    OTHER_NAMES,
    smooth_outline,
)
from skrehab.inspection.muscle_activation import MuscleActivationDisplay, _spread
from skrehab.muscles import MUSCLE_GROUPS


@pytest.fixture
def axes():
    """Axes of a figure that pyplot does not know, so nothing stays open."""
    return Figure(figsize=(9, 7)).subplots()


@pytest.fixture
def probabilities():
    return np.random.RandomState(0).rand(20)


def drawn(ax):
    return [text.get_text() for text in ax.texts]


# --- shapes ---------------------------------------------------------------------------------------
def test_every_group_is_on_the_body_once_named():
    assert set(FRONT) | set(BACK) == set(MUSCLE_GROUPS)
    assert sorted(NAMED_ON_FRONT + NAMED_ON_BACK) == sorted(MUSCLE_GROUPS)
    assert set(NAMED_ON_FRONT) <= set(FRONT)
    for regions in OTHER_NAMES.values():
        assert set(regions) <= set(MUSCLE_GROUPS)


@pytest.mark.parametrize("view", [FRONT, BACK], ids=["front", "back"])
def test_shapes_lie_inside_the_body_and_apart(view):
    """Corners are inside the outline; no group's middle is inside another group."""
    half = [*BODY, (-0.01, 3.46), (-0.01, 7.1)]  # the middle line belongs to it
    body = Path(np.array(half))
    for name, outlines in view.items():
        for outline in outlines:
            assert (
                body.contains_points(outline, radius=0.03).all()
                or body.contains_points(outline, radius=-0.03).all()
            ), name
            middle = np.mean(outline, axis=0)
            for other, others in view.items():
                inside = [Path(np.array(one)).contains_point(middle) for one in others]
                assert any(inside) == (other == name), (name, other)


def test_smooth_outlines_pass_through_their_corners():
    corners = FRONT["chest"][0]
    vertices = smooth_outline(corners)
    assert vertices.shape == (3 * len(corners) + 1, 2)
    np.testing.assert_allclose(vertices[::3][:-1], corners)
    np.testing.assert_allclose(vertices[-1], corners[0])  # closed


# --- the picture ----------------------------------------------------------------------------------
def test_colours_are_the_probabilities(axes, probabilities):
    display = MuscleActivationDisplay.from_predictions(probabilities, ax=axes)
    assert display.ax_ is axes and display.figure_ is axes.figure
    assert list(display.regions_) == list(MUSCLE_GROUPS)
    cmap = display.colorbar_.cmap
    for name, value in zip(MUSCLE_GROUPS, probabilities):
        patches = display.regions_[name]
        assert len(patches) in (2, 4, 6)  # left and right, in front, behind, or both
        for patch in patches:
            np.testing.assert_allclose(patch.get_facecolor(), cmap(value))
    assert (display.colorbar_.vmin, display.colorbar_.vmax) == (0, 1)
    lightness = [sum(cmap(value)[:3]) for value in np.linspace(0, 1, 11)]
    assert (np.diff(lightness) < 0).all()  # readable in grey


def test_sides_mirror_each_other(axes, probabilities):
    display = MuscleActivationDisplay.from_predictions(probabilities, ax=axes)
    left, right = (patch.get_path().vertices for patch in display.regions_["biceps"])
    np.testing.assert_allclose(left[:, 0], -right[:, 0])
    np.testing.assert_allclose(left[:, 1], right[:, 1])


def test_every_name_is_written_once_and_none_on_another(axes, probabilities):
    MuscleActivationDisplay.from_predictions(probabilities, ax=axes)
    for name, value in zip(MUSCLE_GROUPS, probabilities):
        assert drawn(axes).count(f"{name} {value:.0%}") == 1
    axes.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[i + 1 :])


def test_truth_has_marks(axes, probabilities):
    truth = (np.arange(20) % 3 == 0).astype(int)
    display = MuscleActivationDisplay.from_predictions(probabilities, truth=truth, ax=axes)
    widths = [display.regions_[name][0].get_linewidth() for name in MUSCLE_GROUPS]
    assert set(np.array(widths)[truth == 1]) == {1.5} and set(np.array(widths)[truth == 0]) == {0.8}
    marked = [text for text in drawn(axes) if "●" in text]
    assert len(marked) == truth.sum() + 1  # and what the mark means


def test_other_names_and_groups_that_are_nowhere(axes):
    display = MuscleActivationDisplay.from_predictions(
        [0.9, 0.4, 0.8, 0.2], muscles=["Quadriceps", "Deltoids", "lats", "Sartorius"], ax=axes
    )
    assert [len(display.regions_[name]) for name in display.muscles] == [2, 4, 2, 0]
    assert "not on the picture: Sartorius 20%" in drawn(axes)
    assert "Deltoids 40%" in drawn(axes)


def test_two_names_for_one_place_show_the_likelier(axes):
    display = MuscleActivationDisplay.from_predictions(
        [0.2, 0.9], muscles=["chest", "pectorals"], ax=axes
    )
    assert len(display.regions_["pectorals"]) == 2 and not display.regions_["chest"]
    assert "not on the picture: chest 20%" in drawn(axes)


def test_without_names_and_scale(axes, probabilities):
    display = MuscleActivationDisplay.from_predictions(probabilities, ax=axes)
    other = Figure().subplots()
    display.plot(ax=other, names=False, colorbar=False, title="squats", cmap="viridis")
    assert display.colorbar_ is None and display.ax_ is other
    assert drawn(other) == ["front", "back"] and other.get_title() == "squats"


def test_from_an_estimator(axes):
    class Says:
        def predict_proba(self, X):
            assert X == ["a trial"]
            return np.full((1, 20), 0.25)

    display = MuscleActivationDisplay.from_estimator(Says(), "a trial", title="one", ax=axes)
    assert (display.probabilities == 0.25).all()

    class SaysFrames:
        def predict_proba(self, X):
            return np.zeros((3, 4, 2))

    with pytest.raises(ValueError, match=r"gave shape \(3, 4, 2\) for one trial"):
        MuscleActivationDisplay.from_estimator(SaysFrames(), "a trial")


@pytest.mark.parametrize(
    ("probabilities", "options", "message"),
    [
        (np.zeros(19), {}, r"one value for each of 20 muscle groups, got shape \(19,\)"),
        (np.zeros((2, 20)), {}, "For one of several trials pass its row"),
        (np.full(20, 1.5), {}, "neck: 1.5 is no probability"),
        (np.full(20, np.nan), {}, "neck: nan is no probability"),
        (np.zeros(20), {"truth": np.zeros(3)}, r"truth must hold .* got shape \(3,\)"),
        (np.zeros(20), {"truth": np.full(20, 2)}, "truth must hold 0 or 1"),
        (np.zeros(2), {"muscles": ["chest", "Chest"]}, "names a group twice"),
    ],
)
def test_what_cannot_be_drawn(probabilities, options, message):
    with pytest.raises(ValueError, match=message):
        MuscleActivationDisplay.from_predictions(probabilities, **options)


def test_names_are_spread():
    heights = _spread([5.0, 5.0, 4.9, 1.0], 0.5, 0.0, 8.0)
    assert (np.diff(heights) <= -0.5 + 1e-3).all() and abs(heights[3] - 1.0) < 1e-6
    assert abs(heights[:3].mean() - 4.97) < 0.1  # near to where they want to be
    assert len(_spread(np.zeros(30), 0.5, 0.0, 8.0)) == 30
    assert len(_spread([], 0.5, 0.0, 8.0)) == 0


def test_a_figure_of_its_own(probabilities):
    backend = matplotlib.get_backend()
    display = MuscleActivationDisplay.from_predictions(probabilities)
    assert display.figure_.axes and matplotlib.get_backend() == backend
    import matplotlib.pyplot as plt

    plt.close(display.figure_)
