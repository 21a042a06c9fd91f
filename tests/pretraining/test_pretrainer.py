"""PoseSequencePretrainer: learning, going on, surviving a kill, and what it gives to others."""

import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skrehab import VideoClassifier
from skrehab.networks.sequence.pose_sequence import PretrainedGRU
from skrehab.preprocessing.lost import complete_trials
from skrehab.pretraining import PoseSequencePretrainer, pretrainer
from skrehab.pretraining.loop import length_batches
from skrehab.pretraining.tasks import OBJECTIVES
from skrehab.training.batching import pad_trials
from skrehab.trials import check_trials

TINY = {"hidden_size": 4, "batch_size": 4, "max_epochs": 3, "lr": 0.01, "random_state": 0}


def tiny(**params):
    return PoseSequencePretrainer(**(TINY | params))


def walks(n_trials=6, n_landmarks=33, n_coords=3, seed=0, lengths=(4, 16)):
    """Random walks of a body of random shape."""
    rng = np.random.RandomState(seed)
    body = 3 * rng.randn(n_landmarks, n_coords)
    return [
        (body + rng.randn(n, n_landmarks, n_coords).cumsum(axis=0) / 3).astype(np.float32)
        for n in rng.randint(*lengths, size=n_trials)
    ]


def swings(n_trials=24, seed=0):
    """Arms and legs that swing at one and the same speed, and a body that drifts to one side."""
    rng = np.random.RandomState(seed)
    body = rng.randn(15, 3)
    side = np.array([0, 0, 0] + [1] * 3 + [-1] * 3 + [-1] * 3 + [1] * 3)[:, None]
    X = []
    for n_frames in rng.randint(16, 25, size=n_trials):
        t = np.arange(n_frames)
        swing = np.sin(2 * np.pi * (t / 6 + rng.rand()))
        drift = np.array([2.0, 0, 0]) * (t / n_frames)[:, None, None]
        X.append((body + swing[:, None, None] * side + drift).astype(np.float32))
    return X


def weights(pretrainer):
    return {key: value.numpy().copy() for key, value in pretrainer.module_.state_dict().items()}


def assert_same_run(one, other):
    """Weights and learning curves are equal bit for bit."""
    assert one.history_ == other.history_
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_array_equal(one[key], other[key], err_msg=key)


def encoder_changed(one, other):
    one, other = weights(one), weights(other)
    return any(not np.array_equal(one[k], other[k]) for k in one if k.startswith("encoder."))


# --- learning -------------------------------------------------------------------------------------
def test_curves_fall():
    """Pace is told apart and limbs are given back, where both can be."""
    recipe = {"max_epochs": 18, "lr": 0.015, "batch_size": 6, "random_state": 0}
    model = PoseSequencePretrainer(16, paces=(0.3, 1.0), skeleton="common15", **recipe)
    model.fit(swings())
    first, last = model.history_[0], model.history_[-1]
    assert last["reconstruction"] < first["reconstruction"] / 20
    assert last["pace"] < first["pace"] / 4 and last["pace_accuracy"] > 0.9
    assert [row["epoch"] for row in model.history_] == list(range(1, 19))
    assert {row["stage"] for row in model.history_} == {0}


@pytest.mark.parametrize("objective", ["reconstruct", "predict_motion", "order"])
def test_curves_of_the_baselines_fall(objective):
    recipe = {"max_epochs": 10, "lr": 0.02, "batch_size": 8, "random_state": 0}
    model = PoseSequencePretrainer(12, objective=objective, skeleton="common15", **recipe)
    model.fit(swings())
    loss = "order" if objective == "order" else "reconstruction"
    assert model.history_[-1][loss] < 0.85 * model.history_[0][loss]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_history_keeps_every_loss_of_the_objective(objective):
    model = tiny(objective=objective, max_epochs=1).fit(walks())
    expected = {"stage", "epoch", "lr"}
    if "pace" in objective:
        expected |= {"pace", "pace_accuracy"}
    if objective == "order":
        expected |= {"order"}
    elif objective != "pace":
        expected |= {"reconstruction", "adversarial", "discriminator"}
    assert set(model.history_[0]) == expected


def test_learning_rate_falls_every_ten_epochs():
    model = tiny(max_epochs=21, objective="pace", lr=0.1).fit(walks(2))
    rates = [row["lr"] for row in model.history_]
    np.testing.assert_allclose(rates, [0.1] * 10 + [0.09] * 10 + [0.081])


def test_seed_decides_and_global_state_does_not():
    X = walks()
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = tiny().fit(X)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert_same_run(one, tiny().fit(X))
    assert_same_run(one, clone(one).fit(X))
    assert encoder_changed(one, tiny(random_state=1).fit(X))


def test_longer_trials_are_resampled_while_learning_only(monkeypatch):
    X, lengths = walks(lengths=(10, 40)), []

    def spy(module, poses, **params):
        lengths.extend(len(one) for one in poses)
        return []

    monkeypatch.setattr(pretrainer, "pretrain", spy)
    model = tiny(max_frames=20).fit(X)
    assert lengths == [min(20, len(trial)) for trial in X] and 20 in lengths
    assert [len(one) for one in model.transform(X)] == [len(trial) for trial in X]


def test_divergence_is_told():
    with pytest.raises(FloatingPointError, match=r"diverged in epoch \d: .*smaller lr than 1e"):
        tiny(lr=1e30).fit(walks())


def test_batches_hold_every_trial_once_and_those_of_similar_length_together():
    lengths = np.random.RandomState(0).randint(1, 700, size=203)
    batches = length_batches(lengths, 10, np.random.default_rng(0))
    assert sorted(np.concatenate(batches)) == list(range(203))
    assert sorted(len(one) for one in batches) == [3] + [10] * 20
    spread = np.mean([np.ptp(lengths[one]) for one in batches])
    unsorted = length_batches(lengths, 10, np.random.default_rng(0), pool=1)
    assert spread < 0.4 * np.mean([np.ptp(lengths[one]) for one in unsorted])
    again = length_batches(lengths, 10, np.random.default_rng(1))
    assert not np.array_equal(np.concatenate(batches), np.concatenate(again))


# --- representations ------------------------------------------------------------------------------
def test_representations_are_trials_again():
    X = walks()
    model = tiny().fit(X)
    said = model.transform(X)
    assert isinstance(said, list) and all(one.dtype == np.float32 for one in said)
    assert [one.shape for one in said] == [(len(trial), 8, 1) for trial in X]
    check_trials(said)
    follower = make_pipeline(clone(model), VideoClassifier("gru", max_epochs=1, random_state=0))
    assert follower.fit(X, [0, 1] * 3).predict_proba(X).shape == (6, 2)


def test_a_batch_says_what_each_trial_says_alone():
    X = walks(lengths=(1, 60))
    model = tiny().fit(X)
    for one, trial in zip(model.transform(X), X):
        np.testing.assert_allclose(one, model.transform([trial])[0], rtol=1e-5, atol=1e-6)


def test_a_frame_shows_in_its_own_representation():
    """A jump of one limb in frame t changes the representation most at t."""
    X = walks(lengths=(20, 30))
    model = tiny(hidden_size=16).fit(X)
    trial = X[0]
    for t in (3, 8, 15):
        jump = trial.copy()
        jump[t, :10] = trial[:, :10].max(axis=(0, 1))  # within the range: nothing is rescaled
        change = model.transform([jump])[0] - model.transform([trial])[0]
        size = np.abs(change[..., 0]).sum(axis=1)
        assert abs(int(size.argmax()) - t) <= 1
        assert (size > 0).all()  # both directions carry it


def test_lost_landmarks_stand_where_they_were_seen():
    X = walks()
    X[0][2:4] = np.nan
    X[1][:, 5] = np.nan
    X[2][:] = np.nan
    model = tiny().fit(X)
    said = model.transform(X)
    assert all(np.isfinite(one).all() for one in said)
    for one, other in zip(said, model.transform(complete_trials(X))):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(complete_trials(X)[0][2:4], X[0][[1, 1]])  # lost until the end


def test_unfitted_says_so():
    for name in ("transform", "save_encoder"):
        with pytest.raises(NotFittedError):
            getattr(tiny(), name)(walks())


def test_pickle():
    model = tiny().fit(walks())
    again = pickle.loads(pickle.dumps(model))
    assert_same_run(model, again)
    assert_same_run(model.partial_fit(walks(seed=1)), again.partial_fit(walks(seed=1)))


# --- going on -------------------------------------------------------------------------------------
def test_partial_fit_goes_on():
    first, second = walks(), walks(seed=1)
    model = tiny().fit(first)
    before = pickle.loads(pickle.dumps(model))
    model.partial_fit(second)
    assert [row["stage"] for row in model.history_] == [0] * 3 + [1] * 3
    assert model.history_[:3] == before.history_
    assert encoder_changed(before, model)
    # it began where the first left: one epoch at a vanishing rate changes next to nothing
    still = before.set_params(lr=1e-12, max_epochs=1).partial_fit(second)
    fresh = tiny().fit(first)
    for key, value in weights(still).items():
        np.testing.assert_allclose(value, weights(fresh)[key], atol=1e-9)
    # the same as fit with warm_start, and as partial_fit from the start
    warm = tiny(warm_start=True).fit(first).fit(second)
    assert_same_run(model, warm)
    assert_same_run(model, tiny().partial_fit(first).partial_fit(second))
    # without it, fit forgets
    assert_same_run(tiny().fit(first).fit(second), tiny().fit(second))


def test_going_on_with_another_objective_keeps_the_encoder():
    X = walks()
    model = tiny(objective="pace", paces=(0.5, 1.0)).fit(X)
    before = weights(model)
    model.set_params(objective="pace+inpaint", paces=(0.6, 0.8, 1.0), lr=1e-12).partial_fit(X)
    for key, value in weights(model).items():
        if key.startswith("encoder."):
            np.testing.assert_allclose(value, before[key], atol=1e-9)
    assert "reconstruction" in model.history_[-1] and "reconstruction" not in model.history_[0]


def test_common_skeleton_bridges_data_sets():
    """UI-PRMD's 22 joints, then Kinect's 20, then representations of MediaPipe's 33."""
    names = {20: "utkinect20"}
    model = tiny(common_skeleton="common15", skeleton=names).fit(walks(n_landmarks=22))
    model.partial_fit(walks(n_landmarks=20))
    assert model.pose_shape_ == (15, 3) and model.n_landmarks_ == 20
    other = walks(n_landmarks=33, n_coords=4)
    assert [one.shape for one in model.transform(other)] == [(len(x), 8, 1) for x in other]
    with pytest.raises(ValueError, match="number of 7 landmarks"):
        model.transform(walks(n_landmarks=7))


def test_what_cannot_go_on_is_refused():
    model = tiny().fit(walks())
    message = r"trained on 33 landmarks .* have 22 and 3.*common_skeleton='common15'"
    with pytest.raises(ValueError, match=message):
        model.partial_fit(walks(n_landmarks=22))
    with pytest.raises(ValueError, match="33 landmarks and 3 coordinates"):
        model.transform(walks(n_landmarks=22))
    with pytest.raises(ValueError, match="hidden_size=4 and n_layers=2; it cannot go on with 5"):
        clone_of(model, hidden_size=5).partial_fit(walks())
    assert model.transform(walks())  # it still works


def clone_of(model, **params):
    return pickle.loads(pickle.dumps(model)).set_params(**params)


# --- surviving a kill -----------------------------------------------------------------------------
KILLED = """
import os, signal, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from test_pretrainer import tiny, walks
from skrehab.pretraining.checkpoints import Checkpoint

save, count = Checkpoint.save, []

def save_and_die(self, state):
    save(self, state)
    count.append(1)
    if len(count) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

Checkpoint.save = save_and_die
tiny(max_epochs=7, checkpoint_every=2, checkpoint_dir=sys.argv[2]).fit(walks())
"""


def test_a_killed_run_goes_on_to_the_same_result(tmp_path, request):
    """Killed for good after four of seven epochs, in a process of its own."""
    tests = str(request.path.parent)
    killed = subprocess.run([sys.executable, "-c", KILLED, tests, str(tmp_path)], timeout=240)
    assert killed.returncode == -signal.SIGKILL
    (file,) = tmp_path.iterdir()
    state = torch.load(file, weights_only=True)
    assert len(state["history"]) == 4

    seen = []
    resumed = tiny(max_epochs=7, checkpoint_every=2, checkpoint_dir=tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretrainer.PretextNetwork, "backward", counting(seen))
        resumed.fit(walks())
    assert len(seen) == 3 * 2  # three epochs of two batches: the first four were not run again
    assert_same_run(resumed, tiny(max_epochs=7).fit(walks()))


def counting(seen):
    backward = pretrainer.PretextNetwork.backward

    def count(self, losses):
        seen.append(1)
        backward(self, losses)

    return count


def test_an_interrupted_second_stage_goes_on(tmp_path, monkeypatch):
    """Both stages are called again; the first is there, the second goes on in its middle."""
    keep = {"max_epochs": 4, "checkpoint_every": 1, "checkpoint_dir": str(tmp_path)}
    first, second = walks(), walks(seed=1)
    from skrehab.pretraining.checkpoints import Checkpoint

    save, count = Checkpoint.save, []

    def save_and_raise(self, state):
        save(self, state)
        count.append(1)
        if len(count) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", save_and_raise)
    with pytest.raises(KeyboardInterrupt):
        tiny(**keep).fit(first).partial_fit(second)
    monkeypatch.setattr(Checkpoint, "save", save)
    seen = []
    monkeypatch.setattr(pretrainer.PretextNetwork, "backward", counting(seen))
    resumed = tiny(**keep).fit(first).partial_fit(second)
    assert len(seen) == 2 * 2
    assert_same_run(resumed, tiny(max_epochs=4).fit(first).partial_fit(second))


def test_checkpoints_of_other_runs_do_not_meet(tmp_path):
    X = walks()
    folder = tmp_path / "runs"
    tiny(checkpoint_dir=folder).fit(X)
    tiny(checkpoint_dir=folder, verbose=False, device="cpu").fit(X)  # the same run
    assert len(list(folder.iterdir())) == 1
    others = [{"lr": 0.02}, {"random_state": 1}, {"max_epochs": 4}, {"alpha": 0.0}]
    for n, params in enumerate(others):
        model = tiny(checkpoint_dir=folder, **params).fit(X)
        assert len(list(folder.iterdir())) == n + 2
        assert_same_run(model, tiny(**params).fit(X))
    tiny(checkpoint_dir=folder).fit(walks(seed=1))
    assert len(list(folder.iterdir())) == len(others) + 2


def test_without_a_seed_the_run_on_disk_goes_on(tmp_path):
    one, other = (tiny(random_state=None, checkpoint_dir=tmp_path).fit(walks()) for _ in range(2))
    assert_same_run(one, other)
    assert encoder_changed(one, tiny(random_state=None).fit(walks()))


def test_a_damaged_checkpoint_is_named(tmp_path):
    tiny(checkpoint_dir=tmp_path).fit(walks())
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"run-\w+\.pt cannot be read .* Delete it"):
        tiny(checkpoint_dir=tmp_path).fit(walks())


# --- for classifiers ------------------------------------------------------------------------------
def test_a_classifier_takes_the_encoder(tmp_path):
    X, y = walks(8), [0, 1] * 4
    model = tiny().fit(X)
    path = model.save_encoder(tmp_path / "new" / "encoder.safetensors")
    classifier = VideoClassifier(
        PretrainedGRU,
        network_params=model.network_params_,
        weights=path,
        head="new",
        freeze=("encoder.",),
        max_epochs=2,
        random_state=0,
    ).fit(X, y)
    report = classifier.weights_report_
    assert set(report.reinitialised) == {"head.weight", "head.bias"} and not report.unused
    # frozen, it still says what the pretrainer says: the mean over the frames
    means = np.stack([one[..., 0].mean(axis=0) for one in model.transform(X)])
    np.testing.assert_allclose(classifier.features(X), means, rtol=1e-4, atol=1e-6)
    free = classifier.set_params(freeze=()).fit(X, y)
    assert not np.allclose(free.features(X), means, rtol=1e-4, atol=1e-6)


def test_fine_tuning_on_another_joint_set(tmp_path):
    """Learned from UI-PRMD's joints, fine-tuned on Kinect's, through what they share."""
    model = tiny(common_skeleton="common15").fit(walks(n_landmarks=22))
    X = walks(8, n_landmarks=25)
    classifier = VideoClassifier(
        PretrainedGRU,
        network_params=model.network_params_,
        weights=model.save_encoder(tmp_path / "encoder.safetensors"),
        head="new",
        freeze=("encoder.",),
        max_epochs=1,
        random_state=0,
    ).fit(X, [0, 1] * 4)
    means = np.stack([one[..., 0].mean(axis=0) for one in model.transform(X)])
    np.testing.assert_allclose(classifier.features(X), means, rtol=1e-4, atol=1e-6)
    wrong = clone(classifier).set_params(network__common_skeleton=None)
    with pytest.raises(ValueError, match=r"encoder\.layers\.0.*sizes? differ|sizes differ"):
        wrong.fit(X, [0, 1] * 4)


def test_poses_are_prepared_as_in_the_network():
    """Fit, transform and the network of the registry see one and the same input."""
    X = walks(3, n_landmarks=22)
    model = tiny(common_skeleton="common15").fit(X)
    network = PretrainedGRU(22, 3, 1, hidden_size=4, common_skeleton="common15")
    network.encoder.load_state_dict(model.module_.encoder.state_dict())
    x, lengths = pad_trials(X)
    with torch.inference_mode():
        frames, _ = network.encoder(network.input(x, lengths).flatten(2), lengths)
    for one, frame in zip(model.transform(X), frames.numpy()):
        np.testing.assert_allclose(one[..., 0], frame[: len(one)], rtol=1e-5, atol=1e-6)


# --- parameters -----------------------------------------------------------------------------------
def test_limbs_need_a_skeleton():
    X = walks(n_landmarks=20)
    with pytest.raises(ValueError, match=r"masks limbs.*number of 20 landmarks: pass skeleton="):
        tiny().fit(X)
    tiny(skeleton="kinect20", max_epochs=1).fit(X)
    tiny(objective="pace", max_epochs=1).fit(X)
    with pytest.raises(ValueError, match="'coco17' has 17 landmarks, the trials have 20"):
        tiny(skeleton="coco17").fit(X)


@pytest.mark.parametrize("paces", [(), (0.5, 1.2), (0.0, 1.0)])
def test_paces_are_shares(paces):
    with pytest.raises(ValueError, match=r"paces must be shares in \(0, 1\]"):
        tiny(paces=paces).fit(walks())


def test_other_mistakes_are_named(tmp_path):
    with pytest.raises(ValueError, match="checkpoint_every needs checkpoint_dir"):
        tiny(checkpoint_every=2).fit(walks())
    with pytest.raises(ValueError, match="'objective' parameter"):
        tiny(objective="colour").fit(walks())
    with pytest.raises(ValueError, match=r"must end in \.safetensors, got .*encoder\.pt"):
        tiny(max_epochs=1).fit(walks()).save_encoder(tmp_path / "encoder.pt")


def test_progress_is_shown_on_request(capsys):
    tiny().fit(walks())
    assert capsys.readouterr() == ("", "")
    tiny(verbose=True).fit(walks())
    out, err = capsys.readouterr()
    assert out == "" and "Epochs" in err and "3/3" in err
