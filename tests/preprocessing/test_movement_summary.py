"""MovementSummary and smoothness: by hand, by closed form, by a second implementation."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skrehab
from skrehab import KinematicMeasures, MovementSummary
from skrehab.datasets import make_rehab_trials
from skrehab.preprocessing import log_dimensionless_jerk, spectral_arc_length
from skrehab.preprocessing.movement_summary import fill_all
from skrehab.preprocessing.smoothness import count_speed_peaks

BELL = np.exp(-5 * np.arange(-1, 1, 0.01) ** 2)


# --- smoothness -----------------------------------------------------------------------------------
def test_what_the_authors_code_says_of_a_bell():
    """Numbers in the docstrings of Balasubramanian's own code, for exp(-5 t^2) at 100 Hz."""
    assert round(float(spectral_arc_length(BELL, 100)), 5) == -1.41403
    assert round(float(log_dimensionless_jerk(BELL, 100)), 5) == -5.81636


@pytest.mark.parametrize("seed", range(3))
def test_a_second_implementation(seed):
    features = pytest.importorskip("skdh.features", reason="needs scikit-digital-health")
    rng = np.random.RandomState(seed)
    speed = np.abs(np.convolve(rng.randn(300), np.hanning(25), mode="same"))
    theirs = features.SPARC(padlevel=4, fc=10.0, amplitude_threshold=0.05)
    np.testing.assert_allclose(
        spectral_arc_length(speed, 50.0), theirs.compute(speed, fs=50.0), rtol=1e-6
    )


def test_scale_does_not_matter_and_columns_are_profiles():
    speed = np.stack([BELL, 7 * BELL, np.abs(np.sin(9 * BELL))], axis=1)
    for measure in (spectral_arc_length, log_dimensionless_jerk):
        out = measure(speed, 100)
        np.testing.assert_allclose(out[0], out[1])
        assert out[2] < out[0] - 1
        np.testing.assert_allclose(out[2], measure(speed[:, 2], 100))
    assert count_speed_peaks(speed).tolist()[:2] == [1, 1]


def test_no_movement_has_no_smoothness():
    for measure in (spectral_arc_length, log_dimensionless_jerk):
        assert np.isnan(measure(np.zeros((30, 2)), 30)).all()
        assert np.isnan(measure([1.0], 30))
        with pytest.raises(ValueError, match="without NaN"):
            measure([1.0, np.nan], 30)
        with pytest.raises(ValueError, match="frame_rate must be above 0"):
            measure([1.0, 2.0], 0)


def test_peaks_stand_out():
    assert count_speed_peaks([0, 2, 1, 2, 0]) == 2
    assert count_speed_peaks([0, 2, 1.9, 2.05, 0]) == 1
    assert count_speed_peaks([3, 2, 1]) == 0


# --- rows -----------------------------------------------------------------------------------------
def by_name(model, trial):
    return dict(zip(model.get_feature_names_out(), model.transform([trial])[0]))


def test_by_hand():
    """One landmark walks a right angle, 3 and 4 long, a step a frame; the other stays."""
    trial = np.zeros((8, 2, 3))
    trial[:, 0, 0] = [0, 1, 2, 3, 3, 3, 3, 3]
    trial[:, 0, 1] = [0, 0, 0, 0, 1, 2, 3, 4]
    model = MovementSummary(frame_rate=4, cutoff=None).fit([trial])
    said = by_name(model, trial)
    assert said["duration"] == 2
    assert said["landmark0_range"] == 5 and said["landmark0_path"] == 7
    assert said["landmark0_mean_speed"] == said["landmark0_peak_speed"] == 4
    assert said["landmark1_path"] == said["landmark1_peaks"] == 0
    assert np.isnan(said["landmark1_sparc"]) and np.isnan(said["landmark1_ldlj"])


def test_a_reach_and_back_has_two_peaks():
    t = np.linspace(0, 1, 61)
    reach = 10 * t**3 - 15 * t**4 + 6 * t**5
    trial = np.zeros((122, 33, 3))
    trial[:, 15, 2] = 0.4 * np.concatenate([reach, reach[::-1]])  # left wrist
    model = MovementSummary("mediapipe33", frame_rate=60, landmarks=["left_wrist", 16]).fit([trial])
    said = by_name(model, trial)
    assert len(said) == 1 + 2 * 7 + 2
    assert said["left_wrist_peaks"] == 2
    np.testing.assert_allclose(said["left_wrist_range"], 0.4, rtol=0.01)
    np.testing.assert_allclose(said["left_wrist_path"], 0.8, rtol=0.01)
    assert said["wrist_path_symmetry"] == 1  # only the left one moves
    half = trial.copy()
    half[:, 16] = 0.5 * trial[:, 15]
    np.testing.assert_allclose(by_name(model, half)["wrist_path_symmetry"], 1 / 3)
    # a hesitation on the way is less smooth, and a tremor less so
    slow = trial.copy()
    slow[30:45, 15] = slow[30, 15]
    rough = trial + 0.02 * np.sin(2 * np.pi * 5 * np.arange(122) / 60)[:, None, None]
    said, *others = (by_name(model, one) for one in (trial, slow, rough))
    for other in others:
        assert other["left_wrist_sparc"] < said["left_wrist_sparc"] - 0.1
        assert other["left_wrist_ldlj"] < said["left_wrist_ldlj"] - 0.5


def test_what_the_benchmark_computes_by_hand():
    """Range, mean and top speed of the joints, as in benchmarks/wmft_severity.py."""
    trial = np.random.RandomState(0).randn(40, 25, 3).astype(np.float32)
    model = MovementSummary("kinect25", cutoff=None).fit([trial])
    said = by_name(model, trial)
    speed = np.linalg.norm(np.diff(trial.astype(float), axis=0), axis=2) * 30
    span = np.linalg.norm(np.ptp(trial, axis=0), axis=1)
    for i, name in ((5, "left_elbow"), (11, "right_hand")):
        np.testing.assert_allclose(said[f"{name}_range"], span[i], rtol=1e-6)
        np.testing.assert_allclose(said[f"{name}_mean_speed"], speed[:, i].mean())
        np.testing.assert_allclose(said[f"{name}_peak_speed"], np.percentile(speed[:, i], 95))


def test_lost_landmarks():
    trial = np.random.RandomState(0).randn(40, 3, 4).astype(np.float32)
    trial[:, 1] = np.nan
    trial[4:8, 0] = np.nan
    model = MovementSummary().fit([trial])
    said = by_name(model, trial)
    lost = [name for name, value in said.items() if np.isnan(value)]
    assert lost == [name for name in said if name.startswith("landmark1")]
    assert fill_all(np.full((2, 1, 1), np.nan)).shape == (2, 1, 1)
    other = trial.copy()
    other[..., 3] = 0  # the score of what was seen is no place
    np.testing.assert_array_equal(model.transform([other]), model.transform([trial]))


@pytest.mark.parametrize("n_frames", [1, 2, 5])
def test_trials_of_hardly_a_frame(n_frames):
    row = MovementSummary().fit_transform([np.ones((n_frames, 2, 3))])[0]
    assert row[0] == n_frames / 30 and (row[1:5] == 0).all() and np.isnan(row[5])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"skeleton": "coco17"}, r"X\[0\] has 33 landmarks, skeleton 'coco17' has 17"),
        ({"landmarks": ["nose"]}, "holds the name 'nose': pass a skeleton too"),
        ({"landmarks": [33]}, "landmarks holds 33: X has 33, numbered from 0"),
        ({"skeleton": "mediapipe33", "landmarks": ["tail"]}, "has no landmark 'tail'"),
        ({"skeleton": "dog_measures"}, "Unknown skeleton 'dog'"),
        ({"frame_rate": 0}, "'frame_rate' parameter"),
    ],
)
def test_what_it_refuses(params, message):
    with pytest.raises(ValueError, match=message):
        MovementSummary(**params).fit([np.zeros((4, 33, 3))])


# --- in models ------------------------------------------------------------------------------------
def test_names_come_from_the_step_before():
    data = make_rehab_trials(2, 1, random_state=0)
    rows = make_pipeline(KinematicMeasures(), MovementSummary()).fit(data.X)
    assert rows.get_feature_names_out()[1] == "trunk_lean_forward_range"


def test_a_ridge_on_it_finds_what_was_planted(tmp_path):
    """Trials whose wrist trembles more score lower; new trials are ranked."""
    rng = np.random.RandomState(0)
    X, y = [], []
    t = np.arange(90) / 30
    for _ in range(40):
        trial = 0.005 * rng.randn(90, 4, 3)
        trial[:, 0, 0] += 0.3 * np.sin(np.pi * t / 3)
        y.append(rng.rand())
        trial[:, 0, 1] += 0.05 * y[-1] * np.sin(2 * np.pi * 5 * t)
        X.append(trial.astype(np.float32))
    model = make_pipeline(MovementSummary(), StandardScaler(), Ridge()).fit(X[:25], y[:25])
    assert np.corrcoef(model.predict(X[25:]), y[25:])[0, 1] > 0.9
    summary = MovementSummary("mediapipe33", landmarks=["left_wrist"], cutoff=None)
    summary.fit([np.ones((9, 33, 3))])
    again = skrehab.load(skrehab.save(summary, tmp_path / "summary"))
    trial = rng.randn(20, 33, 3)
    np.testing.assert_array_equal(again.transform([trial]), summary.transform([trial]))
    with pytest.raises(ValueError, match="whole trials"):
        summary._stream()
