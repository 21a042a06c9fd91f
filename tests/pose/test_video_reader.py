"""Reading videos: pictures, times, orientation, and every way in which a file can be bad."""

import itertools
import os
import shutil

import numpy as np
import pytest
from media import corners, noise, read_corners, write_sound, write_video
from real_files import VIDEOS, needs_shared_videos

from skrehab.pose import VideoError, probe_video, read_frames, resample_frames
from skrehab.pose.reader import _Clock


def times_of(path, **options):
    return np.array([time for time, _ in read_frames(path, **options)])


# --- pictures -----------------------------------------------------------------------------------
def test_pictures_come_back(tmp_path):
    frames = noise(n_frames=5)
    path = write_video(tmp_path / "clip.mp4", frames, fps=25)
    read = list(read_frames(path))
    np.testing.assert_allclose([time for time, _ in read], np.arange(5) / 25, atol=1e-6)
    for (_, picture), frame in zip(read, frames):
        assert picture.shape == (120, 160, 3) and picture.dtype == np.uint8
        assert picture.flags.c_contiguous  # a padded array makes mediapipe blind
        # luma survives; colour is halved in resolution by yuv420p
        assert abs(picture.mean(axis=2) - frame.mean(axis=2)).mean() < 8


def test_width_that_pyav_pads(tmp_path):
    """1080 is no multiple of 32: PyAV's rows are longer than the picture."""
    frame = np.zeros((64, 1080, 3), dtype=np.uint8)
    frame[:, 540:] = 255
    path = write_video(tmp_path / "wide.mp4", [frame])
    (_, picture), *_ = read_frames(path)
    assert picture.flags.c_contiguous and picture.strides == (3240, 3, 1)
    np.testing.assert_allclose(picture, frame, atol=12)


def test_probe(tmp_path):
    path = write_video(tmp_path / "clip.mp4", noise(6), fps=24)
    info = probe_video(path)
    assert (info.width, info.height, info.rotation, info.n_frames) == (160, 120, 0, 6)
    assert info.fps == pytest.approx(24) and info.duration == pytest.approx(0.25)
    assert info.codec == "h264" and info.path == path


def test_frames_are_read_as_they_are_asked_for(tmp_path):
    """The first frames of a file cut in two come before its end is noticed."""
    path = write_video(tmp_path / "a.mp4", noise(40), options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames = read_frames(path)
    assert len(list(itertools.islice(frames, 5))) == 5
    with pytest.raises(VideoError, match="damaged or cut short after"):
        list(frames)


def test_max_size(tmp_path):
    path = write_video(tmp_path / "clip.mp4", [corners()] * 2)
    for _, picture in read_frames(path, max_size=80):
        assert picture.shape == (60, 80, 3) and read_corners(picture) == "rgb-"
    assert next(read_frames(path, max_size=999))[1].shape == (120, 160, 3)


@pytest.mark.parametrize(
    "rotation, mirrored, expected",
    [
        (0, False, "rgb-"),
        (90, False, "g-rb"),  # counter-clockwise: the right edge comes to the top
        (180, False, "-bgr"),
        (-90, False, "br-g"),
        (0, True, "gr-b"),
    ],
)
def test_rotation_and_mirror(tmp_path, rotation, mirrored, expected):
    path = write_video(tmp_path / "phone.mp4", [corners()] * 3, rotation=(rotation, mirrored))
    pictures = [picture for _, picture in read_frames(path)]
    assert [read_corners(picture) for picture in pictures] == [expected] * 3
    info = probe_video(path)
    assert (info.height, info.width) == pictures[0].shape[:2]
    assert pictures[0].shape == ((160, 120, 3) if abs(rotation) == 90 else (120, 160, 3))
    assert info.rotation == rotation % 360


def test_pixels_that_are_not_square(tmp_path):
    path = write_video(tmp_path / "tv.mp4", [corners()] * 2, pixel_aspect="3/2")
    _, picture = next(read_frames(path))
    assert picture.shape == (120, 240, 3) and read_corners(picture) == "rgb-"
    assert probe_video(path).width == 240


@pytest.mark.parametrize("name", ["Übung écran 映像.mp4", "two words.mkv", "dots.v2.avi"])
def test_any_name(tmp_path, name):
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    path = write_video(tmp_path / name, noise(4), codec=codec)
    assert len(list(read_frames(path))) == len(list(read_frames(str(path)))) == 4


# --- times --------------------------------------------------------------------------------------
def test_variable_frame_rate_keeps_its_times(tmp_path):
    times = [0, 0.04, 0.05, 0.25, 0.3, 1.0]
    path = write_video(tmp_path / "phone.mp4", noise(6), times=times)
    np.testing.assert_allclose(times_of(path), times, atol=1e-4)


def test_times_start_with_the_file(tmp_path):
    """A recording may start its clock anywhere."""
    times = np.array([7.0, 7.1, 7.2])
    path = write_video(tmp_path / "late.mkv", noise(3), times=times)
    np.testing.assert_allclose(times_of(path), times - 7, atol=2e-3)


def test_files_without_times_have_a_frame_rate(tmp_path):
    path = write_video(tmp_path / "recorder.h264", noise(4), fps=25)
    np.testing.assert_allclose(times_of(path), [0, 0.04, 0.08, 0.12])


def test_a_name_is_never_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("http:a.mp4", "file:a.mp4", "-i.mp4", "concat:a|b.mp4", "pipe:0"):
        os.replace(write_video(tmp_path / "a.mp4", noise(2)), name)
        assert len(times_of(name)) == 2


def test_clock_repairs_times():
    clock = _Clock(start=-0.5, period=0.1)
    given = [-0.5, -0.4, -0.4, None, -0.3, -0.2]
    placed = [clock.place(time) for time in given]
    np.testing.assert_allclose(placed, [0, 0.1, 0.101, 0.102, 0.2, 0.3])


def test_clock_goes_on_after_a_restart():
    clock = _Clock(start=0.0, period=0.1)
    placed = [clock.place(time) for time in [0, 0.1, 5.0, 0.0, 0.1, 0.2]]
    np.testing.assert_allclose(placed, [0, 0.1, 5.0, 5.1, 5.2, 5.3])


def test_clock_never_starts_below_zero():
    clock = _Clock(start=1.0, period=0.1)
    np.testing.assert_allclose([clock.place(time) for time in [0.4, 0.5]], [0, 0.1])


def test_resampling_a_file(tmp_path):
    times = [0, 0.04, 0.05, 0.25, 0.3, 1.0]
    path = write_video(tmp_path / "phone.mp4", noise(6), times=times)
    np.testing.assert_allclose(times_of(path, target_fps=10), np.arange(11) / 10, atol=1e-9)


@pytest.mark.parametrize("source, target, expected", [(30, 30, 60), (60, 30, 30), (30, 60, 119)])
def test_resampled_length(source, target, expected):
    frames = [(i / source, i) for i in range(60)]
    resampled = list(resample_frames(frames, target))
    assert len(resampled) == expected
    np.testing.assert_allclose(np.diff([time for time, _ in resampled]), 1 / target)


def test_resampling_takes_the_nearest():
    rng = np.random.RandomState(3)
    times = np.cumsum(rng.uniform(0.01, 0.2, 50))
    for grid_time, frame in resample_frames([(time, time) for time in times], 13.0):
        assert abs(frame - grid_time) <= abs(times - grid_time).min() + 1e-8


def test_resampling_at_the_same_rate_changes_nothing():
    times = np.round(np.arange(100) / 30, 3)  # as containers with a millisecond clock store them
    assert [i for _, i in resample_frames(zip(times, range(100)), 30)] == list(range(100))


def test_resampling_one_frame_and_none():
    assert list(resample_frames([(2.0, "a")], 10)) == [(2.0, "a")]
    assert list(resample_frames([], 10)) == []


@pytest.mark.parametrize("target", [0, -5, float("nan")])
def test_target_fps_must_be_positive(target):
    with pytest.raises(ValueError, match="target_fps must be above 0"):
        resample_frames([], target)


# --- bad files ----------------------------------------------------------------------------------
def missing(path):
    return path / "nowhere.mp4"


def folder(path):
    (path / "folder.mp4").mkdir()
    return path / "folder.mp4"


def empty(path):
    (path / "empty.mp4").touch()
    return path / "empty.mp4"


def prose(path, name="prose.mp4"):
    (path / name).write_text("The patient lifted the left arm.\n" * 50)
    return path / name


def text_file(path):  # FFmpeg would render it as a film of a terminal
    return prose(path, "notes.txt")


def picture(path):
    from PIL import Image

    Image.fromarray(corners()).save(path / "still.png")
    return path / "still.png"


def sound(path):
    return write_sound(path / "voice.m4a")


def no_frames(path):
    import av

    with av.open(str(path / "none.mkv"), "w") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        out.start_encoding()
    return path / "none.mkv"


def cut(path, name="cut.mp4", **options):
    video = write_video(path / name, noise(60), **options)
    video.write_bytes(video.read_bytes()[: int(0.6 * video.stat().st_size)])
    return video


def cut_with_index(path):
    return cut(path, "faststart.mp4", options={"movflags": "faststart"})


def cut_matroska(path):  # ends without any complaint of the decoder
    return cut(path, "cut.mkv")


def list_of_files(path):  # somebody else's upload, for example
    write_video(path / "other.mp4", noise(3))
    (path / "list.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")
    return path / "list.mp4"


def playlist(path):
    write_video(path / "other.ts", noise(3))
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.1,\nother.ts\n#EXT-X-ENDLIST\n"
    (path / "list.m3u8").write_text(text)
    return path / "list.m3u8"


def cut_matroska_late(path):  # one frame of sixty is missing
    video = write_video(path / "late.mkv", noise(60))
    video.write_bytes(video.read_bytes()[: int(0.985 * video.stat().st_size)])
    return video


def pipe(path):  # waiting for somebody to write to it would take for ever
    os.mkfifo(path / "pipe.mp4")
    return path / "pipe.mp4"


def long_name(path):
    return path / ("x" * 300 + ".mp4")


def cut_avi(path):
    return cut(path, "cut.avi", codec="mpeg4")


def damaged(path):
    video = write_video(path / "damaged.mp4", noise(60))
    content = bytearray(video.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = np.random.RandomState(1).bytes(20_000)
    video.write_bytes(content)
    return video


@pytest.mark.parametrize(
    "make, reason",
    [
        (missing, "no such file"),
        (folder, "a folder"),
        (empty, "empty"),
        (prose, "not a video"),
        (text_file, "text or picture"),
        (picture, "text or picture"),
        (sound, "only sound"),
        (no_frames, "0 frames|not a video"),
        (cut, "cut short"),
        (cut_with_index, "cut short"),
        (cut_matroska, "cut short: it states 2.0 s"),
        (cut_matroska_late, "cut short: it states 2.0 s and ends after 2.0 s .59 frames"),
        (pipe, "a pipe"),
        (list_of_files, "a list of other files"),
        (playlist, "a list of other files"),
        (long_name, "cannot be reached"),
        (cut_avi, "cut short"),
        (damaged, "damaged"),
    ],
)
def test_bad_files_are_named(tmp_path, make, reason):
    path = make(tmp_path)
    with pytest.raises(VideoError, match=reason) as caught:
        list(read_frames(path))
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("make", [missing, empty, prose, sound, cut, no_frames])
def test_probe_finds_what_cannot_be_opened(tmp_path, make):
    path = make(tmp_path)
    with pytest.raises(VideoError, match=path.name):
        probe_video(path)


def test_sound_with_a_cover_is_still_sound(tmp_path):
    """The picture on the cover of a song is no video."""
    import av

    path = write_sound(tmp_path / "voice.m4a")
    song = tmp_path / "song.mp4"
    with av.open(str(path)) as source, av.open(str(song), "w") as out:
        audio = out.add_stream_from_template(source.streams.audio[0])
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 160, 120, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        still = av.VideoFrame.from_ndarray(corners(), format="rgb24")
        out.mux(cover.encode(still) + cover.encode(None))
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = audio
                out.mux(packet)
    with av.open(str(song)) as container:
        assert container.streams.video  # there is a picture stream, or this test shows nothing
    with pytest.raises(VideoError, match="only sound"):
        probe_video(song)


# --- real videos --------------------------------------------------------------------------------
@needs_shared_videos
@pytest.mark.parametrize(
    "name, size, fps, n_frames",
    [
        ("one_person_balance.mp4", (1080, 1920), 60, 100),
        ("two_people_roof.mp4", (1768, 994), 30, 230),
    ],
)
def test_real_videos(name, size, fps, n_frames):
    info = probe_video(VIDEOS / name)
    assert (info.width, info.height) == size and info.n_frames == n_frames
    times = times_of(VIDEOS / name)
    np.testing.assert_allclose(times, np.arange(n_frames) / fps, atol=1e-4)


@needs_shared_videos
def test_real_video_cut_in_two(tmp_path):
    path = tmp_path / "copy.mp4"
    shutil.copy(VIDEOS / "one_person_balance.mp4", path)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(VideoError, match=r"copy\.mp4"):
        list(read_frames(path))


class _Theora:
    """A file as the demuxer of Theora gives it: packets without data say "the last picture again".

    No encoder for it comes with PyAV, and the demuxers of other formats drop such packets, so two
    packets of a real file are emptied on their way to the decoder.
    """

    def __init__(self, container, emptied):
        self._container, self._emptied = container, emptied
        self.duration, self.start_time = container.duration, container.start_time

    def demux(self):
        import av

        for i, packet in enumerate(self._container.demux()):
            if i in self._emptied:
                empty = av.Packet(b"")
                empty.stream, empty.time_base = packet.stream, packet.time_base
                empty.pts, empty.dts, empty.duration = packet.pts, packet.dts, packet.duration
                packet = empty
            yield packet


def test_packets_without_data_repeat_the_last_picture(tmp_path):
    import av

    from skrehab.pose.reader import _decoded

    path = write_video(tmp_path / "a.mkv", noise(10), codec="mpeg4")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        found = [
            (round(frame.time, 3), frame.to_ndarray(format="gray").mean())
            for frame in _decoded(_Theora(container, (5, 6)), stream, path)
        ]
    times, greys = zip(*found)
    assert len(times) == 10 and np.allclose(times, np.arange(10) / 30, atol=2e-3)
    assert greys[4] == greys[5] == greys[6] and len(set(greys)) == 8
