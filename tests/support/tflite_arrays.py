"""The constant arrays of a .tflite file, by name: enough of a FlatBuffers reader for one test."""

import struct

import numpy as np

__all__ = ["tflite_arrays"]


class _Table:
    """A FlatBuffers table: its fields lie where a table of offsets says."""

    def __init__(self, data, place):
        self.data, self.place = data, place
        self.offsets = place - struct.unpack_from("<i", data, place)[0]
        self.size = struct.unpack_from("<H", data, self.offsets)[0]

    def field(self, number):
        at = 4 + 2 * number
        offset = struct.unpack_from("<H", self.data, self.offsets + at)[0] if at < self.size else 0
        return self.place + offset if offset else None

    def behind(self, at):
        return at + struct.unpack_from("<I", self.data, at)[0]

    def vector(self, number):
        """Number of elements, and where they begin."""
        at = self.field(number)
        if at is None:
            return 0, 0
        at = self.behind(at)
        return struct.unpack_from("<I", self.data, at)[0], at + 4

    def tables(self, number):
        length, at = self.vector(number)
        return [_Table(self.data, self.behind(at + 4 * i)) for i in range(length)]


def tflite_arrays(path):
    """Name -> float32 array of every constant of the first subgraph."""
    data = path.read_bytes()
    model = _Table(data, struct.unpack_from("<I", data)[0])
    buffers = [buffer.vector(0) for buffer in model.tables(4)]
    found = {}
    for tensor in model.tables(2)[0].tables(0):
        number = tensor.field(2)
        size, at = buffers[struct.unpack_from("<I", data, number)[0] if number else 0]
        kind = tensor.field(1)
        if not size or (kind and data[kind] != 0):  # 0 is float32
            continue
        length, place = tensor.vector(0)
        shape = struct.unpack_from(f"<{length}i", data, place)
        letters, start = tensor.vector(3)
        name = data[start : start + letters].decode()
        found[name] = np.frombuffer(data, "<f4", size // 4, at).reshape(shape)
    return found
