"""Torchvision's video networks with a classifier of one's own.

Layers, their names and their initial weights are torchvision's, so that its published weights load
as they are; a narrower or shorter variant is made of the same blocks.

D. Tran, H. Wang, L. Torresani, J. Ray, Y. LeCun, M. Paluri, "A Closer Look at Spatiotemporal
Convolutions for Action Recognition", CVPR 2018.
H. Fan et al., "Multiscale Vision Transformers", ICCV 2021; Y. Li et al., "MViTv2", CVPR 2022.
Z. Liu et al., "Video Swin Transformer", CVPR 2022.
"""

from torch import nn

from skrehab.networks._torchvision import video_models
from skrehab.networks.rgb._clip_recipe import IMAGENET, KINETICS_RESNET
from skrehab.networks.rgb._rgb import ClipNetwork

__all__ = ["R3D", "MViT", "R2Plus1D", "VideoSwin"]


# --- residual networks ----------------------------------------------------------------------------
class R3D(ClipNetwork):
    """Classify clips by a residual network of 3 x 3 x 3 convolutions.

    Clips of any length and size fit.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    widths : tuple of four int, default=(64, 128, 256, 512)
        Channels of the stages.
    n_blocks : tuple of four int, default=(2, 2, 2, 2)
        Blocks of the stages.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the video. The published weights saw
        15 frames a second.

    References
    ----------
    Tran et al. 2018, CVPR. Weights: torchvision's ``R3D_18_Weights``.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.torchvision_video import R3D
    >>> network = R3D(4, widths=(4, 4, 8, 8), n_blocks=(1, 1, 1, 1))
    >>> network(torch.randn(2, 3, 8, 32, 32)).shape
    torch.Size([2, 4])
    """

    head_prefix = "fc."
    adopted = True
    statistics = KINETICS_RESNET
    _convolution = "Conv3DSimple"  # a class of torchvision.models.video.resnet

    def __init__(
        self,
        n_outputs,
        *,
        widths=(64, 128, 256, 512),
        n_blocks=(2, 2, 2, 2),
        image_size=112,
        **shared,
    ):
        super().__init__(image_size=image_size, **shared)
        resnet = video_models().resnet
        official = (64, 128, 256, 512)

        class Narrow(resnet.VideoResNet):
            """Torchvision's network, each of its four widths replaced by one of ours."""

            def _make_layer(self, block, conv_builder, planes, blocks, stride=1):
                if planes == official[0]:
                    self.inplanes = widths[0]
                planes = widths[official.index(planes)]
                return super()._make_layer(block, conv_builder, planes, blocks, stride)

        network = Narrow(
            resnet.BasicBlock,
            [getattr(resnet, self._convolution)] * 4,
            n_blocks,
            lambda: self._stem(widths[0]),
        )
        network.fc = nn.Linear(widths[-1], n_outputs)
        nn.init.normal_(network.fc.weight, std=0.01)
        nn.init.zeros_(network.fc.bias)
        self.adopt(network)

    def _resize(self, image_size):
        return round(image_size * 128 / 112), round(image_size * 171 / 112)

    def _stem(self, width):
        return nn.Sequential(
            nn.Conv3d(3, width, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(),
        )

    def _features(self, x):
        x = self.stem(x)  # (batch, 64, frames, 56, 56)
        # each but the first halves time and space: (batch, 512, frames / 8, 7, 7)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.avgpool(x).flatten(1)


class R2Plus1D(R3D):
    """Classify clips by a residual network whose convolutions see space first, then time.

    Clips of any length and size fit. Parameters are those of :class:`R3D`.

    References
    ----------
    Tran et al. 2018, CVPR. Weights: torchvision's ``R2Plus1D_18_Weights``.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.torchvision_video import R2Plus1D
    >>> network = R2Plus1D(4, widths=(4, 4, 8, 8), n_blocks=(1, 1, 1, 1))
    >>> network(torch.randn(2, 3, 8, 32, 32)).shape
    torch.Size([2, 4])
    """

    _convolution = "Conv2Plus1D"

    def _stem(self, width):
        between = width * 45 // 64  # 45 channels officially
        return nn.Sequential(
            nn.Conv3d(3, between, (1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False),
            nn.BatchNorm3d(between),
            nn.ReLU(),
            nn.Conv3d(between, width, (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(),
        )


# --- transformers ---------------------------------------------------------------------------------
def _stages(size, widths, depths):
    """Yield the settings of each MViT block: a stage doubles the heads and halves the picture."""
    for stage, (width, depth) in enumerate(zip(widths, depths)):
        for block in range(depth):
            enters, leaves = stage > 0 and block == 0, block == depth - 1
            inputs = outputs = width
            if size == "v2_s" and enters:  # wider in the attention of a stage's first block
                inputs = widths[stage - 1]
            if size == "v1_b" and leaves:  # wider in the dense layers of a stage's last block
                outputs = widths[min(stage + 1, len(widths) - 1)]
            pools = enters or size == "v2_s"
            shrink = 2 ** (len(widths) - 1 - stage)  # keys and values always see the last picture
            yield {
                "num_heads": 2**stage,
                "input_channels": inputs,
                "output_channels": outputs,
                "kernel_q": [3, 3, 3] if pools else [],
                "kernel_kv": [3, 3, 3],
                "stride_q": [1, 2, 2] if enters else [1, 1, 1] if pools else [],
                "stride_kv": [1, shrink, shrink],
            }


class MViT(ClipNetwork):
    """Classify clips by a multiscale vision transformer.

    Its tables of positions are made for clips of one shape.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    size : {"v2_s", "v1_b"}, default="v2_s"
        MViTv2-S or MViTv1-B.
    widths : tuple of int, default=(96, 192, 384, 768)
        Channels of the stages.
    depths : tuple of int, default=(1, 2, 11, 2)
        Blocks of the stages.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the video. The published weights saw
        7.5 frames a second.
    drop_path : float, default=0.2
        Share of the last block's residual branches dropped, less in earlier ones.

    References
    ----------
    Fan et al. 2021, ICCV; Li et al. 2022, CVPR. Weights: torchvision's ``MViT_V2_S_Weights`` and
    ``MViT_V1_B_Weights``.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.torchvision_video import MViT
    >>> network = MViT(4, widths=(4, 8), depths=(1, 1), image_size=32)
    >>> network(torch.randn(2, 3, 16, 32, 32)).shape
    torch.Size([2, 4])
    """

    head_prefix = "head.1."
    adopted = True
    exact = True

    def __init__(
        self,
        n_outputs,
        *,
        size="v2_s",
        widths=(96, 192, 384, 768),
        depths=(1, 2, 11, 2),
        drop_path=0.2,
        dropout=0.5,
        **shared,
    ):
        if size not in ("v2_s", "v1_b"):
            raise ValueError(f"size must be 'v2_s' or 'v1_b', got {size!r}.")
        super().__init__(dropout=dropout, **shared)
        mvit = video_models().mvit
        second = size == "v2_s"
        self.adopt(
            mvit.MViT(
                spatial_size=self.clip.shape[2:],
                temporal_size=self.clip.n_frames,
                block_setting=[mvit.MSBlockConfig(**s) for s in _stages(size, widths, depths)],
                residual_pool=second,
                residual_with_cls_embed=False,
                rel_pos_embed=second,
                proj_after_attn=second,
                dropout=dropout,
                stochastic_depth_prob=drop_path,
                num_classes=n_outputs,
            )
        )

    def _features(self, x):
        x = self.conv_proj(x).flatten(2).transpose(1, 2)  # (batch, 8 * 56 * 56, 96)
        x = self.pos_encoding(x)  # and a class token in front
        thw = (self.pos_encoding.temporal_size, *self.pos_encoding.spatial_size)
        for block in self.blocks:
            x, thw = block(x, thw)
        return self.norm(x)[:, 0]


# channels, blocks of the stages, heads of the stages
_SWIN = {
    "t": (96, (2, 2, 6, 2), (3, 6, 12, 24)),
    "s": (96, (2, 2, 18, 2), (3, 6, 12, 24)),
    "b": (128, (2, 2, 18, 2), (4, 8, 16, 32)),
}


class VideoSwin(ClipNetwork):
    """Classify clips by a transformer whose attention stays inside shifted windows.

    Clips of any length and size fit.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    size : {"t", "s", "b"}, default="t"
        Tiny, small or base.
    width : int, optional
        Channels of the first stage, doubled in each further one; None is the size's own.
    depths : tuple of int, optional
        Blocks of the stages.
    n_heads : tuple of int, optional
        Heads of the stages.
    window : tuple of three int, default=(8, 7, 7)
        Patches in a window: time, height, width.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the video. The published weights saw
        15 frames a second.
    drop_path : float, default=0.1
        Share of the last block's residual branches dropped, less in earlier ones.

    References
    ----------
    Liu et al. 2022, CVPR. Weights: torchvision's ``Swin3D_T_Weights``, ``_S_`` and ``_B_``.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.torchvision_video import VideoSwin
    >>> network = VideoSwin(4, width=8, depths=(1, 1), n_heads=(1, 2))
    >>> network(torch.randn(2, 3, 16, 32, 32)).shape
    torch.Size([2, 4])
    """

    head_prefix = "head."
    adopted = True
    statistics = IMAGENET

    def __init__(
        self,
        n_outputs,
        *,
        size="t",
        width=None,
        depths=None,
        n_heads=None,
        window=(8, 7, 7),
        drop_path=0.1,
        n_frames=32,
        **shared,
    ):
        if size not in _SWIN:
            raise ValueError(f"size must be one of {sorted(_SWIN)}, got {size!r}.")
        super().__init__(n_frames=n_frames, **shared)
        own = _SWIN[size]
        self.adopt(
            video_models().swin_transformer.SwinTransformer3d(
                patch_size=[2, 4, 4],
                embed_dim=width or own[0],
                depths=list(depths or own[1]),
                num_heads=list(n_heads or own[2]),
                window_size=list(window),
                stochastic_depth_prob=drop_path,
                num_classes=n_outputs,
            )
        )

    def _features(self, x):
        x = self.pos_drop(self.patch_embed(x))  # (batch, frames / 2, 56, 56, 96)
        x = self.norm(self._modules["features"](x))  # (batch, frames / 2, 7, 7, 768)
        return x.mean(dim=(1, 2, 3))
