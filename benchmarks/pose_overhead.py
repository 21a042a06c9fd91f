"""What PoseExtractor costs beside a bare MediaPipe loop, and what a second process brings.

Both loops take the same videos and the same model file in one run, turn and turn about, so that
whatever else the machine does meets both. The bare loop is the least one can write: PyAV decodes,
MediaPipe's landmarker in VIDEO mode looks at each frame, world and image landmarks go into arrays;
it leaves out rotation, resampling, repair of times, choice of a person and error handling.
Medians; targets: at most 1.05 times the bare loop, and at least 1.8 times as fast with n_jobs=2.

Run it on a quiet machine: python benchmarks/pose_overhead.py [VIDEO ...]; without videos it takes
those of ../shared/videos.
"""

import argparse
import os
import pathlib
import statistics
import time
import warnings

import numpy as np
from _report import markdown_table, write_report

from skrehab.pose import ModelError, PoseExtractor, extract_pose, find_model

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"
TWO_PEOPLE = "two_people_roof.mp4"


def bare_loop(video, model):
    """Return (world, image, times) of one person, the shortest way."""
    import av
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        running_mode=vision.RunningMode.VIDEO,
    )
    world, image, times = [], [], []
    nobody = np.full((33, 4), np.nan, dtype=np.float32)
    with vision.PoseLandmarker.create_from_options(options) as landmarker, av.open(video) as file:
        stream = file.streams.video[0]
        stream.thread_type = "NONE"
        for frame in file.decode(stream):
            # without the copy, MediaPipe reads PyAV's padded rows as if they were not padded
            picture = np.ascontiguousarray(frame.to_ndarray(format="rgb24"))
            picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)
            result = landmarker.detect_for_video(picture, int(frame.time * 1000))
            for poses, kept in (
                (result.pose_world_landmarks, world),
                (result.pose_landmarks, image),
            ):
                points = [(p.x, p.y, p.z, p.visibility) for p in poses[0]] if poses else nobody
                kept.append(np.array(points, dtype=np.float32))
            times.append(frame.time)
    return np.array(world), np.array(image), np.array(times)


def clock(function, *arguments):
    """Return wall seconds, processor seconds of this process, and the result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = function(*arguments)
    return time.perf_counter() - wall, time.process_time() - processor, result


def compare_loops(video, model, repeats):
    """Return a row of the first table."""
    extractor = PoseExtractor(model_path=model)
    world, _, times = bare_loop(video, model)  # warms up, and says what to expect
    runs = {"bare": [], "ours": []}
    for turn in range(repeats):
        for who in ("bare", "ours") if turn % 2 == 0 else ("ours", "bare"):
            if who == "bare":
                runs[who].append(clock(bare_loop, video, model)[:2])
            else:
                *seconds, (trial,) = clock(extractor.transform, [video])
                runs[who].append(seconds)
    np.testing.assert_array_equal(np.isnan(trial), np.isnan(world))  # the same work was done
    if (apart := np.nanmax(abs(trial - world))) > 0.05:
        raise SystemExit(f"{video}: the two loops disagree by up to {apart:.3f}.")
    wall, processor = (
        {who: statistics.median(run[k] for run in seconds) for who, seconds in runs.items()}
        for k in (0, 1)
    )
    ratios = [ours[0] / bare[0] for bare, ours in zip(runs["bare"], runs["ours"])]
    return {
        "video": os.path.basename(video),
        "frames": len(times),
        "bare loop, ms a frame": f"{1000 * wall['bare'] / len(times):.1f}",
        "PoseExtractor, ms a frame": f"{1000 * wall['ours'] / len(times):.1f}",
        "ratio": f"**{wall['ours'] / wall['bare']:.3f}**",
        "of repeats": f"{min(ratios):.3f} to {max(ratios):.3f}",
        "ratio of processor time": f"{processor['ours'] / processor['bare']:.3f}",
    }


def compare_processes(videos, n_frames, model, repeats):
    """Return the rows of the second table, and the seconds of the first call with two."""
    extractors = {n: PoseExtractor(model_path=model, n_jobs=n) for n in (1, 2)}
    first = clock(extractors[2].transform, videos)[0]
    seconds = {1: [], 2: []}
    for turn in range(repeats):
        for n_jobs in (1, 2) if turn % 2 == 0 else (2, 1):
            seconds[n_jobs].append(clock(extractors[n_jobs].transform, videos)[0])
    middle = {n_jobs: statistics.median(seconds[n_jobs]) for n_jobs in seconds}
    rows = [
        {
            "n_jobs": n_jobs,
            "seconds": f"{took:.1f}",
            "frames a second": f"{n_frames / took:.1f}",
            "times as fast": f"**{middle[1] / took:.2f}**",
        }
        for n_jobs, took in middle.items()
    ]
    return rows, first


def follow(video, model):
    """Return the rows of the third table: how far the pose moves between frames."""
    rows = []
    for person in ("largest", "center", "steady"):
        track = extract_pose(video, model_path=model, person=person, n_persons=2)
        rows.append(
            {
                "person": person,
                "largest move": f"{track.largest_step:.2f}",
                "frames with a pose": f"{track.coverage:.0%}",
            }
        )
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="*", help="default: the videos of ../shared/videos")
    parser.add_argument("--repeats", type=int, default=5, help="of each loop (default 5)")
    parser.add_argument("--copies", type=int, default=4, help="of each video for two processes")
    options = parser.parse_args()
    videos = options.videos or [str(path) for path in sorted((SHARED / "videos").glob("*.mp4"))]
    if not videos:
        parser.error("give at least one video; ../shared/videos holds none")
    try:
        model = find_model()
    except ModelError:
        model = find_model(SHARED / "models" / "pose_landmarker_full.task")
    warnings.simplefilter("ignore", UserWarning)  # of the pose that jumps: see the third table

    loops = [compare_loops(video, model, options.repeats) for video in videos]
    n_frames = options.copies * sum(row["frames"] for row in loops)
    batch = videos * options.copies
    processes, first = compare_processes(batch, n_frames, model, max(1, options.repeats // 2))
    notes = (
        f"Two processes, {len(batch)} videos, {n_frames} frames; the first call, which starts the "
        f"processes, took {first:.1f} s:\n\n{markdown_table(processes)}\n"
    )
    for video in videos:
        if os.path.basename(video) == TWO_PEOPLE:
            notes += (
                f"\n{TWO_PEOPLE}, n_persons=2: largest move of the hips between successive frames, "
                f"in trunk sizes. Above 1 the pose jumped to another person.\n\n"
                f"{markdown_table(follow(video, model))}\n"
            )
    about = __doc__.split("\n\n")[1]
    packages = ("mediapipe", "av", "numpy", "joblib", "scikit-learn")
    write_report("pose_overhead", loops, about, packages=packages, notes=notes)


if __name__ == "__main__":
    main()
