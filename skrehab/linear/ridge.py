"""PatientRidgeClassifier: a ridge whose penalty is what does best on patients left out, exactly."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from skrehab._fitting import fit_context
from skrehab.linear.left_out import left_out_predictions, ridge_coefficients, ridge_parts
from skrehab.linear.slope import fit_slope, slope_probabilities
from skrehab.training.class_weights import trial_weights
from skrehab.trials import check_groups

__all__ = ["PatientRidgeClassifier"]

ALPHAS = np.logspace(-3, 5, 17)


class PatientRidgeClassifier(ClassifierMixin, BaseEstimator):
    """Ridge classifier that chooses its penalty by leaving out one patient at a time.

    The same model as :class:`~sklearn.linear_model.RidgeClassifier`: least squares on targets of -1
    and 1, one class against the rest, with an intercept that is not penalised. For every penalty
    each training patient is predicted by the model of the other patients, exactly and without
    fitting any of them: one eigendecomposition, of the trials or of the columns, whichever are
    fewer, serves all penalties and patients. :class:`~sklearn.linear_model.RidgeClassifierCV`
    leaves out single trials this way, while the patient's other trials stay; given folds of
    patients, it fits each of them for each penalty.

    The penalty with the least mean squared error of left-out targets is taken. The balanced
    accuracy of left-out trials would be another choice: it moves in steps of a trial, ties, and
    chose no better where it was tried (on synthetic patients: :doc:`/guide/measures`).

    What left-out patients got also makes probabilities of scores, by one number, the slope of a
    logistic curve through 0 (a softmax): :func:`skrehab.linear.fit_slope`.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), optional
        Penalties to choose from, above zero. None means 17 from 0.001 to 100,000, for columns of
        standard deviation one.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes. They are computed once, from the labels of all training trials;
        probabilities are of trials so weighted.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients; one row where there are two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    alpha_ : float
        Penalty chosen.
    alpha_scores_ : ndarray of shape (n_alphas,)
        For each penalty, minus the mean squared error of left-out targets, weighted as in fit.
    best_score_ : float
        The highest of them.
    left_out_ : {"patients", "trials"}
        What was left out.
    slope_ : float
        What scores are multiplied by before they become probabilities.
    n_features_in_ : int
        Columns seen in fit.

    See Also
    --------
    skrehab.RocketFeatures : Columns to put before it.
    skrehab.linear.left_out_predictions : What it is chosen by.

    Notes
    -----
    The steps before it in a pipeline, such as a scaler, have seen all training patients when the
    penalty is chosen; patients of the test side are seen by none. The slope is that of the penalty
    chosen, on the same left-out trials; where single trials are left out, probabilities are too
    sure for new patients.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import PatientRidgeClassifier
    >>> rng = np.random.RandomState(0)
    >>> y, patients = np.arange(40) % 2, np.repeat(np.arange(8), 5)
    >>> X = rng.randn(40, 100) + 0.5 * y[:, None] + rng.randn(8, 100)[patients]
    >>> model = PatientRidgeClassifier([1, 10, 100, 1000]).fit(X, y, groups=patients)
    >>> model.left_out_, model.alpha_ in (1, 10, 100, 1000)
    ('patients', True)
    """

    _parameter_constraints = {
        "alphas": ["array-like", None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    __metadata_request__fit = {"groups": True}

    def __init__(self, alphas=None, *, class_weight=None):
        self.alphas = alphas
        self.class_weight = class_weight

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Choose the penalty, and fit on all trials.

        Parameters
        ----------
        X : array-like of shape (n_trials, n_features)
            One row a trial.
        y : array-like of shape (n_trials,)
            Labels, two classes or more.
        sample_weight : array-like of shape (n_trials,), optional
            Weights; one of 0 leaves a trial out.
        groups : array-like of shape (n_trials,), optional
            Patients, two or more. Without them single trials are left out, whose patients may stay
            in training by their other trials; a warning says so.

        Returns
        -------
        PatientRidgeClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If there is one class or one patient only, a penalty is not above zero, or a weight is
            negative or not finite.
        """
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], ensure_min_samples=2)
        check_classification_targets(y)
        groups = check_groups(groups, X)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                "PatientRidgeClassifier needs at least 2 classes, got 1 class: all "
                f"{len(y)} trials are labelled {self.classes_.tolist()[0]!r}."
            )
        alphas = _check_alphas(self.alphas)
        weight = trial_weights(y, self.class_weight, sample_weight)
        self.left_out_ = "trials" if groups is None else "patients"
        if groups is None:
            warnings.warn(
                "PatientRidgeClassifier was given no groups: it chooses the penalty by leaving out "
                "single trials, whose patients may stay by their other trials. Pass groups=, the "
                "patient of each trial.",
                stacklevel=2,
            )
        kinds = np.arange(len(self.classes_)) if len(self.classes_) > 2 else np.array([1])
        targets = np.where(codes[:, None] == kinds, 1.0, -1.0)
        if not weight.all():
            X, codes, targets, groups = (
                one if one is None else one[weight > 0] for one in (X, codes, targets, groups)
            )
            weight = weight[weight > 0]
        parts = ridge_parts(X, weight)
        said = left_out_predictions(parts, targets, alphas, groups)
        error = ((said - targets) ** 2).mean(axis=2)
        self.alpha_scores_ = -np.average(error, axis=1, weights=weight)
        best = int(np.argmax(self.alpha_scores_))
        self.alpha_, self.best_score_ = float(alphas[best]), float(self.alpha_scores_[best])
        self.slope_ = fit_slope(said[best], codes, weight)
        self.coef_, self.intercept_ = ridge_coefficients(parts, targets, self.alpha_)
        return self

    def decision_function(self, X):
        """Compute how much each trial looks like a class.

        Parameters
        ----------
        X : array-like of shape (n_trials, n_features)
            One row a trial.

        Returns
        -------
        ndarray of shape (n_trials,) or (n_trials, n_classes)
            Estimates of the targets; of the second class where there are two.
        """
        found = self._scores(X)
        return found[:, 0] if found.shape[1] == 1 else found

    def predict(self, X):
        """Say which class each trial is of.

        Parameters
        ----------
        X : array-like of shape (n_trials, n_features)
            One row a trial.

        Returns
        -------
        ndarray of shape (n_trials,)
            Labels.
        """
        found = self._scores(X)
        codes = found.argmax(axis=1) if found.shape[1] > 1 else (found[:, 0] > 0).astype(int)
        return self.classes_[codes]

    def predict_proba(self, X):
        """Compute class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_trials, n_features)
            One row a trial.

        Returns
        -------
        ndarray of shape (n_trials, n_classes)
            Probabilities; the highest is of the class that `predict` says.
        """
        return slope_probabilities(self._scores(X), self.slope_)

    def _scores(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return X @ self.coef_.T + self.intercept_


def _check_alphas(alphas):
    if alphas is None:
        return ALPHAS
    given = np.asarray(alphas, dtype=float)
    if given.ndim != 1 or not len(given):
        raise ValueError(f"alphas must be a list of penalties, got shape {given.shape}.")
    bad = np.flatnonzero(~(np.isfinite(given) & (given > 0)))
    if len(bad):
        raise ValueError(f"alphas[{bad[0]}] is {given[bad[0]]}: penalties are above zero.")
    return given
