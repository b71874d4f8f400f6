"""The operation create_prospect_log, and reading back what it made."""

from typing import Any

from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.operations.receipts import receipt
from tests.operations.sent import empties

INPUT = {
    "phoneNumber": "+31612345678",
    "source": "Web Shop",
    "type": "Form submission",
    "payload": {"form": "request-a-demo"},
    "idempotencyKey": "form 7",
}


async def test_a_prospect_log_is_written_and_answered_whole(empty: Gateway) -> None:
    """One upstream call makes log and prospect; the answer holds all that was given and all that the vendor said."""
    made = (await empty.run("create_prospect_log", {"input": INPUT}))["createProspectLog"]
    assert made == _payload(made)
    assert empty.calls() == ["ARCHITECT POST /v0/prospect_logs"]


async def test_only_what_was_given_is_sent(empty: Gateway) -> None:
    """Source and type keep their case and spaces; nothing empty leaves the gateway."""
    await empty.run("create_prospect_log", {"input": INPUT})
    sent = dict(empty.upstream[0].body)
    assert sent.pop("idempotencyKey").startswith("gw1_")
    assert sent == {name: INPUT[name] for name in ("phoneNumber", "source", "type", "payload")}
    assert empties(sent) == []


async def test_the_log_is_read_back_through_node_without_a_call(empty: Gateway) -> None:
    """The vendor can't be asked for prospect logs: memory answers, as whole as the vendor did."""
    made = (await empty.run("create_prospect_log", {"input": INPUT}))["createProspectLog"]
    read = (await empty.run("node", {"id": made["prospectLog"]["id"]}))["node"]
    owner = {"id": made["prospect"]["id"], "displayName": "+31612345678"}
    assert read == {"__typename": "ProspectLog", **made["prospectLog"], "prospect": owner}
    assert empty.calls() == []


async def test_a_log_is_not_found_under_another_prospect(empty: Gateway) -> None:
    """The ID of a log names its prospect too, and both must be right."""
    made = (await empty.run("create_prospect_log", {"input": INPUT}))["createProspectLog"]
    log_id = made["prospectLog"]["vendorRecord"]["id"]
    assert await empty.run("node", {"id": encode(Kind.PROSPECT_LOG, "prospect_x", log_id)}) == {"node": None}


def _payload(made: Any) -> Any:
    """The payload of INPUT; IDs and the log's moment are the vendor's."""
    prospect_id, log = made["prospect"]["vendorRecord"]["id"], made["prospectLog"]
    log_id, created_at = log["vendorRecord"]["id"], log["createdAt"]
    return {
        "prospectLog": {
            "id": encode(Kind.PROSPECT_LOG, prospect_id, log_id),
            "source": "Web Shop",
            "type": "Form submission",
            "payload": {"form": "request-a-demo"},
            "idempotencyKey": "form 7",
            "createdAt": created_at,
            "vendorRecord": {"vendor": "ARCHITECT", "kind": "prospect_log", "id": log_id},
        },
        "prospect": {
            "id": encode(Kind.PROSPECT, prospect_id),
            "displayName": "+31612345678",
            "emailAddresses": [],
            "phoneNumbers": ["+31612345678"],
            "name": None,
            "linkedinProfileUrl": None,
            "createdAt": created_at,
            "vendorRecord": {"vendor": "ARCHITECT", "kind": "prospect", "id": prospect_id},
        },
        "prospectCreated": True,
        "receipt": receipt(made["receipt"], "CREATE_PROSPECT_LOG", "ARCHITECT", "form 7"),
        "errors": [],
    }
