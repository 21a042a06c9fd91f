"""``skrehab pose`` over 20 videos, killed again and again: nothing is lost, nothing done twice."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from media import grey_wall, moving_astronaut, write_video
from real_files import VIDEOS, model_file, needs_model

pytestmark = [
    needs_model,
    pytest.mark.timeout(1500),  # up to five runs over twenty videos, each with a limit of its own
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL"),
]
N_VIDEOS, NOBODY = 20, "v07"

# the real command, which dies by the same signal when a part of one file stands on the disk
KILLED_WHILE_WRITING = """
import os, signal, sys
import numpy as np
from skrehab.cli import main as cli

kill_at, real = int(sys.argv.pop(1)), np.savez_compressed
def half(file, **arrays):
    half.calls += 1
    if half.calls == kill_at:
        real(file, **{key: arrays[key] for key in list(arrays)[:1]})
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    real(file, **arrays)
half.calls = 0
np.savez_compressed = half
cli.main()
"""


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Twenty short videos: one shows nobody, one is real where there is one."""
    folder = tmp_path_factory.mktemp("videos")
    paths = []
    for i in range(N_VIDEOS):
        frames = moving_astronaut(3, step=2 + i)[0][:, ::2, ::2]
        if f"v{i:02d}" == NOBODY:
            frames = grey_wall(3)
        real = VIDEOS / "one_person_balance.mp4"
        if i == 12 and real.exists():
            frames = first_frames(real, 3)
        paths.append(write_video(folder / f"v{i:02d}.mp4", frames))
    return paths


def first_frames(path, n):
    from itertools import islice

    from skrehab.pose import read_frames

    return [
        frame[: len(frame) // 2 * 2, : frame.shape[1] // 2 * 2]
        for _, frame in islice(read_frames(path, max_size=480), n)
    ]


def start(videos, output, code=("-c", "from skrehab.cli import main as cli; cli.main()")):
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, *code, "pose", *map(str, videos), "-o", str(output)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "SKREHAB_MODELS": str(model_file())},
    )


def finished(output):
    """Say of each finished pose which file it is, when it was written, and what is in it."""
    found = {}
    for path in sorted(output.glob("*.npz")):
        state = path.stat()
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        assert zipfile.ZipFile(path).testzip() is None, f"{path.name} is half-written"
        found[path.stem] = state.st_ino, state.st_mtime_ns, content
    return found


def reported(out):
    """Return the videos that a run says it analysed."""
    return [line.partition(".npz: ")[0].rpartition("/")[2] for line in out.splitlines()]


def kill_when(process, ready, seconds=300):
    """Send SIGKILL as soon as ``ready()``; the process must not have ended by itself."""
    stop = time.monotonic() + seconds
    while not ready():
        assert process.poll() is None, process.communicate(timeout=60)
        assert time.monotonic() < stop, "the command hangs"
        time.sleep(0.002)
    process.kill()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return out


@pytest.fixture(scope="module")
def undisturbed(videos, tmp_path_factory):
    """What one run gives that nobody kills."""
    output = tmp_path_factory.mktemp("undisturbed")
    process = start(videos, output)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1 and "1 of 20 videos failed" in err  # v07 shows nobody
    assert f"{NOBODY}.mp4: no person was found" in err
    assert len(reported(out)) == N_VIDEOS - 1
    return read(output)


def read(output):
    found = {}
    for path in sorted(output.glob("*.npz")):
        with np.load(path, allow_pickle=False) as archive:
            found[path.stem] = {name: archive[name] for name in archive}
    return found


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, arrays in expected.items():
        assert sorted(found[name]) == sorted(arrays)
        for key, array in arrays.items():
            np.testing.assert_array_equal(found[name][key], array, err_msg=f"{name}: {key}")


def test_killed_at_several_moments(videos, undisturbed, tmp_path):
    """After 0, 5 and 13 results: what is there stays, bit for bit, and is not repeated."""
    output, before, said = tmp_path / "poses", {}, []
    for enough in (0, 5, 13):
        process = start(videos, output)
        if enough:
            ready = lambda: len(list(output.glob("*.npz"))) >= enough  # noqa: B023, E731
        else:  # before the first result, but not before the command has begun
            ready = output.exists
        said += reported(kill_when(process, ready))
        after = finished(output)
        assert len(after) >= enough
        assert {name: after[name] for name in before} == before, "a finished video was done again"
        before = after

    process = start(videos, output)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1 and f"{NOBODY}.mp4: no person was found" in err
    assert f"{len(before)} of {N_VIDEOS} videos were done already" in err
    assert reported(out) == [name for name in undisturbed if name not in before]
    after = finished(output)
    assert {name: after[name] for name in before} == before
    said += reported(out)
    assert len(said) == len(set(said)), "the command says that it did a video twice"
    assert_same(read(output), undisturbed)

    # with everything there, only the video without anybody is looked at again
    out, err = (process := start(videos, output)).communicate(timeout=300)
    assert process.returncode == 1 and f"{N_VIDEOS - 1} of {N_VIDEOS} videos were done" in err
    assert reported(out) == [] and finished(output) == after


def test_killed_while_a_file_is_written(videos, undisturbed, tmp_path):
    """The half of it is never taken for a result, neither by us nor by a restart."""
    output, kill_at, videos = tmp_path / "poses", 3, videos[:4]
    undisturbed = dict(list(undisturbed.items())[:4])
    process = start(videos, output, ("-c", KILLED_WHILE_WRITING, str(kill_at)))
    out, err = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, err
    before = finished(output)
    victim = list(undisturbed)[kill_at - 1]
    assert list(before) == list(undisturbed)[: kill_at - 1]
    assert (output / f"{victim}.npz.part").stat().st_size > 0  # the kill did come in the middle

    process = start(videos, output)
    out, err = process.communicate(timeout=300)
    assert reported(out) == list(undisturbed)[kill_at - 1 :]
    after = finished(output)
    assert {name: after[name] for name in before} == before
    assert not list(output.glob("*.part"))
    assert_same(read(output), undisturbed)
