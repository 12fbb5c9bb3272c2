"""The proxy as an operator runs it: started, reloaded, ended and started again over one directory, and asked over TCP or a Unix socket."""
import contextlib
import csv
import http.client
import io
import json
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import openai
import pytest

from conftest import ADDRESS, BIN, Running
from fake_provider import FakeProvider

TWO_ADDRESSES = r"Listening (?:for the operator )?on http://\S+\n(?:.*\n)*?.*Listening (?:for the operator )?on http://\S+\n"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, {name.lower(): value for name, value in headers}, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error"]["code"]

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


def ask(place, path, body=None, key=None, method=None, **headers):
    """One request to a URL or to the path of a Unix socket; a body that is no text is sent as JSON."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if key:
        headers["authorization"] = f"Bearer {key}"
    place = str(place)
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(place).netloc, timeout=30) if place.startswith("http") else UnixConnection(place)
    with contextlib.closing(connection):
        connection.request(method or ("GET" if body is None else "POST"), path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())


def eventually(look, wanted=bool, within=20):
    """What `look` gives, once it is as wanted."""
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if wanted(seen):
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(0.03)


class Service:
    """The proxy over a configuration file of its own. `url` changes with each start."""

    def __init__(self, directory, text, name="config.json"):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.config = directory, directory / name
        self.write(text)
        self.running, self.starts = None, 0

    def write(self, text):
        self.config.write_text(text if isinstance(text, str) else json.dumps(text, indent=1))
        self.config.chmod(0o600)

    def start(self, pattern=ADDRESS):
        self.starts += 1
        self.running = Running([BIN / "ociai-proxy", "-config", self.config, "-port", "0"], self.directory / f"proxy-{self.starts}.log", pattern)
        # Over TLS who asks has to know the certificate.
        self.url = next(iter(re.findall(ADDRESS, self.running.url)), None)
        return self

    @property
    def log(self):
        return self.running.log.read_text(errors="replace")

    def stop(self):
        running, self.running = self.running, None
        if running:
            running.stop()

    def kill(self):
        running, self.running = self.running, None
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(20)

    def restart(self):
        self.stop()
        return self.start()

    def hang_up(self):
        self.running.process.send_signal(signal.SIGHUP)

    def ask(self, path, body=None, key=None, method=None, **headers):
        return ask(self.url, path, body, key, method, **headers)

    def chat(self, key, model="talk/m1", text="hi", **more):
        return self.ask("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": text}], **more}, key)

    def usage(self, key):
        answer = self.ask("/v1/usage", key=key)
        assert answer.status == 200, answer
        return answer.json

    def spent(self, key, window="day"):
        return self.usage(key)["spent"][window]

    def rows(self, by, level="request", **query):
        text = self.export(by, "jsonl", level, **query).decode()
        return [json.loads(line) for line in text.splitlines()]

    def export(self, by, form, level, **query):
        answer = self.ask("/admin/ledger/export?" + urllib.parse.urlencode({"format": form, "level": level, **query}), key=by)
        assert answer.status == 200, answer
        return answer.body

    def csv_rows(self, by, level, **query):
        return list(csv.DictReader(io.StringIO(self.export(by, "csv", level, **query).decode(), newline="")))

    def table(self, by, subject, **query):
        answer = self.ask(f"/admin/ledger/{subject}?" + urllib.parse.urlencode(query), key=by)
        assert answer.status == 200, answer
        return answer.json["rows"]

    def openai(self, key, **more):
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0, timeout=30, **more)

    def database(self):
        """The bytes of the database and its neighbours."""
        return b"".join(path.read_bytes() for path in sorted(self.directory.glob("ociai-proxy.db*")))


class Counting(FakeProvider):
    """A provider that says what it is told to have used, and waits with its answers while it is held."""

    def __init__(self, prompt=3, completion=4):
        super().__init__(models=("m1", "m2", "vendor/m3"))
        self.prompt, self.completion = prompt, completion
        self.arrived = 0
        self.lock, self.free = threading.Lock(), threading.Event()
        self.free.set()
        self.answer = self.reply
        # More than the usual five may wait.
        self.server.socket.listen(256)

    def reply(self, body):
        with self.lock:
            self.arrived += 1
        self.free.wait(30)
        usage = {"prompt_tokens": self.prompt, "completion_tokens": self.completion, "total_tokens": self.prompt + self.completion}
        choice = {"index": 0, "finish_reason": "stop"}
        if not body.get("stream"):
            return 200, {}, json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "usage": usage,
                                        "choices": [{**choice, "message": {"role": "assistant", "content": "yes"}}]}).encode()
        events = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": "yes"}, "finish_reason": None}]}, {"choices": [{**choice, "delta": {}}]},
                  {"choices": [], "usage": usage}]
        text = "".join(f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'created': 1, 'model': body['model'], **event})}\n\n" for event in events)
        return 200, {"content-type": "text/event-stream"}, (text + "data: [DONE]\n\n").encode()

    def stop(self):
        self.free.set()
        super().stop()


ADMIN, VIEWER, CLIENT, OTHER = ("sk-admin-0123456789ab", "sk-viewer-0123456789a", "sk-client-0123456789a", "sk-other-0123456789ab")


def aggregator(provider, **settings):
    """A JSON configuration over one provider, whose keys are of all roles."""
    return {"tokens": [f"root|{ADMIN}|role=admin", f"eye|{VIEWER}|role=viewer", f"alice|{CLIENT}", f"bob|{OTHER}"], "host": "127.0.0.1", "log_level": "INFO",
            "log_file": "stderr", "retry_attempts": 0, "local_access": False,
            "providers": [{"provider": "talk", "baseurl": provider.url, "token": "sk-upstream-0123456789"}], **settings}


def accounts(config, settings="", head=""):
    """The simulator's configuration with keys of all roles, and settings of `[GLOBAL]`."""
    text = config.read_text().replace("key_file = ", f"key_file = {config.parent}/")
    text = re.sub(r"^api_key = .*$", f"api_key = {CLIENT}\n[API_KEYS]\nroot = {ADMIN} role=admin\neye = {VIEWER} role=viewer\nother = {OTHER}\n{head}", text, flags=re.M)
    text = text.replace("health_check_interval = 30s", "health_check_interval = 0\nlocal_access = false\n" + settings)
    return text


def certificate(directory):
    """The settings of one for this machine's own address."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory / "one.key", "-out", directory / "one.pem", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return {"tls_cert": str(directory / "one.pem"), "tls_key": str(directory / "one.key")}


@pytest.fixture
def provider():
    made = Counting()
    yield made
    made.stop()
