"""VideoClassifier: what it learns, its parameters, early stopping, saliency of its decisions."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from instances import tiny_trials, tiny_video
from sklearn.base import clone, is_classifier
from sklearn.metrics import roc_auc_score
from torch import nn

from skrehab import VideoClassifier
from skrehab.saliency import Saliency


@pytest.fixture(scope="module")
def learned():
    """A classifier trained until it can tell, with the trials."""
    data = tiny_trials(n_patients=6)
    classifier = tiny_video(network_params={"hidden_size": 16}, max_epochs=40, lr=0.02)
    return classifier.fit(data.X, data.y), data


def test_it_learns_and_generalises_to_other_patients(learned):
    classifier, _ = learned
    new = tiny_trials(n_patients=3, seed=9)
    assert roc_auc_score(new.y, classifier.decision_function(new.X)) > 0.9
    assert classifier.score(new.X, new.y) > 0.8
    assert is_classifier(classifier)


def test_saliency_points_at_the_motion(learned):
    """The frames and the landmark that move are where the decision comes from."""
    classifier, _ = learned
    new = tiny_trials(n_patients=4, seed=11)
    moved = [i for i, label in enumerate(new.y) if label]
    result = classifier.saliency([new.X[i] for i in moved], target=1, return_maps=True)
    assert isinstance(result, Saliency)
    by_landmark = sum(maps.sum(axis=0) for maps in result.maps)
    assert by_landmark[0] > 3 * by_landmark[1:].max()
    truth = np.concatenate([new.frame_labels[i] for i in moved])
    assert roc_auc_score(truth, np.concatenate(result.scores)) > 0.8


def test_saliency_of_class_0_is_that_of_class_1_with_the_other_sign(learned):
    classifier, data = learned
    options = {"aggregate": "signed", "normalize": False, "n_steps": 8}
    one = classifier.saliency(data.X[:3], target=1, **options)
    zero = classifier.saliency(data.X[:3], target=[0, 0, 0], **options)
    for a, b in zip(one, zero):
        np.testing.assert_allclose(a, -b, rtol=1e-5, atol=1e-6)


def test_saliency_defaults_to_the_predicted_class(learned):
    classifier, data = learned
    options = {"n_steps": 4, "aggregate": "signed", "normalize": False}  # the sign tells the class
    default = classifier.saliency(data.X, **options)
    predicted = classifier.saliency(data.X, target=classifier.predict(data.X), **options)
    for a, b in zip(default, predicted):
        np.testing.assert_array_equal(a, b)


def test_dropout_is_off_whatever_mode_the_network_was_left_in(learned):
    classifier, data = learned
    expected = classifier.predict_proba(data.X)
    classifier.module_.train()
    np.testing.assert_array_equal(classifier.predict_proba(data.X), expected)


def test_saliency_passes_its_options_on(tiny):
    classifier = tiny_video().fit(tiny.X, tiny.y)
    X = tiny.X[1:2]
    auto = classifier.saliency(X, n_steps="auto", tol=0.001, return_maps=True)
    assert auto.completeness_error[0] <= 0.001
    rest = classifier.saliency(X, baseline="rest", normalize=False)[0]
    assert rest[0] == 0 and rest.max() > 0
    total = classifier.saliency(X, normalize=False, return_maps=True)
    np.testing.assert_allclose(total.maps[0].sum(axis=1), total.scores[0], rtol=1e-5)
    with pytest.raises(ValueError, match="method must be one of"):
        classifier.saliency(X, method="lime")
    with pytest.raises(ValueError, match="target 7 is not among"):
        classifier.saliency(X, target=7)


# --- parameters of the network --------------------------------------------------------------------
def test_network_parameters_by_name():
    classifier = VideoClassifier(network_params={"size": "micro", "dropout": 0.1})
    params = classifier.get_params()
    assert params["network__dropout"] == 0.1 and params["network__size"] == "micro"
    assert "network__dropout" not in classifier.get_params(deep=False)
    given = classifier.network_params
    assert classifier.set_params(network__dropout=0.4, lr=0.5) is classifier
    assert classifier.network_params == {"size": "micro", "dropout": 0.4}
    assert classifier.lr == 0.5
    assert given["dropout"] == 0.1  # the user's dict is not written to
    # one that was not given before, beside a whole new dict
    classifier.set_params(network_params={"size": "small"}, network__dropout=0.3)
    assert classifier.network_params == {"size": "small", "dropout": 0.3}
    assert clone(classifier).network_params == classifier.network_params
    assert VideoClassifier().set_params(network__size="base").network_params == {"size": "base"}


def test_network_parameters_are_used(tiny):
    small = tiny_video().set_params(network__hidden_size=3).fit(tiny.X, tiny.y)
    assert small.module_.rnn.hidden_size == 3


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"network": "actt"}, "Unknown network 'actt'"),
        ({"network_params": {"hidden": 3}}, r"'lstm' has no parameter \['hidden'\]"),
        ({"lr": 0}, "'lr' parameter"),
        ({"max_epochs": 0}, "'max_epochs' parameter"),
        ({"early_stopping": "frame"}, "'early_stopping' parameter"),
        ({"schedule": "step"}, "'schedule' parameter"),
        ({"class_weight": "heavy"}, "'class_weight' parameter"),
        ({"gradient_clip": 0}, "'gradient_clip' parameter"),
        ({"validation_fraction": 1}, "'validation_fraction' parameter"),
    ],
)
def test_bad_parameters_are_refused_in_fit(tiny, params, message):
    classifier = tiny_video(**params)  # not here
    with pytest.raises(ValueError, match=message):
        classifier.fit(tiny.X, tiny.y)


class Last(nn.Module):
    """Looks at the last true frame only."""

    def __init__(self, n_landmarks, n_coords, n_outputs):
        super().__init__()
        self.head = nn.Linear(n_landmarks * n_coords, n_outputs)

    def forward(self, x, lengths=None):
        return self.head(x.flatten(2)[torch.arange(len(x)), lengths - 1])


def test_a_class_as_network(tiny):
    classifier = tiny_video(network=Last, network_params=None).fit(tiny.X, tiny.y)
    saliency = classifier.saliency(tiny.X, method="vanilla_gradient")
    for scores in saliency:
        assert np.flatnonzero(scores).tolist() == [len(scores) - 1]


# --- training -------------------------------------------------------------------------------------
def test_history_and_defaults(tiny):
    classifier = tiny_video(max_epochs=3).fit(tiny.X, tiny.y)
    assert [set(row) for row in classifier.history_] == [{"epoch", "train_loss"}] * 3
    assert classifier.validation_groups_ is None
    assert (classifier.n_landmarks_, classifier.n_coords_) == (5, 3)


def test_one_logit_for_two_classes_one_each_for_more(tiny):
    assert tiny_video().fit(tiny.X, tiny.y).module_.head.out_features == 1
    y = np.arange(len(tiny.y)) % 3
    assert tiny_video().fit(tiny.X, y).module_.head.out_features == 3


@pytest.mark.parametrize("how", [True, "patient", "trial"])
def test_early_stopping(how):
    tiny = tiny_trials(noise=2.0)  # little to learn, much to overfit
    classifier = tiny_video(early_stopping=how, max_epochs=60, patience=2, lr=0.3)
    classifier.fit(tiny.X, tiny.y, groups=tiny.patients)
    losses = [row["valid_loss"] for row in classifier.history_]
    assert len(losses) < 60
    assert int(np.argmin(losses)) >= len(losses) - 1 - 2
    if how == "trial":
        assert classifier.validation_groups_ is None  # no patient is held out as a whole
    else:
        assert len(classifier.validation_groups_) == 1
        assert set(classifier.validation_groups_) < set(tiny.patients)


def test_early_stopping_by_patient_refuses_to_guess(tiny):
    with pytest.raises(ValueError, match="early_stopping by patient needs groups"):
        tiny_video(early_stopping=True).fit(tiny.X, tiny.y)
    tiny_video(early_stopping="trial").fit(tiny.X, tiny.y)  # says that it splits by trial


def test_held_out_patients_are_not_trained_on(tiny):
    """Their trials may be anything: the weights after one epoch are the same."""
    settings = {"early_stopping": True, "max_epochs": 1, "validation_fraction": 0.25}
    one = tiny_video(**settings).fit(tiny.X, tiny.y, groups=tiny.patients)
    held = set(one.validation_groups_)
    X = [
        np.float32(99) * np.ones_like(trial) if patient in held else trial
        for trial, patient in zip(tiny.X, tiny.patients)
    ]
    other = tiny_video(**settings).fit(X, tiny.y, groups=tiny.patients)
    assert set(other.validation_groups_) == held
    for a, b in zip(one.module_.parameters(), other.module_.parameters()):
        assert torch.equal(a, b)


def test_whose_the_trials_of_only_one_class_are(tiny):
    """In a study it tells which patient was held out."""
    message = r"all 2 trials \(of patients A, B\) are labelled 1"
    with pytest.raises(ValueError, match=message):
        tiny_video().fit(tiny.X[:2], [1, 1], groups=["B", "A"])
    with pytest.raises(ValueError, match="all 2 trials are labelled 1"):
        tiny_video().fit(tiny.X[:2], [1, 1])


def test_seeds(tiny):
    probabilities = [
        tiny_video(random_state=seed).fit(tiny.X, tiny.y).predict_proba(tiny.X) for seed in (0, 1)
    ]
    assert not np.array_equal(*probabilities)
    state = np.random.RandomState(0)
    classifier = tiny_video(random_state=state)
    first = classifier.fit(tiny.X, tiny.y).predict_proba(tiny.X)
    assert not np.array_equal(first, classifier.fit(tiny.X, tiny.y).predict_proba(tiny.X))


def test_balanced_class_weight_evens_out_rare_classes(tiny):
    """Where trials tell nothing, a class gets its share; balanced, every class gets the same."""
    keep = [i for i in range(len(tiny.y)) if tiny.y[i] == 0 or i < 4]
    X, y = [np.zeros_like(tiny.X[i]) for i in keep], tiny.y[keep]
    recipe = {"max_epochs": 60, "lr": 0.03, "batch_size": len(y)}
    plain = tiny_video(**recipe).fit(X, y)
    balanced = tiny_video(**recipe, class_weight="balanced").fit(X, y)
    assert plain.predict_proba(X)[:, 1].mean() == pytest.approx(np.mean(y), abs=0.1)
    assert balanced.predict_proba(X)[:, 1].mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("weights", [{"class_weight": {0: 1, 1: 50}}, {}])
def test_weights_count_in_batches_of_one(tiny, weights):
    plain = tiny_video(batch_size=1).fit(tiny.X, tiny.y)
    more = None if weights else 1 + 49 * tiny.y
    other = tiny_video(batch_size=1, **weights).fit(tiny.X, tiny.y, sample_weight=more)
    assert (other.predict_proba(tiny.X) - plain.predict_proba(tiny.X))[:, 1].min() > 0.01


def test_weights_and_labels_that_cannot_be(tiny):
    weights = np.ones(16)
    weights[3] = np.nan
    with pytest.raises(ValueError, match=r"sample_weight\[3\] is nan"):
        tiny_video().fit(tiny.X, tiny.y, sample_weight=weights)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        tiny_video().fit(tiny.X, np.linspace(0.1, 0.9, 16))


def test_early_stopping_says_which_label_it_cannot_learn(tiny):
    y = np.where(tiny.patients == "patient-0", "lean", "usual")
    for seed in range(8):  # the only patient who leans is trained on
        model = tiny_video(early_stopping=True, max_epochs=1, random_state=seed)
        assert "patient-0" not in model.fit(tiny.X, y, groups=tiny.patients).validation_groups_
    with pytest.warns(UserWarning, match=r"every sample labelled \['(lean|usual)'\]"):
        model.fit(tiny.X[:8], y[:8], groups=tiny.patients[:8])


def test_the_same_seed_in_threads(tiny):
    def predict(seed):
        return tiny_video(random_state=seed).fit(tiny.X, tiny.y).predict_proba(tiny.X)

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(predict, range(4)))
    for seed, proba in enumerate(together):
        np.testing.assert_array_equal(proba, predict(seed))


def test_callbacks_of_skorch(tiny):
    from skorch.callbacks import Callback

    epochs = []

    class Count(Callback):
        def on_epoch_end(self, net, **kwargs):
            epochs.append(len(net.history))

    params = {"callbacks": [("count", Count())]}
    tiny_video(max_epochs=3, net_params=params).fit(tiny.X, tiny.y)
    assert epochs == [1, 2, 3]
    assert list(params) == ["callbacks"]  # the user's dict is not emptied


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("network", ["lstm", "act"])
def test_on_a_gpu(tiny, network):
    classifier = tiny_video(network=network, network_params=None, device="cuda", max_epochs=5)
    classifier.fit(tiny.X, tiny.y)
    probabilities = classifier.predict_proba(tiny.X)
    classifier.saliency(tiny.X)
    classifier.device = "cpu"
    np.testing.assert_allclose(classifier.predict_proba(tiny.X), probabilities, atol=1e-4)
