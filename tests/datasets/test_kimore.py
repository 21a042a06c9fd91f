"""KIMORE in its published layout: what is read, what is left out, and what is said of it."""

import shutil

import numpy as np
import pytest

from skrehab.datasets import load_kimore
from skrehab.skeletons import get_skeleton

openpyxl = pytest.importorskip("openpyxl")

KINECT = get_skeleton("kinect25")
TITLES = [f"clinical {kind} Ex#{n}" for kind in ("TS", "PO", "CF") for n in range(1, 6)]
SCORES = [*(48.3333, 45, 48, 50, 47), *(14.6667, 14, 15, 15, 14), *(33.6666, 31, 33, 35, 33)]


def standing(n_frames=6, seed=0):
    """Somebody upright before a Kinect: (n_frames, 25, 4) with all joints tracked."""
    heights = {"head": 0.6, "neck": 0.45, "spine_shoulder": 0.35, "spine_mid": 0.1}
    heights |= {"spine_base": -0.2, "knee": -0.6, "ankle": -1.0, "foot": -1.05, "hip": -0.22}
    body = np.zeros((n_frames, 25, 4))
    body[..., :3] = np.random.default_rng(seed).normal(0, 0.01, (n_frames, 25, 3))
    for i, name in enumerate(KINECT.landmarks):
        body[:, i, 1] += heights.get(name, heights.get(name.split("_")[-1], 0.1))
    body[..., 2] += 2.5
    body[..., 3] = 2
    return body


def write_positions(file, body):
    """As the recorder wrote them: a trailing comma, and an empty line between any two."""
    rows = [",".join(f"{value:.6g}" for value in frame.ravel()) + "," for frame in body]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n" + "\n\n".join(rows) + "\n")


def write_scores(file, person, scores=SCORES, titles=TITLES):
    file.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.active.append(["Subject ID", *titles])
    book.active.append([person, *scores])
    book.save(file)


def write_person(root, population, person, exercises=(1, 2, 3, 4, 5), **scores):
    for n in exercises:
        place = root / population / person / f"Es{n}"
        write_positions(place / "Raw" / f"JointPosition01121{n}_103748.csv", standing(4 + n))
        (place / "Raw" / f"JointOrientation01121{n}_103748.csv").write_text("1,2\n")
        (place / "Raw" / f"TimeStamp01121{n}_103748.csv").write_text("1\n")
        (place / "Script").mkdir()
        write_scores(place / "Label" / f"ClinicalAssessment_{person}.xlsx", person, **scores)
        write_scores(place / "Label" / f"SuppInfo_{person}.xlsx", person)
    return root / population / person


@pytest.fixture
def kimore(tmp_path):
    for population, person in (("CG/Expert", "E_ID10"), ("CG/Expert", "E_ID2")):
        write_person(tmp_path, population, person, (1, 3))
    write_person(tmp_path, "GPP/Stroke", "S_ID1", (3,))
    return tmp_path


def load(root, **parameters):
    """Read exercises 1 and 3, the ones written."""
    return load_kimore(root, **{"exercises": (1, 3)} | parameters)


def test_reads_the_published_layout(kimore):
    with pytest.warns(UserWarning, match="1 of 6 trials are left out.*\n  GPP/Stroke/S_ID1/Es1"):
        data = load(kimore)
    assert data.subject.tolist() == ["E_ID2", "E_ID2", "E_ID10", "E_ID10", "S_ID1"]
    assert data.groups is data.subject
    assert data.exercise.tolist() == [1, 3, 1, 3, 3]
    assert data.population.tolist() == ["expert"] * 4 + ["stroke"]
    assert [trial.shape for trial in data.X] == [(5, 25, 3), (7, 25, 3)] * 2 + [(7, 25, 3)]
    assert data.X[0].dtype == np.float32 and not np.isnan(data.X[0]).any()
    np.testing.assert_allclose(data.X[0], standing(5)[..., :3], atol=1e-5)
    assert data.scores.tolist() == [48.3333, 48, 48.3333, 48, 48]
    assert data.po.tolist() == [14.6667, 15, 14.6667, 15, 15]
    assert data.cf.tolist() == [33.6666, 33, 33.6666, 33, 33]
    assert (data.frame_rate, data.skeleton) == (30.0, "kinect25")
    assert "JointPosition011211" in data.path[0]
    assert data.skipped == [("GPP/Stroke/S_ID1/Es1", "Raw holds no JointPosition*.csv")]
    assert data.doubtful == []


def test_one_exercise_without_any_warning(kimore, recwarn):
    for exercises in (3, [3]):
        data = load_kimore(kimore, exercises=exercises)
        assert data.exercise.tolist() == [3, 3, 3] and data.skipped == []
    assert not recwarn.list


def test_untracked_joints_are_lost(kimore):
    body = standing(5)
    hand = KINECT.index("left_hand")
    body[1, hand] = (9, 9, 9, 0)  # not tracked
    body[2, hand, 3] = 1  # inferred: kept
    body[3, hand] = np.nan
    body[4, hand, 0] = np.nan
    file = next((kimore / "CG/Expert/E_ID2/Es3/Raw").glob("JointPosition*"))
    write_positions(file, body)
    data = load(kimore, exercises=3)
    lost = np.isnan(data.X[0])
    assert lost[[1, 3, 4], hand].all() and lost.sum() == 9
    assert data.tracking[0][:, hand].tolist() == [2, 0, 1, 0, 2]
    assert data.tracking[0].dtype == np.int8


def test_two_frames_on_one_line(kimore):
    """In the published data one recording has lost a line break."""
    file = next((kimore / "CG/Expert/E_ID2/Es3/Raw").glob("JointPosition*"))
    first, _, second, *rest = [line for line in file.read_text().split("\n")[1:]]
    file.write_text("\n".join([first + second, *rest]))
    data = load(kimore, exercises=3, strict=True)
    assert data.path[0] == str(file)
    np.testing.assert_allclose(data.X[0], standing(7)[..., :3], atol=1e-5)


def test_copies_of_a_recording(kimore):
    file = next((kimore / "CG/Expert/E_ID2/Es3/Raw").glob("JointPosition*"))
    copy = file.with_name(file.stem + "(2).csv")
    shutil.copy(file, copy)
    data = load(kimore, exercises=3)
    assert len(data.X) == 3 and data.path[0] == str(file)
    write_positions(copy, standing(7, seed=1))
    with pytest.warns(UserWarning, match=r"different recordings: JointPosition\w+.csv, .*\(2\)"):
        assert len(load(kimore, exercises=3).X) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body: body[:, :24], r"line 2: 96 values, expected 100"),
        (lambda body: body[:0], "holds no frame"),
        (lambda body: np.where(np.arange(4) == 3, 0.95, body), "every fourth column must be a"),
        (lambda body: body[..., [3, 0, 1, 2]], "every fourth column must be a tracking state"),
        (lambda body: np.where(np.arange(4) == 3, 0, body), "no joint is tracked in any frame"),
        (lambda body: body[:, ::-1], "not in the order of the Kinect v2, or y does not point up"),
        (  # a sensor that lost the person puts joints anywhere
            lambda body: np.concatenate(
                [np.random.RandomState(0).randn(*body.shape[:2], 3), body[..., 3:]], axis=2
            ),
            "its tracking failed, .* the trunk is",
        ),
        (
            lambda body: np.where(np.arange(4) == 3, 1, body)[:, ::-1],
            "its tracking failed, 0 % of the joints are tracked",
        ),
        (lambda body: body * [1, -1, 1, 1], "the medians of y should fall, and are head -0.6"),
        (lambda body: np.where(body > 2.4, np.inf, body), "holds infinite values"),
    ],
)
def test_positions_that_do_not_fit(kimore, change, reason):
    file = next((kimore / "CG/Expert/E_ID2/Es3/Raw").glob("JointPosition*"))
    write_positions(file, change(standing()))
    with pytest.warns(UserWarning, match=reason):
        data = load(kimore, exercises=3)
    assert data.subject.tolist() == ["E_ID10", "S_ID1"], "the others are not lost"
    ((place, said),) = data.skipped
    assert place == "CG/Expert/E_ID2/Es3" and file.name in said
    with pytest.raises(ValueError, match=f"1 of 3 trials do not fit(.|\n)*{reason}"):
        load(kimore, exercises=3, strict=True)


def test_words_among_the_numbers(kimore):
    file = next((kimore / "CG/Expert/E_ID2/Es3/Raw").glob("JointPosition*"))
    file.write_text(file.read_text().replace(",2,", ",two,", 1))
    with pytest.warns(UserWarning, match="line 2: could not convert string to float: 'two'"):
        load(kimore, exercises=3)


@pytest.mark.parametrize(
    ("scores", "titles", "reason"),
    [
        ([None] * 15, TITLES, "has no clinical TS for exercise 3"),
        ([*SCORES[:2], 50.5, *SCORES[3:]], TITLES, "TS is 50.5, expected 0 to 50"),
        ([*SCORES[:2], "good", *SCORES[3:]], TITLES, "clinical TS Ex#3 is 'good', not a number"),
        (SCORES, [f"column {i}" for i in range(15)], "must have a row of titles such as"),
    ],
)
def test_scores_that_do_not_fit(kimore, scores, titles, reason):
    file = kimore / "CG/Expert/E_ID2/Es3/Label/ClinicalAssessment_E_ID2.xlsx"
    write_scores(file, "E_ID2", scores, titles)
    with pytest.warns(UserWarning, match=reason):
        data = load(kimore, exercises=3)
    assert data.subject.tolist() == ["E_ID10", "S_ID1"]
    assert data.skipped[0][0] == "CG/Expert/E_ID2/Es3" and file.name in data.skipped[0][1]


def test_a_damaged_workbook(kimore):
    (kimore / "CG/Expert/E_ID2/Es3/Label/ClinicalAssessment_E_ID2.xlsx").write_bytes(b"no workbook")
    with pytest.warns(
        UserWarning, match=r"ClinicalAssessment_E_ID2.xlsx cannot be read: it is no E"
    ):
        assert len(load(kimore, exercises=3).X) == 2


def test_titles_are_written_in_several_ways(kimore):
    file = kimore / "CG/Expert/E_ID2/Es3/Label/ClinicalAssessment_E_ID2.xlsx"
    titles = [title.replace("clinical", "Clinical").replace("Ex#", " Ex # ") for title in TITLES]
    write_scores(file, "E_ID2", SCORES, titles)
    assert load(kimore, exercises=3, strict=True).scores[0] == 48


def test_parts_of_the_score_may_be_missing(kimore):
    file = kimore / "CG/Expert/E_ID2/Es3/Label/ClinicalAssessment_E_ID2.xlsx"
    write_scores(file, "E_ID2", [*SCORES[:5], *[None] * 10])
    data = load(kimore, exercises=3, strict=True)
    assert data.scores[0] == 48 and np.isnan(data.po[0]) and np.isnan(data.cf[0])


def test_the_workbook_of_another_exercise_will_do(kimore):
    label = kimore / "CG/Expert/E_ID2/Es3/Label"
    shutil.rmtree(label)
    assert load(kimore, exercises=3, strict=True).scores[0] == 48
    shutil.rmtree(kimore / "CG/Expert/E_ID2/Es1/Label")
    with pytest.warns(UserWarning, match=r"no Label folder of this person holds a Clinical"):
        load(kimore, exercises=3)


def test_a_workbook_that_contradicts_itself_is_believed_and_named(kimore):
    label = kimore / "CG/Expert/E_ID2/Es3/Label"
    write_scores(label / "ClinicalAssessment_E_ID2.xlsx", "NE_ID7", [*SCORES[:2], 44, *SCORES[3:]])
    with pytest.warns(UserWarning, match="1 trials are doubtful"):
        data = load(kimore, exercises=3, strict=True)
    assert data.scores[0] == 44
    ((place, doubt),) = data.doubtful
    assert place == "CG/Expert/E_ID2/Es3"
    assert doubt == (
        "ClinicalAssessment_E_ID2.xlsx is of NE_ID7; TS 44 is not the sum of PO 15 and CF 33"
    )


def test_other_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_kimore(tmp_path / "absent")
    with pytest.raises(ValueError, match=r"no trial could be read from .*has its layout"):
        load_kimore(tmp_path)
    write_person(tmp_path, "CG/NotExpert", "NE_ID1", (1,))
    shutil.rmtree(tmp_path / "CG/NotExpert/NE_ID1/Es1/Raw")
    with pytest.raises(ValueError, match=r"no trial(.|\n)*NE_ID1/Es1: Raw holds no JointPosition"):
        load_kimore(tmp_path, exercises=1)
    for wrong in (0, [1, 6], [], ["Es1"]):
        with pytest.raises(ValueError, match="exercises must be among"):
            load_kimore(tmp_path, exercises=wrong)


def test_openpyxl_is_asked_for(kimore, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(ImportError, match=r"openpyxl is needed .* pip install 'skrehab\[kimore\]'"):
        load(kimore)
