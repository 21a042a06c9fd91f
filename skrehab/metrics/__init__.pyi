# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.metrics.scorers import FrameScorer as FrameScorer
from skrehab.metrics.multilabel import MapScorer as MapScorer
from skrehab.metrics.patients import PatientScores as PatientScores
from skrehab.metrics.scorers import TrialScorer as TrialScorer
from skrehab.metrics.alarms import alarm_threshold as alarm_threshold
from skrehab.metrics.patients import by_patient as by_patient
from skrehab.metrics.alarms import false_alarm_rate as false_alarm_rate
from skrehab.metrics.frames import frame_f1 as frame_f1
from skrehab.metrics.frames import frame_roc_auc as frame_roc_auc
from skrehab.metrics.label_frames import frame_scores_by_label as frame_scores_by_label
from skrehab.metrics.multilabel import map_scorer as map_scorer
from skrehab.metrics.quality import mean_absolute_deviation as mean_absolute_deviation
from skrehab.metrics.multilabel import mean_average_precision as mean_average_precision
from skrehab.metrics.multilabel import per_label_average_precision as per_label_average_precision
from skrehab.metrics.frames import pool_frames as pool_frames
from skrehab.metrics.frames import positive_scores as positive_scores
from skrehab.metrics.quality import rmse as rmse
from skrehab.metrics.stretches import segment_precision_recall as segment_precision_recall
from skrehab.metrics.stretches import segments as segments
from skrehab.metrics.quality import spearman as spearman
from skrehab.metrics.quality import spearman_scorer as spearman_scorer
from skrehab.metrics.scorers import trial_roc_auc as trial_roc_auc
