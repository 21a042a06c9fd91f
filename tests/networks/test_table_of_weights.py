"""The page on published weights says something of every network that the code bears out."""

import pathlib
import re
from fnmatch import fnmatch

from skrehab.networks import get_spec, list_networks

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "guide" / "pretrained.rst"
COLUMNS = ["network", "files", "what they read", "licence", "left new", "known by"]


def rows():
    """Cells of the table, one list a row, lines joined."""
    tables = PAGE.read_text(encoding="utf-8").split(".. list-table::")[1:]
    (table,) = (one.partition("\n**Mind")[0] for one in tables if "\n   * - network" in one)
    found = []
    for block in re.split(r"\n   \* - ", table)[1:]:
        cells = re.split(r"\n     - ?", block)
        found.append([" ".join(cell.split()) for cell in cells])
    return found


def names(cell):
    return re.findall(r"``([a-z0-9_]+)``", cell)


def test_every_network_stands_there_once():
    head, *body = rows()
    assert all(cell.startswith(name) for cell, name in zip(head, COLUMNS, strict=True))
    listed = [name for row in body for name in names(row[0])]
    ours = [n for n in list_networks() if isinstance(get_spec(n).builder, str)]
    assert sorted(listed) == sorted(ours)


def test_each_row_says_files_input_licence_what_is_new_and_how_that_is_known():
    for row in rows()[1:]:
        assert len(row) == len(COLUMNS), row
        if row[1].startswith("none"):
            assert not any(row[2:])
            continue
        assert all(row), row
        assert row[5] in ("file", "outputs", "names")
        said = re.findall(r"``([a-z0-9_.*]+)``", row[4])
        for name in names(row[0]):
            head = get_spec(name).head
            assert any(fnmatch(head, one + "*") for one in said), (name, head, said)


def test_licences_are_those_of_the_registry():
    """What the table calls restricted is restricted in 'skrehab models list', too."""
    for row in rows()[1:]:
        for name in names(row[0]):
            registered = get_spec(name).licence
            for word in ("CC BY-NC", "research and education", "GPLv3"):
                if word in registered:
                    assert word in row[3], (name, registered)
