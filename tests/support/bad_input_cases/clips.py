"""Lost key-points in clips: one wrist of one frame, marked in every way, for networks that mix."""

import functools

import numpy as np

from bad_input_cases.case import battery

CASES, case = battery()

WRIST, FRAME = 9, 12
MARKS = {
    "NaN, score 0": (3, (np.nan, np.nan, 0)),
    "all NaN": (3, (np.nan, np.nan, np.nan)),
    "(0, 0), score 0": (3, (0, 0, 0)),
    "NaN, no score": (2, (np.nan, np.nan)),
}
NETWORKS = {
    "stgcn": {"widths": (8,), "n_units": (1,)},
    "msg3d": {"widths": (12,), "n_gcn_scales": 3, "n_g3d_scales": 2, "windows": (3,)},
    "posec3d": {"base_channels": 4, "stage_blocks": (1,), "image_size": 16},
    "motionbert": dict(dim_feat=16, depth=1, n_heads=2, dim_rep=8, hidden=16),
}


@functools.cache
def walk(n_coords):
    """A person between 500 and 700 pixels who drifts evenly."""
    rng = np.random.RandomState(0)
    trial = np.ones((30, 17, n_coords), np.float32)
    start, speed = 500 + 150 * rng.uniform(size=(17, 2)), rng.uniform(1, 1.7, size=(17, 2))
    trial[..., :2] = start + speed * np.arange(30)[:, None, None]
    return trial


def torn(n_coords, mark, frames=FRAME):
    trial = walk(n_coords).copy()
    trial[frames, WRIST] = mark
    return trial


def clips(network, trial, n_frames):
    import torch

    from skrehab.networks import build
    from skrehab.preprocessing.lost import complete_trials
    from skrehab.training.batching import collate_trials

    params = NETWORKS[network] | {"n_frames": n_frames, "skeleton": "coco17"}
    made = build(network, n_landmarks=17, n_coords=trial.shape[2], n_outputs=1, **params)
    with torch.no_grad():
        return made.clips(**collate_trials(complete_trials([trial]))).numpy()


def like_the_whole(network, n_coords, n_frames):
    """No joint is farther off than it goes in a frame or two."""

    def right(got):
        off = np.abs(got[:, :2] - clips(network, walk(n_coords), n_frames)[:, :2])
        return off.max() < 2 * max(1, 30 / n_frames)

    return right


for mark, (n_coords, value) in MARKS.items():
    for network in NETWORKS:
        for n_frames in (12, 30, 48):
            case(
                "lost key-points in clips",
                f"{mark}, {network}, {n_frames} of 30 frames",
                lambda folder, n=n_coords, v=value: torn(n, v),
                lambda trial, w=network, n=n_frames: clips(w, trial, n),
                like_the_whole(network, n_coords, n_frames),
            )


def filled(trial):
    from skrehab.preprocessing.lost import complete_poses

    return complete_poses(trial)


for label, frames in (("first", 0), ("last", 29), ("first ten", range(10)), ("middle", 15)):
    known = [t for t in range(30) if t not in np.atleast_1d(frames)]
    case(
        "lost key-points in clips",
        f"filled, {label} frames",
        lambda folder, f=frames: torn(2, (np.nan, np.nan), np.atleast_1d(f)),
        filled,
        lambda got, k=known: np.allclose(
            got[:, WRIST, 0], np.interp(range(30), k, walk(2)[k, WRIST, 0]), rtol=1e-5
        ),
    )


def moved(trial):
    """Displacements from the first frame, in which every number is zero, and lost in no frame."""
    return filled(trial - trial[:1])


case(
    "lost key-points in clips",
    "a displacement of zero",
    lambda folder: walk(3),
    moved,
    lambda got: np.array_equal(got, walk(3) - walk(3)[:1]),
)


def scaled(trial):
    import torch

    from skrehab.networks.pose_input import PoseInput

    return PoseInput(17, trial.shape[2])(torch.from_numpy(trial)[None])[0].numpy()


case(
    "lost key-points in clips",
    "a zero is a place of its own",
    lambda folder: torn(2, (0, 0)),
    scaled,
    lambda got: np.allclose(got[FRAME, WRIST], -1) and got.max() == 1,
)


def box(trial):
    from skrehab.training.modalities import normalize_pose

    return normalize_pose(trial, 2)


for mark, (n_coords, value) in MARKS.items():
    case(
        "lost key-points in clips",
        f"{mark}, the person's box",
        lambda folder, n=n_coords, v=value: torn(n, v),
        box,
        lambda got, n=n_coords: np.allclose(
            np.delete(got, FRAME, axis=0)[..., :2], np.delete(box(walk(n)), FRAME, 0)[..., :2]
        ),
    )
