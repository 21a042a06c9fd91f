"""``skrehab timeline`` on a drawn Box-and-Block test whose blocks are known."""

import csv
import importlib.util

import media
import numpy as np
import pytest

import skrehab
from skrehab import VideoClassifier
from skrehab.datasets import make_bbt_clips

GRASP, LOADED = "Grasping", "Transport with Object"


@pytest.mark.skipif(not importlib.util.find_spec("torchvision"), reason="no torchvision")
def test_blocks_of_a_drawn_test_are_counted(tmp_path, run):
    """Eight times a block is grasped and carried over, in clips that the network never saw."""
    pytest.importorskip("matplotlib")
    n_blocks, n_train = 8, 12
    data = make_bbt_clips(
        n_patients=1,
        clips_per_class=n_train + n_blocks,
        class_weights={GRASP: 1, LOADED: 1},
        lazy=True,
        random_state=0,
    )
    of = {name: np.flatnonzero(data.target == name) for name in (GRASP, LOADED)}
    rest = min(len(one) for one in of.values()) - n_blocks
    train = np.concatenate([one[: min(rest, n_train)] for one in of.values()])
    network = {"widths": (8, 16, 32, 64), "n_blocks": (1, 1, 1, 1), "n_frames": 8, "image_size": 48}
    how = {"max_epochs": 20, "lr": 3e-3, "batch_size": 8, "random_state": 0}
    model = VideoClassifier("r3d", network_params=network, **how)
    model.fit([np.asarray(data.videos[i]) for i in train], data.target[train])
    skrehab.save(model, tmp_path / "model")

    pairs = zip(of[GRASP][-n_blocks:], of[LOADED][-n_blocks:])
    film = np.concatenate([data.videos[i] for pair in pairs for i in pair])
    media.write_video(tmp_path / "minute.mp4", list(film), fps=30)
    code, out, _ = run(
        "timeline", tmp_path / "model", tmp_path / "minute.mp4", "-o", tmp_path / "out"
    )
    assert code == 0 and "times 'Transport with Object'" in out
    with open(tmp_path / "out" / "minute_timeline.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert abs(int(rows[-1]["count"]) - n_blocks) <= 1
    spent = [float(row["seconds"]) for row in rows if row["seconds"]]
    assert np.median(spent) == pytest.approx(2.0, abs=0.3)  # a second of grasping, one on the way
    assert float(rows[-1]["stop_s"]) == pytest.approx(16.0, abs=0.1)
    assert (tmp_path / "out" / "minute_timeline.png").stat().st_size > 5000
    again = ("timeline", tmp_path / "model", tmp_path / "minute.mp4", "-o", tmp_path / "out")
    code, _, err = run(*again)
    assert code == 1 and "minute_timeline" in err  # nothing is replaced unasked
    code, _, err = run(*again, "--overwrite", "--count", "blocks")
    assert code == 1 and "counted='blocks' is not among the classes" in err


def test_the_command_wants_a_classifier_of_clips(tmp_path, run):
    X = [np.random.RandomState(i).rand(9, 5, 3) for i in range(4)]
    frames = skrehab.FrameMLP(max_epochs=1, random_state=0).fit(
        X, [[0, 1, 1, 0, 0, 1, 0, 1, 0]] * 4
    )
    skrehab.save(frames, tmp_path / "model")
    media.write_video(tmp_path / "a.mp4", [np.zeros((32, 32, 3), np.uint8)] * 12)
    code, _, err = run("timeline", tmp_path / "model", tmp_path / "a.mp4")
    assert code == 1 and "This model ends in FrameMLP; a timeline needs one" in err
