"""One OCI account, beside nginx: requests less the signature, chunks, the process itself."""
import re
import statistics
import subprocess

from cells import ABOUT, CELLS, Rounds, head, row, verdict
from peers import Account, Nginx, ShortKey

DEFAULT = ("plain-16", "plain-128", "paced-16", "stream-16", "slow-1000")
# Multiples of nginx: what a version must hold, and where it is to go.
LIMITS = {"plain-16": (8, 3), "plain-128": (8, 3), "paced-16": (3.3, 2.0), "stream-16": (None, 1.5)}
RESOURCES = {"first answer after the start, ms": (100, None), "at rest, MB": (45, 40), "1,000 open streams, MB": (100, 70)}


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


def account(upstream, cells, count):
    signatures = []
    rounds = Rounds((Nginx, Account, ShortKey), cells, upstream, count,
                    wanted=lambda kind, cell: kind is not ShortKey or not CELLS[cell].get("stream"),
                    before=lambda: signatures.append((signature_us(2048), signature_us(1024))))
    median = statistics.median
    print(f"One RSA-2048 signature alone: {median(s for s, _ in signatures):.0f} µs (system libcrypto)\n")
    head("cell", "nginx, µs", "ociai-proxy, µs", "less the signature, µs", "times nginx", "budget", "goal")
    for cell in rounds.results:
        ours = less = rounds.costs(cell, Account.name)
        if not CELLS[cell].get("stream"):
            less = [without_signature(*each) for each in zip(ours, rounds.costs(cell, ShortKey.name), signatures)]
        times = rounds.times(cell, Account.name, Nginx.name, less)
        row(f"{cell}, {ABOUT[cell]}", f"{median(rounds.costs(cell, Nginx.name)):.1f}", f"{median(ours):.1f}", f"{median(less):.1f}",
            f"{times:.2f}", *(verdict(times, limit) for limit in LIMITS.get(cell, (None, None))))
    print()
    head("", "nginx", "ociai-proxy", "budget", "goal")
    nginx = rounds.resources(Nginx.name)
    for what, value in rounds.resources(Account.name).items():
        row(what, f"{nginx[what]:.0f}", f"{value:.0f}", *(verdict(value, limit) for limit in RESOURCES.get(what, (None, None))))
