"""Outputs of official networks under weights that are a function of their names alone.

The recipe: every parameter and running statistic is drawn from a generator seeded by the CRC-32 of
its key; an independent implementation with the same keys must give the same outputs.
"""

import hashlib
import json
import pathlib
import zlib

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).parents[1] / "golden"


def golden_case(name):
    """Read the recorded outputs of an official network."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def golden_input(seed, shape, scale=1.0):
    """Draw the float32 input that a case was run with."""
    x = np.random.RandomState(seed).standard_normal(int(np.prod(shape))).reshape(shape)
    return torch.from_numpy((scale * x).astype(np.float32))


def golden_weight(key, shape):
    """Draw one parameter or running statistic from its name."""
    r = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(int(np.prod(shape)))
    r = r.reshape(shape)
    last = key.rpartition(".")[2]
    if last == "running_var":
        r = 1 + 0.5 * r**2
    elif last == "running_mean":
        r = 0.1 * r
    elif len(shape) >= 2:
        r = r / np.sqrt(r.size / shape[0])
    elif last == "weight":
        r = 1 + 0.1 * r
    else:
        r = 0.02 * r
    return torch.from_numpy(np.asarray(r, dtype=np.float32))


def fill(network, skip=()):
    """Give a network the golden weights in place; keys holding a word of `skip` stay as built."""
    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for key, value in network.state_dict().items():
            trained = key in parameters or key.endswith(("running_mean", "running_var"))
            if trained and not any(word in key for word in skip):
                value.copy_(golden_weight(key, tuple(value.shape)))
    return network.eval()


def check_layout(network, case):
    """Compare the number of parameters, and every key and shape, with the official network."""
    assert sum(p.numel() for p in network.parameters()) == case["params"]
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert len(shapes) == case["n_keys"]
    lines = "\n".join(sorted(f"{key}:{shape}" for key, shape in shapes.items()))
    assert hashlib.sha256(lines.encode()).hexdigest() == case["keys_sha256"]


def check_outputs(out, case):
    """Compare logits with the official network's."""
    out = out.detach().numpy().astype(float)
    assert list(out.shape) == case["out_shape"]
    first = case["out_first"]
    np.testing.assert_allclose(out.ravel()[: len(first)], first, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(np.abs(out).sum(), case["out_abs_sum"], rtol=1e-3)
