"""The official client over three accounts, some of which fail. Its own retries are off: the proxy has to make good."""
import asyncio
import json
import urllib.request

import openai
import pytest


def call(url, body=None, method=None, key=None):
    headers = {"authorization": f"Bearer {key}"} if key else {}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=10) as answer:
        return json.load(answer)


def break_account(fleet, account, **fault):
    call(f"{fleet.simulator}/__control/faults", {"account": account, "kind": "chat", "times": "forever", **fault})


def mend(fleet):
    call(f"{fleet.simulator}/__control/faults", method="DELETE")


def accounts(fleet):
    page = call(f"{fleet.base}/stats/accounts", key=fleet.key)
    return {account["id"]: account for account in page["accounts"]}


async def chats(fleet, count, streams):
    async with openai.AsyncOpenAI(base_url=f"{fleet.base}/v1", api_key=fleet.key, max_retries=0, timeout=30) as client:
        async def one(number):
            text = f"number {number} of {count}"
            messages = [{"role": "user", "content": text}]
            if not streams:
                answer = await client.chat.completions.create(model="grok-4", messages=messages)
                assert text in answer.choices[0].message.content and answer.choices[0].finish_reason == "stop"
                return
            stream = await client.chat.completions.create(model="grok-4", messages=messages, stream=True)
            content, reasons = "", []
            async for chunk in stream:
                content += "".join(choice.delta.content or "" for choice in chunk.choices)
                reasons += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
            assert text in content and reasons == ["stop"]

        await asyncio.gather(*(one(number) for number in range(count)))


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("fault", [
    {"action": "status", "status": 500}, {"action": "status", "status": 429}, {"action": "status", "status": 401}, {"action": "reset"}, {"action": "empty"},
], ids=lambda fault: str(fault.get("status", fault["action"])))
def test_an_account_that_fails_is_noticed_by_no_client(fleet, fault, streams):
    break_account(fleet, "account_2", **fault)
    asyncio.run(chats(fleet, 40, streams))
    figures = accounts(fleet)
    assert figures["account_2"]["requests_succeeded"] == 0 and figures["account_2"]["requests_failed"] > 0
    assert sum(account["requests_succeeded"] for account in figures.values()) == 40
    assert all(account["in_flight"] == 0 for account in figures.values())


def test_all_throttled_is_a_rate_limit_error_with_a_wait(fleet):
    for account in ("account_1", "account_2", "account_3"):
        break_account(fleet, account, action="status", status=429, retryAfter=30)
    with openai.OpenAI(base_url=f"{fleet.base}/v1", api_key=fleet.key, max_retries=0) as client:
        for _ in range(2):
            with pytest.raises(openai.RateLimitError) as raised:
                client.chat.completions.create(model="grok-4", messages=[{"role": "user", "content": "hi"}])
            assert 1 <= int(raised.value.response.headers["retry-after"]) <= 30
        assert raised.value.code == "no_account_available"
        mend(fleet)
        assert call(f"{fleet.base}/admin/circuit-breaker/reset", method="POST", key=fleet.key) == {"reset": ["account_1", "account_2", "account_3"]}
        client.chat.completions.create(model="grok-4", messages=[{"role": "user", "content": "hi"}])


def test_a_hundred_streams_share_the_accounts(fleet):
    asyncio.run(chats(fleet, 100, True))
    shares = [account["requests_total"] for account in accounts(fleet).values()]
    assert sum(shares) == 100 and max(shares) - min(shares) <= 1
