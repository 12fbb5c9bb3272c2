"""What a request and a chunk take in instructions, counted by callgrind: the same on a busy machine as on a quiet one, so small differences show.

Each kind runs as it is by default, with everything off that books are kept by, and with spans sent to a collector that takes them."""
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import time

from cells import head, row
from peers import Provider, ShortKey

CELLS = {
    "a request, 16 clients": dict(conns=16, secs=120, requests=1500),
    "a chunk (16 streams, as fast as they come)": dict(conns=16, secs=120, requests=48, stream=True, chunks=200),
}
WARM_UP = 300


class Counted:
    """A peer under callgrind, which counts only while it is measured."""
    settings = {}

    def prepare(self):
        program, *arguments = super().prepare()
        # Valgrind cannot read what the compiler tells debuggers.
        plain = self.directory / "ociai-proxy"
        subprocess.run(["objcopy", "--strip-debug", program, plain], check=True)
        for name, value in self.settings.items():
            self.set(name, value)
        self.out = self.directory / "callgrind.out"
        return ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={self.out}", "--separate-threads=yes", "-q", plain, *arguments]

    def count(self, cell):
        """Instructions a request or a chunk: of all threads but the ledger's, and of that one, which nobody waits for. It writes what there is four times
        a second: as little as callgrind lets through costs more a row than what a busy process writes."""
        self.measure(cell | dict(requests=min(WARM_UP, cell["requests"])))
        self.control("-i", "on")
        result = self.measure(cell)
        self.control("-d")
        counts = [0, 0]
        for file in self.directory.glob("callgrind.out.*-*"):
            text = file.read_text(errors="replace")
            if total := re.search(r"^(?:totals|summary):\s*(\d+)", text, re.M):
                counts["sqlite3_step" in text] += int(total[1])
        return [count / (result["chunks"] if cell.get("stream") else result["ok"]) for count in counts]

    def control(self, *arguments):
        subprocess.run(["callgrind_control", *arguments, str(self.process.pid)], check=True, capture_output=True)
        time.sleep(0.5)


class CountedProvider(Counted, Provider):
    def set(self, name, value):
        file = self.directory / "config.json"
        file.write_text(file.read_text().replace("{", f'{{"{name}": "{value}", ', 1))


class CountedAccount(Counted, ShortKey):
    def set(self, name, value):
        file = self.directory / "config.conf"
        file.write_text(file.read_text().replace("[GLOBAL]", f"[GLOBAL]\n{name} = {value}"))


class Collector(http.server.ThreadingHTTPServer):
    """Takes all spans."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


def instructions(upstream, ours, base=None):
    """Prints what a request and a chunk take.

    - base: another binary, in whose multiples the costs are told as well
    """
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed")
    collector = Collector()
    ways = {"state_dir = off": ({"state_dir": "off"}, {}), "as by default": ({}, {}), "with traces": ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})}
    head("", "way", *(["base"] if base else []), "instructions", "more than off", *(["more than base"] if base else []), "the ledger's thread")
    for title, kind in (("provider", CountedProvider), ("OCI, 1,024-bit key", CountedAccount)):
        for what, cell in CELLS.items():
            off = None
            for way, (settings, environment) in ways.items():
                counts = [counted(kind, binary, settings, environment, upstream, cell) for binary in [base, ours] if binary]
                count, writers = counts[-1]
                off = off or count
                row(f"{title}: {what}", way, *(f"{count:,.0f}" for count, _ in counts), f"{count - off:+,.0f}",
                    *([f"{count - counts[0][0]:+,.0f}"] if base else []), f"{writers:,.0f}")
                sys.stdout.flush()


def counted(kind, binary, settings, environment, upstream, cell):
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        peer = type(kind.__name__, (kind,), dict(binary=binary, settings=settings, name="counted"))(upstream)
    finally:
        os.environ.clear()
        os.environ.update(before)
    try:
        return peer.count(cell)
    finally:
        peer.stop()
