"""A pipeline that hands the patient and the exercise of each trial to every step that asks."""

from imblearn.pipeline import Pipeline
from sklearn import config_context
from sklearn.utils.metaestimators import available_if

__all__ = ["PatientPipeline"]


def _last_has(method):
    return lambda pipeline: hasattr(pipeline.steps[-1][1], method)


class PatientPipeline(Pipeline):
    """Pipeline of imbalanced-learn whose ``fit`` takes what its steps need to know of each trial.

    ``fit(X, y, groups=patients, exercise=exercises)`` reaches the video classifier inside a
    labeler and the frame model, which need both to join trials of one person and exercise
    (``splice`` in :class:`skrehab.Augmentation`). Without scikit-learn's metadata routing the plain
    Pipeline refuses ``groups``, and drops ``labels__groups``, as all that is meant for a step with
    ``fit_resample``, without a word. This one switches routing on while it fits or predicts with
    such knowledge, and is the plain Pipeline in all else. It refuses what no step asks for, such as
    frame labels.

    Cross-validation hands them on as well, with or without routing:
    ``cross_val_score(pipe, X, y, groups=patients, params={"groups": patients}, cv=...)``. Without
    routing its ``groups=`` alone goes to the splitter only.

    Parameters
    ----------
    steps : list of (str, estimator)
        As in :class:`imblearn.pipeline.Pipeline`.
    transform_input : list of str, optional
        Likewise.
    memory : str or joblib.Memory, optional
        Likewise.
    verbose : bool, default=False
        Likewise.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameMLP, SaliencyPseudoLabeler, VideoClassifier
    >>> from skrehab.pseudo_labels import PatientPipeline
    >>> X, y = [np.random.RandomState(i).randn(9, 5, 3) for i in range(8)], [0, 1] * 4
    >>> video = VideoClassifier("lstm", early_stopping="patient", max_epochs=1, random_state=0)
    >>> pipe = PatientPipeline([
    ...     ("labels", SaliencyPseudoLabeler(video, n_steps=4)), ("frames", FrameMLP(max_epochs=1))
    ... ])
    >>> patients = ["Ann", "Ann", "Bea", "Bea", "Cid", "Cid", "Dot", "Dot"]
    >>> pipe.fit(X, y, groups=patients)["labels"].estimator_.validation_groups_.shape
    (1,)
    """

    def fit(self, X, y=None, **params):
        """Fit step after step.

        Parameters
        ----------
        X : list
            Trials, or whatever the first step takes.
        y : array-like
            Labels.
        **params : dict
            ``groups`` and ``exercise``, one a trial; and what else the steps ask for.

        Returns
        -------
        PatientPipeline
            The pipeline itself.

        Raises
        ------
        TypeError
            If no step asks for one of them.
        """
        params = _given(params)
        with config_context(enable_metadata_routing=True):
            return super().fit(X, y, **params)

    @available_if(_last_has("predict"))
    def predict(self, X, **params):
        """Predict with the last step.

        Parameters
        ----------
        X : list
            Trials, or whatever the first step takes.
        **params : dict
            ``exercise`` and ``groups``, one a trial, where a :class:`skrehab.PatientReference` asks
            for them; told ``groups``, it compares each trial with that patient's earlier ones in X.

        Returns
        -------
        ndarray
            What the last step says.
        """
        return self._routed(super().predict, X, params)

    @available_if(_last_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Compute probabilities with the last step.

        Parameters
        ----------
        X : list
            Trials, or whatever the first step takes.
        **params : dict
            As of `predict`.

        Returns
        -------
        ndarray
            What the last step says.
        """
        return self._routed(super().predict_proba, X, params)

    @staticmethod
    def _routed(method, X, params):
        params = _given(params)
        if not params:
            return method(X)
        with config_context(enable_metadata_routing=True):
            return method(X, **params)


def _given(params):
    return {name: value for name, value in params.items() if value is not None}
