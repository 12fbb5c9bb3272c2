"""Starts the simulator and the proxy once, for all tests of real clients."""
import os
import pathlib
import re
import subprocess
import time

import pytest

BIN = pathlib.Path(os.environ["OCIAI_BIN"])


class Running:
    """A program that says in its output where it listens."""

    def __init__(self, command, log, pattern):
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 30
        while True:
            match = re.search(pattern, log.read_text(errors="replace"))
            if match:
                self.url = match.group(0)
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0, self.log.read_text(errors="replace")


class Proxy:
    def __init__(self, base, key, simulator):
        self.base, self.key, self.simulator = base, key, simulator


@pytest.fixture(scope="session")
def proxy(tmp_path_factory):
    work = tmp_path_factory.mktemp("proxy")
    address = r"http://127\.0\.0\.1:\d+"
    simulator = Running([BIN / "oci-simulator", "-accounts", "1", "-write-config", work], work / "simulator.log", address)
    server = Running([BIN / "ociai-proxy", "-config", work / "config.conf", "-port", "0"], work / "proxy.log", address)
    key = re.search(r"^\s*api_key\s*=\s*([0-9a-f]{32})", (work / "config.conf").read_text(), re.M).group(1)
    yield Proxy(server.url, key, simulator.url)
    server.stop()
    simulator.stop()
