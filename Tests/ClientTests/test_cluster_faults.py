"""Instances that stop, end, begin or are many, under load: a limit holds over all of them. And engines over TLS."""
import contextlib
import signal
import socket
import subprocess
import time

import pytest

from instances import LIMIT, MODEL, cluster, crowd, state  # noqa: F401
from redis import PROGRAM, Redis, redis  # noqa: F401
from service import CLIENT, Service, certificate, eventually


def healthy(services):
    for one in services:
        eventually(lambda: state(one), lambda seen: seen == ("healthy", "shared", len(services)))


def works(load, within=10):
    """Answers come again."""
    before = load.done
    eventually(lambda: load.done, lambda done: done > before + 2, within)


def test_an_instance_that_was_stopped_takes_nothing_on_an_old_lease(cluster, crowd):
    first, second = cluster.start(2)
    loads = cluster.load(8)
    for load in loads:
        works(load)
    process = second.running.process
    process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(7)
        # Its lease has run out, and the other one has all there is.
        crowd.forget()
        eventually(lambda: crowd.most, lambda most: most == LIMIT, within=5)
        time.sleep(1)
    finally:
        process.send_signal(signal.SIGCONT)
    works(loads[1])
    healthy([first, second])
    for load in loads:
        works(load)
    for load in loads:
        load.end()
    assert crowd.most == LIMIT
    assert not any(load.failed for load in loads), [load.failed[:2] for load in loads]


def test_an_instance_that_is_restarted_under_load(cluster, crowd):
    first, second = cluster.start(2)
    loads = cluster.load(8)
    for load in loads:
        works(load)
    second.restart()
    works(loads[1])
    healthy([first, second])
    for load in loads:
        works(load)
    for load in loads:
        load.end()
    assert crowd.most <= LIMIT and not loads[0].failed
    # At its end it refuses what comes, or it is not there; what it has begun it ends.
    assert all(isinstance(failure, OSError) or failure.status == 503 for failure in loads[1].failed), loads[1].failed[:5]


@pytest.mark.parametrize("count, limit", [(4, 6), (8, 12)])
def test_many_instances_keep_one_limit(cluster, crowd, redis, count, limit):  # noqa: F811
    services = cluster.start(count, limit)
    loads = cluster.load(3)
    for load in loads:
        works(load)
    with redis.watched() as told:
        began = time.monotonic()
        time.sleep(4)
        passed, lines = time.monotonic() - began, list(told)
    for load in loads:
        load.end()
    assert limit * 2 // 3 <= crowd.most <= limit
    assert not any(load.failed for load in loads), [load.failed[:2] for load in loads]
    asked = [line for line in lines if b" lua] " not in line]
    assert count * passed / 2 < len(asked) <= 200 * passed, (len(asked), passed, asked[:20])
    healthy(services)


@pytest.fixture
def over_tls(tmp_path):
    """An engine over TLS: its address, and the file of its authority."""
    if not PROGRAM:
        pytest.skip("redis-server is not installed")
    directory = tmp_path / "authority"
    directory.mkdir()
    files = certificate(directory)
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    options = ["--tls-port", port, "--tls-cert-file", files["tls_cert"], "--tls-key-file", files["tls_key"], "--tls-auth-clients", "no"]
    if subprocess.run([PROGRAM, *options, "--port", "0", "--check-system"], capture_output=True).returncode > 1:
        pytest.skip("this redis-server has no TLS")
    engine = Redis(tmp_path / "redis", *options, "--requirepass", "a-password-of-its-own", "--protected-mode", "no")
    yield f"rediss://:a-password-of-its-own@127.0.0.1:{port}", files["tls_cert"]
    engine.stop()


def test_an_engine_over_tls(tmp_path, crowd, over_tls):
    address, authority = over_tls
    both = [Service(tmp_path / f"i{number}", crowd.config(None, LIMIT, None, shared_state=address, ca_file=authority), "multi_config.conf") for number in range(2)]
    stranger = Service(tmp_path / "stranger", crowd.config(None, LIMIT, None, shared_state=address), "multi_config.conf")
    try:
        for one in (*both, stranger):
            one.start()
        healthy(both)
        assert both[0].chat(CLIENT, MODEL).status == 200
        eventually(lambda: stranger.log, lambda log: "its certificate is not from an authority that is trusted here (ca_file)" in log)
        assert state(stranger)[:2] == ("degraded", "degraded") and stranger.chat(CLIENT, MODEL).status == 200
        assert all("a-password" not in one.log for one in (*both, stranger))
    finally:
        for one in (*both, stranger):
            one.stop()
