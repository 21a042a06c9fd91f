"""What parameters of networks may be: ranges, and roles that the weights must bear out.

A network's parameters are a few characters of JSON and can ask for any amount of work. A width
cannot be larger than the number of weights in the file, and there cannot be more layers than
tensors: both are known from the head of the weights before anything is built.
"""

import re

from skrehab.persistence.kinds import (
    Either,
    Flag,
    Mapping,
    Number,
    Refused,
    Series,
    Text,
    Whole,
    optional,
    pairs_of,
)

__all__ = ["LAYERS", "PARAMS", "WIDTHS", "check_network_params", "check_reach", "check_sizes"]

MOST_PIXELS = 2**26  # of a clip: frames * height * width
MOST_FRAMES = 100_000  # that dilated convolutions look back: they pad a trial by so many
# cheap enough to describe without weights that bear it out: a setting that is not in use, say
_FREE_WIDTH, _FREE_LAYERS = 4096, 8

_WIDTH = Whole(1, 2**17)
_COUNT = Whole(0, 512)
_WIDTHS = Either((_WIDTH, Series(_WIDTH, 64, 1)))
_COUNTS = Either((_COUNT, Series(_COUNT, 64, 1)))
_FRAMES = Whole(1, 10_000)
_SKELETON = Either((Text(), Mapping(Whole(1, 1000), Text())))

WIDTHS = {
    "hidden_size", "channels", "n_kernels", "widths", "width", "dense_width", "base_channels",
    "dim_feat", "dim_rep", "hidden", "d_model", "d_ff", "d_kv", "lora_rank", "pose_widths",
    "n_tokens", "n_distill_tokens", "discriminator_size", "reduced_channels", "hidden_layer_sizes",
}  # fmt: skip
LAYERS = {"n_layers", "n_blocks", "n_units", "depth", "depths", "stage_blocks", "pose_units"}

# by name: a name means the same in every network of the registry
PARAMS = {
    **{name: _WIDTHS for name in WIDTHS},
    **{name: _COUNTS for name in LAYERS},
    **{name: _COUNT for name in ("n_distill_tokens",)},
    **{name: _FRAMES for name in ("pose_frames", "seq_len", "max_frames")},
    "n_frames": Either((_FRAMES, Text(re.compile("all"), "the word all"))),
    "image_size": Whole(1, 2048),
    "stride": Whole(1, 10_000),
    "patch_size": Whole(1, 512),
    "window": Series(Whole(1, 512), 3, 3),
    "windows": Series(Whole(1, 512), 16, 1),
    "kernel_size": Whole(1, 1001),
    "n_heads": Either((Whole(1, 1024), Series(Whole(1, 1024), 64, 1))),
    "vocab_size": Whole(1, 2**20),
    **{name: Whole(1, 64) for name in ("n_gcn_scales", "n_g3d_scales", "n_levels")},
    **{name: Whole(1, 64) for name in ("alpha", "beta")},  # of SlowFast
    **{name: Whole(1, 32) for name in ("n_persons", "max_persons")},
    "com": Whole(0, 1000),
    "mlp_ratio": Number(0, 64),
    "lora_alpha": Number(0, 10_000),
    "crop_ratio": Number(0, 100),
    "temperature": Number(0, 10_000),
    "sigma": Number(0, 1000),
    **{name: Number(0, 10) for name in ("padding", "smallest")},
    **{
        name: Number(0, 1)
        for name in ("dropout", "attention_dropout", "drop_path", "top_share", "leak")
    },
    "distillation_weight": Either((Number(0, 10_000), Text())),
    **{
        name: Flag()
        for name in ("causal", "scale", "normalize", "merge_distill", "revin", "checkpointing")
    },
    **{name: Flag() for name in ("official_layout", "scrambled", "temporal_relu", "antialias")},
    **{name: _SKELETON for name in ("skeleton", "common_skeleton", "target")},
    **{
        name: Text()
        for name in (
            *("size", "pooling", "coords", "strategy", "fit_length", "pool", "reduction"),
            *("readout", "gelu", "mpose", "motion"),
        )
    },
    **{
        name: Text()
        for name in ("tuning", "fusion", "distillation", "distillation_axis", "loss_function")
    },
}  # fmt: skip
# a network that the user registered: its code is the user's own, and so is what its words mean
_PLAIN = Either((Flag(), Number(-(2**31), 2**31), Text()))
_OWN = Either((_PLAIN, Series(_PLAIN)))
_NO_PLACES = ("path", "file", "folder", "dir", "weights", "memory", "cache", "url", "checkpoint")


def check_network_params(node, place, network=None):
    """Check a dict of a network's parameters.

    Parameters
    ----------
    node : dict
        As it stands in the JSON.
    place : Place
        Where it stands.
    network : str, optional
        Name of the network, which may be one of the user's own.
    """
    own = network is not None and not _is_ours(network)
    for name, value in pairs_of(node, 64, place):
        inside = place.inside(str(name)[:40])
        if name == "fusion_params":
            if value is not None:
                check_network_params(value, inside)
            continue
        kind = PARAMS.get(name) if isinstance(name, str) else None
        if own and isinstance(name, str) and not any(word in name for word in _NO_PLACES):
            kind = _OWN
        if kind is None:
            raise Refused(f"{inside.name} is no parameter that a network is given from a file")
        optional(kind).check(value, inside)
    values = {name: value for name, value in pairs_of(node, 64, place)}
    frames, size = values.get("n_frames") or 1, values.get("image_size") or 1
    frames = values.get("max_frames") or 1 if frames == "all" else frames
    if not own and frames * size**2 > MOST_PIXELS:
        raise Refused(
            f"{place.name} asks for clips of {frames} pictures of {size} x {size} pixels, which "
            f"are more than {MOST_PIXELS} in all"
        )


def _is_ours(network):
    from skrehab.networks import get_spec

    builder = get_spec(network).builder
    return isinstance(builder, str) and builder.startswith("skrehab.")


def check_sizes(params, place, n_tensors, n_numbers):
    """Compare widths and numbers of layers with what the weights hold.

    Parameters
    ----------
    params : list of (str, node)
        Parameters of the estimator and of its network.
    place : Place
        The estimator's.
    n_tensors, n_numbers : int
        Arrays of its network in the weights, and numbers in them.
    """
    layers = 0
    for name, node in params:
        values = numbers_in(node)
        if name in WIDTHS and max(values, default=0) > max(n_numbers, _FREE_WIDTH):
            raise Refused(
                f"{place.name}.{name} is {max(values)}, and the weights hold {n_numbers} numbers"
            )
        if name in LAYERS:
            layers += sum(values)
        if name == "hidden_layer_sizes":
            layers += len(values)
    if layers > max(n_tensors, _FREE_LAYERS):
        raise Refused(
            f"{place.name} describes {layers} layers, and the weights hold {n_tensors} arrays"
        )


def check_reach(params, place):
    """Refuse dilated convolutions that look back without end: each block doubles what they see.

    Parameters
    ----------
    params : list of (str, node)
        Parameters of the estimator and of its network, and what fit has set.
    place : Place
        The estimator's.
    """
    told = dict(params)
    if "kernel_size" not in told and told.get("network") != "mil_tcn":
        return
    sizes = {"kernel_size": 5, "n_blocks": 4, "step_": 1}  # the networks' own defaults
    sizes |= {name: told[name] for name in sizes if type(told.get(name)) is int}
    reach = sizes["step_"] * (sizes["kernel_size"] - 1) * (2 ** sizes["n_blocks"] - 1)
    if reach > MOST_FRAMES:
        raise Refused(
            f"{place.name}: n_blocks of {sizes['n_blocks']} with kernel_size "
            f"{sizes['kernel_size']} look at more than {MOST_FRAMES} frames"
        )


def numbers_in(node):
    """Whole numbers of a node: one, or those of a list."""
    if type(node) is int:
        return [node]
    if isinstance(node, dict) and isinstance(content := next(iter(node.values()), None), list):
        return [one for one in content if type(one) is int]
    return []
