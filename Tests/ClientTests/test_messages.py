"""The official Anthropic client over OCI and over a provider that speaks chat completions only."""
import json
import urllib.error
import urllib.request

import anthropic
import pydantic
import pytest
from anthropic import beta_tool
from anthropic.types import Message, RawMessageStreamEvent

from talking_provider import REFUSAL
from test_openai_client import PIXEL

WEATHER = {
    "name": "get_weather", "description": "Current weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
}
TIME = {"name": "get_time", "description": "The time", "input_schema": {"type": "object", "properties": {}}}
RESULTS = {"get_weather": "drizzle, 7 degrees", "get_time": "half past nine"}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL.split(",")[1]}}

both_ways = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])


def client(door, **settings):
    return anthropic.Anthropic(**{"base_url": door.base, "api_key": door.key, "max_retries": 0, **settings})


def ask(text):
    return [{"role": "user", "content": text}]


def turn(door, messages, streams=False, **settings):
    settings = {"model": door.model, "max_tokens": 500, "messages": messages, **settings}
    if not streams:
        return client(door).messages.create(**settings)
    with client(door).messages.stream(**settings) as stream:
        return stream.get_final_message()


def said(message):
    return "".join(block.text for block in message.content if block.type == "text")


def calls(message):
    return [block for block in message.content if block.type == "tool_use"]


def raw(door, path, body, **headers):
    """The answer's bytes, for what the client hides."""
    headers = {"content-type": "application/json", "x-api-key": door.key, "anthropic-version": "2023-06-01", **headers}
    request = urllib.request.Request(f"{door.base}{path}", body and json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def events(text):
    """The events of a stream, each with both of its lines."""
    for block in text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        yield event


@both_ways
def test_answers(door, streams):
    answer = turn(door, ask("Say hello to the harbour."), streams, system="Be brief.")
    assert answer.model == door.model and answer.role == "assistant" and answer.id.startswith("msg_")
    assert "harbour" in answer.content[0].text and len(answer.content) == 1, "nobody has asked for thinking"
    assert (answer.stop_reason, answer.stop_sequence) == ("end_turn", None)
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0
    assert "Be brief." in door.last


@pytest.mark.parametrize("text, tools", [("Say hello.", []), ("Use get_weather and get_time.", [WEATHER, TIME])], ids=["text", "tools"])
def test_a_stream_is_in_order_and_of_the_published_form(door, text, tools):
    body = {"model": door.model, "max_tokens": 500, "messages": ask(text), "stream": True, "tools": tools}
    status, headers, answer = raw(door, "/v1/messages", body)
    assert status == 200 and headers["content-type"].startswith("text/event-stream")
    told = list(events(answer))
    for event in told:
        if event["type"] != "ping":
            pydantic.TypeAdapter(RawMessageStreamEvent).validate_python(event)
    told = [event for event in told if event["type"] != "ping"]
    assert told[0]["type"] == "message_start" and [event["type"] for event in told[-2:]] == ["message_delta", "message_stop"]
    assert told[0]["message"]["usage"]["input_tokens"] > 0, "an estimate"
    kinds = {"text": {"text_delta"}, "tool_use": {"input_json_delta"}, "thinking": {"thinking_delta", "signature_delta"}}
    current, count = None, 0
    for event in told[1:-2]:
        if event["type"] == "content_block_start":
            assert current is None and event["index"] == count
            current, count = event["content_block"]["type"], count + 1
        else:
            assert current and event["index"] == count - 1
            if event["type"] == "content_block_delta":
                assert event["delta"]["type"] in kinds[current]
            else:
                current = None
    assert current is None


def test_a_whole_answer_is_of_the_published_form(door):
    status, headers, answer = raw(door, "/v1/messages", {"model": door.model, "max_tokens": 500, "messages": ask("Use get_weather."), "tools": [WEATHER]})
    assert status == 200 and headers["request-id"], answer
    Message.model_validate_json(answer, strict=True)


@both_ways
@pytest.mark.parametrize("tools", [[WEATHER], [WEATHER, TIME]], ids=["one call", "parallel calls"])
def test_a_tool_loop_runs_to_its_end(door, tools, streams):
    messages = ask(" and ".join(["Use get_weather", "get_time"][:len(tools)]) + ".")
    first = turn(door, messages, streams, tools=tools)
    assert first.stop_reason == "tool_use"
    made = calls(first)
    assert [call.name for call in made] == [tool["name"] for tool in tools] and len({call.id for call in made}) == len(made)
    assert made[0].input == {"city": "example"}
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": RESULTS[call.name], "is_error": call.name == "get_time"} for call in made]
    messages += [
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
        # In another order, and behind a text: the proxy puts them right.
        {"role": "user", "content": [{"type": "text", "text": "Here:"}, *reversed(results)] if len(results) > 1 else results},
    ]
    second = turn(door, messages, streams, tools=tools)
    assert second.stop_reason == "end_turn" and not calls(second)
    assert len(results) > 1 or "drizzle, 7 degrees" in said(second)
    assert len(results) == 1 or "Error: half past nine" in door.last and "drizzle, 7 degrees" in door.last


@both_ways
def test_a_tool_can_be_forced_and_forbidden(door, streams):
    tools = [WEATHER, TIME]
    forced = turn(door, ask("Hi."), streams, tools=tools, tool_choice={"type": "any"})
    assert forced.stop_reason == "tool_use" and calls(forced)
    single = turn(door, ask("Use get_weather and get_time."), streams, tools=tools, tool_choice={"type": "auto", "disable_parallel_tool_use": True})
    assert [call.name for call in calls(single)] == ["get_weather"]
    none = turn(door, ask("Use get_weather."), streams, tools=tools, tool_choice={"type": "none"})
    assert none.stop_reason == "end_turn" and not calls(none)


@pytest.mark.parametrize("door", ["grok-4", None], ids=["grok", "provider"], indirect=True)
def test_one_tool_can_be_forced(door):
    answer = turn(door, ask("Hi."), tools=[WEATHER, TIME], tool_choice={"type": "tool", "name": "get_time"})
    assert [(call.name, call.input) for call in calls(answer)] == [("get_time", {})]


def test_the_clients_own_runner_goes_round_the_loop(door):
    """It asks for a conversation kept here, and does without when refused."""
    asked = []

    @beta_tool
    def get_weather(city: str) -> str:
        """Current weather.

        Args:
            city: Where.
        """
        asked.append(city)
        return RESULTS["get_weather"]

    runner = client(door).beta.messages.tool_runner(
        model=door.model, max_tokens=500, tools=[get_weather], messages=ask("Use get_weather for Oslo."))
    assert "drizzle" in said(runner.until_done()) and asked == ["example"]


@both_ways
def test_a_limit_and_a_stop_end_an_answer(door, streams):
    answer = turn(door, ask("one two three four five six seven eight nine ten"), streams, max_tokens=10)
    assert answer.stop_reason == "max_tokens"
    answer = turn(door, ask("one two three four five"), streams, stop_sequences=["three"])
    assert said(answer).rstrip() == "You said: one two"
    assert (answer.stop_reason, answer.stop_sequence) in [("stop_sequence", "three"), ("end_turn", None)]


@pytest.mark.parametrize("door", ["grok-4", None], ids=["grok", "provider"], indirect=True)
def test_images_arrive_of_users_and_of_tools(door):
    answer = turn(door, [{"role": "user", "content": [IMAGE, {"type": "text", "text": "What is this?"}]}])
    assert "image" in said(answer)
    messages = ask("Use get_weather.")
    call = calls(turn(door, messages, tools=[WEATHER]))[0]
    messages += [
        {"role": "assistant", "content": [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "a chart"}, IMAGE]}]},
    ]
    assert "image" in said(turn(door, messages, tools=[WEATHER])), "hoisted out of the result, which no chat model takes it in"


def test_structured_output_is_parsed(door):
    class Person(pydantic.BaseModel):
        name: str
        age: int

    answer = client(door).messages.parse(model=door.model, max_tokens=500, messages=ask("A person, please."), output_format=Person)
    assert isinstance(answer.parsed_output, Person)


@both_ways
@pytest.mark.parametrize("display", [None, "omitted"], ids=["shown", "omitted"])
def test_thinking_is_told_and_taken_back(thinker, streams, display):
    thinking = {"type": "enabled", "budget_tokens": 2000, **({"display": display} if display else {})}
    messages = ask("Use get_weather.")
    first = turn(thinker, messages, streams, thinking=thinking, tools=[WEATHER])
    thought = first.content[0]
    assert thought.type == "thinking" and thought.signature
    assert bool(thought.thinking) == (display is None), "hidden, it travels in the signature"
    call = calls(first)[0]
    messages += [
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "drizzle"}]},
    ]
    second = turn(thinker, messages, streams, thinking=thinking, tools=[WEATHER])
    assert "drizzle" in said(second)
    if thinker.provider:
        assert [m.get("reasoning_content") for m in json.loads(thinker.last)["messages"]] == [None, "The user wants an answer.", None]
    plain = turn(thinker, ask("Hi."), streams)
    assert [block.type for block in plain.content] == ["text"]


def test_what_other_clients_send_beside_is_no_reason_to_refuse(door):
    """Claude Code's habits: cache marks, settings of later days, system messages among the others, tools that Anthropic runs."""
    answer = client(door).messages.create(
        model=door.model, max_tokens=500, metadata={"user_id": '{"device_id":"0","session_id":"1"}'},
        system=[{"type": "text", "text": "x-anthropic-billing-header: cc_version=1"}, {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "Say hello.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
            {"role": "system", "content": "The tide is high."},
        ],
        tools=[WEATHER, {"type": "web_search_20250305", "name": "web_search"}], extra_headers={"anthropic-beta": "no-such-beta-2030-01-01"},
        extra_body={"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}, "no_such_field": 1})
    assert answer.stop_reason == "end_turn"
    assert "billing" not in door.last and "The tide is high." in door.last and "web_search" not in door.last


def test_a_tool_that_only_anthropic_runs_is_refused_when_it_is_alone(door):
    with pytest.raises(anthropic.BadRequestError) as caught:
        turn(door, ask("Search."), tools=[{"type": "web_search_20250305", "name": "web_search"}])
    assert caught.value.body["error"]["type"] == "invalid_request_error" and "tools.0" in caught.value.body["error"]["message"]


def test_tokens_are_counted_with_tools(door):
    count = client(door).messages.count_tokens
    plain, equipped = count(model=door.model, messages=ask("Say hello.")), count(model=door.model, messages=ask("Say hello."), tools=[WEATHER])
    assert 0 < plain.input_tokens < equipped.input_tokens
    with pytest.raises(anthropic.NotFoundError):
        count(model="no-such-model", messages=ask("Hi."))


@both_ways
def test_a_warm_up_says_nothing(door, streams):
    answer = turn(door, ask("Hi."), streams, max_tokens=0)
    assert answer.stop_reason == "max_tokens" and said(answer) == ""


def test_lists_models(door):
    page = client(door).models.list(limit=1000)
    assert door.model in [model.id for model in page] and not page.has_more
    model = client(door).models.retrieve(door.model)
    assert model.id == door.model and model.type == "model" and model.display_name and model.created_at


@both_ways
def test_a_refusal_and_cached_tokens_are_told(provider_door, streams):
    answer = turn(provider_door, ask("say refused"), streams)
    assert answer.stop_reason == "refusal" and answer.stop_details.explanation == REFUSAL and said(answer) == REFUSAL
    usage = turn(provider_door, ask("Say hello."), streams).usage
    assert usage.cache_read_input_tokens == 4 and usage.cache_creation_input_tokens == 0 and usage.input_tokens > 0


def test_an_answer_that_breaks_is_an_error(provider_door):
    with pytest.raises(anthropic.APIStatusError, match="lost") as caught:
        turn(provider_door, ask("say broken"), streams=True)
    assert caught.value.body["type"] == "error" and caught.value.body["error"]["type"] == "api_error"
    with pytest.raises(anthropic.InternalServerError) as caught:
        turn(provider_door, ask("say broken"))
    assert caught.value.body["error"]["type"] == "api_error"


def test_a_long_prompt_is_refused_in_words_that_claude_code_reads(provider_door):
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: 9000 tokens > 8192 maximum") as caught:
        turn(provider_door, ask("say overlong"))
    assert caught.value.body["error"]["type"] == "invalid_request_error"


def test_errors_are_of_the_dialects_shape(door):
    with pytest.raises(anthropic.AuthenticationError) as caught:
        client(door, api_key="wrong").messages.create(model=door.model, max_tokens=5, messages=ask("Hi."))
    assert caught.value.body["error"]["type"] == "authentication_error" and caught.value.response.headers["x-should-retry"] == "false"
    with pytest.raises(anthropic.NotFoundError) as caught:
        turn(door, ask("Hi."), model="no-such-model")
    assert caught.value.body["error"]["type"] == "not_found_error" and "no-such-model" in caught.value.message
    with pytest.raises(anthropic.BadRequestError) as caught:
        turn(door, [*ask("Hi."), {"role": "pirate", "content": "Arr."}])
    assert caught.value.body["error"]["type"] == "invalid_request_error" and "messages.1.role" in caught.value.message
    if not door.provider:  # which judges for itself what it is sent
        with pytest.raises(anthropic.BadRequestError, match="temperature"):
            turn(door, ask("Hi."), extra_body={"temperature": "hot"})
    with pytest.raises(anthropic.BadRequestError, match="max_tokens: Field required"):
        client(door).post("/v1/messages", cast_to=object, body={"model": door.model, "messages": ask("Hi.")})
    with pytest.raises(anthropic.NotFoundError) as caught:
        client(door).messages.batches.list()
    assert caught.value.body["error"]["type"] == "not_found_error"
    assert caught.value.body["request_id"] == caught.value.response.headers["request-id"]
    status, _, answer = raw(door, "/v1/messages", None)
    assert status == 405 and json.loads(answer)["type"] == "error", answer


@pytest.mark.parametrize("base", ["/v1", "/v1/v1", ""])
@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
def test_bases_and_keys_of_all_generations_do(door, base, header):
    key = {"auth_token": door.key, "api_key": None} if header == "authorization" else {"api_key": door.key, "default_headers": {"x-api-key": door.key, "authorization": ""}}
    answer = client(door, base_url=door.base + base, **key).messages.create(model=door.model, max_tokens=50, messages=ask("Say hello."))
    assert answer.stop_reason == "end_turn"
