"""What libraries of C++ print, kept out of the terminal.

MediaPipe writes lines of its own to file descriptor 2, past Python's ``sys.stderr``, and tears a
progress bar to pieces. While it works, that descriptor is a log file, and ``sys.stderr`` another
way to the terminal.
"""

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

__all__ = ["native_lines_logged"]

_STDERR = 2


@contextmanager
def native_lines_logged(verbose=False, say=print):
    """Send what others write to file descriptor 2 to a log file; Python's own lines stay.

    The file is removed at the end; where the library failed it is kept, and named, if anything is
    in it. A crash of the library ends Python with it: then the file lies in the folder for
    temporary files, called ``skrehab-*.log``.

    Parameters
    ----------
    verbose : bool, default=False
        Do nothing, so that all can be seen as it comes.
    say : callable, default=print
        Takes the sentence that names the file.

    Yields
    ------
    Path or None
        The log file.

    Examples
    --------
    >>> import os
    >>> from skrehab.cli._native import native_lines_logged
    >>> with native_lines_logged() as log:
    ...     _ = os.write(2, b"W0000 inference_feedback_manager.cc:114\\n")
    ...     log.read_text()
    'W0000 inference_feedback_manager.cc:114\\n'
    """
    if verbose:
        yield None
        return
    number, name = tempfile.mkstemp(prefix="skrehab-", suffix=".log")
    log = Path(name)
    try:
        sys.stderr.flush()
        terminal = os.dup(_STDERR)
    except (OSError, AttributeError):  # a process may have no stderr at all
        os.close(number)
        log.unlink(missing_ok=True)
        yield None
        return
    python, ours = sys.stderr, None
    try:
        if _is_stderr(python):  # under a test, or a notebook, it may be something else
            ours = open(*(terminal, "w", 1, python.encoding, python.errors), closefd=False)
            sys.stderr = ours
        os.dup2(number, _STDERR)
        os.close(number)
        try:
            yield log
        finally:
            if ours is not None:
                ours.flush()
                sys.stderr = python
            os.dup2(terminal, _STDERR)
    except BaseException as error:
        # a file that is no video is said in our own words; so is an interruption
        known = not isinstance(error, Exception) or isinstance(error, ValueError | OSError)
        if known or not log.stat().st_size:
            log.unlink(missing_ok=True)
        else:
            say(f"What the pose library said is in {log} (--verbose shows it at once).")
        raise
    else:
        log.unlink(missing_ok=True)
    finally:
        os.close(terminal)


def _is_stderr(stream):
    try:
        return stream.fileno() == _STDERR
    except (OSError, AttributeError, ValueError):
        return False
