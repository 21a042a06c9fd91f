"""Which branches of a network of two are trained when."""

import pytest

from skrehab.fusion.stages import plan_stages

BOTH = [{"rgb": "a.mp4", "pose": None}, {"rgb": None, "pose": [0]}]


def test_a_stage_of_no_epoch_is_left_out():
    assert plan_stages(BOTH, "both", 0, 4) == [(2, ("rgb", "pose"), 4)]
    assert plan_stages(BOTH, "both", 3, 0) == [(1, ("rgb",), 3), (1, ("pose",), 3)]
    assert plan_stages(BOTH, "rgb", 3, 4) == [(1, ("rgb",), 3)]


def test_a_modality_that_no_trial_has_is_named():
    with pytest.raises(ValueError, match=r"No trial has pose: .* than 'both'"):
        plan_stages(BOTH[:1], "both", 1, 1)


def test_one_branch_has_no_second_stage():
    with pytest.raises(ValueError, match="stage1_epochs=0, stage2_epochs=4"):
        plan_stages(BOTH, "pose", 0, 4)
