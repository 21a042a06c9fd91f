"""Reports on people: intervals, paired tests, and whole pipelines on patients they never saw."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "ExerciseScores": "by_exercise",
        "Method": "study",
        "OnFrameTruth": "floors",
        "Study": "study",
        "all_pairs": "pairs",
        "bca_interval": "pairs",
        "effect_sizes": "pairs",
        "smallest_p": "pairs",
        "KnownNewScores": "known_new",
        "KnownNewSplit": "known_new",
        "bootstrap_interval": "statistics",
        "evaluate_by_exercise": "by_exercise",
        "evaluate_by_patient": "held_out",
        "holm": "statistics",
        "known_new_scores": "known_new",
        "known_new_split": "known_new",
        "paired_bootstrap": "by_exercise",
        "paired_comparison": "statistics",
        "summary_table": "statistics",
    },
)
