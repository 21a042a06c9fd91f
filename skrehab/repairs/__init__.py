"""Poses mended before they are judged: short gaps, left and right mixed up, the affected side."""

from .gaps import GapFiller
from .sides import SideNormalizer
from .swaps import LeftRightRepair

__all__ = ["GapFiller", "LeftRightRepair", "SideNormalizer"]
