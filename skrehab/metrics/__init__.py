"""Metrics of frames, segments, several labels and quality scores; scorers; scores by patient.

Frame truth is for scoring. Hyper-parameters are selected with :data:`trial_roc_auc`, which needs
trial labels only.
"""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "FrameScorer": "scorers",
        "MapScorer": "multilabel",
        "PatientScores": "patients",
        "TrialScorer": "scorers",
        "alarm_threshold": "alarms",
        "by_patient": "patients",
        "false_alarm_rate": "alarms",
        "frame_f1": "frames",
        "frame_roc_auc": "frames",
        "frame_scores_by_label": "label_frames",
        "map_scorer": "multilabel",
        "mean_absolute_deviation": "quality",
        "mean_average_precision": "multilabel",
        "per_label_average_precision": "multilabel",
        "pool_frames": "frames",
        "positive_scores": "frames",
        "rmse": "quality",
        "segment_precision_recall": "stretches",
        "segments": "stretches",
        "spearman": "quality",
        "spearman_scorer": "quality",
        "trial_roc_auc": "scorers",
    },
)
