"""IDs of this API: opaque to clients, stable, and telling kind and vendor's own ID to the gateway.

An ID is base64url, without padding, of `Kind:part` or `Kind:part:part`, each part percent-encoded
(Relay global object identification, https://relay.dev/graphql/objectidentification.htm).
"""

from __future__ import annotations

import base64
import binascii
import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

import strawberry

UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
OPAQUE = re.compile(r"[!-~]{1,200}")


class Kind(StrEnum):
    """The kinds of record that have an ID of this API; each is the name of its GraphQL type."""

    PERSON = "Person"
    PERSON_LOG = "PersonLog"
    PROSPECT = "Prospect"
    PROSPECT_LOG = "ProspectLog"
    CONTACT = "Contact"
    CONTACT_METHOD = "ContactMethod"
    ACTIVITY = "Activity"
    RECEIPT = "Receipt"

    @property
    def with_article(self) -> str:
        return f"{'an' if self is Kind.ACTIVITY else 'a'} {self.value}"


class RecordId(NamedTuple):
    """A decoded ID: the kind, and the vendor's own ID in one or two parts (a log's is person and log)."""

    kind: Kind
    parts: tuple[str, ...]


class WrongId(ValueError):
    """Not an ID of the expected kind; the message says what was expected and what was given."""


PARTIES = frozenset({Kind.PERSON, Kind.PROSPECT, Kind.CONTACT})

LONGEST = 4_096
"""In characters: what is longer is none of ours, and is not held on to."""

_KINDS = {kind.value: kind for kind in Kind}
_BEGINNINGS = tuple({base64.b64encode(kind.encode()[:3]).decode() for kind in Kind})
"""What every ID of this API begins with: the first three letters of its kind, in base64."""

_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")
"""What stays as it is in a URL (RFC 3986, 2.3)."""

_STEPS = frozenset({"", ".", ".."})
_PARTS = {Kind.PERSON_LOG: 2, Kind.PROSPECT_LOG: 2}
_ARCHITECTS = (OPAQUE, "an ID of the vendor (prospect_…)")
_UUIDS = (UUID, "a UUID of the vendor")
_RECEIPTS = (OPAQUE, "an ID of a receipt")
_OWN_FORM = {Kind.PERSON: _ARCHITECTS, Kind.PROSPECT: _ARCHITECTS, Kind.RECEIPT: _RECEIPTS}


@lru_cache(maxsize=4_000)
def encode(kind: Kind, *parts: str) -> strawberry.ID:
    text = ":".join([kind, *[part if _UNRESERVED.fullmatch(part) else quote(part, safe="") for part in parts]])
    standard = binascii.b2a_base64(text.encode(), newline=False).decode()
    return strawberry.ID(standard.rstrip("=").replace("+", "-").replace("/", "_"))


def decode(value: str) -> RecordId | None:
    """The record that an ID of this API names; None for anything else.

    No record's own ID is empty, or a step in a path: `..` in a vendor's URL would lead elsewhere.
    """
    if not value.startswith(_BEGINNINGS) or len(value) > LONGEST:
        return None
    try:
        standard = value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4)
        text = binascii.a2b_base64(standard).decode("ascii")
        name, *parts = text.split(":")
        kind = _KINDS[name]
        if "%" in text:
            parts = [unquote(part, errors="strict") for part in parts]
    except (binascii.Error, KeyError, ValueError):  # UnicodeDecodeError is a ValueError
        return None
    if (
        len(parts) != _PARTS.get(kind, 1)
        or not _STEPS.isdisjoint(parts)
        or encode(kind, *parts) != value  # nor is it written in any other way
    ):
        return None
    return RecordId(kind, tuple(parts))


def own_id(kind: Kind, value: str) -> str:
    """The vendor's own ID behind `value`, which is an ID of this API of `kind` or already the vendor's own.

    Raises WrongId for another kind, or for a form that the vendor's IDs don't have. What this API gave out once is taken
    back in any form, for vendors have changed theirs.
    """
    return own_id_of(kind, value, decode(value))


def own_id_of(kind: Kind, value: str, record: RecordId | None) -> str:
    """The same for a value that is decoded already."""
    form, name = _OWN_FORM.get(kind, _UUIDS)
    if record is not None and record.kind is not kind:
        raise WrongId(f"Expected the ID of {kind.with_article}, was given the ID of {record.kind.with_article}.")
    own = record.parts[-1] if record else value
    has_form = form.fullmatch(own) is not None
    if not has_form and (record is None or OPAQUE.fullmatch(own) is None):
        raise WrongId(f"Expected the ID of {kind.with_article} or {name}, was given {_described(own)}.")
    return own.lower() if has_form and form is UUID else own


def foreign_id(what: str, value: str, *, uuid: bool = True) -> str:
    """The vendor's ID of a kind that has no type here (`what`: client, account, …), unchanged but for a UUID's case."""
    record = decode(value)
    if record is not None:
        raise WrongId(f"Expected the vendor's ID of {what}, was given the ID of {record.kind.with_article}.")
    if uuid and UUID.fullmatch(value) is None:
        raise WrongId(f"Expected the vendor's ID of {what}, which is a UUID; was given {_described(value)}.")
    if not uuid and OPAQUE.fullmatch(value) is None:
        raise WrongId(f"Expected the vendor's ID of {what}: 1 to 200 visible ASCII characters.")
    return value.lower() if uuid else value


def _described(own: str) -> str:
    """What a vendor's ID of the wrong form looks like; the value itself may be personal."""
    if own.startswith("prospect_"):
        return f"the vendor's ID of a {Kind.PERSON} or {Kind.PROSPECT}"
    return "a UUID" if UUID.fullmatch(own) else "something else"
