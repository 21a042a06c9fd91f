"""Small files of other programs, and what must be read from them."""

import json

import numpy as np

from bad_input_cases.case import content
from skrehab.formats import read_pose

N = 17
NAN = np.nan


def text(name, *lines, end="\n", encoding="utf-8"):
    return content(name, (end.join(lines) + end).encode(encoding))


def dumped(name, value):
    return content(name, json.dumps(value).encode())


def folder(files, name="clip"):
    def make(where):
        (where / name).mkdir()
        for file, value in files.items():
            (where / name / file).write_text(json.dumps(value))
        return where / name

    return make


def reads(**options):
    return lambda path: read_pose(path, **options)


def equal(value, part=lambda read: read.pose):
    """The part of what was read is this, NaN where NaN."""
    return lambda read: np.array_equal(np.asarray(part(read), dtype=float), value, equal_nan=True)


def near(value, part=lambda read: read.pose):
    return lambda read: np.allclose(part(read), value, equal_nan=True, atol=1e-6)


def times(read):
    return read.timestamps


def first_x(read):
    return read.pose[:, 0, 0]


def flat(x, n=N, score=0.9):
    return [v for j in range(n) for v in (x + j, 200 + j, score)]


def groups(x, n=N):
    return [[x + j, 200 + j] for j in range(n)]
