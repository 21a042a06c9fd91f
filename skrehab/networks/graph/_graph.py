"""Adjacency matrices of a skeleton: who gathers from whom, and with what weight.

Everywhere ``A[j, i]`` weighs what passes between joints j and i, and a stack of matrices holds one
per kind of neighbour, each with weights of its own in the network.
"""

import numpy as np

from skrehab.networks.graph._hops import adjacency, hop_distances

__all__ = ["STRATEGIES", "directed_stack", "normalise_columns", "partition", "root"]

STRATEGIES = ("uniform", "distance", "spatial", "spatial_paper")


def root(skeleton):
    """Find the joint that a skeleton's tree starts from.

    Parameters
    ----------
    skeleton : Skeleton
        Its `parents` make the tree.

    Returns
    -------
    int
        The joint without a parent, which stands for the body's centre.

    Raises
    ------
    ValueError
        If there is not exactly one.

    Examples
    --------
    >>> from skrehab.networks.graph._graph import root
    >>> from skrehab.skeletons import get_skeleton
    >>> root(get_skeleton("ntu25"))  # between the shoulders
    20
    """
    roots = [joint for joint, parent in enumerate(skeleton.parents) if parent < 0]
    if len(roots) != 1:
        names = [skeleton.landmarks[joint] for joint in roots]
        raise ValueError(f"{skeleton.name} must have one joint without a parent, it has {names}.")
    return roots[0]


def normalise_columns(matrix):
    """Divide each column by its sum; a column of zeros stays.

    Parameters
    ----------
    matrix : ndarray of shape (..., joints, joints)
        Weights, none negative.

    Returns
    -------
    ndarray of the same shape, dtype float64
        ``A D^-1``: what joint i is given adds up to one.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.networks.graph._graph import normalise_columns
    >>> normalise_columns(np.array([[0, 1], [0, 3]]))
    array([[0.  , 0.25],
           [0.  , 0.75]])
    """
    sums = matrix.sum(axis=-2, keepdims=True)
    return matrix / np.where(sums > 0, sums, 1)


def partition(skeleton, strategy="spatial"):
    """Share the neighbours of every joint out among kinds, by a strategy of ST-GCN.

    A joint's neighbours are itself and those a bone away, all with the same weight.

    ================= ==========================================================================
    ``uniform``       one kind for all
    ``distance``      the joint itself; the others
    ``spatial_paper`` the joint itself; those farther from the centre; those nearer to it
    ``spatial``       the same as released with the paper: only the centre and joints one bone
                      from it have a distance, all others count as equally far. So a link beyond
                      two bones is in the second kind both ways
    ================= ==========================================================================

    Parameters
    ----------
    skeleton : Skeleton
        Its edges make the graph, the root of its tree is the centre.
    strategy : {"spatial", "spatial_paper", "distance", "uniform"}, default="spatial"
        See above.

    Returns
    -------
    ndarray of shape (kinds, joints, joints), dtype float32
        The kinds add up to the column-normalised graph. In ``[:, j, i]`` joint j is the neighbour
        whose features joint i gathers.

    Raises
    ------
    ValueError
        If the strategy is unknown, or the graph falls into pieces.

    References
    ----------
    Yan et al. 2018, AAAI, section "Partition Strategies", eq. 8.

    Examples
    --------
    >>> from skrehab.networks.graph._graph import partition
    >>> from skrehab.skeletons import get_skeleton
    >>> [int((kind > 0).sum()) for kind in partition(get_skeleton("ntu25"), "spatial_paper")]
    [25, 24, 24]
    >>> [int((kind > 0).sum()) for kind in partition(get_skeleton("ntu25"), "spatial")]
    [25, 40, 8]
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy must be one of {STRATEGIES}, got {strategy!r}.")
    distances = hop_distances(adjacency(skeleton))
    if (distances < 0).any():
        lost = [skeleton.landmarks[joint] for joint in np.flatnonzero(distances[0] < 0)]
        raise ValueError(
            f"{skeleton.name} falls into pieces: no way from {skeleton.landmarks[0]} to {lost}. "
            "Add edges that join them."
        )
    graph = normalise_columns(distances <= 1)
    if strategy == "uniform":
        kinds = [distances <= 1]
    elif strategy == "distance":
        kinds = [distances == 0, distances == 1]
    else:
        depth = distances[root(skeleton)]
        if strategy == "spatial":
            depth = np.minimum(depth, 2)  # two and more bones away is all the same
        nearer = depth[:, None] < depth  # j nearer to the centre than i
        kinds = [distances == 0, (distances == 1) & ~nearer, (distances == 1) & nearer]
    return np.stack([graph * kind for kind in kinds]).astype(np.float32)


def directed_stack(skeleton):
    """Stack the graphs of the joints themselves, of the way inward and of the way outward.

    Parameters
    ----------
    skeleton : Skeleton
        Its `parents` give the links.

    Returns
    -------
    ndarray of shape (3, joints, joints), dtype float32
        Identity; links from child to parent, ``[1, parent, child]``; links from parent to child.
        Each is column-normalised.

    References
    ----------
    Shi et al. 2019, CVPR: Two-Stream Adaptive Graph Convolutional Networks; and those after it.

    Examples
    --------
    >>> from skrehab.networks.graph._graph import directed_stack
    >>> from skrehab.skeletons import get_skeleton
    >>> inward = directed_stack(get_skeleton("ntu25"))[1]
    >>> float(inward[20, 4])  # the left shoulder hangs on the spine between the shoulders
    1.0
    """
    root(skeleton)
    inward = np.zeros((skeleton.n_landmarks, skeleton.n_landmarks))
    for child, parent in enumerate(skeleton.parents):
        if parent >= 0:
            inward[parent, child] = 1
    graphs = np.stack([np.eye(len(inward)), inward, inward.T])
    return normalise_columns(graphs).astype(np.float32)
