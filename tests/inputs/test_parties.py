"""Whatever a party is given by, the vendor is sent its own record of it, once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from app.sandbox.world import Human, build_world
from schema.errors import Refusal
from schema.ids import Kind, encode
from schema.mutations.parties import resolve
from schema.scalars import EmailAddress
from schema.types.identity import Identity
from schema.types.refs import PartyRef
from tests.gateway import Gateway
from tests.inputs.mutations import ACTIVITY, SYNC, mutate

ADA, BJORN = build_world().humans[:2]


def _references(human: Human) -> dict[str, dict[str, Any]]:
    return {
        "e-mail": {"emailAddress": f" {human.email.upper()}"},
        "phone": {"phoneNumber": f"{human.phone[:3]} {human.phone[3:]}"},
        "contact": {"id": encode(Kind.CONTACT, human.uuid("bird/contact"))},
        "bird": {"vendorRecord": {"vendor": "BIRD", "kind": "contact", "id": human.uuid("bird/contact").upper()}},
        "reevo": {"vendorRecord": {"vendor": "REEVO", "kind": "contact", "id": human.uuid("reevo/contact")}},
        "artu": {"vendorRecord": {"vendor": "ARTU", "kind": "client", "id": human.uuid("artu/client")}},
    }


@pytest.mark.parametrize("reference", _references(ADA))
async def test_a_party_is_the_vendors_own_record(demo: Gateway, reference: str) -> None:
    """By an address in any spelling, by an ID of this API, or by any vendor's record, in any case."""
    party = _references(ADA)[reference]
    assert await mutate(demo, ACTIVITY, contacts=[party]) == []
    assert demo.upstream[-1].body["attributes"]["contact_ids"] == [ADA.uuid("reevo/contact")]
    assert await mutate(demo, SYNC, client={"party": party}) == []
    assert demo.calls()[-1] == f"ARTU POST /clients/{ADA.uuid('artu/client')}/contact-methods/sync"


async def test_the_same_human_being_given_twice_is_one_contact(demo: Gateway) -> None:
    """In the order in which they were given."""
    parties = [_references(BJORN)["e-mail"], *_references(ADA).values(), _references(BJORN)["reevo"]]
    assert await mutate(demo, ACTIVITY, contacts=parties) == []
    contact_ids = demo.upstream[-1].body["attributes"]["contact_ids"]
    assert contact_ids == [BJORN.uuid("reevo/contact"), ADA.uuid("reevo/contact")]


async def test_one_party_that_is_not_found_keeps_the_others_from_being_written(demo: Gateway) -> None:
    """All or nothing: the error leads to the one that is missing."""
    errors = await mutate(demo, ACTIVITY, contacts=[_references(ADA)["e-mail"], {"emailAddress": "nobody@x.example"}])
    assert [(each["__typename"], each["code"]) for each in errors] == [("NotFound", "NOT_FOUND")]
    assert "REEVO POST /api/v2/activity" not in demo.calls()


async def test_parties_are_looked_up_at_once() -> None:
    """None waits for another, and each keeps its place; of failures the first party's is told, when all have ended."""
    all_asked, ended = asyncio.Barrier(3), []

    async def find(identity: Identity) -> list[str]:
        [address] = identity.email_addresses
        await all_asked.wait()
        for _ in range(int(address)):
            await asyncio.sleep(0)
        ended.append(address)
        if address in failing:
            raise ValueError(address)
        return [] if address in unknown else [address]

    async def resolved() -> list[list[str]]:
        async with asyncio.timeout(10):
            return await resolve(info, parties, find, "contact")

    info: Any = SimpleNamespace(context=SimpleNamespace(links=_Starts()))
    parties = [(PartyRef(email_address=EmailAddress(each)), ["input", each]) for each in ("3", "2", "1")]
    failing, unknown = set[str](), set[str]()
    assert await resolved() == [["3"], ["2"], ["1"]]
    unknown = {"1", "3"}
    with pytest.raises(Refusal) as refused:
        await resolved()
    assert [getattr(each, "path", None) for each in refused.value.errors] == [["input", "3"], ["input", "1"]]
    failing = {"3", "1"}
    ended.clear()
    with pytest.raises(ValueError, match="3"):
        await resolved()
    assert ended == ["1", "2", "3"]


class _Starts:
    async def start(self, party: PartyRef) -> Identity:
        return Identity(email_addresses=(str(party.email_address),))
