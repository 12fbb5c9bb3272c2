"""The Responses API of the official OpenAI client over OCI and over a provider that speaks chat completions only."""
import json
import urllib.error
import urllib.request

import openai
import pydantic
import pytest
from openai.types.responses import Response, ResponseStreamEvent

from talking_provider import REFUSAL
from test_openai_client import PIXEL

WEATHER = {
    "type": "function", "name": "get_weather", "description": "Current weather", "strict": True,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
}
TIME = {"type": "function", "name": "get_time", "description": "The time", "parameters": {"type": "object", "properties": {}}, "strict": False}
PATCH = {
    "type": "custom", "name": "apply_patch", "description": "Applies a patch",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"},
}
RESULTS = {"get_weather": "drizzle, 7 degrees", "get_time": "half past nine", "apply_patch": "Done."}

both_ways = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])


def client(door, **settings):
    return openai.OpenAI(**{"base_url": f"{door.base}/v1", "api_key": door.key, "max_retries": 0, **settings})


def turn(door, given, streams=False, **settings):
    settings = {"model": door.model, "input": given, "max_output_tokens": 500, **settings}
    if not streams:
        return client(door).responses.create(**settings)
    with client(door).responses.stream(**settings) as stream:
        return stream.get_final_response()


def calls(response):
    return [item for item in response.output if item.type in ("function_call", "custom_tool_call")]


def results(response):
    """What a client answers its calls with."""
    return [{"type": f"{call.type}_output", "call_id": call.call_id, "output": RESULTS[call.name]} for call in calls(response)]


def post(door, body, path="/v1/responses", key=None):
    headers = {"content-type": "application/json", "authorization": f"Bearer {key or door.key}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{door.base}{path}", json.dumps(body).encode(), headers), timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@both_ways
def test_answers(door, streams):
    answer = turn(door, "Say hello to the harbour.", streams, instructions="Be brief.")
    assert answer.id.startswith("resp_") and answer.model == door.model and answer.status == "completed"
    assert "harbour" in answer.output_text and [item.type for item in answer.output] == ["message"]
    assert answer.instructions == "Be brief." and answer.max_output_tokens == 500 and answer.error is None
    assert 0 < answer.usage.input_tokens < answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert "Be brief." in door.last


def test_an_answer_without_a_limit_is_whole(door):
    words = " ".join(f"word{n}" for n in range(60))
    answer = client(door).responses.create(model=door.model, input=words)
    assert answer.status == "completed" and answer.output_text.endswith("word59")


STREAMS = {
    "text": ("Say hello.", {}), "tools": ("Use get_weather and get_time.", {"tools": [WEATHER, TIME]}),
    "custom": ("Use apply_patch.", {"tools": [PATCH]}), "cut": ("one two three four five six seven eight nine ten", {"max_output_tokens": 10}),
    "summary": ("Say hello.", {"reasoning": {"summary": "auto"}, "include": ["reasoning.encrypted_content"]}),
}


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_is_in_order_and_of_the_published_form(door, case):
    text, settings = STREAMS[case]
    status, answer = post(door, {"model": door.model, "input": text, "max_output_tokens": 500, "stream": True, **settings})
    assert status == 200, answer
    told = []
    for block in answer.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        pydantic.TypeAdapter(ResponseStreamEvent).validate_python(event)
        told.append(event)
    check_order(told, "response.incomplete" if case == "cut" else "response.completed")


def check_order(told, end):
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert [event["type"] for event in told[:2]] == ["response.created", "response.in_progress"] and told[-1]["type"] == end
    items, done, texts = [], [], {}
    for event in told[2:-1]:
        kind, place = event["type"], event["output_index"]
        if kind == "response.output_item.added":
            assert place == len(items) == len(done), "one item after the other"
            items.append(event["item"]["id"])
            continue
        assert place == len(items) - 1 and len(done) == place
        if kind == "response.output_item.done":
            assert event["item"]["id"] == items[place]
            done.append(event["item"])
            continue
        assert event["item_id"] == items[place]
        part = kind.rsplit(".", 1)[0], place, event.get("content_index"), event.get("summary_index")
        if kind.endswith(".delta"):
            texts[part] = texts.get(part, "") + event["delta"]
        elif kind.endswith(".done") and "part" not in event:
            whole = next(event[name] for name in ("text", "arguments", "input", "refusal") if name in event)
            assert texts.get(part, "") == whole
    assert told[-1]["response"]["output"] == done
    assert {event["response"]["id"] for event in told if "response" in event} == {told[0]["response"]["id"]}


@pytest.mark.parametrize("tools", [[], [WEATHER, TIME, PATCH]], ids=["text", "tools"])
def test_a_whole_answer_is_of_the_published_form(door, tools):
    body = {"model": door.model, "input": "Use get_weather and apply_patch.", "tools": tools, "max_output_tokens": 500}
    status, answer = post(door, body)
    assert status == 200, answer
    Response.model_validate_json(answer)
    answer = json.loads(answer)
    assert {"presence_penalty", "frequency_penalty", "service_tier", "truncation", "text", "store", "completed_at"} <= answer.keys()
    assert [tool["name"] for tool in answer["tools"]] == [tool["name"] for tool in tools]


@both_ways
@pytest.mark.parametrize("tools", [[WEATHER], [WEATHER, TIME], [PATCH], [WEATHER, PATCH]], ids=["one", "parallel", "custom", "mixed"])
def test_a_tool_loop_runs_to_its_end(door, tools, streams):
    given = [{"role": "user", "content": "Use " + " and ".join(tool["name"] for tool in tools) + "."}]
    first = turn(door, given, streams, tools=tools, store=False)
    made = calls(first)
    assert first.status == "completed" and [call.name for call in made] == [tool["name"] for tool in tools]
    assert len({call.call_id for call in made}) == len({call.id for call in made}) == len(made)
    for call in made:
        if call.name == "apply_patch":
            assert call.type == "custom_tool_call" and call.input == "example"
        else:
            assert call.type == "function_call" and json.loads(call.arguments) == ({"city": "example"} if call.name == "get_weather" else {})
    given += [item.model_dump(exclude_none=True) for item in first.output] + results(first)
    second = turn(door, given, streams, tools=tools, store=False)
    assert not calls(second)
    assert second.output_text == "The tools answered: " + "; ".join(RESULTS[tool["name"]] for tool in tools)


@both_ways
def test_a_tool_in_a_namespace_keeps_both_names(door, streams):
    namespace = {"type": "namespace", "name": "mcp__harbour", "description": "The harbour's", "tools": [WEATHER]}
    body = {"tools": [namespace, {"type": "web_search"}], "store": False}
    first = client(door).responses.create(
        model=door.model, input="Use mcp__harbour__get_weather.", max_output_tokens=500, stream=streams, extra_body=body)
    first = list(first)[-1].response if streams else first
    [call] = calls(first)
    assert (call.name, call.namespace, json.loads(call.arguments)) == ("get_weather", "mcp__harbour", {"city": "example"})
    given = [{"role": "user", "content": "Use mcp__harbour__get_weather."}, *(item.model_dump(exclude_none=True) for item in first.output), *results(first)]
    second = client(door).responses.create(model=door.model, input=given, max_output_tokens=500, extra_body=body)
    assert second.output_text == "The tools answered: drizzle, 7 degrees"


def test_a_tool_can_be_forced_and_forbidden(door):
    tools = [WEATHER, TIME]
    assert calls(turn(door, "Hi.", tools=tools, tool_choice="required"))
    assert not calls(turn(door, "Use get_weather.", tools=tools, tool_choice="none"))
    assert len(calls(turn(door, "Use get_weather and get_time.", tools=tools, parallel_tool_calls=False))) == 1
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_time"}]}
    assert [call.name for call in calls(turn(door, "Use get_weather and get_time.", tools=tools, tool_choice=allowed))] == ["get_time"]


def test_tools_that_only_openai_runs(door):
    assert "hello" in turn(door, "Say hello.", tools=[{"type": "web_search"}, WEATHER]).output_text, "beside others they are left out"
    with pytest.raises(openai.BadRequestError) as caught:
        turn(door, "Search.", tools=[{"type": "web_search"}])
    assert caught.value.code == "unsupported_value" and caught.value.param.startswith("tools")


@both_ways
def test_structured_output_is_parsed(door, streams):
    class Person(pydantic.BaseModel):
        name: str
        age: int

    settings = {"model": door.model, "input": "A person, please.", "text_format": Person, "max_output_tokens": 500}
    if streams:
        with client(door).responses.stream(**settings) as stream:
            answer = stream.get_final_response()
    else:
        answer = client(door).responses.parse(**settings)
    assert isinstance(answer.output_parsed, Person)


@pytest.mark.parametrize("door", ["grok-4", None], ids=["grok", "provider"], indirect=True)
def test_images_arrive_of_users_and_of_tools(door):
    image = {"type": "input_image", "image_url": PIXEL, "detail": "low"}
    given = [{"role": "user", "content": [{"type": "input_text", "text": "What is this?"}, image]}]
    assert "image" in turn(door, given).output_text
    given = [{"role": "user", "content": "Use get_weather."}]
    first = turn(door, given, tools=[WEATHER])
    given += [item.model_dump(exclude_none=True) for item in first.output]
    given.append({"type": "function_call_output", "call_id": calls(first)[0].call_id, "output": [{"type": "input_text", "text": "a chart"}, image]})
    assert "image" in turn(door, given, tools=[WEATHER]).output_text


@both_ways
def test_reasoning_is_told_and_taken_back(thinker, streams):
    settings = {"tools": [WEATHER], "reasoning": {"summary": "auto"}, "include": ["reasoning.encrypted_content"], "store": False}
    given = [{"role": "user", "content": "Use get_weather."}]
    first = turn(thinker, given, streams, **settings)
    assert [item.type for item in first.output] == ["reasoning", "function_call"]
    assert first.output[0].summary[0].text.startswith("The user wants an answer.") and first.output[0].encrypted_content
    given += [item.model_dump(exclude_none=True) for item in first.output] + results(first)
    second = turn(thinker, given, streams, **settings)
    assert "drizzle" in second.output_text
    if thinker.provider:
        assert [m.get("reasoning_content") for m in json.loads(thinker.last)["messages"]] == [None, "The user wants an answer.", None]
    plain = turn(thinker, "Hi.", streams)
    assert [item.type for item in plain.output] == ["message"], "nobody has asked for it"


# What the proxy keeps


@both_ways
def test_a_response_is_built_upon(door, streams):
    first = turn(door, "The password is swordfish.", streams, instructions="Speak as a pirate.")
    second = turn(door, "What is the password?", streams, previous_response_id=first.id)
    assert second.previous_response_id == first.id and second.id != first.id
    assert all(text in door.last for text in ["swordfish", "You said: ", "What is the password?"])
    assert "pirate" not in door.last, "instructions are not carried over"
    turn(door, "Once more.", streams, previous_response_id=second.id)
    assert all(text in door.last for text in ["swordfish", "What is the password?", "Once more."])


def test_a_response_can_be_gone_on_with_without_anything_new(door):
    first = turn(door, "The password is swordfish.")
    assert turn(door, openai.omit, previous_response_id=first.id).status == "completed" and "swordfish" in door.last


@both_ways
def test_a_tool_loop_runs_on_what_is_kept(door, streams):
    first = turn(door, "Use get_weather and get_time.", streams, tools=[WEATHER, TIME])
    second = turn(door, results(first), streams, tools=[WEATHER, TIME], previous_response_id=first.id)
    assert second.output_text == "The tools answered: drizzle, 7 degrees; half past nine"


@both_ways
def test_a_response_is_kept_and_can_be_taken_away(door, streams):
    responses = client(door).responses
    given = [{"role": "user", "content": "Say hello."}, {"role": "user", "content": "And more."}]
    made = responses.create(model=door.model, input=given, metadata={"k": "v"}, stream=streams)
    made = list(made)[-1].response if streams else made
    kept = responses.retrieve(made.id)
    assert kept.to_dict() == made.to_dict() and kept.store is True and kept.metadata == {"k": "v"}
    items = responses.input_items.list(made.id, order="asc").data
    assert [item.content[0].text if not isinstance(item.content, str) else item.content for item in items] == ["Say hello.", "And more."]
    assert all(item.id for item in items)
    page = responses.input_items.list(made.id, limit=1)
    assert page.data[0].id == items[1].id and page.has_more, "the newest first"
    assert [item.id for item in page] == [items[1].id, items[0].id], "over all pages"
    responses.delete(made.id)
    for gone in (lambda: responses.retrieve(made.id), lambda: responses.delete(made.id), lambda: responses.input_items.list(made.id)):
        with pytest.raises(openai.NotFoundError):
            gone()
    with pytest.raises(openai.BadRequestError) as caught:
        turn(door, "And?", previous_response_id=made.id)
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


@both_ways
def test_a_response_that_is_not_to_be_kept_is_not(door, streams):
    made = turn(door, "Say hello.", streams, store=False)
    assert made.store is False
    with pytest.raises(openai.NotFoundError):
        client(door).responses.retrieve(made.id)


def test_what_is_kept_is_nobody_elses(provider_door):
    made = turn(provider_door, "The password is swordfish.")
    other = client(provider_door, api_key="sk-client-2").responses
    for asked in (other.retrieve, other.delete, other.input_items.list):
        with pytest.raises(openai.NotFoundError):
            asked(made.id)
    with pytest.raises(openai.BadRequestError) as caught:
        other.create(model=provider_door.model, input="What is the password?", previous_response_id=made.id)
    assert caught.value.code == "previous_response_not_found"
    assert client(provider_door).responses.retrieve(made.id).id == made.id


def test_an_item_can_be_referred_to(door):
    first = turn(door, "Use get_weather.", tools=[WEATHER])
    given = [{"role": "user", "content": "Use get_weather."}, {"type": "item_reference", "id": calls(first)[0].id}, *results(first)]
    assert turn(door, given, tools=[WEATHER]).output_text == "The tools answered: drizzle, 7 degrees"
    with pytest.raises(openai.NotFoundError):
        turn(door, [{"type": "item_reference", "id": "msg_nowhere"}, {"role": "user", "content": "Hi."}])
    assert "hello" in turn(door, [{"type": "item_reference", "id": "rs_nowhere"}, {"role": "user", "content": "Say hello."}]).output_text


def test_what_is_to_run_in_the_background_is_there_when_it_is_polled(door):
    responses = client(door).responses
    made = turn(door, "Say hello.", background=True)
    assert made.background is True and responses.retrieve(made.id).status == "completed"
    assert responses.cancel(made.id).id == made.id
    plain = turn(door, "Say hello.")
    with pytest.raises(openai.BadRequestError):
        responses.cancel(plain.id)


def test_unknown_ids_are_not_found(door):
    responses = client(door).responses
    for asked in (responses.retrieve, responses.delete, responses.cancel, responses.input_items.list):
        with pytest.raises(openai.NotFoundError, match="resp_nowhere"):
            asked("resp_nowhere")
    with pytest.raises(openai.BadRequestError) as caught:
        turn(door, "Hi.", previous_response_id="resp_nowhere")
    assert caught.value.code == "previous_response_not_found"


def test_tokens_are_counted_with_tools(door):
    count = client(door).responses.input_tokens.count
    plain, equipped = count(model=door.model, input="Say hello."), count(model=door.model, input="Say hello.", tools=[WEATHER])
    assert plain.object == "response.input_tokens" and 0 < plain.input_tokens < equipped.input_tokens


# Ends that are none


@both_ways
def test_a_limit_leaves_a_response_incomplete(door, streams):
    events = client(door).responses.create(model=door.model, input="one two three four five six seven eight nine ten", max_output_tokens=10, stream=streams)
    answer = list(events)[-1].response if streams else events
    assert answer.status == "incomplete" and answer.output[-1].status == "incomplete" and answer.incomplete_details.reason == "max_output_tokens"


@both_ways
def test_a_refusal_and_cached_tokens_are_told(provider_door, streams):
    answer = turn(provider_door, "say refused", streams)
    assert answer.status == "completed" and [(part.type, part.refusal) for part in answer.output[0].content] == [("refusal", REFUSAL)]
    assert answer.usage.input_tokens_details.cached_tokens == 4 and answer.usage.input_tokens_details.cache_write_tokens == 0


def test_an_answer_that_breaks_is_a_failed_one(provider_door):
    told = list(client(provider_door).responses.create(model=provider_door.model, input="say broken", stream=True))
    assert told[-1].type == "response.failed" and told[-1].response.status == "failed" and told[-1].response.error.code == "server_error"
    assert told[-1].response.output[0].content[0].text == "You said: say broken", "what has been said so far"
    with pytest.raises(openai.InternalServerError):
        turn(provider_door, "say broken")


@both_ways
def test_a_long_prompt_is_refused_with_its_code(provider_door, streams):
    with pytest.raises(openai.BadRequestError) as caught:
        turn(provider_door, "say overlong", streams)
    assert caught.value.code == "context_length_exceeded"


def test_log_probabilities_are_told(provider_door):
    answer = turn(provider_door, "Say hello.", include=["message.output_text.logprobs"], top_logprobs=2)
    told = answer.output[0].content[0].logprobs
    assert "".join(token.token for token in told) == answer.output_text and len(told[0].top_logprobs) == 2


@pytest.mark.parametrize("part", [{"type": "input_image", "file_id": "file_1"}, {"type": "input_file", "file_url": "https://example.com/a.pdf"}], ids=["image", "file"])
def test_a_file_that_is_elsewhere_is_refused_by_its_place(door, part):
    with pytest.raises(openai.BadRequestError) as caught:
        turn(door, [{"role": "user", "content": "Hi."}, {"role": "user", "content": [{"type": "input_text", "text": "This?"}, part]}])
    assert caught.value.param == "input" and "input[1].content" in caught.value.message


def test_errors_are_of_the_dialects_shape(door):
    with pytest.raises(openai.AuthenticationError):
        client(door, api_key="wrong").responses.create(model=door.model, input="Hi.")
    with pytest.raises(openai.NotFoundError) as caught:
        turn(door, "Hi.", model="no-such-model")
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as caught:
        turn(door, "Hi.", max_output_tokens=None, extra_body={"store": "never"})
    assert caught.value.param == "store"
    if not door.provider:  # which judges for itself what it is sent
        with pytest.raises(openai.BadRequestError) as caught:
            turn(door, "Hi.", temperature="hot")
        assert caught.value.param == "temperature"
    with pytest.raises(openai.BadRequestError) as caught:
        turn(door, [{"role": "user", "content": "Hi."}, {"role": "pirate", "content": "Arr."}])
    assert caught.value.param.startswith("input[1]")
    for member in ("prompt", "conversation"):
        with pytest.raises(openai.BadRequestError) as caught:
            turn(door, "Hi.", extra_body={member: {"id": "x_1"}})
        assert (caught.value.code, caught.value.param) == ("unsupported_parameter", member)
    with pytest.raises(openai.NotFoundError):
        client(door).responses.compact(model=door.model, input="Hi.")
    with pytest.raises(openai.NotFoundError):
        client(door).conversations.create()
