"""Grad-CAM, attention of tokens and joints they read, against answers known by other means."""

import importlib.util

import pytest
import torch
from torch import nn

from skrehab.networks import build
from skrehab.networks.two_stream.hdgcn_tokens import HDGCNTokens
from skrehab.networks.two_stream.mvit_tokens import MViTTokens
from skrehab.networks.two_stream.transm3e import TransM3E
from skrehab.saliency._places import _at_corner
from skrehab.saliency.class_activation import grad_cam, token_attention, token_joints

SIZE = {"widths": (8, 16), "depths": (1, 1), "image_size": 32, "n_frames": 8}
JOINTS = {"widths": (8, 16), "n_units": (1, 1), "n_levels": 1, "n_frames": 16}


@pytest.fixture
def mvit():
    torch.manual_seed(0)
    network = MViTTokens(4, n_tokens=3, **SIZE)
    # weights as drawn attend evenly: make the tokens choose
    for block in network.blocks:
        nn.init.normal_(block.attn.qkv.weight, std=0.5)
    return network


@pytest.fixture
def hdgcn():
    torch.manual_seed(0)
    network = HDGCNTokens(17, 3, 4, n_tokens=5, **JOINTS)
    for mixer in network.mixers:
        nn.init.normal_(mixer.project.weight, std=0.5)
    nn.init.normal_(network.fc.weight)
    return network


@pytest.fixture
def clip():
    torch.manual_seed(1)
    return torch.randn(2, 3, 8, 32, 32)


class Spot(nn.Module):
    """One logit a colour: its brightness wherever it is, after `n_halvings` of the picture."""

    def __init__(self, n_halvings=0, kernel=3):
        super().__init__()
        padding = (0, kernel // 2 if kernel % 2 else 0, kernel // 2 if kernel % 2 else 0)
        sizes = (1, kernel, kernel), (1, 2, 2), padding
        self.halve = nn.Sequential(
            *(nn.Conv3d(3, 3, *sizes, groups=3, bias=False) for _ in range(n_halvings)),
            nn.Identity(),
        )
        for layer in self.halve[:-1]:
            nn.init.ones_(layer.weight)

    def forward(self, x):
        return self.halve(x).mean(dim=(2, 3, 4))


# --- Grad-CAM -------------------------------------------------------------------------------------
def test_one_place_is_found_exactly():
    """Each colour is shown at one place: the map of its label is that place and nothing else."""
    clip = torch.zeros(1, 3, 4, 6, 6)
    places = [(0, 1, 2), (3, 5, 0), (2, 2, 4)]
    for colour, (t, y, x) in enumerate(places):
        clip[0, colour, t, y, x] = 2.0
    for colour, place in enumerate(places):
        cam = grad_cam(Spot(), clip, colour)[0]
        expected = torch.zeros(4, 6, 6)
        expected[place] = 1.0
        torch.testing.assert_close(cam, expected)


def test_what_speaks_against_the_label_is_left_out():
    clip = torch.zeros(1, 3, 4, 6, 6)
    clip[0, 0, 1, 1, 1] = -3.0
    assert (grad_cam(Spot(), clip, 0) == 0).all()


@pytest.mark.parametrize("kernel", [3, 2], ids=["odd kernels", "kernels as wide as the stride"])
@pytest.mark.parametrize("at", [8, 16, 40])
def test_map_lies_where_the_picture_was(kernel, at):
    """After three halvings the map's centre is within two pixels of the spot's."""
    clip = torch.zeros(1, 3, 4, 64, 64)
    clip[0, 0, :, at - 2 : at + 3, at - 2 : at + 3] = 1.0
    network = Spot(3, kernel)
    cam = grad_cam(network, clip, 0)[0, 0]
    assert _at_corner(network)[1] == (kernel == 3)
    pixels = torch.arange(64.0)
    for axis in (0, 1):
        centre = (cam.sum(dim=axis) * pixels).sum() / cam.sum()
        assert abs(float(centre) - at) <= 2.0


@pytest.mark.parametrize("name", ["c2d", "i3d", "slow"])
def test_with_a_mean_and_a_linear_layer_it_is_the_class_activation_map(name):
    """Selvaraju et al., section 3.1: then Grad-CAM is CAM, the classifier's weights times maps."""
    torch.manual_seed(0)
    network = build(name, n_outputs=3, width=4, depths=(1, 1, 1, 1), image_size=64).eval()
    nn.init.normal_(network.get_submodule(network.head_prefix.strip(".")).weight)
    clip = torch.randn(2, 3, 8, 64, 64)
    x = clip
    with torch.no_grad():
        for block in network.blocks[:-1]:
            x = block(x)
    weight = network.blocks[-1].proj.weight[2]
    cam = torch.einsum("c,bcthw->bthw", weight, x).clamp(min=0) / x[0, 0].numel()
    assert cam.shape[2:] == (2, 2)
    found = grad_cam(network, clip, 2, normalize=False)
    step = 8 // cam.shape[1]
    # pixels 0 and 32 are the centres of places; pairs of frames are one place in c2d and i3d
    where = found[:, ::step, ::32, ::32] if step == 1 else found[:, :, ::32, ::32]
    if step == 1:
        torch.testing.assert_close(where, cam.detach())
    else:
        torch.testing.assert_close(where[:, 0], cam[:, 0].detach())
        torch.testing.assert_close(where[:, -1], cam[:, -1].detach())


def test_gradient_of_the_transformer_by_differences(mvit, clip):
    """The weight of a channel is how the logit changes as that channel grows at every patch."""
    mvit.double().eval()
    clip = clip.double()
    last, kept = mvit.blocks[-1], {}

    def moved(channel, by):
        def move(_, inputs, output):
            kept["values"] = output
            output = output.clone()
            output[:, 3:, channel] += by
            return output

        hook = last.norm1.register_forward_hook(move)
        with torch.no_grad():
            logit = mvit(clip)[:, 1]
        hook.remove()
        return logit

    weights = [(moved(c, 1e-5) - moved(c, -1e-5)) / 2e-5 for c in range(8)]
    patches = kept["values"][:, 3:].unflatten(1, (4, 8, 8))  # before the last halving: 32 / 4
    n_patches = 4 * 8 * 8
    expected = torch.einsum("cb,bthwc->bthw", torch.stack(weights), patches) / n_patches
    found = grad_cam(mvit, clip, 1, normalize=False)
    torch.testing.assert_close(found[:, ::2, ::4, ::4], expected.clamp(min=0), atol=1e-8, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("slowfast", {"width": 8, "depths": (1, 1, 1, 1), "n_frames": 16, "image_size": 64}),
        ("c3d", {"widths": (4, 4, 4, 4, 4), "dense_width": 8, "image_size": 32}),
        ("mvit_mct", {**SIZE, "n_tokens": 2}),
    ],
)
def test_registered_networks(name, params):
    torch.manual_seed(0)
    network = build(name, n_outputs=3, **params)
    for parameter in network.parameters():
        if parameter.ndim == 1:
            nn.init.uniform_(parameter, 0.1, 1.0)  # a branch that begins at zero says nothing
    shape = network.clip.shape
    cam = grad_cam(network, torch.randn(2, *shape), 1)
    assert cam.shape == (2, *shape[1:])
    assert (cam >= 0).all() and cam.amax(dim=(1, 2, 3)).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize("name", ["mvit", "video_swin"])
def test_networks_of_torchvision(name):
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("needs torchvision")
    torch.manual_seed(0)
    params = {"widths": (8, 16), "depths": (1, 1), "n_frames": 8, "image_size": 32}
    if name == "video_swin":
        params = {"n_frames": 8, "image_size": 64, "width": 12, "depths": (1, 1, 1, 1)}
    network = build(name, n_outputs=3, **params)
    cam = grad_cam(network, torch.randn(1, *network.clip.shape), 0)
    assert cam.shape == (1, *network.clip.shape[1:]) and cam.max() == pytest.approx(1)


def test_a_label_for_each_clip(mvit, clip):
    both = grad_cam(mvit, clip, torch.tensor([3, 0]))
    torch.testing.assert_close(both[:1], grad_cam(mvit, clip[:1], 3))
    torch.testing.assert_close(both[1:], grad_cam(mvit, clip[1:], 0))


def test_a_named_layer():
    network = build("c3d", n_outputs=2, widths=(4, 4, 4, 4, 4), dense_width=8, image_size=32)
    clip = torch.randn(1, *network.clip.shape)
    early, late = grad_cam(network, clip, 0, layer="conv1"), grad_cam(network, clip, 0)
    assert early.shape == late.shape and not torch.allclose(early, late)
    torch.testing.assert_close(late, grad_cam(network, clip, 0, layer="conv5b"))


# --- tokens ---------------------------------------------------------------------------------------
def test_maps_of_tokens_are_the_network_s_attention(mvit, clip):
    mvit.eval()
    with torch.no_grad():
        expected = mvit.attention_map(clip)
    found = token_attention(mvit, clip, normalize=False)
    assert found.shape == (2, 3, 8, 32, 32)
    # keys of the last block lie 4 pixels and 2 frames apart, or more: those are their centres
    step = 32 // expected.shape[3]
    torch.testing.assert_close(found[:, :, ::2, ::step, ::step], expected)
    assert (expected.flatten(2).sum(dim=2) <= 1 + 1e-6).all()
    scaled = token_attention(mvit, clip)
    assert scaled.amax(dim=(2, 3, 4)).flatten().tolist() == pytest.approx([1] * 6)


def test_a_label_takes_the_tokens_that_speak_for_it(mvit, clip):
    """A classifier made so that token 1 alone speaks for label 2: the map is that token's."""
    mvit.eval()
    clip = clip[:1]
    with torch.no_grad():
        tokens = mvit.tokens(clip).classification[0]
        wanted = torch.tensor([[-1.0], [1.0], [-1.0]])
        mvit.head[1].weight[2] = torch.linalg.lstsq(tokens, wanted).solution[:, 0]
    maps = token_attention(mvit, clip)
    torch.testing.assert_close(token_attention(mvit, clip, 2)[0], maps[0, 1])
    with torch.no_grad():
        mvit.head[1].weight[2] *= -1  # now the others speak for it, and equally
    both = token_attention(mvit, clip, normalize=False)[0, [0, 2]].mean(dim=0)
    torch.testing.assert_close(token_attention(mvit, clip, 2)[0], both / both.max())


# --- joints ---------------------------------------------------------------------------------------
def test_joint_maps_add_up_to_the_logit(hdgcn):
    """Tokens are linear in what they read: two trials differ by what their maps add up to."""
    hdgcn.double().eval()
    x, lengths = torch.randn(2, 30, 17, 3, dtype=torch.float64), torch.tensor([30, 13])
    with torch.no_grad():
        logits = hdgcn(x, lengths)
    for label in range(4):
        maps = token_joints(hdgcn, x, lengths, label=label, normalize=False)
        total = maps.sum(dim=(1, 2))
        torch.testing.assert_close(total[0] - total[1], logits[0, label] - logits[1, label])
        assert (maps[1, 13:] == 0).all()


def test_only_the_joint_that_is_read_is_shown(hdgcn):
    with torch.no_grad():
        for mixer in hdgcn.mixers:
            mixer.merge.weight.reshape(5, -1, 17)[..., [i for i in range(17) if i != 9]] = 0
    maps = token_joints(hdgcn, torch.randn(1, 24, 17, 3), label=0, normalize=False)[0]
    assert maps[:, 9].abs().min() > 0
    assert (maps[:, [i for i in range(17) if i != 9]] == 0).all()


def test_only_the_moment_that_is_read_is_shown(hdgcn):
    """Of 16 frames the second unit sees pairs; the fifth pair of 32 frames is frames 16 to 19."""
    with torch.no_grad():
        for mixer, kept in zip(hdgcn.mixers, (None, 4)):
            weight = mixer.merge.weight.reshape(5, -1, 17)
            weight[:, [i for i in range(weight.shape[1]) if i != kept]] = 0
    maps = token_joints(hdgcn, torch.randn(1, 32, 17, 3), label=0, normalize=False)[0]
    when = maps.abs().sum(dim=1).nonzero().flatten().tolist()
    assert when == [16, 17, 18, 19]


def test_joints_of_several_persons():
    network = HDGCNTokens(34, 3, 2, n_tokens=2, n_persons=2, **JOINTS).eval()
    x = torch.randn(1, 16, 34, 3)
    maps = token_joints(network, x, label=0, normalize=False)
    assert maps.shape == (1, 16, 34)
    first = token_joints(network, x, label=0)
    assert first.max() == pytest.approx(1) and first.min() == 0


# --- both branches --------------------------------------------------------------------------------
@pytest.mark.parametrize("stage", [1, 2])
def test_branches_of_the_whole_network(clip, stage):
    torch.manual_seed(0)
    sizes = {"pose_widths": (8, 16), "pose_units": (1, 1), "pose_frames": 16}
    network = TransM3E(4, size="tiny", **SIZE, **sizes)
    trials, lengths = torch.randn(2, 30, 17, 3), torch.tensor([30, 12])

    def rgb(x):
        return network(x, stage=stage)["rgb"]

    def pose(x, lengths):
        return network(pose=x, lengths=lengths, stage=stage)["pose"]

    maps = [
        grad_cam(network, clip, 1, logits=rgb),
        token_attention(network, clip, 1, logits=rgb),
    ]
    for one in maps:
        assert one.shape == (2, 8, 32, 32) and one.amax() == pytest.approx(1) and one.min() >= 0
    joints = token_joints(network, trials, lengths, label=1, logits=pose)
    assert joints.shape == (2, 30, 17) and (joints[1, 12:] == 0).all()
    if stage == 2:  # what is called without logits=
        torch.testing.assert_close(maps[0], grad_cam(network, clip, 1))
        torch.testing.assert_close(joints, token_joints(network, trials, lengths, label=1))


# --- nothing is left behind -----------------------------------------------------------------------
def test_the_network_is_left_as_found(mvit, hdgcn, clip):
    x = torch.randn(2, 20, 17, 3)
    for network, explain in [
        (mvit, lambda: grad_cam(mvit, clip, 1)),
        (mvit, lambda: token_attention(mvit, clip, 1)),
        (hdgcn, lambda: token_joints(hdgcn, x, label=1)),
    ]:
        network.train()
        parts = list(network.modules())
        parts[3].eval()
        first = next(network.parameters())
        first.requires_grad_(False)
        kept = next(p for p in network.parameters() if p.requires_grad)
        kept.grad = torch.full_like(kept, 7.0)
        state = {key: value.clone() for key, value in network.state_dict().items()}
        modes = [part.training for part in parts]
        with torch.no_grad():  # as around a prediction
            first_time, second_time = explain(), explain()
        torch.testing.assert_close(first_time, second_time)  # no dropout: evaluation mode inside
        assert not first_time.requires_grad
        assert [part.training for part in parts] == modes
        assert not first.requires_grad and kept.requires_grad and (kept.grad == 7).all()
        assert sum(p.grad is not None for p in network.parameters()) == 1
        for key, value in network.state_dict().items():
            torch.testing.assert_close(value, state[key], rtol=0, atol=0)
        assert not any(part._forward_hooks or part._forward_pre_hooks for part in parts)


def test_hooks_go_after_an_error_too(mvit, clip):
    with pytest.raises(ValueError, match="label must be a column"):
        grad_cam(mvit, clip, 4)
    assert not any(p._forward_hooks or p._forward_pre_hooks for p in mvit.modules())


# --- what cannot be shown -------------------------------------------------------------------------
@pytest.mark.parametrize("label", [-1, 4, 0.5])
def test_labels_that_are_none(mvit, hdgcn, clip, label):
    for explain in (
        lambda: grad_cam(mvit, clip, label),
        lambda: token_attention(mvit, clip, label),
        lambda: token_joints(hdgcn, torch.randn(1, 9, 17, 3), label=label),
    ):
        with pytest.raises(ValueError, match="label must be a column of the logits, 0 to 3"):
            explain()


def test_layers_that_are_none(mvit, clip):
    with pytest.raises(ValueError, match="has no layer 'conv9'; the last of its"):
        grad_cam(mvit, clip, 0, layer="conv9")
    with pytest.raises(ValueError, match=r"returns tuple, not one tensor"):
        grad_cam(mvit, clip, 0, layer="blocks.0")
    with pytest.raises(ValueError, match="where its values lie in the clip is not known"):
        grad_cam(mvit, clip, 0, layer="norm")


def test_networks_without_tokens(mvit, hdgcn, clip):
    with pytest.raises(ValueError, match="C2D has no tokens to ask"):
        token_attention(build("c2d", n_outputs=2, width=4, depths=(1, 1, 1, 1)), clip)
    with pytest.raises(ValueError, match="LSTM has no tokens to ask"):
        lstm = build("lstm", n_landmarks=17, n_coords=3, n_outputs=2)
        token_joints(lstm, torch.randn(1, 9, 17, 3), label=0)
