"""What networks over a body share: from the trials of any skeleton to clips of the one they know.

The conversion happens inside the network, as a linear map, so that gradients come back on the
trial's own frames and landmarks.
"""

import numpy as np
import torch
from torch import nn

from skrehab.networks._layers import resample_frames, resample_seen
from skrehab.networks._signature import merge_signatures
from skrehab.preprocessing.skeleton_conversion import conversion, guess_skeleton
from skrehab.skeletons import get_skeleton, list_skeletons

__all__ = ["KnownSkeletonNetwork", "SkeletonNetwork"]


class SkeletonNetwork(nn.Module):
    """Base of networks over a body: trials in, clips ``(batch, coords, frames, joints, persons)``.

    A subclass implements ``classify(clips)`` and names its layers as the official code does; this
    base adds nothing to the state dict. A constructor that ends in ``**shared`` takes this one's
    parameters besides its own, and its signature lists them all.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    skeleton : str or Skeleton, optional
        Skeleton of the trials; None guesses from the number of landmarks of one person.
    target : str, optional
        Skeleton that the network works on; None keeps that of the trials.
    n_persons : int, default=1
        Persons in a trial, their landmarks one behind the other.
    max_persons : int, optional
        Persons that the network wants; the missing ones are zeros. None means `n_persons`.
    n_frames : int, default=64
        Frames the network works on; trials of any length are resampled to it.
    coords : {"all", "xyz", "xys"}, default="all"
        Coordinates the network wants: all that come; x, y, z (z = 0 for a flat skeleton); or x, y
        and a score (1 where the trial has none).

    Attributes
    ----------
    graph : Skeleton
        Skeleton that the network works on.
    clip_shape : tuple of int
        ``(coords, frames, joints, persons)`` of the clips.
    """

    def __init_subclass__(cls):
        super().__init_subclass__()
        merge_signatures(cls)

    def __init__(
        self,
        n_landmarks,
        n_coords,
        *,
        skeleton=None,
        target=None,
        n_persons=1,
        max_persons=None,
        n_frames=64,
        coords="all",
    ):
        super().__init__()
        if n_landmarks % n_persons:
            raise ValueError(f"{n_landmarks} landmarks cannot be those of {n_persons} persons.")
        if max_persons is not None and n_persons > max_persons:
            raise ValueError(f"This network takes {max_persons} persons at most, got {n_persons}.")
        joints = n_landmarks // n_persons
        source = guess_skeleton(joints) if skeleton is None else get_skeleton(skeleton)
        if source is None or source.n_landmarks != joints:
            what = "no skeleton is known by that number" if source is None else source.name
            raise ValueError(
                f"Trials have {joints} landmarks a person ({what}). Name their skeleton with "
                f"network_params={{'skeleton': ...}}: known are {list_skeletons()}."
            )
        mapping = conversion(source, target or source)
        self.graph = mapping.target
        self.n_frames = n_frames
        self._persons = n_persons
        self._missing_persons = (max_persons or n_persons) - n_persons
        self._coords = coords
        self._source_dims = min(source.n_dims, n_coords)
        self._has_score = n_coords > source.n_dims
        self._identity = source is self.graph
        if not self._identity:
            constants = {
                "_weights": mapping.weights,
                "_score_weights": mapping.score_weights(),
                "_signs": mapping.signs,
            }
            for name, value in constants.items():
                tensor = torch.from_numpy(np.asarray(value, dtype=np.float32))
                self.register_buffer(name, tensor, persistent=False)
        width = n_coords if coords == "all" else 3
        if coords == "all" and not self._identity:
            width = self.graph.n_dims + max(0, n_coords - source.n_dims)
        self.clip_shape = (
            width,
            n_frames,
            self.graph.n_landmarks,
            n_persons + self._missing_persons,
        )

    @property
    def ends_in_score(self):
        """Whether the last coordinate of the clips is a score."""
        return self._coords == "xys" or (self._coords == "all" and self._has_score)

    def clips(self, x, lengths=None):
        """Turn a batch of trials into the clips that the network works on.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, frames, n_persons * landmarks, n_coords)
            Zero-padded trials. Places of points whose score is not above zero are left out; those
            of trials without scores must be complete, see :mod:`skrehab.preprocessing.lost`.
        lengths : torch.Tensor of shape (batch,), optional
            True number of frames.

        Returns
        -------
        torch.Tensor of shape (batch, coords, n_frames, joints, persons)
            Clips.
        """
        shape = self._persons, x.shape[2] // self._persons, x.shape[3]
        if self._has_score:
            x = x.reshape(x.shape[0], x.shape[1], *shape)
            space, score = x[..., : self._source_dims], x[..., self._source_dims :]
            seen = score[..., :1] > 0
            # scores that were centred, or count from the first frame, tell nothing of what was seen
            seen = seen | (score[..., :1] < 0).flatten(1).any(dim=1)[:, None, None, None, None]
            space = resample_seen(space, seen, lengths, self.n_frames)
            score = resample_frames(score, lengths, self.n_frames)
        else:
            x = resample_frames(x, lengths, self.n_frames)
            x = x.unflatten(2, shape[:2])  # (batch, frames, persons, landmarks, coords)
            space, score = x[..., : self._source_dims], x[..., self._source_dims :]
        if not self._identity:
            space = torch.einsum("jl,btplc->btpjc", self._weights, space)
            space = space * self._signs[: space.shape[-1]]
            score = torch.einsum("jl,btplc->btpjc", self._score_weights, score)
        x = self._wanted_coords(space, score)
        x = x.permute(0, 4, 1, 3, 2)  # (batch, coords, frames, joints, persons)
        return nn.functional.pad(x, (0, self._missing_persons))

    def _wanted_coords(self, space, score):
        n_dims = {"all": None, "xyz": 3, "xys": 2}[self._coords]
        if n_dims is None:
            if self._identity:
                return torch.cat([space, score], dim=-1)
            n_dims = self.graph.n_dims
        else:
            score = score[..., :1] if n_dims == 2 else score[..., :0]
            if n_dims == 2 and not self._has_score:
                score = torch.ones_like(space[..., :1])
        space = nn.functional.pad(space, (0, max(0, n_dims - space.shape[-1])))[..., :n_dims]
        return torch.cat([space, score], dim=-1)

    def classify(self, clips):
        """Compute logits from clips; what a subclass is about.

        Parameters
        ----------
        clips : torch.Tensor of shape (batch, coords, n_frames, joints, persons)
            Clips.

        Returns
        -------
        torch.Tensor of shape (batch, n_outputs)
            Logits.

        Raises
        ------
        NotImplementedError
            If a subclass does not write it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} computes no logits: write classify(self, clips), which gives "
            "an array of shape (batch, n_outputs)."
        )

    def forward(self, x, lengths=None):
        return self.classify(self.clips(x, lengths))


class KnownSkeletonNetwork(SkeletonNetwork):
    """Base of networks made for one skeleton and one set of coordinates, whatever the trials have.

    A subclass says which in its attributes `target` and `coords`.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    skeleton : str or Skeleton, optional
        Skeleton of the trials; None guesses from the number of landmarks of one person.
    n_persons : int, default=1
        Persons in a trial, their landmarks one behind the other.
    n_frames : int, default=64
        Frames the network works on; trials of any length are resampled to it.
    """

    target = None
    coords = "xys"

    def __init__(self, n_landmarks, n_coords, *, skeleton=None, n_persons=1, n_frames=64):
        known = {"target": self.target, "coords": self.coords}
        own = {"skeleton": skeleton, "n_persons": n_persons, "n_frames": n_frames}
        super().__init__(n_landmarks, n_coords, **own, **known)
