"""How upstreams answer that know OpenAI's API by hearsay. Whatever the habit, the answer says `one two` and calls `f` twice."""
import gzip
import json

CALLS = [{"n": 1}, {"n": 2}]
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}

HABITS = (
    "none", "reason_with_each_event", "reason_first", "no_done", "one_call_id", "no_call_ids", "empty_call_ids", "name_as_call_id", "restated_calls", "no_call_numbers",
    "one_call_number", "arguments_as_object", "carriage_returns", "comments", "packed", "created", "other_kind", "wrapped",
)


def entry(number, habit, streams):
    call = {"type": "function", "function": {"name": "f", "arguments": CALLS[number] if habit == "arguments_as_object" else json.dumps(CALLS[number])}}
    call |= {"one_call_id": {"id": "call_0"}, "no_call_ids": {}, "empty_call_ids": {"id": ""}, "name_as_call_id": {"id": "f"}}.get(habit, {"id": f"call_{number}"})
    if streams and habit != "no_call_numbers":
        call["index"] = 0 if habit == "one_call_number" else number
    return call


def whole(habit, model):
    message = {"role": "assistant", "content": "one two", "refusal": None, "tool_calls": [entry(number, habit, False) for number in (0, 1)]}
    answer = {
        "id": "c1", "object": "chat.completion", "created": 1_750_000_000, "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}], "usage": USAGE,
    }
    return json.dumps({"code": 0, "data": answer} if habit == "wrapped" else answer).encode()


def stream(habit, model):
    deltas = [{"role": "assistant", "content": ""}, {"content": "one "}, {"content": "two"}]
    deltas += [{"tool_calls": [entry(number, habit, True)]} for number in (0, 1)]
    if habit == "restated_calls":
        deltas.append({"tool_calls": [entry(number, habit, True) for number in (0, 1)]})
    chunks = []
    for number, delta in enumerate(deltas + [{}]):
        is_last = number == len(deltas)
        is_early = habit == "reason_with_each_event" or habit == "reason_first" and number == 1
        reason = "tool_calls" if is_last else "stop" if is_early else None
        chunks.append({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    chunks.append({"choices": [], "usage": USAGE})
    named = [json.dumps({"id": "c1", "object": "chat.completion.chunk", "created": 1_750_000_000, "model": model, **chunk}) for chunk in chunks]
    comment = ": wait\n\nid: 1\n" if habit == "comments" else ""
    lines = "".join(f"{comment}data: {data}\n\n" for data in named + ([] if habit == "no_done" else ["[DONE]"]))
    return (lines.replace("\n", "\r") if habit == "carriage_returns" else lines).encode()


def answer(habit):
    """What a `FakeProvider` answers each chat with."""

    def reply(body):
        streams = bool(body.get("stream")) != (habit == "other_kind")
        text = stream(habit, body["model"]) if streams else whole(habit, body["model"])
        headers = {"content-type": "text/event-stream" if streams else "application/json"}
        if habit == "packed":
            text, headers["content-encoding"] = gzip.compress(text), "gzip"
        return 201 if habit == "created" else 200, headers, text

    return reply
