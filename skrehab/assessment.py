"""A trained model on one video: from the file to a score a frame, and a verdict on the whole."""

from dataclasses import dataclass

import numpy as np

from skrehab.metrics.motion import motion_scores
from skrehab.metrics.told_normal import normal_first

__all__ = [
    "Assessment",
    "Verdict",
    "assess_video",
    "features_before",
    "frame_scores",
    "judge_trial",
    "label_names_of",
    "scores_frames",
    "steps_of",
    "video_stage",
]

# Attention over n frames takes memory in n squared: a network of whole videos is asked about so
# many at most.
MOST_FRAMES = 3000


@dataclass(frozen=True)
class Verdict:
    """What a model says of a whole trial, by its frames and by its video network.

    The two are different networks and may contradict each other.

    Parameters
    ----------
    frames : float
        Probability of any class but the normal one, pooled from the frames as in evaluation: the
        mean of the highest tenth; nan where nobody was seen, or the model scores no frames.
    video : ndarray of shape (n_video_classes,), optional
        Class probabilities by the network that sees the whole video; None if the model has none,
        or it could not be asked.
    classes : list, optional
        Codes of these classes.
    note : str, optional
        Why the video network could not be asked.
    labels : ndarray of shape (n_labels,), optional
        Of a model of several labels: the probability of each, pooled from the frames as above;
        `frames` is the highest of them, `video` and `classes` are of the labels too.
    """

    frames: float
    video: np.ndarray | None = None
    classes: list | None = None
    note: str | None = None
    labels: np.ndarray | None = None


@dataclass(frozen=True)
class Assessment:
    """Frame scores of one video.

    Parameters
    ----------
    track : skrehab.pose.PoseTrack
        Pose and times of its frames.
    proba : ndarray of shape (n_frames, n_classes)
        Class probabilities, the normal class first; NaN where nobody was seen. Of a model of
        several labels the probability of each, (n_frames, n_labels).
    resampled_to : float, optional
        Frames a second to which the video was brought, since the model was trained so.
    classes : list, optional
        Code of each column of `proba`.
    verdict : Verdict, optional
        What the model says of the whole video.
    label_names : list of str, optional
        Names of the labels, where a frame may have several.
    """

    track: object
    proba: np.ndarray
    resampled_to: float | None = None
    classes: list | None = None
    verdict: Verdict | None = None
    label_names: list | None = None

    @property
    def score(self):
        """Probability of any class but the normal one, or of the likeliest label, (n_frames,)."""
        return motion_scores(self.proba, self.label_names is not None)

    @property
    def n_seen(self):
        """Number of frames with a pose; the others have no score."""
        return int(self.track.found.sum())

    def n_from(self, threshold):
        """Count the frames with a pose whose score is at a threshold or above.

        Parameters
        ----------
        threshold : float
            Probability.

        Returns
        -------
        int
            Of `n_seen` frames.
        """
        return int((self.score >= threshold).sum())  # nan is not


def assess_video(model, video, *, frame_rate=None, model_path=None, progress=None):
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
    model_path : str or path-like, optional
        Pose model file, instead of the model's own.
    progress : callable, optional
        Called with the number of frames done, after each frame.

    Returns
    -------
    Assessment
        Pose, times, probabilities, and the verdict on the whole.

    Raises
    ------
    ValueError
        If the model was trained on other landmarks than those that videos give, or scores no
        frames.
    skrehab.pose.VideoError
        If the video cannot be read or shows nobody.
    """
    from skrehab.pose import PoseExtractor, extract_with, match_frame_rate, split_pose_step

    extractor, model = split_pose_step(model)
    if extractor is None:
        extractor = PoseExtractor(person="steady")
        _check_landmarks(model)
    if model_path is not None:
        extractor.set_params(model_path=str(model_path))
    last = steps_of(model)[-1]
    if not scores_frames(last):
        raise ValueError(
            f"This model ends in {type(last).__name__}, which judges whole videos and scores no "
            "frames. 'skrehab serve' shows its verdict."
        )
    own_rate, extractor = extractor.target_fps, match_frame_rate(extractor, video, frame_rate)
    track = extract_with(extractor, video, progress=progress)
    trial = track.landmarks(extractor.coordinates)
    proba = frame_scores(model, trial)
    proba[~track.found] = np.nan
    order = columns_of(model)
    return Assessment(
        track,
        proba[:, order],
        None if extractor.target_fps == own_rate else frame_rate,
        np.asarray(last.classes_)[order].tolist(),
        judge_trial(model, trial, proba),
        label_names_of(model),
    )


def judge_trial(model, trial, proba=None):
    """Judge a whole trial, by its frames and by the video network of a model.

    Parameters
    ----------
    model : estimator
        What takes poses, fitted.
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        The pose.
    proba : ndarray of shape (n_frames, n_classes), optional
        What the model said of its frames; NaN where nobody was seen.

    Returns
    -------
    Verdict
        Both, as far as the model has them.

    Examples
    --------
    >>> import numpy as np, skrehab
    >>> from skrehab.assessment import judge_trial
    >>> X, y = [np.zeros((4, 5, 3))], [np.array([0, 0, 1, 1])]
    >>> model = skrehab.FrameMLP(max_epochs=1, random_state=0).fit(X, y)
    >>> judge_trial(model, X[0], np.array([[0.75, 0.25], [0.5, 0.5]]))
    Verdict(frames=0.5, video=None, classes=None, note=None, labels=None)
    """
    from skrehab.metrics import pool_frames

    known = None if proba is None else proba[np.isfinite(proba).all(axis=1)]
    frames, labels = np.nan, None
    if known is not None and len(known) and label_names_of(model) is not None:
        labels = np.array([pool_frames([column])[0] for column in known.T])
        frames = float(labels.max())
    elif known is not None and len(known):
        frames = float(pool_frames([motion_scores(known[:, columns_of(model)], False)])[0])
    stage = video_stage(model)
    if stage is None:
        return Verdict(frames, labels=labels)
    step, classifier = stage
    features = features_before(model, step, trial)
    if len(features) > MOST_FRAMES:
        return Verdict(
            frames,
            note=f"The video has {len(features)} frames; the network that judges whole videos is "
            f"asked about {MOST_FRAMES} at most. Cut a part out to ask it.",
            labels=labels,
        )
    try:
        shares = np.asarray(classifier.predict_proba([features])[0], dtype=float)
    except (ValueError, RuntimeError, MemoryError) as error:  # the frame scores are worth having
        note = f"The network that judges whole videos could not be asked: {error}"
        return Verdict(frames, note=note, labels=labels)
    return Verdict(frames, shares, np.asarray(classifier.classes_).tolist(), labels=labels)


# --- parts of a model -----------------------------------------------------------------------------
def steps_of(model):
    """List the steps of a pipeline, those of pipelines in it too.

    Parameters
    ----------
    model : estimator
        Any; one that is no pipeline is its own step.

    Returns
    -------
    list of estimator
        Without those that are switched off.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrehab import DisplacementSmoother, FrameMLP
    >>> from skrehab.assessment import steps_of
    >>> steps_of(make_pipeline(make_pipeline(DisplacementSmoother()), "passthrough", FrameMLP()))
    [DisplacementSmoother(), FrameMLP()]
    """
    if not hasattr(model, "steps"):
        return [model]
    found = []
    for _, step in model.steps:
        if step is not None and not isinstance(step, str):
            found += steps_of(step)
    return found


def video_stage(model):
    """Find the video classifier of a model, which can be asked for reasons.

    Parameters
    ----------
    model : estimator
        What takes poses, fitted.

    Returns
    -------
    (step, classifier) or None
        The step that holds it, and itself; None where there is none.
    """
    for step in steps_of(model):
        inner = getattr(step, "estimator_", getattr(step, "teacher_", None) or step)
        if hasattr(inner, "saliency") and getattr(inner, "n_landmarks_", 0) is not None:
            return step, inner
    return None


def columns_of(model):
    """Order the columns of a model's frames, so that the first is that of the normal class.

    Parameters
    ----------
    model : estimator
        What takes poses, fitted.

    Returns
    -------
    ndarray of int of shape (n_classes,)
        As they are where a frame may have several labels.
    """
    return normal_first(model, steps_of(model)[-1].classes_, label_names_of(model) is not None)


def label_names_of(model):
    """Name the labels of a model of whose frames one may have several.

    Parameters
    ----------
    model : estimator
        What takes poses, fitted.

    Returns
    -------
    list of str or None
        Of :class:`skrehab.MultiLabelFrames`, a name a column; None where a frame has one class.

    Examples
    --------
    >>> import numpy as np, skrehab
    >>> from skrehab.assessment import label_names_of
    >>> X, y = [np.zeros((4, 5, 3))], [np.array([[0, 0], [0, 1], [1, 1], [1, 0]])]
    >>> model = skrehab.MultiLabelFrames(skrehab.FrameMLP(max_epochs=1), label_names=["a", "b"])
    >>> label_names_of(model.fit(X, y))
    ['a', 'b']
    """
    names = getattr(steps_of(model)[-1], "label_names_", None)
    return None if names is None else list(names)


def features_before(model, until, trial):
    """Take a trial through the steps before one of them, as predict does: without resamplers.

    Parameters
    ----------
    model : estimator
        What takes poses, fitted.
    until : estimator
        One of its steps.
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        The pose.

    Returns
    -------
    ndarray of shape (n_frames, ...)
        What that step takes.
    """
    for step in steps_of(model):
        if step is until:
            break
        if not hasattr(step, "fit_resample"):
            trial = step.transform([trial])[0]
    return trial


def frame_scores(model, trial):
    """Score the frames of one trial, by whatever in a model scores frames.

    Parameters
    ----------
    model : estimator
        What takes poses, fitted; it ends in a frame classifier, or in a video classifier whose
        network scores frames.
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        The pose.

    Returns
    -------
    ndarray of shape (n_frames, n_classes)
        Probabilities.
    """
    last = steps_of(model)[-1]
    if not hasattr(last, "saliency"):
        return np.array(model.predict_proba([trial])[0], dtype=float)
    features = features_before(model, last, trial)
    return np.array(last.predict_frame_proba([features])[0], dtype=float)


def scores_frames(last):
    """Tell whether a model says something of each frame.

    Parameters
    ----------
    last : estimator
        Its last step, fitted.

    Returns
    -------
    bool
        Whether :func:`frame_scores` has an answer.
    """
    return not hasattr(last, "saliency") or hasattr(last.module_, "frame_logits")


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
