"""What is measured: each peer's configuration in front of the fake upstream, its process, and load on it."""
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from upstream import HERE, free_port, get


def tree(root):
    children = {}
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((directory / "stat").read_text().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(directory.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def resident_mb(root):
    total = 0
    for process in tree(root):
        with contextlib.suppress(OSError):
            total += int(re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text(), re.M)[1])
    return total / 1024


def grown(request, size):
    """A chat request with an older conversation in it, of about `size` bytes in all; as it is when that is less."""
    if len(request) >= size:
        return request
    request = json.loads(request)
    first, last = request["messages"][0], request["messages"][-1]
    said = {"role": "user", "content": "What does this function do?\n\n\tfor (int i = 0; i < n; i++)\n\t\tputs(\"\u00e9t\u00e9\");\n" * 12}
    heard = {"role": "assistant", "content": "It prints \"\u00e9t\u00e9\" once for each number below n, a line each.\n" * 8}

    def written(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    turns = (size - len(written(request).encode())) // (len(written([said, heard]).encode()) - 1)
    request["messages"] = [first] + [said, heard] * turns + [last]
    last["content"] += "." * (size - len(written(request).encode()))
    return written(request)


def spoken(request, dialect):
    """A chat request in another client dialect."""
    request = json.loads(request)
    system, user = (message["content"] for message in request["messages"])
    both = {"model": request["model"], "temperature": request["temperature"], "stream": True}
    return json.dumps(both | (
        {"max_tokens": 512, "system": system, "messages": [{"role": "user", "content": user}]} if dialect == "messages" else
        {"max_output_tokens": 512, "instructions": system, "input": user, "store": False}))


class Peer:
    """A proxy in front of the fake upstream, in a directory of its own."""

    model = "bench-model"  # as its clients call it, and as its answers must
    key = "sk-bench"
    path = "/v1/chat/completions"
    dialect = "chat"

    def __init__(self, upstream):
        self.upstream = upstream
        self.directory = Path(tempfile.mkdtemp(prefix=f"bench-{self.name}-"))
        os.chmod(self.directory, 0o755)
        self.port = free_port()
        self.start()

    def start(self):
        command = self.prepare()
        started = time.monotonic()
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self.first_answer_ms = self.wait(started)
        time.sleep(1)
        self.at_rest_mb = resident_mb(self.process.pid)

    def answers(self):
        """Whether requests can be sent now. Throws `OSError` when not even this can be asked."""
        return get(self.port, "/health")[0] > 0

    def wait(self, started):
        while time.monotonic() - started < 30 and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.answers():
                    return (time.monotonic() - started) * 1000
            time.sleep(0.002)
        logs = [self.directory / "log", *self.directory.glob("*.log")]
        text = "\n".join(log.read_text(errors="replace") for log in logs)
        self.stop()
        sys.exit(f"{self.name} does not answer:\n{text}")

    def measure(self, cell, may_fail=False):
        self.upstream.set(**{what: cell[what] for what in ("chunks", "interval", "first_delay", "event_delay") if what in cell})
        if "body" in cell:
            small = {what: cell[what] for what in cell if what not in ("body", "warmup")}
            self.measure(small | dict(requests=20 * cell["conns"]))
        at_rest_mb = resident_mb(self.process.pid)
        streams = cell.get("stream", False)
        body = self.directory / "body.json"
        text = (HERE / "bodies" / ("stream.json" if streams else "chat.json")).read_text()
        body.write_text((grown(text, cell.get("body", 0)) if self.dialect == "chat" else spoken(text, self.dialect))
                        .replace("bench-model", self.model))
        command = [
            HERE / "load", "--port", str(self.port), "--path", self.path, "--key", self.key, "--conns", str(cell["conns"]),
            "--body", body, "--model", self.model, "--timeout", str(cell.get("timeout", 60)), "--drain", "10",
            "--pid", f"proxy={self.process.pid}", "--chunks", str(cell.get("chunks", 200)), "--payload", "1024",
            "--duration", str(cell["secs"]), "--dialect", self.dialect,
        ]
        if streams:
            command.append("--stream")
        for option in ("requests", "warmup", "drop_at", "drop_after"):
            if option in cell:
                command += [f"--{option.replace('_', '-')}", str(cell[option])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        result = json.loads(done.stdout) | dict(at_rest_mb=at_rest_mb)
        if not may_fail:
            # What did not end within --drain counts for nothing above, and a missing usage or finish reason is no failure to load.
            wrong = result["failed"] + result["unfinished"] + result["ok"] - result["with_usage"] + result["no_finish"]
            if wrong or not result["ok"]:
                sys.exit(f"{self.name}: {wrong} of {result['started']} answers were wrong or missing:\n{done.stdout}")
        return result

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Direct(Peer):
    """No proxy at all: what the load generator and the upstream take by themselves."""
    name = "direct"

    def start(self):
        self.port, self.process = self.upstream.port, self.upstream.process

    def stop(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Nginx(Peer):
    name = "nginx"

    def prepare(self):
        d = self.directory
        (d / "nginx.conf").write_text(f"""
worker_processes 2; daemon off; pid {d}/pid; error_log {d}/error.log warn; worker_rlimit_nofile 20000;
events {{ worker_connections 16384; }}
http {{
    access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
    keepalive_requests 1000000000;
    upstream up {{ server 127.0.0.1:{self.upstream.port}; keepalive 1024; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{self.port} backlog=8192;
        location / {{
            proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
            proxy_buffering off; proxy_read_timeout 600s;
        }}
    }}
}}
""")
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
        if not program:
            sys.exit("nginx is not installed")
        return [program, "-c", d / "nginx.conf", "-p", d]


class Proxy(Peer):
    """The proxy under test; what it stands in front of is its subclasses' matter."""
    name = "ociai-proxy"
    binary = None
    shared = None  # an engine for several instances


class Provider(Proxy):
    """One OpenAI-compatible provider: pass-through but for the model's name. Limits are out of the way; the rest, the log level
    WARNING included, is as a user has it."""
    model = "bench/bench-model"

    def prepare(self):
        (self.directory / "config.json").write_text(json.dumps({
            "host": "127.0.0.1", "port": self.port,
            "providers": [{"provider": "bench", "baseurl": f"http://127.0.0.1:{self.upstream.port}/v1", "token": "sk-upstream",
                           "model_list": ["bench-model"]}],
            "tokens": [f"bench|{self.key}"],
            "max_connections": 10000, "max_keepalive_connections": 1024, "global_max_concurrency": 10000,
            **({"shared_state": self.shared} if self.shared else {}),
        }))
        return [self.binary, "-config", self.directory / "config.json"]


class Account(Proxy):
    """One OCI account."""
    model = "grok-4"
    bits = 2048

    def prepare(self):
        d = self.directory
        subprocess.run(["openssl", "genrsa", "-out", d / "key.pem", str(self.bits)], check=True, capture_output=True)
        der = subprocess.run(["openssl", "rsa", "-in", d / "key.pem", "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
        fingerprint = hashlib.md5(der).hexdigest()
        fingerprint = ":".join(fingerprint[i:i + 2] for i in range(0, 32, 2))
        (d / "config.conf").write_text(f"""
user = ocid1.user.oc1..bench
tenancy = ocid1.tenancy.oc1..bench
fingerprint = {fingerprint}
key_file = key.pem
region = us-chicago-1
endpoint = http://127.0.0.1:{self.upstream.port}
api_key = {self.key}
log_file = {d}/access.log
[GLOBAL]
port = {self.port}
global_max_concurrency = 10000
{f"shared_state = {self.shared}" if self.shared else ""}
[MODELS]
grok-4 = xai.grok-4
""")
        os.chmod(d / "key.pem", 0o600)
        return [self.binary, "-config", d / "config.conf"]


class ShortKey(Account):
    """The same with a key of half the length: the difference shows what a signature costs in the proxy under this very load."""
    name = "ociai-proxy, 1,024-bit key"
    bits = 1024


class Accounts(ShortKey):
    """The same over several accounts, with the short key, under which the routing's own cost is easier to see."""

    def __init__(self, upstream, count, dead=0, others=()):
        self.count, self.dead = count, dead
        self.ports = [upstream.port] + [other.port for other in others]
        self.name = f"ociai-proxy, {count} accounts"
        super().__init__(upstream)

    def prepare(self):
        command = super().prepare()
        file = self.directory / "config.conf"
        identity, rest = file.read_text().split("api_key =")
        identity = identity.replace("key_file", "max_concurrency = 10000\nkey_file")
        dead = identity.replace(f":{self.upstream.port}", f":{free_port()}")
        living = [identity.replace(f":{self.upstream.port}", f":{port}") for port in self.ports]
        sections = [f"[ACCOUNT_{n + 1}]{dead if n < self.dead else living[n % len(living)]}" for n in range(self.count)]
        # With a dead account the breakers stay closed, so that every second request meets it.
        breaker = "[CIRCUIT_BREAKER]\nmax_failures = 1000000\nmin_requests = 1000000\n" if self.dead else ""
        file.write_text("api_key =" + rest.replace("[GLOBAL]", "[GLOBAL]\nhealth_check_interval = 0") + breaker + "\n".join(sections))
        return command
