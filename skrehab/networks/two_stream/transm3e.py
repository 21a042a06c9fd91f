"""TransM3E: a video transformer and a graph network of joints that meet in their tokens.

K. Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024,
section 4 and figure 3: MViTv2-S (``rgb``) and HD-GCN (``pose``), each with 20 tokens to classify by
and 20 for distillation. The RGB network's distillation tokens receive: they learn to resemble the
skeleton network's (:mod:`skrehab.networks.two_stream.distillation`). In each branch both kinds are
fused (:mod:`skrehab.networks.two_stream.mctf`) and the mean of what comes out is classified.
"""

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks.two_stream.distillation import TokenDistillation, distillation_pairs
from skrehab.networks.two_stream.hdgcn_tokens import HDGCNTokens
from skrehab.networks.two_stream.mctf import build_fusion
from skrehab.networks.two_stream.mvit_tokens import MViTTokens

__all__ = ["SIZES", "TransM3E"]

# of the RGB network (widths, depths, clips) and of the skeleton network
SIZES = {
    "s": {
        "widths": (96, 192, 384, 768),
        "depths": (1, 2, 11, 2),
        "n_frames": 16,
        "image_size": 224,
        "pose_widths": (64, 128, 256),
        "pose_units": (4, 3, 3),
        "pose_frames": 64,
    },
    "tiny": {
        "widths": (16, 32, 64),
        "depths": (1, 1, 1),
        "n_frames": 8,
        "image_size": 64,
        "pose_widths": (16, 32),
        "pose_units": (1, 1),
        "pose_frames": 32,
    },
}
_PREDICTIONS = {
    "sigmoid_bce": torch.sigmoid,
    "softmax_bce": lambda logits: logits.softmax(dim=-1),
}


class TransM3E(nn.Module):
    """Say from a clip and a skeleton, or either, which of several labels hold.

    ``network(rgb, pose, lengths, stage=2)`` takes normalised clips ``(batch, 3, n_frames,
    image_size, image_size)`` prepared as the attribute `clip` says, and zero-padded trials
    ``(batch, frames, landmarks, coords)`` with their true lengths. Either may be None for the whole
    batch; then the other branch answers alone. It returns a dict:

    * ``"rgb"``, ``"pose"``: logits of the branch, ``(batch, n_outputs)``; None without its input;
    * ``"prediction"``: probabilities, the mean of those of the branches there are;
    * ``"distillation"``: Eq. 4; zero in stage 1, without both inputs, or without distillation.

    Train in two stages: in stage 1 each branch stands alone, with its classification tokens only
    (the two may share a step, nothing passes between them); in stage 2 distillation tokens, their
    loss and fusion come in. What a stage does not use has no gradient (None), which optimisers
    leave as it is. :meth:`loss` is what is minimised in both.

    Parameters
    ----------
    n_outputs : int, default=20
        Labels: muscle groups.
    n_landmarks, n_coords : int, default=17 and 3
        Trailing shape of the skeleton's trials.
    skeleton : str or Skeleton, optional
        Skeleton of the trials; None guesses from the number of landmarks.
    size : {"s", "tiny"}, default="s"
        Preset of the seven sizes below: the paper's, or one that trains on a CPU.
    widths, depths : tuple of int, optional
        Stages of the RGB network.
    n_frames, image_size : int, optional
        Clips of the RGB network.
    pose_widths, pose_units : tuple of int, optional
        Stages of the skeleton network.
    pose_frames : int, optional
        Frames the skeleton network works on.
    n_levels : int, default=1
        Edges of the skeleton's hierarchy.
    n_tokens : int, optional
        Classification tokens; None is one a label (MCT).
    n_distill_tokens : int, optional
        Distillation tokens; None is as many as classification tokens (MCTKD). One (KD) is shown to
        the fusion `n_tokens` times.
    fusion : {"mctf", "sum", "multiplication", "self_attention", "cross_attention"}, default="mctf"
        How both kinds of tokens become one.
    fusion_params : dict, optional
        What the fusion takes besides, such as ``{"official_layout": True}``.
    distillation : {"sparse", "every", "final"} or None, default="sparse"
        After which blocks the RGB network's tokens learn; None leaves the loss out.
    distillation_axis : {"channels", "tokens"}, default="channels"
        See :func:`skrehab.networks.two_stream.distillation.token_divergence`.
    temperature : float, default=1.0
        See there.
    distillation_weight : float, default=1.0
        Weight of the distillation in the loss. A divergence is the mean over tokens; `n_tokens`
        here adds it up over them, as torch's ``reduction="batchmean"`` does.
    merge_distill : bool, default=True
        See :class:`skrehab.networks.two_stream.hdgcn_tokens.HDGCNTokens`.
    loss_function : {"sigmoid_bce", "softmax_bce"}, default="sigmoid_bce"
        Binary cross-entropy of sigmoids, or, as printed (Eq. 1), of a softmax over the labels,
        whose sum cannot exceed one however many labels hold.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the video.
    motion : {"difference", "flow"}, optional
        What the RGB network looks at instead of the frames: what moved between each and the next.
    drop_path : float, default=0.2
        Of the RGB network.
    dropout : float, default=0.5
        Before both classifiers.

    Attributes
    ----------
    clip : ClipRecipe
        What the RGB network wants to be shown.
    rgb : MViTTokens
        The RGB network; ``network.rgb.load_torchvision(state)`` for published weights.
    pose : HDGCNTokens
        The skeleton network.

    Notes
    -----
    56,388,764 parameters at full size; the paper says 55.4 million. 55,337,656 are its own parts:
    the RGB network with 40 tokens 34,233,888, its classifier 15,380, MCTF twice 20,253,696, HD-GCN
    without classifier 834,692. The other 1,051,108 are maps whose sizes the paper does not give:
    P_m, P_s and what widens tokens in the skeleton network 577,296, its tokens 2,560, their way to
    the width of MCTF 197,376, the classifier there 15,380, distillation 258,496.

    References
    ----------
    Peng et al. 2024, ACM MM, section 4, Eq. 1-11.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.transm3e import TransM3E
    >>> network = TransM3E(4, size="tiny")
    >>> clips, trials = torch.randn(2, 3, 8, 64, 64), torch.randn(2, 50, 17, 3)
    >>> out = network(clips, trials, torch.tensor([50, 31]))
    >>> out["prediction"].shape, out["distillation"].item() > 0
    (torch.Size([2, 4]), True)
    >>> network(clips, stage=1)["pose"] is None
    True
    """

    def __init__(
        self,
        n_outputs=20,
        *,
        n_landmarks=17,
        n_coords=3,
        skeleton=None,
        size="s",
        widths=None,
        depths=None,
        n_frames=None,
        image_size=None,
        pose_widths=None,
        pose_units=None,
        pose_frames=None,
        n_levels=1,
        n_tokens=None,
        n_distill_tokens=None,
        fusion="mctf",
        fusion_params=None,
        distillation="sparse",
        distillation_axis="channels",
        temperature=1.0,
        distillation_weight=1.0,
        merge_distill=True,
        loss_function="sigmoid_bce",
        stride=None,
        motion=None,
        drop_path=0.2,
        dropout=0.5,
    ):
        super().__init__()
        if size not in SIZES:
            raise ValueError(f"size must be one of {list(SIZES)}, got {size!r}.")
        if loss_function not in _PREDICTIONS:
            raise ValueError(
                f"loss_function must be one of {list(_PREDICTIONS)}, got {loss_function!r}."
            )
        preset = SIZES[size]
        n_tokens = n_outputs if n_tokens is None else n_tokens
        n_distill_tokens = n_tokens if n_distill_tokens is None else n_distill_tokens
        if n_tokens < 1:
            raise ValueError(f"n_tokens must be at least 1, got {n_tokens}.")
        if n_distill_tokens not in (1, n_tokens):
            raise ValueError(
                f"n_distill_tokens must be 1 or n_tokens ({n_tokens}), got {n_distill_tokens}."
            )
        self.n_tokens = n_tokens
        self.loss_function, self.distillation_weight = loss_function, distillation_weight
        tokens = {"n_tokens": n_tokens, "n_distill_tokens": n_distill_tokens}
        self.rgb = MViTTokens(
            None,
            **tokens,
            widths=widths or preset["widths"],
            depths=depths or preset["depths"],
            n_frames=n_frames or preset["n_frames"],
            image_size=image_size or preset["image_size"],
            stride=stride,
            motion=motion,
            drop_path=drop_path,
        )
        self.pose = HDGCNTokens(
            n_landmarks,
            n_coords,
            None,
            **tokens,
            merge_distill=merge_distill,
            skeleton=skeleton,
            n_frames=pose_frames or preset["pose_frames"],
            n_levels=n_levels,
            widths=pose_widths or preset["pose_widths"],
            n_units=pose_units or preset["pose_units"],
        )
        self.clip = self.rgb.clip
        width, pose_width = self.rgb.block_widths[-1], self.pose.block_widths[-1]
        self.pose_widen = nn.Linear(pose_width, width) if pose_width != width else nn.Identity()
        self.distillation = None
        if distillation is not None:
            widths = self.rgb.block_widths, self.pose.block_widths
            pairs = distillation_pairs(
                distillation, *map(len, widths), self.rgb.reductions, self.pose.stage_ends
            )
            self.distillation = TokenDistillation(
                *widths, pairs, axis=distillation_axis, temperature=temperature
            )
        params = fusion_params or {}
        self.rgb_fusion = build_fusion(fusion, n_tokens, width, **params)
        self.pose_fusion = build_fusion(fusion, n_tokens, width, **params)
        self.dropout = nn.Dropout(dropout)
        self.rgb_head = nn.Linear(width, n_outputs)
        self.pose_head = nn.Linear(width, n_outputs)

    def _logits(self, trace, widen, fusion, head):
        tokens = widen(trace.classification)  # (batch, n_tokens, 768)
        if trace.distillation is not None:
            tokens = fusion(widen(trace.distillation).expand(-1, self.n_tokens, -1), tokens)
        return head(self.dropout(tokens.mean(dim=1)))

    def forward(self, rgb=None, pose=None, lengths=None, *, stage=2):
        if stage not in (1, 2):
            raise ValueError(f"stage must be 1 or 2, got {stage!r}.")
        if rgb is None and pose is None:
            raise ValueError("Give RGB clips, skeleton trials, or both; got neither.")
        together = stage == 2
        out = {"rgb": None, "pose": None}
        seen = self.rgb_head.weight.new_zeros(())
        if rgb is not None:
            clips = self.rgb.tokens(rgb, distill=together)
            out["rgb"] = self._logits(clips, nn.Identity(), self.rgb_fusion, self.rgb_head)
        if pose is not None:
            trials = self.pose.tokens(pose, lengths, distill=together)
            out["pose"] = self._logits(trials, self.pose_widen, self.pose_fusion, self.pose_head)
        predict = _PREDICTIONS[self.loss_function]
        there = [predict(out[key]) for key in ("rgb", "pose") if out[key] is not None]
        out["prediction"] = torch.stack(there).mean(dim=0)
        if together and len(there) == 2 and self.distillation is not None:
            received, sent = ([step[1] for step in trace.steps] for trace in (clips, trials))
            seen = self.distillation(received, sent)
        out["distillation"] = seen
        return out

    def loss(self, out, y):
        """Compute what training minimises.

        Parameters
        ----------
        out : dict
            What the network returned.
        y : torch.Tensor of shape (batch, n_outputs)
            Labels, 0 or 1.

        Returns
        -------
        torch.Tensor of shape ()
            Binary cross-entropy of each branch, summed over branches, and the distillation.
        """
        total = self.distillation_weight * out["distillation"]
        for logits in (out["rgb"], out["pose"]):
            if logits is None:
                continue
            truth = y.to(logits.dtype)
            if self.loss_function == "sigmoid_bce":
                total = total + F.binary_cross_entropy_with_logits(logits, truth)
            else:
                total = total + F.binary_cross_entropy(logits.softmax(dim=-1), truth)
        return total
