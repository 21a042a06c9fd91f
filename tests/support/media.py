"""Small media files written by the tests, with PyAV."""

from fractions import Fraction

import numpy as np
import pytest


def write_video(
    path,
    frames,
    fps=30,
    times=None,
    codec="libx264",
    rotation=None,
    pixel_aspect=None,
    options=None,
    quality="18",
):
    """Write RGB frames to a video file.

    ``times`` (seconds) makes the frame rate vary; ``rotation`` is (degrees counter-clockwise,
    mirrored left to right), written as metadata only.
    """
    import av

    frames = [np.ascontiguousarray(frame) for frame in frames]
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w", options=options or {}) as out:
        stream = out.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = width, height
        stream.pix_fmt = (
            "yuv444p" if codec == "libx264" and (height % 2 or width % 2) else "yuv420p"
        )
        if codec == "libx264":
            stream.options = {"crf": quality, "preset": "ultrafast", "bf": "0"}
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = Fraction(pixel_aspect)
        if times is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 90000)
        if rotation is not None:
            if not hasattr(stream, "set_display_rotation"):
                pytest.skip("this PyAV cannot write rotation metadata")
            stream.set_display_rotation(rotation[0], hflip=rotation[1])
        for i, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            if times is not None:
                picture.pts, picture.time_base = round(times[i] * 90000), Fraction(1, 90000)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path


def write_sound(path, seconds=0.5):
    """Write a file that holds a tone and no picture."""
    import av

    wave = np.sin(np.arange(int(44100 * seconds)) * 0.06).astype(np.float32)[None]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=44100, layout="mono")
        for start in range(0, wave.shape[1] - 1024, 1024):
            part = np.ascontiguousarray(wave[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def noise(n_frames=12, height=120, width=160, seed=0):
    """Frames of random blocks: hard to compress, so that files can be cut in two."""
    blocks = np.random.RandomState(seed).randint(0, 255, (n_frames, height // 8, width // 8, 3))
    return blocks.astype(np.uint8).repeat(8, axis=1).repeat(8, axis=2)


def grey_wall(n_frames=12, height=120, width=160):
    """Frames of a plain grey wall, in which the detector scores everything below 0.01.

    Noise will not do: a network sees people in it, other ones on every machine. Nor will a wall
    after somebody: the tracker may take a while to give up.
    """
    return np.full((n_frames, height, width, 3), 128, dtype=np.uint8)


def corners():
    """One picture whose corners are red, green, blue and black, in reading order."""
    picture = np.full((120, 160, 3), 90, dtype=np.uint8)
    for i, rows in enumerate((slice(0, 40), slice(-40, None))):
        for j, columns in enumerate((slice(0, 50), slice(-50, None))):
            picture[rows, columns] = 0
            if 2 * i + j < 3:
                picture[rows, columns, 2 * i + j] = 255
    return picture


def read_corners(picture):
    """Name the corners of a picture in reading order."""
    spots = [picture[10, 10], picture[10, -10], picture[-10, 10], picture[-10, -10]]
    return "".join("rgb"[spot.argmax()] if spot.max() > 128 else "-" for spot in spots)


def moving_astronaut(n_frames=20, step=8):
    """Frames of scikit-image's astronaut, moving to the right by ``step`` pixels a frame.

    Returns the frames, each 384 x 640, and the shift of each in pixels.
    """
    data = pytest.importorskip("skimage.data", reason="the picture comes with scikit-image")
    person = data.astronaut()[:384, :400]
    shifts = step * np.arange(n_frames)
    frames = np.full((n_frames, 384, 640, 3), 128, dtype=np.uint8)
    for frame, shift in zip(frames, shifts):
        width = min(400, 640 - shift)
        frame[:, shift : shift + width] = person[:, :width]
    return frames, shifts
