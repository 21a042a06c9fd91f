# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.multilabel.frames import MultiLabelFrames as MultiLabelFrames
from skrehab.multilabel.label_sets import MultiLabelMixin as MultiLabelMixin
from skrehab.multilabel.classifier import MultiLabelVideoClassifier as MultiLabelVideoClassifier
from skrehab.multilabel.label_sets import SigmoidBCE as SigmoidBCE
from skrehab.multilabel.label_sets import SoftmaxBCE as SoftmaxBCE
from skrehab.multilabel.label_sets import check_multilabel as check_multilabel
from skrehab.multilabel.frames import frames_of_labels as frames_of_labels
from skrehab.multilabel.label_sets import label_probabilities as label_probabilities
