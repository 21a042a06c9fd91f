"""SkateFormer: skeletal-temporal transformer.

J. Do, M. Kim, "SkateFormer: Skeletal-Temporal Transformer for Human Action Recognition", ECCV 2024.

Written from the facts of the architecture (sizes, order of operations) and the paper; parity with
the official network is tested on golden outputs.
"""

import torch
from torch import nn

from skrehab.networks._skeleton import SkeletonNetwork
from skrehab.networks.sequence._skate_attention import WINDOW, SkateBlock
from skrehab.preprocessing.skeleton_conversion import guess_skeleton
from skrehab.skeletons import Skeleton

__all__ = ["KINECT20", "SIZES", "SkateFormer"]

KINECT20 = Skeleton(  # Kinect v1, of NW-UCLA
    name="kinect20",
    landmarks=tuple(
        "spine_base spine_mid spine_shoulder head left_shoulder left_elbow left_wrist left_hand "
        "right_shoulder right_elbow right_wrist right_hand left_hip left_knee left_ankle "
        "left_foot right_hip right_knee right_ankle right_foot".split()
    ),
    parents=(-1, 0, 1, 2, 2, 4, 5, 6, 2, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18),
    edges=(
        *((1, 0), (2, 1), (3, 2), (4, 2), (5, 4), (6, 5), (7, 6), (8, 2), (9, 8), (10, 9)),
        *((11, 10), (12, 0), (13, 12), (14, 13), (15, 14), (16, 0), (17, 16), (18, 17), (19, 18)),
    ),
    pairs=((4, 8), (5, 9), (6, 10), (7, 11), (12, 16), (13, 17), (14, 18), (15, 19)),
    limbs={
        "left_arm": (4, 5, 6, 7),
        "right_arm": (8, 9, 10, 11),
        "left_leg": (12, 13, 14, 15),
        "right_leg": (16, 17, 18, 19),
    },
    trunk=(4, 8, 12, 16),
    axes="x to the sensor's left, y up, z away from the camera",
    directions=(-1, -1, 1),
    units="metres",
)

# `parts` lists the body part by part, four joints each: hands, legs, and for NTU the trunk in its
# height and its width. A window of neighbours holds `part` joints, one of distant joints the same
# place in `spread` parts (of both persons).
SIZES = {
    "ntu": {
        "target": "ntu25",  # without joint 20, the middle of the shoulders
        "parts": (
            *(6, 7, 21, 22, 10, 11, 23, 24, 12, 13, 14, 15, 16, 17, 18, 19),
            *(4, 8, 5, 9, 1, 2, 0, 3),
        ),
        "max_persons": 2,
        "part": 8,
        "spread": 12,
        "mlp_ratio": 4,
    },
    "ucla": {
        "target": KINECT20,
        "parts": (*range(4, 20), 0, 1, 2, 3),
        "max_persons": 1,
        "part": 4,
        "spread": 5,
        "mlp_ratio": 1,
    },
}


def _as_is(n_joints):
    """The variant for a body as it is: joints in their own order, in windows that divide them.

    A window of neighbours holds the largest divisor of the number of joints up to 8, one of distant
    joints the number that goes with it: 3 and 11 of 33, 5 and 5 of 25, 1 and 17 of 17.
    """
    part = max(size for size in range(1, 9) if n_joints % size == 0)
    return {
        "target": None,
        "parts": tuple(range(n_joints)),
        "max_persons": 1,
        "part": part,
        "spread": n_joints // part,
        "mlp_ratio": 4,
    }


def _nameless(n_joints):
    """A skeleton of which only the number of joints is known."""
    return Skeleton(
        name=f"{n_joints} landmarks",
        landmarks=tuple(f"landmark_{i}" for i in range(n_joints)),
        parents=(-1,) * n_joints,
        edges=(),
        pairs=(),
        limbs={},
        trunk=(),
        axes="unknown",
        directions=(1, 1, 1),
        units="unknown",
    )


class Downsample(nn.Module):
    """Halve the frames."""

    def __init__(self, width_in, width):
        super().__init__()
        self.reduction = nn.Conv2d(width_in, width, (7, 1), stride=(2, 1), padding=(3, 0))
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x):
        x = self.bn(self.reduction(x.permute(0, 3, 1, 2)))  # (batch, T, V, c) -> (.., c, T / 2, V)
        return x.permute(0, 2, 3, 1)


class Stage(nn.Module):
    """Blocks of one width; the first of a later stage begins by halving the frames."""

    def __init__(self, width_in, width, halve, drop_paths, **block):
        super().__init__()
        self.blocks = nn.ModuleList()
        for i, rate in enumerate(drop_paths):
            parts = {"transformer": SkateBlock(width, drop_path=rate, **block)}
            if halve and i == 0:
                parts = {"downsample": Downsample(width_in, width)} | parts
            self.blocks.append(nn.ModuleDict(parts))

    def forward(self, x):
        for block in self.blocks:
            for part in block.values():
                x = part(x)
        return x


class SkateFormer(SkeletonNetwork):
    """Transformer whose windows follow the parts of the body and the rhythm of the motion.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    n_outputs : int
        Number of logits.
    skeleton : str or Skeleton, optional
        Skeleton of the trials; None guesses from the number of landmarks of one person.
    n_persons : int, default=1
        Persons in a trial, their landmarks one behind the other; a missing one is zeros.
    size : {"ntu", "ucla", "as_is"}, default="ntu"
        Variant: trials converted to 24 joints of up to two persons, or to the 20 joints of a Kinect
        v1 of one person with a slimmer MLP (the joint order of the published NW-UCLA weights is not
        known to agree); or no conversion, the landmarks of one person as they come, of a skeleton
        that need not be known, as Mesquita et al. 2025 run it. The sizes are then those of
        ``"ntu"``, and its published weights fit apart from what depends on the number of joints or
        the size of a window.
    n_frames : int, default=64
        Frames the network works on, a multiple of ``8 * 2 ** (len(widths) - 1)``; trials of any
        length are resampled to it inside.
    widths : tuple of int, default=(96, 192, 192, 192)
        Channels of each stage, multiples of `n_heads`; each stage after the first halves the
        frames.
    n_blocks : int, default=2
        Blocks in a stage.
    n_heads : int, default=32
        Heads of all attentions together, a multiple of 8.
    dropout : float, default=0.0
        Before the classifier.
    attention_dropout : float, default=0.5
        Of the attention weights.
    drop_path : float, default=0.2
        Share of trials for which the last block's branches are left out, rising from 0.

    Notes
    -----
    The official training data are metres with the first frame's mid-spine at the origin; for the
    official weights, move trials there. Initialisation: truncated normal of deviation 0.02 for
    linear layers, embedding, graph matrices and biases of attention; torch's own for convolutions.

    References
    ----------
    J. Do, M. Kim, "SkateFormer: Skeletal-Temporal Transformer for Human Action Recognition",
    ECCV 2024. On a skeleton as it is: Mesquita et al. 2025, arXiv:2506.03752.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.skateformer import SkateFormer
    >>> network = SkateFormer(33, 3, 1, n_frames=16, widths=(16, 16), n_blocks=1, n_heads=8)
    >>> network(torch.zeros(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        skeleton=None,
        n_persons=1,
        size="ntu",
        n_frames=64,
        widths=(96, 192, 192, 192),
        n_blocks=2,
        n_heads=32,
        dropout=0.0,
        attention_dropout=0.5,
        drop_path=0.2,
    ):
        if size not in (*SIZES, "as_is"):
            raise ValueError(f"size must be one of {[*sorted(SIZES), 'as_is']}, got {size!r}.")
        variant = SIZES[size] if size in SIZES else _as_is(n_landmarks)
        if size == "as_is" and skeleton is None and guess_skeleton(n_landmarks) is None:
            skeleton = _nameless(n_landmarks)
        if n_persons > variant["max_persons"]:
            raise ValueError(
                f"size={size!r} takes {variant['max_persons']} persons at most, got {n_persons}."
            )
        divisor = WINDOW * 2 ** (len(widths) - 1)
        if n_frames % divisor:
            raise ValueError(
                f"n_frames must be a multiple of {divisor} with {len(widths)} stages, "
                f"got {n_frames}."
            )
        if n_heads % 8 or any(width % n_heads for width in widths):
            raise ValueError(
                f"n_heads must be a multiple of 8, and widths multiples of n_heads; got {n_heads} "
                f"and {tuple(widths)}."
            )
        super().__init__(
            n_landmarks,
            n_coords,
            skeleton=skeleton,
            target=variant["target"],
            n_persons=n_persons,
            max_persons=variant["max_persons"],
            n_frames=n_frames,
            coords="xyz",
        )
        self.register_buffer("_parts", torch.tensor(variant["parts"]), persistent=False)
        n_joints = len(variant["parts"]) * variant["max_persons"]
        self.stem = nn.Sequential(
            *(nn.Conv2d(3, 6, 1), nn.GELU(), nn.Conv2d(6, 9, 1), nn.GELU()),
            nn.Conv2d(9, widths[0], 1),
        )
        self.joint_person_embedding = nn.Parameter(torch.empty(widths[0], n_joints))
        depth = n_blocks * len(widths)
        rates = [drop_path * i / max(1, depth - 1) for i in range(depth)]
        self.stages = nn.ModuleList(
            Stage(
                widths[max(0, i - 1)],
                width,
                halve=i > 0,
                drop_paths=rates[i * n_blocks : (i + 1) * n_blocks],
                n_joints=n_joints,
                n_heads=n_heads,
                variant=variant,
                attention_dropout=attention_dropout,
            )
            for i, width in enumerate(widths)
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], n_outputs)
        self._initialise()

    def _initialise(self):
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
            if isinstance(module, SkateBlock):
                nn.init.trunc_normal_(module.gconv, std=0.02)
        nn.init.trunc_normal_(self.joint_person_embedding, std=0.02)

    @classmethod
    def official_state(cls, state):
        """Translate the keys of a published checkpoint.

        Parameters
        ----------
        state : dict
            The checkpoint, flat or nested under ``state_dict`` or ``model``.

        Returns
        -------
        dict
            Tensors under this network's keys.
        """
        for nest in ("state_dict", "model"):
            state = state.get(nest, state)
        return {key.removeprefix("module."): value for key, value in state.items()}

    def classify(self, clips):
        return self.score(clips.index_select(3, self._parts))

    def score(self, clips, index_t=None):
        """Compute logits from clips whose joints are in the order of the parts.

        Parameters
        ----------
        clips : torch.Tensor of shape (batch, 3, frames, joints, persons)
            Clips.
        index_t : torch.Tensor of shape (batch, frames), optional
            When each frame was taken, from -1 to 1; None means evenly from the first to the last.

        Returns
        -------
        torch.Tensor of shape (batch, n_outputs)
            Logits.
        """
        x = clips.transpose(3, 4).flatten(3)  # (batch, 3, T, persons * joints), person by person
        x = self.stem(x).permute(0, 2, 3, 1)  # (batch, T, V, c)
        if index_t is None:
            index_t = torch.linspace(-1, 1, x.shape[1], dtype=x.dtype, device=x.device)[None]
        # Skate-Embedding: waves of time, their size learned for each joint of each person
        x = x + waves(index_t, x.shape[3])[:, :, None] * self.joint_person_embedding.T
        for stage in self.stages:
            x = stage(x)
        return self.head(self.dropout(x.mean(dim=(1, 2))))


def waves(index_t, width):
    """Sine and cosine of time at falling frequencies, (batch, T) -> (batch, T, width)."""
    i = torch.arange(0, width, 2, dtype=index_t.dtype, device=index_t.device)
    angle = index_t[..., None] * 10000 ** (-i / width)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(2)
