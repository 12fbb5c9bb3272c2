"""Drives a headless Chromium over its DevTools protocol: enough of it to test a page, and nothing more."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket


class Failed(Exception):
    """The page or the browser did not do what was asked."""


class Browser:
    """A Chromium of its own, with a profile that is gone afterwards."""

    def __init__(self, language="en-US", chromium=None):
        program = chromium or os.environ.get("OCIAI_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        if not program:
            raise Failed("There is no Chromium: set OCIAI_CHROMIUM to its path.")
        self._profile = tempfile.TemporaryDirectory(prefix="dashboard-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
             "--remote-allow-origins=*", f"--user-data-dir={self._profile.name}", f"--lang={language}", f"--accept-lang={language}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._port = self._wait_for_port()

    def _wait_for_port(self):
        file = Path(self._profile.name) / "DevToolsActivePort"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if file.exists() and (lines := file.read_text().splitlines()):
                return int(lines[0])
            if self._process.poll() is not None:
                raise Failed(f"Chromium ended with {self._process.returncode}.")
            time.sleep(0.05)
        raise Failed("Chromium did not open its port within 30 s.")

    def page(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request) as answer:
            return Page(json.load(answer)["webSocketDebuggerUrl"])

    def close(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()


class Page:
    """One tab. It remembers what the console said, which addresses were asked, and what the policy forbade."""

    #: How much longer than usual things may take, on a busy machine.
    patience = float(os.environ.get("OCIAI_PATIENCE", "1"))

    def __init__(self, address):
        self._socket = websocket.create_connection(address, timeout=60)
        self._ids = itertools.count(1)
        self.errors = []
        self.requests = []
        self.violations = []
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise Failed(f"{method}: {message['error']['message']}")
                return message["result"]
            self._note(message)

    def _note(self, message):
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert"):
            self.errors.append(" ".join(str(each.get("value", each.get("description"))) for each in parameters["args"]))
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Audits.issueAdded" and parameters["issue"]["code"] == "ContentSecurityPolicyIssue":
            self.violations.append(json.dumps(parameters["issue"]["details"])[:500])

    def evaluate(self, expression):
        """The value of an expression of the page, promises awaited."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True)
        if details := result.get("exceptionDetails"):
            raise Failed(details.get("exception", {}).get("description") or details["text"])
        return result["result"].get("value")

    def wait_for(self, expression, seconds=10):
        deadline = time.monotonic() + seconds * self.patience
        # A node is true, but has no value that could be handed over.
        while not self.evaluate(f"Boolean({expression})"):
            if time.monotonic() > deadline:
                raise Failed(f"Within {seconds} s this did not become true: {expression}")
            time.sleep(0.05)

    def open(self, url):
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.wait_for("location.href !== 'about:blank' && document.readyState === 'complete'")

    def go(self, hash):
        """Another view of the same page."""
        self.evaluate(f"location.hash = {json.dumps(hash)}")

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, **features):
        """prefer(prefers_color_scheme="dark")"""
        self.call("Emulation.setEmulatedMedia", features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def press(self, key, shift=False):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27}
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], modifiers=8 if shift else 0, **(text if kind == "keyDown" else {}))

    def type(self, text):
        self.call("Input.insertText", text=text)

    def picture(self, path, whole=False):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def close(self):
        # A tab that stays open keeps its live stream, of which a browser allows six a server.
        self.call("Page.close")
        self._socket.close()
