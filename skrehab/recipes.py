"""Pipelines by name, from pose trials to frame scores: ours, and the published one."""

from sklearn.base import clone

from skrehab.frames import FrameMLP, FrameTCN
from skrehab.preprocessing import BoneVectors, DisplacementSmoother, PatientReference
from skrehab.pseudo_labels import PatientPipeline, SaliencyPseudoLabeler, parse_threshold
from skrehab.pseudo_labels.thresholds import PUBLISHED_THRESHOLDS
from skrehab.training.augmentation import Augmentation
from skrehab.video import VideoClassifier

__all__ = ["NETWORKS", "published", "recommended"]

#: Networks of the paper, as its authors run them: what differs from one to the next.
NETWORKS = {
    "lstm": {"lr": 1e-3},
    "act": {"network_params": {"size": "large", "n_frames": "all"}},
    "skateformer": {},
    "moment": {},
}


def recommended(
    skeleton="auto",
    *,
    frame_rate=None,
    causal=True,
    n_teachers=2,
    max_epochs="auto",
    augment=True,
    reference=None,
    normal_label=None,
    random_state=None,
):
    """Build the pipeline that we recommend: bones, a teacher that looks ahead, a live student.

    A centred network learns from one label a trial which frames decide; its soft frame labels teach
    a network that sees the past only, so that what is evaluated offline is what runs live. Give
    ``fit(X, y, groups=patients, exercise=exercises)`` what it needs to join trials of one person
    and exercise in training; without them it works too, and learns less.

    Parameters
    ----------
    skeleton : str, Skeleton or None, default="auto"
        Skeleton of the trials. ``"auto"`` tells it from the number of landmarks and fails where
        that is not enough, see :func:`skrehab.skeletons.guess_skeleton`; None takes displacements
        in place of bones, which any landmarks have, and which were weaker wherever we tried both.
    frame_rate : float, optional
        Frames a second of the trials. Networks then look at every n-th frame, about 8 a second,
        which is enough for exercises; every frame has its verdict all the same. None goes by the
        length of the training trials.
    causal : bool, default=True
        Whether the student sees the past only. False is for judging recordings.
    n_teachers : int, default=2
        Teachers of different seeds, whose mean is taken.
    max_epochs : int or "auto", default="auto"
        Epochs of teacher and student; ``"auto"`` makes about 520 steps of the optimiser, in 18 to
        200 epochs.
    augment : bool, default=True
        Change trials in training: splice, turn, offset; see :class:`skrehab.Augmentation`.
    reference : int or PatientReference, optional
        Judge each trial beside so many earlier trials of the same patient and exercise; see
        :class:`skrehab.PatientReference`. Made for :func:`skrehab.adaptation.adapt_to_patient`:
        without trials of the patient it is weaker than without the step.
    normal_label : label, optional
        Label of trials without the motion looked for; needed with text labels.
    random_state : int, optional
        Seed of the networks.

    Returns
    -------
    PatientPipeline
        Not fitted; steps ``bones`` (or ``motion``), ``reference`` where it is asked for,
        ``labels``, ``frames``. A pose with a fourth coordinate, its visibility, loses it there.

    References
    ----------
    Wu et al. 2015, doi 10.1109/CVPR.2015.7298968: pooling the highest scores. Gao et al. 2020,
    arXiv:2006.03732: a teacher that sees whole trials for a student that sees the past.

    Examples
    --------
    >>> from skrehab.recipes import recommended
    >>> [name for name, _ in recommended().steps]
    ['bones', 'labels', 'frames']
    """
    how = {
        "lr": 2e-3,
        "max_epochs": max_epochs,
        "batch_size": 32,
        "weight_decay": 0.0,
        "schedule": "cosine_batch",
        "gradient_clip": None,
        "optimizer": "adamw",
        "standardize": True,
        "augment": None,
        "like_length": 8,
        "random_state": random_state,
    }
    if augment:
        how["augment"] = Augmentation(splice=0.5, rotate=15, offset=0.3, normal_label=normal_label)
    if "step" in VideoClassifier().get_params():
        how["step"] = "auto" if frame_rate is None else max(1, round(frame_rate / 8))
    front = (
        ("motion", DisplacementSmoother()) if skeleton is None else ("bones", BoneVectors(skeleton))
    )
    teacher = VideoClassifier("mil_tcn", network_params={"channels": 32}, **how)
    labels = SaliencyPseudoLabeler(
        teacher,
        method="frame_logits",
        output="soft",
        n_estimators=n_teachers,
        normal_label=normal_label,
    )
    steps = [front, ("labels", labels), ("frames", FrameTCN(causal=causal, **how))]
    if reference is not None:
        if not isinstance(reference, PatientReference):
            reference = PatientReference(reference, normal_label=normal_label)
        elif reference.normal_label is None:
            reference = clone(reference).set_params(normal_label=normal_label)
        steps.insert(1, ("reference", reference))
    return PatientPipeline(steps)


def published(
    network="act",
    method="integrated_gradients",
    thresholds=2,
    *,
    threshold=None,
    max_epochs=100,
    frame_epochs=20,
    normal_label=None,
    random_state=None,
):
    """Build the pipeline of Mesquita et al. 2025 as its authors run it.

    Parameters
    ----------
    network : {"lstm", "act", "skateformer", "moment"} or str, default="act"
        Video network. Others of :func:`skrehab.networks.list_networks` are trained like these, with
        their own defaults.
    method : {"vanilla_gradient", "integrated_gradients", "frame_logits"}, \
            default="integrated_gradients"
        Attribution method.
    thresholds : {1, 2}, default=2
        One threshold of Table II, or the two between which frames are not used.
    threshold : float, (float, float), Quantile or str, optional
        Something else in their place; see :class:`SaliencyPseudoLabeler`. Text is read as on the
        command line, by :func:`skrehab.pseudo_labels.parse_threshold`. For what Table II does not
        have, None takes the highest 38 % of a trial's frames, or 30 % for the plain gradient,
        as later versions of the authors' code do.
    max_epochs : int, default=100
        Epochs of the video network; the authors take 100 to 250 with early stopping.
    frame_epochs : int, default=20
        Epochs of the frame model.
    normal_label : label, optional
        Label of trials without the motion looked for; needed with text labels.
    random_state : int, optional
        Seed of the networks.

    Returns
    -------
    PatientPipeline
        Not fitted; steps ``motion``, ``labels``, ``frames``. It is causal, too.

    Raises
    ------
    ValueError
        If `thresholds` is neither 1 nor 2, or a `threshold` in writing is none.

    Notes
    -----
    Left out on purpose is the authors' early stopping on a random tenth of the trials or frames: it
    lets a patient stand on both sides. Gradient values are clipped at 0.8 and the cosine ends at
    1e-5; the authors give ranges, 0.7 to 0.9 and 1e-6 to 1e-4.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, sections II-C to II-F, Table II; their public code where
    the paper leaves it open.

    Examples
    --------
    >>> from skrehab.recipes import published
    >>> published("lstm", thresholds=1)["labels"].threshold
    'published'
    >>> published("lstm", threshold="2.2,3.2")["labels"].threshold
    (2.2, 3.2)
    """
    if thresholds not in (1, 2):
        raise ValueError(f"thresholds must be 1 or 2, got {thresholds!r}.")
    if threshold is None and (network, method) in PUBLISHED_THRESHOLDS:
        threshold = "published" if thresholds == 1 else "published_dual"
    elif threshold is None:
        threshold = ("quantile", 0.30 if method == "vanilla_gradient" else 0.38)
    elif isinstance(threshold, str):
        threshold = parse_threshold(threshold)
    own = {"lr": 1e-4} | NETWORKS.get(network, {})
    video = VideoClassifier(
        network,
        max_epochs=max_epochs,
        batch_size=16,
        gradient_clip=None,
        gradient_clip_value=0.8,
        min_lr=1e-5,
        random_state=random_state,
        **own,
    )
    labels = SaliencyPseudoLabeler(
        video, method=method, threshold=threshold, label_source="true", normal_label=normal_label
    )
    frames = FrameMLP(
        (256, 128),
        dropout=0.2,
        lr=1e-3,
        max_epochs=frame_epochs,
        batch_size=64,
        gradient_clip=None,
        random_state=random_state,
    )
    motion = DisplacementSmoother(order="smooth_first")
    return PatientPipeline([("motion", motion), ("labels", labels), ("frames", frames)])
