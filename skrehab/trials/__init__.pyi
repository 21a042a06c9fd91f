# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.trials.frame_targets import UNLABELLED as UNLABELLED
from skrehab.trials.poses import check_frame as check_frame
from skrehab.trials.frame_targets import check_frame_labels as check_frame_labels
from skrehab.trials.frame_targets import check_frame_weights as check_frame_weights
from skrehab.trials.by_trial import check_groups as check_groups
from skrehab.trials.by_trial import check_label_rows as check_label_rows
from skrehab.trials.by_trial import check_trial_labels as check_trial_labels
from skrehab.trials.poses import check_trials as check_trials
from skrehab.trials.poses import each_trial as each_trial
from skrehab.trials.frame_targets import labelled as labelled
from skrehab.trials.frame_targets import ragged as ragged
from skrehab.trials.poses import tag_trial_input as tag_trial_input
