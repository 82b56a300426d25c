"""A headless Chromium that a test drives, by its DevTools protocol; where there is none, the test is skipped."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
import websocket

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 300.0
"""Seconds to wait for a page, a kernel or an answer."""


class Page:
    """One page: what stands on it, what is pressed on it."""

    def __init__(self, line):
        self._line, self._sent = line, 0

    def call(self, method, **parameters):
        """Call a method of the protocol; gives its result."""
        self._sent += 1
        self._line.send(json.dumps({"id": self._sent, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._line.recv())
            if answer.get("id") == self._sent:
                return answer["result"]

    def value(self, script):
        """Evaluate JavaScript; gives its value."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def wait(self, script):
        """Wait until JavaScript has a value that is true; gives it."""
        until = time.monotonic() + PATIENCE
        while not (found := self.value(script)):
            if time.monotonic() > until:
                pytest.fail(f"not seen within {PATIENCE:g} s: {script}; the page says {self.text()[:500]!r}")
            time.sleep(0.1)
        return found

    def text(self):
        """All text of the page."""
        return self.value("document.body ? document.body.innerText : ''") or ""

    def press(self, key):
        """Press a key on what has the focus."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=CODES[key])


CODES = {"ArrowRight": 39, "ArrowLeft": 37}


@contextmanager
def page_of(address, folder: Path):
    """Open an address in a browser of its own, whose profile is kept in a folder."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium is here")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1400,1100"]
    options += ["--remote-debugging-port=0", "--remote-allow-origins=*", f"--user-data-dir={folder}"]
    with subprocess.Popen(
        [program, *options, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as browser:
        try:
            port = _eventually(lambda: (folder / "DevToolsActivePort").read_text(encoding="utf-8").split()[0])
            with urlopen(f"http://127.0.0.1:{port}/json") as answer:
                (first, *_) = [one for one in json.load(answer) if one["type"] == "page"]
            line = websocket.create_connection(first["webSocketDebuggerUrl"], timeout=PATIENCE)
            try:
                page = Page(line)
                page.call("Emulation.setFocusEmulationEnabled", enabled=True)
                page.call("Page.navigate", url=address)
                yield page
            finally:
                line.close()
        finally:
            browser.terminate()


def _eventually(look):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return look()
        except (OSError, IndexError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@contextmanager
def served(command, port, log: Path, **options):
    """Run a server until the test is over; waits until it takes calls."""
    with log.open("w", encoding="utf-8") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, **options)
        try:

            def answers():
                assert server.poll() is None, log.read_text(encoding="utf-8")
                return socket.create_connection(("127.0.0.1", port)).close()

            _eventually(answers)
            yield
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # what it has started, too
            server.wait(PATIENCE)
