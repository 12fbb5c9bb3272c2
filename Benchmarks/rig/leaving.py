"""A client that hangs up: how long after that its upstream call ends."""
import statistics
import sys
import time

from cells import row, verdict

# When the clients hang up: ms after the request, or after how many chunks; and what the upstream does until then.
WINDOWS = {
    "before the answer": dict(drop_at=20, first_delay=2000),
    "before the first event": dict(drop_at=20, event_delay=2000),
    "in mid-stream": dict(drop_after=3, interval=5),
}
GOAL_MS = 2
LEAVING = "leaving"


def after_leaving_ms(peer, window):
    """For each of some clients that hang up: the time from then to the end of the upstream's connection."""
    peer.upstream.reset()
    result = peer.measure(dict(conns=4, requests=500, secs=30, stream=True, chunks=1000, **WINDOWS[window]), may_fail=True)
    time.sleep(0.3)
    seen = peer.upstream.stats()
    ended = {abort["rid"]: abort["at_ns"] for abort in seen["aborts"]}
    times = [(ended[drop["rid"]] - drop["at_ns"]) / 1e6 for drop in result["drops"] if drop["rid"] in ended]
    # On a busy machine a client may have left before its call was made, or be so late that it was answered.
    if result["failed"] or seen["aborted"] < 0.98 * seen["requests"] or len(times) < 0.5 * result["started"]:
        sys.exit(f"{peer.name}: {result['dropped']} of {result['started']} clients left {window}, {result['failed']} had failed before; "
                 f"{seen['requests']} calls had been made for them, and {seen['aborted']} of those were ended")
    return times


def leaving(kinds, upstream, count):
    """A row for each window: the 50th and the 99th percentile of each round, and the medians of those."""
    times = {}
    for number in range(count):
        print(f"clients that leave, round {number + 1} of {count}", file=sys.stderr)
        for kind in kinds:
            peer = kind(upstream)
            try:
                peer.measure(dict(conns=4, requests=200, secs=10))
                for window in WINDOWS:
                    late = sorted(after_leaving_ms(peer, window))
                    times.setdefault(window, {}).setdefault(peer.name, []).append((late[len(late) // 2], late[len(late) * 99 // 100]))
            finally:
                peer.stop()
    for window, of in times.items():
        medians = [[statistics.median(values) for values in zip(*of[kind.name])] for kind in kinds]
        row(f"client gone {window} to upstream closed, p50 / p99, ms", *(f"{half:.2f} / {late:.2f}" for half, late in medians), "",
            verdict(medians[-1][1], GOAL_MS))
