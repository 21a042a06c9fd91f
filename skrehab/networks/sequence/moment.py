"""MOMENT: a transformer pre-trained on time series, one channel at a time.

M. Goswami, K. Szafer, A. Choudhry, Y. Cai, S. Li, A. Dubrawski, "MOMENT: A Family of Open
Time-series Foundation Models", ICML 2024.

Each landmark coordinate is a series of its own, cut into patches of 8 steps, which an encoder of T5
(from the package transformers) reads as words. Written from the facts of the architecture; parity
with the official network is tested on golden outputs.
"""

import torch
from torch import nn

from skrehab.networks._layers import resample_frames
from skrehab.networks.pose_input import true_frames
from skrehab.networks.sequence._moment_files import read_pretrained
from skrehab.networks.sequence._moment_layers import pad_left
from skrehab.networks.sequence._moment_series import SIZES, SeriesNetwork
from skrehab.networks.weights import load_weights

__all__ = ["MOMENT", "SIZES"]


class MOMENT(SeriesNetwork):
    """Classify trials with MOMENT, every landmark coordinate being one channel.

    A trial costs as much as its channels times its patches. With one thread, 33 landmarks in 3-D
    and 512 steps, "small" takes about 4 s a trial forward, "base" 18 s, "large" 60 s; a quarter of
    the steps takes a quarter of the time. While the encoder is frozen, :meth:`embed` need be called
    only once a trial, and training goes on with :meth:`classify_embedding`.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    n_outputs : int
        Number of logits.
    size : {"small", "base", "large"}, default="small"
        Variant: 35, 110 or 341 million parameters, of which 16, 25 or 33 million are the word
        table, which is in the official files and never used.
    seq_len : int, default=512
        Steps the network works on, a multiple of 8. Fewer are cheaper; the weights fit any number.
    fit_length : {"resample", "pad"}, default="resample"
        Bring trials to `seq_len` steps by resampling, which keeps their shape and loses their
        duration; or by zeros in front, which are masked. Longer trials are averaged down.
    pool : {"all", "observed"}, default="all"
        Average the tokens over all patches, padding included, as the original does; or over those
        that the trial fills, in which case no others are computed unless a batch has longer trials.
    reduction : {"concat", "mean"}, default="concat"
        Hand the head the features of all channels one behind the other, or their mean.
    tuning : {"linear_probe", "frozen", "full", "lora"}, default="linear_probe"
        What is trained: the head; nothing, so that :meth:`embed` gives features for another
        classifier; everything; or the head and low-rank corrections of the query and value layers.
    revin : bool, default=True
        Scale every channel of every trial to mean 0 and deviation 1. It removes how far a joint
        moved; False leaves that in.
    dropout : float, default=0.1
        Dropout after the patches, inside the encoder and before the head. A frozen encoder stays
        in evaluation mode, and drops nothing out.
    lora_rank, lora_alpha : int, default=64 and 32
        Rank and scale of the corrections.
    checkpointing : bool, default=True
        When gradients are wanted, keep no layer's output but compute it again on the way back, 64
        channels at a time: a third slower, and gigabytes instead of tens of them.
    d_model, n_layers, n_heads, d_kv, d_ff : int, optional
        Instead of the variant's own sizes.
    vocab_size : int, default=32128
        Rows of the unused word table.

    Notes
    -----
    ``encoder.embed_tokens.weight`` is never used, and not trained in any mode; nor is
    ``patch_embedding.mask_embedding`` where nothing is masked, with ``fit_length="resample"``.

    References
    ----------
    Goswami et al. 2024, ICML; the head and its two reductions as in the authors' package momentfm.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.moment import MOMENT
    >>> tiny = dict(d_model=16, n_layers=1, n_heads=2, d_ff=16, vocab_size=8, seq_len=64)
    >>> network = MOMENT(5, 3, 1, **tiny).eval()
    >>> x, lengths = torch.randn(2, 100, 5, 3), torch.tensor([100, 12])
    >>> features = network.embed(x, lengths)
    >>> features.shape, network.is_frozen
    (torch.Size([2, 240]), True)
    >>> torch.equal(network.classify_embedding(features), network(x, lengths))
    True
    """

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        size="small",
        seq_len=512,
        fit_length="resample",
        pool="all",
        reduction="concat",
        tuning="linear_probe",
        revin=True,
        dropout=0.1,
        lora_rank=64,
        lora_alpha=32,
        checkpointing=True,
        d_model=None,
        n_layers=None,
        n_heads=None,
        d_kv=None,
        d_ff=None,
        vocab_size=32128,
    ):
        if size not in SIZES:
            raise ValueError(f"size must be one of {list(SIZES)}, got {size!r}.")
        own = {"d_model": d_model, "n_layers": n_layers, "n_heads": n_heads}
        own |= {"d_kv": d_kv, "d_ff": d_ff}
        super().__init__(
            n_landmarks * n_coords,
            n_outputs,
            sizes=SIZES[size] | {name: value for name, value in own.items() if value is not None},
            vocab_size=vocab_size,
            seq_len=seq_len,
            fit_length=fit_length,
            pool=pool,
            reduction=reduction,
            tuning=tuning,
            revin=revin,
            dropout=dropout,
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            checkpointing=checkpointing,
        )

    def forward(self, x, lengths=None):
        return self.classify_embedding(self.embed(x, lengths))

    def embed(self, x, lengths=None):
        """Compute what the head sees, before its dropout.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, frames, landmarks, coords)
            Zero-padded trials.
        lengths : torch.Tensor of shape (batch,), optional
            True number of frames.

        Returns
        -------
        torch.Tensor of shape (batch, features)
            Features: ``d_model`` times the channels for ``reduction="concat"``, else ``d_model``.
        """
        x = x.flatten(2)  # (batch, frames, channels)
        if self.ignores_scale:
            # part of the mean that RevIN takes off: a constant channel is then exactly zero, and
            # its rounding errors are not blown up by a deviation of almost nothing
            x = x - x[:, :1].detach()
        if self.fit_length == "resample":
            series, mask = resample_frames(x, lengths, self.seq_len), None
        else:
            series, mask = pad_left(x, lengths, self.seq_len)
        return self.embed_series(series.transpose(1, 2), mask)

    @property
    def ignores_scale(self):
        """Whether every channel of a trial is scaled inside, so that f(a x) = f(x)."""
        return self.revin

    def held_scale(self, x, lengths=None):
        """Scale trials as the network does, and give what takes them so.

        Its gradient is the network's own, through which mean and deviation count as constants.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, frames, landmarks, coords)
            Zero-padded trials.
        lengths : torch.Tensor of shape (batch,), optional
            True number of frames.

        Returns
        -------
        scaled : torch.Tensor of shape (batch, frames, landmarks, coords)
            Trials whose channels have mean 0 and deviation 1 over the steps that the encoder sees;
            zero in the padding.
        network : torch.nn.Module
            Shares all weights and scales nothing: ``network(scaled, lengths)`` equals
            ``self(x, lengths)``.

        Raises
        ------
        ValueError
            With ``fit_length="pad"``, where zeros in front of a trial are scaled along with it.
        """
        if self.fit_length != "resample":
            raise ValueError(
                "Integrated gradients of MOMENT with revin need fit_length='resample': with 'pad' "
                "the zeros in front of a trial move with its mean. Or use revin=False."
            )
        with torch.no_grad():
            flat = x.flatten(2)
            flat = flat - flat[:, :1]
            steps = resample_frames(flat, lengths, self.seq_len)
            mean = steps.mean(dim=1, keepdim=True)
            deviation = (steps - mean).square().mean(dim=1, keepdim=True).sqrt() + 1e-5
            scaled = ((flat - mean) / deviation).unflatten(2, x.shape[2:])
            scaled = scaled.masked_fill(~true_frames(x, lengths)[..., None, None], 0)
        return scaled, _Unscaled(self)

    @classmethod
    def from_pretrained(
        cls,
        path_or_id,
        *,
        n_landmarks,
        n_coords,
        n_outputs,
        head="new",
        local_files_only=True,
        revision=None,
        cache_dir=None,
        **params,
    ):
        """Build the network that published files describe, with their weights.

        Parameters
        ----------
        path_or_id : str or path-like
            Folder with ``config.json`` and ``model.safetensors``, or the name of a repository on
            Hugging Face such as ``"AutonLab/MOMENT-1-small"``.
        n_landmarks, n_coords : int
            Trailing shape of the trials.
        n_outputs : int
            Number of logits.
        head : {"new", "keep"}, default="new"
            The published head reconstructs series, so a new one is drawn; ``"keep"`` loads that of
            a network saved after training for classification.
        local_files_only : bool, default=True
            Look for a repository in the cache of this machine only; False downloads it.
        revision : str, optional
            Branch, tag or commit of the repository.
        cache_dir : str or path-like, optional
            Cache, if it is not where Hugging Face puts it.
        **params
            Other parameters of the network, but for its sizes.

        Returns
        -------
        MOMENT
            The network; its attribute ``load_report`` says what was loaded.

        Raises
        ------
        FileNotFoundError
            If the folder, one of its files, or the repository's copy in the cache is missing.
        ValueError
            If the files are damaged, or not of a network like this one.
        """
        found = read_pretrained(
            path_or_id, local_files_only=local_files_only, revision=revision, cache_dir=cache_dir
        )
        given = sorted({"size", "vocab_size", *SIZES["small"]} & set(params))
        if given:
            raise ValueError(f"The sizes are those of {path_or_id}: do not give {given}.")
        if head == "keep" and found.task != "classification":
            raise ValueError(
                f"The head of {path_or_id} is for {found.task}, not for classification: "
                "use head='new'."
            )
        params = {"seq_len": found.seq_len} | params
        network = cls(n_landmarks, n_coords, n_outputs, **found.sizes, **params)
        network.load_report = load_weights(network, found.state, head=head)
        optional = ("head.", "encoder.embed_tokens.", "patch_embedding.position_embedding.")
        missing = [
            key
            for key in network.load_report.reinitialised
            if not key.startswith(optional) and ".lora_" not in key
        ]
        if missing:
            raise ValueError(f"{path_or_id} lacks {len(missing)} weights, such as {missing[0]}.")
        parts = ("encoder.", "patch_embedding.")
        more = [key for key in network.load_report.unused if key.startswith(parts)]
        if more:
            raise ValueError(
                f"{path_or_id} holds {len(more)} weights of the encoder more, such as {more[0]}, "
                "than its config.json describes."
            )
        return network


class _Unscaled(nn.Module):
    """A MOMENT with its scaling of trials left out; the weights are its own."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x, lengths=None):
        revin, self.network.revin = self.network.revin, False
        try:
            return self.network(x, lengths)
        finally:
            self.network.revin = revin
