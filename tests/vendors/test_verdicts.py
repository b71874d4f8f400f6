"""What every HTTP status of a vendor means, for a write and for a read."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pydantic import BaseModel

from app.call import Call
from app.readings import whole
from app.vendors.bird import SPEC, wire
from schema.errors import (
    MutationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refusal,
    VendorRejected,
    VendorUnavailable,
)
from schema.vendor import Vendor
from tests.vendors.upstream import fixture, upstream

STATUSES = range(100, 600)
NOBODY_KNOWS = {101, *range(202, 300), 303, 408, *(set(range(500, 600)) - {501, 505})}
"""For a write: neither a proof that it was applied nor that it was not."""


def write_verdict(status: int) -> type[MutationError] | None:
    """The rules for a write; None is a success."""
    if status in (200, 201):
        return None
    if status < 200 or status in NOBODY_KNOWS:
        return OutcomeUnknown
    one_of_a_kind: dict[int, type[MutationError]] = {
        404: NotFound,
        421: VendorUnavailable,
        425: VendorUnavailable,
        429: RateLimited,
    }
    return one_of_a_kind.get(status, VendorRejected)


def read_verdict(status: int) -> type[MutationError] | None:
    """The rules for a read, which never leaves doubt; None is a success."""
    if 200 <= status < 300:
        return None
    if status == 429:
        return RateLimited
    if status < 200 or status in (408, 421, 425) or status >= 500:
        return VendorUnavailable
    return VendorRejected


async def outcome(method: str, status: int, content: Any) -> MutationError | BaseModel:
    """What a write or a read comes to when it is answered so."""
    async with upstream(SPEC) as vendor:
        vendor.answers(status, content)
        rest = vendor.client._rest  # noqa: SLF001  # the client's one part
        try:
            shape = whole(wire.Contact) if method == "read" else wire.Contact
            found: BaseModel = await getattr(rest, method)(Call("POST", "/contacts"), shape)
        except Refusal as refusal:
            [error] = refusal.errors
            return error
        return found


async def test_every_status_of_a_write_has_its_verdict() -> None:
    """All five hundred, with the record as the body: the status alone decides."""
    found = {status: type(await outcome("write", status, fixture("bird/contact"))) for status in STATUSES}
    assert found == {status: write_verdict(status) or wire.Contact for status in STATUSES}


async def test_every_status_of_a_read_has_its_verdict() -> None:
    """A read is never in doubt, and nothing that it meets sounds as if something had been written."""
    found = {status: type(await outcome("read", status, fixture("bird/contact"))) for status in STATUSES}
    assert found == {status: read_verdict(status) or wire.Contact for status in STATUSES}


async def test_only_what_was_provably_not_applied_may_be_sent_again() -> None:
    """`retryable` of a write is true for 421, 425 and 429 alone."""
    found = {status: await outcome("write", status, {}) for status in STATUSES}
    retryable = {status for status, error in found.items() if isinstance(error, MutationError) and error.retryable}
    assert retryable == {421, 425, 429}


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", {}, [], {"id": None}, {"id": ""}])
async def test_a_success_without_the_record_leaves_doubt_to_a_write_and_nothing_to_a_read(content: Any) -> None:
    """The write may have been applied; the read may be asked again."""
    for status in (200, 201):
        assert isinstance(await outcome("write", status, content), OutcomeUnknown)
        assert isinstance(await outcome("read", status, content), VendorUnavailable)


async def test_a_404_to_a_write_that_names_no_record_speaks_of_the_settings() -> None:
    """A new contact has no ID to check: it is the workspace that is not there."""
    assert await outcome("write", 404, {}) == NotFound(
        message="Bird has no such record, or no such workspace: check the ID and the gateway's settings.",
        path=["input"],
    )


async def test_a_rejection_says_who_and_what_in_words_of_ours() -> None:
    """Status and the vendor's own code, never its text."""
    body = {"code": "InvalidPayload", "message": "from https://internal.bird", "details": {".displayName": ["secret"]}}
    assert await outcome("write", 422, body) == VendorRejected(
        message="Bird did not accept this input.",
        vendor=Vendor.BIRD,
        status=422,
        vendor_code="InvalidPayload",
        path=[],
    )


async def test_messages_hold_nothing_of_the_vendors_answer() -> None:
    """Whatever the status, a word of the body is nowhere in the error."""
    body = {"code": "a mark", "message": "mark", "detail": "mark", "details": {".mark": ["mark"], "mark/x": ["mark"]}}
    for status in STATUSES:
        for method in ("write", "read"):
            found = await outcome(method, status, body)
            assert dataclasses.is_dataclass(found)
            assert "mark" not in str(dataclasses.asdict(found))
