"""What outlives the process beside the books: stored responses, cooldowns, what models and providers have taught."""
import json
import stat
import time

import pytest

from fake_provider import FakeProvider
from service import ADMIN, CLIENT, OTHER, VIEWER, Counting, Service, aggregator, eventually

MARKER = "marker-of-a-prompt-3c9e"


@pytest.fixture
def provider():
    one = Counting()
    yield one
    one.stop()


@pytest.fixture
def second():
    one = Counting()
    yield one
    one.stop()


@pytest.fixture
def service(tmp_path):
    made = []

    def start(text):
        made.append(Service(tmp_path / f"s{len(made)}", text, "config.json").start())
        return made[-1]

    yield start
    for one in made:
        one.stop()


def pool(first, second, **settings):
    """Two entries of one provider."""
    text = aggregator(first, **settings)
    text["providers"].append({**text["providers"][0], "baseurl": second.url})
    return text


def respond(service, text, key=CLIENT, **more):
    answer = service.ask("/v1/responses", {"model": "talk/m1", "input": text, **more}, key)
    assert answer.status == 200, answer
    return answer.json


def bodies(provider):
    return [json.loads(body) for method, path, _, body in provider.requests if method == "POST"]


def end(service, how):
    if how == "terminated":
        return service.restart()
    # What waits is written within a quarter of a second.
    time.sleep(0.6)
    service.kill()
    return service.start()


@pytest.mark.parametrize("how", ["terminated", "killed"])
def test_a_stored_response_is_there_after_a_restart(service, provider, how):
    server = service(aggregator(provider))
    first = respond(server, MARKER)
    respond(server, "another's", OTHER)
    end(server, how)
    kept = server.ask(f"/v1/responses/{first['id']}", key=CLIENT)
    assert kept.status == 200 and kept.json["output"] == first["output"], kept
    assert server.ask(f"/v1/responses/{first['id']}", key=OTHER).status == 404
    second = respond(server, "and now?", previous_response_id=first["id"])
    assert [message["content"] for message in bodies(provider)[-1]["messages"]] == [MARKER, "yes", "and now?"]
    end(server, how)
    respond(server, "and then?", previous_response_id=second["id"])
    assert len(bodies(provider)[-1]["messages"]) == 5
    items = server.ask(f"/v1/responses/{second['id']}/input_items", key=CLIENT)
    assert items.status == 200 and MARKER.encode() in items.body


def test_what_was_deleted_or_not_to_be_stored_does_not_come_back(service, provider):
    server = service(aggregator(provider))
    gone, unkept = respond(server, "x"), respond(server, "y", store=False)
    assert server.ask(f"/v1/responses/{gone['id']}", method="DELETE", key=CLIENT).status == 200
    server.restart()
    for one in (gone, unkept):
        assert server.ask(f"/v1/responses/{one['id']}", key=CLIENT).status == 404
    kept = respond(server, "z")
    server.stop()
    server.write(aggregator(provider, responses_store=False))
    server.start()
    assert server.ask(f"/v1/responses/{kept['id']}", key=CLIENT).status == 404
    server.stop()
    server.write(aggregator(provider))
    server.start()
    assert server.ask(f"/v1/responses/{kept['id']}", key=CLIENT).status == 404


def test_what_was_deleted_does_not_come_back_after_a_kill(service, provider):
    server = service(aggregator(provider))
    for number in range(6):
        gone, kept = respond(server, f"x{number}"), respond(server, f"y{number}")
        # On the disk, so that it could come back.
        time.sleep(0.6)
        answer = server.ask(f"/v1/responses/{gone['id']}", method="DELETE", key=CLIENT)
        server.kill()
        assert answer.status == 200 and answer.json == {"id": gone["id"], "object": "response", "deleted": True}, answer
        server.start()
        assert server.ask(f"/v1/responses/{gone['id']}", key=CLIENT).status == 404
        assert server.ask(f"/v1/responses/{kept['id']}", key=CLIENT).status == 200
        assert server.ask(f"/v1/responses/{gone['id']}", method="DELETE", key=CLIENT).status == 404


def test_the_files_hold_no_word_of_what_was_said_and_are_their_owners(service, provider):
    server = service(aggregator(provider))
    respond(server, MARKER, metadata={"note": MARKER})
    server.restart()
    respond(server, f"{MARKER} again")
    server.stop()
    files = [path for path in server.directory.iterdir() if path.name.startswith("ociai-proxy")]
    assert {"ociai-proxy.db", "ociai-proxy.secret"} <= {path.name for path in files}
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        content = path.read_bytes()
        assert MARKER.encode() not in content and CLIENT.encode() not in content, path


def test_without_its_secret_what_was_stored_is_dropped_and_said(service, provider):
    server = service(aggregator(provider))
    first = respond(server, "x")
    server.stop()
    (server.directory / "ociai-proxy.secret").write_text("nonsense\n")
    server.start()
    assert "1 stored responses were dropped" in server.log
    assert server.ask(f"/v1/responses/{first['id']}", key=CLIENT).status == 404
    again = respond(server, "y")
    server.restart()
    assert server.ask(f"/v1/responses/{again['id']}", key=CLIENT).status == 200


@pytest.mark.parametrize("how", ["terminated", "killed"])
def test_an_upstream_that_asked_to_be_left_alone_is_after_a_restart(service, provider, second, how):
    server = service(pool(provider, second, retry_attempts=2))
    provider.answer = lambda body: (429, {"retry-after": "120"}, b'{"error":{"message":"slow down"}}')
    eventually(lambda: server.chat(CLIENT).status == 200 and len(bodies(provider)), lambda count: count == 1)
    if how == "killed":
        time.sleep(6)
    end(server, how)
    for _ in range(8):
        assert server.chat(CLIENT).status == 200
    assert len(bodies(provider)) == 1
    stats = server.ask("/metrics", key=VIEWER)
    assert stats.status == 200
    # An operator's word ends it, as ever.
    assert server.ask("/admin/circuit-breaker/reset", b"", ADMIN, method="POST").status == 200
    for _ in range(8):
        assert server.chat(CLIENT).status == 200
    assert len(bodies(provider)) > 1


def test_what_a_provider_has_refused_is_not_sent_to_it_after_a_restart(service, provider):
    def refuse(body):
        if "top_k" in body:
            return 400, {}, json.dumps({"error": {"message": "Unrecognized request argument supplied: top_k", "type": "invalid_request_error", "param": "top_k"}}).encode()
        return provider.reply(body)

    server = service(aggregator(provider))
    provider.answer = refuse
    message = {"model": "talk/m1", "max_tokens": 10, "top_k": 5, "messages": [{"role": "user", "content": "hi"}]}
    assert server.ask("/v1/messages", message, CLIENT).status == 200
    assert ["top_k" in body for body in bodies(provider)] == [True, False]
    server.restart()
    assert server.ask("/v1/messages", message, CLIENT).status == 200
    assert ["top_k" in body for body in bodies(provider)] == [True, False, False]
    assert "Going on with what was learnt" in server.log


def test_a_model_that_an_upstream_does_not_have_is_not_asked_for_there_after_a_restart(service, provider, second):
    server = service(pool(provider, second, retry_attempts=2))
    provider.answer = lambda body: (404, {}, b'{"error":{"message":"The model `m1` does not exist","type":"invalid_request_error","code":"model_not_found"}}')
    eventually(lambda: server.chat(CLIENT).status == 200 and len(bodies(provider)), lambda count: count == 1)
    server.restart()
    for _ in range(8):
        assert server.chat(CLIENT).status == 200
    assert len(bodies(provider)) == 1
