"""Real clients whose stream breaks off: what can go on at another upstream does, unseen, and all else ends with an honest error."""
import json
import re
import time
import urllib.request

import anthropic
import openai
import pytest

from fake_provider import Broken
from talking_provider import TalkingProvider, text
from test_many_accounts import call
from test_providers import TOKEN, aggregator, client, entry  # noqa: F401 (a fixture)

ENDINGS = ["fin", "rst"]
# Sixty words, as the public benchmark of failover has them.
ANSWER = " ".join(f"word{number}" for number in range(1, 61))
PREFILL_REFUSED = {"error": {"message": "Prefill is not supported by this model.", "type": "invalid_request_error", "param": "messages", "code": "invalid_prefill"}}


class Wall(TalkingProvider):
    """`fb-fault` breaks off behind so many words, the others answer. A prefill is continued where the answer begins with it, but `fb-ok-noprefill` refuses it."""

    def __init__(self):
        super().__init__()
        self.models = ["fb-fault", "fb-ok", "fb-ok-noprefill", "deepseek-fault", "deepseek-ok"]
        self.words, self.ending = 40, "fin"
        self.has_refused = False

    def reply(self, body):
        model, last = body["model"], body["messages"][-1]
        begun = text(last["content"]) if last["role"] == "assistant" else ""
        if begun and model == "fb-ok-noprefill":
            self.has_refused = True
            return 400, {}, json.dumps(PREFILL_REFUSED).encode()
        rest = ANSWER[len(begun.rstrip()):] if ANSWER.startswith(begun.rstrip()) else ANSWER
        words = re.findall(r"\s*\S+", rest)
        if not body.get("stream"):
            return 200, {}, json.dumps({"id": "w", "object": "chat.completion", "created": 1, "model": model, "choices": [
                {"index": 0, "message": {"role": "assistant", "content": rest}, "finish_reason": "stop"}]}).encode()
        chunks = [{"role": "assistant", "content": ""}] + [{"content": word} for word in words]
        events = [json.dumps({"id": "w", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}) for delta in chunks]
        if model.endswith("fault") and len(words) > self.words:
            return 200, {"content-type": "text/event-stream"}, Broken(sse(events[:self.words + 1]), self.ending)
        events += [json.dumps({"id": "w", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}), "[DONE]"]
        return 200, {"content-type": "text/event-stream"}, sse(events)


class Breaking(TalkingProvider):
    """Two upstreams in one: each answer to a stream of which `breaks` has a number ends behind so many events."""

    def __init__(self):
        super().__init__()
        self.breaks, self.ending = [], "fin"

    def reply(self, body):
        status, headers, content = super().reply(body)
        if status == 200 and body.get("stream") and self.breaks:
            events = content.decode().split("\n\n")[:self.breaks.pop(0)]
            return status, headers, Broken("".join(event + "\n\n" for event in events).encode(), self.ending)
        return status, headers, content


def sse(events):
    return "".join(f"data: {event}\n\n" for event in events).encode()


@pytest.fixture
def wall():
    provider = Wall()
    yield provider
    provider.stop()


@pytest.fixture
def breaking():
    provider = Breaking()
    yield provider
    provider.stop()


@pytest.fixture
def pair(aggregator, breaking):  # noqa: F811
    """The proxy over two upstreams that have the same models."""
    return aggregator(providers=[entry("talk", breaking), entry("talk", breaking, token="sk-second")], retry_attempts=0)


def streamed(server, model, **more):
    """What the official client puts together of a stream, and why it ended."""
    with client(server) as openai_client:
        content, reasons, ids = "", [], set()
        for chunk in openai_client.chat.completions.create(model=model, messages=[{"role": "user", "content": "go"}], stream=True, **more):
            ids.add(chunk.id)
            for choice in chunk.choices:
                content += choice.delta.content or ""
                reasons += [choice.finish_reason] if choice.finish_reason else []
        assert len(ids) == 1
        return content, reasons


# The scenarios of the public benchmark


@pytest.mark.parametrize("mode", ["verified", "continue"])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("family", ["fb", "deepseek"])
def test_s08_a_stream_that_is_cut_comes_whole(aggregator, wall, family, ending, mode):  # noqa: F811
    wall.ending = ending
    server = aggregator(providers=[entry("wall", wall)], fallbacks={f"wall/{family}-fault": [f"wall/{family}-ok"]}, rescue=mode)
    content, reasons = streamed(server, f"wall/{family}-fault")
    assert content.split() == ANSWER.split() and reasons == ["stop"]
    assert len(wall.chats) == 2
    prefilled = json.loads(wall.chats[1][3])["messages"][-1]["role"] == "assistant"
    assert prefilled == (mode == "continue" and family == "deepseek")


@pytest.mark.parametrize("ending", ["stall"])
def test_s09_a_stream_that_falls_silent_comes_whole(aggregator, wall, ending):  # noqa: F811
    wall.words, wall.ending = 20, ending
    server = aggregator(providers=[entry("wall", wall)], fallbacks={"wall/fb-fault": ["wall/fb-ok"]}, stream_timeout=1.0)
    content, reasons = streamed(server, "wall/fb-fault")
    assert content.split() == ANSWER.split() and reasons == ["stop"]
    with client(server) as openai_client:
        healthy = openai_client.chat.completions.create(model="wall/fb-ok", messages=[{"role": "user", "content": "go"}])
        assert healthy.choices[0].message.content == ANSWER


@pytest.mark.parametrize("ending", ENDINGS)
def test_s14_a_refused_prefill_is_not_seen(aggregator, wall, ending):  # noqa: F811
    wall.ending = ending
    # The proxy takes this one for a model that takes prefills, and learns better.
    wall.models = ["fb-fault", "deepseek-noprefill"]
    usual = wall.reply
    wall.answer = lambda body: usual({**body, "model": body["model"].replace("deepseek-noprefill", "fb-ok-noprefill")})
    server = aggregator(providers=[entry("wall", wall)], fallbacks={"wall/fb-fault": ["wall/deepseek-noprefill"]}, rescue="continue")
    for number in range(2):
        wall.has_refused = False
        content, reasons = streamed(server, "wall/fb-fault")
        assert content.split() == ANSWER.split() and reasons == ["stop"]
        assert wall.has_refused == (number == 0)


def test_the_log_and_the_metrics_tell(aggregator, wall):  # noqa: F811
    server = aggregator(providers=[entry("wall", wall)], fallbacks={"wall/fb-fault": ["wall/fb-ok"]})
    streamed(server, "wall/fb-fault")
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as page:
        assert 'ociai_rescue_total{model="wall/fb-ok",result="verified"} 1' in page.read().decode()
    # The line is written behind the answer.
    deadline = time.monotonic() + 20
    while 'rescue="verified wall/fb-ok"' not in server.log.read_text():
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.05)


def test_a_provider_may_be_left_out(aggregator, breaking):  # noqa: F811
    server = aggregator(providers=[entry("talk", breaking, rescue="off"), entry("talk", breaking, token="sk-second")])
    breaking.breaks = [4]
    with pytest.raises(openai.APIError):
        streamed(server, "talk/plain")
    assert len(breaking.chats) == 1


def test_a_claude_at_a_provider_of_messages(aggregator, breaking):  # noqa: F811
    """What passes in its own language breaks off, and goes on as a chat."""
    usual = breaking.reply

    def reply(body):
        if "max_tokens" in body and len(breaking.chats) == 1:
            events = [("message_start", {"message": {"id": "msg_theirs", "type": "message", "role": "assistant", "model": body["model"], "content": [], "stop_reason": None,
                                                     "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1}}}),
                      ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
                      ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "You said: one"}})]
            content = "".join(f"event: {name}\ndata: {json.dumps({'type': name, **more})}\n\n" for name, more in events)
            return 200, {"content-type": "text/event-stream"}, Broken(content.encode(), "rst")
        return usual(body)

    breaking.answer = reply
    server = aggregator(providers=[entry("talk", breaking, dialects=["messages"]), entry("talk", breaking, token="sk-second", dialects=["messages"])])
    with anthropic.Anthropic(base_url=server.url, api_key=TOKEN, max_retries=0) as anthropic_client:
        with anthropic_client.messages.stream(model="talk/plain", max_tokens=100, messages=QUESTION) as stream:
            message = stream.get_final_message()
    assert [block.text for block in message.content] == [REPLY] and message.id == "msg_theirs" and message.stop_reason == "end_turn"
    assert [path for _, path, _, _ in breaking.chats] == ["/v1/messages", "/v1/chat/completions"]


# The clients' own helpers, over a provider and over OCI


@pytest.fixture(params=["provider", "oci"])
def broken(request):
    """A proxy of which the next stream breaks off behind so many events, and a model of it."""
    if request.param == "provider":
        server, provider = request.getfixturevalue("pair"), request.getfixturevalue("breaking")

        def breaks(events, ending="fin"):
            provider.ending = ending
            provider.breaks = [events]

        return server.url, TOKEN, "talk/plain", breaks, lambda: len(provider.chats)
    fleet = request.getfixturevalue("fleet")

    def breaks(events, ending="fin"):
        call(f"{fleet.simulator}/__control/faults", {"action": "cut" if ending == "fin" else "resetMidway", "events": events, "kind": "chat"})

    def count():
        return sum(record.get("kind") == "chat" for record in call(f"{fleet.simulator}/__control/requests")["requests"])

    return fleet.base, fleet.key, "llama-3.3-70b", breaks, count


QUESTION = [{"role": "user", "content": "one two three four five"}]
REPLY = "You said: one two three four five"


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_stream_helper_of_openai(broken, ending):
    base, key, model, breaks, count = broken
    breaks(4, ending)
    with openai.OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0) as openai_client:
        with openai_client.chat.completions.stream(model=model, messages=QUESTION, stream_options={"include_usage": True}) as stream:
            completion = stream.get_final_completion()
    assert completion.choices[0].message.content == REPLY and completion.choices[0].finish_reason == "stop"
    assert completion.usage.completion_tokens > 0 and count() == 2


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_final_message_of_anthropic(broken, ending):
    base, key, model, breaks, count = broken
    breaks(4, ending)
    with anthropic.Anthropic(base_url=base, api_key=key, max_retries=0) as anthropic_client:
        with anthropic_client.messages.stream(model=model, max_tokens=100, messages=QUESTION) as stream:
            told = "".join(stream.text_stream)
            message = stream.get_final_message()
    assert told == REPLY and [block.text for block in message.content] == [REPLY]
    assert message.stop_reason == "end_turn" and message.usage.output_tokens > 0 and count() == 2


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_final_response_of_openai(broken, ending):
    base, key, model, breaks, count = broken
    breaks(4, ending)
    with openai.OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0) as openai_client:
        with openai_client.responses.stream(model=model, input=QUESTION[0]["content"]) as stream:
            numbers = [event.sequence_number for event in stream]
            response = stream.get_final_response()
        assert response.output_text == REPLY and response.status == "completed" and count() == 2
        assert numbers == list(range(len(numbers)))
        # It is kept as a whole.
        assert openai_client.responses.retrieve(response.id).output_text == REPLY


TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
ASKS = [{"role": "user", "content": "use get_weather"}]


def test_a_tool_loop_is_not_rescued_once_a_call_has_begun(broken):
    base, key, model, breaks, count = broken
    with openai.OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0) as openai_client:
        # Whole: how many events there are, and that the loop works.
        messages = list(ASKS)
        with openai_client.chat.completions.stream(model=model, messages=messages, tools=[TOOL]) as stream:
            completion = stream.get_final_completion()
        calls = completion.choices[0].message.tool_calls
        assert [made.function.name for made in calls] == ["get_weather"]
        messages += [completion.choices[0].message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}),
                     {"role": "tool", "tool_call_id": calls[0].id, "content": "drizzle"}]
        # The answer to its result is a text, and goes on.
        asked = count()
        breaks(3)
        with openai_client.chat.completions.stream(model=model, messages=messages, tools=[TOOL]) as stream:
            assert "drizzle" in stream.get_final_completion().choices[0].message.content
        assert count() == asked + 2
        # The call itself does not.
        asked = count()
        breaks(3 if model.startswith("talk/") else 2)
        names = []
        with pytest.raises(openai.APIError) as failure:
            for chunk in openai_client.chat.completions.create(model=model, messages=ASKS, tools=[TOOL], stream=True):
                names += [made.function.name for choice in chunk.choices for made in choice.delta.tool_calls or [] if made.function.name]
        assert names == ["get_weather"] and "stream" in str(failure.value).lower() and count() == asked + 1


def test_what_a_client_forbids_is_left_alone(broken):
    base, key, model, breaks, count = broken
    breaks(4)
    with openai.OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0) as openai_client:
        with pytest.raises(openai.APIError):
            for _ in openai_client.chat.completions.create(model=model, messages=QUESTION, stream=True, extra_headers={"x-ociai-rescue": "off"}):
                pass
    assert count() == 1
