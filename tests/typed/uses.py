"""What a user may write: mypy accepts every line of it (tests/test_stubs.py)."""

from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from skrehab import FrameMLP, FrameTCN, PatientReference, VideoClassifier
from skrehab.metrics import PatientScores, by_patient, frame_roc_auc, segments
from skrehab.skeletons import Skeleton, get_skeleton

poses: list[NDArray[np.float32]] = [np.zeros((20, 33, 3), np.float32)] * 2
truth = [np.zeros(20, int)] * 2

student = FrameTCN(max_epochs="auto", random_state=0, early_stopping="patient", causal=False)
assert_type(student.fit(poses, truth, groups=["a", "b"]), FrameTCN)
FrameMLP((16,), random_state=np.random.RandomState(0), class_weight={0: 1.0, 1: 2.0})
VideoClassifier("lstm", network_params={"hidden_size": 8}).fit(poses, [0, 1]).set_params(lr=0.1)

auc: float = frame_roc_auc(truth, [np.zeros(20)] * 2)
assert_type(by_patient(frame_roc_auc, truth, truth, groups=["a", "b"]), PatientScores)
assert_type(segments(truth[0]), list[tuple[int, int]])
assert_type(get_skeleton("mediapipe33"), Skeleton)
assert_type(get_skeleton("mediapipe33").landmarks, tuple[str, ...])
PatientReference().fit(poses)
