"""Reports on people: intervals, paired tests, and whole pipelines on patients they never saw."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "ExerciseScores": "by_exercise",
        "KnownNewScores": "known_new",
        "KnownNewSplit": "known_new",
        "bootstrap_interval": "statistics",
        "check_parameters": "parameters",
        "evaluate_by_exercise": "by_exercise",
        "evaluate_by_patient": "by_patient",
        "holm": "statistics",
        "known_new_scores": "known_new",
        "known_new_split": "known_new",
        "paired_bootstrap": "by_exercise",
        "paired_comparison": "statistics",
        "summary_table": "statistics",
    },
)
