"""Idempotency keys through the whole gateway: what is asked twice is sent once, whatever came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from app.ledger.delivery import MOST_REPEATS
from app.sandbox.faults import Fault
from app.sandbox.world import build_world
from app.security.keys import Keys
from app.security.signing import Signer, secret_beside
from app.transactions import Transactions
from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from schema.vendor import Environment
from tests.databases import open_engine
from tests.gateway import Gateway
from tests.ledger.partner import RESULTS, post, receipt, write
from tests.vendors.writes import ACCOUNT_ID, MUTATIONS

LOG = {"source": "crm", "payload": {"a": 1, "b": {"c": None, "d": [1.5]}}, "emailAddress": "Ada@example.com"}
OTHER_LOG = {
    "payload": {"b": {"d": [1.5], "c": None}, "a": 1},
    "emailAddress": "  Ada@EXAMPLE.com ",
    "phoneNumber": None,
    "source": "crm",
    "delivery": "WAIT",
    "type": "webhook",
}
METHOD = {"type": "MOBILE", "value": "+31612345678", "metadata": {"a": 1, "b": 2}}
SPELLINGS: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "createPersonLog": (LOG, OTHER_LOG),
    "createProspectLog": (LOG, OTHER_LOG),
    "createContact": (
        {"displayName": "Ada", "phoneNumbers": ["+31612345678"], "attributes": {"a": 1, "b": 2}},
        {"attributes": {"b": 2, "a": 1}, "listIds": [], "phoneNumbers": ["+31 6-1234 5678"], "displayName": "Ada"},
    ),
    "syncContactMethods": (
        {"client": {"clientId": FIRST_CLIENT_ID}, "items": [METHOD]},
        {
            "replace": False,
            "items": [{**dict(reversed(METHOD.items())), "metadata": {"b": 2, "a": 1}, "delete": False, "label": None}],
            "client": {"clientId": FIRST_CLIENT_ID.upper()},
        },
    ),
    "logActivity": (
        {"subject": "Call", "accountId": ACCOUNT_ID, "occurredAt": "2026-01-15T10:30:00+01:00"},
        {
            "occurredAt": "2026-01-15T09:30:00Z",
            "category": "OTHER",
            "contacts": [],
            "accountId": ACCOUNT_ID,
            "subject": "Call",
        },
    ),
}
"""By mutation, one input in two spellings."""

CONFLICT = {
    "__typename": "IdempotencyConflict",
    "code": "IDEMPOTENCY_CONFLICT",
    "message": "This idempotency key was used for another input. Use a new key for a new write.",
    "retryable": False,
}


def _replay(of: dict[str, Any]) -> dict[str, Any]:
    return {**of, "receipt": {**of["receipt"], "replayed": True}}


def _keyed(mutation: str, word: str = "word", key: str = "order-1") -> dict[str, Any]:
    return {**MUTATIONS[mutation](word), "idempotencyKey": key}


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_repeat_is_answered_from_memory(empty: Gateway, mutation: str) -> None:
    """The whole outcome again, marked as a replay, however often; the vendor is asked once."""
    first = await write(empty, mutation, _keyed(mutation))
    assert (first["receipt"]["state"], first["receipt"]["replayed"], first["errors"]) == ("SUCCEEDED", False, [])
    for _ in range(2):
        assert await write(empty, mutation, _keyed(mutation)) == _replay(first)
    assert len(empty.upstream) == 1


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("fault", [Fault.UNAUTHORIZED, Fault.NOT_FOUND, Fault.CONFLICT, Fault.REDIRECT])
async def test_a_refusal_is_answered_from_memory(empty: Gateway, mutation: str, fault: Fault) -> None:
    """A definite no is as final as a success."""
    first = await write(empty, mutation, _keyed(mutation, fault))
    assert first["receipt"]["state"] == "FAILED"
    assert [error["retryable"] for error in first["errors"]] == [False]
    assert await write(empty, mutation, _keyed(mutation, fault)) == _replay(first)
    assert len(empty.upstream) == 1


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.ERROR_APPLIED, Fault.RESET_APPLIED])
async def test_a_write_in_doubt_is_not_sent_by_a_repeat(empty: Gateway, mutation: str, fault: Fault) -> None:
    """It is answered as OutcomeUnknown at once, with its receipt."""
    first = await write(empty, mutation, _keyed(mutation, fault))
    assert first["receipt"]["state"] == "UNKNOWN"
    assert [error["__typename"] for error in first["errors"]] == ["OutcomeUnknown"]
    assert await write(empty, mutation, _keyed(mutation, fault)) == _replay(first)
    assert len(empty.upstream) == 1


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_the_spelling_of_an_input_makes_no_difference(empty: Gateway, mutation: str) -> None:
    """The order of keys, white space, defaults and nulls say nothing."""
    one, other = SPELLINGS[mutation]
    first = await write(empty, mutation, {**one, "idempotencyKey": "order-1"})
    assert first["errors"] == []
    assert await write(empty, mutation, {"idempotencyKey": "order-1", **other}) == _replay(first)
    assert len(empty.upstream) == 1


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_another_input_under_the_same_key_is_a_conflict(empty: Gateway, mutation: str) -> None:
    """Nothing is sent, and the receipt is that of the write that holds the key; so for another mutation."""
    first = await write(empty, mutation, _keyed(mutation))
    others = [name for name in MUTATIONS if name != mutation]
    asked = [_keyed(mutation, "another"), *map(_keyed, others)]
    for name, given in zip([mutation, *others], asked, strict=True):
        refused = await write(empty, name, given)
        assert (refused["errors"], refused["receipt"]["id"]) == ([CONFLICT], first["receipt"]["id"])
    assert len(empty.upstream) == 1


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_failure_that_may_be_repeated_frees_its_key(empty: Gateway, mutation: str) -> None:
    """The repeat is a new write with a receipt of its own, which is the one that the key stands for from then on."""
    given = _keyed(mutation, Fault.MISDIRECTED)
    answers = [await write(empty, mutation, given) for _ in range(2)]
    assert [[error["retryable"] for error in answer["errors"]] for answer in answers] == [[True], [True]]
    assert [answer["receipt"]["replayed"] for answer in answers] == [False, False]
    assert answers[0]["receipt"]["id"] != answers[1]["receipt"]["id"]
    assert (await receipt(empty, "order-1"))["id"] == answers[1]["receipt"]["id"]
    assert len(empty.upstream) == 2 * (1 + MOST_REPEATS)


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_thirty_at_once_are_one_write(empty: Gateway, mutation: str) -> None:
    """One is sent, the others wait for it; all are answered the same."""
    answers = await asyncio.gather(*(write(empty, mutation, _keyed(mutation)) for _ in range(30)))
    assert len(empty.upstream) == 1
    assert sorted(answer["receipt"]["replayed"] for answer in answers) == [False] + [True] * 29
    assert answers[0]["errors"] == []
    assert [_replay(answer) for answer in answers] == [_replay(answers[0])] * 30


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_the_key_may_be_given_in_the_header(empty: Gateway, mutation: str) -> None:
    """Alone or as in the input, it is the same key."""
    first = await write(empty, mutation, MUTATIONS[mutation]("word"), header="order-1")
    assert first["receipt"]["idempotencyKey"] == "order-1"
    assert await write(empty, mutation, _keyed(mutation), header="order-1") == _replay(first)
    assert await write(empty, mutation, _keyed(mutation)) == _replay(first)
    assert len(empty.upstream) == 1


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("header", ["order-2", "", "x" * 256])
async def test_a_header_that_differs_is_refused(empty: Gateway, mutation: str, header: str) -> None:
    """From the input's key, or from what a key may be: nothing is stored, nothing is sent."""
    refused = await write(empty, mutation, _keyed(mutation), header=header)
    [error] = refused["errors"]
    assert (error["__typename"], error["path"]) == ("InvalidInput", ["input", "idempotencyKey"])
    assert refused["receipt"] is None
    assert await receipt(empty, "order-1") is None
    assert empty.upstream == []


async def test_a_header_is_for_one_mutation_alone(empty: Gateway) -> None:
    """With two in a document it is clear for neither: nothing is sent."""
    one = 'createContact(input: {displayName: "Ada"}) { errors { code } }'
    body = await post(empty, f"mutation {{ a: {one} b: {one} }}", {}, header="order-1")
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]
    assert body.get("data") is None
    assert empty.upstream == []
    assert await receipt(empty, "order-1") is None


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_two_writes_without_a_key_are_two_writes(empty: Gateway, mutation: str) -> None:
    """However alike; each is answered the key that was made for it, and that one can be repeated."""
    given = MUTATIONS[mutation]("word")
    first, second = [await write(empty, mutation, given) for _ in range(2)]
    made = [answer["receipt"]["idempotencyKey"] for answer in (first, second)]
    assert len(set(made)) == 2
    assert len(empty.upstream) == 2
    repeated = await write(empty, mutation, {**given, "idempotencyKey": made[0]})
    assert repeated == _replay(first)
    assert len(empty.upstream) == 2


async def test_a_key_belongs_to_its_gateway_key(empty: Gateway, tmp_path: Path) -> None:
    """The same text of another caller is another write, and nobody sees another's receipt without being allowed to."""
    other = await _gateway_key(tmp_path, "contacts:write", "read")
    auditor = await _gateway_key(tmp_path, "receipts:read-all", "read")
    mine = await write(empty, "createContact", _keyed("createContact"))
    theirs = await write(empty, "createContact", _keyed("createContact"), key=other)
    assert mine["receipt"]["id"] != theirs["receipt"]["id"]
    assert theirs["receipt"]["replayed"] is False
    assert len(empty.upstream) == 2
    by_id = "query ($id: ID!) { receipt(by: {id: $id}) { id } }"
    seen = [
        (await post(empty, by_id, {"id": mine["receipt"]["id"]}, key=key))["data"]["receipt"]
        for key in (other, auditor)
    ]
    assert seen == [None, {"id": mine["receipt"]["id"]}]
    assert (await receipt(empty, "order-1", key=other))["id"] == theirs["receipt"]["id"]


async def test_a_repeat_asks_no_vendor_who_is_meant(demo: Gateway) -> None:
    """Also where the input names somebody in a way that only vendors can tell."""
    given = {
        "subject": "Call",
        "contacts": [{"emailAddress": build_world().humans[0].email}],
        "idempotencyKey": "order-1",
    }
    first = await write(demo, "logActivity", given)
    demo.upstream.clear()
    assert await write(demo, "logActivity", given) == _replay(first)
    assert demo.upstream == []


async def _gateway_key(home: Path, *scopes: str) -> str:
    database = home / "switchboard.db"
    engine = open_engine(make_url(f"sqlite:///{database}"))
    try:
        return await Keys(Transactions(engine), Signer(secret_beside(database))).create(
            "Other", Environment.TEST, list(scopes)
        )
    finally:
        await engine.dispose()


def test_every_mutation_is_asked_for_its_outcome() -> None:
    """What is compared is more than the receipt."""
    assert set(RESULTS) == set(SPELLINGS) == set(MUTATIONS)
