"""Every kind of answer, held against the form that OpenAI publishes: chats whole and streamed, embeddings, model lists, errors."""
import json

import openai
import pytest

import openai_forms as forms
from fake_provider import FakeProvider
from habits import HABITS, answer
from test_habits import MODELS, QUESTION, TOOLS
from test_providers import aggregator, client, entry  # noqa: F401

FORMAT = {"type": "json_schema", "json_schema": {"name": "f", "schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}}


@pytest.fixture
def api(proxy):
    return openai.OpenAI(base_url=f"{proxy.base}/v1", api_key=proxy.key, max_retries=0)


def whole(api, question):
    return json.loads(api.chat.completions.with_raw_response.create(**question).content)


def chunks(api, question):
    raw = api.chat.completions.with_raw_response.create(**question, stream=True, stream_options={"include_usage": True})
    lines = [line[6:] for line in raw.http_response.read().decode().split("\n\n") if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("more", [{}, {"logprobs": True, "top_logprobs": 2}, {"n": 2}, {"tools": TOOLS}, {"response_format": FORMAT}],
                         ids=["plain", "logprobs", "choices", "tools", "schema"])
def test_a_chat_with_oci(api, model, more):
    if model.startswith("command") and more.keys() & {"n", "logprobs"}:
        pytest.skip("not of Cohere's")
    question = {"model": model, "max_tokens": 200, "messages": QUESTION, **more}
    forms.check(forms.COMPLETION, whole(api, question))
    for chunk in chunks(api, question):
        forms.check(forms.CHUNK, chunk)


@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("gathered", [False, True], ids=["as asked", "force_non_stream"])
def test_a_chat_with_a_provider_of_odd_habits(aggregator, habit, gathered):  # noqa: F811
    provider = FakeProvider()
    try:
        provider.answer = answer(habit)
        server = aggregator(providers=[entry("odd", provider)], force_non_stream=gathered)
        api = client(server)
        question = {"model": "odd/m1", "messages": QUESTION, "tools": TOOLS}
        forms.check(forms.COMPLETION, whole(api, question))
        for chunk in chunks(api, question):
            forms.check(forms.CHUNK, chunk)
    finally:
        provider.stop()


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings(api, encoding):
    raw = api.embeddings.with_raw_response.create(model="cohere.embed-v4.0", input=["one", "two"], encoding_format=encoding)
    forms.check(forms.EMBEDDINGS, json.loads(raw.content))


def test_models(api):
    listed = json.loads(api.models.with_raw_response.list().content)
    forms.check(forms.MODELS, listed)
    for model in listed["data"]:
        forms.check(forms.MODEL, json.loads(api.models.with_raw_response.retrieve(model["id"]).content))


@pytest.mark.parametrize("path, body, status", [
    ("/chat/completions", {"model": "no-such-model", "messages": QUESTION}, 404),
    ("/chat/completions", {"model": "grok-4", "messages": "one"}, 400),
    ("/chat/completions", {"model": "grok-4", "messages": []}, 400),
    ("/chat/completions", {"messages": QUESTION}, 400),
    ("/chat/completions", {"model": "grok-4", "messages": QUESTION, "temperature": "hot"}, 400),
    ("/chat/completions", [], 400),
    ("/embeddings", {"model": "cohere.embed-v4.0", "input": {}}, 400),
    ("/no-such-path", {}, 404),
    ("/models", {}, 405),
])
def test_a_refusal(api, path, body, status):
    with pytest.raises(openai.APIStatusError) as caught:
        api.post(path, body=body, cast_to=object)
    assert caught.value.status_code == status
    forms.check(forms.ERROR, caught.value.response.json())


def test_a_wrong_key(proxy):
    with pytest.raises(openai.AuthenticationError) as caught:
        openai.OpenAI(base_url=f"{proxy.base}/v1", api_key="wrong", max_retries=0).chat.completions.create(model="grok-4", messages=QUESTION)
    forms.check(forms.ERROR, caught.value.response.json())
