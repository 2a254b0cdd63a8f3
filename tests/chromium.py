"""Pages as people use them: headless Chromium, with real clicks and keys, over its debugging pipe."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Escape": 27, "Tab": 9}
KEYS |= {"Home": 36, "End": 35}


class Tab:
    """A page in the browser; `requests` are the addresses that it has asked for, but for those inside the file."""

    def __init__(self, commands: Any, answers: Any) -> None:
        self.requests: list[str] = []
        self._commands, self._answers, self._number, self._session = commands, answers, 0, {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol and its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters} | self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while (answer := self._next()).get("id") != self._number:
            pass
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def open(self, page: Path) -> None:
        """Load a page; gives back when it is loaded."""
        self.call("Page.navigate", url=page.as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def get(self, script: str) -> Any:
        """The value of an expression; promises are waited for."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.get("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")

    def click(self, selector: str) -> None:
        """Click the middle of the first element that a CSS selector finds."""
        rectangle = self.get(
            f"(() => {{ const {{x, y, width, height}} = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect(); return [x + width / 2, y + height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            where = dict(zip("xy", rectangle, strict=True))
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **where)
        self.settle()

    def press(self, *keys: str) -> None:
        """Press keys one after the other, by their names, or characters."""
        for key in keys:
            code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS.get(key, ord(key[0].upper()))}
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            self.call("Input.dispatchKeyEvent", type="keyDown", **code, **({"text": text} if text else {}))
            self.call("Input.dispatchKeyEvent", type="keyUp", **code)
        self.settle()

    def screenshot(self, path: Path) -> None:
        """What is in the window, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def _next(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "the browser ended"
            message += byte
        content = json.loads(message)
        if content.get("method") == "Network.requestWillBeSent":
            url = content["params"]["request"]["url"]
            if not url.startswith(("data:", "about:")):
                self.requests.append(url)
        return content


@contextmanager
def tab(width: int = 1400, height: int = 900) -> Iterator[Tab]:
    """A new browser with one empty page; the test is skipped where there is none."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("needs Chromium")
    (in_, to), (from_, out) = os.pipe(), os.pipe()
    # What the browser has started may still write when it is killed.
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with folder as profile, os.fdopen(to, "wb") as commands, os.fdopen(from_, "rb") as answers:
        command = [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"),
            *(f"--window-size={width},{height}", f"--user-data-dir={profile}"),
        ]
        process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{in_} 4>&{out}', "bash", *command],  # the pipe's ends have to be 3 and 4
            pass_fds=(in_, out),
            stderr=subprocess.DEVNULL,
        )
        os.close(in_)
        os.close(out)
        try:
            yield Tab(commands, answers)
        finally:
            process.kill()
            process.wait()
