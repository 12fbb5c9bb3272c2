"""The commands of the program, as an operator types them: `ociai-proxy key ...` and `ociai-proxy ledger ...`, while the proxy runs and while it does not."""
import contextlib
import csv
import fcntl
import io
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from conftest import ADDRESS, BIN, Running
from service import ADMIN, CLIENT, VIEWER, Service, aggregator, ask, eventually, provider

KEY = re.compile(r"oci-[0-9A-Za-z]{38}")
PROGRAM = BIN / "ociai-proxy"
PRICES = {"talk/m1": "1000 in 2000 out per 1M tokens"}


class Done:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    def __repr__(self):
        return f"{self.code}\n{self.out}\n{self.err}"


def run(*arguments, stdin=subprocess.DEVNULL, environment={}, **more):
    """One command, to its end."""
    if isinstance(stdin, str):
        more["input"] = stdin
    else:
        more["stdin"] = stdin
    return Done(subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}, **more))


class Operator:
    """Types commands over one configuration."""

    def __init__(self, service, *options):
        self.service, self.options = service, options

    @property
    def place(self):
        """Port 0 of the start has become one that the file does not know."""
        port = ["-port", self.service.url.rsplit(":", 1)[1]] if self.service.running and "admin_listen" not in self.service.config.read_text() else []
        return ["-config", self.service.config, *port, *self.options]

    def run(self, *arguments, **more):
        return run(*arguments, *self.place, **more)

    def done(self, *arguments, **more):
        done = self.run(*arguments, **more)
        assert done.code == 0, done
        return done

    def json(self, *arguments):
        return json.loads(self.done(*arguments, "-json").out)

    def audit(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.service.directory}/ociai-proxy.db?mode=ro", uri=True)) as database:
            return database.execute("SELECT actor, action, subject FROM audit ORDER BY id").fetchall()


@pytest.fixture
def made(tmp_path, provider):
    """A service that is not started yet, and who types."""
    services = []

    def make(*options, start=False, pattern=ADDRESS, **settings):
        service = Service(tmp_path / f"s{len(services)}", aggregator(provider, **{"local_access": True, "prices": PRICES, "port": 1, **settings}))
        services.append(service)
        if start:
            service.start(pattern)
        return service, Operator(service, *options)

    yield make
    for service in services:
        service.stop()


def socket_directory():
    # tmp_path may be longer than an address of a Unix socket.
    return tempfile.TemporaryDirectory(prefix="ociai-")


# Usage


@pytest.mark.parametrize("arguments", [["key"], ["key", "fetch"], ["key", "-config", "x", "list"], ["key", "list", "-nonsense"], ["key", "create"], ["key", "create", ""], ["key", "rotate"], ["key", "history", "a", "b"], ["key", "history", ""], ["key", "list", "-at", "nowhere at all"],
                                       ["key", "list", "-at", "9090", "-port", "1"], ["key", "list", "-state-dir", ""], ["ledger", "export", "-json", "-format", "csv"],
                                       ["key", "revoke"], ["key", "create", "a", "b"], ["key", "create", "a", "-rpm"], ["key", "list", "-port", "0"], ["key", "list", "-port", "x"],
                                       ["ledger", "rows"], ["ledger", "keys", "more"], ["ledger", "-since", "2026-01-01"], ["ledger", "export", "-key", "a"], ["ledger", "reprice"],
                                       ["key", "list", "-key-file", "/nowhere"], ["key", "list", "-key-file", "/dev/null"]], ids=" ".join)
def test_bad_usage(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.code == 64 and not done.out and done.err, done
    assert "help" in done.err or "-key-file" in done.err or "-at" in done.err, done


@pytest.mark.parametrize("dashes", ["-", "--"])
def test_help(dashes, tmp_path):
    for command in ["key", "key list", "key create", "key rotate", "key revoke", "key history", "ledger", "ledger summary", "ledger days", "ledger export", "ledger reprice"]:
        done = run(*command.split(), f"{dashes}help", cwd=tmp_path)
        assert done.code == 0 and done.out.startswith(f"ociai-proxy {command.split()[0]}") and "-config" in done.out and not done.err, done
    help = run(f"{dashes}help")
    assert help.code == 0 and "key list|create|rotate|revoke|history" in help.out and "ledger" in help.out, help


def test_a_file_that_cannot_be_used(tmp_path):
    assert run("key", "list", cwd=tmp_path).code == 78
    (tmp_path / "config.json").write_text("{")
    done = run("ledger", cwd=tmp_path)
    assert done.code == 78 and "config.json" in done.err, done


# Both ways


@pytest.fixture(params=["running", "not running"])
def operator(made, request):
    service, operator = made(start=request.param == "running")
    return operator


def test_the_life_of_a_key(operator):
    created = operator.done("key", "create", "ci", "-role", "viewer", "-models", "^talk/m1$,vendor", "--rpm=60", "-tpm", "9000", "-max-concurrency", "3", "-expires", "2100-01-31",
                            "-budget-hard", "5 USD per day, 90000 tokens per hour", "-budget-soft", "1 USD in all")
    key = created.out.strip()
    assert KEY.fullmatch(key) and created.out == key + "\n" and key not in created.err and "5 USD per day" in created.err, created
    [listed] = [entry for entry in operator.json("key", "list")["data"] if entry["name"] == "ci"]
    assert listed["role"] == "viewer" and listed["models"] == ["^talk/m1$", "vendor"] and listed["rpm"] == 60 and listed["tpm"] == 9000 and listed["max_concurrency"] == 3
    assert listed["budget_hard"] == ["5 USD per day", "90000 tokens per hour"] and listed["budget_soft"] == ["1 USD in all"] and listed["expires"] == "2100-01-31T00:00:00Z"
    table = operator.done("key", "list").out
    lines = table.splitlines()
    assert lines[0].split()[:3] == ["NAME", "ROLE", "STATE"] and len(lines) == 6 and all(line == line.rstrip() for line in lines), table
    assert [line.split()[0] for line in lines[1:]] == ["root", "eye", "alice", "bob", "ci"] and key not in table and CLIENT not in table and ADMIN not in table

    rotated = operator.done("key", "rotate", "ci", "-grace", "1h")
    second = rotated.out.strip()
    assert KEY.fullmatch(second) and second != key and "The one before works until 20" in rotated.err, rotated
    third = operator.json("key", "rotate", "ci", "--grace", "0")
    assert KEY.fullmatch(third["key"]) and third["former_keys_until"] == []
    gone = operator.done("key", "revoke", "ci")
    assert "revoked" in gone.out, gone
    assert operator.json("key", "revoke", "ci")["revoked_at"], "twice is once"
    assert "revoked 20" in operator.done("key", "list").out

    actor = "local operator" if operator.service.running else "command line"
    assert operator.audit() == [(actor, action, "ci") for action in ["create", "rotate", "rotate", "revoke", "revoke"]]
    for shown in [key, second, third["key"]]:
        assert shown.encode() not in operator.service.database()


@pytest.mark.parametrize("arguments, code, words", [
    (["key", "create", "alice"], 1, "alice"), (["key", "create", "a b"], 64, "a b"), (["key", "create", "a", "-rpm", "many"], 64, "rpm"), (["key", "create", "a", "-models", "("], 64, "("),
    (["key", "create", "a", "-budget-hard", "5 EUR per day"], 64, "budget_hard"), (["key", "create", "a", "-expires", "2020-01-01"], 64, "past"),
    (["key", "rotate", "alice"], 1, "config file"), (["key", "revoke", "nobody"], 1, "nobody"), (["key", "revoke", "../ledger/summary"], 1, "no key"), (["key", "rotate", "é"], 1, "é"),
    (["ledger", "keys", "-from", "soon"], 64, "from"), (["ledger", "-from", "2026-02-01", "-to", "2026-01-01"], 64, "later"), (["ledger", "export", "-format", "xml"], 64, "format"),
    (["ledger", "export", "-level", "x"], 64, "level"), (["ledger", "reprice", "-since", "soon"], 64, "since"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_is_refused(operator, arguments, code, words):
    operator.done("key", "create", "there")
    done = operator.run(*arguments)
    assert done.code == code and not done.out and words in done.err and done.err.count("\n") == 1, done


def test_a_key_that_is_made_while_nothing_runs_works_after_the_start(made):
    service, operator = made()
    key, other = (operator.done("key", "create", name).out.strip() for name in ["m", "n"])
    operator.done("key", "revoke", "n")
    service.start()
    assert service.chat(key).status == 200 and service.chat(other).status == 401
    service.stop()
    operator.done("key", "revoke", "m")
    service.start()
    assert service.chat(key).status == 401


def test_a_key_that_is_revoked_while_it_runs_stops_at_once(made):
    service, operator = made(start=True)
    key = operator.done("key", "create", "m").out.strip()
    assert service.chat(key).status == 200
    operator.done("key", "revoke", "m")
    assert service.chat(key).status == 401


def test_what_is_recorded_is_told_both_ways(made, provider):
    service, operator = made(start=True)
    provider.prompt, provider.completion = 1000, 500
    for model in ["talk/m1", "talk/m1", "talk/m2", "talk/nothing"]:
        service.chat(CLIENT, model)
    eventually(lambda: operator.json("ledger")["rows"][0]["requests"], lambda count: count == 4)

    def pages():
        tables = {subject: operator.json("ledger", subject)["rows"] for subject in ["summary", "days", "keys", "models", "accounts", "failures"]}
        texts = {subject: operator.done("ledger", subject).out for subject in tables}
        return tables, {subject: text.split("\n\n", 1)[1] for subject, text in texts.items()}

    tables, texts = pages()
    service.stop()
    assert pages() == (tables, texts)
    assert operator.json("ledger")["rows"] == tables["summary"]
    # 2 requests of 1000 in and 500 out at 1000 and 2000 dollars a million; m2 has no price.
    assert re.search(r"cost, USD +4\.0000\n", texts["summary"]) and re.search(r"unpriced requests +1\n", texts["summary"]) and "prices" in texts["summary"].lower()
    [m1, nobody, m2] = [line.split() for line in texts["models"].splitlines()[1:4]]
    assert m1[0] == "m1" and m1[8] == "4.0000" and m2[0] == "m2" and m2[8] == "-" and m2[9] == "1" and nobody[:2] == ["-", "1"] and nobody[5] == "-", texts["models"]
    assert texts["keys"].splitlines()[1].split()[:2] == ["alice", "4"] and "model_not_found" in texts["failures"]
    assert "Nothing is recorded" in operator.done("ledger", "keys", "-from", "2001-01-01", "-to", "2001-02-01").out
    assert operator.json("ledger", "keys", "-key", "bob")["rows"] == []

    rows = [json.loads(line) for line in operator.done("ledger", "export").out.splitlines()]
    assert [row["status"] for row in rows] == [200, 200, 200, 404]
    table = list(csv.DictReader(io.StringIO(operator.done("ledger", "export", "-format", "csv", "-level", "attempt").out)))
    assert [row["model"] for row in table] == ["m1", "m1", "m2"]


def test_costs_are_worked_out_anew(made, provider):
    service, operator = made(start=True, fallbacks={"talk/m2": ["talk/m1"]})
    provider.prompt, provider.completion = 1000, 0
    usual = provider.reply
    provider.answer = lambda body: (500, {}, b'{"error":{"message":"boom"}}') if body["model"] == "m2" else usual(body)
    for model in ["talk/m1", "talk/m2"]:
        assert service.chat(CLIENT, model).status == 200
    cost = lambda: operator.json("ledger")["rows"][0]["cost_nano_usd"]
    eventually(cost, lambda nano: nano == 2_000_000_000)
    # Only what costs something else counts; a price of the running configuration, after its reload.
    assert operator.json("ledger", "reprice", "-since", "2026-01-01")["changed"] == 0
    config = json.loads(service.config.read_text())
    config["prices"] = {"talk/m1": "3000 in 0 out per 1M tokens"}
    service.write(config)
    assert operator.json("ledger", "reprice", "-since", "2026-01-01")["changed"] == 0
    assert ask(service.url, "/v1/reload", {}, ADMIN).status == 200
    done = operator.done("ledger", "reprice", "-since", "2026-01-01")
    assert "2 calls have another cost" in done.out and cost() == 6_000_000_000, done
    assert operator.json("ledger", "reprice", "-since", "2100-01-01")["changed"] == 0
    service.stop()
    # Those of the file, where none runs.
    config["prices"] = {}
    service.write(config)
    assert operator.json("ledger", "reprice", "-since", "2026-01-01") == {"object": "ledger.reprice", "since": "2026-01-01T00:00:00Z", "changed": 2}
    assert cost() is None


# The way to the proxy


def test_over_a_unix_socket(made):
    with socket_directory() as directory:
        service, operator = made(start=True, admin_listen=f"unix:{directory}/admin.sock", local_access=False)
        key = operator.done("key", "create", "m").out.strip()
        assert service.chat(key).status == 200
        operator.done("key", "revoke", "m")
        assert service.chat(key).status == 401 and "revoked" in operator.done("key", "list").out
        assert operator.json("ledger", "keys")["object"] == "ledger.table"
        service.stop()
        # Over the file, with what the process has written.
        assert "revoked" in operator.done("key", "list").out
        # A socket that a process has left behind which was killed.
        service.start()
        service.kill()
        assert (Path(directory) / "admin.sock").exists() and "revoked" in operator.done("key", "list").out


def test_over_an_address_of_its_own(made):
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service, operator = made(start=True, admin_listen=f"127.0.0.1:{port}")
    key = operator.done("key", "create", "m").out.strip()
    assert service.chat(key).status == 200 and operator.audit() == [("local operator", "create", "m")]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Two, of names that nobody resolves."""
    directory = tmp_path_factory.mktemp("tls")
    for name in ["one", "two"]:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.pem", "-days", "2",
                        "-subj", f"/CN={name}.example.com", "-addext", f"subjectAltName=DNS:{name}.example.com"], check=True, capture_output=True)
        (directory / f"{name}.key").chmod(0o600)
    return directory


def test_over_tls_with_the_certificate_of_the_file_and_no_other(made, certificates):
    settings = {"tls_cert": str(certificates / "one.pem"), "tls_key": str(certificates / "one.key")}
    service, operator = made(**settings)
    service.running = Running([PROGRAM, "-config", service.config, "-port", "0"], service.directory / "proxy.log", r"https://127\.0\.0\.1:\d+")
    service.url = service.running.url
    assert KEY.fullmatch(operator.done("key", "create", "m").out.strip())
    assert operator.audit() == [("local operator", "create", "m")]
    config = json.loads(service.config.read_text())
    service.write(config | {"tls_cert": str(certificates / "two.pem"), "tls_key": str(certificates / "two.key")})
    done = operator.run("key", "list")
    assert done.code == 69 and "two.pem" in done.err and "BoringSSL" not in done.err and ".cc" not in done.err, done
    # Nor does it speak without TLS.
    del config["tls_cert"], config["tls_key"]
    service.write(config)
    assert operator.run("key", "list").code != 0


def test_with_a_key_where_the_local_rule_is_off(made, tmp_path):
    service, operator = made(start=True, local_access=False)
    done = operator.run("key", "list")
    assert done.code == 1 and "-key-file" in done.err, done
    for name, key, code in [("admin", ADMIN, 0), ("viewer", VIEWER, 1), ("wrong", "sk-nobodys-0123456789", 1)]:
        file = tmp_path / name
        file.write_text(f"\n  {key}\n")
        done = operator.run("key", "list", "-key-file", file)
        assert done.code == code and key not in done.out + done.err and (code == 0 or "-key-file" in done.err), done
        assert operator.run("ledger", "-key-file", file).code == (1 if name == "wrong" else 0)
    assert operator.run("key", "list", "-key-file", "-", stdin=ADMIN).code == 0
    # Through a pipe, as from a program that keeps secrets.
    done = subprocess.run(["bash", "-c", f'"$0" key list -key-file <(echo {ADMIN}) "$@"', PROGRAM, *map(str, operator.place)], capture_output=True, text=True)
    assert done.returncode == 0, done
    operator.done("key", "create", "m", "-key-file", tmp_path / "admin")
    assert operator.audit() == [("root", "create", "m")]
    for text in ["", "two words\n", "ü\n", "a\nb\n", "x" * 5000]:
        (tmp_path / "bad").write_text(text)
        done = operator.run("key", "list", "-key-file", tmp_path / "bad")
        assert done.code == 64 and "does not hold a key" in done.err, done


def test_no_key_is_to_be_seen_by_others(made, tmp_path, provider):
    """Neither one that is given nor one that is made stands in the arguments or the environment of the process."""
    service, operator = made(start=True, local_access=False)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen([PROGRAM, "key", "create", "m", "-key-file", pipe, *map(str, operator.place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with open(pipe, "w") as writer:
        writer.write(ADMIN)
        writer.flush()
        seen = b"".join(Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ["cmdline", "environ"])
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and ADMIN.encode() not in seen, err
    log = "".join(path.read_text(errors="replace") for path in service.directory.glob("*.log"))
    assert out.strip() not in log and ADMIN not in log


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user is only for root to be")


@pytest.fixture
def open_place(provider):
    """A service that every user of the machine may look at, and its program."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        program = Path(directory) / "ociai-proxy"
        program.write_bytes(PROGRAM.read_bytes())
        program.chmod(0o755)
        service = Service(Path(directory) / "s", aggregator(provider, local_access=True, port=1))
        service.directory.chmod(0o755)
        service.config.chmod(0o644)
        yield service, program
        service.stop()


@needs_root
def test_another_user_is_told_what_to_do(open_place):
    service, program = open_place

    def other(*arguments):
        return Done(subprocess.run([program, *map(str, arguments), *map(str, Operator(service).place)], capture_output=True, text=True, timeout=60, user=65534, group=65534,
                                   extra_groups=[], cwd="/"))

    service.start()
    done = other("key", "list")
    assert done.code == 1 and "another user of this machine" in done.err and "-key-file" in done.err, done
    service.stop()
    done = other("key", "list")
    assert done.code == 69 and "belongs to the user root" in done.err, done
    # Root acts as the user whose ledger it is: what it makes could not be opened by that user.
    for path in [service.directory, *service.directory.glob("ociai-proxy*")]:
        os.chown(path, 65534, 65534)
    operator = Operator(service)
    assert KEY.fullmatch(operator.done("key", "create", "m").out.strip())
    with tempfile.TemporaryDirectory() as own:
        # And as itself where it writes.
        place = Path(own) / "rows"
        operator.done("ledger", "export", "-output", place)
        assert place.exists() and place.stat().st_uid == 0 and len(list(Path(own).iterdir())) == 1
    assert {path.stat().st_uid for path in service.directory.glob("ociai-proxy*")} == {65534}
    # The lock of a stranger's directory leads root nowhere.
    victim = service.directory.parent / "victim"
    victim.write_text("precious")
    victim.chmod(0o600)
    lock = service.directory / "ociai-proxy.lock"
    lock.unlink()
    lock.symlink_to(victim)
    assert operator.run("key", "list").code == 69 and victim.read_text() == "precious"


def test_somebody_else_at_the_address(made, provider):
    service, operator = made()
    operator.options = ["-port", provider.url.split(":")[2].split("/")[0]]
    for arguments in [["key", "list"], ["ledger", "export"]]:
        done = operator.run(*arguments)
        assert done.code == 69 and "another program" in done.err and "no ledger" in done.err and not done.out, done
    assert not (service.directory / "ociai-proxy.db").exists()
    # Where the ledger is free, the stranger is not in the way, and gets no key.
    key = service.directory / "key"
    key.write_text(ADMIN)
    for more in [[], ["-key-file", key]]:
        done = operator.done("key", "create", f"m{len(more)}", *more)
        assert KEY.fullmatch(done.out.strip()) and "another program" in done.err and str(service.directory) in done.err, done
    assert operator.json("key", "list")["data"][-1]["name"] == "m2"
    # Where the proxy has it, it is told.
    other, typing = made(start=True, state_dir=".")
    typing.options = operator.options
    done = run("key", "create", "x", "-config", other.config, *operator.options)
    assert done.code == 69 and "another program" in done.err and f"process {other.running.process.pid}" in done.err, done


class Silent:
    """A program that takes connections and notes what it is sent."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.got = self.socket.getsockname()[1], b""
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.got += connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


def test_no_key_for_a_stranger(made):
    service, operator = made()
    stranger = Silent()
    with contextlib.closing(stranger.socket):
        for place in [["-config", service.config, "-port", stranger.port], ["-at", f"http://127.0.0.1:{stranger.port}"]]:
            done = run("key", "list", *place, "-key-file", "-", stdin=ADMIN)
            assert done.code == 69 and "another program" in done.err, done
        assert b"GET / HTTP" in stranger.got and ADMIN.encode() not in stranger.got and b"uthorization" not in stranger.got


@needs_root
def test_no_key_for_a_proxy_of_another_user(open_place, tmp_path):
    service, program = open_place
    for path in [service.directory, service.config]:
        os.chown(path, 65534, 65534)
    log = open(tmp_path / "log", "w+")
    process = subprocess.Popen([program, "-config", service.config, "-port", "0"], stdout=log, stderr=log, user=65534, group=65534, extra_groups=[], cwd="/")
    try:
        url = eventually(lambda: re.findall(r"http://127\.0\.0\.1:\d+", Path(log.name).read_text()))[0]
        # Whose configuration it is may have it; whose it is not, may not.
        done = run("key", "list", "-config", service.config, "-port", url.split(":")[2], "-key-file", "-", stdin=ADMIN)
        assert done.code == 0, done
        done = run("key", "list", "-at", url, "-key-file", "-", stdin=ADMIN)
        assert done.code == 69 and "not sent" in done.err and "nobody" in done.err, done
    finally:
        process.terminate()
        process.wait(30)


def test_a_proxy_with_another_configuration(made):
    one, typing = made(start=True)
    two, _ = made()
    typing.done("key", "create", "m")
    port = one.url.rsplit(":", 1)[1]
    for arguments in [["key", "create", "n"], ["key", "rotate", "m"], ["key", "revoke", "m"], ["key", "list"], ["ledger"], ["ledger", "export"], ["ledger", "reprice", "-since", "2026-01-01"]]:
        done = run(*arguments, "-config", two.config, "-port", port)
        assert done.code == 69 and not done.out, done
        assert str(one.config) in done.err and str(two.config) in done.err and f"process {one.running.process.pid}" in done.err and "-at" in done.err, done
    assert typing.audit() == [("local operator", "create", "m")]
    # By a link it is the same one, and by its address it is whatever it is.
    link = two.directory / "link.json"
    link.symlink_to(one.config)
    for place in [["-config", link, "-port", port], ["-at", one.url], ["-at", port]]:
        done = run("key", "list", *place)
        assert done.code == 0 and f"process {one.running.process.pid}" in done.err and str(one.config) in done.err, done
    one.stop()
    done = run("key", "list", "-at", one.url)
    assert done.code == 69 and "nobody answers" in done.err, done


def test_without_its_configuration(made, tmp_path):
    service, operator = made(start=True, local_access=False)
    key = tmp_path / "key"
    key.write_text(ADMIN)
    done = run("key", "list", "-config", "/nowhere/config.conf", "-key-file", key)
    assert done.code == 78 and "-at ADDRESS" in done.err, done
    assert run("key", "list", "-at", service.url, "-key-file", key).code == 0


# Whose ledger it is


def test_who_was_asked(made):
    service, operator = made(start=True)
    assert f"Asked: the proxy at {service.url} (process {service.running.process.pid}" in operator.done("key", "create", "m").err
    for arguments in [["key", "list"], ["ledger"], ["key", "history"]]:
        assert f"Asked: the proxy at {service.url} (process" in operator.done(*arguments).err
        assert not operator.done(*arguments, "-json").err
    service.stop()
    assert f"Asked: the ledger in {service.directory}, as nobody answers at http://127.0.0.1:1" in operator.done("ledger").err


def test_a_new_ledger_is_told(made, tmp_path):
    service, operator = made()
    done = operator.done("key", "create", "m")
    assert f"A new ledger has begun in {service.directory}" in done.err and "STATE_DIRECTORY" in done.err, done
    assert "new ledger" not in operator.done("key", "create", "n").err
    # Somewhere else, by the command line.
    done = operator.done("key", "create", "m", "-state-dir", tmp_path / "other")
    assert (tmp_path / "other" / "ociai-proxy.db").exists() and str(tmp_path / "other") in done.err, done
    assert run("key", "list", *operator.place, environment={"STATE_DIRECTORY": str(tmp_path / "other")}).code == 0
    assert len(operator.json("key", "list")["data"]) == 4 + 2
    named, typing = made(state_dir="state")
    assert typing.run("key", "create", "m", "-state-dir", tmp_path).code == 64


@needs_root
def test_the_ledger_of_a_stopped_service(made):
    service, _ = made()
    name = f"ociai-test-{os.getpid()}"
    configuration, state = Path("/etc") / name, Path("/var/lib") / name
    try:
        configuration.mkdir(0o755)
        config = configuration / "config.json"
        config.write_text(service.config.read_text())
        # Before its first start.
        done = run("key", "create", "m", "-config", config)
        assert done.code == 69 and str(state) in done.err and "start the service" in done.err, done
        assert [path.name for path in configuration.iterdir()] == ["config.json"]
        state.mkdir(0o700)
        os.chown(state, 65534, 65534)
        assert KEY.fullmatch(run("key", "create", "m", "-config", config).out.strip())
        assert [path.name for path in configuration.iterdir()] == ["config.json"]
        assert {path.stat().st_uid for path in state.iterdir()} == {65534} and (state / "ociai-proxy.db").exists()
        assert "m" in run("key", "list", "-config", config).out
        assert f"ledger: in {state}, the state directory of the service" in run("-check", "-config", config).out
    finally:
        for directory in [configuration, state]:
            shutil.rmtree(directory, ignore_errors=True)


def test_a_damaged_ledger_is_left_as_it_is(made):
    service, operator = made()
    operator.done("key", "create", "m")
    database = service.directory / "ociai-proxy.db"
    damaged = b"no database" * 1000
    database.write_bytes(damaged)
    for arguments in [["ledger"], ["key", "list"], ["ledger", "export"], ["key", "create", "n"]]:
        done = operator.run(*arguments)
        assert done.code == 69 and "damaged" in done.err and "start the proxy" in done.err and not done.out, done
    assert database.read_bytes() == damaged and not list(service.directory.glob("*.damaged*"))
    service.start()
    assert list(service.directory.glob("*.damaged*"))


# What a person trips over


def test_history(operator):
    operator.done("key", "create", "a")
    operator.done("key", "create", "b")
    operator.done("key", "revoke", "a")
    lines = [line.split() for line in operator.done("key", "history").out.splitlines()]
    assert lines[0] == ["AT", "KEY", "ACTION", "BY"] and [line[1:3] for line in lines[1:]] == [["a", "create"], ["b", "create"], ["a", "revoke"]], lines
    assert [change["action"] for change in operator.json("key", "history", "a")["data"]] == ["create", "revoke"]
    assert "Nothing has been done" in operator.done("key", "history", "alice").out
    assert operator.run("key", "history", "nobody").code == 1


def test_small_things(operator):
    operator.done("key", "create", "a")
    operator.done("key", "rotate", "a", "-grace", "30d")
    table = operator.done("key", "list").out
    assert "FORMER WORKS UNTIL" in table.splitlines()[0], table
    assert operator.done("ledger", "export", "-json").out == operator.done("ledger", "export", "-format", "jsonl").out
    for table in [[], ["models"]]:
        assert "key list" in operator.done("ledger", *table, "-key", "nobody").out
        assert "in the future" in operator.done("ledger", *table, "-from", "2100-01-01", "-to", "2101-01-01").out
    assert "in the future" in operator.done("ledger", "reprice", "-since", "2100-01-01").out


def test_a_proxy_at_another_address(made):
    service, operator = made(start=True, state_dir=".")
    done = run("key", "list", "-config", service.config)
    assert done.code == 69 and f"process {service.running.process.pid}" in done.err and "127.0.0.1:1 " in done.err and "-port" in done.err, done
    # It runs with the file of before.
    with socket_directory() as directory:
        config = json.loads(service.config.read_text())
        service.write(config | {"admin_listen": f"unix:{directory}/none.sock"})
        done = run("ledger", "-config", service.config)
        assert done.code == 69 and "none.sock" in done.err and f"process {service.running.process.pid}" in done.err, done


def test_clients_address_of_a_proxy_that_has_another_for_operators(made):
    with socket_directory() as directory:
        service, operator = made(start=True, admin_listen=f"unix:{directory}/a.sock")
        config = json.loads(service.config.read_text())
        del config["admin_listen"]
        service.write(config)
        done = operator.run("key", "list")
        assert done.code == 1 and "admin_listen" in done.err, done


def test_without_a_ledger(made):
    service, operator = made(state_dir="off")
    done = operator.run("key", "create", "m")
    assert done.code == 78 and "state_dir = off" in done.err, done
    service.start()
    done = operator.run("key", "create", "m")
    assert done.code == 1 and "state_dir" in done.err, done


def test_the_ledger_of_another_command_is_waited_for(made):
    service, operator = made()
    operator.done("key", "create", "m")
    with open(service.directory / "ociai-proxy.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(1, lambda: fcntl.flock(lock, fcntl.LOCK_UN)).start()
        operator.done("key", "list")
    # Ten at once.
    processes = [subprocess.Popen([PROGRAM, "key", "create", f"n{number}", *map(str, operator.place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for number in range(6)]
    assert [process.wait(60) for process in processes] == [0] * 6, [process.stderr.read() for process in processes]
    assert len(operator.json("key", "list")["data"]) == 4 + 7


def test_two_at_once_make_one_key_once(made):
    service, operator = made(start=True)
    processes = [subprocess.Popen([PROGRAM, "key", "create", "same", *map(str, operator.place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    assert sorted(process.wait(60) for process in processes) == [0, 1, 1, 1]


# Rows by the thousand


def fill(service, operator, count):
    """A ledger with so many requests, made of one."""
    service.start()
    service.chat(CLIENT)
    eventually(lambda: operator.json("ledger")["rows"][0]["requests"])
    service.stop()
    with contextlib.closing(sqlite3.connect(service.directory / "ociai-proxy.db")) as database, database:
        columns = ", ".join(row[1] for row in database.execute("PRAGMA table_info(request)") if row[1] not in ("id", "rid"))
        database.execute(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            INSERT INTO request(id, rid, {columns}) SELECT id + (i << 9), 'r-' || i, {columns} FROM request, n""", (count - 1,))


@pytest.fixture(params=["running", "not running"])
def large(made, request):
    service, operator = made()
    fill(service, operator, 20_000)
    if request.param == "running":
        service.start()
    return operator


def test_an_export_of_many_rows(large, tmp_path):
    whole = large.done("ledger", "export").out
    rows = whole.splitlines()
    assert len(rows) == 20_000 and len({json.loads(row)["id"] for row in rows}) == 20_000
    place = tmp_path / "rows.jsonl"
    place.write_text("old")
    large.done("ledger", "export", "-output", place)
    assert place.read_text() == whole and [path.name for path in tmp_path.glob(".*rows*")] == []
    table = tmp_path / "rows.csv"
    large.done("ledger", "export", "-format", "csv", "-output", table)
    assert len(table.read_text().splitlines()) == 20_001 and not large.done("ledger", "export", "-output", table).err, "nobody watches"
    assert large.done("ledger", "export", "-output", "/dev/stdout").out == whole

    # Who takes ten lines has them, and no complaint.
    script = f'"$0" ledger export "$@" | head -n 10; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script, PROGRAM, *map(str, large.place)], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[:10] == rows[:10] and done.stdout.splitlines()[10:] == ["0"] and not done.stderr, done
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "ledger", "export", *map(str, large.place)], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 1 and "No space left" in done.stderr, done
    assert large.run("ledger", "export", "-output", "/nowhere/x").code == 1 and large.run("ledger", "export", "-output", tmp_path).code == 64


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_export_that_is_interrupted_leaves_nothing(large, tmp_path, sent):
    place = tmp_path / "out" / "rows.jsonl"
    place.parent.mkdir()
    place.write_text("old")
    process = subprocess.Popen([PROGRAM, "ledger", "export", "-output", place, *map(str, large.place)], stderr=subprocess.PIPE)
    eventually(lambda: process.poll() is not None or len(list(place.parent.iterdir())) > 1)
    process.send_signal(sent)
    code = process.wait(20)
    # It may have been done just before.
    assert code in (128 + sent, 0) and [path.name for path in place.parent.iterdir()] == ["rows.jsonl"]
    assert code == 0 or place.read_text() == "old"
    # One that nobody reads.
    process = subprocess.Popen([PROGRAM, "ledger", "export", *map(str, large.place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(1000)
    process.send_signal(sent)
    assert process.wait(20) == 128 + sent
    large.done("key", "create", "later")


def test_an_export_takes_no_memory_for_its_rows(large):
    process = subprocess.Popen([PROGRAM, "ledger", "export", *map(str, large.place)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    size = 0
    highest = 0
    while piece := process.stdout.read(64 << 10):
        size += len(piece)
        status = Path(f"/proc/{process.pid}/status").read_text()
        if match := re.search(r"VmHWM:\s+(\d+)", status):
            highest = max(highest, int(match[1]))
    assert process.wait(20) == 0 and size > 5 << 20 and highest < 120 << 10, (size, highest)


def test_a_key_that_could_not_be_shown_is_told(made):
    service, operator = made()
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "key", "create", "m", *map(str, operator.place)], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and "No space left" in done.stderr, done
    done = subprocess.run(["bash", "-c", '"$0" key create n "$@" | (exec <&-; sleep 2); exit "${PIPESTATUS[0]}"', PROGRAM, *map(str, operator.place)], stderr=subprocess.PIPE, text=True,
                          timeout=60)
    assert done.returncode == 1 and "rotate" in done.stderr, done
