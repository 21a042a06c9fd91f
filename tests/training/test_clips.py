"""RGB clips: the right frames, from files and arrays alike, scaled and normalised as asked."""

from dataclasses import replace
from types import SimpleNamespace

import media
import numpy as np
import pytest
import torch
from real_files import VIDEOS, needs_shared_videos

from skrehab.networks import get_spec
from skrehab.networks._torchvision import video_models
from skrehab.pose.reader import VideoError
from skrehab.training.clips import (
    check_videos,
    collate_clips,
    frame_positions,
    prepare_clip,
    read_clip,
)


def recipe(**changes):
    settings = {"n_frames": 4, "resize": 8, "crop": 8, "mean": (0.0,) * 3, "std": (1.0,) * 3}
    return SimpleNamespace(
        **(settings | {"stride": None, "antialias": False, "motion": None} | changes)
    )


@pytest.mark.parametrize("n_frames", [1, 2, 3, 15, 16, 17, 30, 400])
def test_positions_are_in_order_and_inside(n_frames):
    for stride in (None, 1, 4):
        chosen = frame_positions(n_frames, 16, stride)
        assert len(chosen) == 16 and chosen.min() >= 0 and chosen.max() < n_frames
        assert (np.diff(chosen) >= 0).all()
        if stride and n_frames > 15 * stride:
            assert (np.diff(chosen) == stride).all()
            assert abs((chosen[0] + chosen[-1]) - (n_frames - 1)) <= 1  # in the middle


def test_file_and_array_give_the_same_clip(tmp_path):
    frames = [np.full((32, 48, 3), 8 * i, dtype=np.uint8) for i in range(24)]
    path = media.write_video(tmp_path / "ramp.mp4", frames)
    clip = read_clip(path, 6)
    wanted = [frames[i][0, 0, 0] for i in frame_positions(24, 6)]
    assert clip.shape == (6, 32, 48, 3)
    np.testing.assert_allclose(clip[:, 16, 24, 0], wanted, atol=4)
    np.testing.assert_array_equal(read_clip(np.stack(frames), 6)[:, 0, 0, 0], wanted)


def test_a_file_that_states_no_length(tmp_path):
    frames = [np.full((32, 32, 3), 10 * i, dtype=np.uint8) for i in range(12)]
    path = media.write_video(tmp_path / "ramp.mkv", frames)
    np.testing.assert_allclose(read_clip(path, 3)[:, 5, 5, 0], 10 * frame_positions(12, 3), atol=4)


def test_prepare_scales_crops_and_normalises():
    frames = np.zeros((4, 20, 40, 3), dtype=np.uint8)
    frames[:, :, :20] = 255
    out = prepare_clip(frames, recipe(resize=10, crop=8, mean=(0.5,) * 3, std=(0.25,) * 3))
    assert out.shape == (3, 4, 8, 8) and out.dtype == torch.float32
    assert out[:, :, :, 0].min() == pytest.approx(2) and out[:, :, :, -1].max() == pytest.approx(-2)
    squeezed = prepare_clip(frames, recipe(resize=(8, 8), crop=8))
    torch.testing.assert_close(squeezed.mean(), torch.tensor(0.5), atol=1e-3, rtol=0)
    same = prepare_clip(frames[:, :8, 16:24], recipe())
    torch.testing.assert_close(
        same, torch.from_numpy(frames[:, :8, 16:24]).permute(3, 0, 1, 2) / 255
    )


def preset(name, size="t"):
    """Torchvision's own transform of a network, and its class of ours."""
    video = video_models()
    weights = {
        "r3d": video.R3D_18_Weights,
        "r2plus1d": video.R2Plus1D_18_Weights,
        "mvit": {"v2_s": video.MViT_V2_S_Weights, "v1_b": video.MViT_V1_B_Weights}.get(size),
        "video_swin": video.Swin3D_T_Weights,
        "mvit_mct": video.MViT_V2_S_Weights,
    }
    return weights[name].KINETICS400_V1.transforms()


TORCHVISION = [
    ("r3d", {}),
    ("r2plus1d", {}),
    ("mvit", {"size": "v2_s"}),
    ("mvit", {"size": "v1_b"}),
]
TORCHVISION += [("video_swin", {"size": "t"}), ("mvit_mct", {"n_tokens": 1})]


def check_like_torchvision(frames, name, params):
    with torch.device("meta"):  # no weights are needed
        spec = get_spec(name).load()(4, **params).clip
    expected = preset(name, params.get("size"))(torch.from_numpy(frames).permute(0, 3, 1, 2))
    found = prepare_clip(frames, spec)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    if frames.shape[2] > 2 * spec.crop:
        smooth = prepare_clip(frames, replace(spec, antialias=True))
        assert (smooth - expected).abs().max() > 0.05


@pytest.mark.parametrize(("name", "params"), TORCHVISION)
@pytest.mark.parametrize("shape", [(270, 481), (481, 270), (129, 172), (300, 300)])
def test_clips_are_those_of_torchvisions_preset(name, params, shape):
    frames = np.random.RandomState(0).randint(0, 256, (2, *shape, 3), dtype=np.uint8)
    check_like_torchvision(frames, name, params)


@needs_shared_videos
@pytest.mark.parametrize("file", ["one_person_balance.mp4", "two_people_roof.mp4"])
def test_clips_of_real_videos_are_those_of_torchvisions_preset(file):
    frames = read_clip(VIDEOS / file, 4)
    for name, params in TORCHVISION:
        check_like_torchvision(frames, name, params)


def test_batches_of_different_sizes():
    videos = [np.zeros((5, 30, 40, 3), np.uint8), np.zeros((9, 50, 20, 3), np.uint8)]
    assert collate_clips(videos, recipe())["x"].shape == (2, 3, 4, 8, 8)


def test_what_is_not_a_video(tmp_path):
    good = np.zeros((2, 8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match=r"X\[1\] must be a path or a uint8 .* got float64"):
        check_videos([good, good / 255])
    with pytest.raises(ValueError, match=r"X\[0\]: there is no file 'none.mp4'"):
        check_videos(["none.mp4"])
    with pytest.raises(TypeError, match="list of videos, got str"):
        check_videos("video.mp4")
    with pytest.raises(ValueError, match="holds no video"):
        check_videos([])
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    with pytest.raises(VideoError, match=r"bad\.mp4"):
        collate_clips([good, tmp_path / "bad.mp4"], recipe())
