"""One OpenAI-compatible provider, passed through, beside nginx: requests, chunks, latency, the process itself."""
import statistics

from cells import ABOUT, Rounds, figure, head, row, verdict
from leaving import LEAVING, leaving
from peers import Direct, Nginx, Provider

DEFAULT = ("plain-1", "plain-16", "plain-128", "paced-16", "stream-16", "slow-1000", "slow-5000", LEAVING)
# Multiples of nginx: what a version must hold, and where it is to go.
LIMITS = {"plain-16": (8, 2.2), "plain-128": (8, 2.2), "paced-16": (3.3, 1.9), "slow-1000": (None, 1.5), "stream-16": (None, 1.2)}
RESOURCES = {"first answer after the start, ms": (100, None), "at rest, MB": (45, 40), "1,000 open streams, MB": (100, 70),
             "5,000 open streams, MB": (None, 200), "1,000 streams at once, first token p99, ms": (None, 100)}
ADDED_MS = {"p50": 0.07, "p99": 0.16}


def added_ms(rounds, name, quantile):
    """What a proxy adds to the latency of a single client's requests: the difference to no proxy in the same round."""
    with_and_without = zip(rounds.results["plain-1"][name], rounds.results["plain-1"][Direct.name])
    return statistics.median(through["latency_ms"][quantile] - past["latency_ms"][quantile] for through, past in with_and_without)


def providers(upstream, cells, leaves, count):
    rounds = Rounds((Direct, Nginx, Provider), cells, upstream, count,
                    wanted=lambda kind, cell: kind is not Direct or cell == "plain-1")
    head("cell", "nginx, µs", "ociai-proxy, µs", "times nginx", "budget", "goal")
    for cell in rounds.results:
        times = rounds.times(cell, Provider.name, Nginx.name)
        row(f"{cell}, {ABOUT[cell]}", *(f"{statistics.median(rounds.costs(cell, kind.name)):.1f}" for kind in (Nginx, Provider)),
            f"{times:.2f}", *(verdict(times, limit) for limit in LIMITS.get(cell, (None, None))))
    print()
    head("", "nginx", "ociai-proxy", "budget", "goal")
    nginx = rounds.resources(Nginx.name)
    for what, value in rounds.resources(Provider.name).items():
        row(what, figure(nginx[what]), figure(value), *(verdict(value, limit) for limit in RESOURCES.get(what, (None, None))))
    if "plain-1" in rounds.results:
        for quantile, goal in ADDED_MS.items():
            theirs, ours = (added_ms(rounds, kind.name, quantile) for kind in (Nginx, Provider))
            row(f"added latency, one client, {quantile}, ms", f"{theirs:.3f}", f"{ours:.3f}", "", verdict(ours, goal))
    if leaves:
        leaving((Nginx, Provider), upstream, count)
