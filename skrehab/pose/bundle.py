"""Write the ``.task`` file that MediaPipe's Tasks API wants from its two bare networks.

A ``.task`` file is a zip, stored without compression, of two ``.tflite`` files. The Tasks API
wants each to say how pictures are normalised, in a buffer named ``TFLITE_METADATA``; the detector
in the wheel does, the landmark network does not. A ``.tflite`` file is a flatbuffer, whose
references only point forward; so a new root table is written *in front* of the old bytes and
refers to what is in them. The network itself stays bit for bit what was checked.
"""

import io
import zipfile

from .._optional import require

__all__ = ["BUNDLE_MEMBERS", "add_normalization", "build_bundle", "pack_bundle"]

DETECTOR = "pose_detector.tflite"
LANDMARKER = "pose_landmarks_detector.tflite"
BUNDLE_MEMBERS = (DETECTOR, LANDMARKER)

# Field numbers of the TFLite schema: table Model and table Buffer
_VERSION, _BUFFERS, _METADATA = 0, 4, 6
_REFERENCES = (1, 2, 3, 5, 7)  # operator codes, subgraphs, description, metadata_buffer, signatures
_ALIGNMENT = 64


def build_bundle(detector, landmarker):
    """Join the two networks into the bytes of a ``.task`` file.

    Parameters
    ----------
    detector : bytes
        ``pose_detection.tflite`` as it lies in the mediapipe wheel.
    landmarker : bytes
        ``pose_landmark_full.tflite`` as it lies in the mediapipe wheel.

    Returns
    -------
    bytes
        The bundle; the same input gives the same bytes.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skrehab.pose import build_bundle
    >>> names = "pose_detection.tflite", "pose_landmark_full.tflite"
    >>> networks = [Path(name).read_bytes() for name in names]  # doctest: +SKIP
    >>> Path("pose_landmarker_full.task").write_bytes(build_bundle(*networks))  # doctest: +SKIP
    9401904
    """
    return pack_bundle(detector, add_normalization(landmarker, mean=0.0, std=255.0))


def pack_bundle(detector, landmarker):
    """Put two networks that MediaPipe's Tasks API takes as they are into one file.

    Parameters
    ----------
    detector, landmarker : bytes
        TFLite files with the metadata that the API asks for.

    Returns
    -------
    bytes
        The bundle: these two members and nothing else, stored, aligned, without dates.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bundle:
        for name, model in ((DETECTOR, detector), (LANDMARKER, landmarker)):
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.external_attr = 0o644 << 16
            # An extra field pads the header, so that the network starts aligned in the file and
            # need not be copied to be read (the header is 30 bytes + the name + the field).
            padding = -(out.tell() + 30 + len(name) + 4) % _ALIGNMENT
            member.extra = (0xD935).to_bytes(2, "little") + padding.to_bytes(2, "little")
            member.extra += bytes(padding)
            bundle.writestr(member, model)
    return out.getvalue()


def add_normalization(model, mean, std):
    """Add picture normalisation to a TFLite network.

    Parameters
    ----------
    model : bytes
        A ``.tflite`` file without metadata.
    mean, std : float
        The network is fed ``(pixel - mean) / std`` of RGB pixels in [0, 255].

    Returns
    -------
    bytes
        The network with a ``TFLITE_METADATA`` buffer.

    Raises
    ------
    ValueError
        If ``model`` is not a TFLite file, or already has such a buffer.

    Examples
    --------
    >>> from skrehab.pose.bundle import add_normalization
    >>> add_normalization(b"no network", mean=0.0, std=255.0)
    Traceback (most recent call last):
    ...
    ValueError: This is not a TFLite network (it does not start with 'TFL3').
    """
    flatbuffers = require("flatbuffers", None, "to write the pose model file")
    if model[4:8] != b"TFL3":
        raise ValueError("This is not a TFLite network (it does not start with 'TFL3').")
    old = _Table(model, _u32(model, 0))
    if any(old.child(_METADATA, i).string(0) == b"TFLITE_METADATA" for i in old.indices(_METADATA)):
        raise ValueError("This network already has TFLite metadata.")

    builder = flatbuffers.Builder(len(model) + 4096)
    body = model + bytes(-len(model) % _ALIGNMENT)
    builder.CreateByteVector(body)  # first written is last in the file: the old bytes end it
    builder.Prep(_ALIGNMENT, 0)  # whole file in multiples of 64: the old bytes keep their alignment

    def place(position):
        """Builder offsets count from the end of the file."""
        return len(body) - position

    content = _normalization_metadata(flatbuffers, mean, std)
    builder.StartVector(1, len(content), 16)
    for byte in reversed(content):
        builder.PrependByte(byte)
    data = builder.EndVector()
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, data, 0)
    buffer = builder.EndObject()
    name = builder.CreateString("TFLITE_METADATA")
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependUint32Slot(1, len(old.indices(_BUFFERS)), 0)  # the new buffer comes last
    entry = builder.EndObject()

    lists = {}
    for field, added in ((_BUFFERS, buffer), (_METADATA, entry)):
        known = [place(old.child(field, i).position) for i in old.indices(field)]
        lists[field] = _offsets(builder, [*known, added])
    builder.StartObject(8)
    builder.PrependUint32Slot(_VERSION, old.u32(_VERSION), 0)
    for field, offset in lists.items():
        builder.PrependUOffsetTRelativeSlot(field, offset, 0)
    for field in _REFERENCES:
        if old.has(field):
            builder.PrependUOffsetTRelativeSlot(field, place(old.reference(field)), 0)
    builder.Finish(builder.EndObject(), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _normalization_metadata(flatbuffers, mean, std):
    """Serialise the metadata (schema: metadata_schema.fbs in the mediapipe wheel)."""
    builder = flatbuffers.Builder(512)

    def floats(value):
        builder.StartVector(4, 1, 4)
        builder.PrependFloat32(value)
        return builder.EndVector()

    def table(n_fields, **fields):
        builder.StartObject(n_fields)
        for slot, value in fields.items():
            kind, number = slot.split("_")
            if kind == "byte":
                builder.PrependUint8Slot(int(number), value, 0)
            else:
                builder.PrependUOffsetTRelativeSlot(int(number), value, 0)
        return builder.EndObject()

    image = table(2, byte_0=1)  # ImageProperties: colour space RGB
    content = table(3, byte_0=2, at_1=image)  # Content: a union of type ImageProperties
    options = table(2, at_0=floats(mean), at_1=floats(std))  # NormalizationOptions
    unit = table(2, byte_0=1, at_1=options)  # ProcessUnit: a union of type NormalizationOptions
    limits = floats((255 - mean) / std), floats((0 - mean) / std)
    stats = table(2, at_0=limits[0], at_1=limits[1])
    name = builder.CreateString("image")
    units = _offsets(builder, [unit])
    tensor = table(7, at_0=name, at_3=content, at_4=units, at_5=stats)  # TensorMetadata
    graph = table(10, at_2=_offsets(builder, [tensor]))  # SubGraphMetadata: the input tensors
    graphs = _offsets(builder, [graph])
    parser = builder.CreateString("1.0.0")
    root = table(8, at_3=graphs, at_7=parser)  # ModelMetadata
    builder.Finish(root, file_identifier=b"M001")
    return bytes(builder.Output())


def _offsets(builder, offsets):
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _u32(data, position):
    return int.from_bytes(data[position : position + 4], "little")


class _Table:
    """The few things to be read of a flatbuffer table."""

    def __init__(self, data, position):
        self.data = data
        self.position = position
        self.vtable = position - int.from_bytes(
            data[position : position + 4], "little", signed=True
        )

    def _slot(self, field):
        """Position of a field's value; None where the table leaves it out."""
        entry = 4 + 2 * field
        if entry >= int.from_bytes(self.data[self.vtable : self.vtable + 2], "little"):
            return None
        offset = int.from_bytes(self.data[self.vtable + entry : self.vtable + entry + 2], "little")
        return self.position + offset if offset else None

    def has(self, field):
        return self._slot(field) is not None

    def u32(self, field):
        return _u32(self.data, self._slot(field)) if self.has(field) else 0

    def reference(self, field):
        """Position of what a field refers to."""
        slot = self._slot(field)
        return slot + _u32(self.data, slot)

    def indices(self, field):
        return range(_u32(self.data, self.reference(field)) if self.has(field) else 0)

    def child(self, field, i):
        slot = self.reference(field) + 4 + 4 * i
        return _Table(self.data, slot + _u32(self.data, slot))

    def string(self, field):
        start = self.reference(field)
        return self.data[start + 4 : start + 4 + _u32(self.data, start)]
