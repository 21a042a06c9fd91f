"""One heavy thing at a time: videos wait in a line, and the camera goes first.

Videos lie in a private folder under names chosen here, only as long as they are needed.
"""

import contextlib
import json
import secrets
import threading
import time

from .folder import private_folder

__all__ = ["Busy", "Cancelled", "Desk", "Job", "name_in"]

_CAMERA_REST = 3.0  # seconds without a picture after which a camera counts as left


class Busy(RuntimeError):
    """Too much to do already; the message says what to wait for."""


class Cancelled(Exception):
    """Nobody wants the result any more."""


class Job:
    """A video on its way through the analysis.

    Parameters
    ----------
    name : str
        What the user calls the file; used in messages only.
    path : Path
        Where it lies.

    Attributes
    ----------
    id : str
        Random, not to be guessed.
    state : {"receiving", "waiting", "running", "done", "failed"}
        Where it stands.
    done, total : int
        Frames analysed, and how many there are as far as the file says.
    error : str or None
        Why it failed.
    result : bytes or None
        JSON for the page.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skrehab.serve.jobs import Job
    >>> Job("monday.mp4", Path("x.mp4")).state
    'receiving'
    """

    def __init__(self, name, path):
        self.id = path.stem
        self.name, self.path = name, path
        self.state, self.done, self.total = "receiving", 0, 0
        self.error = self.result = None
        self.cancelled = threading.Event()

    def delete_file(self):
        """Remove the video; what cannot be removed now goes with the folder."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def step(self, done):
        """Note progress.

        Parameters
        ----------
        done : int
            Frames analysed.

        Raises
        ------
        Cancelled
            If nobody wants the result any more.
        """
        self.done = done
        if self.cancelled.is_set():
            raise Cancelled


class Desk:
    """Work through videos one by one in a thread of its own; make way for the camera.

    Parameters
    ----------
    analyse : callable
        ``analyse(path, progress)`` returns a dict for JSON.
    max_waiting : int, default=3
        Videos that may wait, be received or be analysed at the same time.
    max_results : int, default=4
        Results that are kept; older ones are forgotten.

    Examples
    --------
    >>> from skrehab.serve import Desk
    >>> with Desk(lambda path, progress: {"size": path.stat().st_size}) as desk:
    ...     job = desk.reserve("monday.mp4", ".mp4")
    ...     _ = job.path.write_bytes(b"film")
    ...     desk.submit(job)
    ...     _ = desk.wait(job)
    ...     print(job.state, job.result, job.path.exists())
    done b'{"size": 4}' False
    """

    def __init__(self, analyse, max_waiting=3, max_results=4):
        self._analyse = analyse
        self._max_waiting, self._max_results = max_waiting, max_results
        self._jobs, self._line = {}, []
        self._change = threading.Condition()
        self._camera, self._camera_time = None, -float("inf")
        self._thread = self._stack = None
        self._ending = False
        self.folder = None

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        self.folder = self._stack.enter_context(private_folder())
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="skrehab-serve", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        with self._change:
            self._ending = True
            for job in self._jobs.values():
                job.cancelled.set()
            self._change.notify_all()
        self.close_camera()
        self._thread.join(timeout=30)
        self._jobs.clear()
        self._stack.close()

    # --- videos -----------------------------------------------------------------------------------
    def reserve(self, name, suffix):
        """Take a place in the line for a video that is about to come.

        Parameters
        ----------
        name : str
            What the user calls it.
        suffix : str
            Its kind, such as ``".mp4"``; all of its name that is used.

        Returns
        -------
        Job
            Write the video to its ``path``, then `submit` it, or `forget` it.

        Raises
        ------
        Busy
            If the line is full.
        """
        with self._change:
            open_jobs = [job for job in self._jobs.values() if job.state not in ("done", "failed")]
            if len(open_jobs) >= self._max_waiting:
                raise Busy(
                    f"{len(open_jobs)} videos are being analysed or wait already. Try again when "
                    "one is done."
                )
            job = Job(name, self.folder / f"{secrets.token_urlsafe(16)}{suffix}")
            self._jobs[job.id] = job
            return job

    def submit(self, job):
        """Put a video that has come in the line.

        Parameters
        ----------
        job : Job
            From `reserve`.

        Raises
        ------
        Cancelled
            If it was dropped while it came.
        """
        with self._change:
            if job.cancelled.is_set():
                job.delete_file()
                raise Cancelled("The video was dropped while it came.")
            job.state = "waiting"
            self._line.append(job)
            self._change.notify_all()

    def find(self, job_id):
        """Return a job.

        Parameters
        ----------
        job_id : str
            Its name.

        Returns
        -------
        Job or None
            None if there is none of that name.
        """
        return self._jobs.get(job_id)

    def ahead_of(self, job):
        """Count the videos that come before one.

        Parameters
        ----------
        job : Job
            A job.

        Returns
        -------
        int
            Their number, with the one that is running.
        """
        with self._change:
            running = any(other.state == "running" for other in self._jobs.values())
            return running + self._line.index(job) if job in self._line else 0

    def forget(self, job):
        """Drop a job, its file and its result; one that is running ends with its next frame.

        Parameters
        ----------
        job : Job
            A job.
        """
        with self._change:
            job.cancelled.set()
            self._jobs.pop(job.id, None)
            if job in self._line:
                self._line.remove(job)
            if job.state != "running":
                job.delete_file()
            self._change.notify_all()

    def wait(self, job, timeout=60.0):
        """Wait until a job is done or has failed.

        Parameters
        ----------
        job : Job
            A job.
        timeout : float, default=60.0
            Seconds.

        Returns
        -------
        bool
            Whether it is.
        """
        with self._change:
            return self._change.wait_for(lambda: job.state in ("done", "failed"), timeout)

    def _work(self):
        while True:
            with self._change:
                while not self._ending and not (self._line and self._camera_left()):
                    self._change.wait(0.5 if self._line else None)
                if self._ending:
                    return
                job = self._line.pop(0)
                job.state = "running"
            state = self._run(job)
            with self._change:
                job.state = state
                finished = [j for j in self._jobs.values() if j.state in ("done", "failed")]
                for old in finished[: -self._max_results]:
                    self._jobs.pop(old.id)
                self._change.notify_all()

    def _run(self, job):
        try:
            self.close_camera()
            result = self._analyse(job.path, job.step)
            job.result = json.dumps(result, allow_nan=False).encode()
            return "done"
        except Cancelled:
            job.error = "cancelled"
        except BaseException as error:  # whatever it is, the next video gets its turn
            text = str(error) or type(error).__name__
            job.error = name_in(text, job)
        finally:
            job.delete_file()
        return "failed"

    # --- the camera -------------------------------------------------------------------------------
    def open_camera(self, make):
        """Start a session at the camera; one that is open already ends.

        Parameters
        ----------
        make : callable
            Returns a session with ``id``, ``push`` and ``close``.

        Returns
        -------
        session
            The session.

        Raises
        ------
        Busy
            If a video is being analysed.
        """
        with self._change:
            if self._line or any(job.state == "running" for job in self._jobs.values()):
                raise Busy("A video is being analysed. Start the camera when it is done.")
        session = make()
        with self._change:
            before, self._camera = self._camera, session
            self._camera_time = time.monotonic()
        if before is not None:
            before.close()
        return session

    def camera(self, session_id):
        """Return the open session.

        Parameters
        ----------
        session_id : str
            Its name.

        Returns
        -------
        session or None
            None if it has ended.
        """
        with self._change:
            if self._camera is None or self._camera.id != session_id:
                return None
            self._camera_time = time.monotonic()
            return self._camera

    def close_camera(self, session_id=None):
        """End the session at the camera, if there is one.

        Parameters
        ----------
        session_id : str, optional
            Only if it has this name: another page may have started its own since.
        """
        with self._change:
            if self._camera is not None and session_id not in (None, self._camera.id):
                return
            session, self._camera = self._camera, None
            self._change.notify_all()
        if session is not None:
            session.close()

    def _camera_left(self):
        return self._camera is None or time.monotonic() - self._camera_time > _CAMERA_REST


def name_in(text, job):
    """Name the file in a message as its owner does, not as it is called here.

    Parameters
    ----------
    text : str
        A message.
    job : Job
        Whose file it is about.

    Returns
    -------
    str
        The message, which begins with the name if it was not in it.
    """
    for own in (str(job.path), job.path.name):
        text = text.replace(own, job.name)
    return text if job.name in text else f"{job.name}: {text}"
