"""The command ``skrehab timeline``: what is done when in a longer video, how often, how fast."""

from pathlib import Path
from typing import Annotated

import typer

import skrehab
from skrehab._shown import shown
from skrehab._written import output_names, written
from skrehab.cli._native import native_lines_logged
from skrehab.cli._paths import check_file, check_model, check_new, find_videos
from skrehab.cli.app import (
    Model,
    ModelPath,
    Output,
    Verbose,
    Videos,
    beside,
    frames_told,
    progress_bar,
    say_error,
    told,
)
from skrehab.cli.pose import failures

__all__ = []


def timeline(
    model: Model,
    videos: Videos,
    output: Output = Path("."),
    count: Annotated[
        str | None, typer.Option(help="Action to count; 'Transport with Object' if there is one.")
    ] = None,
    window: Annotated[
        float,
        typer.Option(min=0.001, max=3600, help="Seconds of a clip, as long as in training."),
    ] = 1.0,
    step: Annotated[
        float, typer.Option(min=0.001, max=3600, help="Seconds from one clip to the next.")
    ] = 0.2,
    min_seconds: Annotated[float, typer.Option(min=0, help="Shortest action in seconds.")] = 0.4,
    picture: Annotated[bool, typer.Option(help="Also draw the timeline.")] = True,
    model_path: ModelPath = None,
    overwrite: Annotated[bool, typer.Option(help="Replace results that are there.")] = False,
    verbose: Verbose = False,
):
    """Slide a classifier of clips over videos: actions, their number, seconds each.

    Made for the Box and Block Test: from a video of its minute to the blocks that were moved. Each
    video gets a table of its actions with their times, and a picture.
    """
    check_model(model)
    check_file(model_path, "pose model file")
    videos = find_videos(videos)
    tables = output_names(output, videos, "_timeline.csv")
    pictures = output_names(output, videos, "_timeline.png") if picture else {}
    check_new([*tables.values(), *pictures.values()], overwrite)

    from skrehab.inspection import ClipTimeline
    from skrehab.pose import VideoError

    output.mkdir(parents=True, exist_ok=True)
    fitted, failed = skrehab.load(model), 0
    how = {"window": window, "step": step, "min_seconds": min_seconds}
    with native_lines_logged(verbose, say_error), progress_bar() as bar:
        task = bar.add_task("timeline", total=len(videos))
        for video in videos:
            bar.update(task, description=video.name)
            told_frames = frames_told(bar, task, video.name)
            try:
                classifier, seen, rate = _what_is_seen(fitted, video, model_path, told_frames)
                found = ClipTimeline.from_estimator(
                    *(classifier, seen),
                    counted=_label(count, classifier),
                    frame_rate=rate,
                    progress=told_frames,
                    **how,
                )
            except VideoError as error:
                failed += 1
                say_error(error)
                bar.advance(task)
                continue
            found.to_csv(tables[video])
            files = [tables[video]]
            if picture:
                _draw(found, pictures[video])
                files.append(pictures[video])
            for line in describe(video.name, found, files):
                beside(bar).print(line, highlight=False, soft_wrap=True)
            bar.advance(task)
    if failed:
        say_error(failures(failed, len(videos)))
        raise typer.Exit(1)


def describe(video, timeline, files=()):
    """Tell what came of one video.

    Parameters
    ----------
    video : str
        What to call it.
    timeline : skrehab.inspection.ClipTimeline
        Of it.
    files : sequence of Path
        What was written.

    Returns
    -------
    list of str
        Lines.
    """
    length = timeline.actions[-1].stop - timeline.times[0]
    lines = [f"{video}: {told(len(timeline.actions), 'action')} in {length:.1f} s"]
    if timeline.counted is not None:
        line = f"  {timeline.count} times {shown(str(timeline.counted))!r}"
        if timeline.count > 1:
            line += f", {timeline.seconds_each:.2f} s each (median)"
        lines.append(line)
    return lines + [f"  {file}" for file in files]


def _what_is_seen(model, video, model_path, progress):
    """What takes clips, and what to cut them from: the file itself, or the pose in it."""
    from skrehab.assessment import steps_of
    from skrehab.pose import PoseExtractor, extract_with, split_pose_step

    extractor, rest = split_pose_step(model)
    last = steps_of(rest)[-1]
    if not hasattr(last, "network") or hasattr(last, "n_labels_"):
        raise ValueError(
            f"This model ends in {type(last).__name__}; a timeline needs one that gives each clip "
            "one of several labels, such as VideoClassifier."
        )
    if getattr(last, "n_landmarks_", None) is None:
        return rest, video, None
    extractor = extractor or PoseExtractor(person="steady")
    if model_path is not None:
        extractor.set_params(model_path=str(model_path))
    track = extract_with(extractor, video, progress=progress)
    times = track.timestamps
    rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 30.0
    return rest, track.landmarks(extractor.coordinates), rate


def _label(word, classifier):
    """Find the class that is meant by what was written on the command line."""
    if word is None:
        return None
    classes = getattr(classifier, "classes_", None)
    named = {str(label): label for label in ([] if classes is None else classes.tolist())}
    return named.get(word, word)


def _draw(timeline, path):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 1.2 + 0.42 * len(timeline.classes)), layout="constrained")
    FigureCanvasAgg(figure)
    timeline.plot(ax=figure.subplots())
    with written(path) as file:
        figure.savefig(file, dpi=130, format="png")
