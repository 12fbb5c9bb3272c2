"""More requests than an upstream can take, beside HAProxy with a limit and a queue: what of its capacity turns into whole answers, who is
refused and when, and what is left of it in the second after."""
import json
import statistics
import subprocess
import sys
import time

from cells import figure, head, row
from others import HAProxy
from peers import Provider
from upstream import HERE

AT_ONCE = 20         # the upstream's permits, known to each peer
SERVICE_MS = 200     # of each answer
PATIENCE_S = 2       # a request's time here, and a place's time in HAProxy's queue
FACTOR = 5           # the load, in capacities
SECONDS = 10
CAPACITY = AT_ONCE * 1000 / SERVICE_MS
GOAL = 0.95


class QueuingHAProxy(HAProxy):
    def prepare(self):
        command = super().prepare()
        file = self.directory / "haproxy.cfg"
        text = file.read_text().replace("timeout connect 5s", f"timeout connect 5s\n    timeout queue {PATIENCE_S}s")
        file.write_text(text.replace(f"server up1 127.0.0.1:{self.upstream.port}", f"server up1 127.0.0.1:{self.upstream.port} maxconn {AT_ONCE}"))
        return command


class LimitedProvider(Provider):
    def prepare(self):
        command = super().prepare()
        file = self.directory / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"max_connections": AT_ONCE, "request_timeout": PATIENCE_S}))
        return command


def load(peer, rate, seconds, drain):
    """An open loop: requests come at their times, whatever becomes of those before them."""
    body = peer.directory / "body.json"
    body.write_text((HERE / "bodies" / "chat.json").read_text().replace("bench-model", peer.model))
    command = [HERE / "load", "--port", str(peer.port), "--path", peer.path, "--key", peer.key, "--body", body, "--model", peer.model,
               "--rate", str(rate), "--conns", str(int(rate * (PATIENCE_S + 1))), "--duration", str(seconds), "--drain", str(drain),
               "--timeout", str(4 * PATIENCE_S), "--payload", "1024", "--pid", f"proxy={peer.process.pid}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + drain + 60)
    try:
        result = json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"{peer.name}: load has failed:\n{done.stderr}{done.stdout}")
    if result["wrong"]:
        sys.exit(f"{peer.name}: {result['wrong']} answers were wrong:\n{done.stdout}")
    return result


def measure(peer):
    """What one peer makes of the load, and of a moderate one that follows it at once."""
    peer.upstream.set(first_delay=SERVICE_MS)
    load(peer, CAPACITY / 2, 2, 2)
    during = load(peer, FACTOR * CAPACITY, SECONDS, 0)
    after = load(peer, CAPACITY / 2, 1, 2 * PATIENCE_S)
    refused = sum(count for status, count in during["status"].items() if status != "200")
    return {
        "whole answers, % of capacity": 100 * during["ok_in_window"] / (CAPACITY * during["window_s"]),
        "time to an answer, p50, ms": during["latency_ms"]["p50"],
        "time to an answer, p99, ms": during["latency_ms"]["p99"],
        "refused, % of all": 100 * refused / during["started"],
        "cut off or timed out": during["timeouts"] + during["incomplete"] + during["resets"],
        "CPU in all, s": during["procs"]["proxy"]["cpu_s"],
        "the second after: answered, %": 100 * after["ok"] / max(1, after["started"]),
        "the second after: p99, ms": after["latency_ms"]["p99"],
    }


def overload(upstream, count):
    kinds = [LimitedProvider]
    if HAProxy.program():
        kinds.insert(0, QueuingHAProxy)
    else:
        print("HAProxy is not installed and left out (Debian: apt-get install haproxy).", file=sys.stderr)
    results = {kind.name: [] for kind in kinds}
    for number in range(count):
        print(f"round {number + 1} of {count}", file=sys.stderr)
        for kind in kinds[number % len(kinds):] + kinds[:number % len(kinds)]:
            peer = kind(upstream)
            try:
                results[kind.name].append(measure(peer))
                time.sleep(0.5)
            finally:
                peer.stop()
    print(f"{AT_ONCE} at once, {SERVICE_MS} ms each: {CAPACITY:.0f} a second. {FACTOR} times as many come for {SECONDS} s; each waits {PATIENCE_S} s at most.\n")
    head("", *results, "goal")
    for what in results[LimitedProvider.name][0]:
        medians = [statistics.median(of[what] for of in results[name]) for name in results]
        goal = ""
        if what.startswith("whole"):
            goal = f"{100 * GOAL:.0f}: {'met' if medians[-1] >= 100 * GOAL else 'missed'}"
        row(what, *(figure(value) for value in medians), goal)
