"""BoneVectors: directions of limbs and trunk, offline and frame by frame."""

import dataclasses

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import skrehab
from skrehab import BoneVectors, FrameMLP, FrameStream
from skrehab.datasets import make_rehab_trials
from skrehab.preprocessing.bones import bone_directions, bone_vectors
from skrehab.skeletons import bone_skeleton, get_skeleton, list_skeletons

every_skeleton = pytest.mark.parametrize("name", list_skeletons())


def trial_of(name, n_frames=12, n_coords=3, seed=0):
    n_landmarks = get_skeleton(name).n_landmarks
    return np.random.RandomState(seed).randn(n_frames, n_landmarks, n_coords).astype(np.float32)


# --- lists of bones -------------------------------------------------------------------------------
@every_skeleton
def test_bones_of_limbs_and_trunk_only(name):
    """Directions of short bones are noise: with them, the recipe is at chance."""
    skeleton = get_skeleton(name)
    bones = skeleton.limb_bones
    assert len(set(bones)) == len(bones) >= 15
    if name == "uiprmd22":  # every bone of its tree, as the recipe was chosen
        assert {(b[0], a[0]) for a, b in bones} == {
            (i, p) for i, p in enumerate(skeleton.parents) if p >= 0
        }
        return
    used = {skeleton.landmarks[i] for bone in bones for joint in bone for i in joint}
    short = ("eye", "ear", "mouth", "thumb", "pinky", "index", "tip", "toe", "heel")
    assert not [one for one in used if any(word in one.split("_") for word in short)]
    for part in ("shoulder", "hip", "knee", "elbow"):
        assert {f"left_{part}", f"right_{part}"} <= used


@every_skeleton
def test_bones_mirror_each_other(name):
    """What the bones of a mirrored body are is what the mirrored bones are."""
    whole, bones = get_skeleton(name), bone_skeleton(name)
    trial = trial_of(name)
    turned = trial[:, whole.mirrored] * np.float32([-1, 1, 1])
    expected = bone_vectors(turned, whole.limb_bones)
    mirrored = bone_vectors(trial, whole.limb_bones)[:, bones.mirrored] * np.float32([-1, 1, 1])
    mirrored[:, list(bones.flipped)] *= -1
    np.testing.assert_allclose(mirrored, expected, atol=1e-6)


@every_skeleton
def test_the_skeleton_of_bones_is_a_skeleton(name):
    bones = get_skeleton(name + "_bones")
    assert bones == bone_skeleton(name) and len(set(bones.landmarks)) == bones.n_landmarks
    assert bones.parents.count(-1) == 1  # one piece
    for i, parent in enumerate(bones.parents):
        assert parent < 0 or (min(i, parent), max(i, parent)) in bones.edges
    for left, right in bones.pairs:
        assert bones.landmarks[left].replace("left", "right") == bones.landmarks[right]
    assert set(sum(bones.limbs.values(), ())) | set(bones.trunk) == set(range(len(bones.landmarks)))


def test_mediapipe_has_the_sixteen_bones():
    names = bone_skeleton("mediapipe33").landmarks
    assert len(names) == 16
    assert names[12:14] == ("mid_hip_to_mid_shoulder", "mid_shoulder_to_nose")


def test_a_skeleton_without_bones_says_so():
    own = dataclasses.replace(get_skeleton("coco17"), name="own", limb_bones=())
    with pytest.raises(ValueError, match="own has no limb_bones"):
        BoneVectors(own).fit([trial_of("coco17")])
    with pytest.raises(ValueError, match="Unknown skeleton 'dog_bones'"):
        get_skeleton("dog_bones")


# --- values ---------------------------------------------------------------------------------------
def test_by_hand():
    """A square walked through: right, then diagonal after the mean of two frames."""
    trial = np.zeros((2, 2, 2), dtype=np.float32)
    trial[0, 1], trial[1, 1] = (2, 0), (0, 2)
    out = BoneVectors(None, bones=[(0, 1)], window=2).fit_transform([trial])[0]
    np.testing.assert_allclose(out[:, 0], [[1, 0], [0.5**0.5, 0.5**0.5]], rtol=1e-6)


@every_skeleton
@pytest.mark.parametrize("n_coords", [2, 3, 4])
def test_unit_length_and_no_score(name, n_coords):
    skeleton = get_skeleton(name)
    trial = trial_of(name, n_coords=n_coords)
    other = trial.copy()
    n_dims = min(skeleton.n_dims, n_coords)
    other[..., n_dims:] = np.random.RandomState(1).rand(*other[..., n_dims:].shape)
    model = BoneVectors(name).fit([trial])
    out = model.transform([trial])[0]
    assert out.shape == (12, len(skeleton.limb_bones), n_dims) and out.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(out, axis=2), 1, rtol=1e-6)
    np.testing.assert_array_equal(out, model.transform([other])[0])


def test_size_and_place_do_not_matter():
    trial = trial_of("mediapipe33")
    model = BoneVectors().fit([trial])
    moved = model.transform([3 * trial + np.float32([1, -2, 5])])[0]
    np.testing.assert_allclose(moved, model.transform([trial])[0], atol=1e-5)


def test_a_lost_joint_loses_its_bones_only():
    trial = trial_of("mediapipe33")
    trial[4:, 13] = np.nan  # left elbow
    out = BoneVectors(window=1).fit_transform([trial])[0]
    lost = np.isnan(out).all(axis=2)
    names = bone_skeleton("mediapipe33").landmarks
    expected = ["left_shoulder_to_elbow", "left_elbow_to_wrist"]
    assert [names[i] for i in np.flatnonzero(lost[4])] == expected
    assert not lost[:4].any() and np.isnan(out).any(axis=2).sum() == lost.sum() == 2 * 8
    # averaged over five frames, a bone lasts four frames longer: the last one that was seen
    smooth = BoneVectors(window=5).fit_transform([trial])[0]
    seen = BoneVectors(window=1).fit_transform([trial[:4]])[0]
    np.testing.assert_allclose(smooth[7, 1], seen[3, 1], rtol=1e-6)
    assert np.isnan(smooth[8:, 1]).all() and not np.isnan(smooth[:8, 1]).any()


def test_a_bone_of_no_length_points_nowhere():
    """Not where it pointed before, nor where rounding has it point after thousands of frames."""
    trial = np.zeros((3000, 2, 3), dtype=np.float32)
    trial[:1500, 1] = 0.1 * np.random.RandomState(0).rand(1500, 3) + 0.1
    out = BoneVectors(None, bones=[(0, 1)]).fit_transform([trial])[0][:, 0]
    assert np.isnan(out[1504:]).all() and not np.isnan(out[:1504]).any()
    assert np.isnan(bone_directions(np.zeros((1, 3)))).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"skeleton": "coco17"}, r"X\[0\] has 33 landmarks, skeleton 'coco17' has 17"),
        ({"skeleton": None}, "needs a skeleton, or bones"),
        ({"bones": []}, "holds no bone"),
        ({"bones": [(0, 33)]}, r"bones\[0\] names landmark 33: X has 33"),
        ({"bones": [(0, 1), (2, 2)]}, r"bones\[1\] must be \(start, end\)"),
        ({"bones": [(0, 1, 2)]}, r"bones\[0\] must be"),
        ({"window": 0}, "'window' parameter"),
    ],
)
def test_what_it_refuses(params, message):
    with pytest.raises(ValueError, match=message):
        BoneVectors(**params).fit([trial_of("mediapipe33")])


def test_one_coordinate_has_no_direction():
    with pytest.raises(ValueError, match="1 coordinates a landmark: a direction needs 2 or 3"):
        BoneVectors().fit([trial_of("mediapipe33", n_coords=1)])


# --- live, saved, drawn ---------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["mediapipe33", "coco17", "uiprmd22"])
def test_the_stream_is_the_transform(name):
    trial = trial_of(name, n_frames=40)
    trial[5:20, 11] = np.nan
    trial[30] = np.nan
    model = BoneVectors(name).fit([trial])
    stream = model._stream()
    for _ in range(2):
        live = [stream.push(frame, t) for t, frame in enumerate(trial)]
        np.testing.assert_array_equal(live, model.transform([trial])[0])
        stream.reset()


def test_a_pipeline_of_it_runs_live():
    data = make_rehab_trials(2, 1, random_state=0)
    pipeline = make_pipeline(BoneVectors(), FrameMLP((8,), max_epochs=2, random_state=0))
    pipeline.fit(data.X, data.frame_labels)
    stream = FrameStream(pipeline)
    live = [stream.push(frame, t / 10) for t, frame in enumerate(data.X[0])]
    np.testing.assert_allclose(live, pipeline.predict_proba(data.X[:1])[0], atol=1e-6)


def test_saved_and_loaded(tmp_path):
    trial = trial_of("mediapipe33")
    for model in (BoneVectors(), BoneVectors(None, bones=[(0, 1), ((11, 12), 0)])):
        model.fit([trial])
        again = skrehab.load(skrehab.save(model, tmp_path / str(model.bones is None)))
        np.testing.assert_array_equal(again.transform([trial])[0], model.transform([trial])[0])


def test_displays_name_bones():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    out = BoneVectors().fit_transform([trial_of("mediapipe33")])[0]
    display = skrehab.SaliencyMapDisplay.from_predictions(
        np.abs(out).sum(axis=2), skeleton=BoneVectors().bone_skeleton_
    )
    assert display.landmark_names[1] == "left shoulder to elbow"
