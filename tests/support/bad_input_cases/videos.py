"""Video files: damaged, of another kind, odd in size, rate, clock, turn or name."""

import io
import os
import zipfile

import numpy as np
from media import corners, noise, read_corners, write_sound, write_video

from bad_input_cases.case import (
    Unavailable,
    battery,
    changed,
    closed,
    content,
    cut,
    folder_called,
    hole,
    link,
    nothing,
    pipe,
    renamed,
    rubbish,
    without_rights,
)
from skrehab.pose import VideoError, probe_video, read_frames

CASES, case = battery()
FASTSTART = {"options": {"movflags": "faststart"}}


def frames_of(path):
    return list(read_frames(path))


def video(name, *frames, **options):
    return lambda folder: write_video(folder / name, *frames, **options)


def refused(group, name, make, *why, use=frames_of):
    case(group, name, make, use, kind=VideoError, names=why)


def n_frames(count):
    return lambda frames: len(frames) == count


def the_same(frames, tolerance=25):
    """The frames that were written come back, but for what the codec loses."""

    def right(read):
        return len(read) == len(frames) and all(
            picture.shape == frame.shape
            and np.abs(picture.astype(float) - frame).mean() < tolerance
            for frame, (_, picture) in zip(frames, read)
        )

    return right


def times_near(expected, tolerance=2e-3):
    def right(frames):
        times = np.array([time for time, _ in frames])
        return len(times) == len(expected) and np.allclose(times, expected, atol=tolerance)

    return right


# --- truncated, empty -----------------------------------------------------------------------------
for ending, options in (
    ("mp4", {}),
    ("mp4", FASTSTART),
    ("mkv", {}),
    ("avi", {"codec": "mpeg4"}),
    ("mov", {}),
):
    for share in (0.05, 0.3, 0.6, 0.95):
        where = "mp4 with the index in front" if options is FASTSTART else ending
        whole = video(f"cut.{ending}", noise(40), **options)
        refused("truncated", f"{where}, {share:.0%} left", changed(whole, cut(share)))
refused("zero bytes", "mp4", content("empty.mp4", b""), "the file is empty")
refused("zero bytes", "only opened", content("empty.mp4", b""), use=probe_video)
refused("zero bytes", "a thousand zeros", content("zeros.mp4", bytes(1000)))
refused("zero bytes", "zeros in the middle", changed(video("hole.mp4", noise(40)), hole))
refused("zero bytes", "zeros in the middle, mkv", changed(video("hole.mkv", noise(40)), hole))


# --- other kinds of file --------------------------------------------------------------------------
def picture_bytes(kind):
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(corners()).save(out, kind)
    return out.getvalue()


def zip_bytes():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return out.getvalue()


def picture_called(kind, name):
    return lambda folder: content(name, picture_bytes(kind))(folder)


def beside_a_video(name, text):
    """Write a text that names the video beside it."""

    def make(folder):
        write_video(folder / "other.ts", noise(3))
        return content(name, text)(folder)

    return make


def gif(folder):
    from PIL import Image

    first, *others = [Image.fromarray(frame) for frame in GIF_FRAMES]
    first.save(folder / "v.gif", save_all=True, append_images=others, duration=100)
    return renamed(folder / "v.gif", "v.mp4")


def pose_file(folder):
    np.savez(folder / "pose.npz", world=np.zeros((3, 33, 4)))
    return renamed(folder / "pose.npz", "pose.mp4")


GIF_FRAMES = [np.full((120, 160, 3), value, np.uint8) for value in (0, 120, 240)]
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
SUBTITLES = b"1\n00:00:00,000 --> 00:00:02,000\nLift the arm.\n\n"
PLAYLIST = (
    b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
)
for name, data in (
    ("prose", b"The patient lifts the arm.\n" * 40),
    ("random bytes", rubbish()),
    ("a web page", b"<!DOCTYPE html><html>404 Not Found</html>"),
    ("PDF", PDF),
    ("subtitles", SUBTITLES),
    ("a table", b"trial,path,patient\n" * 30),
    ("JSON", b'{"frames": []}'),
    # a list of addresses is a "video" to FFmpeg: patients' machines must not call anybody
    ("a playlist of the network", PLAYLIST),
    ("a list of other files", b"ffconcat version 1.0\nfile /etc/hostname\n"),
    ("a drawing", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
):
    refused("not a video", f"{name} called mp4", content("a.mp4", data))
LOCAL_LIST = PLAYLIST.replace(b"http://127.0.0.1:9/a.ts", b"other.ts")
for name, made in (
    ("ffconcat", beside_a_video("list.mp4", b"ffconcat version 1.0\nfile other.ts\n")),
    ("m3u8", beside_a_video("list.m3u8", LOCAL_LIST)),
):
    refused("not a video", f"a list of a file beside it, {name}", made, "a list of other files")
refused("not a video", "a playlist of the network", content("list.m3u8", PLAYLIST))
refused("not a video", "a Word file called mp4", lambda f: content("a.mp4", zip_bytes())(f))
refused("not a video", "a pose file called mp4", pose_file)
for kind in ("PNG", "JPEG", "BMP", "TIFF", "WebP"):
    refused("not a video", f"{kind} called mp4", picture_called(kind, "still.mp4"))
refused("not a video", "PNG called avi", picture_called("PNG", "still.avi"))
refused("not a video", "a folder", folder_called("a.mp4"), "a folder")
refused("not a video", "nothing there", nothing("nowhere.mp4"), "no such file")
refused("not a video", "a link to nothing", link("a.mp4", "gone.mp4"), "no such file")
refused("not a video", "a link to itself", link("a.mp4", "a.mp4"), "no such file")
refused("not a video", "a pipe", pipe("p.mp4"), "a pipe")
refused("not a video", "a name of 304 letters", nothing("x" * 300 + ".mp4"), "too long")
refused(
    *("not a video", "no permission", closed(video("closed.mp4", noise(2)))),
    *("no permission",),
    use=without_rights(frames_of),
)
case(
    "only sound",
    "m4a",
    lambda f: write_sound(f / "voice.m4a"),
    frames_of,
    kind=VideoError,
    names=("only sound",),
)
refused("only sound", "called mp4", lambda f: renamed(write_sound(f / "v.m4a"), "v.mp4"))
refused(
    *("only sound", "called mp4, only opened"),
    lambda f: renamed(write_sound(f / "v.m4a"), "v.mp4"),
    use=probe_video,
)
case("kinds of file", "an animated GIF called mp4", gif, frames_of, the_same(GIF_FRAMES))
for real, called in (("avi", "mp4"), ("mkv", "avi"), ("mp4", "txt"), ("mp4", "MOV"), ("mkv", "")):
    case(
        *("wrong extension", f"{real} called {called or 'nothing'}"),
        lambda folder, r=real, c=called: renamed(
            write_video(folder / f"v.{r}", noise(4), codec="mpeg4" if r == "avi" else "libx264"),
            f"v.{c}" if c else "v",
        ),
        frames_of,
        the_same(noise(4)),
    )


def encoded(name, codec, pixels, frames):
    """Write with another codec, if this FFmpeg has it."""

    def make(folder):
        import av

        if codec not in av.codecs_available:
            return Unavailable
        with av.open(str(folder / name), "w") as out:
            stream = out.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 160, 120, pixels
            for frame in frames:
                out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            out.mux(stream.encode(None))
        return folder / name

    return make


for name, codec, pixels in (
    ("v.mkv", "ffv1", "yuv420p"),
    ("v.mkv", "ffv1", "yuv420p10le"),
    ("v.mov", "mjpeg", "yuvj420p"),
    ("v.avi", "mpeg4", "yuv420p"),
    ("v.webm", "libvpx-vp9", "yuv420p"),
    ("v.ts", "libx264", "yuv420p"),
    ("v.flv", "libx264", "yuv420p"),
    ("v.3gp", "mpeg4", "yuv420p"),
):
    case(
        "kinds of file",
        f"{codec}, {pixels} in {name}",
        encoded(name, codec, pixels, noise(5)),
        frames_of,
        the_same(noise(5)),
    )
case(
    "kinds of file",
    "bare H.264 of a recorder, without times",
    video("v.h264", noise(5), fps=25),
    frames_of,
    times_near(np.arange(5) / 25),
)
GREY = np.repeat(noise(5).mean(axis=3, keepdims=True).astype(np.uint8), 3, axis=3)
case("kinds of file", "grey", encoded("v.mkv", "ffv1", "gray", GREY), frames_of, the_same(GREY))

# --- size -----------------------------------------------------------------------------------------
for ending, codec in (("mp4", "libx264"), ("avi", "mpeg4"), ("mkv", "libx264")):
    case(
        "one frame",
        ending,
        video(f"one.{ending}", noise(1), codec=codec),
        frames_of,
        the_same(noise(1)),
    )
case(
    "one frame",
    "resampled",
    video("one.mp4", noise(1)),
    lambda path: list(read_frames(path, target_fps=10)),
    the_same(noise(1)),
)
LARGE = np.zeros((2, 2160, 3840, 3), np.uint8)
LARGE[1, :, 1920:] = 200
case("4K", "two frames", video("4k.mp4", LARGE, quality="30"), frames_of, the_same(LARGE))
case(
    "4K",
    "shown at 1920",
    video("4k.mp4", LARGE, quality="30"),
    lambda path: list(read_frames(path, max_size=1920)),
    the_same(LARGE[:, ::2, ::2]),
)
for height, width in ((121, 161), (120, 161), (2, 2), (16, 400), (1, 1), (1000, 8)):
    picture = np.full((2, height, width, 3), 200, dtype=np.uint8)
    codec = "ffv1" if min(height, width) < 16 else "libx264"
    case(
        "odd sizes",
        f"{width} x {height}",
        video("odd.mkv", picture, codec=codec),
        frames_of,
        the_same(picture),
    )


def two_sizes(folder):
    """Two recordings joined end to end, the second smaller and later."""
    data = b""
    for k, frames in enumerate((noise(3, 120, 160), noise(3, 64, 96))):
        path = write_video(folder / f"{k}.ts", frames, times=10 * k + np.arange(3) / 10)
        data += path.read_bytes()
    return content("joined.ts", data)(folder)


case(
    "odd sizes",
    "another size from the fourth frame on",
    two_sizes,
    frames_of,
    lambda frames: len(frames) >= 5 and {f.shape for _, f in frames} == {(120, 160, 3)},
)
case(
    "many frames",
    "3000",
    video("long.mp4", np.zeros((3000, 32, 32, 3), np.uint8)),
    lambda path: sum(1 for _ in read_frames(path)),
    lambda count: count == 3000,
)

# --- time -----------------------------------------------------------------------------------------
UNEVEN = [0, 0.04, 0.05, 0.25, 0.3, 1.0]
for ending in ("mp4", "mkv"):
    case(
        "variable frame rate",
        ending,
        video(f"vfr.{ending}", noise(6), times=UNEVEN),
        frames_of,
        times_near(UNEVEN),
    )
case(
    "variable frame rate",
    "put on a grid",
    video("vfr.mp4", noise(6), times=UNEVEN),
    lambda path: list(read_frames(path, target_fps=10)),
    times_near(np.arange(11) / 10),
)
for label, times in (
    ("a pause of an hour", [0, 0.1, 3600, 3600.1]),
    ("one frame in ten seconds", [0, 10, 20]),
    ("a thousand frames a second", [0, 0.001, 0.002, 0.003]),
):
    case(
        "variable frame rate",
        label,
        video("vfr.mp4", noise(len(times)), times=times),
        frames_of,
        times_near(times),
    )
BELOW = {"options": {"avoid_negative_ts": "disabled"}}
for start in (-0.5, -7200.0, 90000.0):
    times = start + np.array([0, 0.1, 0.2])
    group = "negative timestamps" if start < 0 else "late start"
    case(
        group,
        f"ts from {start:g} s",
        video("clock.ts", noise(3), times=times, **BELOW),
        frames_of,
        times_near([0, 0.1, 0.2]),
    )
    case(
        group,
        f"mkv from {start:g} s, moved by the writer",
        video("clock.mkv", noise(3), times=times),
        frames_of,
        lambda frames: (
            len(frames) == 3 and np.allclose(np.diff([time for time, _ in frames]), 0.1, atol=3e-3)
        ),
    )
    if start < 0:  # mp4 says of such frames itself that nobody is to see them
        refused(
            group,
            f"mp4 from {start:g} s, all hidden by its edit list",
            video("clock.mp4", noise(3), times=times, **BELOW),
            "no frame",
        )
        case(
            group,
            f"mkv from {start:g} s, written as it is",
            video("clock.mkv", noise(3), times=times, **BELOW),
            frames_of,
            lambda frames: (
                len(frames) == 3
                and frames[0][0] == 0
                and (np.diff([time for time, _ in frames]) > 0.01).all()
            ),
        )
case(
    "negative timestamps",
    "mp4, its first two frames hidden by its edit list",
    video("clock.mp4", noise(3), times=[-0.15, -0.05, 0.05], **BELOW),
    frames_of,
    the_same(noise(3)[2:]),
)

# --- turn and mirror ------------------------------------------------------------------------------
for degrees in (90, 180, 270):
    turned = np.rot90(corners(), -degrees // 90)
    case(
        "rotated",
        f"by {degrees}",
        video("turned.mp4", [turned] * 2, rotation=(degrees, False)),
        frames_of,
        lambda frames: read_corners(frames[0][1]) == read_corners(corners()),
    )
case(
    "rotated",
    "mirrored",
    video("selfie.mp4", [corners()[:, ::-1]] * 2, rotation=(0, True)),
    frames_of,
    lambda frames: read_corners(frames[0][1]) == read_corners(corners()),
)
case(
    "rotated",
    "by 90, only opened",
    video("turned.mp4", [np.rot90(corners(), -1)] * 2, rotation=(90, False)),
    probe_video,
    lambda info: (info.width, info.height) == (160, 120),
)


# --- names ----------------------------------------------------------------------------------------
def in_its_folder(path):
    """Read by the bare name, as people type it."""
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        return frames_of(path.name)
    finally:
        os.chdir(before)


for name in (
    "Übung écran 映像 🙂.mp4",
    "two  words.mp4",
    "-o.mp4",
    "a'b\"c.mp4",
    "%s%d.mp4",
    "a\nb.mp4",
    "x" * 240 + ".mp4",
    "file:a.mp4",
    "http:example.mp4",
    "concat:a|b.mp4",
    "c:ödé.mp4",
    "pipe:0.mp4",
    ".mp4",
    os.fsdecode(b"\xe9cran.mp4"),
):
    label = ascii(name) if len(name) < 40 else "244 letters"
    made = lambda f, n=name: renamed(write_video(f / "v.mp4", noise(2)), n)  # noqa: E731
    case("any name", label, made, frames_of, the_same(noise(2)))
    case("any name", f"{label}, in this folder", made, in_its_folder, n_frames(2))
    refused("any name", f"{label}, missing", nothing(name), "there is no such file")
