"""What mypy refuses, each on a line that says so (tests/test_stubs.py)."""

from skrehab import FrameTCN, VideoClassifier
from skrehab.metrics import frame_roc_auc, segments

FrameTCN(n_blocks="four")  # wrong: arg-type
FrameTCN(optimizer="sgd")  # wrong: arg-type
FrameTCN(early_stopping="exercise")  # wrong: arg-type
FrameTCN(blocks=4)  # wrong: call-arg
VideoClassifier("lstm", max_epochs=None).fit([], [])  # wrong: arg-type
word: str = frame_roc_auc([], [])  # wrong: assignment
start = segments([0, 1])[0].start  # wrong: attr-defined
