"""A report in headless Chromium, on a phone: nothing is wider than the page but what scrolls."""

import pytest
from chromium import find_chromium, open_page

from skrehab.report import Section, Table, write_report

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium; apt-get install chromium"
)


def test_a_report_fits_a_phone(tmp_path):
    """Long file names break, captions are read without scrolling, unseen words take no room."""
    names = {f"a long heading {k}": f"the heading of column {k}" for k in range(6)}
    rows = [{key: k + 0.5 for key in names} for k in range(3)]
    last = list(names)[-1]
    table = Table(names, rows, "A caption that is longer than a phone is wide. " * 3, {last: "max"})
    path = write_report(tmp_path / "r.html", "x" * 80 + ".mp4", [Section("s", table=table)])
    with open_page() as page:
        page.size(390, 844, phone=True)
        page.go(path.resolve().as_uri())
        page.wait("document.readyState === 'complete' && !!document.querySelector('caption')")
        assert page.run("document.querySelector('table').offsetWidth") > 390
        assert page.run("document.querySelectorAll('.unseen').length") == 1
        assert page.run("document.documentElement.scrollWidth") == 390
        right = page.run(
            "(() => { const r = document.createRange(); "
            "r.selectNodeContents(document.querySelector('caption')); "
            "return r.getBoundingClientRect().right; })()"
        )
        assert right <= 390
