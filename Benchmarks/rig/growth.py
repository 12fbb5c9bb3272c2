"""How cost grows: with the streams, with the accounts, with the request's body."""
import math
import statistics
import sys

from cells import cost, figure, head, over_rest, row
from peers import Accounts, Account, Provider, ShortKey
from plot import Panel, draw
from upstream import HERE

# The pace, ms between chunks, keeps two cores below their limit.
STREAMS = {streams: dict(conns=streams, requests=streams, secs=60, stream=True, interval=interval, chunks=chunks, timeout=120)
           for streams, interval, chunks in ((1, 10, 400), (16, 10, 200), (128, 25, 100), (1000, 50, 100), (5000, 250, 60))}
ACCOUNTS = (1, 3, 20, 100)
BODIES = {2**n: dict(conns=4, secs=2.5, warmup=0.5, body=2**n) for n in (10, 12, 14, 16, 18, 20, 22, 24)}
FILE = HERE.parent.parent / "docs" / "growth.svg"


class Series:
    """What some peer takes at each size, round by round."""

    def __init__(self, title):
        self.title, self.values = title, {}

    def add(self, size, value):
        self.values.setdefault(size, []).append(value)

    @property
    def points(self):
        return [(size, statistics.median(values)) for size, values in self.values.items()]

    def exponent(self, each):
        """Of the size, in what all of it costs: over the upper half of the sizes, and over the last step. 1 is linear.

        - each: the values are of one stream or the like, not of all
        """
        high, after = self.points[-1]

        def since(low, before):
            return math.log(max(after, 1e-9) / max(before, 1e-9)) / math.log(high / low) + each

        return since(*self.points[len(self.points) // 2 - 1]), since(*self.points[-2])


def measured(peer, cell):
    """One cell, after which the peer ends whatever came of it."""
    try:
        return peer.measure(cell)
    finally:
        peer.stop()


def streams(upstream, chunks, memory):
    for kind in (Provider, Account):
        for count, cell in STREAMS.items():
            peer = kind(upstream)
            result = measured(peer, cell)
            chunks[kind].add(count, cost(result))
            memory[kind].add(count, result["procs"]["proxy"]["rss_max_kb"] / 1024 - peer.at_rest_mb)


def accounts(upstream, requests):
    for count in ACCOUNTS:
        peer = ShortKey(upstream) if count == 1 else Accounts(upstream, count)
        requests.add(count, cost(measured(peer, dict(conns=16, secs=3, warmup=0.7))))


def bodies(upstream, requests, memory):
    for kind in (Provider, ShortKey):
        for size, cell in BODIES.items():
            peer = kind(upstream)
            result = measured(peer, cell)
            requests[kind].add(size / 1024, cost(result) / 1000)
            memory[kind].add(size / 1024, over_rest(cell, result) * size * cell["conns"] / 2**20)


def growth(upstream, rounds):
    """Prints tables and draws the plot."""
    titles = {Provider: "provider", Account: "OCI", ShortKey: "OCI, 1,024-bit key"}

    def both(account):
        return {kind: Series(titles[kind]) for kind in (Provider, account)}

    chunks, memory, requests, large, held = both(Account), both(Account), Series(titles[ShortKey]), both(ShortKey), both(ShortKey)
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        streams(upstream, chunks, memory)
        accounts(upstream, requests)
        bodies(upstream, large, held)
    panels = [
        Panel("CPU of a chunk, µs", "streams at once", list(chunks.values()), each=True),
        Panel("memory over rest, MB", "streams at once", list(memory.values()), each=False),
        Panel("CPU of a request, µs", "accounts", [requests], each=False),
        Panel("CPU of a request, ms", "body, KB", list(large.values()), each=False),
        Panel("memory over rest, MB, 4 at once", "body, KB", list(held.values()), each=False),
    ]
    for panel in panels:
        sizes = [size for size, _ in panel.series[0].points]
        head(f"{panel.title}, by {panel.x}", *(f"{size:,.0f}" for size in sizes), "exponent", "of the last step")
        for series in panel.series:
            row(series.title, *(figure(value) for _, value in series.points), *(f"{exponent:.2f}" for exponent in series.exponent(panel.each)))
        print()
    FILE.write_text(draw(panels))
    print(f"Drawn: {FILE}", file=sys.stderr)
