"""The report of one trial: which compensation, which measure, when, in degrees."""

import re

import numpy as np
import pytest

from skrehab.datasets import make_rehab_trials
from skrehab.report import find_compensations, trial_sections, write_trial_report

MEASURE = {
    "trunk_flexion": ["trunk_lean_forward"],
    "trunk_rotation": ["trunk_rotation"],
    "shoulder_elevation": ["left_shoulder_elevation", "right_shoulder_elevation", "shoulder_tilt"],
    "head_flexion": ["head_tilt_forward"],
}


def leaning(n_frames=60):
    """Somebody who sits upright, and leans forward by 20 degrees for two seconds."""
    body = np.zeros((33, 3))
    body[[11, 12]] = [[0.2, -0.5, 0], [-0.2, -0.5, 0]]  # x to the picture's right, y down
    body[[7, 8]] = [[0.08, -0.75, 0], [-0.08, -0.75, 0]]
    body[[0, 9, 10]] = [[0, -0.72, -0.1], [0.03, -0.68, -0.08], [-0.03, -0.68, -0.08]]
    body[[13, 14, 15, 16]] = [[0.2, -0.2, 0], [-0.2, -0.2, 0], [0.2, 0.05, 0], [-0.2, 0.05, 0]]
    body[[23, 24]] = [[0.1, 0, 0], [-0.1, 0, 0]]
    body[[25, 26, 27, 28]] = [[0.1, 0, -0.4], [-0.1, 0, -0.4], [0.1, 0.4, -0.4], [-0.1, 0.4, -0.4]]
    angle = np.deg2rad(20)
    turn = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    bent = body.copy()
    bent[:17] = body[:17] @ turn.T
    if bent[11, 2] > 0:  # the person faces the camera: to the front is against z
        bent[:17] = body[:17] @ turn
    trial = np.repeat(body[None], n_frames, axis=0)
    trial[20:40] = bent
    return trial


def test_a_lean_of_20_degrees_by_hand():
    trial, times = leaning(), np.arange(60) / 10
    scores = np.full(60, 0.1)
    scores[24:40] = 0.9
    scores[[28, 29]] = 0.2  # a gap of 0.2 s joins
    scores[[50, 51]] = 0.9  # 0.2 s alone is no stretch
    (row,) = find_compensations(trial, {"trunk": scores, "head": 0 * scores}, times, n_best=1)
    assert (row["label"], row["measure"], row["unit"]) == ("trunk", "trunk lean forward", "deg")
    assert (row["start"], row["stop"]) == (pytest.approx(2.4), pytest.approx(4.0))
    assert row["usual"] == pytest.approx(0, abs=0.1) and row["there"] == pytest.approx(20, abs=0.1)
    assert row["score"] == pytest.approx((14 * 0.9 + 2 * 0.2) / 16)
    text = trial_sections(trial, {"trunk": scores}, times)[0].text
    assert text == [
        "trunk, from 2.4 to 4.0 s: trunk lean forward 20\N{DEGREE SIGN} instead of "
        "0\N{DEGREE SIGN} (+20\N{DEGREE SIGN})."
    ]


def test_what_cannot_be_compared():
    trial, times = leaning(), np.arange(60) / 10
    everywhere = find_compensations(trial, {"trunk": np.ones(60)}, times)
    assert [row["measure"] for row in everywhere] == [None]
    assert (
        "no measure of posture differs"
        in trial_sections(trial, {"a": np.ones(60)}, times)[0].text[0]
    )
    quiet = trial_sections(trial, {"a": np.zeros(60), "b": np.zeros(60)}, times)[0]
    assert quiet.table is None and "Nothing was found" in quiet.text[0] and "a, b" in quiet.text[0]
    # frames of another label are not what the first is compared with
    early, late = np.zeros(60), np.zeros(60)
    early[:20], late[20:40] = 1, 1
    for row in find_compensations(trial, {"early": early, "late": late}, times, n_best=1):
        assert row["measure"] == (None if row["label"] == "early" else "trunk lean forward")
    # where nobody is seen nothing is found, and nothing compared
    trial[40:] = np.nan
    late[40:] = np.nan
    (row,) = find_compensations(trial, {"late": late}, times, n_best=1)
    assert row["change"] == pytest.approx(20, abs=0.1) and row["stop"] == pytest.approx(4.0)
    with pytest.raises(ValueError, match="one entry per frame, but their lengths differ"):
        find_compensations(trial, {"a": np.zeros(59)}, times)
    with pytest.raises(ValueError, match="names no label"):
        find_compensations(trial, {}, times)


def test_planted_compensations_are_named_by_their_own_measure():
    data = make_rehab_trials(10, 3, random_state=0)
    right, total = 0, 0
    for i in np.flatnonzero(data.y):
        truth = dict(zip(data.label_names, data.frame_compensations[i].T))
        times = np.arange(len(data.X[i])) / data.frame_rate
        found = find_compensations(data.X[i], truth, times, n_best=1)
        assert {row["label"] for row in found} <= {data.compensation[i]}
        total += 1
        right += bool(found) and found[0]["column"] in MEASURE[data.compensation[i]]
    assert total > 60 and right / total > 0.85


def test_the_page_says_it_in_degrees(tmp_path):
    scores = np.where((np.arange(60) >= 20) & (np.arange(60) < 40), 0.9, 0.1)
    path = write_trial_report(
        *(tmp_path / "r.html", leaning(), {"<b>trunk": scores, "head": 0 * scores}),
        np.arange(60) / 10,
        title="anna.mp4",
    )
    page = path.read_text(encoding="utf-8")
    assert "&lt;b&gt;trunk" in page and "<b>trunk" not in page
    cells = [re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<t[dh][^>]*>.*?</t[dh]>", page)]
    k = cells.index("trunk lean forward")
    assert cells[k - 1].replace("\xa0", " ") == "2.0 to 4.0 s"
    assert cells[k + 1 : k + 4] == ["0\N{DEGREE SIGN}", "20\N{DEGREE SIGN}", "+20\N{DEGREE SIGN}"]
    assert "<dd>2.0 s</dd>" in page and "<dd>none</dd>" in page and page.count("<img") == 1
