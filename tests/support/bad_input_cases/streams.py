"""Videos with several films in them, slow motion, half pictures, a size that changes."""

from fractions import Fraction

import numpy as np
from media import noise

from bad_input_cases.case import battery, warned
from skrehab.pose import probe_video, read_frames

CASES, case = battery()
SMALL, LARGE = (64, 48), (320, 240)


def films(name, *sizes, default=None, codecs=None, metadata=None):
    """Write a video with a film of each size; `default` says which one is flagged."""

    def make(folder):
        import av
        from av.stream import Disposition

        options = {"movflags": "use_metadata_tags"} if metadata else {}
        with av.open(str(folder / name), "w", options=options) as out:
            out.metadata.update(metadata or {})
            streams = []
            for i, (width, height) in enumerate(sizes):
                codec = (codecs or {}).get(i, "libx264")
                stream = out.add_stream(codec, rate=30)
                stream.width, stream.height = width, height
                stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
                if default is not None:
                    stream.disposition = Disposition.default if i == default else 0
                streams.append(stream)
            for k in range(12):
                for i, (stream, (width, height)) in enumerate(zip(streams, sizes)):
                    if k and (codecs or {}).get(i) == "mjpeg":
                        continue  # one picture
                    picture = np.full((height, width, 3), 10 * k, dtype=np.uint8)
                    out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            for stream in streams:
                out.mux(stream.encode(None))
        return folder / name

    return make


def all_frames(path):
    return [frame for _, frame in read_frames(path)]


def of_size(size, count=12):
    return lambda read: len(read) == count and read[0].shape[:2] == size[::-1]


for ending in ("mp4", "mov", "mkv"):
    case(
        "which film",
        f"a preview first, {ending}",
        films(f"a.{ending}", SMALL, LARGE),
        warned(all_frames, "holds 2 films"),
        of_size(LARGE),
    )
    case(
        "which film",
        f"a preview second, {ending}",
        films(f"a.{ending}", LARGE, SMALL),
        warned(all_frames, "holds 2 films"),
        of_size(LARGE),
    )
    case(
        "which film",
        f"the small second one is the default, {ending}",
        films(f"a.{ending}", LARGE, SMALL, default=1),
        warned(all_frames, "holds 2 films"),
        of_size(SMALL),
    )
    case(
        "which film",
        f"a large thumbnail first, {ending}",
        films(f"a.{ending}", LARGE, SMALL, codecs={0: "mjpeg"}),
        all_frames,
        of_size(SMALL),
    )
    case(
        "which film",
        f"looked at only, {ending}",
        films(f"a.{ending}", SMALL, LARGE),
        probe_video,
        lambda info: (info.width, info.height) == LARGE,
    )
CAPTURE = "com.android.capture.fps"
for label, rate, said in (("240", "240.000000", True), ("120", "120", True), ("30", "30.0", False)):
    use = warned(all_frames, "slow motion") if said else all_frames
    case(
        "slow motion",
        f"{label} pictures a second",
        films("a.mp4", LARGE, metadata={CAPTURE: rate}),
        use,
        of_size(LARGE),
    )
case(
    "slow motion",
    "a rate that is none",
    films("a.mp4", LARGE, metadata={CAPTURE: "fast"}),
    all_frames,
    of_size(LARGE),
)


def joined(*sizes):
    """One stream of H.264 whose picture changes its size."""

    def make(folder):
        import av

        parts = []
        for width, height in sizes:
            codec = av.CodecContext.create("libx264", "w")
            codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
            codec.time_base, codec.options = Fraction(1, 30), {"bf": "0"}
            for picture in noise(6, height, width):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                parts += [bytes(packet) for packet in codec.encode(frame)]
            parts += [bytes(packet) for packet in codec.encode(None)]
        (folder / "a.h264").write_bytes(b"".join(parts))
        return folder / "a.h264"

    return make


case(
    "a size that changes",
    "to another shape",
    joined((160, 120), (160, 80)),
    warned(all_frames, "which stretches the body"),
    of_size((160, 120)),
)
case(
    "a size that changes",
    "to the same shape",
    joined((160, 120), (320, 240)),
    warned(all_frames, "is scaled to the first size"),
    of_size((160, 120)),
)


def interlaced(folder):
    import av

    with av.open(str(folder / "a.mkv"), "w") as out:
        stream = out.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
        stream.options = {"flags": "+ildct+ilme", "top": "1"}
        for picture in noise(6, 128, 160):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return folder / "a.mkv"


case(
    "half pictures",
    "interlaced",
    interlaced,
    warned(all_frames, "are interlaced"),
    of_size((160, 128), 6),
)
