"""Scores of exercise quality: the expert network, its inputs and losses.

Nekoui & Cheng 2021, BMVC, sections 3.2 and 4.
"""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "AppearanceFeatures": "appearance",
        "QualityRegressor": "regressor",
        "cut_clips": "appearance",
        "table1_settings": "ablations",
    },
)
