"""Integrate a gradient along a path, and see where it is hard: completeness, stretch by stretch.

Between two points of the path a function gains ``f(b) - f(a)``, and the integral of its slope must
come to the same. Both are known without another evaluation, so that it is known where points are
missing.
"""

import numpy as np

__all__ = ["clenshaw_curtis", "integrate_stretches", "worst_stretches"]

REACH = 3  # nodes on either side of a stretch in its widest local rule


def clenshaw_curtis(n):
    """Nodes and weights on [0, 1] of the rule with n + 1 points.

    Parameters
    ----------
    n : int
        An even number; the nodes of n / 2 are among those of n.

    Returns
    -------
    nodes, weights : ndarray of shape (n + 1,)
        ``(1 - cos(pi j / n)) / 2``, and weights that integrate polynomials of degree n exactly.

    References
    ----------
    Trefethen 2008, "Is Gauss quadrature better than Clenshaw-Curtis?", SIAM Review 50(1).

    Examples
    --------
    >>> from skrehab.saliency import clenshaw_curtis
    >>> nodes, weights = clenshaw_curtis(4)
    >>> nodes.round(3), round(float(weights @ nodes**2), 6)
    (array([0.   , 0.146, 0.5  , 0.854, 1.   ]), 0.333333)
    """
    j, k = np.arange(n + 1), np.arange(1, n // 2 + 1)
    share = np.where(k == n // 2, 1.0, 2.0) / (4 * k**2 - 1)
    weights = 2 * (1 - np.cos(2 * np.pi * np.outer(j, k) / n) @ share) / n
    weights[[0, -1]] /= 2
    return (1 - np.cos(np.pi * j / n)) / 2, weights / 2


def integrate_stretches(nodes, slopes, values):
    """Weights of an integral over [0, 1], each stretch by the rule that completes it best.

    A stretch between two neighbouring nodes is integrated by the polynomial through its ends and
    none, one, two or three nodes on either side (as many in all at the ends of the path). Which one
    fits is told by completeness: a smooth function is best served by the highest order, one that
    jumps by the lowest.

    Parameters
    ----------
    nodes : ndarray of shape (n,)
        Points from 0 to 1, increasing.
    slopes, values : ndarray of shape (n,)
        Derivative of the function at the nodes, and the function.

    Returns
    -------
    weights : ndarray of shape (n,)
        Of the nodes.
    errors : ndarray of shape (n - 1,)
        What the integral over each stretch has too much, compared with what the function gains.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.saliency import integrate_stretches
    >>> nodes = np.array([0, 0.5, 0.75, 1])
    >>> weights, errors = integrate_stretches(nodes, 3 * nodes**2, nodes**3)
    >>> round(float(weights @ nodes**2), 6), bool(np.abs(errors).max() < 1e-12)
    (0.333333, True)
    """
    n = len(nodes)
    weights, errors = np.zeros(n), np.empty(n - 1)
    for k in range(n - 1):
        gain, best = values[k + 1] - values[k], None
        for reach in range(REACH + 1):
            first = min(max(0, k - reach), max(0, n - 2 * reach - 2))
            near = slice(first, min(n, first + 2 * reach + 2))
            rule = _rule(nodes[near], nodes[k], nodes[k + 1])
            error = rule @ slopes[near] - gain
            if best is None or abs(error) < abs(best[2]):
                best = (near, rule, error)
        weights[best[0]] += best[1]
        errors[k] = best[2]
    return weights, errors


def _rule(nodes, start, stop):
    """Weights that integrate the polynomial through some nodes from start to stop."""
    middle, half = (start + stop) / 2, (stop - start) / 2
    t = (nodes - middle) / half  # the stretch is -1 to 1, so powers stay tame
    powers = np.arange(len(nodes))
    integrals = np.where(powers % 2 == 0, 2 / (powers + 1), 0.0)
    return half * np.linalg.solve(np.vander(t, increasing=True).T, integrals)


def worst_stretches(errors, nodes, at_most):
    """Choose stretches to bisect: those with the largest errors.

    Parameters
    ----------
    errors : ndarray of shape (n - 1,)
        From :func:`integrate_stretches`.
    nodes : ndarray of shape (n,)
        Points.
    at_most : int
        How many; fewer if others' errors are less than half the largest.

    Returns
    -------
    ndarray
        Points in the middle of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.saliency import worst_stretches
    >>> worst_stretches(np.array([0.1, -3.0, 2.0]), np.array([0, 0.5, 0.75, 1]), 4)
    array([0.625, 0.875])
    """
    size = np.abs(errors)
    chosen = np.argsort(-size, kind="stable")[:at_most]
    chosen = np.sort(chosen[size[chosen] >= size.max() / 2])
    return (nodes[chosen] + nodes[chosen + 1]) / 2
