"""Training of a network of two branches, such as TransM3E, whatever each trial has."""

import numpy as np
import torch
from torch import nn

from skrehab.multilabel.label_sets import LOSSES
from skrehab.training.batching import is_lazy, prefetch
from skrehab.training.modalities import MODALITIES, jitter_colors

__all__ = ["BranchLoss", "BranchTraining", "predict_branches"]


class BranchTraining(nn.Module):
    """A network of two branches, as it is trained: in one stage, with what each trial has.

    Parameters
    ----------
    network : skrehab.networks.two_stream.transm3e.TransM3E
        The network.
    stage : {1, 2}
        Each branch alone, or both together.
    color_jitter : float
        See :func:`skrehab.training.modalities.jitter_colors`; only while training.
    """

    def __init__(self, network, stage, color_jitter):
        super().__init__()
        self.network = network
        self.stage = stage
        self.color_jitter = color_jitter

    def forward(self, has_rgb, has_pose, rgb=None, pose=None, lengths=None):
        """Run the network once for the trials that have both, once for each kind that has one.

        Parameters
        ----------
        has_rgb, has_pose : torch.Tensor of shape (batch,), dtype bool
            What each trial has.
        rgb, pose, lengths : torch.Tensor, optional
            As from :func:`skrehab.training.modalities.collate_modalities`.

        Returns
        -------
        list of (torch.Tensor, dict)
            Positions of trials in the batch, and what the network returned for them.
        """
        if rgb is not None and self.training:
            clip = self.network.clip
            rgb = jitter_colors(rgb, self.color_jitter, clip.mean, clip.std)
        outputs = []
        for both in ((True, True), (True, False), (False, True)):
            rows = ((has_rgb == both[0]) & (has_pose == both[1])).nonzero()[:, 0]
            if not len(rows):
                continue
            clips = rgb[rows] if both[0] else None
            trials, times = (pose[rows], lengths[rows]) if both[1] else (None, None)
            outputs.append((rows, self.network(clips, trials, times, stage=self.stage)))
        return outputs


class BranchLoss(nn.Module):
    """Binary cross-entropy of each branch over the trials that it saw, and the distillation.

    The distillation counts in training only. In evaluation, by which early stopping chooses, it
    would tell against the later epochs: the more the skeleton's tokens say, the farther away they
    are, while both branches still become better.

    Parameters
    ----------
    loss : {"sigmoid_bce", "softmax_bce"}
        Which.
    distillation_weight : float, default=1.0
        Weight of the distillation (Eq. 4).

    References
    ----------
    Peng et al. 2024, ACM MM, section 4.3: the sum of both, of equal weight.
    """

    def __init__(self, loss, distillation_weight=1.0):
        super().__init__()
        self.cross_entropy = LOSSES[loss]()
        self.distillation_weight = distillation_weight

    def forward(self, outputs, target_and_weight):
        target, weight = target_and_weight
        weight_kd = self.distillation_weight if self.training else 0.0
        total = sum(weight_kd * out["distillation"] for _, out in outputs)
        for branch in MODALITIES:
            seen = [(rows, out[branch]) for rows, out in outputs if out[branch] is not None]
            if seen:
                rows, logits = (torch.cat(parts) for parts in zip(*seen))
                total = total + self.cross_entropy(logits, (target[rows], weight[rows]))
        return total


def predict_branches(network, trials, view, collate, batch_size, device):
    """Compute the probability of each label from one view of each trial.

    Parameters
    ----------
    network : BranchTraining
        The network, in evaluation.
    trials : list of dict
        As from :func:`skrehab.training.modalities.check_modalities`.
    view : skrehab.training.changes.View
        How clips are looked at.
    collate : callable
        Makes a batch of trials; takes ``views=``.
    batch_size : int
        Trials in a batch.
    device : str
        Torch device.

    Returns
    -------
    ndarray of shape (n_trials, n_labels)
        Probabilities.
    """
    starts = range(0, len(trials), batch_size)
    batches = (trials[start : start + batch_size] for start in starts)
    n_workers = 1 if any(map(is_lazy, trials)) else 0
    rows = [None] * len(trials)

    def prepared(batch):
        return collate(batch, views=[view] * len(batch))

    for start, batch in zip(starts, prefetch(prepared, batches, n_workers)):
        batch = {key: value.to(device) for key, value in batch.items()}
        for places, out in network(**batch):
            for place, row in zip(places.tolist(), out["prediction"].cpu().numpy()):
                rows[start + place] = row
    return np.stack(rows)
