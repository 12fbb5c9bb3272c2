#!/usr/bin/env python3
"""What the proxy costs, beside nginx as a plain reverse proxy, in the same run.

Called by scripts/bench, which builds everything. Each round measures every peer in every cell, so that a machine that
changes its speed changes it for all; the table has medians over the rounds. CPU time of the process tree (user + sys) is
what counts: it hardly depends on what else the machine does, while throughput and latency do.
"""
import argparse
import contextlib
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CELLS = {
    "plain-16": dict(conns=16, secs=4, warmup=0.7),
    "plain-128": dict(conns=128, secs=4, warmup=0.7),
    "paced-16": dict(conns=16, secs=5, warmup=1.1, stream=True, interval=10, chunks=100),
    "stream-16": dict(conns=16, secs=4, warmup=0.7, stream=True),
    "slow-1000": dict(conns=1000, requests=1000, secs=45, stream=True, interval=50, chunks=100, timeout=90),
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


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


class Upstream:
    def __init__(self):
        self.port = free_port()
        self.start()

    def start(self):
        self.process = subprocess.Popen([HERE / "upstream", "--port", str(self.port)])
        for _ in range(100):
            time.sleep(0.05)
            with contextlib.suppress(OSError):
                if get(self.port, "/__stats")[0] == 200:
                    return
        sys.exit("the fake upstream does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def set(self, chunks=200, interval=0):
        assert get(self.port, f"/__ctl?chunks={chunks}&interval={interval}&first-delay=0&payload=1024")[0] == 200


class Peer:
    """A proxy in front of the fake upstream, in a directory of its own."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.directory = Path(tempfile.mkdtemp(prefix=f"bench-{self.name}-"))
        os.chmod(self.directory, 0o755)
        self.port = free_port()
        self.key, self.model = "sk-bench", "bench-model"
        command = self.prepare()
        started = time.monotonic()
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self.first_answer_ms = self.wait(started)
        time.sleep(1)
        self.at_rest_mb = resident_mb(self.process.pid)

    def wait(self, started):
        while time.monotonic() - started < 30:
            with contextlib.suppress(OSError):
                get(self.port, "/health")
                return (time.monotonic() - started) * 1000
            time.sleep(0.002)
        sys.exit((self.directory / "log").read_text(errors="replace"))

    def measure(self, cell, may_fail=False):
        self.upstream.set(chunks=cell.get("chunks", 200), interval=cell.get("interval", 0))
        streams = cell.get("stream", False)
        body = self.directory / "body.json"
        body.write_text((HERE / "bodies" / ("stream.json" if streams else "chat.json")).read_text().replace("bench-model", self.model))
        command = [
            HERE / "load", "--port", str(self.port), "--path", "/v1/chat/completions", "--key", self.key, "--conns", str(cell["conns"]),
            "--body", body, "--timeout", str(cell.get("timeout", 60)), "--drain", "10", "--pid", f"proxy={self.process.pid}",
            "--chunks", str(cell.get("chunks", 200)), "--payload", "1024", "--duration", str(cell["secs"]),
        ]
        if streams:
            command.append("--stream")
        for option in ("requests", "warmup"):
            if option in cell:
                command += [f"--{option}", str(cell[option])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        result = json.loads(done.stdout)
        if result["failed"] and not may_fail:
            sys.exit(f"{self.name}: {result['failed']} of {result['ok'] + result['failed']} answers were wrong:\n{done.stdout}")
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


class Nginx(Peer):
    name = "nginx"

    def prepare(self):
        d = self.directory
        (d / "nginx.conf").write_text(f"""
worker_processes 2; daemon off; pid {d}/pid; error_log {d}/error.log warn; worker_rlimit_nofile 20000;
events {{ worker_connections 8192; }}
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
    name = "ociai-proxy"
    program = None
    bits = 2048

    def prepare(self):
        d = self.directory
        subprocess.run(["openssl", "genrsa", "-out", d / "key.pem", str(self.bits)], check=True, capture_output=True)
        der = subprocess.run(["openssl", "rsa", "-in", d / "key.pem", "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
        fingerprint = hashlib.md5(der).hexdigest()
        fingerprint = ":".join(fingerprint[i:i + 2] for i in range(0, 32, 2))
        self.model = "grok-4"
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
[MODELS]
grok-4 = xai.grok-4
""")
        os.chmod(d / "key.pem", 0o600)
        return [self.program, "-config", d / "config.conf"]


class Accounts(Proxy):
    """The same over several accounts, with the short key, under which the routing's own cost is easier to see."""
    bits = 1024

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


class ShortKey(Proxy):
    """The same with a key of half the length: the difference shows what a signature costs in the proxy under this very load."""
    name = "ociai-proxy, 1,024-bit key"
    bits = 1024


def signature_us(bits):
    """CPU of one RSA signature by the system's libcrypto, which the proxy uses, alone on the machine."""
    out = subprocess.run(["openssl", "speed", "-mr", "-seconds", "2", f"rsa{bits}"], capture_output=True, text=True).stdout
    found = re.search(rf"^\+F2:\d+:{bits}:([0-9.e-]+):", out, re.M)
    return 1e6 / float(found[1]) if found else float("nan")


def without_signature(long, short, signatures):
    """A request's cost less its signature, from its cost with two lengths of key. Under load a signature costs more than
    alone, and by the same factor for both lengths."""
    factor = (long - short) / (signatures[0] - signatures[1])
    return long - factor * signatures[0]


def failover_ms(upstream, requests=600):
    """Medians of requests that one account answered at once, and of those that met a refused connection before."""
    peer = Accounts(upstream, 2, dead=1)
    try:
        upstream.set()
        body = (HERE / "bodies" / "chat.json").read_text().replace("bench-model", peer.model)
        headers = {"authorization": f"Bearer {peer.key}", "content-type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=10)
        times = []
        for _ in range(requests):
            started = time.perf_counter()
            connection.request("POST", "/v1/chat/completions", body, headers)
            answer = connection.getresponse()
            answer.read()
            times.append((time.perf_counter() - started) * 1000)
            if answer.status != 200:
                sys.exit(f"a failover ended in {answer.status}")
        attempts = [int(n) for n in re.findall(r"attempts=(\d+)", (peer.directory / "access.log").read_text())]
        assert len(attempts) == requests and set(attempts) == {1, 2}, set(attempts)
        return tuple(statistics.median(t for t, n in zip(times, attempts) if n == wanted) for wanted in (1, 2))
    finally:
        peer.stop()


def outage(upstream, seconds=60):
    """One of three accounts goes away for a minute under steady load: what clients and upstreams notice of it."""
    others = [Upstream(), Upstream()]
    peer = Accounts(upstream, 3, others=others)
    try:
        for each in (upstream, *others):
            each.set()
        timers = [threading.Timer(10, others[0].stop), threading.Timer(10 + seconds, others[0].start)]
        for timer in timers:
            timer.start()
        result = peer.measure(dict(conns=4, secs=seconds + 80), may_fail=True)
        for timer in timers:
            timer.join()
        attempts = [int(n) for n in re.findall(r"attempts=(\d+)", (peer.directory / "access.log").read_text())]
        connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=10)
        connection.request("GET", "/stats/circuit-breaker", headers={"authorization": f"Bearer {peer.key}"})
        breaker = json.load(connection.getresponse())["accounts"][1]
        print(f"\nOne of three accounts away for {seconds} s: {result['failed']} of {result['ok'] + result['failed']} requests failed, "
              f"{sum(attempts) / len(attempts):.5f} attempts a request; its breaker opened {breaker['opened_total']} times and is {breaker['state']}.")
    finally:
        peer.stop()
        for other in others:
            other.stop()


def routing(upstream, rounds):
    """What it costs to choose among accounts, and to move from one to the next."""
    counts, cell = (1, 3, 20, 100), CELLS["plain-16"]
    costs, failovers = {}, []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for count in counts:
            peer = ShortKey(upstream) if count == 1 else Accounts(upstream, count)
            try:
                costs.setdefault(count, []).append(cost(peer.measure(cell), cell))
            finally:
                peer.stop()
        failovers.append(failover_ms(upstream))
    print("| accounts | a request, µs | more than with one, µs |\n|---|---|---|")
    for count in counts:
        more = statistics.median(cost - one for cost, one in zip(costs[count], costs[1]))
        print(f"| {count} | {statistics.median(costs[count]):.1f} | {more:+.1f} |")
    at_once, moved = (statistics.median(values) for values in zip(*failovers))
    print(f"\nAnswered at once: {at_once:.2f} ms. After a refused connection: {moved:.2f} ms. Moving on costs {moved - at_once:.2f} ms "
          "(medians, one client, with the second signature).")
    outage(upstream)


def cost(result, cell):
    proxy = result["procs"]["proxy"]
    return proxy["cpu_us_per_chunk"] if cell.get("stream") else proxy["cpu_us_per_request"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="the release build of ociai-proxy")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", default=",".join(CELLS))
    parser.add_argument("--routing", action="store_true", help="measure the choice among accounts and the way to the next one instead")
    arguments = parser.parse_args()
    Proxy.program = arguments.program
    upstream = Upstream()
    rows, signatures, extras = {}, [], {}
    try:
        if arguments.routing:
            return routing(upstream, arguments.rounds)
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
            signatures.append((signature_us(2048), signature_us(1024)))
            for kind in (Nginx, Proxy, ShortKey):
                peer = kind(upstream)
                try:
                    if kind is not ShortKey:
                        extras.setdefault((peer.name, "first answer, ms"), []).append(peer.first_answer_ms)
                        extras.setdefault((peer.name, "at rest, MB"), []).append(peer.at_rest_mb)
                    for name in arguments.cells.split(","):
                        if kind is ShortKey and CELLS[name].get("stream"):
                            continue
                        result = peer.measure(CELLS[name])
                        rows.setdefault(name, {}).setdefault(peer.name, []).append(cost(result, CELLS[name]))
                        if name == "slow-1000":
                            extras.setdefault((peer.name, "1,000 streams, MB"), []).append(result["procs"]["proxy"]["rss_max_kb"] / 1024)
                            extras.setdefault((peer.name, "1,000 streams, first token p99, ms"), []).append(result["ttft_ms"]["p99"])
                finally:
                    peer.stop()
    finally:
        upstream.stop()

    median = statistics.median
    print(f"One RSA-2048 signature alone: {median(s for s, _ in signatures):.0f} µs (system libcrypto)\n")
    print("| cell | nginx, µs | ociai-proxy, µs | less the signature, µs | times nginx |")
    print("|---|---|---|---|---|")
    for name, peers in rows.items():
        nginx, ours = peers["nginx"], peers["ociai-proxy"]
        if CELLS[name].get("stream"):
            less, unit = ours, "chunk"
        else:
            less, unit = [without_signature(*row) for row in zip(ours, peers[ShortKey.name], signatures)], "request"
        ratio = median(cost / base for cost, base in zip(less, nginx))
        print(f"| {name}, a {unit} | {median(nginx):.1f} | {median(ours):.1f} | {median(less):.1f} | {ratio:.1f} |")
    print("\n| | nginx | ociai-proxy |\n|---|---|---|")
    for what in dict.fromkeys(what for _, what in extras):
        print(f"| {what} | " + " | ".join(f"{statistics.median(extras[(peer, what)]):.0f}" for peer in ("nginx", "ociai-proxy")) + " |")


main()
