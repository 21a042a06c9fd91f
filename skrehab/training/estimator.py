"""What every estimator around a network of the registry shares: inputs, training, outputs."""

import os
from functools import partial
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrehab import networks
from skrehab._surroundings import predicting
from skrehab.networks.weights import load_weights, read_weights
from skrehab.preprocessing import LandmarkScaler
from skrehab.preprocessing.lost import complete_trials
from skrehab.training.batching import Samples, collate_trials
from skrehab.training.clip_changes import ClipSamples, count_views, frames_of, view_of
from skrehab.training.clips import check_videos, collate_clips
from skrehab.training.doubts import check_choice, warn_of_random_layers
from skrehab.training.embeddings import OnEmbeddings, embed_trials, penultimate
from skrehab.training.finetuning import Tuning
from skrehab.training.loop import (
    PAPER_CONSTRAINTS,
    TRAINING_CONSTRAINTS,
    Recipe,
    WeightedLoss,
    seeded,
    train,
)
from skrehab.training.plans import plan_changes, plan_clip_changes
from skrehab.training.sequences import Sequences
from skrehab.training.thinning import Thinned, choose_step, thin_all
from skrehab.training.validation import held_out_patients, validation_split
from skrehab.trials import check_trials, tag_trial_input

__all__ = ["NETWORK_CONSTRAINTS", "NetworkEstimator", "NetworkParamsMixin"]

#: What scikit-learn checks of the parameters of estimators around a network.
NETWORK_CONSTRAINTS = {
    "network": [str, type],
    "network_params": [dict, None],
    "weights": [str, os.PathLike, None],
    "weights_sha256": [str, None],
    "head": [StrOptions({"keep", "new"})],
    "freeze": [tuple, list],
    "layer_decay": [Interval(Real, 0, 1, closed="right"), None],
    "head_warmup": [Interval(Integral, 0, None, closed="left")],
    "memory": [str, os.PathLike, HasMethods(["cache"]), None],
    **TRAINING_CONSTRAINTS,
    **PAPER_CONSTRAINTS,
}


class NetworkParamsMixin:
    """Let grid search reach what is in ``network_params`` as ``network__<name>``.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skrehab.training.estimator import NetworkParamsMixin
    >>> class Estimator(NetworkParamsMixin, BaseEstimator):
    ...     def __init__(self, network_params=None):
    ...         self.network_params = network_params
    >>> Estimator({"width": 8}).set_params(network__dropout=0.1).network_params
    {'width': 8, 'dropout': 0.1}
    """

    def get_params(self, deep=True):
        """Get the parameters, the network's own as ``network__<name>`` too.

        Parameters
        ----------
        deep : bool, default=True
            Include the network's parameters.

        Returns
        -------
        dict
            Parameters by name.
        """
        params = super().get_params(deep=deep)
        if deep and isinstance(self.network_params, dict):
            params |= {f"network__{key}": value for key, value in self.network_params.items()}
        return params

    def set_params(self, **params):
        """Set parameters; ``network__<name>`` sets one of the network's.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        estimator
            The estimator itself.
        """
        prefix = "network__"
        inner = {k.removeprefix(prefix): v for k, v in params.items() if k.startswith(prefix)}
        super().set_params(**{k: v for k, v in params.items() if not k.startswith(prefix)})
        if inner:
            self.network_params = {**(self.network_params or {}), **inner}
        return self


class NetworkEstimator(NetworkParamsMixin, BaseEstimator):
    """Base of estimators that train one network of the registry on trials or videos.

    A subclass has the parameters of :class:`skrehab.VideoClassifier`, checks y, and says in
    ``_n_outputs()`` how many outputs the network has.
    """

    def _check_input(self, X):
        """Validate what is given to fit."""
        if networks.get_spec(self.network).input == "rgb":
            return check_videos(X)
        return check_trials(X)

    def _check_X(self, X):
        """Validate what is given after fit."""
        check_is_fitted(self)
        if self.n_landmarks_ is None:
            return check_videos(X)
        X = check_trials(X, n_landmarks=self.n_landmarks_, n_coords=self.n_coords_)
        scaler = getattr(self, "scaler_", None)
        return X if scaler is None else scaler.transform(X)

    def _train(
        self,
        X,
        targets,
        weights,
        groups,
        *,
        strata,
        labels=None,
        exercise=None,
        criterion=WeightedLoss,
    ):
        """Hold out what early stopping needs, build the network, start it, and train it."""
        spec = networks.get_spec(self.network)
        random_state = check_random_state(self.random_state)
        inside, held_out = validation_split(
            strata,
            groups,
            self.early_stopping,
            self.validation_fraction,
            random_state,
            labels=labels,
        )
        self.n_landmarks_, self.n_coords_ = (None, None) if spec.input == "rgb" else X[0].shape[1:]
        if (self.network_params or {}).get("n_frames") == "all":
            self.max_frames_ = max(len(trial) for trial in X)
        self.validation_groups_ = held_out_patients(groups, held_out, self.early_stopping)
        X, changed = self._prepare(X, spec, inside, labels, groups, exercise)
        count_views(getattr(self, "views", 1), spec, self)
        with seeded(random_state, self.device) as generator:
            self.module_ = self._build_module()
            self.weights_report_ = self._load_weights(spec)
            if self.weights is None:
                warn_of_random_layers(spec, self.module_, tuple(self.freeze))
            if spec.input != "rgb":  # once, not every epoch
                X = self._complete(X)
            module, inputs = self.module_, X
            if getattr(self.module_, "is_frozen", False):  # embed once, not every epoch
                if changed is not None:
                    raise ValueError(
                        "augment and step need a network that sees each trial anew: "
                        f"{self.network!r} is frozen, and trials are embedded once. Use "
                        "augment=None and step=1."
                    )
                self.module_.to(self.device)
                inputs = embed_trials(self.module_, X, self.batch_size, self.device, self.memory)
                module = OnEmbeddings(self.module_)

            def subset(index):
                kept = inputs[index] if isinstance(inputs, torch.Tensor) else [X[i] for i in index]
                return Samples(kept, targets[index], weights[index], self._collate)

            samples = subset(inside)
            if spec.input == "rgb":
                samples = self._changed_clips(samples)
            if changed is not None:
                trials = self._complete(changed[0])
                samples = Sequences(trials, targets[inside], weights[inside], **changed[1])
            self.history_ = train(
                module,
                samples,
                Recipe.of(self),
                generator=generator,
                validation=None if held_out is None else self._all_phases(subset(held_out)),
                tuning=self._tuning(spec),
                criterion=criterion,
            )
        return self

    def _prepare(self, X, spec, inside, labels, groups, exercise):
        """Standardize trials; and the training trials as they came, with how to change them."""
        standardize, augment = (getattr(self, name, None) for name in ("standardize", "augment"))
        params = self.network_params or {}
        check_choice(spec, params, X, standardize=bool(standardize), weights=self.weights)
        self.scaler_ = None
        step = getattr(self, "step", 1)
        if spec.input == "rgb" and (standardize or step != 1):
            raise ValueError(
                f"standardize and step change poses; {self.network!r} looks at RGB. Use "
                "standardize=False and step=1."
            )
        trials = [X[i] for i in inside]
        self.step_ = 1 if step == 1 else choose_step(step, [len(trial) for trial in trials])
        if spec.input == "rgb" or (not standardize and augment is None and self.step_ == 1):
            return X, None
        scaler = LandmarkScaler(center=True).fit(trials)
        scaling, spread = None, scaler.scale_
        if standardize:
            self.scaler_, scaling, spread = scaler, (scaler.mean_, scaler.scale_), 1.0
            X = scaler.transform(X)
        changes = plan_changes(
            *(augment, trials),
            groups=None if groups is None else groups[inside],
            exercise=None if exercise is None else exercise[inside],
            labels=None if labels is None else np.asarray(labels)[inside],
            spread=spread,
            n_frames=frames_of(spec, params),
            classes=self.classes_,
        )
        if changes is None and self.step_ == 1:
            return X, None
        return X, (trials, {"scaling": scaling, "changes": changes, "step": self.step_})

    def _changed_clips(self, samples):
        """Show clips as `augment` has it, each time anew."""
        n_frames = self.module_.clip.n_frames
        changes = plan_clip_changes(self.augment, n_frames, classes=self.classes_)
        parts = samples.inputs, samples.targets, samples.weights, samples.collate
        return samples if changes is None else ClipSamples(*parts, changes)

    def _all_phases(self, samples):
        """Thin held-out trials as they are judged: in all phases, which share a trial's weight."""
        if self.step_ == 1:
            return samples
        thinned, owner = thin_all(samples.inputs, self.step_)
        weights = samples.weights / torch.from_numpy(np.bincount(owner))
        return Samples(thinned, samples.targets[owner], weights[owner], self._collate)

    @property
    def _network(self):
        """The network as it judges whole trials, whichever frames it looks at."""
        step = getattr(self, "step_", 1)  # older models have none
        return self.module_ if step == 1 else Thinned(self.module_, step)

    def _tuning(self, spec):
        """How layers learn; what published weights did not fit learns as the classifier does."""
        drawn = self.weights_report_.reinitialised if self.weights_report_ is not None else ()
        freeze = tuple(self.freeze)
        return Tuning(freeze, self.layer_decay, self.head_warmup, spec.head, frozenset(drawn))

    def _load_weights(self, spec):
        if self.weights is None:
            return None
        state = read_weights(self.weights, sha256=self.weights_sha256)
        ends = spec.ends or getattr(type(self.module_), "ends", ())
        return load_weights(self.module_, state, self.head, spec.head, ends)

    def _build_module(self):
        """Build the network for the shapes seen in fit; also used when a model is loaded."""
        params = dict(self.network_params or {})
        if params.get("n_frames") == "all":  # as long a table as the longest training trial
            params.setdefault("max_frames", self.max_frames_)
        return networks.build(
            self.network,
            n_landmarks=self.n_landmarks_,
            n_coords=self.n_coords_,
            n_outputs=self._n_outputs(),
            **params,
        )

    @property
    def _collate(self):
        if self.n_landmarks_ is None:
            return partial(collate_clips, recipe=self.module_.clip)
        return self._collate_poses

    def _collate_poses(self, trials, views=None):
        trials = self._complete(trials)
        if views is not None:
            n_frames = self.module_.n_frames
            trials = [view_of(trial, n_frames, view.at) for trial, view in zip(trials, views)]
        return collate_trials(trials)

    def _complete(self, trials):
        """Fill lost points, as networks mix frames and landmarks; see preprocessing.lost.

        Not where frames are scored one after the other, live too: nothing is known there of the
        frames to come, and a lost landmark is zero. What is never seen of a standardized trial is
        zero as well, the mean of the training trials.
        """
        if hasattr(self.module_, "frame_logits"):
            return trials
        n_persons = (self.network_params or {}).get("n_persons", 1)
        never = "middle" if getattr(self, "scaler_", None) is None else "keep"
        return complete_trials(trials, n_persons=n_persons, never=never)

    def _batches(self, X, view=None):
        """Yield positions and what the network takes; pose trials by length, to pad little."""
        order = np.arange(len(X))
        if self.n_landmarks_ is not None:
            order = np.argsort([len(trial) for trial in X], kind="stable")
        for start in range(0, len(X), self.batch_size):
            index = order[start : start + self.batch_size]
            views = {} if view is None else {"views": [view] * len(index)}
            inputs = self._collate([X[i] for i in index], **views)
            yield index, {key: value.to(self.device) for key, value in inputs.items()}

    def _over_views(self, X, compute):
        """Mean over the views of each trial of what `compute` gives, one row a trial."""
        views = getattr(self, "views", 1)  # not every estimator has them
        views = count_views(views, networks.get_spec(self.network), self)
        if len(views) == 1:
            return np.stack(self._run(X, compute))
        return np.mean([self._run(X, compute, view) for view in views], axis=0)

    def _run(self, X, compute, view=None):
        """Run the network in evaluation mode; `compute` gives one row or array per trial."""
        rows = [None] * len(X)
        with predicting(self.module_, self.device):
            for index, inputs in self._batches(X, view):
                for i, row in zip(index, compute(inputs).cpu().numpy()):
                    rows[i] = row
        return rows

    def _logits(self, X):
        X = self._check_X(X)
        network = self._network
        return self._over_views(X, lambda inputs: network(**inputs))

    def _frame_logits(self, X, instead):
        """Logits of the frames of each trial, where the network scores frames itself."""
        X = self._check_X(X)
        if not hasattr(self.module_, "frame_logits"):
            raise AttributeError(f"{self.network!r} scores whole trials: {instead}.")
        network = self._network
        frames = self._run(X, lambda inputs: network.frame_logits(**inputs))
        return [one[: len(trial)] for one, trial in zip(frames, X)]

    def _check_poses(self, X):
        """Validate trials whose reasons are asked for."""
        X = self._check_X(X)
        if self.n_landmarks_ is None:
            raise ValueError(f"saliency needs a pose network; {self.network!r} looks at RGB.")
        return X

    def features(self, X):
        """Compute what the network knows of each trial just before its classifier.

        Parameters
        ----------
        X : list
            Trials or videos, as in `fit`.

        Returns
        -------
        ndarray of shape (n_trials, n_features)
            Features.
        """
        X = self._check_X(X)
        head = networks.get_spec(self.network).head
        network = self._network

        def compute(inputs):
            if not isinstance(network, Thinned):
                return penultimate(network, inputs, head)
            whole = partial(_penultimate_of, self.module_, head)
            return network.mean_over_phases(whole, **inputs)

        return self._over_views(X, compute)

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


def _penultimate_of(network, head, x, lengths):
    return penultimate(network, {"x": x, "lengths": lengths}, head)
