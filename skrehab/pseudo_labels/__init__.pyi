# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.pseudo_labels.thresholds import PUBLISHED_LANDMARKS as PUBLISHED_LANDMARKS
from skrehab.pseudo_labels.thresholds import PUBLISHED_THRESHOLDS as PUBLISHED_THRESHOLDS
from skrehab.pseudo_labels.pipeline import PatientPipeline as PatientPipeline
from skrehab.pseudo_labels.thresholds import Quantile as Quantile
from skrehab.pseudo_labels.labeler import SaliencyPseudoLabeler as SaliencyPseudoLabeler
from skrehab.pseudo_labels.cross_fitting import as_splitter as as_splitter
from skrehab.pseudo_labels.trial_labels import check_partial_labels as check_partial_labels
from skrehab.pseudo_labels.thresholds import check_threshold as check_threshold
from skrehab.pseudo_labels.thresholds import cut_at as cut_at
from skrehab.pseudo_labels.thresholds import one_between as one_between
from skrehab.pseudo_labels.thresholds import parse_threshold as parse_threshold
from skrehab.pseudo_labels.cross_fitting import patient_folds as patient_folds
from skrehab.pseudo_labels.thresholds import prior_threshold as prior_threshold
from skrehab.pseudo_labels.thresholds import pseudo_labels as pseudo_labels
from skrehab.pseudo_labels.thresholds import published_threshold as published_threshold
from skrehab.pseudo_labels.soft import soft_from_logits as soft_from_logits
from skrehab.pseudo_labels.soft import soft_from_scores as soft_from_scores
from skrehab.pseudo_labels.cross_fitting import take_trials as take_trials
