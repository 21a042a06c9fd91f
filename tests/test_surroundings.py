"""Fits that fail, interruptions, and what the caller has set: over every estimator."""

import threading

import instances
import numpy as np
import pytest
import surrounding_checks
import torch
from instances import tiny_frames, tiny_labeler, tiny_scores, tiny_tcn, tiny_trials, tiny_video
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_score
from skorch.callbacks import Callback

import skrehab
from skrehab import FusionClassifier, MultiLabelVideoClassifier
from skrehab._surroundings import Counted, check_device, ready
from skrehab.metrics import trial_roc_auc


@pytest.mark.parametrize("check", surrounding_checks.ALL, ids=lambda check: check.__name__)
@pytest.mark.parametrize("row", **instances.rows())
def test_battery(row, check):
    check(row)


# --- interruptions --------------------------------------------------------------------------------
class Stop(Callback):
    """What Ctrl-C does at the end of an epoch."""

    def __init__(self, error=KeyboardInterrupt):
        self.error = error

    def on_epoch_end(self, net, **kwargs):
        raise self.error


STOP = {"max_epochs": 50, "net_params": {"callbacks": [("stop", Stop())]}}
TRAINED = {
    "VideoClassifier": (lambda: tiny_video(**STOP), "y"),
    "FrameMLP": (lambda: tiny_frames(**STOP), "frame_labels"),
    "FrameTCN": (lambda: tiny_tcn(**STOP), "frame_labels"),
    "QualityRegressor": (lambda: tiny_scores(**STOP), "y"),
    "SaliencyPseudoLabeler": (lambda: tiny_labeler().set_params(estimator=tiny_video(**STOP)), "y"),
}


@pytest.mark.parametrize("name", TRAINED)
def test_an_interruption_leaves_fit(tiny, name):
    make, y = TRAINED[name]
    estimator = make()
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(tiny.X, getattr(tiny, y))
    assert not surrounding_checks.fitted_names(estimator)


def test_an_interruption_leaves_several_labels_and_modalities(tiny):
    two_labels = np.stack([tiny.y, 1 - tiny.y], axis=1)
    model = MultiLabelVideoClassifier("lstm", network_params={"hidden_size": 4}, **STOP)
    with pytest.raises(KeyboardInterrupt):
        model.fit(tiny.X, two_labels)
    with pytest.raises(NotFittedError):
        model.predict(tiny.X)


def test_an_interruption_leaves_searches(tiny):
    split = {"groups": tiny.patients}
    model = tiny_video(**STOP)
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(
            model, tiny.X, tiny.y, cv=LeaveOneGroupOut(), scoring=trial_roc_auc, **split
        )
    search = GridSearchCV(
        model, {"lr": [0.1, 0.01]}, cv=LeaveOneGroupOut(), scoring=trial_roc_auc, error_score=0.0
    )
    with pytest.raises(KeyboardInterrupt):
        search.fit(tiny.X, tiny.y, **split)


def test_early_stopping_is_no_interruption(tiny):
    """skorch's own interrupts to stop, and comes to an end like any other."""
    model = tiny_video(lr=1e-9, max_epochs=40, early_stopping="trial", patience=3)
    assert 3 < len(model.fit(tiny.X, tiny.y).history_) < 40
    own = {"callbacks": [("stop", Stop())]}
    with pytest.raises(KeyboardInterrupt):  # and an interruption beside it still is one
        tiny_video(max_epochs=40, early_stopping="trial", net_params=own).fit(tiny.X, tiny.y)


def test_any_error_while_training_leaves_the_model_before(tiny):
    model = tiny_video().fit(tiny.X, tiny.y)
    before = model.predict_proba(tiny.X)
    model.set_params(net_params={"callbacks": [("stop", Stop(MemoryError("no memory")))]})
    with pytest.raises(MemoryError):
        model.fit(tiny.X, np.where(tiny.y, "b", "a"))
    np.testing.assert_array_equal(model.predict_proba(tiny.X), before)
    assert model.classes_.tolist() == [0, 1]


def test_nothing_of_an_earlier_fit_is_left(tiny):
    """A head of an earlier way to fuse is not used after a later fit."""
    rng = np.random.RandomState(0)
    X = [{"rgb": rng.randint(0, 255, (8, 32, 32, 3), np.uint8), "pose": x} for x in tiny.X[:6]]
    small = {"width": 4, "depths": (1, 1, 1, 1), "n_frames": 4, "image_size": 32}
    rgb = tiny_video(network="slow", network_params=small)
    model = FusionClassifier(rgb, tiny_video(), how="features").fit(X, tiny.y[:6])
    assert hasattr(model, "head_")
    model.set_params(how="late").fit(X, 1 - tiny.y[:6])
    assert not hasattr(model, "head_")
    with pytest.raises(NotFittedError):
        model.set_params(how="features").predict(X)


def test_what_goes_on_learning_goes_on(tiny):
    make = skrehab.PoseSequencePretrainer
    pretrainer = make(4, objective="pace", max_epochs=1, random_state=0).fit(tiny.X)
    assert len(pretrainer.partial_fit(tiny.X).history_) == 2
    assert len(pretrainer.set_params(warm_start=True).fit(tiny.X).history_) == 3
    before = pretrainer.transform(tiny.X)[0]
    with pytest.raises(ValueError):
        pretrainer.partial_fit([np.zeros((4, 9, 3))])  # another number of landmarks
    np.testing.assert_array_equal(pretrainer.transform(tiny.X)[0], before)
    assert len(pretrainer.history_) == 3


# --- devices --------------------------------------------------------------------------------------
NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@pytest.mark.parametrize(
    ("device", "message"),
    [
        pytest.param("cuda", r"device='cuda' cannot be used: .*device='cpu'", marks=NO_GPU),
        ("cuda:99", r"device='cuda:99' cannot be used"),
        ("banana", r"device='banana' is not known to torch"),
        ("CPU", r"device='CPU' is not known to torch"),
        ("", r"device='' is not known to torch"),
        ("meta", r"device='meta' cannot be used"),
    ],
)
def test_a_device_that_is_not_there_is_named(tiny, tmp_path, device, message):
    fitted = tiny_video().fit(tiny.X, tiny.y)
    folder = skrehab.save(fitted, tmp_path / "m")
    fitted.set_params(device=device)
    for use in (
        lambda: tiny_video(device=device).fit(tiny.X, tiny.y),
        lambda: tiny_frames(device=device).fit(tiny.X, tiny.frame_labels),
        lambda: tiny_scores(device=device).fit(tiny.X, tiny.y),
        lambda: fitted.predict(tiny.X),
        lambda: fitted.saliency(tiny.X, target=1),
        lambda: skrehab.load(folder, device=device),
        lambda: check_device(device),
    ):
        with pytest.raises(ValueError, match=message):
            use()


def test_a_network_in_its_place_is_not_touched():
    calls = []

    class Watched(torch.nn.Linear):
        def _apply(self, *args, **kwargs):
            calls.append("moved")
            return super()._apply(*args, **kwargs)

    network = Watched(2, 2).eval()
    ready(network, "cpu")
    assert not calls and not network.training
    ready(network.train(), "cpu")
    assert not calls and not network.training


# --- loading --------------------------------------------------------------------------------------
def test_a_model_is_loaded_whatever_is_set(tiny, tmp_path):
    fitted = tiny_video().fit(tiny.X, tiny.y)
    folder = skrehab.save(fitted, tmp_path / "m")
    expected = fitted.saliency(tiny.X[:2], n_steps=3)
    for setting in (torch.inference_mode, lambda: torch.device("meta")):
        with setting():
            again = skrehab.load(folder)
        for one, other in zip(again.saliency(tiny.X[:2], n_steps=3), expected):
            np.testing.assert_array_equal(one, other)
        again.fit(tiny.X, tiny.y)


# --- settings of the whole process ----------------------------------------------------------------
def test_a_setting_is_put_back_by_the_last_thread():
    """Threads come and go out of order: were each to put back what it found, it would stay."""
    setting = {"value": "theirs"}
    ours = Counted(lambda: setting["value"], lambda v: setting.update(value=v), "ours")
    inside, leave = threading.Barrier(3), [threading.Event(), threading.Event()]

    def run(i):
        with ours:
            inside.wait()
            leave[i].wait()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    inside.wait()
    assert setting["value"] == "ours"
    leave[0].set()
    threads[0].join()
    assert setting["value"] == "ours"
    leave[1].set()
    threads[1].join()
    assert setting["value"] == "theirs"


def test_saliency_in_threads_leaves_cudnn_on():
    data = tiny_trials()
    fitted = tiny_video().fit(data.X, data.y)
    before = torch.backends.cudnn.enabled
    threads = [
        threading.Thread(target=fitted.saliency, args=(data.X,), kwargs={"n_steps": 4})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.backends.cudnn.enabled == before
