"""Architect's client: its three calls as they leave, and its answers as they are read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.sandbox.world import build_world
from app.vendors.architect import SPEC, wire
from schema.errors import NotFound, Refusal
from schema.ids import Kind
from tests.vendors.upstream import KEY, fixture, sandboxed, upstream

AUTH = {"x-api-key": KEY}
SENT = {**AUTH, "content-type": "application/json"}
PERSON_ID = "prospect_01hzx3v9k2m4n6p8q0r2s4t6v8"
LOG_ID = "prospectlog_01hzx3v9k2m4n6p8q0r2s4t6vb"
CREATED_AT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def new_log(**more: Any) -> wire.NewLog:
    return wire.NewLog(source="crm sync", type="webhook", payload={}, idempotency_key="gw1_key", **more)


async def test_a_person_log_is_sent_with_every_field_under_its_documented_name() -> None:
    """Nothing is lost or renamed on the way, and a null within the payload is the caller's own."""
    body = wire.NewLog(
        source="crm-sync",
        type="contact-update",
        payload={"stage": "qualified", "note": None},
        person_id=PERSON_ID,
        email="ada@example.com",
        phone_number="+31612345678",
        linkedin_profile_url="https://www.linkedin.com/in/ada-example",
        idempotency_key="gw1_key",
        name="Ada Example",
    )
    async with upstream(SPEC) as vendor:
        vendor.answers(201, fixture("architect/created_person_log"))
        created = await vendor.client.create_log(Kind.PERSON, body)
    assert vendor.requests == [("POST", "/v0/person_logs", SENT, fixture("architect/new_person_log"))]
    assert created == wire.CreatedLog.model_construct(
        party_id=PERSON_ID,
        log_id=LOG_ID,
        created_at=CREATED_AT,
        created_party=True,
        source="crm-sync",
        type="contact-update",
    )


@pytest.mark.parametrize(
    ("kind", "given", "path"),
    [
        (Kind.PERSON, {"person_id": PERSON_ID, "email": "ada@example.com"}, ["input", "personId"]),
        (Kind.PERSON, {"email": "ada@example.com"}, ["input"]),
        (Kind.PROSPECT, {"prospect_id": PERSON_ID}, ["input", "prospectId"]),
        (Kind.PROSPECT, {"phone_number": "+31612345678"}, ["input"]),
    ],
)
async def test_what_is_not_found_is_the_id_if_one_was_given(kind: Kind, given: dict[str, Any], path: list[str]) -> None:
    """Else the whole input: no error leads to a field that was not sent."""
    async with upstream(SPEC) as vendor:
        vendor.answers(404, {"code": "NOT_FOUND"})
        with pytest.raises(Refusal) as refused:
            await vendor.client.create_log(kind, new_log(**given))
    [error] = refused.value.errors
    assert isinstance(error, NotFound)
    assert error.path == path


async def test_a_prospect_log_leaves_out_what_was_not_given() -> None:
    """Absent stays absent: no null is sent; the answer's own names for the same three fields are read."""
    async with upstream(SPEC) as vendor:
        vendor.answers(201, fixture("architect/created_prospect_log"))
        created = await vendor.client.create_log(Kind.PROSPECT, new_log(prospect_id=PERSON_ID))
    body = {
        "source": "crm sync",
        "type": "webhook",
        "payload": {},
        "prospectId": PERSON_ID,
        "idempotencyKey": "gw1_key",
    }
    assert vendor.requests == [("POST", "/v0/prospect_logs", SENT, body)]
    assert created == wire.CreatedLog.model_construct(
        party_id=PERSON_ID,
        log_id=LOG_ID,
        created_at=CREATED_AT,
        created_party=False,
        source="crm sync",
        type="webhook",
    )


async def test_a_person_log_is_read_by_person_and_log() -> None:
    """All nine documented fields arrive."""
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("architect/person_log"))
        log = await vendor.client.get_person_log(PERSON_ID, LOG_ID)
    assert vendor.requests == [("GET", f"/v0/persons/{PERSON_ID}/logs/{LOG_ID}", AUTH, None)]
    assert log == wire.PersonLog.model_construct(
        person_id=PERSON_ID,
        log_id=LOG_ID,
        source="crm-sync",
        type="contact-update",
        payload={"stage": "qualified"},
        idempotency_key="crm-sync:evt-0001",
        created_at=CREATED_AT,
        updated_at=None,
        deleted_at=datetime(2026, 2, 1, tzinfo=UTC),
    )


async def test_a_person_log_that_does_not_exist_is_none() -> None:
    """404 is an answer, not a failure."""
    async with upstream(SPEC) as vendor:
        vendor.answers(404, {"code": "NOT_FOUND"})
        assert await vendor.client.get_person_log(PERSON_ID, LOG_ID) is None


@pytest.mark.parametrize("odd", ["a/b?c#d", "é %2e"])
async def test_an_id_is_one_segment_of_the_path(odd: str) -> None:
    """Whatever an ID holds, it leads to no other endpoint."""
    async with upstream(SPEC) as vendor:
        vendor.answers(404)
        assert await vendor.client.get_person_log(odd, LOG_ID) is None
    path = {"a/b?c#d": "a%2Fb%3Fc%23d", "é %2e": "%C3%A9%20%252e"}[odd]
    assert vendor.requests == [("GET", f"/v0/persons/{path}/logs/{LOG_ID}", AUTH, None)]


@pytest.mark.parametrize("ids", [("..", LOG_ID), (PERSON_ID, ".."), (".", ".")])
async def test_an_id_of_dots_is_no_step_in_the_path(ids: tuple[str, str]) -> None:
    """It names no record, so nothing is asked."""
    async with upstream(SPEC) as vendor:
        assert await vendor.client.get_person_log(*ids) is None
    assert vendor.requests == []


async def test_the_sandbox_and_the_client_agree() -> None:
    """What the client writes, the sandbox keeps, and the client reads the same back; a prospect log likewise."""
    human = build_world().humans[1]
    async with sandboxed(SPEC, build_world()) as client:
        made = await client.create_log(Kind.PERSON, new_log(email=human.email).model_copy(update={"source": "crm"}))
        read = await client.get_person_log(made.party_id, made.log_id)
        again = await client.create_log(Kind.PROSPECT, new_log(prospect_id=made.party_id))
    assert (made.party_id, made.created_party) == (f"prospect_{human.code('architect')}", False)
    assert read == wire.PersonLog.model_construct(
        person_id=made.party_id,
        log_id=made.log_id,
        source="crm",
        type="webhook",
        payload={},
        idempotency_key="gw1_key",
        created_at=made.created_at,
        updated_at=None,
        deleted_at=None,
    )
    assert (again.party_id, again.created_party, again.source) == (made.party_id, False, "crm sync")
