"""One row a network: how to build it, what it eats, where it comes from, who may use it.

Every pose network is a torch module with one signature::

    forward(x, lengths=None)   x        (batch, frames, landmarks, coords) float, zero-padded
                               lengths  (batch,) true number of frames; None means all of them
                               returns  (batch, n_outputs) logits

Padding never changes a result, and gradients reach every true frame of x. A network over clips of
RGB frames has ``forward(x)`` with x ``(batch, 3, frames, height, width)``, normalised, and says in
its attribute ``clip`` which frames and sizes it wants.
"""

import importlib
import inspect
from dataclasses import dataclass, field

__all__ = ["NetworkSpec", "build", "get_spec", "list_networks", "register"]


@dataclass(frozen=True)
class NetworkSpec:
    """What the registry knows of a network.

    Parameters
    ----------
    name : str
        Registry name.
    builder : str or type
        ``"module:Class"``, imported on first use, or the class itself.
    summary : str
        What it is, in a line.
    reference : str
        Paper.
    licence : str
        Licence of this code and, where weights are published, of the weights.
    input : {"pose", "rgb"}, default="pose"
        Kind of input.
    skeleton : str, default="any"
        Skeleton it works on; trials of another one are converted inside.
    sizes : tuple of str, default=()
        Values of its ``size`` parameter.
    head : str, default="head."
        What the names of the classifier's parameters begin with.
    ends : tuple of str, default=()
        Beginnings of other names whose sizes depend on the trials; re-initialised with
        ``head="new"`` where published weights do not fit.
    untrained : tuple of str, default=()
        Beginnings of names that are there for the published layout only and never get a gradient.
    """

    name: str
    builder: object
    summary: str
    reference: str
    licence: str
    input: str = "pose"
    skeleton: str = "any"
    sizes: tuple = field(default=())
    head: str = "head."
    ends: tuple = field(default=())
    untrained: tuple = field(default=())

    def load(self):
        """Import the network's class.

        Returns
        -------
        type
            A subclass of :class:`torch.nn.Module`.
        """
        if isinstance(self.builder, str):
            module, _, name = self.builder.partition(":")
            return getattr(importlib.import_module(module), name)
        return self.builder


_BSD = "BSD-3-Clause"
_TORCHVISION = "BSD-3-Clause, through torchvision; its weights: BSD-3-Clause"
_OURS = "BSD-3-Clause; pytorchvideo's weights: Apache-2.0"
# name, builder below skrehab.networks, summary, reference, licence, what else a NetworkSpec says
_TABLE = {
    "pose": [
        ("lstm", "sequence.recurrent:LSTM",
         "one LSTM layer, many to one; the baseline of Mesquita et al.",
         "Hochreiter & Schmidhuber 1997; Mesquita et al. 2025", _BSD, {}),
        ("gru", "sequence.recurrent:GRU", "one GRU layer, many to one", "Cho et al. 2014", _BSD,
         {}),
        ("act", "sequence.act:ActionTransformer",
         "Action Transformer: encoder over 30 pooled frames and a class token",
         "Mazzia et al. 2022, Pattern Recognition 124:108487",
         "BSD-3-Clause; official weights: GPLv3 or Apache-2.0, unclear",
         {"sizes": ("micro", "small", "base", "large"), "ends": ("proj.", "pos_embed.")}),
        ("mil_tcn", "sequence.mil_tcn:MilTCN",
         "temporal convolutions that score every frame, pooled as multiple instances; ours",
         "Wu et al. 2015; Ilse et al. 2018", _BSD, {"ends": ("proj.",)}),
        ("rocket", "sequence.rocket:Rocket",
         "random convolutions, a linear layer learns; trains in seconds; after ROCKET",
         "Dempster et al. 2020, arXiv:1910.13051", _BSD, {}),
        ("pretrained_gru", "sequence.pose_sequence:PretrainedGRU",
         "the encoder that PoseSequencePretrainer trains, with a linear classifier",
         "Nekoui & Cheng, BMVC 2021", _BSD, {}),
        ("skateformer", "sequence.skateformer:SkateFormer",
         "attention in windows of neighbouring and distant frames and joints",
         "Do & Kim, ECCV 2024", "BSD-3-Clause; official weights: research and education only",
         {"skeleton": "ntu25", "sizes": ("ntu", "ucla")}),
        ("motionbert", "sequence.motionbert:MotionBERT",
         "DSTformer: attention over joints and time in both orders, and an action head",
         "Zhu et al., ICCV 2023", "BSD-3-Clause; official weights: Apache-2.0",
         {"skeleton": "h36m17", "sizes": ("lite", "full"), "untrained": ("backbone.head.",)}),
        ("msg3d", "graph.msg3d:MSG3D",
         "multi-scale graph convolutions over space and windows of space-time",
         "Liu et al., CVPR 2020", "BSD-3-Clause; official weights: MIT; PYSKL's: Apache-2.0",
         {"head": "fc.", "ends": ("data_bn.",)}),
        ("hdgcn", "graph.hdgcn:HDGCN",
         "graph convolutions on a hierarchy of joints, with attention over its edges",
         "Lee et al., ICCV 2023", "BSD-3-Clause; official weights: MIT",
         {"head": "fc.", "ends": ("data_bn.",)}),
        ("stgcn", "graph.stgcn:STGCN", "graph convolutions over joints, convolutions over time",
         "Yan et al., AAAI 2018", "BSD-3-Clause; official weights: BSD-2-Clause",
         {"head": "fcn."}),
        ("stgcnpp", "graph.stgcnpp:STGCNPlusPlus",
         "ST-GCN with learned graph offsets and several time scales, after PYSKL",
         "Duan et al., ACM MM 2022", "BSD-3-Clause; PYSKL's weights: Apache-2.0",
         {"head": "cls_head.fc_cls."}),
        ("ctrgcn", "graph.ctrgcn:CTRGCN",
         "graph convolutions whose graph is refined channel by channel", "Chen et al., ICCV 2021",
         "BSD-3-Clause; official weights: CC BY-NC 4.0; PYSKL's: Apache-2.0", {"head": "fc."}),
        ("posec3d", "sequence.posec3d:PoseC3D", "SlowOnly ResNet-50 over heat-maps of the joints",
         "Duan et al., CVPR 2022", "BSD-3-Clause; PYSKL's weights: Apache-2.0",
         {"skeleton": "coco17", "head": "cls_head."}),
        ("hdgcn_mct", "two_stream.hdgcn_tokens:HDGCNTokens",
         "HD-GCN with one classification token a label",
         "Peng et al., ACM MM 2024; Lee et al., ICCV 2023", _BSD,
         {"head": "fc.", "ends": ("data_bn.",)}),
        ("moment", "sequence.moment:MOMENT",
         "MOMENT: T5 encoder pretrained on time series, one channel a coordinate",
         "Goswami et al., ICML 2024", "BSD-3-Clause, through transformers; official weights: MIT",
         {"sizes": ("small", "base", "large")}),
    ],
    "rgb": [
        ("r3d", "rgb.torchvision_video:R3D", "ResNet-18 with 3-D convolutions",
         "Tran et al., CVPR 2018", _TORCHVISION, {"head": "fc."}),
        ("r2plus1d", "rgb.torchvision_video:R2Plus1D",
         "ResNet-18, space and time convolved in turn", "Tran et al., CVPR 2018", _TORCHVISION,
         {"head": "fc."}),
        ("mvit", "rgb.torchvision_video:MViT", "multiscale vision transformer",
         "Li et al., CVPR 2022; Fan et al., ICCV 2021", _TORCHVISION,
         {"sizes": ("v2_s", "v1_b"), "head": "head.1."}),
        ("video_swin", "rgb.torchvision_video:VideoSwin", "attention in shifted windows",
         "Liu et al., CVPR 2022", _TORCHVISION, {"sizes": ("t", "s", "b")}),
        ("mvit_mct", "two_stream.mvit_tokens:MViTTokens",
         "MViTv2-S with one classification token a label",
         "Peng et al., ACM MM 2024; Li et al., CVPR 2022",
         "BSD-3-Clause; loads torchvision's weights: BSD-3-Clause", {"head": "head.1."}),
        ("c2d", "rgb.resnet3d:C2D", "ResNet-50 frame by frame", "Wang et al., CVPR 2018", _OURS,
         {"head": "blocks.6.proj."}),
        ("i3d", "rgb.resnet3d:I3D", "inflated ResNet-50", "Carreira & Zisserman, CVPR 2017", _OURS,
         {"head": "blocks.6.proj."}),
        ("slow", "rgb.resnet3d:Slow", "slow path of SlowFast", "Feichtenhofer et al., ICCV 2019",
         _OURS, {"head": "blocks.5.proj."}),
        ("slowfast", "rgb.resnet3d:SlowFast", "a slow path and a fast one, ResNet-50",
         "Feichtenhofer et al., ICCV 2019", _OURS, {"head": "blocks.6.proj."}),
        ("c3d", "rgb.c3d:C3D", "eight 3-D convolutions, two dense layers",
         "Tran et al., ICCV 2015", "BSD-3-Clause; weights: of whoever trained them",
         {"head": "fc8."}),
        ("videomae", "rgb.transformers_video:VideoMAE", "vision transformer on tubes of pixels",
         "Wang et al., CVPR 2023", "BSD-3-Clause, through transformers; V2's weights: MIT",
         {"sizes": ("small", "base", "large"), "head": "classifier."}),
        ("hiera", "rgb.transformers_video:Hiera", "hierarchical vision transformer, masked units",
         "Ryali et al., ICML 2023", "Apache-2.0, through hiera-transformer; weights: CC BY-NC 4.0",
         {"sizes": ("base", "base_plus", "large", "huge"), "head": "head.projection."}),
    ],
}  # fmt: skip
_ROWS = [
    NetworkSpec(name, f"skrehab.networks.{builder}", *said, kind, **more)
    for kind, rows in _TABLE.items()
    for name, builder, *said, more in rows
]
_REGISTRY = {row.name: row for row in _ROWS}


def register(spec):
    """Add a network of your own, so that it has a name and can be saved.

    Parameters
    ----------
    spec : NetworkSpec
        Its row; an existing name is replaced only by the same builder.

    Raises
    ------
    ValueError
        If the name belongs to another network.
    """
    known = _REGISTRY.get(spec.name)
    if known is not None and known.builder != spec.builder:
        raise ValueError(f"A network named {spec.name!r} is registered already: {known.builder}.")
    _REGISTRY[spec.name] = spec


def list_networks():
    """List the registered networks.

    Returns
    -------
    list of str
        Names for :func:`build` and ``VideoClassifier(network=...)``.

    Examples
    --------
    >>> from skrehab.networks import list_networks
    >>> {"act", "gru", "lstm"} <= set(list_networks())
    True
    """
    return sorted(_REGISTRY)


def get_spec(name):
    """Look a network's row up.

    Parameters
    ----------
    name : str or type
        One of :func:`list_networks`, or a class, whose attributes ``input``, ``head_prefix`` and
        ``ends`` are asked then.

    Returns
    -------
    NetworkSpec
        The row.

    Raises
    ------
    ValueError
        If there is no network of that name.
    """
    if isinstance(name, type):
        return NetworkSpec(
            name=name.__name__,
            builder=name,
            summary=(name.__doc__ or "").partition("\n")[0],
            reference="",
            licence="",
            input=getattr(name, "input", "pose"),
            head=getattr(name, "head_prefix", "head."),
            ends=tuple(getattr(name, "ends", ())),
        )
    if name not in _REGISTRY:
        raise ValueError(f"Unknown network {name!r}: known are {list_networks()}.")
    return _REGISTRY[name]


def build(name, *, n_outputs, n_landmarks=None, n_coords=None, **params):
    """Build a network for given sizes.

    Parameters
    ----------
    name : str or type
        One of :func:`list_networks`, or a class with the same signature.
    n_outputs : int
        Number of logits.
    n_landmarks, n_coords : int, optional
        Trailing shape of the trials; networks over RGB frames take none.
    **params
        The network's own parameters.

    Returns
    -------
    torch.nn.Module
        The network, with weights drawn from torch's random state.

    Raises
    ------
    ValueError
        If the name or one of the parameters is unknown.

    Examples
    --------
    >>> from skrehab.networks import build
    >>> lstm = build("lstm", n_landmarks=33, n_coords=3, n_outputs=1)
    >>> sum(p.numel() for p in lstm.parameters())
    262657
    """
    network = get_spec(name).load()
    sizes = {"n_landmarks": n_landmarks, "n_coords": n_coords, "n_outputs": n_outputs}
    sizes = {key: size for key, size in sizes.items() if size is not None}
    accepted = inspect.signature(network).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
        unknown = sorted(set(params) - set(accepted))
        if unknown:
            own = sorted(set(accepted) - {"n_landmarks", "n_coords", "n_outputs"})
            raise ValueError(f"{name!r} has no parameter {unknown}: it takes {own}.")
    return network(**sizes, **params)
