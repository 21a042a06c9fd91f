"""False alarms a minute, by hand, and the threshold that keeps them."""

import numpy as np
import pytest

from skrehab.metrics import alarm_threshold, false_alarm_rate


def test_an_alarm_that_touches_the_motion_is_not_false():
    scores = [[0.9, 0.1, 0.9, 0.9, 0.1, 0.9], [0.9] * 6]
    truth = [[0, 0, 0, 1, 1, 1], [0] * 6]
    # alarms: frame 0 (false), 2-3 (true), 5 (true), all of trial 1 (false): 2 in 9 frames
    assert false_alarm_rate(scores, truth, 0.5, frame_rate=3) == pytest.approx(2 / (9 / 3 / 60))
    assert np.isnan(false_alarm_rate([[0.9]], [[1]], 0.5, 3))
    assert false_alarm_rate([[0.9, 0.9]], [[0, -1]], 0.5, 1) == 0.0  # nobody knows what it was


@pytest.mark.parametrize("per_minute", [0, 5, 60])
def test_the_threshold_keeps_the_rate_and_the_next_does_not(per_minute):
    rng = np.random.RandomState(0)
    scores = [rng.rand(200) for _ in range(5)]
    truth = [(rng.rand(200) < 0.2).astype(int) for _ in scores]
    cut = alarm_threshold(scores, truth, 10, per_minute)
    assert false_alarm_rate(scores, truth, cut, 10) <= per_minute
    every = np.unique(np.quantile(np.concatenate(scores), np.linspace(0, 1, 200)))
    lower = every[every < cut].max()
    assert false_alarm_rate(scores, truth, lower, 10) > per_minute


def test_nothing_normal_is_refused():
    with pytest.raises(ValueError, match="without the motion"):
        alarm_threshold([[0.1, 0.9]], [[1, 1]], 10)
