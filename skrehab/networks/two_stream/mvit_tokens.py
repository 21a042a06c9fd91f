"""MViTv2 with several classification tokens, and with tokens that receive from another network.

Y. Li et al., "MViTv2: Improved Multiscale Vision Transformers for Classification and Detection",
CVPR 2022. K. Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM
MM 2024, section 4.2.

Layers have torchvision's names; with one token both compute the same.
"""

import torch
from torch import nn

from skrehab.networks.rgb._rgb import ClipNetwork
from skrehab.networks.two_stream._mvit_blocks import Block, norm
from skrehab.networks.two_stream._tokens import TokenTrace, learned_tokens
from skrehab.networks.weights import load_weights

__all__ = ["MViTTokens"]


class Tokens(nn.Module):
    """The tokens that go in front of the patches."""

    def __init__(self, width, n_tokens, n_distill_tokens):
        super().__init__()
        self.class_token = learned_tokens(n_tokens, width)
        self.distill_token = learned_tokens(n_distill_tokens, width) if n_distill_tokens else None

    def forward(self, x, distill):
        first = [self.distill_token] if distill else []
        tokens = torch.cat([*first, self.class_token]).expand(len(x), -1, -1)
        return torch.cat([tokens, x], dim=1)


class MViTTokens(ClipNetwork):
    """Classify clips by the mean of several tokens of a multiscale vision transformer.

    Its tables of positions are made for clips of one shape. The last block's patches are read by
    nobody, so that what only they depend on (its ``rel_pos_*`` and the convolution of its queries)
    has a gradient of zero, as in every network of this family.

    Parameters
    ----------
    n_outputs : int or None
        Number of logits; None leaves the classifier out.
    n_tokens : int, default=20
        Classification tokens. (One is MViTv2 itself.)
    n_distill_tokens : int, default=0
        Further tokens, which receive from another network; see :meth:`tokens`.
    widths : tuple of int, default=(96, 192, 384, 768)
        Channels of the stages; the first has one head, each further one twice as many.
    depths : tuple of int, default=(1, 2, 11, 2)
        Blocks of the stages. Each stage but the first halves the picture's sides.
    n_frames : int, default=16
        Frames of a clip, an even number.
    image_size : int, default=224
        Side of the pictures in pixels, a multiple of 4 for one stage, 8 for two, ...
    drop_path : float, default=0.2
        Share of the last block's residual branches dropped, less in earlier ones.

    Attributes
    ----------
    reductions : tuple of int
        Blocks that make the picture smaller, counted from 0: (1, 3, 14) at full size.
    block_widths : tuple of int
        Channels of the tokens after each block.

    Notes
    -----
    34,230,144 parameters with one token and without the classifier, the figure given for this
    stream; 96 for each further token.

    References
    ----------
    Li et al. 2022, CVPR. Peng et al. 2024, ACM MM, section 4.2 and Eq. 1. Weights: torchvision's
    ``MViT_V2_S_Weights``, see :meth:`load_torchvision`.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.mvit_tokens import MViTTokens
    >>> network = MViTTokens(4, n_tokens=3, widths=(4, 8), depths=(1, 1), image_size=32)
    >>> network(torch.randn(2, 3, 16, 32, 32)).shape
    torch.Size([2, 4])
    """

    head_prefix = "head.1."
    exact = True

    def __init__(
        self,
        n_outputs,
        *,
        n_tokens=20,
        n_distill_tokens=0,
        widths=(96, 192, 384, 768),
        depths=(1, 2, 11, 2),
        drop_path=0.2,
        dropout=0.5,
        **shared,
    ):
        super().__init__(dropout=dropout, **shared)
        _, n_frames, image_size, _ = self.clip.shape
        unit = 2 ** (len(widths) + 1)
        if image_size % unit or n_frames % 2:
            raise ValueError(
                f"image_size must be a multiple of {unit} for {len(widths)} stages and n_frames an "
                f"even number, got {image_size} and {n_frames}."
            )
        if len(depths) != len(widths) or any(w % 2**i for i, w in enumerate(widths)):
            raise ValueError(
                "widths and depths must be of one length, and the stages' widths multiples of "
                f"their heads 1, 2, 4, ...; got {widths} and {depths}."
            )
        self.conv_proj = nn.Conv3d(3, widths[0], (3, 7, 7), (2, 4, 4), (1, 3, 3))
        self.pos_encoding = Tokens(widths[0], n_tokens, n_distill_tokens)
        self.blocks = nn.ModuleList()
        self.block_widths, self.reductions = (), ()
        grid, width_in = (n_frames // 2, image_size // 4, image_size // 4), widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths)):
            for k in range(depth):
                number = len(self.blocks)
                shrinks = stage > 0 and k == 0
                self.reductions += (number,) if shrinks else ()
                stride_q = 2 if shrinks else 1
                stride_kv = 2 ** (len(widths) - 1 - stage)
                rate = drop_path * number / max(1, sum(depths) - 1)
                block = Block(width_in, width, 2**stage, grid, stride_q, stride_kv, rate)
                self.blocks.append(block)
                self.block_widths += (width,)
                grid = (grid[0], grid[1] // stride_q, grid[2] // stride_q)
                width_in = width
        self.norm = norm(width_in)
        self.head = None
        if n_outputs is not None:
            self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width_in, n_outputs))
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

    def _prepare(self, x, distill):
        """Turn clips into tokens and patches, and say how the patches lie."""
        self._check(x)
        if distill and self.pos_encoding.distill_token is None:
            raise ValueError("This network was built without distillation tokens.")
        x = self.conv_proj(x)  # (batch, 96, frames / 2, 56, 56)
        grid = tuple(x.shape[2:])
        return self.pos_encoding(x.flatten(2).mT, distill), grid

    def _count(self, distill):
        received = len(self.pos_encoding.distill_token) if distill else 0
        return received, received + len(self.pos_encoding.class_token)

    def tokens(self, x, distill=False):
        """Follow the tokens from block to block.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, 3, n_frames, image_size, image_size)
            Normalised clips.
        distill : bool, default=False
            Let the distillation tokens take part.

        Returns
        -------
        TokenTrace
            Normalised tokens at the end (``classification``, ``distillation``), and ``steps``, both
            kinds as each block leaves them; ``[trace.steps[i] for i in network.reductions]`` are
            those after each token-size reduction.
        """
        x, grid = self._prepare(x, distill)
        first, last = self._count(distill)
        steps = []
        for block in self.blocks:
            x, grid = block(x, grid)
            steps.append((x[:, first:last], x[:, :first] if distill else None))
        x = self.norm(x[:, :last])
        return TokenTrace(x[:, first:], x[:, :first] if distill else None, tuple(steps))

    def attention_map(self, x, distill=False):
        """Say where the classification tokens look in the last block.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, 3, n_frames, image_size, image_size)
            Normalised clips.
        distill : bool, default=False
            Let the distillation tokens take part.

        Returns
        -------
        torch.Tensor of shape (batch, n_tokens, time, height, width)
            Attention of each token to each place, mean over heads; what it pays to other tokens is
            left out, so that a map's sum is at most one.
        """
        x, grid = self._prepare(x, distill)
        first, last = self._count(distill)
        for block in self.blocks[:-1]:
            x, grid = block(x, grid)
        weights, grid = self.blocks[-1].attn.weights(self.blocks[-1].norm1(x), grid)
        return weights[:, :, first:last, last:].mean(dim=1).unflatten(2, grid)

    def _features(self, x):
        return self.tokens(x).classification.mean(dim=1)

    def load_torchvision(self, state):
        """Load the published weights of torchvision's MViTv2.

        Its one classification token becomes all of ours, each moved a little: equal tokens would
        stay equal for ever. The classifier stays as drawn.

        Parameters
        ----------
        state : dict of str to torch.Tensor
            Its state dict, as :func:`skrehab.networks.weights.read_weights` returns it.

        Returns
        -------
        LoadReport
            What was loaded, and what was not.
        """
        own = self.pos_encoding.class_token.detach()
        key = "pos_encoding.class_token"
        state = dict(state)
        if key in state:
            moved = 0 if len(own) == 1 else own
            state[key] = state[key].to(own.device).expand_as(own) + moved
        return load_weights(self, state, head="new", head_prefix="head.")
