"""Features of successive clips: which frames, which layer, the cache, short and broken videos."""

import importlib.util
import pickle
import warnings

import joblib
import media
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skrehab.pose.reader import VideoError, read_frames
from skrehab.quality import QualityRegressor
from skrehab.quality.appearance import AppearanceFeatures, _features, cut_clips
from skrehab.training.clips import prepare_clip

C3D = {"widths": (2, 2, 4, 4, 4), "dense_width": 8, "image_size": 32}
I3D = {"width": 4, "depths": (1, 1, 1, 1), "image_size": 32}
R3D = {"widths": (4, 4, 8, 8), "n_blocks": (1, 1, 1, 1), "image_size": 32}


def features(**params):
    return AppearanceFeatures(**({"network_params": C3D, "random_state": 0} | params))


def fitted(X, **params):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "AppearanceFeatures: .* has learned nothing")
        return features(**params).fit(X)


def video(n_frames, seed=0, height=40, width=48):
    """Pictures that change slowly, so that a codec keeps them."""
    rng = np.random.RandomState(seed)
    low = rng.randint(30, 220, (n_frames, 5, 6, 3))
    return low.repeat(height // 5, axis=1).repeat(width // 6, axis=2).astype(np.uint8)


# --- clips ----------------------------------------------------------------------------------------
def numbered(n_frames):
    return np.arange(n_frames).reshape(-1, 1, 1, 1)


@pytest.mark.parametrize("stride", [1, 3, 4, 7])
@pytest.mark.parametrize("n_frames", [4, 5, 11, 23])
def test_clips_begin_every_stride_frames_while_they_fit(n_frames, stride):
    clips = [clip.ravel().tolist() for clip in cut_clips(numbered(n_frames), 4, stride)]
    starts = range(0, n_frames - 3, stride)
    assert clips == [list(range(start, start + 4)) for start in starts]


def test_a_short_video_repeats_its_last_frame():
    assert [c.ravel().tolist() for c in cut_clips(numbered(2), 4)] == [[0, 1, 1, 1]]
    assert [c.ravel().tolist() for c in cut_clips(numbered(4), 4)] == [[0, 1, 2, 3]]
    assert len(list(cut_clips(numbered(743)))) == 46, "as in the paper"
    assert list(cut_clips([])) == []


def test_one_clip_is_held_at_a_time():
    """A long video is never in memory: frames are taken as clips are asked for."""
    taken = []

    def frames():
        for i in range(100):
            taken.append(i)
            yield numbered(1)[0]

    clips = cut_clips(frames(), 5, 5)
    next(clips)
    assert len(taken) == 5


# --- features -------------------------------------------------------------------------------------
def test_features_are_the_layers_activations_clip_by_clip():
    X = [video(40), video(16, seed=1), video(9, seed=2)]
    transformer = fitted(X, batch_size=2)
    found = transformer.transform(X)
    assert [one.shape for one in found] == [(2, 8), (1, 8), (1, 8)]
    module = transformer.module_
    for one, frames in zip(found, X):
        assert one.dtype == np.float32
        padded = np.concatenate([frames, frames[-1:].repeat(16, axis=0)])
        for row, start in zip(one, (0, 16)):
            clip = prepare_clip(padded[start : start + 16], module.clip)[None]
            with torch.inference_mode():
                wanted = module.features(clip, layer="fc6")[0].numpy()
            np.testing.assert_allclose(row, wanted, rtol=1e-5, atol=1e-6)
    assert np.ptp(found[0], axis=0).max() > 0, "clips differ"
    fc7 = fitted(X, layer="fc7").transform(X)
    assert not np.allclose(fc7[0], found[0])


def test_other_networks_and_clip_lengths():
    X = [video(20)]
    found = fitted(X, network="i3d", network_params=I3D, clip_length=8, stride=4).transform(X)
    assert found[0].shape[0] == 4 and np.isfinite(found[0]).all()
    if importlib.util.find_spec("torchvision"):
        found = fitted(X, network="r3d", network_params=R3D, clip_length=8).transform(X)
        assert found[0].shape == (1, 8)
    with pytest.raises(ValueError, match="i3d has no choice of layer"):
        fitted(X, network="i3d", network_params=I3D, layer="fc6")
    with pytest.raises(ValueError, match="needs a network over RGB; lstm is not"):
        fitted(X, network="lstm", network_params={})


def test_a_file_gives_what_its_frames_give(tmp_path):
    path = media.write_video(tmp_path / "a.mp4", video(34))
    decoded = np.stack([frame for _, frame in read_frames(path)])
    assert len(decoded) == 34
    from_file, from_array = fitted([path]).transform([path, decoded])
    assert from_file.shape == (2, 8)
    np.testing.assert_array_equal(from_file, from_array)


def test_weights_come_from_a_file(tmp_path):
    from safetensors.torch import save_file

    X = [video(16)]
    with pytest.warns(UserWarning, match="c3d without weights has learned nothing"):
        first = features(random_state=1).fit(X)
    state = {k: v for k, v in first.module_.state_dict().items() if not k.startswith("fc8.")}
    save_file(state, tmp_path / "c3d.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = features(weights=tmp_path / "c3d.safetensors").fit(X)
    assert set(second.weights_report_.loaded) == set(state)
    np.testing.assert_array_equal(first.transform(X)[0], second.transform(X)[0])
    assert not np.array_equal(fitted(X).transform(X)[0], second.transform(X)[0])


def test_the_same_seed_the_same_features_and_torch_left_alone():
    X = [video(16)]
    state = torch.get_rng_state()
    one, other = fitted(X).transform(X), fitted(X).transform(X)
    np.testing.assert_array_equal(one[0], other[0])
    assert torch.equal(state, torch.get_rng_state())
    again = pickle.loads(pickle.dumps(fitted(X)))
    np.testing.assert_array_equal(one[0], again.transform(X)[0])
    assert not hasattr(clone(again), "module_")


# --- the cache ------------------------------------------------------------------------------------
def test_a_video_is_computed_once_and_known_by_its_content(tmp_path, monkeypatch):
    computed = []

    def counting(module, one, *how):
        computed.append(one)
        return _features(module, one, *how)

    monkeypatch.setattr("skrehab.quality.appearance._features", counting)
    frames = video(18)
    path = media.write_video(tmp_path / "a.mp4", frames)
    transformer = fitted([path], memory=tmp_path / "cache")
    first = transformer.transform([path, frames])
    assert len(computed) == 2
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(path.read_bytes())
    second = transformer.transform([copy, frames.copy()])
    assert len(computed) == 2, "a copy is known"
    for one, other in zip(first, second):
        np.testing.assert_array_equal(one, other)
    transformer.set_params(batch_size=1).transform([path])
    assert len(computed) == 2, "batches do not matter"

    changed = frames.copy()
    changed[3] = 255 - changed[3]
    transformer.transform([changed])
    assert len(computed) == 3, "a changed frame is seen"
    memory = joblib.Memory(tmp_path / "cache", verbose=0)
    for params in ({"random_state": 1}, {"stride": 1}, {"layer": "fc7"}):
        before = len(computed)
        fitted([frames], memory=memory, **params).transform([frames])
        assert len(computed) == before + 1, f"{params} make other features"


# --- two modalities and a pipeline ----------------------------------------------------------------
def test_dicts_keep_their_poses_and_feed_the_expert():
    rng = np.random.RandomState(0)
    X = [{"rgb": video(20, seed=i), "pose": rng.randn(12, 5, 3)} for i in range(6)]
    found = fitted(X).transform(X)
    assert [sorted(item) for item in found] == [["appearance", "pose"]] * 6
    assert found[2]["pose"] is X[2]["pose"]
    np.testing.assert_array_equal(found[1]["appearance"], fitted(X).transform([X[1]["rgb"]])[0])
    assert "rgb" in X[0], "what was given stays"
    expert = QualityRegressor(streams="both", hidden_size=4, max_epochs=2, random_state=0)
    with pytest.warns(UserWarning, match="has learned nothing"):
        pipe = make_pipeline(features(), expert).fit(X, np.arange(6.0))
    assert pipe.predict(X).shape == (6,)


def test_what_is_refused(tmp_path):
    transformer = fitted([video(16)])
    with pytest.raises(NotFittedError):
        features().transform([video(16)])
    with pytest.raises(ValueError, match=r"X\[1\]: there is no file 'absent.mp4'"):
        transformer.transform([video(16), "absent.mp4"])
    with pytest.raises(ValueError, match=r"X\[0\] must be a path or a uint8 RGB array"):
        transformer.transform([video(16).astype(float)])
    with pytest.raises(ValueError, match=r"X\[1\] must be a dict with 'rgb', a video; got \['pose"):
        transformer.transform([{"rgb": video(16)}, {"pose": np.zeros((3, 5, 3))}])
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(VideoError, match=r"broken\.mp4"):
        transformer.transform([video(16), broken])
