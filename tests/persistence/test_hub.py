"""Models to and from a hub: the real client, and a hub on this machine that speaks its protocol."""

import base64
import hashlib
import http.server
import json
import threading

import numpy as np
import pytest
from instances import tiny_frames
from sklearn.pipeline import make_pipeline

import skrehab
from skrehab import LandmarkScaler
from skrehab.persistence import from_pretrained, push_to_hub

pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the hub's protocol as pushing and fetching small files takes."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Stay silent."""

    def _answer(self, content, status=200, **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _note(self):
        path = self.path.partition("?")[0]
        self.server.seen.append((self.command, path, dict(self.headers)))
        return [part for part in path.split("/") if part]

    def do_GET(self):
        parts = self._note()
        if parts[:2] == ["api", "models"] and "/".join(parts[2:4]) in self.server.repos:
            repo = self.server.repos["/".join(parts[2:4])]
            sizes = {**{k: len(v) for k, v in repo["files"].items()}, **self.server.claims}
            files = [{"rfilename": name, "size": size} for name, size in sizes.items()]
            found = {"id": "/".join(parts[2:4]), "sha": repo["sha"], "siblings": files}
            return self._answer(found | {"private": repo["private"], "modelId": "x"})
        if "resolve" in parts and "/".join(parts[:2]) in self.server.repos:
            repo = self.server.repos["/".join(parts[:2])]
            content = repo["files"].get("/".join(parts[4:]))
            if content is not None:
                etag = f'"{hashlib.sha256(content).hexdigest()}"'
                return self._answer(content, ETag=etag, X_Repo_Commit=repo["sha"])
        return self._answer({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")

    do_HEAD = do_GET

    def do_POST(self):
        parts = self._note()
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if parts == ["api", "repos", "create"]:
            wanted = json.loads(content)
            name = f"{wanted.get('organization') or 'lab'}/{wanted['name'].split('/')[-1]}"
            if not self.headers.get("Authorization"):
                return self._answer({"error": "Invalid credentials"}, 401)
            private = wanted.get("private", wanted.get("visibility") == "private")
            if name in self.server.repos:
                return self._answer({"url": f"{self.server.url}/{name}"}, 409)
            self.server.repos[name] = {"files": {}, "sha": "0" * 40, "private": private}
            return self._answer({"url": f"{self.server.url}/{name}"})
        if parts == ["api", "validate-yaml"]:  # the head of the model card
            return self._answer({"errors": [], "warnings": []})
        repo = self.server.repos["/".join(parts[2:4])]
        if parts[4] == "preupload":
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                for f in json.loads(content)["files"]
            ]
            return self._answer({"files": files})
        for line in content.splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                value = entry["value"]
                repo["files"][value["path"]] = base64.b64decode(value["content"])
        repo["sha"] = hashlib.sha1(content).hexdigest()
        url = f"{self.server.url}/{'/'.join(parts[2:4])}/commit/{repo['sha']}"
        return self._answer({"success": True, "commitOid": repo["sha"], "commitUrl": url})


@pytest.fixture
def hub():
    """A hub on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.daemon_threads = True
    server.repos, server.seen, server.claims = {}, [], {}
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def model(tiny, tmp_path):
    fitted = make_pipeline(LandmarkScaler(), tiny_frames()).fit(tiny.X, tiny.frame_labels)
    folder = skrehab.save(fitted, tmp_path / "lean", metadata={"n_patients": 4})
    (folder / "patients.csv").write_text("MRS-SMITH")
    return fitted, folder


def push(hub, folder, **options):
    return push_to_hub(folder, "lab/lean", token="secret", endpoint=hub.url, **options)


def fetch(hub, tmp_path, **options):
    options = {"local_files_only": False, "cache_dir": tmp_path / "cache"} | options
    return from_pretrained("lab/lean", endpoint=hub.url, **options)


def test_a_model_there_and_back(hub, model, tiny, tmp_path):
    fitted, folder = model
    address = push(hub, folder)
    repo = hub.repos["lab/lean"]
    assert address == f"{hub.url}/lab/lean/commit/{repo['sha']}" and repo["private"]
    # the model's own files, and no other
    assert sorted(repo["files"]) == ["README.md", "model.json", "weights.safetensors"]
    again = fetch(hub, tmp_path)
    for a, b in zip(again.predict_proba(tiny.X), fitted.predict_proba(tiny.X)):
        np.testing.assert_array_equal(a, b)
    # once fetched it is there without the hub
    n_requests = len(hub.seen)
    offline = fetch(hub, tmp_path, local_files_only=True)
    pinned = fetch(hub, tmp_path, local_files_only=True, revision=repo["sha"])
    assert len(hub.seen) == n_requests
    for one in (offline, pinned):
        np.testing.assert_array_equal(one.predict_proba(tiny.X)[0], fitted.predict_proba(tiny.X)[0])


def test_nothing_is_fetched_on_the_side(hub, model, tmp_path):
    push(hub, model[1])
    hub.seen.clear()
    with pytest.raises(
        FileNotFoundError, match=r"model\.json of 'lab/lean' is not in this machine"
    ):
        from_pretrained("lab/lean", cache_dir=tmp_path / "cache", endpoint=hub.url)
    assert hub.seen == []


def test_a_public_repository_must_be_asked_for(hub, model):
    push(hub, model[1], private=False)
    assert not hub.repos["lab/lean"]["private"]
    push(hub, model[1])  # and again, into the repository that is there


def test_what_is_fetched_is_one_commit(hub, model, tmp_path):
    """The branch may move between two files; both are fetched by the commit that was looked at."""
    push(hub, model[1])
    hub.seen.clear()
    fetch(hub, tmp_path)
    sha = hub.repos["lab/lean"]["sha"]
    fetched = [path for command, path, _ in hub.seen if "/resolve/" in path and command == "GET"]
    assert fetched and all(path.split("/resolve/")[1].startswith(sha) for path in fetched)
    assert {path.rpartition("/")[2] for path in fetched} == {"model.json", "weights.safetensors"}


def test_large_files_are_refused_before_they_are_fetched(hub, model, tmp_path):
    push(hub, model[1])
    for name, size in [("model.json", 10**9), ("weights.safetensors", 10**12)]:
        hub.claims = {name: size}
        hub.seen.clear()
        with pytest.raises(ValueError, match=rf"{name} of 'lab/lean' is too large.*{size} bytes"):
            fetch(hub, tmp_path)
        assert not [path for _, path, _ in hub.seen if "/resolve/" in path]


def test_what_is_no_model(hub, model, tmp_path):
    push(hub, model[1])
    files = hub.repos["lab/lean"]["files"]
    weights = files.pop("weights.safetensors")
    with pytest.raises(ValueError, match=r"'lab/lean' is not a skrehab model: there is no weights"):
        fetch(hub, tmp_path)
    files["weights.safetensors"] = b"not weights"
    hub.repos["lab/lean"]["sha"] = "1" * 40
    with pytest.raises(ValueError, match="is damaged"):
        fetch(hub, tmp_path)
    files["weights.safetensors"] = weights
    files["model.json"] = files["model.json"].replace(b"sklearn.Pipeline", b"os.system")
    hub.repos["lab/lean"]["sha"] = "2" * 40
    with pytest.raises(ValueError, match=r"unknown class: 'os\.system'"):
        fetch(hub, tmp_path)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/b/c", "lab/lean/../x", ""])
def test_names_are_no_paths(hub, model, tmp_path, name):
    options = {"endpoint": hub.url, "cache_dir": tmp_path / "cache"}
    for local in (True, False):
        with pytest.raises(
            FileNotFoundError, match=r"could not be fetched|is not in this|is a path"
        ):
            from_pretrained(name, local_files_only=local, **options)
    with pytest.raises(RuntimeError, match="could not be uploaded"):
        push_to_hub(model[1], name, token="secret", endpoint=hub.url)
    assert not hub.repos


def test_what_cannot_be_loaded_is_not_pushed(hub, model, tmp_path):
    (model[1] / "weights.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match="is damaged"):
        push(hub, model[1])
    with pytest.raises(ValueError, match="is not a skrehab model"):
        push(hub, tmp_path)
    assert not hub.repos and not hub.seen


def test_the_hubs_refusals_are_passed_on(hub, model, tmp_path):
    with pytest.raises(RuntimeError, match=r"lean could not be uploaded to 'lab/lean': .*401"):
        push_to_hub(model[1], "lab/lean", token=False, endpoint=hub.url)
    with pytest.raises(FileNotFoundError, match="'lab/lean' could not be fetched"):
        fetch(hub, tmp_path)


def test_the_hub_learns_little(hub, model, tmp_path, run_python):
    """A fresh process: what it runs beside is not told, and importing skrehab imports no client."""
    push(hub, model[1])
    hub.seen.clear()
    code = """
import sys
import skrehab.persistence.hub
assert "huggingface_hub" not in sys.modules
skrehab.from_pretrained("lab/lean", local_files_only=False, token=False, endpoint=sys.argv[1],
                        cache_dir=sys.argv[2])
"""
    run_python(code, hub.url, tmp_path / "cache")
    agents = {headers.get("user-agent") or headers.get("User-Agent") for *_, headers in hub.seen}
    assert hub.seen and not [agent for agent in agents if "torch" in agent], agents


@pytest.mark.parametrize("name", ["README.md", "model.json", "weights.safetensors"])
def test_links_are_not_pushed(name, hub, model, tmp_path):
    """A folder from somebody else must not make us upload a file of ours."""
    folder = model[1]
    secret = tmp_path / "secret"
    secret.write_bytes((folder / name).read_bytes())
    (folder / name).unlink()
    (folder / name).symlink_to(secret)
    with pytest.raises(ValueError, match=rf"{name} is a link to elsewhere"):
        push(hub, folder)
    assert not hub.repos


def cached(model, tmp_path):
    """Lay a model out as the hub's client keeps it; return its cache and its revision's folder."""
    repository = tmp_path / "cache" / "models--lab--lean"
    snapshot = repository / "snapshots" / ("0" * 40)
    for folder in (snapshot, repository / "blobs", repository / "refs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    for name in ("model.json", "weights.safetensors"):
        (repository / "blobs" / name).write_bytes((model[1] / name).read_bytes())
        (snapshot / name).symlink_to(f"../../blobs/{name}")
    return tmp_path / "cache", snapshot


def test_what_lies_in_the_cache_is_checked_too(model, tmp_path):
    cache, snapshot = cached(model, tmp_path)
    assert from_pretrained("lab/lean", cache_dir=cache).steps[-1][0] == "framemlp"
    file = snapshot / "model.json"
    good = json.loads(file.read_text())
    frames = good["estimator"]["params"]["steps"]["list"][1]["tuple"][1]
    for key, poison in [("resampler", "/etc/passwd"), ("lr", "x"), ("net_params", {"dict": []})]:
        before = frames["params"][key]
        frames["params"][key] = poison
        file.write_text(json.dumps(good))
        with pytest.raises(ValueError, match=rf"cannot be loaded: Pipeline\.steps\.1\.1\.{key} "):
            from_pretrained("lab/lean", cache_dir=cache)
        frames["params"][key] = before


def test_links_out_of_the_cache_are_refused(model, tmp_path):
    cache, snapshot = cached(model, tmp_path)
    (snapshot / "weights.safetensors").unlink()
    (snapshot / "weights.safetensors").symlink_to(model[1] / "weights.safetensors")
    with pytest.raises(ValueError, match=r"weights\.safetensors of 'lab/lean' is a link out of"):
        from_pretrained("lab/lean", cache_dir=cache)


def test_a_missing_client_is_named(model, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"huggingface_hub is needed to upload.*skrehab\[hub\]"):
        push_to_hub(model[1], "lab/lean")
    with pytest.raises(ImportError, match=r"huggingface_hub is needed to fetch.*skrehab\[hub\]"):
        from_pretrained("lab/lean")
