"""Networks over RGB clips: one battery for all, and parity with where their layers come from."""

import importlib.util
import pickle

import numpy as np
import pytest
import torch
from golden_check import check_layout, check_outputs, fill, golden_case, golden_input
from small_networks import count
from torch import nn

from skrehab.networks._torchvision import video_models
from skrehab.networks.rgb._clip_recipe import IMAGENET, ClipRecipe
from skrehab.networks.rgb.c3d import C3D
from skrehab.networks.rgb.resnet3d import C2D, I3D, Slow, SlowFast
from skrehab.networks.rgb.torchvision_video import R3D, MViT, R2Plus1D, VideoSwin, _stages
from skrehab.networks.rgb.transformers_video import Hiera, VideoMAE, _import_hiera

NARROW = {"widths": (4, 4, 8, 8), "n_blocks": (1, 1, 1, 1), "n_frames": 4, "image_size": 32}
SHORT = {"width": 4, "depths": (1, 1, 1, 1), "n_frames": 4, "image_size": 32}
TINY = {
    R3D: NARROW,
    R2Plus1D: NARROW,
    MViT: {"widths": (8, 16), "depths": (1, 1), "n_frames": 4, "image_size": 32},
    VideoSwin: {"width": 8, "depths": (1, 1), "n_heads": (1, 2), "window": (2, 4, 4)}
    | {"n_frames": 4, "image_size": 32},
    C2D: SHORT,
    I3D: SHORT,
    Slow: SHORT,
    SlowFast: SHORT | {"beta": 4, "n_frames": 8},
    C3D: {"widths": (4, 4, 4, 8, 8), "dense_width": 16, "image_size": 32},
    VideoMAE: {"width": 8, "n_layers": 1, "n_heads": 1, "n_frames": 4, "image_size": 32},
    Hiera: {"width": 8, "depths": (1, 1, 1, 1), "n_frames": 4, "image_size": 32},
}
PACKAGES = {
    **dict.fromkeys((R3D, R2Plus1D, MViT, VideoSwin), ("torchvision",)),
    VideoMAE: ("transformers",),
    Hiera: ("torchvision", "timm", "hiera"),
}


def needs(*packages):
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {missing}")


def every(classes):
    marked = [
        pytest.param(cls, marks=needs(*PACKAGES.get(cls, ())), id=cls.__name__) for cls in classes
    ]
    return pytest.mark.parametrize("cls", marked)


every_network = every(TINY)


def build(cls, n_outputs=3, **params):
    """Build a tiny network in evaluation mode, with weights that do not change from run to run."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return cls(n_outputs, **(TINY[cls] | params)).eval()


def clips(network, batch=2, seed=0):
    """Draw clips of the shape that the network asks for."""
    shape = (batch, *network.clip.shape)
    return torch.from_numpy(np.random.RandomState(seed).randn(*shape).astype(np.float32))


# --- battery --------------------------------------------------------------------------------------
@every_network
def test_logits_and_features(cls):
    network = build(cls)
    x = clips(network)
    copy = x.clone()
    with torch.no_grad():
        logits, features = network(x), network.features(x)
        assert logits.shape == (2, 3) and logits.dtype == torch.float32
        assert features.ndim == 2 and torch.isfinite(features).all()
        head = dict(network.named_parameters())
        prefix = network.head_prefix
        by_hand = features @ head[prefix + "weight"].T + head[prefix + "bias"]
        torch.testing.assert_close(logits, by_hand)
        torch.testing.assert_close(logits[1:], network(x[1:]), rtol=1e-4, atol=1e-5)
        assert torch.equal(network(x), logits)
    assert torch.equal(x, copy)
    assert count(network) < 100_000
    assert network.input == "rgb" and isinstance(network.clip, ClipRecipe)


@every_network
def test_a_training_step_with_a_batch_of_one(cls):
    network = build(cls).train()
    x = clips(network, batch=1).requires_grad_(True)
    network(x).square().sum().backward()
    assert (x.grad.abs().amax(dim=(1, 3, 4)) > 0).all()  # every frame
    assert not [name for name, p in network.named_parameters() if p.grad is None]


@every_network
def test_dropout(cls):
    network = build(cls, dropout=0.5)
    x = clips(network)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        assert torch.equal(network(x), network(x))
        network.train()
        for module in network.modules():  # only the dropout is left that comes before the head
            if module is not network:
                module.eval()
        assert not torch.equal(network(x), network(x))


@every_network
def test_state_dict_and_pickle(cls):
    network, x = build(cls), clips(build(cls))
    again = cls(3, **TINY[cls]).eval()
    with torch.no_grad():
        assert not torch.equal(again(x), network(x))
        again.load_state_dict(network.state_dict(), strict=True)
        assert torch.equal(again(x), network(x))
        assert torch.equal(pickle.loads(pickle.dumps(network))(x), network(x))


@every_network
def test_clips_that_do_not_fit_are_refused(cls):
    network = build(cls)
    x = clips(network)
    for wrong in (x[0], x.transpose(1, 2), x.to(torch.uint8), x[:, :2]):
        with pytest.raises(ValueError, match=f"{cls.__name__} takes normalised float clips"):
            network(wrong)
    longer = torch.cat([x, x], dim=2)
    if network.exact:
        with pytest.raises(
            ValueError, match=r"each of shape \(3, \d+, 32, 32\); got torch.float32"
        ):
            network(longer)
    else:
        assert network(longer).shape == (2, 3)


@every_network
def test_stride_is_the_recipe_s(cls):
    assert build(cls).clip.stride is None
    assert build(cls, stride=3).clip.stride == 3


# --- counts of MODEL_FACTS ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cls", "params", "expected"),
    [
        pytest.param(cls, params, expected, marks=needs(*PACKAGES.get(cls, ())))
        for cls, params, expected in [
            (R3D, {}, {400: 33_371_472, 4: 33_168_324, 20: 33_176_532}),
            (R2Plus1D, {}, {400: 31_505_325, 4: 31_302_177, 20: 31_310_385}),
            (MViT, {"size": "v1_b"}, {400: 36_610_672, 4: 36_306_148, 20: 36_318_452}),
            (MViT, {}, {400: 34_537_744, 4: 34_233_220, 20: 34_245_524}),
            (VideoSwin, {}, {400: 28_158_070, 4: 27_853_546, 20: 27_865_850}),
            (VideoSwin, {"size": "s"}, {400: 49_816_678, 20: 49_524_458}),
            (VideoSwin, {"size": "b"}, {400: 88_048_984, 20: 87_659_484}),
            (C2D, {}, {20: 23_549_012}),
            (I3D, {}, {20: 27_264_852}),
            (Slow, {}, {20: 31_675_476}),
            (SlowFast, {}, {20: 33_690_588}),
            (C3D, {}, {101: 78_409_573}),
            (VideoMAE, {}, {20: 86_242_580}),
        ]
    ],
)
def test_number_of_parameters(cls, params, expected):
    with torch.device("meta"):
        for n_outputs, n_parameters in expected.items():
            assert count(cls(n_outputs, **params)) == n_parameters


@needs("torchvision", "timm", "hiera")
def test_hiera_number_of_parameters():
    network = Hiera(20)  # its own code does not build on the meta device
    assert count(network) == 50_800_340
    assert len(network.state_dict()) == 302


@pytest.mark.parametrize("cls", [MViT, VideoSwin, VideoMAE, Hiera])
def test_unknown_sizes_are_refused(cls):
    with pytest.raises(ValueError, match=r"size must be .* got 'giant'"):
        cls(2, size="giant")


# --- torchvision ----------------------------------------------------------------------------------
@needs("torchvision")
@pytest.mark.parametrize(
    ("cls", "params", "builder", "n_keys", "weights"),
    [
        (R3D, {}, "r3d_18", 122, "R3D_18_Weights"),
        (R2Plus1D, {}, "r2plus1d_18", 224, "R2Plus1D_18_Weights"),
        (MViT, {"size": "v1_b"}, "mvit_v1_b", 313, "MViT_V1_B_Weights"),
        (MViT, {}, "mvit_v2_s", 397, "MViT_V2_S_Weights"),
        (VideoSwin, {}, "swin3d_t", 185, "Swin3D_T_Weights"),
        (VideoSwin, {"size": "s"}, "swin3d_s", 353, "Swin3D_S_Weights"),
        (VideoSwin, {"size": "b"}, "swin3d_b", 353, "Swin3D_B_Weights"),
    ],
)
def test_layout_and_recipe_are_torchvision_s(cls, params, builder, n_keys, weights):
    with torch.device("meta"):
        official, network = getattr(video_models(), builder)(), cls(400, **params)
    state = official.state_dict()
    assert len(state) == n_keys
    network.load_state_dict(state, strict=True, assign=True)
    for name, child in official.named_children():
        if cls is MViT or cls is VideoSwin:  # strides and drop paths too
            assert repr(network._modules[name]) == repr(child)
    recipe = getattr(video_models(), weights).KINETICS400_V1.transforms()
    resize = network.clip.resize
    assert recipe.resize_size == ([resize] if isinstance(resize, int) else list(resize))
    assert recipe.crop_size == [network.clip.crop] * 2
    assert (recipe.mean, recipe.std) == (list(network.clip.mean), list(network.clip.std))


def torchvision_twin(cls):
    """Build torchvision's own network of the size of a tiny one of ours, or the smallest it has."""
    video, tiny = video_models(), TINY[cls]
    if cls is MViT:
        blocks = [
            video.mvit.MSBlockConfig(**s) for s in _stages("v2_s", tiny["widths"], tiny["depths"])
        ]
        flags = dict.fromkeys(("residual_pool", "rel_pos_embed", "proj_after_attn"), True)
        return video.mvit.MViT(
            (32, 32), 4, blocks, residual_with_cls_embed=False, num_classes=3, **flags
        )
    return video.swin_transformer.SwinTransformer3d(
        [2, 4, 4], 8, [1, 1], [1, 2], [2, 4, 4], num_classes=3
    )


@every([MViT, VideoSwin])
def test_tiny_transformers_equal_torchvision_s(cls):
    network, official = build(cls), torchvision_twin(cls).eval()
    official.load_state_dict(network.state_dict(), strict=True)
    x = clips(network)
    with torch.no_grad():
        torch.testing.assert_close(network(x), official(x))


@needs("torchvision")
@pytest.mark.parametrize("cls, builder", [(R3D, "r3d_18"), (R2Plus1D, "r2plus1d_18")])
def test_residual_networks_equal_torchvision_s(cls, builder):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        official = getattr(video_models(), builder)(num_classes=4).eval()
    with torch.device("meta"):
        network = cls(4).eval()
    network.load_state_dict(official.state_dict(), strict=True, assign=True)
    x = golden_input(0, (1, 3, 4, 32, 32))
    with torch.no_grad():
        torch.testing.assert_close(network(x), official(x))


@needs("torchvision")
def test_residual_networks_start_like_torchvision_s():
    network = build(R3D, widths=(16, 16, 32, 64))
    assert 0.008 < network.fc.weight.std() < 0.012 and (network.fc.bias == 0).all()
    weight = network.layer4[0].conv1[0].weight
    assert weight.std().item() == pytest.approx((2 / (64 * 27)) ** 0.5, rel=0.05)


# --- the ResNet-50 family -------------------------------------------------------------------------
@pytest.mark.parametrize(
    "case", golden_case("resnet3d_pytorchvideo")["cases"], ids=lambda c: c["name"]
)
def test_resnet3d_equals_pytorchvideo(case):
    cls = {cls.__name__: cls for cls in (C2D, I3D, Slow, SlowFast)}[case["name"]]
    network = cls(4, width=case["width"])
    check_layout(network, case)
    fill(network)
    with torch.no_grad():
        check_outputs(network(golden_input(7, (2, 3, network.clip.n_frames, 64, 64))), case)
    with torch.device("meta"):
        check_layout(cls(20), case["full"])


def test_slowfast_refuses_frames_that_alpha_does_not_divide():
    with pytest.raises(ValueError, match=r"alpha must divide n_frames=30, got 4"):
        SlowFast(2, n_frames=30)
    with pytest.raises(ValueError, match=r"frames alpha=4 divides, got 6"):
        build(SlowFast)(torch.zeros(1, 3, 6, 32, 32))


def test_blocks_start_as_their_short_cut():
    network = build(Slow)
    x = torch.rand(1, 16, 4, 8, 8)
    block = network.blocks[1].res_blocks[0]
    torch.testing.assert_close(block.branch2(x[:, :4]), torch.zeros(1, 16, 4, 8, 8))


# --- C3D ------------------------------------------------------------------------------------------
def test_c3d_layers():
    with torch.device("meta"):
        network = C3D(101)
        convolutions = [p.numel() for n, p in network.named_parameters() if n.startswith("conv")]
        assert sum(convolutions) == 27_655_936
        assert network.fc6.weight.shape == (4096, 8192)
        x = torch.empty(2, *network.clip.shape)
        assert network.features(x, layer="fc6").shape == (2, 4096)
        assert network(x).shape == (2, 101)
    with pytest.raises(ValueError, match="at least 16"):
        C3D(2, n_frames=8, image_size=8)


def test_c3d_features():
    network = build(C3D)
    x = clips(network)
    with torch.no_grad():
        fc6 = network.features(x, layer="fc6")
        assert (fc6 >= 0).all() and (fc6 > 0).any()
        torch.testing.assert_close(network.features(x), network.fc7(fc6).relu())


def test_c3d_untrained_logits_are_small():
    """Its clips are in units of 1 / 255, which the first layer's weights make up for."""
    network = build(C3D, widths=(16, 16, 16, 16, 16), dense_width=64)
    x = (torch.rand(2, 3, 16, 32, 32) - 0.45) * 255
    with torch.no_grad():
        assert network(x).abs().max() < 0.1


# --- VideoMAE and Hiera ---------------------------------------------------------------------------
@needs("transformers")
def test_videomae_equals_transformers():
    network = build(VideoMAE, n_layers=2, n_heads=2)
    from transformers import VideoMAEForVideoClassification

    official = VideoMAEForVideoClassification(network.videomae.config).eval()
    official.load_state_dict(network.state_dict(), strict=True)
    x = clips(network)
    with torch.no_grad():
        torch.testing.assert_close(network(x), official(x.transpose(1, 2)).logits)


@needs("transformers")
def test_videomae_reads_the_names_of_published_checkpoints():
    network = build(VideoMAE, n_layers=2)
    rng = np.random.RandomState(0)
    shapes = {"patch_embed.proj.weight": (8, 3, 2, 16, 16), "patch_embed.proj.bias": (8,)}
    shapes |= {
        "fc_norm.weight": (8,),
        "fc_norm.bias": (8,),
        "head.weight": (3, 8),
        "head.bias": (3,),
    }
    for i in range(2):
        block = {"norm1.weight": (8,), "norm1.bias": (8,), "norm2.weight": (8,), "norm2.bias": (8,)}
        block |= {"attn.q_bias": (8,), "attn.v_bias": (8,), "attn.qkv.weight": (24, 8)}
        block |= {"attn.proj.weight": (8, 8), "attn.proj.bias": (8,)}
        block |= {"mlp.fc1.weight": (32, 8), "mlp.fc1.bias": (32,)}
        block |= {"mlp.fc2.weight": (8, 32), "mlp.fc2.bias": (8,)}
        shapes |= {f"blocks.{i}.{name}": shape for name, shape in block.items()}
    state = {
        k: torch.from_numpy(rng.randn(*shape).astype(np.float32)) for k, shape in shapes.items()
    }
    renamed = VideoMAE.official_state(state)
    network.load_state_dict(renamed, strict=True)
    # one block by the papers' equations, from the arrays under their published names
    x, b = torch.from_numpy(rng.randn(1, 5, 8).astype(np.float32)), "blocks.1."
    norm = lambda y, name: nn.functional.layer_norm(  # noqa: E731
        y, (8,), state[b + name + ".weight"], state[b + name + ".bias"], 1e-12
    )
    bias = torch.cat([state[b + "attn.q_bias"], torch.zeros(8), state[b + "attn.v_bias"]])
    q, k, v = (norm(x, "norm1") @ state[b + "attn.qkv.weight"].T + bias).chunk(3, dim=-1)
    y = (q @ k.transpose(1, 2) / 8**0.5).softmax(-1) @ v
    y = x + y @ state[b + "attn.proj.weight"].T + state[b + "attn.proj.bias"]
    z = norm(y, "norm2") @ state[b + "mlp.fc1.weight"].T + state[b + "mlp.fc1.bias"]
    y = y + nn.functional.gelu(z) @ state[b + "mlp.fc2.weight"].T + state[b + "mlp.fc2.bias"]
    with torch.no_grad():
        torch.testing.assert_close(network.videomae.encoder.layer[1](x), y, rtol=1e-4, atol=1e-4)
    own = {
        k.replace("query.bias", "q_bias").replace("value.bias", "v_bias"): v
        for k, v in renamed.items()
    }
    assert VideoMAE.official_state(own).keys() == network.state_dict().keys()


@needs("torchvision", "timm", "hiera")
def test_hiera_equals_hiera():
    network = build(Hiera, n_frames=8, image_size=64)
    official = _import_hiera().Hiera(
        input_size=(8, 64, 64),
        embed_dim=8,
        stages=(1, 1, 1, 1),
        num_classes=3,
        q_stride=(1, 2, 2),
        mask_unit_size=(1, 8, 8),
        patch_kernel=(3, 7, 7),
        patch_stride=(2, 4, 4),
        patch_padding=(1, 3, 3),
        sep_pos_embed=True,
    )
    official.load_state_dict(network.state_dict(), strict=True)
    with torch.no_grad():  # its head adds a softmax in evaluation
        torch.testing.assert_close(
            network(clips(network)).softmax(1), official.eval()(clips(network))
        )
    with pytest.raises(ValueError, match="multiple of 32 and n_frames even, got 48 and 4"):
        build(Hiera, image_size=48)


# --- imports --------------------------------------------------------------------------------------
@needs("torchvision", "transformers")
def test_transformers_still_imports_and_workers_unpickle(run_python, tmp_path):
    """In a fresh process, whether or not torchvision fits its torch."""
    with (tmp_path / "network.pickle").open("wb") as file:
        pickle.dump(build(R3D), file)
    code = """
import pickle, sys
import skrehab.networks.rgb.torchvision_video, skrehab.networks.rgb.transformers_video
print("torchvision" in sys.modules, "transformers" in sys.modules, "timm" in sys.modules)
with open(sys.argv[1], "rb") as file:
    network = pickle.load(file)
print(type(network).__name__)
from skrehab.networks._torchvision import _SCHEMAS, video_models
assert video_models() is video_models() and len(_SCHEMAS) <= 1
from transformers import T5EncoderModel, VideoMAEForVideoClassification
import torch, torchvision
boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2]])
try:
    kept = torchvision.ops.nms(boxes, torch.tensor([0.5, 0.9]), 0.5).tolist()
except (RuntimeError, NotImplementedError):
    kept = "refused"
print(kept == ("refused" if _SCHEMAS else [1]))
"""
    out = run_python(code, tmp_path / "network.pickle")
    assert out.splitlines() == ["False False False", "R3D", "True"]


def test_torchvision_that_is_missing_or_broken_otherwise_is_named(run_python, tmp_path):
    """A package on the path stands for torchvision: one broken, one that works."""
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('libcudart.so: no such file')")
    code = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from skrehab.networks import _torchvision
from skrehab.networks.rgb.torchvision_video import R3D
def attempt():
    try:
        R3D(2)
    except ImportError as error:
        print(error)
attempt()
sys.modules["torchvision"] = None  # as if it were not installed
attempt()
print(len(_torchvision._SCHEMAS))
del sys.modules["torchvision"]
Path(sys.argv[1], "torchvision.py").write_text("fits = True")
_torchvision.mend_torchvision()
print(len(_torchvision._SCHEMAS), sys.modules["torchvision"].fits)
"""
    broken, missing, *rest = run_python(code, tmp_path).splitlines()
    start = "torchvision.models.video is needed to build this network, and could not be imported ("
    assert broken.startswith(start + "RuntimeError: libcudart.so: no such file)")
    assert missing.startswith(start + "ModuleNotFoundError")
    for message in (broken, missing):
        assert message.endswith("pip install 'skrehab[video]'")
    assert rest == ["0", "0 True"]


def test_a_recipe_is_a_constant():
    recipe = ClipRecipe(16, 256, 224, **IMAGENET)
    assert recipe == ClipRecipe(16, 256, 224, **IMAGENET) and hash(recipe)
    with pytest.raises(AttributeError):
        recipe.crop = 112
