"""The Architect sandbox keeps to Architect's contract, on good days and on bad."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.sandbox.server import serving
from app.sandbox.world import Known, build_world
from app.sockets import bound_socket
from app.vendors.architect.sandbox import SANDBOX_KEY, create_sandbox
from tests.sandboxes.contract import Contract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PERSONS = "/v0/person_logs"
PROSPECTS = "/v0/prospect_logs"
ANYONE = f"prospect_{'0' * 26}"
LOG = {"source": "crm-sync", "payload": {"stage": "qualified"}, "email": "ada@example.com"}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract("architect")


@pytest.fixture
async def architect() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an empty sandbox."""
    async with _client(httpx.ASGITransport(create_sandbox())) as client:
        yield client


def _client(transport: httpx.AsyncBaseTransport | None = None, base_url: str = "http://sandbox") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=transport, base_url=base_url, headers={"x-api-key": SANDBOX_KEY})


def _error(response: httpx.Response) -> dict[str, Any]:
    """The envelope without its random request ID, which is checked here."""
    body: dict[str, Any] = response.json()
    assert re.fullmatch(r"req_[a-z0-9]{26}", body.pop("requestId"))
    return body


async def _created(client: httpx.AsyncClient, contract: Contract, path: str, **body: object) -> dict[str, Any]:
    response = await client.post(path, json=body)
    assert response.status_code == 201, response.text
    contract.check(response)
    created: dict[str, Any] = response.json()
    return created


async def test_a_log_for_somebody_new_creates_the_person(architect: httpx.AsyncClient, contract: Contract) -> None:
    """201 with exactly the six documented fields, in the documented forms."""
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    created = await _created(architect, contract, PERSONS, **LOG, type="contact-update", name="Ada Example")
    assert re.fullmatch(r"prospect_[a-z0-9]{26}", created.pop("personId"))
    assert re.fullmatch(r"prospectlog_[a-z0-9]{26}", created.pop("personLogId"))
    moment = created.pop("createdAt")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", moment)
    assert before <= datetime.fromisoformat(moment) <= datetime.now(UTC)
    assert created == {"createdPerson": True, "source": "crm-sync", "type": "contact-update"}


async def test_the_type_is_webhook_when_it_is_left_out(architect: httpx.AsyncClient, contract: Contract) -> None:
    """Both families have the default."""
    assert (await _created(architect, contract, PERSONS, **LOG))["type"] == "webhook"
    assert (await _created(architect, contract, PROSPECTS, **LOG))["type"] == "webhook"


@pytest.mark.parametrize(
    ("known", "sent"),
    [
        ({"email": "ada@example.com"}, {"email": "  ADA@Example.com "}),
        ({"phoneNumber": "+31612345678"}, {"phoneNumber": "+31612345678"}),
        (
            {"linkedinProfileUrl": "https://www.linkedin.com/in/Ada"},
            {"linkedinProfileUrl": " HTTPS://WWW.LinkedIn.com/in/Ada/ "},
        ),
        ({"linkedinProfileUrl": "linkedin.com/in/ada"}, {"linkedinProfileUrl": "LinkedIn.com/in/ada"}),
    ],
)
async def test_a_known_identifier_finds_the_person(
    architect: httpx.AsyncClient, contract: Contract, known: dict[str, str], sent: dict[str, str]
) -> None:
    """E-mail in any case, phone to the letter, LinkedIn but for case of host and last slash; in both families."""
    first = await _created(architect, contract, PERSONS, source="a", payload={}, **known)
    again = await _created(architect, contract, PERSONS, source="a", payload={}, **sent)
    older = await _created(architect, contract, PROSPECTS, source="A b", payload={}, **sent)
    assert [again["personId"], older["prospectId"]] == [first["personId"]] * 2
    assert [again["createdPerson"], older["createdProspect"]] == [False, False]
    assert len({first["personLogId"], again["personLogId"], older["prospectLogId"]}) == 3


async def test_the_path_of_a_linkedin_url_keeps_its_case(architect: httpx.AsyncClient, contract: Contract) -> None:
    """Only scheme and host are case-insensitive."""
    await _created(architect, contract, PERSONS, source="a", payload={}, linkedinProfileUrl="https://li.com/in/Ada")
    other = await _created(
        architect, contract, PERSONS, source="a", payload={}, linkedinProfileUrl="https://li.com/in/ada"
    )
    assert other["createdPerson"] is True


async def test_email_wins_over_phone_and_a_match_adds_nothing(architect: httpx.AsyncClient, contract: Contract) -> None:
    """With two identifiers of two people the e-mail's owner gets the log, and the phone stays with its owner."""
    ada = await _created(architect, contract, PERSONS, source="a", payload={}, email="ada@example.com")
    bob = await _created(architect, contract, PERSONS, source="a", payload={}, phoneNumber="+31612345678")
    both = {"email": "ada@example.com", "phoneNumber": "+31612345678", "linkedinProfileUrl": "https://li.com/in/ada"}
    assert (await _created(architect, contract, PERSONS, source="a", payload={}, **both))["personId"] == ada["personId"]
    by_phone = await _created(architect, contract, PERSONS, source="a", payload={}, phoneNumber="+31612345678")
    assert by_phone["personId"] == bob["personId"]
    by_url = {"linkedinProfileUrl": "https://li.com/in/ada"}
    assert (await _created(architect, contract, PERSONS, source="a", payload={}, **by_url))["createdPerson"] is True


async def test_an_id_beats_every_identifier(architect: httpx.AsyncClient, contract: Contract) -> None:
    """The log goes to the record with the ID, in both spellings."""
    ada = (await _created(architect, contract, PERSONS, **LOG))["personId"]
    other = {"source": "a", "payload": {}, "email": "bob@example.com"}
    assert (await _created(architect, contract, PERSONS, **other, personId=ada))["personId"] == ada
    assert (await _created(architect, contract, PROSPECTS, **other, prospectId=ada))["prospectId"] == ada
    assert (await _created(architect, contract, PERSONS, **other))["createdPerson"] is True


@pytest.mark.parametrize(("path", "name"), [(PERSONS, "personId"), (PROSPECTS, "prospectId")])
async def test_an_unknown_id_is_404_and_creates_nobody(
    architect: httpx.AsyncClient, contract: Contract, path: str, name: str
) -> None:
    """Even with an identifier beside it, and a key that may be used again."""
    body = {**LOG, "idempotencyKey": "k"}
    response = await architect.post(path, json={**body, name: ANYONE})
    contract.check(response)
    assert response.status_code == 404
    assert _error(response) == {"code": "NOT_FOUND", "message": "Person not found", "details": {}}
    created = await _created(architect, contract, path, **body)
    assert created[f"created{name[:-2].capitalize()}"] is True


async def test_a_foreign_prefix_is_404_for_persons_and_400_for_prospects(
    architect: httpx.AsyncClient, contract: Contract
) -> None:
    """Only the older spelling documents a pattern that its newest page still has."""
    persons = await architect.post(PERSONS, json={**LOG, "personId": "account_1"})
    prospects = await architect.post(PROSPECTS, json={**LOG, "prospectId": "account_1"})
    for response in (persons, prospects):
        contract.check(response)
    assert [persons.status_code, prospects.status_code] == [404, 400]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"source": ...}, "source"),
        ({"source": ""}, "source"),
        ({"source": "x" * 101}, "source"),
        ({"source": 7}, "source"),
        ({"source": None}, "source"),
        ({"type": None}, "type"),
        ({"type": ""}, "type"),
        ({"type": ["x"]}, "type"),
        ({"payload": ...}, "payload"),
        ({"payload": []}, "payload"),
        ({"payload": "{}"}, "payload"),
        ({"email": 1}, "email"),
        ({"email": None}, "email"),
        ({"email": ...}, "email"),
        ({"email": " "}, "email"),
        ({"phoneNumber": "0612345678"}, "phoneNumber"),
        ({"phoneNumber": "+31612345678\n"}, "phoneNumber"),
        ({"phoneNumber": "+3161234567890123"}, "phoneNumber"),
        ({"phoneNumber": "+٣١٦١٢٣٤٥٦٧٨"}, "phoneNumber"),
        ({"linkedinProfileUrl": ""}, "linkedinProfileUrl"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
        ({"idempotencyKey": "k" * 256}, "idempotencyKey"),
        ({"name": ""}, "name"),
        ({"name": "n" * 256}, "name"),
    ],
)
@pytest.mark.parametrize("path", [PERSONS, PROSPECTS])
async def test_a_bad_field_is_refused_by_name(
    architect: httpx.AsyncClient, contract: Contract, path: str, change: dict[str, Any], name: str
) -> None:
    """400 VALIDATION_ERROR whose details name the field (`...` stands for leaving it out)."""
    body = {key: value for key, value in {**LOG, **change}.items() if value is not ...}
    response = await architect.post(path, json=body)
    contract.check(response)
    assert response.status_code == 400
    error = _error(response)
    assert error["details"].pop("reason")
    assert error == {"code": "VALIDATION_ERROR", "message": "Validation failed", "details": {"field": name}}


@pytest.mark.parametrize("field", ["source", "type"])
@pytest.mark.parametrize("value", ["Crm sync", "crm_sync", "-crm", "crm--sync", "crm-sync\n"])
async def test_kebab_case_is_asked_of_person_logs_only(
    architect: httpx.AsyncClient, contract: Contract, field: str, value: str
) -> None:
    """The older spelling takes any text, and gives it back as it came."""
    refused = await architect.post(PERSONS, json={**LOG, field: value})
    contract.check(refused)
    assert (refused.status_code, _error(refused)["details"]["field"]) == (400, field)
    assert (await _created(architect, contract, PROSPECTS, **{**LOG, field: value}))[field] == value


async def test_bounds_are_inclusive_and_unknown_fields_are_ignored(
    architect: httpx.AsyncClient, contract: Contract
) -> None:
    """The longest of everything is accepted."""
    longest = {"source": "s" * 100, "type": "t" * 100, "idempotencyKey": "k" * 255, "name": "é" * 255}
    created = await _created(architect, contract, PERSONS, **{**LOG, **longest, "phoneNumber": "+1" + "2" * 14, "x": 1})
    assert (created["source"], created["type"]) == (longest["source"], longest["type"])


UNREADABLE = [
    b"",
    b"{",
    b"\xff{}",
    b"\xef\xbb\xbf{}",
    '{"source":"a"}'.encode("utf-16"),
    b'{"payload":{"a":NaN}}',
    b'{"payload":{"a":-Infinity}}',
    b'{"payload":{"a":1e999}}',
    b'{"payload":{"a":' + b"9" * 5000 + b"}}",
    b'{"payload":{"a":"\\ud800"}}',
    b'{"payload":{"\\udfff":1}}',
    b"[" * 201 + b"]" * 201,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'"' + b"a" * (10 * 1024 * 1024) + b'"',
]
NOT_OBJECTS = [b"[]", b"null", b'"text"', b"1", b"true", b"[{}]"]


@pytest.mark.parametrize("path", [PERSONS, PROSPECTS])
@pytest.mark.parametrize("body", [*UNREADABLE, *NOT_OBJECTS], ids=lambda body: repr(body[:20]))
async def test_a_body_that_is_no_json_object_is_400(
    architect: httpx.AsyncClient, contract: Contract, path: str, body: bytes
) -> None:
    """Broken, too large, too deep, not finite, not UTF-8, lone surrogates: all are the caller's mistake."""
    response = await architect.post(path, content=body)
    contract.check(response)
    assert response.status_code == 400
    error = _error(response)
    assert (error["code"], error["details"]["field"]) == ("VALIDATION_ERROR", "body")


async def test_a_payload_may_be_deep_and_comes_back_as_it_was(architect: httpx.AsyncClient, contract: Contract) -> None:
    """Nesting of 200, every JSON type, big numbers and any letters survive."""
    deep = json.loads("[" * 198 + "]" * 198)
    payload = {"deep": deep, "n": None, "b": True, "i": 2**80, "f": 0.1, "é": "😀\x00"}
    created = await _created(architect, contract, PERSONS, **{**LOG, "payload": payload})
    log = await architect.get(f"/v0/persons/{created['personId']}/logs/{created['personLogId']}")
    contract.check(log)
    assert log.json()["payload"] == payload


@pytest.mark.parametrize("key", [None, "k:1"])
async def test_a_log_reads_back_as_it_was_written(
    architect: httpx.AsyncClient, contract: Contract, key: str | None
) -> None:
    """All nine fields, the idempotency key as it was sent or null."""
    sent = {**LOG, "type": "contact-update"} | ({"idempotencyKey": key} if key else {})
    created = await _created(architect, contract, PERSONS, **sent)
    response = await architect.get(f"/v0/persons/{created['personId']}/logs/{created['personLogId']}")
    contract.check(response)
    assert response.json() == {
        "personId": created["personId"],
        "personLogId": created["personLogId"],
        "source": "crm-sync",
        "type": "contact-update",
        "payload": {"stage": "qualified"},
        "idempotencyKey": key,
        "createdAt": created["createdAt"],
        "updatedAt": None,
        "deletedAt": None,
    }


async def test_a_log_of_somebody_else_or_of_the_other_family_is_404(
    architect: httpx.AsyncClient, contract: Contract
) -> None:
    """Both IDs must fit, and a prospect log is no person log."""
    ada = await _created(architect, contract, PERSONS, **LOG)
    bob = await _created(architect, contract, PERSONS, **{**LOG, "email": "bob@example.com"})
    old = await _created(architect, contract, PROSPECTS, **LOG)
    for person, log in (
        (ada["personId"], bob["personLogId"]),
        (ada["personId"], old["prospectLogId"]),
        (ANYONE, ada["personLogId"]),
        (ada["personId"], "%00%ff"),
    ):
        response = await architect.get(f"/v0/persons/{person}/logs/{log}")
        contract.check(response)
        assert response.status_code == 404
        assert _error(response) == {"code": "NOT_FOUND", "message": "Person log not found", "details": {}}


@pytest.mark.parametrize("path", [PERSONS, PROSPECTS])
async def test_a_replay_returns_the_first_answer_and_writes_nothing(
    architect: httpx.AsyncClient, contract: Contract, path: str
) -> None:
    """Byte for byte, `createdPerson: true` included, even when the body is another."""
    first = await architect.post(path, json={**LOG, "idempotencyKey": "k"})
    again = await architect.post(path, json={**LOG, "idempotencyKey": "k"})
    other = await architect.post(
        path, json={"source": "other", "payload": {}, "email": "new@example.com", "idempotencyKey": "k"}
    )
    for response in (first, again, other):
        contract.check(response)
        assert (response.status_code, response.content) == (201, first.content)
    newcomer = await _created(architect, contract, PERSONS, **{**LOG, "email": "new@example.com"})
    assert newcomer["createdPerson"] is True


async def test_each_family_has_its_own_keys(architect: httpx.AsyncClient, contract: Contract) -> None:
    """The same key on both paths makes two logs of one person; without a key every write counts."""
    person = await _created(architect, contract, PERSONS, **LOG, idempotencyKey="k")
    prospect = await _created(architect, contract, PROSPECTS, **LOG, idempotencyKey="k")
    assert prospect["prospectId"] == person["personId"]
    assert prospect["prospectLogId"] != person["personLogId"]
    assert prospect["createdProspect"] is False
    keyless = [await _created(architect, contract, PERSONS, **LOG) for _ in range(2)]
    assert keyless[0]["personLogId"] != keyless[1]["personLogId"]


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "wrong"}, {"x-api-key": ""}, {"authorization": SANDBOX_KEY}])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", PERSONS), ("POST", PROSPECTS), ("GET", f"/v0/persons/{ANYONE}/logs/x")]
)
async def test_without_the_key_everything_is_401(
    contract: Contract, method: str, path: str, headers: dict[str, str]
) -> None:
    """Before the body is looked at."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_sandbox()), base_url="http://sandbox") as client:
        response = await client.request(method, path, headers=headers, content=b"{")
    contract.check(response)
    assert response.status_code == 401
    assert _error(response) == {"code": "UNAUTHORIZED", "message": "API key is missing or unknown", "details": {}}


async def test_the_key_can_be_another() -> None:
    """A sandbox with a key of its own refuses the usual one."""
    async with _client(httpx.ASGITransport(create_sandbox(key="mine"))) as client:
        assert (await client.post(PERSONS, json=LOG)).status_code == 401
        assert (await client.post(PERSONS, json=LOG, headers={"x-api-key": "mine"})).status_code == 201


@pytest.mark.parametrize("path", ["/", "/v0/persons", "/v0/person_logs/", "/V0/person_logs", f"/v0/persons/{ANYONE}"])
async def test_an_unknown_route_is_404_in_the_envelope(architect: httpx.AsyncClient, path: str) -> None:
    """No redirect for a slash too many, no plain text."""
    response = await architect.get(path)
    assert response.status_code == 404
    assert _error(response) == {"code": "NOT_FOUND", "message": "Not Found", "details": {}}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PERSONS), ("DELETE", PROSPECTS), ("POST", "/v0/persons/a/logs/b")]
)
async def test_a_wrong_method_is_405_in_the_envelope(architect: httpx.AsyncClient, method: str, path: str) -> None:
    """And says what is allowed."""
    response = await architect.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"]
    assert _error(response) == {"code": "METHOD_NOT_ALLOWED", "message": "Method Not Allowed", "details": {}}


@pytest.mark.parametrize(
    ("status", "code", "details"),
    [
        (401, "UNAUTHORIZED", {}),
        (404, "NOT_FOUND", {}),
        (409, "CONFLICT", {}),
        (421, "MISDIRECTED_REQUEST", {}),
        (429, "RATE_LIMIT_EXCEEDED", {"retryAfter": 1}),
        (500, "INTERNAL_ERROR", {}),
        (503, "SERVICE_UNAVAILABLE", {}),
    ],
)
async def test_a_magic_source_meets_its_status_and_writes_nothing(
    architect: httpx.AsyncClient, contract: Contract, status: int, code: str, details: dict[str, int]
) -> None:
    """In Architect's envelope; the key stays free, the person unknown."""
    response = await architect.post(PERSONS, json={**LOG, "source": f"sandbox-{status}", "idempotencyKey": "k"})
    contract.check_as(response, "Error")
    assert response.status_code == status
    message = "Asked for by a sandbox value in source"
    assert _error(response) == {"code": code, "message": message, "details": details}
    assert response.headers.get("retry-after") == ("1" if status == 429 else None)
    assert (await _created(architect, contract, PERSONS, **LOG, idempotencyKey="k"))["createdPerson"] is True


@pytest.mark.parametrize("path", [PERSONS, PROSPECTS])
@pytest.mark.parametrize("fault", ["500-applied", "truncated-applied", "empty-applied", "no-id-applied", "odd-formats"])
async def test_resending_with_the_key_finds_what_a_fault_hid(
    architect: httpx.AsyncClient, contract: Contract, path: str, fault: str
) -> None:
    """The first answer is spoilt, the write is kept, the second answer is the documented one."""
    body = {**LOG, "source": f"sandbox-{fault}", "idempotencyKey": "k"}
    first = await architect.post(path, json=body)
    second = await architect.post(path, json=body)
    contract.check(second)
    assert second.status_code == 201
    assert second.content != first.content
    owner = "Person" if path == PERSONS else "Prospect"
    assert second.json()[f"created{owner}"] is True
    assert (await _created(architect, contract, path, **LOG))[f"created{owner}"] is False


async def test_a_fault_comes_after_authorization_and_validation(
    architect: httpx.AsyncClient, contract: Contract
) -> None:
    """A bad request stays a bad request."""
    bad = await architect.post(PERSONS, json={"source": "sandbox-503", "payload": {}})
    stranger = await architect.post(PERSONS, json={**LOG, "source": "sandbox-503"}, headers={"x-api-key": "no"})
    missing = await architect.post(PERSONS, json={**LOG, "source": "sandbox-500-applied", "personId": ANYONE})
    for response in (bad, stranger, missing):
        contract.check(response)
    assert [bad.status_code, stranger.status_code, missing.status_code] == [400, 401, 404]


async def test_reset_and_timeout_are_real_on_a_socket() -> None:
    """The applied kinds are kept, and a resend with the key gets the answer."""
    sock = bound_socket("127.0.0.1", 0)
    base_url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    with serving({"architect": create_sandbox()}, {"architect": sock}):
        async with _client(base_url=base_url) as client:
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                await client.post(PERSONS, json={**LOG, "source": "sandbox-reset"})
            with pytest.raises(httpx.ReadTimeout):
                await client.post(PERSONS, json={**LOG, "source": "sandbox-timeout"}, timeout=0.2)
            assert (await client.post(PERSONS, json=LOG)).json()["createdPerson"] is True
            applied = {**LOG, "email": "new@example.com", "source": "sandbox-reset-applied", "idempotencyKey": "k"}
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                await client.post(PERSONS, json=applied)
            assert (await client.post(PERSONS, json=applied)).json()["createdPerson"] is True


async def test_the_demo_world_is_the_same_twice_and_reads_as_documented(contract: Contract) -> None:
    """Sixty people with two person logs each; equal bytes from two sandboxes."""
    stories = [await _story(contract) for _ in range(2)]
    assert stories[0] == stories[1]
    assert len(stories[0]) == len(set(stories[0])) == 120


async def _story(contract: Contract) -> list[bytes]:
    responses = []
    async with _client(httpx.ASGITransport(create_sandbox(build_world()))) as client:
        for human in build_world().humans:
            for type_ in ("page-visit", "stage-change"):
                log_id = f"prospectlog_{human.code(f'architect/log/{type_}')}"
                response = await client.get(f"/v0/persons/prospect_{human.code('architect')}/logs/{log_id}")
                assert response.status_code == 200, human
                contract.check(response)
                responses.append(response.content)
    return responses


async def test_a_demo_log_is_what_the_world_says(contract: Contract) -> None:
    """Whole value of one log of the first human."""
    human = build_world().humans[0]
    log_id = f"prospectlog_{human.code('architect/log/stage-change')}"
    async with _client(httpx.ASGITransport(create_sandbox(build_world()))) as client:
        response = await client.get(f"/v0/persons/prospect_{human.code('architect')}/logs/{log_id}")
    contract.check(response)
    assert response.json() == {
        "personId": f"prospect_{human.code('architect')}",
        "personLogId": log_id,
        "source": "crm-sync",
        "type": "stage-change",
        "payload": {"stage": "new", "company": "Aurora Freight"},
        "idempotencyKey": "crm-sync:0000",
        "createdAt": "2026-01-08T21:00:00.000Z",
        "updatedAt": None,
        "deletedAt": None,
    }


async def test_demo_people_are_known_by_what_the_world_says(contract: Contract) -> None:
    """Phone and LinkedIn always, e-mail only for those of whom Architect has it."""
    async with _client(httpx.ASGITransport(create_sandbox(build_world()))) as client:
        for human in build_world().humans:
            person_id = f"prospect_{human.code('architect')}"
            for identifier in ({"phoneNumber": human.phone}, {"linkedinProfileUrl": human.linkedin_url}):
                created = await _created(client, contract, PERSONS, source="a", payload={}, **identifier)
                assert (created["personId"], created["createdPerson"]) == (person_id, False)
            by_email = await _created(client, contract, PERSONS, source="a", payload={}, email=human.email)
            assert by_email["createdPerson"] is (human.at_architect is Known.PHONE)


async def test_the_contract_itself_refuses_what_is_not_documented(contract: Contract) -> None:
    """Path, method, status, shape: each on its own is enough, so that the checks above can fail."""
    for method, path, status, body in (
        ("GET", "/v0/nowhere", 200, {}),
        ("PUT", PERSONS, 201, {}),
        ("POST", PERSONS, 202, {}),
        ("POST", PERSONS, 201, {"personId": "prospect_1"}),
        ("POST", PERSONS, 400, {"code": 1, "message": "no"}),
    ):
        response = httpx.Response(status, json=body, request=httpx.Request(method, f"http://sandbox{path}"))
        with pytest.raises(AssertionError):
            contract.check(response)
