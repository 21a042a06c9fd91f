"""Labels, patients and weights as people hold them: what each says, on every way in."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from instances import tiny_frames, tiny_scores, tiny_tcn, tiny_video
from sklearn.linear_model import Ridge

from skrehab import (
    CalibratedByPatient,
    MultiLabelFrames,
    MultiLabelVideoClassifier,
    QualityRegressor,
    SaliencyPseudoLabeler,
    evaluation,
)
from skrehab.datasets import score_stratified_split
from skrehab.evaluation import evaluate_by_exercise, known_new_split
from skrehab.evaluation.by_patient import evaluate_by_patient
from skrehab.frames import check_frame_targets
from skrehab.metrics import by_patient, frame_f1, frame_roc_auc, rmse, segments, trial_roc_auc
from skrehab.pseudo_labels import check_partial_labels, patient_folds
from skrehab.recipes import recommended
from skrehab.trials import (
    check_frame_labels,
    check_groups,
    check_trial_labels,
    check_trials,
    ragged,
)

WORDS = ["lean", "ok"] * 8

MISSING = {
    "None": lambda: [*WORDS[:3], None, *WORDS[4:]],
    "NaN among words": lambda: np.array([*WORDS[:3], np.nan, *WORDS[4:]], dtype=object),
    "NaN": lambda: np.array([0.0, 1, 0, np.nan] + [0.0, 1] * 6),
    "infinite": lambda: np.array([0.0, 1, 0, np.inf] + [0.0, 1] * 6),
    "NA": lambda: np.array([*WORDS[:3], pd.NA, *WORDS[4:]], dtype=object),
    "string": lambda: pd.Series([*WORDS[:3], None, *WORDS[4:]], dtype="string"),
    "category": lambda: pd.Series([*WORDS[:3], None, *WORDS[4:]], dtype="category"),
    "Int64": lambda: pd.Series([0, 1, 0, None] + [0, 1] * 6, dtype="Int64"),
    "boolean": lambda: pd.Series([True, False, True, None] + [True, False] * 6, dtype="boolean"),
    "NaT": lambda: pd.Series(pd.to_datetime(["2020-01-01"] * 3 + [None] + ["2021-01-01"] * 12)),
    "datetime64": lambda: np.array(["2020", "2021", "2020", "NaT"] * 4, dtype="datetime64[D]"),
    "masked": lambda: np.ma.masked_array([0, 1] * 8, mask=np.arange(16) == 3),
    "blank": lambda: [*WORDS[:3], "  ", *WORDS[4:]],
    "column with NaN": lambda: pd.DataFrame({"l": [*WORDS[:3], None, *WORDS[4:]]}),
}


@pytest.mark.parametrize("kind", MISSING)
def test_a_missing_label_is_named(tiny, kind):
    y = MISSING[kind]()
    with pytest.raises(ValueError, match=r"y\[3\].*every trial needs a label"):
        check_trial_labels(y, tiny.X)
    for make in (tiny_video, tiny_scores):
        with pytest.raises(ValueError, match=r"y\[3\]"):
            make().fit(tiny.X, y)


@pytest.mark.parametrize("kind", [kind for kind in MISSING if kind != "infinite"])
def test_a_missing_patient_is_named(tiny, kind):
    groups = MISSING[kind]()
    proba = [np.c_[1 - f, f] for f in tiny.frame_labels]
    pipeline = tiny_video()
    for use in (
        lambda: check_groups(groups, tiny.X),
        lambda: tiny_video(early_stopping=True).fit(tiny.X, tiny.y, groups=groups),
        lambda: tiny_frames(early_stopping=True).fit(tiny.X, tiny.frame_labels, groups=groups),
        lambda: by_patient(frame_roc_auc, tiny.frame_labels, proba, groups),
        lambda: evaluate_by_patient(pipeline, tiny.X, tiny.y, groups),
        lambda: patient_folds(2, tiny.X, tiny.y, groups),
        lambda: score_stratified_split(np.arange(16.0), groups),
    ):
        with pytest.raises(ValueError, match=r"groups\[3\] is missing.*not one patient"):
            use()


def test_a_missing_patient_of_known_and_new_activities():
    activities = ["squats", "lunges", "running", "v-ups"] * 4
    groups = ["a", "b", "c", None] * 4
    with pytest.raises(ValueError, match=r"groups\[3\] is missing"):
        known_new_split(activities, groups=groups)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (pd.Series([0, 1] * 8, dtype="Int64"), [0, 1]),
        (pd.Series([True, False] * 8, dtype="boolean"), [True, False]),
        (pd.Series(WORDS, dtype="category"), ["lean", "ok"]),
        (pd.DataFrame({"label": [0, 1] * 8}), [0, 1]),
        (pd.DataFrame({"label": WORDS}, index=range(100, 116)), ["lean", "ok"]),
        (torch.tensor([0, 1] * 8), [0, 1]),
        (torch.tensor([0.0, 1.0] * 8, requires_grad=True), [0, 1]),
        (np.ma.masked_array([0, 1] * 8), [0, 1]),  # masked nowhere
    ],
    ids=["Int64", "boolean", "category", "column", "words", "tensor", "gradient", "no mask"],
)
def test_labels_in_every_container(tiny, y, expected):
    labels = check_trial_labels(y, tiny.X)
    assert type(labels) is np.ndarray and labels.shape == (16,)
    assert labels[:2].tolist() == expected
    plain = tiny_video().fit(tiny.X, expected * 8)
    np.testing.assert_array_equal(
        tiny_video().fit(tiny.X, y).predict_proba(tiny.X), plain.predict_proba(tiny.X)
    )


def test_tables_of_several_columns_and_mixed_labels_are_refused(tiny):
    with pytest.raises(ValueError, match=r"y is a table with 2 columns, \['a', 'b'\]"):
        tiny_video().fit(tiny.X, pd.DataFrame({"a": tiny.y, "b": tiny.y}))
    with pytest.raises(ValueError, match="y mixes words such as 'ok' with numbers such as 0"):
        tiny_video().fit(tiny.X, [0, "ok"] * 8)
    with pytest.raises(ValueError, match="groups mixes words such as 'P1' with numbers such as 2"):
        tiny_video(early_stopping=True).fit(tiny.X, tiny.y, groups=["P1", 2] * 8)


# --- labels of frames -----------------------------------------------------------------------------
def test_what_is_masked_is_not_labelled(tiny):
    """The numbers under the mask are nonsense, and nothing comes of them."""
    hidden = [np.arange(len(f)) < len(f) // 2 for f in tiny.frame_labels]
    pairs = list(zip(tiny.frame_labels, hidden))
    masked = [np.ma.masked_array(np.where(h, 1 - f, f), mask=h) for f, h in pairs]
    plain = ragged([np.where(h, -1, f) for f, h in pairs])
    for make in (tiny_frames, tiny_tcn):
        one = make().fit(tiny.X, plain)
        other = make().fit(tiny.X, ragged(masked))  # through our own container too
        for a, b in zip(one.predict_proba(tiny.X), other.predict_proba(tiny.X)):
            np.testing.assert_array_equal(a, b)
        assert one.score(tiny.X, masked) == one.score(tiny.X, plain)
    scores = [np.linspace(0, 1, len(f)) for f in tiny.frame_labels]
    assert frame_roc_auc(masked, scores) == frame_roc_auc(plain, scores)
    turned = [1 - f for f in tiny.frame_labels]
    assert frame_f1(masked, turned) == frame_f1(plain, turned)
    assert segments(np.ma.masked_array([1, 1, 0, 1], mask=[0, 1, 0, 0])) == [(0, 1), (3, 4)]


def test_masked_words_and_truth_values(tiny):
    X = [np.zeros((3, 5, 3))]
    words = np.ma.masked_array(["ok", "lean", "ok"], mask=[0, 0, 1])
    assert check_frame_labels([words], X)[0].tolist() == ["ok", "lean", -1]
    truth = np.ma.masked_array([True, False, True], mask=[0, 0, 1])
    assert check_frame_labels([truth], X)[0].tolist() == [1, 0, -1]


def test_masked_soft_labels_are_not_labelled():
    soft = np.ma.masked_array([[0.9, 0.1], [0.2, 0.8]], mask=[[0, 0], [1, 1]])
    targets = check_frame_targets([soft], [np.zeros((2, 5, 3))])
    assert targets.known[0].tolist() == [True, False]


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series([1, None, 0], dtype="Int64"),
        [1, None, 0],
        np.array(["ok", np.nan, "lean"], dtype=object),
        np.array(["ok", " ", "lean"], dtype=object),
    ],
    ids=["boolean", "Int64", "None", "NaN", "blank"],
)
def test_a_missing_label_of_a_frame_is_named(labels):
    for make in (tiny_frames, tiny_tcn):
        with pytest.raises(ValueError, match=r"y\[0\].*-1"):
            make().fit([np.zeros((3, 5, 3))], [labels])


def test_labels_of_frames_as_a_table():
    X = [np.zeros((3, 5, 3)), np.ones((3, 5, 3))]
    column = check_frame_labels([pd.DataFrame({"l": [0, 1, -1]})] * 2, X)
    assert [one.tolist() for one in column] == [[0, 1, -1]] * 2
    targets = check_frame_targets(pd.DataFrame([[0, 1, -1], [1, 1, 0]]), X)
    assert targets.known[0].tolist() == [True, True, False] and targets.values[1].tolist() == [
        1,
        1,
        0,
    ]


# --- weights --------------------------------------------------------------------------------------
WRONG_CLASS_WEIGHTS = [
    ({0: -1, 1: 1}, r"class_weight\[0\] is -1"),
    ({0: np.nan, 1: 1}, r"class_weight\[0\] is nan"),
    ({0: np.inf, 1: 1}, r"class_weight\[0\] is inf"),
    ({0: "2", 1: 1}, r"class_weight\[0\] is '2'"),
    ({0: None, 1: 1}, r"class_weight\[0\] is None"),
    ({0: 0, 1: 0}, "class_weight is 0 for every class"),
    ({"lean": 2}, r"class_weight names \['lean'\], and the classes are \[0, 1\]"),
]


@pytest.mark.parametrize(("weights", "message"), WRONG_CLASS_WEIGHTS)
def test_class_weights_are_checked_on_every_way_in(tiny, weights, message):
    for make, y in (
        (tiny_video, tiny.y),
        (tiny_frames, tiny.frame_labels),
        (tiny_tcn, tiny.frame_labels),
        (lambda **p: tiny_scores(head="classes", **p), tiny.y),
    ):
        with pytest.raises(ValueError, match=message):
            make(class_weight=weights).fit(tiny.X, y)


def test_a_class_weight_without_a_class_warns(tiny):
    with pytest.warns(UserWarning, match=r"class_weight names \[2\].*no effect"):
        model = tiny_video(class_weight={0: 1, 1: 3, 2: 5}).fit(tiny.X, tiny.y)
    plain = tiny_video(class_weight={0: 1, np.int64(1): np.float64(3)}).fit(tiny.X, tiny.y)
    np.testing.assert_array_equal(model.predict_proba(tiny.X), plain.predict_proba(tiny.X))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(16), "sample_weight is 0 for every"),
        (np.r_[-1.0, np.ones(15)], r"sample_weight\[0\]"),
        (np.r_[np.nan, np.ones(15)], r"sample_weight\[0\]"),
        (
            np.ma.masked_array(np.ones(16), mask=np.arange(16) == 0),
            r"sample_weight\[0\] is masked",
        ),
        (["a"] * 16, "sample_weight.*cannot be read as numbers"),
    ],
    ids=["zero", "negative", "nan", "masked", "words"],
)
def test_sample_weights_are_checked_on_every_way_in(tiny, weight, message):
    frames = tiny_frames().fit(tiny.X, tiny.frame_labels)
    several = MultiLabelVideoClassifier("lstm", network_params={"hidden_size": 4}, max_epochs=1)
    for use in (
        lambda: tiny_video().fit(tiny.X, tiny.y, sample_weight=weight),
        lambda: tiny_scores().fit(tiny.X, tiny.y, sample_weight=weight),
        lambda: tiny_frames().fit(tiny.X, tiny.frame_labels, sample_weight=weight),
        lambda: tiny_tcn().fit(tiny.X, tiny.frame_labels, sample_weight=weight),
        lambda: frames.score(tiny.X, tiny.frame_labels, sample_weight=weight),
        lambda: several.fit(tiny.X, np.eye(2)[tiny.y], sample_weight=weight),
    ):
        with pytest.raises(ValueError, match=message):
            use()


def test_weights_that_leave_nothing_on_one_side(tiny):
    """Only what early stopping holds out, or a class that weighs 0, weighs anything."""
    early = {"early_stopping": True, "validation_fraction": 0.25}
    held_out = tiny_video(**early).fit(tiny.X, tiny.y, groups=tiny.patients).validation_groups_
    weight = np.isin(tiny.patients, held_out).astype(float)
    for kept in (weight, 1 - weight):
        with pytest.raises(ValueError, match=r"weigh 0.*nothing there to train on or to stop by"):
            tiny_video(**early).fit(tiny.X, tiny.y, groups=tiny.patients, sample_weight=kept)
    with pytest.raises(ValueError, match="class_weight is 0 for every trial"):
        tiny_video(class_weight={1: 0}).fit(tiny.X, tiny.y, sample_weight=tiny.y)
    unlabelled = ragged([np.where(f == 1, -1, f) for f in tiny.frame_labels])
    on_them = [f.astype(float) for f in tiny.frame_labels]  # weight on frames without a label only
    with pytest.raises(ValueError, match="weigh 0"):
        two = ragged([np.r_[1, labels[1:]] for labels in unlabelled])
        tiny_tcn().fit(tiny.X, two, sample_weight=[np.r_[0, w[1:]] for w in on_them])
    with pytest.raises(ValueError, match="nothing to score"):
        tiny_frames().fit(tiny.X, tiny.frame_labels).score(
            tiny.X, unlabelled, sample_weight=on_them
        )


# --- several labels, scores, trials ---------------------------------------------------------------
def test_several_labels_in_every_container(tiny):
    y = np.stack([tiny.y, 1 - tiny.y], axis=1)

    def fit(labels):
        model = MultiLabelVideoClassifier(
            "lstm", network_params={"hidden_size": 4}, max_epochs=2, random_state=0
        )
        return model.fit(tiny.X, labels).predict_proba(tiny.X)

    expected = fit(y)
    for same in (sp.csr_matrix(y), sp.coo_array(y), pd.DataFrame(y), torch.tensor(y), y.tolist()):
        np.testing.assert_array_equal(fit(same), expected)
    with pytest.raises(ValueError, match=r"y\[2, 1\] is nan"):
        fit(np.ma.masked_array(y, mask=np.arange(32).reshape(16, 2) == 5))
    with pytest.raises(ValueError, match="one row per trial: 16 trials, 3 rows"):
        fit(sp.csr_matrix(y[:3]))
    with pytest.raises(ValueError, match="one row per trial"):
        fit(7)


def test_what_cannot_score_is_refused(tiny):
    proba = tiny_video().fit(tiny.X, tiny.y)
    with pytest.raises(ValueError, match=r"y\[3\] is nan"):
        trial_roc_auc(proba, tiny.X, np.r_[0.0, 1, 0, np.nan, tiny.y[4:]])
    assert np.isnan(rmse(np.ma.masked_array([1.0, 2.0], mask=[0, 1]), [1, 2]))


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_lost_landmarks_that_were_made_whole_numbers(dtype):
    """NaN becomes the smallest whole number there is, and was a place far away."""
    trial = np.arange(30.0).reshape(2, 5, 3)
    np.testing.assert_array_equal(check_trials([trial.astype(dtype)])[0], trial)
    trial[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"X\[0\].*it holds -\d+, which is what NaN becomes"):
        check_trials([trial.astype(dtype)])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int8])
def test_trials_as_tensors_of_any_kind(dtype):
    values = torch.arange(30).reshape(2, 5, 3)
    np.testing.assert_array_equal(check_trials([values.to(dtype)])[0], values.numpy())
    np.testing.assert_array_equal(
        check_trials([values.to(dtype).to_sparse().to_dense()])[0], values.numpy()
    )


def test_tensors_that_hold_no_trial_are_named():
    nested = torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(3, 3)])
    with pytest.raises(ValueError, match=r"X\[0\] cannot be read as an array of numbers"):
        check_trials([nested])
    sparse = torch.ones(2, 5, 3).to_sparse()
    np.testing.assert_array_equal(check_trials([sparse])[0], np.ones((2, 5, 3)))
    with pytest.raises(ValueError, match=r"X\[0\].*complex"):
        check_trials([torch.ones(2, 5, 3, dtype=torch.complex64)])


# --- columns of a table that was filtered or shuffled ---------------------------------------------
def of_each(tiny):
    """One thing a trial, and what is learned from it and others: what a study hands over."""
    soft = [np.stack([1 - 0.8 * one, 0.8 * one], axis=1) for one in tiny.frame_labels]
    several = [np.stack([one, 1 - one], axis=1) for one in tiny.frame_labels]
    partly = [tiny.frame_labels[0], -1, *tiny.y[2:]]
    scores = np.arange(16.0)
    quick = {"n_teachers": 1, "max_epochs": 1, "random_state": 0}

    def frames_of(model):
        return model.predict_proba(tiny.X)[1]

    def recipe(column, y, **more):
        model = recommended(None, **quick, **more)
        return frames_of(model.fit(column(tiny.X), column(y), groups=column(tiny.patients)))

    def calibrated(column, model, y):
        model = CalibratedByPatient(model, cv=2)
        return model.fit(column(tiny.X), column(y), groups=column(tiny.patients)).map_

    return {
        "recommended": lambda column: recipe(column, tiny.y),
        "some unlabelled, some by frames": lambda column: recipe(column, partly),
        "reference": lambda column: recipe(column, tiny.y, reference=1),
        "partial": lambda column: check_partial_labels(column(partly), column(tiny.X)).codes,
        "targets": lambda column: check_frame_targets(column(soft), column(tiny.X)).values[1],
        "soft tcn": lambda column: frames_of(tiny_tcn().fit(column(tiny.X), column(soft))),
        "soft mlp": lambda column: frames_of(tiny_frames().fit(column(tiny.X), column(soft))),
        "frames": lambda column: frames_of(
            tiny_tcn().fit(column(tiny.X), column(tiny.frame_labels), sample_weight=column(scores))
        ),
        "several": lambda column: frames_of(
            MultiLabelFrames(tiny_frames()).fit(column(tiny.X), column(several))
        ),
        "calibrated": lambda column: calibrated(column, recommended(None, **quick), tiny.y),
        "calibrated by frames": lambda column: calibrated(column, tiny_tcn(), tiny.frame_labels),
        "quality": lambda column: (
            QualityRegressor(max_epochs=1, random_state=0)
            .fit(column(tiny.X), column(scores), groups=column(tiny.patients))
            .predict(column(tiny.X))
        ),
        "labeler": lambda column: SaliencyPseudoLabeler(
            tiny_video(), method="vanilla_gradient", threshold=0.5
        ).fit_resample(column(tiny.X), column(tiny.y))[1][1],
        "study": lambda column: [
            row["pooled"]
            for row in evaluation.evaluate_by_patient(
                *(tiny_video(), column(tiny.X), column(tiny.y), column(tiny.patients)),
                frame_labels=column(tiny.frame_labels),
            ).summary()
        ],
    }


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_column_counts_by_its_order_not_by_its_index(tiny):
    """Labels of a shuffled table went to other trials, without a word."""

    def column(values):
        return pd.Series(list(values), index=range(15, -1, -1))

    for name, use in of_each(tiny).items():
        np.testing.assert_allclose(use(column), use(list), atol=1e-6, err_msg=name)


def test_rows_of_a_table_by_exercise():
    """They were taken for columns."""
    scores = np.random.RandomState(0).uniform(0, 50, 40)
    table = pd.DataFrame({"a": scores + 1, "b": scores**2}, index=np.arange(40)[::-1])
    who = np.repeat(["x", "y"], 20), np.tile(np.arange(20), 2)
    plain = evaluate_by_exercise(Ridge(), table.to_numpy(), scores, *who, n_splits=0)
    found = evaluate_by_exercise(Ridge(), table, scores, *who, n_splits=0)
    np.testing.assert_allclose(found.predictions, plain.predictions)


@pytest.mark.parametrize("kind", ["Int64", "boolean", "NA", "None"])
def test_a_missing_label_of_a_recipe_is_named(tiny, kind):
    with pytest.raises(ValueError, match=r"y\[3\].*every trial needs a label"):
        recommended(None, normal_label="ok").fit(tiny.X, MISSING[kind]())


def test_one_column_of_a_table_is_what_a_recipe_takes(tiny):
    how = {"n_teachers": 1, "max_epochs": 1, "random_state": 0}
    table = pd.DataFrame({"label": tiny.y}, index=range(16, 0, -1))
    found = recommended(None, **how).fit(tiny.X, table).predict_proba(tiny.X)[0]
    plain = recommended(None, **how).fit(tiny.X, tiny.y).predict_proba(tiny.X)[0]
    np.testing.assert_array_equal(found, plain)
