"""Scores of exercise quality: the expert network, its inputs and losses, and how scores are scored.

Nekoui & Cheng 2021, BMVC, sections 3.2 and 4.
"""

from .ablations import table1_settings
from .regressor import QualityRegressor

__all__ = ["QualityRegressor", "table1_settings"]
