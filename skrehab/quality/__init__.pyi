# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.quality.appearance import AppearanceFeatures as AppearanceFeatures
from skrehab.quality.regressor import QualityRegressor as QualityRegressor
from skrehab.quality.appearance import cut_clips as cut_clips
from skrehab.quality.ablations import table1_settings as table1_settings
