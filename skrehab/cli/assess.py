"""The command ``skrehab assess``: a model on videos."""

from pathlib import Path
from typing import Annotated

import typer

import skrehab
from skrehab._shown import shown
from skrehab._written import output_names, written
from skrehab.cli._labels import ClassNames, names_of_model
from skrehab.cli._native import native_lines_logged
from skrehab.cli._paths import check_file, check_model, check_new, expanded, find_videos
from skrehab.cli.app import (
    LabelNames,
    Model,
    ModelPath,
    Output,
    Verbose,
    Videos,
    beside,
    frames_told,
    if_interrupted,
    progress_bar,
    say_error,
    say_note,
    stdout,
    told,
)
from skrehab.cli.pose import failures

__all__ = []


def assess(
    model: Model,
    videos: Videos,
    output: Output = Path("."),
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Probability from which a frame counts. Default: what a calibrated model chose, "
            "else 0.5.",
        ),
    ] = None,
    overlay: Annotated[
        bool, typer.Option(help="Also write the video with skeleton and score.")
    ] = True,
    report: Annotated[
        bool, typer.Option(help="Also write a page: what was found, when, by how many degrees.")
    ] = True,
    label_names: LabelNames = None,
    summary: Annotated[
        Path | None,
        typer.Option(callback=expanded, help="Also write a row for each video to this CSV."),
    ] = None,
    model_path: ModelPath = None,
    overwrite: Annotated[bool, typer.Option(help="Replace results that are there.")] = False,
    skip_done: Annotated[
        bool, typer.Option("--skip-done", help="Leave out videos whose results are there.")
    ] = False,
    verbose: Verbose = False,
):
    """Score every frame of videos: tables with times, overlay videos, a report of each.

    Of each video is told what the verdict on the whole is, by the network that sees the whole video
    and by its frames, and how many of the frames with a pose are at the threshold or above.
    """
    check_model(model)
    check_file(model_path, "pose model file")
    videos = find_videos(videos)
    tables = output_names(output, videos, "_frames.csv")
    films = output_names(output, videos, "_overlay.mp4")
    pages = output_names(output, videos, "_report.html")
    results = {
        v: [tables[v], *([films[v]] if overlay else []), *([pages[v]] if report else [])]
        for v in videos
    }
    todo = [v for v in videos if not (skip_done and all(file.exists() for file in results[v]))]
    if not skip_done:
        check_new([file for v in videos for file in results[v]], overwrite)
    check_new([summary] if summary else [], overwrite)

    from skrehab.datasets.label_codes import parse_label_names
    from skrehab.persistence.folder import read_metadata

    metadata = read_metadata(model)
    given = parse_label_names(label_names)

    from skrehab.assessment import assess_video
    from skrehab.live.cues import CueRule, rule_for
    from skrehab.pose import VideoError
    from skrehab.pose.track import UPSIDE_DOWN

    fitted = skrehab.load(model)
    called = names_of_model(fitted, metadata, given)  # before the work
    if threshold is None:
        threshold = rule_for(fitted, CueRule(on=0.5, off=0.5)).on
    output.mkdir(parents=True, exist_ok=True)
    done, failed, rows = 0, 0, []

    def so_far():
        again = "with --skip-done the same command goes on with the others, without it " + (
            "begins with the first." if overwrite else "refuses to replace them."
        )
        return f"{done} of {told(len(todo), 'video')} assessed, with results in {output}; {again}"

    with if_interrupted(so_far), native_lines_logged(verbose, say_error), progress_bar() as bar:
        task = bar.add_task("assess", total=len(todo))
        for video in todo:
            bar.update(task, description=video.name)
            try:
                result = assess_video(
                    *(fitted, video),
                    frame_rate=metadata.get("frame_rate"),
                    model_path=model_path,
                    progress=frames_told(bar, task, video.name),
                )
            except VideoError as error:
                failed += 1
                say_error(error)
                bar.advance(task)
                continue
            names = ClassNames(called, result)
            if result.resampled_to:
                say_note(
                    f"note: {video.name} was resampled to {result.resampled_to:g} frames a second, "
                    "as the model was trained."
                )
            if result.track.upside_down:
                say_note(f"note: {video.name}: {UPSIDE_DOWN}")
            _write_table(tables[video], result, names.frames)
            if overlay:
                _write_overlay(video, films[video], result, names, threshold)
            if report:
                _write_report(pages[video], video.name, result, names, threshold)
            for line in describe(video.name, result, names, threshold, results[video]):
                beside(bar).print(line, highlight=False, soft_wrap=True)
            rows.append(_row(video.name, result, names, threshold))
            done += 1
            bar.advance(task)
    if summary is not None and rows:
        _write_rows(summary, rows)
        stdout.print(f"{summary}", highlight=False, soft_wrap=True)
    if len(todo) < len(videos):
        say_note(f"{len(videos) - len(todo)} of {told(len(videos), 'video')} done already.")
    if failed:
        say_note(failures(failed, len(todo)))
        raise typer.Exit(1)


def describe(video, result, names, threshold, files=()):
    """Tell what came of one video: the verdict, frames with a pose, and the files.

    Parameters
    ----------
    video : str
        What to call it.
    result : skrehab.assessment.Assessment
        Of it.
    names : ClassNames
        Of classes.
    threshold : float
        Probability from which a frame counts, and from which the frames' pooled score does.
    files : sequence of Path
        What was written.

    Returns
    -------
    list of str
        Lines.
    """
    seen, verdict = result.n_seen, result.verdict
    if names.several:
        return _describe_labels(video, result, names, threshold) + [f"  {file}" for file in files]
    label, share = _of_video(verdict, names)
    pooled = names.motion if verdict.frames >= threshold else names.usual
    by_frames = f"{verdict.frames:.2f} for {names.motion!r}, mean of the highest tenth of frames"
    if label is None:
        lines = [f"{video}: {pooled}", f"  {by_frames}"]
    else:
        lines = [f"{video}: {label}", f"  {share:.2f}, by the network that sees the whole video"]
        lines.append(f"  {by_frames}")
        if (pooled == names.usual) != (label == names.usual):
            lines.append(f"  the two are judged apart, and disagree: by its frames {pooled}")
    lines.append(
        f"  {told(seen, 'frame')} with a pose, {result.n_from(threshold)} of them at {threshold:g} "
        f"or above for {names.motion!r}"
    )
    return lines + _left_out(result) + [f"  {file}" for file in files]


def _describe_labels(video, result, names, threshold):
    """Tell of each label how likely it is, and in how many frames it was found."""
    pooled, seen = result.verdict.labels, told(result.n_seen, "frame")
    if pooled is None:
        return [f"{video}: nobody seen", *_left_out(result)]
    found = [name for name, share in zip(names.frames, pooled) if share >= threshold]
    lines = [f"{video}: {', '.join(found) or names.usual}"]
    for name, share, column in zip(names.frames, pooled, result.proba.T):
        on = int((column >= threshold).sum())
        lines.append(f"  {share:.2f} for {name!r}, {on} of {seen} at {threshold:g} or above")
    return lines + _left_out(result)


def _left_out(result):
    frames, seen, lines = len(result.score), result.n_seen, []
    if seen < frames:
        lines.append(f"  {frames - seen} of {told(frames, 'frame')} without a pose: no score there")
    if result.verdict.note:
        lines.append(f"  {result.verdict.note}")
    return lines


def _of_video(verdict, names):
    if verdict.video is None or names.video is None:
        return None, float("nan")
    best = int(verdict.video.argmax())
    return names.video[best], float(verdict.video[best])


def _row(video, result, names, threshold):
    label, share = _of_video(result.verdict, names)
    return {
        "video": video,
        "frames": len(result.score),
        "frames_with_pose": result.n_seen,
        "frames_from_threshold": result.n_from(threshold),
        "threshold": f"{threshold:g}",
        "frames_pooled": f"{result.verdict.frames:.6f}",
        "verdict_of_whole": label or "",
        "probability": "" if label is None else f"{share:.6f}",
        **(_by_label(result, names) if names.several else {}),
    }


def _by_label(result, names):
    pooled = result.verdict.labels
    return {
        name: "" if pooled is None else f"{pooled[k]:.6f}" for k, name in enumerate(names.frames)
    }


def _write_rows(path, rows):
    from skrehab.formats._spreadsheet import put_rows

    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path, text=True) as file:
        put_rows(file, [list(rows[0]), *(list(row.values()) for row in rows)])


def _write_table(path, result, names):
    """Write a row a frame; frames without a pose have no probabilities."""
    from skrehab.formats._spreadsheet import put_rows

    rows = zip(result.track.timestamps, result.track.found, result.proba)
    with written(path, text=True) as file:
        put_rows(file, [["frame", "time_s", "pose_found", *names]])
        put_rows(
            file,
            (
                [i, f"{time:.4f}", int(found), *(f"{p:.6f}" for p in proba)]
                for i, (time, found, proba) in enumerate(rows)
            ),
        )


def _write_overlay(video, path, result, names, threshold):
    from skrehab.live.overlay import write_overlay

    write_overlay(
        *(video, path, result.track.image, result.proba if names.several else result.score),
        timestamps=result.track.timestamps,
        threshold=threshold,
        labels=names.frames if names.several else (shown(names.usual), shown(names.motion)),
    )


def _write_report(path, video, result, names, threshold):
    import numpy as np

    from skrehab.report import write_trial_report

    # angles are taken from metres, whatever the model reads
    trial = np.where(result.track.found[:, None, None], result.track.world, np.nan)
    write_trial_report(
        *(path, trial, names.scores(result), result.track.timestamps),
        title=video,
        threshold=threshold,
        highlights={"frames with a pose": f"{result.n_seen} of {len(result.score)}"},
        footer=f"skrehab {skrehab.__version__}. Research software, not a medical device.",
    )
