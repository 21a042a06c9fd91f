"""The offline report: self-contained, escaped, accessible, readable in light and dark."""

import base64
import html.parser
import io
import re

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from colours import contrast

from skrehab.inspection import FrameTimelineDisplay
from skrehab.report import Figure, Section, Table, render_report, write_report
from skrehab.report.style import STYLE

NASTY = "</style><script>alert(\"x\")</script> & <img src=http://example.org/x.png onerror='y'>"


@pytest.fixture
def display():
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    yield FrameTimelineDisplay.from_predictions([0.1, 0.8, 0.9, 0.3])
    plt.close("all")


class Page(html.parser.HTMLParser):
    """Read a page strictly: what is in it, and whether every element is closed."""

    VOID = {"meta", "img", "br", "link", "input"}

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and data.strip():
            self.texts.append((self.open[-1], data))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag):
        return [text for name, text in self.texts if name == tag]


def everything_nasty(display):
    return render_report(
        NASTY,
        [
            Section(
                NASTY,
                [NASTY, "two\n\nparagraphs"],
                table=Table({"a": NASTY, "b": "n"}, [{"a": NASTY, "b": 1.5}], NASTY),
                figures=[Figure(display, NASTY, NASTY)],
                code=NASTY,
            )
            for _ in range(3)
        ],
        subtitle=NASTY,
        highlights={NASTY: NASTY},
        footer=NASTY,
        lang='"><b>',
    )


def test_everything_given_is_escaped(display):
    page = Page(everything_nasty(display))
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "b", "link", "iframe", "object", "svg"}
    assert len(page.all("style")) == 1 and len(page.all("img")) == 3
    assert all(image["alt"] == NASTY for image in page.all("img"))
    assert not any(name.startswith("on") for _, a in page.elements for name in a)
    assert page.all("html")[0]["lang"] == '"><b>'
    assert page.text("h1") == [NASTY] and page.text("caption") == [NASTY] * 3


def test_nothing_is_fetched(display):
    text = everything_nasty(display)
    page = Page(text)
    for tag, attributes in page.elements:
        for name in ("src", "href", "data", "action", "poster", "srcset", "background"):
            value = attributes.get(name, "#")
            assert value.startswith(("#", "data:image/")), (tag, name, value[:40])
        assert "style" not in attributes
    plain = render_report("t", [Section("s", "x", figures=[Figure(display, "c", "a")])])
    assert "http:" not in plain and "https:" not in plain and "//" not in STYLE
    assert "url(" not in STYLE and "@import" not in STYLE
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert "default-src 'none'" in policy and "img-src data:" in policy


def test_pictures_can_be_decoded_and_keep_their_size(display, tmp_path):
    image = matplotlib.image
    png = tmp_path / "given.png"
    image.imsave(png, np.zeros((10, 24, 3)))
    jpeg = io.BytesIO()
    display.figure_.savefig(jpeg, format="jpeg")
    figures = [
        Figure(display, "a display", "curve"),
        Figure(display.figure_, "its figure", "curve", dpi=80),
        Figure(png, "a file", "black"),
        Figure(png.read_bytes(), "bytes", "black"),
        Figure(jpeg.getvalue(), "a photo", "curve"),
    ]
    images = Page(render_report("t", [Section("s", figures=figures)])).all("img")
    assert len(images) == 5
    shapes = []
    for attributes in images:
        kind, data = re.fullmatch(r"data:image/(\w+);base64,(.*)", attributes["src"]).groups()
        shapes.append(image.imread(io.BytesIO(base64.b64decode(data, validate=True)), kind).shape)
    assert shapes[2][:2] == shapes[3][:2] == (10, 24)
    assert images[2]["width"] == "24" and images[2]["height"] == "10"
    # twice the resolution is the same size on the page
    assert shapes[0][1] == pytest.approx(2 * shapes[1][1], rel=0.01)
    assert int(images[0]["width"]) == pytest.approx(int(images[1]["width"]), rel=0.01)
    assert "wide" in images[0]["class"] and "class" not in images[2]
    assert [t for t in Page(render_report("t", [Section("s", figures=figures)])).text("figcaption")]


def test_table_aligns_formats_and_emphasises():
    table = Table(
        {"method": "Method", "auc": "AUC", "ms": "ms", "n": "n", "ok": "done"},
        [
            {"method": "AcT", "auc": (0.724, 0.1), "ms": 1.26, "n": 1260, "ok": True},
            {"method": "LSTM", "auc": (0.721, np.nan), "ms": -0.5, "n": None, "ok": False},
            {"method": "none", "auc": (np.float32("nan"), None), "n": np.int64(3)},
        ],
        "A caption",
        best={"auc": "max", "ms": "min"},
        formats={"auc": ".2f"},
    )
    text = render_report("t", [Section("s", table=table)])
    page = Page(text)
    assert page.text("caption") == ["A caption"]
    heads = page.all("th")
    assert [head.get("scope") for head in heads] == ["col"] * 5 + ["row"] * 3
    assert [head.get("class") for head in heads[:5]] == [None, "number", "number", "number", None]
    # 0.724 and 0.721 read the same, so both are best; an undefined mean never is
    assert page.text("strong") == ["0.72 ± 0.10", "0.72", "\N{MINUS SIGN}0.500"]
    cells = page.text("td")
    assert cells == ["1.260", "1,260", "yes", "no", "3"]
    assert text.count(">undefined<") == 4
    assert "nan" not in re.sub("<style>.*?</style>", "", text, flags=re.S).lower()


def test_table_of_nothing_and_wrong_columns():
    empty = Table(["a"], [], "Nothing yet", best={"a": "max"})
    assert Page(render_report("t", [Section("s", table=empty)])).text("caption") == ["Nothing yet"]
    for table, message in (
        (
            Table(["a"], [{"a": 1}], "T", best={"b": "max"}),
            r"'T' has no column 'b'; it has \['a'\]",
        ),
        (Table(["a"], [{"a": 1}], "T", formats={"b": ".2f"}), "no column 'b'"),
        (Table(["a"], [{"a": 1}], "T", best={"a": "most"}), "'max' or 'min', got 'most'"),
    ):
        with pytest.raises(ValueError, match=message):
            render_report("t", [Section("s", table=table)])


def test_sections_are_linked_and_addresses_differ():
    titles = ["Results", "Results-3", "Results", "Results", "???"]
    page = Page(render_report("t", [Section(title, "x") for title in titles]))
    ids = [attributes["id"] for attributes in page.all("section")]
    assert len(set(ids)) == 5 and all(re.fullmatch(r"[a-z0-9-]+", i) for i in ids)
    assert [a["href"] for a in page.all("a")] == [f"#{i}" for i in ids]
    labelled = {attributes["aria-labelledby"] for attributes in page.all("section")}
    assert labelled == {attributes["id"] for attributes in page.all("h2")}
    # two sections need no table of contents
    assert not Page(render_report("t", [Section("a"), Section("b")])).all("nav")


def test_text_becomes_paragraphs_and_code_stays_as_it_is():
    section = Section("s", "one\ntwo\n\n\nthree", code="  a < b\n    c")
    page = Page(render_report("t", section, subtitle="lead", footer="end"))
    assert page.text("p") == ["lead", "one\ntwo", "three", "end"]
    assert page.text("code") == ["a < b\n    c"]


def test_highlights_keep_name_and_value_together():
    page = Page(render_report("t", [], highlights={"AUC": (0.7241, 0.1), "trials": 1260, "x": "y"}))
    assert page.text("dt") == ["AUC", "trials", "x"]
    assert page.text("dd") == ["0.72 ± 0.10", "1,260", "y"]


def test_document_basics(tmp_path):
    path = write_report(tmp_path / "new" / "r.html", "Tést — 5 ≥ 4", [Section("s", "ü")], lang="pt")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert text.startswith("<!doctype html>")
    assert page.all("html") == [{"lang": "pt"}]
    assert {"charset": "utf-8"} in page.all("meta")
    assert page.text("title") == page.text("h1") == ["Tést — 5 ≥ 4"]
    assert len(page.all("main")) == len(page.all("h1")) == 1


def test_wrong_figures_are_named(tmp_path):
    broken = tmp_path / "no.png"
    broken.write_bytes(b"not a picture")
    for figure, message in (
        (Figure(broken, "F1", "x"), "'F1' is neither a PNG nor a JPEG"),
        (Figure(3, "F2", "x"), "'F2' must be a matplotlib figure.*got int"),
        (Figure(broken, "F3", " "), "'F3' needs alt"),
    ):
        with pytest.raises(ValueError, match=message):
            render_report("t", [Section("s", figures=[figure])])
    with pytest.raises(ValueError, match="takes Figure objects, got bytes"):
        render_report("t", [Section("s", figures=[b"x"])])
    with pytest.raises(FileNotFoundError):
        render_report("t", [Section("s", figures=Figure(tmp_path / "gone.png", "F", "x"))])


def test_text_is_readable_in_every_scheme():
    schemes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", STYLE, flags=re.S)
    ]
    assert len(schemes) == 3  # light, dark, print
    assert "prefers-color-scheme: dark" in STYLE and "@media print" in STYLE
    for colours in schemes:
        for text in ("ink", "muted", "accent"):
            for ground in ("page", "card"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground, colours)
        assert contrast(colours["ink"], colours["best"]) >= 4.5
    assert contrast(schemes[1]["page"], "#ffffff") > 10  # the second one is dark
    # figures are drawn on white: their card is white in the dark, too
    assert re.search(r"img \{[^}]*background: #ffffff", STYLE)
