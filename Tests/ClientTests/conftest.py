"""Starts the simulator and the proxy once, for all tests of real clients."""
import base64
import json
import os
import pathlib
import re
import subprocess
import time
import urllib.request

import pytest

from talking_provider import TalkingProvider

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
    # What the proxy of the test before has learnt of an account is none of this one's business.
    for path in config.parent.glob("ociai-proxy.*"):
        path.unlink()
    yield from serve(config, running)


class Door:
    """A model as a client finds it: behind the proxy over the simulator, or over an OpenAI-compatible provider."""

    looked_at = {}

    def __init__(self, proxy, model, provider=None):
        self.base, self.key, self.model, self.provider, self.simulator = proxy.base, proxy.key, model, provider, proxy.simulator

    @property
    def last(self):
        """The last chat request that the upstream has got, as it came."""
        if self.provider:
            return self.provider.chats[-1][3].decode()
        # A page has a thousand; what has been looked at before needs no other look.
        seen, chat = Door.looked_at.get(self.simulator, (0, 0))
        while records := self.records(seen, ""):
            seen = records[-1]["id"]
            chat = next((record["id"] for record in reversed(records) if record.get("kind") == "chat"), chat)
        Door.looked_at[self.simulator] = seen, chat
        return base64.b64decode(self.records(chat - 1, "&raw=true")[0]["bodyBase64"]).decode()

    def records(self, after, more):
        with urllib.request.urlopen(f"{self.simulator}/__control/requests?after={after}{more}", timeout=10) as answer:
            return json.load(answer)["requests"]


def serve_provider(work, provider):
    """The proxy over one provider, until the caller resumes."""
    config = work / "config.json"
    config.write_text(json.dumps({
        "tokens": ["alice|sk-client-1", "bob|sk-client-2"], "host": "127.0.0.1", "log_level": "INFO", "log_file": "stderr", "retry_attempts": 0,
        "providers": [{"provider": "talk", "baseurl": provider.url, "token": "sk-upstream"}]}, indent=1))
    server = Running([BIN / "ociai-proxy", "-config", config, "-port", "0"], work / "proxy.log", ADDRESS)
    yield Proxy(server.url, "sk-client-1", None)
    server.stop()


@pytest.fixture(scope="session")
def aggregator_door(tmp_path_factory):
    """The proxy over a provider that speaks chat completions and nothing else."""
    provider = TalkingProvider()
    for proxy in serve_provider(tmp_path_factory.mktemp("talking"), provider):
        yield proxy, provider
    provider.stop()


# One of each of OCI's formats and of the vendors that differ; None: the provider.
DOORS = {"grok": "grok-4", "llama": "llama-3.3-70b", "cohere": "command-a-03-2025", "cohere v2": "command-a-reasoning-08-2025", "provider": None}
# Models that show what they think.
THINKERS = {"grok": "grok-3-mini", "cohere v2": "command-a-reasoning-08-2025", "provider": "talk/thinker"}


def opened(request, model):
    if model and not model.startswith("talk/"):
        return Door(request.getfixturevalue("proxy"), model)
    proxy, provider = request.getfixturevalue("aggregator_door")
    return Door(proxy, model or "talk/plain", provider)


@pytest.fixture(scope="session", params=DOORS.values(), ids=DOORS.keys())
def door(request):
    return opened(request, request.param)


@pytest.fixture(scope="session", params=THINKERS.values(), ids=THINKERS.keys())
def thinker(request):
    return opened(request, request.param)


@pytest.fixture(scope="session")
def provider_door(request):
    return opened(request, None)
