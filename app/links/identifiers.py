"""Normal forms of what identifies a human being, so that two spellings of one address meet."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import idna
import phonenumbers

LONGEST = 500
"""In characters, of a normal form; what is longer is nobody's address, and too long for PostgreSQL's indexes."""

_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NO_SLUG = re.compile(r"[\s/?#%]")
_SCHEME = re.compile(r"(?:[a-z][a-z\d+.-]*:)?//", re.IGNORECASE)


class IdentifierKind(StrEnum):
    """What links records. CLIENT joins the contact methods of one client of Artu, and nothing else."""

    EMAIL = "email"
    PHONE = "phone"
    LINKEDIN = "linkedin"
    CLIENT = "client"


class Identifier(NamedTuple):
    """A kind and a value in normal form."""

    kind: IdentifierKind
    value: str


LONGEST_TEXT = 4_096
"""In characters, of what is given: a normal form is far shorter, and what is longer is not held on to."""


def identifier(kind: IdentifierKind, text: str) -> Identifier | None:
    """The identifier that a text is, or None if it is none; never raises, and normal forms stay as they are."""
    return _identifier(kind, text) if len(text) <= LONGEST_TEXT else None


@lru_cache(maxsize=4_000)
def _identifier(kind: IdentifierKind, text: str) -> Identifier | None:
    if _UNSTORABLE.search(text.strip()):
        return None
    value = _NORMALISE[kind](text.strip())
    return Identifier(kind, value) if value and len(value) <= LONGEST and not _UNSTORABLE.search(value) else None


def email_of(text: str) -> Identifier | None:
    return identifier(IdentifierKind.EMAIL, text)


def phone_of(text: str) -> Identifier | None:
    return identifier(IdentifierKind.PHONE, text)


def linkedin_of(text: str) -> Identifier | None:
    return identifier(IdentifierKind.LINKEDIN, text)


def client_of(client_id: str) -> Identifier:
    return Identifier(IdentifierKind.CLIENT, client_id.lower())


def _email(text: str) -> str | None:
    """The domain in lower case and IDNA (RFC 5891), the local part without regard to case."""
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or text.split() != [text]:
        return None
    return f"{_folded(local)}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return _folded(
            domain
        )  # which is what IDNA makes of it as well, or refuses: asking it would take most of the time
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return _folded(domain)


def _folded(text: str) -> str:
    """Without regard to case, whichever way accents are written (Unicode 3.13, caseless matching)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _phone(text: str) -> str | None:
    """E.164 (ITU-T), by Google's metadata; only international spellings, and no extension of a shared number."""
    normal = _e164(text)
    return normal if normal and _e164(normal) == normal else None  # of +1 1 1 0… only a prefix is taken off each time


def _e164(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    return None if number.extension else phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _linkedin(text: str) -> str | None:
    """`in/` and the slug in lower case: host, query and trailing slash say nothing about who it is."""
    try:
        parts = urlsplit(_with_host(text))
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if not (host == "linkedin.com" or host.endswith(".linkedin.com")) or len(steps) < 2 or steps[0].lower() != "in":
        return None
    return None if _NO_SLUG.search(steps[1]) else f"in/{_folded(steps[1])}"


def _with_host(text: str) -> str:
    if text.startswith("in/"):
        return f"//linkedin.com/{text}"
    return text if _SCHEME.match(text) else f"//{text}"


def _as_is(text: str) -> str:
    return text.lower()


_NORMALISE = {
    IdentifierKind.EMAIL: _email,
    IdentifierKind.PHONE: _phone,
    IdentifierKind.LINKEDIN: _linkedin,
    IdentifierKind.CLIENT: _as_is,
}
