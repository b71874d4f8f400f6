"""The Bird sandbox keeps to Bird's contract, on good days and on bad."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.sandbox.server import serving
from app.sandbox.world import Known, build_world
from app.sockets import bound_socket
from app.vendors.bird.sandbox import SANDBOX_KEY, WORKSPACE_ID, create_sandbox
from tests.sandboxes.contract import Contract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.sandbox.world import World

CONTACTS = f"/workspaces/{WORKSPACE_ID}/contacts"
SEARCH = f"{CONTACTS}/search"
NOBODY = "00000000-0000-4000-8000-000000000000"
EMAIL = {"key": "emailaddress", "value": "ada@example.com"}
PHONE = {"key": "phonenumber", "value": "+31612345678"}
ADA = {"displayName": "Ada Example", "identifiers": [EMAIL, PHONE]}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract("bird")


@pytest.fixture
async def bird() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an empty sandbox."""
    async with _client() as client:
        yield client


@pytest.fixture
async def demo() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the demo world."""
    async with _client(build_world()) as client:
        yield client


def _client(world: World | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_sandbox(world)), base_url="http://sandbox", headers=_headers()
    )


def _headers() -> dict[str, str]:
    return {"Authorization": f"AccessKey {SANDBOX_KEY}"}


async def _created(client: httpx.AsyncClient, contract: Contract, **body: object) -> dict[str, Any]:
    response = await client.post(CONTACTS, json={"displayName": "Ada Example", **body})
    assert response.status_code == 201, response.text
    contract.check(response)
    contact: dict[str, Any] = response.json()
    return contact


async def _read(client: httpx.AsyncClient, contract: Contract, path: str, **query: object) -> dict[str, Any]:
    response = await client.get(path, params={key: str(value) for key, value in query.items()})
    assert response.status_code == 200, response.text
    contract.check(response)
    body: dict[str, Any] = response.json()
    return body


async def _found(client: httpx.AsyncClient, contract: Contract, key: str, value: str) -> list[str]:
    response = await client.post(SEARCH, json={"identifier": {"key": key, "value": value}})
    assert response.status_code == 200, response.text
    contract.check(response)
    assert list(response.json()) == ["results"]
    return [contact["id"] for contact in response.json()["results"]]


async def _walked(
    client: httpx.AsyncClient, contract: Contract, path: str, **query: object
) -> list[list[dict[str, Any]]]:
    pages = [await _read(client, contract, path, **query)]
    while token := pages[-1]["nextPageToken"]:
        pages.append(await _read(client, contract, path, **query, pageToken=token))
    return [page["results"] for page in pages]


async def test_a_contact_is_created_and_reads_back(bird: httpx.AsyncClient, contract: Contract) -> None:
    """201 with the whole contact; the read gives the same."""
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    created = await _created(
        bird,
        contract,
        identifiers=[{**EMAIL, "value": " ada@example.com "}, {**PHONE, "properties": {"countryCode": "NL"}}],
        attributes={"firstName": "Ada", "rating": 9.6, "isVip": False, "labels": ["A", 1, True], "gone": None},
        listIds=["l1"],
        accountIds=["a1", "a2"],
        companyRefs=["c1"],
        somethingElse={"any": [1]},
    )
    assert await _read(bird, contract, f"{CONTACTS}/{created['id']}") == created
    assert uuid.UUID(created["id"]).version == 4
    assert re.fullmatch(r"[0-9a-f-]{36}", created.pop("id"))
    assert created["createdAt"] == created.pop("updatedAt")
    moment = created.pop("createdAt")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", moment)
    assert before <= datetime.fromisoformat(moment) <= datetime.now(UTC)
    assert created == {
        "computedDisplayName": "Ada Example",
        "workspaceId": WORKSPACE_ID,
        "featuredIdentifiers": [EMAIL, PHONE],
        "identifierCount": 2,
        "attributes": {
            "displayName": "Ada Example",
            "firstName": "Ada",
            "rating": 9.6,
            "isVip": False,
            "labels": ["A", 1, True],
            "emailaddress": ["ada@example.com"],
            "phonenumber": ["+31612345678"],
        },
        "listIds": ["l1"],
        "accountIds": ["a1", "a2"],
        "companyRefs": ["c1"],
        "isAnonymous": False,
    }


async def test_a_display_name_is_enough(bird: httpx.AsyncClient, contract: Contract) -> None:
    """A contact without identifiers is anonymous, and can be made as often as one likes."""
    first, second = [await _created(bird, contract) for _ in range(2)]
    assert first["id"] != second["id"]
    assert (first["identifierCount"], first["featuredIdentifiers"], first["isAnonymous"]) == (0, [], True)
    assert first["attributes"] == {"displayName": "Ada Example"}
    visitor = await _created(bird, contract, identifiers=[{"key": "visitorid", "value": "v"}])
    assert visitor["isAnonymous"] is True


@pytest.mark.parametrize(
    ("sent", "computed"),
    [
        ({"displayName": "Ada Example", "attributes": {"firstName": "A", "displayName": "B"}}, "Ada Example"),
        ({"displayName": " ", "attributes": {"firstName": "Ada"}, "identifiers": [PHONE, EMAIL]}, "Ada"),
        ({"displayName": " ", "attributes": {"firstName": 7}, "identifiers": [PHONE, EMAIL]}, "ada@example.com"),
        ({"displayName": " ", "identifiers": [PHONE]}, "+31612345678"),
        ({"displayName": " ", "identifiers": [{"key": "visitorid", "value": "v"}]}, ""),
    ],
)
async def test_the_computed_name_is_the_first_there_is(
    bird: httpx.AsyncClient, contract: Contract, sent: dict[str, Any], computed: str
) -> None:
    """Display name, first name, e-mail, phone, in this order."""
    assert (await _created(bird, contract, **sent))["computedDisplayName"] == computed


async def test_only_three_identifiers_are_featured_but_all_are_counted(
    bird: httpx.AsyncClient, contract: Contract
) -> None:
    """Whoever needs all must ask for the identifiers; odd keys are held but not mirrored into attributes."""
    sent = [EMAIL, PHONE, {"key": "emailaddress", "value": "b@example.com"}, {"key": "odd key!", "value": "x"}]
    contact = await _created(bird, contract, identifiers=sent)
    assert (contact["featuredIdentifiers"], contact["identifierCount"]) == (sent[:3], 4)
    assert contact["attributes"] == {
        "displayName": "Ada Example",
        "emailaddress": ["ada@example.com", "b@example.com"],
        "phonenumber": ["+31612345678"],
    }
    listed = await _read(bird, contract, f"{CONTACTS}/{contact['id']}/identifiers")
    rest = {"contactId": contact["id"], "properties": None, "createdAt": contact["createdAt"]}
    assert listed == {"results": [{**one, **rest} for one in sent], "nextPageToken": None}


async def test_properties_of_an_identifier_are_kept(bird: httpx.AsyncClient, contract: Contract) -> None:
    """They show in the list of identifiers only."""
    contact = await _created(bird, contract, identifiers=[{**PHONE, "properties": {"countryCode": "NL"}}])
    listed = await _read(bird, contract, f"{CONTACTS}/{contact['id']}/identifiers")
    assert [one["properties"] for one in listed["results"]] == [{"countryCode": "NL"}]


@pytest.mark.parametrize(
    "other",
    [
        EMAIL,
        PHONE,
        {**EMAIL, "value": " ADA@Example.COM "},
        {**PHONE, "value": "+31612345678 "},
        {"key": "external_id", "value": "Crm-1"},
    ],
)
async def test_a_taken_identifier_is_409_and_nothing_is_kept(
    bird: httpx.AsyncClient, contract: Contract, other: dict[str, str]
) -> None:
    """Not even the free identifiers beside it."""
    await _created(bird, contract, identifiers=[EMAIL, PHONE, {"key": "external_id", "value": "Crm-1"}])
    free = {"key": "emailaddress", "value": "free@example.com"}
    response = await bird.post(CONTACTS, json={"displayName": "B", "identifiers": [free, other]})
    contract.check(response)
    assert response.status_code == 409
    assert response.json() == {"code": "ResourceAlreadyExists", "message": "Identifier belongs to another contact"}
    assert await _found(bird, contract, **free) == []
    assert len((await _read(bird, contract, CONTACTS))["results"]) == 1


async def test_an_identifier_is_key_and_value_together(bird: httpx.AsyncClient, contract: Contract) -> None:
    """Another key, or another case of what is no e-mail address, is free; twice in one request counts once."""
    await _created(bird, contract, identifiers=[EMAIL, {"key": "external_id", "value": "Crm-1"}])
    other = await _created(
        bird,
        contract,
        identifiers=[
            {"key": "secondaryEmailAddress", "value": "ada@example.com"},
            {"key": "external_id", "value": "crm-1"},
            {"key": "external_id", "value": "crm-1"},
        ],
    )
    assert other["identifierCount"] == 2


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"displayName": ...}, ".displayName"),
        ({"displayName": ""}, ".displayName"),
        ({"displayName": "n" * 151}, ".displayName"),
        ({"displayName": 1}, ".displayName"),
        ({"displayName": None}, ".displayName"),
        ({"identifiers": None}, ".identifiers"),
        ({"identifiers": {}}, ".identifiers"),
        ({"identifiers": ["x"]}, ".identifiers[0]"),
        ({"identifiers": [EMAIL, {"key": "a"}]}, ".identifiers[1].value"),
        ({"identifiers": [{"key": "", "value": "a"}]}, ".identifiers[0].key"),
        ({"identifiers": [{"key": "k" * 65, "value": "a"}]}, ".identifiers[0].key"),
        ({"identifiers": [{"key": "k", "value": "v" * 501}]}, ".identifiers[0].value"),
        ({"identifiers": [{"key": "k", "value": "  "}]}, ".identifiers[0].value"),
        ({"identifiers": [{"key": "k", "value": 1}]}, ".identifiers[0].value"),
        ({"identifiers": [{**EMAIL, "properties": []}]}, ".identifiers[0].properties"),
        ({"attributes": None}, ".attributes"),
        ({"attributes": []}, ".attributes"),
        ({"attributes": {"a": {}}}, ".attributes.a"),
        ({"attributes": {"a": []}}, ".attributes.a"),
        ({"attributes": {"a": [None]}}, ".attributes.a"),
        ({"attributes": {"a": [["b"]]}}, ".attributes.a"),
        ({"attributes": {"a b": 1}}, ".attributes.a b"),
        ({"attributes": {"": 1}}, ".attributes."),
        ({"attributes": {"a" * 65: 1}}, f".attributes.{'a' * 65}"),
        ({"listIds": []}, ".listIds"),
        ({"listIds": ["l"] * 11}, ".listIds"),
        ({"listIds": [1]}, ".listIds[0]"),
        ({"listIds": None}, ".listIds"),
        ({"accountIds": []}, ".accountIds"),
        ({"accountIds": ["a"] * 11}, ".accountIds"),
        ({"accountIds": "a"}, ".accountIds"),
        ({"companyRefs": [{}]}, ".companyRefs[0]"),
    ],
)
async def test_a_bad_field_is_422_by_its_dotted_path(
    bird: httpx.AsyncClient, contract: Contract, change: dict[str, Any], path: str
) -> None:
    """InvalidPayload, with the path and at least one message (`...` stands for leaving it out)."""
    response = await bird.post(CONTACTS, json={k: v for k, v in {**ADA, **change}.items() if v is not ...})
    contract.check(response)
    assert response.status_code == 422
    error = response.json()
    assert all(error["details"][path])
    assert list(error.pop("details")) == [path]
    assert error == {"code": "InvalidPayload", "message": "Request body is malformed"}


async def test_all_bad_fields_are_named_at_once(bird: httpx.AsyncClient, contract: Contract) -> None:
    """So that a caller need not find them one by one."""
    response = await bird.post(CONTACTS, json={"displayName": "", "listIds": [], "identifiers": [{}]})
    contract.check(response)
    assert set(response.json()["details"]) == {
        ".displayName",
        ".listIds",
        ".identifiers[0].key",
        ".identifiers[0].value",
    }


async def test_bounds_are_inclusive(bird: httpx.AsyncClient, contract: Contract) -> None:
    """The longest of everything is accepted."""
    contact = await _created(
        bird,
        contract,
        displayName="é" * 150,
        identifiers=[{"key": "k" * 64, "value": "v" * 500}],
        attributes={"a" * 64: [False]},
        listIds=["l"] * 10,
        accountIds=["a"] * 10,
        companyRefs=[],
    )
    assert contact["attributes"] == {"displayName": "é" * 150, "a" * 64: [False], "k" * 64: ["v" * 500]}


UNREADABLE = [
    b"",
    b"{",
    b"\xff{}",
    b"\xef\xbb\xbf{}",
    b'{"displayName":NaN}',
    b'{"displayName":1e999}',
    b'{"displayName":"\\ud800"}',
    b'{"\\udfff":1}',
    b"[" * 201 + b"]" * 201,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'"' + b"a" * (10 * 1024 * 1024) + b'"',
]


@pytest.mark.parametrize("path", [CONTACTS, SEARCH])
@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:20]))
async def test_a_body_that_cannot_be_parsed_is_400(
    bird: httpx.AsyncClient, contract: Contract, path: str, body: bytes
) -> None:
    """Broken, too large, too deep, not finite, not UTF-8, lone surrogates; 400 stands beside the document."""
    response = await bird.post(path, content=body)
    contract.check_as(response, "Error")
    assert response.status_code == 400
    error = response.json()
    assert error.pop("message")
    assert error == {"code": "BadRequest"}


@pytest.mark.parametrize("path", [CONTACTS, SEARCH])
@pytest.mark.parametrize("body", ["[]", "null", '"text"', "1", "true", "[" * 200 + "]" * 200])
async def test_json_that_is_no_object_is_422(bird: httpx.AsyncClient, contract: Contract, path: str, body: str) -> None:
    """It parses, so the payload is what is wrong."""
    response = await bird.post(path, content=body)
    contract.check(response)
    assert response.status_code == 422
    assert response.json() == {
        "code": "InvalidPayload",
        "message": "Request body is malformed",
        "details": {".": ["must be an object"]},
    }


async def test_search_finds_one_contact_by_one_identifier(bird: httpx.AsyncClient, contract: Contract) -> None:
    """By any identifier, featured or not; nobody is an empty list."""
    identifiers = [EMAIL, PHONE, {"key": "external_id", "value": "Crm-1"}, {"key": "visitorid", "value": "v"}]
    contact = await _created(bird, contract, identifiers=identifiers)
    await _created(bird, contract, displayName="Bob", identifiers=[{"key": "phonenumber", "value": "+31600000000"}])
    for identifier in identifiers:
        assert await _found(bird, contract, **identifier) == [contact["id"]]
    assert await _found(bird, contract, "emailaddress", " ADA@EXAMPLE.com ") == [contact["id"]]
    assert await _found(bird, contract, "external_id", "crm-1") == []
    assert await _found(bird, contract, "phonenumber", "ada@example.com") == []


async def test_search_by_platform_address_goes_by_the_value(bird: httpx.AsyncClient, contract: Contract) -> None:
    """Whatever its key; the contact is given whole."""
    contact = await _created(bird, contract, **ADA)
    for address, results in (("+31612345678", [contact]), ("+31600000000", [])):
        response = await bird.post(SEARCH, json={"platformAddress": address})
        contract.check(response)
        assert (response.status_code, response.json()) == (200, {"results": results})


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ".identifier"),
        ({"identifier": None}, ".identifier"),
        ({"identifier": "x"}, ".identifier"),
        ({"identifier": {"key": "emailaddress"}}, ".identifier.value"),
        ({"identifier": {"key": 1, "value": "x"}}, ".identifier.key"),
        ({"platformAddress": ""}, ".platformAddress"),
        ({"platformAddress": None}, ".platformAddress"),
    ],
)
async def test_a_search_for_nothing_is_422(
    bird: httpx.AsyncClient, contract: Contract, body: dict[str, Any], path: str
) -> None:
    """One of the two must be there."""
    response = await bird.post(SEARCH, json=body)
    contract.check(response)
    assert response.status_code == 422
    assert list(response.json()["details"]) == [path]


async def test_a_page_holds_ten_unless_told_otherwise(bird: httpx.AsyncClient, contract: Contract) -> None:
    """The oldest come first, the last page has no token, an exact fit has no empty page after it."""
    ids = [(await _created(bird, contract, displayName=f"C{n}"))["id"] for n in range(20)]
    pages = await _walked(bird, contract, CONTACTS)
    assert [[one["id"] for one in page] for page in pages] == [ids[:10], ids[10:]]
    pages = await _walked(bird, contract, CONTACTS, limit=7, reverse="true")
    assert [[one["id"] for one in page] for page in pages] == [ids[:12:-1], ids[12:5:-1], ids[5::-1]]
    assert len((await _read(bird, contract, CONTACTS, limit=100))["results"]) == 20


async def test_an_empty_workspace_has_one_empty_page(bird: httpx.AsyncClient, contract: Contract) -> None:
    """Not an error."""
    assert await _read(bird, contract, CONTACTS) == {"results": [], "nextPageToken": None}


@pytest.mark.parametrize("reverse", ["true", "false"])
async def test_pages_hold_while_contacts_are_added(bird: httpx.AsyncClient, contract: Contract, reverse: str) -> None:
    """Nobody is shown twice or left out; newcomers come last, or not at all when going back."""
    ids = [(await _created(bird, contract))["id"] for _ in range(4)]
    first = await _read(bird, contract, CONTACTS, limit=2, reverse=reverse)
    newcomer = (await _created(bird, contract))["id"]
    token = first["nextPageToken"]
    second = await _read(bird, contract, CONTACTS, limit=100, reverse=reverse, pageToken=token)
    seen = [one["id"] for one in (*first["results"], *second["results"])]
    assert seen == (ids[::-1] if reverse == "true" else [*ids, newcomer])


async def test_a_token_belongs_to_its_list_and_direction(bird: httpx.AsyncClient, contract: Contract) -> None:
    """Elsewhere it is 422, as is one made up; it works as often as it is used."""
    identifiers = [EMAIL, PHONE]
    contact = await _created(bird, contract, identifiers=identifiers)
    await _created(bird, contract)
    token = (await _read(bird, contract, CONTACTS, limit=1))["nextPageToken"]
    assert await _read(bird, contract, CONTACTS, pageToken=token) == await _read(
        bird, contract, CONTACTS, pageToken=token
    )
    path = f"{CONTACTS}/{contact['id']}/identifiers"
    for url, query in (
        (CONTACTS, {"pageToken": token, "reverse": "true"}),
        (path, {"pageToken": token}),
        *((CONTACTS, {"pageToken": made_up}) for made_up in ("", "x", "é", "MTIz", "_" * 8001, "Y29udGFjdHMvdXAv")),
    ):
        response = await bird.get(url, params=query)
        contract.check(response)
        assert response.status_code == 422
        assert response.json() == {
            "code": "InvalidPayload",
            "message": "Query is malformed",
            "details": {".pageToken": ["is not a token of this list and direction"]},
        }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "101", "-1", "ten", "", "1.0", "٣", "9" * 5000)),
        *(("reverse", value) for value in ("yes", "", "1", "TRUE")),
    ],
)
async def test_a_bad_query_is_422_on_both_lists(
    bird: httpx.AsyncClient, contract: Contract, name: str, value: str
) -> None:
    """Named by its parameter."""
    contact = await _created(bird, contract)
    for path in (CONTACTS, f"{CONTACTS}/{contact['id']}/identifiers"):
        response = await bird.get(path, params={name: value})
        contract.check(response)
        assert response.status_code == 422
        assert list(response.json()["details"]) == [f".{name}"]


async def test_identifiers_are_paged_like_contacts(bird: httpx.AsyncClient, contract: Contract) -> None:
    """In both directions."""
    sent = [{"key": "external_id", "value": f"x{n}"} for n in range(5)]
    contact = await _created(bird, contract, identifiers=sent)
    path = f"{CONTACTS}/{contact['id']}/identifiers"
    forth = [[one["value"] for one in page] for page in await _walked(bird, contract, path, limit=2)]
    back = [[one["value"] for one in page] for page in await _walked(bird, contract, path, limit=2, reverse="true")]
    assert forth == [["x0", "x1"], ["x2", "x3"], ["x4"]]
    assert back == [["x4", "x3"], ["x2", "x1"], ["x0"]]


async def test_attributes_that_are_asked_for_come_even_when_empty(bird: httpx.AsyncClient, contract: Contract) -> None:
    """As null; a key that cannot be one is 422."""
    contact = await _created(bird, contract, attributes={"firstName": "Ada", "gone": None})
    path = f"{CONTACTS}/{contact['id']}"
    read = await bird.get(path, params={"attribute": ["gone", "never", "firstName"]})
    contract.check(read)
    assert read.json()["attributes"] == {
        "displayName": "Ada Example",
        "firstName": "Ada",
        "gone": None,
        "never": None,
    }
    refused = await bird.get(path, params={"attribute": "not a key"})
    contract.check(refused)
    assert (refused.status_code, list(refused.json()["details"])) == (422, [".attribute"])


@pytest.mark.parametrize("tail", ["", "/identifiers"])
@pytest.mark.parametrize("contact_id", [NOBODY, "x", "%00%ff"])
async def test_an_unknown_contact_is_404(
    bird: httpx.AsyncClient, contract: Contract, contact_id: str, tail: str
) -> None:
    """Whatever its ID looks like."""
    response = await bird.get(f"{CONTACTS}/{contact_id}{tail}")
    contract.check(response)
    assert response.status_code == 404
    assert response.json() == {"code": "ResourceNotFound", "message": "No such contact"}


OPERATIONS = [
    ("POST", "/contacts"),
    ("GET", "/contacts"),
    ("POST", "/contacts/search"),
    ("GET", f"/contacts/{NOBODY}"),
    ("GET", f"/contacts/{NOBODY}/identifiers"),
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
async def test_another_workspace_is_404(bird: httpx.AsyncClient, contract: Contract, method: str, path: str) -> None:
    """The key is for one workspace only."""
    for workspace_id in (NOBODY, "x"):
        response = await bird.request(method, f"/workspaces/{workspace_id}{path}", content=b"{")
        contract.check(response)
        assert response.status_code == 404
        assert response.json() == {"code": "ResourceNotFound", "message": "No such workspace"}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize(
    "authorization",
    ["", SANDBOX_KEY, f"Bearer {SANDBOX_KEY}", "AccessKey wrong", f"AccessKey  {SANDBOX_KEY}", "AccessKey"],
    ids=["none", "key", "bearer", "wrong", "spaces", "scheme"],
)
async def test_without_the_access_key_everything_is_401(
    bird: httpx.AsyncClient, contract: Contract, method: str, path: str, authorization: str
) -> None:
    """Before the workspace or the body is looked at; Bearer, which generated samples print, is no good."""
    response = await bird.request(
        method, f"/workspaces/{NOBODY}{path}", headers={"Authorization": authorization}, content=b"{"
    )
    contract.check(response)
    assert response.status_code == 401
    assert response.json() == {"code": "Unauthorized", "message": "Access key is missing or not valid"}


async def test_the_key_can_be_another() -> None:
    """A sandbox with a key of its own refuses the usual one."""
    transport = httpx.ASGITransport(create_sandbox(key="mine"))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        assert (await client.get(CONTACTS, headers=_headers())).status_code == 401
        assert (await client.get(CONTACTS, headers={"Authorization": "AccessKey mine"})).status_code == 200


@pytest.mark.parametrize("path", ["/", "/contacts", f"{CONTACTS}/", f"{CONTACTS}/x/y", "/v1/contacts"])
async def test_an_unknown_route_is_404_in_json(bird: httpx.AsyncClient, path: str) -> None:
    """No redirect for a slash too many, no plain text."""
    response = await bird.get(path)
    assert response.status_code == 404
    assert response.json() == {"code": "ResourceNotFound", "message": "Not Found"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", CONTACTS, {"GET", "HEAD", "POST"}),
        ("PUT", SEARCH, {"POST"}),
        ("POST", f"{CONTACTS}/{NOBODY}", {"GET", "HEAD"}),
        ("DELETE", f"{CONTACTS}/{NOBODY}/identifiers", {"GET", "HEAD"}),
    ],
)
async def test_a_wrong_method_is_405_in_json(
    bird: httpx.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    """And says what is allowed."""
    response = await bird.request(method, path)
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == allowed
    assert response.json() == {"code": "MethodNotAllowed", "message": "Method Not Allowed"}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "Unauthorized"),
        (404, "ResourceNotFound"),
        (409, "ResourceAlreadyExists"),
        (421, "MisdirectedRequest"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
    ],
)
async def test_a_magic_display_name_meets_its_status_and_writes_nothing(
    bird: httpx.AsyncClient, contract: Contract, status: int, code: str
) -> None:
    """In Bird's error form; the identifiers stay free."""
    response = await bird.post(CONTACTS, json={**ADA, "displayName": f"sandbox-{status}"})
    contract.check_as(response, "Error")
    assert response.status_code == status
    assert response.json() == {"code": code, "message": "Asked for by a sandbox value in displayName"}
    assert response.headers.get("retry-after") == ("1" if status == 429 else None)
    assert (await _read(bird, contract, CONTACTS))["results"] == []


@pytest.mark.parametrize("fault", ["500-applied", "truncated-applied", "empty-applied", "no-id-applied", "odd-formats"])
async def test_an_applied_fault_can_be_read_back(bird: httpx.AsyncClient, contract: Contract, fault: str) -> None:
    """The contact is there once, whole; writing it again is 409."""
    body = {**ADA, "displayName": f"sandbox-{fault}"}
    spoilt = await bird.post(CONTACTS, json=body)
    again = await bird.post(CONTACTS, json=body)
    contract.check(again)
    assert (spoilt.status_code != 409, again.status_code) == (True, 409)
    found = await bird.post(SEARCH, json={"identifier": EMAIL})
    contract.check(found)
    assert [one["computedDisplayName"] for one in found.json()["results"]] == [body["displayName"]]
    assert found.json()["results"][0]["identifierCount"] == 2


async def test_a_fault_comes_after_authorization_and_validation(bird: httpx.AsyncClient, contract: Contract) -> None:
    """A bad request stays a bad request."""
    bad = await bird.post(CONTACTS, json={"displayName": "sandbox-503", "listIds": []})
    stranger = await bird.post(CONTACTS, json={"displayName": "sandbox-503"}, headers={"Authorization": "no"})
    for response in (bad, stranger):
        contract.check(response)
    assert [bad.status_code, stranger.status_code] == [422, 401]


async def test_reset_and_timeout_are_real_on_a_socket() -> None:
    """The applied kinds are kept, so that the next one is 409."""
    sock = bound_socket("127.0.0.1", 0)
    base_url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    with serving({"bird": create_sandbox()}, {"bird": sock}):
        async with httpx.AsyncClient(base_url=base_url, headers=_headers()) as client:
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                await client.post(CONTACTS, json={**ADA, "displayName": "sandbox-reset"})
            with pytest.raises(httpx.ReadTimeout):
                await client.post(CONTACTS, json={**ADA, "displayName": "sandbox-timeout"}, timeout=0.2)
            assert (await client.get(CONTACTS)).json()["results"] == []
            with pytest.raises(httpx.ReadTimeout):
                await client.post(CONTACTS, json={**ADA, "displayName": "sandbox-timeout-applied"}, timeout=0.2)
            assert (await client.post(CONTACTS, json=ADA)).status_code == 409


async def test_the_demo_world_is_the_same_twice_and_reads_as_documented(contract: Contract) -> None:
    """Sixty contacts, equal to the letter in two sandboxes, each readable on its own."""
    stories = [await _story(contract) for _ in range(2)]
    assert stories[0] == stories[1]
    assert len(stories[0]) == 60


async def _story(contract: Contract) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    async with _client(build_world()) as client:
        (contacts,) = await _walked(client, contract, CONTACTS, limit=100)
        paths = [f"{CONTACTS}/{contact['id']}" for contact in contacts]
        assert [await _read(client, contract, path) for path in paths] == contacts
        lists = [await _read(client, contract, f"{path}/identifiers") for path in paths]
    return list(zip(contacts, lists, strict=True))


async def test_a_demo_contact_is_what_the_world_says(demo: httpx.AsyncClient, contract: Contract) -> None:
    """Whole value of one with four identifiers, of which three are featured."""
    human = build_world().humans[10]
    identifiers = [
        {"key": "emailaddress", "value": "kofi.andersen@kestrel-air.example"},
        {"key": "phonenumber", "value": human.phone},
        {"key": "external_id", "value": "crm-0010"},
        {"key": "visitorid", "value": human.uuid("bird/visitor")},
    ]
    assert await _read(demo, contract, f"{CONTACTS}/{human.uuid('bird/contact')}") == {
        "id": human.uuid("bird/contact"),
        "computedDisplayName": "Kofi Andersen",
        "workspaceId": WORKSPACE_ID,
        "featuredIdentifiers": identifiers[:3],
        "identifierCount": 4,
        "attributes": {
            "displayName": "Kofi Andersen",
            "firstName": "Kofi",
            "lastName": "Andersen",
            "company": "Kestrel Air",
            **{one["key"]: [one["value"]] for one in identifiers},
        },
        "listIds": [],
        "accountIds": [],
        "companyRefs": [],
        "isAnonymous": False,
        "createdAt": "2026-01-20T19:00:00.000Z",
        "updatedAt": "2026-01-20T19:00:00.000Z",
    }


async def test_demo_people_are_known_by_what_the_world_says(demo: httpx.AsyncClient, contract: Contract) -> None:
    """E-mail always, phone only for those of whom Bird has it."""
    for human in build_world().humans:
        mine = [human.uuid("bird/contact")]
        assert await _found(demo, contract, "emailaddress", human.email) == mine
        by_phone = await _found(demo, contract, "phonenumber", human.phone)
        assert by_phone == ([] if human.at_bird is Known.EMAIL else mine)
