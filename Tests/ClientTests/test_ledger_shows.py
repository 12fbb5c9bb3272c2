"""What an operator is promised of the ledger: a disk that fails costs rows and no requests, figures are right, old rows go, and a million are no burden."""
import collections
import concurrent.futures
import contextlib
import ctypes
import http.client
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

import pytest

from conftest import ADDRESS, BIN, Running
from service import ADMIN, CLIENT, OTHER, VIEWER, Service, aggregator, ask, certificate, eventually, provider

PROGRAM = BIN / "ociai-proxy"
HOUR = 3600


@pytest.fixture
def service(tmp_path):
    """A proxy over a configuration, as often as wanted."""
    made = []

    def start(text, starts=True):
        made.append(Service(tmp_path / f"s{len(made)}", text))
        return made[-1].start() if starts else made[-1]

    yield start
    for one in made:
        one.stop()


@pytest.fixture(autouse=True)
def at_once(provider):
    """The provider sends its answers in two pieces: the second one is not to wait until the first has been acknowledged, which takes 40 ms."""
    provider.server.RequestHandlerClass.disable_nagle_algorithm = True


def database(server):
    return contextlib.closing(sqlite3.connect(server.directory / "ociai-proxy.db", timeout=30, isolation_level=None))


def figures(server):
    """What `/metrics` says of the ledger, by the names behind `ociai_ledger_`."""
    text = server.ask("/metrics", key=VIEWER).body.decode()
    return {name: int(value) for name, value in re.findall(r"^ociai_ledger_(\w+) (\d+)$", text, re.M)}


def settled(server):
    return eventually(lambda: figures(server), lambda seen: seen["pending"] == 0)


def summary(server, **query):
    return server.table(VIEWER, "summary", **query)[0]


def percentile(times, part):
    ordered = sorted(times)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def shown(times):
    return f"{len(times)} chats, median {percentile(times, 0.5) * 1000:.1f} ms, p99 {percentile(times, 0.99) * 1000:.1f} ms"


class Chats:
    """Chats without end from some clients, until the block is left: when each began, how long it took, and those that failed."""

    def __init__(self, server, clients=3, pause=0.0):
        self.server, self.clients, self.pause = server, clients, pause
        self.done, self.failed = [], []
        self.over = threading.Event()

    def __enter__(self):
        self.threads = [threading.Thread(target=self.run) for _ in range(self.clients)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def run(self):
        body = b'{"model":"talk/m1","messages":[{"role":"user","content":"hi"}]}'
        headers = {"authorization": f"Bearer {CLIENT}", "content-type": "application/json"}
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.server.url).netloc, timeout=30)
        with contextlib.closing(connection):
            while not self.over.is_set():
                began = time.monotonic()
                try:
                    connection.request("POST", "/v1/chat/completions", body, headers)
                    answer = connection.getresponse()
                    content = answer.read()
                    if answer.status != 200:
                        self.failed.append((answer.status, content))
                except (OSError, http.client.HTTPException) as error:
                    self.failed.append(error)
                    return
                self.done.append((began, time.monotonic() - began))
                time.sleep(self.pause)

    def between(self, start, end):
        """Those that overlap the time."""
        return [took for began, took in list(self.done) if began < end and began + took > start]


def bears(before, during, factor=5, floor=0.25):
    """Whether chats go on as before, as far as that can be told on a machine that does something else as well."""
    assert len(before) > 50 and len(during) > 50, (len(before), len(during))
    for part in [0.5, 0.99]:
        assert percentile(during, part) <= max(factor * percentile(before, part), floor), f"before: {shown(before)}; meanwhile: {shown(during)}"


# Figures


def test_the_figures_are_what_was_sent(service, provider):
    server = service(aggregator(provider))
    # Refusals are counted by minutes: all are to be of one.
    if (second := time.time() % 60) > 45:
        time.sleep(60.5 - second)
    for number in range(20):
        assert server.chat(CLIENT, stream=number % 2 == 1).status == 200
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert {answer.status for answer in pool.map(lambda _: server.chat(CLIENT, "talk/none"), range(100))} == {404}
        assert {answer.status for answer in pool.map(lambda _: server.chat(OTHER, "talk/none"), range(30))} == {404}
        assert {answer.status for answer in pool.map(lambda _: server.ask("/v1/chat/completions", b"{", CLIENT), range(80))} == {400}
    assert server.chat("sk-of-nobody-0123456789").status == 401
    eventually(lambda: figures(server)["written_total"], lambda written: written == 230)
    # 100 and 80 are more than the 60 rows that a minute has for one cause.
    assert figures(server) == {"written_total": 230, "dropped_total": 0, "folded_total": 40 + 20, "pending": 0, "documents_dropped_total": 0, "failing": 0}
    rows = collections.Counter((row["key"], row["status"]) for row in server.rows(VIEWER))
    assert rows == {("alice", 200): 20, ("alice", 404): 60, ("bob", 404): 30, ("alice", 400): 60}
    # Sums have all of them.
    assert (summary(server)["requests"], summary(server)["failed"], summary(server)["attempts"]) == (230, 210, 20)
    assert {row["error"]: row["count"] for row in server.table(VIEWER, "failures")} == {"model_not_found": 130, "invalid_json": 80}
    assert {row["error"]: row["count"] for row in server.table(VIEWER, "failures", key="alice")} == {"model_not_found": 100, "invalid_json": 80}
    assert sum(row["requests"] for row in server.rows(VIEWER, "day")) == 230 == server.spent(CLIENT)["requests"] + 30
    # They are the process's: after a start they begin anew, and sums do not.
    server.restart()
    assert figures(server)["written_total"] == 0 and summary(server)["requests"] == 230


# Prices


def lite(**rates):
    return {"litellm_provider": "talk", "mode": "chat", "max_tokens": 4096, **rates}


PRICE_LIST = {
    "sample_spec": lite(input_cost_per_token=0.5, output_cost_per_token=0.5, max_tokens="a number"),
    "talk/m1": lite(input_cost_per_token=1e-06, output_cost_per_token=2.5e-06),
    "talk/m2": lite(input_cost_per_token=7e-06, output_cost_per_token=7e-06),
    "vendor/m3": lite(input_cost_per_character=1e-07, output_cost_per_character=2e-07),
}


def cost(server, model):
    known = len(server.rows(VIEWER))
    assert server.chat(CLIENT, model, text="seven..").status == 200
    return eventually(lambda: server.rows(VIEWER), lambda rows: len(rows) == known + 1)[-1]["cost_nano_usd"]


def test_a_file_of_prices(service, provider):
    # 3 tokens in and 4 out; the answer has 3 characters.
    server = service(aggregator(provider, prices_file="prices.json", prices={"talk/m2": "100 in 1000 out per 1M tokens"}), starts=False)
    path = server.directory / "prices.json"
    path.write_text(json.dumps(PRICE_LIST, indent=1))
    server.start()
    assert cost(server, "talk/m1") == 3 * 1000 + 4 * 2500
    # What the configuration says goes before it.
    assert cost(server, "talk/m2") == 3 * 100_000 + 4 * 1_000_000
    assert cost(server, "talk/vendor/m3") == 7 * 100 + 3 * 200
    assert server.spent(CLIENT)["cost_nano_usd"] == 13_000 + 4_300_000 + 1_300
    # It is read again at a reload, and one that is broken changes nothing.
    path.write_text(json.dumps(PRICE_LIST | {"talk/m1": lite(input_cost_per_token=1e-05, output_cost_per_token=0)}))
    assert server.ask("/v1/reload", {}, ADMIN).status == 200
    assert cost(server, "talk/m1") == 3 * 10_000
    path.write_text(path.read_text()[:-20])
    answer = server.ask("/v1/reload", {}, ADMIN)
    assert answer.status >= 400 and "prices.json" in answer.body.decode(), answer
    assert cost(server, "talk/m1") == 3 * 10_000
    # Rows keep the price of their time.
    assert [row["cost_nano_usd"] for row in server.rows(VIEWER)] == [13_000, 4_300_000, 1_300, 30_000, 30_000]


@pytest.mark.parametrize("content, words", [
    (b'{\n "talk/m1": {"input_cost_per_token": 1e-6},\n "talk/m2": {"input_cost_per_token": }\n}', "at line 3, column 38"), (b"[]", "not an object by model"),
    (b"{}", "no price"), (b"", "no JSON"), (None, "no such file")],
    ids=["syntax", "array", "no price", "empty", "missing"])
def test_a_file_of_prices_that_cannot_be_used(service, provider, content, words):
    server = service(aggregator(provider, prices_file="prices.json"), starts=False)
    if content is not None:
        (server.directory / "prices.json").write_bytes(content)
    ended = subprocess.run([PROGRAM, "-config", server.config, "-port", "0"], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 78 and "prices_file" in ended.stderr and "prices.json" in ended.stderr and words in ended.stderr, ended


def test_odd_entries_of_a_file_of_prices_are_told(service, provider):
    server = service(aggregator(provider, prices_file="prices.json", prices={"talk/m2": "3 in 15 out per token"}), starts=False)
    odd = {f"x{n}": lite(input_cost_per_token="soon") for n in range(500)}
    (server.directory / "prices.json").write_text(json.dumps(PRICE_LIST | {"talk/m1": lite(input_cost_per_token="1e-06", output_cost_per_token=-1e-06)} | odd, indent=1))
    checked = subprocess.run([PROGRAM, "-config", server.config, "-check"], capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0, checked
    warnings = [line for line in checked.stdout.splitlines() if line.startswith("warning: ") and "price" in line]
    assert len(warnings) == 3, checked.stdout
    for words in ["a rate is negative (talk/m1: output_cost_per_token is -1e-06)", "500 prices are left out, since a rate is not a number (x0: ", "and 497 more", "the price of talk/m2"]:
        assert words in checked.stdout
    assert all(re.search(r"\.json:\d+: ", line) for line in warnings)
    server.start()
    assert server.log.count("500 prices are left out") == 1
    # The entry is left out whole: half a price would be too low.
    assert cost(server, "talk/m1") is None
    assert server.ask("/v1/reload", {}, ADMIN).status == 200
    # A line may be written behind the answer.
    assert eventually(lambda: server.log.count("500 prices are left out"), lambda count: count == 2)


# Rows by the hundred thousand


def seed(server):
    """One request that was answered and one that was refused, in a file that nobody has open."""
    # Both are to be of one hour.
    if (second := time.time() % HOUR) > HOUR - 10:
        time.sleep(HOUR - second + 0.5)
    server.start()
    assert server.chat(CLIENT).status == 200 and server.chat(CLIENT, "talk/none").status == 404
    eventually(lambda: server.rows(VIEWER), lambda rows: len(rows) == 2)
    server.stop()


def rows_before(db, moment, count, step):
    """So many rows like the two, each `step` seconds before the one after it, the last one `step` before `moment`: with their sums."""
    columns = ", ".join(row[1] for row in db.execute("PRAGMA table_info(request)") if row[1] not in ("id", "rid"))
    db.execute("BEGIN IMMEDIATE")
    db.execute("CREATE TEMP TABLE IF NOT EXISTS sample AS SELECT attempts > 0 AS answered, * FROM request ORDER BY id DESC LIMIT 0")
    if not db.execute("SELECT count(*) FROM sample").fetchone()[0]:
        for answered in [0, 1]:
            db.execute("INSERT INTO sample SELECT attempts > 0, * FROM request WHERE (attempts > 0) = ? ORDER BY id DESC LIMIT 1", (answered,))
    named = f"{moment}-{count}"
    db.execute(f"""WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i - 1 FROM n WHERE i > 1)
        INSERT INTO request(id, rid, {columns})
        SELECT (CAST((? - i * ?) * 1000000 AS INTEGER) << 9) | 511, ? || '-' || i, {columns} FROM n JOIN sample ON answered = i % 2""", (count, moment, step, named))
    # By hours and by days: how many of each of the two.
    db.execute("DROP TABLE IF EXISTS temp.bucket")
    db.execute("""CREATE TEMP TABLE bucket AS SELECT (id >> 9) / 3600000000 AS hour, attempts > 0 AS answered, count(*) AS n FROM request WHERE rid LIKE ? || '-%'
        AND id < ? GROUP BY 1, 2""", (named, int(moment * 1e6) << 9))
    for name, bucket in [("hour", "hour"), ("day", "hour / 24")]:
        table = [row[1] for row in db.execute(f"PRAGMA table_info({name})")]
        figures = table[4:]
        # What one request of each kind has is in the sums of the latest one's hour; how many that hour has is in `requests`.
        db.execute(f"""INSERT INTO {name}({", ".join(table)})
            SELECT b.start, s.key, s.upstream, s.model, {", ".join(f"s.{figure} / s.requests * b.n" for figure in figures)}
            FROM (SELECT {bucket} AS start, answered, sum(n) AS n FROM bucket GROUP BY 1, 2) b
            JOIN (SELECT * FROM {name} WHERE {name} = (SELECT max({name}) FROM {name})) s ON (s.attempts > 0) = b.answered WHERE true
            ON CONFLICT DO UPDATE SET {", ".join(f"{figure} = {figure} + excluded.{figure}" for figure in figures)}""")
    for span in [1, 24]:
        db.execute("""INSERT INTO failure(span, start, key, level, error, upstream, status, count, last_at)
            SELECT span, b.start, key, level, error, upstream, status, b.n, b.start * span * 3600000000
            FROM (SELECT hour / ? AS start, sum(n) AS n FROM bucket WHERE NOT answered GROUP BY 1) b
            JOIN (SELECT * FROM failure WHERE span = ? AND start = (SELECT max(start) FROM failure WHERE span = ?)) s WHERE true
            ON CONFLICT DO UPDATE SET count = count + excluded.count""", (span, span, span))
    db.execute("COMMIT")


def ages(server):
    with database(server) as db:
        now = time.time()
        return [now - (id >> 9) / 1e6 for (id,) in db.execute("SELECT id FROM request ORDER BY id")]


def test_old_rows_go_and_their_sums_stay(service, provider):
    server = service(aggregator(provider, ledger_retention="1h"), starts=False)
    seed(server)
    now = time.time()
    with database(server) as db:
        rows_before(db, now - 30, 40, 60)
        rows_before(db, now - 62 * 60, 6000, 60)
        # One that was sent on: its earlier attempts have rows of their own.
        [oldest] = db.execute("SELECT id FROM request WHERE attempts > 0 ORDER BY id LIMIT 1").fetchone()
        attempt = ", ".join(row[1] for row in db.execute("PRAGMA table_info(attempt)") if row[1] != "request")
        db.execute(f"INSERT INTO attempt(request, {attempt}) SELECT ?, {attempt} FROM every_attempt LIMIT 1", (oldest,))
        days = db.execute("SELECT day, sum(requests), sum(prompt), sum(failed) FROM day GROUP BY day").fetchall()
    assert len(days) >= 5 and sum(day[1] for day in days) == 6042 and sum(day[2] for day in days) == 3 * 3021
    server.start()
    eventually(lambda: ages(server), lambda found: len(found) == 42 and max(found) < HOUR)
    assert len(server.rows(VIEWER)) == 42 and len(server.rows(VIEWER, "attempt")) == 21
    with database(server) as db:
        assert db.execute("SELECT count(*) FROM attempt").fetchone() == (0,)
        assert db.execute("SELECT day, sum(requests), sum(prompt), sum(failed) FROM day GROUP BY day").fetchall() == days
        assert db.execute("SELECT min(hour) FROM hour").fetchone()[0] >= (now - 27 * HOUR) // HOUR, "hours go a day after rows"
    assert summary(server)["requests"] == 6042 and sum(row["requests"] for row in server.rows(VIEWER, "day")) == 6042
    # Others come as ever.
    assert server.chat(CLIENT).status == 200
    eventually(lambda: len(server.rows(VIEWER)), lambda count: count == 43)
    assert figures(server)["dropped_total"] == 0


MIB = 1 << 20


def used(db):
    return (db.execute("PRAGMA page_count").fetchone()[0] - db.execute("PRAGMA freelist_count").fetchone()[0]) * db.execute("PRAGMA page_size").fetchone()[0]


def test_a_file_that_has_reached_its_bound_stays_within_it(service, provider):
    server = service(aggregator(provider, ledger_max_size="16 MiB"), starts=False)
    seed(server)
    now = time.time()
    with database(server) as db:
        rows_before(db, now - 3600, 180_000, 10)
        assert used(db) > 20 * MIB
        [largest] = db.execute("PRAGMA page_count").fetchone()
        server.start()
        # A little more goes than has to, so that it need not go on with every row.
        eventually(lambda: used(db), lambda bytes: bytes <= 16 * MIB * 63 / 64)
        assert used(db) > 14 * MIB
        # The oldest have gone: of those that are numbered back from the latest one, the first ones are there, and of the two real ones both.
        first = db.execute("SELECT count(*), min(id) FROM request").fetchone()
        oldest = db.execute("SELECT rid FROM request ORDER BY id LIMIT 1").fetchone()[0]
        assert int(oldest.rsplit("-", 1)[1]) == first[0] - 2, (oldest, first)
        eventually(lambda: server.log, lambda text: "ledger_max_size" in text)
        # More and more come, from chats and, faster than those could, from somebody else.
        sent = 0
        with Chats(server, pause=0.002) as chats:
            for number in range(12):
                rows_before(db, now - 3600 + 200 * (number + 1), 10_000, 0.019)
                sent += 10_000
                eventually(lambda: used(db), lambda bytes: bytes <= 16 * MIB)
        assert not chats.failed and len(chats.done) > 20
        settled(server)
        last = db.execute("SELECT count(*), min(id), max(rid LIKE ? || '-%') FROM request", (f"{now - 3600 + 200 * 12}",)).fetchone()
        print(f"{first[0]} rows, then {last[0]} rows, {largest * 4096 / MIB:.0f} MiB of file at first")
        assert last[1] > first[1] and last[2] == 1 and 0.7 * first[0] < last[0] < 1.3 * first[0]
        # The room of those that went is used again.
        assert db.execute("PRAGMA page_count").fetchone()[0] <= largest + 256
    assert summary(server)["requests"] == 2 + 180_000 + sent + len(chats.done)
    assert figures(server)["dropped_total"] == 0 and figures(server)["written_total"] == len(chats.done)
    assert server.log.count("has reached ledger_max_size") == 1, "once a day"
    server.stop()
    size = (server.directory / "ociai-proxy.db").stat().st_size
    assert size <= (largest + 256) * 4096, size


# The operator's address beside clients that speak TLS


def over_tls(address, directory, path, body=None, key=CLIENT):
    context = ssl.create_default_context(cafile=directory / "one.pem")
    with contextlib.closing(http.client.HTTPSConnection(address, timeout=30, context=context)) as connection:
        connection.request("GET" if body is None else "POST", path, body and json.dumps(body), {"authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        return answer.status, answer.read()


LISTENING = r"Listening (?:for the operator )?on http\S+\n(?:.*\n)*?.*Listening (?:for the operator )?on http\S+\n"


def test_the_operators_address_is_plain_beside_tls(service, provider, tmp_path):
    server = service(aggregator(provider, admin_listen="127.0.0.1:0", **certificate(tmp_path)), starts=False)
    server.running = Running([PROGRAM, "-config", server.config, "-port", "0"], server.directory / "proxy.log", LISTENING)
    [operator] = re.findall(r"http://127\.0\.0\.1:\d+", server.running.url)
    [clients] = re.findall(r"https://(127\.0\.0\.1:\d+)", server.running.url)
    chat = {"model": "talk/m1", "messages": [{"role": "user", "content": "hi"}]}
    assert over_tls(clients, tmp_path, "/v1/chat/completions", chat)[0] == 200
    rows = eventually(lambda: ask(operator, "/admin/ledger/summary", key=VIEWER).json["rows"], lambda rows: rows[0]["requests"] == 1)
    assert rows[0]["attempts"] == 1 and ask(operator, "/metrics", key=VIEWER).status == 200
    assert ask(operator, "/admin/ledger/summary", key=CLIENT).status == 403
    # What is the operator's is not at the clients' address, whoever asks, and that one does not speak without TLS.
    for path in ["/admin/ledger/summary", "/metrics"]:
        assert over_tls(clients, tmp_path, path, key=ADMIN)[0] == 404
    with contextlib.suppress(OSError, http.client.HTTPException):
        answer = ask(f"http://{clients}", "/v1/models", key=CLIENT)
        assert answer.status == 400 and b"talk" not in answer.body, answer


def test_the_operators_address_speaks_tls_where_others_may_reach_it(service, provider, tmp_path):
    server = service(aggregator(provider, admin_listen="0.0.0.0:0", **certificate(tmp_path)), starts=False)
    server.running = Running([PROGRAM, "-config", server.config, "-port", "0"], server.directory / "proxy.log", LISTENING)
    [operator] = re.findall(r"for the operator on https://0\.0\.0\.0:(\d+)", server.running.url)
    address = f"127.0.0.1:{operator}"
    assert over_tls(address, tmp_path, "/admin/keys", key=ADMIN)[0] == 200
    assert over_tls(address, tmp_path, "/metrics", key=VIEWER)[0] == 200
    assert over_tls(address, tmp_path, "/admin/keys", key=VIEWER)[0] == 403
    # Nobody is the operator there for coming from this machine alone.
    assert over_tls(address, tmp_path, "/admin/keys", key="nobody-0123456789")[0] == 401
    # And no key is taken in the clear.
    with contextlib.suppress(OSError, http.client.HTTPException):
        answer = ask(f"http://{address}", "/admin/keys", key=ADMIN)
        assert answer.status == 400, answer


# A disk that fails


def count(server):
    """Requests that the ledger knows of: with a row, and without one."""
    seen = settled(server)
    return seen["written_total"] + seen["dropped_total"]


# The writer tries again for some 20 seconds before it gives rows up.
@pytest.mark.parametrize("seconds", [6, pytest.param(34, marks=pytest.mark.skipif(
    not os.environ.get("OCIAI_SLOW"), reason="half a minute, with OCIAI_SLOW=1"))])
def test_a_file_that_is_frozen_costs_no_request(service, provider, seconds):
    """Somebody else has it locked: as long as that is, nothing can be written."""
    server = service(aggregator(provider))
    with database(server) as db, Chats(server, pause=0.005) as chats:
        time.sleep(4)
        db.execute("BEGIN EXCLUSIVE")
        start = time.monotonic()
        [before] = db.execute("SELECT count(*) FROM request").fetchone()
        time.sleep(1)
        pending, worst = 0, 0
        while time.monotonic() < start + seconds:
            seen = figures(server)
            assert seen["pending"] > pending or seen["dropped_total"], (seen, pending)
            pending, worst = seen["pending"], max(worst, seen["failing"])
            # Who reads is not in anybody's way.
            assert summary(server)["requests"] >= before > 0
            time.sleep(0.5)
        assert db.execute("SELECT count(*) FROM request").fetchone()[0] == before, "nothing was written meanwhile"
        db.execute("COMMIT")
        end = time.monotonic()
        rows = eventually(lambda: db.execute("SELECT count(*) FROM request").fetchone()[0], lambda rows: rows > before)
        time.sleep(1)
    was, meanwhile = chats.between(0, start), chats.between(start, end)
    print(f"before: {shown(was)}; frozen: {shown(meanwhile)}; {pending} waited, failing {worst}, {figures(server)}")
    assert not chats.failed, chats.failed[:3]
    bears(was, meanwhile)
    assert count(server) == len(chats.done)
    seen = figures(server)
    assert seen["failing"] == 0 and (seen["dropped_total"] == 0 if seconds < 20 else seen["dropped_total"] > 0 and worst == 1), (seen, worst)
    with database(server) as db:
        assert db.execute("SELECT count(*) FROM request").fetchone()[0] == seen["written_total"]
    # Those without a row have been charged all the same.
    assert server.spent(CLIENT)["requests"] == len(chats.done)
    server.restart()
    assert server.spent(CLIENT)["requests"] == len(chats.done)


SEIZE, INTERRUPT, DETACH, EVERY_CHILD = 0x4206, 0x4207, 17, 0x40000000
FUTEX = {"x86_64": "202", "aarch64": "98"}.get(os.uname().machine)


class Frozen:
    """The ledger's writing thread stands still, as with a disk that does not answer. To be used by one thread."""

    def __init__(self, server):
        # It gives itself its name, some time after it has begun.
        [self.task] = eventually(lambda: [path for path in Path(f"/proc/{server.running.process.pid}/task").iterdir() if (path / "comm").read_text().strip() == "ledger"])
        self.thread = int(self.task.name)
        deadline = time.monotonic() + 20
        while True:
            self.trace(SEIZE)
            self.trace(INTERRUPT)
            os.waitpid(self.thread, EVERY_CHILD)
            # Where it waits for work: in the middle of something it might have a lock that no disk would keep it from giving back.
            if (self.task / "syscall").read_text().split()[0] == FUTEX:
                return
            self.release()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def trace(self, request):
        call = ctypes.CDLL(None, use_errno=True).ptrace
        call.restype, call.argtypes = ctypes.c_long, [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        if call(request, self.thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def release(self):
        self.trace(DETACH)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    def has_ended(self):
        return os.waitpid(self.thread, EVERY_CHILD | os.WNOHANG)[0] == self.thread


stops_threads = pytest.mark.skipif(os.geteuid() != 0 or not FUTEX, reason="no other than root may stop one of its threads")


@stops_threads
def test_a_writer_that_stands_still_costs_no_request(service, provider):
    server = service(aggregator(provider))
    with Chats(server, pause=0.005) as chats:
        time.sleep(3)
        with Frozen(server):
            start = time.monotonic()
            time.sleep(0.3)
            first = figures(server)
            time.sleep(6)
            last = figures(server)
            assert first["written_total"] == last["written_total"] > 0 and last["pending"] > first["pending"] + 100, (first, last)
            # What is asked of the ledger is answered, without what waits.
            assert summary(server)["requests"] == first["written_total"]
            end = time.monotonic()
        eventually(lambda: figures(server)["written_total"], lambda written: written > last["written_total"] + last["pending"])
    was, meanwhile = chats.between(0, start), chats.between(start, end)
    print(f"before: {shown(was)}; frozen: {shown(meanwhile)}; {last}")
    assert not chats.failed, chats.failed[:3]
    bears(was, meanwhile)
    assert count(server) == len(chats.done) == len(server.rows(VIEWER)) and figures(server)["dropped_total"] == 0


@stops_threads
def test_a_writer_that_stands_still_is_shown(service, provider):
    server = service(aggregator(provider))
    with Chats(server, clients=1, pause=0.02):
        with Frozen(server):
            time.sleep(12)
            seen, said = figures(server), server.log
        eventually(lambda: server.log, lambda text: "The ledger is written again" in text)
    assert seen["pending"] > 50
    assert seen["failing"] == 1 and re.search(r"\[(ERROR|WARNING)\].*ledger", said), seen
    assert server.log.count("The ledger cannot be written (the ledger's file has not answered for ") == 1, "once a standstill"
    settled(server)
    assert figures(server)["failing"] == 0


@stops_threads
def test_a_deletion_that_the_disk_does_not_take_is_told_to_who_wants_it(service, provider):
    server = service(aggregator(provider))
    kept = server.ask("/v1/responses", {"model": "talk/m1", "input": "x"}, CLIENT).json["id"]
    time.sleep(0.6)
    with Frozen(server):
        began = time.monotonic()
        refused = server.ask(f"/v1/responses/{kept}", method="DELETE", key=CLIENT)
        took = time.monotonic() - began
        assert refused.status == 503 and refused.code == "ledger_unavailable" and "after a restart" in refused.json["error"]["message"], refused
        assert str(server.directory) not in refused.body.decode()
        assert 8 < took < 20
        # For whoever asks it is gone.
        assert server.ask(f"/v1/responses/{kept}", key=CLIENT).status == 404
        assert server.ask(f"/v1/responses/{kept}", method="DELETE", key=OTHER).status == 404
    again = server.ask(f"/v1/responses/{kept}", method="DELETE", key=CLIENT)
    server.kill()
    assert again.status == 200 and again.json["deleted"] is True, again
    server.start()
    assert server.ask(f"/v1/responses/{kept}", key=CLIENT).status == 404


@stops_threads
def test_a_writer_that_stands_still_does_not_keep_the_process(service, provider):
    server = service(aggregator(provider))
    assert server.chat(CLIENT).status == 200
    eventually(lambda: server.rows(VIEWER))
    frozen = Frozen(server)
    for _ in range(5):
        assert server.chat(CLIENT).status == 200
    began = time.monotonic()
    server.running.process.send_signal(signal.SIGTERM)
    # It is reported to whoever stopped it before the process is to its parent.
    eventually(frozen.has_ended, within=40)
    log = server.running.log
    server.stop()
    took = time.monotonic() - began
    print(f"ended in {took:.1f} s")
    assert took < 20
    assert re.search(r"\[ERROR\].*The ledger was closed before all was written \(its file has not answered within 5 s\): 5 requests have no row", log.read_text())
    server.start()
    assert server.chat(CLIENT).status == 200
    assert len(eventually(lambda: server.rows(VIEWER), lambda rows: len(rows) >= 2)) == 2


SPACE = ["unshare", "-rm", "--propagation", "private"]


class Disk:
    """How the process may run out of room, and what ends that."""

    def __init__(self, harm, server):
        self.harm, self.server = harm, server
        self.state = server.directory / "state"
        self.state.mkdir()

    def start(self):
        before = [*SPACE, "sh", "-c", f'mount -t tmpfs -o size=4m none "{self.state}" && exec "$@"', "sh"] if self.harm == "no room" else []
        self.server.running = Running([*before, PROGRAM, "-config", self.server.config, "-port", "0"], self.server.directory / "proxy-1.log", ADDRESS)
        self.server.url = self.server.running.url

    @property
    def place(self):
        """The directory as the process sees it."""
        return Path(f"/proc/{self.server.running.process.pid}/root{self.state}") if self.harm == "no room" else self.state

    def fill(self):
        if self.harm == "no room":
            with contextlib.suppress(OSError), open(self.place / "ballast", "wb", buffering=0) as ballast:
                while ballast.write(b"x" * 4096):
                    pass
            return
        # The log of changes cannot become larger than it is.
        self.limit(max((self.place / "ociai-proxy.db-wal").stat().st_size, 1))

    def empty(self):
        if self.harm == "no room":
            (self.place / "ballast").unlink()
        else:
            self.limit(resource.RLIM_INFINITY)

    def limit(self, bytes):
        _, hard = resource.prlimit(self.server.running.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.server.running.process.pid, resource.RLIMIT_FSIZE, (bytes, hard))


sees_others = pytest.mark.skipif(os.geteuid() != 0 or subprocess.run([*SPACE, "true"], capture_output=True).returncode != 0,
                                 reason="needs a file system of its own, which the test can look into")


@pytest.mark.parametrize("harm", [pytest.param("no room", marks=sees_others), "file limit"])
def test_a_full_disk_costs_no_request(service, provider, tmp_path, harm):
    server = service(aggregator(provider, state_dir=str(tmp_path / "s0" / "state"), keys={"bob": {"budget_hard": "700 tokens per day"}}), starts=False)
    disk = Disk(harm, server)
    disk.start()
    others = 0
    with Chats(server, pause=0.02) as chats:
        time.sleep(3)
        for _ in range(20):
            assert server.chat(OTHER, max_tokens=4).status == 200
            others += 1
        disk.fill()
        start = time.monotonic()
        eventually(lambda: figures(server), lambda seen: seen["failing"] == 1 and seen["dropped_total"] > 0)
        # A budget holds without its rows.
        while (answer := server.chat(OTHER, max_tokens=4)).status == 200:
            others += 1
            assert others <= 101
        assert answer.code == "budget_exceeded" and 95 <= others and server.spent(OTHER)["tokens"] == 7 * others
        time.sleep(3)
        full = figures(server)
        end = time.monotonic()
        disk.empty()
        after = eventually(lambda: figures(server), lambda seen: seen["failing"] == 0)
        eventually(lambda: figures(server)["written_total"], lambda written: written > after["written_total"] + 50)
    was, meanwhile = chats.between(0, start), chats.between(start, end)
    print(f"before: {shown(was)}; full: {shown(meanwhile)}; while full {full}, at last {settled(server)}")
    assert not chats.failed, chats.failed[:3]
    bears(was, meanwhile)
    assert full["failing"] == 1
    # The refusals are requests too.
    assert count(server) == len(chats.done) + others + 1
    dropped = figures(server)["dropped_total"]
    assert 0 < dropped < len(chats.done) and figures(server)["written_total"] + dropped == len(chats.done) + others + 1
    assert len(server.rows(VIEWER)) == figures(server)["written_total"]
    assert server.spent(CLIENT)["requests"] == len(chats.done) and server.chat(OTHER, max_tokens=4).code == "budget_exceeded"
    assert re.search(r"\[ERROR\].*The ledger cannot be written", server.log) or harm == "file limit", server.log[-2000:]
    assert "The ledger is written again" in server.log
    # What was charged without a row is in the file.
    if harm == "file limit":
        server.restart()
        assert server.spent(CLIENT)["requests"] == len(chats.done) and server.spent(OTHER)["tokens"] == 7 * others and len(server.rows(VIEWER)) > 0
    else:
        settled(server)
        for path in disk.place.glob("ociai-proxy.db*"):
            shutil.copy(path, server.directory)
        with database(server) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("SELECT sum(requests) FROM counter WHERE window = 'total'").fetchone()[0] == len(chats.done) + others + 2


# A million rows

# In a process of its own, so that it does not hold up the clients of this one.
READER = """
import http.client, json, sys, time
url, key, path, pause = sys.argv[1:]
connection = http.client.HTTPConnection(url, timeout=60)
began = time.monotonic()
connection.request("GET", path, headers={"authorization": "Bearer " + key})
answer = connection.getresponse()
lines = size = 0
first = None
last = b""
while piece := answer.read1(1 << 18):
    first = first or time.monotonic() - began
    lines += piece.count(b"\\n")
    size += len(piece)
    last = piece
    if float(pause):
        time.sleep(float(pause))
        break
print(json.dumps({"status": answer.status, "length": answer.getheader("content-length"), "lines": lines, "bytes": size, "first": first, "took": time.monotonic() - began,
                  "ends": last.endswith(b"\\n")}))
"""


def memory(server):
    """Bytes."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server.running.process.pid}/status").read_text())[1]) << 10


def highest(server, work):
    """What the work gives, and how many bytes the process came to have meanwhile beyond those it had."""
    before, seen, over = memory(server), [], threading.Event()

    def look():
        while not over.wait(0.01):
            seen.append(memory(server))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        result = work()
    finally:
        over.set()
        looking.join()
    assert len(seen) > 50
    return result, max(seen) - before


def read(server, pause=0, **query):
    path = "/admin/ledger/export?" + urllib.parse.urlencode(query)
    done = subprocess.run([sys.executable, "-c", READER, urllib.parse.urlsplit(server.url).netloc, VIEWER, path, str(pause)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


MILLION = 1_000_000


def test_a_million_rows_are_no_burden(service, provider, tmp_path):
    server = service(aggregator(provider, local_access=True), starts=False)
    seed(server)
    now = int(time.time())
    moment = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    time.sleep(1)
    to = moment(now + 1)
    began = time.monotonic()
    with database(server) as db:
        db.execute("PRAGMA synchronous = OFF")
        rows_before(db, now - 60, MILLION, 2)
        size = (db.execute("PRAGMA page_count").fetchone()[0] * 4096) >> 20
    made = time.monotonic()
    server.start()
    print(f"made in {made - began:.1f} s, {size} MiB, started in {time.monotonic() - made:.2f} s")
    assert time.monotonic() - made < 15

    # Each table, at whole days, at any moments, and for one key.
    since = now - 20 * 86_400 - 1234
    for query in [{}, {"from": moment(since), "to": to}, {"key": "alice"}, {"from": moment(since), "to": moment(now - 5 * HOUR - 7), "key": "alice"}]:
        times = {}
        for subject in ["summary", "days", "keys", "models", "accounts", "failures"]:
            asked = time.monotonic()
            rows = server.table(VIEWER, subject, **query)
            times[subject] = time.monotonic() - asked
            assert rows and times[subject] < 2, (subject, query, times)
        print(query, {subject: f"{took * 1000:.0f} ms" for subject, took in times.items()})
    # (What is asked without `from` is of the last 30 days.)
    assert summary(server)["requests"] == MILLION + 2 and summary(server)["prompt_tokens"] == 3 * (MILLION // 2 + 1)
    assert {row["error"]: row["count"] for row in server.table(VIEWER, "failures")} == {"model_not_found": MILLION // 2 + 1}
    assert abs(summary(server, **{"from": moment(since), "to": to})["requests"] - (now - 60 - since) // 2 - 2) <= 1

    with Chats(server, clients=2, pause=0.005) as chats:
        time.sleep(2)
        start = time.monotonic()
        whole, grown = highest(server, lambda: read(server, level="request", format="jsonl", to=to))
        end = time.monotonic()
        print(f"export: {whole}, {grown / MIB:.1f} MiB more")
        place = tmp_path / "rows.csv"
        # A quarter of them, for the sake of time.
        command = [PROGRAM, "ledger", "export", "-format", "csv", "-from", moment(now - 60 - MILLION // 2), "-to", to,
                   "-output", place, "-config", server.config, "-port", server.url.rsplit(":", 1)[1]]
        by_command, more = highest(server, lambda: subprocess.run(command, capture_output=True, text=True, timeout=120))
        commanded = time.monotonic()
        print(f"command: {commanded - end:.1f} s, {place.exists() and place.stat().st_size >> 20} MiB of file, {more / MIB:.1f} MiB more")
        # Who takes a piece and no more has the rest made when he wants it.
        left, still = highest(server, lambda: read(server, pause=3, level="attempt", format="csv", to=to))
        print(f"left: {left}, {still / MIB:.1f} MiB more")
    was, meanwhile = chats.between(0, start), chats.between(start, commanded)
    print(f"before: {shown(was)}; meanwhile: {shown(meanwhile)}")
    assert whole["status"] == 200 and whole["length"] is None and whole["lines"] == MILLION + 2 and whole["ends"], whole
    assert whole["first"] < 1 and whole["first"] < whole["took"] / 4, whole
    assert by_command.returncode == 0, by_command
    with open(place, "rb") as file:
        # With the names of the columns and the two real ones.
        assert sum(1 for _ in file) == MILLION // 4 + 3
    assert 0 < left["bytes"] < 10 * MIB
    assert max(grown, more, still) < 40 * MIB, (grown, more, still)
    assert not chats.failed, chats.failed[:3]
    bears(was, meanwhile)
    # Rows went on being written, none was lost.
    assert count(server) == len(chats.done) and figures(server)["dropped_total"] == 0
