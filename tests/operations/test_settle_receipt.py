"""The operation settle_receipt: a person ends a doubt that nothing else can."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from schema import ids
from schema.access import EVERYTHING, SCOPES
from tests.gateway import QUERIES, Gateway
from tests.operations.conftest import NewKey
from tests.operations.receipts import SENT, history, receipt

QUERY = (QUERIES / "settle_receipt.graphql").read_text("utf-8")
INPUT = {"displayName": "sandbox-500-applied", "idempotencyKey": "k-1"}
"""The vendor applies it and answers 500; without identifiers it can't be searched."""


async def test_a_write_is_in_doubt_until_it_is_settled(empty: Gateway) -> None:
    """What the tests below begin with: sent once, neither applied nor refused for certain, and not sent again."""
    for replayed in (False, True):
        made = await _write(empty)
        assert [error["code"] for error in made["errors"]] == ["OUTCOME_UNKNOWN"]
        assert made["receipt"] == receipt(
            made["receipt"],
            "CREATE_CONTACT",
            "BIRD",
            "k-1",
            state="UNKNOWN",
            replayed=replayed,
            error={"code": "OUTCOME_UNKNOWN"},
            events=history(*SENT, "UNKNOWN"),
        )
        assert len(empty.calls()) == (0 if replayed else 1)


async def test_a_doubtful_write_is_settled_as_applied(empty: Gateway) -> None:
    """It succeeded, with the record that the person found, and the history says who, what and how."""
    doubtful = (await _write(empty))["receipt"]
    [contact] = (await empty.run("contacts"))["contacts"]["nodes"]
    done = await _settle(empty, doubtful, applied=True, vendorRecordId=contact["id"], note=" Seen in Bird. ")
    assert done["receipt"].pop("completedAt")
    reasons = [event.pop("reason") for event in done["receipt"]["events"]]
    assert reasons[-1] == "settled by Sandbox as applied: Seen in Bird."
    assert done == {
        "receipt": receipt(
            doubtful,
            "CREATE_CONTACT",
            "BIRD",
            "k-1",
            result={"__typename": "Contact", "id": contact["id"]},
            events=history(*SENT, "UNKNOWN", "SUCCEEDED"),
        ),
        "errors": [],
    }


async def test_what_was_settled_as_applied_is_not_sent_again(empty: Gateway) -> None:
    """A repeat of its key is a replay, without an error."""
    doubtful = (await _write(empty))["receipt"]
    await _settle(empty, doubtful, applied=True, note="Seen in Bird.")
    again = await _write(empty)
    assert (again["receipt"]["state"], again["receipt"]["replayed"], again["errors"]) == ("SUCCEEDED", True, [])
    assert again["receipt"]["id"] == doubtful["id"]
    assert empty.calls() == []


async def test_a_doubtful_write_is_settled_as_not_applied(empty: Gateway) -> None:
    """It failed, in a way that may be repeated."""
    doubtful = (await _write(empty))["receipt"]
    done = await _settle(empty, doubtful, applied=False, note="Not in Bird.")
    assert done["receipt"].pop("completedAt")
    reasons = [event.pop("reason") for event in done["receipt"]["events"]]
    assert reasons[-1] == "settled by Sandbox as not applied: Not in Bird."
    assert done == {
        "receipt": receipt(
            doubtful,
            "CREATE_CONTACT",
            "BIRD",
            "k-1",
            state="FAILED",
            error={"code": "SETTLED_NOT_APPLIED"},
            result=None,
            events=history(*SENT, "UNKNOWN", "FAILED"),
        ),
        "errors": [],
    }
    assert empty.calls() == []


async def test_what_was_settled_as_not_applied_frees_its_key(empty: Gateway) -> None:
    """A repeat is sent, with a receipt of its own, which is the one that the key leads to from then on."""
    doubtful = (await _write(empty))["receipt"]
    await _settle(empty, doubtful, applied=False, note="Not in Bird.")
    again = (await _write(empty))["receipt"]
    [sent] = empty.upstream
    assert (sent.method, sent.body) == ("POST", {"displayName": INPUT["displayName"]})
    assert (again["replayed"], again["attempts"], again["id"] != doubtful["id"]) == (False, 1, True)
    found = (await empty.run("receipt", {"by": {"idempotencyKey": "k-1"}}))["receipt"]
    assert found["id"] == again["id"]
    old = (await empty.run("receipt", {"by": {"id": doubtful["id"]}}))["receipt"]
    assert (old["state"], old["error"]["code"]) == ("FAILED", "SETTLED_NOT_APPLIED")


async def test_what_is_final_stays_as_it_is(empty: Gateway) -> None:
    """Settled once, in either way, or never in doubt: refused, and the receipt has not changed."""
    never = await _write(empty, displayName="Ada", idempotencyKey="k-2")
    failed = await _write(empty, displayName="sandbox-409", idempotencyKey="k-3")
    settled = await _write(empty)
    await _settle(empty, settled["receipt"], applied=False, note="Not in Bird.")
    for final, state in ((never, "SUCCEEDED"), (failed, "FAILED"), (settled, "FAILED")):
        before = await _read(empty, final["receipt"])
        refused = await _settle(empty, final["receipt"], applied=True, note="Really.")
        message = f"Only a write in doubt can be settled; this one is {state}."
        assert refused["receipt"] is None
        assert [(error["code"], error["message"], error["path"]) for error in refused["errors"]] == [
            ("INVALID_INPUT", message, ["input", "receiptId"])
        ]
        assert await _read(empty, final["receipt"]) == before


async def test_a_settlement_says_how_it_was_found_out(empty: Gateway) -> None:
    """An empty note, and a record that nobody can read back, are wrong; the write stays in doubt."""
    doubtful = (await _write(empty))["receipt"]
    blank = await _settle(empty, doubtful, applied=True, note="  ")
    odd = await _settle(empty, doubtful, applied=True, note="Seen.", vendorRecordId="somewhere")
    for refused, field in ((blank, "note"), (odd, "vendorRecordId")):
        assert [(error["code"], error["path"]) for error in refused["errors"]] == [("INVALID_INPUT", ["input", field])]
    assert (await _read(empty, doubtful))["state"] == "UNKNOWN"


async def test_a_record_is_the_outcome_of_one_write(empty: Gateway) -> None:
    """What another write is known to have made, by either of its IDs, and what this operation never makes; it stays in doubt."""
    other = (await _write(empty, displayName="Ada", idempotencyKey="k-2"))["contact"]["id"]
    own = ids.decode(other)
    assert own is not None
    doubtful = (await _write(empty))["receipt"]
    taken = "This record is what another write has made: it says nothing of this one."
    wrong = "Give the ID of a Contact of this API, or the vendor's own UUID."
    activity = ids.encode(ids.Kind.ACTIVITY, own.parts[0])
    shouted = ids.encode(ids.Kind.CONTACT, own.parts[0].upper())
    refusals = (
        (other, taken),
        (shouted, taken),
        (own.parts[0].upper(), taken),
        (activity, wrong),
        ("somewhere", wrong),
    )
    for record, message in refusals:
        refused = await _settle(empty, doubtful, applied=True, note="Seen.", vendorRecordId=record)
        assert [(error["message"], error["path"]) for error in refused["errors"]] == [
            (message, ["input", "vendorRecordId"])
        ]
    assert (await _read(empty, doubtful))["state"] == "UNKNOWN"


async def test_what_can_not_be_stored_is_not_called_settled(empty: Gateway, tmp_path: Path) -> None:
    """While another process holds the database; the write stays in doubt."""
    doubtful = (await _write(empty))["receipt"]
    with closing(sqlite3.connect(tmp_path / "switchboard.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        given = {"input": {"receiptId": doubtful["id"], "applied": True, "note": "Seen in Bird."}}
        answer = await empty.ask(QUERY, given)
    assert answer.data == {"settleReceipt": None}
    assert [error["extensions"]["code"] for error in answer.errors] == ["LEDGER_UNAVAILABLE"]
    assert (await _read(empty, doubtful))["state"] == "UNKNOWN"


async def test_without_the_scope_nothing_is_settled(empty: Gateway, new_key: NewKey) -> None:
    """Even with all others; with the scope, but not the receipt's own key, there is no such receipt."""
    doubtful = (await _write(empty))["receipt"]
    given = {"input": {"receiptId": doubtful["id"], "applied": True, "note": "Seen in Bird."}}
    lacking = await new_key(*sorted(SCOPES.keys() - {EVERYTHING, "receipts:settle"}))
    answer = await empty.ask(QUERY, given, key=lacking)
    assert answer.data == {"settleReceipt": None}
    assert [error["extensions"] for error in answer.errors] == [{"code": "FORBIDDEN", "scope": "receipts:settle"}]
    answer = await empty.ask(QUERY, given, key=await new_key("receipts:settle"))
    assert [error["message"] for error in answer.data["settleReceipt"]["errors"]] == ["There is no such receipt."]
    assert (await _read(empty, doubtful))["state"] == "UNKNOWN"


async def test_an_operator_settles_the_writes_of_others(empty: Gateway, new_key: NewKey) -> None:
    """With the scopes to read all receipts and to settle; the history names the operator's key."""
    doubtful = (await _write(empty))["receipt"]
    given = {"input": {"receiptId": doubtful["id"], "applied": True, "note": "Seen in Bird."}}
    operator = await new_key("receipts:read-all", "receipts:settle")
    done = (await empty.ask(QUERY, given, key=operator)).data["settleReceipt"]
    assert (done["receipt"]["state"], done["errors"]) == ("SUCCEEDED", [])
    assert done["receipt"]["events"][-1]["reason"] == "settled by Test as applied: Seen in Bird."


async def _write(gateway: Gateway, **given: Any) -> Any:
    return (await gateway.run("create_contact", {"input": {**INPUT, **given}}))["createContact"]


async def _settle(gateway: Gateway, doubtful: Any, **given: Any) -> Any:
    variables = {"input": {"receiptId": doubtful["id"], **given}}
    return (await gateway.run("settle_receipt", variables))["settleReceipt"]


async def _read(gateway: Gateway, written: Any) -> Any:
    return (await gateway.run("receipt", {"by": {"id": written["id"]}}))["receipt"]
