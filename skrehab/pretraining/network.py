"""The non-expert network: who learns from which loss.

Equations (1) to (4) of Nekoui & Cheng, BMVC 2021. The encoder learns from reconstruction and pace,
each decoder from its own task, and how real an inpainted pose looks concerns the inpainting decoder
alone: the adversarial loss never reaches the encoder, the pace loss never the inpainting decoder.
"""

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks.pose_input import true_frames
from skrehab.networks.sequence.pose_sequence import (
    Discriminator,
    FrameDecoder,
    PaceDecoder,
    PoseEncoder,
    mean_over_frames,
)
from skrehab.training.batching import pad_trials

from .tasks import OBJECTIVES

__all__ = ["PretextBatch", "PretextNetwork", "collate_views", "reconstruction_loss"]

_NO_PLACE = -100  # what cross-entropy ignores


@dataclass(frozen=True)
class PretextBatch:
    """Padded views of several trials.

    Parameters
    ----------
    seen : torch.Tensor of shape (batch, frames, landmarks, coords)
        What the encoder reads.
    seen_lengths : torch.Tensor of shape (batch,)
        Its true number of frames.
    given, target : torch.Tensor of shape (batch, frames, landmarks, coords)
        What the decoder is given and should give back.
    lengths : torch.Tensor of shape (batch,)
        Their true number of frames.
    pace : torch.Tensor of shape (batch,)
        Index of the pace.
    places : torch.Tensor of shape (batch, frames) or None
        Segment that each frame belongs to; -100 in the padding.
    """

    seen: torch.Tensor
    seen_lengths: torch.Tensor
    given: torch.Tensor
    target: torch.Tensor
    lengths: torch.Tensor
    pace: torch.Tensor
    places: torch.Tensor | None

    def to(self, device):
        """Move the batch to a device.

        Parameters
        ----------
        device : str or torch.device
            Where to.

        Returns
        -------
        PretextBatch
            The same values there.
        """
        values = [getattr(self, field.name) for field in fields(self)]
        return PretextBatch(*(None if value is None else value.to(device) for value in values))


def collate_views(views):
    """Pad views into a batch: what was slowed is padded afterwards.

    Parameters
    ----------
    views : list of skrehab.pretraining.tasks.View
        One per trial.

    Returns
    -------
    PretextBatch
        The batch.
    """
    seen, seen_lengths = pad_trials([one.seen for one in views])
    given, lengths = pad_trials([one.given for one in views])
    target, _ = pad_trials([one.target for one in views])
    places = None
    if views[0].places is not None:
        places = nn.utils.rnn.pad_sequence(
            [torch.from_numpy(one.places) for one in views],
            batch_first=True,
            padding_value=_NO_PLACE,
        )
    pace = torch.tensor([one.pace for one in views])
    return PretextBatch(seen, seen_lengths, given, target, lengths, pace, places)


def reconstruction_loss(output, target, lengths, reduction="mean"):
    """Squared distance of the landmarks, equation (2), over the true frames.

    Parameters
    ----------
    output, target : torch.Tensor of shape (batch, frames, landmarks, coords)
        What the decoder says and what was there.
    lengths : torch.Tensor of shape (batch,)
        True number of frames.
    reduction : {"mean", "sum"}, default="mean"
        Sum over a trial's frames and landmarks, as printed, or their mean. Either is averaged over
        the batch.

    Returns
    -------
    torch.Tensor of shape ()
        The loss.

    Examples
    --------
    >>> import torch
    >>> from skrehab.pretraining.network import reconstruction_loss
    >>> output, target = torch.ones(1, 3, 4, 2), torch.zeros(1, 3, 4, 2)
    >>> reconstruction_loss(output, target, torch.tensor([2]), "sum")
    tensor(16.)
    >>> reconstruction_loss(output, target, torch.tensor([2]))
    tensor(2.)
    """
    distance = (output - target).square().sum(dim=3)  # (batch, frames, landmarks)
    distance = distance.masked_fill(~true_frames(distance, lengths)[..., None], 0)
    each = distance.sum(dim=(1, 2))
    if reduction == "mean":
        each = each / (lengths.to(each.device) * distance.shape[2])
    return each.mean()


class PretextNetwork(nn.Module):
    """Encoder, and the decoders and discriminator that an objective needs.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the poses.
    objective : str, default="pace+inpaint"
        One of :data:`skrehab.pretraining.tasks.OBJECTIVES`.
    n_paces : int, default=5
        Paces to tell apart.
    n_segments : int, default=25
        Segments to put in order.
    hidden_size : int, default=1000
        Units of encoder and decoders.
    n_layers : int, default=2
        Layers of encoder and frame decoder.
    discriminator_size : int, optional
        Units of the discriminator; None means a fifth of `hidden_size`, as published (200).
    alpha : float, default=0.01
        Weight of the adversarial loss in the decoder's, equation (3); with 0 there is no
        discriminator.
    beta : float, default=0.2
        Weight of the pace loss in the encoder's, equation (4).
    reduction : {"mean", "sum"}, default="mean"
        See :func:`reconstruction_loss`.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, equations (1) to (4); Zheng et al., AAAI 2018, for the encoder that
    learns nothing from the discriminator.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pretraining.tasks import view
    >>> from skrehab.pretraining.network import PretextNetwork, collate_views
    >>> network = PretextNetwork(15, 3, hidden_size=8)
    >>> rng, limbs = np.random.default_rng(0), [(3, 4, 5)]
    >>> trial = np.zeros((20, 15, 3), dtype=np.float32)
    >>> batch = collate_views([view(trial, "pace+inpaint", rng, limbs=limbs)])
    >>> sorted(network.losses(batch))
    ['adversarial', 'discriminator', 'pace', 'pace_accuracy', 'reconstruction']
    """

    def __init__(
        self,
        n_landmarks,
        n_coords,
        *,
        objective="pace+inpaint",
        n_paces=5,
        n_segments=25,
        hidden_size=1000,
        n_layers=2,
        discriminator_size=None,
        alpha=0.01,
        beta=0.2,
        reduction="mean",
    ):
        super().__init__()
        self.shape = n_landmarks, n_coords
        self.alpha = alpha
        self.beta = beta
        self.reduction = reduction
        n_features = n_landmarks * n_coords
        tasks = set(OBJECTIVES[objective])
        self.encoder = PoseEncoder(n_features, hidden_size, n_layers)
        self.pace_decoder = PaceDecoder(n_paces, hidden_size) if "pace" in tasks else None
        self.decoder = self.discriminator = None
        if "order" in tasks:
            self.decoder = FrameDecoder(n_features, n_segments, hidden_size, n_layers)
        elif tasks - {"pace"}:
            self.decoder = FrameDecoder(n_features, None, hidden_size, n_layers)
            if alpha > 0:
                width = discriminator_size or max(1, hidden_size // 5)
                self.discriminator = Discriminator(n_features, width)

    def losses(self, batch):
        """Compute the losses of a batch, before any weight.

        Parameters
        ----------
        batch : PretextBatch
            Views of some trials.

        Returns
        -------
        dict of str to torch.Tensor of shape ()
            What the objective has of ``pace`` (1), ``reconstruction`` (2), ``adversarial`` (the
            decoder's part of (3), in the form that does not saturate: minus log D of what it
            inpainted), ``discriminator`` (minus (3)), ``order``; and ``pace_accuracy``, which
            nothing learns from.
        """
        frames, states = self.encoder(batch.seen.flatten(2), batch.seen_lengths)
        losses = {}
        if self.pace_decoder is not None:
            summary = mean_over_frames(frames, batch.seen_lengths)
            if summary.requires_grad:  # the decoder learns from L_pace, the encoder from beta of it
                summary.register_hook(lambda gradient: self.beta * gradient)
            logits = self.pace_decoder(summary)
            losses["pace"] = F.cross_entropy(logits, batch.pace)
            losses["pace_accuracy"] = (logits.argmax(dim=1) == batch.pace).float().mean()
        if self.decoder is None:
            return losses
        output = self.decoder(batch.given.flatten(2), states)
        if batch.places is not None:
            losses["order"] = F.cross_entropy(
                output.transpose(1, 2), batch.places, ignore_index=_NO_PLACE
            )
            return losses
        losses["reconstruction"] = reconstruction_loss(
            output.unflatten(2, self.shape), batch.target, batch.lengths, self.reduction
        )
        if self.discriminator is not None:
            real = batch.target.flatten(2)
            judged = self.discriminator(
                torch.cat([real, output.detach()]), batch.lengths.repeat(2)
            ).chunk(2)
            losses["discriminator"] = F.softplus(-judged[0]).mean() + F.softplus(judged[1]).mean()
            losses["adversarial"] = F.softplus(-self.discriminator(output, batch.lengths)).mean()
        return losses

    def backward(self, losses):
        """Add to every parameter's gradient what it has to learn from.

        Parameters
        ----------
        losses : dict of str to torch.Tensor of shape ()
            What :meth:`losses` gave.
        """
        if self.discriminator is not None:
            weights = list(self.decoder.parameters())
            realism = torch.autograd.grad(
                self.alpha * losses["adversarial"], weights, retain_graph=True
            )
            losses["discriminator"].backward()
        sum(
            losses[name] for name in ("pace", "reconstruction", "order") if name in losses
        ).backward()
        if self.discriminator is not None:
            for weight, gradient in zip(weights, realism):
                weight.grad += gradient
