"""What upstreams really say, read by the official client: every habit gives the same answer, in the form that OpenAI publishes."""
import json

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from fake_provider import FakeProvider
from habits import CALLS, HABITS, answer
from test_providers import aggregator, client, entry, get, post  # noqa: F401

QUESTION = [{"role": "user", "content": "call f"}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}}}}]


@pytest.fixture
def provider():
    made = FakeProvider()
    yield made
    made.stop()


@pytest.mark.parametrize("habit", HABITS)
def test_every_habit_gives_its_answer(aggregator, provider, habit):  # noqa: F811
    server = aggregator(providers=[entry("odd", provider)])
    provider.answer = answer(habit)
    told = client(server).chat.completions.create(model="odd/m1", messages=QUESTION, tools=TOOLS).choices[0]
    assert told.message.content == "one two" and told.finish_reason == "tool_calls"
    check(told.message.tool_calls)
    with client(server).chat.completions.stream(model="odd/m1", messages=QUESTION, tools=TOOLS) as stream:
        told = stream.get_final_completion().choices[0]
    assert told.message.content == "one two" and told.finish_reason == "tool_calls"
    check(told.message.tool_calls)
    assert len(provider.chats) == 2, "nobody is asked twice"


def check(calls):
    assert [json.loads(call.function.arguments) for call in calls] == CALLS
    assert len({call.id for call in calls}) == 2 and all(call.id for call in calls)


@pytest.mark.parametrize("streams", [False, True])
def test_an_error_under_success_is_an_error(aggregator, provider, streams):  # noqa: F811
    server = aggregator(providers=[entry("odd", provider)], retry_attempts=0)
    provider.answer = 200, {}, b'{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}'
    with pytest.raises(openai.RateLimitError, match="slow down"):
        client(server).chat.completions.create(model="odd/m1", messages=QUESTION, stream=streams)


def test_a_models_owner_is_as_it_came(aggregator, provider):  # noqa: F811
    models = [{"id": "a", "object": "model", "created": 7, "owned_by": "vendor"}, {"id": "b", "object": "model", "created": 7}]
    provider.models = None
    server = aggregator(providers=[entry("odd", provider, model_list=["x"])])
    assert [model.owned_by for model in client(server).models.list()] == ["odd"]
    provider.list = {"object": "list", "data": models}
    listed = client(aggregator(providers=[entry("odd", provider)])).models.list()
    assert [(model.id, model.owned_by) for model in listed] == [("odd/a", "vendor"), ("odd/b", "odd")]


# The form that OpenAI publishes: its clients' types are made of it, and what it requires is written out, since the types allow for more.

REQUIRED = {"id", "object", "created", "model", "choices"}


def check_whole(body, model):
    TypeAdapter(ChatCompletion).validate_python(body)
    assert REQUIRED <= body.keys() and body["object"] == "chat.completion" and body["model"] == model and type(body["created"]) is int
    for choice in body["choices"]:
        assert {"index", "message", "finish_reason", "logprobs"} <= choice.keys()
        assert {"role", "content", "refusal"} <= choice["message"].keys()
    assert {"prompt_tokens", "completion_tokens", "total_tokens"} <= body["usage"].keys()


def check_chunks(chunks, model):
    assert len({chunk["id"] for chunk in chunks}) == 1 and chunks[0]["choices"][0]["delta"].get("role") == "assistant"
    for chunk in chunks:
        TypeAdapter(ChatCompletionChunk).validate_python(chunk)
        assert REQUIRED <= chunk.keys() and chunk["object"] == "chat.completion.chunk" and chunk["model"] == model and type(chunk["created"]) is int
        for choice in chunk["choices"]:
            assert {"index", "delta", "finish_reason"} <= choice.keys()
            for call in choice["delta"].get("tool_calls") or []:
                assert type(call["index"]) is int
    assert [chunk["usage"]["total_tokens"] > 0 for chunk in chunks if chunk.get("usage")] == [True] and chunks[-1]["choices"] == []


MODELS = ["grok-4", "grok-3-mini", "llama-3.3-70b", "gemini-2.5-flash", "gpt-oss-120b", "command-a", "command-a-reasoning", "command-r-plus-08-2024"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("more", [{}, {"logprobs": True, "top_logprobs": 2}, {"n": 2}, {"tools": TOOLS}], ids=["plain", "logprobs", "choices", "tools"])
def test_answers_have_the_published_form(proxy, model, more):
    if model.startswith("command") and more.keys() & {"n", "logprobs"}:
        pytest.skip("not of Cohere's")
    api = openai.OpenAI(base_url=f"{proxy.base}/v1", api_key=proxy.key, max_retries=0)
    question = {"model": model, "max_tokens": 200, "messages": QUESTION, **more}
    check_whole(json.loads(api.chat.completions.with_raw_response.create(**question).content), model)
    raw = api.chat.completions.with_raw_response.create(**question, stream=True, stream_options={"include_usage": True})
    lines = [line[6:] for line in raw.http_response.read().decode().split("\n\n") if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    check_chunks([json.loads(line) for line in lines[:-1]], model)
