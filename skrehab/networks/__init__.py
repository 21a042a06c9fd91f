"""Networks by name. They take sizes, return logits, and know nothing of scikit-learn."""

from skrehab.networks.registry import NetworkSpec, build, get_spec, list_networks, register

__all__ = ["NetworkSpec", "build", "get_spec", "list_networks", "register"]
