"""What the garbage collector may run: it comes in the middle of any call, with any lock held."""

import ast
import gc
import pathlib
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from media import noise, write_video
from real_files import model_file, needs_model

import skrehab
from skrehab.pose.camera import read_camera
from skrehab.training.batching import prefetch

PACKAGE = pathlib.Path(skrehab.__file__).parent

# Names whose call leaves a function behind for later: for the collector, the end or a signal.
LATER = {"finalize", "register", "signal", "add_done_callback", "_register_atexit", "setprofile"}
# What a generator may hold open while it waits: files, which take no lock of Python's.
FILES = {"open", "_opened"}


def test_nothing_is_left_for_the_collector_but_a_list():
    """No __del__ does anything, and what finalizers call is the append of a module's own deque."""
    # a terminal that is closed: the handler only raises another signal
    harmless = "cli/serve.py"
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {what}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, what in left_for_later(ast.parse(path.read_text(encoding="utf-8")))
        if not (what == "signal.signal" and path == PACKAGE / harmless)
    ]
    assert not found


def left_for_later(tree):
    deques = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.value) in ("deque()",)
        for target in node.targets
    }
    modules = {"atexit", "signal", "weakref", "threading", "gc"}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__del__":
            if [ast.unparse(line) for line in node.body] != ["pass"]:
                yield node.lineno, "a __del__ that does something"
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from held_by_generator(node)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            *owner, last = name.split(".")
            if last == "finalize":
                called = ast.unparse(node.args[1]) if len(node.args) > 1 else ""
                if called.removesuffix(".append") not in deques:
                    yield node.lineno, f"finalize calls {called}"
            elif last in LATER and (last != "register" or owner[:1] in (["atexit"], [])):
                if owner[:1] == ["skrehab"] or (last == "register" and not owner):
                    continue
                yield node.lineno, name
            elif last in ("ref", "proxy", "WeakMethod") and owner[:1] in (["weakref"], []):
                if len(node.args) > 1 and owner[:1] == ["weakref"]:
                    yield node.lineno, f"{name} with a callback"
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            names = {alias.name for alias in node.names} & (LATER | {"ref", "callbacks"})
            if names:
                yield node.lineno, f"from {node.module} import {sorted(names)}: name the module"
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "gc.callbacks":
            yield node.lineno, "gc.callbacks"


def held_by_generator(function):
    """A generator that is dropped runs its ``finally`` and ends its ``with`` in the collector."""
    if any("contextmanager" in ast.unparse(each) for each in function.decorator_list):
        return  # used by a with statement, which ends it

    def walk(node, held):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
                continue
            inner = held
            if isinstance(child, (ast.With, ast.AsyncWith)):
                contexts = [item.context_expr for item in child.items]
                inner = held + [
                    ast.unparse(each)
                    for each in contexts
                    if not (isinstance(each, ast.Call) and ast.unparse(each.func) in FILES)
                ]
            elif isinstance(child, ast.Try) and child.finalbody:
                inner = [*held, "finally"]
            if isinstance(child, (ast.Yield, ast.YieldFrom)) and held:
                yield child.lineno, f"{function.name} yields within {held}"
            yield from walk(child, inner)

    yield from walk(function, [])


@pytest.mark.parametrize(
    "code, says",
    [
        ("class A:\n def __del__(self):\n  self.close()", "__del__"),
        ("weakref.finalize(self, self._landmarker.close)", "finalize calls self._landmarker.close"),
        ("from weakref import finalize", "from weakref"),
        ("late = []\nweakref.finalize(self, late.append, 1)", "finalize calls late.append"),
        ("atexit.register(close)", "atexit.register"),
        ("weakref.ref(self, close)", "callback"),
        ("future.add_done_callback(tell)", "add_done_callback"),
        ("signal.signal(signal.SIGTERM, stop)", "signal.signal"),
        ("def f():\n with lock:\n  yield 1", "yields within ['lock']"),
        ("def f():\n try:\n  yield 1\n finally:\n  stop()", "finally"),
        ("late = deque()\nweakref.finalize(self, late.append, 1)", None),
        ("def f():\n with open(a) as file:\n  yield 1", None),
        ("class A:\n def __del__(self):\n  pass", None),
    ],
)
def test_the_search_finds_what_it_looks_for(code, says):
    found = [what for _, what in left_for_later(ast.parse(code))]
    assert (says is None) == (not found)
    assert says is None or any(says in what for what in found)


# --- the pose model -------------------------------------------------------------------------------
COLLECT = """
import faulthandler, gc, sys
faulthandler.dump_traceback_later(270, exit=True)
import numpy as np
from skrehab.pose.detector import PeopleDetector, _forgotten
model, frame = sys.argv[1], np.zeros((64, 64, 3), np.uint8)
class Node: pass
gc.set_threshold(5, 2, 2)  # often, so that a collection falls into a call that holds a lock
for _ in range(4):
    dropped, node = PeopleDetector(model, 1, (0.5, 0.5, 0.5)), Node()
    node.self, node.dropped = node, dropped
    dropped.detect(frame, 0.0)
    del dropped, node
    with PeopleDetector(model, 1, (0.5, 0.5, 0.5)) as other:
        for t in range(1, 4):
            other.detect(frame, t / 30)
gc.collect()
other.close()
assert not _forgotten
held = PeopleDetector(model, 1, (0.5, 0.5, 0.5))
held.detect(frame, 0.0)
if sys.argv[2] == "forgotten":
    del held
print("well")
"""


@needs_model
@pytest.mark.parametrize("end", ["held", "forgotten"])
def test_pose_models_that_are_collected_hang_nothing(end):
    """Neither while other models work nor at the end of the program, which says nothing either."""
    done = run(COLLECT, str(model_file()), end)
    assert (done.returncode, done.stdout.strip()) == (0, "well"), done.stderr
    assert "Traceback" not in done.stderr and "ignored" not in done.stderr


FORK = """
import faulthandler, os, sys
faulthandler.dump_traceback_later(270, exit=True)
import numpy as np
from skrehab.pose import detector
frame = np.zeros((64, 64, 3), np.uint8)
one = detector.PeopleDetector(sys.argv[1], 1, (0.5, 0.5, 0.5))
one.detect(frame, 0.0)
child = os.fork()
if not child:  # the thread that MediaPipe calls is not in this process
    one.close()
    other = one = None
    os._exit(0)
_, status = os.waitpid(child, 0)
one.detect(frame, 0.1)
one.close()
print(os.waitstatus_to_exitcode(status))
"""


@needs_model
@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system has no fork")
def test_a_forked_process_closes_nothing_of_its_parent():
    done = run(FORK, str(model_file()))
    assert done.stdout.split() == ["0"], done.stderr


def run(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        env={**__import__("os").environ, "PYTHONPATH": str(PACKAGE.parent)},
    )


@needs_model
def test_a_closed_detector_says_so():
    from skrehab.pose.detector import PeopleDetector

    with PeopleDetector(model_file(), 1, (0.5, 0.5, 0.5)) as detector:
        detector.detect(np.zeros((8, 8, 3), np.uint8), 0.0)
    detector.close()
    with pytest.raises(ValueError, match="is closed"):
        detector.detect(np.zeros((8, 8, 3), np.uint8), 1.0)


# --- what ends threads ----------------------------------------------------------------------------
def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_work_ahead_that_is_dropped_in_a_cycle_ends():
    """Also where the collector runs in one of its own threads, which cannot wait for itself."""
    begun, go, errors = threading.Event(), threading.Event(), []

    def work(i):
        if i:
            begun.set()
            go.wait(20)
            gc.collect()
        return i

    hook, sys.unraisablehook = sys.unraisablehook, errors.append
    try:
        gc.disable()
        ahead = prefetch(work, range(10), 1)
        assert next(ahead) == 0
        cycle = [ahead]
        cycle.append(cycle)
        assert begun.wait(20)
        del ahead, cycle
        go.set()
        assert wait_for(lambda: not any("prefetch" in t.name for t in threading.enumerate()))
    finally:
        gc.enable()
        sys.unraisablehook = hook
    assert not errors


def test_a_camera_that_is_forgotten_is_freed(tmp_path):
    pytest.importorskip("cv2")
    before = threading.active_count()
    frames = read_camera(str(write_video(tmp_path / "a.mp4", noise(200))))
    next(frames)
    del frames
    assert wait_for(lambda: threading.active_count() == before)
