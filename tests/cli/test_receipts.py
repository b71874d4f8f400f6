"""`switchboard receipts`: an operator lists, looks at and settles writes beside a running gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.command import LAST_LINE, SWITCHBOARD, Finished, Started, run, started

RECEIPTS = (SWITCHBOARD, "receipts")
WRITE = """mutation Write($input: CreateContactInput!) { createContact(input: $input) {
    contact { id } receipt { id state } } }"""
STATE = "query State($id: ID!) { receipt(by: {id: $id}) { state result { id } events { to reason } } }"
NOT_THERE = Finished(1, "", "Error: There is no such receipt.\n")


async def test_a_write_in_doubt_is_listed_shown_and_settled(tmp_path: Path) -> None:
    """Without what was written; with a record that only it can have made, and once."""
    async with started(SWITCHBOARD, "serve", "--sandbox", "--port", "0", home=tmp_path, until=LAST_LINE) as gateway:
        other = await _write(gateway, "Ada", "k-1")
        doubtful = await _write(gateway, "sandbox-500-applied", "k-2")
        receipt = doubtful["receipt"]["id"]

        listed = await run(*RECEIPTS, "list", "--environment", "test", "--state", "unknown", home=tmp_path)
        [line] = map(json.loads, listed.out.splitlines())
        assert (line["id"], line["operation"], line["idempotencyKey"]) == (receipt, "CREATE_CONTACT", "k-2")
        assert "sandbox-500-applied" not in listed.out

        shown = json.loads((await run(*RECEIPTS, "show", receipt, home=tmp_path)).out)
        assert [event["to"] for event in shown["events"]][:3] == ["PENDING", "SENDING", "UNKNOWN"]

        settle = (*RECEIPTS, "settle", receipt, "--note", "Seen in Bird.")
        taken = await run(*settle, "--applied", "--record", other["contact"]["id"], home=tmp_path)
        message = "This record is what another write has made: it says nothing of this one."
        assert taken == Finished(1, "", f"Error: {message}\n")
        unsaid = await run(*settle, home=tmp_path)
        assert (unsaid.code, unsaid.err.splitlines()[-1]) == (2, "Error: Say --applied or --not-applied.")

        for note in ("", "  ", "x" * 1001):
            noted = await run(*RECEIPTS, "settle", receipt, "--applied", "--note", note, home=tmp_path)
            why = f"Must be 1 to 1000 characters long; it has {len(note.strip())}."
            assert (noted.code, noted.err.splitlines()[-1]) == (2, f"Error: Invalid value for '--note': {why}")

        done = json.loads((await run(*settle, "--not-applied", home=tmp_path)).out)
        assert (done["state"], done["error"]) == ("FAILED", "SETTLED_NOT_APPLIED")
        known = (await gateway.ask(STATE, {"id": receipt})).json()["data"]["receipt"]
        assert known["events"][-1] == {
            "to": "FAILED",
            "reason": "settled by the command line as not applied: Seen in Bird.",
        }
        again = await run(*settle, "--applied", home=tmp_path)
        assert again == Finished(1, "", "Error: Only a write in doubt can be settled; this one is FAILED.\n")


async def test_a_receipt_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    """Neither shown nor settled."""
    assert await run(*RECEIPTS, "show", "x", home=tmp_path) == NOT_THERE
    assert await run(*RECEIPTS, "settle", "x", "--applied", "--note", "x", home=tmp_path) == NOT_THERE


async def _write(gateway: Started, name: str, key: str) -> Any:
    answer = await gateway.ask(WRITE, {"input": {"displayName": name, "idempotencyKey": key}})
    return answer.json()["data"]["createContact"]
