"""A redis-server of a test's own, on a Unix socket."""
import contextlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")


def tell(connection, *words):
    words = [word if isinstance(word, bytes) else word.encode() for word in words]
    connection.sendall(b"".join([b"*%d\r\n" % len(words)] + [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]))


def read(file):
    head = file.readline()
    if head.startswith(b"$"):
        length = int(head[1:])
        return None if length < 0 else file.read(length + 2)[:-2]
    if head.startswith(b"*"):
        return [read(file) for _ in range(int(head[1:]))]
    return head.decode().strip()


class Redis:
    def __init__(self, directory, *options):
        self.directory, self.path, self.options, self.password = directory, directory / "redis.sock", options, None
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

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(5)
        connection.connect(str(self.path))
        file = connection.makefile("rb")
        if self.password:
            tell(connection, "AUTH", self.password)
            assert read(file) == "+OK"
        return connection, file

    def send(self, *words):
        """An answer as it is: texts are bytes."""
        connection, file = self.connect()
        with contextlib.closing(connection):
            tell(connection, *words)
            return read(file)

    def ask(self, *words):
        """An answer of one line, or of one text."""
        answer = self.send(*words)
        return answer.decode() if isinstance(answer, bytes) else answer

    def protect(self, password):
        """Asks for a password from now on."""
        assert self.ask("CONFIG", "SET", "requirepass", password) == "+OK"
        self.password = password

    @property
    def address(self):
        return f"unix://:{self.password}@{self.path}" if self.password else f"unix://{self.path}"

    def dump(self):
        """Everything that it has, by key."""
        ways = {"string": ["GET"], "hash": ["HGETALL"], "set": ["SMEMBERS"], "list": ["LRANGE", "0", "-1"], "zset": ["ZRANGE", "0", "-1", "WITHSCORES"]}
        kept = {}
        for key in self.send("KEYS", "*"):
            name, *more = ways[self.ask("TYPE", key).lstrip("+")]
            kept[key] = self.send(name, key, *more)
        return kept

    @contextlib.contextmanager
    def watched(self):
        """What it is told meanwhile, by clients and by scripts: a list of lines that grows."""
        lines = []
        connection, file = self.connect()
        with contextlib.closing(connection):
            connection.settimeout(None)
            tell(connection, "MONITOR")
            file.readline()
            thread = threading.Thread(target=lambda: lines.extend(iter(file.readline, b"")))
            thread.start()
            try:
                yield lines
            finally:
                connection.shutdown(socket.SHUT_RDWR)
                thread.join(20)

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
