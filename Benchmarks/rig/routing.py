"""Several OCI accounts: what it costs to choose among them, to move from one to the next, and to lose one."""
import http.client
import json
import re
import statistics
import sys
import threading
import time

from cells import CELLS, cost
from peers import Accounts, ShortKey
from upstream import HERE, Upstream


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
    counts, cell = (1, 3, 20, 100), "plain-16"
    costs, failovers = {}, []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for count in counts:
            peer = ShortKey(upstream) if count == 1 else Accounts(upstream, count)
            try:
                costs.setdefault(count, []).append(cost(peer.measure(CELLS[cell])))
            finally:
                peer.stop()
        failovers.append(failover_ms(upstream))
    print("| accounts | a request, µs | more than with one, µs |\n|---|---|---|")
    for count in counts:
        more = statistics.median(several - one for several, one in zip(costs[count], costs[1]))
        print(f"| {count} | {statistics.median(costs[count]):.1f} | {more:+.1f} |")
    at_once, moved = (statistics.median(values) for values in zip(*failovers))
    print(f"\nAnswered at once: {at_once:.2f} ms. After a refused connection: {moved:.2f} ms. Moving on costs {moved - at_once:.2f} ms "
          "(medians, one client, with the second signature).")
    outage(upstream)
