"""Distances on a skeleton's graph, counted in bones, and what networks make of them."""

import numpy as np
import torch

__all__ = ["adjacency", "hop_distances", "hop_graphs", "spread_over_window"]


def adjacency(skeleton):
    """Say which joints are joined by a bone.

    Parameters
    ----------
    skeleton : Skeleton
        Its edges make the graph.

    Returns
    -------
    ndarray of shape (joints, joints), dtype bool
        Symmetric, False on the diagonal.

    Examples
    --------
    >>> from skrehab.networks.graph._hops import adjacency
    >>> from skrehab.skeletons import get_skeleton
    >>> adjacency(get_skeleton("coco17")).sum()  # 16 bones, both ways
    np.int64(32)
    """
    joined = np.zeros((skeleton.n_landmarks, skeleton.n_landmarks), dtype=bool)
    child, parent = np.array(skeleton.edges).T
    joined[child, parent] = joined[parent, child] = True
    return joined


def hop_distances(joined):
    """Count the edges between any two nodes of a graph.

    Parameters
    ----------
    joined : ndarray of shape (nodes, nodes), dtype bool
        Which nodes share an edge; the diagonal has no meaning.

    Returns
    -------
    ndarray of shape (nodes, nodes), dtype int
        Fewest edges from one to the other, -1 where there is no way.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.networks.graph._hops import hop_distances
    >>> hop_distances(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], bool))
    array([[ 0,  1,  2, -1],
           [ 1,  0,  1, -1],
           [ 2,  1,  0, -1],
           [-1, -1, -1,  0]])
    """
    reached = np.eye(len(joined), dtype=bool)
    distances = np.where(reached, 0, -1)
    while (further := (reached @ joined) & ~reached).any():
        distances[further] = distances.max() + 1
        reached |= further
    return distances


def spread_over_window(joined, window):
    """Join every joint to itself and to its neighbours in all frames of a window.

    Parameters
    ----------
    joined : ndarray of shape (joints, joints), dtype bool
        Bones of one frame.
    window : int
        Frames.

    Returns
    -------
    ndarray of shape (window * joints, window * joints), dtype bool
        Graph over the joints of all frames, frame after frame.

    References
    ----------
    Liu et al. 2020, CVPR, eq. 5.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.networks.graph._hops import spread_over_window
    >>> spread_over_window(np.zeros((2, 2), bool), 2).astype(int)
    array([[1, 0, 1, 0],
           [0, 1, 0, 1],
           [1, 0, 1, 0],
           [0, 1, 0, 1]])
    """
    return np.tile(joined | np.eye(len(joined), dtype=bool), (window, window))


def hop_graphs(joined, n_scales):
    """Separate a graph by distance: scale k joins nodes that are exactly k edges apart.

    Plain powers of the adjacency count near nodes again and again on the way to far ones. Beyond
    the graph's diameter a scale joins each node to itself alone.

    Parameters
    ----------
    joined : ndarray of shape (nodes, nodes), dtype bool
        Which nodes share an edge.
    n_scales : int
        Distances 0 ... n_scales - 1.

    Returns
    -------
    torch.Tensor of shape (n_scales, nodes, nodes), dtype float32
        Each with self-loops and symmetrically normalised, ``D^-1/2 A D^-1/2``.

    References
    ----------
    Liu et al. 2020, CVPR, eq. 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.networks.graph._hops import hop_graphs
    >>> hop_graphs(np.array([[0, 1], [1, 0]], bool), 3)
    tensor([[[1.0000, 0.0000],
             [0.0000, 1.0000]],
    <BLANKLINE>
            [[0.5000, 0.5000],
             [0.5000, 0.5000]],
    <BLANKLINE>
            [[1.0000, 0.0000],
             [0.0000, 1.0000]]])
    """
    distances = hop_distances(joined)
    scales = np.arange(n_scales)[:, None, None]
    graphs = ((distances == scales) | (distances == 0)).astype(float)
    degrees = graphs.sum(axis=2)  # at least one: the self-loop
    graphs /= np.sqrt(degrees[:, :, None] * degrees[:, None, :])
    return torch.from_numpy(graphs.astype(np.float32))
