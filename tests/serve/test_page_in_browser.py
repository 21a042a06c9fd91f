"""The page of ``skrehab serve`` in headless Chromium: upload, camera, phone and keyboard."""

import contextlib
import io
import json
import socket
import threading
import time

import numpy as np
import pytest
from chromium import find_chromium, open_page
from media import moving_astronaut, noise, write_video
from real_files import VIDEOS, model_file, needs_model, needs_shared_videos
from test_page import LABELS, pipeline

from skrehab import PoseExtractor
from skrehab.serve import create_app
from skrehab.serve.camera import CameraSession

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium; apt-get install chromium"),
]
MODEL = model_file()
VISIBLE = "document.querySelector('main > section:not([hidden])').id"


@contextlib.contextmanager
def running(app):
    """Serve on a free port of this machine and yield the address of the page."""
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/?token={app.state.token}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


@pytest.fixture(scope="module")
def app():
    model = pipeline()
    model.steps.insert(0, ("pose", PoseExtractor(MODEL)))
    return create_app(model, title="<b>lean</b> & co", labels=LABELS, max_upload=2**21)


@pytest.fixture(scope="module")
def page(app, tmp_path_factory):
    """One browser for all tests; its camera shows a person, again and again."""
    film = tmp_path_factory.mktemp("camera") / "film.mjpeg"
    film.write_bytes(b"".join(_jpeg(frame) for frame in moving_astronaut(10, step=4)[0]))
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with (
        running(app) as address,
        open_page(*flags, f"--use-file-for-fake-video-capture={film}") as page,
    ):
        page.address = address
        page.size(1200, 900)
        page.scheme("light")
        yield page


@pytest.fixture
def start(page):
    """The page as it is when it is opened."""
    page.errors.clear()
    page.events.clear()
    page.go("about:blank")
    page.go(page.address)
    page.wait("document.body && document.body.dataset.ready")
    yield page
    assert page.mistakes() == []
    host = page.address.split("/?")[0]
    asked = page.requested()
    assert asked and all(
        url.startswith((host, "blob:" + host, "data:,", "about:")) for url in asked
    ), asked


def _jpeg(picture):
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG")
    return file.getvalue()


def colours(page, canvas):
    """Read a canvas: share of its pixels that are painted, and how many colours it has."""
    return page.run(
        f"(() => {{ const c = document.getElementById('{canvas}'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let n = 0; const kinds = new Set();"
        "for (let i = 0; i < d.length; i += 4) if (d[i + 3]) { n += 1; kinds.add(d[i] << 16 | "
        "d[i + 1] << 8 | d[i + 2]); } return [4 * n / d.length, kinds.size]; })()"
    )


def text(page, name):
    return page.run(f"document.getElementById('{name}').innerText")


def too_wide(page):
    return page.run("document.documentElement.scrollWidth > innerWidth")


@needs_model
@needs_shared_videos
def test_a_shared_video(start, app):
    page = start
    assert page.run(VISIBLE) == "choose" and text(page, "title") == "<b>lean</b> & co"
    assert text(page, "calm-name") == "usual" and text(page, "alert-name") == "lean"
    page.choose_file("#file", VIDEOS / "one_person_balance.mp4")
    page.wait(f"{VISIBLE} === 'work'")
    page.wait(f"{VISIBLE} === 'seen' || document.getElementById('error').textContent", 200)
    assert text(page, "error") == "" and text(page, "seen-title") == "one_person_balance.mp4"
    result = page.run("page.result")
    assert len(result["times"]) == 100 and result["scores"] and result["saliency"]
    # verdict, and what is said of it
    assert text(page, "verdict") == result["verdict"]["label"]
    assert "%" in text(page, "verdict-bars") and "usual" in text(page, "verdict-bars")
    assert "The cue is on for" in text(page, "verdict-note")
    assert result["verdict"]["label"] in text(page, "saliency-text")
    # the video plays here, and everything drawn is there
    page.wait("document.getElementById('video').readyState >= 2")
    assert page.run("document.getElementById('video').videoWidth") == 1080
    page.wait("!document.getElementById('video').seeking")
    painted, _ = colours(page, "skeleton")
    assert 0.003 < painted < 0.3
    assert colours(page, "timeline")[0] > 0.5
    assert colours(page, "saliency")[0] > 0.5 and colours(page, "saliency")[1] > 50

    # a click in the timeline goes there, in the video too
    page.click("#timeline")
    middle = page.wait("(v => !v.seeking && v.currentTime > 0.3 && v.currentTime)"
                       "(document.getElementById('video'))")  # fmt: skip
    assert 0.6 < middle < 1.0
    frame = int(page.run("document.getElementById('seen').dataset.frame"))
    assert abs(result["times"][frame] - middle) < 0.03
    # what is said now is what the result says of that frame
    word = LABELS[1] if result["cue"][frame] else LABELS[0]
    assert text(page, "cue-word") == word
    page.run("document.getElementById('timeline').focus()")
    page.press("ArrowRight")
    page.wait(f"+document.getElementById('seen').dataset.frame === {frame + 1}")
    page.press("End")
    page.wait("+document.getElementById('seen').dataset.frame === 99")
    assert page.run("document.getElementById('timeline').ariaValueText").startswith("1.6 s")
    page.press("Home")
    page.wait("+document.getElementById('seen').dataset.frame === 0")
    page.press(" ", "Space", " ")  # plays
    page.wait("document.getElementById('play').textContent === 'Pause'")
    page.wait("+document.getElementById('seen').dataset.frame > 5")
    page.press(" ", "Space", " ")
    page.wait("document.getElementById('play').textContent === 'Play'")
    page.click("#saliency")
    page.wait("(v => !v.seeking && Math.abs(v.currentTime - 0.8) < 0.25)"
              "(document.getElementById('video'))")  # fmt: skip

    # phone and dark
    page.size(360, 740, phone=True, scale=2)
    page.scheme("dark")
    try:
        page.wait("document.getElementById('timeline').width < 700")
        assert not too_wide(page)
        assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 25, 30)"
        assert colours(page, "saliency")[0] > 0.4
    finally:
        page.size(1200, 900)
        page.scheme("light")

    # nothing of it is left, here or there
    assert not list(app.state.desk.folder.iterdir()) and not app.state.desk._jobs
    page.click("#again")
    page.wait(f"{VISIBLE} === 'choose'")
    assert page.run("page.result") is None
    assert page.run("document.getElementById('video').src") == ""


@needs_model
def test_a_video_that_the_browser_cannot_play(start, tmp_path):
    """The skeleton moves all the same, by a clock of its own."""
    page = start
    video = write_video(tmp_path / "old.avi", moving_astronaut(12)[0], fps=10, codec="mpeg4")
    page.choose_file("#file", video)
    page.wait(f"{VISIBLE} === 'seen' || document.getElementById('error').textContent", 150)
    page.wait("document.getElementById('notes').textContent.includes('cannot play')")
    assert colours(page, "skeleton")[0] > 0.003
    page.click("#play")
    page.wait("+document.getElementById('seen').dataset.frame > 5")
    page.wait("document.getElementById('play').textContent === 'Play'")  # at the end
    assert page.run("document.getElementById('seen').dataset.frame") == "11"


@needs_model
def test_what_is_not_taken(start, tmp_path):
    """The page says what is wrong, as text, and another file can be chosen at once."""
    page = start
    wrong = tmp_path / "<img src=x onerror=alert(1)>.txt"
    wrong.write_bytes(b"hello")
    page.choose_file("#file", wrong)
    page.wait("document.getElementById('error').textContent.includes('is not a video')")
    assert "<img src=x" in text(page, "error") and page.run("document.images.length") == 0
    large = tmp_path / "large.mp4"
    large.write_bytes(bytes(2**21 + 1))
    page.choose_file("#file", large)
    page.wait("document.getElementById('error').textContent.includes('large.mp4 has 3 MB')")
    assert not any("/api/videos" in url for url in page.requested())
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"\0\0\0\x18ftypisom" + bytes(500))
    page.choose_file("#file", junk)
    page.wait("document.getElementById('error').textContent.startsWith('junk.mp4: ')")
    assert page.run(VISIBLE) == "choose"
    page.errors.clear()  # Chromium notes the 415
    walls = write_video(tmp_path / "walls.mp4", noise(4))
    page.choose_file("#file", walls)
    page.wait("document.getElementById('error').textContent.startsWith('walls.mp4: no person')")
    assert page.run(VISIBLE) == "choose"


@needs_model
def test_the_camera(start, app):
    page = start
    page.click("#camera-button")
    page.wait("+document.getElementById('seen').dataset.moments > 8")
    assert page.run(VISIBLE) == "seen" and text(page, "seen-title") == "Camera"
    assert text(page, "cue-word") in (*LABELS, "nobody seen")
    assert text(page, "time").endswith(" ms")
    assert colours(page, "skeleton")[0] > 0.9  # the picture that was scored lies under it
    assert colours(page, "timeline")[0] > 0.5
    assert page.run("document.getElementById('verdict-card').hidden")
    page.click("#again")
    page.wait(f"{VISIBLE} === 'choose'")
    assert page.run("document.getElementById('video').srcObject") is None
    deadline = time.monotonic() + 30
    while app.state.desk._camera is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert app.state.desk._camera is None


@needs_model
def test_a_camera_that_is_pulled_out(start, app, monkeypatch):
    """The last picture does not stand there as if it were live; one on its way is no mistake."""
    page, push = start, CameraSession.push

    def slowly(session, *picture):
        time.sleep(0.3)  # so that one is on its way whenever the camera stops
        return push(session, *picture)

    monkeypatch.setattr(CameraSession, "push", slowly)
    page.click("#camera-button")
    page.wait("+document.getElementById('seen').dataset.moments > 3")
    page.run("page.camera.stream.getTracks().forEach("
             "track => { track.stop(); track.dispatchEvent(new Event('ended')); })")  # fmt: skip
    page.wait(f"{VISIBLE} === 'choose'")
    assert "The camera has stopped" in text(page, "error")
    time.sleep(0.5)  # until that one has been answered
    assert page.run("page.camera") is None
    page.click("#camera-button")  # plugged in again
    page.wait("+document.getElementById('seen').dataset.moments > 3")
    assert text(page, "error") == ""
    page.click("#again")
    page.wait(f"{VISIBLE} === 'choose'")


@needs_model
def test_by_keyboard_and_on_a_phone(start):
    """Tab reaches both ways in, with a ring to see; the first page fits a phone."""
    page = start
    page.press("Tab")
    assert page.run("document.activeElement.id") == "file"
    ring = page.run("getComputedStyle(document.querySelector('label[for=file]')).outlineStyle")
    assert ring == "solid"
    page.press("Tab")
    assert page.run("document.activeElement.id") == "camera-button"
    names = page.run(
        "[...document.querySelectorAll('button, input, canvas, progress')].map(e => e.id)"
    )
    assert set(names) >= {"file", "cancel", "play", "timeline", "saliency"}
    page.size(320, 640, phone=True)
    try:
        assert not too_wide(page)
        small = page.run(
            "[...document.querySelectorAll('.button')].filter(e => e.offsetHeight)"
            ".filter(e => e.offsetHeight < 44).length"
        )
        assert small == 0
    finally:
        page.size(1200, 900)


@needs_model
def test_without_the_token_there_is_no_page(page):
    page.go(page.address.split("?")[0])
    shown = page.wait("document.body && document.body.innerText")
    assert "token is missing" in json.loads(shown)["error"]
    assert np.all([e.get("source") == "network" for e in page.errors])


@needs_model
def test_several_labels_have_a_bar_and_a_row_each(tmp_path):
    from test_page import several_labels

    model, _ = several_labels()
    model.steps.insert(0, ("pose", PoseExtractor(MODEL)))
    video = write_video(tmp_path / "in.mp4", moving_astronaut(12)[0], fps=10)
    names = ["<b>trunk", "head forward"]
    with running(create_app(model, title="m", labels=names)) as address, open_page() as page:
        page.size(1200, 900)
        page.go(address)
        page.wait("document.body && document.body.dataset.ready")
        assert text(page, "calm-name") == "usual"
        assert text(page, "alert-name") == "<b>trunk or head forward"
        page.choose_file("#file", video)
        page.wait(f"{VISIBLE} === 'seen' || document.getElementById('error').textContent", 150)
        assert text(page, "error") == ""
        result = page.run("page.result")
        assert result["labels"] == names and len(result["cues"]) == 2
        assert text(page, "verdict") == result["verdict"]["label"]
        bars = page.run("[...document.querySelectorAll('#verdict-bars > span')].map("
                        "one => one.textContent)")  # fmt: skip
        assert bars[::2] == names and all("%" in bar for bar in bars[1::2])
        assert page.run("document.querySelectorAll('#verdict-bars .calm').length") == 0
        labels = page.run("[...document.querySelectorAll('#rows canvas')].map("
                          "one => one.getAttribute('aria-label'))")  # fmt: skip
        assert labels == [f"{name} over time" for name in names]
        painted = page.run("[...document.querySelectorAll('#rows canvas')].map(c => { const d = c"
                           ".getContext('2d').getImageData(0, 0, c.width, c.height).data; let n ="
                           " 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return 4 * n"
                           " / d.length; })")  # fmt: skip
        assert min(painted) > 0.3
        for frame in (0, len(result["times"]) - 1):
            page.run("document.getElementById('timeline').focus()")
            page.press("Home" if frame == 0 else "End")
            page.wait(f"+document.getElementById('seen').dataset.frame === {frame}")
            on = [name for name, cue in zip(names, result["cues"]) if cue[frame]]
            assert text(page, "cue-word") == (", ".join(on) or "usual")
        assert page.mistakes() == []
