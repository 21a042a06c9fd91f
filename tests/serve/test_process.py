"""The process that looks at pictures: really killed, stopped, starved and made to lie."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from media import moving_astronaut, noise, write_video
from real_files import model_file, needs_model

from skrehab import PoseExtractor
from skrehab.pose import VideoError, extract_with
from skrehab.serve import process as process_module
from skrehab.serve.messages import BrokenMessage, read_message, write_message
from skrehab.serve.process import PoseProcess, ProcessEnded

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the signals sent here are POSIX's")
MODEL = model_file()


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "in.mp4", noise(6))


@pytest.fixture
def process():
    with PoseProcess() as process:
        yield process


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def in_thread(call, *arguments, **options):
    """Start a call; the list that is returned gets its result or its error."""
    found = []

    def run():
        try:
            found.append(call(*arguments, **options))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


def test_it_reads_videos_and_says_what_is_wrong(process, video, tmp_path):
    assert process.pid is None
    assert process.probe(video) == 6
    pid = process.pid
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypisom" + bytes(500))
    with pytest.raises(VideoError, match=r"broken.mp4: this is not a video"):
        process.probe(broken)
    assert process.probe(video) == 6 and process.pid == pid  # an error does not end it


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
def test_a_signal_in_the_middle_costs_one_question(process, video, number):
    process.probe(video)
    pid = process.pid
    os.kill(pid, signal.SIGSTOP)  # it is at the next question until it ends
    thread, found = in_thread(process.probe, video)
    time.sleep(0.3)
    assert not found
    os.kill(pid, number)
    os.kill(pid, signal.SIGCONT)
    thread.join(60)
    assert isinstance(found[0], ProcessEnded)
    assert f"signal {number.name}" in str(found[0]) and "Nothing else is lost" in str(found[0])
    assert not is_there(pid)
    assert process.probe(video) == 6 and process.pid != pid


def test_one_that_does_nothing_is_ended(process, video):
    process.probe(video)
    pid, process.quiet_seconds = process.pid, 0.5
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ProcessEnded, match="too long"):
        process.probe(video)
    assert not is_there(pid)
    process.quiet_seconds = 60
    assert process.probe(video) == 6
    # a picture does not fit into the pipe: writing must not wait for ever, either
    pid, process.quiet_seconds = process.pid, 0.5
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ProcessEnded):
        process.picture("s", PoseExtractor(), bytes(2**21), 0.0)
    assert not is_there(pid)


def test_one_that_nobody_wants_an_answer_of_is_ended(process, video):
    class Dropped(Exception):
        pass

    def progress(done):
        raise Dropped

    process.probe(video)
    pid = process.pid
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(Dropped):
        process.find_pose(PoseExtractor(MODEL), video, None, progress)
    assert not is_there(pid) and process.pid is None
    assert process.probe(video) == 6


def test_closing_ends_what_it_is_at(process, video):
    process.probe(video)
    pid = process.pid
    os.kill(pid, signal.SIGSTOP)
    thread, found = in_thread(process.probe, video)
    time.sleep(0.3)
    process.close()
    thread.join(60)
    assert isinstance(found[0], ProcessEnded) and not is_there(pid)


def test_it_ends_with_the_server(video):
    """Killed or not, in the middle of work or not: no decoder is left behind."""
    code = (
        "import sys, os, signal\n"
        "from skrehab.serve.process import PoseProcess\n"
        "process = PoseProcess(); process.probe(sys.argv[1]); print(process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, video], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    deadline = time.monotonic() + 30
    while is_there(int(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_there(int(done.stdout))


@pytest.mark.parametrize("ask", ["probe", "pose"])
@pytest.mark.parametrize(
    "says",
    [
        b"garbage that is long enough to be a head",
        b"\xff" * 12,
        b"\0\0\0\x02" + b"\xff" * 8 + b"{}",
        b"\0\0\0\x05" + bytes(8) + b"[1,2]",
        b"\0\0\0\x02" + bytes(8) + b"{x",
        b"\0\0",
        b"",
        {"answer": True},
        {"answer": True, "total": -1, "n_frames": -1, "width": 1, "height": 1},
        {"answer": True, "total": True, "n_frames": True, "width": 1, "height": 1},
        {"answer": True, "total": "6", "n_frames": 1e300, "width": 1, "height": 1},
        {"answer": True, "total": 10**12, "n_frames": 10**12, "width": 1, "height": 1},
        {"answer": True, "total": None, "n_frames": 2, "width": 1, "height": 0},
        {"answer": True, "total": None, "n_frames": 2, "width": 1, "height": 1},
        ({"answer": True, "n_frames": 1, "width": 1, "height": 1}, b"\xff" * 1064),
        {"done": -5},
    ],
    ids=str,
)
def test_one_that_lies(process, video, monkeypatch, tmp_path, says, ask):
    """Whoever broke the decoder may answer what he likes: it is looked at, and never believed."""
    import io

    if not isinstance(says, bytes):
        file = io.BytesIO()
        write_message(file, *(says if isinstance(says, tuple) else (says,)))
        says = file.getvalue()
    liar = tmp_path / "says"
    liar.write_bytes(says)
    code = (
        "import sys; out = sys.stdout.buffer\n"
        "import struct; out.write(struct.pack('>IQ', 15, 0) + b'{\"ready\": true}'); out.flush()\n"
        "sys.stdin.buffer.read(12)\n"
        f"out.write(open({str(liar)!r}, 'rb').read()); out.flush(); out.close()\n"
        "class w: main = staticmethod(lambda: None)"
    )
    monkeypatch.setattr(process_module, "_START", code)
    with pytest.raises(ProcessEnded):
        if ask == "probe":
            process.probe(video)
        else:
            process.find_pose(PoseExtractor(MODEL), video)


def test_errors_of_a_liar_are_text(process, video, monkeypatch):
    code = (
        "import sys; out = sys.stdout.buffer\n"
        "import json, struct\n"
        "def say(text): out.write(struct.pack('>IQ', len(text), 0) + text); out.flush()\n"
        "say(b'{\"ready\": true}'); sys.stdin.buffer.read(12)\n"
        "say(json.dumps({'answer': 1, 'error': '\\ud800', 'kind': ['x']}).encode())\n"
        "class w: main = staticmethod(lambda: None)"
    )
    monkeypatch.setattr(process_module, "_START", code.replace("['x']", "'other'"))
    with pytest.raises(RuntimeError) as error:
        process.probe(video)
    str(error.value).encode()  # can be sent
    monkeypatch.setattr(process_module, "_START", code)
    with pytest.raises(RuntimeError):
        process.probe(video)


def test_messages_have_bounds():
    import io

    file = io.BytesIO()
    write_message(file, {"n": np.float32(0.5), "m": np.int64(3)}, b"12345")
    text = file.getvalue()
    assert read_message(io.BytesIO(text), 5) == ({"n": 0.5, "m": 3}, b"12345")
    with pytest.raises(BrokenMessage, match="too long"):
        read_message(io.BytesIO(text), 4)
    for cut in range(1, len(text)):
        with pytest.raises(BrokenMessage, match="cut short"):
            read_message(io.BytesIO(text[:cut]), 5)
    deep = b"[" * 100_000
    with pytest.raises(BrokenMessage, match="no JSON"):
        read_message(io.BytesIO(len(deep).to_bytes(4) + bytes(8) + deep), 5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the bound")
def test_memory_is_bound_and_no_core_is_written(run_python):
    said = run_python(
        "import numpy as np, resource\n"
        "from skrehab.serve import worker\n"
        "worker._bound()\n"
        "np.empty(2**31, np.uint8)\n"
        "try: np.empty(worker.MOST_MEMORY, np.uint8)\n"
        "except MemoryError: print('no more', resource.getrlimit(resource.RLIMIT_CORE)[0])\n"
    )
    assert said == "no more 0"


def test_it_needs_no_torch_and_no_server(run_python):
    said = run_python(
        "import sys, skrehab.serve.worker\n"
        "print(sorted({'torch', 'fastapi', 'uvicorn', 'mediapipe'} & set(sys.modules)))"
    )
    assert said == "[]"


# --- with the pose model --------------------------------------------------------------------------
@needs_model
def test_the_pose_is_the_same(process, tmp_path):
    """To the bit, at both frame rates; the process stays for the next video."""
    video = write_video(tmp_path / "in.mp4", moving_astronaut(8)[0], fps=20)
    extractor, done = PoseExtractor(MODEL, person=(0.0, 0.0, 1.0, 1.0)), []
    track, resampled = process.find_pose(extractor, video, 20.0, done.append)
    alone = extract_with(extractor, video)
    assert track.found.any() and not resampled and done[-1] == 8
    for name in ("timestamps", "world", "image"):
        np.testing.assert_array_equal(getattr(track, name), getattr(alone, name))
    assert (track.width, track.height) == (alone.width, alone.height)
    pid = process.pid
    slower, resampled = process.find_pose(extractor, video, 10.0)
    assert len(slower.timestamps) == 4 and resampled and process.pid == pid


@needs_model
def test_too_many_frames(process, tmp_path):
    """Two frames a minute apart, for a model of 1,000 frames a second."""
    frames = moving_astronaut(2)[0]
    video = write_video(tmp_path / "gap.mp4", frames, times=[0, 60])
    process.most_frames = 500
    with pytest.raises(VideoError, match=r"more than 500 frames|frames"):
        process.find_pose(PoseExtractor(MODEL), video, 1000.0)


@needs_model
def test_a_picture_that_mediapipe_aborts_over(process, tmp_path):
    """Wider than 32,766: whether it is refused or ends the process, the next video is analysed."""
    wide = np.full((2, 16, 40_000, 3), 90, dtype=np.uint8)
    wide = write_video(tmp_path / "wide.mkv", wide, codec="ffv1")
    with pytest.raises((ProcessEnded, VideoError)):
        process.find_pose(PoseExtractor(MODEL), wide)
    video = write_video(tmp_path / "in.mp4", moving_astronaut(3)[0])
    assert process.find_pose(PoseExtractor(MODEL), video)[0].found.any()


@needs_model
def test_killed_while_it_looks(process, tmp_path):
    video = write_video(tmp_path / "in.mp4", np.tile(moving_astronaut(20)[0], (10, 1, 1, 1)))
    seen = []

    def progress(done):
        if done and not seen:
            seen.append(process.pid)
            os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(ProcessEnded, match="SIGKILL"):
        process.find_pose(PoseExtractor(MODEL), video, None, progress)
    assert seen and not is_there(seen[0])
    json.dumps(process.probe(video))
