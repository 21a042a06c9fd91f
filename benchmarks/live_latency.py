"""What a live score costs after the pose, and whether a real video keeps up.

First table: one ``FrameStream.push`` of a pose with 33 landmarks, beside the naive way of asking
the whole pipeline anew about a window of one second, and about ten seconds of a trial, at 30 frames
a second. (The naive way also needs the trial from its start, or another frame becomes the reference
of the displacement; and a temporal network sees less in a short window.) The recommended pipeline
is BoneVectors + FrameTCN. Models are fitted on synthetic patients; milliseconds of wall time, and
the 99th percentile of processor time beside it, which does not count the turns of other programs.

Second table: a real video, decoded, posed and scored frame by frame by that pipeline, beside a bare
loop of PyAV and MediaPipe, turn and turn about. Target: under 1 ms a frame after the pose (p99),
and more than 30 frames a second end to end where the bare loop has them.

Run it on a quiet machine: python benchmarks/live_latency.py [VIDEO ...]; without videos it takes
those of ../shared/videos.
"""

import argparse
import os
import pathlib
import statistics
import time

import numpy as np
from _report import markdown_table, write_report
from pose_overhead import bare_loop
from sklearn.pipeline import make_pipeline

from skrehab import (
    BoneVectors,
    DisplacementSmoother,
    FrameMLP,
    FrameStream,
    FrameTCN,
    LandmarkScaler,
    PoseExtractor,
    VideoClassifier,
)
from skrehab.datasets import make_rehab_trials
from skrehab.pose import ModelError, PoseStream, find_model, read_frames

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"


RECOMMENDED = "BoneVectors + FrameTCN"
MIL = "BoneVectors + VideoClassifier('mil_tcn', causal)"


def pipelines():
    """Return the pipelines by name; sizes are those of the recipe."""
    short = {"max_epochs": 3, "random_state": 0}
    mil = VideoClassifier("mil_tcn", network_params={"causal": True}, standardize=True, **short)
    return {
        "DisplacementSmoother + FrameMLP((64,))": make_pipeline(
            DisplacementSmoother(causal=True), FrameMLP((64,), **short)
        ),
        "DisplacementSmoother + LandmarkScaler + FrameMLP((256, 256))": make_pipeline(
            DisplacementSmoother(causal=True), LandmarkScaler(), FrameMLP((256, 256), **short)
        ),
        RECOMMENDED: make_pipeline(BoneVectors("mediapipe33"), FrameTCN(**short)),
        MIL: make_pipeline(BoneVectors("mediapipe33"), mil),
    }


def fitted(name):
    """Return a pipeline fitted on synthetic patients, and a long trial for it."""
    data = make_rehab_trials(4, 2, random_state=0)
    X = [np.concatenate([trial, np.ones_like(trial[..., :1])], axis=2) for trial in data.X]
    pipeline = pipelines()[name]
    return pipeline.fit(X, data.y if name == MIL else data.frame_labels), np.concatenate(X)


def offline(pipeline, trial):
    """Score the frames of a whole trial."""
    last, values = pipeline[-1], pipeline[:-1].transform([trial])
    return (getattr(last, "predict_frame_proba", None) or last.predict_proba)(values)[0]


def percentiles(what, call, n_calls):
    """Time calls one by one; return a row of the first table."""
    for i in range(min(100, n_calls)):
        call(i)
    wall, processor = np.empty(n_calls), np.empty(n_calls)
    for i in range(n_calls):
        began, used = time.perf_counter(), time.thread_time()
        call(100 + i)
        processor[i], wall[i] = time.thread_time() - used, time.perf_counter() - began
    p50, p95, p99 = 1000 * np.percentile(wall, [50, 95, 99])
    return {
        "call": what,
        "calls": n_calls,
        "p50, ms": f"{p50:.3f}",
        "p95, ms": f"{p95:.3f}",
        "p99, ms": f"**{p99:.3f}**",
        "p99, ms of processor": f"{1000 * np.percentile(processor, 99):.3f}",
    }


def compare_calls(n_calls):
    """Return the rows of the first table."""
    rows = []
    for names in pipelines():
        pipeline, trial = fitted(names)
        stream, n = FrameStream(pipeline), len(trial)
        live = [stream.push(frame, t / 30) for t, frame in enumerate(trial[:300])]
        # the same work is done
        np.testing.assert_allclose(live, offline(pipeline, trial[:300]), rtol=0, atol=1e-6)
        stream.reset()

        def push(i, stream=stream, trial=trial, n=n):
            stream.push(trial[i % n], i / 30)

        rows.append(percentiles(f"FrameStream.push, {names}", push, n_calls))
        for length in (30, 300):

            def ask(i, pipeline=pipeline, window=trial[:length]):
                offline(pipeline, window)

            what = f"offline, {length} frames, {names}"
            rows.append(percentiles(what, ask, max(100, n_calls // 20)))
    return rows


def live_loop(video, model, pipeline):
    """Score a video frame by frame; return seconds spent after the pose, one entry a frame."""
    poses, stream, after = PoseStream(PoseExtractor(model)), FrameStream(pipeline), []
    for timestamp, picture in read_frames(video):
        landmarks = poses.push(picture, timestamp)
        began = time.perf_counter()
        stream.push(landmarks, timestamp)
        after.append(time.perf_counter() - began)
    poses.reset()
    return after


def compare_loops(video, model, repeats):
    """Return a row of the second table."""
    pipeline, _ = fitted(RECOMMENDED)
    wall, processor, after = {"bare": [], "live": []}, {"bare": [], "live": []}, []
    n_frames = len(bare_loop(video, model)[2])  # warms up
    for turn in range(repeats):
        for who in ("bare", "live") if turn % 2 == 0 else ("live", "bare"):
            began, used = time.perf_counter(), time.process_time()
            if who == "bare":
                bare_loop(video, model)
            else:
                after += live_loop(video, model, pipeline)
            wall[who].append(time.perf_counter() - began)
            processor[who].append(time.process_time() - used)
    wall, processor = (
        {who: statistics.median(taken) for who, taken in seconds.items()}
        for seconds in (wall, processor)
    )
    return {
        "video": os.path.basename(video),
        "frames": n_frames,
        "bare loop, frames a second": f"{n_frames / wall['bare']:.1f}",
        "live, frames a second": f"**{n_frames / wall['live']:.1f}**",
        "ratio of processor time": f"{processor['live'] / processor['bare']:.3f}",
        "after the pose: p50, ms": f"{1000 * np.percentile(after, 50):.3f}",
        "p99, ms": f"**{1000 * np.percentile(after, 99):.3f}**",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="*", help="default: the videos of ../shared/videos")
    parser.add_argument("--calls", type=int, default=20_000, help="pushes to time")
    parser.add_argument("--repeats", type=int, default=3, help="of each loop over a video")
    options = parser.parse_args()
    rows = compare_calls(options.calls)
    videos = options.videos or [str(path) for path in sorted((SHARED / "videos").glob("*.mp4"))]
    try:
        model = find_model()
    except ModelError:
        model = SHARED / "models" / "pose_landmarker_full.task"
    notes = (
        f"Load of the machine when it began: {os.getloadavg()[0]:.1f} programs; "
        f"niceness of this one: {os.nice(0)}.\n"
    )
    packages = ["numpy", "torch", "scikit-learn"]
    if videos and os.path.exists(model):
        loops = [compare_loops(video, model, options.repeats) for video in videos]
        notes += f"\nReal videos, end to end:\n\n{markdown_table(loops)}\n"
        packages += ["mediapipe", "av"]
    about = "\n\n".join(__doc__.split("\n\n")[1:3])
    write_report("live_latency", rows, about, packages=packages, notes=notes)


if __name__ == "__main__":
    main()
