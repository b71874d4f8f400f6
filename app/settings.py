"""The settings: read once from the environment at start, frozen, secrets hidden; all that is wrong is reported together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from platformdirs import user_state_path
from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.failpoints import POINTS, Failpoint, read_failpoint
from app.trusted import BadDocuments, TrustedDocument, read_documents
from schema.ids import UUID
from schema.vendor import Environment, Vendor

PREFIXES = {Environment.LIVE: "", Environment.TEST: "TEST_"}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_TRUSTED_ONLY = {
    "off": frozenset[Environment](),
    "live": frozenset({Environment.LIVE}),
    "on": frozenset(Environment),
}
_VISIBLE_ASCII = re.compile(r"[!-~]+")
SHORTEST_SECRET = 16
_DRIVERS = ("sqlite", "sqlite+aiosqlite", "postgresql", "postgres", "postgresql+asyncpg")


@dataclass(frozen=True)
class Setting:
    """One environment variable, as the README's table has it."""

    name: str
    default: str
    meaning: str


DATABASE_URL = Setting(
    "SWITCHBOARD_DATABASE_URL",
    "a SQLite file in the user's state folder",
    "The database: `sqlite:///…` or `postgresql://…`.",
)
SECRET = Setting(
    "SWITCHBOARD_SECRET",
    "made once, beside the SQLite file",
    "Keys all HMACs: gateway keys, cursors, derived vendor keys. PostgreSQL requires it.",
)
VENDOR_TIMEOUT = Setting("SWITCHBOARD_VENDOR_TIMEOUT", "10", "The deadline of a request and all its calls, in seconds.")
VENDOR_CONCURRENCY = Setting(
    "SWITCHBOARD_VENDOR_CONCURRENCY",
    "20",
    "How many calls to one vendor may be under way at a time, in each environment.",
)
LINKS_MAX_AGE = Setting(
    "SWITCHBOARD_LINKS_MAX_AGE",
    "600",
    "How long a vendor's answer to a look-up is remembered, in seconds; 0 asks always.",
)
DELIVERY_MAX_AGE = Setting(
    "SWITCHBOARD_DELIVERY_MAX_AGE", "86400", "How long a background write is tried before it is given up, in seconds."
)
RECEIPTS_DAYS = Setting("SWITCHBOARD_RECEIPTS_DAYS", "30", "How long final receipts are kept, in days.")
DRAIN_SECONDS = Setting(
    "SWITCHBOARD_DRAIN_SECONDS",
    "0",
    "How long new requests are still taken after SIGTERM, while `/readyz` answers 503, in seconds.",
)
DOCUMENTS = Setting(
    "SWITCHBOARD_DOCUMENTS",
    "none",
    "More trusted documents than those in `queries/`: folders of `.graphql` files and manifests in JSON, with commas between.",
)
TRUSTED_DOCUMENTS_ONLY = Setting(
    "SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY",
    "off",
    "`on` runs trusted documents only; `live` does so for LIVE keys.",
)
LOG_LEVEL = Setting("SWITCHBOARD_LOG_LEVEL", "warning", "`debug`, `info`, `warning` or `error`.")
SANDBOXED = Setting(
    "SWITCHBOARD_SANDBOXED", "none", "Set by `serve --sandbox` for its workers: the vendors with sandboxes."
)
SANDBOX_KEY = Setting(
    "SWITCHBOARD_SANDBOX_KEY",
    "off",
    "Set to `on` by `serve --sandbox` on loopback for its workers: takes `sk_test_sandbox`.",
)
FAILPOINT = Setting(
    "SWITCHBOARD_FAILPOINT",
    "none",
    "For tests of recovery: the point of a write at which the gateway kills itself. Refused unless every configured vendor "
    "is on loopback.",
)
GENERAL = (
    DATABASE_URL,
    SECRET,
    VENDOR_TIMEOUT,
    VENDOR_CONCURRENCY,
    LINKS_MAX_AGE,
    DELIVERY_MAX_AGE,
    RECEIPTS_DAYS,
    DRAIN_SECONDS,
    DOCUMENTS,
    TRUSTED_DOCUMENTS_ONLY,
    LOG_LEVEL,
    SANDBOXED,
    SANDBOX_KEY,
    FAILPOINT,
)


class Configured(Protocol):
    """What settings need to know of a vendor."""

    @property
    def vendor(self) -> Vendor: ...
    @property
    def base_url(self) -> str: ...
    @property
    def variables(self) -> tuple[str, ...]: ...
    @property
    def assumed(self) -> str | None: ...


class BadSettings(ValueError):
    """Everything that is wrong with the environment, by the names of variables, never by their values."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class VendorSettings:
    """Where a vendor is in one environment, and what opens it; `values` is empty where it is not configured."""

    base_url: str
    values: Mapping[str, SecretStr] = field(default_factory=dict)
    sandboxed: bool = False


@dataclass(frozen=True)
class Settings:
    """All settings of one gateway; times are in seconds. `assumed`: the vendors whose undocumented calls may be made."""

    database_url: URL
    secret: SecretStr | None
    vendor_timeout: float
    vendor_concurrency: int
    links_max_age: int
    delivery_max_age: int
    receipts_days: int
    drain_seconds: int
    documents: tuple[TrustedDocument, ...]
    trusted_only: frozenset[Environment]
    log_level: str
    takes_sandbox_key: bool
    assumed: frozenset[Vendor]
    failpoint: Failpoint | None
    vendors: Mapping[tuple[Vendor, Environment], VendorSettings]


def read_settings(environ: Mapping[str, str], vendors: Sequence[Configured]) -> Settings:
    """The settings in `environ`. Raises BadSettings."""
    reader = _Reader(environ)
    url = reader.database_url()
    found = {(each.vendor, where): reader.vendor(each, where) for each in vendors for where in Environment}
    settings = Settings(
        database_url=url,
        secret=reader.secret(url),
        vendor_timeout=reader.seconds(VENDOR_TIMEOUT),
        vendor_concurrency=reader.whole(VENDOR_CONCURRENCY, 1, 1000),
        links_max_age=reader.whole(LINKS_MAX_AGE, 0, 30 * 24 * 3600),
        delivery_max_age=reader.whole(DELIVERY_MAX_AGE, 1, 30 * 24 * 3600),
        receipts_days=reader.whole(RECEIPTS_DAYS, 1, 3650),
        drain_seconds=reader.whole(DRAIN_SECONDS, 0, 300),
        documents=reader.documents(),
        trusted_only=_TRUSTED_ONLY[reader.choice(TRUSTED_DOCUMENTS_ONLY, tuple(_TRUSTED_ONLY))],
        log_level=reader.choice(LOG_LEVEL, ("debug", "info", "warning", "error")),
        takes_sandbox_key=reader.choice(SANDBOX_KEY, ("on", "off")) == "on",
        assumed=reader.assumed(vendors),
        failpoint=reader.failpoint(found.values()),
        vendors=found,
    )
    reader.finish()
    return settings


def vendor_variables(vendor: Configured) -> Sequence[Setting]:
    """A vendor's variables, without the prefix of their environment."""
    required = [Setting(name, "none", f"Opens {vendor.vendor.value.capitalize()}.") for name in vendor.variables]
    where = Setting(base_url_name(vendor.vendor), vendor.base_url, f"Where {vendor.vendor.value.capitalize()} is.")
    return [*required, where]


def assumed_setting(vendor: Configured) -> Setting:
    """The switch for a vendor's undocumented calls."""
    return Setting(f"SWITCHBOARD_{vendor.vendor.value}_ASSUMED", "off", f"`on` also {vendor.assumed}.")


def base_url_name(vendor: Vendor) -> str:
    return f"{vendor.value}_BASE_URL"


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def finish(self) -> None:
        if self._problems:
            raise BadSettings(self._problems)

    def database_url(self) -> URL:
        default = URL.create("sqlite", database=str(user_state_path("switchboard") / "switchboard.db"))
        given = self._environ.get(DATABASE_URL.name)
        try:
            url = make_url(given) if given else default
        except ArgumentError:
            self._wrong(DATABASE_URL.name, "is not a database URL such as sqlite:////var/lib/switchboard.db")
            return default
        if url.drivername not in _DRIVERS:
            self._wrong(DATABASE_URL.name, "names a database or driver other than sqlite:// and postgresql://")
        elif url.drivername.startswith("sqlite") and (url.database or ":memory:").startswith((":memory:", "file:")):
            self._wrong(DATABASE_URL.name, "must name a file: a database in memory would forget everything")
        return url

    def secret(self, url: URL) -> SecretStr | None:
        given = self._environ.get(SECRET.name)
        if given and len(given) < SHORTEST_SECRET:
            self._wrong(SECRET.name, f"must have at least {SHORTEST_SECRET} characters")
        if not given and not url.drivername.startswith("sqlite"):
            self._wrong(SECRET.name, "is missing: with PostgreSQL every replica must be given the same one")
        return SecretStr(given) if given else None

    def seconds(self, setting: Setting) -> float:
        try:
            seconds = float(self._environ.get(setting.name) or setting.default)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= 300:  # five minutes: nobody waits longer
            self._wrong(setting.name, "must be a number of seconds above 0, at most 300")
        return seconds

    def documents(self) -> tuple[TrustedDocument, ...]:
        given = self._environ.get(DOCUMENTS.name, "")
        try:
            return tuple(read_documents([each.strip() for each in given.split(",") if each.strip()]))
        except BadDocuments as bad:
            self._wrong(DOCUMENTS.name, f"can't be used: {bad}")
            return ()

    def assumed(self, vendors: Sequence[Configured]) -> frozenset[Vendor]:
        switched = [each for each in vendors if each.assumed is not None]
        return frozenset(each.vendor for each in switched if self.choice(assumed_setting(each), ("on", "off")) == "on")

    def whole(self, setting: Setting, least: int, most: int) -> int:
        given = self._environ.get(setting.name) or setting.default
        number = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else -1
        if not least <= number <= most:
            self._wrong(setting.name, f"must be a whole number from {least} to {most}")
        return number

    def choice(self, setting: Setting, choices: Sequence[str]) -> str:
        given = (self._environ.get(setting.name) or setting.default).lower()
        if given not in choices:
            self._wrong(setting.name, f"must be one of {', '.join(choices)}")
        return given

    def failpoint(self, vendors: Iterable[VendorSettings]) -> Failpoint | None:
        """Never where a real vendor can be called, whatever the environment says."""
        given = self._environ.get(FAILPOINT.name)
        if not given:
            return None
        if not all(urlsplit(each.base_url).hostname in LOOPBACK for each in vendors if each.values):
            self._wrong(
                FAILPOINT.name, "is for tests: it is refused where a vendor that is not on loopback is configured"
            )
        try:
            return read_failpoint(given)
        except ValueError:
            self._wrong(FAILPOINT.name, f"must be one of {', '.join(POINTS)}, with :n for the n-th time")
            return None

    def vendor(self, vendor: Configured, environment: Environment) -> VendorSettings:
        prefix = PREFIXES[environment]
        values = {name: self._credential(prefix + name) for name in vendor.variables}
        given = {name: SecretStr(value) for name, value in values.items() if value}
        base_url = self._base_url(prefix + base_url_name(vendor.vendor), vendor.base_url)
        if given and len(given) < len(values):
            missing = ", ".join(prefix + name for name in values if name not in given)
            present = ", ".join(prefix + name for name in given)
            self._problems.append(
                f"{missing} is missing: {present} alone does not open {vendor.vendor.value.capitalize()}"
            )
        return VendorSettings(base_url, given, vendor.vendor.value in self._sandboxed(environment))

    def _credential(self, name: str) -> str | None:
        value = self._environ.get(name)
        if value and _VISIBLE_ASCII.fullmatch(value) is None:
            self._wrong(name, "holds a character that is not visible ASCII (a trailing line break, perhaps)")
        elif value and name.endswith("_WORKSPACE_ID") and UUID.fullmatch(value) is None:
            self._wrong(name, "must be a UUID")
        return value

    def _base_url(self, name: str, default: str) -> str:
        given = self._environ.get(name) or default
        try:
            parts = urlsplit(given)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host, parts = None, urlsplit("")
        is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
        if not host or not is_plain or not is_safe or _VISIBLE_ASCII.fullmatch(given) is None:
            self._wrong(name, "must be an https address (http only on loopback), without credentials or a query")
        return given.rstrip("/")

    def _sandboxed(self, environment: Environment) -> Sequence[str]:
        return self._environ.get(SANDBOXED.name, "").split(",") if environment is Environment.TEST else ()

    def _wrong(self, name: str, what: str) -> None:
        self._problems.append(f"{name} {what}")


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite URL; None for another database."""
    return Path(url.database) if url.drivername.startswith("sqlite") and url.database else None
