"""Every family of models behaves alike for the official client, and models need no configuration."""
import base64
import json
import struct
import urllib.error
import urllib.request

import openai
import pytest

# By the names that discovery gives; Cohere's are of the formats COHERE and COHEREV2.
FAMILIES = {
    "grok": "grok-4", "grok that shows its reasoning": "grok-3-mini", "llama": "llama-3.3-70b", "gemini": "gemini-2.5-pro",
    "gpt-oss": "gpt-oss-120b", "gpt-5": "gpt-5", "cohere": "command-a-03-2025", "cohere of old": "command-r-plus-08-2024",
    "cohere v2": "command-a-reasoning-08-2025",
}
EMBEDDINGS, RERANK = "embed-v4.0", "rerank.v3-5"
RESULTS = {"get-weather": "drizzle, 7 degrees", "get_time": "half past nine"}


def tool(name, **properties):
    return {"type": "function", "function": {
        "name": name, "description": f"Tells what {name} tells",
        "parameters": {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}}}


TOOLS = [
    tool("get-weather", city={"type": "string", "minLength": 1}, days={"type": "integer", "exclusiveMinimum": 0}),
    tool("get_time", zone={"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Zone"}),
]


@pytest.fixture(scope="module")
def client(proxy):
    client = openai.OpenAI(base_url=proxy.base + "/v1", api_key=proxy.key, max_retries=0)
    client.models.list()
    return client


def turn(client, model, messages, streams):
    """One answer, in the form of one that came in one piece."""
    if not streams:
        return client.chat.completions.create(model=model, messages=messages, tools=TOOLS, max_tokens=500).choices[0]
    with client.chat.completions.stream(model=model, messages=messages, tools=TOOLS, max_tokens=500) as stream:
        return stream.get_final_completion().choices[0]


def loop(client, model, question, streams):
    """Answers calls until there are none left, and tells what has happened."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]
    told = []
    for _ in range(5):
        choice = turn(client, model, messages, streams)
        calls = choice.message.tool_calls or []
        assert len({call.id for call in calls}) == len(calls)
        told.append((choice.finish_reason, [(call.type, call.function.name, json.loads(call.function.arguments)) for call in calls]))
        if not calls:
            return told, choice.message.content
        # Only what every client sends back.
        messages.append({"role": "assistant", "content": choice.message.content, "tool_calls": [
            {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": call.function.arguments}} for call in calls]})
        messages += [{"role": "tool", "tool_call_id": call.id, "content": RESULTS[call.function.name]} for call in calls]
    raise AssertionError("the loop has no end")


WEATHER = ("function", "get-weather", {"city": "example", "days": 1})
TIME = ("function", "get_time", {"zone": "example"})
# Where a family has no null, what may be null may be left out.
TIME_WITHOUT_NULL = ("function", "get_time", {})
KNOW_NULL = ("grok-", "gpt-")


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", FAMILIES.values(), ids=FAMILIES.keys())
@pytest.mark.parametrize("question, calls, answer", [
    ("Ask get-weather, which is get_weather to some.", [WEATHER], "The tools answered: drizzle, 7 degrees"),
    ("Ask get-weather (or get_weather) and get_time.", [WEATHER, TIME], "The tools answered: drizzle, 7 degrees; half past nine"),
], ids=["one call", "parallel calls"])
def test_the_tool_loop_has_equal_results_in_every_family(client, model, question, calls, answer, streams):
    told, content = loop(client, model, question, streams)
    if not model.startswith(KNOW_NULL):
        calls = [TIME_WITHOUT_NULL if call == TIME else call for call in calls]
    assert told == [("tool_calls", calls), ("stop", [])]
    assert content == answer


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", FAMILIES.values(), ids=FAMILIES.keys())
def test_the_conversation_goes_on_after_a_tool_loop(client, model, streams):
    call = {"id": "call_x", "type": "function", "function": {"name": "get-weather", "arguments": '{"city":"Oslo","days":1}'}}
    messages = [
        {"role": "user", "content": "The weather?"}, {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_x", "content": "drizzle"}, {"role": "assistant", "content": "It drizzles."},
        {"role": "user", "content": "Thank you, and good night."}]
    choice = turn(client, model, messages, streams)
    assert (choice.finish_reason, choice.message.content) == ("stop", "You said: Thank you, and good night.")
    assert not choice.message.tool_calls


# Models


def test_the_list_has_friendly_names_of_models_that_no_configuration_names(client):
    models = {model.id: model for model in client.models.list()}
    assert set(FAMILIES.values()) <= models.keys()
    assert "command-a" in models, "the configuration's own name stands beside it"
    for hidden in ("my-support-bot", "command-r-plus-v1", "llama-9-8b"):
        assert hidden not in models
    purposes = {name: models[name].model_extra["capabilities"] for name in (EMBEDDINGS, RERANK, "grok-3")}
    assert purposes == {EMBEDDINGS: ["embeddings"], RERANK: ["rerank"], "grok-3": ["chat"]}
    assert models["grok-3"].model_extra["context_length"] == 131_072
    grok = client.models.retrieve("grok-3")
    assert (grok.id, grok.owned_by, grok.object) == ("grok-3", "xai", "model") and grok.created > 1_700_000_000
    assert (grok.model_extra["oci_model_id"], grok.model_extra["accounts"]) == ("xai.grok-3", ["default"])


# Embeddings


def test_vectors_are_equal_in_both_encodings(client):
    texts = ["the harbour at night", "ünïcödé 🚀", "a third"]
    by_default = client.embeddings.create(model=EMBEDDINGS, input=texts)
    floats = client.embeddings.create(model=EMBEDDINGS, input=texts, encoding_format="float")
    raw = client.embeddings.create(model=EMBEDDINGS, input=texts, encoding_format="base64")
    assert [entry.index for entry in by_default.data] == [0, 1, 2]
    vectors = [list(entry.embedding) for entry in by_default.data]
    assert vectors == [entry.embedding for entry in floats.data]
    assert vectors == [list(struct.unpack("<1536f", base64.b64decode(entry.embedding))) for entry in raw.data]
    assert len({tuple(vector) for vector in vectors}) == 3
    assert by_default.usage.prompt_tokens == by_default.usage.total_tokens > 0 and by_default.model == EMBEDDINGS


def test_long_lists_come_back_in_order(client):
    texts = [f"text number {number}" for number in range(250)]
    found = client.embeddings.create(model=EMBEDDINGS, input=texts, dimensions=256).data
    assert [entry.index for entry in found] == list(range(250)) and {len(entry.embedding) for entry in found} == {256}
    for number in (0, 95, 96, 191, 192, 249):
        alone = client.embeddings.create(model=EMBEDDINGS, input=texts[number], dimensions=256).data[0]
        assert list(alone.embedding) == list(found[number].embedding)


@pytest.mark.parametrize("tokens", [[15339, 1917], [[15339, 1917], [13347]]], ids=["one list", "lists"])
def test_token_ids_are_refused_with_a_way_out(client, tokens):
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model=EMBEDDINGS, input=tokens)
    assert caught.value.param == "input" and "check_embedding_ctx_length" in caught.value.message


def test_a_chat_model_makes_no_vectors(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model="grok-4", input="a")
    assert caught.value.param == "model" and EMBEDDINGS in caught.value.message


# Rerank

DOCUMENTS = ["Opening hours", "How to reset a password", "Delivery times", "A password for the harbour"]


def rerank(proxy, url, headers, body):
    request = urllib.request.Request(
        proxy.base + url, json.dumps(body).encode(), {"authorization": f"Bearer {proxy.key}", "content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers["content-type"] == "application/json"
        return json.load(answer)


def test_cherry_studio_ranks_its_knowledge(client, proxy):
    body = {"model": RERANK, "query": "to reset a password", "documents": DOCUMENTS, "top_n": 2}
    answer = rerank(proxy, "/v1/rerank", {"user-agent": "ai-sdk/openai-compatible", "http-referer": "https://cherry-ai.com", "x-title": "Cherry Studio"}, body)
    # It refuses an index that no document has, and keeps the order of the results.
    assert all(type(result["index"]) is int and type(result["relevance_score"]) is float for result in answer["results"])
    assert [DOCUMENTS[result["index"]] for result in answer["results"]] == ["How to reset a password", "A password for the harbour"]


def test_open_webui_ranks_every_document(client, proxy):
    body = {"model": RERANK, "query": "to reset a password", "documents": DOCUMENTS, "top_n": len(DOCUMENTS)}
    answer = rerank(proxy, "/v1/rerank", {"user-agent": "python-requests/2.32.3", "x-openwebui-user-name": "Ada"}, body)
    # What it does with the answer.
    assert "results" in answer
    scores = [result["relevance_score"] for result in sorted(answer["results"], key=lambda result: result["index"])]
    assert len(scores) == len(DOCUMENTS) and scores.index(max(scores)) == 1


def test_a_rerank_model_that_is_none_is_said_so(client, proxy):
    with pytest.raises(urllib.error.HTTPError) as caught:
        rerank(proxy, "/v1/rerank", {}, {"model": "grok-4", "query": "q", "documents": ["a"]})
    with caught.value as error:
        assert error.code == 400 and RERANK in json.load(error)["error"]["message"]
