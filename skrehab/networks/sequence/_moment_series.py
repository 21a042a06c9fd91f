"""The MOMENT network as published: series and a mask in, features and logits out."""

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from skrehab.networks.sequence._lora import add_lora
from skrehab.networks.sequence._moment_layers import (
    MAX_PATCHES,
    PATCH,
    Head,
    PatchEmbedding,
    begin_unpickling,
    instance_norm,
    t5_encoder,
)

__all__ = ["SIZES", "SeriesNetwork"]

# encoders of flan-t5-small, -base and -large
SIZES = {
    "small": {"d_model": 512, "n_layers": 8, "n_heads": 6, "d_kv": 64, "d_ff": 1024},
    "base": {"d_model": 768, "n_layers": 12, "n_heads": 12, "d_kv": 64, "d_ff": 2048},
    "large": {"d_model": 1024, "n_layers": 24, "n_heads": 16, "d_kv": 64, "d_ff": 2816},
}
CHUNK = 64  # sequences in the encoder at once: larger batches are no faster, and take more memory


class SeriesNetwork(nn.Module):
    """Classify series of several channels; the layers have their official names.

    Parameters
    ----------
    n_channels : int
        Channels; each goes through the encoder by itself.
    n_outputs : int
        Number of logits.
    sizes : dict of str to int
        As those of `SIZES`.
    vocab_size : int
        Rows of the unused word table.
    seq_len, fit_length, pool, reduction, tuning, revin, dropout
        See :class:`skrehab.networks.sequence.moment.MOMENT`.
    lora_rank, lora_alpha, checkpointing
        See there too.
    """

    def __init__(
        self,
        n_channels,
        n_outputs,
        *,
        sizes,
        vocab_size,
        seq_len,
        fit_length,
        pool,
        reduction,
        tuning,
        revin,
        dropout,
        lora_rank,
        lora_alpha,
        checkpointing,
    ):
        super().__init__()
        choices = {
            "fit_length": (fit_length, ("resample", "pad")),
            "pool": (pool, ("all", "observed")),
            "reduction": (reduction, ("concat", "mean")),
            "tuning": (tuning, ("linear_probe", "frozen", "full", "lora")),
        }
        for name, (value, allowed) in choices.items():
            if value not in allowed:
                raise ValueError(f"{name} must be one of {list(allowed)}, got {value!r}.")
        if seq_len % PATCH or not PATCH <= seq_len <= PATCH * MAX_PATCHES:
            raise ValueError(
                f"seq_len must be a multiple of {PATCH} up to {PATCH * MAX_PATCHES}, "
                f"got {seq_len!r}."
            )
        self.seq_len = seq_len
        self.fit_length = fit_length
        self.pool = pool
        self.reduction = reduction
        self.revin = revin
        self.checkpointing = checkpointing
        n_features = sizes["d_model"] * (n_channels if reduction == "concat" else 1)
        self.patch_embedding = PatchEmbedding(sizes["d_model"], dropout)
        self.encoder = t5_encoder(**sizes, vocab_size=vocab_size, dropout=dropout)
        self.head = Head(n_features, n_outputs, dropout)

        self.encoder.embed_tokens.requires_grad_(False)  # never used, so never trained
        if tuning != "full":
            self.patch_embedding.requires_grad_(False)
            self.encoder.requires_grad_(False)
        elif fit_length == "resample":
            self.patch_embedding.mask_embedding.requires_grad_(False)  # nothing is ever masked
        if tuning == "lora":
            add_lora(self.encoder, ("q", "v"), rank=lora_rank, alpha=lora_alpha)
        if tuning == "frozen":
            self.head.requires_grad_(False)

    @property
    def is_frozen(self):
        """Whether nothing before the head is trained, so that embeddings need be computed once."""
        parts = (self.patch_embedding, self.encoder)
        return not any(p.requires_grad for part in parts for p in part.parameters())

    def train(self, mode=True):
        """Switch to training or evaluation; a frozen encoder stays in evaluation.

        Parameters
        ----------
        mode : bool, default=True
            True for training.

        Returns
        -------
        SeriesNetwork
            The network.
        """
        super().train(mode)
        if self.is_frozen:
            self.patch_embedding.eval()
            self.encoder.eval()
        return self

    def __reduce__(self):
        return begin_unpickling, (type(self),), self.__dict__

    def forward(self, x_enc, input_mask=None):
        return self.classify_embedding(self.embed_series(x_enc, input_mask))

    def classify_embedding(self, features):
        """Compute logits from features.

        Parameters
        ----------
        features : torch.Tensor of shape (batch, features)
            From ``embed``, or :meth:`embed_series`.

        Returns
        -------
        torch.Tensor of shape (batch, n_outputs)
            Logits.
        """
        return self.head(features)

    def embed_series(self, x_enc, input_mask=None):
        """Compute what the head sees, before its dropout.

        Parameters
        ----------
        x_enc : torch.Tensor of shape (batch, channels, steps)
            Series, of a multiple of 8 steps.
        input_mask : torch.Tensor of shape (batch, steps), optional
            1 where observed; None means all.

        Returns
        -------
        torch.Tensor of shape (batch, features)
            Features.
        """
        tokens, observed = self.encode(x_enc, input_mask)
        if self.pool == "all" or observed is None:
            pooled = tokens.mean(dim=2)  # (batch, channels, d_model)
        else:
            keep = observed.to(tokens.dtype)
            share = keep / keep.sum(dim=1, keepdim=True).clamp(min=1)
            pooled = torch.einsum("bcpd,bp->bcd", tokens, share)
        if self.reduction == "mean":
            return pooled.mean(dim=1)
        return pooled.transpose(1, 2).flatten(1)  # feature d of channel c at d * n_channels + c

    def encode(self, x_enc, input_mask=None):
        """Compute the encoder's tokens.

        Parameters
        ----------
        x_enc : torch.Tensor of shape (batch, channels, steps)
            Series.
        input_mask : torch.Tensor of shape (batch, steps), optional
            1 where observed.

        Returns
        -------
        tokens : torch.Tensor of shape (batch, channels, patches, d_model)
            Tokens; with ``pool="observed"`` without the patches in front that no series fills.
        observed : torch.Tensor of shape (batch, patches), dtype bool, or None
            Patches of which every step is observed; None without a mask.
        """
        if self.revin:
            x_enc = instance_norm(x_enc, input_mask)
        patches = torch.nan_to_num(x_enc, nan=0.0, posinf=0.0, neginf=0.0).unflatten(2, (-1, PATCH))
        observed, first = None, 0
        if input_mask is not None:
            observed = input_mask.bool().unflatten(1, (-1, PATCH)).all(dim=-1)
            if self.pool == "observed":  # leading patches count for places all the same
                first = int(observed.any(dim=0).int().argmax())
                patches, observed = patches[:, :, first:], observed[:, first:]
        tokens = self.patch_embedding(patches, observed, first)
        batch, n_channels = tokens.shape[:2]
        flat = tokens.flatten(0, 1)  # (batch * channels, patches, d_model)
        attend = None
        if observed is not None and not observed.all():
            attend = observed.repeat_interleave(n_channels, dim=0)
        parts = [
            self._run_encoder(
                flat[i : i + CHUNK], None if attend is None else attend[i : i + CHUNK]
            )
            for i in range(0, len(flat), CHUNK)
        ]
        return torch.cat(parts).unflatten(0, (batch, n_channels)), observed

    def _run_encoder(self, tokens, attend):
        """Run the encoder; on the way back, compute it again rather than keep its layers."""

        def run(tokens):
            return self.encoder(inputs_embeds=tokens, attention_mask=attend).last_hidden_state

        if self.checkpointing and torch.is_grad_enabled():
            return checkpoint(run, tokens, use_reentrant=False)
        return run(tokens)
