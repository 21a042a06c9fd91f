"""The container every stage shares: a trial is a sample.

X is a list of ``n_trials`` float arrays ``(n_frames_i, n_landmarks, n_coords)``; a lost landmark is
NaN inside a trial. Labels are one a trial, or one array a trial with ``-1`` for frames not
labelled. Ragged results are one-dimensional object arrays, which scikit-learn can index and join.
"""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "UNLABELLED": "frame_targets",
        "check_frame": "poses",
        "check_frame_labels": "frame_targets",
        "check_frame_weights": "frame_targets",
        "check_groups": "by_trial",
        "check_label_rows": "by_trial",
        "check_trial_labels": "by_trial",
        "check_trials": "poses",
        "each_trial": "poses",
        "labelled": "frame_targets",
        "ragged": "frame_targets",
        "tag_trial_input": "poses",
    },
)
