"""One OCI account, beside nginx: requests less the signature, chunks, the process itself."""
import re
import statistics
import subprocess

from cells import ABOUT, Rounds, figure, head, row, verdict
from leaving import LEAVING, leaving
from peers import Account, Direct, Nginx, ShortKey

DEFAULT = ("body-1m", "plain-1", "plain-16", "plain-128", "paced-16", "stream-16", "slow-1000", "slow-5000", LEAVING)
# Multiples of nginx: what a version must hold, and where it is to go.
LIMITS = {"plain-16": (8, 3), "plain-128": (8, 3), "paced-16": (3.3, 2.0), "stream-16": (None, 1.5)}
RESOURCES = {"first answer after the start, ms": (100, None), "at rest, MB": (45, 40), "1,000 open streams, MB": (100, 70),
             "5,000 open streams, MB": (None, 200), "body of 1 MB, CPU in all, ms": (None, 2.0),
             "bodies of 1 MB, memory over rest, in bodies": (None, 3)}
ADDED_MS = {"p50": 0.10, "p99": 0.30}


def signature_us(bits):
    """CPU of one RSA signature by the system's libcrypto, which the proxy uses, alone on the machine."""
    out = subprocess.run(["openssl", "speed", "-mr", "-seconds", "2", f"rsa{bits}"], capture_output=True, text=True).stdout
    found = re.search(rf"^\+F2:\d+:{bits}:([0-9.e-]+):", out, re.M)
    return 1e6 / float(found[1]) if found else float("nan")


def signature_within(long, short, signatures):
    """What the signature takes of a request, from what the request takes with two lengths of key. Under load a signature costs
    more than alone, and by the same factor for both lengths."""
    return (long - short) / (signatures[0] - signatures[1]) * signatures[0]


def added_ms(rounds, quantile, signatures):
    """What the proxy adds to the latency of a single client's requests, to no proxy at all and the signature."""
    added = []
    for direct, long, short, alone in zip(*(rounds.results["plain-1"][kind.name] for kind in (Direct, Account, ShortKey)), signatures):
        signature = signature_within(long["latency_ms"]["p50"], short["latency_ms"]["p50"], alone)
        added.append(long["latency_ms"][quantile] - direct["latency_ms"][quantile] - signature)
    return statistics.median(added)


def account(upstream, cells, leaves, count):
    signatures = []
    rounds = Rounds((Direct, Nginx, Account, ShortKey), cells, upstream, count,
                    wanted=lambda kind, cell: cell == "plain-1" if kind is Direct else kind is not ShortKey or not cells[cell].get("stream"),
                    before=lambda: signatures.append((signature_us(2048), signature_us(1024))))
    median = statistics.median
    print(f"One RSA-2048 signature alone: {median(s for s, _ in signatures):.0f} µs (system libcrypto)\n")
    head("cell", "nginx, µs", "ociai-proxy, µs", "less the signature, µs", "times nginx", "budget", "goal")
    for cell in rounds.results:
        ours = less = rounds.costs(cell, Account.name)
        if not cells[cell].get("stream"):
            less = [long - signature_within(long, short, alone) for long, short, alone in zip(ours, rounds.costs(cell, ShortKey.name), signatures)]
        times = rounds.times(cell, Account.name, Nginx.name, less)
        row(f"{cell}, {ABOUT[cell]}", f"{median(rounds.costs(cell, Nginx.name)):.1f}", f"{median(ours):.1f}", f"{median(less):.1f}",
            f"{times:.2f}", *(verdict(times, limit) for limit in LIMITS.get(cell, (None, None))))
    print()
    head("", "nginx", "ociai-proxy", "budget", "goal")
    nginx = rounds.resources(Nginx.name)
    for what, value in rounds.resources(Account.name).items():
        row(what, figure(nginx[what]), figure(value), *(verdict(value, limit) for limit in RESOURCES.get(what, (None, None))))
    if "plain-16" in rounds.results:
        ours = median(rounds.costs("plain-16", Account.name))
        row("a request with its signature, 16 clients, µs", "", f"{ours:.0f}", "",
            verdict(ours, round(1.25 * median(long for long, _ in signatures) + 40)))
    if "plain-1" in rounds.results:
        for quantile, goal in ADDED_MS.items():
            ours = added_ms(rounds, quantile, signatures)
            row(f"added latency above the signature, one client, {quantile}, ms", "", f"{ours:.3f}", "", verdict(ours, goal))
    if leaves:
        leaving((Nginx, Account), upstream, count)
