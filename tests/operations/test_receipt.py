"""The operation receipt: by its ID, and by the idempotency key of the write."""

from typing import Any

from schema.ids import Kind, decode
from tests.gateway import QUERIES, Gateway
from tests.operations.conftest import NewKey

QUERY = (QUERIES / "receipt.graphql").read_text("utf-8")
INPUT = {
    "displayName": "Ada",
    "identifiers": [{"key": "crm_id", "value": "77"}],
    "idempotencyKey": "crm:77",
}


async def test_a_receipt_is_answered_whole_by_its_id_and_by_its_key(empty: Gateway) -> None:
    """With the record that it made, for which the vendor is asked once, and each step that led there."""
    made = (await empty.run("create_contact", {"input": INPUT}))["createContact"]
    found = await _receipt(empty, id=made["receipt"]["id"])
    stamps = [event.pop("at") for event in found["events"]]
    assert found == {
        "id": made["receipt"]["id"],
        "idempotencyKey": "crm:77",
        "operation": "CREATE_CONTACT",
        "vendor": "BIRD",
        "state": "SUCCEEDED",
        "replayed": False,
        "attempts": 1,
        "needsAttention": False,
        "error": None,
        "createdAt": stamps[0],
        "updatedAt": stamps[-1],
        "completedAt": stamps[-1],
        "result": {"__typename": "Contact", "id": made["contact"]["id"]},
        "events": [
            {"from": None, "to": "PENDING", "reason": "stored"},
            {"from": "PENDING", "to": "SENDING", "reason": "sending"},
            {"from": "SENDING", "to": "SUCCEEDED", "reason": "the vendor answered with the record"},
        ],
    }
    assert stamps == sorted(stamps)
    [read] = empty.calls()
    assert read.endswith(f"/contacts/{made['contact']['vendorRecord']['id']}")
    again = await _receipt(empty, idempotencyKey="crm:77")
    assert [event.pop("at") for event in again["events"]] == stamps
    assert again == found


async def test_a_receipt_has_the_id_of_a_receipt(empty: Gateway) -> None:
    """So that node finds it, too."""
    made = (await empty.run("create_contact", {"input": INPUT}))["createContact"]
    record = decode(made["receipt"]["id"])
    assert record is not None
    assert record.kind is Kind.RECEIPT


async def test_the_receipt_of_a_refused_write_says_why(empty: Gateway) -> None:
    """The error is the one that the mutation answered; nothing was made, and no vendor is asked."""
    await empty.run("create_contact", {"input": INPUT})
    twin = {**INPUT, "displayName": "Twin", "idempotencyKey": "crm:78"}
    refused = (await empty.run("create_contact", {"input": twin}))["createContact"]
    found = await _receipt(empty, idempotencyKey="crm:78")
    [error] = refused["errors"]
    assert found["error"] == {name: error[name] for name in ("__typename", "code", "message", "retryable")}
    assert (found["state"], found["result"], found["completedAt"]) == ("FAILED", None, found["updatedAt"])
    assert found["events"][-1]["reason"] == "refused: VENDOR_REJECTED"
    assert empty.calls() == []


async def test_a_replay_is_no_event(empty: Gateway) -> None:
    """The mutation says that it answered from memory; the receipt that is read afterwards has not changed."""
    await empty.run("create_contact", {"input": INPUT})
    before = await _receipt(empty, idempotencyKey="crm:77")
    again = (await empty.run("create_contact", {"input": INPUT}))["createContact"]
    assert (again["receipt"]["replayed"], again["receipt"]["id"]) == (True, before["id"])
    assert await _receipt(empty, idempotencyKey="crm:77") == before


async def test_what_nobody_wrote_has_no_receipt(empty: Gateway) -> None:
    """Null, by key and by ID, and no vendor is asked."""
    assert await _receipt(empty, idempotencyKey="never") is None
    assert await _receipt(empty, id="UmVjZWlwdDoxOGVhMDgxYWI2MmRmNzlkODhmOTc2NzFjZjU0ZmUzNQ") is None
    assert empty.calls() == []


async def test_a_receipt_is_seen_by_its_own_key_and_by_who_may_read_all(empty: Gateway, new_key: NewKey) -> None:
    """To another key its ID leads nowhere, and the same idempotency key is another write's."""
    receipt_id = (await empty.run("create_contact", {"input": INPUT}))["createContact"]["receipt"]["id"]
    by_id, by_key = {"by": {"id": receipt_id}}, {"by": {"idempotencyKey": "crm:77"}}
    stranger, auditor = await new_key("read"), await new_key("read", "receipts:read-all")
    for by in (by_id, by_key):
        answer = await empty.ask(QUERY, by, key=stranger)
        assert (answer.data, answer.errors) == ({"receipt": None}, [])
    answer = await empty.ask(QUERY, by_id, key=auditor)
    assert (answer.data["receipt"]["id"], answer.errors) == (receipt_id, [])


async def _receipt(gateway: Gateway, **by: str) -> Any:
    return (await gateway.run("receipt", {"by": by}))["receipt"]
