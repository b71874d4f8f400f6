"""The environment variables that there are, as the README's tables have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schema.vendor import Vendor


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
LIMITS = {
    "source": Setting("SWITCHBOARD_MAX_SOURCE", "65536", "The longest document, in bytes."),
    "tokens": Setting("SWITCHBOARD_MAX_TOKENS", "10000", "Tokens in a document."),
    "fragments": Setting("SWITCHBOARD_MAX_FRAGMENTS", "200", "Fragments in a document."),
    "directives": Setting("SWITCHBOARD_MAX_DIRECTIVES", "50", "Directives in a document."),
    "depth": Setting("SWITCHBOARD_MAX_DEPTH", "20", "Levels of an operation, introspection apart."),
    "aliases": Setting("SWITCHBOARD_MAX_ALIASES", "100", "Aliases in an operation, fragments expanded."),
    "fields": Setting("SWITCHBOARD_MAX_FIELDS", "2000", "Fields in an operation, fragments expanded."),
    "repeats": Setting(
        "SWITCHBOARD_MAX_REPEATS", "20000", "Pairs of fields of one name at one level, which have to be compared."
    ),
    "mutations": Setting("SWITCHBOARD_MAX_MUTATIONS", "10", "Mutations in an operation."),
    "cost": Setting("SWITCHBOARD_MAX_COST", "50000", "What an operation may cost."),
}
SEND_SECONDS = Setting(
    "SWITCHBOARD_SEND_SECONDS", "10", "How long a connection may stay full because nobody reads it, in seconds."
)
LIVE_CONNECTIONS = Setting(
    "SWITCHBOARD_LIVE_CONNECTIONS", "1000", "How many WebSockets and event streams each process serves at a time."
)
LIVE_CONNECTIONS_PER_KEY = Setting("SWITCHBOARD_LIVE_CONNECTIONS_PER_KEY", "100", "The same for one gateway key.")
LIVE_SUBSCRIPTIONS = Setting(
    "SWITCHBOARD_LIVE_SUBSCRIPTIONS", "50", "How many operations may be under way on one WebSocket."
)
LIVE_IDLE_SECONDS = Setting(
    "SWITCHBOARD_LIVE_IDLE_SECONDS", "60", "How long a WebSocket may be open with nothing under way, in seconds."
)
LIVE_KEY_SECONDS = Setting(
    "SWITCHBOARD_LIVE_KEY_SECONDS", "30", "How often the key of an open connection is looked at again, in seconds."
)
LIVE_POLL_SECONDS = Setting(
    "SWITCHBOARD_LIVE_POLL_SECONDS",
    "2",
    "How often Reevo is asked for new activities that somebody follows, in seconds.",
)
RATE_LIMIT = Setting(
    "SWITCHBOARD_RATE_LIMIT",
    "off",
    "What a key may spend: `cost/seconds`, such as `60000/60`. In each process on its own.",
)
RATE_LIMIT_STORE = Setting(
    "SWITCHBOARD_RATE_LIMIT_STORE",
    "memory",
    "`redis://…` or `rediss://…` (Valkey or Redis) counts for all processes together.",
)
FAILED_KEYS = Setting(
    "SWITCHBOARD_FAILED_KEYS",
    "100",
    "How many wrong keys an address may present in a minute before unknown ones are refused unread; 0 for any number.",
)
TRUSTED_PROXIES = Setting(
    "SWITCHBOARD_TRUSTED_PROXIES", "none", "Addresses or networks whose X-Forwarded-For is believed, with commas."
)
HOSTS = Setting(
    "SWITCHBOARD_HOSTS", "any", "The names under which it is reached, with commas; other Hosts are refused."
)
CORS_ORIGINS = Setting(
    "SWITCHBOARD_CORS_ORIGINS", "none", "Origins whose pages may ask, with commas, such as `https://app.example.com`."
)
JWKS_URL = Setting("SWITCHBOARD_JWKS_URL", "none", "Where the keys are that sign JWT bearer tokens (RFC 7517).")
JWT_ISSUERS = Setting(
    "SWITCHBOARD_JWT_ISSUERS",
    "none",
    "Whose tokens are taken, and where they lead, with commas: `https://id.example.com=live`.",
)
JWT_AUDIENCE = Setting("SWITCHBOARD_JWT_AUDIENCE", "none", "The `aud` that tokens must have.")
JWT_ENVIRONMENT_CLAIM = Setting(
    "SWITCHBOARD_JWT_ENVIRONMENT_CLAIM",
    "none",
    "The claim that says `test` or `live`, for issuers that are given without it.",
)
STATUS_CODES = Setting(
    "SWITCHBOARD_STATUS_CODES",
    "2025",
    "`2026` answers 422 and 294 where the September 2026 edition of GraphQL over HTTP has them.",
)
LOG_LEVEL = Setting("SWITCHBOARD_LOG_LEVEL", "warning", "`debug`, `info`, `warning` or `error`.")
METRICS_KEY = Setting(
    "SWITCHBOARD_METRICS_KEY", "none", "What `/metrics` asks for, as `Authorization: Bearer …`. Without it, it is open."
)
TRACEPARENT = Setting(
    "SWITCHBOARD_TRACEPARENT",
    "parent",
    "What a caller's `traceparent` becomes in the gateway's traces: their `parent`, a `link`, or nothing (`ignore`).",
)
OTLP_ENDPOINT = Setting(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "none",
    "The OpenTelemetry collector, by OTLP over HTTP. Without it, nothing is traced.",
)
OTLP_TRACES_ENDPOINT = Setting(
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "none", "The same for traces alone, with its path; it goes before the other."
)
METRICS_FOLDER = Setting(
    "PROMETHEUS_MULTIPROC_DIR", "none", "Set by `serve --workers`: the folder where the workers' metrics meet."
)
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
    *LIMITS.values(),
    SEND_SECONDS,
    LIVE_CONNECTIONS,
    LIVE_CONNECTIONS_PER_KEY,
    LIVE_SUBSCRIPTIONS,
    LIVE_IDLE_SECONDS,
    LIVE_KEY_SECONDS,
    LIVE_POLL_SECONDS,
    RATE_LIMIT,
    RATE_LIMIT_STORE,
    FAILED_KEYS,
    TRUSTED_PROXIES,
    HOSTS,
    CORS_ORIGINS,
    JWKS_URL,
    JWT_ISSUERS,
    JWT_AUDIENCE,
    JWT_ENVIRONMENT_CLAIM,
    STATUS_CODES,
    LOG_LEVEL,
    METRICS_KEY,
    TRACEPARENT,
    OTLP_ENDPOINT,
    OTLP_TRACES_ENDPOINT,
    METRICS_FOLDER,
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
