"""One patient's model: nothing of the old one changes, and labels move it the right way."""

import copy

import numpy as np
import pytest
from instances import tiny_frames, tiny_tcn, tiny_trials

import skrehab
from skrehab import DisplacementSmoother, FrameStream, PatientReference
from skrehab.adaptation import adapt_to_patient, nearest_head
from skrehab.adaptation.head import bag_score, hidden_frames, last_layer
from skrehab.pseudo_labels import PatientPipeline


def fitted(last=tiny_tcn, reference=None, seed=0, **params):
    data = tiny_trials(seed=seed)
    steps = [("motion", DisplacementSmoother(3)), ("frames", last(max_epochs=6, **params))]
    if reference is not None:
        steps.insert(1, ("reference", reference))
    return PatientPipeline(steps).fit(data.X, data.frame_labels, groups=data.patients), data


def state_of(pipe):
    """Everything that is fitted, to compare to the bit."""
    module = {k: v.clone() for k, v in pipe["frames"].module_.state_dict().items()}
    reference = pipe.named_steps.get("reference")
    return module, None if reference is None else copy.deepcopy(vars(reference))


def assert_same_state(one, other):
    for key, value in one[0].items():
        assert value.equal(other[0][key])
    if one[1] is not None:
        for key, value in one[1].items():
            np.testing.assert_array_equal(value, other[1][key])


# --- the last layer -------------------------------------------------------------------------------
@pytest.mark.parametrize("last", [tiny_tcn, tiny_frames])
def test_hidden_frames_and_the_last_layer_make_the_logits(last):
    pipe, data = fitted(last)
    model, X = pipe["frames"], pipe["motion"].transform(data.X[:3])
    layer = last_layer(model.module_)[1]
    weight, bias = layer.weight.detach().numpy()[0], float(layer.bias.detach())
    for hidden, proba in zip(hidden_frames(model, X), model.predict_proba(X)):
        expected = 1 / (1 + np.exp(-(hidden @ weight + bias)))
        np.testing.assert_allclose(proba[:, 1], expected, atol=1e-6)


def test_hidden_frames_of_all_phases_are_in_order():
    pipe, data = fitted(step=3)
    model, X = pipe["frames"], pipe["motion"].transform(data.X[:2])
    layer = last_layer(model.module_)[1]
    logits = hidden_frames(model, X)[1] @ layer.weight.detach().numpy()[0]
    logits = logits + float(layer.bias.detach())
    np.testing.assert_allclose(
        model.predict_proba(X)[1][:, 1], 1 / (1 + np.exp(-logits)), atol=1e-6
    )


def test_a_bias_by_hand():
    """With one frame and no weight, it solves anchor * b + (sigmoid(b) - y) = 0 (and the ridge)."""
    for label, anchor in ((1, 1.0), (0, 1.0), (1, 0.1)):
        weight, bias = nearest_head(
            [np.zeros((1, 2))], [label], [3.0, -1.0], 0.0, learn="bias", anchor=anchor
        )
        assert weight.tolist() == [3.0, -1.0]
        slope = anchor * (1 + 1e-3) * bias + 1 / (1 + np.exp(-bias)) - label
        assert abs(slope) < 1e-4


def test_it_is_a_minimum():
    """No small step in any direction makes it better; computed another way than in the code."""
    rng = np.random.RandomState(0)
    hidden, motion = [rng.randn(n, 3) for n in (12, 9, 15)], [1, 0, 1]
    weight, bias = rng.randn(3), 0.2

    def loss(w, b):
        frames = np.concatenate(hidden)
        moved = frames @ (w - weight) + b - bias
        value = (moved**2).mean() / 2 + 1e-3 * (((w - weight) ** 2).sum() + (b - bias) ** 2) / 2
        for one, label in zip(hidden, motion):
            p = 1 / (1 + np.exp(-bag_score(one @ w + b)))
            value -= np.log(p if label else 1 - p)
        return value

    found = nearest_head(hidden, motion, weight, bias)
    best = loss(*found)
    assert best < loss(weight, bias)
    for _ in range(50):
        step = 1e-2 * rng.randn(4)
        assert loss(found[0] + step[:3], found[1] + step[3]) >= best - 1e-6


def test_a_larger_anchor_moves_less():
    hidden = [np.random.RandomState(0).randn(20, 3)]
    moved = [
        np.linalg.norm(nearest_head(hidden, [1], np.zeros(3), -1.0, anchor=anchor)[0])
        for anchor in (0.1, 1.0, 10.0, 1e6)
    ]
    assert moved == sorted(moved, reverse=True) and moved[-1] < 1e-4


# --- whole pipelines ------------------------------------------------------------------------------
@pytest.mark.parametrize("learn", ["bias", "head"])
@pytest.mark.parametrize("last", [tiny_tcn, tiny_frames])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_old_model_stays_as_it_is(last, learn, k):
    pipe, _ = fitted(last, PatientReference())
    new = tiny_trials(seed=5)
    before, said = state_of(pipe), pipe.predict_proba(new.X)
    own = adapt_to_patient(pipe, new.X[:k], new.y[:k], learn=learn)
    assert_same_state(before, state_of(pipe))
    for one, other in zip(said, pipe.predict_proba(new.X)):
        np.testing.assert_array_equal(one, other)
    assert type(own) is type(pipe) and list(own.named_steps) == list(pipe.named_steps)
    assert any((a != b).any() for a, b in zip(said, own.predict_proba(new.X)))


def test_labels_move_trials_the_way_they_say():
    """A model that is wrong about a trial is less wrong about it afterwards."""
    pipe, _ = fitted()
    new = tiny_trials(seed=5)
    for learn in ("bias", "head"):
        for label, better in ((0, np.less), (1, np.greater)):
            own = adapt_to_patient(pipe, new.X[:2], [label, label], learn=learn)
            tops = [
                [np.sort(p[:, 1])[-3:].mean() for p in model.predict_proba(new.X[:2])]
                for model in (own, pipe)
            ]
            assert better(*tops).all()


def test_with_labels_in_words_and_the_normal_one_last():
    data = tiny_trials()
    words = np.array(["lean", "normal"])
    labels = [words[1 - one] for one in data.frame_labels]
    pipe = PatientPipeline([("frames", tiny_tcn(max_epochs=6))]).fit(data.X, labels)
    with pytest.raises(ValueError, match="Pass normal_label"):
        adapt_to_patient(pipe, data.X[:1], ["lean"])
    calm = adapt_to_patient(pipe, data.X[:1], ["normal"], normal_label="normal")
    moved = calm.predict_proba(data.X[:1])[0][:, 0] - pipe.predict_proba(data.X[:1])[0][:, 0]
    assert (moved < 0).all()  # the motion is less likely in every frame: the bias alone


def test_the_reference_needs_no_labels():
    pipe, _ = fitted(reference=PatientReference())
    new = tiny_trials(seed=5)
    own = adapt_to_patient(pipe, new.X[:1])
    assert own["frames"] is pipe["frames"]
    given = pipe["motion"].transform(new.X[:1])[0]
    np.testing.assert_allclose(own["reference"].reference_[0], given.mean(axis=0), atol=1e-6)


def test_the_patient_order_of_k_does_not_forget():
    """From one trial, then from five: the same as from five at once, since one starts anew."""
    pipe, _ = fitted(reference=PatientReference())
    new = tiny_trials(seed=5)
    adapt_to_patient(pipe, new.X[:1], new.y[:1])
    later = adapt_to_patient(pipe, new.X[:5], new.y[:5])
    again = adapt_to_patient(fitted(reference=PatientReference())[0], new.X[:5], new.y[:5])
    for one, other in zip(later.predict_proba(new.X), again.predict_proba(new.X)):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_for_one_exercise_and_live():
    data, new = tiny_trials(), tiny_trials(seed=5)
    exercise = np.array(["a", "b"] * 8)
    pipe = PatientPipeline([("reference", PatientReference()), ("frames", tiny_tcn())])
    pipe.fit(data.X, data.frame_labels, groups=data.patients, exercise=exercise)
    own = adapt_to_patient(pipe, new.X[:2], new.y[:2], exercise="b")
    stream = FrameStream(own)
    live = [stream.push(frame, t / 30) for t, frame in enumerate(new.X[3])]
    np.testing.assert_allclose(live, own.predict_proba([new.X[3]])[0], rtol=0, atol=1e-6)
    both = adapt_to_patient(pipe, new.X[:2], new.y[:2], exercise=["b", "b"])
    np.testing.assert_array_equal(
        both.predict_proba([new.X[3]], exercise=["b"])[0], own.predict_proba([new.X[3]])[0]
    )


def test_saved_and_loaded(tmp_path):
    pipe, _ = fitted(reference=PatientReference())
    new = tiny_trials(seed=5)
    own = adapt_to_patient(pipe, new.X[:2], new.y[:2], learn="head")
    again = skrehab.load(skrehab.save(own, tmp_path / "model"))
    np.testing.assert_allclose(
        again.predict_proba(new.X)[3], own.predict_proba(new.X)[3], atol=1e-6
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Nothing to adapt"),
        ({"y": [0], "learn": None}, "Nothing to adapt"),
        ({"y": [7]}, r"y holds 7, which is not among the classes \[0, 1\]"),
        ({"y": [0], "learn": "all"}, "learn must be"),
        ({"y": [0], "anchor": 0}, "anchor must be above 0"),
        ({"y": [0], "normal_label": 3}, "normal_label=3 is not among"),
        ({"y": [0, 1]}, "one label per trial"),
    ],
)
def test_what_it_refuses(given, message):
    pipe, data = fitted()
    with pytest.raises(ValueError, match=message):
        adapt_to_patient(pipe, data.X[:1], **given)


def test_three_classes_have_no_last_layer_of_one_output():
    data = tiny_trials()
    labels = [one + (np.arange(len(one)) < 2) * 2 * (1 - one) for one in data.frame_labels]
    model = tiny_tcn().fit(data.X, labels)
    with pytest.raises(TypeError, match="this model has 3 outputs"):
        adapt_to_patient(model, data.X[:1], [0])
