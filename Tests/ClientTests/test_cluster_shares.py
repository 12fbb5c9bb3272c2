"""What instances have in common beside limits: keys that are made while they run, stored responses, and who there is. And what the engine is told of it."""
import base64
import time

import pytest

from instances import KEY, LIMIT, MODEL, cluster, crowd, quick, state  # noqa: F401
from redis import redis  # noqa: F401
from service import ADMIN, CLIENT, VIEWER, eventually

pytestmark = quick
SOON = 3


def manage(service, path="", body=None, method=None):
    return service.ask(f"/admin/keys{path}", body, ADMIN, method)


def make(service, name):
    answer = manage(service, body={"name": name})
    assert answer.status == 201, answer
    return answer.json["key"]


def takes(service, key):
    """Whether a key works."""
    status = service.ask("/v1/usage", key=key).status
    assert status in (200, 401), status
    return status == 200


def within(seconds, look, wanted):
    """It becomes so in time; a machine that is busy has a second more."""
    began = time.monotonic()
    eventually(look, lambda seen: seen == wanted)
    assert time.monotonic() - began < seconds + 1


def test_a_key_that_one_instance_makes_works_at_all(cluster, redis):  # noqa: F811
    first, second = cluster.start(2)
    key = make(first, "m")
    within(SOON, lambda: takes(second, key), True)
    assert second.chat(key, MODEL).status == 200
    # It is written down there as well, and needs no engine.
    redis.kill()
    second.restart()
    assert takes(second, key) and second.chat(key, MODEL).status == 200
    redis.start()
    for one in (first, second):
        eventually(lambda: state(one), lambda seen: seen == ("healthy", "shared", 2))
    assert manage(second, "/m", method="DELETE").status == 200
    assert not takes(second, key)
    within(SOON, lambda: takes(first, key), False)
    for one in (first, second):
        assert not takes(one.restart(), key)


def test_a_key_that_is_rotated_at_one_is_rotated_at_all(cluster):
    first, second = cluster.start(2)
    old = make(first, "m")
    within(SOON, lambda: takes(second, old), True)
    answer = manage(second, "/m/rotate", {"grace": "0"})
    assert answer.status == 200, answer
    within(SOON, lambda: (takes(first, old), takes(first, answer.json["key"])), (False, True))


def test_an_engine_that_is_emptied_forgets_no_revocation(cluster, redis):  # noqa: F811
    first, second = cluster.start(2)
    gone, kept = make(first, "gone"), make(first, "kept")
    within(SOON, lambda: takes(second, gone) and takes(second, kept), True)
    # It sleeps through all of it, with a ledger that has both keys.
    second.stop()
    assert manage(first, "/gone", method="DELETE").status == 200
    eventually(lambda: state(first), lambda seen: seen == ("healthy", "shared", 1))
    redis.ask("FLUSHALL")
    [third] = cluster.start(1)
    within(SOON, lambda: takes(third, kept), True)
    second.start()
    within(SOON, lambda: takes(second, gone), False)
    for one in (first, second, third):
        assert not takes(one, gone) and takes(one, kept)


def respond(service, text, key=CLIENT, **more):
    return service.ask("/v1/responses", {"model": MODEL, "input": text, "store": True, **more}, key)


def kept(service, name, key=CLIENT, method=None):
    return service.ask(f"/v1/responses/{name}", key=key, method=method)


def test_a_response_that_one_instance_has_stored_is_there_for_all(cluster, crowd):
    first, second = cluster.start(2, key={})
    name = respond(first, "the tide is at half past four").json["id"]
    # At once, and to nobody else.
    answer = respond(second, "and then?", previous_response_id=name)
    assert answer.status == 200, answer
    assert "half past four" in crowd.chats[-1]
    for one in (second, first):
        assert kept(one, name).json["id"] == name
        assert kept(one, name, KEY).status == 404
        assert respond(one, "and then?", KEY, previous_response_id=name).status in (400, 404)
    # What it says is known by its items, too.
    items = kept(first, name).json["output"]
    assert respond(second, [{"type": "item_reference", "id": items[0]["id"]}, {"role": "user", "content": "go on"}]).status == 200
    assert kept(second, name, method="DELETE").status == 200
    assert kept(second, name).status == 404
    within(SOON, lambda: kept(first, name).status, 404)
    for one in (first, second):
        assert respond(one, "and then?", previous_response_id=name).status in (400, 404)
    # The one that was built on it stands on its own.
    assert kept(first, answer.json["id"]).status == 200


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_without_the_engine_only_those_wait_who_ask_for_what_another_may_have(cluster, redis, how):  # noqa: F811
    first, second = cluster.start(2)
    own, others = respond(second, "mine").json["id"], respond(first, "theirs").json["id"]
    redis.kill() if how == "killed" else redis.freeze()
    began = time.monotonic()
    for answer in (respond(second, "and then?", previous_response_id=others), kept(second, others)):
        assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1, answer
    assert time.monotonic() - began < 12
    began = time.monotonic()
    assert second.chat(CLIENT, MODEL).status == 200 and respond(second, "hi").status == 200
    assert respond(second, "and then?", previous_response_id=own).status == 200 and kept(second, own).status == 200
    assert time.monotonic() - began < 2
    late = respond(first, "said without an engine").json["id"]
    redis.start() if how == "killed" else redis.thaw()
    # What could not be told then is told when it is back.
    eventually(lambda: kept(second, late).status, lambda status: status == 200)
    if how == "frozen":
        assert kept(second, others).status == 200


def spellings(text):
    """A text as it is, and in the middle of what is written in base64 or in hexadecimal digits."""
    text = text.encode()
    in_base64 = [base64.b64encode(b"x" * lead + text)[(0, 2, 3)[lead]:-4] for lead in range(3)]
    return [text, text.hex().encode(), *in_base64, *(part.translate(bytes.maketrans(b"+/", b"-_")) for part in in_base64)]


def test_the_engine_has_nothing_that_can_be_read(cluster, crowd, redis):  # noqa: F811
    prompt, answer = "the harbour of Travemunde", "seven lanterns on the quay"
    # Without a password, responses of managed keys are nobody's but the instance's that has made them.
    redis.protect("a-password-of-its-own")
    with redis.watched() as told:
        crowd.control("pacing", {"text": answer})
        both = cluster.start(2, key={"rpm": 1000, "budget_hard": "1000000 tokens per day"})
        managed = make(both[0], "m")
        within(SOON, lambda: takes(both[1], managed), True)
        for key in (CLIENT, KEY, managed):
            said = respond(both[0], prompt, key)
            assert said.status == 200 and answer in said.body.decode(), said
            assert respond(both[1], "and then?", key, previous_response_id=said.json["id"]).status == 200
            assert both[1].chat(key, MODEL, prompt).status == 200
        assert manage(both[1], "/m", method="DELETE").status == 200
        time.sleep(1.5)
        kept = repr(redis.dump()).encode()
    told = b"\n".join(told)
    # Both are looked at in earnest: the names of keys are no secret.
    assert b"EVALSHA" in told.upper() and len(kept) > 1000 and b"limited" in told
    for secret in (prompt, answer, CLIENT, ADMIN, VIEWER, KEY, managed):
        for spelling in spellings(secret):
            assert spelling not in told and spelling not in kept, (secret, spelling)


def test_each_shows_all_of_them(cluster):
    three = cluster.start(3)

    def shown(service):
        page = service.ask("/dashboard/state", key=VIEWER).json["cluster"]
        own = [one for one in page["instances"] if one["is_this"]]
        return page["state"], page["count"], len(page["instances"]), len({one["id"] for one in page["instances"]}), len(own)

    for one in three:
        eventually(lambda: shown(one), lambda seen: seen == ("shared", 3, 3, 3, 1))
        instances = one.ask("/dashboard/state", key=VIEWER).json["cluster"]["instances"]
        assert all(other["name"] and other["version"] and other["status"] in ("healthy", "starting") for other in instances), instances
    three[2].kill()
    began = time.monotonic()
    for one in three[:2]:
        eventually(lambda: state(one), lambda seen: seen == ("healthy", "shared", 2))
        assert time.monotonic() - began < 10
    for one in three[:2]:
        eventually(lambda: shown(one), lambda seen: seen == ("shared", 2, 2, 2, 1), within=25)
    assert time.monotonic() - began < 21
