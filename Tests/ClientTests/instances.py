"""Several instances over a simulated OCI with a redis-server between them, and clients who ask them without a pause."""
import base64
import re
import threading
import time

import pytest

from redis import redis  # noqa: F401
from conftest import ADDRESS, BIN, Running
from service import ADMIN, CLIENT, VIEWER, Service, ask, eventually

LIMIT = 6
KEY = "sk-limited-0123456789a"
MODEL = "llama-3.3-70b"


class Crowd:
    """The simulator, over one account if nothing is said, which counts what it has at once."""

    def __init__(self, directory, delay=150, accounts=1):
        directory.mkdir()
        self.directory = directory
        self.running = Running([BIN / "oci-simulator", "-accounts", str(accounts), "-write-config", directory, "-first-delay-ms", str(delay)], directory / "simulator.log", ADDRESS)

    def counts(self):
        return ask(self.running.url, "/__control/stats").json

    def records(self, more=""):
        """Of the chats that have come since the last reset."""
        found, after = [], 0
        while page := ask(self.running.url, f"/__control/requests?after={after}{more}").json["requests"]:
            # What has not ended runs while the page is made; the next page may be of a later moment.
            latest = max(max(record["arrivedAt"], record.get("endedAt", 0)) for record in page)
            found += [{"endedAt": latest, **record} for record in page if record.get("kind") == "chat"]
            after = page[-1]["id"]
        return found

    @property
    def most(self):
        """Chats that were in flight at one moment. What overlaps by less than this may have been told of late: on a busy machine others run between an
        answer's last byte and the note that it was sent."""
        grace = 0.05
        records = self.records()
        steps = [(record["arrivedAt"], 1) for record in records]
        steps += [(max(record["arrivedAt"], record["endedAt"] - grace), -1) for record in records]
        most = running = 0
        for _, step in sorted(steps):
            running += step
            most = max(most, running)
        return most

    def forget(self):
        assert ask(self.running.url, "/__control/reset", b"{}").status == 200

    def control(self, path, body):
        answer = ask(self.running.url, f"/__control/{path}", body)
        assert answer.status == 200, answer

    @property
    def chats(self):
        """Bodies of the chats that have come since the last reset."""
        return [base64.b64decode(record["bodyBase64"]).decode() for record in self.records("&raw=true")]

    def config(self, redis, limit, key, **settings):
        """One instance's file."""
        text = (self.directory / "multi_config.conf").read_text().replace("key_file = ", f"max_concurrency = {limit}\nkey_file = {self.directory}/")
        text = text.replace("api_key = auto_generated_key", f"api_key = {CLIENT}")
        lines = {"shared_state": redis.address if redis else None, "cluster": "test", "health_check_interval": 0, "retry_attempts": 0, **settings}
        text = re.sub("(?m)^(health_check_interval|retry_attempts) = .*\n", "", text)
        text = text.replace("[GLOBAL]\n", "[GLOBAL]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items() if value is not None))
        text += f"\n[API_KEYS]\nroot = {ADMIN} role=admin\neye = {VIEWER} role=viewer\n"
        if key is not None:
            text += f"limited = {KEY}\n\n[KEY limited]\n" + "".join(f"{name} = {value}\n" for name, value in key.items())
        return text


class Load:
    """Clients who ask one instance again and again."""

    def __init__(self, service, clients):
        self.service, self.done, self.failed, self.stop = service, 0, [], threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.stop.is_set():
            try:
                answer = self.service.chat(CLIENT, MODEL)
            except OSError as error:
                answer = error
            if getattr(answer, "status", 0) == 200:
                self.done += 1
            elif not self.stop.is_set():
                self.failed.append(answer)
                time.sleep(0.1)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(30)


@pytest.fixture
def crowd(tmp_path, request):
    one = Crowd(tmp_path / "oci", **getattr(request, "param", {}))
    yield one
    one.running.stop()


quick = pytest.mark.parametrize("crowd", [{"delay": 0}], indirect=True, ids=["quick"])


@pytest.fixture
def cluster(tmp_path, redis, crowd):  # noqa: F811
    made, loads = [], []

    class Cluster:
        def start(self, count=2, limit=LIMIT, key=None, **settings):
            for _ in range(count):
                made.append(Service(tmp_path / f"i{len(made)}", crowd.config(redis, limit, key, **settings), "multi_config.conf").start())
            eventually(lambda: [state(one) for one in made if one.running], lambda states: set(states) == {("healthy", "shared", len(states))})
            return made[-count:]

        def load(self, clients):
            loads.extend(Load(one, clients) for one in made if one.running)
            return loads[-sum(1 for one in made if one.running):]

    yield Cluster()
    for load in loads:
        load.stop.set()
    for load in loads:
        load.end()
    for one in made:
        one.stop()


def state(service):
    health = service.ask("/health").json
    return health["status"], health["shared_state"], health["instances"]
