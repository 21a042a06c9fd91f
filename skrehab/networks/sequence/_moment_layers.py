"""Parts of MOMENT: trials to series, instance normalisation, patches, the encoder of T5."""

import math

import torch
from torch import nn

from skrehab.networks._layers import resample_frames
from skrehab.networks._transformers import import_transformers

__all__ = [
    "MAX_PATCHES",
    "PATCH",
    "T5",
    "Head",
    "PatchEmbedding",
    "begin_unpickling",
    "instance_norm",
    "pad_left",
    "t5_encoder",
]

PATCH = 8  # steps a patch
MAX_PATCHES = 5000  # rows of the official table of positions
# what all variants share
T5 = {
    "feed_forward_proj": "gated-gelu",
    "relative_attention_num_buckets": 32,
    "relative_attention_max_distance": 128,
    "layer_norm_epsilon": 1e-6,
}
_PURPOSE = "to build the MOMENT network"


# --- from trials to series ------------------------------------------------------------------------
def pad_left(x, lengths, seq_len):
    """Put trials at the right end of series, zeros before them.

    A patch with a single masked step is masked as a whole, so the patch in which a trial begins is
    filled up with repeats of the first frame: no frame of the trial is lost. Trials longer than the
    series are averaged down to it.

    Parameters
    ----------
    x : torch.Tensor of shape (batch, frames, channels)
        Trials, padded behind.
    lengths : torch.Tensor of shape (batch,) or None
        True number of frames.
    seq_len : int
        Steps wanted.

    Returns
    -------
    series : torch.Tensor of shape (batch, seq_len, channels)
        Trials, padded in front.
    mask : torch.Tensor of shape (batch, seq_len), dtype bool
        True where a step belongs to the trial.
    """
    if lengths is None:
        lengths = torch.full((len(x),), x.shape[1])
    lengths = lengths.to(x.device)
    kept = lengths.clamp(max=seq_len)[:, None]
    frame = torch.arange(seq_len, device=x.device) - seq_len + kept  # (batch, seq_len)
    mask = frame >= kept - PATCH * torch.ceil(kept / PATCH)
    rows = torch.arange(len(x), device=x.device)[:, None]
    series = x[rows, frame.clamp(min=0)]  # (batch, seq_len, channels)
    long = lengths > seq_len
    if long.any():
        shrunk = resample_frames(x, lengths, seq_len)
        series = torch.where(long[:, None, None], shrunk, series)
    return torch.where(mask[..., None], series, 0), mask


def instance_norm(series, mask=None):
    """Give every channel of every trial mean 0 and deviation 1 over its observed steps (RevIN).

    Parameters
    ----------
    series : torch.Tensor of shape (batch, channels, steps)
        Series; NaN counts as not observed.
    mask : torch.Tensor of shape (batch, steps), optional
        True where observed.

    Returns
    -------
    torch.Tensor of shape (batch, channels, steps)
        Normalised series. No gradient runs through mean and deviation, as in the original.
    """
    with torch.no_grad():
        seen = ~series.isnan()
        if mask is not None:
            seen = seen & mask[:, None].bool()
        count = seen.sum(dim=-1, keepdim=True).clamp(min=1)
        mean = torch.where(seen, series, 0).sum(dim=-1, keepdim=True) / count
        variance = torch.where(seen, series - mean, 0).square().sum(dim=-1, keepdim=True) / count
        deviation = variance.sqrt() + 1e-5
    return (series - mean) / deviation


# --- parts ----------------------------------------------------------------------------------------
class Positions(nn.Module):
    """The fixed table of sines and cosines; a buffer of the official state dict."""

    def __init__(self, d_model):
        super().__init__()
        place = torch.arange(MAX_PATCHES).float()[:, None]
        rate = torch.exp(torch.arange(0, d_model, 2).float() * -(math.log(10000.0) / d_model))
        table = torch.stack([torch.sin(place * rate), torch.cos(place * rate)], dim=-1)
        self.register_buffer("pe", table.flatten(1)[None])  # (1, 5000, d_model)


class PatchEmbedding(nn.Module):
    """Patches of 8 steps to tokens; masked patches all get one learned token."""

    def __init__(self, d_model, dropout):
        super().__init__()
        self.mask_embedding = nn.Parameter(torch.zeros(d_model))
        self.value_embedding = nn.Linear(PATCH, d_model, bias=False)
        self.position_embedding = Positions(d_model)
        self.dropout = nn.Dropout(dropout)
        nn.init.orthogonal_(self.value_embedding.weight, gain=1.41)

    def forward(self, patches, observed, first):
        tokens = self.value_embedding(patches)  # (batch, channels, patches, d_model)
        if observed is not None:
            keep = observed[:, None, :, None].to(tokens.dtype)  # (batch, 1, patches, 1)
            tokens = keep * tokens + (1 - keep) * self.mask_embedding
        place = self.position_embedding.pe[:, first : first + tokens.shape[2]]
        return self.dropout(tokens + place)


class Head(nn.Module):
    """Dropout and a linear layer."""

    def __init__(self, n_features, n_outputs, dropout):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(n_features, n_outputs)

    def forward(self, features):
        return self.linear(self.dropout(features))


def t5_encoder(*, d_model, n_layers, n_heads, d_kv, d_ff, vocab_size, dropout):
    """Build the encoder, with weights as T5 draws them.

    Parameters
    ----------
    d_model, n_layers, n_heads, d_kv, d_ff, vocab_size : int
        Sizes.
    dropout : float
        Dropout.

    Returns
    -------
    transformers.models.t5.modeling_t5.T5Stack
        Takes ``inputs_embeds`` of shape (sequences, tokens, d_model).
    """
    transformers = import_transformers(_PURPOSE)
    config = transformers.T5Config(
        d_model=d_model,
        d_kv=d_kv,
        d_ff=d_ff,
        num_layers=n_layers,
        num_heads=n_heads,
        vocab_size=vocab_size,
        dropout_rate=dropout,
        is_encoder_decoder=False,
        use_cache=False,
        **T5,
    )
    return transformers.T5EncoderModel(config).encoder


def begin_unpickling(cls):
    """Make an empty object; transformers has to be there before its classes are looked up.

    Parameters
    ----------
    cls : type
        Class of the object.

    Returns
    -------
    object
        Without any attribute.
    """
    import_transformers(_PURPOSE)
    return cls.__new__(cls)
