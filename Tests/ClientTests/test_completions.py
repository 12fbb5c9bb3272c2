"""The legacy completions of the official OpenAI client over OCI and over a provider that speaks chat completions only."""
import json
import urllib.request

import openai
import pytest
from openai.types import Completion

from conftest import Door, Proxy
from talking_provider import TalkingProvider
from test_providers import TOKEN, aggregator, entry  # noqa: F401

both_ways = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
MANY = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"


def client(door):
    return openai.OpenAI(base_url=f"{door.base}/v1", api_key=door.key, max_retries=0)


def complete(door, prompt, streams=False, has_usage=True, **settings):
    """The texts and the reasons, by choice."""
    settings = {"model": door.model, "prompt": prompt, "max_tokens": 200, **settings}
    if not streams:
        answer = client(door).completions.create(**settings)
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
        assert [choice.index for choice in answer.choices] == list(range(len(answer.choices)))
        return [(choice.text, choice.finish_reason) for choice in answer.choices]
    chunks = list(client(door).completions.create(**settings, stream=True, stream_options={"include_usage": True}))
    assert not has_usage or chunks[-1].choices == [] and chunks[-1].usage.total_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1 and {chunk.model for chunk in chunks} == {door.model}
    texts, reasons = {}, {}
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        assert choice.index not in reasons, "the reason ends a choice"
        texts[choice.index] = texts.get(choice.index, "") + choice.text
        if choice.finish_reason:
            reasons[choice.index] = choice.finish_reason
    return [(texts[index], reasons[index]) for index in sorted(texts)]


@both_ways
def test_continues_a_text(door, streams):
    [(text, reason)] = complete(door, "The harbour is", streams)
    assert text == "You said: The harbour is" and reason == "stop"
    assert "Continue the user's text" in door.last


def test_an_answer_is_of_the_published_form(door):
    for streams in (False, True):
        body = {"model": door.model, "prompt": "The harbour is", "stream": streams}
        request = urllib.request.Request(f"{door.base}/v1/completions", json.dumps(body).encode(), {"authorization": f"Bearer {door.key}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read().decode()
        assert not streams or text.endswith("data: [DONE]\n\n") and "event:" not in text
        parts = [line.removeprefix("data: ") for line in text.split("\n\n")[:-2]] if streams else [text]
        for part in map(json.loads, parts):
            assert part["object"] == "text_completion" and part["id"].startswith("cmpl-")
            for choice in part["choices"]:
                # The published form of a stream has null where the client's type has none.
                choice["finish_reason"] = choice["finish_reason"] or "stop"
            Completion.model_validate(part)


@both_ways
def test_sixteen_tokens_are_the_default(door, streams):
    [(text, reason)] = complete(door, MANY, streams, max_tokens=openai.omit)
    assert reason == "length" and "twenty" not in text
    # What is thought ahead of a text is no part of it, but counts.
    assert 8 <= len(text.split()) <= 16


@both_ways
def test_each_prompt_of_a_list_has_its_answer(door, streams):
    assert complete(door, ["one", "two", "three"], streams) == [(f"You said: {text}", "stop") for text in ("one", "two", "three")]


def test_usage_is_the_sum_over_the_prompts(provider_door):
    def usage(prompt):
        return client(provider_door).completions.create(model=provider_door.model, prompt=prompt).usage

    single, several = usage("one"), usage(["one", "one", "one"])
    assert (several.prompt_tokens, several.completion_tokens) == (3 * single.prompt_tokens, 3 * single.completion_tokens)


def test_too_many_prompts_are_refused(door):
    with pytest.raises(openai.BadRequestError) as caught:
        complete(door, ["one"] * 21)
    assert caught.value.param == "prompt"


@both_ways
def test_a_prompt_is_echoed(door, streams):
    assert complete(door, "one", streams, echo=True) == [("oneYou said: one", "stop")]
    assert complete(door, ["one", "two"], streams, echo=True) == [("oneYou said: one", "stop"), ("twoYou said: two", "stop")]


@both_ways
def test_a_gap_is_filled(door, streams):
    [(_, reason)] = complete(door, "def add(a, b):\n    return ", streams, suffix="  # of both\n")
    assert reason == "stop" and "Fill the gap" in door.last
    complete(door, "<|fim_prefix|>def add(a, b):\n    return <|fim_suffix|>  # of both\n<|fim_middle|>", streams)
    assert "fim_" not in door.last and "<prefix>" in door.last, "a chat model knows no such marks"


@both_ways
@pytest.mark.parametrize("suffix", ["  # of both\n", "\n\nprint(add(1, 2))\n", ""], ids=["same line", "next lines", "marks"])
def test_only_what_belongs_into_a_gap_is_told(provider_door, suffix, streams):
    """The provider's model tells the line in front of the gap and what is behind it once more, all in a code fence."""
    before = "def add(a, b):\n    return "
    given = {"prompt": before, "suffix": suffix} if suffix else {"prompt": f"<PRE> {before} <SUF>  # of both\n <MID>"}
    assert [text.strip() for text, _ in complete(provider_door, streams=streams, **given)] == ["a + b"]


@both_ways
def test_stops_end_a_text(door, streams):
    # Where the proxy cuts, it hangs up on the upstream, which then tells no usage.
    [(text, reason)] = complete(door, "one two three four", streams, has_usage=False, stop=["three"])
    assert text.rstrip() == "You said: one two" and reason == "stop"


@both_ways
def test_log_probabilities_are_told(provider_door, streams):
    settings = {"model": provider_door.model, "prompt": "one two", "max_tokens": 50, "logprobs": 2, "stream": streams}
    for echo in (False, True):
        answer = client(provider_door).completions.create(**settings, echo=echo)
        choices = [choice for chunk in (answer if streams else [answer]) for choice in chunk.choices]
        text = "".join(choice.text for choice in choices)
        told = [choice.logprobs for choice in choices if choice.logprobs]
        tokens = [token for part in told for token in part.tokens]
        assert "".join(tokens) == "You said: one two" and text == ("one two" if echo else "") + "".join(tokens)
        for token, offset in zip(tokens, [offset for part in told for offset in part.text_offset]):
            assert text[offset:].startswith(token)
        assert {probability for part in told for probability in part.token_logprobs} == {-0.5}
        assert all(top == {"t0": -1.0, "t1": -2.0} for part in told for top in part.top_logprobs)


@both_ways
def test_several_choices_of_several_prompts_are_numbered_through(provider_door, streams):
    assert complete(provider_door, ["one", "two"], streams, n=2) == [(f"You said: {text}", "stop") for text in ("one", "one", "two", "two")]


@both_ways
def test_what_is_thought_is_no_text(thinker, streams):
    assert complete(thinker, "one", streams) == [("You said: one", "stop")]


@pytest.fixture
def provider():
    made = TalkingProvider()
    yield made
    made.stop()


@both_ways
def test_an_empty_text_is_text(aggregator, provider, streams):  # noqa: F811
    """An editor often wants nothing but what is there already; nobody is put out of use for it."""
    server = aggregator(providers=[entry("talk", provider)], retry_attempts=0)
    door = Door(Proxy(server.url, TOKEN, None), "talk/plain", provider)
    for _ in range(8):
        assert complete(door, "one", streams, stop=["You"]) == [("", "stop")]


def test_token_ids_are_refused(door):
    for prompt in ([1, 2, 3], [[1, 2], [3]]):
        with pytest.raises(openai.BadRequestError) as caught:
            complete(door, prompt)
        assert caught.value.param == "prompt"


def test_errors_are_of_the_dialects_shape(door):
    with pytest.raises(openai.BadRequestError) as caught:
        complete(door, "one", best_of=3)
    assert caught.value.param == "best_of"
    with pytest.raises(openai.NotFoundError) as caught:
        complete(door, "one", model="no-such-model")
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as caught:
        client(door).completions.create(model=door.model, prompt=None)
    assert caught.value.param == "prompt"
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{door.base}/v1", api_key="wrong", max_retries=0).completions.create(model=door.model, prompt="one")


def test_an_answer_that_breaks_is_an_error(provider_door):
    with pytest.raises(openai.APIError, match="lost"):
        complete(provider_door, "say broken", streams=True)
    with pytest.raises(openai.InternalServerError):
        complete(provider_door, ["one", "say broken"])
