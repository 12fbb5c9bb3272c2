"""What an operator sees and is told, over the real binary: the page's data, the story of a request, alerts, traces and models that go."""
import contextlib
import http.client
import http.server
import json
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest

import otlp
from conftest import BIN
from fake_provider import Broken, FakeProvider
from service import ADMIN, CLIENT, OTHER, VIEWER, Counting, Service, accounts, aggregator, ask, certificate, eventually

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def service(tmp_path):
    made = []

    def start(text, name="config.json", **more):
        one = Service(tmp_path / f"s{len(made)}", text, name)
        made.append(one)
        return one.start(**more)

    yield start
    for one in made:
        one.stop()


@pytest.fixture
def provider():
    one = Counting()
    yield one
    one.stop()


@pytest.fixture
def three(oci, service):
    """The proxy over three simulated accounts."""
    simulator, config = oci
    ask(simulator.url, "/__control/reset", {})
    started = service(accounts(config, "max_failures = 3\n"), "multi_config.conf")
    started.simulator = simulator.url
    eventually(lambda: started.chat(CLIENT, "grok-4").status, lambda status: status == 200)
    yield started
    ask(simulator.url, "/__control/reset", {})


class Events:
    """A viewer of /dashboard/events, as a browser would be."""

    def __init__(self, service, **headers):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(service.url).netloc, timeout=30)
        self.connection.request("GET", "/dashboard/events", headers=headers or {"authorization": f"Bearer {VIEWER}"})
        self.answer = self.connection.getresponse()

    def next(self):
        """The next event, as its name and its document."""
        name = data = None
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif not line and data is not None:
                return name, data

    def last(self):
        """Reads until the stream ends."""
        return self.answer.read().decode()

    def close(self):
        self.connection.close()


def broken(service, account="account_2", times=6):
    ask(service.simulator, "/__control/faults", {"action": "status", "status": 500, "account": account, "kind": "chat", "times": times})


def test_a_broken_account_shows_within_two_seconds(three):
    viewer = Events(three)
    assert viewer.answer.status == 200 and viewer.answer.headers["content-type"] == "text/event-stream"
    name, state = viewer.next()
    assert name == "state" and state["level"] == "ok" and [one["id"] for one in state["upstreams"]] == ["account_1", "account_2", "account_3"]
    broken(three, times="forever")
    for _ in range(30):
        three.chat(CLIENT, "grok-4")
        if three.ask("/dashboard/state", key=VIEWER).json["level"] == "degraded":
            break
    began = time.monotonic()
    while True:
        name, change = viewer.next()
        assert name == "change" and time.monotonic() - began < 20
        bad = [one for one in change.get("upstreams", []) if one["id"] == "account_2" and one["state"] != "ready"]
        if bad:
            break
    # A busy machine may be late; that it is not for the next full second is what is looked at.
    assert time.monotonic() - began < 5
    assert bad[0]["state"] in ("open", "cooling") and bad[0]["last_error"]["message"]
    viewer.close()
    strips = three.ask("/dashboard/strips", key=VIEWER).json
    assert strips["minutes"] == 1440 and all(len(strip) == 1440 for strip in strips["upstreams"].values())
    assert strips["upstreams"]["account_2"][-1] in "oc" and strips["upstreams"]["account_1"][-1] == "r"
    assert strips["upstreams"]["account_1"][0] == "."


def test_twenty_watch_and_no_more_and_one_that_stops_reading_hurts_nobody(three):
    viewers = [Events(three) for _ in range(20)]
    try:
        assert all(viewer.answer.status == 200 for viewer in viewers)
        late = Events(three)
        assert late.answer.status == 503 and json.loads(late.answer.read())["error"]["code"] == "too_many_viewers"
        late.close()
        for viewer in viewers[1:]:
            viewer.next()
        # The first one never reads; the others get what changes.
        for _ in range(3):
            assert three.chat(CLIENT, "grok-4").status == 200
        for viewer in viewers[1:]:
            assert eventually(viewer.next, lambda event: event[0] == "change")
    finally:
        for viewer in viewers:
            viewer.close()
    # They have left: others may come.
    def comes():
        viewer = Events(three)
        viewer.close()
        return viewer.answer.status
    assert eventually(comes, lambda status: status == 200) == 200


def test_the_story_of_a_request_is_told_over_http_and_by_the_command_and_outlives_the_process(three):
    broken(three, times=1)
    ids = [f"req-{number}" for number in range(4)]
    for name in ids:
        answer = three.ask("/v1/chat/completions", {"model": "grok-4", "messages": [{"role": "user", "content": "marker-of-a-prompt"}]}, CLIENT, x_request_id=name)
        assert answer.status == 200
    stories = {name: three.ask(f"/why/{name}", key=VIEWER).json for name in ids}
    moved = [name for name, story in stories.items() if sum(event["type"] == "attempt" for event in story["events"]) == 2]
    assert len(moved) == 1, stories
    story = stories[moved[0]]
    attempts = [event for event in story["events"] if event["type"] == "attempt"]
    assert attempts[0]["upstream"] == "account_2" and attempts[0]["status"] == 500 and attempts[0]["outcome"] == "failed" and attempts[0]["opc_request_id"]
    assert attempts[1]["outcome"] == "succeeded" and attempts[1]["start_ms"] >= attempts[0]["end_ms"] - 1
    assert "marker-of-a-prompt" not in json.dumps(stories)

    def words(*more):
        ended = subprocess.run([BIN / "ociai-proxy", "why", moved[0], *more], capture_output=True, text=True, timeout=60)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    os.environ["OCIAI_KEY"] = ADMIN
    keyfile = three.directory / "key"
    keyfile.write_text(ADMIN)
    keyfile.chmod(0o600)
    told = words("-at", three.url, "-key-file", str(keyfile))
    assert f"attempt 1: account_2" in told and "failed, status 500" in told and "succeeded, status 200" in told
    three.stop()
    # Nobody runs: the ledger is asked.
    assert "attempt 1: account_2" in words("-config", str(three.config))
    three.start()
    again = three.ask(f"/why/{moved[0]}", key=VIEWER).json
    assert again["source"] == "ledger"
    assert [{**event} for event in again["events"]] == story["events"]
    assert three.ask("/why/never-was", key=VIEWER).status == 404
    assert three.ask(f"/why/{moved[0]}", key=CLIENT).status == 403
    rows = three.ask("/admin/ledger/requests?limit=2", key=VIEWER).json
    assert [row["id"] for row in rows["rows"]] == ids[:1:-1] and rows["next"]
    older = three.ask(f"/admin/ledger/requests?limit=2&before={rows['next']}", key=VIEWER).json
    assert [row["id"] for row in older["rows"]] == ids[1::-1]


def test_a_viewer_may_have_the_way_in_the_answers_header(three):
    answer = three.ask("/v1/chat/completions", {"model": "grok-4", "messages": [{"role": "user", "content": "x"}]}, VIEWER, x_ociai_route="1")
    assert "succeeded 200" in answer.headers["x-ociai-route"], answer.headers
    assert "x-ociai-route" not in three.ask("/v1/chat/completions", {"model": "grok-4", "messages": [{"role": "user", "content": "x"}]}, CLIENT, x_ociai_route="1").headers


def test_a_browser_signs_in_and_changes_things_only_from_the_page(service, provider):
    started = service(aggregator(provider))
    assert started.ask("/dashboard").status == 200 and started.ask("/dashboard/state").status == 401
    answer = started.ask("/dashboard/login", {"key": ADMIN})
    assert answer.status == 200 and answer.json["role"] == "admin"
    cookie = answer.headers["set-cookie"].split(";")[0]
    assert started.ask("/dashboard/state", cookie=cookie).status == 200
    for path, body in [("/admin/keys", {"name": "new"}), ("/admin/models/refresh", {})]:
        answer = started.ask(path, body, cookie=cookie)
        assert answer.status == 403 and "x-ociai-dashboard" in answer.json["error"]["message"], answer
    assert started.ask("/admin/models/refresh", {}, cookie=cookie, x_ociai_dashboard="1").status == 200
    # For models it is no key.
    assert started.ask("/v1/chat/completions", {"model": "talk/m1", "messages": []}, cookie=cookie, x_ociai_dashboard="1").status == 401
    made = started.ask("/admin/keys", {"name": "new"}, cookie=cookie, x_ociai_dashboard="1")
    assert made.status == 201, made
    assert started.ask("/admin/circuit-breaker/reset", method="POST", cookie=cookie, x_ociai_dashboard="1", origin=started.url).status == 200
    assert started.ask("/admin/circuit-breaker/reset", method="POST", cookie=cookie, x_ociai_dashboard="1", origin="http://evil.example").status == 403
    # Neither the key nor the token is in what is written down.
    token = cookie.split("=")[1]
    assert token not in started.log and ADMIN not in started.log and token.encode() not in started.database()
    assert started.ask("/dashboard/login", method="DELETE", cookie=cookie, x_ociai_dashboard="1").status == 204
    assert started.ask("/dashboard/state", cookie=cookie).status == 401


def test_the_live_stream_ends_with_the_right_to_it(service, provider):
    started = service(aggregator(provider))
    made = started.ask("/admin/keys", {"name": "watcher", "role": "viewer"}, ADMIN).json

    def signed_in(key):
        answer = started.ask("/dashboard/login", {"key": key})
        assert answer.status == 200, answer
        return answer.headers["set-cookie"].split(";")[0]

    def watching(**headers):
        viewer = Events(started, **headers)
        assert viewer.answer.status == 200 and viewer.next()[0] == "state"
        return viewer

    cookies = [signed_in(made["key"]), signed_in(VIEWER), signed_in(VIEWER)]
    of_managed = [watching(cookie=cookies[0]), watching(authorization=f"Bearer {made['key']}")]
    of_file = [watching(cookie=cookies[1]), watching(authorization=f"Bearer {VIEWER}")]
    leaving = watching(cookie=cookies[2])
    # Signing out ends one's own session.
    assert started.ask("/dashboard/login", method="DELETE", cookie=cookies[2], x_ociai_dashboard="1").status == 204
    leaving.last()
    # A key that is revoked ends what was begun with it.
    assert started.ask("/admin/keys/watcher", key=ADMIN, method="DELETE").status == 200
    for viewer in of_managed:
        viewer.last()
    assert started.ask("/dashboard/state", cookie=cookies[0]).status == 401
    # The others have gone on.
    assert started.chat(CLIENT).status == 200
    for viewer in of_file:
        assert viewer.next()[0] == "change"
    settings = aggregator(provider)
    settings["tokens"] = [token for token in settings["tokens"] if VIEWER not in token]
    started.write(settings)
    started.hang_up()
    for viewer in of_file:
        viewer.last()
    assert started.ask("/dashboard/state", cookie=cookies[1]).status == 401 and started.ask("/dashboard/state", key=VIEWER).status == 401


def test_over_tls_the_cookie_is_for_tls_alone(service, provider, tmp_path):
    started = service(aggregator(provider, **certificate(tmp_path)), pattern=r"https://127\.0\.0\.1:\d+")
    address = re.search(r"https://(127\.0\.0\.1:\d+)", started.running.url).group(1)
    context = ssl.create_default_context(cafile=tmp_path / "one.pem")

    def over_tls(method, path, body=None, **headers):
        with contextlib.closing(http.client.HTTPSConnection(address, timeout=30, context=context)) as connection:
            connection.request(method, path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("set-cookie"), answer.read()

    status, cookie, _ = over_tls("POST", "/dashboard/login", {"key": VIEWER})
    assert status == 200 and cookie.startswith("__Host-ociai=") and {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert over_tls("GET", "/dashboard/state", cookie=cookie.split(";")[0])[0] == 200
    assert over_tls("GET", "/dashboard/state", cookie="__Host-ociai=" + "0" * 64)[0] == 401


def test_an_open_page_does_not_hold_the_end_of_the_process(service, provider):
    """A page stays open all day: a restart that waits for it would wait for all of shutdown_grace."""
    started = service(aggregator(provider, shutdown_grace=60))
    viewer = Events(started)
    assert viewer.next()[0] == "state"
    began = time.monotonic()
    started.stop()
    assert time.monotonic() - began < 20
    # The whole of it, with its proper end, and nothing behind.
    assert "HTTP/1.1" not in viewer.last()


def test_head_has_no_body_and_the_connection_goes_on(service, provider):
    started = service(aggregator(provider))
    host, port = urllib.parse.urlsplit(started.url).netloc.split(":")
    head = f"\r\nhost: {host}\r\nauthorization: Bearer {VIEWER}\r\n\r\n"
    paths = ["/dashboard/events", "/admin/ledger/export", "/dashboard", "/nowhere"]
    with contextlib.closing(socket.create_connection((host, int(port)), timeout=30)) as connection:
        for path in paths:
            connection.sendall(f"HEAD {path} HTTP/1.1{head}".encode())
        connection.sendall(f"GET /health HTTP/1.1{head.replace(chr(13) + chr(10) * 2, '')}".encode()[:-2] + b"connection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    statuses = re.findall(r"^HTTP/1\.1 (\d+)", answer, re.M)
    assert statuses == ["200", "200", "200", "404", "200"], answer
    parts = answer.split("\r\n\r\n")
    # Five heads, and the body of the last answer alone.
    assert len(parts) == 6 and all(part.startswith("HTTP/1.1 ") for part in parts[:5]) and json.loads(parts[5])["status"]


def test_parts_of_a_request_that_run_side_by_side_accuse_nobody(three):
    body = {"model": "cohere.embed-v4.0", "input": [f"text {number}" for number in range(400)]}
    answer = three.ask("/v1/embeddings", body, CLIENT, x_request_id="parts")
    assert answer.status == 200, answer
    story = eventually(lambda: three.ask("/why/parts", key=VIEWER), lambda answer: answer.status == 200).json
    attempts = [event for event in story["events"] if event["type"] == "attempt"]
    assert len(attempts) > 1 and len({attempt["call"] for attempt in attempts}) == len(attempts), story
    reasons = {one["reason"] for event in story["events"] if event["type"] == "passed_over" for one in event["upstreams"]}
    assert reasons <= {"not_chosen", "full"}, story


def test_hostile_names_are_told_as_they_are_and_break_nothing(service, provider):
    started = service(aggregator(provider))
    started.ask("/v1/chat/completions", {"model": HOSTILE, "messages": []}, CLIENT, user_agent=HOSTILE)
    state = eventually(lambda: started.ask("/dashboard/state", key=VIEWER), lambda state: state.json["recent"])
    assert state.headers["content-type"].startswith("application/json")
    assert [row["model"] for row in state.json["recent"]] == [HOSTILE]


# Alerts


class Receiver:
    """What an operator's webhook receives."""

    def __init__(self, statuses=()):
        self.got, statuses = [], list(statuses)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                self.send_response(statuses.pop(0) if statuses else 204)
                self.send_header("content-length", "0")
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def alerts(self):
        return [json.loads(body) for _, _, body in self.got]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.stop()


def test_alerts_reach_a_webhook_and_a_command_once_an_hour(service, provider, receiver, tmp_path):
    file = tmp_path / "alerts.jsonl"
    settings = aggregator(provider, alert_webhook=f"{receiver.url}/hook/secret-token", alert_command=f"cat >> '{file}'",
                          keys={"alice": {"budget_hard": "1 tokens per day"}, "bob": {"budget_soft": "1 tokens per day"}})
    started = service(settings)
    eventually(lambda: started.chat(CLIENT).status, lambda status: status == 429)
    for _ in range(3):
        assert started.chat(CLIENT).status == 429
    for _ in range(3):
        assert started.chat(OTHER).status == 200
    alerts = eventually(lambda: receiver.alerts, lambda alerts: len(alerts) >= 2)
    assert {(one["type"], one["subject"]) for one in alerts} == {("budget_hard", "alice"), ("budget_soft", "bob")}
    assert all(set(one) >= {"type", "subject", "at", "message"} for one in alerts)
    lines = eventually(lambda: file.read_text().split() and [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else [], lambda lines: len(lines) >= 2)
    assert {one["type"] for one in lines} == {"budget_hard", "budget_soft"}
    time.sleep(1)
    assert len(receiver.got) == 2
    assert "secret-token" not in started.log, "the address of a webhook often is a secret"
    assert started.log.count("raised again within an hour") == 1, "of the hard one; a soft one is raised once in its period"
    shown = started.ask("/dashboard/state", key=VIEWER).json["alerts"]
    assert {one["type"] for one in shown} == {"budget_hard", "budget_soft"}


def test_what_a_command_leaves_behind_holds_no_port(service, provider, tmp_path):
    settings = aggregator(provider, alert_command=f"ls -l /proc/self/fd > '{tmp_path}/descriptors'; (sleep 60) &", keys={"alice": {"budget_hard": "1 tokens per day"}})
    started = service(settings)
    eventually(lambda: started.chat(CLIENT).status, lambda status: status == 429)
    listing = eventually(lambda: (tmp_path / "descriptors").exists() and (tmp_path / "descriptors").read_text().count("\n") >= 3 and (tmp_path / "descriptors").read_text())
    assert "socket:" not in listing and "eventpoll" not in listing, listing
    port = int(started.url.rsplit(":", 1)[1])
    started.stop()
    with contextlib.closing(socket.socket()) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()


def test_a_webhook_that_fails_is_tried_again(service, provider):
    receiver = Receiver([500, 204])
    try:
        started = service(aggregator(provider, alert_webhook=receiver.url, keys={"alice": {"budget_hard": "1 tokens per day"}}))
        eventually(lambda: started.chat(CLIENT).status, lambda status: status == 429)
        assert eventually(lambda: len(receiver.got), lambda count: count == 2)
        assert "answered with status 500" in started.log
    finally:
        receiver.stop()


def test_a_certificate_that_ends_soon_is_told_of(service, provider, receiver, tmp_path):
    settings = certificate(tmp_path)
    service(aggregator(provider, alert_webhook=receiver.url, **settings), pattern=r"https://127\.0\.0\.1:\d+")
    [alert] = eventually(lambda: receiver.alerts, within=40)
    assert alert["type"] == "certificate" and alert["subject"] == settings["tls_cert"] and alert["days_left"] in (1, 2) and alert["expires_at"] in alert["message"]


def test_a_ledger_that_cannot_be_written_is_told_of(service, provider, receiver):
    started = service(aggregator(provider, alert_webhook=receiver.url))
    assert started.chat(CLIENT).status == 200
    eventually(lambda: started.table(VIEWER, "summary"), lambda rows: rows[0]["requests"] == 1)
    with contextlib.closing(sqlite3.connect(started.directory / "ociai-proxy.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert started.chat(CLIENT).status == 200
        [alert] = eventually(lambda: receiver.alerts, within=60)
        assert alert["type"] == "ledger" and alert["dropped"] >= 0 and "cannot be written" in alert["message"]
        assert started.chat(CLIENT).status == 200


def test_an_upstream_that_is_down_is_told_of(oci, service, receiver):
    simulator, config = oci
    ask(simulator.url, "/__control/reset", {})
    started = service(accounts(config, f"max_failures = 2\nalert_webhook = {receiver.url}\n"), "multi_config.conf")
    ask(simulator.url, "/__control/faults", {"action": "status", "status": 500, "kind": "chat", "times": "forever"})
    try:
        for _ in range(12):
            started.chat(CLIENT, "grok-4")
        alerts = eventually(lambda: receiver.alerts, lambda alerts: any(one["type"] == "all_down" for one in alerts), within=40)
        down = {one["subject"] for one in alerts if one["type"] == "upstream_down"}
        assert down == {"account_1", "account_2", "account_3"}
    finally:
        ask(simulator.url, "/__control/reset", {})


# Traces


@pytest.fixture
def collector():
    one = Receiver()
    yield one
    one.stop()


@contextlib.contextmanager
def environment(**variables):
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def traced(service, text, collector, name="config.json", **variables):
    with environment(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="100", OTEL_EXPORTER_OTLP_HEADERS="x-secret=canary-4711", **variables):
        return service(text, name)


def received(collector, count):
    """All spans, once so many are there."""
    eventually(lambda: sum(len(otlp.spans(otlp.decode(body))) for _, _, body in collector.got), lambda number: number >= count)
    return otlp.check(*[otlp.decode(body) for _, _, body in collector.got])


PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_request_is_a_server_span_with_a_client_span_for_each_attempt(oci, service, collector):
    simulator, config = oci
    ask(simulator.url, "/__control/reset", {})
    started = traced(service, accounts(config), collector, "multi_config.conf")
    ask(simulator.url, "/__control/faults", {"action": "status", "status": 500, "account": "account_1", "kind": "chat", "times": 1})
    body = {"model": "grok-4", "stream": True, "messages": [{"role": "user", "content": "marker-of-a-prompt"}]}
    for number in range(3):
        assert started.ask("/v1/chat/completions", body, CLIENT, traceparent=PARENT, tracestate="vendor=1", x_request_id=f"r{number}").status == 200
    spans = received(collector, 7)
    servers = [span for span in spans if span.kind == otlp.Span.SPAN_KIND_SERVER]
    clients = [span for span in spans if span.kind == otlp.Span.SPAN_KIND_CLIENT]
    assert len(servers) == 3 and len(clients) == 4
    for span in spans:
        assert span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c" and span.trace_state == "vendor=1"
    for span in servers:
        told = otlp.attributes(span.attributes)
        assert span.parent_span_id.hex() == "b7ad6b7169203331" and span.name == "POST /v1/chat/completions"
        assert told["http.response.status_code"] == 200 and told["ociai.key"] and told["ociai.model"] == "grok-4"
    failed = [span for span in clients if span.status.code == otlp.Status.STATUS_CODE_ERROR]
    assert len(failed) == 1 and otlp.attributes(failed[0].attributes)["ociai.upstream"] == "account_1"
    for span in clients:
        told = otlp.attributes(span.attributes)
        assert span.name == "chat xai.grok-4" and told["gen_ai.operation.name"] == "chat" and told["gen_ai.provider.name"] == "oci.generative_ai"
        assert told["gen_ai.request.model"] == "xai.grok-4" and told["oci.opc_request_id"] if span not in failed else True
        assert any(server.span_id == span.parent_span_id and server.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano <= server.end_time_unix_nano + 1_000_000 for server in servers)
        if span not in failed:
            assert told["gen_ai.usage.input_tokens"] > 0 and told["gen_ai.usage.output_tokens"] > 0
            assert [event.name for event in span.events] == ["first_chunk"]
    assert b"marker-of-a-prompt" not in b"".join(body for _, _, body in collector.got)
    assert all(headers["x-secret"] == "canary-4711" and headers["Content-Type" if "Content-Type" in headers else "content-type"] == "application/x-protobuf" for _, headers, _ in collector.got)
    assert "canary-4711" not in started.log and all(path == "/v1/traces" for path, _, _ in collector.got)


@pytest.mark.parametrize("mode", ["link", "ignore"])
def test_a_clients_trace_is_linked_or_ignored(service, provider, collector, mode):
    started = traced(service, aggregator(provider, trace_parent=mode), collector)
    assert started.ask("/v1/chat/completions", {"model": "talk/m1", "messages": []}, CLIENT, traceparent=PARENT).status == 200
    spans = received(collector, 2)
    server = next(span for span in spans if span.kind == otlp.Span.SPAN_KIND_SERVER)
    assert server.trace_id.hex() != "0af7651916cd43dd8448eb211c80319c" and not server.parent_span_id
    assert [link.trace_id.hex() for link in server.links] == (["0af7651916cd43dd8448eb211c80319c"] if mode == "link" else [])


@pytest.mark.parametrize("propagates", [True, False])
def test_only_a_provider_that_may_know_is_told_the_trace(service, provider, collector, propagates):
    settings = aggregator(provider)
    if propagates:
        settings["providers"][0]["propagate_trace"] = True
    started = traced(service, settings, collector)
    assert started.ask("/v1/chat/completions", {"model": "talk/m1", "messages": []}, CLIENT, traceparent=PARENT, tracestate="a=b").status == 200
    headers = {name.lower(): value for name, value in [one for one in provider.requests if one[0] == "POST"][0][2].items()}
    if not propagates:
        assert "traceparent" not in headers and "tracestate" not in headers
        return
    client = next(span for span in received(collector, 2) if span.kind == otlp.Span.SPAN_KIND_CLIENT)
    assert headers["traceparent"] == f"00-{client.trace_id.hex()}-{client.span_id.hex()}-01" and headers["tracestate"] == "a=b"


def test_what_is_left_is_sent_at_the_end_and_a_collector_that_is_not_there_costs_nothing(service, provider, collector):
    with environment(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="600000"):
        started = service(aggregator(provider))
    assert started.chat(CLIENT).status == 200
    assert collector.got == []
    started.stop()
    assert len(received(collector, 2)) == 2
    with environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_BSP_SCHEDULE_DELAY="10"):
        started.start()
    assert all(started.chat(CLIENT).status == 200 for _ in range(5))
    eventually(lambda: started.log, lambda log: "could not be reached" in log)


def test_a_mistake_of_a_client_is_sampled_as_any_request_and_a_refusal_has_a_span(service, provider, collector):
    started = traced(service, aggregator(provider, keys={"bob": {"rpm": 1}}), collector, OTEL_TRACES_SAMPLER="parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG="0")
    for _ in range(5):
        assert started.ask("/v1/chat/completions", {"model": "nobody", "messages": []}, CLIENT, traceparent=PARENT[:-1] + "0").status == 404
    assert started.chat(OTHER).status == 200
    assert started.ask("/v1/chat/completions", {"model": "talk/m1", "messages": []}, OTHER, traceparent=PARENT).status == 429
    [span] = received(collector, 1)
    assert otlp.attributes(span.attributes)["http.response.status_code"] == 429 and otlp.attributes(span.attributes)["ociai.key"] == "bob"


def test_settings_that_cannot_be_used_are_told(service, provider):
    with environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_PROTOCOL="grpc"):
        started = service(aggregator(provider))
    assert "http/protobuf" in started.log and started.chat(CLIENT).status == 200


# Models that go


def test_a_model_that_goes_is_shown_and_its_successor_takes_over(oci, service, receiver):
    simulator, config = oci
    ask(simulator.url, "/__control/reset", {})
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3 * 86_400))
    try:
        ask(simulator.url, "/__control/retirement", {"model": "xai.grok-3", "timeOnDemandRetired": soon})
        ask(simulator.url, "/__control/retirement", {"model": "xai.grok-4", "info": "This model retires on 2099-01-31."})
        started = service(accounts(config, f"alert_webhook = {receiver.url}\nmodels_refresh_interval = 1ms\n") + "\n[SUCCESSORS]\ngrok-3 = grok-4\n", "multi_config.conf")
        entry = eventually(lambda: started.ask("/v1/models/grok-3", key=CLIENT).json, lambda entry: "shutdown_date" in entry)
        assert entry["shutdown_date"] == soon[:10] and entry["successor"] == "grok-4"
        assert started.chat(CLIENT, "grok-4").status == 200
        entry = eventually(lambda: started.ask("/v1/models/grok-4", key=CLIENT).json, lambda entry: "shutdown_date" in entry)
        assert entry["shutdown_date"] == "2099-01-31" and "retires on" in entry["retirement_info"]
        metrics = started.ask("/metrics", key=VIEWER).body.decode()
        assert 'ociai_model_retires_seconds{model="grok-3"}' in metrics
        # 2099-01-31, which a header of an answer has told.
        assert re.search(r'ociai_model_retires_seconds\{model="grok-4"\} 40735\d{5}\n', metrics), metrics
        alert = eventually(lambda: [one for one in receiver.alerts if one["type"] == "model_retiring"], within=40)[0]
        assert alert["subject"] == "grok-3" and alert["days_left"] == 3
        models = started.ask("/dashboard/models", key=VIEWER).json["models"]
        assert next(one for one in models if one["id"] == "grok-3")["retires_at"] == soon
        # The day has come.
        past = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
        ask(simulator.url, "/__control/retirement", {"model": "xai.grok-3", "timeOnDemandRetired": past})
        eventually(lambda: [started.ask("/v1/models", key=CLIENT), started.chat(CLIENT, "grok-3")][1].status, lambda status: status == 200)
        answer = started.ask("/v1/chat/completions", {"model": "grok-3", "messages": [{"role": "user", "content": "x"}]}, CLIENT, x_request_id="succeeded")
        assert answer.status == 200, answer
        story = eventually(lambda: started.ask("/why/succeeded", key=VIEWER), lambda answer: answer.status == 200).json
        assert {"type": "successor", "model": "grok-4"} in story["events"], story
        last = ask(simulator.url, "/__control/requests").json
        assert "xai.grok-4" in json.dumps(last[-1] if isinstance(last, list) else last)
    finally:
        ask(simulator.url, "/__control/reset", {})
