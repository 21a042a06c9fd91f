"""Several videos at once, where some are bad; arrays instead of files; the command line."""

import contextlib
import io
import sys
import warnings

import numpy as np
from media import moving_astronaut, noise, write_video
from real_files import model_file

from bad_input_cases.case import battery, changed, content, cut, nothing
from bad_input_cases.files import manifest
from skrehab.pose import PoseExtractor, VideoError, blur_faces, extract_pose

CASES, case = battery()
GROUP = "batches of videos"


def batch(folder):
    """Good, damaged, empty, good: two of four can be used, and show nobody."""
    good = [write_video(folder / f"good{i}.mp4", noise(3, seed=i)) for i in range(2)]
    return [good[0], damaged(folder), content("empty.mp4", b"")(folder), good[1]]


def damaged(folder):
    return changed(lambda f: write_video(f / "cut.mp4", noise(40)), cut(0.5))(folder)


def poses(on_error):
    return lambda X: PoseExtractor(model_file(), on_error=on_error).transform(X)


def warned(X):
    """Return the lengths of the trials and what the warnings say."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trials = poses("skip")(X)
    return [len(trial) for trial in trials], [str(one.message) for one in caught]


def all_named(result):
    lengths, said = result
    return lengths == [3, 1, 1, 3] and all(
        any(text.startswith(f"X[{i}]") and name in text for text in said)
        for i, name in enumerate(("good0.mp4", "cut.mp4", "empty.mp4", "good1.mp4"))
    )


case(GROUP, "bad ones are left out and named", batch, warned, all_named, needs_model=True)
case(
    GROUP,
    "all bad ones are named at once",
    batch,
    poses("raise"),
    kind=VideoError,
    names=("cut.mp4", "empty.mp4"),
    needs_model=True,
)
case(GROUP, "empty list", lambda folder: [], poses("raise"), names=("no video",))
case(
    GROUP,
    "one path, no list",
    lambda folder: "clip.mp4",
    poses("raise"),
    kind=TypeError,
    names=("pass [video]",),
)
for label, array in (
    ("floats", np.zeros((2, 9, 9, 3))),
    ("grey", np.zeros((2, 9, 9), np.uint8)),
    ("with alpha", np.zeros((2, 9, 9, 4), np.uint8)),
    ("no frame", np.zeros((0, 9, 9, 3), np.uint8)),
    ("None", None),
    ("a number", 7),
):
    case(
        GROUP,
        f"an array: {label}",
        lambda folder, v=array: [v],
        poses("raise"),
        names=("X[0] must be a path or a uint8 array",),
    )
for label, array in (
    ("one black pixel", np.zeros((2, 1, 1, 3), np.uint8)),
    ("4000 x 4 pixels", np.zeros((2, 4, 4000, 3), np.uint8)),
    ("one white frame", np.full((1, 240, 320, 3), 255, np.uint8)),
):
    case(
        GROUP,
        f"an array: {label}",
        lambda folder, v=array: [v],
        poses("skip"),
        lambda trials: trials[0].shape[1:] == (33, 4) and np.isnan(trials[0][..., :3]).all(),
        needs_model=True,
    )
case(
    GROUP,
    "nobody in it",
    lambda folder: write_video(folder / "nobody.mp4", noise(3)),
    lambda path: extract_pose(path, model_path=model_file()),
    kind=VideoError,
    names=("no person",),
    needs_model=True,
)
case(
    GROUP,
    "faces of a video that is cut",
    damaged,
    lambda path: blur_faces(path, path.with_name("out.mp4"), model_path=model_file()),
    kind=VideoError,
    needs_model=True,
)


# --- the command line -----------------------------------------------------------------------------
class CommandError(Exception):
    """The command ended with an error; the text is what it said on stderr."""


def skrehab(*arguments):
    """Run the command in this process; a traceback is an error of another kind."""
    from skrehab.cli import main as cli

    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["skrehab", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as stop:
        if stop.code:
            raise CommandError(f"exit code {stop.code}: {err.getvalue()}") from None
    finally:
        sys.argv = before
    return out.getvalue()


def pose_of(videos):
    """Analyse them; what is good must be there even if the command ends with an error."""
    output = videos[0].parent / "poses"
    try:
        skrehab("pose", *videos, "-o", output, "--model-path", model_file())
    finally:
        done = sorted(path.name for path in output.iterdir())
        assert done == ["good.npz"], done


def one_good(folder):
    frames = moving_astronaut(2)[0]
    good = write_video(folder / "good.mp4", frames)
    markup = content("[bold]a[0].mp4", b"no video")(folder)
    return [damaged(folder), markup, good, nothing("gone.mp4")(folder)]


GROUP = "command line"
case(
    GROUP,
    "pose: three bad videos and a good one",
    one_good,
    pose_of,
    kind=CommandError,
    names=("cut.mp4", "[bold]a[0].mp4", "gone.mp4", "3 of 4 videos failed"),
    needs_model=True,
)
case(
    GROUP,
    "assess: no model",
    nothing("model"),
    lambda path: skrehab("assess", path, "a.mp4"),
    kind=CommandError,
    names=("There is no model folder",),
)
case(
    GROUP,
    "live: no model",
    nothing("model"),
    lambda path: skrehab("live", path, "--video", "a.mp4", "--headless"),
    kind=CommandError,
    names=("There is no model folder",),
)
case(
    GROUP,
    "train: no manifest",
    nothing("trials.csv"),
    lambda path: skrehab("train", path, "-o", path.with_name("model")),
    kind=CommandError,
)
case(
    GROUP,
    "train: a torn pose file",
    manifest("t1,torn.npy,P1,reach,left,0\n"),
    lambda path: skrehab("train", path, "-o", path.with_name("model")),
    kind=CommandError,
    names=("row 2", "torn.npy"),
)
ONE_PATIENT = manifest("t1,a.npy,P1,reach,left,0\nt2,b.npy,P1,reach,left,1\n")
case(
    GROUP,
    "train: one patient",
    lambda folder: [ONE_PATIENT(folder)],
    lambda paths: skrehab("train", *paths, "-o", paths[0].with_name("model")),
    kind=CommandError,
    names=("at least 2", "P1"),
)
