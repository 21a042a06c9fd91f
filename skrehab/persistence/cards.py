"""Model cards: what a model is, what it learned from, how it scored, who may use it.

Markdown for people, with a header that model hubs read. What is not known is said to be not known.
"""

import re
from numbers import Real

import numpy as np

import skrehab
from skrehab._shown import shown
from skrehab.persistence.names import name_classes

__all__ = ["CARD_MARK", "model_card", "tells_enough"]

CARD_MARK = "<!-- model card written by skrehab"
# entries of metadata that a card is written for
_FACTS = ("data", "patients", "n_patients", "protocol", "scores", "trial_auc", "licence", "license")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*", re.IGNORECASE)
_UNKNOWN = "Not stated."
_SHOWN = 40  # characters of a parameter's value


def tells_enough(metadata):
    """Tell whether metadata hold anything that a model card is for.

    Parameters
    ----------
    metadata : dict or None
        As given to :func:`skrehab.save`.

    Returns
    -------
    bool
        Whether data, patients, protocol, scores or licence are among them.

    Examples
    --------
    >>> from skrehab.persistence.cards import tells_enough
    >>> tells_enough({"fps": 30}), tells_enough({"n_patients": 18})
    (False, True)
    """
    return any(fact in (metadata or {}) for fact in _FACTS)


def model_card(estimator, metadata=None, *, name="model"):
    """Write a model card.

    Parameters
    ----------
    estimator : estimator
        The fitted model.
    metadata : dict, optional
        What to tell, all of it optional:

        * ``data``: where the trials come from, in words; ``n_patients`` or ``patients`` (a list of
          them is counted, their names are not told), ``n_trials``, ``labels`` (names of classes),
          ``frame_rate``, ``skeleton``;
        * ``protocol``: how it was evaluated, for example "leave one patient out";
        * ``scores``: a dict of numbers, or of dicts with ``value`` and perhaps ``low``, ``high``,
          ``level`` (default 0.95), ``sd`` and ``n``;
        * ``licence``: of these weights, by its SPDX name, such as "CC-BY-4.0";
        * ``intended_use``, ``limits``, ``contact``: in words.
    name : str, default="model"
        What to call it.

    Returns
    -------
    str
        Markdown with a YAML header.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameMLP
    >>> from skrehab.persistence import model_card
    >>> frames = FrameMLP(max_epochs=1).fit([np.zeros((4, 5, 3))], [[0, 1, 0, 1]])
    >>> scores = {"trial AUC": {"value": 0.73, "low": 0.61, "high": 0.83, "n": 18}}
    >>> card = model_card(frames, {"protocol": "leave one patient out", "scores": scores})
    >>> print(card[card.index("## Evaluation"):card.index("## Licence")])
    ## Evaluation
    <BLANKLINE>
    Protocol: leave one patient out
    <BLANKLINE>
    | Score | Value | Interval | n |
    |---|---|---|---|
    | trial AUC | 0.73 | 95 %: 0.61 to 0.83 | 18 |
    <BLANKLINE>
    """
    metadata = dict(metadata or {})
    steps = list(_steps(estimator))
    parts = [
        _header(metadata, steps),
        f"# {_text(name)}",
        _what_it_is(steps),
        _how_to_use(name, metadata),
        _input_and_output(steps, metadata),
        _training(metadata),
        _evaluation(metadata),
        _licences(metadata, steps),
        _use_and_limits(metadata),
        f"Written by skrehab {skrehab.__version__}.",
    ]
    return "\n\n".join(parts) + "\n"


# --- parts ----------------------------------------------------------------------------------------
def _header(metadata, steps):
    licence = metadata.get("licence", metadata.get("license"))
    lines = ["---", "library_name: skrehab"]
    if isinstance(licence, str):
        plain = _LICENCE.fullmatch(licence)
        lines.append(f"license: {licence.lower() if plain else 'other'}")
    lines += ["tags:", *(f"- {tag}" for tag in ("skrehab", "rehabilitation", "human-pose"))]
    return "\n".join([*lines, "---", f"{CARD_MARK} {skrehab.__version__} -->"])


def _what_it_is(steps):
    kinds = {type(step).__name__ for _, step in steps}
    if kinds & {"FrameMLP", "FrameTCN"}:
        what = "scores every frame of a rehabilitation exercise"
        if "SaliencyPseudoLabeler" in kinds:
            what += ". It was trained with one label a video: frame labels are pseudo-labels, made "
            what += "from the saliency of a video classifier"
    elif kinds & {"VideoClassifier", "FusionClassifier"}:
        what = "classifies whole trials of rehabilitation exercises"
    elif kinds & {"MultiLabelVideoClassifier", "MultiLabelFusion", "MuscleGroupClassifier"}:
        what = "says of whole trials which of several labels hold, such as muscle groups at work"
    elif "QualityRegressor" in kinds:
        what = "scores how well an exercise was done"
    else:
        what = "prepares trials of rehabilitation exercises"
    return f"This model {what}."


def _how_to_use(name, metadata):
    rate = metadata.get("frame_rate")
    hint = f"\n\nFeed it {_number(rate)} frames a second, as in training." if _real(rate) else ""
    return (
        "## How to use it\n\n"
        "```python\n"
        "import skrehab\n\n"
        f'model = skrehab.load("{_text(name)}")\n'
        "```\n\n"
        "Loading runs no code from the model: it is JSON and safetensors." + hint
    )


def _input_and_output(steps, metadata):
    shape = next((s for s in map(_shape, steps) if s is not None), None)
    skeleton = metadata.get("skeleton")
    lines = ["## Input and output", ""]
    if shape is not None:
        where = f" ({_text(skeleton)})" if skeleton else ""
        lines.append(
            f"Input: trials of shape (frames, {shape[0]} landmarks{where}, {shape[1]} coordinates)."
        )
    classes = next(
        (step.classes_ for _, step in reversed(steps) if hasattr(step, "classes_")), None
    )
    if classes is not None:
        lines.append(f"Output: probabilities of {_listed(_class_names(steps, classes, metadata))}.")
    lines += ["", "| Step | What | Parameters |", "|---|---|---|"]
    for title, step in steps:
        lines.append(f"| {_cell(title)} | {type(step).__name__} | {_cell(_parameters(step))} |")
    return "\n".join(lines)


def _class_names(steps, classes, metadata):
    """Names in the order of the columns; those of a model of several labels where it has them."""
    own = next((step.label_names_ for _, step in steps if hasattr(step, "label_names_")), None)
    try:
        return name_classes(np.asarray(classes).tolist(), metadata.get("labels"), own=own)
    except ValueError:  # a card is written of any model
        return classes


def _training(metadata):
    patients = metadata.get("n_patients", metadata.get("patients"))
    if isinstance(patients, list | tuple | set):
        patients = len(set(map(str, patients)))  # a count: names stay where they are
    rows = [
        ("Data", metadata.get("data")),
        ("Patients", patients if _real(patients) else None),
        ("Trials", metadata.get("n_trials")),
    ]
    told = [f"* {title}: {_value(value)}" for title, value in rows]
    return "\n".join(["## Training data", "", *told])


def _evaluation(metadata):
    protocol, scores = metadata.get("protocol"), metadata.get("scores")
    scores = dict(scores) if isinstance(scores, dict) else {}
    summary = metadata.get("trial_auc")  # what `skrehab train` notes
    if isinstance(summary, dict):
        protocol = protocol or summary.get("protocol")
        scores.setdefault(
            "trial AUC, mean over patients",
            {"value": summary.get("mean"), "sd": summary.get("sd"), "n": summary.get("n_defined")},
        )
        scores.setdefault("trial AUC, pooled", summary.get("pooled"))
    lines = ["## Evaluation", "", f"Protocol: {_value(protocol)}", ""]
    if not scores:
        return "\n".join([*lines, "Scores: " + _UNKNOWN])
    lines += ["| Score | Value | Interval | n |", "|---|---|---|---|"]
    for title, score in scores.items():
        lines.append("| " + " | ".join([_cell(title), *_score(score)]) + " |")
    return "\n".join(lines)


def _score(score):
    """Value, interval and number as cells."""
    if not isinstance(score, dict):
        return [_number(score) if _real(score) else _value(score), "not stated", ""]
    value = score.get("value", score.get("mean"))
    interval = "not stated"
    if _real(score.get("low")) and _real(score.get("high")):
        level = score.get("level", 0.95)
        level = f"{_number(100 * level)} %: " if _real(level) else ""
        interval = f"{level}{_number(score['low'])} to {_number(score['high'])}"
    elif _real(score.get("sd")):
        interval = f"sd {_number(score['sd'])}"
    n = score.get("n")
    return [
        _number(value) if _real(value) else "not defined",
        interval,
        _number(n) if _real(n) else "",
    ]


def _licences(metadata, steps):
    licence = metadata.get("licence", metadata.get("license"))
    lines = ["## Licence of the weights", "", f"* These weights: {_value(licence)}"]
    for network in dict.fromkeys(_networks(steps)):
        spec = _spec(network)
        if spec is None:
            continue
        lines.append(f"* Network `{_text(network)}`: {spec.reference}. {spec.licence}.")
    if any(getattr(step, "weights", None) is not None for _, step in steps):
        lines.append(
            "* Training started from published weights: their licence holds for these too."
        )
    return "\n".join(lines)


def _use_and_limits(metadata):
    own = [
        f"{title}: {_text(metadata[key])}"
        for key, title in [
            ("intended_use", "Intended use"),
            ("limits", "Limits"),
            ("contact", "Contact"),
        ]
        if metadata.get(key)
    ]
    return "\n\n".join(
        [
            "## Use and limits",
            *own,
            "This is no medical device. It was not tested on people, exercises, cameras or frame "
            "rates other than those named above, and a score is no diagnosis.",
            "The files hold no trial, no frame label and no patient's name. That is no guarantee "
            "that a network has memorised nothing: treat it as what its patients consented to.",
        ]
    )


# --- what a model holds ---------------------------------------------------------------------------
def _steps(estimator, prefix=""):
    """Yield name and estimator of every step, also of pipelines inside pipelines."""
    if not hasattr(estimator, "steps"):
        yield prefix or type(estimator).__name__, estimator
        return
    for name, step in estimator.steps:
        if step is not None and not isinstance(step, str):
            yield from _steps(step, f"{prefix}__{name}" if prefix else name)


def _shape(step):
    n_landmarks = getattr(step[1], "n_landmarks_", None)
    return None if n_landmarks is None else (n_landmarks, step[1].n_coords_)


def _networks(steps):
    """Names of the networks, of pseudo-labelers' classifiers too."""
    for _, step in steps:
        for holder in (step, getattr(step, "estimator_", getattr(step, "estimator", None))):
            network = getattr(holder, "network", None)
            if isinstance(network, str):
                yield network


def _spec(network):
    from skrehab.networks import get_spec

    try:
        return get_spec(network)
    except ValueError:  # somebody's own, not registered here
        return None


def _parameters(step):
    """Parameters that are not what they are by default."""
    defaults = type(step)().get_params(deep=False) if _has_defaults(step) else {}
    told = []
    for key, value in step.get_params(deep=False).items():
        plain = value is None or isinstance(value, bool | int | float | str | tuple | list)
        if key in ("memory", "weights") or not plain:  # places on somebody's disk, and estimators
            continue
        if key not in defaults or defaults[key] != value:
            told.append(f"{key}={str(value)[:_SHOWN]}")
    return ", ".join(told)


def _has_defaults(step):
    try:
        type(step)()
    except TypeError:  # it must be given an estimator
        return False
    return True


# --- text -----------------------------------------------------------------------------------------
def _real(value):
    return isinstance(value, Real) and not isinstance(value, bool) and abs(value) < float("inf")


def _number(value):
    return str(int(value)) if value == int(value) else f"{value:.4g}"


def _text(value):
    """One line that is neither HTML nor the start of Markdown."""
    text = shown(" ".join(str(value).split()))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("`", "'")


def _value(value):
    if value is None or value == "":
        return _UNKNOWN
    return _number(value) if _real(value) else _text(value)


def _cell(value):
    return _text(value).replace("|", "\\|")


def _listed(values):
    return ", ".join(_text(value) for value in values)
