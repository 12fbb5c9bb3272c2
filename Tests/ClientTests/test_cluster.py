"""Several instances over one provider, with a real engine between them: limits hold over all, and what happens when the engine or an instance goes."""
import json
import re
import subprocess
import threading
import time

import pytest

from redis import redis  # noqa: F401
from conftest import BIN
from instances import KEY, LIMIT, MODEL, Load, cluster, crowd, quick, state  # noqa: F401
from service import CLIENT, VIEWER, Service, eventually


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
    # What ran on a lease comes to its end.
    time.sleep(0.5)
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


@pytest.mark.parametrize("crowd", [{"delay": 0, "accounts": 2}], indirect=True, ids=["two accounts"])
def test_an_account_that_asks_one_to_wait_is_left_alone_by_all(cluster, crowd):
    first, second = cluster.start(2)
    crowd.control("faults", {"action": "status", "status": 429, "retryAfter": 60, "kind": "chat", "account": "account_1", "times": "forever"})

    def asked():
        return crowd.counts()["accounts"]["account_1"]["byStatus"].get("429", 0)

    def unwell(service):
        return [one["model"] for one in service.ask("/stats/accounts", key=VIEWER).json["accounts"][0]["models_unwell"] if one["cooling_until"]]

    # It is met by one of two requests, as they go to one account and to the other.
    eventually(lambda: first.chat(CLIENT, MODEL) and asked())
    began = time.monotonic()
    eventually(lambda: unwell(second) == unwell(first) != [])
    assert time.monotonic() - began < 4
    for _ in range(5):
        for one in (second, first):
            assert one.chat(CLIENT, MODEL).status == 200
    assert asked() == 1


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
    service = Service(tmp_path / "one", crowd.config(None, LIMIT, None, shared_state="redis://user@engine", cluster="a b"), "multi_config.conf")
    done = subprocess.run([BIN / "ociai-proxy", "-check", "-config", service.config], capture_output=True, text=True)
    assert done.returncode == 78
    assert "shared_state" in done.stderr and "cluster" in done.stderr, done.stderr
    assert json.dumps("redis://user@engine") not in done.stderr
