#!/usr/bin/env python3
"""What the proxy costs, beside nginx as a plain reverse proxy, in the same run.

Each round measures every peer in every cell; the tables have medians over the rounds. Every answer is checked. CPU time of the
process tree (user + sys) is what counts: it hardly depends on what else the machine does, while throughput and latency do.
"""
import argparse
import os
import signal
import sys

import account
import dialects
import gate
import growth
import instructions
import others
import overload
import providers
import viewers
from cells import ABOUT, CELLS
from leaving import LEAVING
from peers import Proxy
from routing import routing
from upstream import Upstream


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="cells:\n" + "\n".join(f"  {cell:10} {about}" for cell, about in ABOUT.items()))
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--providers", action="store_true",
                      help="pass-through of an OpenAI-compatible provider instead of one OCI account")
    kind.add_argument("--dialects", action="store_true",
                      help="streams in Messages and Responses beside those of chat completions")
    kind.add_argument("--routing", action="store_true",
                      help="the choice among OCI accounts, the way to the next one, and an outage")
    kind.add_argument("--peers", action="store_true",
                      help="pass-through beside nginx, HAProxy, vllm-router and TensorZero, those that are installed")
    kind.add_argument("--gate", metavar="BASE",
                      help="this tree beside another revision of git's: exits 1 when a request or a chunk costs 5 %% more CPU than there, 3 when that stays undecided")
    kind.add_argument("--instructions", metavar="BASE", nargs="?", const="",
                      help="instructions by callgrind, without books, with them and with traces; beside another revision when one is named")
    kind.add_argument("--growth", action="store_true",
                      help="how cost grows with streams, accounts and bodies; draws docs/growth.svg")
    kind.add_argument("--overload", action="store_true",
                      help="five times what an upstream can take, beside HAProxy with maxconn and a queue")
    kind.add_argument("--viewers", action="store_true",
                      help="1,000 streams while 20 people watch the dashboard, one of whom reads nothing")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"3 unless told otherwise, {gate.ROUNDS} with --gate")
    parser.add_argument("--cells", metavar="CELL,...", help="only these cells; for one OCI account, --providers and --peers")
    parser.add_argument("--binary", metavar="PATH", help="a release build of ociai-proxy to measure; else one is built here")
    parser.add_argument("--shared-state", metavar="ADDRESS", help="with --gate: this tree shares its limits in that engine, such as unix:///tmp/redis.sock")
    parser.add_argument("--base-binary", metavar="PATH", help=argparse.SUPPRESS)  # what scripts/bench has built of BASE
    arguments = parser.parse_args()

    cells = arguments.cells.split(",") if arguments.cells else (
        others if arguments.peers else providers if arguments.providers else account).DEFAULT
    unknown = [cell for cell in cells if cell not in ABOUT]
    if unknown:
        parser.error(f"no such cell: {', '.join(unknown)}; there are {', '.join(ABOUT)}")
    if arguments.cells and (arguments.routing or arguments.gate or arguments.instructions is not None or arguments.growth or arguments.overload or arguments.viewers):
        parser.error("--cells is for one OCI account, --providers and --peers: the others have cells of their own")
    rounds = arguments.rounds if arguments.rounds is not None else gate.ROUNDS if arguments.gate else 3
    if rounds < 1:
        parser.error("--rounds must be at least 1")
    for option, path in [("--binary", arguments.binary)] + [("--base-binary", arguments.base_binary)] * bool(arguments.gate or arguments.instructions):
        if not path or not os.access(path, os.X_OK):
            parser.error(f"{option}: {path or 'nothing given'} is not a program")
    chosen = {cell: CELLS[cell] for cell in cells if cell in CELLS}
    Proxy.binary = os.path.abspath(arguments.binary)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    upstream = Upstream()
    try:
        if arguments.dialects:
            dialects.dialects(upstream, {cell: CELLS[cell] for cell in (cells if arguments.cells else dialects.CELLS)}, rounds)
        elif arguments.routing:
            routing(upstream, rounds)
        elif arguments.peers:
            others.others(upstream, chosen, rounds)
        elif arguments.overload:
            overload.overload(upstream, rounds)
        elif arguments.gate:
            gate.gate(upstream, os.path.abspath(arguments.base_binary), Proxy.binary, rounds, arguments.shared_state)
        elif arguments.instructions is not None:
            instructions.instructions(upstream, Proxy.binary, arguments.instructions and os.path.abspath(arguments.base_binary))
        elif arguments.viewers:
            viewers.viewers(upstream, rounds)
        elif arguments.growth:
            growth.growth(upstream, rounds)
        elif arguments.providers:
            providers.providers(upstream, chosen, LEAVING in cells, rounds)
        else:
            account.account(upstream, chosen, LEAVING in cells, rounds)
    finally:
        upstream.stop()


if __name__ == "__main__":
    main()
