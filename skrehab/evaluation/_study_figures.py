"""The pictures of a study: dots by patient, and two trials over time."""

import io

import numpy as np
from sklearn.metrics import roc_auc_score

from skrehab.metrics.stretches import segments

CUT = 0.5


def _png(figure):
    """A picture as bytes, and the figure let go."""
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight", pad_inches=0.1)
    plt.close(figure)
    return buffer.getvalue()


def patients_figure(study, metric):
    """Dots of every patient, a row a model."""
    from skrehab.report import Figure

    names = [name for name in study.scores[metric] if name != "constant"]
    return Figure(
        _png(study.plot(metric).figure_),
        "A dot is a patient, judged by a model trained on the others.",
        f"Dots of {metric} by patient, a row each for {', '.join(names)}.",
    )


def trial_figures(study, method):
    """The best and the worst of the trials whose saliency was kept: timeline and map."""
    if method is None:
        return []
    seed = study.methods[method].by_seed[0]
    if not seed.explained or seed.frame_scores is None:
        return []
    order = sorted(seed.explained, key=lambda i: _quality(study.data, seed.frame_scores[i], i))
    places = [("The best one", order[-1])]
    if len(order) > 1:
        places.append(("The worst one", order[0]))
    figures = []
    for which, place in places:
        figures += _of_trial(study, method, which, place)
    return figures


def _quality(data, scores, place):
    """How right the model was: by frame truth, else by how high it rated the trial."""
    if data.frame_labels is not None:
        truth = data.truth[place]
        known = truth >= 0
        if len(np.unique(truth[known])) > 1:
            return roc_auc_score(truth[known], scores[known])
    return float(np.quantile(scores, 0.9))


def _of_trial(study, method, which, place):
    from skrehab.inspection import FrameTimelineDisplay, SaliencyMapDisplay
    from skrehab.report import Figure

    data = study.data
    seed = study.methods[method].by_seed[0]
    scores, (drawn, _) = seed.frame_scores[place], seed.explained[place]
    truth = None if data.frame_labels is None else data.truth[place]
    motion = data.pos_label if data.pos_label is not None else "the motion"
    names = {"frame_rate": data.frame_rate, "class_names": ("without", str(motion))}
    timeline = FrameTimelineDisplay.from_predictions(
        np.clip(scores, 0, 1), frame_labels=truth, **names
    )
    who = f"patient {data.groups[place]}"
    what = place if data.trial is None else data.trial[place]
    if data.exercise is not None:
        who = f"{data.exercise[place]}, {who}"
    heading = f"{which}: trial {what}, {who}, judged by {method}."
    figures = [
        Figure(
            _png(timeline.figure_),
            f"{heading} {words(scores, truth, data.frame_rate)}",
            "A curve of the probability of the motion over time"
            + (", and above it a strip of the true labels." if truth is not None else "."),
        )
    ]
    skeleton = _skeleton_of(data, drawn.shape[1])
    heat = SaliencyMapDisplay.from_predictions(
        drawn, frame_labels=truth, skeleton=skeleton, method="integrated_gradients", **names
    )
    figures.append(
        Figure(
            _png(heat.figure_),
            f"What spoke for the motion, and when: trial {what}, {who}, by the network that "
            "teaches (integrated gradients).",
            "A map of body parts against time; bright where the network looked.",
        )
    )
    return figures


def _skeleton_of(data, n_columns):
    """The names of a map's columns, where they can be told."""
    from skrehab.preprocessing import guess_skeleton
    from skrehab.skeletons import bone_skeleton, get_skeleton

    name = data.skeleton
    if name is None and isinstance(data.X[0], np.ndarray):
        try:
            name = guess_skeleton(data.X[0].shape[1])
        except (ValueError, TypeError):
            return None
    for make in (bone_skeleton, get_skeleton):
        try:
            skeleton = make(name)
        except (ValueError, KeyError, TypeError):
            continue
        if len(skeleton.landmarks) == n_columns:
            return skeleton
    return None


def words(scores, truth, frame_rate):
    """When the motion was seen, and when that was wrong, in words."""
    rate, unit = (frame_rate, " s") if frame_rate else (1, "")
    seen = scores >= CUT

    def when(frames):
        spans = segments(frames.astype(int))
        shown = [f"{a / rate:.1f} to {b / rate:.1f}{unit}" for a, b in spans[:4]]
        return (", ".join(shown) or "never") + (
            f" and {len(spans) - 4} more times" if len(spans) > 4 else ""
        )

    text = f"Seen (probability of one half or more): {when(seen)}."
    if truth is not None and (truth >= 0).any():
        text += f" False alarms: {when(seen & (truth == 0))}. Missed: {when(~seen & (truth == 1))}."
    return text
