# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.adaptation.calibration import CalibratedByPatient as CalibratedByPatient
from skrehab.adaptation.patient import adapt_to_patient as adapt_to_patient
from skrehab.adaptation.score_map import apply_map as apply_map
from skrehab.adaptation.score_map import map_scores as map_scores
from skrehab.adaptation.head import nearest_head as nearest_head
