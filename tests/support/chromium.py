"""A thin driver of headless Chromium: the DevTools protocol over pipes, with no package needed.

Commands and events are JSON, each ended by a zero byte, on the browser's file descriptors 3 and 4.
"""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--disable-dev-shm-usage --disable-extensions --remote-debugging-pipe"
).split()


def find_chromium():
    """Return a Chromium or Chrome of this machine, or None."""
    names = (os.environ.get("SKREHAB_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


class Page:
    """A page in a browser of its own."""

    def __init__(self, process, to_browser, from_browser):
        self._process, self._out, self._in = process, to_browser, from_browser
        self._buffer, self._count, self._session = b"", 0, None
        self.events, self.errors = [], []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "DOM", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """Send a command and return its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 30
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self._count:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self._note(answer)

    def _next(self, deadline):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0, deadline - time.monotonic()))
            part = os.read(self._in, 2**20) if ready else b""
            assert part, "Chromium does not answer"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event):
        self.events.append(event)
        params = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(params["exceptionDetails"])
        if event.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"])

    def go(self, address):
        """Open an address."""
        self.send("Page.navigate", url=address)

    def run(self, code):
        """Evaluate JavaScript and return its value."""
        done = self.send("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, code, seconds=30):
        """Wait until JavaScript gives something true, and return it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = self.run(code)
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"still not true after {seconds} s: {code}; errors: {self.errors}")

    def mistakes(self):
        """Return what went wrong on the page, with what Chromium notes a moment later."""
        self.run("new Promise(done => setTimeout(done, 100))")
        return self.errors

    def choose_file(self, selector, path):
        """Choose a file, as by hand."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def click(self, selector):
        """Click in the middle of an element, with the mouse."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect(); "
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                *("Input.dispatchMouseEvent",), type=kind, x=x, y=y, button="left", clickCount=1
            )

    def press(self, key, code=None, text=None):
        """Press a key."""
        more = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=code or key, **more)

    def size(self, width, height, *, phone=False, scale=1):
        """Set the size of the window, in CSS pixels."""
        self.send(
            *("Emulation.setDeviceMetricsOverride",),
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=phone,
        )

    def scheme(self, name):
        """Prefer "light" or "dark"."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, path, *, whole=True):
        """Write a picture of the page."""
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        more = {"clip": {**size, "scale": 1}} if whole else {}
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=whole, **more)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def requested(self):
        """List the addresses that the page asked for."""
        asked = [e for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in asked]


@contextlib.contextmanager
def open_page(*flags):
    """Start Chromium with an empty profile and yield a Page."""
    profile = tempfile.mkdtemp(prefix="skrehab-chromium-")
    browser_reads, we_write = os.pipe()
    we_read, browser_writes = os.pipe()

    # what the browser reads and writes must be 3 and 4; a shell puts them there
    script = f'exec "$0" "$@" 3<&{browser_reads} 4>&{browser_writes}'
    command = ["bash", "-c", script, find_chromium(), *FLAGS, f"--user-data-dir={profile}", *flags]
    process = subprocess.Popen(
        command,
        pass_fds=(browser_reads, browser_writes),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(browser_reads)
    os.close(browser_writes)
    try:
        page = Page(process, we_write, we_read)
        yield page
        with contextlib.suppress(AssertionError, OSError):
            page._session = None
            page.send("Browser.close")
    finally:
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)
        os.close(we_write)
        os.close(we_read)
        shutil.rmtree(profile, ignore_errors=True)
