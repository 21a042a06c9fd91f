"""Skeletons: what each landmark is called, how landmarks are joined, which are left and right."""

from skrehab.skeletons import table  # noqa: F401  registers them
from skrehab.skeletons.parts import body_parts
from skrehab.skeletons.skeleton import (
    Skeleton,
    bone_skeleton,
    get_skeleton,
    guess_skeleton,
    list_skeletons,
)

__all__ = [
    "Skeleton",
    "body_parts",
    "bone_skeleton",
    "get_skeleton",
    "guess_skeleton",
    "list_skeletons",
]
