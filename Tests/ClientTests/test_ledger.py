"""The ledger over the real binary: what it has is what upstreams saw and clients were told, over failures, kills and damage."""
import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from conftest import ADDRESS, BIN
from fake_provider import Broken
from service import ADMIN, CLIENT, OTHER, VIEWER, Service, accounts, aggregator, ask, eventually, provider

MARKER = "marker-of-a-prompt-8f3a"
ANSWERED = "marker-of-an-answer-77c1"


@pytest.fixture
def service(tmp_path):
    """A proxy over a configuration, as often as wanted."""
    made = []

    def start(text, name="config.json", starts=True):
        one = Service(tmp_path / f"s{len(made)}", text, name)
        made.append(one)
        return one.start() if starts else one

    yield start
    for one in made:
        one.stop()


def refused_start(service, **environment):
    """A start that is to fail: its exit code and what it says last."""
    ended = subprocess.run([BIN / "ociai-proxy", "-config", service.config, "-port", "0"], capture_output=True, text=True, timeout=30,
                           env={**os.environ, **environment})
    return ended.returncode, ended.stderr.strip().splitlines()[-1], ended.stderr


# What upstreams saw


class Traffic:
    """Requests of all kinds at once, each with an id of its own, and what became of each."""

    def __init__(self, service):
        self.service = service
        self.status, self.usage = {}, {}

    def whole(self, number, model="llama-3.3-70b", path="/v1/chat/completions", key=CLIENT, **more):
        if not isinstance(more.get("body"), bytes):
            more["body"] = {"model": model, "messages": [{"role": "user", "content": f"{MARKER} number {number}"}], **more.get("body", {})}
        answer = self.service.ask(path, more["body"], key, x_request_id=str(number))
        assert answer.headers["x-request-id"] == str(number)
        self.status[str(number)] = answer.status
        if answer.status == 200:
            self.usage[str(number)] = answer.json.get("usage")

    def stream(self, number, model="llama-3.3-70b", leaves=False):
        """Read to its end, whatever that is, or left behind its beginning."""
        body = {"model": model, "stream": True, "stream_options": {"include_usage": True}, "messages": [{"role": "user", "content": f"{MARKER} " * (400 if leaves else 20)}]}
        request = urllib.request.Request(f"{self.service.url}/v1/chat/completions", json.dumps(body).encode(),
                                         {"authorization": f"Bearer {CLIENT}", "content-type": "application/json", "x-request-id": str(number)})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.status[str(number)] = 499 if leaves else 200
                lines = 0
                for line in answer:
                    lines += line.startswith(b"data:")
                    if leaves and lines >= 3:
                        return
                    if line.startswith(b"data: {"):
                        event = json.loads(line[6:])
                        if event.get("usage"):
                            self.usage[str(number)] = event["usage"]
        except urllib.error.HTTPError as error:
            self.status[str(number)] = error.code
            error.close()

    def embeds(self, number):
        self.whole(number, path="/v1/embeddings", body={"model": "cohere.embed-v4.0", "input": [f"{MARKER} {number}", "second"]})


# A connection that ends as soon as a request comes is taken for one that was closing anyway, and the request goes out once more: that is no attempt. Later it is one.
FAULTS = [
    {"action": "status", "status": 500, "account": "account_1", "times": 3}, {"action": "status", "status": 429, "retryAfter": 1, "account": "account_2", "times": 2},
    {"action": "empty", "account": "account_1", "after": 6, "times": 1}, {"action": "cut", "events": 5, "account": "account_1", "after": 7, "times": 4},
    {"action": "resetMidway", "events": 5, "account": "account_3", "after": 6, "times": 4}, {"action": "errorEvent", "events": 3, "account": "account_1", "after": 14, "times": 1},
    {"action": "status", "status": 503, "account": "account_3", "after": 3, "times": 2},
]
OPENED = {"succeeded": "requests_succeeded", "abandoned": "cancelled_total", "rate_limited": "rate_limited_total"}


@pytest.fixture
def mixed(oci, service):
    """The proxy over three accounts with mixed traffic behind it."""
    simulator, config = oci
    ask(simulator.url, "/__control/reset", {})
    text = accounts(config, "default_max_tokens = 3000\n") + "\n[PRICES]\nllama-3.3-70b = 3 in 15 out per 1M tokens\ncohere.embed-v4.0 = 0.1 in 0 out per 1M tokens\n"
    started = service(text, "multi_config.conf")
    started.traffic, started.simulator = traffic(started, simulator.url), simulator.url
    yield started
    ask(simulator.url, "/__control/reset", {})
    ask(simulator.url, "/__control/pacing", {"intervalMs": 0, "text": None})


def traffic(service, simulator):
    made = Traffic(service)
    ask(simulator, "/__control/pacing", {"intervalMs": 3})
    answer = ask(simulator, "/__control/faults", [{**fault, "kind": "chat"} for fault in FAULTS] + [{"action": "status", "status": 500, "kind": "embed", "times": 1}])
    assert answer.status == 200, answer
    jobs = [(made.stream, 100 + n, {"leaves": n % 4 == 3}) for n in range(24)] + [(made.whole, 200 + n, {}) for n in range(24)] + [(made.embeds, 300 + n, {}) for n in range(6)]
    jobs += [(made.whole, 400 + n, {"model": "nothing-of-that-name"}) for n in range(3)] + [(made.whole, 500 + n, {"body": {"temperature": "hot"}}) for n in range(3)]
    jobs += [(made.whole, 600, {"body": b"{"}), (made.whole, 601, {"key": OTHER}), (made.whole, 602, {"key": "sk-of-nobody-0123456789"})]
    random.Random(7).shuffle(jobs)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(job, number, **more) for job, number, more in jobs]:
            future.result()
    # Once more, with accounts that are well: streams that are cut and go on elsewhere.
    ask(simulator, "/__control/faults", method="DELETE")
    assert service.ask("/admin/circuit-breaker/reset", {}, ADMIN).status == 200
    ask(simulator, "/__control/faults", [{"action": "cut", "events": 5, "kind": "chat", "after": after} for after in [0, 2]])
    for number in range(700, 704):
        made.stream(number)
        jobs.append(number)
    # What an upstream fails at the end of is over when all that run are.
    eventually(lambda: sum(account["in_flight"] for account in service.ask("/stats/accounts", key=VIEWER).json["accounts"]), lambda count: count == 0)
    eventually(lambda: service.rows(VIEWER), lambda rows: len(rows) == len(jobs) - 1)
    return made


def calls(simulator):
    page = ask(simulator, "/__control/requests").json["requests"]
    assert len(page) < 1000
    return [record for record in page if record.get("kind") in ("chat", "embed")]


def test_attempts_are_what_the_accounts_saw(mixed):
    attempts, records = mixed.rows(VIEWER, "attempt"), calls(mixed.simulator)
    seen = collections.Counter((record["account"], record.get("status")) for record in records)
    written = collections.Counter((attempt["upstream"], attempt["status"]) for attempt in attempts)
    # Only what was given up before it was answered may be told in two ways, as its client left while it was on its way.
    given_up = collections.Counter((attempt["upstream"], None) for attempt in attempts if attempt["status"] is None and attempt["outcome"] == "abandoned")
    assert written - seen <= given_up and (seen - written).total() <= given_up.total(), (written, seen)
    outcomes = collections.Counter((attempt["upstream"], attempt["outcome"]) for attempt in attempts)
    # Faults have left their traces.
    assert outcomes["account_2", "rate_limited"] >= 1 and sum(count for (_, outcome), count in outcomes.items() if outcome == "abandoned") >= 2, outcomes
    # The process's own counters agree, account by account and outcome by outcome.
    for account in mixed.ask("/stats/accounts", key=VIEWER).json["accounts"]:
        own = {outcome: count for (name, outcome), count in outcomes.items() if name == account["id"]}
        assert sum(own.values()) == account["requests_total"]
        assert {name: own.get(outcome, 0) for outcome, name in OPENED.items()} == {name: account[name] for name in OPENED.values()}
        assert account["requests_failed"] == sum(own.values()) - own.get("succeeded", 0) - own.get("abandoned", 0)
    by_request = collections.Counter(attempt["request_id"] for attempt in attempts)
    for row in mixed.rows(VIEWER):
        assert row["attempts"] == by_request[row["id"]]
    for attempt in attempts:
        assert attempt["region"] == "us-chicago-1" and attempt["outcome"] and (attempt["opc_request_id"] is None) == (attempt["status"] is None)
        # What is not known is null, and never 0.
        assert (attempt["truth"] == "unknown") == (attempt["prompt_tokens"] is None) == (attempt["completion_tokens"] is None), attempt
    numbers = collections.defaultdict(list)
    for attempt in attempts:
        numbers[attempt["request_id"]].append(attempt["n"])
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_rows_are_what_clients_were_told(mixed):
    made, rows = mixed.traffic, {row["id"]: row for row in mixed.rows(VIEWER)}
    attempts = collections.defaultdict(list)
    for attempt in mixed.rows(VIEWER, "attempt"):
        attempts[attempt["request_id"]].append(attempt)
    # One with a wrong key has no row; all others have.
    assert made.status.pop("602") == 401 and set(rows) == set(made.status)
    # Who leaves late, on a machine that is busy, has been told all of it.
    assert all(row["status"] in {made.status[number], 200 if made.status[number] == 499 else None} for number, row in rows.items()), (rows, made.status)
    exact = 0
    for number, row in rows.items():
        assert row["key"] == ("other" if number == "601" else "default") and row["stream"] == number.startswith(("1", "7")), row
        assert row["dialect"] == ("embeddings" if number.startswith("3") else "chat") and row["endpoint"] == ("/v1/embeddings" if number.startswith("3") else "/v1/chat/completions")
        assert row["total_ms"] >= (row["first_token_ms"] or 0) >= 0
        if made.status[number] == 200:
            if row["error"]:
                # A stream that nobody could go on with.
                assert row["stream"] and row["upstream"] is None and number not in made.usage, row
            else:
                assert row["upstream"].startswith("account_") and row["served_model"] in ("meta.llama-3.3-70b-instruct", "cohere.embed-v4.0")
        took = [attempt for attempt in attempts[number] if attempt["status"] == 200]
        told = made.usage.get(number)
        if told and len(took) == 1:
            exact += 1
            assert row["truth"] == "reported" and row["prompt_tokens"] == told["prompt_tokens"] and (row["completion_tokens"] or 0) == told.get("completion_tokens", 0), row
            assert row["cost_nano_usd"] == (100 * told["prompt_tokens"] if number.startswith("3") else 3000 * told["prompt_tokens"] + 15000 * told["completion_tokens"])
        if row["rescued"]:
            assert row["rescued"] in {attempt["upstream"] for attempt in took} and len(took) > 1
    assert exact >= 25 and sum(row["rescued"] is not None for row in rows.values()) >= 2
    for number, code in [("400", "model_not_found"), ("500", "invalid_type"), ("600", "invalid_json")]:
        row = rows[number]
        assert row["attempts"] == 0 and row["error"] == code and row["upstream"] is None and row["prompt_tokens"] is None and row["cost_nano_usd"] is None, row
    left = [row for row in rows.values() if row["status"] == 499]
    assert left and all(row["attempts"] >= 1 and row["truth"] == "estimated" for row in left)
    # And the key has been charged with just that.
    charged = sum((row["prompt_tokens"] or 0) + (row["completion_tokens"] or 0) for row in rows.values() if row["key"] == "default")
    cost = sum(row["cost_nano_usd"] or 0 for row in rows.values() if row["key"] == "default")
    spent = mixed.spent(CLIENT)
    assert spent["tokens"] == charged and spent["cost_nano_usd"] == cost


TOKENS = ["prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"]


def summed(rows, name):
    return sum(int(row[name] or 0) for row in rows)


def test_a_stream_that_breaks_off_is_a_failure(service, provider):
    """Its status has been told by then; its error has not."""
    provider.answer = lambda body: (200, {"content-type": "text/event-stream"}, Broken(
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m1","choices":[{"index":0,"delta":{"role":"assistant","content":"yes"},"finish_reason":null}]}\n\n', "fin"))
    server = service(aggregator(provider, rescue="off"))
    assert b'"error"' in server.chat(CLIENT, stream=True).body
    [row] = eventually(lambda: server.rows(VIEWER))
    assert row["status"] == 200 and row["error"] == "upstream_connection_lost" and row["truth"] == "estimated" and row["attempts"] == 1, row
    assert server.table(VIEWER, "summary")[0]["failed"] == 1
    assert ["request", "upstream_connection_lost"] in [[row["level"], row["error"]] for row in server.table(VIEWER, "failures")]


def test_exports_and_tables_agree(mixed):
    for level in ["request", "attempt", "day"]:
        rows, lines = mixed.rows(VIEWER, level), mixed.csv_rows(VIEWER, level)
        assert [{name: "" if value is None else str(value).lower() if isinstance(value, bool) else str(value) for name, value in row.items()} for row in rows] == lines \
            or [[as_text(value) for value in row.values()] for row in rows] == [list(line.values()) for line in lines], level
        assert list(rows[0]) == list(lines[0])
    requests, attempts, days = (mixed.rows(VIEWER, level) for level in ["request", "attempt", "day"])
    assert list(requests[0]) == """id at key dialect endpoint model served_model upstream status error stream wait_ms first_token_ms total_ms attempts prompt_tokens completion_tokens
        cached_tokens reasoning_tokens truth cost_nano_usd rescued fallback""".split()
    assert list(attempts[0]) == """request_id n at upstream model region outcome status opc_request_id first_token_ms total_ms prompt_tokens completion_tokens cached_tokens
        reasoning_tokens characters_in characters_out truth cost_nano_usd""".split()
    assert [row["at"] for row in requests] == sorted(row["at"] for row in requests)
    figures = {"requests": len(requests), "attempts": len(attempts), "failed": sum((row["status"] >= 400 or row["error"] is not None) and row["status"] != 499 for row in requests),
               "cancelled": sum(row["status"] == 499 for row in requests), "rescued": sum(row["rescued"] is not None for row in requests),
               "cost_nano_usd": summed(attempts, "cost_nano_usd"), **{name: summed(attempts, name) for name in TOKENS}}
    assert figures["cost_nano_usd"] == summed(requests, "cost_nano_usd")
    assert {name: summed(requests, name) for name in TOKENS} == {name: figures[name] for name in TOKENS}
    assert {name: summed(days, name) for name in figures} == figures
    for subject in ["summary", "days", "keys", "models", "accounts"]:
        table = mixed.table(VIEWER, subject)
        assert {name: summed(table, name) for name in figures} == figures, subject
    by_key = {row["key"]: row["requests"] for row in mixed.table(VIEWER, "keys")}
    assert by_key == {"default": len(requests) - 1, "other": 1}
    by_account = {row["upstream"]: row["attempts"] for row in mixed.table(VIEWER, "accounts") if row["upstream"]}
    assert by_account == collections.Counter(attempt["upstream"] for attempt in attempts)
    failures = mixed.table(VIEWER, "failures")
    assert sum(row["count"] for row in failures if row["level"] == "request") == figures["failed"] + figures["cancelled"]
    outcomes = collections.Counter((row["upstream"], row["outcome"]) for row in attempts if row["outcome"] != "succeeded")
    assert {(row["upstream"], row["error"]): 0 for row in failures if row["level"] == "attempt" and row["error"] != "succeeded"}.keys() <= outcomes.keys()
    assert mixed.table(VIEWER, "summary", key="other")[0]["requests"] == 1 and mixed.table(VIEWER, "keys", key="other")[0]["key"] == "other"
    assert summed(mixed.table(VIEWER, "summary", key="nobody"), "requests") == 0


def as_text(value):
    """As CSV writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)


def test_from_and_to(mixed):
    requests = mixed.rows(VIEWER)
    later = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds)) for seconds in [60, 120]]
    moments = sorted(row["at"] for row in requests)
    assert mixed.rows(VIEWER, **{"from": later[0], "to": later[1]}) == [] and mixed.rows(VIEWER, **{"to": "2020-01-01"}) == []
    assert mixed.export(VIEWER, "csv", "request", to="2020-01-01").decode().strip().split(",")[0] == "id"
    for query in [{"from": "2020-01-01", "to": "2100-01-01"}, {"from": "2020-01-01T00:00:00Z"}, {}]:
        assert len(mixed.rows(VIEWER, **query)) == len(requests)
    # Every request lies in just one of two ranges that meet.
    middle = moments[len(moments) // 2][:19] + "Z"
    before, after = mixed.rows(VIEWER, to=middle), mixed.rows(VIEWER, **{"from": middle})
    assert [row["id"] for row in before + after] == [row["id"] for row in requests]
    assert all(row["at"] < middle[:19] for row in before) and all(row["at"] >= middle[:19] for row in after)
    both = [mixed.table(VIEWER, "summary", **query)[0]["requests"] for query in [{"to": middle}, {"from": middle}]]
    assert both == [len(before), len(after)]
    attempts = [mixed.rows(VIEWER, "attempt", **query) for query in [{"to": middle}, {"from": middle}]]
    assert sum(map(len, attempts)) == len(mixed.rows(VIEWER, "attempt"))
    today = requests[0]["at"][:10]
    assert {row["day"] for row in mixed.rows(VIEWER, "day")} <= {today, requests[-1]["at"][:10]}
    for query in ["from=soon", "to=2026-13-01", "level=week", "format=xml", "since=1", "from=2026-01-02&to=2026-01-01", "from="]:
        answer = mixed.ask(f"/admin/ledger/export?{query}", key=VIEWER)
        assert answer.status == 400 and answer.json["error"]["param"], (query, answer)
    assert mixed.ask("/admin/ledger/nothing", key=VIEWER).status == 404 and mixed.ask("/admin/ledger/days?key=", key=VIEWER).status == 400


@pytest.mark.parametrize("moment", ["2026-02-30", "2026-04-31T00:00:00Z", "2025-02-29"])
def test_a_day_that_there_is_not(service, provider, moment):
    answer = service(aggregator(provider)).ask(f"/admin/ledger/summary?from={moment}", key=VIEWER)
    assert answer.status == 400 and answer.json["error"]["param"] == "from", answer


def test_an_export_goes_on_while_rows_come(service, provider):
    """More rows than one step has, and each of them once."""
    server = service(aggregator(provider))
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=30)

    def refused(count):
        for _ in range(count):
            connection.request("POST", "/v1/chat/completions", b'{"model":"talk/none","messages":[]}', {"authorization": f"Bearer {CLIENT}"})
            assert connection.getresponse().read()

    refused(2100)
    eventually(lambda: server.table(VIEWER, "summary")[0]["requests"], lambda count: count == 2100)
    # Like ones share rows: sixty a minute are written, and all are counted.
    rows = server.rows(VIEWER)
    assert 60 <= len(rows) == len({row["id"] for row in rows}) <= 240 and server.rows(VIEWER, "attempt") == []
    connection.close()


def test_what_is_refused_behind_its_key_has_a_row(service, provider):
    server = service(aggregator(provider, max_request_size="64 KiB", keys={
        "alice": {"rpm": 60, "models": "m1"}, "bob": {"rpm": 1}, "eye": {"budget_hard": "1 token per day"}}))
    body = {"model": "talk/m1", "messages": [{"role": "user", "content": "hi"}]}
    wanted = []

    def refused(status, code, number, key, body, path="/v1/chat/completions"):
        answer = server.ask(path, body, key, x_request_id=f"r{number}")
        assert answer.status == status, answer
        wanted.append((f"r{number}", status, code))

    refused(403, "model_not_allowed", 1, CLIENT, {**body, "model": "talk/m2"})
    refused(404, "model_not_found", 2, CLIENT, {**body, "model": "talk/nothing-like-m1"})
    refused(400, "invalid_type", 3, CLIENT, {**body, "model": 7})
    refused(400, "invalid_json", 5, CLIENT, b"{", "/v1/messages")
    refused(200, None, 6, OTHER, body)
    refused(429, "rate_limit_exceeded", 7, OTHER, body)
    assert server.chat(VIEWER).status == 200
    eventually(lambda: server.spent(VIEWER)["tokens"])
    refused(429, "budget_exceeded", 8, VIEWER, body)
    # Those of nobody, and those for no model, have none.
    assert server.ask("/v1/chat/completions", body, "sk-of-nobody-0123456789").status == 401 and server.ask("/v1/chat/completions", body).status == 401
    assert server.ask("/v1/models", key=CLIENT).status == 200 and server.ask("/v1/reload", {}, CLIENT).status == 403
    rows = eventually(lambda: server.rows(VIEWER), lambda rows: len(rows) >= len(wanted) + 1)
    found = {row["id"]: row for row in rows}
    assert len(rows) == len(wanted) + 1
    assert [(number, found[number]["status"], found[number]["error"]) for number, _, _ in wanted] == wanted
    assert all(found[number]["attempts"] == (status == 200) for number, status, _ in wanted)
    assert found["r1"]["model"] == "talk/m2" and found["r2"]["model"] == "talk/nothing-like-m1" and found["r5"]["dialect"] == "messages"


def test_what_is_too_large_has_a_row(service, provider):
    server = service(aggregator(provider, max_request_size="64 KiB"))
    assert server.ask("/v1/chat/completions", b"x" * 70_000, CLIENT).code == "request_too_large"
    [row] = eventually(lambda: server.rows(VIEWER), within=5)
    assert row["status"] == 413 and row["error"] == "request_too_large" and row["key"] == "alice" and row["attempts"] == 0


def test_nothing_that_was_said_is_written(service, provider):
    """No prompt, no answer and no key: not in the database, not in what is not yet in it."""
    usual = provider.reply

    def reply(body):
        if MARKER + "-refused" in json.dumps(body):
            return 400, {}, json.dumps({"error": {"message": f"I do not like {MARKER}", "type": "invalid_request_error", "param": MARKER, "code": "odd"}}).encode()
        status, headers, content = usual(body)
        return status, headers, content.replace(b'"yes"', f'"{ANSWERED}"'.encode())

    provider.answer = reply
    server = service(aggregator(provider))
    made = server.ask("/admin/keys", {"name": "m"}, ADMIN).json["key"]
    made = [made, server.ask("/admin/keys/m/rotate", {}, ADMIN).json["key"]]
    for key in [CLIENT, *made]:
        for path, more in [("chat/completions", {"messages": [{"role": "user", "content": MARKER}]}), ("responses", {"input": MARKER, "store": False}),
                           ("completions", {"prompt": MARKER}), ("messages", {"max_tokens": 9, "messages": [{"role": "user", "content": MARKER}]}),
                           ("chat/completions", {"messages": [{"role": "user", "content": MARKER + "-refused"}]})]:
            for streams in [False, True]:
                answer = server.ask(f"/v1/{path}", {"model": "talk/m1", "stream": streams, "user": MARKER, "metadata": {"a": MARKER}, **more}, key)
                assert answer.status == (400 if "refused" in str(more) else 200), answer
                assert ANSWERED.encode() in answer.body or answer.status == 400
    assert server.ask(f"/v1/chat/completions?prompt={MARKER}", {"model": 7, "messages": [MARKER]}, CLIENT).status == 400
    assert server.ask("/v1/chat/completions", {"messages": []}, "sk-wrong-" + MARKER).status == 401
    eventually(lambda: server.rows(VIEWER), lambda rows: len(rows) == 31)
    secrets = [MARKER, ANSWERED, CLIENT, OTHER, VIEWER, ADMIN, "sk-upstream-0123456789", *made]
    for _ in range(2):
        content = server.database()
        assert b"talk" in content and [secret for secret in secrets if secret.encode() in content] == []
        for level in ["request", "attempt", "day"]:
            assert [secret for secret in secrets if secret.encode() in server.export(VIEWER, "csv", level)] == []
        server.restart()


def test_a_formula_is_none_in_csv(service, provider):
    server = service(aggregator(provider))
    for model in ["=HYPERLINK(\"http://x\")", "+1", "a,b", 'a"b', "línea", "a\nb"]:
        assert server.chat(CLIENT, model).status == 404
    rows = eventually(lambda: server.rows(VIEWER), lambda rows: len(rows) == 6)
    lines = server.csv_rows(VIEWER, "request")
    assert [line["model"].removeprefix("'") for line in lines] == [row["model"] for row in rows]
    assert lines[0]["model"].startswith("'=") and lines[1]["model"] == "'+1"


def test_usage_is_what_was_sent(service, provider):
    provider.prompt, provider.completion = 11, 22
    server = service(aggregator(provider, prices={"talk/m1": "3 in 15 out per 1M tokens"}))

    def loop(key, count):
        for number in range(count):
            assert server.chat(key, stream=number % 2 == 1).status == 200

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(loop, key, 10) for key in [CLIENT] * 5 + [OTHER] * 3]:
            future.result()
    for key, count in [(CLIENT, 50), (OTHER, 30), (ADMIN, 0)]:
        spent = eventually(lambda: server.usage(key), lambda usage: usage["spent"]["total"]["requests"] >= count and not usage["in_progress"])["spent"]
        for window in ["hour", "day", "week", "month", "total"]:
            spent[window].pop("since")
            assert spent[window] == {"requests": count, "tokens": 33 * count, "cost_nano_usd": (3000 * 11 + 15000 * 22) * count}, window
    rows = eventually(lambda: server.rows(VIEWER), lambda rows: len(rows) == 80)
    assert summed(rows, "prompt_tokens") == 880 and summed(rows, "cost_nano_usd") == 80 * 363_000


def test_a_fallback_is_named_and_costs_its_own_price(service, provider):
    provider.prompt, provider.completion = 10, 20
    usual = provider.reply
    provider.answer = lambda body: (500, {}, b'{"error":{"message":"boom"}}') if body["model"] == "m2" else usual(body)
    server = service(aggregator(provider, prices={"talk/m1": "3 in 15 out per 1M tokens", "talk/m2": "1000 in 1000 out per 1M tokens"}, fallbacks={"talk/m2": ["talk/m1"]}))
    assert server.chat(CLIENT, "talk/m2").status == 200
    [row] = eventually(lambda: server.rows(VIEWER))
    assert row["model"] == "talk/m2" and row["served_model"] == "m1" and row["fallback"] == "talk/m1" and row["attempts"] == 2 and row["cost_nano_usd"] == 330_000
    first, second = server.rows(VIEWER, "attempt")
    assert (first["model"], first["outcome"], first["status"], first["cost_nano_usd"]) == ("m2", "failed", 500, None)
    assert (second["model"], second["outcome"], second["cost_nano_usd"]) == ("m1", "succeeded", 330_000)
    assert server.spent(CLIENT)["tokens"] == 30 and server.usage(CLIENT)["spent"]["day"]["cost_nano_usd"] == 330_000


# Life and death


def open_copy(server, directory):
    """What a killed process has left, opened by somebody else's SQLite."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for path in server.directory.glob("ociai-proxy.db*"):
        shutil.copy(path, directory)
    return contextlib.closing(sqlite3.connect(directory / "ociai-proxy.db"))


class Load:
    """Requests as fast as they go, and when each of them ended."""

    def __init__(self, server, start):
        self.server, self.start = server, start
        self.ended, self.sent = {}, 0
        self.over = threading.Event()
        self.lock = threading.Lock()

    def run(self, worker):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.server.url).netloc, timeout=10)
        body = json.dumps({"model": "talk/m1", "messages": [{"role": "user", "content": "hi"}], "stream": worker % 2 == 1})
        number = 0
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            while not self.over.is_set():
                number += 1
                name = f"{self.start}-{worker}-{number}"
                with self.lock:
                    self.sent += 1
                connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {CLIENT}", "content-type": "application/json", "x-request-id": name})
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200
                self.ended[name] = time.monotonic()


# `OCIAI_KILLS=200` looks longer.
KILLS = int(os.environ.get("OCIAI_KILLS", "20"))


def test_kills_at_any_moment_lose_next_to_nothing(service, provider, tmp_path):
    server = service(aggregator(provider, keys={"alice": {"budget_hard": "1000000000 tokens in all"}}), starts=False)
    generator = random.Random(20)
    kept, sent = {}, 0
    for number in range(KILLS):
        server.start()
        load = Load(server, number)
        workers = [threading.Thread(target=load.run, args=(worker,)) for worker in range(4)]
        for worker in workers:
            worker.start()
        time.sleep(generator.uniform(0.05, 1.2))
        # Taken before the kill: what ends while it is on its way is younger.
        moment = time.monotonic()
        server.kill()
        load.over.set()
        for worker in workers:
            worker.join(20)
        sent += load.sent
        kept |= {name: True for name, ended in load.ended.items() if ended < moment - 0.5}
        with open_copy(server, tmp_path / "copy") as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            rows = {name: charged for name, charged in database.execute("SELECT rid, charged_tokens FROM request")}
            lost = [name for name in kept if name not in rows]
            assert not lost, f"{len(lost)} of {len(kept)} after kill {number + 1}: {lost[:5]}"
            assert len(rows) <= sent
            # Rows, their attempts, their days and the counters are of one transaction.
            assert database.execute("SELECT count(*) FROM request").fetchone()[0] == len(rows)
            for window in ["total", "month"]:
                [counted] = database.execute("SELECT sum(requests), sum(tokens) FROM counter WHERE window = ?", (window,)).fetchall()
                assert tuple(figure or 0 for figure in counted) == (len(rows), sum(rows.values()))
            assert database.execute("SELECT COALESCE(sum(requests), 0) FROM day").fetchone()[0] == len(rows)
            assert database.execute("SELECT count(*) FROM attempt WHERE request NOT IN (SELECT id FROM request)").fetchone()[0] == 0
    server.start()
    spent = server.spent(CLIENT, "total")
    assert spent["requests"] == len(rows) and spent["tokens"] == sum(rows.values()) == server.usage(CLIENT)["budgets"][0]["spent"]
    assert len(kept) > 100 and len(server.rows(VIEWER)) == len(rows)


def test_a_clean_stop_loses_nothing(service, provider):
    server = service(aggregator(provider))
    for _ in range(3):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert {answer.status for answer in pool.map(lambda _: server.chat(CLIENT), range(40))} == {200}
        server.restart()
    assert len(server.rows(VIEWER)) == 120 and server.spent(CLIENT, "total")["requests"] == 120
    server.stop()
    assert not list(server.directory.glob("ociai-proxy.db-*")), "the file is whole by itself"


def test_only_one_process_has_a_state(service, provider, tmp_path):
    server = service(aggregator(provider, state_dir=str(tmp_path / "state" / "deep")))
    assert (tmp_path / "state" / "deep" / "ociai-proxy.db").stat().st_mode & 0o777 == 0o600
    second = service(aggregator(provider, state_dir=str(tmp_path / "state" / "deep")), starts=False)
    code, last, _ = refused_start(second)
    assert code == 69 and f"process {server.running.process.pid}" in last and "state_dir" in last, last
    # The first goes on, and its directory is free once it has ended, also by a kill.
    assert server.chat(CLIENT).status == 200
    server.kill()
    second.start()
    assert second.chat(CLIENT).status == 200


def test_two_processes_beside_one_file(service, provider):
    server = service(aggregator(provider))
    second = Service(server.directory, server.config.read_text())
    second.starts = 10
    second.start()
    try:
        assert re.search(rf"\[WARNING\].*process {server.running.process.pid}.*state_dir", second.log), second.log
        assert second.chat(CLIENT).status == 200
        answer = second.ask("/admin/ledger/summary", key=VIEWER)
        assert answer.status == 503 and "state_dir" in answer.json["error"]["message"]
    finally:
        second.stop()
    assert server.chat(CLIENT).status == 200
    assert len(eventually(lambda: server.rows(VIEWER))) == 1


def test_systemd_names_the_directory(service, provider, tmp_path):
    (tmp_path / "named").mkdir()
    server = service(aggregator(provider), starts=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIRECTORY", f"{tmp_path / 'named'}:/elsewhere")
        server.start()
    assert (tmp_path / "named" / "ociai-proxy.db").exists() and not (server.directory / "ociai-proxy.db").exists()
    second = service(aggregator(provider), starts=False)
    code, last, _ = refused_start(second, STATE_DIRECTORY=str(tmp_path / "named"))
    assert code == 69 and str(server.running.process.pid) in last


def test_off_makes_no_file(service, provider):
    server = service(aggregator(provider, state_dir="off", keys={"alice": {"budget_hard": "10 tokens per day"}}))
    assert server.chat(CLIENT, max_tokens=2).status == 200
    # Budgets count all the same.
    eventually(lambda: server.spent(CLIENT)["tokens"], lambda tokens: tokens == 7)
    assert server.chat(CLIENT, max_tokens=2).status == 200
    eventually(lambda: server.spent(CLIENT)["tokens"], lambda tokens: tokens == 14)
    assert server.chat(CLIENT, max_tokens=2).code == "budget_exceeded"
    assert server.usage(OTHER)["spent"] is None
    assert server.ask("/admin/ledger/export", key=VIEWER).status == 503
    server.stop()
    assert not [path.name for path in server.directory.iterdir() if path.name.startswith("ociai-proxy")]
    assert "WARNING" not in (server.directory / "proxy-1.log").read_text()


@pytest.mark.parametrize("harm", ["garbage", "middle", "cut", "empty", "wal"])
def test_a_damaged_database_is_set_aside(service, provider, harm):
    server = service(aggregator(provider))
    key = server.ask("/admin/keys", {"name": "m"}, ADMIN).json["key"]
    for _ in range(20):
        assert server.chat(CLIENT).status == 200
    eventually(lambda: server.rows(VIEWER), lambda rows: len(rows) == 20)
    server.stop()
    path = server.directory / "ociai-proxy.db"
    content = path.read_bytes()
    if harm == "garbage":
        path.write_bytes(b"this is no database" * 1000)
    elif harm == "middle":
        path.write_bytes(content[:4096] + os.urandom(len(content) - 4096))
    elif harm == "cut":
        path.write_bytes(content[:len(content) // 2 + 100])
    elif harm == "empty":
        path.write_bytes(b"")
    else:
        path.with_name(path.name + "-wal").write_bytes(os.urandom(50_000))
    server.start()
    assert server.chat(CLIENT).status == 200
    if harm == "wal":
        # A log of changes that is none is passed over.
        assert server.ask("/v1/usage", key=key).status == 200 and len(eventually(lambda: server.rows(VIEWER), lambda rows: len(rows) > 20)) == 21
        return
    assert len(eventually(lambda: server.rows(VIEWER))) == 1 and server.ask("/v1/usage", key=key).status == 401
    aside = [path for path in server.directory.glob("ociai-proxy.db.damaged-*") if not path.name.endswith(("-wal", "-shm"))]
    if harm != "empty":
        assert len(aside) == 1 and aside[0].name in server.log and "[ERROR]" in server.log
    assert server.ask("/admin/keys", {"name": "m"}, ADMIN).status == 201


def test_a_database_of_another_program_is_not_touched(service, provider, tmp_path):
    explicit = service(aggregator(provider, state_dir=str(tmp_path / "theirs")), starts=False)
    standard = service(aggregator(provider), starts=False)
    (tmp_path / "theirs").mkdir()
    for directory in [tmp_path / "theirs", standard.directory]:
        with contextlib.closing(sqlite3.connect(directory / "ociai-proxy.db")) as database, database:
            database.execute("CREATE TABLE theirs(a)")
    before = (tmp_path / "theirs" / "ociai-proxy.db").read_bytes()
    code, last, _ = refused_start(explicit)
    assert code == 69 and "another program" in last and (tmp_path / "theirs" / "ociai-proxy.db").read_bytes() == before
    standard.start()
    assert re.search(r"\[WARNING\].*another program", standard.log) and standard.chat(CLIENT).status == 200


@pytest.mark.parametrize("thing", ["pipe", "directory"])
@pytest.mark.parametrize("name", ["db", "lock", "secret"])
def test_what_is_no_file_in_the_place_of_one_is_named_and_keeps_nobody(service, provider, tmp_path, name, thing):
    explicit = service(aggregator(provider, state_dir=str(tmp_path / "theirs")), starts=False)
    standard = service(aggregator(provider), starts=False)
    (tmp_path / "theirs").mkdir()
    for directory in [tmp_path / "theirs", standard.directory]:
        place = directory / f"ociai-proxy.{name}"
        if thing == "pipe":
            os.mkfifo(place)
        else:
            place.mkdir()
            (place / "theirs").write_text("theirs")
    words = f"ociai-proxy.{name} is a {'named pipe' if thing == 'pipe' else 'directory'} and not a file"
    if name == "secret":
        explicit.start()
        assert words in explicit.log and explicit.chat(CLIENT).status == 200
    else:
        code, last, _ = refused_start(explicit)
        assert code == 69 and words in last and "move it away" in last, last
    standard.start()
    assert words in standard.log and standard.chat(CLIENT).status == 200
    place = standard.directory / f"ociai-proxy.{name}"
    assert place.is_fifo() if thing == "pipe" else (place / "theirs").read_text() == "theirs"


@pytest.mark.parametrize("harm", ["read only", "a file"])
def test_a_directory_that_cannot_be_written(service, provider, tmp_path, harm):
    """Root may write into whatever is not mounted read-only, so the first takes a file system of the kernel's."""
    place = "/proc/self/ociai" if harm == "read only" else str(tmp_path / "file" / "state")
    if harm == "a file":
        (tmp_path / "file").write_text("")
    # It costs rows, and no requests: the disk may be full after a restart.
    running = service(aggregator(provider, state_dir=place))
    assert re.search(r"\[ERROR\].*Requests are not recorded.*state_dir.*" + re.escape(place), running.log), running.log
    assert running.chat(CLIENT).status == 200


@pytest.mark.skipif(not shutil.which("setpriv") and os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("explicit", [True, False], ids=["explicit", "default"])
def test_a_directory_of_somebody_else(provider, tmp_path_factory, explicit):
    """As a user who may read the configuration and not write beside it."""
    directory = tmp_path_factory.mktemp("readonly")
    state = directory / "state"
    state.mkdir()
    config = directory / "config.json"
    config.write_text(json.dumps(aggregator(provider, **({"state_dir": str(state)} if explicit else {}))))
    for path in [config, state, directory]:
        path.chmod(0o444 if path == config else 0o555)
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    # The way to it may be closed to others.
    if drop and subprocess.run([*drop, "cat", config], capture_output=True).returncode:
        for parent in [directory, *directory.parents]:
            if parent.name.startswith(("pytest-", "popen-")):
                parent.chmod(0o755)
    assert subprocess.run([*drop, "cat", config], capture_output=True).returncode == 0 and os.access(BIN / "ociai-proxy", os.X_OK)
    with open(directory.parent / f"{directory.name}.log", "w+") as log:
        process = subprocess.Popen([*drop, BIN / "ociai-proxy", "-config", config, "-port", "0"], stdout=log, stderr=log)
        try:
            said = eventually(lambda: open(log.name).read(), lambda text: process.poll() is not None or "Listening on" in text)
            level = "ERROR" if explicit else "WARNING"
            assert re.search(rf"\[{level}\].*Requests are not recorded.*state_dir", said), said
            if explicit:
                assert str(state) in said
            else:
                assert ask(re.search(ADDRESS, said).group(0), "/v1/chat/completions", {"model": "talk/m1", "messages": []}, CLIENT).status == 200
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)
            directory.chmod(0o755)
            state.chmod(0o755)
