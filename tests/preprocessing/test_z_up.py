"""Data with z up are said, once; people who stand, or lie across the picture, are not."""

import re
import warnings

import numpy as np
import pytest

from skrehab import BoneVectors, KinematicMeasures
from skrehab.datasets import make_rehab_trials
from skrehab.preprocessing.upright import trunk_directions
from skrehab.recipes import recommended
from skrehab.skeletons import get_skeleton, list_skeletons

DATA = make_rehab_trials(2, 2, random_state=0)
STANDING = DATA.X  # mediapipe33, y down


def turned(axes, signs=(1, 1, 1), trials=STANDING):
    """Trials with other axes."""
    return [trial[..., list(axes)] * np.float32(signs) for trial in trials]


def said_of(X, step=None):
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        (BoneVectors("mediapipe33") if step is None else step).fit(X)
    return [str(one.message) for one in record]


Z_UP = turned((0, 2, 1), (1, 1, -1))  # (x, z, -y): right-handed, z up


def test_z_up_is_said_once():
    said = said_of(Z_UP)
    assert len(said) == 1
    found = re.match(r"The trunk points along z in (\d+) of 28 trials: people lie tow", said[0])
    assert 21 < int(found[1]) <= 28 == len(Z_UP)  # some bend far
    assert "turn the trials before: (x, -z, y) in place of (x, y, z)" in said[0]
    assert said_of(Z_UP, KinematicMeasures("mediapipe33")) == said


def test_what_is_said_to_do_puts_it_right():
    back = turned((0, 2, 1), (1, -1, 1), Z_UP)
    for one, other in zip(back, STANDING):
        np.testing.assert_array_equal(one, other)
    assert said_of(back) == []


@pytest.mark.parametrize("axes, signs", [
    ((0, 1, 2), (1, 1, 1)),  # y down
    ((0, 1, 2), (-1, -1, 1)),  # y up
    ((1, 0, 2), (1, 1, 1)),  # lying across the picture
    ((1, 0, 2), (-1, 1, 1)),
])  # fmt: skip
def test_people_who_stand_or_lie_across_are_not_said(axes, signs):
    assert said_of(turned(axes, signs)) == []


def test_three_of_four_trials_are_not_most():
    assert said_of(Z_UP[:3] + STANDING[:1]) == []
    assert len(said_of(Z_UP[:4] + STANDING[:1])) == 1


def test_of_motion_capture():
    """UI-PRMD's skeleton has y up; its trunk by hand, with lost frames."""
    skeleton = get_skeleton("uiprmd22")
    trial = np.zeros((4, 22, 3))
    for name, height in (("upper_arm", 140.0), ("upper_leg", 90.0)):
        for side in ("left", "right"):
            trial[:, skeleton.index(f"{side}_{name}"), 2] = height
    trial[1] = np.nan
    trial[2, skeleton.index("left_upper_arm")] = [40.0, 0.0, 140.0]  # leans: (20, 0, 50)
    by_hand = np.array([20 / np.hypot(20, 50), 0, 50 / np.hypot(20, 50) + 2]) / 3
    np.testing.assert_allclose(trunk_directions([trial], skeleton), [by_hand])
    said = said_of([trial] * 2, BoneVectors("uiprmd22"))
    assert len(said) == 1 and "2 of 2 trials" in said[0] and "(x, z, -y) in place" in said[0]
    assert said_of([trial[..., [0, 2, 1]]] * 2, BoneVectors("uiprmd22")) == []
    assert np.isnan(trunk_directions([trial[1:2]], skeleton)).all()


@pytest.mark.parametrize("name", list_skeletons())
def test_every_skeleton_has_a_trunk(name):
    skeleton = get_skeleton(name)
    X = [np.random.RandomState(i).randn(30, skeleton.n_landmarks, 3) for i in range(3)]
    assert trunk_directions(X, skeleton).shape == (3, skeleton.n_dims)
    assert said_of(X, BoneVectors(name)) == []  # noise points nowhere


def test_trials_of_the_recipe_are_said():
    model = recommended("mediapipe33", n_teachers=1, max_epochs=1, random_state=0)
    with pytest.warns(UserWarning, match="trunk points along z") as record:
        model.fit(Z_UP, np.arange(len(Z_UP)) % 2)
    assert sum("along z" in str(one.message) for one in record) == 1


# --- y up in some trials, and down in others ------------------------------------------------------
def turned_over(trials):
    return turned((0, 1, 2), (1, -1, -1), trials)


def test_trials_that_are_turned_over_are_said_in_training():
    mixed = [*STANDING[:20], *turned_over(STANDING[20:])]
    with pytest.warns(
        UserWarning, match=r"In 8 of 28 trials \(X\[20\], X\[21\], .*other way along y"
    ):
        BoneVectors("mediapipe33").fit_transform(mixed)


def test_trials_that_are_turned_over_are_said_after_training_and_after_loading(tmp_path):
    """A model of y down judged trials with y up: another verdict, and not a word."""
    import skrehab

    for trained, later in ((STANDING, turned_over(STANDING)), (turned_over(STANDING), STANDING)):
        step = BoneVectors("mediapipe33").fit(trained)
        skrehab.save(step, tmp_path / "model", overwrite=True)
        for one in (step, skrehab.load(tmp_path / "model")):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                one.transform(trained)
            with pytest.warns(UserWarning, match=r"In 1 of 1 trials \(X\[0\]\)"):
                one.transform(later[:1])


def test_who_lies_or_is_not_seen_is_not_turned_over():
    step = BoneVectors("mediapipe33").fit(STANDING)
    lying = turned((1, 0, 2))[:2]
    other_side = turned((1, 0, 2), (-1, 1, 1))[:2]
    lost = [np.full_like(STANDING[0], np.nan)]
    for fitted in (step, BoneVectors("mediapipe33").fit([*lying, *other_side]),
                   BoneVectors("mediapipe33").fit(lost)):  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fitted.transform([*lying, *other_side, *lost])
            BoneVectors(None, bones=[(0, 1)]).fit(STANDING).transform(turned_over(STANDING))
