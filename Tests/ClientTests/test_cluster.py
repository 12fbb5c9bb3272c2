"""Several instances over one provider, with a real engine between them: limits hold over all, and what happens when the engine or an instance goes."""
import json
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
    """The simulator over one account, which counts what it has at once."""

    def __init__(self, directory, delay=150):
        directory.mkdir()
        self.directory = directory
        self.running = Running([BIN / "oci-simulator", "-write-config", directory, "-first-delay-ms", str(delay)], directory / "simulator.log", ADDRESS)

    def counts(self):
        return ask(self.running.url, "/__control/stats").json

    @property
    def most(self):
        return self.counts()["peakInFlight"]

    def forget(self):
        assert ask(self.running.url, "/__control/reset", b"{}").status == 200

    def config(self, redis, limit, key, **settings):
        """One instance's file."""
        text = (self.directory / "multi_config.conf").read_text().replace("key_file = ", f"max_concurrency = {limit}\nkey_file = {self.directory}/")
        text = text.replace("api_key = auto_generated_key", f"api_key = {CLIENT}")
        lines = {"shared_state": f"unix://{redis.path}" if redis else None, "cluster": "test", "health_check_interval": 0, "retry_attempts": 0, **settings}
        text = re.sub("(?m)^(health_check_interval|retry_attempts) = .*\n", "", text)
        text = text.replace("[GLOBAL]\n", "[GLOBAL]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items() if value is not None))
        text += f"\n[API_KEYS]\nroot = {ADMIN} role=admin\neye = {VIEWER} role=viewer\n"
        if key:
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
    one = Crowd(tmp_path / "oci", getattr(request, "param", 150))
    yield one
    one.running.stop()


quick = pytest.mark.parametrize("crowd", [0], indirect=True)


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


def test_a_limit_holds_over_all_instances(cluster, crowd):
    cluster.start(2)
    loads = cluster.load(8)
    time.sleep(4)
    for load in loads:
        load.end()
    assert crowd.most <= LIMIT
    assert crowd.most == LIMIT, "and it is used"
    assert all(load.done > 10 and not load.failed for load in loads), [(load.done, load.failed[:2]) for load in loads]


def test_a_share_goes_to_who_wants_it(cluster, crowd):
    first, _ = cluster.start(2)
    load = Load(first, 8)
    try:
        # The other one keeps one for who asks it next.
        eventually(lambda: crowd.most, lambda most: most == LIMIT - 1, within=10)
    finally:
        load.end()
    assert not load.failed and crowd.most <= LIMIT


def test_the_share_of_a_dead_instance_comes_back(cluster, crowd):
    first, second = cluster.start(2)
    loads = cluster.load(8)
    time.sleep(2)
    second.kill()
    died = time.monotonic()
    loads[1].end()
    crowd.forget()
    eventually(lambda: crowd.most, lambda most: most == LIMIT, within=8)
    assert time.monotonic() - died < 7.5
    loads[0].end()
    assert crowd.most == LIMIT and not loads[0].failed
    eventually(lambda: state(first), lambda seen: seen == ("healthy", "shared", 1), within=10)


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_without_the_engine_each_goes_on_with_its_part(cluster, crowd, redis, how):  # noqa: F811
    both = cluster.start(2)
    loads = cluster.load(8)
    time.sleep(2)
    redis.kill() if how == "killed" else redis.freeze()
    for one in both:
        eventually(lambda: state(one), lambda seen: seen[:2] == ("degraded", "degraded"), within=15)
        assert 'ociai_shared_state 0' in one.ask("/metrics", key=VIEWER).body.decode()
    # Leases do not end at one moment: who has lost its own goes on with its part while another still has more than that.
    assert crowd.most <= LIMIT + LIMIT // 2
    crowd.forget()
    before = [load.done for load in loads]
    time.sleep(2)
    assert crowd.most <= LIMIT
    assert all(load.done > count for load, count in zip(loads, before)), "nothing closes"
    redis.start() if how == "killed" else redis.thaw()
    for one in both:
        eventually(lambda: state(one), lambda seen: seen == ("healthy", "shared", 2), within=20)
        assert "does not help" in one.log
        assert 'ociai_shared_state 1' in one.ask("/metrics", key=VIEWER).body.decode()
    for load in loads:
        load.end()
    assert crowd.most <= LIMIT
    assert not any(load.failed for load in loads), [load.failed[:2] for load in loads]


def test_an_engine_that_is_emptied_gives_nothing_twice(cluster, crowd, redis):  # noqa: F811
    cluster.start(2)
    loads = cluster.load(8)
    for _ in range(3):
        time.sleep(1.5)
        redis.ask("FLUSHALL")
        redis.ask("SCRIPT", "FLUSH")
    time.sleep(2)
    for load in loads:
        load.end()
    assert crowd.most <= LIMIT
    assert not any(load.failed for load in loads), [load.failed[:2] for load in loads]


@quick
def test_no_request_asks_the_engine(cluster, crowd, redis):  # noqa: F811
    cluster.start(2)
    before = sum(redis.commands().values())
    began = time.monotonic()
    loads = cluster.load(4)
    time.sleep(4)
    for load in loads:
        load.end()
    passed = time.monotonic() - began
    assert sum(load.done for load in loads) > 200
    # One script a second for each, and what this test asks.
    scripts = sum(count for name, count in redis.commands().items() if name in ("evalsha", "eval"))
    assert scripts <= 2 * (passed + 10) * 1.3 + 5
    # Scripts count what they call; those are not asked for by requests either.
    assert sum(redis.commands().values()) - before < 25 * 2 * (passed + 2)


def limited(cluster, **limits):
    """Two instances with a key of these limits."""
    return cluster.start(2, limit=1000, key=limits)


def until_refused(services, seconds):
    """Asks all instances at once for so long, and counts what they let in, and what they refuse."""
    counts, lock, stop = {}, threading.Lock(), threading.Event()

    def run(service):
        while not stop.is_set():
            answer = service.chat(KEY, MODEL, max_tokens=4)
            with lock:
                counts[answer.status] = counts.get(answer.status, 0) + 1
            if answer.status == 429:
                time.sleep(0.05)

    threads = [threading.Thread(target=run, args=(service,)) for service in services for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join(30)
    return counts


@quick
def test_requests_a_minute_hold_over_all_instances(cluster, crowd):
    both = limited(cluster, rpm=120)
    began = time.monotonic()
    counts = until_refused(both, 8)
    allowed = 120 + 2 * (time.monotonic() - began)
    assert set(counts) == {200, 429}
    assert 0.9 * 120 <= counts[200] <= allowed * 1.02 + 2, (counts, allowed)


@quick
def test_a_budget_holds_over_all_instances(cluster, crowd):
    both = limited(cluster, budget_hard="2000 tokens per day")
    counts = until_refused(both, 8)
    assert set(counts) == {200, 429}
    spent = sum(one.spent(KEY)["tokens"] for one in both)
    # Besides, each of those that run may use more than was reserved for it.
    assert 0.9 * 2000 <= spent <= 2000 * 1.02 + 4 * 40, (counts, spent)


@pytest.mark.parametrize("options, words", [
    (["--requirepass", "another"], "refuses this user or password"),
])
def test_a_wrong_password_is_told_of(tmp_path, crowd, options, words):
    from redis import PROGRAM, Redis
    if not PROGRAM:
        pytest.skip("redis-server is not installed")
    engine = Redis(tmp_path / "redis", *options)
    text = crowd.config(None, LIMIT, None, shared_state=f"unix://:wrong@{engine.path}")
    service = Service(tmp_path / "one", text, "multi_config.conf").start()
    try:
        eventually(lambda: service.log, lambda log: words in log)
        assert "wrong" not in re.sub(r"\S*test_a_wrong\S*", "", service.log)
        eventually(lambda: service.chat(CLIENT, MODEL).status, lambda status: status == 200)
        assert state(service)[:2] == ("degraded", "degraded")
    finally:
        service.stop()
        engine.stop()


def test_a_setting_that_cannot_be_read_is_told_of(tmp_path, crowd):
    import subprocess

    from conftest import BIN
    service = Service(tmp_path / "one", crowd.config(None, LIMIT, None, shared_state="redis://user@engine", cluster="a b"), "multi_config.conf")
    done = subprocess.run([BIN / "ociai-proxy", "-check", "-config", service.config], capture_output=True, text=True)
    assert done.returncode == 78
    assert "shared_state" in done.stderr and "cluster" in done.stderr, done.stderr
    assert json.dumps("redis://user@engine") not in done.stderr
