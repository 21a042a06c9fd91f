"""What becomes of damaged, odd and wrong inputs: a right result, or a clear error.

The cases are those of the tests (tests/support/bad_input_cases): each makes an item, uses it, and
says what must come of it. "Right result" means that the result was compared with what is known of
the input, "clear error" that the error is of the promised kind and names the item, "failed" is all
else: a wrong result, silence, another error, a hang. Damage in this battery is made, not met: it
says nothing of how often such files occur.
"""

import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests" / "support"
sys.path.insert(0, str(TESTS))

from _report import markdown_table, write_report  # noqa: E402
from bad_input_cases import CASES  # noqa: E402

OUTCOMES = ("right result", "clear error", "skipped", "failed")
LONGEST = 150  # characters of a message


def run_all():
    """Run each case in a folder of its own; return rows (case, outcome, what to show)."""
    rows = []
    for i, case in enumerate(CASES):
        with tempfile.TemporaryDirectory(prefix="skrehab-bad-", ignore_cleanup_errors=True) as name:
            outcome = case.run(Path(name))
            said = outcome.said.replace(f"{name}/", "").replace(name, ".")
            said = re.sub(r"/\S*/skrehab-closed-\w+/", "", said)
        rows.append((case, outcome.what, said))
        print(f"{i + 1:4} of {len(CASES)}: {case.group}: {case.name}: {outcome.what}", flush=True)
    return rows


def shown(text):
    """Fit a text into a cell of a markdown table."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def main():
    """Run the cases and write the tables."""
    start = time.perf_counter()
    rows = run_all()
    seconds = time.perf_counter() - start
    counts = {case.group: Counter() for case, *_ in rows}
    for case, what, _ in rows:
        counts[case.group][what] += 1
    table = [
        {"group": group, "cases": found.total(), **{what: found[what] for what in OUTCOMES}}
        for group, found in counts.items()
    ]
    total = sum(counts.values(), Counter())
    table.append(
        {"group": "**all**", "cases": total.total(), **{what: total[what] for what in OUTCOMES}}
    )
    each = [
        {
            "group": case.group,
            "case": shown(case.name),
            "outcome": what if what != "failed" else "**failed**",
            "what came of it": shown(said),
        }
        for case, what, said in rows
    ]
    write_report(
        "bad_inputs",
        table,
        __doc__,
        packages=("numpy", "av", "mediapipe", "scikit-learn"),
        notes=f"All of them take {seconds:.0f} s. Each on its own:\n\n{markdown_table(each)}",
    )
    sys.exit(1 if total["failed"] else 0)


if __name__ == "__main__":
    main()
