"""An OpenAI-compatible provider that answers as the simulated models do: it calls the tools that the last user message names, then tells their results."""
import itertools
import json
import re

from fake_provider import FakeProvider

REFUSAL = "I will not."
OVERLONG = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages."
THOUGHT = "The user wants an answer."


class TalkingProvider(FakeProvider):
    """`plain` only answers; `thinker` shows its reasoning. `say refused` is refused, `say broken` breaks in the middle of the answer,
    and `say overlong` is too long for it."""

    def __init__(self):
        super().__init__(models=("plain", "thinker"))
        self.numbers = itertools.count()
        self.answer = self.reply

    def reply(self, body):
        said = self.said(body)
        if said["is_overlong"]:
            return 400, {}, json.dumps({"error": {"message": OVERLONG, "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}}).encode()
        if not body.get("stream"):
            broken = 500, {}, b'{"error":{"message":"lost","type":"server_error","param":null,"code":null}}'
            return broken if said["breaks"] else (200, {}, json.dumps(whole(body, said)).encode())
        return 200, {"content-type": "text/event-stream"}, "".join(f"data: {data}\n\n" for data in events(body, said)).encode()

    def said(self, body):
        """What the model says to a request."""
        messages = body["messages"]
        last = max((n for n, m in enumerate(messages) if m["role"] == "user"), default=-1)
        asked = text(messages[last]["content"]) if last >= 0 else ""
        results = [text(m["content"]) for m in messages[last + 1:] if m["role"] == "tool"]
        said = {"text": "", "calls": [], "refusal": None, "reason": "stop", "breaks": "say broken" in asked, "is_overlong": "say overlong" in asked,
                "thought": THOUGHT if body["model"] == "thinker" and body.get("reasoning_effort") != "none" else None}
        if messages[-1]["role"] == "tool":
            said["text"] = "The tools answered: " + "; ".join(results)
        elif names := self.called(body, asked):
            said |= {"calls": names, "reason": "tool_calls"}
        elif "say refused" in asked:
            said["refusal"] = REFUSAL
        elif gap := re.search("<prefix>(.*)</prefix><suffix>(.*)</suffix>", asked, re.DOTALL):
            said["text"] = f"```python\n{gap[1].splitlines()[-1]}a + b{gap[2]}\n```"
        elif (form := body.get("response_format") or {}).get("type") == "json_schema":
            said["text"] = json.dumps(example(form["json_schema"]["schema"]))
        elif any(part["type"] == "image_url" for part in parts(messages[last]["content"])):
            said["text"] = f"I see an image. You said: {asked}"
        else:
            said["text"] = f"You said: {asked}"
        stop = body.get("stop") or []
        for end in [stop] if isinstance(stop, str) else stop:
            said["text"] = said["text"].split(end)[0]
        words = re.findall(r"\s*\S+", said["text"])
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if limit and len(words) > limit:
            words, said["reason"] = words[:limit], "length"
        return said | {"text": "".join(words), "words": words}

    def called(self, body, asked):
        choice = body.get("tool_choice", "auto")
        tools = [tool["function"] for tool in body.get("tools") or []]
        if choice == "none":
            tools = []
        elif isinstance(choice, dict):
            tools = [tool for tool in tools if tool["name"] == choice["function"]["name"]]
        else:
            tools = [tool for tool in tools if tool["name"] in asked] or (tools[:1] if choice == "required" else [])
        tools = tools[:1] if body.get("parallel_tool_calls") is False else tools
        return [(f"call_p{next(self.numbers)}", tool["name"], json.dumps(example(tool.get("parameters") or {}))) for tool in tools]


def parts(content):
    return content if isinstance(content, list) else []


def text(content):
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in parts(content))


def example(schema):
    """The simplest value of a JSON schema: required members only."""
    if "enum" in schema:
        return schema["enum"][0]
    for part in schema.get("anyOf", []):
        return example(part)
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: example(schema["properties"][name]) for name in schema.get("required", [])}
    if kind == "array":
        return [example(schema["items"])]
    return {"string": "example", "integer": 1, "number": 1.5, "boolean": True}.get(kind)


def usage(body, said):
    prompt, completion = 10 + len(json.dumps(body["messages"])) // 4, len(said["words"]) + 10 * len(said["calls"])
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 2 if said["thought"] else 0}}


def logprobs(body, words):
    if not body.get("logprobs"):
        return None
    top = [{"token": f"t{n}", "logprob": -1.0 - n, "bytes": None} for n in range(body.get("top_logprobs") or 0)]
    return {"content": [{"token": word, "logprob": -0.5, "bytes": None, "top_logprobs": top} for word in words], "refusal": None}


def call(number, identity, name, arguments):
    return {"index": number, "id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def whole(body, said):
    message = {"role": "assistant", "content": None if said["refusal"] or said["calls"] else said["text"], "refusal": said["refusal"]}
    if said["thought"]:
        message["reasoning_content"] = said["thought"]
    if said["calls"]:
        message["tool_calls"] = [call(n, *made) for n, made in enumerate(said["calls"])]
    choices = [{"index": n, "message": message, "logprobs": logprobs(body, said["words"]), "finish_reason": said["reason"]} for n in range(body.get("n") or 1)]
    return {"id": "c1", "object": "chat.completion", "created": 1_750_000_000, "model": body["model"], "choices": choices, "usage": usage(body, said)}


def events(body, said):
    def chunk(choices, **more):
        return json.dumps({"id": "c1", "object": "chat.completion.chunk", "created": 1_750_000_000, "model": body["model"], "choices": choices, **more})

    deltas = [({"role": "assistant", "content": ""}, None)]
    if said["thought"]:
        deltas += [({"reasoning_content": word}, None) for word in re.findall(r"\s*\S+", said["thought"])]
    deltas += [({"content": word}, logprobs(body, [word])) for word in said["words"]]
    if said["refusal"]:
        deltas.append(({"refusal": said["refusal"]}, None))
    for number, (identity, name, arguments) in enumerate(said["calls"]):
        middle = len(arguments) // 2
        deltas.append(({"tool_calls": [call(number, identity, name, "")]}, None))
        deltas += [({"tool_calls": [{"index": number, "function": {"arguments": piece}}]}, None) for piece in (arguments[:middle], arguments[middle:])]
    for delta, probabilities in deltas:
        for n in range(body.get("n") or 1):
            yield chunk([{"index": n, "delta": delta, "logprobs": probabilities, "finish_reason": None}])
    if said["breaks"]:
        yield '{"error":{"message":"lost","type":"server_error","param":null,"code":null}}'
        return
    for n in range(body.get("n") or 1):
        yield chunk([{"index": n, "delta": {}, "finish_reason": said["reason"]}])
    if (body.get("stream_options") or {}).get("include_usage"):
        yield chunk([], usage=usage(body, said))
    yield "[DONE]"
