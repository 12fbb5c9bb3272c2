"""What pictures, speech and transcriptions use of a key's budget, and what the ledger says of them."""
import io
import json

import openai
import pytest

from service import ADMIN, CLIENT, OTHER, VIEWER, Service, aggregator, eventually, provider

PRICES = {"talk/m1": "5 in 40 out per 1M tokens"}
USAGE = {"input_tokens": 50, "output_tokens": 272, "total_tokens": 322, "input_tokens_details": {"text_tokens": 50, "image_tokens": 0}}
COST = 50 * 5_000 + 272 * 40_000
PICTURE = "iVBORw0K" * 40_000


@pytest.fixture
def serve(tmp_path):
    made = []

    def start(text):
        made.append(Service(tmp_path / f"s{len(made)}", text).start())
        return made[-1]

    yield start
    for one in made:
        one.stop()


def events(*data):
    return 200, {"content-type": "text/event-stream"}, "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in data).encode()


def document(value):
    return 200, {}, json.dumps(value).encode()


def rows(server, count):
    return eventually(lambda: server.rows(VIEWER), lambda rows: len(rows) == count)


def limited(provider, budget="100000 tokens in all"):
    return aggregator(provider, prices=PRICES, keys={"alice": {"budget_hard": budget}})


def test_what_answers_tell_is_charged(serve, provider):
    server = serve(limited(provider))
    client = server.openai(CLIENT)
    provider.answer = document({"created": 1, "data": [{"b64_json": PICTURE}], "usage": USAGE})
    assert client.images.generate(model="talk/m1", prompt="a cat", n=1, quality="low").data[0].b64_json == PICTURE
    assert client.images.edit(model="talk/m1", prompt="a cat", image=("a.png", io.BytesIO(b"\x89PNG" * 1000))).usage.total_tokens == 322
    provider.answer = document({"text": "hello", "usage": {**USAGE, "type": "tokens"}})
    assert client.audio.transcriptions.create(model="talk/m1", file=("a.wav", b"RIFF" * 10_000)).text == "hello"
    provider.answer = events({"type": "image_generation.partial_image", "b64_json": PICTURE, "partial_image_index": 0},
                             {"type": "image_generation.completed", "b64_json": PICTURE, "usage": USAGE})
    told = [event.type for event in client.images.generate(model="talk/m1", prompt="a cat", stream=True, partial_images=1)]
    assert told == ["image_generation.partial_image", "image_generation.completed"]
    provider.answer = events({"type": "transcript.text.delta", "delta": "hel"}, {"type": "transcript.text.done", "text": "hello", "usage": {**USAGE, "type": "tokens"}})
    assert [event.type for event in client.audio.transcriptions.create(model="talk/m1", file=("a.wav", b"RIFF"), stream=True)][-1] == "transcript.text.done"
    found = rows(server, 5)
    for row in found:
        assert (row["prompt_tokens"], row["completion_tokens"], row["truth"], row["cost_nano_usd"]) == (50, 272, "reported", COST), row
    assert [row["dialect"] for row in found] == ["images", "images", "audio", "images", "audio"]
    assert server.spent(CLIENT)["tokens"] == 5 * 322 and server.spent(CLIENT)["cost_nano_usd"] == 5 * COST
    assert server.usage(CLIENT)["budgets"][0]["reserved"] == 0


def test_what_nobody_tells_is_not_known(serve, provider):
    server = serve(limited(provider))
    client = server.openai(CLIENT)
    provider.answer = document({"created": 1, "data": [{"url": "https://example.com/a.png"}]})
    client.images.generate(model="talk/m1", prompt="a cat")
    provider.answer = 200, {"content-type": "audio/mpeg"}, b"\0" * 100_000
    assert len(client.audio.speech.create(model="talk/m1", input="hello", voice="alloy").content) == 100_000
    for row in rows(server, 2):
        assert (row["prompt_tokens"], row["completion_tokens"], row["truth"], row["cost_nano_usd"]) == (None, None, "unknown", None), row
    assert server.usage(CLIENT)["budgets"][0] | {"resets_at": None} == server.usage(CLIENT)["budgets"][0] | {"resets_at": None, "spent": 0, "reserved": 0}


def test_a_spent_budget_ends_pictures_too(serve, provider):
    server = serve(limited(provider, "322 tokens in all"))
    client = server.openai(CLIENT)
    provider.answer = document({"created": 1, "data": [], "usage": USAGE})
    client.images.generate(model="talk/m1", prompt="a cat")
    asked = len(provider.chats)
    for call in (lambda: client.images.generate(model="talk/m1", prompt="a cat"),
                 lambda: client.images.edit(model="talk/m1", prompt="a cat", image=("a.png", b"\x89PNG" * 50_000)),
                 lambda: client.audio.transcriptions.create(model="talk/m1", file=("a.wav", b"RIFF" * 50_000)),
                 lambda: client.audio.speech.create(model="talk/m1", input="hello", voice="alloy"),
                 lambda: client.moderations.create(model="talk/m1", input="hello")):
        with pytest.raises(openai.RateLimitError) as refusal:
            call()
        assert refusal.value.code == "budget_exceeded"
    assert len(provider.chats) == asked
    # Another key has its own.
    server.openai(OTHER).images.generate(model="talk/m1", prompt="a cat")
