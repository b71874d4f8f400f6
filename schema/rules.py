"""The input rules: every one is checked before anything is sent, and all that are broken are reported together.

A `Rules` walks one input. Each check returns the value in the form in which it is used further on; where a rule is broken
it notes an InvalidInput with its path and returns the value as given, so that the walk goes on to the end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from schema import ids
from schema.errors import BadUserInput, InvalidInput, Refusal
from schema.ids import PARTIES, Kind
from schema.types.refs import PartyRef, given_field
from schema.vendor import Vendor

PARTY_RECORDS = frozenset(
    {
        (Vendor.ARCHITECT, "person"),
        (Vendor.ARCHITECT, "prospect"),
        (Vendor.BIRD, "contact"),
        (Vendor.REEVO, "contact"),
        (Vendor.ARTU, "client"),
    }
)
"""What vendors call the records that are a human being."""

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ATTRIBUTE_KEY = re.compile(r"[A-Za-z\d_-]{1,64}", re.ASCII)

UNSTORABLE = "Must not hold U+0000: not every database can store it."

LONGEST_INTEGER = 20
"""In digits."""

MOST_ENTRIES = 100
"""Of a list for which the vendor names no maximum."""

MOST_BROKEN = 100
"""What is told of one input: its answer stays small, whatever is sent."""

_FIRST_TOO_LONG: int = 10**LONGEST_INTEGER
_E164 = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)
_PLAIN_EMAIL = re.compile(
    r"(?=.{6,254}\Z)(?=[^@]{1,64}@)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@"
    r"(?:(?![^.]{64})[a-z0-9]+(?:-[a-z0-9]+)*\.)+([a-z]{2,63})"
)
_SPECIAL = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
_SEPARATORS = re.compile(r"(?<=.)[ \-\u00a0]")
_SCALARS = (bool, int, float, str)
_T = TypeVar("_T")


class Rules:
    """Collects everything that is wrong with one input."""

    def __init__(self, *root: str) -> None:
        self._root = root or ("input",)
        self._broken: list[InvalidInput] = []

    def broken(self, message: str, *path: object) -> None:
        """Notes that the input at `path` (below the root) is wrong; of a hundred the last says only that there are more."""
        told = len(self._broken)
        if told < MOST_BROKEN - 1:
            self._broken.append(InvalidInput(message=message, path=[*self._root, *map(str, path)]))
        elif told < MOST_BROKEN:
            more = "There is more that is wrong: mend what is named before this first."
            self._broken.append(InvalidInput(message=more, path=[*self._root]))

    def finish(self) -> None:
        """Raises Refusal with all that was noted, if anything was."""
        if self._broken:
            raise Refusal(*self._broken)

    def finish_query(self) -> None:
        """Raises BadUserInput with all that was noted, if anything was: queries have no payload to carry it."""
        if self._broken:
            raise BadUserInput(" ".join(f"{'.'.join(broken.path)}: {broken.message}" for broken in self._broken))

    def text(self, value: str | None, *path: object, least: int = 1, most: int | None = None) -> str | None:
        """Checks a length in characters (Unicode code points), both bounds included."""
        if value is not None and not least <= len(value) <= (most or len(value)):
            bounds = f"{least} to {most} characters" if most else f"at least {least} character"
            self.broken(f"Must be {bounds} long; it has {len(value)}.", *path)
        return value

    def note(self, value: str, *path: object) -> str:
        """What a person found out, trimmed; not empty, and it can be stored."""
        note = value.strip()
        self.text(note, *path, most=1000)
        if "\0" in note:
            self.broken(UNSTORABLE, *path)
        return note

    def kebab(self, value: str, *path: object, most: int) -> str:
        if len(value) in range(1, most + 1) and KEBAB.fullmatch(value) is None:
            self.broken("Must be in kebab case: lower-case letters and digits, joined by single dashes.", *path)
        return self.text(value, *path, most=most) or value

    def email(self, value: str | None, *path: object) -> str | None:
        """The address trimmed, with its domain in lower case (email-validator; nothing is looked up)."""
        if value is None:
            return None
        if _is_plain_email(value):
            return value
        try:
            found = validate_email(value.strip(), check_deliverability=False, test_environment=True)
        except EmailNotValidError:
            self.broken("Must be an e-mail address such as ada@example.com.", *path)
            return value
        return f"{found.local_part}@{found.ascii_domain or found.domain}"

    def phone(self, value: str | None, *path: object) -> str | None:
        """The number in E.164 (ITU-T E.164), without the separators that people write."""
        if value is None:
            return None
        bare = _SEPARATORS.sub("", value.strip())
        if _E164.fullmatch(bare) is None:
            self.broken("Must be an international phone number: + and 2 to 15 digits, such as +31612345678.", *path)
            return value
        return bare

    def url(self, value: str | None, *path: object) -> str | None:
        """An absolute http or https URL with a host, trimmed."""
        if value is None:
            return None
        if not _is_web_url(value.strip()):
            self.broken("Must be an absolute URL such as https://www.linkedin.com/in/ada-example.", *path)
            return value
        return value.strip()

    def json_object(self, value: object, *path: object) -> Mapping[str, Any] | None:
        """A JSON object whose numbers all have a JSON form."""
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.broken('Must be a JSON object, such as {"stage": "qualified"}.', *path)
            return {}
        if not _is_portable(value):
            self.broken("Holds a number that is too large for JSON: give it as a string.", *path)
        return value

    def attributes(self, value: object, *path: object) -> Mapping[str, Any] | None:
        """A flat JSON object: each value is a boolean, number, string, null, or a non-empty array of the first three."""
        checked = self.json_object(value, *path)
        for key, attribute in (checked or {}).items():
            if ATTRIBUTE_KEY.fullmatch(key) is None:
                self.broken("Attribute names are 1 to 64 letters, digits, _ and -.", *path, key)
            elif not _is_attribute(attribute):
                self.broken("Must be a boolean, number, string, null, or a non-empty array of them.", *path, key)
        return checked

    def record_id(self, kind: Kind, value: str | None, *path: object) -> str | None:
        """The vendor's own ID, from an ID of this API or from itself."""
        try:
            return value if value is None else ids.own_id(kind, value)
        except ids.WrongId as wrong:
            self.broken(str(wrong), *path)
            return value

    def foreign_id(self, what: str, value: str | None, *path: object, uuid: bool = True) -> str | None:
        """The vendor's own ID of a kind that has no type here."""
        try:
            return value if value is None else ids.foreign_id(what, value, uuid=uuid)
        except ids.WrongId as wrong:
            self.broken(str(wrong), *path)
            return value

    def party(self, ref: PartyRef, *path: object) -> PartyRef:
        """The reference with its one field in normal form; its ID is one of this API, for a record that is a party."""
        field, value = given_field(ref)
        normal: Any = value
        match field:
            case "id":
                normal = self._party_id(value, *path, "id")
            case "email_address":
                normal = self.email(value, *path, "emailAddress")
            case "phone_number":
                normal = self.phone(value, *path, "phoneNumber")
            case "linkedin_profile_url":
                normal = self.url(value, *path, "linkedinProfileUrl")
            case "vendor_record" if (value.vendor, value.kind) not in PARTY_RECORDS:
                self.broken(
                    "A party is a person or prospect of ARCHITECT, a contact of BIRD or REEVO, or a client of ARTU.",
                    *path,
                    "vendorRecord",
                )
            case "vendor_record":
                is_uuid = value.vendor is not Vendor.ARCHITECT
                self.foreign_id(f"a {value.kind}", value.id, *path, "vendorRecord", "id", uuid=is_uuid)
        return PartyRef(**{field: normal})

    def _party_id(self, value: str, *path: object) -> str:
        record = ids.decode(value)
        if record is None:
            self.broken("Expected an ID of this API; for a vendor's own ID use vendorRecord.", *path)
        elif record.kind not in PARTIES:
            self.broken(
                f"Expected the ID of a Person, Prospect or Contact, was given the ID of {record.kind.with_article}.",
                *path,
            )
        return value

    def at_most(self, most: int, values: Sequence[_T] | None, *path: object) -> Sequence[_T]:
        """The values; none of them if they are too many, for then none is looked at."""
        if values is None or len(values) <= most:
            return values or ()
        self.broken(f"Must have at most {most} entries; it has {len(values)}.", *path)
        return ()

    def distinct(self, values: Iterable[tuple[Hashable, Sequence[object]]], message: str) -> None:
        """Notes each value that stood before, at its own path."""
        seen: set[Hashable] = set()
        for value, path in values:
            if value in seen:
                self.broken(message, *path)
            seen.add(value)

    def required(self, value: _T | None, default: _T, *path: object) -> _T:
        if value is None:
            self.broken("Is required here.", *path)
            return default
        return value


def _is_plain_email(value: str) -> bool:
    """Whether email-validator would give this address back as it is: that of nearly everybody, and asking takes 50 µs."""
    found = _PLAIN_EMAIL.fullmatch(value)
    return found is not None and found[1] not in _SPECIAL


def _is_web_url(value: str) -> bool:
    if any(c.isspace() or not c.isprintable() for c in value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def _is_portable(value: object) -> bool:
    """Whether every number below is one that JSON parsers take; nesting was bounded when the request was read."""
    if isinstance(value, int):
        return -_FIRST_TOO_LONG < value < _FIRST_TOO_LONG
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(_is_portable, value.values()))
    return all(map(_is_portable, value)) if isinstance(value, list) else True


def _is_attribute(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, _SCALARS) for item in value)
    return value is None or isinstance(value, _SCALARS)
