"""The examples for nginx and HAProxy, each in front of two instances: streams pass as they come, and an instance that is gone is noticed by nobody."""
import json
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import pytest

from instances import MODEL, Load, cluster, crowd, quick  # noqa: F401
from redis import redis  # noqa: F401
from service import CLIENT, Service, ask, eventually

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
pytestmark = quick


def program(name):
    return shutil.which(name) or shutil.which(f"/usr/sbin/{name}")


class Front:
    """One of them, over two instances."""

    def __init__(self, name, directory, instances):
        if not program(name):
            pytest.skip(f"{name} is not installed")
        directory.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url, self.running = f"http://127.0.0.1:{port}", None
        text = (CONFIGS / {"nginx": "nginx.conf.example", "haproxy": "haproxy.cfg.example"}[name]).read_text()
        text, count = re.subn(r"(listen |bind )(:?)8080\b", rf"\g<1>127.0.0.1:{port}", text)
        assert count == 1
        for number, one in enumerate(instances, 8081):
            text, count = re.subn(rf"127\.0\.0\.1:{number}\b", one.url.removeprefix("http://"), text)
            assert count == 1
        config = directory / "config"
        if name == "nginx":
            text = (f"daemon off;\nmaster_process off;\npid {directory}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n"
                    + "".join(f"{use}_temp_path {directory}/{use};\n" for use in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")) + text + "}\n")
            command = [program(name), "-p", directory, "-e", "stderr", "-c", config]
        else:
            command = [program(name), "-db", "-f", config]
        config.write_text(text)
        self.log = directory / "log"
        with open(self.log, "wb") as log:
            self.running = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        eventually(self.listens)

    def listens(self):
        assert self.running.poll() is None, self.log.read_text(errors="replace")
        try:
            return ask(self.url, "/health").status == 200
        except OSError:
            return False

    def stop(self):
        self.running.terminate()
        self.running.wait(20)

    # A load asks a service.
    ask, chat = Service.ask, Service.chat


@pytest.fixture(params=["nginx", "haproxy"])
def front(request, tmp_path, cluster):
    both = cluster.start(2)
    one = Front(request.param, tmp_path / request.param, both)
    one.both = both
    yield one
    one.stop()


def stream(url, **more):
    body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "hi"}], **more}
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), {"authorization": f"Bearer {CLIENT}", "content-type": "application/json"})
    return urllib.request.urlopen(request, timeout=30)


def test_two_instances_behind_one_name(front, crowd):
    # None of them keeps a part of a stream back.
    crowd.control("pacing", {"events": 4, "intervalMs": 500})
    with stream(front.url) as answer:
        moments = [time.monotonic() for line in iter(answer.readline, b"") if line.startswith(b"data:")]
    assert len(moments) >= 5 and moments[-1] - moments[0] > 1.2, moments
    # One is killed under load: what ran there is lost, and is sent to nobody else. Whatever comes then goes to the other.
    crowd.control("pacing", {"events": None, "intervalMs": 0, "firstDelayMs": 100})
    load = Load(front, 6)
    try:
        eventually(lambda: load.done, lambda done: done > 20)
        before = len(crowd.chats)
        first, second = front.both
        second.kill()
        killed = time.monotonic()
        done = load.done
        eventually(lambda: load.done, lambda now: now > done + 20)
        lost = len(load.failed)
        time.sleep(1)
    finally:
        load.end()
    assert len(load.failed) == lost <= 6 and time.monotonic() - killed < 20, load.failed
    assert all(isinstance(failure, OSError) or failure.status in (502, 503) for failure in load.failed), load.failed
    assert before < len(crowd.chats) <= load.done + len(load.failed) + 5, "nothing was sent twice"
    # It is told of once it is back.
    second.start()


def test_streams_of_an_instance_that_ends_in_order_are_whole(front, crowd):
    crowd.control("pacing", {"events": 10, "intervalMs": 200})
    running = [stream(front.url) for _ in range(4)]
    first, second = front.both
    load = Load(front, 3)
    try:
        second.stop()
        done = load.done
        eventually(lambda: load.done, lambda now: now > done + 3)
    finally:
        load.end()
    for answer in running:
        with answer:
            assert b"[DONE]" in answer.read()
    # What was sent in the moment in which it stopped to listen is lost, and never sent twice.
    assert len(load.failed) <= 3 and all(failure.status in (502, 503) for failure in load.failed), load.failed
