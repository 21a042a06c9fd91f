"""A skeleton as groups of joints, from the middle of the body outwards, each joined to the next.

J. Lee, M. Lee, D. Lee, S. Lee, "Hierarchically Decomposed Graph Convolutional Networks for
Skeleton-Based Action Recognition", ICCV 2023, section 3.2.
"""

import numpy as np
import torch

from skrehab.networks.graph._hops import adjacency, hop_distances

__all__ = ["hierarchy_graphs", "hierarchy_groups"]

# Kinect's joints, numbered from 1, by the joint that the published hierarchy starts from: distances
# in bones if thumb and hand tip both hang from the hand, in seven groups at most.
_KINECT = {
    1: ((1,), (2, 13, 17), (14, 18, 21), (3, 5, 9, 15, 19), (4, 6, 10, 16, 20), (7, 11))
    + ((8, 12, 22, 23, 24, 25),),
    2: ((2,), (1, 21), (3, 5, 9, 13, 17), (4, 6, 10, 14, 18), (7, 11, 15, 19), (8, 12, 16, 20))
    + ((22, 23, 24, 25),),
    21: ((21,), (2, 3, 5, 9), (1, 4, 6, 10), (7, 11, 13, 17), (8, 12, 14, 18))
    + ((15, 19, 22, 23, 24, 25), (16, 20)),
}


def hierarchy_groups(skeleton, com=None, n_levels=None):
    """Sort a skeleton's joints into groups by their distance from one of them.

    Parameters
    ----------
    skeleton : Skeleton
        The 25 joints of NTU and Kinect have the published groups for com 1, 2 and 21; anything
        else has those of its bones.
    com : int or str, optional
        Joint to start from (the paper's centre of mass): its number, counted from 1 as in the
        paper, or its name. None is 21, the spine at the shoulders, for NTU and Kinect, and the root
        of the tree for other skeletons.
    n_levels : int, optional
        Edges of the hierarchy, one less than groups. Fewer than the skeleton has merge neighbouring
        groups; None keeps all.

    Returns
    -------
    list of list of int
        Joints of each group, counted from 0, sorted.

    Raises
    ------
    ValueError
        If the skeleton has no such joint, has joints that no bone reaches, or fewer levels.

    References
    ----------
    Lee et al. 2023, ICCV, section 3.2 and figure 2.

    Examples
    --------
    >>> from skrehab.networks.graph._hierarchy import hierarchy_groups
    >>> from skrehab.skeletons import get_skeleton
    >>> hierarchy_groups(get_skeleton("coco17"))
    [[0], [1, 2, 5, 6], [3, 4, 7, 8, 11, 12], [9, 10, 13, 14], [15, 16]]
    >>> hierarchy_groups(get_skeleton("coco17"), n_levels=1)
    [[0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12], [9, 10, 13, 14, 15, 16]]
    """
    is_kinect = skeleton.name in ("ntu25", "kinect25")
    if com is None:
        com = 21 if is_kinect else skeleton.parents.index(-1) + 1
    elif isinstance(com, str):
        com = skeleton.index(com) + 1
    if not 1 <= com <= skeleton.n_landmarks:
        raise ValueError(
            f"com must be a joint of {skeleton.name}, 1 to {skeleton.n_landmarks}, got {com}."
        )
    if is_kinect and com in _KINECT:
        groups = [[joint - 1 for joint in group] for group in _KINECT[com]]
    else:
        distances = hop_distances(adjacency(skeleton))[com - 1]
        if (distances < 0).any():
            lost = [skeleton.landmarks[joint] for joint in np.flatnonzero(distances < 0)]
            raise ValueError(
                f"{skeleton.name} falls into pieces: no bone leads from "
                f"{skeleton.landmarks[com - 1]!r} to {lost}. Join them in the skeleton's edges."
            )
        groups = [np.flatnonzero(distances == k).tolist() for k in range(distances.max() + 1)]
    if n_levels is None:
        return groups
    if not 1 <= n_levels < len(groups):
        raise ValueError(
            f"n_levels must be 1 to {len(groups) - 1} for {skeleton.name}, got {n_levels}."
        )
    merged = np.array_split(np.arange(len(groups)), n_levels + 1)
    return [sorted(joint for k in part for joint in groups[k]) for part in merged]


def hierarchy_graphs(groups, n_joints):
    """Join every joint of a group to every joint of the next.

    Parameters
    ----------
    groups : list of list of int
        Joints of each group.
    n_joints : int
        Joints of the skeleton.

    Returns
    -------
    torch.Tensor of shape (n_levels, 3, n_joints, n_joints), dtype float32
        For each edge of the hierarchy its joints themselves, outwards and inwards; ``[v, u]`` is
        the weight of joint u in the sum for joint v, columns sum to one.

    References
    ----------
    Lee et al. 2023, ICCV, section 3.2.

    Examples
    --------
    >>> from skrehab.networks.graph._hierarchy import hierarchy_graphs
    >>> itself, outwards, inwards = hierarchy_graphs([[0], [1, 2]], 3)[0]
    >>> outwards
    tensor([[0.0000, 0.0000, 0.0000],
            [0.5000, 0.0000, 0.0000],
            [0.5000, 0.0000, 0.0000]])
    >>> inwards
    tensor([[0., 1., 1.],
            [0., 0., 0.],
            [0., 0., 0.]])
    """
    graphs = torch.zeros(len(groups) - 1, 3, n_joints, n_joints)
    for graph, inner, outer in zip(graphs, groups[:-1], groups[1:], strict=True):
        both = torch.tensor([*inner, *outer])
        inner, outer = torch.tensor(inner), torch.tensor(outer)
        graph[0, both, both] = 1
        graph[1, outer[:, None], inner] = 1 / len(outer)
        graph[2, inner[:, None], outer] = 1 / len(inner)
    return graphs
