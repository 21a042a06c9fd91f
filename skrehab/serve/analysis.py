"""From one video to all that the page shows of it, as plain data for JSON."""

import base64
import contextlib
import math

import numpy as np

from skrehab.assessment import (
    MOST_FRAMES,
    columns_of,
    features_before,
    frame_scores,
    judge_trial,
    label_names_of,
    scores_frames,
    steps_of,
    video_stage,
)
from skrehab.live.cues import CueRule, cue_frames, rule_for
from skrehab.metrics.motion import motion_scores
from skrehab.metrics.told_normal import normal_first
from skrehab.persistence.names import name_classes
from skrehab.pose import PoseExtractor, split_pose_step
from skrehab.saliency.attribution import METHODS
from skrehab.skeletons import body_parts, get_skeleton
from skrehab.skeletons.parts import PARTS

from .worker import find_pose

__all__ = ["analyse_video", "describe_model", "split_model"]

# Attention over n frames takes memory in n squared, and integrated gradients many rows at a time.
_MOST_FRAMES = {"integrated_gradients": 600, "vanilla_gradient": MOST_FRAMES}


def split_model(model, model_path=None):
    """Split a model into the settings of its pose step, and what comes after the pose.

    Parameters
    ----------
    model : estimator
        Fitted; if a :class:`PoseExtractor` is its first step, that one's settings are used.
    model_path : str or path-like, optional
        Pose model file, instead of the model's own.

    Returns
    -------
    extractor : PoseExtractor
        A copy. Nothing is cached, and no telemetry allowed, whatever the model says.
    rest : estimator
        What takes poses.

    Raises
    ------
    TypeError
        If the model cannot tell anything of a pose trial.

    Examples
    --------
    >>> import skrehab
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrehab.serve.analysis import split_model
    >>> model = make_pipeline(skrehab.PoseExtractor(target_fps=15), skrehab.FrameMLP())
    >>> extractor, rest = split_model(model, "pose.task")
    >>> extractor, [name for name, _ in rest.steps]
    (PoseExtractor(model_path='pose.task', target_fps=15), ['framemlp'])
    """
    extractor, model = split_pose_step(model)
    extractor = extractor or PoseExtractor(person="steady")
    extractor.set_params(memory=None, allow_telemetry=False)
    if model_path is not None:
        extractor.set_params(model_path=str(model_path))
    last = steps_of(model)[-1]
    several = hasattr(last, "n_labels_") and not hasattr(last, "label_names_")
    if not hasattr(last, "predict_proba") or several:
        raise TypeError(
            "This page shows models that end in a frame classifier, such as FrameMLP, or in a "
            f"VideoClassifier; this one ends in {type(last).__name__}."
        )
    if getattr(last, "n_landmarks_", 0) is None:
        raise TypeError(
            f"This page shows models of poses; the network {last.network!r} looks at pixels."
        )
    return extractor, model


def describe_model(model, labels=None):
    """Tell what a model can say, for the head of the page.

    Parameters
    ----------
    model : estimator
        What takes poses, fitted.
    labels : list of str or dict of label to str, optional
        Name of each code, or of each class; None takes the codes themselves, and words name
        themselves.

    Returns
    -------
    dict
        ``labels``, ``several`` (whether a frame may have several of them), ``frames`` (whether it
        scores frames) and ``saliency`` (whether there is a video network to ask for reasons).

    Examples
    --------
    >>> import numpy as np, skrehab
    >>> from skrehab.serve import describe_model
    >>> X, y = [np.zeros((4, 5, 3))], [np.array([0, 0, 1, 1])]
    >>> model = skrehab.FrameMLP(max_epochs=1, random_state=0).fit(X, y)
    >>> describe_model(model, ["usual", "lean"])
    {'labels': ['usual', 'lean'], 'several': False, 'frames': True, 'saliency': False}
    """
    last = steps_of(model)[-1]
    return {
        "labels": class_labels(model, labels),
        "several": label_names_of(model) is not None,
        "frames": scores_frames(last),
        "saliency": video_stage(model) is not None,
    }


def analyse_video(
    model,
    video,
    extractor,
    *,
    frame_rate=None,
    labels=None,
    rule=CueRule(),  # noqa: B008  it is immutable
    progress=None,
    pose=find_pose,
):
    """Find the pose in a video and all that the model says of it.

    Parameters
    ----------
    model : estimator
        What takes poses, fitted.
    video : str or path-like
        Video file.
    extractor : PoseExtractor
        Settings of the pose.
    frame_rate : float, optional
        Frames a second of the trials that the model was trained on; see
        :func:`skrehab.pose.match_frame_rate`.
    labels : list of str or dict of label to str, optional
        Name of each code of the model, or of each class.
    rule : CueRule
        What switches the cue on and off.
    progress : callable, optional
        Called with the number of frames done, after each frame.
    pose : callable
        ``pose(extractor, video, frame_rate, progress)`` returns a PoseTrack, and whether the video
        was resampled to ``frame_rate``. The page finds it in a process of its own.

    Returns
    -------
    dict
        ``times`` in seconds; ``landmarks``, a list of x, y (shares of the picture, times 10,000)
        and visibility (times 100) for each frame, None where nobody is seen; ``scores`` and
        ``probabilities`` of the frames, and whether they are of the ``sameNetwork`` that judges the
        whole; ``cue``, and ``cues`` by label where frames may have several; the ``verdict`` on the
        whole video; the ``saliency`` map; ``notes`` on what is left out and why.

    Raises
    ------
    skrehab.pose.VideoError
        If the video cannot be read or shows nobody.

    Examples
    --------
    >>> import skrehab
    >>> from skrehab.serve import analyse_video
    >>> model = skrehab.load("model")  # doctest: +SKIP
    >>> result = analyse_video(model[1:], "clip.mp4", model[0])  # doctest: +SKIP
    >>> result["verdict"]["label"]  # doctest: +SKIP
    'lean'
    """
    track, resampled = pose(extractor, video, frame_rate, progress)
    trial = track.landmarks(extractor.coordinates)
    found = track.found
    notes = []
    if resampled:
        notes.append(
            f"The video was resampled to {frame_rate:g} frames a second, as the model was trained."
        )
    if not found.all():
        notes.append(f"Nobody was seen in {(~found).sum()} of {len(found)} frames.")
    result = {
        "width": track.width,
        "height": track.height,
        "times": [round(float(time), 4) for time in track.timestamps],
        "landmarks": [_pixels(frame, track.width, track.height) for frame in track.image],
        "labels": None,
        "sameNetwork": hasattr(steps_of(model)[-1], "saliency"),
        "probabilities": None,
        "scores": None,
        "cue": None,
        "cues": None,
    }
    last = steps_of(model)[-1]
    proba = None
    if scores_frames(last):
        proba = frame_scores(model, trial)
        proba[~found] = np.nan
        several = label_names_of(model) is not None
        ordered = proba[:, columns_of(model)]
        scores = motion_scores(ordered, several)
        result["labels"] = class_labels(model, labels)
        result["probabilities"] = [_numbers(row) for row in ordered]
        result["scores"] = _numbers(scores)
        of_each, rule = (proba.T if several else [scores]), rule_for(model, rule)
        cues = [cue_frames(one, track.timestamps, rule).astype(int) for one in of_each]
        result["cue"] = np.max(cues, axis=0).tolist()
        result["cues"] = [one.tolist() for one in cues] if several else None
    result["verdict"], result["saliency"] = _whole_video(model, trial, proba, labels, notes)
    result["notes"] = notes
    return result


# --- parts of a model -----------------------------------------------------------------------------
def class_labels(model, labels):
    """Names of a model's classes, the normal one first."""
    classes = np.asarray(steps_of(model)[-1].classes_)[columns_of(model)]
    return named(classes, labels, label_names_of(model))


def named(classes, labels, own=None):
    """Name classes for the page: by their labels, those of a model of several, or themselves."""
    codes, names = np.asarray(classes).tolist(), None
    if isinstance(labels, dict):
        names = [labels.get(code) for code in codes]
    elif labels is None or (isinstance(labels, list | tuple) and labels):
        with contextlib.suppress(ValueError):  # said below for whoever calls from Python
            names = name_classes(codes, labels, own=own)
    listed = labels if isinstance(labels, list | tuple) else []
    if names is None or not all(isinstance(name, str) for name in [*names, *listed]):
        raise ValueError(
            f"labels must be a list of names, one for each of the codes {codes[:20]} of the model, "
            f"or a dict with a name for each, got {str(labels)[:200]}."
        )
    return [sendable(name) for name in names]


def sendable(text):
    """Replace what UTF-8 cannot hold, such as halves of letters that a model's JSON may have."""
    return text.encode("utf-8", "replace").decode()


# --- the whole video ------------------------------------------------------------------------------
def _whole_video(model, trial, proba, labels, notes):
    """Return verdict and saliency map; what fails is left out and noted."""
    said = judge_trial(model, trial, proba)
    several = label_names_of(model) is not None
    if said.video is None:
        if said.note:
            notes.append(said.note)
        if several:
            return _verdict_by_label(class_labels(model, labels), said.labels, "frames"), None
        return _pooled_verdict(model, proba, said.frames, labels), None
    step, classifier = video_stage(model)
    names = named(said.classes, labels, label_names_of(model))
    order = normal_first(model, said.classes)
    # what the teacher of a model of several labels says stands for reasons only: its frames judge
    verdict = (
        _verdict_by_label(names, said.labels, "frames")
        if several
        else _verdict([names[i] for i in order], said.video[order], "video")
    )
    code = classifier.classes_[int(np.argmax(said.video))]
    try:
        saliency = _saliency(model, step, classifier, features_before(model, step, trial), code)
    except (ValueError, RuntimeError, MemoryError) as error:  # the verdict is worth showing
        notes.append(f"The network that judges whole videos could not give reasons: {error}")
        return verdict, None
    if saliency is not None:
        saliency["label"] = names[int(np.argmax(said.video))]
    return verdict, saliency


def _pooled_verdict(model, proba, score, labels):
    """Judge by the frames: the mean of the highest scores, as trials are scored in evaluation."""
    if not math.isfinite(score):
        return None
    known = proba[np.isfinite(proba).all(axis=1)][:, columns_of(model)]
    names = class_labels(model, labels)
    others = known[:, 1:].mean(axis=0)
    others = others / others.sum() if others.sum() > 0 else np.full(len(others), np.nan)
    return _verdict(names, [1 - score, *np.nan_to_num(score * others)], "frames")


def _verdict(names, shares, source):
    best = int(np.argmax(shares))
    return {
        "label": names[best],
        "usual": best == 0,
        "labels": names,
        "probabilities": _numbers(shares),
        "source": source,
    }


def _verdict_by_label(names, shares, source):
    """Name the labels that are more likely than not; each stands for itself."""
    if shares is None:
        return None
    found = [name for name, share in zip(names, shares) if share >= 0.5]
    return {
        "label": ", ".join(found) or "usual",
        "usual": not found,
        "labels": names,
        "probabilities": _numbers(shares),
        "source": source,
    }


def _saliency(model, step, classifier, features, target):
    """Ask why: landmarks x frames, 0 to 255, in the order of body parts; None if all is flat."""
    method = getattr(step, "method", "integrated_gradients")
    if method not in METHODS or method == "frame_logits":  # those have no landmarks
        method = "integrated_gradients"
    if len(features) > _MOST_FRAMES[method]:
        method = "vanilla_gradient"
    found = classifier.saliency(
        *([features],),
        method=method,
        target=target,
        baseline=getattr(step, "baseline", "zeros"),
        n_steps=getattr(step, "n_steps", "auto"),
        return_maps=True,
    )
    weights = np.nan_to_num(np.asarray(found.maps[0], dtype=float)).T
    top = np.quantile(weights, 0.995) or weights.max()  # a single spike would darken all the rest
    if not top > 0:
        return None
    rows = _rows(model, step, len(weights))
    levels = np.clip(255 * weights[[row["index"] for row in rows]] / top, 0, 255)
    return {
        "method": method.replace("_", " "),
        "rows": [{"name": row["name"], "part": row["part"]} for row in rows],
        "values": base64.b64encode(levels.round().astype(np.uint8).tobytes()).decode(),
    }


def _rows(model, until, n_landmarks):
    """Name landmarks and body parts in the order in which a person is drawn, head to feet."""
    skeleton = get_skeleton("mediapipe33")
    for step in steps_of(model):
        if step is until:
            break
        if hasattr(step, "source_") and hasattr(step, "target"):  # a SkeletonConverter
            skeleton = get_skeleton(step.target)
        elif getattr(step, "bone_skeleton_", None) is not None:  # BoneVectors
            skeleton = step.bone_skeleton_
        elif hasattr(step, "measure_skeleton_"):  # KinematicMeasures
            skeleton = step.measure_skeleton_
    if skeleton.n_landmarks != n_landmarks:
        named = [{"index": i, "name": f"landmark {i}"} for i in range(n_landmarks)]
        return [row | {"part": "other"} for row in named]
    rows = [
        {"index": i, "name": name.replace("_", " "), "part": part}
        for i, (name, part) in enumerate(zip(skeleton.landmarks, body_parts(skeleton)))
    ]
    return sorted(rows, key=lambda row: PARTS.index(row["part"]))


# --- numbers --------------------------------------------------------------------------------------
def _pixels(frame, width, height):
    if not np.isfinite(frame[:, :2]).any():
        return None
    shares = np.nan_to_num(frame[:, [0, 1, 3]] / [width / 1e4, height / 1e4, 0.01], nan=-1e6)
    return shares.clip(-1e6, 1e6).round().astype(int).ravel().tolist()


def _numbers(values):
    return [None if not math.isfinite(value) else round(float(value), 5) for value in values]
