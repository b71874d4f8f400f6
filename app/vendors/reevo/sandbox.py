"""A small Reevo, to try activities and their contacts offline; its query language makes it longer than most files."""

from __future__ import annotations

import base64
import hashlib
import json
import operator
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.sandbox import faults
from app.sandbox.requests import UnreadableBody, read_json
from app.sandbox.world import Known, stable_uuid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from starlette.requests import Request

    from app.sandbox.world import Human, World

SANDBOX_KEY = "sandbox-reevo-key"
USER_ID = stable_uuid("reevo/user")

_ORGANIZATION_ID = stable_uuid("reevo/organization")
_ERRORS = {
    401: "UnauthorizedError",
    404: "RecordNotFoundError",
    409: "ConflictError",
    421: "MisdirectedRequestError",
    422: "ValidationError",
    429: "RateLimitError",
    500: "InternalServerError",
    503: "ServiceUnavailableError",
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+[1-9]\d{4,14}", re.ASCII)
_EQUALITY = frozenset({"eq", "ne", "in", "not_in"})
_SEARCH = frozenset({"contains", "starts_with", "ends_with"})
_ORDER = frozenset({"gt", "gte", "lt", "lte", "between"})
_PRESENCE = frozenset({"exists", "not_exists"})


def create_sandbox(world: World | None = None, *, key: str = SANDBOX_KEY) -> Starlette:
    """Reevo with `world` as its one workspace, or empty."""
    api = _Api(key, _stocked(world.humans if world else ()))
    app = Starlette(
        routes=[
            Route("/api/v2/health", api.health, methods=["GET"]),
            Route("/api/v2/activity", api.log_activity, methods=["POST"]),
            Route("/api/v2/activity/_query", api.query_activities, methods=["POST"]),
            Route("/api/v2/contact", api.create_contact, methods=["POST"]),
            Route("/api/v2/contact/_query", api.query_contacts, methods=["POST"]),
            Route("/api/v2/contact/{contact_id}", api.read_contact, methods=["GET"]),
        ],
        exception_handlers=dict.fromkeys((_Refusal, _BadShape, HTTPException), _failed),
    )
    app.router.redirect_slashes = False
    return app


@dataclass(frozen=True)
class _Api:
    key: str
    store: _Store

    async def health(self, _request: Request) -> Response:
        """The vendor's body is unknown, so there is none to rely on."""
        return Response()

    async def log_activity(self, request: Request) -> Response:
        self._authorize(request)
        draft = _valid(_LogBody, await _read(request)).attributes
        for name in draft.model_extra or {}:
            raise _Refusal(422, "unknown_field", f"activity has no attribute {name}")
        if unknown := [key for key in draft.contact_ids if key not in self.store.contacts]:
            raise _Refusal(404, "target_record_not_found", f"contact {unknown[0]} does not exist")
        fault = faults.requested(draft.metadata.subject)
        return await faults.answer(fault, request, lambda: self._log(_logged(draft)), _refuse)

    async def query_activities(self, request: Request) -> Response:
        self._authorize(request)
        scope, after, limit = _timeline(_valid(_TimelineBody, await _read(request)))
        rest = sorted((a for a in self.store.activities if scope.covers(a)), key=_age)
        rest = [activity for activity in rest if after is None or _age(activity) > after]
        cursor = _cursor(scope.to_json(), _age(rest[limit - 1])) if len(rest) > limit else None
        return JSONResponse({"data": [activity.to_json() for activity in rest[:limit]], "next_cursor": cursor})

    async def create_contact(self, request: Request) -> Response:
        self._authorize(request)
        attributes = _attributes(_valid(_WriteBody, await _read(request)).attributes)
        contact = _Contact(str(uuid.uuid4()), datetime.now(UTC), attributes)
        self.store.contacts[contact.id] = contact
        return JSONResponse({"data": contact.to_json()}, 201)

    async def read_contact(self, request: Request) -> Response:
        self._authorize(request)
        contact_id = request.path_params["contact_id"]
        if not _UUID.fullmatch(contact_id):
            raise _BadShape.at(["path", "contact_id"], "uuid_parsing", "Input should be a valid UUID", contact_id)
        if contact_id.lower() not in self.store.contacts:
            raise _Refusal(404, "record_not_found", f"contact {contact_id} does not exist")
        return JSONResponse({"data": self.store.contacts[contact_id.lower()].to_json()})

    async def query_contacts(self, request: Request) -> Response:
        self._authorize(request)
        search, after, limit = _search(_valid(_QueryBody, await _read(request)))
        accepts = _group(all, search["filters"], ["body", "filters"])
        order = _Order.of(search["sort"])
        rest = order.sorted(contact for contact in self.store.contacts.values() if accepts(contact))
        rest = [contact for contact in rest if after is None or order.is_after(order.place(contact), after)]
        cursor = _cursor(search, order.place(rest[limit - 1])) if len(rest) > limit else None
        return JSONResponse({"data": [contact.to_json() for contact in rest[:limit]], "next_cursor": cursor})

    def _log(self, activity: _Activity) -> Response:
        self.store.activities.append(activity)
        return JSONResponse({"data": activity.to_json()}, 201)

    def _authorize(self, request: Request) -> None:
        """Both headers are accepted; both given and different are not (assumed)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        presented = {token.strip() if scheme.lower() == "bearer" else scheme} if scheme else set()
        presented |= {request.headers["x-api-key"]} if "x-api-key" in request.headers else set()
        if presented != {self.key}:
            raise _Refusal(401, None, "Invalid API key")


@dataclass(frozen=True)
class _Activity:
    id: str
    created_at: datetime
    display_name: str | None
    ended_at: datetime | None
    type: str = "MANUAL_ACTIVITY"
    sub_type: str | None = None
    status: str | None = None
    location: str | None = None
    metadata: dict[str, Any] | None = None
    contact_ids: tuple[str, ...] = ()
    account_id: str | None = None
    opportunity_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Without contacts, account, opportunity and description: the vendor takes them and never gives them back."""
        return {
            "id": self.id,
            "created_at": _stamp(self.created_at),
            "updated_at": _stamp(self.created_at),
            "record_type": "activity",
            "attributes": {
                "type": _envelope("enum", self.type),
                "sub_type": _envelope("enum", self.sub_type),
                "status": _envelope("enum", self.status),
                "priority": _envelope("enum", None),
                "display_name": _envelope("string", self.display_name),
                "owner_user_id": _reference("user", USER_ID),
                "ended_at": _envelope("timestamp", self.ended_at and _stamp(self.ended_at)),
                "badge_status": _envelope("string", None),
                "location": _envelope("string", self.location),
            },
            "metadata": self.metadata,
        }


@dataclass(frozen=True)
class _Contact:
    id: str
    created_at: datetime
    attributes: Mapping[str, Any]

    @property
    def display_name(self) -> str | None:
        names = (self.attributes.get(part) for part in ("first_name", "middle_name", "last_name"))
        return " ".join(name for name in names if name) or self.attributes.get("primary_email")

    def to_json(self) -> dict[str, Any]:
        created_at = _stamp(self.created_at)
        return {
            "id": self.id,
            "record_type": "contact",
            "created_at": created_at,
            "updated_at": created_at,
            "attributes": {
                "id": _envelope("uuid", self.id),
                "organization_id": _envelope("uuid", _ORGANIZATION_ID),
                "created_at": _envelope("timestamp", created_at),
                "updated_at": _envelope("timestamp", created_at),
                "display_name": _envelope("string", self.display_name),
                "stage": _stage(self.attributes.get("stage") or "working"),
                "created_by_user_id": _reference("user", USER_ID),
                "participant_user_id_list": [_reference("user", USER_ID)],
                **{name: _envelope(kind, self.attributes.get(name)) for name, kind in _WRITABLE.items() if kind},
                "contact_emails": self._channels("email", "primary_email"),
                "contact_phone_numbers": self._channels("phone_number", "primary_phone_number"),
            },
        }

    def values(self, name: str) -> tuple[Any, ...]:
        """What a filter on `name` compares with; e-mail addresses compare without regard to case."""
        own = {"id": self.id, "created_at": self.created_at, "display_name": self.display_name}
        value = {**self.attributes, **own}.get(_COLUMNS[name].source)
        return () if value is None else (_folded(name, value),)

    def _channels(self, kind: str, primary: str) -> list[dict[str, Any]]:
        if (value := self.attributes.get(primary)) is None:
            return []
        item = {"id": stable_uuid(f"reevo/{self.id}/{kind}"), kind: value, "is_primary": True, "labels": ["WORK"]}
        return [_envelope(f"contact_{kind}", item)]


@dataclass(frozen=True)
class _Store:
    contacts: dict[str, _Contact]
    activities: list[_Activity]


# What a new contact takes, and the value type that it is read back as; a stage is read back in a shape of its own.
# Lists of e-mail addresses and phone numbers have sub-resources for writing, so they are not taken here (assumed).
_WRITABLE: Mapping[str, str] = {
    "first_name": "string",
    "last_name": "string",
    "middle_name": "string",
    "title": "string",
    "department": "string",
    "primary_email": "email",
    "primary_phone_number": "phone_number",
    "sms_consent": "boolean",
    "address": "address",
    "stage": "",
}
_READ_ONLY = frozenset(
    {
        *("id", "organization_id", "created_at", "updated_at", "display_name", "created_by_user_id"),
        *("participant_user_id_list", "contact_emails", "contact_phone_numbers"),
    }
)


@dataclass(frozen=True)
class _Column:
    """A field that contacts can be filtered and sorted by."""

    source: str
    kind: str
    operators: frozenset[str]


_TEXT_OPERATORS = _EQUALITY | _SEARCH | _PRESENCE
_COLUMNS: Mapping[str, _Column] = {
    "id": _Column("id", "uuid", _EQUALITY),
    "created_at": _Column("created_at", "timestamp", _ORDER),
    "updated_at": _Column("created_at", "timestamp", _ORDER),
    "display_name": _Column("display_name", "string", _TEXT_OPERATORS),
    "first_name": _Column("first_name", "string", _TEXT_OPERATORS),
    "last_name": _Column("last_name", "string", _TEXT_OPERATORS),
    "title": _Column("title", "string", _TEXT_OPERATORS),
    "department": _Column("department", "string", _TEXT_OPERATORS),
    "primary_email": _Column("primary_email", "email", _TEXT_OPERATORS),
    "contact_emails": _Column("primary_email", "email", _TEXT_OPERATORS),
    "primary_phone_number": _Column("primary_phone_number", "phone_number", _TEXT_OPERATORS),
    "contact_phone_numbers": _Column("primary_phone_number", "phone_number", _TEXT_OPERATORS),
}
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "contains": operator.contains,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "in": lambda found, wanted: found in wanted,
    "between": lambda found, wanted: wanted[0] <= found <= wanted[1],
    "exists": lambda _found, _wanted: True,
}
_OPPOSITES = {"ne": "eq", "not_in": "in", "not_exists": "exists"}
_Test: TypeAlias = "Callable[[_Contact], bool]"


def _uuid(value: str) -> str:
    if not _UUID.fullmatch(value):
        raise PydanticCustomError("uuid_parsing", "Input should be a valid UUID")
    return value.lower()


def _moment(value: object) -> datetime:
    if (moment := _parsed_moment(value)) is None:
        raise PydanticCustomError("datetime_parsing", "Input should be a valid datetime with a time zone")
    return moment


def _parsed_moment(value: object) -> datetime | None:
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    return None


def _not_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError("null", "Input should not be null")
    return value


_Uuid = Annotated[str, AfterValidator(_uuid)]
_Moment = Annotated[datetime, BeforeValidator(_moment)]


class _Input(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class _Subject(_Input):
    activity_time: _Moment
    subject: Annotated[str, Field(min_length=1)]
    description: str | None = None
    category: Literal["TEXT", "LINKEDIN", "SOCIAL_MEDIA", "EVENT", "CONFERENCE", "WEBINAR", "CALL", "OTHER"] = "OTHER"


class _Draft(_Input):
    model_config = ConfigDict(extra="allow")

    metadata: _Subject
    type: Literal["MANUAL_ACTIVITY"] = "MANUAL_ACTIVITY"
    contact_ids: list[_Uuid] = []
    account_id: _Uuid | None = None
    opportunity_id: _Uuid | None = None
    sequence_id: _Uuid | None = None
    pipeline_select_list_value_id: _Uuid | None = None


class _LogBody(_Input):
    attributes: _Draft


class _WriteBody(_Input):
    attributes: dict[str, Any]


class _Scope(_Input):
    """Which part of the timeline is asked for: all that is given must hold."""

    contact_id: _Uuid | None = None
    account_id: _Uuid | None = None
    opportunity_id: _Uuid | None = None
    created_from: _Moment | None = None
    created_to: _Moment | None = None
    _never_null = field_validator("*", mode="before")(_not_null)

    def covers(self, activity: _Activity) -> bool:
        return (
            (self.contact_id is None or self.contact_id in activity.contact_ids)
            and self.account_id in (None, activity.account_id)
            and self.opportunity_id in (None, activity.opportunity_id)
            and (self.created_from is None or self.created_from <= activity.created_at)
            and (self.created_to is None or activity.created_at < self.created_to)
        )

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_unset=True, include=set(_Scope.model_fields))


class _TimelineBody(_Scope):
    cursor: str | None = None
    limit: int = Field(default=50, ge=1, le=100)


class _Sort(_Input):
    field: str
    direction: Literal["asc", "desc"] = "asc"


class _QueryBody(_Input):
    filters: list[Any] | None = None
    sort: list[_Sort] | None = None
    cursor: str | None = None
    limit: int = Field(default=50, ge=1, le=100)
    _never_null = field_validator("*", mode="before")(_not_null)


@dataclass(frozen=True)
class _Order:
    """How contacts are sorted: by the given fields, then by ID; those without a value come last when ascending."""

    columns: Sequence[tuple[str, bool]]

    @classmethod
    def of(cls, sort: Iterable[Mapping[str, str]]) -> _Order:
        chosen = [(wanted["field"], wanted["direction"] == "desc") for wanted in sort]
        return cls([*(chosen or [("created_at", True)]), ("id", False)])

    def sorted(self, contacts: Iterable[_Contact]) -> list[_Contact]:
        rows = list(contacts)
        for name, is_descending in reversed(self.columns):
            rows.sort(key=partial(_rank, name), reverse=is_descending)
        return rows

    def place(self, contact: _Contact) -> list[list[Any]]:
        return [_rank(name, contact) for name, _ in self.columns]

    def is_after(self, place: list[list[Any]], other: list[list[Any]]) -> bool:
        for (_, is_descending), one, two in zip(self.columns, place, other, strict=True):
            if one != two:
                return (one < two) == is_descending
        return False


def _rank(name: str, contact: _Contact) -> list[Any]:
    values = contact.values(name)
    return [not values, *(v.isoformat(timespec="microseconds") if isinstance(v, datetime) else v for v in values)]


def _age(activity: _Activity) -> list[Any]:
    """Sorts the newest first, then by ID."""
    return [-round((activity.created_at - datetime(2000, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)), activity.id]


def _timeline(body: _TimelineBody) -> tuple[_Scope, list[Any] | None, int]:
    scope = _Scope.model_validate(body.to_json())
    if body.cursor is None:
        if not {"contact_id", "account_id", "opportunity_id"} & scope.model_fields_set:
            raise _Refusal(422, "field_required_missing", "Give contact_id, account_id or opportunity_id")
        return scope, None, body.limit
    made_for, after = _decoded(body.cursor)
    if scope.model_fields_set and scope.to_json() != made_for:
        raise _Refusal(422, "field_value_invalid", "The cursor was made for other filters")
    return _Scope.model_validate(made_for), after, body.limit


def _search(body: _QueryBody) -> tuple[dict[str, Any], list[Any] | None, int]:
    """Filter and sort, the place to go on after, and the limit; a cursor carries the first two itself."""
    given = body.model_dump(include=body.model_fields_set & {"filters", "sort"})
    for wanted in given.get("sort", []):
        _column(wanted["field"])
    if body.cursor is None:
        return {"filters": [], "sort": []} | given, None, body.limit
    made_for, after = _decoded(body.cursor)
    if any(made_for.get(name) != value for name, value in given.items()):
        raise _Refusal(422, "field_value_invalid", "The cursor was made for another filter or sort")
    return made_for, after, body.limit


def _group(combine: Callable[[Iterable[bool]], bool], nodes: object, where: list[str | int]) -> _Test:
    tests = [_test(node, [*where, index]) for index, node in enumerate(_listed(nodes, where))]
    return lambda contact: combine(test(contact) for test in tests)


def _none_of(node: object, where: list[str | int]) -> _Test:
    """`not` takes one condition or a list of them: which one the vendor means is unknown, both are accepted."""
    test = _group(all, node, where) if isinstance(node, list) else _test(node, where)
    return lambda contact: not test(contact)


_GROUPS: Mapping[str, Callable[[object, list[str | int]], _Test]] = {
    "and": partial(_group, all),
    "or": partial(_group, any),
    "not": _none_of,
}


def _test(node: object, where: list[str | int]) -> _Test:
    if not isinstance(node, dict):
        raise _BadShape.at(where, "model_attributes_type", "Input should be a filter condition or group", node)
    groups = node.keys() & _GROUPS.keys()
    if groups and len(node) > 1:
        raise _BadShape.at(where, "extra_forbidden", "Give either one group or one condition", node)
    for group in groups:
        return _GROUPS[group](node[group], [*where, group])
    return _condition(node, where)


def _condition(node: dict[str, Any], where: list[str | int]) -> _Test:
    name, given = (_text(node, member, where) for member in ("field", "operator"))
    if given not in _column(name).operators:
        raise _Refusal(422, "invalid_filter_operator", f"{name} cannot be filtered with {given}")
    positive = _OPPOSITES.get(given, given)
    wanted = _wanted(name, positive, node.get("value"))
    test = _TESTS[positive]
    if positive != given:
        return lambda contact: not any(test(found, wanted) for found in contact.values(name))
    return lambda contact: any(test(found, wanted) for found in contact.values(name))


def _wanted(name: str, positive: str, value: Any) -> object:  # JSON
    match positive, value:
        case "exists", _:
            return None
        case ("in", list()) | ("between", [_, _]):
            return [_comparable(name, item) for item in value]
        case (("in" | "between"), _):
            return _refuse_value(name)
        case _:
            return _comparable(name, value)


def _comparable(name: str, value: object) -> Any:  # as the field's kind has it
    match _COLUMNS[name].kind, value:
        case "timestamp", _ if moment := _parsed_moment(value):
            return moment
        case "uuid", str() if _UUID.fullmatch(value):
            return value.lower()
        case "string" | "email" | "phone_number", str():
            return _folded(name, value)
        case _:
            return _refuse_value(name)


def _folded(name: str, value: Any) -> Any:  # as the field's kind has it
    return value.casefold() if _COLUMNS[name].kind == "email" else value


def _refuse_value(name: str) -> NoReturn:
    raise _Refusal(422, "field_value_invalid", f"The value does not fit {name}")


def _column(name: str) -> _Column:
    if name not in _COLUMNS:
        raise _Refusal(422, "invalid_filter_field", f"contact cannot be filtered or sorted by {name}")
    return _COLUMNS[name]


def _text(node: dict[str, Any], member: str, where: list[str | int]) -> str:
    if member not in node:
        raise _BadShape.at([*where, member], "missing", "Field required", node)
    value = node[member]
    if not isinstance(value, str):
        raise _BadShape.at([*where, member], "string_type", "Input should be a valid string", value)
    return value


def _listed(nodes: object, where: list[str | int]) -> list[Any]:
    if not isinstance(nodes, list):
        raise _BadShape.at(where, "list_type", "Input should be a valid list", nodes)
    return nodes


def _cursor(query: dict[str, Any], place: list[Any]) -> str:
    token = base64.urlsafe_b64encode(json.dumps([query, place]).encode()).decode()
    return f"{token}.{_digest(token)}"


def _decoded(cursor: str) -> tuple[dict[str, Any], list[Any]]:
    token, _, check = cursor.partition(".")
    if check != _digest(token):
        raise _Refusal(422, "field_value_invalid", "This is not a cursor, or not one any more")
    query, place = json.loads(base64.urlsafe_b64decode(token))
    return query, place


def _digest(text: str) -> str:
    return hashlib.sha256(f"reevo/{text}".encode()).hexdigest()[:16]


def _attributes(given: dict[str, Any]) -> dict[str, Any]:
    for name in given:
        if name not in _WRITABLE:
            code = "field_not_creatable" if name in _READ_ONLY else "unknown_field"
            raise _Refusal(422, code, f"contact does not take {name}")
    raw = {name: _unwrapped(value) for name, value in given.items()}
    for name, value in raw.items():
        if value is not None and not _fits(_WRITABLE[name], value):
            _refuse_value(name)
    if not raw.get("last_name") and not raw.get("primary_email"):
        raise _Refusal(422, "field_required_missing", "Give last_name or primary_email")
    return raw


def _unwrapped(value: Any) -> Any:  # JSON
    """A write takes a raw value or the envelope that a read gives."""
    return value["value"] if isinstance(value, dict) and value.keys() == {"value", "value_type"} else value


def _fits(kind: str, value: object) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "address":
        return isinstance(value, dict)
    pattern = {"email": _EMAIL, "phone_number": _PHONE}.get(kind)
    return isinstance(value, str) and (pattern is None or pattern.fullmatch(value) is not None)


def _logged(draft: _Draft) -> _Activity:
    """Which of the given values show up where is assumed: the vendor prints field names only."""
    return _Activity(
        id=str(uuid.uuid4()),
        created_at=datetime.now(UTC),
        display_name=draft.metadata.subject,
        ended_at=draft.metadata.activity_time,
        sub_type=draft.metadata.category,
        contact_ids=tuple(dict.fromkeys(draft.contact_ids)),
        account_id=draft.account_id,
        opportunity_id=draft.opportunity_id,
    )


def _envelope(value_type: str, value: object) -> dict[str, Any]:
    return {"value": value, "value_type": value_type}


def _reference(record_type: str, record_id: str) -> dict[str, Any]:
    return _envelope("record_reference", {"related_record_id": record_id, "related_record_type": record_type})


def _stage(api_name: str) -> dict[str, Any]:
    shown = api_name.replace("_", " ").capitalize()
    stage_id = stable_uuid(f"reevo/stage/{api_name}")
    return _envelope(
        "contact_stage", {"id": stage_id, "display_value": shown, "api_name": api_name, "color": "#4b6bfb"}
    )


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _stocked(humans: Sequence[Human]) -> _Store:
    contacts = [_Contact(human.uuid("reevo/contact"), human.at(0), _known(human)) for human in humans]
    activities = [activity for human in humans for activity in _history(human)]
    return _Store({contact.id: contact for contact in contacts}, activities)


def _known(human: Human) -> dict[str, Any]:
    names = {"first_name": human.first_name, "last_name": human.last_name, "primary_phone_number": human.phone}
    return names if human.at_reevo is Known.PHONE else names | {"primary_email": human.email}


def _history(human: Human) -> list[_Activity]:
    intro = _past(human, "intro", 1, f"Intro call with {human.name}", sub_type="CALL")
    webinar = _past(
        human,
        "webinar",
        8,
        f"{human.first_name} at our webinar on {human.company.name}'s plans",
        sub_type="WEBINAR",
        opportunity_id=human.company.opportunity_id,
    )
    return [intro, webinar, *([_meeting(human)] if human.number % 4 == 0 else []), *_voicemails(human)]


def _meeting(human: Human) -> _Activity:
    start, title = human.at(15), f"Review with {human.company.name}"
    return _past(
        human,
        "meeting",
        15,
        title,
        type="MEETING",
        status="COMPLETED",
        location="Video call",
        metadata={
            "kind": "meeting",
            "title": title,
            "location": "Video call",
            "start_date": _stamp(start),
            "end_date": _stamp(start + timedelta(minutes=30)),
            "status": "COMPLETED",
            "meeting_type": "EXTERNAL",
            "participants": [_host(), _guest(human)],
        },
    )


def _host() -> dict[str, Any]:
    user = {"name": "Robin Seller", "email": "robin@switchboard.example", "user_id": USER_ID, "contact_id": None}
    return {**user, "is_host": True, "rsvp_status": "ACCEPTED"}


def _guest(human: Human) -> dict[str, Any]:
    person = {"name": human.name, "email": human.email, "user_id": None, "contact_id": human.uuid("reevo/contact")}
    return {**person, "is_host": False, "rsvp_status": "ACCEPTED"}


def _voicemails(human: Human) -> list[_Activity]:
    """A kind of metadata that the vendor does not document, for clients have to live with those."""
    if human.number % 12 != 0:
        return []
    metadata = {"kind": "voicemail", "duration_seconds": 42, "transcript": f"{human.first_name} asks to be called back"}
    return [_past(human, "voicemail", 20, f"Voicemail from {human.name}", type="VOICEMAIL", metadata=metadata)]


def _past(human: Human, what: str, days: float, display_name: str, **more: Any) -> _Activity:
    return _Activity(
        id=human.uuid(f"reevo/activity/{what}"),
        created_at=human.at(days),
        display_name=display_name,
        ended_at=human.at(days),
        contact_ids=(human.uuid("reevo/contact"),),
        account_id=human.company.account_id,
        **more,
    )


_Body = TypeVar("_Body", bound=BaseModel)


class _Refusal(Exception):  # an answer, not a fault of ours
    """A fault of the domain."""

    def __init__(self, status: int, code: str | None, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class _BadShape(Exception):  # an answer, not a fault of ours
    """A request that is not of the documented shape."""

    def __init__(self, detail: list[dict[str, Any]]) -> None:
        super().__init__("bad shape")
        self.detail = detail

    @classmethod
    def at(cls, loc: list[str | int], kind: str, message: str, value: object) -> _BadShape:
        return cls([{"type": kind, "loc": loc, "msg": message, "input": value}])


async def _read(request: Request) -> Any:  # JSON enters
    try:
        return await read_json(request)
    except UnreadableBody as unreadable:
        raise _BadShape.at(["body"], "json_invalid", f"JSON decode error: {unreadable}", {}) from None


def _valid(model: type[_Body], body: object) -> _Body:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise _BadShape([{**issue, "loc": ["body", *issue["loc"]]} for issue in found]) from None


def _refuse(status: int, code: str | None = None, message: str | None = None) -> Response:
    """The four-field form is the one seen on v1; the place of the code is assumed."""
    code = code or ("record_not_found" if status == 404 else None)
    body = {
        "error_response_type": "GENERIC",
        "error": _ERRORS[status],
        "message": message or _ERRORS[status],
        "details": code and {"code": code},
    }
    return JSONResponse(body, status, {"Retry-After": "1"} if status == 429 else None)


def _failed(_request: Request, error: Exception) -> Response:
    match error:
        case _Refusal():
            return _refuse(error.status, error.code, error.message)
        case _BadShape():
            return JSONResponse({"detail": error.detail}, 422)
        case HTTPException():
            return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
    raise error
