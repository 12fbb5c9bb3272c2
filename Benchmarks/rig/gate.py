"""Two revisions beside each other: whether the newer one costs more CPU."""
import math
import statistics
import sys

from cells import ABOUT, CELLS, cost, head, row
from peers import Provider, ShortKey

# Short and many: what disturbs a round disturbs both revisions or is one round among many.
GATED = {cell: CELLS[cell] | dict(secs=1.5, warmup=0.5) for cell in ("plain-16", "paced-16", "stream-16")}
ROUNDS = 12
MOST = 5    # times as many rounds for what stays undecided
MORE = 4    # rounds at a time
LIMIT = 1.05


def revision(kind, what, path):
    """A peer of that kind that runs another binary."""
    return type(what + kind.__name__, (kind,), dict(binary=path, name=f"{what}-{kind.__name__}"))


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
        return self.quartiles[1] > LIMIT

    @property
    def is_clear(self):
        """Whether the median is further from the limit than twice its standard error, by the spread of the rounds."""
        low, middle, high = self.quartiles
        return abs(middle - LIMIT) > 2 * 1.25 * (high - low) / 1.35 / math.sqrt(len(self.costs))


def measure(pairs, upstream, rounds, title):
    """Rounds of those pairs: both revisions of one after the other, and in the next round the other way round."""
    for number in range(rounds):
        print(f"{title} {number + 1} of {rounds}", file=sys.stderr)
        peers = {}
        try:
            for kind in dict.fromkeys(kind for pair in pairs for kind in pair.kinds):
                peers[kind] = kind(upstream)
            for pair in pairs:
                both = [peers[kind] for kind in pair.kinds]
                if number % 2:
                    ours, base = (cost(peer.measure(GATED[pair.cell])) for peer in reversed(both))
                else:
                    base, ours = (cost(peer.measure(GATED[pair.cell])) for peer in both)
                pair.costs.append((base, ours))
        finally:
            for peer in peers.values():
                peer.stop()


def gate(upstream, base, ours, rounds):
    """Prints what both cost. Exits 1 when the median of the rounds' ratios is above the limit in some cell. A cell that is near the
    limit, on this machine as noisy as it is now, gets more rounds."""
    pairs = [Pair(title, cell, (revision(kind, "base", base), revision(kind, "this", ours)))
             for kind, title in ((Provider, "provider"), (ShortKey, "OCI, 1,024-bit key")) for cell in GATED]
    measure(pairs, upstream, rounds, "round")
    while unclear := [pair for pair in pairs if not pair.is_clear and len(pair.costs) < MOST * rounds]:
        measure(unclear, upstream, MORE, f"{len(unclear)} of {len(pairs)} undecided, further round")
    head("", "base, µs", "this, µs", "this / base", "its quartiles", "rounds", "")
    for pair in pairs:
        low, middle, high = pair.quartiles
        row(f"{pair.title}: {pair.cell}, {ABOUT[pair.cell]}", *(f"{statistics.median(costs):.1f}" for costs in zip(*pair.costs)),
            f"{middle:.3f}", f"{low:.3f} to {high:.3f}", str(len(pair.costs)), "more than 5 % worse" if pair.is_worse else "")
    if any(pair.is_worse for pair in pairs):
        sys.exit(1)
