"""Two revisions beside each other: whether the newer one costs more CPU."""
import math
import statistics
import sys

from cells import ABOUT, CELLS, cost, head, row
from peers import Provider, ShortKey

# Short and many, so that what disturbs one revision disturbs the other as well.
GATED = {cell: CELLS[cell] | dict(secs=0.6, warmup=0.2) for cell in ("plain-16", "paced-16", "stream-16")}
GATED["paced-16"]["chunks"] = 50
ROUNDS = 12
MOST = 5    # times as many rounds for what stays undecided
MORE = 4    # rounds at a time
LIMIT = 1.05
VERDICTS = {True: "more than 5 % worse", False: "no worse", None: "undecided: near the limit, or the machine is too busy"}


def revision(kind, what, path, shared=None):
    """A peer of that kind that runs another binary, and shares its limits with others in that engine."""
    return type(what + kind.__name__, (kind,), dict(binary=path, name=f"{what}-{kind.__name__}", shared=shared))


class Pair:
    """One kind of upstream in one cell, over all rounds."""

    def __init__(self, title, cell, kinds):
        self.title, self.cell, self.kinds = title, cell, kinds
        self.costs = []  # (base, this), round by round

    @property
    def ratios(self):
        return [ours / base for base, ours in self.costs]

    @property
    def quartiles(self):
        return statistics.quantiles(self.ratios, n=4) if len(self.costs) > 1 else self.ratios * 3

    @property
    def is_worse(self):
        """Whether the median is above the limit; None while the spread of the rounds leaves that open. It takes two standard errors
        of the median to fail, and one to pass."""
        low, middle, high = self.quartiles
        error = 1.25 * (high - low) / 1.35 / math.sqrt(len(self.costs))
        return True if middle - 2 * error > LIMIT else False if middle + error < LIMIT else None


def once(peer, cell):
    """What a request or a chunk costs."""
    while True:
        result = peer.measure(cell, may_fail=True)
        if result["failed"] or result["unfinished"]:
            sys.exit(f"{peer.name}: {result['failed'] + result['unfinished']} of {result['started']} answers were wrong or missing")
        if cost(result) > 0:  # else the machine stood still for all of so short a time
            return cost(result)


def measure(pairs, upstream, rounds, title):
    """Rounds of those pairs: each revision twice, ABBA, and BAAB in every other round."""
    for number in range(rounds):
        print(f"{title} {number + 1} of {rounds}", file=sys.stderr)
        peers = {}
        try:
            for kind in dict.fromkeys(kind for pair in pairs for kind in pair.kinds):
                peers[kind] = kind(upstream)
            for pair in pairs:
                first, second = pair.kinds[::-1] if number % 2 else pair.kinds
                costs = {kind: 0 for kind in pair.kinds}
                for kind in (first, second, second, first):
                    costs[kind] += once(peers[kind], GATED[pair.cell]) / 2
                pair.costs.append(tuple(costs.values()))
        finally:
            for peer in peers.values():
                peer.stop()


def gate(upstream, base, ours, rounds, shared=None):
    """Prints what both cost. Exits 1 when the median of the rounds' ratios is above the limit in some cell. A cell that is near the
    limit, on this machine as noisy as it is now, gets more rounds; exits 3 when they do not decide it either."""
    pairs = [Pair(title, cell, (revision(kind, "base", base), revision(kind, "this", ours, shared)))
             for kind, title in ((Provider, "provider"), (ShortKey, "OCI, 1,024-bit key")) for cell in GATED]
    measure(pairs, upstream, rounds, "round")
    while unclear := [pair for pair in pairs if pair.is_worse is None and len(pair.costs) < MOST * rounds]:
        measure(unclear, upstream, MORE, f"{len(unclear)} of {len(pairs)} undecided, further round")
    head("", "base, µs", "this, µs", "this / base", "its quartiles", "rounds", "")
    for pair in pairs:
        low, middle, high = pair.quartiles
        row(f"{pair.title}: {pair.cell}, {ABOUT[pair.cell]}", *(f"{statistics.median(costs):.1f}" for costs in zip(*pair.costs)),
            f"{middle:.3f}", f"{low:.3f} to {high:.3f}", str(len(pair.costs)), VERDICTS[pair.is_worse])
    verdicts = {pair.is_worse for pair in pairs}
    sys.exit(1 if True in verdicts else 3 if None in verdicts else 0)
