"""What a vendor's error body adds: its own code, and the input that it objects to."""

from __future__ import annotations

from typing import Any

import pytest

from app.registry import VENDORS
from app.vendor import VendorSpec
from app.vendors import architect, artu, bird, reevo
from app.vendors.architect.wire import NewLog
from app.vendors.artu.wire import Sync
from app.vendors.bird.wire import NewContact
from app.vendors.reevo.wire import ActivityMetadata, NewActivity, NewActivityAttributes
from schema.errors import Refusal, VendorRejected
from schema.ids import Kind
from tests.vendors.upstream import upstream

ODD_BODIES: list[Any] = [
    b"",
    b"not JSON",
    None,
    [],
    "text",
    7,
    {"code": 7, "details": 7, "data": 7, "detail": 7, "error": 7},
    {"code": None, "details": [], "data": [], "detail": {}, "error": []},
    {"details": {"field": 7, "code": []}, "data": {"issues": {}}, "detail": [7]},
    {"data": {"issues": [{"path": "x"}]}, "detail": [{"loc": 7, "type": {}}]},
    {"details": {"": [], ".": []}, "data": {"issues": [{"path": [None, {}]}]}, "detail": [{"loc": [[], {}]}]},
    {"details": {".identifiers[" + "9" * 5000 + "].value": []}},
]


async def rejected(spec: VendorSpec, status: int, body: Any) -> Any:
    """The one error of that vendor's write that is answered so."""
    async with upstream(spec) as vendor:
        vendor.answers(status, body)
        with pytest.raises(Refusal) as refusal:
            await write(spec, vendor.client)
    [error] = refusal.value.errors
    return error


async def write(spec: VendorSpec, client: Any) -> None:
    if spec is architect.SPEC:
        await client.create_log(Kind.PERSON, NewLog(source="s", type="t", payload={}, idempotency_key="k"))
    if spec is bird.SPEC:
        await client.create_contact(
            NewContact(display_name="Ada"), lambda field: ["input", *field] if field[0] == "attributes" else None
        )
    if spec is artu.SPEC:
        await client.sync("client", Sync(items=(), replace_mode=False))
    if spec is reevo.SPEC:
        metadata = ActivityMetadata(activity_time="2026-01-01T00:00:00Z", subject="s", category="OTHER")
        await client.log_activity(NewActivity(attributes=NewActivityAttributes(metadata=metadata)))


@pytest.mark.parametrize(
    ("spec", "body", "code", "path"),
    [
        (architect.SPEC, {"code": "CONFLICT"}, "CONFLICT", []),
        (architect.SPEC, {"details": {"field": "email"}}, None, ["input", "emailAddress"]),
        (architect.SPEC, {"details": {"field": "payload.a.0"}}, None, ["input", "payload", "a", "0"]),
        (architect.SPEC, {"details": {"field": "tenant"}}, None, []),
        (bird.SPEC, {"code": "InvalidPayload"}, "InvalidPayload", []),
        (bird.SPEC, {"details": {".attributes.a": ["x"]}}, None, ["input", "attributes", "a"]),
        (artu.SPEC, {"code": "BAD_REQUEST"}, "BAD_REQUEST", []),
        (artu.SPEC, {"data": {"issues": [{"path": ["items", 0, "_delete"]}]}}, None, ["input", "items", "0", "delete"]),
        (artu.SPEC, {"data": {"issues": [{"path": ["clientId"]}]}}, None, ["input", "client"]),
        (artu.SPEC, {"data": {"issues": [{"path": ["x-environment"]}]}}, None, []),
        (reevo.SPEC, {"details": {"code": "unknown_field"}}, "unknown_field", []),
        (reevo.SPEC, {"code": "unknown_field"}, "unknown_field", []),
        (reevo.SPEC, {"error": {"code": "unknown_field"}}, "unknown_field", []),
        (reevo.SPEC, {"error_code": "unknown_field"}, "unknown_field", []),
        (reevo.SPEC, {"error": "ConflictError"}, "ConflictError", []),
        (
            reevo.SPEC,
            {"detail": [{"type": "missing", "loc": ["body", "attributes", "metadata", "activity_time"]}]},
            "missing",
            ["input", "occurredAt"],
        ),
        (
            reevo.SPEC,
            {"detail": [{"loc": ["body", "attributes", "contact_ids", 1]}]},
            None,
            ["input", "contacts"],
        ),
        (reevo.SPEC, {"detail": [{"loc": ["header", "x-api-key"]}]}, None, []),
    ],
)
async def test_a_complaint_leads_to_the_input(spec: VendorSpec, body: Any, code: str | None, path: list[str]) -> None:
    """The vendor's code as it is, its field as the caller's input; what is no input of ours leads nowhere."""
    error = await rejected(spec, 422, body)
    assert (error.vendor_code, error.path) == (code, path)


@pytest.mark.parametrize(
    "code", ["", "a b", "x" * 65, "https://internal", "émigré", "<b>", "line\nbreak", "a;b", "a@b"]
)
@pytest.mark.parametrize("spec", VENDORS, ids=lambda spec: spec.vendor.value)
async def test_a_code_that_is_no_code_is_not_passed_on(spec: VendorSpec, code: str) -> None:
    """Only letters, digits, `_`, `.` and `-`, at most 64 of them: a vendor may put anything there."""
    assert (await rejected(spec, 422, {"code": code})).vendor_code is None


@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
@pytest.mark.parametrize("spec", VENDORS, ids=lambda spec: spec.vendor.value)
async def test_an_error_body_of_any_shape_is_the_same_refusal(spec: VendorSpec, body: Any) -> None:
    """The status decides; the body may be missing, broken or strange."""
    error = await rejected(spec, 422, body)
    assert error == VendorRejected(
        message=f"{spec.vendor.value.capitalize()} did not accept this input.", vendor=spec.vendor, status=422
    )
