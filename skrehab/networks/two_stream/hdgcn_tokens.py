"""HD-GCN with classification tokens, and with tokens that tell another network what it knows.

K. Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024,
section 4.2, Eq. 2 and 3, and figure 4. J. Lee et al., HD-GCN, ICCV 2023.

The equations do not say along which axis their linear maps act. Here P_m acts on channels, one map
for nodes and tokens, and P_s on nodes, so that a token is a weighted sum over all of them. Tokens
are no nodes of the graph: a unit that widens the nodes has a linear map beside it that widens the
tokens.
"""

import torch
from torch import nn

from skrehab.networks.graph._network import to_persons
from skrehab.networks.graph.hdgcn import HDGCN
from skrehab.networks.two_stream._tokens import TokenTrace, learned_tokens

__all__ = ["HDGCNTokens"]


class TokenMixer(nn.Module):
    """After a unit of the graph network: project nodes and tokens together, tell tokens of nodes.

    References
    ----------
    Peng et al. 2024, Eq. 2 (``project``, P_m) and Eq. 3 (``merge``, P_s).
    """

    def __init__(self, width_in, width, n_nodes, n_tokens, n_distill_tokens, merge_distill):
        super().__init__()
        self.widen = nn.Linear(width_in, width) if width_in != width else nn.Identity()
        self.project = nn.Linear(width, width)
        nn.init.eye_(self.project.weight)  # at first the nodes go their way as without tokens
        nn.init.zeros_(self.project.bias)
        self.merge = nn.Linear(n_nodes, n_tokens)
        told = merge_distill and n_distill_tokens
        self.merge_distill = nn.Linear(n_nodes, n_distill_tokens) if told else None

    def forward(self, x, tokens, distilled=None):
        # x: (batch, width, frames, joints); tokens, distilled: (batch, tokens, width_in)
        grid = x.shape[2:]
        parts = [x.flatten(2).mT, self.widen(tokens)]  # (batch, frames * joints, width) first
        if distilled is not None:
            parts.append(self.widen(distilled))
        sizes = [part.shape[1] for part in parts]
        nodes, tokens, *rest = self.project(torch.cat(parts, dim=1)).split(sizes, dim=1)
        tokens = tokens + self.merge(nodes.mT).mT
        if rest and self.merge_distill is not None:
            rest = [rest[0] + self.merge_distill(nodes.mT).mT]
        return nodes.mT.unflatten(2, grid), tokens, (rest[0] if rest else None)


class HDGCNTokens(HDGCN):
    """Classify trials by the mean of several tokens beside the graph of joints.

    Parameters
    ----------
    n_outputs : int or None
        Number of logits; None leaves the classifier out.
    n_tokens : int, default=20
        Classification tokens; 0 is HD-GCN itself.
    n_distill_tokens : int, default=0
        Further tokens, for another network to learn from; see :meth:`tokens`.
    merge_distill : bool, default=True
        Tell distillation tokens of the nodes too, by a map of their own. As printed, Eq. 3 does so
        for classification tokens alone; then nothing that a trial shows ever reaches the others:
        they are the same for every trial, and there is nothing to learn from them.
    n_persons : int, default=1
        Persons in a trial, their landmarks one behind the other; their tokens are averaged.

    Attributes
    ----------
    stage_ends : tuple of int
        Last unit of each stage, counted from 0: (3, 6, 9) at full size.
    block_widths : tuple of int
        Channels of the tokens after each unit.

    Notes
    -----
    Without tokens 839,832 parameters for 17 landmarks of 3 coordinates, one edge of the hierarchy
    and 20 logits.

    References
    ----------
    Peng et al. 2024, ACM MM, Eq. 1-3; Lee et al. 2023, ICCV.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.hdgcn_tokens import HDGCNTokens
    >>> small = dict(widths=(8, 16), n_units=(1, 1), n_levels=1, n_frames=16)
    >>> network = HDGCNTokens(17, 3, 4, n_tokens=5, **small)
    >>> network(torch.zeros(2, 100, 17, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        n_tokens=20,
        n_distill_tokens=0,
        merge_distill=True,
        **shared,
    ):
        super().__init__(n_landmarks, n_coords, 1 if n_outputs is None else n_outputs, **shared)
        if n_distill_tokens and not n_tokens:
            raise ValueError("Distillation tokens need classification tokens beside them.")
        if n_outputs is None:
            self.fc = None
        self.block_widths = tuple(width for _, width, _ in self.sizes)
        starts = [number for number, (_, _, stride) in enumerate(self.sizes) if stride == 2]
        self.stage_ends = (*(number - 1 for number in starts), self.n_units - 1)
        self.class_token = self.distill_token = None
        if not n_tokens:
            return
        self.class_token = learned_tokens(n_tokens, self.widths[0])
        if n_distill_tokens:
            self.distill_token = learned_tokens(n_distill_tokens, self.widths[0])
        self.mixers = nn.ModuleList()
        width_in, n_frames = self.widths[0], self.n_frames
        for _, width, stride in self.sizes:
            n_frames = -(-n_frames // stride)  # halved frames round up
            n_nodes = n_frames * self.graph.n_landmarks
            sizes = (n_nodes, n_tokens, n_distill_tokens, merge_distill)
            self.mixers.append(TokenMixer(width_in, width, *sizes))
            width_in = width

    def tokens(self, x, lengths=None, distill=False):
        """Follow the tokens from unit to unit.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, frames, landmarks, coords)
            Zero-padded trials.
        lengths : torch.Tensor of shape (batch,), optional
            True number of frames; None means all of them.
        distill : bool, default=False
            Let the distillation tokens take part.

        Returns
        -------
        TokenTrace
            Tokens at the end (``classification``, ``distillation``), and ``steps``, both kinds
            after each unit; ``[trace.steps[i] for i in network.stage_ends]`` are those after each
            stage.
        """
        return self._follow(self.clips(x, lengths), distill)

    def _follow(self, clips, distill):
        if self.class_token is None or (distill and self.distill_token is None):
            kind = "classification" if self.class_token is None else "distillation"
            raise ValueError(f"This network was built without {kind} tokens.")
        n, m = clips.shape[0], clips.shape[4]
        x = to_persons(clips, self.data_bn)
        tokens = self.class_token.expand(n * m, -1, -1)
        distilled = self.distill_token.expand(n * m, -1, -1) if distill else None

        def per_trial(kind):
            return None if kind is None else kind.unflatten(0, (n, m)).mean(dim=1)

        steps = []
        for number, mixer in enumerate(self.mixers, start=1):
            x = self.get_submodule(f"l{number}")(x)
            x, tokens, distilled = mixer(x, tokens, distilled)
            steps.append((per_trial(tokens), per_trial(distilled)))
        return TokenTrace(*steps[-1], tuple(steps))

    def classify(self, clips):
        if self.class_token is None:
            return super().classify(clips)
        tokens = self._follow(clips, distill=False).classification
        return self.fc(self.dropout(tokens.mean(dim=1)))
