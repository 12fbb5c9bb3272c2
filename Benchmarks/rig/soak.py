"""A long run over the simulator with all kinds of faults: memory and descriptors of the proxy have to stay flat, and its ledger has to say what the
simulator and the clients have seen."""
import argparse
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from books import Books

FAULTS = [
    {"action": "status", "status": 500}, {"action": "status", "status": 503}, {"action": "status", "status": 429, "retryAfter": 1},
    {"action": "reset"}, {"action": "close"}, {"action": "empty"}, {"action": "gatewayTimeoutPage"},
    {"action": "cut", "events": 2}, {"action": "resetMidway", "events": 2}, {"action": "errorEvent", "events": 1}, {"action": "brokenEvent", "events": 1},
    {"action": "noDone"}, {"action": "delay", "ms": 700}, {"action": "delayFirstEvent", "ms": 900}, {"action": "huge", "bytes": 12 << 20},
    {"action": "habit", "habit": "reasonWithEachEvent"}, {"action": "habit", "habit": "lateTail", "ms": 3000}, {"action": "habit", "habit": "oneCallID"},
    {"action": "habit", "habit": "carriageReturns"}, {"action": "habit", "habit": "packed"}, {"action": "oddRefusal", "status": 400},
    {"action": "status", "status": 200, "body": "{\"code\":\"503\",\"message\":\"busy\"}"},
]
MODELS = ["grok-4", "llama-3.3-70b", "gemini-2.5-flash", "command-a"]


class Program:
    """A program that says where it listens."""

    def __init__(self, command, log):
        self.log = log
        self.process = subprocess.Popen([str(word) for word in command], stdout=open(log, "wb"), stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while not (match := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text(errors="replace"))):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{command[0]} did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        self.port = int(match.group(1))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class Clients:
    """Threads that chat: whole, streaming, leaving early, asking nonsense, connecting and saying nothing."""

    def __init__(self, port, key):
        self.port, self.key = port, key
        self.counts, self.lock, self.over = {}, threading.Lock(), threading.Event()
        # The usage that each request's answer has told, by the request's id.
        self.told = {}

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def work(self, seed):
        dice = random.Random(seed)
        connection, number = None, 0
        while not self.over.is_set():
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                number += 1
                if not self.turn(connection, dice, f"soak-{seed}-{number}"):
                    connection.close()
                    connection = None
            except OSError as error:
                self.count(f"broken: {type(error).__name__}")
                connection = None
            except http.client.HTTPException as error:
                self.count(f"broken: {type(error).__name__}")
                connection = None

    def turn(self, connection, dice, name):
        """Returns whether the connection can be used again."""
        kind = dice.choices(["whole", "stream", "leave", "nonsense", "silent", "statistics"], [40, 40, 8, 5, 2, 5])[0]
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json", "x-request-id": name}
        if kind == "silent":
            with socket.create_connection(("127.0.0.1", self.port)) as idle:
                idle.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
                time.sleep(dice.random() * 2)
            self.count("half a head")
            return True
        if kind == "statistics":
            connection.request("GET", dice.choice(["/stats/accounts", "/metrics", "/health", "/v1/models"]), headers=headers)
            connection.getresponse().read()
            self.count("statistics")
            return True
        if kind == "nonsense":
            connection.request("POST", "/v1/chat/completions", dice.choice(["{", "[]", '{"model":"nobody","messages":[]}', "x" * 100_000]), headers)
            self.count(f"nonsense {connection.getresponse().status}")
            return False
        body = {"model": dice.choice(MODELS), "stream": kind != "whole", "messages": [{"role": "user", "content": "word " * dice.choice([5, 50, 2000])}]}
        if kind == "stream" and dice.random() < 0.5:
            body["stream_options"] = {"include_usage": True}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        if kind == "leave":
            answer.read(50)
            self.count("left early")
            return False
        text = answer.read()
        if answer.status in (429, 503):
            # As the official clients do it, but for the length.
            time.sleep(0.1)
        whole = answer.status == 200 and (kind == "whole" or text.endswith(b"data: [DONE]\n\n"))
        if whole and (usage := self.usage(text, kind)):
            with self.lock:
                self.told[name] = usage
        self.count("answered" if whole else f"failed {answer.status}")
        return True


    @staticmethod
    def usage(text, kind):
        if kind == "whole":
            return json.loads(text).get("usage")
        found = None
        for line in text.split(b"\n"):
            if line.startswith(b"data: {") and b'"usage":{' in line:
                found = json.loads(line[6:]).get("usage") or found
        return found


def control(port, path, body, method="POST"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, f"/__control/{path}", json.dumps(body))
    connection.getresponse().read()
    connection.close()


def figures(pid):
    """Resident megabytes, open descriptors, threads."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024, len(os.listdir(f"/proc/{pid}/fd")), int(re.search(r"Threads:\s+(\d+)", status).group(1))


def soak(options):
    work = pathlib.Path(tempfile.mkdtemp(prefix="soak-"))
    simulator = Program([options.binaries / "oci-simulator", "-accounts", 3, "-write-config", work], work / "simulator.log")
    config = work / "multi_config.conf"
    # What has failed comes back soon: most requests are to meet an account and its faults, not a closed door.
    text = re.sub(r"(?m)^(health_check_interval|reset_timeout) = .*", r"\1 = 2s", config.read_text())
    config.write_text(text)
    proxy = Program([options.binaries / "ociai-proxy", "-config", config, "-port", 0], work / "proxy.log")
    key = re.search(r"^\s*api_key\s*=\s*([0-9a-f]{32})", config.read_text(), re.M).group(1)
    clients, books = Clients(proxy.port, key), Books(simulator.port)
    threads = [threading.Thread(target=clients.work, args=(seed,)) for seed in range(options.clients)]
    for thread in threads:
        thread.start()
    dice, samples, started = random.Random(7), [], time.monotonic()
    print("| minute | resident, MB | descriptors | threads |\n|---|---|---|---|")
    next_print = 0
    while (elapsed := time.monotonic() - started) < options.minutes * 60:
        fault = {**dice.choice(FAULTS), "kind": "chat", "account": f"account_{dice.randint(1, 3)}", "times": dice.randint(1, 5)}
        control(simulator.port, "faults", fault)
        if dice.random() < 0.1:
            proxy.process.send_signal(signal.SIGHUP)
        samples.append((elapsed, *figures(proxy.process.pid)))
        if elapsed >= next_print:
            print(f"| {elapsed / 60:.1f} | {samples[-1][1]:.1f} | {samples[-1][2]} | {samples[-1][3]} |", flush=True)
            next_print += options.minutes * 60 / 15
        time.sleep(1)
    clients.over.set()
    for thread in threads:
        thread.join()
    time.sleep(3)
    at_rest = figures(proxy.process.pid)
    wrong = books.compare(proxy.port, key, clients.told)
    code = proxy.stop()
    simulator.stop()
    report(samples, at_rest, clients.counts, code, wrong, work)


def report(samples, at_rest, counts, code, wrong, work):
    """Judges the second half against the middle of the first: what grows, grows on."""
    quarter = len(samples) // 4
    before, after = samples[quarter : 2 * quarter], samples[-quarter:]
    print(f"\n{json.dumps(counts, sort_keys=True)}\nafter the clients left: {at_rest[0]:.1f} MB, {at_rest[1]} descriptors; exit code {code}")
    flat = True
    for name, column, slack in (("MB", 1, 1.15), ("descriptors", 2, 1.25)):
        first, last = (statistics.median(sample[column] for sample in part) for part in (before, after))
        flat = flat and last <= first * slack
        print(f"second quarter {first:.1f} {name}, last quarter {last:.1f} {name}: {'flat' if last <= first * slack else 'GROWS'}")
    broken = sum(count for what, count in counts.items() if what.startswith("broken"))
    for line in wrong[:20]:
        print(line)
    if not flat or code != 0 or broken or wrong:
        sys.exit(f"not well: {broken} broken exchanges, {len(wrong)} things that do not fit in the books; the logs are in {work}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--hostile", action="store_true", help="healthy clients beside hostile ones: nobody's requests may hurt the others'")
    parser.add_argument("--without", default="", help="with --hostile: kinds of hostile clients that stay away, to find out whose doing something is")
    parser.add_argument("--binaries", type=pathlib.Path, required=True, help="the directory with ociai-proxy and oci-simulator")
    options = parser.parse_args()
    if options.hostile:
        from hostile import hostile

        hostile(options)
    else:
        soak(options)
