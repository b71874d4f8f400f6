"""The operation log_activity, and what the vendor is sent."""

from typing import Any

from app.sandbox.world import build_world
from app.vendors.reevo.sandbox import USER_ID
from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.operations.receipts import receipt
from tests.operations.sent import empties

ADA, BJORN, CHLOE = build_world().humans[:3]
INPUT = {
    "subject": "Call about the offer ☎",
    "description": "She asks for a discount.",
    "category": "CALL",
    "occurredAt": "2026-02-03T12:00:00.250+02:00",
    "accountId": ADA.company.account_id.upper(),
    "opportunityId": ADA.company.opportunity_id,
    "sequenceId": ADA.uuid("sequence"),
    "pipelineStageId": ADA.uuid("stage"),
}


async def test_an_activity_is_logged_and_answered_whole(empty: Gateway) -> None:
    """One upstream call; what Reevo doesn't give back is answered as it was given."""
    made = (await empty.run("log_activity", {"input": INPUT}))["logActivity"]
    activity = made["activity"]
    expected = logged(activity["vendorRecord"]["id"], activity["createdAt"])
    remembered = receipt(made["receipt"], "LOG_ACTIVITY", "REEVO")
    assert made == {"activity": expected, "receipt": remembered, "errors": []}
    assert empty.calls() == ["REEVO POST /api/v2/activity"]


async def test_the_vendor_is_sent_exactly_what_was_given(empty: Gateway) -> None:
    """The moment in UTC with its fraction, UUIDs in lower case, and no list of contacts where there are none."""
    await empty.run("log_activity", {"input": {**INPUT, "contacts": []}})
    assert empty.upstream[0].body == {
        "attributes": {
            "metadata": {
                "activity_time": "2026-02-03T10:00:00.250000Z",
                "subject": "Call about the offer ☎",
                "description": "She asks for a discount.",
                "category": "CALL",
            },
            "account_id": ADA.company.account_id,
            "opportunity_id": ADA.company.opportunity_id,
            "sequence_id": ADA.uuid("sequence"),
            "pipeline_select_list_value_id": ADA.uuid("stage"),
        }
    }


async def test_what_was_not_given_is_not_sent(empty: Gateway) -> None:
    """But for the category and the moment, which Reevo requires: OTHER, and now."""
    made = (await empty.run("log_activity", {"input": {"subject": "Met"}}))["logActivity"]
    sent = empty.upstream[0].body["attributes"]
    assert (sorted(sent), sorted(sent["metadata"])) == (["metadata"], ["activity_time", "category", "subject"])
    assert sent["metadata"]["category"] == "OTHER"
    assert sent["metadata"]["activity_time"][:23] == made["activity"]["occurredAt"][:23]
    assert empties(sent) == []


async def test_contacts_are_resolved_to_the_vendors_own(demo: Gateway) -> None:
    """By e-mail, phone and Reevo's own record, at once: one query for each of the three."""
    own = {"vendor": "REEVO", "kind": "contact", "id": BJORN.uuid("reevo/contact")}
    parties = [{"emailAddress": ADA.email}, {"phoneNumber": CHLOE.phone}, {"vendorRecord": own}]
    made = (await demo.run("log_activity", {"input": {"subject": "Met", "contacts": parties}}))["logActivity"]
    assert made["errors"] == []
    assert demo.upstream[-1].body["attributes"]["contact_ids"] == [
        ADA.uuid("reevo/contact"),
        CHLOE.uuid("reevo/contact"),
        BJORN.uuid("reevo/contact"),
    ]
    assert demo.calls() == [
        "REEVO POST /api/v2/contact/_query",
        "REEVO POST /api/v2/contact/_query",
        "REEVO POST /api/v2/contact/_query",
        "REEVO POST /api/v2/activity",
    ]


async def test_a_contact_that_cannot_be_resolved_writes_nothing(demo: Gateway) -> None:
    """Every one is reported at its place, and the activity is neither sent nor remembered."""
    parties = [{"emailAddress": "nobody@example.com"}, {"phoneNumber": CHLOE.phone}, {"phoneNumber": "+4930123456"}]
    made = (await demo.run("log_activity", {"input": {"subject": "Met", "contacts": parties}}))["logActivity"]
    assert (made["activity"], made["receipt"]) == (None, None)
    assert [(error["__typename"], error["path"]) for error in made["errors"]] == [
        ("NotFound", ["input", "contacts", "0"]),
        ("NotFound", ["input", "contacts", "2"]),
    ]
    assert "REEVO POST /api/v2/activity" not in demo.calls()


def logged(own_id: str, created_at: str) -> Any:
    """The activity of INPUT; its ID and moment are the vendor's."""
    company = ADA.company
    return {
        "id": encode(Kind.ACTIVITY, own_id),
        "subject": "Call about the offer ☎",
        "description": "She asks for a discount.",
        "category": "CALL",
        "occurredAt": "2026-02-03T10:00:00.250Z",
        "type": "MANUAL_ACTIVITY",
        "subType": "CALL",
        "status": None,
        "priority": None,
        "location": None,
        "badgeStatus": None,
        "owner": {"vendor": "REEVO", "kind": "user", "id": USER_ID},
        "details": None,
        "account": {"vendor": "REEVO", "kind": "account", "id": company.account_id},
        "opportunity": {"vendor": "REEVO", "kind": "opportunity", "id": company.opportunity_id},
        "createdAt": created_at,
        "updatedAt": created_at,
        "vendorRecord": {"vendor": "REEVO", "kind": "activity", "id": own_id},
    }
