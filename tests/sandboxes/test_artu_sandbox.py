"""The Artu sandbox keeps to Artu's documents and to the rules assumed where those are silent."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.sandbox.server import serving
from app.sandbox.world import build_world
from app.sockets import bound_socket
from app.vendors.artu.sandbox import FIRST_CLIENT_ID, SANDBOX_KEY, create_sandbox
from tests.sandboxes.contract import Contract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette

CONTRACT = Contract("artu")
WORLD = build_world()
SYNC = f"/clients/{FIRST_CLIENT_ID}/contact-methods/sync"
HEADERS = {"Authorization": f"Bearer {SANDBOX_KEY}", "X-Environment": "test"}
NOWHERE = "00000000-0000-4000-8000-000000000000"


async def checked(response: httpx.Response) -> None:
    await response.aread()
    CONTRACT.check(response)


def calling(app: Starlette, headers: dict[str, str] = HEADERS) -> httpx.AsyncClient:
    """A client that holds every answer against the OpenAPI document."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://artu",
        headers=headers,
        event_hooks={"response": [checked]},
    )


@pytest.fixture
async def artu() -> AsyncIterator[httpx.AsyncClient]:
    async with calling(create_sandbox()) as client:
        yield client


@pytest.fixture
async def demo() -> AsyncIterator[httpx.AsyncClient]:
    async with calling(create_sandbox(WORLD)) as client:
        yield client


async def sync(client: httpx.AsyncClient, *items: Any, **more: Any) -> Any:
    response = await client.post(SYNC, json={"items": items, **more})
    assert response.status_code == 200, response.text
    return response.json()


async def found(client: httpx.AsyncClient, **body: Any) -> Any:
    response = await client.post("/contact-methods/list", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def create(client: httpx.AsyncClient, value: str, **more: Any) -> Any:
    return (await sync(client, {"type": "email", "value": value, **more}))["created"][0]


def refusal(status: int, code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"defined": False, "code": code, "status": status, "message": message, **more}


def issues(response: httpx.Response) -> list[list[str | int]]:
    body = response.json()
    assert (response.status_code, body["code"]) == (400, "BAD_REQUEST"), response.text
    return [issue["path"] for issue in body["data"]["issues"]]


async def test_a_created_contact_method_has_every_documented_field(artu: httpx.AsyncClient) -> None:
    """Optional fields that were not given are absent; verifiedAt alone is null."""
    answer = await sync(
        artu,
        {"type": "mobile", "value": "+521", "isPrimary": True, "label": "L", "externalId": "e", "metadata": {"a": [1]}},
        {"type": "fax", "value": "1"},
    )
    full, bare = answer["created"]
    assert full == {
        "id": str(uuid.UUID(full["id"])),
        "clientId": FIRST_CLIENT_ID,
        "type": "mobile",
        "value": "+521",
        "isVerified": False,
        "verifiedAt": None,
        "createdAt": full["createdAt"],
        "updatedAt": full["createdAt"],
        "isPrimary": True,
        "label": "L",
        "externalId": "e",
        "metadata": {"a": [1]},
    }
    assert full["createdAt"].endswith("Z")
    assert bare.keys() == full.keys() - {"label", "externalId", "metadata"}
    assert (answer["updated"], answer["deleted"]) == ([], [])


async def test_an_item_matches_by_id_then_by_external_id_and_patches(artu: httpx.AsyncClient) -> None:
    """Rules 2 and 4: what an item does not mention stays, and the answer follows the items."""
    one = await create(artu, "a@x.example", label="Work", externalId="e1")
    two = await create(artu, "b@x.example", externalId="e2", metadata={"k": "v"})
    answer = await sync(
        artu,
        {"externalId": "e2", "value": "c@x.example"},
        {"id": one["id"].upper(), "label": "Home", "_delete": False},
    )
    second, first = answer["updated"]
    assert second == two | {"value": "c@x.example", "updatedAt": second["updatedAt"]}
    assert first == one | {"label": "Home", "updatedAt": first["updatedAt"]}
    assert first["updatedAt"] > one["updatedAt"]


async def test_deleting_answers_with_the_ids(artu: httpx.AsyncClient) -> None:
    """Rule 3, by ID and by external ID."""
    one, two = await create(artu, "a"), await create(artu, "b", externalId="e")
    answer = await sync(artu, {"externalId": "e", "_delete": True}, {"id": one["id"], "_delete": True})
    assert answer == {"created": [], "updated": [], "deleted": [two["id"], one["id"]]}
    assert (await found(artu))["data"] == []


async def test_replace_mode_deletes_what_no_item_touched(artu: httpx.AsyncClient) -> None:
    """Rules 6 and 7: in order of creation, and an empty list clears the client."""
    kept, gone, also_gone = [await create(artu, value) for value in "abc"]
    answer = await sync(artu, {"id": kept["id"]}, {"type": "fax", "value": "1"}, replaceMode=True)
    assert answer["deleted"] == [gone["id"], also_gone["id"]]
    left = [kept["id"], answer["created"][0]["id"]]
    assert (await sync(artu, replaceMode=False))["deleted"] == []
    assert (await sync(artu, replaceMode=True))["deleted"] == left


async def test_sync_leaves_other_clients_alone(artu: httpx.AsyncClient) -> None:
    """A record of another client is not found by its ID, and replaceMode does not reach it."""
    foreign = await create(artu, "a")
    other = (await artu.post("/clients", json={"type": "trust", "name": "Other"})).json()["id"]
    body = {"items": [{"id": foreign["id"], "value": "b"}]}
    assert (await artu.post(f"/clients/{other}/contact-methods/sync", json=body)).status_code == 404
    clear = {"items": [], "replaceMode": True}
    assert (await artu.post(f"/clients/{other}/contact-methods/sync", json=clear)).json()["deleted"] == []
    assert (await found(artu))["data"] == [foreign]


async def test_a_new_primary_clears_the_others_of_its_type(artu: httpx.AsyncClient) -> None:
    """One primary per client and type, also when the type of a primary changes; the last item wins."""
    email = await create(artu, "a", isPrimary=True)
    phone = (await sync(artu, {"type": "phone", "value": "1", "isPrimary": True}))["created"][0]
    first, last = (await sync(artu, *({"type": "email", "value": v, "isPrimary": True} for v in "bc")))["created"]
    assert (first["isPrimary"], last["isPrimary"]) == (False, True)
    primaries = {m["id"] for m in (await found(artu, filter={"isPrimary": True}))["data"]}
    assert primaries == {phone["id"], last["id"]}
    await sync(artu, {"id": phone["id"], "type": "email"})
    shown = (await found(artu, filter={"isPrimary": True}))["data"]
    assert [m["id"] for m in shown] == [phone["id"]]
    assert email["id"] not in primaries


async def test_a_changed_value_is_no_longer_verified(demo: httpx.AsyncClient) -> None:
    """The same value again keeps the verification."""
    human = WORLD.humans[1]
    path, key = f"/clients/{human.uuid('artu/client')}/contact-methods/sync", human.uuid("artu/method/email")
    same = (await demo.post(path, json={"items": [{"id": key, "value": human.email}]})).json()["updated"][0]
    assert (same["isVerified"], same["verifiedAt"]) == (True, human.at(2).isoformat().replace("+00:00", "Z"))
    other = (await demo.post(path, json={"items": [{"id": key, "value": "new@x.example"}]})).json()["updated"][0]
    assert (other["isVerified"], other["verifiedAt"]) == (False, None)


@pytest.mark.parametrize(
    ("items", "path"),
    [
        ([{"value": "a"}], ["items", 1, "type"]),
        ([{"type": "fax"}], ["items", 1, "value"]),
        ([{"_delete": True}], ["items", 1]),
        ([{"type": "fax", "value": "1", "externalId": "e"}] * 2, ["items", 2, "externalId"]),
        ([{"type": "pager", "value": "1"}], ["items", 1, "type"]),
        ([{"type": "fax", "value": ""}], ["items", 1, "value"]),
        ([{"type": "fax", "value": "1", "label": None}], ["items", 1, "label"]),
        ([{"type": "fax", "value": "1", "isPrimary": "yes"}], ["items", 1, "isPrimary"]),
        ([{"type": "fax", "value": "1", "metadata": []}], ["items", 1, "metadata"]),
        ([{"id": "contact_xyz789"}], ["items", 1, "id"]),
        (["not an object"], ["items", 1]),
    ],
)
async def test_a_bad_item_is_named_and_nothing_is_written(
    artu: httpx.AsyncClient, items: list[Any], path: list[str | int]
) -> None:
    """All or nothing: the good item before the bad one is not written either."""
    good = {"type": "email", "value": "good"}
    assert issues(await artu.post(SYNC, json={"items": [good, *items]})) == [path]
    assert (await found(artu))["data"] == []


async def test_two_items_may_not_name_one_record(artu: httpx.AsyncClient) -> None:
    """Rule 9, also when one names it by ID and the other by external ID."""
    one = await create(artu, "a", externalId="e")
    assert issues(await artu.post(SYNC, json={"items": [{"id": one["id"]}] * 2})) == [["items", 1, "id"]]
    by_both = [{"id": one["id"]}, {"externalId": "e"}]
    assert issues(await artu.post(SYNC, json={"items": by_both})) == [["items", 1]]


async def test_unknown_records_are_not_found_and_nothing_is_written(artu: httpx.AsyncClient) -> None:
    """Rules 1, 3 and 5."""
    good = {"type": "email", "value": "good"}
    for bad in ({"id": NOWHERE, "value": "x"}, {"id": NOWHERE, "_delete": True}, {"externalId": "e", "_delete": True}):
        response = await artu.post(SYNC, json={"items": [good, bad]})
        assert (response.status_code, response.json()) == (404, refusal(404, "NOT_FOUND", "Contact method not found"))
    response = await artu.post(f"/clients/{NOWHERE}/contact-methods/sync", json={"items": [good]})
    assert (response.status_code, response.json()) == (404, refusal(404, "NOT_FOUND", "Client not found"))
    assert (await found(artu))["data"] == []


async def test_an_external_id_belongs_to_one_record_of_an_environment(artu: httpx.AsyncClient) -> None:
    """Two clients cannot share it, and the refused write leaves no trace."""
    await create(artu, "a", externalId="e")
    other = (await artu.post("/clients", json={"type": "trust", "name": "Other"})).json()["id"]
    body = {"items": [{"type": "email", "value": "b", "externalId": "e"}]}
    response = await artu.post(f"/clients/{other}/contact-methods/sync", json=body)
    expected = refusal(409, "CONFLICT", "externalId belongs to another contact method")
    assert (response.status_code, response.json()) == (409, expected)
    assert len((await found(artu))["data"]) == 1


async def test_at_most_250_items_are_taken(artu: httpx.AsyncClient) -> None:
    """The documented bound."""
    items = [{"type": "fax", "value": str(n)} for n in range(251)]
    assert issues(await artu.post(SYNC, json={"items": items})) == [["items"]]
    assert len((await sync(artu, *items[:250]))["created"]) == 250


async def test_the_primary_of_a_type_is_bare_or_null(artu: httpx.AsyncClient) -> None:
    """No wrapper, and null where there is none; an unknown client or type is refused."""
    one = await create(artu, "a", isPrimary=True)
    path = f"/clients/{FIRST_CLIENT_ID}/contact-methods/primary"
    assert (await artu.get(f"{path}/email")).json() == one
    response = await artu.get(f"{path}/fax")
    assert (response.status_code, response.content) == (200, b"null")
    assert issues(await artu.get(f"{path}/pager")) == [["type"]]
    assert issues(await artu.get("/clients/client_abc/contact-methods/primary/email")) == [["clientId"]]
    assert (await artu.get(f"/clients/{NOWHERE}/contact-methods/primary/email")).status_code == 404


async def test_a_client_is_created_and_can_be_synced(artu: httpx.AsyncClient) -> None:
    """It answers bare with what was given; its external ID is taken from then on."""
    body = {
        "type": "individual",
        "name": "Ana",
        "lastName": "Ruiz",
        "nationalities": ["MX"],
        "externalId": "c-1",
        "birthDate": "1990-02-28",
        "metadata": {"a": 1},
    }
    created = (await artu.post("/clients", json=body)).json()
    made = {name: created[name] for name in ("id", "createdAt", "updatedAt")}
    assert created == body | made | {"contactMethods": []}
    assert (await artu.post(f"/clients/{created['id']}/contact-methods/sync", json={"items": []})).status_code == 200
    assert (await artu.post("/clients", json=body)).status_code == 409


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"type": "person"}, ["type"]),
        ({"name": 5}, ["name"]),
        ({"birthDate": "1990-02-30"}, ["birthDate"]),
        ({"nationalities": [1]}, ["nationalities"]),
        ({"scopes": "base"}, ["scopes"]),
    ],
)
async def test_a_bad_client_is_refused(artu: httpx.AsyncClient, change: Any, path: list[str]) -> None:
    """With the field's name."""
    assert issues(await artu.post("/clients", json={"type": "company", "name": "x", **change})) == [path]


async def test_a_key_is_needed(artu: httpx.AsyncClient) -> None:
    """None, a wrong one and a wrong scheme are all 401, on every route."""
    expected = refusal(401, "UNAUTHORIZED", "API key is missing or invalid")
    for value in ("", "Bearer wrong", f"Basic {SANDBOX_KEY}", "Bearer", "Bearer é"):
        for path in ("/clients", SYNC, "/contact-methods/list"):
            response = await artu.post(path, json={}, headers=[(b"Authorization", value.encode("latin-1"))])
            assert (response.status_code, response.json()) == (401, expected)


async def test_the_environment_is_needed_and_keeps_data_apart(artu: httpx.AsyncClient) -> None:
    """What is written in test is unknown in live, but for the one client that both know."""
    one = await create(artu, "a")
    live = {"X-Environment": "live"}
    assert (await artu.post("/contact-methods/list", headers=live)).json()["data"] == []
    assert (await artu.post(SYNC, json={"items": [{"id": one["id"]}]}, headers=live)).status_code == 404
    assert (await artu.post(SYNC, json={"items": []}, headers=live)).status_code == 200
    assert issues(await artu.post("/contact-methods/list", headers={"X-Environment": "prod"})) == [["x-environment"]]
    del artu.headers["X-Environment"]
    assert issues(await artu.post("/contact-methods/list")) == [["x-environment"]]


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
        b'{"items": NaN}',
        b'{"items": [{"type": "fax", "value": "\\ud800"}]}',
        b'{"items": [{"type": "fax", "value": "1", "metadata": {"a": 1e999}}]}',
        b'{"items": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"items": {"a": 1}}',
        b'{"items": [[[[]]]]}',
        b'{"items": [], "replaceMode": 1}',
    ],
)
async def test_an_odd_body_is_a_clean_400(artu: httpx.AsyncClient, body: bytes) -> None:
    """On every route that takes a body."""
    for path in (SYNC, "/clients"):
        issues(await artu.post(path, content=body))
    if body and b"items" not in body:
        issues(await artu.post("/contact-methods/list", content=body))


async def test_unknown_routes_and_methods_answer_in_json() -> None:
    """Both are outside the document, so only their form is compared."""
    transport = httpx.ASGITransport(create_sandbox())
    async with httpx.AsyncClient(transport=transport, base_url="http://artu", headers=HEADERS) as client:
        for path in ("/", "/client", "/clients/", "/contact-methods/list/"):
            response = await client.get(path)
            assert (response.status_code, response.json()) == (404, refusal(404, "NOT_FOUND", "Not Found"))
        response = await client.get("/clients")
        expected = refusal(405, "METHOD_NOT_SUPPORTED", "Method Not Supported")
        assert (response.status_code, response.json(), response.headers["allow"]) == (405, expected, "POST")


async def test_the_newest_come_first_twenty_at_a_time(artu: httpx.AsyncClient) -> None:
    """The default order and page size; the count only when asked for."""
    made = [await create(artu, str(n)) for n in range(21)]
    answer = await found(artu)
    assert [m["id"] for m in answer["data"]] == [m["id"] for m in reversed(made)][:20]
    assert answer["pagination"].keys() == {"hasMore", "nextCursor"}
    last = await found(artu, cursor=answer["pagination"]["nextCursor"], includeTotalCount=True)
    assert last == {"data": made[:1], "pagination": {"hasMore": False, "nextCursor": None, "totalCount": 21}}


async def test_cursor_paging_is_stable_while_records_come_and_go(artu: httpx.AsyncClient) -> None:
    """Nothing old is repeated or left out, even when the record that the cursor was made from is gone."""
    made = [await create(artu, str(n)) for n in range(6)]
    page = await found(artu, limit=2)
    await create(artu, "later")
    await sync(artu, {"id": made[4]["id"], "_delete": True})
    rest = await found(artu, cursor=page["pagination"]["nextCursor"], limit=4)
    assert [m["id"] for m in page["data"] + rest["data"]] == [m["id"] for m in reversed(made)]
    assert rest["pagination"] == {"hasMore": False, "nextCursor": None}


async def test_a_cursor_is_bound_to_its_filter_and_sort(artu: httpx.AsyncClient) -> None:
    """Another filter, another sort, an offset beside it and a made-up one are refused."""
    await sync(artu, *({"type": "fax", "value": str(n)} for n in range(3)))
    query = {"filter": {"type": "fax"}, "sort": [{"field": "value", "direction": "desc"}], "limit": 1}
    cursor = (await found(artu, **query))["pagination"]["nextCursor"]
    assert [m["value"] for m in (await found(artu, **query | {"cursor": cursor, "limit": 9}))["data"]] == ["1", "0"]
    changes: list[dict[str, Any]] = [
        {"filter": {}},
        {"sort": []},
        *({"cursor": c} for c in ("x", f"{cursor}0", "é.😀")),
    ]
    for change in changes:
        body = query | {"cursor": cursor} | change
        assert issues(await artu.post("/contact-methods/list", json=body)) == [["cursor"]]
    body = query | {"cursor": cursor, "offset": 1}
    assert issues(await artu.post("/contact-methods/list", json=body)) == [["offset"]]


async def test_offset_and_limit_cut_a_page(artu: httpx.AsyncClient) -> None:
    """An offset beyond the end is an empty page."""
    await sync(artu, *({"type": "fax", "value": str(n)} for n in range(5)))
    order = [{"field": "value"}]
    page = await found(artu, sort=order, offset=1, limit=2)
    assert ([m["value"] for m in page["data"]], page["pagination"]["hasMore"]) == (["1", "2"], True)
    assert (await found(artu, offset=2**53 - 1)) == {"data": [], "pagination": {"hasMore": False, "nextCursor": None}}


async def test_sorting_goes_by_several_fields_and_takes_absent_ones(artu: httpx.AsyncClient) -> None:
    """Every sortable field in both directions gives each record once."""
    await sync(
        artu,
        {"type": "fax", "value": "1", "label": "b"},
        {"type": "fax", "value": "2"},
        {"type": "other", "value": "1"},
    )
    by_two = await found(artu, sort=[{"field": "type", "direction": "desc"}, {"field": "value", "direction": "desc"}])
    assert [(m["type"], m["value"]) for m in by_two["data"]] == [("other", "1"), ("fax", "2"), ("fax", "1")]
    for name in ("id", "type", "value", "isPrimary", "label", "externalId", "createdAt", "updatedAt"):
        for direction in ("asc", "desc"):
            query: dict[str, Any] = {"sort": [{"field": name, "direction": direction}], "limit": 2}
            page = await found(artu, **query)
            rest = await found(artu, **query, cursor=page["pagination"]["nextCursor"])
            assert len({m["id"] for m in page["data"] + rest["data"]}) == 3


async def test_filters_combine_with_and(artu: httpx.AsyncClient) -> None:
    """Bare values, operators and metadata."""
    a, b, c = (
        await sync(
            artu,
            {"type": "email", "value": "ana@x.example", "isPrimary": True, "metadata": {"k": "v", "n": 1}},
            {"type": "email", "value": "bob@x.example", "externalId": "e", "metadata": {"k": "v"}},
            {"type": "fax", "value": "1"},
        )
    )["created"]
    both, nobody = {a["id"], b["id"]}, set[str]()
    for wanted, expected in [
        ({}, both | {c["id"]}),
        ({"type": "email"}, both),
        ({"type": {"nin": ["email"]}}, {c["id"]}),
        ({"id": a["id"].upper()}, {a["id"]}),
        ({"id": {"in": [a["id"], b["id"], NOWHERE]}}, both),
        ({"id": {"in": []}}, nobody),
        ({"clientId": {"eq": FIRST_CLIENT_ID}, "type": {"in": ["fax", "email"], "nin": ["fax"]}}, both),
        ({"clientId": NOWHERE}, nobody),
        ({"value": "ANA@x.example"}, nobody),
        ({"value": {"contains": "x.example"}}, both),
        ({"value": {"contains": "x.example", "nin": ["ana@x.example"]}}, {b["id"]}),
        ({"externalId": "e"}, {b["id"]}),
        ({"externalId": {"contains": "e"}}, {b["id"]}),
        ({"isPrimary": True}, {a["id"]}),
        ({"isPrimary": False}, {b["id"], c["id"]}),
        ({"metadataFilters": [{"key": "k", "value": "v"}]}, both),
        ({"metadataFilters": [{"key": "k", "value": "v"}, {"key": "n", "value": "1"}]}, nobody),
        ({"createdAt": a["createdAt"]}, both | {c["id"]}),
        ({"createdAt": {"gt": a["createdAt"]}}, nobody),
        ({"createdAt": {"gte": a["createdAt"], "lte": a["createdAt"]}}, both | {c["id"]}),
        ({"updatedAt": {"lt": "2020-01-01T00:00:00+02:00"}}, nobody),
    ]:
        data = (await found(artu, filter=wanted))["data"]
        assert {m["id"] for m in data} == expected, wanted


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"limit": 0}, ["limit"]),
        ({"limit": 201}, ["limit"]),
        ({"limit": "20"}, ["limit"]),
        ({"limit": True}, ["limit"]),
        ({"limit": None}, ["limit"]),
        ({"offset": -1}, ["offset"]),
        ({"offset": 2**53}, ["offset"]),
        ({"sort": [{"field": "name"}]}, ["sort", 0, "field"]),
        ({"sort": [{"field": "id", "direction": "up"}]}, ["sort", 0, "direction"]),
        ({"filter": []}, ["filter"]),
        ({"filter": {"email": "x"}}, ["filter", "email"]),
        ({"filter": {"id": {"like": "x"}}}, ["filter", "id", "like"]),
        ({"filter": {"id": {"in": ["x"]}}}, ["filter", "id", "in", 0]),
        ({"filter": {"type": "pager"}}, ["filter", "type", "eq"]),
        ({"filter": {"value": 5}}, ["filter", "value", "eq"]),
        ({"filter": {"createdAt": {"gt": "yesterday"}}}, ["filter", "createdAt", "gt"]),
        ({"filter": {"createdAt": {"gt": "0001-01-01T00:00:00+14:00"}}}, ["filter", "createdAt", "gt"]),
        ({"filter": {"isPrimary": 1}}, ["filter", "isPrimary"]),
        ({"filter": {"metadataFilters": [{"key": "k", "value": 1}]}}, ["filter", "metadataFilters", 0, "value"]),
        ({"includeTotalCount": "yes"}, ["includeTotalCount"]),
    ],
)
async def test_a_bad_list_request_is_refused(artu: httpx.AsyncClient, body: Any, path: list[str | int]) -> None:
    """With the path of what is wrong."""
    assert issues(await artu.post("/contact-methods/list", json=body)) == [path]


@pytest.mark.parametrize("status", [401, 404, 409, 421, 429, 500, 503])
async def test_a_magic_label_asks_for_a_status(artu: httpx.AsyncClient, status: int) -> None:
    """In any item; nothing is written, and only 429 says when to come back."""
    items = [{"type": "fax", "value": "1"}, {"type": "fax", "value": "2", "label": f"sandbox-{status}"}]
    response = await artu.post(SYNC, json={"items": items})
    assert (response.status_code, response.json()["status"]) == (status, status)
    assert response.headers.get("retry-after") == ("1" if status == 429 else None)
    assert (await found(artu))["data"] == []


async def test_a_magic_label_comes_after_auth_and_validation(artu: httpx.AsyncClient) -> None:
    """A write that would be refused anyway is refused for its own reason."""
    bad = {"items": [{"value": "no type", "label": "sandbox-500"}]}
    assert (await artu.post(SYNC, json=bad)).status_code == 400
    assert (await artu.post(SYNC, json=bad, headers={"Authorization": "Bearer x"})).status_code == 401


async def test_an_applied_fault_writes_and_does_not_say_so(artu: httpx.AsyncClient) -> None:
    """The record is there afterwards."""
    body = {"items": [{"type": "fax", "value": "1", "label": "sandbox-500-applied"}]}
    assert (await artu.post(SYNC, json=body)).status_code == 500
    assert [m["value"] for m in (await found(artu))["data"]] == ["1"]


async def test_the_demo_world_is_the_same_twice() -> None:
    """Two sandboxes answer alike, byte for byte, and only in the test environment."""
    pages: list[bytes] = []
    for _ in range(2):
        async with calling(create_sandbox(WORLD)) as client:
            pages.append((await client.post("/contact-methods/list", json={"limit": 200})).content)
            live = await client.post("/contact-methods/list", headers={"X-Environment": "live"})
            assert live.json()["data"] == []
    assert pages[0] == pages[1]


async def test_the_demo_world_knows_everybody(demo: httpx.AsyncClient) -> None:
    """A primary e-mail and mobile each, and a second e-mail for every third."""
    everything = await found(demo, limit=200, includeTotalCount=True)
    assert everything["pagination"] == {"hasMore": False, "nextCursor": None, "totalCount": 140}
    for human in WORLD.humans:
        client_id = human.uuid("artu/client")
        email = (await demo.get(f"/clients/{client_id}/contact-methods/primary/email")).json()
        mobile = (await demo.get(f"/clients/{client_id}/contact-methods/primary/mobile")).json()
        assert (email["id"], email["value"], email["label"], email["isVerified"]) == (
            human.uuid("artu/method/email"),
            human.email,
            "Work",
            True,
        )
        assert (mobile["value"], mobile["label"], mobile["isVerified"]) == (human.phone, "Mobile", False)
        home = (await found(demo, filter={"clientId": client_id, "isPrimary": False}))["data"]
        expected = [("email", "Home", f"crm-{human.number}")] if human.number % 3 == 0 else []
        assert [(m["type"], m["label"], m["externalId"]) for m in home] == expected


async def test_a_real_connection_can_be_cut_or_left_waiting() -> None:
    """A reset and a time-out are what a client really sees, and the applied ones are kept."""
    sock = bound_socket("127.0.0.1", 0)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    with serving({"artu": create_sandbox()}, {"artu": sock}):
        async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=0.5) as client:
            for label in ("sandbox-reset", "sandbox-reset-applied"):
                with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                    await client.post(SYNC, json={"items": [{"type": "fax", "value": label, "label": label}]})
            for label in ("sandbox-timeout", "sandbox-timeout-applied"):
                with pytest.raises(httpx.ReadTimeout):
                    await client.post(SYNC, json={"items": [{"type": "fax", "value": label, "label": label}]})
            kept = await found(client)
    assert [m["value"] for m in kept["data"]] == ["sandbox-timeout-applied", "sandbox-reset-applied"]
