"""The labelling page in headless Chromium, by its keys alone."""

import csv
import time

import pytest
from chromium import find_chromium, open_page
from media import corners, write_video

pytest.importorskip("fastapi", reason="the page needs skrehab[serve]")
from test_page_in_browser import running, too_wide

from skrehab.datasets import load_manifest
from skrehab.serve import create_label_app

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium; apt-get install chromium"
)


def test_two_trials_by_keys_alone(tmp_path):
    for name in "ab":
        write_video(tmp_path / f"{name}.mp4", [corners()] * 30, fps=10)
    manifest = tmp_path / "trials.csv"
    manifest.write_text("trial,path,patient,label\n<b>one,a.mp4,,\ntwo,b.mp4,,\n")

    def saved():
        with manifest.open() as file:
            return list(csv.DictReader(file))

    def until(condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, saved()
            time.sleep(0.05)

    app = create_label_app(manifest, ["usual", "leans", "shrugs"])
    with running(app) as address, open_page() as page:
        page.size(1200, 900)
        page.go(address)
        page.wait("document.body && document.body.dataset.ready")
        text = "document.getElementById('{}').textContent".format
        assert page.run(text("trial")) == "<b>one" and "1 of 2, 0 labelled" in page.run(
            text("progress")
        )
        page.wait("document.getElementById('video').readyState >= 2")

        def to(seconds):
            now = "document.getElementById('video')"
            page.press("Home")
            page.wait(f"!{now}.seeking && {now}.currentTime === 0")
            for _ in range(round(30 * seconds)):
                before = page.run(f"{now}.currentTime")
                page.press("ArrowRight")
                page.wait(f"!{now}.seeking && {now}.currentTime > {before}")

        # label and patient
        page.press("2")
        until(lambda: saved()[0]["label"] == "leans")
        page.press("p")
        assert page.run("document.activeElement.id") == "patient"
        page.send("Input.insertText", text="Anna 2")  # a digit there is no label
        page.press("Enter")
        until(lambda: saved()[0]["patient"] == "Anna 2")
        assert saved()[0]["label"] == "leans"
        # a segment by in and out marks, one ended by a number, one taken back
        to(0.2)
        page.press("i")
        assert "from 0.2" in page.run(text("mark"))
        to(0.6)
        page.press("o")
        until(lambda: saved()[0]["frame_labels"] == "_b_one_labels.csv")
        to(0.8)
        page.press("i")
        to(1.0)
        page.press("3")
        table = tmp_path / "_b_one_labels.csv"
        until(lambda: table.read_text().count("\n") == 3)
        to(1.2)
        page.press("i")
        to(1.3)
        page.press("2")
        until(lambda: table.read_text().count("\n") == 4)
        page.press("Backspace")
        until(lambda: table.read_text().count("\n") == 3)
        # an end before its start is refused
        page.press("i")
        page.press("Home")
        page.wait("document.getElementById('video').currentTime === 0")
        page.press("o")
        page.wait("document.getElementById('error').textContent.includes('ends after it starts')")
        page.press("Backspace")  # the mark goes, the segments stay
        assert table.read_text().count("\n") == 3 and page.run(text("mark")) == ""
        # Enter goes to the next one without a label
        page.press("Enter")
        page.wait("document.getElementById('label').dataset.trial === '1'")
        page.press("1")
        until(lambda: saved()[1]["label"] == "usual")
        page.press("p")
        page.send("Input.insertText", text="Ben")
        page.press("Enter")
        until(lambda: saved()[1]["patient"] == "Ben")
        # the exercise by its key; what other rows have is offered, and sides always
        page.press("e")
        page.send("Input.insertText", text="1 reach")
        page.press("Tab")
        assert page.run("document.activeElement.id") == "side"
        page.send("Input.insertText", text="left")
        page.press("Enter")
        until(lambda: (saved()[1]["exercise"], saved()[1]["side"]) == ("1 reach", "left"))
        offered = "[...document.querySelectorAll('#{}-known option')].map(o => o.value)"
        assert page.run(offered.format("exercise")) == ["1 reach"]
        assert page.run(offered.format("side")) == ["left", "right"]
        assert "2 of 2, 2 labelled" in page.run(text("progress"))
        page.press("b")
        page.wait("document.getElementById('label').dataset.trial === '0'")
        assert page.run("document.querySelectorAll('#segments li').length") == 2
        pressed = "document.querySelector('[aria-pressed=true]').innerText"
        assert page.run(pressed).split() == ["2", "leans"]
        # Space plays and stops
        page.press(" ", "Space", " ")
        page.wait("!document.getElementById('video').paused")
        page.press(" ", "Space", " ")
        page.wait("document.getElementById('video').paused")
        page.size(360, 740, phone=True, scale=2)
        assert not too_wide(page)
        host = address.split("/?")[0]
        assert all(url.startswith((host, "data:,", "about:")) for url in page.requested())
        assert page.mistakes() == []

    rows = list(csv.DictReader(table.open()))
    assert [row["label"] for row in rows] == ["leans", "shrugs"]
    times = [(float(row["start"]), float(row["stop"])) for row in rows]
    assert times == [
        (pytest.approx(0.2, abs=0.02), pytest.approx(0.6, abs=0.02)),
        (pytest.approx(0.8, abs=0.02), pytest.approx(1.0, abs=0.02)),
    ]
    data = load_manifest(manifest, normal_label="usual", alike="different")
    assert data.y.tolist() == ["leans", "usual"] and data.groups.tolist() == ["Anna 2", "Ben"]
    assert [label for *_, label in data.frame_intervals[0]] == ["leans", "shrugs"]


@pytest.fixture
def manifest(tmp_path):
    for name in "ab":
        write_video(tmp_path / f"{name}.mp4", [corners()] * 30, fps=10)
    path = tmp_path / "trials.csv"
    path.write_text("trial,path,patient,label\none,a.mp4,,\ntwo,b.mp4,,\n")
    return path


def rows_of(manifest):
    with manifest.open() as file:
        return list(csv.DictReader(file))


def reach(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def opened(page, address):
    page.go("about:blank")
    page.go(address)
    page.wait("document.body && document.body.dataset.ready")
    page.wait("document.getElementById('video').readyState >= 2")


def test_by_mouse_alone(manifest):
    app = create_label_app(manifest, ["usual", "leans"])
    with running(app) as address, open_page() as page:
        page.size(390, 844, phone=True)
        opened(page, address)
        page.click("#keys li:nth-child(2) button")
        reach(lambda: rows_of(manifest)[0]["label"] == "leans")
        page.click("#segment")
        page.click("#strip")
        page.wait("document.getElementById('video').currentTime > 1")
        page.click("#segment")
        reach(lambda: rows_of(manifest)[0]["frame_labels"])
        table = manifest.parent / rows_of(manifest)[0]["frame_labels"]
        assert table.read_text().endswith("leans\n") and table.read_text().startswith("start")
        page.click("#segments li button")
        reach(lambda: table.read_text() == "start,stop,label\n")
        page.click("#play")
        page.wait("document.getElementById('play').textContent === 'Stop'")
        # a name that is being typed belongs to the trial that is left
        page.click("#patient")
        page.send("Input.insertText", text="\u200fP01 ")  # with a mark that cannot be seen
        page.click("#next")
        page.wait("document.getElementById('label').dataset.trial === '1'")
        reach(lambda: rows_of(manifest)[0]["patient"] == "P01")
        assert page.run("document.getElementById('patient').value") == ""
        assert page.run("document.querySelector('#patient-known option').value") == "P01"
        assert rows_of(manifest)[1]["patient"] == ""
        said = page.run("document.getElementById('progress').textContent")
        assert said == "2 of 2, 1 labelled, 1 without a patient"
        page.click("#keys li:nth-child(1) button")
        page.click("#patient")
        page.send("Input.insertText", text="P02")
        page.wait("!document.getElementById('done').hidden")  # kept while it is typed
        assert '--normal-label "usual"' in page.run("document.getElementById('done').textContent")
        assert not too_wide(page)
        assert page.mistakes() == []


def test_a_page_loaded_again_loses_no_name(manifest):
    with running(create_label_app(manifest)) as address, open_page() as page:
        opened(page, address)
        page.press("p")
        page.send("Input.insertText", text="P07")
        page.send("Page.reload")  # at once, the field was not left
        reach(lambda: rows_of(manifest)[0]["patient"] == "P07")


def test_two_windows(manifest):
    """The second window is told what the first did, and shows it."""
    with running(create_label_app(manifest)) as address, open_page() as one, open_page() as two:
        opened(one, address)
        opened(two, address)
        one.press("2")
        reach(lambda: rows_of(manifest)[0]["label"] == "compensation")
        two.press("1")
        said = two.wait("document.getElementById('error').textContent")
        assert "changed in another window" in said
        assert rows_of(manifest)[0]["label"] == "compensation"
        shown = "document.querySelector('[aria-pressed=true]')?.innerText.split(/\\s+/)[1]"
        two.wait(f"{shown} === 'compensation'")
        two.press("1")
        reach(lambda: rows_of(manifest)[0]["label"] == "usual")


def test_what_is_not_saved_does_not_look_saved(manifest):
    with open_page() as page:
        with running(create_label_app(manifest)) as address:
            opened(page, address)
        page.press("2")
        page.wait("document.getElementById('saved').textContent === 'Not saved.'")
        page.wait("!document.querySelector('[aria-pressed=true]')")
        assert "does not answer" in page.run("document.getElementById('error').textContent")
    assert rows_of(manifest)[0]["label"] == ""
