"""The application: a page, and a small API that this page alone may use."""

import contextlib
from numbers import Real

import skrehab
from skrehab._optional import require
from skrehab.live.cues import CueGate, CueRule, _check_rule, rule_for
from skrehab.live.session import LiveSession
from skrehab.pose import find_model
from skrehab.skeletons import get_skeleton

from .analysis import analyse_video, describe_model, sendable, split_model
from .bodies import BadUpload, pieces
from .camera import CameraEnded, CameraSession, OneAtATime
from .guarded import add_page, check_token, guarded_app
from .jobs import Busy, Cancelled, Desk
from .process import PoseProcess, ProcessEnded
from .uploads import SUFFIXES, check_kind, receive, shown_name

__all__ = ["create_app"]

_KINDS = {
    "style.css": "text/css",
    "drawing.js": "text/javascript",
    "timeline.js": "text/javascript",
    "saliency.js": "text/javascript",
    "camera.js": "text/javascript",
    "app.js": "text/javascript",
}
_MOST_JPEG = 2 * 2**20
_MOST_RATE = 1000.0  # frames a second that a model may have been trained at


def create_app(
    model,
    *,
    title="model",
    labels=None,
    rule=CueRule(),  # noqa: B008  it is immutable
    frame_rate=None,
    model_path=None,
    token=None,
    max_upload=200 * 2**20,
    max_waiting=3,
):
    """Build the application that ``skrehab serve`` runs.

    Parameters
    ----------
    model : estimator
        Fitted: a pipeline that ends in a frame classifier or a VideoClassifier, with a
        :class:`PoseExtractor` as its first step or without.
    title : str, default="model"
        What to call it on the page.
    labels : list of str or dict of label to str, optional
        Name of each code, the usual movement first, or of each class. Classes that are words need
        none.
    rule : CueRule
        What switches the cue on and off.
    frame_rate : float, optional
        Frames a second of the trials that the model was trained on; videos of another rate are
        resampled.
    model_path : str or path-like, optional
        Pose model file.
    token : str, optional
        What a request must know; None draws one. It is in ``app.state.token``.
    max_upload : int, default=200 MiB
        Largest video, in bytes.
    max_waiting : int, default=3
        Videos that may wait or be analysed at the same time.

    Returns
    -------
    fastapi.FastAPI
        Run it on 127.0.0.1: the traffic is not encrypted.

    Raises
    ------
    TypeError
        If the model cannot be shown here.
    ValueError
        If an option is out of range, or ``labels`` has no name for a code of the model.
    ImportError
        If FastAPI is not installed.
    skrehab.pose.ModelError
        If there is no pose model file.

    Examples
    --------
    >>> import skrehab
    >>> from skrehab.serve import create_app
    >>> app = create_app(skrehab.load("model"), title="model")  # doctest: +SKIP
    >>> config = skrehab.serve.server_config(app, port=8765)  # doctest: +SKIP
    >>> uvicorn.Server(config).run()  # doctest: +SKIP
    """
    require("fastapi", "serve", "to show the page in a browser")
    from fastapi import Request  # routes are read by their annotations
    from fastapi.responses import Response

    _check_rule(rule)
    if not max_upload > 0:
        raise ValueError(f"max_upload must be above 0 bytes, got {max_upload!r}.")
    if frame_rate is not None and not _is_rate(frame_rate):
        raise ValueError(
            f"frame_rate must be a number above 0 and at most {_MOST_RATE:g} frames a second, or "
            f"None, got {str(frame_rate)[:80]!r}. It is in the metadata of the model."
        )
    extractor, rest = split_model(model, model_path)
    rule = rule_for(rest, rule)
    extractor.set_params(model_path=str(find_model(extractor.model_path)))
    token = check_token(token)
    about = {
        "title": sendable(title),
        "version": skrehab.__version__,
        **describe_model(rest, labels),
        "camera": _camera_refusal(rest, extractor),
        "cameraRate": extractor.target_fps or frame_rate,
        "edges": get_skeleton("mediapipe33").edges,
        "rule": rule._asdict(),
        "maxUpload": max_upload,
        "suffixes": SUFFIXES,
    }
    # what comes in is opened in a process of its own, so that it need not wait for the analysis
    process, opener = PoseProcess(), PoseProcess(quiet_seconds=20)

    def analyse(path, progress):
        how = {"frame_rate": frame_rate, "labels": labels, "rule": rule}
        how["pose"] = process.find_pose
        return analyse_video(rest, path, extractor, progress=progress, **how)

    desk = Desk(analyse, max_waiting)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        with process, opener, desk:
            yield
            process.close()  # else the desk waits for a picture of the camera

    app = guarded_app(token, max_upload, lifespan)
    app.state.desk, app.state.process, app.state.opener = desk, process, opener

    def found(job_id):
        job = desk.find(job_id)
        if job is None:
            raise BadUpload(404, "This video is not known here any more. Choose it again.")
        return job

    # --- the page ---------------------------------------------------------------------------------
    add_page(app, "index.html", _KINDS)

    @app.get("/api/model")
    def about_model():
        return about

    # --- videos -----------------------------------------------------------------------------------
    @app.post("/api/videos", status_code=202)
    async def upload(request: Request, name: str = ""):
        name = shown_name(name)
        job = desk.reserve(name, check_kind(name))
        try:
            await receive(request, job, max_upload, opener.probe)
            desk.submit(job)
        except Cancelled as error:
            raise BadUpload(409, str(error)) from error
        except BaseException:
            desk.forget(job)
            raise
        return {"id": job.id, "name": name}

    @app.get("/api/videos/{job_id}")
    def progress(job_id: str):
        job = found(job_id)
        return {
            "state": job.state,
            "name": job.name,
            "done": job.done,
            "total": job.total,
            "ahead": desk.ahead_of(job),
            "error": job.error,
        }

    @app.get("/api/videos/{job_id}/result")
    def result(job_id: str):
        job = found(job_id)
        if job.result is None:
            raise BadUpload(409, job.error or f"{job.name} is not analysed yet: {job.state}.")
        return Response(job.result, media_type="application/json")

    @app.delete("/api/videos/{job_id}", status_code=204)
    def forget(job_id: str):
        desk.forget(found(job_id))

    # --- the camera -------------------------------------------------------------------------------
    @app.post("/api/camera", status_code=201)
    def open_camera():
        if about["camera"] is not None:
            raise BadUpload(409, about["camera"])
        session = desk.open_camera(lambda: CameraSession(rest, extractor, labels, rule, process))
        return {"id": session.id, "labels": session.labels}

    @app.post("/api/camera/{session_id}")
    async def picture(request: Request, session_id: str, t: float):
        from starlette.concurrency import run_in_threadpool

        session = desk.camera(session_id)
        if session is None:
            raise BadUpload(404, "The camera has been stopped, or another page uses it now.")
        jpeg = bytearray()
        async for piece in pieces(request, _MOST_JPEG):
            jpeg += piece
        try:
            return await run_in_threadpool(session.push, bytes(jpeg), t)
        except CameraEnded as error:
            raise BadUpload(404, str(error)) from error
        except OneAtATime as error:
            raise Busy(str(error)) from error
        except ProcessEnded as error:
            raise BadUpload(422, f"The picture is lost. {error}") from error
        except (ValueError, RuntimeError) as error:
            raise BadUpload(422, str(error)) from error

    @app.delete("/api/camera/{session_id}", status_code=204)
    def close_camera(session_id: str):
        desk.close_camera(session_id)

    return app


def _is_rate(number):
    known = isinstance(number, Real) and not isinstance(number, bool)
    return known and bool(0 < number <= _MOST_RATE)  # nan is neither


def _camera_refusal(model, extractor):
    """Say why a model cannot run while the camera does; None if it can."""
    try:
        LiveSession(model, extractor, CueGate())
    except (ValueError, TypeError) as error:
        return f"This model needs the whole video, so the camera is off. {error}"
    return None
