"""Streams in the client dialects beside chat completions, over a provider that knows only chat and over one OCI account."""
import statistics

from cells import ABOUT, Rounds, head, row, verdict
from peers import Provider, ShortKey

CELLS = ("paced-16", "stream-16", "slow-1000")
PATHS = {"messages": "/v1/messages", "responses": "/v1/responses"}
# Multiples of chat's in the same run.
LIMITS = {"paced-16": 1.3}
MEMORY = 1.2


def speaking(kind, dialect):
    """A peer of that kind whose clients speak another dialect."""
    return type(kind.__name__ + dialect.title(), (kind,), dict(dialect=dialect, path=PATHS[dialect], name=f"{kind.name}, {dialect}"))


def dialects(upstream, cells, count):
    for title, kind in (("a provider that knows only chat", Provider), ("one OCI account", ShortKey)):
        others = [speaking(kind, dialect) for dialect in PATHS]
        rounds = Rounds([kind] + others, cells, upstream, count)
        head(f"{title}: cell", "chat, µs",
             *(column for other in others for column in (f"{other.dialect}, µs", "times chat", "limit")))
        for cell in rounds.results:
            figures = []
            for other in others:
                times = rounds.times(cell, other.name, kind.name)
                limit = LIMITS.get(cell)
                figures += [f"{statistics.median(rounds.costs(cell, other.name)):.1f}", f"{times:.2f}", verdict(times, limit) if limit else ""]
            row(f"{cell}, {ABOUT[cell]}", f"{statistics.median(rounds.costs(cell, kind.name)):.1f}", *figures)
        if "slow-1000" in rounds.results:
            def memory(peer):
                return statistics.median(result["procs"]["proxy"]["rss_max_kb"] / 1024 for result in rounds.results["slow-1000"][peer.name])
            figures = []
            for other in others:
                times = memory(other) / memory(kind)
                figures += [f"{memory(other):.0f}", f"{times:.2f}", verdict(times, MEMORY)]
            row("1,000 open streams, MB", f"{memory(kind):.0f}", *figures)
        print()
