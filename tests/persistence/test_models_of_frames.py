"""Temporal models, bones and augmentation as folders: all parameters back, the same bits."""

import json

import numpy as np
import pytest
from instances import tiny_bones, tiny_frames, tiny_labeler, tiny_tcn, tiny_trials, tiny_video
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline

import skrehab
from skrehab import BoneVectors, DisplacementSmoother, SaliencyPseudoLabeler
from skrehab.persistence.network_limits import MOST_FRAMES
from skrehab.pseudo_labels import Quantile
from skrehab.training.augmentation import Augmentation

AUGMENT = {"splice": 0.5, "rotate": 15, "offset": 0.3, "stretch": 0.1}


def same(a, b):
    """Parameters are equal, those of what stands inside too."""
    assert type(a) is type(b)
    first, second = a.get_params(deep=False), b.get_params(deep=False)
    assert first.keys() == second.keys()
    for key, value in first.items():
        if hasattr(value, "get_params"):
            same(value, second[key])
        elif key == "steps":
            for (_, step), (_, other) in zip(value, second[key], strict=True):
                same(step, other)
        else:
            np.testing.assert_equal(second[key], value, err_msg=key)


FRAMES = {
    "tcn": lambda: tiny_tcn(kernel_size=4, n_blocks=3, dropout=0.1, like_length=2),
    "centred": lambda: tiny_tcn(causal=False),
    "as it comes": lambda: tiny_tcn(standardize=False),
    "all said": lambda: tiny_tcn(
        optimizer="adam",
        min_lr=1e-5,
        gradient_clip_value=0.5,
        schedule="cosine",
        class_weight="balanced",
        augment=Augmentation(**AUGMENT),
    ),
    "augmented by a dict": lambda: tiny_tcn(augment=AUGMENT),
    "normal by name": lambda: tiny_tcn(augment={"normal_label": "none"}),
    "single frames": lambda: tiny_frames(
        standardize=True, optimizer="adamw", min_lr=1e-4, augment=Augmentation(offset=0.2)
    ),
    "bones": lambda: make_pipeline(tiny_bones(), tiny_tcn()),
    "joints of several": lambda: make_pipeline(
        BoneVectors(None, window=3, bones=[((0, 1), 2), (3, (1, 2, 4))]), tiny_tcn()
    ),
    "bones in an array": lambda: make_pipeline(
        BoneVectors(None, bones=np.array([[0, 1], [1, 2]])), tiny_tcn()
    ),
    "smooth first": lambda: make_pipeline(
        DisplacementSmoother(3, order="smooth_first"), tiny_tcn()
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_models_of_frames(tiny, tmp_path, name):
    model = FRAMES[name]().fit(tiny.X, tiny.frame_labels)
    again = skrehab.load(skrehab.save(model, tmp_path / "m"))
    same(again, model)
    new = tiny_trials(seed=4)
    for a, b in zip(again.predict_proba(new.X), model.predict_proba(new.X)):
        assert a.tobytes() == b.tobytes()
    again.fit(tiny.X, tiny.frame_labels)  # nothing that fit needs was lost
    for a, b in zip(again.predict_proba(new.X), model.predict_proba(new.X)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("classes", [["none", "lean"], ("none", "lean"), np.array([3, 7]), [3, 7]])
def test_names_of_soft_labels(tiny, tmp_path, classes):
    soft = [np.stack([1 - 0.8 * one, 0.8 * one], axis=1) for one in tiny.frame_labels]
    for model in (tiny_tcn(classes=classes), tiny_frames(classes=classes)):
        model.fit(tiny.X, soft)
        again = skrehab.load(skrehab.save(model, tmp_path / "m", overwrite=True))
        assert again.classes_.tolist() == model.classes_.tolist() == list(classes)
        np.testing.assert_array_equal(again.classes, classes)


@pytest.mark.parametrize(
    "classes", [[False, True], [0.0, 1.0], [np.bool_(0), np.bool_(1)], ["none", "lean"]], ids=str
)
def test_normal_labels_of_any_type(tiny, tmp_path, classes):
    """A truth could be fitted with and not saved, a float not even fitted with."""
    y = np.array(classes)[tiny.y]
    model = skrehab.recipes.recommended(
        None,
        n_teachers=1,
        max_epochs=1,
        random_state=0,
        normal_label=classes[0],
        reference=skrehab.PatientReference(which="normal"),
    ).fit(tiny.X, y, groups=tiny.patients)
    again = skrehab.load(skrehab.save(model, tmp_path / "m"))
    assert again["labels"].normal_label == again["reference"].normal_label == classes[0]
    np.testing.assert_array_equal(again.predict(tiny.X)[0], model.predict(tiny.X)[0])


VIDEOS = {
    "recipe": lambda: tiny_video(
        optimizer="adamw",
        min_lr=1e-5,
        gradient_clip_value=1.0,
        standardize=True,
        augment=Augmentation(**AUGMENT),
        like_length=2,
        schedule="cosine_batch",
    ),
    "causal mil_tcn": lambda: tiny_video(
        network="mil_tcn", network_params={"causal": True, "channels": 8}, standardize=True
    ),
    "every frame a token": lambda: tiny_video(
        network="act", network_params={"size": "micro", "n_frames": "all"}
    ),
    "so many frames at most": lambda: tiny_video(
        network="act", network_params={"size": "micro", "n_frames": "all", "max_frames": 30}
    ),
    "last state": lambda: tiny_video(network_params={"hidden_size": 6, "readout": "last"}),
}


@pytest.mark.parametrize("name", VIDEOS)
def test_models_of_trials(tiny, tmp_path, name):
    model = VIDEOS[name]().fit(tiny.X, tiny.y, groups=tiny.patients)
    again = skrehab.load(skrehab.save(model, tmp_path / "m"))
    same(again, model)
    new = tiny_trials(seed=4)
    assert again.predict_proba(new.X).tobytes() == model.predict_proba(new.X).tobytes()


LABELERS = {
    "quantile": {"threshold": Quantile(0.38)},
    "two quantiles": {"threshold": ("quantile", 0.3, 0.5)},
    "map scale": {"threshold": (2.2, 3.2)},
    "old reading": {
        **{"aggregate": "sum", "smooth": 0, "scale": "frames", "label_source": "predicted"},
        "threshold": 0.3,
    },
    "smoothed": {"smooth": ("causal", 8), "coords": "first", "z_clip": 3.0},
    "cross-fitted": {"cv": 2},
}


@pytest.mark.parametrize("name", LABELERS)
@pytest.mark.filterwarnings("ignore:Pseudo-labels")
def test_labelers(tiny, tmp_path, name):
    labeler = SaliencyPseudoLabeler(tiny_video(), **({"n_steps": 4} | LABELERS[name]))
    labeler.fit(tiny.X, tiny.y, groups=tiny.patients)
    again = skrehab.load(skrehab.save(labeler, tmp_path / "m"))
    same(again, labeler)
    assert again.threshold_ == labeler.threshold_
    for a, b in zip(
        again.fit_resample(tiny.X, tiny.y, groups=tiny.patients)[1],
        labeler.fit_resample(tiny.X, tiny.y, groups=tiny.patients)[1],
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("splitter", [GroupKFold(2), LeaveOneGroupOut()])
def test_a_splitter_stays_behind_and_is_said(tiny, tmp_path, splitter):
    labeler = tiny_labeler(cv=splitter).fit(tiny.X, tiny.y, groups=tiny.patients)
    with pytest.warns(UserWarning, match=r"\.cv is not kept.*splitter.*number of folds"):
        folder = skrehab.save(labeler, tmp_path / "m")
    assert skrehab.load(folder).cv is None


def test_an_older_file_has_no_scaler(tiny, tmp_path):
    """Written before frame models could standardize; none of its weights knows of it."""
    model = tiny_frames().fit(tiny.X, tiny.frame_labels)
    folder = skrehab.save(model, tmp_path / "m")

    def older(tree):
        for key in ("standardize", "augment", "optimizer", "min_lr", "classes"):
            del tree["params"][key]
        del tree["state"]["scaler_"]

    change(folder, older)
    for a, b in zip(skrehab.load(folder).predict_proba(tiny.X), model.predict_proba(tiny.X)):
        np.testing.assert_array_equal(a, b)


def change(folder, how):
    file = folder / "model.json"
    tree = json.loads(file.read_text())
    how(tree["estimator"])
    file.write_text(json.dumps(tree))


# --- what is not let in ---------------------------------------------------------------------------
def value_of(text):
    return {"float": text}


PIPELINE = {"class": "sklearn.StandardScaler", "params": {}, "state": {}}
BAD = {
    "another class": ("augment", PIPELINE, "augment must be an estimator of the class Augment"),
    "a name of its own": ("augment", {"dict": [["memory", None]]}, "augment"),
    "a path": ("augment", {"dict": [["skeleton", "/etc/passwd"]]}, "augment"),
    "out of range": ("augment", {"dict": [["splice", value_of("1.5")]]}, "augment"),
    "twice": ("augment", {"dict": [["splice", 1], ["splice", 0]]}, "augment"),
    "no option": ("optimizer", "sgd", "optimizer must be one of"),
    "below zero": ("gradient_clip_value", value_of("-1.0"), "gradient_clip_value"),
    "not a number": ("min_lr", value_of("nan"), "min_lr"),
    "classes inside": ("classes", {"list": [{"list": [1]}]}, "classes"),
    "layers that are not there": ("n_blocks", 40, "describes 40 layers"),
    "more blocks": ("n_blocks", 3, "cannot be loaded"),
    "wide kernel": ("kernel_size", 1002, "kernel_size must be a whole number"),
    "other kernel": ("kernel_size", 7, "size mismatch"),
    "wide": ("channels", 100_000, "channels is 100000"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_a_file_may_not_say_of_a_tcn(tiny, tmp_path, name):
    key, value, message = BAD[name]
    folder = skrehab.save(tiny_tcn().fit(tiny.X, tiny.frame_labels), tmp_path / "m")
    change(folder, lambda tree: tree["params"].update({key: value}))
    with pytest.raises(ValueError, match=f"(?s){message}"):
        skrehab.load(folder)


@pytest.mark.parametrize("n_blocks", [17, 60, 500])
def test_convolutions_that_look_back_without_end(tmp_path, n_blocks):
    """The weights bear the layers out, and each doubles what is padded: 2 ** 60 frames."""
    data = tiny_trials()
    model = tiny_video(
        network="mil_tcn", network_params={"channels": 1, "n_blocks": 2, "causal": True}
    )
    model.fit(data.X, data.y)
    model.network_params = {"channels": 1, "n_blocks": n_blocks, "causal": True}
    model.module_ = model._build_module()
    with pytest.raises(ValueError, match=rf"n_blocks of {n_blocks}.*more than {MOST_FRAMES}"):
        skrehab.save(model, tmp_path / "m")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    "bones",
    [
        {"list": []},
        {"list": [{"list": [0]}]},
        {"list": [{"list": [0, 1, 2]}]},
        {"list": [{"list": [0, 10**6]}]},
        {"list": [{"list": [-1, 1]}]},
        {"list": [{"list": [{"list": []}, 1]}]},
        {"list": [{"list": ["a", "b"]}]},
        "*_hip:*_knee",
    ],
)
def test_what_bones_may_not_be(tiny, tmp_path, bones):
    folder = skrehab.save(tiny_bones().fit(tiny.X), tmp_path / "m")
    change(folder, lambda tree: tree["params"].update({"bones": bones}))
    with pytest.raises(ValueError, match=r"BoneVectors\.bones"):
        skrehab.load(folder)


@pytest.mark.parametrize(
    "threshold",
    [
        {"tuple": ["quantile"]},
        {"tuple": ["quantile", 2]},
        {"tuple": ["share", value_of("0.3")]},
        {"tuple": ["quantile", value_of("0.3"), value_of("0.4"), value_of("0.5")]},
        {"tuple": [1, 2, 3]},
        1001,
        value_of("nan"),
        "highest",
    ],
)
def test_what_a_threshold_may_not_be(tiny, tmp_path, threshold):
    folder = skrehab.save(tiny_labeler().fit(tiny.X, tiny.y), tmp_path / "m")
    change(folder, lambda tree: tree["params"].update({"threshold": threshold}))
    with pytest.raises(ValueError, match=r"SaliencyPseudoLabeler\.threshold"):
        skrehab.load(folder)


def test_a_skeleton_that_is_no_name_is_named(tiny, tmp_path):
    from skrehab.skeletons import get_skeleton

    bones = BoneVectors(get_skeleton("mediapipe33"))
    with pytest.raises(TypeError, match=r"BoneVectors\.skeleton cannot be saved: it is Skeleton"):
        skrehab.save(bones, tmp_path / "m")
