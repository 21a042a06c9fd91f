"""``skrehab serve --label``: what is told, what is saved, and who may ask."""

import csv
import json
import re

import pytest
from media import corners, write_video

pytest.importorskip("fastapi", reason="the page needs skrehab[serve]")
from fastapi.testclient import TestClient

from skrehab.serve import create_label_app
from skrehab.serve.guard import HEADERS

TOKEN = "token-of-the-tests-0123"
LABELS = ["usual", "leans", "shrugs"]


@pytest.fixture
def manifest(tmp_path):
    write_video(tmp_path / "a.mp4", [corners()] * 10, fps=10)
    path = tmp_path / "trials.csv"
    path.write_text("trial,path,patient,label\nt1,a.mp4,P01,\nt2,secret.txt,,leans\n")
    (tmp_path / "secret.txt").write_text("what nobody may see")
    return path


@pytest.fixture
def client(manifest):
    app = create_label_app(manifest, LABELS, token=TOKEN)
    headers = {"x-skrehab-token": TOKEN}
    with TestClient(app, base_url="http://127.0.0.1:8765", headers=headers) as client:
        yield client


def put(client, number, **change):
    return client.put(f"/api/trials/{number}", content=json.dumps(change))


def test_told_and_saved(client, manifest):
    said = client.get("/api/trials").json()
    assert said["labels"] == LABELS and said["manifest"] == "trials.csv"
    assert [one["video"] for one in said["trials"]] == [True, False]
    answer = put(client, 0, label="leans", patient="Anna", intervals=[[0.2, 0.5, "shrugs"]])
    assert answer.status_code == 200 and answer.json()["label"] == "leans"
    with manifest.open() as file:
        rows = list(csv.DictReader(file))
    assert (rows[0]["label"], rows[0]["patient"]) == ("leans", "Anna")
    assert put(client, 0, exercise="reach", side="left").status_code == 200
    assert put(client, 0, trial="other").status_code == 422
    assert rows[1]["label"] == "leans" and rows[0]["frame_labels"] == "t1_labels.csv"
    table = (manifest.parent / "t1_labels.csv").read_text().split()
    assert table == ["start,stop,label", "0.2,0.5,shrugs"]
    assert put(client, 0, label="").json()["label"] == ""


def test_a_video_comes_whole_and_in_parts(client, manifest):
    whole = (manifest.parent / "a.mp4").read_bytes()
    address = f"/videos/0?token={TOKEN}"
    answer = client.get(address)
    assert answer.content == whole and answer.headers["content-type"] == "video/mp4"
    part = client.get(address, headers={"range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == whole[10:20]
    # nothing but videos that the manifest lists
    for path in ("/videos/1", "/videos/2", "/videos/-1", "/videos/..%2Fsecret.txt"):
        answer = client.get(path, params={"token": TOKEN})
        assert answer.status_code in (404, 422) and "nobody" not in answer.text


EVERY_ADDRESS = [
    ("GET", "/"),
    ("GET", "/page/label.js"),
    ("GET", "/api/trials"),
    ("GET", "/videos/0"),
    ("PUT", "/api/trials/0"),
]


@pytest.mark.parametrize(("method", "path"), EVERY_ADDRESS)
def test_strangers_are_refused(client, manifest, method, path):
    before = manifest.read_text()
    body = {"content": json.dumps({"label": "leans"})}
    with TestClient(client.app, base_url="http://127.0.0.1:8765") as stranger:
        for token in (None, "wrong", TOKEN[:-1]):
            headers = {} if token is None else {"x-skrehab-token": token}
            assert stranger.request(method, path, headers=headers, **body).status_code == 401
        if path.startswith("/api"):
            assert stranger.request(method, f"{path}?token={TOKEN}", **body).status_code == 401
    for headers in (
        {"host": "evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
    ):
        answer = client.request(method, f"{path}?token={TOKEN}", headers=headers, **body)
        assert answer.status_code == 403
    assert manifest.read_text() == before


def test_every_route_was_asked(client):
    asked = {re.sub(r"/0$", "/{}", path) for _, path in EVERY_ADDRESS}
    routes = {re.sub(r"\{\w+\}", "{}", route.path) for route in client.app.routes}
    assert routes - asked == {"/page/{}"}


def test_the_page_fetches_nothing_from_elsewhere(client):
    answer = client.get("/", params={"token": TOKEN})
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    sources = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert len(sources) == 4 and "{{" not in answer.text
    for source in sources:
        assert source == "data:," or client.get(source).status_code == 200
    assert client.get(f"/page/app.js?token={TOKEN}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 422, "no JSON"),
        (b"[" * 50_000, 422, "no JSON"),
        (b"[]", 422, "object of label"),
        (b'{"path": "x"}', 422, "object of label"),
        (b'{"label": 1}', 422, "label must be a text"),
        (b'{"label": "leans", "was": null}', 422, "was must be an object"),
        (b'{"label": "leans", "was": {"path": "a.mp4"}}', 422, "was must be an object"),
        (b'{"label": "=cmd"}', 422, "must be one of"),
        (b'{"intervals": [[0, 1]]}', 422, "list of"),
        (b'{"intervals": [[0, true, "a"]]}', 422, "list of"),
        (b'{"intervals": [[1, 0, "a"]]}', 409, "must start before it stops"),
        (b'{"intervals": [[0, NaN, "a"]]}', 409, "must start before it stops"),
        (b'{"patient": "a\\u0000b"}', 409, "patient must be printable"),
    ],
)
def test_what_cannot_be_saved(client, manifest, body, status, message):
    before = manifest.read_text()
    answer = client.put("/api/trials/0", content=body)
    assert answer.status_code == status and message in answer.json()["error"]
    assert manifest.read_text() == before
    assert client.put("/api/trials/9", content=b"{}").status_code == 404
    assert client.put("/api/trials/0", content=b" " * 2**19).status_code == 413


def test_a_manifest_that_another_program_writes_is_not_written_over(client, manifest):
    manifest.write_text(manifest.read_text().replace("P01", "P07"))
    answer = put(client, 0, label="leans")
    assert answer.status_code == 409 and "changed by another program" in answer.json()["error"]
    assert "P07" in manifest.read_text()
    # a page that is loaded again shows it, and may then change it
    assert client.get("/api/trials").json()["trials"][0]["patient"] == "P07"
    assert put(client, 0, label="leans").status_code == 200
    assert "P07" in manifest.read_text() and "leans" in manifest.read_text()
    manifest.write_text("trial,path,label\n")
    assert "no trial under the header" in client.get("/api/trials").json()["error"]


def test_a_window_does_not_write_over_what_it_has_not_seen(client, manifest):
    """Two people at one manifest: the second is told, and nothing of the first is lost."""
    was = {"trial": "t1", "intervals": []}
    first = put(client, 0, intervals=[[0.2, 0.5, "shrugs"]], was=was)
    assert first.status_code == 200
    answer = put(client, 0, intervals=[[0.6, 0.7, "leans"]], was=was)
    assert answer.status_code == 409 and "t1 was changed in another window" in answer.text
    known = client.get("/api/trials").json()["trials"][0]["intervals"]
    assert known == first.json()["intervals"] == [[0.2, 0.5, "shrugs"]]
    both = [*known, [0.6, 0.7, "leans"]]
    assert put(client, 0, intervals=both, was={"trial": "t1", "intervals": known}).is_success
    # another field is nobody's loss; another trial in the row is
    assert put(client, 0, label="leans", was={"label": ""}).is_success
    assert put(client, 0, label="usual", was={"trial": "t2"}).status_code == 409


@pytest.mark.parametrize("labels", [["a"], ["a", "a"], ["a", ""], list("abcdefghij"), ["a", "b\n"]])
def test_labels_have_a_key_each(manifest, labels):
    if labels == ["a", "b\n"]:
        labels = ["a", "b\0"]
    with pytest.raises(ValueError, match=r"2 to 9 labels|printable"):
        create_label_app(manifest, labels)
