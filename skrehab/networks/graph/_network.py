"""What the networks over a skeleton's graph share: the way in, the row of units, the way out.

They differ in the unit and in the graph that it works on. Names of layers are those of the
published code, a linear layer ``fc`` behind units ``l1``, ``l2``, ...; where a network's are
others, it builds its layers itself and takes the steps here one by one.
"""

import torch
from torch import nn

from skrehab.networks._skeleton import SkeletonNetwork

__all__ = [
    "GraphNetwork",
    "JointNorm",
    "UnitNetwork",
    "mean_over_persons",
    "normalised_joints",
    "to_persons",
    "unit_sizes",
]

MOST_OF_SCORE = 4  # deviations


def unit_sizes(n_in, widths, n_units):
    """List (channels in, channels out, stride over frames) of every unit; stages begin with 2."""
    if len(n_units) != len(widths):
        raise ValueError(
            f"n_units must have one number for each of the widths {widths}, got {n_units}."
        )
    sizes = []
    for stage, (width, count) in enumerate(zip(widths, n_units, strict=True)):
        for k in range(count):
            sizes.append((n_in, width, 2 if stage > 0 and k == 0 else 1))
            n_in = width
    return sizes


class JointNorm(nn.BatchNorm1d):
    """Batch normalisation of every joint's coordinates, in which a score says only so much.

    Where training showed every point, scores hardly vary, and the score 0 of a single lost point
    would come out hundreds of deviations away and decide alone. Scores that vary by a fifth, as
    those of detectors do, stay within the bound.

    Parameters
    ----------
    n_features : int
        Persons times joints times coordinates, the coordinates fastest.
    n_coords : int
        Coordinates of a joint.
    has_score : bool
        Whether the last of them is a score.
    """

    def __init__(self, n_features, n_coords, has_score):
        super().__init__(n_features)
        self.n_coords, self.has_score = n_coords, has_score

    def forward(self, x):
        x = super().forward(x)
        if not self.has_score:
            return x
        x = x.unflatten(1, (-1, self.n_coords))
        score = x[:, :, -1:]
        # in units of what was learned to come out of the normalisation
        middle, spread = (p.reshape(-1, self.n_coords, 1)[:, -1:] for p in (self.bias, self.weight))
        most = MOST_OF_SCORE * spread.abs()
        score = torch.minimum(torch.maximum(score, middle - most), middle + most)
        return torch.cat([x[:, :, :-1], score], dim=2).flatten(1, 2)


def normalised_joints(network, together):
    """Make the normalisation of every joint's coordinates, of all persons together or of each."""
    n_in, _, n_joints, n_persons = network.clip_shape
    n_features = (n_persons if together else 1) * n_joints * n_in
    return JointNorm(n_features, n_in, network.ends_in_score)


def to_persons(clips, norm):
    """Normalise clips and take their persons apart: (batch * persons, coords, frames, joints)."""
    n, c, t, v, m = clips.shape
    rows = n * m * v * c // norm.num_features
    x = norm(clips.permute(0, 4, 3, 1, 2).reshape(rows, norm.num_features, t))
    return x.reshape(n * m, v, c, t).permute(0, 2, 3, 1)


def mean_over_persons(x, clips):
    """Average (batch * persons, channels, frames, joints) to (batch, channels)."""
    return x.mean(dim=(2, 3)).unflatten(0, (clips.shape[0], clips.shape[4])).mean(dim=1)


class GraphNetwork(SkeletonNetwork):
    """Normalise every joint, see persons one by one, average, classify.

    A subclass calls `build` where its layers are to be made, and implements ``_features(x)``.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    widths : tuple of int, default=(64, 128, 256)
        Channels of each stage; each stage after the first halves the frames.
    dropout : float, default=0.0
        Share of the features dropped before the classifier.
    **shared
        What :class:`skrehab.networks._skeleton.SkeletonNetwork` takes.
    """

    n_branches = 1  # a stage's channels are shared out evenly among so many branches

    def __init__(self, n_landmarks, n_coords, *, widths=(64, 128, 256), dropout=0.0, **shared):
        super().__init__(n_landmarks, n_coords, **shared)
        if any(width % self.n_branches for width in widths):
            raise ValueError(f"widths must be multiples of {self.n_branches}, got {widths}.")
        self.widths = widths
        self.dropout_rate = dropout

    def build(self, layers, n_outputs):
        """Add the layers, drawn in this order: normalisation, ``layers``, dropout, classifier.

        Parameters
        ----------
        layers : iterable of (str, torch.nn.Module)
            Names and layers, made one at a time.
        n_outputs : int
            Number of logits.
        """
        self.data_bn = normalised_joints(self, together=True)
        for name, layer in layers:
            self.add_module(name, layer)
        self.dropout = nn.Dropout(self.dropout_rate)
        self.fc = nn.Linear(self.widths[-1], n_outputs)

    def _features(self, x):
        """Compute what is averaged; what a subclass is about.

        Parameters
        ----------
        x : torch.Tensor of shape (batch * persons, coords, frames, joints)
            Normalised persons.

        Returns
        -------
        torch.Tensor of shape (batch * persons, channels, frames, joints)
            Features.

        Raises
        ------
        NotImplementedError
            If a subclass does not write it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} computes no features: write _features(self, x), or "
            "classify(self, clips) itself."
        )

    def classify(self, clips):
        x = self._features(to_persons(clips, self.data_bn))
        return self.fc(self.dropout(mean_over_persons(x, clips)))


class UnitNetwork(GraphNetwork):
    """One unit behind the other, several in a stage.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    n_units : tuple of int, default=(4, 3, 3)
        Units in each stage.
    **shared
        What :class:`GraphNetwork` takes.
    """

    def __init__(self, n_landmarks, n_coords, *, n_units=(4, 3, 3), **shared):
        super().__init__(n_landmarks, n_coords, **shared)
        self.sizes = unit_sizes(self.clip_shape[0], self.widths, n_units)
        self.n_units = len(self.sizes)

    def units(self, unit, *graph):
        """Make the units, one at a time: ``unit(channels in, out, stride, *graph, first=...)``."""
        for number, sizes in enumerate(self.sizes):
            yield unit(*sizes, *graph, first=number == 0)

    def build(self, unit, n_outputs, *graph):
        """Add units under their official names ``l1``, ``l2``, ... and what goes around them.

        Parameters
        ----------
        unit : type
            The unit.
        n_outputs : int
            Number of logits.
        *graph
            What the unit is told of the graph.
        """
        units = enumerate(self.units(unit, *graph), start=1)
        super().build(((f"l{number}", layer) for number, layer in units), n_outputs)

    def _features(self, x):
        for number in range(1, self.n_units + 1):
            x = self.get_submodule(f"l{number}")(x)
        return x
