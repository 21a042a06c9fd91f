"""``skrehab serve``: what the page gets, what is refused, and that no video stays behind."""

import base64
import http.client
import io
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_trials, tiny_video
from media import moving_astronaut, noise, write_sound, write_video
from real_files import VIDEOS, model_file, needs_model, needs_shared_videos

import skrehab
from skrehab import DisplacementSmoother, LandmarkScaler, PoseExtractor, SkeletonConverter
from skrehab.assessment import Assessment, assess_video
from skrehab.live import CueGate, CueRule, cue_frames
from skrehab.live.session import LiveSession
from skrehab.pose import PoseTrack
from skrehab.serve import Busy, Desk, analyse_video, create_app, describe_model
from skrehab.serve.analysis import split_model
from skrehab.serve.bodies import BadUpload
from skrehab.serve.folder import private_folder
from skrehab.serve.guard import HEADERS
from skrehab.serve.process import PoseProcess
from skrehab.serve.uploads import check_kind, shown_name
from skrehab.trials import ragged

pytest.importorskip("fastapi", reason="the page needs skrehab[serve]")
from fastapi.testclient import TestClient

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
MODEL = model_file()
TOKEN = "token-of-the-tests-0123"
LABELS = ["usual", "lean"]
PAGE = Path(skrehab.serve.__file__).parent / "page"


def pipeline(*front, causal=True):
    """Fit a pipeline with a video stage on made-up poses."""
    data = tiny_trials(n_landmarks=33, n_coords=4)
    steps = [
        *front,
        ("motion", DisplacementSmoother(causal=causal)),
        ("scale", LandmarkScaler()),
        ("labels", tiny_labeler(threshold=0.3)),
        ("frames", tiny_frames(max_epochs=10)),
    ]
    return Pipeline(steps).fit(data.X, data.y)


@pytest.fixture
def app(model, pose_model):
    return create_app(model, labels=LABELS, model_path=pose_model, token=TOKEN)


@pytest.fixture
def client(app):
    headers = {"x-skrehab-token": TOKEN}
    with TestClient(app, base_url="http://127.0.0.1:8765", headers=headers) as client:
        yield client


def upload(client, path, name=None):
    return client.post("/api/videos", params={"name": name or path.name}, content=path.read_bytes())


def analysed(client, answer, seconds=150):
    """Wait for an upload to be analysed and return where it stands."""
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = client.get(f"/api/videos/{answer.json()['id']}").json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.02)
    raise AssertionError(f"not done after {seconds} s: {job}")


def left_behind(app):
    return list(app.state.desk.folder.iterdir())


# --- a video --------------------------------------------------------------------------------------
@needs_model
@needs_shared_videos
def test_a_shared_video_from_end_to_end(model, monkeypatch):
    """What the page gets is what the pipeline says of the poses found; the copy is gone."""
    tracks, find_pose = [], PoseProcess.find_pose

    def listen(*video, **options):
        tracks.append(find_pose(*video, **options)[0])
        return tracks[-1], False

    monkeypatch.setattr(PoseProcess, "find_pose", listen)  # it takes 5 s: once only
    whole = Pipeline([("pose", PoseExtractor(MODEL)), *model.steps])
    app = create_app(whole, labels=LABELS, token=TOKEN)
    headers = {"x-skrehab-token": TOKEN}
    with TestClient(app, base_url="http://127.0.0.1:8765", headers=headers) as client:
        video = VIDEOS / "one_person_balance.mp4"
        answer = upload(client, video)
        job = analysed(client, answer)
        assert job["state"] == "done" and job["done"] == job["total"] == 100
        address = f"/api/videos/{answer.json()['id']}"
        assert left_behind(app) == []
        result = client.get(f"{address}/result").json()
        assert client.delete(address).status_code == 204
        assert client.get(address).status_code == 404

    (track,) = tracks
    assert track.coverage > 0.9 and track.source != str(video)
    proba = np.array(model.predict_proba([track.world])[0], dtype=float)
    proba[~track.found] = np.nan
    offline = Assessment(track, proba)
    found = offline.track.found
    scores = np.array([np.nan if s is None else s for s in result["scores"]])
    np.testing.assert_allclose(scores, offline.score, rtol=0, atol=1e-5)
    np.testing.assert_allclose(result["times"], offline.track.timestamps, atol=1e-4)
    cue = cue_frames(offline.score, offline.track.timestamps, CueRule())
    assert result["cue"] == cue.astype(int).tolist()
    assert (result["width"], result["height"]) == (1080, 1920)
    assert [marks is not None for marks in result["landmarks"]] == found.tolist()
    marks = np.array(result["landmarks"][50]).reshape(33, 3) * [0.108, 0.192, 0.01]
    np.testing.assert_allclose(marks, offline.track.image[50][:, [0, 1, 3]], atol=0.11)
    assert result["labels"] == result["verdict"]["labels"] == LABELS
    assert result["verdict"]["source"] == "video" and result["verdict"]["label"] in LABELS
    assert sum(result["verdict"]["probabilities"]) == pytest.approx(1, abs=1e-4)
    rows = result["saliency"]["rows"]
    assert len({row["name"] for row in rows}) == 33 and rows[0] == {"name": "nose", "part": "head"}
    values = np.frombuffer(base64.b64decode(result["saliency"]["values"]), np.uint8)
    values = values.reshape(33, 100)
    labeler = model.named_steps["labels"]
    features = offline.track.world
    for step in ("motion", "scale"):
        features = model.named_steps[step].transform([features])[0]
    maps = labeler.estimator_.saliency([features], n_steps=labeler.n_steps, return_maps=True).maps
    names = list(skrehab.skeletons.get_skeleton("mediapipe33").landmarks)
    weights = maps[0].T[[names.index(row["name"].replace(" ", "_")) for row in rows]]
    shown = np.minimum(255, 255 * weights / np.quantile(weights, 0.995))
    np.testing.assert_allclose(values, shown, atol=0.6)


@needs_model
def test_other_models(tmp_path):
    """Frames only, whole videos only, another skeleton: what there is to say is said."""
    video = write_video(tmp_path / "in.mp4", moving_astronaut(8)[0], fps=20)
    data = tiny_trials(n_landmarks=33, n_coords=4)
    extractor = PoseExtractor(MODEL)

    frames = tiny_frames().fit(data.X, data.frame_labels)
    result = analyse_video(frames, video, extractor, labels=LABELS)
    assert result["saliency"] is None and result["verdict"]["source"] == "frames"
    top = max(score for score in result["scores"] if score is not None)
    assert result["verdict"]["probabilities"] == pytest.approx([1 - top, top], abs=1e-4)
    assert describe_model(frames, LABELS)["saliency"] is False

    slower = analyse_video(frames, video, extractor, frame_rate=10.0)
    assert len(slower["scores"]) == 4 and "resampled to 10 frames" in slower["notes"][0]
    assert len(result["scores"]) == 8 and not result["notes"]

    whole = tiny_video().fit(data.X, data.y)
    result = analyse_video(whole, video, extractor)
    assert result["scores"] is None and result["cue"] is None
    assert result["verdict"]["labels"] == ["0", "1"] and result["saliency"]["label"] in "01"
    about = {"labels": ["0", "1"], "several": False, "frames": False, "saliency": True}
    assert describe_model(whole) == about

    scoring = tiny_video(network="mil_tcn", network_params={}).fit(data.X, data.y)
    result = analyse_video(scoring, video, extractor)
    assert len(result["scores"]) == 8 and len(result["saliency"]["rows"]) == 33

    full = pipeline()
    scores = analyse_video(full, video, extractor)["scores"]
    assessed = assess_video(Pipeline([("pose", extractor), *full.steps]), video)
    scores = [np.nan if score is None else score for score in scores]
    np.testing.assert_allclose(scores, assessed.score, rtol=0, atol=1e-5)

    coco = pipeline(("coco", SkeletonConverter("coco17")))
    rows = analyse_video(coco, video, extractor)["saliency"]["rows"]
    assert len(rows) == 17 and rows[-1]["part"] == "right leg"
    json.dumps(result, allow_nan=False)


def several_labels(teacher=None):
    """A model of two labels of frames; both are there in the middle of the odd trials."""
    data = tiny_trials(n_landmarks=33, n_coords=4)
    frames = ragged([np.stack([one, 0 * one], axis=1) for one in data.frame_labels])
    y = frames if teacher is None else np.stack([data.y, 1 - data.y], axis=1)
    model = skrehab.MultiLabelFrames(
        tiny_frames(max_epochs=80, lr=0.02), teacher, label_names=["trunk", "head"]
    )
    return Pipeline([("motion", DisplacementSmoother()), ("frames", model)]).fit(data.X, y), data


def test_several_labels_by_name(tmp_path):
    """Scores, cues and verdict of each label are those that the model gives."""
    model, data = several_labels()
    world, times = data.X[1], np.arange(len(data.X[1])) / 10
    track = PoseTrack("in.mp4", times, world, np.abs(world), 640, 480)
    rule = CueRule(min_duration=0.2, min_gap=0.2)
    result = analyse_video(
        model, "in.mp4", PoseExtractor(), rule=rule, pose=lambda *asked: (track, False)
    )
    proba = model.predict_proba([world])[0]
    assert describe_model(model)["several"] and result["labels"] == ["trunk", "head"]
    np.testing.assert_allclose(result["probabilities"], proba, atol=1e-5)
    np.testing.assert_allclose(result["scores"], proba.max(axis=1), atol=1e-5)
    assert result["cues"] == [cue_frames(one, times, rule).astype(int).tolist() for one in proba.T]
    assert result["cue"] == np.max(result["cues"], axis=0).tolist() and max(result["cue"]) == 1
    assert sum(result["cues"][1]) == 0  # nobody ever had it
    verdict = result["verdict"]
    assert verdict["label"] == "trunk" and not verdict["usual"] and verdict["source"] == "frames"
    n_best = max(1, round(0.1 * len(proba)))
    assert verdict["probabilities"][0] == pytest.approx(
        np.sort(proba[:, 0])[-n_best:].mean(), abs=0.05
    )
    assert result["saliency"] is None  # it had no teacher that sees whole trials
    json.dumps(result, allow_nan=False)

    small = {"channels": 8, "n_blocks": 1, "kernel_size": 3}
    teacher = skrehab.MultiLabelVideoClassifier("mil_tcn", network_params=small, max_epochs=2)
    model, _ = several_labels(teacher)
    model = skrehab.load(skrehab.save(model, tmp_path / "model"))
    result = analyse_video(model, "in.mp4", PoseExtractor(), pose=lambda *asked: (track, False))
    assert result["saliency"]["label"] in result["labels"]
    assert len(result["saliency"]["rows"]) == 33 and result["verdict"]["source"] == "frames"


def test_a_camera_gives_cues_by_label(pose_model):
    model, data = several_labels()
    session = LiveSession(model, PoseExtractor(pose_model), CueGate(min_duration=0.2, min_gap=0.2))

    class Poses:
        image = world = np.zeros((33, 4))
        found = True

        def push(self, picture, timestamp):
            return picture

    session.poses = Poses()
    moments = [session.push(frame, t / 10) for t, frame in enumerate(data.X[1])]
    proba = model.predict_proba(data.X[1:2])[0]
    np.testing.assert_allclose([one.proba for one in moments], proba, atol=1e-5)
    np.testing.assert_allclose([one.score for one in moments], proba.max(axis=1), atol=1e-5)
    rule = CueRule(min_duration=0.2, min_gap=0.2)
    cues = np.array([cue_frames(one, np.arange(len(proba)) / 10, rule) for one in proba.T]).T
    np.testing.assert_array_equal([one.cues for one in moments], cues)
    assert [one.cue for one in moments] == cues.any(axis=1).tolist() and cues.any()


@needs_model
def test_a_video_without_a_person(client, app, tmp_path):
    video = write_video(tmp_path / "walls.mp4", np.full((6, 240, 320, 3), 90, dtype=np.uint8))
    answer = upload(client, video, "Frau Müller <b>.mp4")
    job = analysed(client, answer)
    assert job["state"] == "failed"
    assert job["error"].startswith(
        "Frau Müller <b>.mp4: no person was found in any of its 6 frames"
    )
    assert str(app.state.desk.folder) not in job["error"]
    assert left_behind(app) == []
    refused = client.get(f"/api/videos/{answer.json()['id']}/result")
    assert refused.status_code == 409 and "no person" in refused.json()["error"]


def test_models_that_cannot_be_shown(pose_model):
    with pytest.raises(TypeError, match="ends in LandmarkScaler"):
        split_model(LandmarkScaler())
    data = tiny_trials()
    labels = np.stack([data.y, 1 - data.y], axis=1)
    many = skrehab.MultiLabelVideoClassifier("lstm", max_epochs=1).fit(data.X, labels)
    with pytest.raises(TypeError, match="ends in MultiLabelVideoClassifier"):
        split_model(many)


def test_a_model_cannot_ask_for_telemetry_or_a_cache(tmp_path):
    asked = PoseExtractor(memory=str(tmp_path), allow_telemetry=True, person="center")
    extractor, _ = split_model(Pipeline([("pose", asked), ("frames", tiny_frames())]))
    assert extractor.memory is None and extractor.allow_telemetry is False
    assert extractor.person == "center" and asked.allow_telemetry is True


# --- who may ask ----------------------------------------------------------------------------------
EVERY_ADDRESS = [
    ("GET", "/"),
    ("GET", "/page/app.js"),
    ("GET", "/api/model"),
    ("POST", "/api/videos?name=a.mp4"),
    ("GET", "/api/videos/x"),
    ("GET", "/api/videos/x/result"),
    ("DELETE", "/api/videos/x"),
    ("POST", "/api/camera"),
    ("POST", "/api/camera/x?t=1"),
    ("DELETE", "/api/camera/x"),
    ("GET", "/nothing"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
]


@pytest.mark.parametrize(("method", "path"), EVERY_ADDRESS)
def test_without_the_token(app, method, path):
    with TestClient(app, base_url="http://127.0.0.1:8765") as stranger:
        for headers in ({}, {"x-skrehab-token": "wrong"}, {"x-skrehab-token": TOKEN[:-1] + "ü"}):
            raw = {name: value.encode("utf-8") for name, value in headers.items()}
            answer = stranger.request(method, path, headers=raw)
            assert answer.status_code == 401, path
            assert "skrehab serve" in answer.json()["error"]
            assert TOKEN not in answer.text
        # the API takes it from a header only, which other sites cannot set
        if path.startswith("/api"):
            glue = "&" if "?" in path else "?"
            assert stranger.request(method, f"{path}{glue}token={TOKEN}").status_code == 401


def test_every_route_was_asked(app):
    asked = {re.sub(r"/x(?=/|$)", "/{}", path.split("?")[0]) for _, path in EVERY_ADDRESS}
    routes = {re.sub(r"\{\w+\}", "{}", route.path) for route in app.routes}
    assert routes - asked == {"/page/{}"}  # asked as app.js
    assert len(routes) == 8


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example:8765"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "localhost@evil.example"},
        {"host": ""},
        {"host": "[::1"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1:8765"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_other_sites(client, headers):
    answer = client.get("/api/model", headers=headers)
    assert answer.status_code == 403 and "error" in answer.json()
    assert client.post("/api/videos?name=a.mp4", headers=headers).status_code == 403


def test_the_page_itself_may(client):
    for host in ("127.0.0.1:8765", "localhost:9000", "[::1]:80"):
        headers = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
        assert client.get("/api/model", headers=headers).status_code == 200


def test_no_websockets(client):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"/?token={TOKEN}"):
        pass


def test_headers_on_every_answer(client):
    for path in (f"/?token={TOKEN}", "/api/model", "/api/nothing", "/"):
        answer = client.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert not any(name.startswith("access-control") for name in answer.headers)
        assert "set-cookie" not in answer.headers
    policy = HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


def test_the_page_fetches_nothing_from_elsewhere(client):
    html = client.get("/", params={"token": TOKEN}).text
    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(sources) == 7 and "{{" not in html
    for source in sources:
        assert source == "data:," or client.get(source).status_code == 200
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"https?:|@import|url\(|innerHTML|eval\(|document\.write", text), file
    assert not re.search(r"<[^>]* (on\w+|style)=", html)  # the policy would forbid them


def test_a_token_is_drawn_and_checked(model, pose_model):
    options = {"model_path": pose_model, "labels": LABELS}
    tokens = {create_app(model, **options).state.token for _ in range(3)}
    assert len(tokens) == 3 and all(len(token) >= 40 for token in tokens)
    for token in ("short", "</script><script>alert(1)"):
        with pytest.raises(ValueError, match="16 letters"):
            create_app(model, token=token, **options)
    with pytest.raises(ValueError, match="max_upload"):
        create_app(model, max_upload=0, **options)


# --- what is not taken ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("notes.txt", b"hello", "notes.txt is not a video that is known here"),
        ("noname", b"hello", "Choose a file that ends in .mp4"),
        ("film.mp4.exe", b"MZ", "film.mp4.exe is not a video"),
        ("empty.mp4", b"", r"empty.mp4 is empty \(0 bytes\)"),
        ("short.mp4", b"abc", "short.mp4 is called a video, but does not start like one"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1\nhttp://127.0.0.1:1/a.ts\n", "does not start like one"),
        ("cat.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "does not start like one"),
        ("call.avi", b"v=0\no=- 0 0 IN IP4 127.0.0.1\n", "does not start like one"),
        ("page.webm", b"<html><script>alert(1)</script>", "does not start like one"),
        ("junk.mp4", b"\0\0\0\x18ftypisom" + bytes(500), "junk.mp4: this is not a video"),
    ],
)
def test_wrong_types(client, app, name, content, match):
    answer = client.post("/api/videos", params={"name": name}, content=content)
    assert answer.status_code == 415
    assert re.search(match, answer.json()["error"]), answer.json()
    assert left_behind(app) == [] and not app.state.desk._jobs


def test_damaged_videos(client, app, tmp_path):
    """Cut in the middle, or sound only: the message has the name that the user knows."""
    whole = write_video(tmp_path / "a.mp4", noise(40), options={"movflags": "faststart"})
    cut = tmp_path / "Übung 3.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    job = analysed(client, upload(client, cut)) if MODEL is not None else None
    if job is not None:
        assert job["state"] == "failed"
        assert re.search(r"^Übung 3.mp4: the file is (damaged|cut short)", job["error"])
    sound = write_sound(tmp_path / "song.mp4")
    answer = upload(client, sound)
    assert answer.status_code == 415
    assert answer.json()["error"].startswith("song.mp4: this file holds only sound")
    assert left_behind(app) == []


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd.mp4", "..\\..\\windows\\a.mp4", "/etc/a.mp4", "a\0b.mp4", "a\nb.mp4"],
)
def test_names_of_uploads_go_nowhere(client, app, tmp_path, monkeypatch, name):
    temporary = tmp_path / "temporary"  # one's own: other programs write into the usual one
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    video = write_video(tmp_path / "x.mp4", noise(2))
    desk = app.state.desk
    desk._analyse = lambda path, progress: {"where": str(path)}
    answer = upload(client, video, name)
    job = analysed(client, answer)
    assert not re.search(r"[/\\\0\n]", job["name"]) and job["name"].endswith(".mp4")
    where = Path(json.loads(desk.find(answer.json()["id"]).result)["where"])
    assert where.parent == desk.folder and re.fullmatch(r"[\w-]{20,}\.mp4", where.name)
    assert list(temporary.iterdir()) == []


def test_names_and_kinds():
    assert shown_name("a" * 300 + ".mp4") == "a" * 80 + "…" + "a" * 15 + ".mp4"
    assert shown_name("\u202egpj.mp4") == "gpj.mp4"  # no turning of the reading direction
    with pytest.raises(BadUpload) as refused:
        check_kind("a.gif")
    assert refused.value.status == 415


# --- a real server --------------------------------------------------------------------------------
@pytest.fixture
def server(app):
    """The application behind uvicorn, on a free port; yields the port."""
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", ws="none", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(20)
    listener.close()


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py",
        "/page/..%2fapp.py",
        "/page/%2e%2e/%2e%2e/cli.py",
        "/page/....//app.py",
        "/page//etc/passwd",
        "/page/%2fetc%2fpasswd",
        "/page/index.html%00.css",
        "/page/index.html",
        "/../../../../etc/passwd",
        "/api/videos/../../etc/passwd",
        "/api/videos/..%2f..%2fetc%2fpasswd/result",
    ],
)
def test_path_traversal(server, path):
    """Sent as they are: no client here that tidies up an address first."""
    connection = http.client.HTTPConnection("127.0.0.1", server, timeout=60)
    for query in ("", f"?token={TOKEN}"):
        connection.putrequest("GET", path + query)
        connection.putheader("x-skrehab-token", TOKEN if query else "")
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == (404 if query else 401), body
        assert "error" in json.loads(body) and "root:" not in body and "import" not in body
    connection.close()


def send_gigabyte(port, head):
    """Send a request that goes on and on; return the answer and the bytes sent before it."""
    chunk, sent, answer = bytes(2**16), 0, b""
    framed = b"10000\r\n" + chunk + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as stream:
        stream.sendall(
            b"POST /api/videos?name=long.mp4 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
            b"x-skrehab-token: %b\r\n%b\r\n" % (port, TOKEN.encode(), head)
        )
        if b"chunked" in head:
            stream.sendall(b"c\r\n\0\0\0\x18ftypisom\r\n")
        stream.setblocking(False)
        import select

        while sent < 2**30:
            readable, writable, _ = select.select([stream], [stream], [], 10)
            if readable or not writable:
                break
            if b"chunked" not in head:
                time.sleep(0.01)  # the head alone is enough
                continue
            stream.setblocking(True)
            try:
                stream.sendall(framed)
            except OSError:
                break
            stream.setblocking(False)
            sent += len(chunk)
        stream.setblocking(True)
        try:
            while part := stream.recv(2**16):
                answer += part
        except OSError:  # reset, since the rest was not read
            pass
    return answer.decode(), sent


def test_a_gigabyte_is_refused(model, pose_model, server, app):
    """By its length before a byte is read, and without a length as soon as it is too much."""
    answer, sent = send_gigabyte(server, b"Content-Length: 1073741824\r\n")
    assert answer.startswith("HTTP/1.1 413") and sent == 0
    assert "1024 MB" in answer and "200 MB" in answer and "--max-upload" in answer
    answer, sent = send_gigabyte(server, b"Transfer-Encoding: chunked\r\n")
    assert 200 * 2**20 < sent < 230 * 2**20
    assert answer.startswith("HTTP/1.1 413") or not answer  # reset before it could be read
    deadline = time.monotonic() + 30
    while (left_behind(app) or app.state.desk._jobs) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left_behind(app) == [] and not app.state.desk._jobs


def test_limits_hold_to_the_byte(model, pose_model):
    app = create_app(model, labels=LABELS, model_path=pose_model, token=TOKEN, max_upload=1000)
    start = b"\0\0\0\x18ftypisom"
    with TestClient(app, base_url="http://localhost", headers={"x-skrehab-token": TOKEN}) as client:
        for size, status in ((1000, 415), (1001, 413)):
            for content in (start + bytes(size - 12), iter([start, bytes(size - 12)])):
                answer = client.post("/api/videos?name=a.mp4", content=content)
                assert answer.status_code == status, (size, answer.text)
        assert client.get("/api/model", headers={"content-length": "-1"}).status_code == 413


def test_an_upload_that_breaks_off(server, app):
    with socket.create_connection(("127.0.0.1", server), timeout=60) as stream:
        stream.sendall(
            b"POST /api/videos?name=a.mp4 HTTP/1.1\r\nHost: localhost:%d\r\nx-skrehab-token: %b\r\n"
            b"Content-Length: 5000000\r\n\r\n\0\0\0\x18ftypisom%b"
            % (server, TOKEN.encode(), bytes(100_000))
        )
        deadline = time.monotonic() + 30
        while not left_behind(app) and time.monotonic() < deadline:
            time.sleep(0.01)
        (file,) = left_behind(app)
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    while left_behind(app) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left_behind(app) == [] and not app.state.desk._jobs


# --- one thing at a time --------------------------------------------------------------------------
def place(desk, name="a.mp4"):
    job = desk.reserve(name, ".mp4")
    job.path.write_bytes(b"film")
    desk.submit(job)
    return job


def test_the_line():
    """In order, one by one; what fails does not stop the next; old results are forgotten."""
    running, most, order = [], [], []

    def analyse(path, progress):
        running.append(path)
        most.append(len(running))
        time.sleep(0.02)
        order.append(path.stem)
        running.pop()
        if len(order) == 2:
            raise ValueError(f"{path} is odd")
        return {}

    with Desk(analyse, max_waiting=3, max_results=2) as desk:
        jobs = [place(desk, f"{i}.mp4") for i in range(3)]
        with pytest.raises(Busy, match="3 videos"):
            desk.reserve("4.mp4", ".mp4")
        assert desk.wait(jobs[2])
        assert order == [job.id for job in jobs] and max(most) == 1
        assert [job.state for job in jobs] == ["done", "failed", "done"]
        assert jobs[1].error == "1.mp4 is odd"
        assert desk.find(jobs[0].id) is None and desk.find(jobs[2].id) is jobs[2]
        assert not list(desk.folder.iterdir())
        desk.reserve("5.mp4", ".mp4")


def test_cancelling_and_shutting_down():
    started, folder = threading.Event(), None

    def analyse(path, progress):
        started.set()
        for i in range(1000):
            progress(i)
            time.sleep(0.01)

    with Desk(analyse) as desk:
        folder = desk.folder
        first, second, third = (place(desk, name) for name in "abc")
        assert started.wait(5) and desk.ahead_of(second) == 1 and desk.ahead_of(third) == 2
        desk.forget(second)
        assert not second.path.exists() and desk.ahead_of(third) == 1
        desk.forget(first)
        assert desk.wait(first) and first.state == "failed" and not first.path.exists()
        assert desk.find(first.id) is None
        began = time.monotonic()
    assert time.monotonic() - began < 5 and not folder.exists()
    assert stat.S_ISDIR(os.stat(tempfile.gettempdir()).st_mode)


def test_busy_is_said(client, app):
    held = threading.Event()
    app.state.desk._analyse = lambda path, progress: held.wait(20) and {}
    jobs = [place(app.state.desk) for _ in range(3)]
    answer = client.post("/api/videos?name=a.mp4", content=b"\0\0\0\x18ftypisom")
    assert answer.status_code == 503 and "Try again" in answer.json()["error"]
    assert client.post("/api/camera").status_code == 503
    held.set()
    assert app.state.desk.wait(jobs[-1])


def test_the_folder_is_private_and_does_not_outlive_the_program(app):
    with TestClient(app, base_url="http://localhost"):
        folder = app.state.desk.folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "left.mp4").write_bytes(b"film")
    assert not folder.exists()
    if os.name != "posix":
        return
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    killed = Path(tempfile.mkdtemp(prefix=f"skrehab-serve-{gone.pid}-"))
    (killed / "film.mp4").write_bytes(b"film")
    other = Path(tempfile.mkdtemp(prefix=f"skrehab-serve-{os.getpid()}-"))  # of a running program
    with private_folder():
        assert not killed.exists() and other.exists()
    other.rmdir()


# --- the camera -----------------------------------------------------------------------------------
def jpeg(picture, **options):
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=95, **options)
    return file.getvalue()


@needs_model
def test_the_camera(client, model):
    """Picture by picture it says what the pipeline says of the same pictures afterwards."""
    from skrehab.serve.worker import read_jpeg

    frames = moving_astronaut(6)[0]
    frames[3] = 128  # nobody
    files = [jpeg(frame) for frame in frames]
    session = client.post("/api/camera").json()
    assert session["labels"] == LABELS
    address = f"/api/camera/{session['id']}"
    said = [client.post(address, params={"t": 5 + i / 10}, content=f).json() for i, f in
            enumerate(files)]  # fmt: skip
    decoded = np.array([read_jpeg(file) for file in files])
    trial = PoseExtractor(MODEL, fps=10, person="follow").transform([decoded])[0]
    offline = model.predict_proba([trial])[0]
    for i, moment in enumerate(said):
        assert moment["seen"] == bool(np.isfinite(trial[i, :, 3]).any())
        if moment["seen"]:
            np.testing.assert_allclose(moment["probabilities"], offline[i], rtol=0, atol=2e-5)
            assert len(moment["landmarks"]) == 99 and moment["latency_ms"] > 0
    assert said[0]["seen"]
    assert client.post(address, params={"t": 5.2}, content=files[0]).json() == {"late": True}
    for t, content, status, match in (
        ("nan", files[0], 422, "finite"),
        ("now", files[0], 422, "query.t cannot be used"),
        (9, b"GIF89a", 422, "not a JPEG"),
        (9, jpeg(np.zeros((1500, 1500, 3), np.uint8)), 422, "1500 x 1500 pixels"),
        (9, bytes(3 * 2**20), 413, "larger than 2 MB"),
    ):
        answer = client.post(address, params={"t": t}, content=content)
        assert answer.status_code == status and match in answer.json()["error"]
    second = client.post("/api/camera").json()["id"]  # another page takes over
    answer = client.post(address, params={"t": 10}, content=files[0])
    assert answer.status_code == 404 and "another page" in answer.json()["error"]
    assert client.delete(f"/api/camera/{second}").status_code == 204
    assert client.post(f"/api/camera/{second}?t=1", content=files[0]).status_code == 404


def test_a_model_that_looks_ahead_has_no_camera(pose_model):
    app = create_app(pipeline(causal=False), model_path=pose_model, token=TOKEN)
    with TestClient(app, base_url="http://localhost", headers={"x-skrehab-token": TOKEN}) as client:
        about = client.get("/api/model").json()
        assert "'motion' (DisplacementSmoother)" in about["camera"]
        assert about["labels"] == ["0", "1"] and about["saliency"] is True
        answer = client.post("/api/camera")
        assert answer.status_code == 409 and answer.json()["error"] == about["camera"]


def test_a_video_waits_until_the_camera_rests(monkeypatch):
    import types

    closed = []
    monkeypatch.setattr("skrehab.serve.jobs._CAMERA_REST", 1.0)
    with Desk(lambda path, progress: {"closed": list(closed)}) as desk:
        session = types.SimpleNamespace(id="s", close=lambda: closed.append(1))
        desk.open_camera(lambda: session)
        job = place(desk)
        for _ in range(4):
            time.sleep(0.05)
            assert desk.camera("s") is session and job.state == "waiting"
        with pytest.raises(Busy):
            desk.open_camera(lambda: session)
        assert desk.wait(job, 30) and json.loads(job.result) == {"closed": [1]}
        assert desk.camera("s") is None


# --- the command ----------------------------------------------------------------------------------
def test_the_command(model, pose_model, tmp_path):
    """It prints one address, listens on this machine only, and leaves nothing behind."""
    saved = skrehab.save(model, tmp_path / "lean", metadata={"labels": LABELS})
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    code = "from skrehab.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", saved, "--port", "0", "--model-path", pose_model],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"},
    )
    try:
        address = process.stdout.readline().strip()
        port, token = re.fullmatch(r"http://127.0.0.1:(\d+)/\?token=([\w-]{43})", address).groups()
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        connection.request("GET", "/api/model", headers={"x-skrehab-token": token})
        about = json.loads(connection.getresponse().read())
        assert about["title"] == "lean" and about["labels"] == LABELS
        connection.request("GET", f"/?token={token}")
        answer = connection.getresponse()
        assert answer.status == 200 and b"skrehab" in answer.read()
        connection.close()
        assert len(list(scratch.iterdir())) == 1
        if sys.platform == "linux":
            rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
            heard = [r.split()[1] for r in rows if r.split()[3] == "0A"]
            own = [a for a in heard if int(a.split(":")[1], 16) == int(port)]
            assert own == [f"0100007F:{int(port):04X}"]
        with socket.socket() as other, pytest.raises(OSError):
            other.bind(("127.0.0.1", int(port)))
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
    assert "Traceback" not in err and token not in err and out == ""
    assert not list(scratch.iterdir())


def test_a_port_that_is_taken(model, pose_model, tmp_path, monkeypatch, capsys):
    from skrehab.cli import main as cli

    saved = skrehab.save(model, tmp_path / "lean")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = ["serve", str(saved), "--port", port, "--model-path", str(pose_model)]
        monkeypatch.setattr(sys, "argv", ["skrehab", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
    assert stop.value.code == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in capsys.readouterr().err


# --- how it looks ---------------------------------------------------------------------------------
def test_text_is_readable_in_both_schemes():
    from colours import contrast

    style = (PAGE / "style.css").read_text(encoding="utf-8")
    schemes = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", style, flags=re.S)
    ]
    assert len(schemes) == 2
    pairs = [(text, ground) for text in ("ink", "muted", "accent") for ground in ("page", "card")]
    pairs += [("calm-ink", "calm-soft"), ("alert-ink", "alert-soft"), ("on-accent", "accent")]
    pairs += [("error", "error-soft"), ("muted", "soft")]
    for colours in schemes:
        for text, ground in pairs:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground, colours)
        for mark in ("calm", "alert"):
            assert contrast(colours[mark], colours["card"]) >= 3, (mark, colours)
