"""Model cards tell what is known, say what is not, and name no patient."""

import json

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_video

import skrehab
from skrehab import (
    DisplacementSmoother,
    LandmarkScaler,
    MultiLabelVideoClassifier,
    QualityRegressor,
)
from skrehab.persistence import model_card, tells_enough
from skrehab.persistence.cards import CARD_MARK

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

FACTS = {
    "data": "home exercises, one camera",
    "patients": ["MRS-SMITH", "MR-JONES", "MRS-SMITH"],
    "n_trials": 40,
    "labels": ["normal", "lean"],
    "frame_rate": 25,
    "skeleton": "mediapipe33",
    "protocol": "leave one patient out",
    "scores": {
        "trial AUC": {"value": 0.734567, "low": 0.61, "high": 0.83, "n": 2},
        "frame AUC": {"value": 0.6, "low": 0.5, "high": 0.7, "level": 0.9},
        "duration alone": 0.55,
        "one class only": {"value": None},
    },
    "licence": "CC-BY-4.0",
    "intended_use": "research",
    "contact": "lab@example.org",
}


def tiny_quality():
    return QualityRegressor(hidden_size=4, max_epochs=1, random_state=0)


def tiny_multilabel():
    return MultiLabelVideoClassifier("lstm", max_epochs=1, random_state=0)


@pytest.fixture
def model(tiny):
    pipe = Pipeline(
        [
            ("motion", DisplacementSmoother(3, causal=True)),
            ("scale", LandmarkScaler()),
            ("labels", tiny_labeler()),
            ("frames", tiny_frames()),
        ],
        memory=None,
    )
    return pipe.fit(tiny.X, tiny.y)


def header(card):
    """The YAML at the top, as model hubs read it."""
    start, text, _ = card.split("---\n", 2)
    assert start == ""
    return yaml.safe_load(text)


def test_everything_that_is_known(model):
    card = model_card(model, FACTS, name="lean at home")
    assert header(card) == {
        "library_name": "skrehab",
        "license": "cc-by-4.0",
        "tags": ["skrehab", "rehabilitation", "human-pose"],
    }
    for line in [
        "# lean at home",
        'model = skrehab.load("lean at home")',
        "Feed it 25 frames a second, as in training.",
        "Input: trials of shape (frames, 5 landmarks (mediapipe33), 3 coordinates).",
        "Output: probabilities of normal, lean.",
        "| motion | DisplacementSmoother | window=3 |",
        "* Data: home exercises, one camera",
        "* Patients: 2",
        "* Trials: 40",
        "Protocol: leave one patient out",
        "| trial AUC | 0.7346 | 95 %: 0.61 to 0.83 | 2 |",
        "| frame AUC | 0.6 | 90 %: 0.5 to 0.7 |  |",
        "| duration alone | 0.55 | not stated |  |",
        "| one class only | not defined | not stated |  |",
        "* These weights: CC-BY-4.0",
        "* Network `lstm`: Hochreiter & Schmidhuber 1997; Mesquita et al. 2025. BSD-3-Clause.",
        "Intended use: research",
        "Contact: lab@example.org",
    ]:
        assert line in card.splitlines(), line
    assert "pseudo-labels" in card and "no medical device" in card
    assert "SMITH" not in card and "JONES" not in card


def test_what_is_not_known_is_said(model):
    card = model_card(model)
    assert "license" not in header(card)
    for line in ["* Data: Not stated.", "* Patients: Not stated.", "Protocol: Not stated."]:
        assert line in card.splitlines()
    assert "Scores: Not stated." in card and "* These weights: Not stated." in card
    assert "Output: probabilities of 0, 1." in card


def test_what_the_command_line_notes(model):
    card = model_card(
        model,
        {
            "labels": ["normal", "lean"],
            "n_patients": 18,
            "trial_auc": {
                "protocol": "leave one patient out",
                "n_defined": 16,
                "mean": 0.71,
                "sd": 0.12,
                "pooled": None,
            },
        },
    )
    assert "Protocol: leave one patient out" in card and "* Patients: 18" in card
    assert "| trial AUC, mean over patients | 0.71 | sd 0.12 | 16 |" in card
    assert "| trial AUC, pooled | Not stated. | not stated |  |" in card


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda d: tiny_video().fit(d.X, d.y), "This model classifies whole trials"),
        (lambda d: LandmarkScaler().fit(d.X), "This model prepares trials"),
        (lambda d: tiny_quality().fit(d.X, d.y), "This model scores how well"),
        (lambda d: tiny_multilabel().fit(d.X, np.eye(2)[d.y]), "which of several labels hold"),
        (lambda d: tiny_frames().fit(d.X, d.frame_labels), "This model scores every frame"),
        (lambda d: DisplacementSmoother(), "This model prepares trials"),
    ],
)
def test_every_kind_of_model(tiny, make, said):
    assert said in model_card(make(tiny))


def test_published_weights_are_told_of_and_their_place_is_not(tiny):
    video = tiny_video().fit(tiny.X, tiny.y)
    video.weights = "/home/mary/weights.pt"  # as if it had started from them
    card = model_card(video)
    assert "Training started from published weights" in card and "mary" not in card


def test_text_stays_text(model):
    card = model_card(
        model,
        {
            "data": "a\n---\nlicense: mit\n# Title <script>alert(1)</script>",
            "scores": {"a|b\n|c": 1},
            "licence": "MIT\ntags: [evil]",
            "protocol": "`rm`",
        },
        name='x")\nimport os #',
    )
    assert header(card)["license"] == "other" and "evil" not in str(header(card))
    assert "<script" not in card and "\n# Title" not in card and card.count("\n---\n") == 1
    assert "| a\\|b \\|c | 1 |" in card
    assert "\nimport os" not in card


# --- beside a model -------------------------------------------------------------------------------
def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_save_writes_a_card_where_there_is_something_to_tell(model, tmp_path):
    assert not tells_enough(None) and not tells_enough({"fps": 30})
    bare = skrehab.save(model, tmp_path / "bare", metadata={"fps": 30})
    assert names(bare) == ["model.json", "weights.safetensors"]
    told = skrehab.save(model, tmp_path / "told", metadata=FACTS)
    assert names(told) == ["README.md", "model.json", "weights.safetensors"]
    text = (told / "README.md").read_text()
    assert text == model_card(model, FACTS, name="told") and CARD_MARK in text
    assert "SMITH" not in text
    never = skrehab.save(model, tmp_path / "never", metadata=FACTS, card=False)
    assert names(never) == names(bare)
    always = skrehab.save(model, tmp_path / "always", card=True)
    assert "# always" in (always / "README.md").read_text()
    own = skrehab.save(model, tmp_path / "own", card="# Mine\n")
    assert (own / "README.md").read_text() == "# Mine\n"
    for folder in (told, own):
        skrehab.load(folder)


def test_a_card_never_tells_of_the_model_before(model, tmp_path):
    folder = skrehab.save(model, tmp_path / "m", metadata=FACTS)
    skrehab.save(model, folder, metadata=FACTS | {"n_trials": 41}, overwrite=True)
    assert "* Trials: 41" in (folder / "README.md").read_text()
    skrehab.save(LandmarkScaler().fit([np.zeros((2, 5, 3))]), folder, overwrite=True)
    assert names(folder) == ["model.json", "weights.safetensors"]
    (folder / "README.md").write_text("by hand")
    skrehab.save(model, folder, metadata=FACTS, overwrite=True)
    assert (folder / "README.md").read_text() == "by hand"
    skrehab.save(model, folder, metadata=FACTS, card=True, overwrite=True)
    assert CARD_MARK in (folder / "README.md").read_text()


# --- a line of JSON that asks for much memory -----------------------------------------------------
def test_networks_larger_than_their_weights_are_not_built(model, tmp_path):
    folder = skrehab.save(model, tmp_path / "m")
    file = folder / "model.json"
    text = file.read_text()
    assert '"hidden_layer_sizes"' in text
    tree = json.loads(text)
    frames = tree["estimator"]["params"]["steps"]["list"][3]["tuple"][1]
    frames["params"]["hidden_layer_sizes"] = {"tuple": [10**9, 10**6]}  # 4 PB
    file.write_text(json.dumps(tree))
    with pytest.raises(
        ValueError, match=r"hidden_layer_sizes\.0 must be a whole number from 1 to 131072"
    ):
        skrehab.load(folder)
