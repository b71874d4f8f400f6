"""The Reevo sandbox keeps to Reevo's documents and to the rules assumed where those are silent."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.sandbox.server import serving
from app.sandbox.world import Known, build_world
from app.sockets import bound_socket
from app.vendors.reevo.sandbox import SANDBOX_KEY, USER_ID, create_sandbox
from tests.sandboxes.contract import Contract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette

CONTRACT = Contract("reevo")
WORLD = build_world()
ADA = WORLD.humans[0]
HEADERS = {"Authorization": f"Bearer {SANDBOX_KEY}"}
NOWHERE = "00000000-0000-4000-8000-000000000000"
ACCOUNT = "5d0b7e0e-9f0c-4d0c-8a57-1d7a3b0c9f11"
TIME = "2026-03-02T15:00:00Z"


async def checked(response: httpx.Response) -> None:
    await response.aread()
    CONTRACT.check(response)


def calling(app: Starlette) -> httpx.AsyncClient:
    """A client that holds every answer against the OpenAPI document."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://reevo/api/v2",
        headers=HEADERS,
        event_hooks={"response": [checked]},
    )


@pytest.fixture
async def reevo() -> AsyncIterator[httpx.AsyncClient]:
    async with calling(create_sandbox()) as client:
        yield client


@pytest.fixture
async def demo() -> AsyncIterator[httpx.AsyncClient]:
    async with calling(create_sandbox(WORLD)) as client:
        yield client


def draft(subject: str = "Intro call", **attributes: Any) -> dict[str, Any]:
    return {"attributes": {"metadata": {"activity_time": TIME, "subject": subject}, **attributes}}


async def log(client: httpx.AsyncClient, subject: str = "Intro call", **attributes: Any) -> Any:
    response = await client.post("/activity", json=draft(subject, **attributes))
    assert response.status_code == 201, response.text
    return response.json()["data"]


async def timeline(client: httpx.AsyncClient, **body: Any) -> Any:
    response = await client.post("/activity/_query", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def add(client: httpx.AsyncClient, **attributes: Any) -> Any:
    response = await client.post("/contact", json={"attributes": attributes})
    assert response.status_code == 201, response.text
    return response.json()["data"]


async def search(client: httpx.AsyncClient, *filters: Any, **more: Any) -> Any:
    response = await client.post("/contact/_query", json={"filters": filters, **more})
    assert response.status_code == 200, response.text
    return response.json()


def where(field: str, operator: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, **({"value": value[0]} if value else {})}


def envelope(value: Any, value_type: str) -> dict[str, Any]:
    return {"value": value, "value_type": value_type}


def names(page: Any) -> list[str]:
    return [record["attributes"]["display_name"]["value"] for record in page["data"]]


def refusal(error: str, message: str, code: str | None) -> dict[str, Any]:
    details = None if code is None else {"code": code}
    return {"error_response_type": "GENERIC", "error": error, "message": message, "details": details}


def locations(response: httpx.Response) -> list[list[str | int]]:
    assert response.status_code == 422, response.text
    return [fault["loc"] for fault in response.json()["detail"]]


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["details"]["code"]


async def test_a_logged_activity_shows_what_the_vendor_shows(reevo: httpx.AsyncClient) -> None:
    """Typed envelopes, null metadata, and none of its contacts, account, opportunity and description."""
    contact = await add(reevo, last_name="Chen")
    metadata = {"activity_time": "2026-03-02T16:00:00+01:00", "subject": "S", "description": "D", "category": "CALL"}
    attributes = {
        "type": "MANUAL_ACTIVITY",
        "metadata": metadata,
        "contact_ids": [contact["id"].upper()] * 2,
        "account_id": ACCOUNT,
        "opportunity_id": None,
        "sequence_id": NOWHERE,
        "pipeline_select_list_value_id": NOWHERE,
    }
    response = await reevo.post("/activity", json={"attributes": attributes})
    data = response.json()["data"]
    assert response.status_code == 201
    assert data == {
        "id": str(uuid.UUID(data["id"])),
        "created_at": data["created_at"],
        "updated_at": data["created_at"],
        "record_type": "activity",
        "attributes": {
            "type": envelope("MANUAL_ACTIVITY", "enum"),
            "sub_type": envelope("CALL", "enum"),
            "status": envelope(None, "enum"),
            "priority": envelope(None, "enum"),
            "display_name": envelope("S", "string"),
            "owner_user_id": envelope(
                {"related_record_id": USER_ID, "related_record_type": "user"}, "record_reference"
            ),
            "ended_at": envelope(TIME, "timestamp"),
            "badge_status": envelope(None, "string"),
            "location": envelope(None, "string"),
        },
        "metadata": None,
    }
    assert data["created_at"].endswith("Z")
    assert await timeline(reevo, contact_id=contact["id"]) == {"data": [data], "next_cursor": None}


async def test_an_activity_needs_no_association(reevo: httpx.AsyncClient) -> None:
    """The category is OTHER when none is given."""
    assert (await log(reevo))["attributes"]["sub_type"] == envelope("OTHER", "enum")


async def test_an_unknown_contact_is_refused_and_nothing_is_written(reevo: httpx.AsyncClient) -> None:
    """Accounts and opportunities, which the sandbox does not hold, need not exist."""
    known = (await add(reevo, last_name="Chen"))["id"]
    response = await reevo.post("/activity", json=draft(contact_ids=[known, NOWHERE], account_id=ACCOUNT))
    message = f"contact {NOWHERE} does not exist"
    assert response.json() == refusal("RecordNotFoundError", message, "target_record_not_found")
    assert response.status_code == 404
    assert (await timeline(reevo, account_id=ACCOUNT))["data"] == []
    assert (await timeline(reevo, contact_id=known))["data"] == []


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, ["attributes"]),
        ({"attributes": []}, ["attributes"]),
        ({"attributes": {}}, ["attributes", "metadata"]),
        (draft(""), ["attributes", "metadata", "subject"]),
        (draft(type="NOTE"), ["attributes", "type"]),
        (draft(contact_ids=None), ["attributes", "contact_ids"]),
        (draft(contact_ids=["x"]), ["attributes", "contact_ids", 0]),
        (draft(account_id=5), ["attributes", "account_id"]),
        (draft(opportunity_id="opp_1"), ["attributes", "opportunity_id"]),
        (draft(metadata={"activity_time": TIME}), ["attributes", "metadata", "subject"]),
        (draft(metadata={"activity_time": "2026-03-02", "subject": "S"}), ["attributes", "metadata", "activity_time"]),
        (draft(metadata={"activity_time": 5, "subject": "S"}), ["attributes", "metadata", "activity_time"]),
        (
            draft(metadata={"activity_time": "0001-01-01T00:00:00+14:00", "subject": "S"}),
            ["attributes", "metadata", "activity_time"],
        ),
        (
            draft(metadata={"activity_time": TIME, "subject": "S", "category": "EMAIL"}),
            ["attributes", "metadata", "category"],
        ),
        (
            draft(metadata={"activity_time": TIME, "subject": "S", "description": 5}),
            ["attributes", "metadata", "description"],
        ),
    ],
)
async def test_an_activity_of_the_wrong_shape_is_refused(
    reevo: httpx.AsyncClient, body: Any, loc: list[str | int]
) -> None:
    """422 with the place of the fault, as FastAPI words it."""
    assert locations(await reevo.post("/activity", json=body)) == [["body", *loc]]


async def test_an_unknown_attribute_of_an_activity_is_a_domain_fault(reevo: httpx.AsyncClient) -> None:
    """The code is in details."""
    assert code(await reevo.post("/activity", json=draft(contacts=[]))) == (422, "unknown_field")


async def test_the_timeline_is_newest_first_and_paged(reevo: httpx.AsyncClient) -> None:
    """Fifty by default; the next page needs nothing but the cursor."""
    for number in range(51):
        await log(reevo, str(number), account_id=ACCOUNT)
    first = await timeline(reevo, account_id=ACCOUNT)
    assert names(first) == [str(n) for n in range(50, 0, -1)]
    await log(reevo, "later", account_id=ACCOUNT)
    second = await timeline(reevo, cursor=first["next_cursor"], limit=1)
    assert (names(second), second["next_cursor"]) == (["0"], None)
    assert await timeline(reevo, cursor=first["next_cursor"], account_id=ACCOUNT.upper()) == second


async def test_scopes_combine_with_and(reevo: httpx.AsyncClient) -> None:
    """An unknown one finds nothing."""
    contact = (await add(reevo, last_name="Chen"))["id"]
    await log(reevo, "both", contact_ids=[contact], account_id=ACCOUNT)
    await log(reevo, "deal", contact_ids=[contact], opportunity_id=ACCOUNT)
    assert names(await timeline(reevo, contact_id=contact)) == ["deal", "both"]
    assert names(await timeline(reevo, contact_id=contact, account_id=ACCOUNT)) == ["both"]
    assert names(await timeline(reevo, opportunity_id=ACCOUNT)) == ["deal"]
    assert await timeline(reevo, contact_id=NOWHERE) == {"data": [], "next_cursor": None}


async def test_the_window_has_its_start_and_not_its_end(demo: httpx.AsyncClient) -> None:
    """created_from is inclusive, created_to exclusive, offsets are understood."""
    contact, first = ADA.uuid("reevo/contact"), ADA.at(1)
    start, end = first.isoformat(), (first + timedelta(days=7)).isoformat()
    assert names(await timeline(demo, contact_id=contact, created_from=start, created_to=end)) == [
        f"Intro call with {ADA.name}"
    ]
    assert len((await timeline(demo, contact_id=contact, created_from=end))["data"]) == 3
    assert (await timeline(demo, contact_id=contact, created_to=start))["data"] == []


async def test_a_scope_is_needed(reevo: httpx.AsyncClient) -> None:
    """A window alone is not one."""
    for body in ({}, {"limit": 5}, {"created_from": TIME}):
        assert code(await reevo.post("/activity/_query", json=body)) == (422, "field_required_missing")


async def test_a_timeline_cursor_is_bound_to_its_filters(reevo: httpx.AsyncClient) -> None:
    """Other filters and made-up cursors are refused."""
    for _ in range(2):
        await log(reevo, account_id=ACCOUNT)
    cursor = (await timeline(reevo, account_id=ACCOUNT, limit=1))["next_cursor"]
    for change in ({"account_id": NOWHERE}, {"created_from": TIME}, {"cursor": "é.😀"}, {"cursor": cursor[1:]}):
        response = await reevo.post("/activity/_query", json={"cursor": cursor} | change)
        assert code(response) == (422, "field_value_invalid")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"contact_id": "x"}, "contact_id"),
        ({"contact_id": None}, "contact_id"),
        ({"created_from": "now"}, "created_from"),
        ({"created_to": 5}, "created_to"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "50"}, "limit"),
        ({"cursor": 5}, "cursor"),
    ],
)
async def test_a_timeline_query_of_the_wrong_shape_is_refused(reevo: httpx.AsyncClient, change: Any, name: str) -> None:
    """With the place of the fault."""
    body = {"account_id": ACCOUNT} | change
    assert locations(await reevo.post("/activity/_query", json=body)) == [["body", name]]


async def test_a_created_contact_reads_back_in_envelopes(reevo: httpx.AsyncClient) -> None:
    """The answer to the write and the read are one and the same."""
    made = await add(
        reevo,
        first_name="Sarah",
        last_name=envelope("Chen", "string"),
        stage="new_lead",
        primary_email="Sarah.Chen@acme.example",
        sms_consent=False,
    )
    attributes = made["attributes"]
    assert made["record_type"] == "contact"
    assert attributes["id"] == envelope(made["id"], "uuid")
    assert attributes["created_at"] == envelope(made["created_at"], "timestamp")
    assert attributes["display_name"] == envelope("Sarah Chen", "string")
    assert attributes["stage"]["value"] | {"id": None} == {
        "id": None,
        "display_value": "New lead",
        "api_name": "new_lead",
        "color": "#4b6bfb",
    }
    assert attributes["primary_email"] == envelope("Sarah.Chen@acme.example", "email")
    assert attributes["primary_phone_number"] == envelope(None, "phone_number")
    assert attributes["sms_consent"] == envelope(False, "boolean")
    [email] = attributes["contact_emails"]
    assert email["value"] | {"id": None} == {
        "id": None,
        "email": "Sarah.Chen@acme.example",
        "is_primary": True,
        "labels": ["WORK"],
    }
    assert attributes["contact_phone_numbers"] == []
    assert (await reevo.get(f"/contact/{made['id'].upper()}")).json() == {"data": made}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, "field_required_missing"),
        ({"first_name": "Sarah"}, "field_required_missing"),
        ({"last_name": None}, "field_required_missing"),
        ({"last_name": "C", "nickname": "S"}, "unknown_field"),
        ({"last_name": "C", "id": NOWHERE}, "field_not_creatable"),
        ({"last_name": "C", "contact_emails": []}, "field_not_creatable"),
        ({"last_name": 5}, "field_value_invalid"),
        ({"primary_email": "not an address"}, "field_value_invalid"),
        ({"last_name": "C", "primary_phone_number": "12"}, "field_value_invalid"),
        ({"last_name": "C", "sms_consent": "yes"}, "field_value_invalid"),
        ({"last_name": "C", "address": "Street 1"}, "field_value_invalid"),
        ({"last_name": "C", "stage": {"id": NOWHERE}}, "field_value_invalid"),
    ],
)
async def test_a_contact_that_breaks_a_rule_is_a_domain_fault(
    reevo: httpx.AsyncClient, attributes: Any, expected: str
) -> None:
    """The documented codes."""
    assert code(await reevo.post("/contact", json={"attributes": attributes})) == (422, expected)


async def test_an_unknown_contact_is_not_found(reevo: httpx.AsyncClient) -> None:
    """404 for an ID that nobody has, 422 for what is no ID."""
    response = await reevo.get(f"/contact/{NOWHERE}")
    message = f"contact {NOWHERE} does not exist"
    assert (response.status_code, response.json()) == (
        404,
        refusal("RecordNotFoundError", message, "record_not_found"),
    )
    assert locations(await reevo.get("/contact/contact_1")) == [["path", "contact_id"]]


async def test_contacts_are_found_by_every_operator(reevo: httpx.AsyncClient) -> None:
    """E-mail without regard to case; filters combine with AND and groups nest."""
    ana = await add(reevo, first_name="Ana", last_name="Ruiz", primary_email="Ana@x.example")
    bob = await add(reevo, last_name="Bo", primary_phone_number="+31612345678", primary_email="bob@y.example")
    cem = await add(reevo, last_name="Cem", primary_phone_number="+31687654321")
    everybody = {ana["id"], bob["id"], cem["id"]}
    for filters, expected in [
        ([], everybody),
        ([where("id", "in", [ana["id"].upper(), bob["id"], NOWHERE])], {ana["id"], bob["id"]}),
        ([where("id", "not_in", [ana["id"]])], {bob["id"], cem["id"]}),
        ([where("id", "ne", ana["id"])], {bob["id"], cem["id"]}),
        ([where("primary_email", "eq", "ANA@X.example")], {ana["id"]}),
        ([where("primary_email", "in", ["ana@x.EXAMPLE", "BOB@y.example"])], {ana["id"], bob["id"]}),
        ([where("primary_email", "not_in", ["ana@x.example"])], {bob["id"], cem["id"]}),
        ([where("primary_email", "ends_with", "X.EXAMPLE")], {ana["id"]}),
        ([where("primary_email", "exists")], {ana["id"], bob["id"]}),
        ([where("contact_emails", "contains", "bob")], {bob["id"]}),
        ([where("contact_emails", "not_exists")], {cem["id"]}),
        ([where("primary_phone_number", "eq", "+31612345678")], {bob["id"]}),
        ([where("primary_phone_number", "starts_with", "+316")], {bob["id"], cem["id"]}),
        ([where("display_name", "eq", "Ana Ruiz")], {ana["id"]}),
        ([where("display_name", "eq", "ana ruiz")], set[str]()),
        ([where("created_at", "gte", bob["created_at"])], {bob["id"], cem["id"]}),
        ([where("created_at", "gt", bob["created_at"])], {cem["id"]}),
        ([where("updated_at", "lt", bob["created_at"])], {ana["id"]}),
        ([where("updated_at", "lte", bob["created_at"])], {ana["id"], bob["id"]}),
        ([where("created_at", "between", [bob["created_at"], cem["created_at"]])], {bob["id"], cem["id"]}),
        ([where("primary_email", "exists"), where("primary_phone_number", "exists")], {bob["id"]}),
        ([{"or": [where("last_name", "eq", "Cem"), where("first_name", "eq", "Ana")]}], {ana["id"], cem["id"]}),
        ([{"or": []}], set[str]()),
        ([{"and": []}], everybody),
        ([{"not": where("last_name", "eq", "Cem")}], {ana["id"], bob["id"]}),
        (
            [{"not": [{"and": [where("last_name", "eq", "Cem"), {"not": where("id", "eq", bob["id"])}]}]}],
            everybody - {cem["id"]},
        ),
    ]:
        page = await search(reevo, *filters)
        assert {record["id"] for record in page["data"]} == expected, filters


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (where("email", "eq", "x"), "invalid_filter_field"),
        (where("id", "contains", "x"), "invalid_filter_operator"),
        (where("id", "like", "x"), "invalid_filter_operator"),
        (where("created_at", "eq", TIME), "invalid_filter_operator"),
        (where("id", "eq", "x"), "field_value_invalid"),
        (where("id", "eq"), "field_value_invalid"),
        (where("id", "in", NOWHERE), "field_value_invalid"),
        (where("id", "in", [[]]), "field_value_invalid"),
        (where("primary_email", "eq", ["x"]), "field_value_invalid"),
        (where("primary_email", "contains", {}), "field_value_invalid"),
        (where("created_at", "gt", "yesterday"), "field_value_invalid"),
        (where("created_at", "between", [TIME]), "field_value_invalid"),
        (where("created_at", "between", TIME), "field_value_invalid"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_a_domain_fault(
    reevo: httpx.AsyncClient, node: Any, expected: str
) -> None:
    """However deep it stands."""
    for filters in ([node], [{"or": [{"not": node}]}]):
        assert code(await reevo.post("/contact/_query", json={"filters": filters})) == (422, expected)


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"filters": {}}, ["filters"]),
        ({"filters": None}, ["filters"]),
        ({"filters": ["x"]}, ["filters", 0]),
        ({"filters": [{}]}, ["filters", 0, "field"]),
        ({"filters": [{"field": "id"}]}, ["filters", 0, "operator"]),
        ({"filters": [{"field": ["id"], "operator": "eq"}]}, ["filters", 0, "field"]),
        ({"filters": [{"or": {}}]}, ["filters", 0, "or"]),
        ({"filters": [{"and": [{"or": [5]}]}]}, ["filters", 0, "and", 0, "or", 0]),
        ({"filters": [{"and": [], "or": []}]}, ["filters", 0]),
        ({"filters": [{"not": 5}]}, ["filters", 0, "not"]),
        ({"sort": [{}]}, ["sort", 0, "field"]),
        ({"sort": [{"field": "id", "direction": "up"}]}, ["sort", 0, "direction"]),
        ({"limit": 101}, ["limit"]),
        ({"cursor": None}, ["cursor"]),
    ],
)
async def test_a_contact_query_of_the_wrong_shape_is_refused(
    reevo: httpx.AsyncClient, body: Any, loc: list[str | int]
) -> None:
    """With the place of the fault."""
    assert locations(await reevo.post("/contact/_query", json=body)) == [["body", *loc]]


async def test_contacts_are_sorted_and_paged_by_cursor(reevo: httpx.AsyncClient) -> None:
    """The cursor carries filter and sort; new records do not shift the pages; absent values stand at one end."""
    for first, last in (("B", "1"), ("A", "1"), ("A", "2"), (None, "0")):
        await add(reevo, last_name=last, **({"first_name": first} if first else {}))
    by_two = [{"field": "first_name", "direction": "desc"}, {"field": "last_name"}]
    page = await search(reevo, where("last_name", "exists"), sort=by_two, limit=2)
    assert names(page) == ["0", "B 1"]
    await add(reevo, first_name="Z", last_name="9")
    rest = (await reevo.post("/contact/_query", json={"cursor": page["next_cursor"], "limit": 100})).json()
    assert (names(rest), rest["next_cursor"]) == (["A 1", "A 2"], None)
    again = await search(reevo, where("last_name", "exists"), sort=by_two, cursor=page["next_cursor"])
    assert again == rest
    assert names(await search(reevo, sort=[{"field": "first_name"}]))[-1] == "0"
    assert names(await search(reevo))[0] == "Z 9"


async def test_a_contact_cursor_is_bound_to_filter_and_sort(reevo: httpx.AsyncClient) -> None:
    """Others, and made-up ones, are refused."""
    for name in "ab":
        await add(reevo, last_name=name)
    cursor = (await search(reevo, limit=1))["next_cursor"]
    changes: list[dict[str, Any]] = [
        {"filters": [where("last_name", "exists")]},
        {"sort": [{"field": "id"}]},
        {"cursor": "x"},
        {"cursor": "é.😀"},
    ]
    for change in changes:
        response = await reevo.post("/contact/_query", json={"cursor": cursor} | change)
        assert code(response) == (422, "field_value_invalid")
    response = await reevo.post("/contact/_query", json={"sort": [{"field": "shoe_size"}]})
    assert code(response) == (422, "invalid_filter_field")


async def test_both_headers_are_accepted(reevo: httpx.AsyncClient) -> None:
    """Bearer, X-Api-Key, or both when they are the same; none, a wrong one or two different ones are 401."""
    del reevo.headers["Authorization"]
    bearer, key = {"Authorization": f"bearer {SANDBOX_KEY}"}, {"X-Api-Key": SANDBOX_KEY}
    for good in (bearer, key, bearer | key):
        assert (await reevo.post("/contact/_query", json={}, headers=good)).status_code == 200
    wrong: list[dict[str, str]] = [
        {},
        {"X-Api-Key": ""},
        {"X-Api-Key": "x"},
        {"Authorization": f"Basic {SANDBOX_KEY}"},
        bearer | {"X-Api-Key": "x"},
        key | {"Authorization": "Bearer x"},
    ]
    for bad in wrong:
        for path in ("/activity", "/activity/_query", "/contact", "/contact/_query"):
            response = await reevo.post(path, content=b"{", headers=bad)
            expected = refusal("UnauthorizedError", "Invalid API key", None)
            assert (response.status_code, response.json()) == (401, expected)
        assert (await reevo.get(f"/contact/{NOWHERE}", headers=bad)).status_code == 401


async def test_health_needs_no_key(reevo: httpx.AsyncClient) -> None:
    """The body is unknown, so there is none."""
    del reevo.headers["Authorization"]
    response = await reevo.get("/health")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"5",
        b"\xff\xfe",
        b'{"attributes": NaN}',
        b'{"attributes": {"last_name": "\\ud800"}}',
        b'{"limit": 1e999}',
        b'{"limit": ' + b"9" * 5000 + b"}",
        b'{"filters": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
async def test_an_odd_body_is_a_clean_422(reevo: httpx.AsyncClient, body: bytes) -> None:
    """On every route that takes a body."""
    for path in ("/activity", "/activity/_query", "/contact", "/contact/_query"):
        response = await reevo.post(path, content=body)
        assert locations(response)[0][0] == "body"


async def test_filters_may_nest_as_deep_as_a_body_may(reevo: httpx.AsyncClient) -> None:
    """No recursion limit is met before the body's own."""
    node = where("id", "eq", NOWHERE)
    for _ in range(190):
        node = {"not": node}
    await add(reevo, last_name="Chen")
    assert (await search(reevo, node))["data"] == []


async def test_unknown_routes_and_methods_answer_in_json() -> None:
    """Both are outside the document, so only their form is compared."""
    transport = httpx.ASGITransport(create_sandbox())
    async with httpx.AsyncClient(transport=transport, base_url="http://reevo", headers=HEADERS) as client:
        for path in ("/", "/api/v1/activity", f"/api/v2/activity/{NOWHERE}", "/api/v2/contact/"):
            response = await client.get(path)
            assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})
        response = await client.delete("/api/v2/activity")
        expected = {"detail": "Method Not Allowed"}
        assert (response.status_code, response.json(), response.headers["allow"]) == (405, expected, "POST")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, "UnauthorizedError"),
        (404, "RecordNotFoundError"),
        (409, "ConflictError"),
        (421, "MisdirectedRequestError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailableError"),
    ],
)
async def test_a_magic_subject_asks_for_a_status(reevo: httpx.AsyncClient, status: int, error: str) -> None:
    """Nothing is written, and only 429 says when to come back."""
    response = await reevo.post("/activity", json=draft(f"sandbox-{status}", account_id=ACCOUNT))
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.headers.get("retry-after") == ("1" if status == 429 else None)
    assert (await timeline(reevo, account_id=ACCOUNT))["data"] == []


async def test_a_magic_subject_comes_after_auth_and_validation(reevo: httpx.AsyncClient) -> None:
    """A write that would be refused anyway is refused for its own reason."""
    bad = draft("sandbox-500", contact_ids=[NOWHERE])
    assert (await reevo.post("/activity", json=bad)).status_code == 404
    assert (await reevo.post("/activity", json=bad, headers={"Authorization": "Bearer x"})).status_code == 401


async def test_an_applied_fault_writes_and_does_not_say_so(reevo: httpx.AsyncClient) -> None:
    """The activity can be found by scope, window and name, as a careful caller would look for it."""
    before = datetime.now(UTC).isoformat()
    response = await reevo.post("/activity", json=draft("sandbox-500-applied", account_id=ACCOUNT))
    assert response.status_code == 500
    assert names(await timeline(reevo, account_id=ACCOUNT, created_from=before)) == ["sandbox-500-applied"]


async def test_the_demo_world_is_the_same_twice() -> None:
    """Two sandboxes answer alike, byte for byte."""
    answers: list[list[bytes]] = []
    for _ in range(2):
        async with calling(create_sandbox(WORLD)) as client:
            scopes = [{"account_id": company.account_id, "limit": 100} for company in WORLD.companies]
            timelines = [(await client.post("/activity/_query", json=scope)).content for scope in scopes]
            answers.append([(await client.post("/contact/_query", json={"limit": 100})).content, *timelines])
    assert answers[0] == answers[1]


async def test_the_demo_world_knows_everybody(demo: httpx.AsyncClient) -> None:
    """Some by phone only; everybody with a history that their contact's timeline finds."""
    assert len((await search(demo, limit=100))["data"]) == 60
    for human in WORLD.humans:
        key = human.uuid("reevo/contact")
        attributes = (await demo.get(f"/contact/{key}")).json()["data"]["attributes"]
        email = None if human.at_reevo is Known.PHONE else human.email
        assert (attributes["display_name"]["value"], attributes["primary_email"]["value"]) == (human.name, email)
        assert attributes["primary_phone_number"]["value"] == human.phone
        kinds = [(a["metadata"] or {}).get("kind") for a in (await timeline(demo, contact_id=key))["data"]]
        unusual = [*(["voicemail"] * (human.number % 12 == 0)), *(["meeting"] * (human.number % 4 == 0))]
        assert kinds == [*unusual, None, None]
        deal = human.company.opportunity_id
        scoped = await timeline(demo, contact_id=key, account_id=human.company.account_id, opportunity_id=deal)
        assert len(scoped["data"]) == 1


async def test_a_demo_meeting_names_its_participants(demo: httpx.AsyncClient) -> None:
    """A user who hosts and the contact who is invited; beside it stands a kind that no document knows."""
    voicemail, meeting, *_ = (await timeline(demo, contact_id=ADA.uuid("reevo/contact")))["data"]
    host, guest = meeting["metadata"]["participants"]
    assert (host["user_id"], host["contact_id"], host["is_host"]) == (USER_ID, None, True)
    assert (guest["user_id"], guest["contact_id"], guest["is_host"]) == (None, ADA.uuid("reevo/contact"), False)
    assert guest["email"] == ADA.email
    assert voicemail["metadata"].items() >= {"kind": "voicemail", "duration_seconds": 42}.items()


async def test_a_real_connection_can_be_cut_or_left_waiting() -> None:
    """A reset and a time-out are what a client really sees, and the applied ones are kept."""
    sock = bound_socket("127.0.0.1", 0)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}/api/v2"
    with serving({"reevo": create_sandbox()}, {"reevo": sock}):
        async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=0.5) as client:
            for subject in ("sandbox-reset", "sandbox-reset-applied"):
                with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                    await client.post("/activity", json=draft(subject, account_id=ACCOUNT))
            for subject in ("sandbox-timeout", "sandbox-timeout-applied"):
                with pytest.raises(httpx.ReadTimeout):
                    await client.post("/activity", json=draft(subject, account_id=ACCOUNT))
            kept = await timeline(client, account_id=ACCOUNT)
    assert names(kept) == ["sandbox-timeout-applied", "sandbox-reset-applied"]
