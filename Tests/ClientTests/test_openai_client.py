"""The official OpenAI client, as a person would use it."""
import json

import openai
import pytest

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MODELS = ["grok-4", "llama-3.3-70b", "gemini-2.5-flash", "gpt-oss-120b"]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture()
def client(proxy):
    return openai.OpenAI(base_url=proxy.base + "/v1", api_key=proxy.key, max_retries=0)


def ask(text):
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("model", MODELS)
def test_chats(client, model):
    answer = client.chat.completions.create(model=model, messages=ask("Say hello to the harbour."))
    assert answer.model == model
    assert "harbour" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@pytest.mark.parametrize("model", MODELS)
def test_streams(client, model):
    stream = client.chat.completions.create(
        model=model, messages=ask("Say hello to the harbour."), stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.model == model for chunk in chunks)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert "harbour" in text
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_the_stream_helper_accumulates(client, model):
    with client.chat.completions.stream(model=model, messages=ask("Say hello to the harbour.")) as stream:
        answer = stream.get_final_completion()
    assert "harbour" in answer.choices[0].message.content


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_tool_loop_runs_to_its_end(client, model, streams):
    messages = ask("Use get_weather to tell the weather in Oslo.")

    def turn():
        if not streams:
            return client.chat.completions.create(model=model, messages=messages, tools=[TOOL]).choices[0]
        with client.chat.completions.stream(model=model, messages=messages, tools=[TOOL]) as stream:
            return stream.get_final_completion().choices[0]

    first = turn()
    assert first.finish_reason == "tool_calls"
    call = first.message.tool_calls[0]
    assert call.id and call.function.name == "get_weather"
    assert "city" in json.loads(call.function.arguments)
    messages.append({
        "role": "assistant", "content": None,
        "tool_calls": [{"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": call.function.arguments}}],
    })
    messages.append({"role": "tool", "tool_call_id": call.id, "content": "drizzle, 7 degrees"})
    second = turn()
    assert second.finish_reason == "stop"
    assert "drizzle" in second.message.content


def test_an_image_arrives(client):
    answer = client.chat.completions.create(
        model="grok-4",
        messages=[{"role": "user", "content": [
            {"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}]}])
    assert "image" in answer.choices[0].message.content


def test_structured_output_is_json(client):
    answer = client.chat.completions.create(
        model="grok-4", messages=ask("A person, please."),
        response_format={"type": "json_schema", "json_schema": {
            "name": "person", "strict": True,
            "schema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": False}}})
    assert isinstance(json.loads(answer.choices[0].message.content), dict)


def test_lists_models(client):
    models = client.models.list().data
    assert {"grok-4", "llama-3.3-70b"} <= {model.id for model in models}
    assert client.models.retrieve("grok-4").id == "grok-4"


def test_a_wrong_key_is_the_clients_own_error(proxy):
    client = openai.OpenAI(base_url=proxy.base + "/v1", api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.create(model="grok-4", messages=ask("hi"))
    assert caught.value.code == "invalid_api_key"


def test_an_unknown_model_is_named_with_its_neighbours(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="grok-44", messages=ask("hi"))
    assert caught.value.code == "model_not_found"
    assert "grok-4" in caught.value.message


def test_a_bad_field_is_named(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="grok-4", messages=ask("hi"), extra_body={"temperature": "hot"})
    assert caught.value.param == "temperature"
