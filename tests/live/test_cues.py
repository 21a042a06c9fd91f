"""Cues: hysteresis, waiting times, late frames, nobody in view; offline equals frame by frame."""

import numpy as np
import pytest

from skrehab import CueGate
from skrehab.live import CueRule, CueState, cue_frames, next_cue

FPS = 30


def run(gate, probabilities, fps=FPS, start=0.0):
    return [gate.push(p, start + i / fps) for i, p in enumerate(probabilities)]


def test_comes_on_after_min_duration_and_goes_after_min_gap():
    cues = run(CueGate(min_duration=0.3, min_gap=0.5), [0.9] * 20 + [0.1] * 30)
    assert cues.index(True) == 9  # the tenth frame: 0.3 s after the first
    assert cues[9:35] == [True] * 26  # 0.5 s after the first low frame, which is number 20
    assert not any(cues[35:])


def test_without_waiting_it_is_plain_hysteresis():
    gate = CueGate(on=0.6, off=0.4, min_duration=0, min_gap=0)
    probabilities = [0.5, 0.59, 0.6, 0.5, 0.41, 0.4, 0.5, 0.61, 0.39]
    assert run(gate, probabilities) == [False, False, True, True, True, False, False, True, False]


def test_equal_thresholds_are_one_threshold():
    gate = CueGate(on=0.5, off=0.5, min_duration=0, min_gap=0)
    assert run(gate, [0.49, 0.5, 0.51, 0.49]) == [False, True, True, False]


def test_a_score_that_hovers_round_one_threshold_gives_one_cue():
    """Where one threshold switches a hundred times, the gate switches once."""
    rng = np.random.RandomState(0)
    probabilities = np.concatenate(
        [np.full(30, 0.1), 0.55 + 0.12 * rng.randn(300).clip(-1.2, 2), np.full(60, 0.1)]
    )
    times = np.arange(len(probabilities)) / FPS

    def switches(cues):
        return int((np.diff(cues.astype(int)) == 1).sum())

    assert switches(probabilities >= 0.55) > 50
    assert switches(cue_frames(probabilities, times)) == 1


def test_a_blip_is_no_cue_and_a_short_gap_no_end():
    gate = CueGate(min_duration=0.3, min_gap=0.5)
    assert not any(run(gate, [0.1] * 5 + [0.9] * 9 + [0.1] * 5))  # 9 frames: 0.27 s
    gate.reset()
    cues = run(gate, [0.9] * 15 + [0.1] * 14 + [0.9] * 15)  # 14 frames: 0.47 s
    assert cues[10:] == [True] * 34


def test_what_is_said_of_a_frame_does_not_change_when_others_come():
    rng = np.random.RandomState(1)
    probabilities = np.cumsum(0.15 * rng.randn(300)) % 1
    probabilities[rng.rand(300) < 0.1] = np.nan
    times = np.cumsum(rng.uniform(0.01, 0.06, 300))
    rule = CueRule(min_duration=0.1, min_gap=0.2)
    whole = cue_frames(probabilities, times, rule)
    assert 0.1 < whole.mean() < 0.9  # or nothing was tried
    gate = CueGate(*rule)
    assert [gate.push(p, t) for p, t in zip(probabilities, times)] == whole.tolist()
    for t in (1, 17, 150):
        assert cue_frames(probabilities[:t], times[:t], rule).tolist() == whole[:t].tolist()


def test_waits_are_in_seconds_not_frames():
    """At half the frame rate, and with every third frame dropped, it comes at the same time."""
    gate = CueGate(min_duration=0.4)
    for times in (
        np.arange(60) / 30,
        np.arange(30) / 15,
        np.delete(np.arange(60) / 30, slice(1, None, 3)),
    ):
        gate.reset()
        first = next(t for t in times if gate.push(0.9, t))
        assert first == pytest.approx(0.4, abs=0.034)


def test_nobody_in_view_ends_a_cue_and_starts_none():
    gate = CueGate(min_duration=0.1, min_gap=0.2)
    assert run(gate, [0.9] * 6)[-1]
    assert run(gate, [np.nan] * 10, start=1.0)[-1] is False
    assert not any(run(gate, [np.nan] * 30, start=2.0))


def test_late_frames_change_nothing():
    gate = CueGate(min_duration=0.1)
    run(gate, [0.9] * 6)
    before = gate.state
    assert gate.push(0.0, 0.05) is True
    assert gate.push(0.0, before.last) is True
    assert gate.push(0.0, float("nan")) is True
    assert gate.state == before


def test_a_hole_in_time_is_no_evidence():
    """Two high frames, ten seconds apart: nobody knows what was between them."""
    gate = CueGate(min_duration=0.3, max_gap=1.0)
    assert not gate.push(0.9, 0.0)
    assert not gate.push(0.9, 10.0)
    assert gate.push(0.9, 10.3)
    assert not gate.push(0.9, 20.0)  # and a cue is not kept up through it


def test_reset_starts_anew_and_so_may_the_clock():
    gate = CueGate(min_duration=0.1)
    assert run(gate, [0.9] * 6, start=100)[-1]
    gate.reset()
    assert gate.state == CueState()
    assert run(gate, [0.9] * 6) == [False, False, False, True, True, True]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"on": 0.3, "off": 0.4}, "off <= on"),
        ({"on": 1.2}, "on=1.2"),
        ({"off": float("nan")}, "off=nan"),
        ({"min_duration": -1}, "min_duration"),
        ({"min_gap": float("nan")}, "min_gap"),
    ],
)
def test_a_rule_without_sense_is_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        CueGate(**settings)
    with pytest.raises(ValueError, match=match):
        cue_frames([0.5], [0.0], CueRule(**settings))


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="got 2 and 3"):
        cue_frames([0.5, 0.5], [0, 1, 2])


def test_repr_is_how_to_make_it():
    gate = CueGate(on=0.7, min_gap=1)
    assert eval(repr(gate)).rule == gate.rule


def test_the_rule_is_pure():
    state = CueState()
    one, other = next_cue(state, 0.9, 0.0), next_cue(state, 0.9, 0.0)
    assert one == other and state == CueState()
