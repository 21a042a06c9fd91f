"""Pages that are made of what the package and its benchmarks know: which network, which error.

``generated/network_choice.inc`` joins the registry with ``benchmarks/results/networks.md``;
``generated/errors.inc`` lays ``docs/errors.toml`` out; ``generated/tripod.inc`` is the TRIPOD+AI
checklist of a small study that is run while the site is built.
"""

import importlib
import re
import tomllib
from pathlib import Path


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", write_choices)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_choices(app, config):
    """Write the include files; unchanged ones keep their time."""
    source = Path(app.srcdir)
    measured = (source.parent / "benchmarks/results/networks.md").read_text(encoding="utf-8")
    errors = tomllib.loads((source / "errors.toml").read_text(encoding="utf-8"))
    for name, text in {
        "network_choice": network_choice(measured),
        "errors": error_page(errors),
        "tripod": tripod_table(),
    }.items():
        target = source / "generated" / f"{name}.inc"
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def costs(markdown):
    """Read what each network costs from the table of the benchmark.

    Parameters
    ----------
    markdown : str
        ``benchmarks/results/networks.md``.

    Returns
    -------
    dict of str to list of str
        By network: input, parameters, batch, ms forward, ms training, MiB forward, MiB training.
    """
    rows = [line.strip("|").split("|") for line in markdown.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in row] for row in rows[2:]]
    return {row[0]: row[1:] for row in rows}


def network_choice(measured):
    """Return a table: for which data, size, time, memory, licence, weights."""
    networks = importlib.import_module("skrehab.networks")
    cost = costs(measured)
    date = re.search(r"Date: (.*)", measured)[1].strip()
    lines = []
    for kind, title in (("pose", "Over landmarks"), ("rgb", "Over pictures")):
        names = [name for name in networks.list_networks() if networks.get_spec(name).input == kind]
        names.sort(key=lambda name: float(cost[name][4]) if name in cost else 1e9)
        lines += [f".. rubric:: {title}, the quickest to train first", ""]
        lines += [".. list-table::", "   :header-rows: 1", "   :class: wide", ""]
        heads = ["name", "it expects", "parameters", "ms a trial", "training, MiB", "licence"]
        lines += [f"   {'*' if not i else ' '} - {head}" for i, head in enumerate(heads)]
        for name in names:
            spec = networks.get_spec(name)
            _, parameters, _, forward, training, _, memory = cost.get(name, ["", *[""] * 6])
            expects = expectation(spec)
            licence = spec.licence.replace("BSD-3-Clause; ", "")
            cells = [
                f"``{name}``", expects, parameters, f"{forward}; {training} to train", memory,
                licence,
            ]  # fmt: skip
            lines += [f"   {'*' if not i else ' '} - {cell}" for i, cell in enumerate(cells)]
        lines.append("")
    lines.append(
        f"*Sizes, times and memory: benchmarks/networks.py, {date}; a trial is 120 frames of 33 "
        "landmarks, or one clip; networks have two outputs; memory is that of a training step.*\n"
    )
    return "\n".join(lines)


def expectation(spec):
    """Say in a few words what a network wants to be given."""
    if spec.input == "rgb":
        return "clips of RGB frames; cut and scaled inside"
    if spec.skeleton == "any":
        return "any skeleton, trials of any length"
    return f"{spec.skeleton}, to which trials are converted"


def error_page(errors):
    """Return messages with cause and cure."""
    lines = []
    for group in errors["group"]:
        lines += [group["title"], "-" * len(group["title"]), ""]
        for error in group["error"]:
            cause, cure = (re.sub(r"(?<![:`])`([^`<]+)`(?!`)", r"``\1``", error[k])
                           for k in ("cause", "cure"))  # fmt: skip
            lines += [f"``{error['message']}``", f"   {cause}", "", f"   **Do:** {cure}", ""]
    return "\n".join(lines)


def tripod_table():
    """Return the checklist of a small study on synthetic patients, run now."""
    import warnings

    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from skrehab import KinematicMeasures, MovementSummary
    from skrehab.datasets import make_rehab_trials
    from skrehab.evaluation import evaluate_by_patient, tripod_checklist

    data = make_rehab_trials(6, 2, ["brush_hair", "wash_face"], strength=2.0, random_state=0)
    model = make_pipeline(
        KinematicMeasures(frame_rate=data.frame_rate),
        MovementSummary("mediapipe33_measures", frame_rate=data.frame_rate),
        SimpleImputer(), StandardScaler(), LogisticRegression(C=0.1, max_iter=1000),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = evaluate_by_patient(
            {"measures": model}, data.X, data.y, data.groups, exercise=data.exercise,
            frame_rate=data.frame_rate,
        )  # fmt: skip
    answers = {"5a": "Synthetic patients; representative of nobody.", "17": "Nobody was filmed."}
    who = {"run": "run", "authors": "authors", "open": "*yours to say*"}
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 8 34 14 44", ""]
    lines += ["   * - item", "     - it asks for", "     - said by", "     - filled in"]
    for row in tripod_checklist(study, answers):
        lines += [f"   * - {row['item']}", f"     - {row['asks']}", f"     - {who[row['source']]}"]
        lines += [f"     - {row['text']}".rstrip()]
    return "\n".join(lines) + "\n"
