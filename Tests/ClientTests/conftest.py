"""Starts the simulator and the proxy once, for all tests of real clients."""
import os
import pathlib
import re
import subprocess
import time
import urllib.request

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


ADDRESS = r"http://127\.0\.0\.1:\d+"


def simulator(work, accounts):
    return Running([BIN / "oci-simulator", "-accounts", str(accounts), "-write-config", work], work / "simulator.log", ADDRESS)


def serve(config, simulator):
    """The proxy, until the caller resumes."""
    server = Running([BIN / "ociai-proxy", "-config", config, "-port", "0"], config.parent / "proxy.log", ADDRESS)
    key = re.search(r"^\s*api_key\s*=\s*([0-9a-f]{32})", config.read_text(), re.M).group(1)
    yield Proxy(server.url, key, simulator.url)
    server.stop()


@pytest.fixture(scope="session")
def proxy(tmp_path_factory):
    work = tmp_path_factory.mktemp("proxy")
    oci = simulator(work, 1)
    yield from serve(work / "config.conf", oci)
    oci.stop()


@pytest.fixture(scope="session")
def oci(tmp_path_factory):
    """Three accounts; making their keys takes a while."""
    work = tmp_path_factory.mktemp("fleet")
    running = simulator(work, 3)
    yield running, work / "multi_config.conf"
    running.stop()


@pytest.fixture
def fleet(oci):
    """The proxy over three accounts, anew for each test."""
    running, config = oci
    urllib.request.urlopen(urllib.request.Request(f"{running.url}/__control/reset", b"{}", method="POST"), timeout=10).close()
    yield from serve(config, running)
