"""Reports on people: studies of patients never seen, intervals, paired tests, leaks found."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Audit": "leaks",
        "ExerciseScores": "by_exercise",
        "KnownNewScores": "known_new",
        "KnownNewSplit": "known_new",
        "LabelStudies": "by_label",
        "LeakError": "leaks",
        "Method": "method",
        "OnFrameTruth": "floors",
        "Study": "study",
        "all_pairs": "pairs",
        "at_alarm_rate": "operating",
        "audit": "leaks",
        "bca_interval": "pairs",
        "bootstrap_interval": "statistics",
        "check_parameters": "parameters",
        "effect_sizes": "pairs",
        "evaluate_by_exercise": "by_exercise",
        "evaluate_by_patient": "held_out",
        "evaluate_labels_by_patient": "by_label",
        "holm": "statistics",
        "known_new_scores": "known_new",
        "known_new_split": "known_new",
        "paired_bootstrap": "by_exercise",
        "paired_comparison": "statistics",
        "smallest_p": "pairs",
        "summary_table": "statistics",
        "tripod_checklist": "tripod",
    },
)
