"""Bird's contacts in memory, so that switchboard can be tried and tested without Bird."""

from __future__ import annotations

import base64
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.sandbox import faults
from app.sandbox.requests import UnreadableBody, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from app.sandbox.world import Human, World

SANDBOX_KEY = "sandbox-bird-key"
WORKSPACE_ID = "6f0d2c1e-8a47-4b5e-9c3d-2e7b1a90f4d8"

_ATTRIBUTE_KEY = r"^[A-Za-z0-9_-]{1,64}$"
_EMAIL_KEYS = frozenset({"emailaddress", "secondaryEmailAddress"})
_FEATURED = 3
_CODES = {  # InvalidPayload and ResourceAlreadyExists were seen by clients of the vendor, the rest is assumed
    400: "BadRequest",
    401: "Unauthorized",
    404: "ResourceNotFound",
    405: "MethodNotAllowed",
    409: "ResourceAlreadyExists",
    421: "MisdirectedRequest",
    422: "InvalidPayload",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
}


def create_sandbox(world: World | None = None, *, key: str = SANDBOX_KEY) -> Starlette:
    """A new Bird with one workspace (WORKSPACE_ID) that accepts `key`: empty, or filled with the people of `world`."""
    api = _Api(_workspace(world), key)
    contacts = "/workspaces/{workspace_id}/contacts"
    routes = [
        Route(contacts, api.contacts, methods=["GET", "POST"]),
        Route(f"{contacts}/search", api.search_contacts, methods=["POST"]),
        Route(f"{contacts}/{{contact_id}}", api.get_contact, methods=["GET"]),
        Route(f"{contacts}/{{contact_id}}/identifiers", api.list_identifiers, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refused})
    app.router.redirect_slashes = False
    return app


class _Api:
    def __init__(self, workspace: _Workspace, key: str) -> None:
        self._workspace, self._key = workspace, key

    async def contacts(self, request: Request) -> Response:
        self._authorize(request)
        return await (self._create_contact if request.method == "POST" else self._list_contacts)(request)

    async def search_contacts(self, request: Request) -> Response:
        self._authorize(request)
        found = self._workspace.search(await _body(request, _Search))
        return JSONResponse({"results": [_contact(contact) for contact in found]})

    async def get_contact(self, request: Request) -> Response:
        self._authorize(request)
        contact = self._found(request)
        return JSONResponse(_contact(contact, _extra_attributes(request)))

    async def list_identifiers(self, request: Request) -> Response:
        self._authorize(request)
        contact = self._found(request)
        identifiers, token = _page(contact.identifiers, contact.id, _paging(request))
        return JSONResponse({"results": [_identifier(contact, one) for one in identifiers], "nextPageToken": token})

    def _authorize(self, request: Request) -> None:
        if request.headers.get("authorization") != f"AccessKey {self._key}":
            raise _Refusal(401, "Access key is missing or not valid")
        if request.path_params["workspace_id"] != WORKSPACE_ID:
            raise _Refusal(404, "No such workspace")

    async def _create_contact(self, request: Request) -> Response:
        draft = await _body(request, _ContactDraft)
        fault = faults.requested(draft.display_name)
        return await faults.answer(fault, request, lambda: self._create(draft), _faulty)

    def _create(self, draft: _ContactDraft) -> Response:
        if any(_compared(one) in self._workspace.taken for one in draft.identifiers):
            raise _Refusal(409, "Identifier belongs to another contact")
        contact = _Contact(
            id=str(uuid.uuid4()),
            own_attributes={**draft.attributes, "displayName": draft.display_name},
            identifiers=tuple({_compared(one): one for one in draft.identifiers}.values()),
            list_ids=draft.list_ids,
            account_ids=draft.account_ids,
            company_refs=draft.company_refs,
            created_at=datetime.now(UTC),
        )
        self._workspace.add(contact)
        return JSONResponse(_contact(contact), 201)

    async def _list_contacts(self, request: Request) -> Response:
        contacts, token = _page(self._workspace.contacts, "contacts", _paging(request))
        return JSONResponse({"results": [_contact(contact) for contact in contacts], "nextPageToken": token})

    def _found(self, request: Request) -> _Contact:
        contact = self._workspace.by_id.get(request.path_params["contact_id"])
        if contact is None:
            raise _Refusal(404, "No such contact")
        return contact


def _attribute_value(value: Any) -> Any:  # JSON enters
    """Lets scalars, non-empty arrays of scalars, and null pass."""
    items = value if isinstance(value, list) and value else [value]
    if value is not None and not all(isinstance(item, bool | int | float | str) for item in items):
        raise ValueError("must be a boolean, number, string, a non-empty array of these, or null")
    return value


class _Form(BaseModel):
    """What is common to all bodies: exact types, unknown fields ignored, null refused."""

    model_config = ConfigDict(strict=True, frozen=True)


class _Identifier(_Form):
    key: Annotated[str, Field(min_length=1, max_length=64)]
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    properties: dict[str, Any] = {}


class _ContactDraft(_Form):
    """What POST contacts takes. Attributes need no definition here (assumed)."""

    display_name: Annotated[str, Field(min_length=1, max_length=150, alias="displayName")]
    identifiers: list[_Identifier] = []
    attributes: dict[
        Annotated[str, StringConstraints(pattern=_ATTRIBUTE_KEY)], Annotated[Any, AfterValidator(_attribute_value)]
    ] = {}
    list_ids: Annotated[list[str], Field(min_length=1, max_length=10, alias="listIds")] = []
    account_ids: Annotated[list[str], Field(min_length=1, max_length=10, alias="accountIds")] = []
    company_refs: Annotated[list[str], Field(alias="companyRefs")] = []


class _Search(_Form):
    """What POST contacts/search takes; what a platform address is stands nowhere: here, the value of any identifier."""

    identifier: _Identifier | None = None
    platform_address: Annotated[str, Field(min_length=1, alias="platformAddress")] = ""


class _Key(NamedTuple):
    """An identifier as it is compared: only one contact of a workspace may have it."""

    key: str
    value: str


@dataclass(frozen=True)
class _Contact:
    id: str
    own_attributes: dict[str, Any]
    identifiers: tuple[_Identifier, ...]
    created_at: datetime
    list_ids: list[str] = field(default_factory=list)
    account_ids: list[str] = field(default_factory=list)
    company_refs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Workspace:
    """The contacts, oldest first."""

    contacts: list[_Contact] = field(default_factory=list)
    by_id: dict[str, _Contact] = field(default_factory=dict)
    taken: dict[_Key, _Contact] = field(default_factory=dict)

    def add(self, contact: _Contact) -> None:
        self.contacts.append(contact)
        self.by_id[contact.id] = contact
        self.taken.update({_compared(one): contact for one in contact.identifiers})

    def search(self, search: _Search) -> list[_Contact]:
        if search.identifier is not None:
            found = self.taken.get(_compared(search.identifier))
            return [found] if found else []
        if search.platform_address:
            return self._holding(search.platform_address.strip())
        raise _Refusal(
            422, "Request body is not acceptable", {".identifier": ["identifier or platformAddress is required"]}
        )

    def _holding(self, address: str) -> list[_Contact]:
        return [one for one in self.contacts if any(identifier.value == address for identifier in one.identifiers)]


class _Paging(NamedTuple):
    limit: int
    token: str | None
    is_reverse: bool


class _Refusal(HTTPException):
    def __init__(self, status: int, message: str, details: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(status, message)
        self.details = details


_F = TypeVar("_F", bound=_Form)
_T = TypeVar("_T")


async def _body(request: Request, form: type[_F]) -> _F:
    try:
        return form.model_validate(_object(await read_json(request)))
    except UnreadableBody as error:
        raise _Refusal(400, str(error)) from None  # assumed: 422 is for what can be parsed
    except ValidationError as error:
        raise _malformed(error) from None


def _object(body: Any) -> dict[str, Any]:  # JSON enters
    if not isinstance(body, dict):
        raise _Refusal(422, "Request body is malformed", {".": ["must be an object"]})
    return body


def _malformed(error: ValidationError) -> _Refusal:
    details: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False):
        details.setdefault(_dotted(problem["loc"]), []).append(problem["msg"])
    return _Refusal(422, "Request body is malformed", details)


def _dotted(loc: Sequence[int | str]) -> str:
    """`.identifiers[0].value`, as in the one error body that clients have published."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc if step != "[key]")


def _compared(identifier: _Identifier) -> _Key:
    """Values are equal to the letter, e-mail addresses in any case (assumed)."""
    is_email = identifier.key in _EMAIL_KEYS
    return _Key(identifier.key, identifier.value.casefold() if is_email else identifier.value)


def _paging(request: Request) -> _Paging:
    limit, reverse = (
        request.query_params.get(name, default) for name, default in (("limit", "10"), ("reverse", "false"))
    )
    if not re.fullmatch(r"[1-9][0-9]?|100", limit):
        raise _bad_query("limit", "must be from 1 to 100")
    if reverse not in {"true", "false"}:
        raise _bad_query("reverse", "must be true or false")
    return _Paging(int(limit), request.query_params.get("pageToken"), reverse == "true")


def _bad_query(name: str, reason: str) -> _Refusal:
    return _Refusal(422, "Query is malformed", {f".{name}": [reason]})


def _page(items: Sequence[_T], scope: str, paging: _Paging) -> tuple[Sequence[_T], str | None]:
    """One page, and the token of the next; a token names the last item shown, so it holds while items are added."""
    ordered = range(len(items))[::-1] if paging.is_reverse else range(len(items))
    prefix = f"{scope}/{'down' if paging.is_reverse else 'up'}/"
    last = _position(prefix, paging.token) if paging.token is not None else None
    rest = [at for at in ordered if last is None or (at < last if paging.is_reverse else at > last)]
    shown = rest[: paging.limit]
    token = _token(prefix, shown[-1]) if len(rest) > len(shown) else None
    return [items[at] for at in shown], token


def _token(prefix: str, position: int) -> str:
    return base64.urlsafe_b64encode(f"{prefix}{position}".encode()).decode()


def _position(prefix: str, token: str) -> int:
    """Raises _Refusal for a token of another list or direction, and for a made-up one."""
    try:
        text = base64.urlsafe_b64decode(token).decode()
    except ValueError:
        text = ""
    digits = text.removeprefix(prefix)
    if digits == text or not re.fullmatch(r"[0-9]{1,9}", digits):
        raise _bad_query("pageToken", "is not a token of this list and direction")
    return int(digits)


def _extra_attributes(request: Request) -> list[str]:
    """Keys to show even when they are empty; the parameter is repeated (assumed)."""
    keys = request.query_params.getlist("attribute")
    if not all(re.fullmatch(_ATTRIBUTE_KEY, key) for key in keys):
        raise _bad_query("attribute", "must be attribute keys")
    return keys


def _contact(contact: _Contact, extra_attributes: Sequence[str] = ()) -> dict[str, Any]:
    attributes = _attributes(contact)
    shown = {key: value for key, value in attributes.items() if value is not None}
    return {
        "id": contact.id,
        "computedDisplayName": _computed_display_name(contact),
        "workspaceId": WORKSPACE_ID,
        "featuredIdentifiers": [{"key": one.key, "value": one.value} for one in contact.identifiers[:_FEATURED]],
        "identifierCount": len(contact.identifiers),
        "attributes": {**dict.fromkeys(extra_attributes), **shown},
        "listIds": contact.list_ids,
        "accountIds": contact.account_ids,
        "companyRefs": contact.company_refs,
        "isAnonymous": all(one.key == "visitorid" for one in contact.identifiers),
        "createdAt": _stamp(contact.created_at),
        "updatedAt": _stamp(contact.created_at),
    }


def _attributes(contact: _Contact) -> dict[str, Any]:
    """The contact's own, and its identifiers under their keys, where such a key can name an attribute."""
    mirrored: dict[str, list[str]] = {}
    for one in contact.identifiers:
        if re.fullmatch(_ATTRIBUTE_KEY, one.key):
            mirrored.setdefault(one.key, []).append(one.value)
    return {**contact.own_attributes, **mirrored, "displayName": contact.own_attributes["displayName"]}


def _computed_display_name(contact: _Contact) -> str:
    named = [contact.own_attributes.get(key) for key in ("displayName", "firstName")]
    held = [one.value for key in ("emailaddress", "phonenumber") for one in contact.identifiers if one.key == key]
    return next((name for name in (*named, *held) if isinstance(name, str) and name.strip()), "")


def _identifier(contact: _Contact, identifier: _Identifier) -> dict[str, Any]:
    return {
        "contactId": contact.id,
        "key": identifier.key,
        "value": identifier.value,
        "properties": identifier.properties or None,
        "createdAt": _stamp(contact.created_at),
    }


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _faulty(status: int) -> Response:
    return _error(status, "Asked for by a sandbox value in displayName")


async def _refused(_: Request, error: Exception) -> Response:
    refusal = cast("HTTPException", error)
    details = refusal.details if isinstance(refusal, _Refusal) else None
    return _error(refusal.status_code, refusal.detail, details, refusal.headers)


def _error(
    status: int,
    message: str,
    details: Mapping[str, list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    is_throttled = status == 429  # the status says it
    content = {"code": _CODES[status], "message": message} | ({"details": details} if details else {})
    return JSONResponse(content, status, {"Retry-After": "1"} if is_throttled else headers)


def _workspace(world: World | None) -> _Workspace:
    workspace = _Workspace()
    for human in world.humans if world else ():
        workspace.add(_person(human))
    return workspace


def _person(human: Human) -> _Contact:
    return _Contact(
        id=human.uuid("bird/contact"),
        own_attributes={
            "displayName": human.name,
            "firstName": human.first_name,
            "lastName": human.last_name,
            "company": human.company.name,
        },
        identifiers=tuple(_Identifier(key=key, value=value) for key, value in _held(human).items()),
        created_at=human.at(0),
    )


def _held(human: Human) -> dict[str, str]:
    known_by = human.at_bird.value
    held = {"emailaddress": human.email} if "email" in known_by else {}
    if "phone" in known_by:
        held["phonenumber"] = human.phone
    if human.number % 10 == 0:
        held |= {"external_id": f"crm-{human.number:04d}", "visitorid": human.uuid("bird/visitor")}
    return held
