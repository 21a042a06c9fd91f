# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.evaluation.leaks import Audit as Audit
from skrehab.evaluation.by_exercise import ExerciseScores as ExerciseScores
from skrehab.evaluation.known_new import KnownNewScores as KnownNewScores
from skrehab.evaluation.known_new import KnownNewSplit as KnownNewSplit
from skrehab.evaluation.leaks import LeakError as LeakError
from skrehab.evaluation.method import Method as Method
from skrehab.evaluation.floors import OnFrameTruth as OnFrameTruth
from skrehab.evaluation.study import Study as Study
from skrehab.evaluation.pairs import all_pairs as all_pairs
from skrehab.evaluation.operating import at_alarm_rate as at_alarm_rate
from skrehab.evaluation.leaks import audit as audit
from skrehab.evaluation.pairs import bca_interval as bca_interval
from skrehab.evaluation.statistics import bootstrap_interval as bootstrap_interval
from skrehab.evaluation.parameters import check_parameters as check_parameters
from skrehab.evaluation.pairs import effect_sizes as effect_sizes
from skrehab.evaluation.by_exercise import evaluate_by_exercise as evaluate_by_exercise
from skrehab.evaluation.held_out import evaluate_by_patient as evaluate_by_patient
from skrehab.evaluation.statistics import holm as holm
from skrehab.evaluation.known_new import known_new_scores as known_new_scores
from skrehab.evaluation.known_new import known_new_split as known_new_split
from skrehab.evaluation.by_exercise import paired_bootstrap as paired_bootstrap
from skrehab.evaluation.statistics import paired_comparison as paired_comparison
from skrehab.evaluation.pairs import smallest_p as smallest_p
from skrehab.evaluation.statistics import summary_table as summary_table
from skrehab.evaluation.tripod import tripod_checklist as tripod_checklist
