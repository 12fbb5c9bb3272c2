"""What it costs that people look at the dashboard: 20 who watch it live, one of whom has stopped reading, while streams go on."""
import contextlib
import selectors
import socket
import statistics
import threading

from cells import CELLS, cost, head, row
from gate import LIMIT, Pair
from peers import Provider

CELL = CELLS["slow-1000"]
COUNT = 20


class Viewers:
    """Connections that hold `/dashboard/events`. All but one read what comes; the last one has a small buffer and reads nothing."""

    def __init__(self, port, key):
        self.sockets, self.events, self.stop = [], 0, threading.Event()
        for number in range(COUNT):
            viewer = socket.socket()
            if number == 0:
                viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            viewer.connect(("127.0.0.1", port))
            viewer.sendall(f"GET /dashboard/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
            self.sockets.append(viewer)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        with selectors.DefaultSelector() as selector:
            for viewer in self.sockets[1:]:
                viewer.setblocking(False)
                selector.register(viewer, selectors.EVENT_READ)
            while not self.stop.is_set():
                for key, _ in selector.select(0.2):
                    self.events += key.fileobj.recv(1 << 20).count(b"\ndata: ")

    def end(self):
        """How many events each reading viewer has had, and whether the one that stopped has been let go."""
        self.stop.set()
        self.reader.join()
        self.sockets[0].settimeout(1)
        dropped = False
        with contextlib.suppress(TimeoutError):
            while self.sockets[0].recv(1 << 20):
                pass
            dropped = True
        for viewer in self.sockets:
            viewer.close()
        return self.events / (COUNT - 1), dropped


def viewers(upstream, rounds):
    """Prints what a chunk of 1,000 streams costs without and with them, in turns, in one process."""
    pair = Pair("1,000 streams", "slow-1000", ("alone", "watched"))
    memory, gaps, seen = {kind: [] for kind in pair.kinds}, {kind: [] for kind in pair.kinds}, []
    peer = Provider(upstream)
    try:
        peer.measure(CELL)  # so that memory is that of a process that has worked
        for number in range(rounds):
            first, second = pair.kinds[::-1] if number % 2 else pair.kinds
            costs = {kind: 0 for kind in pair.kinds}
            for kind in (first, second, second, first):
                crowd = Viewers(peer.port, peer.key) if kind == "watched" else None
                result = peer.measure(CELL)
                if crowd:
                    seen.append(crowd.end())
                costs[kind] += cost(result) / 2
                memory[kind].append(result["procs"]["proxy"]["rss_max_kb"] / 1024)
                gaps[kind].append(result["gap_ms"]["p99"])
            pair.costs.append(tuple(costs[kind] for kind in pair.kinds))
    finally:
        peer.stop()
    low, middle, high = pair.quartiles
    head("", "alone", f"{COUNT} viewers")
    row("a chunk, µs of CPU", *(f"{statistics.median(costs):.2f}" for costs in zip(*pair.costs)))
    row("resident at most, MB", *(f"{max(memory[kind]):.0f}" for kind in pair.kinds))
    row("between chunks, p99, ms", *(f"{statistics.median(gaps[kind]):.1f}" for kind in pair.kinds))
    print(f"\nwatched / alone: {middle:.3f}, quartiles {low:.3f} to {high:.3f}, limit {LIMIT}; each viewer had "
          f"{statistics.median(count for count, _ in seen):.0f} events; the one that stopped reading was let go in "
          f"{sum(dropped for _, dropped in seen)} of {len(seen)} cases")
