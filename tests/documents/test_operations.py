"""`POST /operations/{name}`: what a partner with nothing but curl sends, and the status that tells what became of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse

from schema.vendor import Vendor
from tests.documents.conftest import KEY, code
from tests.gateway import Gateway
from tests.linked.vendors import behind

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _run(served: Gateway, name: str, variables: object = None, **headers: str) -> httpx.Response:
    body = {} if variables is None else {"json": variables}
    return await served.http.post(f"/operations/{name}", headers={**KEY, **headers}, **body)  # type: ignore[arg-type]


def _contact(name: str, **more: Any) -> dict[str, Any]:
    address = f"{name.lower() or 'nobody'}@example.com"
    return {"input": {"displayName": name, "emailAddresses": [address], **more}}


async def test_a_read_without_variables_needs_no_body(served: Gateway) -> None:
    """Nor a content type."""
    answer = await _run(served, "viewer")
    viewer = {"keyId": "sandbox", "name": "Sandbox", "environment": "TEST", "scopes": ["*"]}
    assert (answer.status_code, answer.json()) == (200, {"data": {"viewer": viewer}})
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_variables_are_the_body(served: Gateway) -> None:
    """As they are, without anything around them."""
    answer = await _run(served, "contacts", {"first": 1})
    assert [each["displayName"] for each in answer.json()["data"]["contacts"]["nodes"]] == ["Ada Andersen"]


async def test_a_write_is_repeated_safely(served: Gateway) -> None:
    """With the header Idempotency-Key it is done once, however often it is sent."""
    first = await _run(served, "create_contact", _contact("Grace"), **{"idempotency-key": "plain-1"})
    again = await _run(served, "create_contact", _contact("Grace"), **{"idempotency-key": "plain-1"})
    assert (first.status_code, again.status_code) == (200, 200)
    made, repeated = (each.json()["data"]["createContact"] for each in (first, again))
    assert made["contact"] == repeated["contact"]
    assert (made["receipt"]["replayed"], repeated["receipt"]["replayed"]) == (False, True)
    other = await _run(served, "create_contact", _contact("Eve"), **{"idempotency-key": "plain-1"})
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("variables", "status", "error"),
    [
        (_contact(""), 422, "InvalidInput"),
        (_contact("sandbox-409"), 422, "VendorRejected"),
        (_contact("sandbox-404"), 422, "NotFound"),
        (_contact("sandbox-429"), 429, "RateLimited"),
        (_contact("sandbox-421"), 503, "VendorUnavailable"),
        (_contact("sandbox-500"), 409, "OutcomeUnknown"),
        (_contact("sandbox-reset"), 409, "OutcomeUnknown"),
        (_contact("sandbox-500-applied"), 409, "OutcomeUnknown"),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
async def test_the_status_tells_what_became_of_a_write(
    served: Gateway, variables: dict[str, Any], status: int, error: str
) -> None:
    """In doubt it is one that no HTTP client repeats by itself; what is provably not written may be repeated."""
    answer = await _run(served, "create_contact", variables)
    assert answer.status_code == status, answer.text
    assert answer.json()["data"]["createContact"]["errors"][0]["__typename"] == error


async def test_a_wait_is_in_the_header(served: Gateway) -> None:
    """`Retry-After` is what `curl --retry` heeds."""
    answer = await _run(served, "create_contact", _contact("sandbox-429"))
    assert answer.headers["retry-after"].isdigit()


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (JSONResponse({}, 429, {"retry-after": "3000"}), 429, "RATE_LIMITED"),
        (JSONResponse({}, 501), 503, "CIRCUIT_OPEN"),
    ],
    ids=["patience", "circuit"],
)
async def test_the_status_tells_when_a_read_is_worth_repeating(
    tmp_path: Path, answer: JSONResponse, status: int, error: str
) -> None:
    """A vendor that asks for patience says for how long; one that failed too often is asked again after a while."""
    async with behind(tmp_path / "switchboard.db", {Vendor.BIRD: lambda _: answer}, {}) as gateway:
        answered = await _run(gateway, "contacts", {"first": 1})
        for _ in range(40):
            if code(answered) != error:
                answered = await _run(gateway, "contacts", {"first": 1})
    assert (answered.status_code, code(answered)) == (status, error)
    seconds = answered.json()["errors"][0]["extensions"]["retryAfter"]
    assert answered.headers.get_list("retry-after") == [str(math.ceil(seconds))]


async def test_a_write_in_the_background_is_accepted(served: Gateway) -> None:
    """202: stored, and not sent yet."""
    answer = await _run(served, "create_contact", _contact("Later", delivery="BACKGROUND"))
    assert (answer.status_code, answer.json()["data"]["createContact"]["receipt"]["state"]) == (202, "PENDING")


@pytest.mark.parametrize("name", ["nobody", "viewer.graphql", "Viewer", "receipts%2fwrites"])
async def test_an_unknown_operation_is_not_found(served: Gateway, name: str) -> None:
    """Names are compared exactly; those that there are stand in /openapi.json."""
    answer = await _run(served, name, {})
    assert (answer.status_code, code(answer)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("variables", "problem", "message"),
    [
        ({"frist": 1}, "BAD_USER_INPUT", "contacts has no variable frist: it takes first, after."),
        (
            {"first": "1"},
            "BAD_USER_INPUT",
            "Variable '$first' has invalid value: Int cannot represent non-integer value: '1'",
        ),
        (
            {"first": 0},
            "BAD_USER_INPUT",
            "first must be 1 to 100; to read more, give the endCursor of a page as after.",
        ),
        ([], "BAD_REQUEST", "The body must be a JSON object of the operation's variables."),
        ("first", "BAD_REQUEST", "The body must be a JSON object of the operation's variables."),
    ],
)
async def test_variables_that_do_not_fit_are_refused(
    served: Gateway, variables: object, problem: str, message: str
) -> None:
    """Also those that GraphQL would leave out without a word."""
    answer = await _run(served, "contacts", variables)
    assert (answer.status_code, code(answer), answer.json()["errors"][0]["message"]) == (400, problem, message)


async def test_an_operation_without_variables_takes_none(served: Gateway) -> None:
    """And says so."""
    answer = await _run(served, "viewer", {"first": 1})
    assert answer.json()["errors"][0]["message"] == "viewer has no variable first: it takes none."


async def test_a_form_is_refused(served: Gateway) -> None:
    """What a web page of another origin could send without asking."""
    answer = await served.http.post("/operations/viewer", content=b"{}", headers={**KEY, "content-type": "text/plain"})
    assert (answer.status_code, code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_key_is_needed(served: Gateway) -> None:
    """The same as for GraphQL; who has none does not learn which operations there are."""
    for name in ("viewer", "nobody"):
        answer = await served.http.post(f"/operations/{name}")
        assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")


async def test_another_method_is_refused(served: Gateway) -> None:
    """With the one that is taken."""
    answer = await served.http.get("/operations/viewer", headers=KEY)
    assert (answer.status_code, answer.headers["allow"], code(answer)) == (405, "POST", "METHOD_NOT_ALLOWED")
