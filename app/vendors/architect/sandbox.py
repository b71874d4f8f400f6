"""Architect's API in memory, so that switchboard can be tried and tested without Architect."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.sandbox import faults
from app.sandbox.requests import UnreadableBody, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from app.sandbox.world import Human, World

SANDBOX_KEY = "sandbox-architect-key"

_ID_LETTERS = string.digits + string.ascii_lowercase
_SCHEME_AND_HOST = re.compile(r"(?:[^/]*://)?[^/]*")
_CODES = {  # only VALIDATION_ERROR and the status 429 are documented, the rest is assumed
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    421: "MISDIRECTED_REQUEST",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "SERVICE_UNAVAILABLE",
}


def create_sandbox(world: World | None = None, *, key: str = SANDBOX_KEY) -> Starlette:
    """A new Architect that accepts `key`: empty, or filled with the people of `world`."""
    api = _Api(_stock(world), key)
    routes = [
        Route("/v0/person_logs", api.create_person_log, methods=["POST"]),
        Route("/v0/prospect_logs", api.create_prospect_log, methods=["POST"]),
        Route("/v0/persons/{person_id}/logs/{person_log_id}", api.get_person_log, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refused})
    app.router.redirect_slashes = False
    return app


class _Api:
    def __init__(self, stock: _Stock, key: str) -> None:
        self._stock, self._key = stock, key

    async def create_person_log(self, request: Request) -> Response:
        return await self._create(request, _Family.PERSON, _PersonLogDraft)

    async def create_prospect_log(self, request: Request) -> Response:
        return await self._create(request, _Family.PROSPECT, _ProspectLogDraft)

    async def get_person_log(self, request: Request) -> Response:
        self._authorize(request)
        log = self._stock.logs.get((_Family.PERSON, request.path_params["person_log_id"]))
        if log is None or log.person_id != request.path_params["person_id"]:
            raise _Refusal(404, "Person log not found")
        return JSONResponse(_read(log))

    async def _create(self, request: Request, family: _Family, form: type[_PersonLogDraft]) -> Response:
        self._authorize(request)
        draft = await _draft(request, form)
        original = self._stock.keys.get((family, draft.idempotency_key))
        if original is not None:
            return _created(family, original)  # assumed; before the fault, so that a resend finds what a fault hid
        fault = faults.requested(draft.source)
        return await faults.answer(fault, request, lambda: self._write(family, draft), _faulty)

    def _authorize(self, request: Request) -> None:
        if request.headers.get("x-api-key") != self._key:
            raise _Refusal(401, "API key is missing or unknown")

    def _write(self, family: _Family, draft: _PersonLogDraft) -> Response:
        person_id, is_new = self._person(draft)
        log = _Log(
            id=_random_id("prospectlog"),
            person_id=person_id,
            source=draft.source,
            type=draft.type,
            payload=draft.payload,
            idempotency_key=draft.idempotency_key or None,
            created_at=datetime.now(UTC),
            created_person=is_new,
        )
        self._stock.add_log(family, log)
        return _created(family, log)

    def _person(self, draft: _PersonLogDraft) -> tuple[str, bool]:
        """The record to attach to, and whether it is new; ID, e-mail, phone, LinkedIn in this order (assumed)."""
        if draft.person_id in self._stock.people:
            return draft.person_id, False
        if draft.person_id:
            raise _Refusal(404, "Person not found")
        identifiers = list(_identifiers(draft.email, draft.phone, draft.linkedin_url))
        known = next((self._stock.known[i] for i in identifiers if i in self._stock.known), None)
        return (known, False) if known else (self._stock.add_person(_random_id("prospect"), identifiers), True)


class _Family(Enum):
    """One record is a person and a prospect at once (assumed), while each family keeps its own logs and keys."""

    PERSON = "Person"
    PROSPECT = "Prospect"


class _PersonLogDraft(BaseModel):
    """What POST person_logs takes; an empty string stands for a field not sent, for null is refused."""

    model_config = ConfigDict(strict=True, frozen=True)

    source: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    type: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")] = "webhook"
    payload: dict[str, Any]
    person_id: Annotated[str, Field(min_length=1, alias="personId")] = ""
    email: str = ""
    phone: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{1,14}$", alias="phoneNumber")] = ""
    linkedin_url: Annotated[str, Field(min_length=1, alias="linkedinProfileUrl")] = ""
    idempotency_key: Annotated[str, Field(min_length=1, max_length=255, alias="idempotencyKey")] = ""
    name: Annotated[str, Field(min_length=1, max_length=255)] = ""


class _ProspectLogDraft(_PersonLogDraft):
    """What POST prospect_logs takes: any case in `source` and `type`, but the strict form of ID."""

    source: Annotated[str, Field(min_length=1, max_length=100)]
    type: Annotated[str, Field(min_length=1, max_length=100)] = "webhook"
    person_id: Annotated[str, Field(pattern=r"^prospect_[a-z0-9]{26}$", alias="prospectId")] = ""


class _Identifier(NamedTuple):
    kind: str
    value: str


@dataclass(frozen=True)
class _Log:
    id: str
    person_id: str
    source: str
    type: str
    payload: dict[str, Any]
    idempotency_key: str | None
    created_at: datetime
    created_person: bool


@dataclass(frozen=True)
class _Stock:
    """What the key's tenant holds. Names are not kept: no read shows them, and a match changes nothing."""

    people: set[str] = field(default_factory=set)
    known: dict[_Identifier, str] = field(default_factory=dict)
    logs: dict[tuple[_Family, str], _Log] = field(default_factory=dict)
    keys: dict[tuple[_Family, str], _Log] = field(default_factory=dict)

    def add_person(self, person_id: str, identifiers: list[_Identifier]) -> str:
        self.people.add(person_id)
        self.known.update(dict.fromkeys(identifiers, person_id))
        return person_id

    def add_log(self, family: _Family, log: _Log) -> None:
        self.logs[family, log.id] = log
        if log.idempotency_key:
            self.keys[family, log.idempotency_key] = log


class _Refusal(HTTPException):
    def __init__(self, status: int, message: str, **details: str) -> None:
        super().__init__(status, message)
        self.details = details


async def _draft(request: Request, form: type[_PersonLogDraft]) -> _PersonLogDraft:
    try:
        draft = form.model_validate(_object(await read_json(request)))
    except UnreadableBody as error:
        raise _invalid("body", str(error)) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _invalid(".".join(map(str, first["loc"])), first["msg"]) from None
    if not draft.person_id and not any(_identifiers(draft.email, draft.phone, draft.linkedin_url)):
        raise _invalid("email", "an ID, email, phoneNumber or linkedinProfileUrl is required")  # assumed
    return draft


def _object(body: Any) -> dict[str, Any]:  # JSON enters
    if not isinstance(body, dict):
        raise _invalid("body", "must be an object")
    return body


def _invalid(name: str, reason: str) -> _Refusal:
    return _Refusal(400, "Validation failed", field=name, reason=reason)


def _identifiers(email: str, phone: str, linkedin_url: str) -> Iterator[_Identifier]:
    """The identifiers that are there, as they are compared, in the order in which they are tried."""
    url = linkedin_url.strip().rstrip("/")
    values = {
        "email": email.strip().casefold(),
        "phone": phone,
        "linkedin": _SCHEME_AND_HOST.sub(lambda found: found[0].casefold(), url, count=1),
    }
    return (_Identifier(kind, value) for kind, value in values.items() if value)


def _random_id(prefix: str) -> str:
    return f"{prefix}_{''.join(secrets.choice(_ID_LETTERS) for _ in range(26))}"


def _created(family: _Family, log: _Log) -> Response:
    owner = family.value.lower()
    content = {
        f"{owner}Id": log.person_id,
        f"{owner}LogId": log.id,
        "createdAt": _stamp(log.created_at),
        f"created{family.value}": log.created_person,
        "source": log.source,
        "type": log.type,
    }
    return JSONResponse(content, 201)


def _read(log: _Log) -> dict[str, Any]:
    return {
        "personId": log.person_id,
        "personLogId": log.id,
        "source": log.source,
        "type": log.type,
        "payload": log.payload,
        "idempotencyKey": log.idempotency_key,
        "createdAt": _stamp(log.created_at),
        "updatedAt": None,
        "deletedAt": None,
    }


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _faulty(status: int) -> Response:
    return _error(status, "Asked for by a sandbox value in source", {})


async def _refused(_: Request, error: Exception) -> Response:
    refusal = cast("HTTPException", error)
    details = refusal.details if isinstance(refusal, _Refusal) else {}
    return _error(refusal.status_code, refusal.detail, details, refusal.headers)


def _error(
    status: int, message: str, details: Mapping[str, str | int], headers: Mapping[str, str] | None = None
) -> Response:
    is_throttled = status == 429  # the status says it
    content = {
        "code": _CODES[status],
        "message": message,
        "requestId": _random_id("req"),
        "details": {"retryAfter": 1} if is_throttled else details,
    }
    return JSONResponse(content, status, {"Retry-After": "1"} if is_throttled else headers)


def _stock(world: World | None) -> _Stock:
    stock = _Stock()
    for human in world.humans if world else ():
        _add_human(stock, human)
    return stock


def _add_human(stock: _Stock, human: Human) -> None:
    known_by = human.at_architect.value
    email = human.email if "email" in known_by else ""
    phone = human.phone if "phone" in known_by else ""
    person_id = stock.add_person(
        f"prospect_{human.code('architect')}", list(_identifiers(email, phone, human.linkedin_url))
    )
    for event in _events(human):
        stock.add_log(event.family, _past_log(human, person_id, event))


class _Event(NamedTuple):
    family: _Family
    days: float
    source: str
    type: str
    payload: dict[str, Any]


def _events(human: Human) -> Iterator[_Event]:
    company, number = human.company.name, human.number
    form = {"form": "request-a-demo", "company": company, "seats": 5 + number % 40}
    yield _Event(_Family.PROSPECT, 0, "Website", "Form submission", form)
    visit = {"page": "/pricing", "secondsOnPage": 20 + number * 7 % 100}
    yield _Event(_Family.PERSON, 1, "website", "page-visit", visit)
    stage = {"stage": ("new", "contacted", "qualified")[number % 3], "company": company}
    yield _Event(_Family.PERSON, 3.5, "crm-sync", "stage-change", stage)


def _past_log(human: Human, person_id: str, event: _Event) -> _Log:
    return _Log(
        id=f"prospectlog_{human.code(f'architect/log/{event.type}')}",
        person_id=person_id,
        source=event.source,
        type=event.type,
        payload=event.payload,
        idempotency_key=f"crm-sync:{human.number:04d}" if event.source == "crm-sync" else None,
        created_at=human.at(event.days),
        created_person=event.days == 0,
    )
