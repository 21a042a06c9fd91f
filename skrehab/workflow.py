"""What the commands do: the recommended pipeline, its score by patient, its use on a video."""

from dataclasses import dataclass

import numpy as np
from imblearn.pipeline import Pipeline
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_validate

from skrehab.frames import FrameMLP
from skrehab.metrics import by_patient, pool_frames
from skrehab.preprocessing import DisplacementSmoother, LandmarkScaler
from skrehab.pseudo_labels import PUBLISHED_THRESHOLDS, SaliencyPseudoLabeler
from skrehab.video import VideoClassifier

__all__ = ["Assessment", "assess_video", "build_pipeline", "encode_labels", "evaluate_by_patient"]


def build_pipeline(
    network="act",
    *,
    method="integrated_gradients",
    threshold=None,
    max_epochs=100,
    frame_epochs=20,
    random_state=None,
):
    """Build the recommended pipeline from pose trials to frame scores.

    It is causal, so that what is evaluated offline is what runs live.

    Parameters
    ----------
    network : str, default="act"
        Video network, one of :func:`skrehab.networks.list_networks`.
    method : {"vanilla_gradient", "integrated_gradients", "frame_logits"}, \
            default="integrated_gradients"
        Attribution method; ``"frame_logits"`` takes the scores of a network that scores frames
        itself (``"mil_tcn"``).
    threshold : float, (float, float) or str, optional
        See :class:`SaliencyPseudoLabeler`. None takes the published pair where there is one; else
        0.5 for ``"frame_logits"``, between a trial's lowest and highest score, and the highest 38 %
        of a trial's frames for saliency.
    max_epochs : int, default=100
        Epochs of the video network.
    frame_epochs : int, default=20
        Epochs of the frame model.
    random_state : int, optional
        Seed of the networks.

    Returns
    -------
    imblearn.pipeline.Pipeline
        Steps ``motion``, ``scale``, ``labels``, ``frames``.

    Examples
    --------
    >>> from skrehab.workflow import build_pipeline
    >>> [name for name, _ in build_pipeline().steps]
    ['motion', 'scale', 'labels', 'frames']
    """
    if threshold is None and (network, method) in PUBLISHED_THRESHOLDS:
        threshold = "published_dual"
    elif threshold is None:
        threshold = 0.5 if method == "frame_logits" else ("quantile", 0.38)
    classifier = VideoClassifier(network, max_epochs=max_epochs, random_state=random_state)
    return Pipeline(
        [
            ("motion", DisplacementSmoother(causal=True)),
            ("scale", LandmarkScaler()),
            (
                "labels",
                SaliencyPseudoLabeler(classifier, method=method, threshold=threshold),
            ),
            ("frames", FrameMLP(max_epochs=frame_epochs, random_state=random_state)),
        ]
    )


def evaluate_by_patient(pipeline, X, y, groups, *, n_jobs=None):
    """Score a pipeline's pooled frame scores against trial labels, leaving one patient out.

    A class that a frame model did not come to know, because only the patient left out has it or no
    pseudo-label did, has probability 0.

    Parameters
    ----------
    pipeline : Pipeline
        Ends in a frame classifier.
    X : list of ndarray
        Trials.
    y : ndarray of shape (n_trials,)
        Trial labels as numbers, 0 for normal.
    groups : ndarray of shape (n_trials,)
        Patients, at least two.
    n_jobs : int, optional
        Processes.

    Returns
    -------
    skrehab.metrics.PatientScores
        Trial-level area under the ROC curve of each patient.

    Raises
    ------
    ValueError
        If there are fewer than two patients.
    """
    if len(np.unique(groups)) < 2:
        raise ValueError(
            f"Scoring on held-out patients needs at least 2, got {np.unique(groups).tolist()}. "
            "Use --no-evaluate to train without."
        )
    # not cross_val_predict: it cannot put frame scores of folds that know other classes together
    folds = cross_validate(
        pipeline,
        X,
        y,
        groups=groups,
        cv=LeaveOneGroupOut(),
        scoring=_no_score,
        n_jobs=n_jobs,
        error_score="raise",
        return_estimator=True,
        return_indices=True,
    )
    classes = np.unique(y)
    proba = [None] * len(X)
    for model, held_out in zip(folds["estimator"], folds["indices"]["test"]):
        for i, frames in zip(held_out, model.predict_proba([X[i] for i in held_out])):
            proba[i] = np.zeros((len(frames), len(classes)), frames.dtype)
            proba[i][:, np.searchsorted(classes, model.classes_)] = frames
    return by_patient(roc_auc_score, y != 0, pool_frames(proba), groups)


def _no_score(pipeline, X, y):
    """Stand where scikit-learn wants a score; patients are scored together, after the last fold."""
    return 0.0


def encode_labels(y, normal_label=None):
    """Turn labels of any type into numbers, so that 0 is the trial without the motion.

    Parameters
    ----------
    y : ndarray of shape (n_trials,)
        Labels.
    normal_label : label, optional
        Which of them means "no such motion". None takes the smallest number; for text it must be
        given, since alphabetical order would decide otherwise.

    Returns
    -------
    codes : ndarray of shape (n_trials,)
        0 for the normal label, 1, 2, ... for the others.
    names : list of str
        The label that each code stands for.

    Raises
    ------
    ValueError
        If the normal label is not known or not among the labels, or there is only one label.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.workflow import encode_labels
    >>> encode_labels(np.array(["lean", "usual", "lean"]), "usual")
    (array([1, 0, 1]), ['usual', 'lean'])
    """
    labels = np.unique(y).tolist()
    if normal_label is None:
        if np.asarray(y).dtype.kind not in "biuf":
            raise ValueError(f"Which of {labels} means 'no such motion'? Give --normal-label.")
        normal_label = labels[0]
    by_text = {str(label): label for label in labels}
    if str(normal_label) not in by_text:
        raise ValueError(f"The normal label {normal_label!r} is not among the labels {labels}.")
    if len(labels) < 2:
        raise ValueError(f"At least two labels are needed; every trial is {labels[0]!r}.")
    normal = by_text[str(normal_label)]
    order = [normal, *(label for label in labels if label != normal)]
    codes = np.array([order.index(label) for label in np.asarray(y).tolist()])
    return codes, [str(label) for label in order]


@dataclass(frozen=True)
class Assessment:
    """Frame scores of one video.

    Parameters
    ----------
    track : skrehab.pose.PoseTrack
        Pose and times of its frames.
    proba : ndarray of shape (n_frames, n_classes)
        Class probabilities, the normal class first; NaN where nobody was seen.
    resampled_to : float, optional
        Frames a second to which the video was brought, since the model was trained so.
    """

    track: object
    proba: np.ndarray
    resampled_to: float | None = None

    @property
    def score(self):
        """Probability of any class but the normal one, (n_frames,)."""
        return 1 - self.proba[:, 0]


def assess_video(model, video, *, frame_rate=None):
    """Extract the pose from a video and score every frame.

    Parameters
    ----------
    model : Pipeline
        Trained; with a :class:`PoseExtractor` as its first step, whose settings are used, or
        without one.
    video : str or path-like
        Video file.
    frame_rate : float, optional
        Frames a second of the trials that the model was trained on; a video of another rate is
        resampled, see :func:`skrehab.pose.match_frame_rate`.

    Returns
    -------
    Assessment
        Pose, times and probabilities.

    Raises
    ------
    ValueError
        If the model was trained on other landmarks than those that videos give.
    skrehab.pose.VideoError
        If the video cannot be read or shows nobody.
    """
    from skrehab.pose import PoseExtractor, extract_with, match_frame_rate, split_pose_step

    extractor, model = split_pose_step(model)
    if extractor is None:
        extractor = PoseExtractor(person="steady")
        _check_landmarks(model)
    own_rate, extractor = extractor.target_fps, match_frame_rate(extractor, video, frame_rate)
    track = extract_with(extractor, video)
    proba = np.array(model.predict_proba([track.landmarks(extractor.coordinates)])[0], dtype=float)
    proba[~track.found] = np.nan
    return Assessment(track, proba, None if extractor.target_fps == own_rate else frame_rate)


def _check_landmarks(model):
    """Refuse, before a video is analysed, a model of other landmarks than MediaPipe's."""
    seen = [
        (step.n_landmarks_, step.n_coords_)
        for step in getattr(model, "named_steps", {"": model}).values()
        if getattr(step, "n_landmarks_", None) is not None
    ]
    if seen and seen[0] != (33, 4):
        raise ValueError(
            f"This model was trained on {seen[0][0]} landmarks with {seen[0][1]} values, and poses "
            "of videos have 33 with 4 (x, y, z, visibility): it cannot assess videos. Train on "
            "videos, or on files of 'skrehab pose'."
        )
