"""The two tables of MuscleMap: which clip shows which activity, which muscles that needs."""

from typing import NamedTuple

from skrehab.datasets._manifest_rows import Problems
from skrehab.datasets._tables import open_table, to_whole
from skrehab.muscles import NEW_ACTIVITIES, plain_name

__all__ = ["check_rows", "choose", "existing_table", "new_activities", "read_clips", "read_muscles"]

SPLITS = ("train", "known_val", "new_val", "known_test", "new_test")


# what tables often have besides, and would count as one muscle more
_NO_MUSCLES = {"id", "index", "no", "nr", "n", "number", "row", "clip", "clips", "split", "count"}
_NO_MUSCLES |= {"name", "label", "class", "notes", "comment", "unnamed: 0", "unnamed 0"}


class Row(NamedTuple):
    number: int  # as a spreadsheet shows it
    clip: str
    activity: str
    split: str  # in our words, or as it stands where it is none of them


def existing_table(root, name):
    if not (root / name).is_file():
        raise FileNotFoundError(
            f"MuscleMap: there is no {root / name}. The layout is described at load_musclemap."
        )
    return root / name


def _open(path, needed):
    try:
        header, table, _ = open_table(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error
    titles = [title.lower() for title in header]
    wrong = [name for name in needed if titles.count(name) != 1]
    if wrong:
        raise ValueError(
            f"{path}: the header must have one column {wrong[0]!r}, it has {header}. Needed are "
            f"{', '.join(needed)}."
        )
    if not table:
        raise ValueError(f"{path}: there is no row under the header.")
    return header, titles, table


def read_muscles(path):
    """Names of the muscle groups, and each activity's labels by its plain name."""
    header, titles, table = _open(path, ("activity",))
    at = titles.index("activity")
    muscles = [name for i, name in enumerate(header) if i != at]
    if not muscles or not all(muscles) or len({plain_name(m) for m in muscles}) < len(muscles):
        raise ValueError(
            f"{path}: every column but 'activity' must name one muscle group, got {muscles}."
        )
    others = [name for name in muscles if plain_name(name) in _NO_MUSCLES]
    if others:
        raise ValueError(
            f"{path}: column {others[0]!r} is no muscle group; remove it. Every column but "
            "'activity' is one."
        )
    problems, labels = Problems(path), {}
    for number, cells in table:
        row = Row(number, "", cells[at], "")
        values = [cell for i, cell in enumerate(cells) if i != at]
        numbers = [to_whole(cell) for cell in values]
        bad = [(m, v) for m, v, n in zip(muscles, values, numbers) if n not in (0, 1)]
        for muscle, value in bad:
            problems.add(row, muscle, f"{value!r} is neither 0 nor 1")
        name = plain_name(row.activity)
        if not name:
            problems.add(row, "activity", "is empty")
        elif name in labels:
            problems.add(row, "activity", f"{row.activity!r} has a row already; keep one")
        labels[name] = numbers
    problems.stop()
    return muscles, labels


def read_clips(path):
    _, titles, table = _open(path, ("clip", "activity"))
    has_split = "split" in titles
    rows = []
    for number, cells in table:
        cell = dict(zip(titles, cells))
        clip = cell["clip"].replace("\\", "/")  # written on Windows
        rows.append(Row(number, clip, cell["activity"], _split_name(cell.get("split", ""))))
    return rows, has_split


def _split_name(cell):
    """One of our names of splits, or the cell as it is."""
    words = set(plain_name(cell).split())
    if words in ({"train"}, {"training"}):
        return "train"
    for kind, names in (("known", {"known", "seen"}), ("new", {"new", "unseen"})):
        for part, others in (("val", {"val", "valid", "validation"}), ("test", {"test"})):
            if len(words) == 2 and words & names and words & others:
                return f"{kind}_{part}"
    return cell


def check_rows(rows, has_split, labels, problems):
    seen = {}
    for row in rows:
        parts = row.clip.split("/")
        if not row.clip:
            problems.add(row, "clip", "is empty")
        elif row.clip.startswith("/") or ":" in row.clip or {"", ".", ".."} & set(parts):
            problems.add(row, "clip", f"{row.clip!r} must be a path below clips/")
        first = seen.setdefault(row.clip, row)
        if first is not row:
            problems.add(row, "clip", f"{row.clip} is in row {first.number} already; keep one")
        if plain_name(row.activity) not in labels:
            problems.add(row, "activity", f"{row.activity!r} has no row in muscles.csv")
        if has_split and row.split not in SPLITS:
            problems.add(row, "split", f"{row.split!r} is none of {', '.join(SPLITS)}")
    trained = {plain_name(row.activity): row for row in reversed(rows) if row.split == "train"}
    for row in rows:
        known = trained.get(plain_name(row.activity))
        if row.split.startswith("new_") and known:
            problems.add(
                row,
                "split",
                f"{row.activity!r} is new here and trained on in row {known.number}; what is new "
                "must not be in train",
            )
        if row.split.startswith("known_") and trained and not known:
            problems.add(row, "split", f"{row.activity!r} is known here, but no row trains on it")


def choose(split, rows, has_split, table):
    if split is None:
        return rows
    if not has_split:
        raise ValueError(
            f"{table} has no column split, so there is no split {split!r}. Leave split=None and "
            "divide with skrehab.evaluation.known_new_split."
        )
    wanted = [split] if isinstance(split, str) else list(split)
    names = {_split_name(name) for name in wanted}
    known = [name for name in SPLITS if any(row.split == name for row in rows)]
    missing = sorted(names - set(known))
    if missing or not names:
        raise ValueError(f"{table} has no split {', '.join(missing) or '[]'}; it has {known}.")
    return [row for row in rows if row.split in names]


def new_activities(rows, has_split):
    names = dict.fromkeys(row.activity for row in rows)
    if has_split:
        new = {plain_name(row.activity) for row in rows if row.split.startswith("new_")}
    else:
        new = {plain_name(name) for name in NEW_ACTIVITIES}
    return [name for name in names if plain_name(name) in new]
