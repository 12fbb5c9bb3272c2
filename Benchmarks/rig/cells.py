"""What each peer is put through, in turns, and what comes out of it."""
import statistics
import sys

# Connections, seconds measured (or requests, if they end sooner), and the upstream's pace in ms between chunks (0: as fast as
# they go). A request's body has 0.3 KB, a plain answer 1 KB of text, a stream 200 chunks unless it says otherwise.
CELLS = {
    "plain-1": dict(conns=1, secs=3, warmup=0.7),
    "plain-16": dict(conns=16, secs=4, warmup=0.7),
    "plain-128": dict(conns=128, secs=4, warmup=0.7),
    "paced-16": dict(conns=16, secs=5, warmup=1.1, stream=True, interval=10, chunks=100),
    "stream-16": dict(conns=16, secs=4, warmup=0.7, stream=True),
    "slow-1000": dict(conns=1000, requests=1000, secs=45, stream=True, interval=50, chunks=100, timeout=90),
}
ABOUT = {
    "plain-1": "a request, one client",
    "plain-16": "a request, 16 clients",
    "plain-128": "a request, 128 clients",
    "paced-16": "a chunk (16 streams, 10 ms)",
    "stream-16": "a chunk (as fast as they come)",
    "slow-1000": "a chunk (1,000 streams, 50 ms)",
}


def cost(cell, result):
    """µs of CPU a request or a chunk, of what load saw of a cell."""
    return result["procs"]["proxy"]["cpu_us_per_chunk" if CELLS[cell].get("stream") else "cpu_us_per_request"]


class Rounds:
    """Some peers in some cells, several times. All peers are up during a round, and one after the other is measured in a cell
    before the next cell begins, in another order each round: a machine that changes its speed changes it for all."""

    def __init__(self, kinds, cells, upstream, count, wanted=lambda kind, cell: True, before=lambda: None):
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
                            self.results.setdefault(cell, {}).setdefault(peer.name, []).append(peer.measure(CELLS[cell]))
            finally:
                for peer in peers:
                    peer.stop()

    def costs(self, cell, name):
        return [cost(cell, result) for result in self.results[cell][name]]

    def times(self, cell, name, other, costs=None):
        """Median of the multiples of another peer's cost in the same round."""
        return statistics.median(ours / theirs for ours, theirs in zip(costs or self.costs(cell, name), self.costs(cell, other)))

    def resources(self, name):
        """(what, value, digits) of the process itself: medians."""
        median = statistics.median
        rows = [("first answer after the start, ms", median(peer.first_answer_ms for peer in self.starts[name])),
                ("at rest, MB", median(peer.at_rest_mb for peer in self.starts[name]))]
        if "slow-1000" in self.results:
            crowd = self.results["slow-1000"][name]
            rows += [("1,000 open streams, MB", median(result["procs"]["proxy"]["rss_max_kb"] / 1024 for result in crowd)),
                     ("1,000 streams at once, first token p99, ms", median(result["ttft_ms"]["p99"] for result in crowd))]
        return dict(rows)


def verdict(value, limit):
    return "" if limit is None else f"{limit}: {'met' if value <= limit else 'missed'}"


def row(*columns):
    print("| " + " | ".join(columns) + " |")


def head(*columns):
    row(*columns)
    print("|---" * len(columns) + "|")
