"""A small Artu, to try contact methods of clients offline; the vendor's many rules make it longer than most files."""

from __future__ import annotations

import base64
import hashlib
import json
import operator
import re
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cmp_to_key, partial
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.sandbox import faults
from app.sandbox.requests import UnreadableBody, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from starlette.requests import Request

    from app.sandbox.world import Human, World

SANDBOX_KEY = "sandbox-artu-key"
FIRST_CLIENT_ID = "9d2f6c1e-3b7a-4e58-8c40-6a1f0e5b7d23"

_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_SUPPORTED",
    409: "CONFLICT",
    421: "MISDIRECTED_REQUEST",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OPENED = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda found, wanted: found in wanted,
    "nin": lambda found, wanted: found not in wanted,
    "contains": lambda found, wanted: found is not None and wanted in found,
}


def create_sandbox(world: World | None = None, *, key: str = SANDBOX_KEY) -> Starlette:
    """Artu with `world` in its `test` environment; both environments also know the client FIRST_CLIENT_ID."""
    api = _Api(key, {"test": _stocked(world.humans if world else ()), "live": _stocked(())})
    app = Starlette(
        routes=[
            Route("/clients", api.create_client, methods=["POST"]),
            Route("/clients/{clientId}/contact-methods/sync", api.sync, methods=["POST"]),
            Route("/clients/{clientId}/contact-methods/primary/{type}", api.primary, methods=["GET"]),
            Route("/contact-methods/list", api.list_methods, methods=["POST"]),
        ],
        exception_handlers=dict.fromkeys((_Refusal, HTTPException), _failed),
    )
    app.router.redirect_slashes = False
    return app


@dataclass(frozen=True)
class _Api:
    key: str
    stores: Mapping[str, _Store]

    async def sync(self, request: Request) -> Response:
        store, client_id = self._enter(request), _path_uuid(request, "clientId")
        body = _valid(_SyncBody, await _read(request))
        plan = _planned(store, store.known(client_id), body)
        fault = faults.requested(*(item.label for item in body.items))
        return await faults.answer(fault, request, plan.commit, _refuse)

    async def list_methods(self, request: Request) -> Response:
        store = self._enter(request)
        body = _valid(_ListBody, await _read(request) if _has_body(request) else {})
        return JSONResponse(_page(store.methods.values(), body))

    async def primary(self, request: Request) -> Response:
        store, client_id = self._enter(request), _path_uuid(request, "clientId")
        kind = request.path_params["type"]
        if kind not in get_args(_Kind):
            raise _invalid(["type"], "Invalid option")
        methods = store.of_client(store.known(client_id)).values()
        return JSONResponse(next((m.to_json() for m in methods if m.type == kind and m.is_primary), None))

    async def create_client(self, request: Request) -> Response:
        store = self._enter(request)
        body = _valid(_ClientBody, await _read(request)).model_dump(by_alias=True, exclude_unset=True)
        if "externalId" in body and any(c.get("externalId") == body["externalId"] for c in store.clients.values()):
            raise _Refusal(409, "externalId belongs to another client")
        client = _client(str(uuid.uuid4()), datetime.now(UTC), **body)
        store.clients[client["id"]] = client
        return JSONResponse(client)

    def _enter(self, request: Request) -> _Store:
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or presented.strip() != self.key:
            raise _Refusal(401, "API key is missing or invalid")
        environment = request.headers.get("x-environment", "")
        if environment not in self.stores:
            raise _invalid(["x-environment"], "Expected test or live")
        return self.stores[environment]


@dataclass(frozen=True)
class _Method:
    id: str
    client_id: str
    type: str
    value: str
    created_at: datetime
    updated_at: datetime
    verified_at: datetime | None = None
    is_primary: bool = False
    label: str | None = None
    external_id: str | None = None
    metadata: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        optional = {"label": self.label, "externalId": self.external_id, "metadata": self.metadata}
        return {
            "clientId": self.client_id,
            "type": self.type,
            "value": self.value,
            "isVerified": self.verified_at is not None,
            "verifiedAt": self.verified_at and _stamp(self.verified_at),
            "id": self.id,
            "createdAt": _stamp(self.created_at),
            "updatedAt": _stamp(self.updated_at),
            "isPrimary": self.is_primary,
            # Absent, never null: assumed.
            **{name: value for name, value in optional.items() if value is not None},
        }


@dataclass(frozen=True)
class _Store:
    """One environment."""

    clients: dict[str, dict[str, Any]]
    methods: dict[str, _Method]

    def known(self, client_id: str) -> str:
        if client_id not in self.clients:
            raise _Refusal(404, "Client not found")
        return client_id

    def of_client(self, client_id: str) -> dict[str, _Method]:
        return {method.id: method for method in self.methods.values() if method.client_id == client_id}


def _not_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError("null", "Expected a value, received null")
    return value


def _uuid(value: str) -> str:
    if not _UUID.fullmatch(value):
        raise PydanticCustomError("uuid", "Invalid UUID")
    return value.lower()


def _moment(value: object) -> datetime:
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError("moment", "Invalid ISO datetime")


def _day(value: str) -> str:
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise PydanticCustomError("day", "Invalid ISO date")


def _names(value: object) -> object:
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        return value
    raise PydanticCustomError("names", "Expected a string or an array of strings")


def _operators(value: object) -> object:
    """A bare value means equality; the object form is documented at the vendor's alerts, here assumed."""
    return value if isinstance(value, dict) else {"eq": value}


class _Input(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, alias_generator=to_camel)
    _never_null = field_validator("*", mode="before")(_not_null)


class _Exact(_Input):
    """Refuses what it does not know, for a filter that is ignored would find everything (assumed)."""

    model_config = ConfigDict(extra="forbid")


_Value = TypeVar("_Value")
_Uuid = Annotated[str, AfterValidator(_uuid)]
_Moment = Annotated[datetime, BeforeValidator(_moment)]
_Kind = Literal["email", "phone", "mobile", "fax", "other"]
_Text = Annotated[str, Field(min_length=1)]
_SortField = Literal["id", "type", "value", "isPrimary", "label", "externalId", "createdAt", "updatedAt"]


class _SyncItem(_Input):
    id: _Uuid | None = None
    type: _Kind | None = None
    value: _Text | None = None
    is_primary: bool | None = None
    label: str | None = None
    external_id: str | None = None
    metadata: dict[str, Any] | None = None
    delete: bool = Field(default=False, alias="_delete")

    def given(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True, exclude={"id", "delete"})


class _SyncBody(_Input):
    items: list[_SyncItem] = Field(max_length=250)
    replace_mode: bool = False


class _ClientBody(_Input):
    type: Literal["individual", "company", "trust"]
    name: str
    scopes: list[str] | None = None
    nationalities: Annotated[Any, AfterValidator(_names)] = None
    external_id: str | None = None
    metadata: dict[str, Any] | None = None
    birth_date: Annotated[str, AfterValidator(_day)] | None = None
    middle_name: str | None = None
    last_name: str | None = None
    scope_data: dict[str, Any] | None = None


class _Among(_Exact, Generic[_Value]):
    eq: _Value | None = None
    in_: list[_Value] | None = Field(default=None, alias="in")
    nin: list[_Value] | None = None


class _TextOperators(_Among[str]):
    contains: str | None = None


class _MomentOperators(_Exact):
    eq: _Moment | None = None
    gt: _Moment | None = None
    gte: _Moment | None = None
    lt: _Moment | None = None
    lte: _Moment | None = None


class _MetadataFilter(_Exact):
    key: str
    value: str


class _Filter(_Exact):
    id: Annotated[_Among[_Uuid], BeforeValidator(_operators)] | None = None
    client_id: Annotated[_Among[_Uuid], BeforeValidator(_operators)] | None = None
    type: Annotated[_Among[_Kind], BeforeValidator(_operators)] | None = None
    value: Annotated[_TextOperators, BeforeValidator(_operators)] | None = None
    external_id: Annotated[_TextOperators, BeforeValidator(_operators)] | None = None
    is_primary: bool | None = None
    created_at: Annotated[_MomentOperators, BeforeValidator(_operators)] | None = None
    updated_at: Annotated[_MomentOperators, BeforeValidator(_operators)] | None = None
    metadata_filters: list[_MetadataFilter] = []

    def accepted(self, methods: Iterable[_Method]) -> list[_Method]:
        tests = [
            (attribute, _OPERATORS[name], wanted)
            for attribute, operators in self
            if isinstance(operators, _Exact)
            for name, wanted in operators.model_dump(by_alias=True, exclude_unset=True).items()
        ]
        by_columns = [
            m for m in methods if all(test(getattr(m, attribute), wanted) for attribute, test, wanted in tests)
        ]
        return [
            m for m in by_columns if self.is_primary in (None, m.is_primary) and self._has_metadata(m.metadata or {})
        ]

    def _has_metadata(self, metadata: dict[str, Any]) -> bool:
        return all(metadata.get(wanted.key) == wanted.value for wanted in self.metadata_filters)


class _Sort(_Exact):
    """The vendor shows neither name nor values: assumed."""

    field: _SortField
    direction: Literal["asc", "desc"] = "asc"


class _ListBody(_Input):
    filter: _Filter = _Filter()
    sort: list[_Sort] = []
    cursor: str | None = None
    offset: int | None = Field(default=None, ge=0, le=2**53 - 1)
    limit: int = Field(default=20, ge=1, le=200)
    include_total_count: bool = False

    @property
    def order(self) -> list[_Sort]:
        return self.sort or [_Sort(field="createdAt", direction="desc")]


@dataclass(frozen=True)
class _Plan:
    """What one sync will do, worked out in full before anything is written."""

    store: _Store
    client_id: str
    now: datetime
    methods: dict[str, _Method]
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def commit(self) -> Response:
        for method_id in self.store.of_client(self.client_id):
            del self.store.methods[method_id]
        self.store.methods.update(self.methods)
        created, updated = ([self.methods[i].to_json() for i in ids] for ids in (self.created, self.updated))
        return JSONResponse({"created": created, "updated": updated, "deleted": self.deleted})

    def take(self, index: int, item: _SyncItem) -> None:
        found = self._match(item)
        if found and found.id in {*self.created, *self.updated}:
            raise _invalid(["items", index], "Another item names the same contact method")
        if item.delete:
            self._delete(index, item, found)
        elif found:
            self._put(_patched(found, item.given(), self.now), self.updated)
        else:
            self._put(self._new(index, item), self.created)

    def replace_untouched(self) -> None:
        for untouched in [key for key in self.methods if key not in {*self.created, *self.updated}]:
            self.deleted.append(untouched)
            del self.methods[untouched]

    def refuse_conflicts(self) -> None:
        """External IDs are unique within an environment: assumed."""
        others = {m.external_id for m in self.store.methods.values() if m.client_id != self.client_id}
        own = [m.external_id for m in self.methods.values() if m.external_id is not None]
        if len(set(own)) < len(own) or others & set(own):
            raise _Refusal(409, "externalId belongs to another contact method")

    def _match(self, item: _SyncItem) -> _Method | None:
        if item.id in self.methods:
            return self.methods[item.id]
        by_external_id = (m for m in self.methods.values() if m.external_id == item.external_id)
        return None if item.external_id is None else next(by_external_id, None)

    def _delete(self, index: int, item: _SyncItem, found: _Method | None) -> None:
        if item.id is None and item.external_id is None:
            raise _invalid(["items", index], "_delete needs id or externalId")
        if found is None:
            raise _Refusal(404, "Contact method not found")
        self.deleted.append(found.id)
        del self.methods[found.id]

    def _new(self, index: int, item: _SyncItem) -> _Method:
        if item.id is not None:
            raise _Refusal(404, "Contact method not found")
        for name in ("type", "value"):
            if getattr(item, name) is None:
                raise _invalid(["items", index, name], "Required to create a contact method")
        return _Method(str(uuid.uuid4()), self.client_id, created_at=self.now, updated_at=self.now, **item.given())

    def _put(self, method: _Method, done: list[str]) -> None:
        self.methods[method.id] = method
        done.append(method.id)
        rivals = [m for m in self.methods.values() if m.type == method.type and m.is_primary and m is not method]
        for rival in rivals if method.is_primary else []:
            self.methods[rival.id] = replace(rival, is_primary=False, updated_at=self.now)


def _planned(store: _Store, client_id: str, body: _SyncBody) -> _Plan:
    _refuse_twins(body.items)
    plan = _Plan(store, client_id, datetime.now(UTC), store.of_client(client_id))
    for index, item in enumerate(body.items):
        plan.take(index, item)
    if body.replace_mode:
        plan.replace_untouched()
    plan.refuse_conflicts()
    return plan


def _refuse_twins(items: Sequence[_SyncItem]) -> None:
    seen: set[tuple[str, str]] = set()
    for index, item in enumerate(items):
        for name, value in (("id", item.id), ("externalId", item.external_id)):
            if value is not None and (name, value) in seen:
                raise _invalid(["items", index, name], "Given twice in one request")
            seen |= {(name, value)} if value is not None else set()


def _patched(method: _Method, given: dict[str, Any], now: datetime) -> _Method:
    """A new value is not verified yet: assumed."""
    verified_at = method.verified_at if given.get("value", method.value) == method.value else None
    return replace(method, **given, verified_at=verified_at, updated_at=now)


def _page(methods: Iterable[_Method], body: _ListBody) -> dict[str, Any]:
    if body.cursor is not None and body.offset is not None:
        raise _invalid(["offset"], "Give either cursor or offset")
    found = body.filter.accepted(methods)
    rest = _rest(found, body)
    shown, more = rest[: body.limit], len(rest) > body.limit
    cursor = _cursor(_query(body), _position(shown[-1], body.order)) if more else None
    total = {"totalCount": len(found)} if body.include_total_count else {}
    return {"data": [m.to_json() for m in shown], "pagination": {"hasMore": more, "nextCursor": cursor, **total}}


def _rest(found: list[_Method], body: _ListBody) -> list[_Method]:
    """What comes after the cursor's place, be the row that it was made from still there or not."""
    order = partial(_compared, body.order)
    places = sorted(((_position(m, body.order), m) for m in found), key=lambda pair: cmp_to_key(order)(pair[0]))
    if body.cursor is None:
        return [method for _, method in places][body.offset or 0 :]
    start = _decoded(body.cursor, _query(body))
    return [method for place, method in places if order(place, start) > 0]


def _position(method: _Method, sort: Sequence[_Sort]) -> list[list[Any]]:
    shown = method.to_json() | {
        "createdAt": method.created_at.isoformat(timespec="microseconds"),
        "updatedAt": method.updated_at.isoformat(timespec="microseconds"),
    }
    return [[wanted.field in shown, shown.get(wanted.field)] for wanted in sort] + [[True, method.id]]


def _compared(sort: Sequence[_Sort], left: list[list[Any]], right: list[list[Any]]) -> int:
    descending = [*(wanted.direction == "desc" for wanted in sort), False]
    for one, other, is_descending in zip(left, right, descending, strict=True):
        if one != other:
            return 1 if (one < other) == is_descending else -1
    return 0


def _query(body: _ListBody) -> str:
    return _digest(body.model_dump_json(include={"filter", "sort"}))


def _cursor(query: str, position: list[list[Any]]) -> str:
    token = base64.urlsafe_b64encode(json.dumps([query, position]).encode()).decode()
    return f"{token}.{_digest(token)}"


def _decoded(cursor: str, query: str) -> list[list[Any]]:
    token, _, check = cursor.partition(".")
    if check != _digest(token):
        raise _invalid(["cursor"], "Not a cursor of this list")
    made_for, position = json.loads(base64.urlsafe_b64decode(token))
    if made_for != query:
        raise _invalid(["cursor"], "Made for another filter or sort")
    return list(position)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _client(client_id: str, now: datetime, **given: Any) -> dict[str, Any]:  # JSON
    return {**given, "id": client_id, "createdAt": _stamp(now), "updatedAt": _stamp(now), "contactMethods": []}


def _stocked(humans: Iterable[Human]) -> _Store:
    people = {human.uuid("artu/client"): human for human in humans}
    clients = {FIRST_CLIENT_ID: _client(FIRST_CLIENT_ID, _OPENED, type="individual", name="First client")} | {
        key: _client(key, human.at(0), type="individual", name=human.first_name, lastName=human.last_name)
        for key, human in people.items()
    }
    methods = [method for human in people.values() for method in _methods(human)]
    return _Store(clients, {method.id: method for method in methods})


def _methods(human: Human) -> list[_Method]:
    email = replace(_method(human, "email", 1, "Work", human.email), is_primary=True, verified_at=human.at(2))
    mobile = replace(_method(human, "mobile", 3, "Mobile", human.phone), type="mobile", is_primary=True)
    private = f"{human.email.partition('@')[0]}@home.example"
    home = replace(_method(human, "home", 5, "Home", private), external_id=f"crm-{human.number}")
    return [email, mobile, home] if human.number % 3 == 0 else [email, mobile]


def _method(human: Human, what: str, days: float, label: str, value: str) -> _Method:
    key, client_id, now = human.uuid(f"artu/method/{what}"), human.uuid("artu/client"), human.at(days)
    return _Method(key, client_id, "email", value, created_at=now, updated_at=now, label=label)


_Body = TypeVar("_Body", bound=BaseModel)


class _Refusal(Exception):  # an answer, not a fault of ours
    def __init__(self, status: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.data = status, message, data


def _invalid(path: list[str | int], message: str) -> _Refusal:
    return _Refusal(400, "Input validation failed", {"issues": [{"path": path, "message": message}]})


async def _read(request: Request) -> Any:  # JSON enters
    try:
        return await read_json(request)
    except UnreadableBody as unreadable:
        raise _invalid([], str(unreadable)) from None


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _valid(model: type[_Body], body: object) -> _Body:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        issues = [{"path": list(issue["loc"]), "message": issue["msg"]} for issue in found]
        raise _Refusal(400, "Input validation failed", {"issues": issues}) from None


def _path_uuid(request: Request, name: str) -> str:
    value: str = request.path_params[name]
    if not _UUID.fullmatch(value):
        raise _invalid([name], "Invalid UUID")
    return value.lower()


def _refuse(status: int, message: str | None = None, data: dict[str, Any] | None = None) -> Response:
    """Artu documents no error body; this is the form of the framework that its pages look like (assumed)."""
    code = _CODES[status]
    body = {"defined": False, "code": code, "status": status, "message": message or code.replace("_", " ").title()}
    headers = {"Retry-After": "1"} if status == 429 else None
    return JSONResponse(body | ({"data": data} if data else {}), status, headers)


def _failed(_request: Request, error: Exception) -> Response:
    match error:
        case _Refusal():
            return _refuse(error.status, error.message, error.data)
        case HTTPException():
            response = _refuse(error.status_code)
            response.headers.update(error.headers or {})
            return response
    raise error
