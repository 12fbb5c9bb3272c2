"""A redis-server of a test's own, on a Unix socket."""
import contextlib
import shutil
import signal
import socket
import subprocess
import time

import pytest

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")


class Redis:
    def __init__(self, directory, *options):
        self.directory, self.path, self.options = directory, directory / "redis.sock", options
        directory.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [PROGRAM, "--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly", "no", "--dir", self.directory, *self.options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.ask("PING")
                return
            time.sleep(0.02)
        raise RuntimeError("redis-server does not answer")

    def ask(self, *words):
        """An answer of one line, or of one text."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(5)
            connection.connect(str(self.path))
            connection.sendall(b"".join([b"*%d\r\n" % len(words)] + [b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]))
            file = connection.makefile("rb")
            head = file.readline()
            return file.read(int(head[1:])).decode() if head.startswith(b"$") else head.decode().strip()

    def commands(self):
        """Commands since the start, those of scripts not counted."""
        text = self.ask("INFO", "commandstats")
        return {line.split(":")[0].removeprefix("cmdstat_"): int(line.split("calls=")[1].split(",")[0])
                for line in text.splitlines() if line.startswith("cmdstat_")}

    def kill(self):
        self.process.kill()
        self.process.wait(20)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.thaw()
        self.kill()


@pytest.fixture
def redis(tmp_path):
    if not PROGRAM:
        pytest.skip("redis-server is not installed")
    one = Redis(tmp_path / "redis")
    yield one
    one.stop()
