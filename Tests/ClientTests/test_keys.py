"""Keys over the real binary: roles, the operator's address, models, rates, budgets, and keys that are made while the proxy runs."""
import concurrent.futures
import json
import re
import socket
import stat
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import anthropic
import openai
import pytest

from conftest import ADDRESS, BIN
from service import ADMIN, CLIENT, OTHER, TWO_ADDRESSES, VIEWER, Counting, Service, accounts, aggregator, ask, eventually, provider
from talking_provider import TalkingProvider

KEY = re.compile(r"oci-[0-9A-Za-z]{38}")
WRONG = "sk-nobodys-0123456789"


@pytest.fixture
def serve(tmp_path):
    """Starts the proxy over a configuration, as often as wanted."""
    made = []

    def start(text, pattern=ADDRESS, name="config.json"):
        service = Service(tmp_path / f"s{len(made)}", text, name)
        made.append(service)
        return service.start(pattern)

    yield start
    for service in made:
        service.stop()


@pytest.fixture
def over_oci(oci, serve):
    """The proxy over three simulated accounts."""
    simulator, config = oci
    ask(simulator.url, "/__control/reset", {})

    def start(settings="", head="", tail=""):
        service = serve(accounts(config, settings, head) + tail, name="multi_config.conf")
        service.simulator = simulator.url
        return service

    yield start
    ask(simulator.url, "/__control/reset", {})
    ask(simulator.url, "/__control/pacing", {"events": None, "text": None, "intervalMs": 0, "firstDelayMs": 0})


# Roles

ENDPOINTS = [
    ("GET", "/", None), ("GET", "/health", None), ("GET", "/openapi.json", None),
    ("POST", "/v1/chat/completions", "client"), ("POST", "/v1/responses", "client"), ("POST", "/v1/messages", "client"), ("POST", "/v1/completions", "client"),
    ("POST", "/v1/embeddings", "client"), ("POST", "/v1/rerank", "client"), ("POST", "/v1/messages/count_tokens", "client"), ("GET", "/v1/models", "client"),
    ("GET", "/v1/models/talk/m1", "client"), ("GET", "/v1/usage", "client"), ("POST", "/admin/models/refresh", "client"),
    ("GET", "/stats/accounts", "viewer"), ("GET", "/stats/concurrency", "viewer"), ("GET", "/stats/circuit-breaker", "viewer"), ("GET", "/stats/queue", "viewer"),
    ("GET", "/metrics", "viewer"), ("GET", "/test-oci", "viewer"), ("GET", "/admin/ledger/summary", "viewer"), ("GET", "/admin/ledger/days", "viewer"),
    ("GET", "/admin/ledger/export", "viewer"),
    ("POST", "/v1/reload", "admin"), ("POST", "/admin/circuit-breaker/reset", "admin"), ("GET", "/admin/keys", "admin"), ("POST", "/admin/keys", "admin"),
    ("GET", "/admin/keys/alice", "admin"), ("DELETE", "/admin/keys/nobody", "admin"), ("POST", "/admin/keys/nobody/rotate", "admin"),
]
RANK = {None: 0, "client": 1, "viewer": 2, "admin": 3}


def verdicts(service, key, role):
    """The endpoints whose answer does not suit the role."""
    wrong = []
    for method, path, needed in ENDPOINTS:
        answer = service.ask(path, {} if method == "POST" else None, key, method)
        if not key or key == WRONG:
            right = (answer.status == 401) == (needed is not None)
        elif RANK[role] < RANK[needed]:
            right = answer.status == 403 and answer.code == "permission_denied" and answer.headers.get("x-should-retry") == "false"
        else:
            right = answer.status not in (401, 403, 500)
        if not right:
            wrong.append((method, path, needed, answer))
    return wrong


def test_each_endpoint_asks_for_its_role(serve, provider):
    service = serve(aggregator(provider))
    for key, role in [(ADMIN, "admin"), (VIEWER, "viewer"), (CLIENT, "client"), (OTHER, "client"), (WRONG, None), (None, None)]:
        assert verdicts(service, key, role) == [], role
    assert "names no roles" not in service.log


def test_the_first_token_may_do_everything_until_a_role_is_named(serve, provider):
    config = aggregator(provider) | {"tokens": [f"alice|{CLIENT}", f"bob|{OTHER}"]}
    service = serve(config)
    assert verdicts(service, CLIENT, "admin") == [] and verdicts(service, OTHER, "client") == []
    said = re.findall(r".*\[NOTICE\] The client key alice may also .* because the config file names no roles\. Give another key of the file the role admin.*", service.log)
    assert len(said) == 1, service.log
    # A reload that names a role takes it away from the first.
    service.write(config | {"tokens": [f"alice|{CLIENT}", f"bob|{OTHER}|role=admin"]})
    answer = service.ask("/v1/reload", {}, CLIENT)
    assert answer.status == 200, answer
    assert verdicts(service, CLIENT, "client") == [] and verdicts(service, OTHER, "admin") == []
    # And one that names none gives it back.
    service.write(config)
    service.hang_up()
    eventually(lambda: service.ask("/stats/accounts", key=CLIENT).status, lambda status: status == 200)
    assert service.ask("/stats/accounts", key=OTHER).status == 403


@pytest.mark.parametrize("form", ["token", "member", "section"])
def test_a_role_is_named_in_any_form(serve, over_oci, provider, form):
    if form == "section":
        service = over_oci(tail="\n[KEY other]\nrole = viewer\n")
        first, second = CLIENT, OTHER
    else:
        tokens = [f"alice|{CLIENT}", f"bob|{OTHER}|role=viewer" if form == "token" else f"bob|{OTHER}"]
        service = serve(aggregator(provider) | {"tokens": tokens} | ({"keys": {"bob": {"role": "viewer"}}} if form == "member" else {}))
        first, second = CLIENT, OTHER
    assert service.ask("/stats/queue", key=first).status == 403
    assert service.ask("/stats/queue", key=second).status == 200
    assert service.ask("/v1/reload", {}, second).status == 403


def test_api_key_may_do_everything_until_a_role_is_named(over_oci):
    service = over_oci()
    assert service.ask("/stats/queue", key=CLIENT).status == 403
    text = service.config.read_text()
    service.write(text.replace(" role=admin", "").replace(" role=viewer", ""))
    assert service.ask("/v1/reload", {}, ADMIN).status == 200
    assert service.ask("/admin/keys", key=CLIENT).status == 200
    assert service.ask("/stats/queue", key=ADMIN).status == 403


def test_an_expired_key_is_refused(serve, provider):
    service = serve(aggregator(provider, keys={"alice": {"expires": "2020-01-31"}, "bob": {"expires": "2100-01-31T12:00:00Z"}}))
    answer = service.chat(CLIENT)
    assert answer.status == 401 and b"expired" in answer.body, answer
    assert service.ask("/v1/models", key=CLIENT).status == 401 and service.ask("/v1/usage", key=CLIENT).status == 401
    assert service.chat(OTHER).status == 200 and service.usage(OTHER)["expires"] == "2100-01-31T12:00:00Z"


# The operator's address

FOR_CLIENTS = {path for _, path, needed in ENDPOINTS if needed == "client" and not path.startswith("/admin")} | {"/health"}


def served(place):
    """The paths that an address has at all."""
    return {path for method, path, _ in ENDPOINTS
            if not ((answer := ask(place, path, {} if method == "POST" else None, ADMIN, method)).status == 404 and answer.code == "unknown_path")}


def test_the_operator_has_an_address(serve, provider):
    service = serve(aggregator(provider, admin_listen="127.0.0.1:0"), TWO_ADDRESSES)
    both = {address: served(address) for address in re.findall(ADDRESS, service.running.url)}
    assert sorted(map(len, both.values())) == [len(FOR_CLIENTS), len({path for _, path, _ in ENDPOINTS})], both
    assert FOR_CLIENTS in both.values()
    # A key is asked for at both, and its role.
    for address in both:
        assert ask(address, "/v1/usage").status == 401
    operators = next(address for address, paths in both.items() if paths != FOR_CLIENTS)
    assert ask(operators, "/admin/keys", key=CLIENT).status == 403 and ask(operators, "/admin/keys").status == 401
    assert ask(operators, "/v1/chat/completions", {"model": "talk/m1", "messages": []}, CLIENT).status == 200


@pytest.fixture
def short():
    """A directory whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="ociai") as directory:
        yield Path(directory)


def test_a_unix_socket_for_the_operator(serve, provider, short):
    path = short / "admin.sock"
    # What an earlier process has left is replaced.
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    service = serve(aggregator(provider, admin_listen=f"unix:{path}", local_access=True))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_ISSOCK(path.stat().st_mode)
    assert served(service.url) == FOR_CLIENTS and served(path) == {path for _, path, _ in ENDPOINTS}
    assert service.ask("/", key=ADMIN).status == 404
    # Who can open it is the operator; whoever shows a key has its rights.
    made = ask(path, "/admin/keys", {"name": "m"})
    assert made.status == 201 and KEY.fullmatch(made.json["key"])
    assert ask(path, "/stats/accounts").status == 200
    assert ask(path, "/stats/accounts", key=CLIENT).status == 403 and ask(path, "/stats/accounts", key=WRONG).status == 401
    assert ask(path, "/v1/usage").status == 401
    # Nobody else may have it.
    second = Service(service.directory.parent / "second", aggregator(provider, admin_listen=f"unix:{path}"))
    refused = subprocess.run([BIN / "ociai-proxy", "-config", second.config, "-port", "0"], capture_output=True, text=True, timeout=30)
    last = refused.stderr.strip().splitlines()[-1]
    assert refused.returncode == 69 and str(path) in last and "another process listens there" in last, refused.stderr
    assert ask(path, "/stats/accounts").status == 200
    service.stop()
    assert not path.exists()


def test_a_file_that_is_no_socket_is_left_alone(provider, tmp_path, short):
    path = short / "admin.sock"
    path.write_text("mine")
    service = Service(tmp_path / "s", aggregator(provider, admin_listen=f"unix:{path}"))
    refused = subprocess.run([BIN / "ociai-proxy", "-config", service.config, "-port", "0"], capture_output=True, text=True, timeout=30)
    assert refused.returncode == 69 and "no socket" in refused.stderr.splitlines()[-1], refused.stderr
    assert path.exists() and path.read_text() == "mine"


def test_a_socket_that_a_killed_process_has_left_is_replaced(serve, provider, short):
    path = short / "admin.sock"
    service = serve(aggregator(provider, admin_listen=f"unix:{path}"))
    service.kill()
    assert path.exists()
    service.start()
    assert ask(path, "/health").status == 200


def test_another_address_for_the_operator_needs_a_restart(serve, provider, short):
    service = serve(aggregator(provider, admin_listen=f"unix:{short / 'a'}"))
    service.write(aggregator(provider, admin_listen=f"unix:{short / 'b'}"))
    answer = ask(short / "a", "/v1/reload", {}, ADMIN)
    assert answer.status == 200
    eventually(lambda: service.log, lambda log: re.search("admin_listen.*restart", log))
    assert not (short / "b").exists() and ask(short / "a", "/health").status == 200


# Models of a key


@pytest.fixture
def choosy(serve):
    provider = TalkingProvider()
    yield serve(aggregator(provider, keys={"alice": {"models": "^talk/plain$"}}, fallbacks={"talk/plain": ["talk/thinker"]})), provider
    provider.stop()


def test_the_openai_client_sees_what_its_key_may_use(choosy):
    service, provider = choosy
    with service.openai(CLIENT) as client:
        assert [model.id for model in client.models.list()] == ["talk/plain"]
        assert client.models.retrieve("talk/plain").id == "talk/plain"
        messages = [{"role": "user", "content": "hi"}]
        assert client.chat.completions.create(model="talk/plain", messages=messages).choices[0].message.content == "You said: hi"
        asked = len(provider.chats)
        for attempt in [
            lambda: client.chat.completions.create(model="talk/thinker", messages=messages),
            lambda: client.chat.completions.create(model="talk/thinker", messages=messages, stream=True),
            lambda: client.responses.create(model="talk/thinker", input="hi"),
            lambda: client.completions.create(model="talk/thinker", prompt="hi"),
            lambda: client.embeddings.create(model="talk/thinker", input="hi"),
            lambda: client.moderations.create(model="talk/thinker", input="hi"),
            lambda: client.images.generate(model="talk/thinker", prompt="hi"),
            lambda: client.audio.speech.create(model="talk/thinker", input="hi", voice="alloy"),
            lambda: client.audio.transcriptions.create(model="talk/thinker", file=("a.wav", b"RIFF")),
        ]:
            with pytest.raises(openai.PermissionDeniedError) as raised:
                attempt()
            assert raised.value.code == "model_not_allowed" and "talk/thinker" in raised.value.message
        with pytest.raises(openai.APIStatusError) as raised:
            client.models.retrieve("talk/thinker")
        assert raised.value.status_code in (403, 404)
        assert len(provider.chats) == asked
    with service.openai(OTHER) as client:
        assert [model.id for model in client.models.list()] == ["talk/plain", "talk/thinker"]


def test_the_anthropic_client_is_told_so(choosy):
    service, _ = choosy
    with anthropic.Anthropic(base_url=service.url, api_key=CLIENT, max_retries=0) as client:
        for attempt in [lambda: client.messages.create(model="talk/thinker", max_tokens=9, messages=[{"role": "user", "content": "hi"}]),
                        lambda: client.messages.create(model="talk/thinker", max_tokens=9, messages=[{"role": "user", "content": "hi"}], stream=True),
                        lambda: client.messages.count_tokens(model="talk/thinker", messages=[{"role": "user", "content": "hi"}])]:
            with pytest.raises(anthropic.PermissionDeniedError) as raised:
                attempt()
            assert raised.value.body["error"]["type"] == "permission_error"


def test_a_fallback_that_a_key_may_not_use_is_passed_over(choosy):
    service, provider = choosy
    usual = provider.reply
    provider.answer = lambda body: (500, {}, b'{"error":{"message":"boom"}}') if body["model"] == "plain" else usual(body)
    assert service.chat(OTHER, "talk/plain").status == 200
    answer = service.chat(CLIENT, "talk/plain")
    assert answer.status >= 500, answer
    assert [json.loads(body)["model"] for _, _, _, body in provider.chats] == ["plain", "thinker", "plain"]


def test_a_made_up_name_is_judged_by_what_stands_for_it(over_oci):
    service = over_oci(tail="* = xai.grok-3-mini\n\n[KEY default]\nmodels = ^grok-4$, llama\n\n[KEY other]\nmodels = ^xai[.]grok-3-mini$\n")
    assert service.chat(CLIENT, "grok-4").status == 200 and service.chat(CLIENT, "meta.llama-3.3-70b-instruct").status == 200
    refused = service.chat(CLIENT, "llama-that-nobody-has")
    assert refused.status == 403 and refused.code == "model_not_allowed", refused
    assert service.chat(OTHER, "whatever").status == 200 and service.chat(OTHER, "grok-4").status == 403


# Rates


def test_requests_of_a_minute(serve, provider):
    service = serve(aggregator(provider, keys={"alice": {"rpm": 2}}))
    with service.openai(CLIENT) as client:
        messages = [{"role": "user", "content": "hi"}]
        for left in ["1", "0"]:
            answer = client.chat.completions.with_raw_response.create(model="talk/m1", messages=messages)
            assert answer.headers["x-ratelimit-limit-requests"] == "2" and answer.headers["x-ratelimit-remaining-requests"] == left
        with pytest.raises(openai.RateLimitError) as raised:
            client.chat.completions.create(model="talk/m1", messages=messages)
        headers = raised.value.response.headers
        assert raised.value.code == "rate_limit_exceeded" and 1 <= int(headers["retry-after"]) <= 60
        assert headers["x-ratelimit-limit-requests"] == "2" and headers["x-ratelimit-remaining-requests"] == "0"
        assert re.fullmatch(r"(\d+m)?[\d.]+m?s", headers["x-ratelimit-reset-requests"]) and headers.get("x-should-retry") != "false"
    assert service.chat(OTHER).status == 200 and provider.arrived == 3


@pytest.mark.parametrize("streams", [False, True])
def test_tokens_of_a_minute(serve, provider, streams):
    provider.prompt, provider.completion = 10, 390
    service = serve(aggregator(provider, keys={"alice": {"tpm": 1000}}))
    with service.openai(CLIENT) as client:

        def create():
            return client.chat.completions.with_raw_response.create(
                model="talk/m1", messages=[{"role": "user", "content": "hi"}], max_tokens=400, stream=streams)

        for used in [0, 400]:
            eventually(lambda: service.usage(CLIENT)["rate"]["tokens"]["remaining"], lambda left: 1000 - used <= left <= 1000 - used + 60)
            answer = create()
            assert answer.headers["x-ratelimit-limit-tokens"] == "1000"
            assert 0 <= int(answer.headers["x-ratelimit-remaining-tokens"]) <= 1000 - used and answer.headers["x-ratelimit-reset-tokens"]
            made = answer.parse()
            assert not streams or list(made)
        eventually(lambda: service.spent(CLIENT)["tokens"], lambda tokens: tokens == 800)
        with pytest.raises(openai.RateLimitError) as raised:
            create()
        headers = raised.value.response.headers
        assert raised.value.code == "rate_limit_exceeded" and 1 <= int(headers["retry-after"]) <= 60 and headers.get("x-should-retry") != "false"
    assert provider.arrived == 2


def test_a_refusal_for_tokens_says_how_the_minute_stands(serve, provider):
    """As one for requests does."""
    provider.prompt, provider.completion = 10, 990
    service = serve(aggregator(provider, keys={"alice": {"tpm": 1000}}))
    assert service.chat(CLIENT, max_tokens=900).status == 200
    refused = eventually(lambda: service.chat(CLIENT, max_tokens=900), lambda answer: answer.status == 429)
    assert refused.headers.get("x-ratelimit-limit-tokens") == "1000" and 0 <= int(refused.headers["x-ratelimit-remaining-tokens"]) < 1000
    assert refused.headers["x-ratelimit-reset-tokens"]


def test_requests_at_once(serve, provider):
    provider.free.clear()
    service = serve(aggregator(provider, keys={"alice": {"max_concurrency": 3}}))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        running = [pool.submit(service.chat, CLIENT) for _ in range(3)]
        eventually(lambda: provider.arrived, lambda count: count == 3)
        refused = service.chat(CLIENT)
        assert refused.status == 429 and service.usage(CLIENT)["in_progress"] == 3, refused
        provider.free.set()
        assert [future.result().status for future in running] == [200] * 3


# Budgets


def budget(service, key, number=0):
    return service.usage(key)["budgets"][number]


PRICES = {"talk/m1": "3 in 15 out per 1M tokens"}
# Prompt and completion, and what they cost in nano-dollars by PRICES.
BUDGETS = {"tokens": ("90000 tokens per day", lambda prompt, completion: prompt + completion), "money": ("1 USD per day", lambda prompt, completion: 3000 * prompt + 15000 * completion)}


@pytest.mark.parametrize("surplus", [0, 500], ids=["as reserved", "beyond it"])
@pytest.mark.parametrize("kind", BUDGETS)
def test_sixty_four_at_once_against_a_budget(serve, provider, kind, surplus):
    text, used = BUDGETS[kind]
    limit = 90_000 if kind == "tokens" else 10 ** 9
    most = 4000 if kind == "tokens" else 3000
    provider.free.clear()
    provider.prompt, provider.completion = 20, most + surplus
    service = serve(aggregator(provider, keys={"alice": {"budget_hard": text}}, prices=PRICES, global_max_concurrency=200))
    with concurrent.futures.ThreadPoolExecutor(65) as pool:
        first = pool.submit(service.chat, CLIENT, max_tokens=most)
        reserved = eventually(lambda: budget(service, CLIENT)["reserved"])
        assert used(0, most) < reserved < used(100, most), "a quarter of the bytes, and what is asked for at most"
        rest = [pool.submit(service.chat, CLIENT, max_tokens=most) for _ in range(64)]
        fits = limit // reserved
        eventually(lambda: sum(future.done() for future in rest), lambda count: count == 65 - fits)
        standing = budget(service, CLIENT)
        assert standing["reserved"] == fits * reserved and standing["spent"] == 0 and standing["remaining"] == limit - fits * reserved
        eventually(lambda: provider.arrived, lambda count: count == fits)
        provider.free.set()
        answers = [future.result() for future in [first, *rest]]
    statuses = [answer.status for answer in answers]
    assert statuses.count(200) == fits == provider.arrived and statuses.count(429) == 65 - fits
    for answer in answers:
        if answer.status == 429:
            error = answer.json["error"]
            assert error["type"] == "insufficient_quota" and error["code"] == "budget_exceeded" and text in error["message"]
            # There may be room as soon as one of those that run has ended.
            assert int(answer.headers["retry-after"]) >= 1 and answer.headers.get("x-should-retry") != "false"
    spent = used(20, most + surplus)
    standing = eventually(lambda: budget(service, CLIENT), lambda standing: standing["reserved"] == 0)
    assert standing["spent"] == fits * spent and standing["spent"] - limit <= fits * max(spent - reserved, 0)


def test_a_budget_that_is_spent(serve, provider):
    provider.prompt, provider.completion = 10, 90
    service = serve(aggregator(provider, keys={
        "alice": {"budget_hard": "150 tokens per day"}, "bob": {"budget_hard": "150 tokens per hour, 100000 tokens in all"}, "eye": {"budget_hard": "150 tokens in all"}}))
    for key, longest, is_long in [(CLIENT, 86_400, True), (OTHER, 3600, False), (VIEWER, None, True)]:
        with service.openai(key) as client:

            def create(**more):
                return client.chat.completions.create(model="talk/m1", messages=[{"role": "user", "content": "hi"}], max_tokens=5, **more)

            # Twice as much as it said: the budget is overshot by what ran.
            create()
            eventually(lambda: service.spent(key)["tokens"], lambda tokens: tokens == 100)
            list(create(stream=True))
            eventually(lambda: service.spent(key)["tokens"], lambda tokens: tokens == 200)
            for more in [{}, {"stream": True}]:
                with pytest.raises(openai.RateLimitError) as raised:
                    create(**more)
                error, headers = raised.value.body, raised.value.response.headers
                assert error["type"] == "insufficient_quota" and error["code"] == "budget_exceeded"
                assert (headers.get("x-should-retry") == "false") == is_long
                if longest:
                    assert 1 <= int(headers["retry-after"]) <= longest
                else:
                    assert "retry-after" not in headers
        assert service.usage(key)["budgets"][0]["remaining"] == 0
    assert provider.arrived == 6
    with anthropic.Anthropic(base_url=service.url, api_key=CLIENT, max_retries=0) as client:
        with pytest.raises(anthropic.RateLimitError):
            client.messages.create(model="talk/m1", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
    assert provider.arrived == 6


def test_the_client_does_not_try_again_in_vain(serve, provider):
    """The official client repeats 429 by itself, but not where it is told that waiting is in vain."""
    provider.completion = 1000
    service = serve(aggregator(provider, keys={"alice": {"budget_hard": "100 tokens per day"}}))
    assert service.chat(CLIENT, max_tokens=1).status == 200
    eventually(lambda: service.spent(CLIENT)["tokens"])
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key=CLIENT, max_retries=3) as client, pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="talk/m1", messages=[{"role": "user", "content": "hi"}])
    assert len(eventually(lambda: [row for row in service.rows(VIEWER) if row["status"] == 429])) == 1


def test_a_soft_budget_warns_once(serve, provider):
    provider.prompt, provider.completion = 10, 90
    service = serve(aggregator(provider, keys={"alice": {"budget_soft": "50 tokens per day, 1 USD in all"}}))
    assert "x-ociai-budget" not in service.chat(CLIENT).headers
    eventually(lambda: service.spent(CLIENT)["tokens"], lambda tokens: tokens == 100)
    for streams in [False, True, False]:
        answer = service.chat(CLIENT, stream=streams)
        assert answer.status == 200 and "50 tokens per day" in answer.headers["x-ociai-budget"], answer.headers
    eventually(lambda: service.spent(CLIENT)["tokens"], lambda tokens: tokens == 400)
    assert service.log.count("A soft budget is exceeded") == 1
    service.restart()
    assert "x-ociai-budget" in service.chat(CLIENT).headers
    eventually(lambda: service.spent(CLIENT)["tokens"], lambda tokens: tokens == 500)
    assert "A soft budget is exceeded" not in service.log


def test_a_price_that_is_not_known_spends_no_money(serve, provider):
    service = serve(aggregator(provider, keys={"alice": {"budget_hard": "1 USD per day"}}))
    assert service.chat(CLIENT, max_tokens=9_000_000).status == 200
    assert eventually(lambda: service.spent(CLIENT)["tokens"]) == 7 and service.spent(CLIENT)["cost_nano_usd"] == 0


QUESTION = "one two three four five"


def dialects(service, key):
    """A request in each dialect, whole and as a stream: what it is called, how it is asked, and what it says that it used."""
    client, claude = service.openai(key), anthropic.Anthropic(base_url=service.url, api_key=key, max_retries=0)
    messages = [{"role": "user", "content": QUESTION}]

    def last(stream):
        return [chunk for chunk in stream if getattr(chunk, "usage", None)][-1].usage

    def responses(**more):
        return client.responses.create(model="llama-3.3-70b", input=QUESTION, store=False, **more)

    def chat():
        with claude.messages.stream(model="llama-3.3-70b", max_tokens=100, messages=messages) as stream:
            return stream.get_final_message().usage

    usage = {"include_usage": True}
    return {
        "chat": lambda: client.chat.completions.create(model="llama-3.3-70b", messages=messages).usage,
        "chat stream": lambda: last(client.chat.completions.create(model="llama-3.3-70b", messages=messages, stream=True, stream_options=usage)),
        "chat stream untold": lambda: list(client.chat.completions.create(model="llama-3.3-70b", messages=messages, stream=True)) and None,
        "messages": lambda: claude.messages.create(model="llama-3.3-70b", max_tokens=100, messages=messages).usage,
        "messages stream": chat,
        "responses": lambda: responses().usage,
        "responses stream": lambda: [event for event in responses(stream=True) if event.type == "response.completed"][0].response.usage,
        "completions": lambda: client.completions.create(model="llama-3.3-70b", prompt=QUESTION).usage,
        "completions stream": lambda: last(client.completions.create(model="llama-3.3-70b", prompt=QUESTION, stream=True, stream_options=usage)),
        "embeddings": lambda: client.embeddings.create(model="cohere.embed-v4.0", input=[QUESTION, "six"]).usage,
    }


def total(usage):
    if (tokens := getattr(usage, "total_tokens", None)) is not None:
        return tokens
    return usage.input_tokens + usage.output_tokens


def test_every_dialect_counts_into_one_budget(over_oci):
    service = over_oci(tail="\n[KEY default]\nbudget_hard = 1000000 tokens per day\nbudget_soft = 5 USD per month\n\n[PRICES]\nllama-3.3-70b = 3 in 15 out per 1M tokens\ncohere.embed-v4.0 = 0.1 in 0 out per 1M tokens\n")
    spent, cost, count = 0, 0, 0
    for name, call in dialects(service, CLIENT).items():
        before, count = spent, count + 1
        told = call()
        spent = eventually(lambda: service.spent(CLIENT)["tokens"], lambda tokens: tokens > before)
        assert told is None or spent - before == total(told), name
        now = service.spent(CLIENT)
        assert now["requests"] == count and now["cost_nano_usd"] > cost, (name, now)
        cost = now["cost_nano_usd"]
    usage = service.usage(CLIENT)
    assert {window: usage["spent"][window]["tokens"] for window in usage["spent"]} == dict.fromkeys(["hour", "day", "week", "month", "total"], spent)
    assert [(standing["kind"], standing["spent"], standing["reserved"]) for standing in usage["budgets"]] == [("hard", spent, 0), ("soft", cost, 0)]
    assert service.spent(OTHER)["requests"] == 0
    # And the ledger has the same.
    rows = eventually(lambda: service.rows(VIEWER), lambda rows: len(rows) == count)
    assert sum(row["prompt_tokens"] + (row["completion_tokens"] or 0) for row in rows) == spent and sum(row["cost_nano_usd"] for row in rows) == cost
    assert [row["dialect"] for row in rows] == ["chat"] * 3 + ["messages"] * 2 + ["responses"] * 2 + ["completions"] * 2 + ["embeddings"]


def test_all_parts_of_a_large_embedding_count(over_oci):
    service = over_oci(tail="\n[KEY default]\nbudget_hard = 1000000 tokens per day\n")
    with service.openai(CLIENT) as client:
        usage = client.embeddings.create(model="cohere.embed-v4.0", input=["one two three"] * 200).usage
    assert eventually(lambda: service.spent(CLIENT)["tokens"]) == usage.total_tokens == 600 and budget(service, CLIENT)["reserved"] == 0
    [row] = eventually(lambda: service.rows(VIEWER))
    assert row["attempts"] == 3 and row["prompt_tokens"] == 600 and sum(attempt["prompt_tokens"] for attempt in service.rows(VIEWER, "attempt")) == 600


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses", "completions"])
def test_a_stream_that_the_client_leaves_counts(over_oci, dialect):
    service = over_oci(tail="\n[KEY default]\nbudget_hard = 1000000 tokens per day\n")
    ask(service.simulator, "/__control/pacing", {"events": 2000, "intervalMs": 20})
    body = {"model": "llama-3.3-70b", "max_tokens": 4000, "stream": True, "messages": [{"role": "user", "content": QUESTION * 20}]}
    if dialect in ("responses", "completions"):
        del body["messages"]
        body["input" if dialect == "responses" else "prompt"] = QUESTION * 20
    if dialect == "responses":
        del body["max_tokens"]
    path = "chat/completions" if dialect == "chat" else dialect
    request = urllib.request.Request(f"{service.url}/v1/{path}", json.dumps(body).encode(), {"authorization": f"Bearer {CLIENT}", "content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as stream:
        seen = b""
        while seen.count(b"data:") < 12:
            seen += stream.readline()
        assert budget(service, CLIENT)["reserved"] > 1000 and budget(service, CLIENT)["spent"] == 0
    standing = eventually(lambda: budget(service, CLIENT), lambda standing: standing["reserved"] == 0)
    # The prompt, and what has been told until then.
    assert len(QUESTION) * 20 // 4 < standing["spent"] < 2000, standing
    [row] = eventually(lambda: service.rows(VIEWER))
    assert row["status"] == 499 and row["truth"] == "estimated" and row["prompt_tokens"] + row["completion_tokens"] == standing["spent"] and row["completion_tokens"] > 0


# Keys that are made while the proxy runs


def manage(service, path="", body=None, method=None, key=ADMIN):
    return service.ask(f"/admin/keys{path}", body, key, method)


def test_the_life_of_a_managed_key(serve, provider):
    service = serve(aggregator(provider))
    limits = {"role": "viewer", "models": ["^talk/m1$", "vendor"], "rpm": 1000, "tpm": 100_000, "max_concurrency": 5, "expires": "2100-01-31",
              "budget_hard": "5 USD per day, 90000 tokens per hour", "budget_soft": ["1 USD in all"]}
    made = manage(service, body={"name": "team-a.ci", **limits})
    assert made.status == 201 and made.headers["cache-control"] == "no-store", made
    first = made.json["key"]
    assert KEY.fullmatch(first) and first.startswith(made.json["prefix"]) and made.json["expires"] == "2100-01-31T00:00:00Z"
    assert made.json["budget_hard"] == ["5 USD per day", "90000 tokens per hour"] and made.json["budget_soft"] == ["1 USD in all"]
    assert service.chat(first).status == 200 and service.ask("/stats/queue", key=first).status == 200 and manage(service, key=first).status == 403
    assert service.chat(first, "talk/m2").code == "model_not_allowed" and service.chat(first, "talk/vendor/m3").status == 200
    seen = service.usage(first)
    assert seen["key"] == "team-a.ci" and seen["rpm"] == 1000 and seen["rate"]["tokens"]["limit"] == 100_000

    second = manage(service, "/team-a.ci/rotate", {"grace": "1h"}).json["key"]
    third = manage(service, "/team-a.ci/rotate", {"grace": "0"}).json["key"]
    assert len({first, second, third}) == 3
    fourth = manage(service, "/team-a.ci/rotate", b"").json
    assert len(fourth["former_keys_until"]) == 1, "24 hours, when nothing is said; a rotation without grace has ended those before"
    keys = {first: 401, second: 401, third: 200, fourth["key"]: 200}
    assert {key: service.chat(key).status for key in keys} == keys

    # No page has a key.
    for path in ["", "/team-a.ci", "/alice"]:
        page = manage(service, path)
        assert page.status == 200 and not any(key.encode() in page.body for key in [*keys, CLIENT, ADMIN]) and b'"key"' not in page.body
    listed = {key["name"]: key for key in manage(service).json["data"]}
    assert list(listed) == ["root", "eye", "alice", "bob", "team-a.ci"] and {key["source"] for key in listed.values()} == {"file", "managed"}

    def standing(key):
        return {name: value for name, value in service.usage(key).items() if name in ("spent", "budgets", "rpm", "models", "role", "expires")}

    eventually(lambda: service.usage(third)["spent"]["total"]["tokens"], lambda tokens: tokens == 4 * 7)
    before, page = standing(third), manage(service, "/team-a.ci").json
    service.restart()
    assert manage(service, "/team-a.ci").json == page
    assert {key: service.ask("/v1/usage", key=key).status for key in keys} == keys
    after = standing(third)
    assert {window: count["tokens"] for window, count in after["spent"].items()} == {window: count["tokens"] for window, count in before["spent"].items()}
    assert after["budgets"] == before["budgets"]

    gone = manage(service, "/team-a.ci", method="DELETE")
    assert gone.status == 200 and gone.json["revoked_at"]
    for _ in range(2):
        assert [service.chat(key).status for key in keys] == [401] * 4
        assert manage(service, "/team-a.ci").json["revoked_at"] == gone.json["revoked_at"]
        assert manage(service, "/team-a.ci/rotate", {}).status == 409 and manage(service, "/team-a.ci", method="DELETE").status == 200
        assert manage(service, body={"name": "team-a.ci"}).status == 409
        service.restart()
    assert not any(key.encode() in service.database() for key in [*keys, CLIENT, ADMIN])


def test_what_is_spent_is_the_same_after_a_restart(serve, provider):
    """Also what was refused, fell back, or came in many parts: requests, tokens and cost."""
    provider.prompt, provider.completion = 10, 20
    usual = provider.reply
    provider.answer = lambda body: (500, {}, b'{"error":{"message":"boom"}}') if body["model"] == "m2" else usual(body)
    service = serve(aggregator(provider, prices=PRICES, fallbacks={"talk/m2": ["talk/m1"]}, keys={"alice": {"budget_hard": "120 tokens per day"}}))
    for model, status in [("talk/m1", 200), ("talk/m2", 200), ("talk/nothing", 404), ("talk/m1", 200), ("talk/m1", 200), ("talk/m1", 429)]:
        answer = service.chat(CLIENT, model, max_tokens=5)
        assert answer.status == status, answer
        eventually(lambda: service.usage(CLIENT), lambda usage: usage["budgets"][0]["reserved"] == 0 and not usage["in_progress"])
    assert service.spent(CLIENT)["tokens"] == 120
    before = service.usage(CLIENT)["spent"]
    service.restart()
    assert service.usage(CLIENT)["spent"] == before
    assert service.chat(CLIENT, max_tokens=5).status == 429


@pytest.mark.parametrize("body, name", [
    ({}, "name"), ({"name": 7}, "name"), ({"name": ""}, "name"), ({"name": "a b"}, "name"), ({"name": "a/b"}, "name"), ({"name": "x" * 65}, "name"), ({"name": "é"}, "name"),
    ({"name": ".."}, "name"),
    ({"name": "m", "role": "king"}, "role"), ({"name": "m", "role": 1}, "role"), ({"name": "m", "expires": "soon"}, "expires"), ({"name": "m", "expires": "2026-02-30"}, "expires"),
    ({"name": "m", "models": "(" }, "models"), ({"name": "m", "models": [7]}, "models"), ({"name": "m", "rpm": 0}, "rpm"), ({"name": "m", "rpm": "many"}, "rpm"),
    ({"name": "m", "rpm": 1.5}, "rpm"), ({"name": "m", "tpm": -1}, "tpm"), ({"name": "m", "tpm": 1e30}, "tpm"), ({"name": "m", "max_concurrency": []}, "max_concurrency"), ({"name": "m", "rpm": []}, "rpm"),
    ({"name": "m", "role": []}, "role"), ({"name": "m", "expires": []}, "expires"),
    ({"name": "m", "budget_hard": "5 EUR per day"}, "budget_hard"), ({"name": "m", "budget_hard": "5 USD"}, "budget_hard"), ({"name": "m", "budget_hard": {}}, "budget_hard"),
    ({"name": "m", "budget_soft": ["5 USD per day", "x"]}, "budget_soft"), ({"name": "m", "budget_soft": "-5 USD per day"}, "budget_soft"), ({"name": "m", "limit": 5}, "limit"),
    ({"name": "m", "key": "oci-mine"}, "key"),
], ids=str)
def test_a_bad_body_is_told_by_its_member(standing_service, body, name):
    listed = [key["name"] for key in manage(standing_service).json["data"]]
    # What one of them makes all the same is not in the way of the others.
    if body.get("name") == "m":
        body = {**body, "name": f"m-{len(listed)}"}
    answer = manage(standing_service, body=body)
    assert answer.status == 400 and answer.json["error"]["param"] == name and answer.json["error"]["type"] == "invalid_request_error", answer
    assert [key["name"] for key in manage(standing_service).json["data"]] == listed


@pytest.fixture(scope="module")
def standing_service(tmp_path_factory):
    provider = Counting()
    service = Service(tmp_path_factory.mktemp("keys"), aggregator(provider)).start()
    yield service
    service.stop()
    provider.stop()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null", b'{"name":"m"', b"\xff"], ids=str)
def test_what_is_no_object_makes_no_key(standing_service, body):
    answer = manage(standing_service, body=body)
    assert answer.status == 400 and answer.json["error"]["type"] == "invalid_request_error", answer


def test_names_of_the_file_and_names_that_nobody_has(standing_service):
    service = standing_service
    for name in ["alice", "root"]:
        assert manage(service, body={"name": name}).status == 409
        assert manage(service, f"/{name}", method="DELETE").status == 409 and manage(service, f"/{name}/rotate", {}).status == 409
    assert service.chat(CLIENT).status == 200
    for answer in [manage(service, "/nobody"), manage(service, "/nobody", method="DELETE"), manage(service, "/nobody/rotate", {})]:
        assert answer.status == 404 and answer.code == "key_not_found", answer
    for grace in ["soon", "-1h", "9000h", [], True]:
        assert manage(service, "/nobody/rotate", {"grace": grace}).json["error"]["param"] == "grace"
    for method, path, allowed in [("DELETE", "", "POST"), ("POST", "/nobody", "DELETE"), ("GET", "/nobody/rotate", "POST"), ("PUT", "/nobody", "GET")]:
        answer = manage(service, path, method=method)
        assert answer.status == 405 and allowed in answer.headers["allow"], answer


def test_a_rotation_takes_no_member_that_it_does_not_know(standing_service):
    """A slip of the pen would let the key that has leaked work on for a day."""
    key = manage(standing_service, body={"name": "leaked"}).json["key"]
    answer = manage(standing_service, "/leaked/rotate", {"grce": "0"})
    assert answer.status == 400 and answer.json["error"]["param"] == "grce", answer
    assert standing_service.ask("/v1/usage", key=key).status == 200


def test_of_two_that_make_one_name_one_wins(standing_service):
    for number in range(15):
        barrier = threading.Barrier(4)

        def create():
            barrier.wait()
            return manage(standing_service, body={"name": f"same-{number}"})

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = [future.result() for future in [pool.submit(create) for _ in range(4)]]
        assert sorted(answer.status for answer in answers) == [201, 409, 409, 409], answers
        [made] = [answer.json["key"] for answer in answers if answer.status == 201]
        assert standing_service.ask("/v1/usage", key=made).json["key"] == f"same-{number}"


def test_a_grace_ends(serve, provider):
    service = serve(aggregator(provider))
    first = manage(service, body={"name": "m"}).json["key"]
    second = manage(service, "/m/rotate", {"grace": "2s"}).json["key"]
    assert service.ask("/v1/usage", key=first).status == 200
    began = time.monotonic()
    eventually(lambda: service.ask("/v1/usage", key=first).status, lambda status: status == 401)
    assert time.monotonic() - began < 10 and service.ask("/v1/usage", key=second).status == 200
    assert manage(service, "/m").json["former_keys_until"] == []


def test_a_managed_key_may_expire(serve, provider):
    service = serve(aggregator(provider))
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    key = manage(service, body={"name": "m", "expires": moment}).json["key"]
    assert service.usage(key)["expires"] == moment
    answer = eventually(lambda: service.ask("/v1/usage", key=key), lambda answer: answer.status != 200)
    assert answer.status == 401 and b"expired" in answer.body


def test_keys_outlive_a_reload(serve, provider):
    config = aggregator(provider)
    service = serve(config)
    key = manage(service, body={"name": "m", "budget_hard": "1000 tokens per day"}).json["key"]
    assert service.chat(key).status == 200
    eventually(lambda: service.spent(key)["tokens"], lambda tokens: tokens == 7)
    service.write(config | {"log_level": "WARNING"})
    assert service.ask("/v1/reload", {}, ADMIN).status == 200
    assert service.spent(key)["tokens"] == 7 and service.chat(key).status == 200


def test_without_a_state_there_are_no_managed_keys(serve, provider):
    service = serve(aggregator(provider, state_dir="off"))
    answer = manage(service, body={"name": "m"})
    assert answer.status == 503 and "state_dir" in answer.json["error"]["message"], answer
    assert [key["name"] for key in manage(service).json["data"]] == ["root", "eye", "alice", "bob"]
