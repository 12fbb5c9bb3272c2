"""What OpenAI's published API description requires of answers, as JSON Schemas of our own: which members must be there, what they may be, and no
others but those that this proxy documents (README, "What clients get"). A client's types are more lenient than the description."""
from jsonschema import Draft202012Validator


def record(required, optional=None):
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}, "additionalProperties": False}


def listing(of, **more):
    return {"type": "array", "items": of, **more}


def nullable(schema):
    return {"anyOf": [schema, {"type": "null"}]}


TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
COUNT = {"type": "integer", "minimum": 0}
NAME = {"type": "string", "minLength": 1}
TIME = {"type": "integer", "minimum": 1_000_000_000}

ENDS = ["stop", "length", "tool_calls", "content_filter", "function_call"]
TOKEN = {"token": TEXT, "logprob": NUMBER, "bytes": nullable(listing(WHOLE))}
LOGPROBS = nullable(record({"content": nullable(listing(record({**TOKEN, "top_logprobs": listing(record(TOKEN))}))),
                            "refusal": nullable(listing(record(TOKEN)))}))
USAGE = record({"prompt_tokens": COUNT, "completion_tokens": COUNT, "total_tokens": COUNT},
               {"prompt_tokens_details": record({}, {"cached_tokens": COUNT, "audio_tokens": COUNT}),
                "completion_tokens_details": record({}, {"reasoning_tokens": COUNT, "audio_tokens": COUNT,
                                                         "accepted_prediction_tokens": COUNT, "rejected_prediction_tokens": COUNT})})
CALL = record({"id": NAME, "type": {"const": "function"}, "function": record({"name": NAME, "arguments": TEXT})})
# Beside what OpenAI has: reasoning_content, as DeepSeek named it and clients read it.
MESSAGE = record({"role": {"const": "assistant"}, "content": nullable(TEXT), "refusal": nullable(TEXT)},
                 {"tool_calls": listing(CALL, minItems=1), "reasoning_content": TEXT, "annotations": listing({"type": "object"})})
CHAT = {"id": NAME, "created": TIME, "model": NAME}
MORE = {"system_fingerprint": nullable(TEXT), "service_tier": nullable(TEXT)}

COMPLETION = record({**CHAT, "object": {"const": "chat.completion"}, "usage": USAGE, "choices": listing(
    record({"index": COUNT, "message": MESSAGE, "logprobs": LOGPROBS, "finish_reason": {"enum": ENDS}}), minItems=1)}, MORE)

DELTA = record({}, {"role": {"const": "assistant"}, "content": nullable(TEXT), "refusal": nullable(TEXT), "reasoning_content": TEXT,
                    "tool_calls": listing(record({"index": COUNT}, {
                        "id": NAME, "type": {"const": "function"}, "function": record({}, {"name": NAME, "arguments": TEXT})}), minItems=1)})
CHUNK = record({**CHAT, "object": {"const": "chat.completion.chunk"}, "choices": listing(
    record({"index": COUNT, "delta": DELTA, "finish_reason": nullable({"enum": ENDS})}, {"logprobs": LOGPROBS}))},
    {**MORE, "usage": nullable(USAGE)})

EMBEDDINGS = record({"object": {"const": "list"}, "model": NAME, "usage": record({"prompt_tokens": COUNT, "total_tokens": COUNT}), "data": listing(
    record({"object": {"const": "embedding"}, "index": COUNT, "embedding": {"anyOf": [listing(NUMBER, minItems=1), NAME]}}), minItems=1)})

# Beside what OpenAI has: what clients read of a model's limits and abilities (SPEC 6).
MODEL = {**record({"id": NAME, "object": {"const": "model"}, "created": COUNT, "owned_by": NAME}), "additionalProperties": True}
MODELS = record({"object": {"const": "list"}, "data": listing(MODEL)})

ERROR = record({"error": record({"message": NAME, "type": NAME, "param": nullable(NAME), "code": nullable(NAME)})})


def check(form, body):
    """Fails with every place where the body is not of the form."""
    faults = [f"{fault.json_path}: {fault.message[:300]}" for fault in Draft202012Validator(form).iter_errors(body)]
    assert not faults, "\n".join(faults)
