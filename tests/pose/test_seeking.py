"""Frames by their numbers: exactly those that reading from the start gives, and faster."""

from fractions import Fraction

import numpy as np
import pytest

from skrehab.pose import VideoError, read_frames
from skrehab.pose.seeking import _plan, _read_by_seeking, count_frames, read_frames_at
from skrehab.training.clips import frame_positions, read_clip

N = 150
BLOCKS = np.random.RandomState(0).randint(0, 255, (15, 20, 3)).astype(np.uint8)
UNEVEN = np.cumsum(np.random.RandomState(1).uniform(0.01, 0.08, N))
OPEN_GOP = "open-gop=1:keyint=10:min-keyint=10:scenecut=0"


def write(path, codec, options=(), *, gop=10, times=None, rotation=None):
    """Write N different frames with a keyframe every `gop`."""
    import av

    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    picture = BLOCKS.repeat(4, axis=0).repeat(4, axis=1)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=30)
        stream.width, stream.height = 80, 60
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = dict(options)
        if codec != "libx265":
            stream.codec_context.gop_size = gop
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 90000)
        for i in range(N):
            frame = np.roll(picture, 3 * i, axis=1)
            frame[i % 40 : i % 40 + 10, 10:30] = 7 * i % 256
            frame = av.VideoFrame.from_ndarray(frame, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[i] * 90000), Fraction(1, 90000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


X264 = {"preset": "ultrafast", "bf": "0"}
B_FRAMES = {"preset": "veryfast", "bf": "3"}
FILES = {  # name -> how it is written, and whether it can be entered in the middle
    "plain.mp4": (("libx264", X264), {}, True),
    "b_frames.mp4": (("libx264", B_FRAMES), {}, True),
    "open_gop.mp4": (("libx264", B_FRAMES | {"x264-params": OPEN_GOP}), {"gop": 10}, True),
    "uneven.mp4": (("libx264", B_FRAMES), {"times": UNEVEN}, True),
    "turned.mp4": (("libx264", X264), {"rotation": 90}, True),
    "no_length.mkv": (("libx264", B_FRAMES), {}, True),
    "hevc.mp4": (
        ("libx265", {"preset": "ultrafast", "x265-params": "keyint=10:open-gop=1:log-level=none"}),
        {},
        True,
    ),
    "vp8.webm": (("libvpx", {"deadline": "realtime", "cpu-used": "8"}), {}, True),
    "old.avi": (("mpeg4", {}), {}, True),
    "stills.avi": (("mjpeg", {}), {}, True),
    "stream.ts": (("libx264", X264), {}, False),
    "programme.mpg": (("mpeg2video", {"bf": "2"}), {}, False),
}
WANTED = ([0, 70, 149], [100], list(range(100, 132, 4)), [5, 6, 66, 140])


@pytest.mark.parametrize("name", FILES)
def test_the_same_frames_as_from_the_start(tmp_path, name):
    how, options, can_seek = FILES[name]
    path = write(tmp_path / name, *how, **options)
    everything = [frame for _, frame in read_frames(path)]
    assert count_frames(path) == len(everything) == N
    assert len({frame.tobytes() for frame in everything}) == N
    if options.get("rotation"):
        assert everything[0].shape == (80, 60, 3)
    for wanted in WANTED:
        if can_seek:
            assert _read_by_seeking(path, wanted, None) is not None
        frames = read_frames_at(path, wanted)
        assert sorted(frames) == wanted
        for i in wanted:
            np.testing.assert_array_equal(frames[i], everything[i])


def test_a_clip_is_the_same_either_way(tmp_path):
    path = write(tmp_path / "plain.mp4", "libx264", X264)
    everything = np.stack([frame for _, frame in read_frames(path, max_size=40)])
    for stride in (None, 4):
        clip = read_clip(path, 8, stride=stride, max_size=40)
        np.testing.assert_array_equal(clip, everything[frame_positions(N, 8, stride)])


def test_far_fewer_frames_are_decoded(tmp_path, monkeypatch):
    """Counted, not timed: the 8 frames in the middle of 150, keyframes 10 apart."""
    av = pytest.importorskip("av")
    path = write(tmp_path / "plain.mp4", "libx264", X264)
    decoded = []
    to_array = av.video.reformatter.VideoReformatter

    class Counting:
        def __init__(self):
            self.inner = to_array()

        def reformat(self, frame, **options):
            decoded.append(frame.pts)
            return self.inner.reformat(frame, **options)

    monkeypatch.setattr(av.video.reformatter, "VideoReformatter", Counting)
    read_clip(path, 8, stride=2)
    assert len(decoded) == 8  # reading from the start converts 83
    assert len(set(decoded)) == 8


def test_when_seeking_does_not_pay(tmp_path):
    path = write(tmp_path / "one_keyframe.mp4", "libx264", X264 | {"sc_threshold": "0"}, gop=1000)
    assert _read_by_seeking(path, [10, 149], None) is None
    assert len(read_frames_at(path, [10, 149])) == 2
    path = write(tmp_path / "plain.mp4", "libx264", X264)
    assert _read_by_seeking(path, list(range(N)), None) is None


def test_the_plan():
    class Index:
        times, keys = np.arange(100) * 512, np.arange(0, 100, 20) * 512

    plan = _plan(Index, [3, 42, 44, 79, 83])
    assert plan == [(0, [3]), (40 * 512, [42, 44]), (60 * 512, [79, 83])]
    Index.keys = np.array([50 * 512])  # a file whose beginning is missing
    assert _plan(Index, [3, 60]) is None


def test_beyond_the_end(tmp_path):
    path = write(tmp_path / "plain.mp4", "libx264", X264)
    assert sorted(read_frames_at(path, [149, 200])) == [149]


def test_bad_files_are_named(tmp_path):
    import av

    path = write(tmp_path / "plain.mp4", "libx264", X264)
    cut = tmp_path / "cut.mp4"
    with (
        av.open(str(path)) as source,
        av.open(str(cut), "w", options={"movflags": "faststart"}) as to,
    ):
        stream = to.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                to.mux(packet)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    with pytest.raises(VideoError, match=r"cut\.mp4: the file is (cut short|damaged)"):
        read_clip(cut, 16)
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(VideoError, match=r"text\.mp4"):
        count_frames(tmp_path / "text.mp4")
    with pytest.raises(VideoError, match=r"gone\.mp4: there is no such file"):
        read_frames_at(tmp_path / "gone.mp4", [100])


def test_too_short(tmp_path):
    path = write(tmp_path / "plain.mp4", "libx264", X264)
    assert read_clip(path, 16, min_frames=N).shape == (16, 60, 80, 3)
    with pytest.raises(VideoError, match=r"plain\.mp4: it has 150 frames, and at least 151"):
        read_clip(path, 16, min_frames=N + 1)
    with pytest.raises(VideoError, match=r"shape \(7, 8, 8, 3\): it has 7 frames"):
        read_clip(np.zeros((7, 8, 8, 3), np.uint8), 4, min_frames=16)
