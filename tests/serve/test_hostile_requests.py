"""What a request does that was made to end the server or to block the page: nothing, in bounds."""

import contextlib
import http.client
import io
import itertools
import json
import logging
import os
import random
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from media import moving_astronaut, noise, write_video
from real_files import needs_model
from test_page import LABELS, TOKEN

import skrehab

pytest.importorskip("fastapi", reason="the page needs skrehab[serve]")
from skrehab.serve import bodies, connections, create_app, server_config
from skrehab.serve.camera import LATEST, CameraEnded
from skrehab.serve.folder import private_folder

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.skipif(os.name != "posix", reason="the signals sent here are POSIX's"),
]
START = b"\0\0\0\x18ftypisom"


class Server:
    """The application as the command runs it, on a free port."""

    def __init__(self, app):
        self.app, self.desk = app, app.state.desk
        self.port = None

    def ask(self, method, path, body=None, headers=None, seconds=60):
        """Return status and text; the connection is new for each request."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        ) as connection:
            connection.request(method, path, body, {"x-skrehab-token": TOKEN} | (headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8")

    def send(self, text):
        """Send bytes as they are; return the open connection."""
        stream = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        with contextlib.suppress(OSError):  # refused before all of it was read
            stream.sendall(text)
        return stream

    def head(self, line, **headers):
        headers = {"Host": f"localhost:{self.port}", "x-skrehab-token": TOKEN} | headers
        rows = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([f"{line} HTTP/1.1", *rows, "", ""]).encode("latin-1")

    def upload(self, video, name="a.mp4"):
        """Upload, and wait for the end of the job."""
        status, text = self.ask("POST", f"/api/videos?name={name}", video)
        assert status == 202, text
        job = self.desk.find(json.loads(text)["id"])
        assert self.desk.wait(job, 120)
        return job

    def is_alive(self):
        status, text = self.ask("GET", "/api/model")
        assert status == 200 and json.loads(text)["labels"] == LABELS
        assert list(self.desk.folder.iterdir()) == []
        return True


@pytest.fixture
def server(model, pose_model):
    import uvicorn

    app = create_app(model, labels=LABELS, model_path=pose_model, token=TOKEN)
    here = Server(app)
    listener = socket.create_server(("127.0.0.1", 0))
    here.port = listener.getsockname()[1]
    running = uvicorn.Server(server_config(app))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield here
    running.should_exit = True
    thread.join(30)
    listener.close()
    assert not thread.is_alive()


def rest_of(stream):
    """Read to the end of a connection."""
    text = b""
    with stream, contextlib.suppress(ConnectionError):
        while part := stream.recv(2**16):
            text += part
    return text.decode()


def until(true, seconds=90):
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert true()


def jpeg(width, height, **options):
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (width, height), (90, 90, 90)).save(file, "JPEG", **options)
    return file.getvalue()


# --- a crash costs one job ------------------------------------------------------------------------
def test_a_decoder_killed_while_an_upload_is_opened(server, tmp_path):
    video = write_video(tmp_path / "in.mp4", noise(4)).read_bytes()
    server.desk._analyse = lambda path, progress: {"size": path.stat().st_size}
    server.upload(video)
    pid, answers = server.app.state.opener.pid, []
    os.kill(pid, signal.SIGSTOP)
    thread = threading.Thread(
        target=lambda: answers.append(server.ask("POST", "/api/videos?name=b.mp4", video))
    )
    thread.start()
    until(lambda: list(server.desk.folder.iterdir()))
    time.sleep(0.3)
    os.kill(pid, signal.SIGSEGV)
    os.kill(pid, signal.SIGCONT)
    thread.join(30)
    ((status, text),) = answers
    assert status == 415 and "b.mp4" in text and "SIGSEGV" in text
    assert server.is_alive()
    assert json.loads(server.upload(video).result) == {"size": len(video)}
    assert server.app.state.opener.pid != pid


def test_a_decoder_killed_in_the_middle_of_a_job(server, tmp_path):
    """The job says so, its file is gone, and the one that waits behind it gets its turn."""
    path = write_video(tmp_path / "in.mp4", noise(4))
    process = server.app.state.process
    process.probe(path)  # starts it
    pid = process.pid
    os.kill(pid, signal.SIGSTOP)
    jobs = []
    for name in ("first.mp4", "second.mp4"):
        status, text = server.ask("POST", f"/api/videos?name={name}", path.read_bytes())
        assert status == 202, text
        jobs.append(server.desk.find(json.loads(text)["id"]))
    until(lambda: jobs[0].state == "running")
    os.kill(pid, signal.SIGABRT)
    os.kill(pid, signal.SIGCONT)
    for job in jobs:
        assert server.desk.wait(job, 120)
    assert jobs[0].state == "failed" and re.search(r"^first.mp4: .*SIGABRT", jobs[0].error)
    said = json.loads(server.ask("GET", f"/api/videos/{jobs[0].id}")[1])
    assert said["state"] == "failed" and said["error"] == jobs[0].error
    assert "SIGABRT" not in jobs[1].error  # noise shows nobody
    assert server.is_alive()


def test_a_job_that_is_cancelled_ends_at_once(server, tmp_path):
    """Even where nothing moves: nobody waits for the next frame."""
    path = write_video(tmp_path / "in.mp4", noise(4))
    process = server.app.state.process
    process.probe(path)
    os.kill(process.pid, signal.SIGSTOP)
    job = json.loads(server.ask("POST", "/api/videos?name=a.mp4", path.read_bytes())[1])
    job = server.desk.find(job["id"])
    until(lambda: job.state == "running")
    assert server.ask("DELETE", f"/api/videos/{job.id}")[0] == 204
    assert server.desk.wait(job, 30) and server.is_alive()


@needs_model
def test_a_video_that_mediapipe_aborts_over(server, tmp_path):
    """41 KB, 40,000 pixels wide: one failed job."""
    wide = np.full((2, 16, 40_000, 3), 90, dtype=np.uint8)
    wide = write_video(tmp_path / "wide.mkv", wide, codec="ffv1").read_bytes()
    status, text = server.ask("POST", "/api/videos?name=wide.mkv", wide)
    if status == 202:  # else it was refused at the door, with a sentence
        job = server.desk.find(json.loads(text)["id"])
        assert server.desk.wait(job, 120)
        assert job.state == "failed" and job.error.startswith("wide.mkv: ")
    else:
        assert status == 415 and "wide.mkv: " in text
    assert server.is_alive()
    video = write_video(tmp_path / "in.mp4", moving_astronaut(4)[0]).read_bytes()
    assert server.upload(video).state == "done"


def test_what_is_thrown_in_the_line_does_not_stop_it(server, tmp_path):
    video = write_video(tmp_path / "in.mp4", noise(4)).read_bytes()

    def leave(path, progress):
        raise SystemExit("a library wants to end the program")

    server.desk._analyse = leave
    assert server.upload(video).state == "failed"
    server.desk._analyse = lambda path, progress: {}
    assert server.upload(video).state == "done"


def test_a_disk_that_is_full(server, monkeypatch):
    """`/dev/full` takes nothing; the page says so, and takes the next one."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    reserve = server.desk.reserve

    def on_a_full_disk(name, suffix):
        job = reserve(name, suffix)
        job.path = Path("/dev/full")
        job.delete_file = lambda: None
        return job

    monkeypatch.setattr(server.desk, "reserve", on_a_full_disk)
    real = open
    monkeypatch.setattr(
        "skrehab.serve.uploads.open",
        lambda path, mode: real(path, mode.replace("x", "w"), buffering=0),
        raising=False,
    )
    status, text = server.ask("POST", "/api/videos?name=a.mp4", START + bytes(500))
    assert status == 507 and "No space left" in text and "TMPDIR" in text
    monkeypatch.undo()
    assert server.is_alive() and not server.desk._jobs


# --- bodies that do not come ----------------------------------------------------------------------
def stalled(server, path="/api/videos?name=a.mp4", sent=START):
    return server.send(server.head(f"POST {path}", Content_Length=5_000_000) + sent)


def test_stalled_uploads_free_their_places(server, monkeypatch, tmp_path):
    monkeypatch.setattr(bodies, "QUIET_SECONDS", 1.5)
    streams = [stalled(server) for _ in range(3)]
    until(lambda: len(server.desk._jobs) == 3)
    status, text = server.ask("POST", "/api/videos?name=a.mp4", START)
    assert status == 503 and "3 videos" in text and "Try again" in text
    for stream in streams:
        answer = rest_of(stream)
        assert answer.startswith("HTTP/1.1 408") and "too slowly" in answer
    until(lambda: not server.desk._jobs)
    assert server.is_alive()
    server.desk._analyse = lambda path, progress: {}
    video = write_video(tmp_path / "in.mp4", noise(4)).read_bytes()
    assert server.upload(video).state == "done"


def test_trickled_uploads_free_their_places(server, monkeypatch):
    """A byte now and then is not enough: a rate is asked for."""
    monkeypatch.setattr(bodies, "SLOW_SECONDS", 1.5)
    stream = stalled(server)
    until(lambda: server.desk._jobs)
    for _ in range(200):
        time.sleep(0.05)
        try:
            stream.sendall(b"\0")
        except OSError:
            break
        if not server.desk._jobs:
            break
    answer = rest_of(stream)
    assert not answer or answer.startswith("HTTP/1.1 408")
    until(lambda: not server.desk._jobs)
    assert server.is_alive()


def test_a_slow_upload_is_taken(server, monkeypatch, tmp_path):
    """One that takes longer than the grace, at more than the least rate."""
    monkeypatch.setattr(bodies, "SLOW_SECONDS", 1.0)
    monkeypatch.setattr(bodies, "LEAST_RATE", 2**10)
    server.desk._analyse = lambda path, progress: {}
    video = write_video(tmp_path / "in.mp4", noise(40)).read_bytes()
    assert len(video) > 2**14
    head = {"Content_Length": len(video), "connection": "close"}
    stream = server.send(server.head("POST /api/videos?name=a.mp4", **head))
    for i in range(16):
        time.sleep(0.1)
        stream.sendall(video[i * len(video) // 16 : (i + 1) * len(video) // 16])
    assert rest_of(stream).startswith("HTTP/1.1 202")


def test_stalled_pictures(server, monkeypatch):
    monkeypatch.setattr(bodies, "QUIET_SECONDS", 0.5)
    session = json.loads(server.ask("POST", "/api/camera")[1])["id"]
    streams = [stalled(server, f"/api/camera/{session}?t={i}", b"\xff\xd8") for i in range(5)]
    assert server.is_alive()
    for stream in streams:
        assert rest_of(stream).startswith("HTTP/1.1 408")


# --- connections that are open for nothing --------------------------------------------------------
def test_heads_that_never_end(server, monkeypatch):
    """More of them than there may be connections: the page answers all the same."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 2)
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 16)
    starts = (b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nx-a: b")
    streams = [server.send(start) for start, _ in zip(itertools.cycle(starts), range(40))]
    assert server.is_alive()
    gone = [stream for stream in streams if select.select([stream], [], [], 0)[0]]
    assert len(gone) >= 24  # at once, to make room
    for stream in streams:
        assert rest_of(stream) == ""
    assert server.is_alive()


def test_a_second_head_that_never_ends(server, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1)
    with server.send(server.head("GET /api/model")) as stream:
        assert stream.recv(2**16).startswith(b"HTTP/1.1 200")
        stream.sendall(b"GET /api/model HT")
        assert b"HTTP" not in rest_of(stream).encode()


def test_heads_without_end(server):
    """Up to 64 kB; the rest is not read."""
    for line in (b"GET /" + b"a" * 2**20, b"GET / HTTP/1.1\r\nx-a: " + b"a" * 2**20):
        answer = rest_of(server.send(line))
        assert not answer or answer.startswith("HTTP/1.1 400")
    many = b"".join(b"x-%d: y\r\n" % i for i in range(20_000))
    answer = rest_of(server.send(b"GET / HTTP/1.1\r\n" + many))
    assert not answer or answer.startswith("HTTP/1.1 400")
    assert server.is_alive()


def test_answers_that_nobody_reads(server, monkeypatch, tmp_path):
    server.desk._analyse = lambda path, progress: {"long": "x" * 2**25}
    job = server.upload(write_video(tmp_path / "in.mp4", noise(4)).read_bytes())
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 1)
    streams = [server.send(server.head(f"GET /api/videos/{job.id}/result")) for _ in range(4)]
    assert server.is_alive()
    time.sleep(3)
    for stream in streams:
        assert len(rest_of(stream)) < 2**25
    monkeypatch.undo()
    status, text = server.ask("GET", f"/api/videos/{job.id}/result")
    assert status == 200 and len(text) > 2**25


def test_many_at_once(server):
    """Forty connections, each with ten requests one behind the other without waiting."""
    request = server.head("GET /api/model") * 9 + server.head("GET /api/model", connection="close")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(rest_of(server.send(request))))
        for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.count("HTTP/1.1 200") for answer in answers] == [10] * 40


def test_requests_that_are_given_up(server, tmp_path):
    """Connections that break off at every point of an upload leave no job and no file."""
    video = write_video(tmp_path / "in.mp4", noise(4)).read_bytes()
    text = server.head("POST /api/videos?name=a.mp4", Content_Length=len(video)) + video
    server.desk._analyse = lambda path, progress: {}
    for cut in [*range(1, len(text) - len(video), 37), len(text) - len(video) + 5, len(text) - 1]:
        server.send(text[:cut]).close()
    until(lambda: not server.desk._jobs and not list(server.desk.folder.iterdir()))
    assert server.upload(video).state == "done" and server.is_alive()


def test_the_same_video_twice_and_nothing_at_all(server, tmp_path):
    server.desk._analyse = lambda path, progress: {"size": path.stat().st_size}
    video = write_video(tmp_path / "in.mp4", noise(4)).read_bytes()
    answers = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(server.ask("POST", "/api/videos?name=a.mp4", video))
        )
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert {status for status, _ in answers} <= {202, 503}
    taken = [json.loads(text)["id"] for status, text in answers if status == 202]
    assert taken and len(set(taken)) == len(taken)
    until(lambda: all(job.state == "done" for job in list(server.desk._jobs.values())))
    for headers, body in (({}, b""), ({"Transfer_Encoding": "chunked"}, b"0\r\n\r\n")):
        head = server.head("POST /api/videos?name=a.mp4", connection="close", **headers)
        answer = rest_of(server.send(head + body))
        assert answer.startswith("HTTP/1.1 415") and "empty (0 bytes)" in answer
    assert server.is_alive()


# --- the camera -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "t",
    "1e308 -1e308 1e309 -1 -0.001 nan NaN inf -inf Infinity 1e11 1e400 x 0x10 1,5 1_ [] {} null "
    "true %00 %ff %F0%9F%98%80 9999999999999999999999 --1 1e 5&t=nan".split()
    + ["", "9" * 5000],
)
def test_times_of_the_camera(server, t):
    session = json.loads(server.ask("POST", "/api/camera")[1])["id"]
    status, text = server.ask("POST", f"/api/camera/{session}?t={t}", jpeg(64, 48))
    assert status == 422, text
    error = json.loads(text)["error"]
    assert re.search(r"^t must be a finite number of seconds from 0|^query.t cannot be used", error)
    assert server.ask("POST", f"/api/camera/{session}", jpeg(64, 48))[0] == 422
    assert server.is_alive()


@needs_model
def test_times_that_are_taken(server):
    for t in ("0", "-0", "1e-300", "1790000000.123", str(LATEST)):
        session = json.loads(server.ask("POST", "/api/camera")[1])["id"]
        for later in (t, str(LATEST)):  # as far apart as can be
            status, text = server.ask("POST", f"/api/camera/{session}?t={later}", jpeg(64, 48))
            assert status == 200, text


def sized(width, height):
    """A small JPEG whose header says another size."""
    data = bytearray(jpeg(16, 16))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = height.to_bytes(2) + width.to_bytes(2)
    return bytes(data)


@pytest.mark.parametrize(
    ("width", "height"), [(32_767, 64), (64, 32_767), (65_535, 1), (1, 65_535), (65_535, 65_535)]
)
def test_pictures_that_are_too_large(server, width, height):
    """Found in the header: nothing is decoded, so a few hundred bytes are enough to be refused."""
    session = json.loads(server.ask("POST", "/api/camera")[1])["id"]
    status, text = server.ask("POST", f"/api/camera/{session}?t=1", sized(width, height))
    assert status == 422 and re.search(f"{width} x {height} pixels|far more pixels", text), text
    assert server.is_alive()


def test_pictures_that_are_damaged(server):
    session = json.loads(server.ask("POST", "/api/camera")[1])["id"]
    rng, whole = random.Random(0), jpeg(64, 48)
    pid = None
    for i in range(40):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(2, len(data))] = rng.randrange(256)
        data = data[: rng.randint(0, len(data))] if i % 2 else data
        status, text = server.ask("POST", f"/api/camera/{session}?t={i}", bytes(data))
        assert status in (200, 422), text
        pid = pid or server.app.state.process.pid
    assert server.ask("POST", f"/api/camera/{session}?t=99", b"")[0] == 422
    assert server.is_alive() and server.app.state.process.pid == pid


def test_a_picture_that_ends_the_process(server):
    """It costs that request; meanwhile others are told to wait, and the session goes on."""
    session = json.loads(server.ask("POST", "/api/camera")[1])["id"]
    address, good = f"/api/camera/{session}?t=", jpeg(64, 48)
    first = server.ask("POST", f"{address}1", good)  # where there is no pose model: 422
    pid, answers = server.app.state.process.pid, []
    os.kill(pid, signal.SIGSTOP)
    thread = threading.Thread(
        target=lambda: answers.append(server.ask("POST", f"{address}2", good))
    )
    thread.start()
    time.sleep(0.5)
    many = [server.ask("POST", f"{address}{i}", good) for i in range(3, 60)]
    assert {status for status, _ in many} == {503} and "still being looked at" in many[0][1]
    assert server.is_alive()
    os.kill(pid, signal.SIGABRT)
    os.kill(pid, signal.SIGCONT)
    thread.join(60)
    ((status, text),) = answers
    assert status == 422 and "The picture is lost" in text and "SIGABRT" in text
    after = server.ask("POST", f"{address}61", good)
    assert after[0] == first[0] and "SIGABRT" not in after[1]
    assert server.app.state.process.pid not in (None, pid)


def test_many_sessions(server):
    """Each takes the place of the one before: one is open, whatever comes at the same time."""
    ids = []
    threads = [
        threading.Thread(
            target=lambda: ids.append(json.loads(server.ask("POST", "/api/camera")[1])["id"])
        )
        for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(ids)) == 30
    alive = [one for one in ids if server.desk.camera(one) is not None]
    assert len(alive) == 1
    for one in ids:
        assert server.ask("DELETE", f"/api/camera/{one}")[0] == 204
    assert server.desk._camera is None and server.is_alive()


@needs_model
def test_a_picture_on_its_way_when_the_camera_stops(server):
    """It is refused as late, in every state; the pose model is not started again for nobody."""
    first = json.loads(server.ask("POST", "/api/camera")[1])["id"]
    held, picture = server.desk._camera, jpeg(64, 48)
    assert server.ask("POST", f"/api/camera/{first}?t=1", picture)[0] in (200, 422)
    path = f"/api/camera/{first}?t=2"
    stream = server.send(server.head(f"POST {path}", Content_Length=len(picture)) + picture[:100])
    time.sleep(0.5)  # now the program waits for the rest of it
    second = json.loads(server.ask("POST", "/api/camera")[1])["id"]
    assert server.ask("DELETE", f"/api/camera/{first}")[0] == 204  # too late to end the second
    assert server.desk._camera.id == second
    asked = []
    server.app.state.process.picture = lambda *question: asked.append(question)
    try:
        stream.sendall(picture[100:])
        answer = rest_of(stream)
        assert answer.startswith("HTTP/1.1 404") and "has been stopped" in answer
        with held._lock, pytest.raises(CameraEnded):  # while it is being closed
            held.push(picture, 3)
        with pytest.raises(CameraEnded):  # and afterwards
            held.push(picture, 4)
        assert not asked
    finally:
        del server.app.state.process.picture
    assert server.ask("DELETE", f"/api/camera/{second}")[0] == 204 and server.desk._camera is None


# --- everything else that can be sent -------------------------------------------------------------
ODD = [
    "", "0", "-1", "nan", "1e308", "9" * 400, "x" * 3000, "..", "../../etc/passwd", "%00",
    "%ff%fe", "%ed%a0%80", "%F0%9F%98%80.mp4", "a.mp4", "a%00.mp4", "%25%32%65.mp4", "<b>.mp4",
    "'\"\\.mp4",
    "a=b&name=c", "[]", "{}", "%0d%0aset-cookie:%20a=b", "%e2%80%ae4pm.exe", "null", "true", ";",
    "&",
]  # fmt: skip
BODIES = [
    b"", b"x", START, START + bytes(3000), b"\x1a\x45\xdf\xa3" + b"\xff" * 500, b"RIFF" + bytes(99),
    b"G" * 1000, b"\0\0\x01\xba" + bytes(500), b"[" * 100_000, b'{"a":' * 20_000, b"\xff\xd8\xff",
    bytes(2**20),
]  # fmt: skip
HEADERS = [
    {}, {"content-type": "application/json"}, {"content-type": "multipart/form-data"},
    {"content-type": "text/plain; charset=\xff"}, {"content-type": "x" * 5000},
    {"range": "bytes=0-"}, {"accept": "\xff"}, {"accept-encoding": "gzip;q=nan"},
    {"content-encoding": "gzip"},
    {"cookie": "a=" + "b" * 9000}, {"x-forwarded-for": "1.2.3.4"}, {"if-none-match": "*"},
    {"content-length": "-1"}, {"content-length": "1e3"}, {"content-length": "9" * 19},
    {"content-length": "9" * 5000}, {"content-length": "\xb2"}, {"expect": "100-continue"},
    {"upgrade": "websocket", "connection": "upgrade"}, {"upgrade": "h2c"}, {"te": "trailers"},
    {"host": "localhost:99999"}, {"host": "localhost:-1"}, {"host": "[::1]:x"}, {"host": "[::1"},
    {"origin": "http://[::1"}, {"x-http-method-override": "DELETE"}, {"transfer-encoding": "gzip"},
    {"sec-fetch-site": "\xff"}, {"x-skrehab-token": "\xff" * 300}, {"x-skrehab-token": ""},
]  # fmt: skip
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "ODD"]


def test_whatever_is_sent(server, monkeypatch, caplog):
    """Every endpoint with odd names, numbers, bodies, headers, methods: an answer, and no 500."""
    monkeypatch.setattr(bodies, "QUIET_SECONDS", 0.3)
    server.desk._analyse = lambda path, progress: {}
    session = json.loads(server.ask("POST", "/api/camera")[1])["id"]
    places = [
        "/", "/page/{}", "/api/model", "/api/model?{}", "/api/videos?name={}", "/api/videos?{}",
        "/api/videos", "/api/videos/{}", "/api/videos/{}/result", "/api/camera",
        "/api/camera/{}?t=1", f"/api/camera/{session}?t={{}}", f"/api/camera/{session}",
        "/api/camera/{}", "/{}",
        f"/?token={TOKEN}&token={{}}", "/?token={}", f"/page/{{}}?token={TOKEN}",
    ]  # fmt: skip
    natural = ["GET", "POST", "POST", "DELETE"]
    rng, requests = random.Random(1), []
    for place in places:
        for odd in rng.sample(ODD, 8):
            method = rng.choice(natural if rng.random() < 0.8 else METHODS)
            requests.append((method, place, odd, rng.choice(BODIES), rng.choice([{}, HEADERS[1]])))
    for headers in HEADERS:
        for method in ("GET", "POST"):
            place = rng.choice(places)
            requests.append((method, place, rng.choice(ODD), rng.choice(BODIES), headers))
    with caplog.at_level(logging.ERROR):
        for method, place, odd, body, headers in requests:
            own = {} if "content-length" in headers or method == "GET" else {
                "content-length": len(body)
            }  # fmt: skip
            own |= {"connection": "close"} | headers
            line = f"{method} {place.format(odd.replace(' ', '%20'))}"
            answer = rest_of(server.send(server.head(line, **own) + (body if own else b"")))
            where = (method, place, odd[:40], body[:20], headers)
            if answer:  # a connection may be closed over what is no HTTP
                status = int(answer.split()[1])
                assert status < 500 or status == 503, (where, answer)
                assert "Traceback" not in answer and str(server.desk.folder) not in answer, where
                assert "set-cookie" not in answer.split("\r\n\r\n")[0].lower(), where
                if status >= 400 and method != "HEAD" and "Invalid HTTP" not in answer:
                    last = answer.split("\r\n\r\n")[-1]
                    assert json.loads(last)["error"], where
    assert [record.getMessage() for record in caplog.records if record.levelno >= 40] == []
    until(lambda: all(j.state in ("done", "failed") for j in list(server.desk._jobs.values())))
    assert server.is_alive()


# --- what a model's metadata say ------------------------------------------------------------------
@pytest.mark.parametrize(
    "rate",
    [1e6, 1001, -1, 0, "x", "30", float("nan"), float("inf"), True, [30], {}, 10**400],
    ids=lambda rate: str(rate)[:20],
)
def test_frame_rates_that_cannot_be(model, pose_model, rate):
    with pytest.raises(ValueError, match=r"^frame_rate must be a number above 0 and at most 1000"):
        create_app(model, frame_rate=rate, model_path=pose_model)


@pytest.mark.parametrize(
    "labels",
    [5, "ab", {"0": "a", "1": "b"}, ["a"], [], [1, 2], [None, None], [["a"], ["b"]]],
    ids=str,
)
def test_labels_that_cannot_be(model, pose_model, labels):
    with pytest.raises(ValueError, match=r"^labels must be a list of names"):
        create_app(model, labels=labels, model_path=pose_model)


def test_text_that_cannot_be_sent(model, pose_model):
    from fastapi.testclient import TestClient

    odd = ["\ud800usual", "\x1b]0;lean\x07"]
    app = create_app(model, title="\udcff", labels=odd, model_path=pose_model, token=TOKEN)
    headers = {"x-skrehab-token": TOKEN}
    with TestClient(app, base_url="http://localhost", headers=headers) as client:
        about = client.get("/api/model").json()
        assert about["title"] == "?" and about["labels"] == ["?usual", odd[1]]
        assert client.post("/api/camera").json()["labels"] == ["?usual", odd[1]]


# --- what is left of a program that was killed ----------------------------------------------------
def left_by(pid, old=True):
    """Make the folder of a program that did not end by itself."""
    folder = Path(tempfile.mkdtemp(prefix=f"skrehab-serve-{pid}-"))
    (folder / ".lock").touch()
    (folder / "videos").mkdir()
    (folder / "videos" / "film.mp4").write_bytes(b"film")
    if old:
        os.utime(folder, (1, 1))
    return folder


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_folders_of_killed_programs_are_removed(scratch):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = [left_by(ended.pid, old=False), left_by(os.getpid())]  # a number that is in use again
    begun = Path(tempfile.mkdtemp(prefix=f"skrehab-serve-{ended.pid}-"))  # no lock yet
    with private_folder():
        assert not any(folder.exists() for folder in [*gone, begun])


def test_other_folders_are_not(scratch):
    import fcntl

    outside = scratch / "outside"
    outside.mkdir()
    (outside / "dear.txt").touch()
    held, young = left_by(2**22 + 1), left_by(os.getpid(), old=False)
    named = scratch / "skrehab-serve-notes"
    named.mkdir(mode=0o700)
    open_to_all = left_by(2**22 + 1)
    open_to_all.chmod(0o755)
    (scratch / "skrehab-serve-1-link").symlink_to(outside)
    linked = left_by(os.getpid())
    (linked / ".lock").unlink()
    (linked / ".lock").symlink_to(outside / "dear.txt")
    inner = left_by(os.getpid())
    (inner / "videos" / "link").symlink_to(outside)
    (scratch / "skrehab-serve-1-file").touch()
    with open(held / ".lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with private_folder() as mine, private_folder():
            for folder in (held, young, named, open_to_all, linked, mine):
                assert folder.exists(), folder
            assert not inner.exists() and (outside / "dear.txt").exists()
            assert (scratch / "skrehab-serve-1-file").exists()


def test_the_command_is_killed_and_started_again(model, pose_model, tmp_path):
    """SIGKILL leaves the upload to the next start; a terminal that is closed leaves nothing."""
    saved = skrehab.save(model, tmp_path / "lean", metadata={"labels": LABELS})
    scratch = tmp_path / "tmp"
    scratch.mkdir()

    @contextlib.contextmanager
    def running():
        arguments = ["serve", saved, "--port", "0", "--model-path", pose_model]
        # nohup passes its deafness to a terminal's end on to what it starts
        code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); "
        code += "from skrehab.cli.main import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"},
        )
        try:
            found = re.search(r":(\d+)/\?token=([\w-]+)", process.stdout.readline())
            head = (
                "POST /api/videos?name=a.mp4 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000"
                f"\r\nx-skrehab-token: {found[2]}\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", int(found[1])), timeout=30) as stream:
                yield process, lambda: stream.sendall(head.encode() + START + bytes(9000))
        finally:
            process.kill()
            process.communicate(timeout=150)

    def videos():
        return list(scratch.rglob("*.mp4"))

    with running() as (process, send):
        send()
        until(videos)
        process.kill()
        process.wait(90)
        assert len(videos()) == 1
    with running() as (process, send):
        until(lambda: not videos())
        send()
        until(videos)
        process.send_signal(signal.SIGHUP)
        process.wait(90)
    assert list(scratch.iterdir()) == []
