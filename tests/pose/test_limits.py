"""Files and pictures that are small to send and large to open: each is refused with a sentence."""

from fractions import Fraction

import av
import numpy as np
import pytest
from media import noise, write_video
from real_files import model_file, needs_model

from skrehab import PoseExtractor
from skrehab.pose import (
    PoseStream,
    VideoError,
    match_frame_rate,
    probe_video,
    read_frames,
    resample_frames,
)
from skrehab.pose.face_boxes import tiles
from skrehab.pose.picture import MAX_SIDE, check_picture, size_fault
from skrehab.pose.seeking import read_frames_at

TOO_LARGE = "is too large .at most 8192 a side and 40 million in all"


def write_flat(path, *sizes):
    """Write grey pictures of these sizes (width, height), one a frame, as JPEGs in a Matroska."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = *sizes[0], "yuvj420p"
        for i, (width, height) in enumerate(sizes):
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
            encoder.time_base = Fraction(1, 30)
            frame = av.VideoFrame(width, height, "yuvj420p")
            for plane in frame.planes:
                plane.update(bytes([90]) * plane.buffer_size)
            frame.pts, frame.time_base = i, Fraction(1, 30)
            for packet in encoder.encode(frame) + encoder.encode(None):
                packet.stream = stream
                packet.pts = packet.dts = i * 33
                packet.time_base = Fraction(1, 1000)
                out.mux(packet)
    return path


# --- sizes ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [(40000, 48), (48, 40000), (8208, 16), (6560, 6560)])
def test_a_large_picture_is_refused_before_it_is_decoded(tmp_path, size):
    path = write_flat(tmp_path / "large.mkv", size)
    for read in (probe_video, lambda path: list(read_frames(path, max_size=64))):
        with pytest.raises(VideoError, match=f"large.mkv: a picture of .* pixels {TOO_LARGE}"):
            read(path)
    with pytest.raises(VideoError, match=r"large\.mkv"):
        read_frames_at(path, [0])


def test_a_frame_larger_than_stated_is_refused(tmp_path):
    path = write_flat(tmp_path / "grows.mkv", (64, 48), (64, 48), (40000, 48))
    assert probe_video(path).width == 64
    frames = read_frames(path)
    assert next(frames)[1].shape == next(frames)[1].shape == (48, 64, 3)
    with pytest.raises(VideoError, match=r"grows\.mkv"):
        next(frames)


@pytest.mark.parametrize("rotation", [0, 90])
@pytest.mark.parametrize(
    "width, aspect, says",
    [
        (640, "16/1", r"10240 x 64 pixels is too large.*16 times as wide"),
    ],
)
def test_pixels_that_are_far_from_square_are_refused(tmp_path, width, aspect, says, rotation):
    frames = np.full((3, 64, width, 3), 90, np.uint8)
    path = write_video(
        tmp_path / "thin.mp4", frames, pixel_aspect=aspect, rotation=(rotation, False)
    )
    for read in (probe_video, lambda path: list(read_frames(path))):
        with pytest.raises(VideoError, match=rf"thin\.mp4: a picture of {says}"):
            read(path)


def test_limits_are_where_they_are_said_to_be():
    assert size_fault(MAX_SIDE, 4320) is None and size_fault(4320, MAX_SIDE) is None
    assert size_fault(1, 1) is None and size_fault(MAX_SIDE, 1) is None
    for size in [(MAX_SIDE + 1, 1), (1, MAX_SIDE + 1), (8000, 5001), (0, 5), (5, 0), (-5, 5)]:
        assert size_fault(*size)


def test_pictures_are_checked_wherever_they_come_from():
    wide = np.broadcast_to(np.uint8(0), (4, 40000, 3))
    for bad in (wide, wide.transpose(1, 0, 2), np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5, 3))):
        with pytest.raises(ValueError, match="picture"):
            check_picture(bad)


def test_a_strip_is_not_looked_at_in_thousands_of_parts():
    for size in [(MAX_SIDE, 1), (2, MAX_SIDE), (MAX_SIDE, 300)]:
        parts = tiles(*size)
        assert len(parts) < 150
        assert max(x + side for x, _, side in parts) >= size[0]
        assert max(y + side for _, y, side in parts) >= size[1]


@needs_model
def test_the_model_gets_no_picture_that_ends_the_program():
    extractor = PoseExtractor(model_file())
    wide = np.zeros((4, 40000, 3), np.uint8)
    with PoseStream(extractor) as poses:
        for bad in (wide, np.ascontiguousarray(wide.transpose(1, 0, 2))):
            with pytest.raises(ValueError, match=TOO_LARGE):
                poses.push(bad, 0.0)
        with pytest.raises(ValueError, match="seconds"):
            poses.push(np.zeros((64, 64, 3), np.uint8), 1e308)
        assert np.isnan(poses.push(np.zeros((1, 1, 3), np.uint8), 0.0)).all()
    with pytest.raises(VideoError, match=rf"array of shape \(1, 4, 40000, 3\): .*{TOO_LARGE}"):
        extractor.transform([wide[None]])


@needs_model
def test_a_batch_goes_on_after_them(tmp_path):
    good = write_video(tmp_path / "good.mp4", np.full((3, 64, 64, 3), 90, np.uint8))
    wide = write_flat(tmp_path / "wide.mkv", (40000, 48))
    grows = write_flat(tmp_path / "grows.mkv", (64, 48), (40000, 48))
    extractor = PoseExtractor(model_file(), on_error="skip")
    with pytest.warns(UserWarning) as said:
        trials = extractor.transform([wide, grows, good])
    assert [len(trial) for trial in trials] == [1, 1, 3]
    for name in ("wide.mkv", "grows.mkv", "good.mp4"):
        assert sum(name in str(each.message) for each in said) == 1


# --- times ----------------------------------------------------------------------------------------
def test_days_between_frames_are_not_filled(tmp_path):
    path = write_video(tmp_path / "days.mp4", noise(4), times=[0, 20000, 40000, 43000])
    assert len(list(read_frames(path))) == 4
    with pytest.raises(VideoError, match=r"days\.mp4: no frame comes between 0.00 s and 20000.00"):
        list(read_frames(path, target_fps=30))
    assert len(list(read_frames(path, target_fps=0.01))) == 431


def test_a_pause_is_filled():
    frames = [(0.0, "a"), (60.0, "b")]
    assert len(list(resample_frames(frames, 30))) == 1801


def test_copies_are_bounded_in_all():
    made = 0
    with pytest.raises(VideoError, match=r"the video: its first .* frames would become more than"):
        for _ in resample_frames(((60.0 * i, i) for i in range(10**6)), 30):
            made += 1
    assert made < 30_000
    with pytest.raises(VideoError, match=r"a\.mp4: no frame comes between"):
        list(resample_frames([(0.0, 1), (0.1, 2)], 1e6, source="a.mp4"))


@pytest.mark.parametrize("rate", [0, -1, np.inf, np.nan])
def test_a_rate_that_is_none(rate):
    with pytest.raises(ValueError, match="target_fps must be above 0"):
        resample_frames([(0.0, 1), (0.1, 2)], rate)


@pytest.mark.parametrize("rate", [-1, 0, 1e6, np.nan, np.inf, "x", [30], True])
def test_the_rate_beside_a_model_is_checked(rate):
    with pytest.raises(ValueError, match="frame_rate must be a number above 0 and at most 1000"):
        match_frame_rate(PoseExtractor(), "no_such_file.mp4", rate)
