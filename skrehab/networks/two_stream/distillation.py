"""One network's tokens learn from another's: MCTKD.

K. Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024,
section 4.3, Eq. 4.
"""

import torch.nn.functional as F
from torch import nn

__all__ = ["PLACEMENTS", "TokenDistillation", "distillation_pairs", "token_divergence"]

PLACEMENTS = ("final", "every", "sparse")
_AXES = {"channels": -1, "tokens": -2}


def token_divergence(receiver, sender, *, axis="channels", temperature=1.0):
    """Measure how far the receiver's tokens are from the sender's; only the receiver learns.

    Parameters
    ----------
    receiver, sender : torch.Tensor of shape (batch, n_tokens, width)
        Tokens. No gradient goes to the sender.
    axis : {"channels", "tokens"}, default="channels"
        What the softmax makes a distribution of: the channels of each token, as in the paper, or
        the tokens in each channel, as in the released code of 2023.
    temperature : float, default=1.0
        Both are divided by it, the result is multiplied by its square. (The paper has none, the
        released code 10.)

    Returns
    -------
    torch.Tensor of shape ()
        KL(sender || receiver), mean over trials and tokens (or trials and channels).

    Raises
    ------
    ValueError
        If the axis is neither, or the shapes differ.

    References
    ----------
    Peng et al. 2024, ACM MM, Eq. 4; Hinton, Vinyals, Dean 2015 for the temperature.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.distillation import token_divergence
    >>> tokens = torch.randn(2, 5, 8)
    >>> token_divergence(tokens, tokens).item() < 1e-6
    True
    """
    if axis not in _AXES:
        raise ValueError(f"axis must be one of {list(_AXES)}, got {axis!r}.")
    if receiver.shape != sender.shape:
        raise ValueError(
            f"Receiver and sender must be of one shape, got {tuple(receiver.shape)} and "
            f"{tuple(sender.shape)}."
        )
    dim = _AXES[axis]
    goal = F.log_softmax(sender.detach() / temperature, dim)
    learned = F.log_softmax(receiver / temperature, dim)
    divergence = F.kl_div(learned, goal, reduction="none", log_target=True).sum(dim)
    return divergence.mean() * temperature**2


def distillation_pairs(placement, n_receivers, n_senders, reductions, stage_ends):
    """Choose which block learns from which.

    Parameters
    ----------
    placement : {"final", "every", "sparse"}
        The last block only (FL); each block of the receiver (DE); those after which the receiver
        has fewer patches (SP).
    n_receivers, n_senders : int
        Blocks of the two networks.
    reductions : tuple of int
        Blocks of the receiver that reduce it.
    stage_ends : tuple of int
        Last blocks of the sender's stages.

    Returns
    -------
    tuple of pairs of int
        Block of the receiver, block of the sender; where numbers differ they are spread evenly, the
        last ones together.

    Raises
    ------
    ValueError
        If there is no such placement, or the receiver has no reduction.

    References
    ----------
    Peng et al. 2024, ACM MM, section 5.3 and table 4.

    Examples
    --------
    >>> from skrehab.networks.two_stream.distillation import distillation_pairs
    >>> distillation_pairs("sparse", 16, 10, (1, 3, 14), (3, 6, 9))
    ((1, 3), (3, 6), (14, 9))
    >>> distillation_pairs("final", 16, 10, (1, 3, 14), (3, 6, 9))
    ((15, 9),)
    """
    if placement == "final":
        return ((n_receivers - 1, n_senders - 1),)
    if placement == "every":
        blocks, partners = tuple(range(n_receivers)), tuple(range(n_senders))
    elif placement == "sparse":
        blocks, partners = reductions, stage_ends
        if not blocks:
            raise ValueError(
                "The receiver never reduces its patches: give it two stages or more, or choose "
                "another placement than 'sparse'."
            )
    else:
        raise ValueError(f"placement must be one of {PLACEMENTS}, got {placement!r}.")
    last, steps = len(partners) - 1, max(1, len(blocks) - 1)
    if len(blocks) == 1:
        return ((blocks[0], partners[-1]),)
    return tuple((block, partners[round(i * last / steps)]) for i, block in enumerate(blocks))


class TokenDistillation(nn.Module):
    """Distillation between the tokens of two networks of different widths (MCTKD).

    The receiver's tokens are projected to the sender's width where these differ. Projecting the
    sender's instead lets training flatten what is to be learnt: on tokens of 32 and 48 channels
    2,000 steps left 4 % of the goal's spread over trials, and a receiver that tells a quarter of
    what it told before.

    Parameters
    ----------
    receiver_widths, sender_widths : sequence of int
        Channels of the tokens after each block of the two networks.
    pairs : sequence of pairs of int
        Which block learns from which; see :func:`distillation_pairs`.
    axis : {"channels", "tokens"}, default="channels"
        See :func:`token_divergence`.
    temperature : float, default=1.0
        See there.

    References
    ----------
    Peng et al. 2024, ACM MM, Eq. 4.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.distillation import TokenDistillation
    >>> distillation = TokenDistillation([8, 16], [4], [(1, 0)])
    >>> receivers = [torch.randn(2, 5, 8), torch.randn(2, 5, 16)]
    >>> distillation(receivers, [torch.randn(2, 5, 4)]).shape
    torch.Size([])
    """

    def __init__(self, receiver_widths, sender_widths, pairs, *, axis="channels", temperature=1.0):
        super().__init__()
        self.pairs = tuple(pairs)
        self.axis, self.temperature = axis, temperature
        self.projections = nn.ModuleList()
        for block, partner in self.pairs:
            width, wanted = receiver_widths[block], sender_widths[partner]
            same = width == wanted
            self.projections.append(nn.Identity() if same else nn.Linear(width, wanted))

    def forward(self, receivers, senders):
        # lists, one entry a block: (batch, n_tokens, width of the block)
        total = 0.0
        for project, (block, partner) in zip(self.projections, self.pairs):
            learned = project(receivers[block])
            total = total + token_divergence(
                learned, senders[partner], axis=self.axis, temperature=self.temperature
            )
        return total / len(self.pairs)
