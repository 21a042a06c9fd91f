"""The command ``skrehab train``: one label a video in, a frame model out."""

import statistics
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import skrehab
from skrehab.cli._start import Freeze, Head, Weights, WeightsSha256, start_from
from skrehab.cli.app import Jobs, MinVisibility, Person, Seed, TargetFps, stderr, stdout

__all__ = []


class Recipe(StrEnum):
    """Pipelines by name."""

    RECOMMENDED = "recommended"
    PUBLISHED = "published"


def train(
    manifest: Annotated[Path, typer.Argument(help="CSV: trial,path,patient,exercise,side,label.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model folder to make.")],
    recipe: Annotated[
        Recipe,
        typer.Option(help="recommended: ours, a teacher and a live student. published: the paper."),
    ] = Recipe.RECOMMENDED,
    skeleton: Annotated[
        str,
        typer.Option(
            help="recommended: skeleton of pose files, such as kinect25; 'auto' tells it from the "
            "number of landmarks, 'none' takes displacements in place of bones."
        ),
    ] = "auto",
    network: Annotated[
        str | None,
        typer.Option(help="published: video network, act if not given; see 'skrehab models list'."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="published: integrated_gradients (if not given), vanilla_gradient or frame_logits."
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            help="published: one number, two joined by a comma, quantile,0.38, auto, published or "
            "published_dual. Default: the published two, or where there are none a trial's highest "
            "38 % (30 % for vanilla_gradient)."
        ),
    ] = None,
    weights: Weights = None,
    weights_sha256: WeightsSha256 = None,
    freeze: Freeze = None,
    head: Head = None,
    normal_label: Annotated[
        str | None, typer.Option(help="Label that means 'no such motion'.")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Epochs of the networks. Default: published 100, recommended as many as make "
            "about 520 steps.",
        ),
    ] = None,
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
    report: Annotated[
        Path | None,
        typer.Option(help="Folder for a report on held-out patients; see 'skrehab evaluate'."),
    ] = None,
):
    """Train on your own trials: one label a video in, a frame model out."""
    from skrehab.datasets import load_manifest
    from skrehab.datasets.label_codes import encode_labels
    from skrehab.evaluation.by_patient import evaluate_by_patient

    pipeline = _pipeline(recipe, skeleton, network, method, threshold, epochs, seed)
    start_from(pipeline, weights, weights_sha256, freeze, head)
    data = load_manifest(manifest)
    if output.exists() and not overwrite:
        raise FileExistsError(f"{output} exists already; choose another folder or --overwrite.")
    codes, names = encode_labels(data.y, normal_label)
    settings = {"person": person, "target_fps": target_fps, "min_visibility": min_visibility}
    poses, front = _poses(data, settings, cache, jobs)
    rates = _frame_rates(data, target_fps)
    who = {"groups": data.groups, "exercise": data.exercise}
    metadata = {
        "recipe": recipe.value,
        "labels": names,
        "n_trials": len(poses),
        "n_patients": len(set(data.groups.tolist())),
        "frame_rate": round(statistics.median(rates), 3) if rates else None,
    }
    if evaluate or report is not None:
        if report is None:
            scores = evaluate_by_patient(
                pipeline, poses, codes, data.groups, fit_params=who, n_jobs=jobs
            )
        else:
            from skrehab.cli.evaluate import held_out_report

            scores = held_out_report(recipe.value, pipeline, data, poses, codes, report, seed, jobs)
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
        pipeline.fit(poses, codes, **who)
    if front is not None:  # the poses are known already; keep the step for videos to come
        pipeline.steps.insert(0, ("pose", front))
    skrehab.save(pipeline, output, metadata=metadata, overwrite=overwrite)
    stdout.print(f"Model: {output}", highlight=False)


def _pipeline(recipe, skeleton, network, method, threshold, epochs, seed):
    """Build what was asked for, and refuse options of the other recipe."""
    from skrehab import recipes

    of_paper = {"network": network, "method": method, "threshold": threshold}
    given = {name: value for name, value in of_paper.items() if value is not None}
    if recipe == Recipe.PUBLISHED:
        if skeleton != "auto":
            raise ValueError("--skeleton is for --recipe recommended; published needs none.")
        return recipes.published(max_epochs=epochs or 100, random_state=seed, **given)
    if given:
        options = ", ".join(f"--{name}" for name in given)
        raise ValueError(f"{options}: for --recipe published only.")
    return recipes.recommended(
        None if skeleton == "none" else skeleton, max_epochs=epochs or "auto", random_state=seed
    )


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
