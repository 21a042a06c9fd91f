"""Pages made from the code at build time: API tables, the networks table, the contributing page.

They are written to ``docs/generated`` before Sphinx looks for documents, so that a new public
function or network shows up without anyone editing a page.
"""

import importlib
import inspect
import re
import tomllib
from pathlib import Path

# module -> title; the order of the pages. Everything in a module's __all__ is listed.
MODULES = {
    "skrehab": "Estimators, Displays, save and load",
    "skrehab.datasets": "Data sets",
    "skrehab.pose": "From videos to poses",
    "skrehab.formats": "Files of other programs",
    "skrehab.preprocessing": "Poses mended, and movement features",
    "skrehab.networks": "Networks by name",
    "skrehab.networks.weights": "Published weights",
    "skrehab.saliency": "Where a network looked",
    "skrehab.pseudo_labels": "Pseudo-labels",
    "skrehab.metrics": "Metrics and scorers",
    "skrehab.evaluation": "Reports by patient",
    "skrehab.recipes": "Pipelines by name",
    "skrehab.assessment": "A model on one video",
    "skrehab.live": "Scores while the patient moves",
    "skrehab.serve": "The page in the browser",
    "skrehab.report": "Offline reports",
    "skrehab.persistence": "Models on disk, and hubs",
    "skrehab.onnx": "ONNX",
    "skrehab.cli.demo_run": "The demo",
    "skrehab.cli.demo_report": "The demo's report",
    "skrehab.trials": "The trial contract",
    "skrehab.skeletons": "Skeletons",
    "skrehab.muscles": "Muscle groups",
    "skrehab.adaptation": "One patient, calibration, alarms",
    "skrehab.multilabel": "Several labels a trial",
    "skrehab.fusion": "RGB and skeleton together",
    "skrehab.linear": "Ridges in closed form",
    "skrehab.training.batching": "Batches",
    "skrehab.training.clips": "RGB clips",
    "skrehab.training.motion": "What moves in clips",
    "skrehab.training.changes": "Changes of poses",
    "skrehab.training.clip_changes": "Changes of clips, and views",
    "skrehab.training.plans": "From augment to changes",
    "skrehab.training.modalities": "RGB and skeleton in a batch",
    "skrehab.training.loop": "Training loop",
    "skrehab.training.schedules": "Learning rates",
    "skrehab.training.validation": "What early stopping holds out",
    "skrehab.training.finetuning": "Fine-tuning",
    "skrehab.training.embeddings": "Features of networks",
    "skrehab.training.estimator": "What estimators around a network share",
    "skrehab.pretraining.tasks": "Pretext tasks",
    "skrehab.pretraining.network": "Networks of the pretext tasks",
    "skrehab.pretraining.loop": "Training on pretext tasks",
    "skrehab.pretraining.checkpoints": "Checkpoints",
    "skrehab.quality.ablations": "Ablations of quality scores",
    "skrehab.quality.streams": "Two streams",
    "skrehab.pretraining.going_on": "From one stage of pretraining to the next",
    "skrehab.quality.losses": "Losses of quality scores",
    "skrehab.quality.heads": "Heads of quality scores",
}


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_pages(app, config):
    """Write every generated page; unchanged files keep their time, so that rebuilds stay quick."""
    folder = Path(app.srcdir) / "generated"
    for stub in folder.glob("skrehab.*.rst"):  # autosummary writes them anew; old ones are orphans
        stub.unlink()
    for name, title in MODULES.items():
        _write(folder / f"api_{name.replace('.', '_')}.rst", api_page(name, title))
    _write(folder / "networks.inc", networks_table())
    _write(folder / "api_by_task.inc", api_by_task())
    _write(folder / "floors.inc", floors_table(Path(app.srcdir) / "floors.toml"))
    text = (Path(app.srcdir).parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _write(folder / "contributing.inc", markdown_to_rst(text))


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


# --- API ------------------------------------------------------------------------------------------
def api_page(name, title):
    """Return the page of one module: its docstring, and a table of what it offers."""
    module = importlib.import_module(name)
    if name == "skrehab.networks":
        objects = [*module.__all__, *_network_classes()]
    elif name == "skrehab":
        objects = sorted(module._PUBLIC, key=list(module._PUBLIC).index)
    else:
        own = importlib.import_module("skrehab")._PUBLIC
        objects = [item for item in module.__all__ if item not in own]
    functions = [item for item in objects if inspect.isroutine(_get(module, item))]
    classes = [item for item in objects if inspect.isclass(_get(module, item))]
    data = [item for item in objects if item not in functions and item not in classes]
    lines = [title, "=" * len(title), "", f".. module:: {name}", ""]
    if name == "skrehab":
        lines += ["These import from :mod:`skrehab` itself.", ""]
    else:
        lines += [inspect.cleandoc(module.__doc__ or ""), ""]
    lines += [f".. currentmodule:: {name}", ""]
    for heading, items in (("Classes", classes), ("Functions", functions), ("Data", data)):
        if items:
            lines += [f".. rubric:: {heading}", "", ".. autosummary::", "   :toctree: .", ""]
            lines += [f"   {item}" for item in items] + [""]
    return "\n".join(lines)


def _get(module, dotted):
    thing = module
    for part in dotted.split("."):
        try:
            thing = getattr(thing, part)
        except AttributeError:
            thing = importlib.import_module(f"{thing.__name__}.{part}")
    return thing


def _network_classes():
    """Name the classes behind the registry, relative to skrehab.networks, and the frame network."""
    networks = importlib.import_module("skrehab.networks")
    classes = [networks.get_spec(name).load() for name in networks.list_networks()]
    classes.append(importlib.import_module("skrehab.networks.sequence.mlp").MLP)
    names = [f"{cls.__module__}.{cls.__qualname__}" for cls in classes]
    return [name.removeprefix("skrehab.networks.") for name in dict.fromkeys(names)]


def api_by_task():
    """Return every public object with its first sentence, under the title of its module."""
    lines = []
    for name, title in MODULES.items():
        module = importlib.import_module(name)
        own = importlib.import_module("skrehab")._PUBLIC
        names = own if name == "skrehab" else [item for item in module.__all__ if item not in own]
        if not names:
            continue
        page = f"generated/api_{name.replace('.', '_')}"
        link = f":doc:`{title} <{page}>`"
        lines += [link, "-" * len(link), ""]
        lines += [".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   ~{name}.{item}" for item in names] + [""]
    return "\n".join(lines)


# --- floors ---------------------------------------------------------------------------------------
def floors_table(file):
    """Return the map of the code, top floor first, as docs/floors.toml has it."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 22 30 48", ""]
    lines += ["   * - floor", "     - rooms", "     - what they hold"]
    floors = tomllib.loads(file.read_text(encoding="utf-8"))["floor"]
    for height, floor in sorted(enumerate(floors, 1), reverse=True):
        for i, row in enumerate(floor["row"]):
            rooms = ", ".join(f"``{room}``" for room in row["rooms"])
            lines += [f"   * - {'' if i else str(height) + ', ' + floor['name']}"]
            lines += [f"     - {rooms}", f"     - {row['holds']}"]
    return "\n".join(lines) + "\n"


# --- networks -------------------------------------------------------------------------------------
def networks_table():
    """Return a table of the registry, with sizes counted on the networks themselves."""
    networks = importlib.import_module("skrehab.networks")
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 10 34 24 32", ""]
    lines += ["   * - name", "     - what it is, and paper", "     - parameters", "     - licence"]
    for name in networks.list_networks():
        spec = networks.get_spec(name)
        shape = "" if spec.skeleton == "any" else f" Works on {spec.skeleton}."
        shape = " RGB clips." if spec.input == "rgb" else shape
        lines += [
            f"   * - ``{name}``",
            f"     - {spec.summary[:1].upper()}{spec.summary[1:].rstrip('.')}.{shape}",
            f"       *{spec.reference.rstrip('.')}.*",
            *_sizes(networks, spec),
            f"     - {spec.licence}",
        ]
    return "\n".join(lines) + "\n"


def _sizes(networks, spec):
    """Count the parameters of each size, for MediaPipe's 33 landmarks in 3-D and one logit."""

    import torch

    sizes = {"n_landmarks": 33, "n_coords": 3} if spec.input == "pose" else {}

    def count(**params):
        try:
            with torch.device("meta"):  # sizes without memory
                network = networks.build(spec.name, n_outputs=1, **sizes, **params)
        except RuntimeError:  # hiera's package reads numbers off tensors while it is built
            return ""
        return f"{sum(p.numel() for p in network.parameters()):,}"

    lines = [f"| {size} {count(size=size)}" for size in spec.sizes] or [count()]
    return [f"     - {lines[0]}", *(f"       {line}" for line in lines[1:])]


# --- gallery --------------------------------------------------------------------------------------
class GalleryOrder:
    """Sort the gallery: what a reader wants first comes first, the rest by name."""

    FIRST = (
        "plot_pipeline_by_patient.py",
        "plot_recommended_recipe.py",
        "plot_published_recipe.py",
        "plot_two_models_by_patient.py",
        "plot_study_in_one_call.py",
        "plot_study_on_dask.py",
        "plot_saliency_map.py",
        "plot_kinematic_measures.py",
        "plot_several_compensations.py",
        "plot_thresholds.py",
        "plot_one_patient.py",
        "plot_live_and_cues.py",
    )

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name):
        place = self.FIRST.index(name) if name in self.FIRST else len(self.FIRST)
        return f"{place:03}{name}"


# --- contributing ---------------------------------------------------------------------------------
def markdown_to_rst(text):
    """Turn the Markdown that CONTRIBUTING.md uses into reStructuredText.

    Headings, lists, fenced code, inline code, links and bold: no more is written there.
    """
    lines, in_code = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            in_code = not in_code
            language = line.strip("`") or "text"
            lines += ["", f".. code-block:: {language}", ""] if in_code else [""]
        elif in_code:
            lines.append(f"   {line}" if line else "")
        elif heading := re.fullmatch(r"(#+) (.+)", line):
            title = _inline(heading[2])
            lines += [title, "=-~"[len(heading[1]) - 1] * len(title)]
        else:
            lines.append(_inline(line))
    return "\n".join(lines) + "\n"


def _inline(line):
    line = re.sub(r"`([^`]+)`", r"``\1``", line)
    line = re.sub(r"\[([^\]]+)\]\(docs/([^)]+)\.rst\)", r":doc:`\1 </\2>`", line)
    return re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r"`\1 <\2>`__", line)
