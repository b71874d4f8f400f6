"""Reevo's client: its four calls as they leave, and its answers with their envelopes taken off."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.readings import whole
from app.sandbox.world import build_world
from app.vendors.reevo import SPEC, wire
from schema.errors import NotFound, Refusal
from tests.vendors.upstream import KEY, fixture, sandboxed, upstream

AUTH = {"authorization": f"Bearer {KEY}"}
SENT = {**AUTH, "content-type": "application/json"}
CONTACT_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
ACCOUNT_ID = "5d0b7e0e-9f0c-4d0c-8a57-1d7a3b0c9f11"
ITEM_ID = "7b0b6a50-6a3e-4d5e-9a0e-2f4c9b1d0c11"
USER = wire.Reference(related_record_id="0f6f1d0a-5f0c-4c53-8c0c-a0f6d7c5e2aa", related_record_type="user")
ACTIVITY = wire.ActivityRecord.model_construct(
    id="a2f1c6d4-8d39-4b4e-9a43-8a8d2a1f5e77",
    record_type="activity",
    created_at=datetime(2026, 3, 2, 15, 4, 11, tzinfo=UTC),
    updated_at=datetime(2026, 3, 2, 15, 4, 12, tzinfo=UTC),
    attributes=wire.ActivityAttributes(
        type="MANUAL_ACTIVITY",
        sub_type="CALL",
        status=None,
        priority="HIGH",
        display_name="Intro call",
        owner_user_id=USER,
        ended_at=datetime(2026, 3, 2, 15, tzinfo=UTC),
        badge_status=None,
        location="Utrecht",
    ),
    metadata=None,
)
CONTACT = wire.Contact.model_construct(
    id=CONTACT_ID,
    record_type="contact",
    created_at=datetime(2026, 1, 5, 10, tzinfo=UTC),
    updated_at=datetime(2026, 1, 6, 10, tzinfo=UTC),
    attributes=wire.ContactAttributes(
        organization_id=ITEM_ID,
        created_at=datetime(2026, 1, 5, 10, tzinfo=UTC),
        updated_at=datetime(2026, 1, 6, 10, tzinfo=UTC),
        display_name="Sarah B. Chen",
        stage=wire.Stage(id=ITEM_ID, display_value="Working", api_name="working", color="blue"),
        created_by_user_id=USER,
        participant_user_id_list=[USER],
        first_name="Sarah",
        middle_name="B.",
        last_name="Chen",
        title="CTO",
        department="Engineering",
        primary_email="sarah@acme.example",
        primary_phone_number="+31612345678",
        sms_consent=True,
        address=wire.Address(street_one="1 Main St", city="Springfield", state="IL", country="US", zip_code="62701"),
        contact_emails=[
            wire.ContactEmail(id=ITEM_ID, email="sarah@acme.example", is_primary=True, labels=["WORK"]),
        ],
        contact_phone_numbers=[
            wire.ContactPhoneNumber(id=USER.related_record_id, phone_number="+31612345678", is_primary=True, labels=[]),
        ],
    ),
    relationships={"accounts": []},
)


async def test_an_activity_is_logged_with_every_field_under_its_documented_name() -> None:
    """The answer comes out of its envelopes."""
    attributes = wire.NewActivityAttributes(
        metadata=wire.ActivityMetadata(
            activity_time="2026-03-02T15:00:00Z",
            subject="Intro call",
            description="Talked about pricing",
            category="CALL",
        ),
        account_id=ACCOUNT_ID,
        opportunity_id="6d0b7e0e-9f0c-4d0c-8a57-1d7a3b0c9f12",
        contact_ids=(CONTACT_ID,),
        sequence_id="7d0b7e0e-9f0c-4d0c-8a57-1d7a3b0c9f13",
        pipeline_select_list_value_id="8d0b7e0e-9f0c-4d0c-8a57-1d7a3b0c9f14",
    )
    async with upstream(SPEC) as vendor:
        vendor.answers(201, fixture("reevo/activity"))
        assert await vendor.client.log_activity(wire.NewActivity(attributes=attributes)) == ACTIVITY
    assert vendor.requests == [("POST", "/api/v2/activity", SENT, fixture("reevo/new_activity"))]


async def test_what_an_activity_does_not_have_is_not_sent() -> None:
    """Absent stays absent, at every depth."""
    metadata = wire.ActivityMetadata(activity_time="2026-03-02T15:00:00Z", subject="Call", category="OTHER")
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("reevo/activity"))
        await vendor.client.log_activity(wire.NewActivity(attributes=wire.NewActivityAttributes(metadata=metadata)))
    sent = {"activity_time": "2026-03-02T15:00:00Z", "subject": "Call", "category": "OTHER"}
    assert vendor.requests == [("POST", "/api/v2/activity", SENT, {"attributes": {"metadata": sent}})]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"contact_ids": (CONTACT_ID,)}, ["input", "contacts"]),
        ({"account_id": ACCOUNT_ID}, ["input"]),
        ({"contact_ids": (CONTACT_ID,), "opportunity_id": ACCOUNT_ID}, ["input"]),
        ({"contact_ids": (CONTACT_ID,), "sequence_id": ACCOUNT_ID}, ["input"]),
        ({"contact_ids": (CONTACT_ID,), "pipeline_select_list_value_id": ACCOUNT_ID}, ["input"]),
        ({}, ["input"]),
    ],
)
async def test_a_404_leads_to_the_contacts_only_where_nothing_else_can_be_missing(
    given: dict[str, Any], path: list[str]
) -> None:
    """Neither to contacts that were not given, nor to those that exist."""
    metadata = wire.ActivityMetadata(activity_time="2026-03-02T15:00:00Z", subject="Call", category="OTHER")
    attributes = wire.NewActivityAttributes(metadata=metadata, **given)
    async with upstream(SPEC) as vendor:
        vendor.answers(404, {"details": {"code": "target_record_not_found"}})
        with pytest.raises(Refusal) as refusal:
            await vendor.client.log_activity(wire.NewActivity(attributes=attributes))
    [error] = refusal.value.errors
    assert (type(error), getattr(error, "path", None)) == (NotFound, path)


async def test_activities_are_queried_in_a_scope_and_unknown_metadata_survives_whole() -> None:
    """A kind of metadata that nobody described yet arrives as it was sent."""
    query = wire.ActivityQuery(account_id=ACCOUNT_ID, created_from="2026-01-01T00:00:00Z", cursor="opaque", limit=50)
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("reevo/activities"))
        page = await vendor.client.query_activities(query, whole(wire.ActivityPage))
    asked = {"account_id": ACCOUNT_ID, "created_from": "2026-01-01T00:00:00Z", "cursor": "opaque", "limit": 50}
    assert vendor.requests == [("POST", "/api/v2/activity/_query", SENT, asked)]
    odd = ACTIVITY.model_copy(update={"metadata": {"kind": "hologram", "beams": [1, {"deep": None}]}})
    assert page == wire.ActivityPage.model_construct(data=[odd], next_cursor="opaque")


async def test_contacts_are_queried_by_many_values_in_one_call() -> None:
    """One condition `in`, the largest page that the vendor's examples show."""
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("reevo/contacts"))
        page = await vendor.client.query_contacts({"primary_email": ["sarah@acme.example", "lee@acme.example"]})
    assert vendor.requests == [("POST", "/api/v2/contact/_query", SENT, fixture("reevo/contact_query"))]
    assert page == wire.ContactPage.model_construct(data=[CONTACT], next_cursor=None)


async def test_contacts_are_queried_by_several_fields_in_one_call() -> None:
    """Any of them may hold: the conditions stand in one group."""
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("reevo/contacts"))
        wanted = {"primary_email": ["a@acme.example"], "primary_phone_number": ["+31612345678"]}
        await vendor.client.query_contacts(wanted)
    conditions = [
        {"field": "primary_email", "operator": "in", "value": ["a@acme.example"]},
        {"field": "primary_phone_number", "operator": "in", "value": ["+31612345678"]},
    ]
    body = {"filters": [{"or": conditions}], "limit": 100}
    assert vendor.requests == [("POST", "/api/v2/contact/_query", SENT, body)]


async def test_a_contact_is_read_by_its_id() -> None:
    """Every attribute out of its envelope; 404 is None; the ID is one segment of the path."""
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("reevo/contact"))
        assert await vendor.client.get_contact(CONTACT_ID) == CONTACT
        vendor.answers(404, {"details": {"code": "record_not_found"}})
        assert await vendor.client.get_contact("a/b") is None
    assert vendor.requests == [
        ("GET", f"/api/v2/contact/{CONTACT_ID}", AUTH, None),
        ("GET", "/api/v2/contact/a%2Fb", AUTH, None),
    ]


async def test_the_sandbox_and_the_client_agree() -> None:
    """What the client logs, the sandbox gives back in its scope; a contact is found by e-mail and read by ID."""
    human = build_world().humans[0]
    contact_id = human.uuid("reevo/contact")
    metadata = wire.ActivityMetadata(activity_time="2026-03-02T15:00:00Z", subject="Call", category="CALL")
    attributes = wire.NewActivityAttributes(metadata=metadata, contact_ids=(contact_id,))
    async with sandboxed(SPEC, build_world()) as client:
        logged = await client.log_activity(wire.NewActivity(attributes=attributes))
        page = await client.query_activities(
            wire.ActivityQuery(contact_id=contact_id, limit=1), whole(wire.ActivityPage)
        )
        contact = await client.get_contact(contact_id)
        found = await client.query_contacts({"primary_email": [human.email.upper()], "primary_phone_number": []})
    assert page.data == [logged]
    assert (logged.attributes.display_name, logged.attributes.ended_at) == (
        "Call",
        datetime(2026, 3, 2, 15, tzinfo=UTC),
    )
    assert found.data == [contact]
    assert (contact.id, contact.attributes.primary_email) == (contact_id, human.email)
