"""The fake upstream as a process."""
import contextlib
import http.client
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Upstream:
    def __init__(self):
        self.port = free_port()
        self.start()

    def start(self):
        self.process = subprocess.Popen([HERE / "upstream", "--port", str(self.port)])
        for _ in range(100):
            time.sleep(0.05)
            with contextlib.suppress(OSError):
                if get(self.port, "/__stats")[0] == 200:
                    return
        sys.exit("the fake upstream does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def set(self, chunks=200, interval=0, first_delay=0, event_delay=0):
        pace = f"chunks={chunks}&interval={interval}&first-delay={first_delay}&event-delay={event_delay}&payload=1024"
        assert get(self.port, f"/__ctl?{pace}")[0] == 200

    def stats(self):
        return json.loads(get(self.port, "/__stats")[1])

    def reset(self):
        assert get(self.port, "/__reset")[0] == 200
