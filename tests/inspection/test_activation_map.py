"""Label maps of fitted classifiers, and their picture over the frames."""

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from skrehab import (
    ActivationMapDisplay,
    MultiLabelVideoClassifier,
    MuscleGroupClassifier,
    VideoClassifier,
)
from skrehab.inspection.activation_map import _blend
from skrehab.saliency import grad_cam, label_map, token_joints
from skrehab.training.clips import collate_clips

SIZE = {"widths": (8, 16), "depths": (1, 1), "image_size": 32}


@pytest.fixture(scope="module")
def trials():
    """Six trials of two modalities, three labels."""
    rng = np.random.RandomState(0)
    y = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]])
    X = [
        {
            "rgb": rng.randint(255, size=(16, 40, 48, 3)).astype(np.uint8),
            "pose": rng.rand(20 + i, 17, 3).astype(np.float32),
        }
        for i in range(6)
    ]
    return X, y


@pytest.fixture(scope="module")
def both(trials):
    params = {**SIZE, "pose_frames": 16, "pose_widths": (8, 16)}
    return MuscleGroupClassifier(
        size="tiny", network_params=params, stage1_epochs=1, stage2_epochs=1, random_state=0
    ).fit(*trials)


@pytest.fixture(scope="module")
def rgb(trials):
    X, y = trials
    params = {**SIZE, "n_frames": 8, "n_tokens": 3}
    model = MultiLabelVideoClassifier(
        "mvit_mct", network_params=params, max_epochs=1, random_state=0
    )
    return model.fit([trial["rgb"] for trial in X], y)


@pytest.fixture
def clip():
    heat = np.zeros((8, 20, 30))
    heat[:, 5:10, 10:20] = 1.0
    return np.full((8, 20, 30, 3), 120, np.uint8), heat


@pytest.fixture
def axes():
    """Axes of a figure that pyplot does not know, so nothing stays open."""
    return Figure(figsize=(9, 3)).subplots()


# --- from an estimator to a map -------------------------------------------------------------------
@pytest.mark.parametrize("method", ["grad_cam", "tokens"])
def test_map_over_the_clip(both, trials, method):
    found = label_map(both, trials[0][0], 1, method=method)
    assert found.values.shape == (8, 32, 32) and found.frames.shape == (8, 32, 32, 3)
    assert found.values.min() >= 0 and found.values.max() in (0, pytest.approx(1))
    assert (found.label, found.method) == (1, method)


def test_the_map_is_that_of_the_last_stage(both, trials):
    """In stage 2 distillation tokens take part; stage 1 would look elsewhere."""
    module, trial = both.module_, trials[0][0]
    x = collate_clips([trial["rgb"]], module.clip)["x"]
    maps = {
        stage: grad_cam(module, x, 0, logits=lambda c, s=stage: module(c, stage=s)["rgb"])[0]
        for stage in (1, 2)
    }
    found = label_map(both, trial, 0).values
    np.testing.assert_allclose(found, maps[2].numpy(), atol=1e-6)
    assert np.abs(found - maps[1].numpy()).max() > 1e-3


def test_frames_are_what_the_network_saw(rgb, trials):
    """The middle of the pictures, scaled: a plain colour comes back as it was."""
    plain = np.empty((16, 40, 40, 3), np.uint8)
    plain[:] = (10, 120, 240)
    found = label_map(rgb, plain, 0)
    assert found.frames.dtype == np.uint8 and (found.frames == (10, 120, 240)).all()


def test_map_of_joints(both, trials):
    trial = trials[0][3]
    found = label_map(both, trial, 2, method="joints")
    assert found.values.shape == (23, 17) and found.frames is None
    batch = both._collate([trial])
    expected = token_joints(both.module_, batch["pose"], batch["lengths"], label=2)[0]
    np.testing.assert_allclose(found.values, expected.numpy(), atol=1e-6)
    alone = label_map(both, {"pose": trial["pose"]}, 2, method="joints")
    np.testing.assert_allclose(alone.values, found.values, atol=1e-6)  # branches do not mix


def test_map_of_joints_of_one_network(trials):
    X, y = trials
    model = MultiLabelVideoClassifier(
        "hdgcn_mct",
        network_params={"widths": (8, 16), "n_units": (1, 1), "n_frames": 16, "n_tokens": 3},
        max_epochs=1,
        random_state=0,
    ).fit([trial["pose"] for trial in X], y)
    assert label_map(model, X[1]["pose"], 0, method="joints").values.shape == (21, 17)
    with pytest.raises(ValueError, match="needs RGB, which the trial lacks or this MultiLabel"):
        label_map(model, X[1]["pose"], 0)


@pytest.mark.parametrize("modality", ["rgb", "pose"])
def test_one_modality_alone(trials, modality):
    params = {**SIZE, "pose_frames": 16, "pose_widths": (8, 16)}
    model = MuscleGroupClassifier(
        modality, size="tiny", network_params=params, stage1_epochs=1, random_state=0
    ).fit(*trials)
    has, has_not = ("grad_cam", "joints") if modality == "rgb" else ("joints", "grad_cam")
    assert label_map(model, trials[0][0], 0, method=has).values.ndim >= 2
    with pytest.raises(ValueError, match="which the trial lacks or this MuscleGroupClassifier"):
        label_map(model, trials[0][0], 0, method=has_not)


def test_maps_that_are_none(both, rgb, trials):
    trial = trials[0][0]
    for label in (-1, 3, "chest", 1.0, True, None):
        with pytest.raises(ValueError, match="label must be a column of y, 0 to 2"):
            label_map(both, trial, label)
    with pytest.raises(ValueError, match="method must be one of"):
        label_map(both, trial, 0, method="lime")
    with pytest.raises(ValueError, match="layer='norm' is for method='grad_cam'"):
        label_map(both, trial, 0, method="tokens", layer="norm")
    with pytest.raises(ValueError, match="needs RGB, which the trial lacks"):
        label_map(both, {"pose": trial["pose"]}, 0)
    with pytest.raises(ValueError, match="method='joints' needs pose"):
        label_map(rgb, trial["rgb"], 0, method="joints")


# --- the picture ----------------------------------------------------------------------------------
def test_from_an_estimator(both, trials, axes):
    trial, names = trials[0][0], ["chest", "Hip flexors", "neck"]
    display = ActivationMapDisplay.from_estimator(
        both, trial, label="hip_flexors", muscles=names, ax=axes
    )
    probability = both.predict_proba([trial])[0, 1]
    assert axes.get_title() == f"Hip flexors {probability:.0%}"
    assert display.ax_ is axes and display.figure_ is axes.figure and len(display.images_) == 6
    np.testing.assert_array_equal(display.activation_map, label_map(both, trial, 1).values)
    likeliest = ActivationMapDisplay.from_estimator(both, trial, muscles=names, ax=axes)
    assert likeliest.name == names[both.predict_proba([trial])[0].argmax()]


def test_from_an_rgb_estimator_without_names(rgb, trials, axes):
    video = trials[0][2]["rgb"]
    display = ActivationMapDisplay.from_estimator(rgb, video, label=2, method="tokens", ax=axes)
    assert axes.get_title().startswith("2 ") and display.method == "tokens"
    assert "attention of tokens" in display.colorbar_.ax.get_title()


def test_only_the_map_is_coloured():
    frame = np.zeros((1, 2, 3), np.uint8)
    frame[..., 0] = 200
    plain, heated = _blend(frame, np.array([[0.0, 1.0]]))[0].astype(int)
    assert np.ptp(plain) < 100  # a third of the red that was there
    assert np.ptp(heated) > np.ptp(plain)
    grey = np.full((1, 3, 3), 128, np.uint8)
    shades = _blend(grey, np.array([[0.0, 0.5, 1.0]]))[0].astype(int)
    lightness = shades @ (0.299, 0.587, 0.114)
    assert (np.diff(lightness) < -5).all()  # readable in grey


def test_which_frames_are_drawn(clip, axes):
    def drawn(**options):
        display = ActivationMapDisplay.from_predictions(*clip, ax=axes, **options)
        return display.shown.tolist()

    assert drawn() == [0, 1, 3, 4, 6, 7] and drawn(shown=1) == [4]
    assert drawn(shown=[2, -1]) == [2, 7] and drawn(shown=50) == list(range(8))
    texts = {text.get_text() for text in axes.texts}
    assert {"1 of 8", "3 of 8", "8 of 8"} <= texts


def test_frames_lie_beside_each_other_and_the_map_on_them(clip, axes):
    display = ActivationMapDisplay.from_predictions(*clip, shown=[0, 3, 5], ax=axes)
    boxes = [image.get_extent() for image in display.images_]
    for (left, right, bottom, top), (following, *_) in pairwise(boxes):
        assert right < following and (right - left) / (top - bottom) == pytest.approx(1.5)
    image = display.images_[1].get_array()
    assert (image[7, 15] != image[0, 0]).any() and (image[2, 2] == 120).all()
    display.plot(ax=axes, n_columns=2)
    assert display.images_[2].get_extent()[3] < display.images_[0].get_extent()[2]


def test_without_a_scale_and_with_an_own_title(clip, axes):
    display = ActivationMapDisplay.from_predictions(*clip, name="calves", ax=axes)
    assert axes.get_title() == "calves" and display.colorbar_ is not None
    other = Figure().subplots()
    assert display.plot(ax=other, colorbar=False, title="Squats") is display
    assert display.colorbar_ is None and other.get_title() == "Squats"


def test_everything_fits_on_a_figure_of_its_own(clip):
    import matplotlib.pyplot as plt

    display = ActivationMapDisplay.from_predictions(*clip, name="calves", probability=0.5)
    figure = display.figure_
    figure.canvas.draw()
    box = display.ax_.get_tightbbox(figure.canvas.get_renderer())
    assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1
    assert box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1
    title = display.ax_.title.get_window_extent()
    assert not any(title.overlaps(text.get_window_extent()) for text in display.ax_.texts)
    plt.close(figure)


def test_a_map_of_nothing_can_be_drawn(clip, axes):
    display = ActivationMapDisplay.from_predictions(clip[0], np.zeros((8, 20, 30)), ax=axes)
    assert (display.images_[0].get_array() == 120).all()
    assert "nothing spoke for it" in display.colorbar_.ax.get_title()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": np.zeros((8, 20, 30, 3))}, "frames must be uint8 .* got float64"),
        ({"frames": np.zeros((8, 20, 30), np.uint8)}, r"got uint8 of shape \(8, 20, 30\)"),
        ({"activation_map": np.zeros((8, 5, 5))}, r"shape \(8, 20, 30\) like the frames"),
        ({"activation_map": np.full((8, 20, 30), 2.0)}, r"must lie in \[0, 1\]"),
        ({"activation_map": np.full((8, 20, 30), np.nan)}, r"must lie in \[0, 1\]"),
        ({"probability": 1.5}, "probability must lie"),
        ({"shown": 0}, "shown must be at least 1"),
        ({"shown": [8]}, r"a clip of 8 frames, got \[8\]"),
    ],
)
def test_what_cannot_be_drawn(clip, options, message):
    with pytest.raises(ValueError, match=message):
        ActivationMapDisplay.from_predictions(
            **{"frames": clip[0], "activation_map": clip[1], **options}
        )


def test_what_an_estimator_cannot_be_asked(both, trials):
    trial = trials[0][0]
    with pytest.raises(ValueError, match=r"There is no label 'nose'; there are \['0', '1', '2'\]"):
        ActivationMapDisplay.from_estimator(both, trial, label="nose")
    with pytest.raises(ValueError, match="muscles must hold a name for each of 3 labels"):
        ActivationMapDisplay.from_estimator(both, trial, muscles=["chest"])
    with pytest.raises(ValueError, match="method must be one of"):
        ActivationMapDisplay.from_estimator(both, trial, method="joints")


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_network_of_one_label(n_classes):
    """Two classes have one logit, which speaks against the first of them."""
    draw = np.random.RandomState(0)
    X = list(draw.randint(0, 256, (6, 8, 40, 40, 3), dtype=np.uint8))
    names = ["grasp", "move", "rest"][:n_classes]
    small = {"widths": (4, 4, 8, 8), "n_blocks": (1, 1, 1, 1), "n_frames": 8, "image_size": 32}
    model = VideoClassifier("r3d", network_params=small, max_epochs=1, random_state=0)
    model.fit(X, [names[i % n_classes] for i in range(6)])
    clip = model._collate(X[:1])["x"]
    for place, name in enumerate(names):
        found = label_map(model, X[0], name)
        assert found.values.shape == (8, 32, 32) and found.frames.shape == (8, 32, 32, 3)
        column, sign = (0, 2 * place - 1) if n_classes == 2 else (place, 1)
        logits = lambda x, sign=sign: sign * model.module_.eval()(x)  # noqa: E731
        expected = grad_cam(model.module_, clip, column, logits=logits)[0].numpy()
        np.testing.assert_allclose(found.values, expected, atol=1e-6)
    if n_classes == 2:
        first, second = (label_map(model, X[0], name).values for name in names)
        assert np.abs(first - second).max() > 0.1
    with pytest.raises(ValueError, match=r"one of the classes \['grasp', .*got 'reach'"):
        label_map(model, X[0], "reach")
    drawn = ActivationMapDisplay.from_estimator(model, X[0])
    assert drawn.name in names


def test_pictures_of_movement_are_grey_where_nothing_moves():
    draw = np.random.RandomState(0)
    X = [np.repeat(draw.randint(0, 200, (1, 32, 32, 3), dtype=np.uint8), 8, axis=0) for _ in "ab"]
    X[1][4:] += 40  # one step to a brighter picture, between the frames 3 and 4
    small = {"width": 4, "depths": (1, 1, 1, 1), "n_frames": 8, "image_size": 32}
    small["motion"] = "difference"
    model = VideoClassifier("slow", network_params=small, max_epochs=1, random_state=0)
    model.fit(X, ["still", "brighter"])
    assert (label_map(model, X[0], "still").frames == 128).all()
    frames = label_map(model, X[1], "still").frames
    assert (frames[[0, 1, 2, 4, 5, 6]] == 128).all()
    assert (np.abs(frames[3].astype(int) - (127.5 + 20)) <= 1).all()  # half of 40 levels
