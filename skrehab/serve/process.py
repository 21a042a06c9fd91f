"""Look at pictures in a process beside the server, and start another where a file has ended it."""

import json
import math
import queue
import signal
import subprocess
import sys
import threading
import time

import numpy as np

from skrehab.pose import PoseTrack, VideoError

from .messages import BrokenMessage, read_message, write_message
from .worker import MOST_FRAMES, MOST_MEMORY

__all__ = ["PoseProcess", "ProcessEnded"]

# -P: no folder that happens to be the current one is searched; the path is this program's own
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import skrehab.serve.worker as w"
_N_LANDMARKS = 33
_FRAME_BYTES = 8 + 2 * _N_LANDMARKS * 4 * 4  # its time, and two poses
_LOOK_EVERY = 0.1  # seconds between two looks at whether anybody still wants the answer


class ProcessEnded(RuntimeError):
    """The process ended or was ended over what it was given; the message says how."""


class PoseProcess:
    """A process that decodes and finds poses; it starts when it is first asked something.

    One question at a time, in the order of their coming. Whatever happens to the process costs the
    question that it was at; the next one finds a new process.

    Parameters
    ----------
    most_seconds : float, default=3600
        Longest that one video may take.
    quiet_seconds : float, default=60
        Longest that it may be without any news.
    start_seconds : float, default=120
        Longest that the process may take to start.
    most_frames : int, default=54000
        Most frames of one video, after resampling.

    Examples
    --------
    >>> from skrehab.serve.process import PoseProcess
    >>> with PoseProcess() as process:
    ...     process.probe("clip.mp4")  # doctest: +SKIP
    100
    """

    def __init__(
        self, *, most_seconds=3600, quiet_seconds=60, start_seconds=120, most_frames=MOST_FRAMES
    ):
        self.most_seconds, self.quiet_seconds = most_seconds, quiet_seconds
        self.start_seconds, self.most_frames = start_seconds, most_frames
        self._turn, self._process, self._answers = threading.Lock(), None, None

    @property
    def pid(self):
        """Number of the process, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """End the process; a question that it is at fails."""
        process = self._process
        if process is not None:
            process.kill()
        with self._turn:
            self._end()

    # --- questions --------------------------------------------------------------------------------
    def probe(self, path):
        """Open a video and decode its first frame.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        int
            Number of its frames, as far as the file says; 0 where it does not.

        Raises
        ------
        VideoError
            If it is no video that can be read.
        ProcessEnded
            If reading it ended the process.
        """
        head, _ = self._ask({"ask": "probe", "path": str(path)}, most_seconds=self.quiet_seconds)
        return _whole(head.get("total"), 0, 10**9)

    def find_pose(self, extractor, path, frame_rate=None, progress=None):
        """Do what :func:`skrehab.serve.worker.find_pose` does.

        Parameters
        ----------
        extractor : PoseExtractor
            Settings of the pose.
        path : path-like
            Video file.
        frame_rate : float, optional
            Of the training trials.
        progress : callable, optional
            Called ten times a second with the number of frames done. What it raises ends the work.

        Returns
        -------
        track : PoseTrack
            Pose and times.
        resampled : bool
            Whether the video was brought to ``frame_rate``.

        Raises
        ------
        VideoError
            If the video cannot be read or shows nobody.
        ProcessEnded
            If the video ended the process, or took too long or too much memory.
        """
        question = {
            "ask": "pose",
            "path": str(path),
            "settings": extractor.get_params(),
            "frame_rate": frame_rate,
            "most_frames": self.most_frames,
        }
        head, blob = self._ask(question, progress=progress, most_seconds=self.most_seconds)
        n = _whole(head.get("n_frames"), 1, self.most_frames)
        width, height = (_whole(head.get(name), 1, 2**20) for name in ("width", "height"))
        if len(blob) != n * _FRAME_BYTES:
            raise ProcessEnded("The program that reads videos gave an answer that makes no sense.")
        times = np.frombuffer(blob, "<f8", n)
        poses = np.frombuffer(blob, "<f4", offset=8 * n).reshape(2, n, _N_LANDMARKS, 4)
        if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
            raise ProcessEnded("The program that reads videos gave an answer that makes no sense.")
        track = PoseTrack(str(path), times, poses[0], poses[1], width, height)
        return track, head.get("resampled") is True

    def picture(self, session, extractor, jpeg, timestamp):
        """Find the pose in the next picture of a camera.

        Parameters
        ----------
        session : str
            Name of the trial; another one starts anew.
        extractor : PoseExtractor
            Settings of the pose, causal.
        jpeg : bytes
            The picture.
        timestamp : float
            Seconds, later than the picture before.

        Returns
        -------
        world, image : ndarray of shape (33, 4), dtype float32
            Landmarks in metres and in pixels.
        size : (int, int)
            Width and height in pixels.

        Raises
        ------
        ValueError
            If it is no picture that can be read.
        ProcessEnded
            If the picture ended the process; the next one starts a trial anew.
        """
        settings = extractor.get_params()
        head = {"ask": "picture", "session": session, "settings": settings, "t": timestamp}
        head, blob = self._ask(head, jpeg, most_seconds=self.quiet_seconds)
        size = tuple(_whole(head.get(name), 1, 2**20) for name in ("width", "height"))
        if len(blob) != _FRAME_BYTES - 8:
            raise ProcessEnded("The program that reads videos gave an answer that makes no sense.")
        world, image = np.frombuffer(blob, "<f4").reshape(2, _N_LANDMARKS, 4)
        return world, image, size

    def rest(self):
        """Free the camera's pose model, if it is there."""
        if self._process is not None:
            try:
                self._ask({"ask": "rest"}, most_seconds=self.quiet_seconds)
            except ProcessEnded:  # then it is free, too
                return

    # --- the process ------------------------------------------------------------------------------
    def _ask(self, head, blob=b"", *, progress=None, most_seconds):
        with self._turn:
            try:
                if self._process is None or self._process.poll() is not None:
                    self._start()
                self._send(head, blob)
                answer, blob = self._hear(most_seconds, progress)
            except BaseException:  # nobody knows what it is at: end it
                self._end()
                raise
        if "error" in answer:
            kind = str(answer.get("kind"))  # a liar may send a list
            text = str(answer["error"]).encode("utf-8", "replace").decode()
            if kind == "memory":
                raise ProcessEnded(_no_memory())
            raise {"video": VideoError, "value": ValueError}.get(kind, RuntimeError)(text)
        return answer, blob

    def _start(self):
        self._end()
        apart = {"start_new_session": True}  # Ctrl+C in the terminal is for the server alone
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"{_START}; w.main()", json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            **apart,
        )
        self._answers = queue.SimpleQueue()
        most = self.most_frames * _FRAME_BYTES
        threading.Thread(
            target=_listen, args=(self._process.stdout, self._answers, most), daemon=True
        ).start()
        if "ready" not in self._next(time.monotonic() + self.start_seconds, None, 0)[0]:
            raise ProcessEnded("The program that reads videos did not start.")

    def _send(self, head, blob):
        # a process that was stopped does not read: then writing waits until it is ended
        stop = threading.Timer(self.quiet_seconds, self._process.kill)
        stop.daemon = True
        stop.start()
        try:
            write_message(self._process.stdin, head, blob)
        except OSError as error:
            raise ProcessEnded(self._how_it_ended()) from error
        finally:
            stop.cancel()

    def _hear(self, most_seconds, progress):
        end, done = time.monotonic() + most_seconds, 0
        while True:
            quiet = time.monotonic() + self.quiet_seconds
            head, blob = self._next(min(quiet, end), progress, done)
            if "answer" in head:
                return head, blob
            done = _whole(head.get("done"), done, 10**9)
            if progress is not None:
                progress(done)

    def _next(self, until, progress, done):
        """Wait for a message; look from time to time whether anybody still wants it."""
        while True:
            try:
                message = self._answers.get(timeout=_LOOK_EVERY)
            except queue.Empty:
                if time.monotonic() > until:
                    raise ProcessEnded(
                        "The program that reads videos took too long over it (at most "
                        f"{self.quiet_seconds:g} s without news and {self.most_seconds:g} s in "
                        "all) and was ended. Cut the video, or save it anew with another program."
                    ) from None
                if progress is not None:
                    progress(done)
                continue
            if message is None:
                raise ProcessEnded(self._how_it_ended())
            return message

    def _how_it_ended(self):
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            code = None
        how = f"exit status {code}"
        if code is None:
            how = "it answered nonsense"
        elif code < 0:
            names = {int(one): one.name for one in signal.Signals}
            how = f"signal {names.get(-code, -code)}"
        return (
            f"The program that reads videos ended over it ({how}): it is damaged, made to do so, "
            "or too large for the memory. Nothing else is lost. Save it anew with another program, "
            "smaller or shorter."
        )

    def _end(self):
        process, self._process, self._answers = self._process, None, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            try:
                pipe.close()
            except OSError:  # what was not sent any more
                continue


def _listen(pipe, answers, most_bytes):
    """Hand on what the process says, and None when it says nothing more."""
    try:
        while (message := read_message(pipe, most_bytes)) is not None:
            answers.put(message)
    except (BrokenMessage, OSError, ValueError, MemoryError):  # a pipe closed meanwhile
        pass
    answers.put(None)


def _whole(number, least, most):
    """Take a number that the process says only if it can be true."""
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise ProcessEnded("The program that reads videos gave an answer that makes no sense.")
    return number


def _no_memory():
    return (
        f"It needs more memory than {math.ceil(MOST_MEMORY / 2**30)} GB. Save it anew with "
        "another program, with smaller pictures."
    )
