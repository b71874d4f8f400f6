"""The operation create_person_log, and reading back what it made."""

from typing import Any

from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.operations.receipts import receipt
from tests.operations.sent import empties

INPUT = {
    "emailAddress": " Ada.Andersen@EXAMPLE.com ",
    "phoneNumber": "+31 6 1234-5678",
    "linkedinProfileUrl": "https://www.linkedin.com/in/ada-andersen",
    "name": "Ada Åndersen 🦊",
    "source": "crm-sync",
    "type": "stage-change",
    "payload": {"stage": "qualified", "score": 0.1, "tags": [], "owner": None},
    "idempotencyKey": "crm:1",
}


async def test_a_person_log_is_written_and_answered_whole(empty: Gateway) -> None:
    """One upstream call makes log and person; the answer holds all that was given and all that the vendor said."""
    made = (await empty.run("create_person_log", {"input": INPUT}))["createPersonLog"]
    assert made == _payload(made)
    assert empty.calls() == ["ARCHITECT POST /v0/person_logs"]


async def test_the_vendor_is_sent_what_was_given_and_a_key_of_the_gateways_own(empty: Gateway) -> None:
    """Identifiers are sent in their normal form, and the caller's idempotency key is never sent itself."""
    await empty.run("create_person_log", {"input": INPUT})
    sent = dict(empty.upstream[0].body)
    key = sent.pop("idempotencyKey")
    assert sent == {
        "source": "crm-sync",
        "type": "stage-change",
        "payload": INPUT["payload"],
        "email": "Ada.Andersen@example.com",
        "phoneNumber": "+31612345678",
        "linkedinProfileUrl": "https://www.linkedin.com/in/ada-andersen",
        "name": "Ada Åndersen 🦊",
    }
    assert key.startswith("gw1_")
    assert "crm:1" not in key


async def test_what_was_not_given_is_not_sent(empty: Gateway) -> None:
    """Absent stays absent: nothing empty leaves the gateway, and the type has the schema's default."""
    await empty.run("create_person_log", {"input": {"emailAddress": "a@example.com", "source": "web", "payload": {}}})
    sent = empty.upstream[0].body
    assert sorted(sent) == ["email", "idempotencyKey", "payload", "source", "type"]
    assert sent["type"] == "webhook"
    assert empties(sent) == []


async def test_the_log_is_read_back_through_node_in_one_call(empty: Gateway) -> None:
    """The vendor is asked for the log by person and log; the caller's own idempotency key comes from memory."""
    made = (await empty.run("create_person_log", {"input": INPUT}))["createPersonLog"]
    person, log = made["person"], made["personLog"]
    read = (await empty.run("node", {"id": log["id"]}))["node"]
    assert read == {
        "__typename": "PersonLog",
        **log,
        "person": {"id": person["id"], "displayName": person["displayName"]},
    }
    own_ids = (person["vendorRecord"]["id"], log["vendorRecord"]["id"])
    assert empty.calls() == ["ARCHITECT GET /v0/persons/{}/logs/{}".format(*own_ids)]


async def test_a_second_log_finds_the_person_of_the_first(empty: Gateway) -> None:
    """The person is taken by either form of ID, is not made again, and keeps what was known of it."""
    person = (await empty.run("create_person_log", {"input": INPUT}))["createPersonLog"]["person"]
    for person_id in (person["id"], person["vendorRecord"]["id"]):
        given = {"personId": person_id, "source": "web", "payload": {}}
        made = (await empty.run("create_person_log", {"input": given}))["createPersonLog"]
        assert (made["person"], made["personCreated"], made["errors"]) == (person, False, [])
        assert empty.upstream[0].body["personId"] == person["vendorRecord"]["id"]


def _payload(made: Any) -> Any:
    """The payload of INPUT; IDs and the log's moment are the vendor's."""
    person_id, log = made["person"]["vendorRecord"]["id"], made["personLog"]
    log_id, created_at = log["vendorRecord"]["id"], log["createdAt"]
    return {
        "personLog": {
            "id": encode(Kind.PERSON_LOG, person_id, log_id),
            "source": "crm-sync",
            "type": "stage-change",
            "payload": INPUT["payload"],
            "idempotencyKey": "crm:1",
            "createdAt": created_at,
            "updatedAt": None,
            "deletedAt": None,
            "vendorRecord": {"vendor": "ARCHITECT", "kind": "person_log", "id": log_id},
        },
        "person": {
            "id": encode(Kind.PERSON, person_id),
            "displayName": "Ada Åndersen 🦊",
            "emailAddresses": ["Ada.Andersen@example.com"],
            "phoneNumbers": ["+31612345678"],
            "name": "Ada Åndersen 🦊",
            "linkedinProfileUrl": "https://www.linkedin.com/in/ada-andersen",
            "createdAt": created_at,
            "vendorRecord": {"vendor": "ARCHITECT", "kind": "person", "id": person_id},
        },
        "personCreated": True,
        "receipt": receipt(made["receipt"], "CREATE_PERSON_LOG", "ARCHITECT", "crm:1"),
        "errors": [],
    }
