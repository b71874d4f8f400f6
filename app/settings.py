"""The settings: read once from the environment at start, frozen, secrets hidden; all that is wrong is reported together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_state_path
from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app import variables
from app.failpoints import POINTS, Failpoint, read_failpoint
from app.limits import Limits, LiveLimits
from app.trusted import BadDocuments, TrustedDocument, read_documents
from app.variables import Configured, Setting, assumed_setting, base_url_name
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
_RATE = re.compile(r"([1-9]\d{0,8})/([1-9]\d{0,4})", re.ASCII)
_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")
_HOST = re.compile(r"[^:/]+|\[[^/\[\]]+\]")
_ENVIRONMENTS = {each.value.lower(): each for each in Environment}
_DRIVERS = ("sqlite", "sqlite+aiosqlite", "postgresql", "postgres", "postgresql+asyncpg")

_POSTGRESQL_PARAMETERS = (
    "command_timeout",
    "database",
    "direct_tls",
    "gsslib",
    "host",
    "krbsrvname",
    "passfile",
    "password",
    "port",
    "prepared_statement_cache_size",
    "service",
    "servicefile",
    "ssl",
    "sslmode",
    "target_session_attrs",
    "user",
)
"""What asyncpg and SQLAlchemy take as text (asyncpg.connect, sqlalchemy.dialects.postgresql.asyncpg); libpq knows others."""


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
class Rate:
    """How much cost may be spent in how many seconds."""

    cost: int
    seconds: int


@dataclass(frozen=True)
class TokenSettings:
    """Which JWTs are taken. `issuers` maps each to the environment that it opens, or to None: then a claim says it."""

    jwks_url: str
    issuers: Mapping[str, Environment | None]
    audience: str
    environment_claim: str | None


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
    limits: Limits
    send_seconds: float
    live: LiveLimits
    live_poll_seconds: float
    rate: Rate | None
    rate_store: SecretStr | None
    failed_keys: int
    trusted_proxies: tuple[str, ...]
    hosts: frozenset[str]
    cors_origins: frozenset[str]
    tokens: TokenSettings | None
    newest_statuses: bool
    log_level: str
    metrics_key: SecretStr | None
    metrics_folder: Path | None
    traces_to: str | None
    traceparent: str
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
        vendor_timeout=reader.seconds(variables.VENDOR_TIMEOUT),
        vendor_concurrency=reader.whole(variables.VENDOR_CONCURRENCY, 1, 1000),
        links_max_age=reader.whole(variables.LINKS_MAX_AGE, 0, 30 * 24 * 3600),
        delivery_max_age=reader.whole(variables.DELIVERY_MAX_AGE, 1, 30 * 24 * 3600),
        receipts_days=reader.whole(variables.RECEIPTS_DAYS, 1, 3650),
        drain_seconds=reader.whole(variables.DRAIN_SECONDS, 0, 300),
        documents=reader.documents(),
        trusted_only=_TRUSTED_ONLY[reader.choice(variables.TRUSTED_DOCUMENTS_ONLY, tuple(_TRUSTED_ONLY))],
        limits=Limits(**{name: reader.whole(setting, 1, 100_000_000) for name, setting in variables.LIMITS.items()}),
        send_seconds=reader.seconds(variables.SEND_SECONDS),
        live=LiveLimits(
            connections=reader.whole(variables.LIVE_CONNECTIONS, 1, 100_000),
            connections_per_key=reader.whole(variables.LIVE_CONNECTIONS_PER_KEY, 1, 100_000),
            subscriptions=reader.whole(variables.LIVE_SUBSCRIPTIONS, 1, 10_000),
            idle=reader.seconds(variables.LIVE_IDLE_SECONDS),
            key_check=reader.seconds(variables.LIVE_KEY_SECONDS),
        ),
        live_poll_seconds=reader.seconds(variables.LIVE_POLL_SECONDS),
        rate=reader.rate(),
        rate_store=reader.rate_store(),
        failed_keys=reader.whole(variables.FAILED_KEYS, 0, 1_000_000),
        trusted_proxies=reader.networks(variables.TRUSTED_PROXIES),
        hosts=reader.hosts(),
        cors_origins=reader.origins(),
        tokens=reader.tokens(),
        newest_statuses=reader.choice(variables.STATUS_CODES, ("2025", "2026")) == "2026",
        log_level=reader.choice(variables.LOG_LEVEL, ("debug", "info", "warning", "error")),
        metrics_key=reader.metrics_key(),
        metrics_folder=reader.folder(variables.METRICS_FOLDER),
        traces_to=reader.traces_to(),
        traceparent=reader.choice(variables.TRACEPARENT, ("parent", "link", "ignore")),
        takes_sandbox_key=reader.choice(variables.SANDBOX_KEY, ("on", "off")) == "on",
        assumed=reader.assumed(vendors),
        failpoint=reader.failpoint(found.values()),
        vendors=found,
    )
    reader.finish()
    return settings


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def finish(self) -> None:
        if self._problems:
            raise BadSettings(self._problems)

    def database_url(self) -> URL:
        default = URL.create("sqlite", database=str(user_state_path("switchboard") / "switchboard.db"))
        given = self._environ.get(variables.DATABASE_URL.name)
        try:
            url = make_url(given) if given else default
        except (ArgumentError, ValueError):  # a port that is none, which an "@" or ":" in a password makes of it
            self._wrong(variables.DATABASE_URL.name, "is not a database URL such as sqlite:////var/lib/switchboard.db")
            return default
        if url.drivername not in _DRIVERS:
            self._wrong(
                variables.DATABASE_URL.name, "names a database or driver other than sqlite:// and postgresql://"
            )
        elif url.drivername.startswith("sqlite") and (url.database or ":memory:").startswith((":memory:", "file:")):
            self._wrong(variables.DATABASE_URL.name, "must name a file: a database in memory would forget everything")
        elif not url.drivername.startswith("sqlite") and not url.query.keys() <= set(_POSTGRESQL_PARAMETERS):
            self._wrong(
                variables.DATABASE_URL.name,
                f"has a parameter that can't be used; these can: {', '.join(_POSTGRESQL_PARAMETERS)}",
            )
        return url

    def secret(self, url: URL) -> SecretStr | None:
        given = self._environ.get(variables.SECRET.name)
        if given and len(given) < SHORTEST_SECRET:
            self._wrong(variables.SECRET.name, f"must have at least {SHORTEST_SECRET} characters")
        if not given and not url.drivername.startswith("sqlite"):
            self._wrong(variables.SECRET.name, "is missing: with PostgreSQL every replica must be given the same one")
        return SecretStr(given) if given else None

    def metrics_key(self) -> SecretStr | None:
        given = self._environ.get(variables.METRICS_KEY.name)
        if given and (len(given) < SHORTEST_SECRET or _VISIBLE_ASCII.fullmatch(given) is None):
            self._wrong(
                variables.METRICS_KEY.name,
                f"must have at least {SHORTEST_SECRET} characters, all of them visible ASCII",
            )
        return SecretStr(given) if given else None

    def folder(self, setting: Setting) -> Path | None:
        given = self._environ.get(setting.name)
        if given and not Path(given).is_dir():
            self._wrong(setting.name, "is not a folder")
        return Path(given) if given else None

    def traces_to(self) -> str | None:
        """The full URL that takes traces (OpenTelemetry specification, "OTLP Exporter Configuration")."""
        own, shared = (self._collector(each) for each in (variables.OTLP_TRACES_ENDPOINT, variables.OTLP_ENDPOINT))
        if self._environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
            return None
        return own or (f"{shared.rstrip('/')}/v1/traces" if shared else None)

    def _collector(self, setting: Setting) -> str | None:
        given = self._environ.get(setting.name) or None
        if given is not None and not _is_http(given):
            self._wrong(setting.name, "must be an http or https address, without credentials")
        return given

    def seconds(self, setting: Setting) -> float:
        try:
            seconds = float(self._environ.get(setting.name) or setting.default)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= 300:  # five minutes: nobody waits longer
            self._wrong(setting.name, "must be a number of seconds above 0, at most 300")
        return seconds

    def documents(self) -> tuple[TrustedDocument, ...]:
        given = self._environ.get(variables.DOCUMENTS.name, "")
        try:
            return tuple(read_documents([each.strip() for each in given.split(",") if each.strip()]))
        except BadDocuments as bad:
            self._wrong(variables.DOCUMENTS.name, f"can't be used: {bad}")
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

    def names(self, setting: Setting) -> list[str]:
        """What stands between commas."""
        return [each.strip() for each in self._environ.get(setting.name, "").split(",") if each.strip()]

    def rate(self) -> Rate | None:
        given = self._environ.get(variables.RATE_LIMIT.name) or "off"
        if given == "off":
            return None
        found = _RATE.fullmatch(given)
        if found is None:
            self._wrong(variables.RATE_LIMIT.name, "must be off, or cost/seconds such as 60000/60")
            return None
        return Rate(int(found[1]), int(found[2]))

    def rate_store(self) -> SecretStr | None:
        given = self._environ.get(variables.RATE_LIMIT_STORE.name) or "memory"
        if given == "memory":
            return None
        if not _is_redis(given):
            self._wrong(
                variables.RATE_LIMIT_STORE.name, "must be memory, or an address such as redis://localhost:6379/0"
            )
        return SecretStr(given)

    def networks(self, setting: Setting) -> tuple[str, ...]:
        given = self.names(setting)
        for each in given:
            try:
                ip_network(each)
            except ValueError:
                self._wrong(setting.name, "must be addresses or networks such as 10.0.0.0/8, with commas")
                return ()
        return tuple(given)

    def hosts(self) -> frozenset[str]:
        """As a Host header has them without its port: in lower case, IPv6 in brackets."""
        given = self.names(variables.HOSTS)
        if not all(_HOST.fullmatch(each) for each in given):
            self._wrong(variables.HOSTS.name, "must be names without scheme, port or path")
        return frozenset(each.lower() for each in given)

    def origins(self) -> frozenset[str]:
        given = self.names(variables.CORS_ORIGINS)
        if not all(_ORIGIN.fullmatch(each) for each in given):
            self._wrong(
                variables.CORS_ORIGINS.name,
                "must be origins such as https://app.example.com, with commas, without paths",
            )
        return frozenset(given)

    def tokens(self) -> TokenSettings | None:
        """All three settings of JWTs, or none of them."""
        needed = (variables.JWKS_URL, variables.JWT_ISSUERS, variables.JWT_AUDIENCE)
        missing = [each.name for each in needed if not self._environ.get(each.name)]
        if len(missing) == len(needed):
            return None
        if missing:
            self._wrong(", ".join(missing), "is missing: without it no token can be judged")
            return None
        claim = self._environ.get(variables.JWT_ENVIRONMENT_CLAIM.name) or None
        url = self._address(variables.JWKS_URL.name, "")
        return TokenSettings(url, self._issuers(claim), self._environ[variables.JWT_AUDIENCE.name], claim)

    def _issuers(self, claim: str | None) -> dict[str, Environment | None]:
        issuers: dict[str, Environment | None] = {}
        for each in self.names(variables.JWT_ISSUERS):
            issuer, _, where = each.rpartition("=") if "=" in each else (each, "", "")
            issuers[issuer] = _ENVIRONMENTS.get(where.lower())
            if issuers[issuer] is None and (where or claim is None):
                self._wrong(
                    variables.JWT_ISSUERS.name,
                    f"must name each issuer's environment, as in https://id.example.com=live (or set {variables.JWT_ENVIRONMENT_CLAIM.name})",
                )
                break
        return issuers

    def choice(self, setting: Setting, choices: Sequence[str]) -> str:
        given = (self._environ.get(setting.name) or setting.default).lower()
        if given not in choices:
            self._wrong(setting.name, f"must be one of {', '.join(choices)}")
            return setting.default  # read on: all that is wrong is reported together
        return given

    def failpoint(self, vendors: Iterable[VendorSettings]) -> Failpoint | None:
        """Never where a real vendor can be called, whatever the environment says."""
        given = self._environ.get(variables.FAILPOINT.name)
        if not given:
            return None
        if not all(urlsplit(each.base_url).hostname in LOOPBACK for each in vendors if each.values):
            self._wrong(
                variables.FAILPOINT.name,
                "is for tests: it is refused where a vendor that is not on loopback is configured",
            )
        try:
            return read_failpoint(given)
        except ValueError:
            self._wrong(variables.FAILPOINT.name, f"must be one of {', '.join(POINTS)}, with :n for the n-th time")
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
        return self._address(name, default).rstrip("/")

    def _address(self, name: str, default: str) -> str:
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
        return given

    def _sandboxed(self, environment: Environment) -> Sequence[str]:
        return self._environ.get(variables.SANDBOXED.name, "").split(",") if environment is Environment.TEST else ()

    def _wrong(self, name: str, what: str) -> None:
        self._problems.append(f"{name} {what}")


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def _is_redis(address: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port
        return parts.scheme in ("redis", "rediss") and bool(parts.hostname)
    except ValueError:
        return False


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite URL; None for another database."""
    return Path(url.database) if url.drivername.startswith("sqlite") and url.database else None
