"""The aggregator: OpenAI-compatible providers behind one door, with the official client and with raw bytes."""
import json
import signal
import threading
import time
import urllib.error
import urllib.request

import openai
import pytest

from conftest import ADDRESS, BIN, Running
from fake_provider import FakeProvider, gzipped

TOKEN = "sk-client-1"


@pytest.fixture
def providers():
    made = [FakeProvider(), FakeProvider(), FakeProvider()]
    yield made
    for provider in made:
        provider.stop()


@pytest.fixture
def aggregator(tmp_path):
    """Starts the proxy over a configuration, as often as wanted."""
    running = []

    def start(**settings):
        config = tmp_path / f"config-{len(running)}.json"
        config.write_text("// pasted\n" + json.dumps({"tokens": [f"alice|{TOKEN}"], "host": "127.0.0.1", "log_level": "INFO", "log_file": "stderr", **settings}, indent=1))
        server = Running([BIN / "ociai-proxy", "-config", config, "-port", "0"], tmp_path / f"proxy-{len(running)}.log", ADDRESS)
        server.config = config
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


def entry(name, provider, token="sk-upstream", **more):
    return {"provider": name, "baseurl": provider.url + "/", "token": token, **more}


def client(server):
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=TOKEN, max_retries=0)


def post(server, path, body, key=TOKEN):
    request = urllib.request.Request(f"{server.url}{path}", body, {"content-type": "application/json", "authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def get(server, path, key=TOKEN):
    request = urllib.request.Request(f"{server.url}{path}", headers={"authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def names(server):
    return [model.id for model in client(server).models.list()]


def test_models_of_all_providers_are_listed_under_their_names(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0]), f"two|{providers[1].url}|sk-2", entry("three", providers[2], model_list=["only"])])
    assert names(server) == ["one/m1", "one/vendor/m2", "two/m1", "two/vendor/m2", "three/only"]
    assert {model.owned_by for model in client(server).models.list()} == {"one", "two", "three"}
    assert not any(request[0] == "GET" for request in providers[2].requests), "a list that is written down is not asked for"
    assert providers[1].requests[0][2]["authorization"] == "Bearer sk-2"


def test_a_filter_hides_models(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])], supported_models=["^one/vendor"])
    assert names(server) == ["one/vendor/m2"]
    status, answer = post(server, "/v1/chat/completions", b'{"model":"one/m1","messages":[]}')
    assert status == 404 and json.loads(answer)["error"]["code"] == "model_not_found"
    assert not providers[0].chats


REQUEST = b'{ "messages":[{"role":"user","content":"caf\\u00e9","odd":0.10}],"model" :"one/vendor/m2", "temperature":1.0e0,"unknown":{"z":1,"a":1e400}}'


def test_a_whole_answer_passes_byte_for_byte(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])])
    status, answer = post(server, "/v1/chat/completions", REQUEST)
    assert status == 200, answer
    assert answer == FakeProvider.whole("one/vendor/m2")
    [(_, path, headers, body)] = providers[0].chats
    assert path == "/v1/chat/completions" and body == REQUEST.replace(b"one/vendor/m2", b"vendor/m2")
    assert headers["authorization"] == "Bearer sk-upstream" and TOKEN not in str(headers)


def unasked(model):
    """What is passed on of its stream where somebody is charged, and the client has not asked for the usage."""
    return b"".join(event + b"\n\n" for event in FakeProvider.stream(model).removeprefix(b": hello\n\n").split(b"\n\n")[:-1] if b'"usage"' not in event)


def test_a_stream_passes_byte_for_byte(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])], state_dir="off")
    request = REQUEST.replace(b'"temperature"', b'"stream":true,"temperature"')
    status, answer = post(server, "/v1/chat/completions", request)
    assert status == 200
    # Comments before the first event have nobody to reassure.
    assert answer == FakeProvider.stream("one/vendor/m2").removeprefix(b": hello\n\n")
    [(_, _, headers, body)] = providers[0].chats
    assert body == request.replace(b"one/vendor/m2", b"vendor/m2")
    assert headers["accept-encoding"] == "identity"


def test_with_a_ledger_the_usage_of_a_stream_is_asked_for_and_kept_back(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])])
    request = REQUEST.replace(b'"temperature"', b'"stream":true,"temperature"')
    status, answer = post(server, "/v1/chat/completions", request)
    assert status == 200 and answer == unasked("one/vendor/m2")
    assert providers[0].chats[0][3] == request.replace(b"one/vendor/m2", b"vendor/m2").replace(b"{", b'{"stream_options":{"include_usage":true},', 1)
    asking = request.replace(b'"stream":true', b'"stream":true,"stream_options":{"include_usage":true}')
    status, answer = post(server, "/v1/chat/completions", asking)
    assert status == 200 and answer == FakeProvider.stream("one/vendor/m2").removeprefix(b": hello\n\n")
    assert providers[0].chats[1][3] == asking.replace(b"one/vendor/m2", b"vendor/m2")


def test_the_official_client_streams(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])])
    chunks = list(client(server).chat.completions.create(model="one/m1", stream=True, messages=[{"role": "user", "content": "hi"}]))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "café"
    assert {chunk.model for chunk in chunks} == {"one/m1"}


def test_a_pool_fails_over(aggregator, providers):
    providers[0].answer = (500, {}, b'{"error":{"message":"boom"}}')
    server = aggregator(providers=[entry("pool", providers[0]), entry("pool", providers[1])])
    assert names(server) == ["pool/m1", "pool/vendor/m2"]
    for _ in range(4):
        status, answer = post(server, "/v1/chat/completions", b'{"model":"pool/m1","messages":[]}')
        assert status == 200, answer
    assert len(providers[1].chats) == 4 and providers[0].chats


def test_a_stream_that_says_nothing_is_asked_for_elsewhere(aggregator, providers):
    empty = b'data: {"model":"m1","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    providers[0].answer = (200, {"content-type": "text/event-stream"}, empty)
    server = aggregator(providers=[entry("pool", providers[0]), entry("pool", providers[1])])
    for _ in range(2):
        status, answer = post(server, "/v1/chat/completions", b'{"model":"pool/m1","messages":[],"stream":true}')
        assert status == 200 and answer == unasked("pool/m1"), answer
    assert providers[0].chats
    providers[1].answer = providers[0].answer
    status, answer = post(server, "/v1/chat/completions", b'{"model":"pool/m1","messages":[],"stream":true}')
    assert status == 502 and json.loads(answer)["error"]["code"] == "upstream_empty_answer", answer


def test_lines_that_upset_the_official_client_stay_here(aggregator, providers):
    stream = FakeProvider.stream("m1").replace(b"data:", b"id: 7\nretry: 10\ndata:").replace(b"\n\n", b"\n\n: ping\n\nevent: ping\n\nretry: 1\n\n")
    providers[0].answer = (200, {"content-type": "text/event-stream"}, stream)
    server = aggregator(providers=[entry("one", providers[0])])
    chunks = list(client(server).chat.completions.create(model="one/m1", stream=True, messages=[{"role": "user", "content": "hi"}]))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "café"
    status, answer = post(server, "/v1/chat/completions", b'{"model":"one/m1","messages":[],"stream":true}')
    assert status == 200 and answer == unasked("one/m1")


def test_a_provider_that_is_called_without_streaming_still_streams(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])], force_non_stream=True)
    request = b'{ "stream": true,"messages":[{"role":"user","content":"caf\\u00e9","odd":0.10}],"model" :"one/m1", "stream_options":{"include_usage":true},"n":1e0 }'
    status, answer = post(server, "/v1/chat/completions", request)
    assert status == 200 and answer.endswith(b"\n\ndata: [DONE]\n\n"), answer
    assert b'"delta":{"odd_field":{"b":1,"a":[0.10]}}' in answer and b'"model_extra":1e400' in answer
    [(_, _, headers, body)] = providers[0].chats
    assert body == b'{ "stream": false,"messages":[{"role":"user","content":"caf\\u00e9","odd":0.10}],"model" :"m1", "n":1e0 }'
    assert headers["accept"] == "application/json"
    stream = client(server).chat.completions.create(
        model="one/m1", stream=True, stream_options={"include_usage": True}, messages=[{"role": "user", "content": "hi"}])
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "café /ok"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.total_tokens == 7 and {chunk.model for chunk in chunks} == {"one/m1"}
    status, answer = post(server, "/v1/chat/completions", REQUEST.replace(b"one/vendor/m2", b"one/m1"))
    assert status == 200 and answer == FakeProvider.whole("one/m1")


@pytest.mark.parametrize("streams", [False, True])
def test_fallbacks_answer_in_a_models_place(aggregator, providers, streams):
    providers[0].answer = (503, {}, b"{}")
    too_long = {"error": {"message": "This model's maximum context length is 8 tokens.", "code": "context_length_exceeded"}}
    providers[1].answer = (400, {}, json.dumps(too_long).encode())
    server = aggregator(
        providers=[entry(name, provider) for name, provider in zip(["a", "b", "c"], providers)], retry_attempts=0,
        fallbacks={"a/m1": ["b/m1", "nowhere/m1", "c/m1"]})
    names(server)
    status, answer = post(server, "/v1/chat/completions", json.dumps({"model": "a/m1", "messages": [], "stream": streams}).encode())
    assert status == 200 and b'"c/m1"' in answer and b'"a/m1"' not in answer, answer


def test_what_is_wrong_with_the_request_is_no_reason_for_a_fallback(aggregator, providers):
    providers[0].answer = (400, {}, b'{"error":{"message":"content_filter","type":"invalid_request_error","param":null,"code":"content_filter"}}')
    server = aggregator(providers=[entry("a", providers[0]), entry("b", providers[1])], fallbacks={"a/m1": ["b/m1"]})
    status, answer = post(server, "/v1/chat/completions", b'{"model":"a/m1","messages":[]}')
    assert status == 400 and json.loads(answer)["error"]["code"] == "content_filter"
    assert not providers[1].chats


@pytest.mark.parametrize("streams", [False, True])
def test_no_fallback_begins_when_the_requests_time_is_over(aggregator, providers, streams):
    end = threading.Event()
    providers[0].answer = lambda body: end.wait(20) and (503, {}, b"{}")
    server = aggregator(
        providers=[entry("a", providers[0]), entry("b", providers[1])], fallbacks={"a/m1": ["b/m1"]}, request_timeout=1, non_stream_timeout=1)
    names(server)
    try:
        status, answer = post(server, "/v1/chat/completions", json.dumps({"model": "a/m1", "messages": [], "stream": streams}).encode())
    finally:
        end.set()
    assert status == 504 and json.loads(answer)["error"]["code"] == "upstream_timeout", answer
    assert len(providers[0].chats) == 1 and not providers[1].chats


def test_a_compressed_answer_is_read(aggregator, providers):
    providers[0].answer = lambda body: (200, {"content-encoding": "gzip"}, gzipped(FakeProvider.whole(body["model"])))
    server = aggregator(providers=[entry("one", providers[0])])
    status, answer = post(server, "/v1/chat/completions", REQUEST)
    assert status == 200 and answer == FakeProvider.whole("one/vendor/m2")


def test_an_answer_over_the_limit_is_refused(aggregator, providers):
    providers[0].answer = (200, {}, FakeProvider.whole("m1") + b" " * 5000)
    server = aggregator(providers=[entry("one", providers[0])], max_response_size=4000, retry_attempts=0)
    status, answer = post(server, "/v1/chat/completions", REQUEST)
    assert status == 502 and json.loads(answer)["error"]["code"] == "response_too_large"


def test_embeddings_and_rerank_pass(aggregator, providers):
    providers[0].answer = lambda body: (200, {}, b'{"data":[{"index":0,"embedding":"AAAA"}],"model":"m1","usage":{"prompt_tokens":2,"total_tokens":2}}')
    server = aggregator(providers=[entry("one", providers[0])])
    status, answer = post(server, "/v1/embeddings", b'{"input":[[1,2]],"model":"one/m1","odd":1}')
    assert status == 200 and answer == b'{"data":[{"index":0,"embedding":"AAAA"}],"model":"one/m1","usage":{"prompt_tokens":2,"total_tokens":2}}'
    assert providers[0].chats[0][1:] [0] == "/v1/embeddings" and providers[0].chats[0][3] == b'{"input":[[1,2]],"model":"m1","odd":1}'
    status, _ = post(server, "/v1/rerank", b'{"query":"q","documents":["d"],"model":"one/m1"}')
    assert status == 200 and providers[0].chats[1][1] == "/v1/rerank"


def test_a_wrong_key_is_said_as_its_users_know_it(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])])
    status, answer = post(server, "/v1/chat/completions", b"{}", key="sk-wrong")
    error = json.loads(answer)["error"]
    assert status == 401 and error["type"] == "http_error" and error["code"] == 401


def test_health_asks_the_providers(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0]), entry("two", providers[1])])
    status, answer = get(server, "/health", key=None)
    assert status == 200 and answer["providers"] == {"one": True, "two": True} and answer["mode"] == "aggregator"
    assert (answer["healthy_providers"], answer["total_providers"], answer["total_accounts"]) == (2, 2, 0)


def test_health_says_who_is_down(aggregator, providers):
    providers[1].models = None
    server = aggregator(providers=[entry("one", providers[0]), entry("two", providers[1])])
    status, answer = get(server, "/health", key=None)
    assert status == 200 and answer["status"] == "degraded" and answer["providers"] == {"one": True, "two": False}


def test_statistics_know_providers(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])])
    post(server, "/v1/chat/completions", REQUEST)
    _, answer = get(server, "/stats/accounts")
    [account] = answer["accounts"]
    assert account["kind"] == "openai" and account["id"] == "one" and account["max_concurrency"] == 100
    assert account["requests_succeeded"] == 1 and account["tokens"] == {"prompt": 3, "completion": 4, "total": 7}


def rewrite(server, **changes):
    config = json.loads(server.config.read_text().split("\n", 1)[1])
    server.config.write_text("// again\n" + json.dumps({**config, **changes}, indent=1))


def reload(server):
    status, answer = post(server, "/v1/reload", b"")
    return status, json.loads(answer)


def test_a_reload_brings_and_takes_providers(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])])
    assert names(server) == ["one/m1", "one/vendor/m2"]
    assert post(server, "/v1/chat/completions", b'{"model":"one/m1","messages":[]}')[0] == 200
    rewrite(server, providers=[entry("two", providers[1]), entry("one", providers[0])])
    assert reload(server) == (200, {"message": "Configuration reloaded.", "providers_count": 2, "accounts_count": 0})
    assert names(server) == ["two/m1", "two/vendor/m2", "one/m1", "one/vendor/m2"]
    figures = {account["id"]: account["requests_total"] for account in get(server, "/stats/accounts")[1]["accounts"]}
    assert figures == {"one": 1, "two": 0}, "unchanged, so its figures stay"

    rewrite(server, providers=[entry("two", providers[1], token="sk-new")], tokens=["bob|sk-client-2", f"alice|{TOKEN}"])
    assert reload(server)[1]["providers_count"] == 1
    assert names(server) == ["two/m1", "two/vendor/m2"]
    status, answer = post(server, "/v1/chat/completions", b'{"model":"one/m1","messages":[]}')
    assert status == 404, answer
    assert post(server, "/v1/chat/completions", b'{"model":"two/m1","messages":[]}', key="sk-client-2")[0] == 200
    assert providers[1].chats[-1][2]["authorization"] == "Bearer sk-new"


def test_a_reload_of_a_broken_file_says_where_and_changes_nothing(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])])
    good = server.config.read_text()
    server.config.write_text(good.replace('"baseurl": "http', '"baseurl": "gopher'))
    status, answer = reload(server)
    line = next(number for number, text in enumerate(server.config.read_text().split("\n"), 1) if "gopher" in text)
    assert status == 400 and f"{server.config}:{line}: " in answer["error"]["message"], answer
    assert "sk-upstream" not in json.dumps(answer)
    server.config.write_text(good + "}")
    assert reload(server)[0] == 400
    assert post(server, "/v1/chat/completions", b'{"model":"one/m1","messages":[]}')[0] == 200


def test_a_hangup_reloads(aggregator, providers):
    server = aggregator(providers=[entry("one", providers[0])])
    rewrite(server, providers=[entry("uno", providers[0])], host="localhost")
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    while "host changed: restart the proxy to apply the change" not in server.log.read_text():
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.02)
    assert names(server) == ["uno/m1", "uno/vendor/m2"]


@pytest.mark.parametrize("header", ["x-api-key", "api-key"])
def test_clients_of_another_style_carry_their_key_in_another_header(aggregator, providers, header):
    server = aggregator(providers=[entry("one", providers[0])])
    request = urllib.request.Request(
        f"{server.url}/v1/chat/completions", REQUEST, {"content-type": "application/json", header: TOKEN, "anthropic-version": "2023-06-01"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200 and answer.read() == FakeProvider.whole("one/vendor/m2")
    [(_, _, headers, _)] = providers[0].chats
    assert TOKEN not in str(headers) and headers["authorization"] == "Bearer sk-upstream"


def test_a_health_request_puts_nobody_out_of_use(aggregator, providers):
    providers[0].models = None
    server = aggregator(providers=[entry("one", providers[0])])
    status, answer = get(server, "/health", key=None)
    assert status == 503 and answer["providers"] == {"one": False}, "it has no list of models"
    assert post(server, "/v1/chat/completions", b'{"model":"one/m1","messages":[]}')[0] == 200, "and serves all the same"


def test_a_provider_with_a_written_list_is_unhealthy_while_its_breaker_is_open(aggregator, providers):
    providers[0].answer = (500, {}, b"{}")
    server = aggregator(providers=[entry("one", providers[0], model_list=["m1"])], retry_attempts=0, max_failures=2)
    assert get(server, "/health", key=None)[0] == 200
    for _ in range(2):
        assert post(server, "/v1/chat/completions", b'{"model":"one/m1","messages":[]}')[0] == 502
    status, answer = get(server, "/health", key=None)
    assert status == 503 and answer["providers"] == {"one": False}
