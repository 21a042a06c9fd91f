"""What a ridge regression of the other patients says of each patient, without refitting it."""

from typing import NamedTuple

import numpy as np

from skrehab.trials import check_groups

__all__ = ["RidgeParts", "left_out_predictions", "ridge_coefficients", "ridge_parts"]


class RidgeParts(NamedTuple):
    """One eigendecomposition, which serves every penalty.

    With weights, rows are multiplied by their square roots: weighted least squares are plain ones.
    """

    root: np.ndarray
    """(n_trials,): square roots of the weights."""
    factor: np.ndarray
    """(n_trials, n_values): see `complement`."""
    values: np.ndarray
    """(n_values,): eigenvalues."""
    complement: bool
    """What the ridge leaves of targets is I - root root' / sum - F diag(1 / (values + alpha)) F'
    where True (fewer columns than trials), and alpha F diag(1 / (values + alpha)) F' where not."""
    back: np.ndarray
    """(n_columns, n_values): from what is along the factor to coefficients."""
    mean: np.ndarray
    """(n_columns,): weighted means."""


def ridge_parts(X, sample_weight=None):
    """Decompose once what a ridge regression with a free intercept does to any targets.

    Parameters
    ----------
    X : ndarray of shape (n_trials, n_columns)
        One row a trial.
    sample_weight : ndarray of shape (n_trials,), optional
        Weights above zero.

    Returns
    -------
    RidgeParts
        Of the kernel, or of the columns where there are fewer of them than trials.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.linear.left_out import ridge_coefficients, ridge_parts
    >>> X = np.arange(4.0)[:, None]
    >>> ridge_coefficients(ridge_parts(X), 1 + 2 * X, 1e-9)[0].round(6)
    array([[2.]])
    """
    X = np.asarray(X, dtype=float)
    weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    root = np.sqrt(weight)
    mean = weight @ X / weight.sum()
    rows = root[:, None] * (X - mean)
    if X.shape[1] < len(X) - 1:
        values, vectors = np.linalg.eigh(rows.T @ rows)
        return RidgeParts(root, rows @ vectors, values.clip(0), True, vectors, mean)
    # a free intercept is no intercept on the n - 1 contrasts orthogonal to `root`: a reflection
    # turns that onto the first axis, which is dropped
    mirror = root / np.linalg.norm(root)
    mirror[0] += 1
    mirror *= np.sqrt(2) / np.linalg.norm(mirror)
    contrasts = rows[1:] - np.outer(mirror[1:], mirror @ rows)
    values, vectors = np.linalg.eigh(contrasts @ contrasts.T)
    factor = np.concatenate([np.zeros((1, len(values))), vectors])
    factor -= np.outer(mirror, mirror[1:] @ vectors)
    return RidgeParts(root, factor, values.clip(0), False, rows.T @ factor, mean)


def ridge_coefficients(parts, y, alpha):
    """Solve a ridge regression on all trials.

    Parameters
    ----------
    parts : RidgeParts
        Of :func:`ridge_parts`.
    y : ndarray of shape (n_trials, n_targets)
        Targets.
    alpha : float
        Penalty, above zero.

    Returns
    -------
    coef : ndarray of shape (n_targets, n_columns)
        Coefficients.
    intercept : ndarray of shape (n_targets,)
        Intercepts, not penalised.
    """
    along = parts.factor.T @ (parts.root[:, None] * y)
    coef = (parts.back @ (along / (parts.values + alpha)[:, None])).T
    weight = parts.root**2
    return coef, weight @ y / weight.sum() - coef @ parts.mean


def left_out_predictions(parts, y, alphas, groups=None):
    """Predict each patient by the ridge regression of the others, for every penalty, exactly.

    With H the matrix that turns targets into fitted values, what a fit without patient g leaves of
    its targets is (I - H_gg)^-1 (y - H y)_g: no fit is repeated.

    Parameters
    ----------
    parts : RidgeParts
        Of :func:`ridge_parts`, of all trials.
    y : ndarray of shape (n_trials, n_targets)
        Targets.
    alphas : sequence of float
        Penalties, above zero.
    groups : array-like of shape (n_trials,), optional
        Patients, two or more. None leaves out single trials.

    Returns
    -------
    ndarray of shape (n_alphas, n_trials, n_targets)
        Each trial as seen by the trials of all other patients.

    Raises
    ------
    ValueError
        If there are fewer than two patients, or two trials.

    References
    ----------
    R. D. Cook, S. Weisberg, "Residuals and Influence in Regression", Chapman and Hall 1982,
    section 3.6 (several cases at once); G. H. Golub, M. Heath, G. Wahba, "Generalized
    Cross-Validation as a Method for Choosing a Good Ridge Parameter", Technometrics 21, 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from skrehab.linear.left_out import left_out_predictions, ridge_parts
    >>> rng = np.random.RandomState(0)
    >>> X, y, patients = rng.randn(6, 20), rng.randn(6, 2), np.repeat(["Ann", "Bea", "Cid"], 2)
    >>> found = left_out_predictions(ridge_parts(X), y, [0.1, 10], patients)
    >>> others = patients != "Bea"
    >>> np.allclose(found[1, ~others], Ridge(10).fit(X[others], y[others]).predict(X[~others]))
    True
    """
    groups = np.arange(len(y)) if groups is None else check_groups(groups, y)
    names, codes = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        one = "trial" if len(y) == 1 else f"patient, {names.tolist()[0]!r}"
        raise ValueError(
            f"The penalty is chosen by leaving patients out, and there is one {one} only: pass two "
            "or more, or choose the penalty yourself (sklearn.linear_model.RidgeClassifier)."
        )
    target = parts.root[:, None] * y
    left = np.empty((len(alphas), *target.shape))
    order, sizes = np.argsort(codes, kind="stable"), np.bincount(codes)
    first = np.cumsum(sizes) - sizes
    for size in np.unique(sizes):  # patients with as many trials are solved in one go
        places = order[first[sizes == size][:, None] + np.arange(size)]
        solve = _by_columns if parts.complement and size > len(parts.values) + 1 else _by_trials
        for k, alpha in enumerate(alphas):
            left[k, places] = solve(parts, target, places, alpha)
    return y - left / parts.root[:, None]


def _by_trials(parts, target, places, alpha):
    """Residuals of left-out trials, one equation a trial: (n_patients, size, n_targets)."""
    own, root = parts.factor[places], parts.root[places]
    share = 1 / (parts.values + alpha)
    block = (own * share) @ own.transpose(0, 2, 1)
    fitted = parts.factor @ (share[:, None] * (parts.factor.T @ target))
    if not parts.complement:  # alpha on both sides cancels
        return np.linalg.solve(block, fitted[places])
    total = parts.root @ parts.root
    block = np.eye(places.shape[1]) - root[:, :, None] * root[:, None] / total - block
    fitted = target - np.outer(parts.root, parts.root @ target / total) - fitted
    return np.linalg.solve(block, fitted[places])


def _by_columns(parts, target, places, alpha):
    """The same, one equation a column: where patients have more trials than there are columns."""
    factor = np.column_stack([parts.factor, parts.root])
    whole = np.append(parts.values + alpha, parts.root @ parts.root)
    own, mine = factor[places], target[places]
    transposed = own.transpose(0, 2, 1)
    others = np.diag(whole) - transposed @ own
    return mine - own @ np.linalg.solve(others, factor.T @ target - transposed @ mine)
