"""What each peer is put through, in turns, and what comes out of it."""
import statistics
import sys

# Connections, seconds measured (or requests, if they end sooner), and the upstream's pace in ms between chunks (0: as fast as
# they go). A request's body has 0.3 KB, a plain answer 1 KB of text, a stream 200 chunks unless it says otherwise. Before a cell with
# a `body` of so many bytes there are some requests without, so that memory `at_rest_mb` is that of a process that has worked.
CELLS = {
    "body-1m": dict(conns=16, secs=4, warmup=0.7, body=1 << 20),
    "plain-1": dict(conns=1, secs=3, warmup=0.7),
    "plain-16": dict(conns=16, secs=4, warmup=0.7),
    "plain-128": dict(conns=128, secs=4, warmup=0.7),
    "paced-16": dict(conns=16, secs=5, warmup=1.1, stream=True, interval=10, chunks=100),
    "stream-16": dict(conns=16, secs=4, warmup=0.7, stream=True),
    "slow-1000": dict(conns=1000, requests=1000, secs=45, stream=True, interval=50, chunks=100, timeout=90),
    "slow-5000": dict(conns=5000, requests=5000, secs=90, stream=True, interval=250, chunks=60, timeout=120),
}
ABOUT = {
    "body-1m": "a request with a body of 1 MB",
    "plain-1": "a request, one client",
    "plain-16": "a request, 16 clients",
    "plain-128": "a request, 128 clients",
    "paced-16": "a chunk (16 streams, 10 ms)",
    "stream-16": "a chunk (as fast as they come)",
    "slow-1000": "a chunk (1,000 streams, 50 ms)",
    "slow-5000": "a chunk (5,000 streams, 250 ms)",
    "leaving": "clients that hang up, until the upstream's connection ends",
}


def cost(result):
    """µs of CPU a request, or of a stream a chunk, of what load saw of a cell."""
    return result["procs"]["proxy"]["cpu_us_per_chunk" if result["stream"] else "cpu_us_per_request"]


def over_rest(cell, result):
    """Memory beyond that at rest, in request bodies of those that were under way at once."""
    return (result["procs"]["proxy"]["rss_max_kb"] * 1024 - result["at_rest_mb"] * 2**20) / (cell["conns"] * cell["body"])


class Rounds:
    """Some peers in some cells, several times. All peers are up during a round, and one after the other is measured in a cell
    before the next cell begins, in another order each round: a machine that changes its speed changes it for all.

    - cells: what is measured, by name, as in `CELLS`
    - wanted: whether a kind of peer is measured in a cell
    - before: called before each round
    """

    def __init__(self, kinds, cells, upstream, count, wanted=lambda kind, cell: True, before=lambda: None):
        self.cells = cells
        self.results = {}  # [cell][peer's name]: what load printed, round by round
        self.starts = {}   # [peer's name]: the peers, round by round
        for number in range(count):
            print(f"round {number + 1} of {count}", file=sys.stderr)
            before()
            peers = []
            try:
                for kind in kinds:
                    peers.append(kind(upstream))
                    self.starts.setdefault(peers[-1].name, []).append(peers[-1])
                turn = number % len(peers)
                for cell in cells:
                    for peer in peers[turn:] + peers[:turn]:
                        if wanted(type(peer), cell):
                            self.results.setdefault(cell, {}).setdefault(peer.name, []).append(peer.measure(cells[cell]))
            finally:
                for peer in peers:
                    peer.stop()

    def costs(self, cell, name):
        return [cost(result) for result in self.results[cell][name]]

    def times(self, cell, name, other, costs=None):
        """Median of the multiples of another peer's cost in the same round."""
        return statistics.median(ours / theirs for ours, theirs in zip(costs or self.costs(cell, name), self.costs(cell, other)))

    def resources(self, name):
        """(what, value, digits) of the process itself: medians."""
        median = statistics.median
        rows = [("first answer after the start, ms", median(peer.first_answer_ms for peer in self.starts[name])),
                ("at rest, MB", median(peer.at_rest_mb for peer in self.starts[name]))]
        for cell in ("slow-1000", "slow-5000"):
            if name in self.results.get(cell, {}):
                streams = self.cells[cell]["conns"]
                crowd = self.results[cell][name]
                rows += [(f"{streams:,} open streams, MB", median(result["procs"]["proxy"]["rss_max_kb"] / 1024 for result in crowd)),
                         (f"{streams:,} streams at once, first token p99, ms", median(result["ttft_ms"]["p99"] for result in crowd))]
        if name in self.results.get("plain-128", {}):
            rows.append(("requests a second, 128 clients", median(result["rps"] for result in self.results["plain-128"][name])))
        if name in self.results.get("body-1m", {}):
            bodies = self.results["body-1m"][name]
            rows += [("body of 1 MB, CPU in all, ms", median(result["procs"]["proxy"]["cpu_us_per_request"] / 1000 for result in bodies)),
                     ("bodies of 1 MB, memory over rest, in bodies", median(over_rest(self.cells["body-1m"], result) for result in bodies))]
        return dict(rows)


def verdict(value, limit):
    return "" if limit is None else f"{limit}: {'met' if value <= limit else 'missed'}"


def figure(value):
    """A number of any size, in three places or more."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def row(*columns):
    print("| " + " | ".join(columns) + " |")


def head(*columns):
    row(*columns)
    print("|---" * len(columns) + "|")
