"""VideoMAE and Hiera: plain and hierarchical vision transformers over clips.

L. Wang et al., "VideoMAE V2: Scaling Video Masked Autoencoders with Dual Masking", CVPR 2023.
C. Ryali et al., "Hiera: A Hierarchical Vision Transformer without the Bells-and-Whistles", ICML
2023.

The layers are those of transformers and of hiera-transformer, under their names.
"""

import re
import warnings

import torch

from skrehab._optional import require
from skrehab.networks._torchvision import video_models
from skrehab.networks._transformers import import_transformers
from skrehab.networks.rgb._clip_recipe import IMAGENET
from skrehab.networks.rgb._rgb import ClipNetwork

__all__ = ["Hiera", "VideoMAE"]

# width, layers, heads
_VIT = {"small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16)}
# name in the checkpoints of VideoMAE and VideoMAE V2 -> name in transformers
_RENAMED = (
    (r"^patch_embed\.proj\.", "videomae.embeddings.patch_embeddings.projection."),
    (r"^blocks\.(\d+)\.norm1\.", r"videomae.encoder.layer.\1.layernorm_before."),
    (r"^blocks\.(\d+)\.norm2\.", r"videomae.encoder.layer.\1.layernorm_after."),
    (r"^blocks\.(\d+)\.attn\.proj\.", r"videomae.encoder.layer.\1.attention.output.dense."),
    (r"^blocks\.(\d+)\.mlp\.fc1\.", r"videomae.encoder.layer.\1.intermediate.dense."),
    (r"^blocks\.(\d+)\.mlp\.fc2\.", r"videomae.encoder.layer.\1.output.dense."),
    (r"^head\.", "classifier."),
    # transformers' own, before its release 5
    (r"\.attention\.attention\.q_bias$", ".attention.attention.query.bias"),
    (r"\.attention\.attention\.v_bias$", ".attention.attention.value.bias"),
)


class VideoMAE(ClipNetwork):
    """Classify clips by the vision transformer that VideoMAE and VideoMAE V2 pre-train.

    Its positions are made for clips of one shape.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    size : {"small", "base", "large"}, default="base"
        ViT-S, ViT-B or ViT-L.
    width, n_layers, n_heads : int, optional
        Instead of the size's own.
    n_frames : int, default=16
        Frames of a clip, an even number.
    patch_size : int, default=16
        Side of a patch in pixels; a patch lasts two frames.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the video. The published weights had
        4 at 30 frames a second.

    References
    ----------
    Wang et al. 2023, CVPR. Weights: OpenGVLab/VideoMAE2 and MCG-NJU/videomae-* on Hugging Face.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.transformers_video import VideoMAE
    >>> network = VideoMAE(4, width=8, n_layers=1, n_heads=1, n_frames=4, image_size=32)
    >>> network(torch.randn(2, 3, 4, 32, 32)).shape
    torch.Size([2, 4])
    """

    head_prefix = "classifier."
    adopted = True
    exact = True
    statistics = IMAGENET

    def __init__(
        self,
        n_outputs,
        *,
        size="base",
        width=None,
        n_layers=None,
        n_heads=None,
        patch_size=16,
        **shared,
    ):
        if size not in _VIT:
            raise ValueError(f"size must be one of {sorted(_VIT)}, got {size!r}.")
        super().__init__(**shared)
        transformers = import_transformers("to build VideoMAE")
        own = _VIT[size]
        width = width or own[0]
        config = transformers.VideoMAEConfig(
            image_size=self.clip.crop,
            patch_size=patch_size,
            num_frames=self.clip.n_frames,
            hidden_size=width,
            num_hidden_layers=n_layers or own[1],
            num_attention_heads=n_heads or own[2],
            intermediate_size=4 * width,
            num_labels=n_outputs,
        )
        self.adopt(transformers.VideoMAEForVideoClassification(config))

    def _resize(self, image_size):
        return image_size

    def _features(self, x):
        x = x.transpose(1, 2)  # (batch, frames, 3, 224, 224)
        x = self.videomae(x).last_hidden_state  # (batch, 8 * 14 * 14, 768)
        return self.fc_norm(x.mean(dim=1))

    @classmethod
    def official_state(cls, state):
        """Rename the arrays of VideoMAE's and VideoMAE V2's own checkpoints.

        Parameters
        ----------
        state : dict of str to torch.Tensor
            Arrays; those already named as in transformers stay as they are.

        Returns
        -------
        dict of str to torch.Tensor
            Arrays under this network's names; the joint map to queries, keys and values is cut in
            three.
        """
        renamed = {}
        for key, value in state.items():
            joint = re.match(r"^blocks\.(\d+)\.attn\.(qkv\.weight|q_bias|v_bias)$", key)
            if joint:
                name = f"videomae.encoder.layer.{joint[1]}.attention.attention."
                if joint[2] == "qkv.weight":
                    for part, weight in zip(("query", "key", "value"), value.chunk(3)):
                        renamed[f"{name}{part}.weight"] = weight
                else:
                    part = {"q": "query", "v": "value"}[joint[2][0]]
                    renamed[f"{name}{part}.bias"] = value
                continue
            for pattern, replacement in _RENAMED:
                key = re.sub(pattern, replacement, key)
            renamed[key] = value
        return renamed


# width, heads of the first stage, blocks of the stages
_HIERA = {
    "base": (96, 1, (2, 3, 16, 3)),
    "base_plus": (112, 2, (2, 3, 16, 3)),
    "large": (144, 2, (2, 6, 36, 4)),
    "huge": (256, 4, (2, 6, 36, 4)),
}


class Hiera(ClipNetwork):
    """Classify clips by Hiera, a hierarchical transformer without convolutions or windows to shift.

    Its tables of positions are made for clips of one shape.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    size : {"base", "base_plus", "large", "huge"}, default="base"
        Variant.
    width, n_heads : int, optional
        Channels and heads of the first stage, doubled in each further one; None is the size's own.
    depths : tuple of four int, optional
        Blocks of the stages.
    n_frames : int, default=16
        Frames of a clip, an even number.
    image_size : int, default=224
        Side of the pictures in pixels, a multiple of 32.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the video. The published weights had
        4 at 30 frames a second.
    drop_path : float, default=0.0
        Share of the last block's residual branches dropped, less in earlier ones.

    References
    ----------
    Ryali et al. 2023, ICML. Weights: ``hiera_base_16x224`` and larger, CC BY-NC 4.0.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.transformers_video import Hiera
    >>> network = Hiera(4, width=8, depths=(1, 1, 1, 1), n_frames=4, image_size=32)
    >>> network(torch.randn(2, 3, 4, 32, 32)).shape
    torch.Size([2, 4])
    """

    head_prefix = "head.projection."
    adopted = True
    exact = True

    def __init__(
        self,
        n_outputs,
        *,
        size="base",
        width=None,
        n_heads=None,
        depths=None,
        drop_path=0.0,
        **shared,
    ):
        if size not in _HIERA:
            raise ValueError(f"size must be one of {sorted(_HIERA)}, got {size!r}.")
        super().__init__(**shared)
        _, n_frames, *sides = self.clip.shape
        if sides[0] % 32 or n_frames % 2:
            raise ValueError(
                f"image_size must be a multiple of 32 and n_frames even, got {sides[0]} and "
                f"{n_frames}."
            )
        own = _HIERA[size]
        network = _import_hiera().Hiera(
            input_size=self.clip.shape[1:],
            embed_dim=width or own[0],
            num_heads=n_heads or own[1],
            stages=tuple(depths or own[2]),
            num_classes=n_outputs,
            q_stride=(1, 2, 2),
            mask_unit_size=(1, 8, 8),
            patch_kernel=(3, 7, 7),
            patch_stride=(2, 4, 4),
            patch_padding=(1, 3, 3),
            drop_path_rate=drop_path,
            sep_pos_embed=True,
        )
        network.head.act_func = torch.nn.Identity()  # its softmax does not pickle, and is not used
        self.adopt(network)

    def _features(self, x):
        x = self.patch_embed(x)  # (batch, 8 * 56 * 56, 96)
        # positions: (1, 8, 1, 96) + (1, 1, 56 * 56, 96) -> (1, 8 * 56 * 56, 96)
        x = x + (self.pos_embed_temporal[:, :, None] + self.pos_embed_spatial[:, None]).flatten(
            1, 2
        )
        x = self.unroll(x)  # patches that will be pooled stand together
        for block in self.blocks:
            x = block(x)
        return self.norm(x.mean(dim=1))


def _import_hiera():
    video_models()  # hiera imports timm, and timm torchvision
    with warnings.catch_warnings():  # of timm, on where hiera finds its layers
        warnings.simplefilter("ignore", FutureWarning)
        return require("hiera", "video", "to build Hiera")
