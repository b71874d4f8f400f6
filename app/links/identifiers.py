"""Normal forms of what identifies a human being, so that two spellings of one address meet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

import idna
import phonenumbers


class IdentifierKind(StrEnum):
    """What links records. CLIENT joins the contact methods of one client of Artu, and nothing else."""

    EMAIL = "email"
    PHONE = "phone"
    LINKEDIN = "linkedin"
    CLIENT = "client"


@dataclass(frozen=True, order=True)
class Identifier:
    """A kind and a value in normal form."""

    kind: IdentifierKind
    value: str


def identifier(kind: IdentifierKind, text: str) -> Identifier | None:
    """The identifier that a text is, or None if it is none; never raises, and normal forms stay as they are."""
    value = _NORMALISE[kind](text.strip())
    return Identifier(kind, value) if value else None


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
    if not (local and at and domain) or any(c.isspace() for c in text):
        return None
    return f"{_folded(local)}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return _folded(domain)


def _folded(text: str) -> str:
    return text.casefold()


def _phone(text: str) -> str | None:
    """E.164 (ITU-T), by Google's metadata; only international spellings."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(text), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return None


def _linkedin(text: str) -> str | None:
    """`in/` and the slug in lower case: host, query and trailing slash say nothing about who it is."""
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if text.startswith("in/"):
        host, path = "linkedin.com", text
    else:
        path = parts.path
    steps = [unquote(step) for step in path.split("/") if step]
    if not (host == "linkedin.com" or host.endswith(".linkedin.com")) or len(steps) < 2 or steps[0].lower() != "in":
        return None
    return f"in/{_folded(steps[1])}"


def _as_is(text: str) -> str:
    return text.lower()


_NORMALISE = {
    IdentifierKind.EMAIL: _email,
    IdentifierKind.PHONE: _phone,
    IdentifierKind.LINKEDIN: _linkedin,
    IdentifierKind.CLIENT: _as_is,
}
