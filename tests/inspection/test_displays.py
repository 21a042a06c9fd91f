"""Displays: what they store, what they draw, and what they refuse."""

import subprocess
import sys

import matplotlib
import matplotlib.collections
import matplotlib.colors
import numpy as np
import pytest
from sklearn.utils import Bunch

from skrehab.inspection import (
    FrameTimelineDisplay,
    PatientScoresDisplay,
    SaliencyMapDisplay,
    SkeletonDisplay,
)
from skrehab.inspection._card import seen_from_front
from skrehab.metrics import by_patient, frame_roc_auc
from skrehab.skeletons import get_skeleton, list_skeletons


@pytest.fixture(autouse=True)
def figures():
    """Draw without a screen, and leave no figure behind."""
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    yield plt
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def spans(ax):
    """Left, right and face colour of every coloured span of a strip."""
    return sorted(
        (
            *path.get_extents().intervalx.round(6),
            matplotlib.colors.to_hex(collection.get_facecolor()[0]),
        )
        for collection in ax.collections
        for path in collection.get_paths()
    )


class FrameModel:
    """A frame classifier whose scores are known."""

    def __init__(self, scores, classes=(0, 1)):
        self.scores, self.classes_ = np.asarray(scores, dtype=float), np.array(classes)

    def predict_proba(self, X):
        assert len(X) == 1
        if self.scores.ndim == 2:
            return [self.scores]
        return [np.column_stack([1 - self.scores, self.scores])]


def test_import_is_light():
    code = "import sys, skrehab.inspection, skrehab.report; print('matplotlib' in sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240
    )
    assert out.stdout.strip() == "False"


# --- saliency map ---------------------------------------------------------------------------------
def test_saliency_map_rows_are_landmarks_and_columns_are_frames():
    saliency_map = np.zeros((40, 33))
    saliency_map[10, 15] = 2.0  # left wrist
    display = SaliencyMapDisplay.from_predictions(saliency_map)
    drawn = display.image_.get_array()
    assert drawn.shape == (33, 40)
    assert drawn[15, 10] == 2.0 and drawn.sum() == 2.0
    labels = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert len(labels) == 33  # its own figure is high enough for every name
    assert labels[15] == "left wrist"
    # the first row is on top, each row is centred on its tick
    assert display.image_.get_extent() == [-0.5, 39.5, 32.5, -0.5]
    assert display.ax_.get_xlabel() == "frame"
    assert display.figure_ is display.ax_.figure


def test_saliency_map_in_seconds_with_score_and_truth():
    truth = np.repeat([0, 1, -1], 20)
    display = SaliencyMapDisplay.from_predictions(
        np.ones((60, 22)),
        skeleton="uiprmd22",
        frame_rate=30,
        frame_scores=np.linspace(0, 1, 60),
        frame_labels=truth,
        method="vanilla_gradient",
    )
    assert display.ax_.get_xlabel() == "time (s)"
    assert display.ax_.get_xlim() == pytest.approx((-1 / 60, 59.5 / 30))
    assert display.strip_ax_.get_xlim() == display.ax_.get_xlim()
    assert display.colorbar_.ax.get_ylabel() == "saliency, vanilla gradient"
    curve = display.score_ax_.lines[0]
    np.testing.assert_allclose(curve.get_ydata(), np.linspace(0, 1, 60))
    np.testing.assert_allclose(curve.get_xdata(), np.arange(60) / 30)
    edges = [(left * 30 + 0.5, right * 30 + 0.5) for left, right, _ in spans(display.strip_ax_)]
    np.testing.assert_allclose(edges, [(0, 20), (20, 40), (40, 60)], atol=1e-3)
    assert legend(display.ax_) == ["compensation", "normal", "not used"]


def test_saliency_map_scale_is_not_ruled_by_one_spike():
    saliency_map = np.random.default_rng(0).random((100, 33))
    saliency_map[3, 3] = 1000.0
    display = SaliencyMapDisplay.from_predictions(saliency_map)
    low, high = display.image_.get_clim()
    assert low == 0 and 0.9 < high < 1.0
    assert display.colorbar_.extend == "max"
    display.plot(percentile=100)
    assert display.image_.get_clim() == (0, 1000.0)
    assert display.colorbar_.extend == "neither"


def test_saliency_map_with_a_sign_is_centred_on_zero():
    display = SaliencyMapDisplay.from_predictions(np.linspace(-1, 3, 33 * 5).reshape(5, 33))
    low, high = display.image_.get_clim()
    assert low == -high < 0
    assert display.image_.get_cmap().name == "PuOr_r"


def test_saliency_map_marks_missing_values():
    saliency_map = np.ones((20, 33))
    saliency_map[:5] = np.nan
    display = SaliencyMapDisplay.from_predictions(saliency_map)
    assert display.image_.get_array().mask.sum() == 5 * 33
    assert legend(display.ax_) == ["no saliency"]
    everything = SaliencyMapDisplay.from_predictions(np.full((4, 33), np.nan))
    assert np.isfinite(everything.image_.get_clim()).all()
    flat = SaliencyMapDisplay.from_predictions(np.zeros((4, 33)))
    assert flat.image_.get_clim()[1] > 0


def test_saliency_map_thins_names_on_small_axes(figures):
    _, axes = figures.subplots(3, 1, figsize=(4, 4))
    display = SaliencyMapDisplay.from_predictions(np.ones((20, 33)), ax=axes[1])
    labels = display.ax_.get_yticklabels()
    assert 3 < len(labels) < 33
    assert min(label.get_fontsize() for label in labels) >= 6
    spacing = np.diff([label.get_window_extent().y0 for label in labels])
    assert np.abs(spacing).min() > 0.9 * labels[0].get_fontsize() * axes[1].figure.dpi / 72


def test_saliency_map_from_estimator_passes_everything_on():
    asked = {}

    class VideoModel:
        def saliency(self, X, **params):
            asked.update(params, n_trials=len(X))
            return Bunch(maps=[np.ones((len(X[0]), 22))], scores=[np.linspace(0, 1, len(X[0]))])

    display = SaliencyMapDisplay.from_estimator(
        VideoModel(), np.zeros((30, 22, 3)), method="vanilla_gradient", skeleton="uiprmd22"
    )
    assert asked == {
        "n_trials": 1,
        "method": "vanilla_gradient",
        "target": None,
        "baseline": "zeros",
        "n_steps": 50,
        "aggregate": "sum",
        "return_maps": True,
    }
    assert display.saliency_map.shape == (30, 22)
    assert display.frame_scores[-1] == 1
    assert display.method == "vanilla_gradient"


def test_saliency_map_of_a_real_classifier():
    from skrehab import VideoClassifier

    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 22, 3)).astype("float32") for n in (20, 24, 28, 22)]
    classifier = VideoClassifier("lstm", max_epochs=1, random_state=0).fit(X, [0, 1, 0, 1])
    display = SaliencyMapDisplay.from_estimator(
        classifier, X[1], skeleton="uiprmd22", frame_labels=np.zeros(24), n_steps=4
    )
    expected = classifier.saliency([X[1]], n_steps=4, return_maps=True)
    np.testing.assert_allclose(display.saliency_map, expected.maps[0], rtol=1e-5)
    np.testing.assert_allclose(display.image_.get_array(), expected.maps[0].T, rtol=1e-5)
    np.testing.assert_allclose(display.frame_scores, expected.scores[0], rtol=1e-5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"saliency_map": np.ones(33)}, r"\(n_frames, n_landmarks\), got \(33,\)"),
        ({"saliency_map": np.ones((9, 22))}, "22 landmarks, skeleton 'mediapipe33' has 33"),
        ({"frame_labels": np.zeros(8)}, r"frame_labels .* 9 frames, got shape \(8,\)"),
        ({"frame_labels": np.zeros((1, 9))}, r"got shape \(1, 9\).*pass its item \[0\]"),
        ({"frame_scores": np.zeros(10)}, r"frame_scores .* 9 frames, got shape \(10,\)"),
        ({"frame_labels": ["lean"] * 9}, r"holds \['lean'\].*pos_label"),
        ({"frame_rate": 0}, "frame_rate must be frames per second, above 0; got 0"),
        ({"skeleton": "stick"}, "Unknown skeleton 'stick'"),
    ],
)
def test_saliency_map_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        SaliencyMapDisplay.from_predictions(**{"saliency_map": np.ones((9, 33)), **arguments})


# --- time line ------------------------------------------------------------------------------------
def test_timeline_draws_curve_strips_and_threshold():
    scores = np.linspace(0, 1, 30)
    pseudo = np.repeat([0, -1, 1], 10)
    truth = np.repeat([0, 1], 15)
    display = FrameTimelineDisplay.from_predictions(
        scores, pseudo_labels=pseudo, frame_labels=truth, frame_rate=10, threshold=0.6
    )
    np.testing.assert_allclose(display.line_.get_ydata(), scores)
    np.testing.assert_allclose(display.line_.get_xdata(), np.arange(30) / 10)
    assert set(display.threshold_line_.get_ydata()) == {0.6}
    assert "threshold 0.6" in texts(display.ax_)
    assert display.ax_.get_ylabel() == "probability of compensation"
    rows = [tick.get_text() for tick in display.strip_ax_.get_yticklabels()]
    assert rows == ["pseudo-labels", "truth"]
    assert len(spans(display.strip_ax_)) == 5
    assert legend(display.ax_) == ["compensation", "normal", "not used"]
    # the colours mean the same in both rows, and differ in lightness for a grey print
    colours = {colour for *_, colour in spans(display.strip_ax_)}
    light = sorted(
        np.dot(matplotlib.colors.to_rgb(colour), (0.2126, 0.7152, 0.0722)) for colour in colours
    )
    assert len(light) == 3 and np.diff(light).min() > 0.2


def test_timeline_without_labels_or_threshold():
    display = FrameTimelineDisplay.from_predictions([0.2, 0.4], threshold=None)
    assert display.strip_ax_ is None and display.threshold_line_ is None
    assert display.ax_.get_legend() is None
    assert display.ax_.get_xlabel() == "frame"


def test_timeline_keeps_gaps_and_lone_frames_visible():
    scores = np.full(20, 0.5)
    scores[5:10] = np.nan
    scores[7] = 0.9
    display = FrameTimelineDisplay.from_predictions(scores)
    assert np.isnan(display.line_.get_ydata()[5])
    assert display.line_.get_marker() == "o" and display.line_.get_markevery() == [7]
    grey = [patch.get_extents() for patch in display.ax_.patches]
    inverse = display.ax_.transData.inverted()
    edges = [tuple(inverse.transform_bbox(box).intervalx.round(3)) for box in grey]
    assert edges == [(4.5, 6.5), (7.5, 9.5)]
    assert legend(display.ax_) == ["no score"]
    one = FrameTimelineDisplay.from_predictions([0.7])
    assert one.line_.get_marker() == "o"


def test_timeline_from_estimator_takes_the_positive_column():
    display = FrameTimelineDisplay.from_estimator(
        FrameModel([0.1, 0.9, 0.8], classes=["lean", "none"]),
        np.zeros((3, 33, 3)),
        pos_label="none",
        frame_labels=["none", "none", "lean"],
        class_names=("lean", "none"),
    )
    np.testing.assert_allclose(display.frame_scores, [0.1, 0.9, 0.8])
    assert display.frame_states.tolist() == [1, 1, 0]
    other = FrameTimelineDisplay.from_estimator(
        FrameModel([0.1, 0.9, 0.8], classes=["lean", "none"]), None, pos_label="lean"
    )
    np.testing.assert_allclose(other.frame_scores, [0.9, 0.1, 0.2])
    with pytest.raises(ValueError, match=r"Which of \['lean', 'none'\].*pos_label"):
        FrameTimelineDisplay.from_estimator(FrameModel([0.1], classes=["lean", "none"]), None)


def test_timeline_asks_which_class_of_many():
    model = FrameModel(np.full((4, 3), 1 / 3), classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"shape \(4, 3\).*pos_label, one of \[.*2.*\]"):
        FrameTimelineDisplay.from_estimator(model, None)
    with pytest.raises(ValueError, match="pos_label=7 is not one of the classes"):
        FrameTimelineDisplay.from_estimator(model, None, pos_label=7)
    assert FrameTimelineDisplay.from_estimator(model, None, pos_label=2).frame_scores[0] == 1 / 3


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"frame_scores": np.zeros((3, 2))}, r"shape \(n_frames,\), got \(3, 2\)"),
        ({"frame_scores": []}, r"got \(0,\)"),
        ({"frame_scores": [0.1, 1.5, -2.0]}, r"in \[0, 1\], got -2 to 1.5"),
        ({"pseudo_labels": [0, 1]}, r"pseudo_labels .* 3 frames, got shape \(2,\)"),
        ({"frame_labels": [0, 1, 2]}, r"frame_labels holds \['2'\]"),
    ],
)
def test_timeline_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        FrameTimelineDisplay.from_predictions(**{"frame_scores": [0.1, 0.2, 0.3], **arguments})


# --- patients -------------------------------------------------------------------------------------
def test_patient_scores_count_name_and_summarise():
    scores = {"LSTM": [0.5, 0.7, np.nan, 0.9], "AcT": [0.6, 0.8, None, np.nan]}
    display = PatientScoresDisplay.from_predictions(
        scores, ["P01", "P02", "P07", "P09"], references={"chance": 0.5}
    )
    assert display.means_ == pytest.approx({"LSTM": 0.7, "AcT": 0.7})
    assert display.sds_ == pytest.approx({"LSTM": 0.2, "AcT": np.sqrt(0.02)})
    assert display.undefined_ == {"LSTM": ["P07"], "AcT": ["P07", "P09"]}
    shown = texts(display.ax_)
    assert {"undefined: P07", "undefined: P07, P09", "0.70 ± 0.20", "chance"} <= set(shown)
    dots = [
        collection.get_offsets()
        for collection in display.ax_.collections
        if isinstance(collection, matplotlib.collections.PathCollection)
    ]
    assert dots[0].tolist() == [[0.5, 0], [0.7, 0], [0.9, 0]]
    assert dots[1].tolist() == [[0.6, 1], [0.8, 1]]
    # each patient's line joins its own scores
    paired = [line.get_xdata() for line in display.ax_.lines[:4]]
    np.testing.assert_array_equal(paired[1], [0.7, 0.8])
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == ["LSTM", "AcT"]
    bottom, top = display.ax_.get_ylim()
    assert bottom > top  # the first method is on top


def test_patient_scores_agree_with_metrics():
    truth = [[0, 1, 1], [0, 1, 0], [0, 0, 0]]
    result = by_patient(frame_roc_auc, truth, [[0, 1, 0], [1, 0, 0], [0, 0, 1]], ["B", "A", "C"])
    display = PatientScoresDisplay.from_predictions({"MLP": result})
    assert display.patients == ["A", "B", "C"]
    assert display.means_["MLP"] == pytest.approx(result.mean)
    assert display.sds_["MLP"] == pytest.approx(result.std)
    assert display.undefined_["MLP"] == result.undefined == ["C"]


def test_patient_scores_by_name_and_the_lowest():
    display = PatientScoresDisplay.from_predictions(
        {"a": {"P2": 0.4, "P1": 0.9}, "b": {"P1": 0.5, "P3": 0.6}}
    )
    assert display.patients == ["P2", "P1", "P3"]
    assert display.undefined_ == {"a": ["P3"], "b": ["P2"]}
    assert [t for t in texts(display.ax_) if t in display.patients] == ["P2", "P1"]


def test_patient_scores_without_any_score():
    display = PatientScoresDisplay.from_predictions({"a": [np.nan, np.nan]}, ["P1", "P2"])
    assert np.isnan(display.means_["a"]) and np.isnan(display.sds_["a"])
    assert "no patient has a score" in texts(display.ax_)
    one = PatientScoresDisplay.from_predictions({"a": [0.4]}, ["P1"])
    assert "0.40" in texts(one.ax_) and np.isnan(one.sds_["a"])


def test_patient_scores_names_every_undefined_patient():
    patients = [f"P{i:02d}" for i in range(18)]
    display = PatientScoresDisplay.from_predictions({"a": [0.5, 0.6] + [np.nan] * 16}, patients)
    (note,) = [text for text in texts(display.ax_) if text.startswith("undefined")]
    assert all(patient in note for patient in patients[2:])


def test_patient_scores_refuses():
    with pytest.raises(ValueError, match=r"scores\['a'\] .* 3 patients, got shape \(2,\)"):
        PatientScoresDisplay.from_predictions({"a": [0.1, 0.2]}, ["P1", "P2", "P3"])
    with pytest.raises(ValueError, match="patients is needed"):
        PatientScoresDisplay.from_predictions({"a": [0.1, 0.2]})
    with pytest.raises(ValueError, match="dict of method name"):
        PatientScoresDisplay.from_predictions([0.1, 0.2], ["P1", "P2"])
    with pytest.raises(ValueError, match=r"not listed: \['P9'\]"):
        PatientScoresDisplay.from_predictions({"a": {"P9": 1.0}}, ["P1"])
    with pytest.warns(UserWarning, match="infinite"):
        display = PatientScoresDisplay.from_predictions({"a": [0.5, np.inf]}, ["P1", "P2"])
    assert display.undefined_ == {"a": ["P2"]}


# --- skeletons ------------------------------------------------------------------------------------
def standing(skeleton, n_frames=1):
    """A person on a skeleton's own axes: head over feet, left hand on the camera's right."""
    skeleton = get_skeleton(skeleton)
    up, right = np.zeros(skeleton.n_landmarks), np.zeros(skeleton.n_landmarks)
    for i, name in enumerate(skeleton.landmarks):
        up[i] = (
            0.9 if name in ("nose", "head") else -0.9 if "foot" in name or "ankle" in name else 0
        )
        right[i] = 0.5 if "left" in name else -0.5 if "right" in name else 0
    x, y = right * skeleton.directions[0], -up * skeleton.directions[1]
    return np.repeat(np.stack([x, y, np.zeros_like(x)], axis=-1)[None], n_frames, axis=0)


@pytest.mark.parametrize("name", list_skeletons())
def test_skeleton_stands_upright_and_faces_the_viewer(name):
    skeleton = get_skeleton(name)
    display = SkeletonDisplay.from_predictions(standing(name), skeleton=name)
    display.figure_.canvas.draw()
    on_screen = {
        side: display.ax_.transData.transform(dots.get_offsets())
        for side, dots in display.dots_.items()
        if len(dots.get_offsets())
    }
    assert sum(map(len, on_screen.values())) == skeleton.n_landmarks
    assert on_screen["left"][:, 0].min() > on_screen["right"][:, 0].max()
    head = skeleton.index("nose" if "nose" in skeleton.landmarks else "head")
    foot = next(i for i, n in enumerate(skeleton.landmarks) if "foot" in n or "ankle" in n)
    picture = seen_from_front(standing(name)[0], skeleton)
    assert picture[head, 1] > picture[foot, 1]
    # the axes themselves are not turned over
    assert np.diff(display.ax_.get_ylim()) > 0 and np.diff(display.ax_.get_xlim()) > 0
    assert sum(len(lines.get_segments()) for lines in display.lines_.values()) == len(
        skeleton.edges
    )


def test_left_and_right_have_their_own_colours():
    display = SkeletonDisplay.from_predictions(standing("coco17"), skeleton="coco17")
    colours = {tuple(lines.get_color()[0]) for lines in display.lines_.values()}
    assert len(colours) == 3
    assert legend(display.ax_) == ["left", "right"]
    # 4 left limbs and the left side of the face and trunk; the same on the right
    assert len(display.lines_["left"].get_segments()) == len(display.lines_["right"].get_segments())


def test_film_strip_spreads_frames_and_captions():
    trial = standing("uiprmd22", 61)
    display = SkeletonDisplay.from_predictions(
        trial, skeleton="uiprmd22", frames=5, frame_rate=30, n_columns=3
    )
    assert display.frames.tolist() == [0, 15, 30, 45, 60]
    assert texts(display.ax_) == ["0.0 s", "0.5 s", "1.0 s", "1.5 s", "2.0 s"]
    cards = [patch.get_bbox() for patch in display.ax_.patches]
    assert len(cards) == 5
    assert len({round(card.x0, 6) for card in cards}) == 3  # three columns
    assert len({round(card.y0, 6) for card in cards}) == 2  # two rows
    for dots, side in ((display.dots_["left"], "left"), (display.dots_["right"], "right")):
        n_side = sum(side in name for name in get_skeleton("uiprmd22").landmarks)
        assert len(dots.get_offsets()) == 5 * n_side
    # every dot lies in its own card
    offsets = display.dots_["middle"].get_offsets().reshape(5, -1, 2)
    for card, dots in zip(cards, offsets, strict=True):
        assert all(card.contains(*dot) for dot in dots)
    # asking for more frames than there are shows each one once
    assert len(SkeletonDisplay.from_predictions(trial[:3], skeleton="uiprmd22").frames) == 3


def test_lost_landmarks_are_left_out_with_their_lines():
    trial = standing("uiprmd22", 3)
    trial[1, 8] = np.nan  # left forearm, where two lines meet
    trial[2] = np.nan
    display = SkeletonDisplay.from_predictions(trial, skeleton="uiprmd22", frames=[0, 1, 2])
    n_edges = len(get_skeleton("uiprmd22").edges)
    drawn = sum(len(lines.get_segments()) for lines in display.lines_.values())
    assert drawn == n_edges + (n_edges - 2)
    assert sum(len(dots.get_offsets()) for dots in display.dots_.values()) == 22 + 21
    assert "no pose" in texts(display.ax_)
    nobody = SkeletonDisplay.from_predictions(np.full((2, 33, 3), np.nan))
    assert texts(nobody.ax_).count("no pose") == 2
    nobody.figure_.canvas.draw()


def test_verdicts_colour_cards_and_saliency_sizes_dots():
    trial = standing("uiprmd22", 3)
    saliency_map = np.zeros((3, 22))
    saliency_map[1, 4] = 5.0  # head of the second frame
    display = SkeletonDisplay.from_predictions(
        trial, skeleton="uiprmd22", frame_labels=[0, 1, -1], saliency_map=saliency_map, frames=3
    )
    assert legend(display.ax_)[:4] == ["left", "right", "compensation", "normal"]
    faces = [matplotlib.colors.to_hex(patch.get_facecolor()) for patch in display.ax_.patches]
    assert len(faces) == 5  # three cards, and a bar under the two that have a verdict
    assert len(set(faces)) == 5
    sizes = np.concatenate([dots.get_sizes() for dots in display.dots_.values()])
    assert (sizes > sizes.min()).sum() == 1
    # the sizes belong to the frames that are shown, not to the first ones
    display = SkeletonDisplay.from_predictions(
        trial, skeleton="uiprmd22", saliency_map=saliency_map, frames=[0, 2]
    )
    assert all((dots.get_sizes() == 4).all() for dots in display.dots_.values())
    display = SkeletonDisplay.from_predictions(
        trial, skeleton="uiprmd22", saliency_map=saliency_map, frames=[1]
    )
    assert max(dots.get_sizes().max() for dots in display.dots_.values()) > 100


def test_skeleton_from_estimator_colours_by_verdict():
    trial = standing("coco17", 4)
    display = SkeletonDisplay.from_estimator(
        FrameModel([0.1, 0.6, np.nan, 0.9]), trial, skeleton="coco17", threshold=0.7
    )
    assert display.frame_states.tolist() == [0, 0, -1, 1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"trial": np.zeros((4, 22, 3))}, r"'mediapipe33'.*33.*got \(4, 22, 3\)"),
        ({"trial": np.zeros((4, 33, 1))}, r"at least 2\), got \(4, 33, 1\)"),
        ({"trial": np.zeros((33, 3))}, "must have shape"),
        ({"frames": [0, 9]}, r"4 frames, got \[0, 9\]"),
        ({"frames": 0}, "at least 1"),
        ({"frame_labels": [0, 1]}, r"frame_labels .* 4 frames, got shape \(2,\)"),
        ({"saliency_map": np.zeros((3, 33))}, r"shape \(4, 33\) like the trial, got \(3, 33\)"),
    ],
)
def test_skeleton_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        SkeletonDisplay.from_predictions(**{"trial": np.zeros((4, 33, 3)), **arguments})


# --- all of them ----------------------------------------------------------------------------------
DRAW = {
    "saliency": lambda ax=None: SaliencyMapDisplay.from_predictions(
        np.ones((20, 33)), frame_scores=np.ones(20), frame_labels=np.arange(20) % 2, ax=ax
    ),
    "timeline": lambda ax=None: FrameTimelineDisplay.from_predictions(
        np.linspace(0, 1, 20), pseudo_labels=np.arange(20) % 2, ax=ax
    ),
    "patients": lambda ax=None: PatientScoresDisplay.from_predictions(
        {"a": [0.5, 0.6], "b": [0.7, np.nan]}, ["P1", "P2"], ax=ax
    ),
    "skeleton": lambda ax=None: SkeletonDisplay.from_predictions(
        standing("mediapipe33", 20), frame_labels=np.arange(20) % 2, ax=ax
    ),
}


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_given_axes_are_used_and_no_figure_is_made(draw, figures):
    figure, (ax, other) = figures.subplots(1, 2, figsize=(12, 6))
    before = figures.get_fignums()
    display = draw(ax)
    assert display.ax_ is ax and display.figure_ is figure
    assert figures.get_fignums() == before
    assert not other.has_data()
    assert display.plot(ax=other) is display and display.ax_ is other
    assert other.has_data() or other.patches


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_everything_drawn_fits_on_the_figure_and_titles_stay_free(draw):
    display = draw()
    display.ax_.set_title("A title")
    figure = display.figure_
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    page = figure.bbox
    box = display.ax_.get_tightbbox(renderer)
    assert box.x0 >= page.x0 - 1 and box.x1 <= page.x1 + 1
    assert box.y0 >= page.y0 - 1 and box.y1 <= page.y1 + 1
    title = display.ax_.title.get_window_extent(renderer)
    for child in display.ax_.child_axes:
        assert not title.overlaps(child.get_window_extent(renderer))
    assert not any(title.overlaps(text.get_window_extent(renderer)) for text in display.ax_.texts)


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_settings_and_backend_are_left_alone(draw):
    before, backend = matplotlib.rcParams.copy(), matplotlib.get_backend()
    draw()
    assert matplotlib.rcParams == before and matplotlib.get_backend() == backend


def test_saliency_by_part_of_the_body():
    """A row a part, head to feet, the sum over its landmarks; NaN only where all of it is lost."""
    saliency_map = np.zeros((4, 33))
    saliency_map[1, [13, 15]] = 2.0, 3.0  # left elbow and wrist
    saliency_map[2, 26] = 7.0  # right knee
    saliency_map[3, [13, 15]] = np.nan, 1.0
    display = SaliencyMapDisplay.from_predictions(saliency_map, rows="parts")
    names = display.landmark_names
    assert names == ["head", "left arm", "right arm", "left leg", "right leg"]
    by_part = dict(zip(names, display.saliency_map.T.tolist()))
    assert by_part["left arm"] == [0, 5, 0, 1] and by_part["right leg"] == [0, 0, 7, 0]
    assert display.saliency_map.sum() == 13
    saliency_map[0] = np.nan
    lost = SaliencyMapDisplay.from_predictions(saliency_map, rows="parts").saliency_map
    assert np.isnan(lost[0]).all() and np.isfinite(lost[1:]).all()
    with pytest.raises(ValueError, match="rows='parts' needs a skeleton"):
        SaliencyMapDisplay.from_predictions(saliency_map, rows="parts", skeleton=None)
    with pytest.raises(ValueError, match="rows must be"):
        SaliencyMapDisplay.from_predictions(saliency_map, rows="limbs")
