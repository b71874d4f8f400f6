"""The demo world: sixty people whom all four sandboxes know, the same at every start."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

_NAMESPACE = uuid.UUID("5b1c0f3e-6a0d-4c3b-9f5e-2d7a8c4b1e60")
_EPOCH = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_FIRST_NAMES = (
    "Ada", "Björn", "Chloé", "Dmitri", "Elif", "Farid", "Grace", "Hana", "Ibrahim", "Júlia",
    "Kofi", "Léa", "Mateo", "Nadia", "Oluwaseun", "Priya", "Quentin", "Rosa", "Søren", "Tomás",
)  # fmt: skip
_LAST_NAMES = ("Andersen", "Baptiste", "Castro")
_COMPANIES = (
    "Aurora Freight", "Bluebell Clinics", "Cobalt Robotics", "Delta Orchards", "Ember Studio", "Fathom Maps",
    "Granite Legal", "Harbour Foods", "Indigo Textiles", "Juniper Energy", "Kestrel Air", "Lumen Schools",
)  # fmt: skip


class Known(Enum):
    """By which identifiers one vendor knows a person."""

    EMAIL = frozenset({"email"})
    PHONE = frozenset({"phone"})
    BOTH = frozenset({"email", "phone"})


@dataclass(frozen=True)
class Company:
    """An employer; `account_id` is its ID at Reevo, `opportunity_id` one deal with it."""

    name: str
    domain: str
    account_id: str
    opportunity_id: str


@dataclass(frozen=True)
class Human:
    """One person of the demo world."""

    number: int
    first_name: str
    last_name: str
    email: str
    phone: str
    linkedin_url: str
    company: Company
    since: datetime

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def at_architect(self) -> Known:
        return Known.PHONE if self.number % 3 == 0 else Known.BOTH

    @property
    def at_bird(self) -> Known:
        return Known.EMAIL if self.number % 4 == 1 else Known.BOTH

    @property
    def at_reevo(self) -> Known:
        return Known.PHONE if self.number % 10 == 2 else Known.BOTH

    def uuid(self, what: str) -> str:
        """A stable UUID for something of this person's, such as `bird/contact` or `artu/method/email`."""
        return stable_uuid(f"human/{self.number}/{what}")

    def code(self, what: str) -> str:
        """Twenty-six stable characters of [a-z0-9] for something of this person's (Architect's form of ID)."""
        return stable_code(f"human/{self.number}/{what}")

    def at(self, days: float) -> datetime:
        """A moment in this person's history, `days` after the first contact."""
        return self.since + timedelta(days=days)


@dataclass(frozen=True)
class World:
    """All that the sandboxes start with under `--demo`."""

    companies: tuple[Company, ...]
    humans: tuple[Human, ...]


def build_world() -> World:
    """The one demo world: nothing in it depends on the clock or on chance."""
    companies = tuple(_company(name) for name in _COMPANIES)
    names = [(first, last) for last in _LAST_NAMES for first in _FIRST_NAMES]
    return World(companies, tuple(_human(n, *names[n], companies[n % len(companies)]) for n in range(len(names))))


def stable_uuid(what: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, what))


def stable_code(what: str) -> str:
    digest = hashlib.sha256(f"{_NAMESPACE}/{what}".encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:26])


def _company(name: str) -> Company:
    domain = f"{name.lower().replace(' ', '-')}.example"
    return Company(name, domain, stable_uuid(f"account/{domain}"), stable_uuid(f"opportunity/{domain}"))


def _human(number: int, first: str, last: str, company: Company) -> Human:
    plain = f"{first}.{last}".lower().translate(str.maketrans("öéúáø", "oeuao"))
    return Human(
        number=number,
        first_name=first,
        last_name=last,
        email=f"{plain}@{company.domain}",
        phone=f"+3161{number:03d}{(number * 7919) % 10000:04d}",
        linkedin_url=f"https://www.linkedin.com/in/{plain.replace('.', '-')}",
        company=company,
        since=_EPOCH + timedelta(hours=number * 37),
    )
