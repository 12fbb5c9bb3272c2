"""Healthy clients beside hostile ones: nobody's chat may take much longer for what others send, and the memory has to come back.

First the healthy ones alone; then with the hostile ones busy at a server of their own, since all share the machine; then all together. The clients
are processes of their own, the hostile ones at the lowest priority, since they are not what is measured.
"""
import http.client
import json
import multiprocessing
import os
import pathlib
import random
import re
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from soak import Program, figures

# As the unit file says: a service that gives no sign of life for so long is killed.
WATCHDOG_SECONDS = 30
HEALTHY = 50
HEALTHY_KEYS = 5
# Of one key, at once: what keeps a greedy client from being served before all others.
PER_KEY = 10
# Between two requests of one healthy client, on average.
PAUSE_SECONDS = 1.0


def connect(port, timeout=30):
    connection = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def head(path, key=None, length=None, method="POST", fields=""):
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
        + (f"Authorization: Bearer {key}\r\n" if key else "")
        + (f"Content-Type: application/json\r\nContent-Length: {length}\r\n" if length is not None else "")
        + fields + "\r\n"
    ).encode()


def exchange(port, data, leave=False, wait=20):
    """Sends all of it; reads the answer's beginning, unless it leaves at once."""
    with connect(port, wait) as connection:
        connection.sendall(data)
        if not leave:
            connection.recv(65536)


def chat(port, key, body, leave=False):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    exchange(port, head("/v1/chat/completions", key, len(body)) + body, leave)


def text(content, **more):
    return {"model": "grok-4", "messages": [{"role": "user", "content": content}], **more}


# Each takes the port, the hostile key and dice, does one thing, and says how long it may rest.

def operator_who_leaves(port, key, dice):
    exchange(port, head("/stats/accounts", method="GET"), leave=True)
    return 0.03


def marks(port, key, dice):
    chat(port, key, text("x", model="a" + "\u0301" * dice.choice([15_000, 1_000_000])), leave=dice.random() < 0.3)
    return 0.1


def made_up_models(port, key, dice):
    chat(port, key, text("x", model="xai." + "".join(dice.choices("abcdefgh-", k=dice.choice([12, 200, 12_000])))))
    return 0.02


def schema_with_doubled_keywords(port, key, dice):
    members = ",".join(f'"a{i}":1' for i in range(20_000)) + ',"items":{}' * 20_000
    body = '{"model":"grok-4","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object",%s}}}]}'
    chat(port, key, (body % members).encode(), leave=dice.random() < 0.5)
    return 0.5


def schema_of_references(port, key, dice):
    schema = {"x": [1] * 50_000, "allOf": [{"$ref": f"#/x/{50_000 - i}"} for i in range(1_000)]}
    chat(port, key, text("x", tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}]))
    return 0.5


def numbers(port, key, dice):
    size = dice.choice([1, 4, 16]) << 20
    chat(port, key, b'{"model":"grok-4","messages":[{"role":"user","content":"x"}],"metadata":[' + b"0," * (size // 2) + b"0]}")
    return 1


def empty_parts(port, key, dice):
    chat(port, key, text([""] * dice.choice([40_000, 1_000_000])))
    return 1


def deep(port, key, dice):
    chat(port, key, b'{"model":"grok-4","messages":[{"role":"user","content":' + b"[" * 200_000 + b"]" * 200_000 + b"}]}")
    return 0.2


def half_bodies(port, key, dice):
    with connect(port) as connection:
        connection.sendall(head("/v1/chat/completions", key, 30 << 20) + b'{"model":"' + b"x" * (1 << 20))
        time.sleep(dice.random() * 5)
    return 0.1


def half_heads(port, key, dice):
    connections = [connect(port) for _ in range(50)]
    for connection in connections:
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + b"".join(b"x-%d: %s\r\n" % (i, b"y" * 2000) for i in range(10)))
    time.sleep(dice.random() * 3)
    for connection in connections:
        connection.close()
    return 0.5


def long_paths(port, key, dice):
    exchange(port, head(dice.choice(["/v1" * 10_000, "/a" * 15_000, "/v1" * 2_600, "//" * 4_000]), method="GET"))
    return 0.02


def test_calls(port, key, dice):
    exchange(port, head(dice.choice(["/test-oci", "/v1/models"]), key, method="GET"))
    return 0.02


def refreshes(port, key, dice):
    exchange(port, head(dice.choice(["/admin/models/refresh", "/v1/reload"]), key, 0))
    return 0.2


def broken_log_lines(port, key, dice):
    name = 'a"\u200d status=200\u200d key=admin x="\u200d\\" \u202e\u0000\n' * dice.choice([1, 30])
    chat(port, key, text("x", model=name))
    return 0.02


def slow_readers(port, key, dice):
    body = json.dumps(text("word " * 2_000, stream=True)).encode()
    with connect(port) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.sendall(head("/v1/chat/completions", key, len(body)) + body)
        for _ in range(10):
            connection.recv(10)
            time.sleep(0.3)
    return 0.1


def greedy(port, key, dice):
    """More at once than the key may have."""
    body = json.dumps(text("x", stream=True)).encode()
    connections = [connect(port) for _ in range(60)]
    for connection in connections:
        connection.sendall(head("/v1/chat/completions", key, len(body)) + body)
    for connection in connections:
        connection.recv(65536)
        connection.close()
    return 0.5


def pipeline(port, key, dice):
    with connect(port) as connection:
        connection.settimeout(1)
        try:
            for _ in range(50):
                connection.sendall(head("/health", method="GET") * 200)
        except OSError:
            pass
    return 0.5


def wrong_keys(port, key, dice):
    exchange(port, head("/v1/chat/completions", secrets.token_hex(16), 1 << 20))
    return 0.02


ATTACKS = [
    operator_who_leaves, marks, made_up_models, schema_with_doubled_keywords, schema_of_references, numbers, empty_parts, deep, half_bodies, half_heads,
    long_paths, test_calls, refreshes, broken_log_lines, slow_readers, greedy, pipeline, wrong_keys,
]


def sink(ready):
    """A server that reads what comes and refuses it: what the hostile ones cost where they do no harm."""
    os.nice(19)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    ready.put(listener.getsockname()[1])

    def serve(connection):
        try:
            with connection:
                while connection.recv(1 << 20):
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
        except OSError:
            pass

    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def side_by_side(work, arguments, over, patience):
    """A thread for each of the arguments, until it is over; they get so many seconds to end."""
    threads = [threading.Thread(target=work, args=each, daemon=True) for each in arguments]
    for thread in threads:
        thread.start()
    over.wait()
    for thread in threads:
        thread.join(patience)


def attack(port, key, over, counts, kinds):
    """A process of hostile clients: a thread for each kind."""
    os.nice(19)
    lock = threading.Lock()
    done = {}

    def work(kind, seed):
        dice = random.Random(seed)
        while not over.is_set():
            try:
                pause, what = kind(port, key, dice), kind.__name__
            except OSError as error:
                pause, what = 0.1, f"{kind.__name__}: {type(error).__name__}"
            with lock:
                done[what] = done.get(what, 0) + 1
            # Random: no two kinds keep step.
            over.wait(pause * 2 * dice.random())

    side_by_side(work, [(kind, seed) for seed, kind in enumerate(kinds)], over, 30)
    counts.put(done)


def healthy(port, keys, over, results):
    """A process of healthy clients; puts (kind, seconds, is well) in lists."""
    lock = threading.Lock()
    done = []

    def work(seed):
        dice = random.Random(seed)
        key, connection = keys[seed % len(keys)], None
        while not over.wait(dice.expovariate(1 / PAUSE_SECONDS)):
            kind = dice.choices(["chat", "stream", "health"], [5, 3, 2])[0]
            started = time.monotonic()
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                if kind == "health":
                    connection.request("GET", "/health")
                else:
                    connection.request(
                        "POST", "/v1/chat/completions", json.dumps(text("word " * 50, stream=kind == "stream")),
                        {"authorization": f"Bearer {key}", "content-type": "application/json"})
                answer = connection.getresponse()
                body = answer.read()
                is_well = answer.status == 200 and (kind != "stream" or body.endswith(b"data: [DONE]\n\n"))
                if not is_well:
                    kind = f"{kind} {answer.status} {body[:200]!r}"
            except (OSError, http.client.HTTPException) as error:
                is_well, kind, connection = False, f"{kind} {type(error).__name__}", None
            with lock:
                done.append((kind, time.monotonic() - started, is_well))

    side_by_side(work, [(seed,) for seed in range(HEALTHY)], over, 60)
    results.put(done)


class Watchdog:
    """Stands where systemd does: the longest time between two signs of life."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.longest, self.count, self.last = 0.0, 0, None
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            message = self.socket.recv(4096)
            if b"WATCHDOG=1" not in message:
                continue
            now = time.monotonic()
            if self.last is not None:
                self.longest = max(self.longest, now - self.last)
            self.last, self.count = now, self.count + 1


def percentile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def phase(seconds, port, keys, target=None, sample=lambda: None, kinds=ATTACKS):
    """Runs the clients, the hostile ones at the port `target` if they are to be there; what the healthy ones have seen, and what the others have done."""
    over, results, counts = multiprocessing.Event(), multiprocessing.Queue(), multiprocessing.Queue()
    workers = [multiprocessing.Process(target=healthy, args=(port, keys[1:], over, results))]
    if target:
        workers.append(multiprocessing.Process(target=attack, args=(target, keys[0], over, counts, kinds)))
    for worker in workers:
        worker.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sample()
        time.sleep(min(1, max(0, end - time.monotonic())))
    over.set()
    seen = results.get()
    done = counts.get() if target else {}
    for worker in workers:
        worker.join()
    return seen, done


def hostile(options):
    work = pathlib.Path(tempfile.mkdtemp(prefix="hostile-"))
    simulator = Program([options.binaries / "oci-simulator", "-accounts", 3, "-write-config", work], work / "simulator.log")
    config = work / "multi_config.conf"
    keys = [secrets.token_hex(16) for _ in range(1 + HEALTHY_KEYS)]
    written = config.read_text()
    written = re.sub(r"(?m)^\s*api_key\s*=.*", f"api_key = {keys[0]}", written)
    written = written.replace("[GLOBAL]", f"[GLOBAL]\nmax_concurrency_per_key = {PER_KEY}\n", 1) + "\n[API_KEYS]\n"
    written += "".join(f"healthy-{number} = {key}\n" for number, key in enumerate(keys[1:], 1))
    config.write_text(written)
    watchdog = Watchdog(work)
    os.environ.update(NOTIFY_SOCKET=str(watchdog.path), WATCHDOG_USEC=str(WATCHDOG_SECONDS * 1_000_000))
    proxy = Program([options.binaries / "ociai-proxy", "-config", config, "-port", 0], work / "proxy.log")
    pid = proxy.process.pid
    seconds = options.minutes * 60
    unwanted = set(filter(None, options.without.split(",")))
    kinds = [kind for kind in ATTACKS if kind.__name__ not in unwanted]
    if len(kinds) + len(unwanted) != len(ATTACKS):
        sys.exit(f"--without: the kinds are {', '.join(kind.__name__ for kind in ATTACKS)}")
    memory = []
    quiet_seconds = max(30, seconds / 10)
    phase(5, proxy.port, keys)
    quiet, _ = phase(quiet_seconds, proxy.port, keys)
    ready = multiprocessing.Queue()
    elsewhere = multiprocessing.Process(target=sink, args=(ready,), daemon=True)
    elsewhere.start()
    beside, _ = phase(quiet_seconds, proxy.port, keys, ready.get(), kinds=kinds)
    elsewhere.kill()
    started, next_print = time.monotonic(), 0.0
    print("| minute | resident, MB | descriptors | threads |\n|---|---|---|---|")

    def sample():
        nonlocal next_print
        elapsed = time.monotonic() - started
        memory.append(figures(pid))
        if elapsed >= next_print:
            print(f"| {elapsed / 60:.1f} | {memory[-1][0]:.1f} | {memory[-1][1]} | {memory[-1][2]} |", flush=True)
            next_print += seconds / 15

    under, done = phase(seconds, proxy.port, keys, proxy.port, sample, kinds)
    # What has been freed goes back within a minute.
    time.sleep(60)
    at_rest = figures(pid)
    code = proxy.stop()
    simulator.stop()
    sys.exit(report((quiet, beside, under), done, memory, at_rest, watchdog, code, work))


def report(phases, done, memory, at_rest, watchdog, code, work):
    """Prints what was seen, and what of it is not well."""
    complaints = []
    print(f"\nhostile: {json.dumps(done, sort_keys=True)}\n")
    print("| healthy: requests, p50, p99 | alone | the hostile are elsewhere | all together | ratio of p99 to elsewhere |\n|---|---|---|---|---|")
    for kinds, name in ((("chat", "stream"), "chats"), (("health",), "/health")):
        seen = [[took for kind, took, is_well in phase if is_well and kind in kinds] for phase in phases]
        if not all(seen):
            complaints.append(f"no {name} were answered")
            continue
        ratio = percentile(seen[2], 0.99) / percentile(seen[1], 0.99)
        columns = (f"{len(values)}, {statistics.median(values) * 1000:.1f}, {percentile(values, 0.99) * 1000:.1f} ms" for values in seen)
        print(f"| {name} | {' | '.join(columns)} | {ratio:.2f} |")
        # Under 20 ms it is the noise of clients that share the cores with what they measure.
        if ratio > 2 and percentile(seen[2], 0.99) > 0.02:
            complaints.append(f"p99 of {name} is {ratio:.1f} times what it is with the hostile elsewhere")
    failed = {}
    for kind, _, is_well in phases[2]:
        if not is_well:
            failed[kind] = failed.get(kind, 0) + 1
    print(f"\nfailed of the healthy: {json.dumps(failed, sort_keys=True)}")
    if failed:
        complaints.append(f"{sum(failed.values())} healthy requests failed")
    quarter = max(len(memory) // 4, 1)
    before, after = (statistics.median(sample[0] for sample in part) for part in (memory[quarter : 2 * quarter], memory[-quarter:]))
    print(f"resident: {before:.0f} MB in the second quarter, {after:.0f} in the last, {at_rest[0]:.0f} a minute after; {at_rest[1]} descriptors; exit code {code}")
    if after > before * 1.25:
        complaints.append("the memory grows")
    print(f"watchdog: {watchdog.count} signs of life, at most {watchdog.longest:.1f} s apart of {WATCHDOG_SECONDS} s that are allowed")
    if watchdog.longest > WATCHDOG_SECONDS or watchdog.count < 2:
        complaints.append("the watchdog would have ended it")
    if code != 0:
        complaints.append(f"exit code {code}")
    for complaint in complaints:
        print(f"not well: {complaint}; the logs are in {work}", file=sys.stderr)
    return 1 if complaints else 0
