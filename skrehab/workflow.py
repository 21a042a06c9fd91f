"""What the commands do: the recommended pipeline, its score by patient, its use on a video."""

from dataclasses import dataclass

import numpy as np
from imblearn.pipeline import Pipeline
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from skrehab.frames import FrameMLP
from skrehab.metrics import by_patient, pool_frames
from skrehab.preprocessing import DisplacementSmoother, LandmarkScaler
from skrehab.pseudo_labels import SaliencyPseudoLabeler
from skrehab.video import VideoClassifier

__all__ = ["Assessment", "assess_video", "build_pipeline", "evaluate_by_patient"]


def build_pipeline(
    network="act",
    *,
    method="integrated_gradients",
    threshold="published_dual",
    normal_label=None,
    max_epochs=50,
    frame_epochs=20,
    random_state=None,
):
    """Build the recommended pipeline from pose trials to frame scores.

    It is causal, so that what is evaluated offline is what runs live.

    Parameters
    ----------
    network : str, default="act"
        Video network.
    method : {"vanilla_gradient", "integrated_gradients"}, default="integrated_gradients"
        Attribution method.
    threshold : float, (float, float) or str, default="published_dual"
        See :class:`SaliencyPseudoLabeler`.
    normal_label : label, optional
        Label of a trial without the motion looked for.
    max_epochs : int, default=50
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
    classifier = VideoClassifier(network, max_epochs=max_epochs, random_state=random_state)
    return Pipeline(
        [
            ("motion", DisplacementSmoother(causal=True)),
            ("scale", LandmarkScaler()),
            (
                "labels",
                SaliencyPseudoLabeler(
                    classifier, method=method, threshold=threshold, normal_label=normal_label
                ),
            ),
            ("frames", FrameMLP(max_epochs=frame_epochs, random_state=random_state)),
        ]
    )


def evaluate_by_patient(pipeline, X, y, groups, *, n_jobs=None):
    """Score a pipeline's pooled frame scores against trial labels, leaving one patient out.

    Parameters
    ----------
    pipeline : Pipeline
        Ends in a frame classifier.
    X : list of ndarray
        Trials.
    y : ndarray of shape (n_trials,)
        Trial labels, two classes.
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
        If there are fewer than two patients, or not two classes.
    """
    if len(np.unique(groups)) < 2:
        raise ValueError(
            f"Scoring on held-out patients needs at least 2, got {np.unique(groups).tolist()}. "
            "Use --no-evaluate to train without."
        )
    if len(classes := np.unique(y)) != 2:
        raise ValueError(f"Trial AUC needs two labels, got {classes.tolist()}.")
    proba = cross_val_predict(
        pipeline,
        X,
        y,
        groups=groups,
        cv=LeaveOneGroupOut(),
        method="predict_proba",
        n_jobs=n_jobs,
    )
    return by_patient(roc_auc_score, y == classes[-1], pool_frames(proba), groups)


@dataclass(frozen=True)
class Assessment:
    """Frame scores of one video.

    Parameters
    ----------
    track : skrehab.pose.PoseTrack
        Pose and times of its frames.
    proba : ndarray of shape (n_frames, n_classes)
        Class probabilities; NaN where nobody was seen.
    classes : list
        What the columns stand for.
    """

    track: object
    proba: np.ndarray
    classes: list


def assess_video(model, video):
    """Extract the pose from a video and score every frame.

    Parameters
    ----------
    model : Pipeline
        Trained; with a :class:`PoseExtractor` as its first step, whose settings are used, or
        without one.
    video : str or path-like
        Video file.

    Returns
    -------
    Assessment
        Pose, times and probabilities.

    Raises
    ------
    skrehab.pose.VideoError
        If the video cannot be read or shows nobody.
    """
    from skrehab.pose import PoseExtractor, extract_pose

    extractor = model.steps[0][1]
    if isinstance(extractor, PoseExtractor):
        model = model[1:]
    else:
        extractor = PoseExtractor(person="steady")
    options = extractor.get_params()
    coordinates = options.pop("coordinates")
    for not_of_one_video in ("on_error", "n_jobs", "verbose"):
        options.pop(not_of_one_video)
    track = extract_pose(video, **options)
    proba = np.array(model.predict_proba([track.landmarks(coordinates)])[0], dtype=float)
    proba[~track.found] = np.nan
    return Assessment(track, proba, model.classes_.tolist())
