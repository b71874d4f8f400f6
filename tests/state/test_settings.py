"""Settings: read once, frozen, secrets hidden, and everything that is wrong reported together by name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from app.limits import Limits
from app.registry import VENDORS
from app.settings import BadSettings, Rate, TokenSettings, VendorSettings, read_settings
from schema.vendor import Environment, Vendor

DOCUMENTS = Path(__file__).parents[2] / "docs" / "vendors"
WORKSPACE = "6f0d2c1e-8a47-4b5e-9c3d-2e7b1a90f4d8"
ASCII = "holds a character that is not visible ASCII (a trailing line break, perhaps)"
ADDRESS = "must be an https address (http only on loopback), without credentials or a query"
DRIVER = "names a database or driver other than sqlite:// and postgresql://"
PARAMETER = (
    "has a parameter that can't be used; these can: command_timeout, database, direct_tls, gsslib, host, krbsrvname, "
    "passfile, password, port, prepared_statement_cache_size, service, servicefile, ssl, sslmode, target_session_attrs, user"
)
NO_URL = "SWITCHBOARD_DATABASE_URL is not a database URL such as sqlite:////var/lib/switchboard.db"
NO_FILE = "must name a file: a database in memory would forget everything"
SECONDS = "must be a number of seconds above 0, at most 300"
ALONE = "BIRD_WORKSPACE_ID is missing: BIRD_ACCESS_KEY alone does not open Bird"
LEVELS = "must be one of debug, info, warning, error"
ONLY = "must be one of off, live, on"
POSTGRES_SECRET = "SWITCHBOARD_SECRET is missing: with PostgreSQL every replica must be given the same one"
SECRET_TEXT = "hunter2"
RATE = "must be off, or cost/seconds such as 60000/60"
STORE = "SWITCHBOARD_RATE_LIMIT_STORE must be memory, or an address such as redis://localhost:6379/0"
HOSTS = "must be names without scheme, port or path"
ORIGINS = "must be origins such as https://app.example.com, with commas, without paths"
ISSUERS = (
    "must name each issuer's environment, as in https://id.example.com=live (or set SWITCHBOARD_JWT_ENVIRONMENT_CLAIM)"
)
TOKENS = {
    "SWITCHBOARD_JWKS_URL": "https://id.example/jwks",
    "SWITCHBOARD_JWT_ISSUERS": "https://id.example=live",
    "SWITCHBOARD_JWT_AUDIENCE": "switchboard",
}

WRONG = {
    "ARCHITECT_API_KEY": [
        f"{SECRET_TEXT}\n",
        f"{SECRET_TEXT}\r\n",
        f" {SECRET_TEXT}",
        f"{SECRET_TEXT}é",
        "\x00",
        "\u200b",
    ],
    "TEST_REEVO_API_KEY": [f"{SECRET_TEXT} {SECRET_TEXT}", f"{SECRET_TEXT}\t"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_key_that_no_header_can_carry_is_refused(name: str, value: str) -> None:
    """Line breaks, spaces and whatever is not visible ASCII would fail or be changed on their way."""
    assert _problems({name: value}) == [f"{name} {ASCII}"]


@pytest.mark.parametrize(
    "url",
    [
        "http://api.bird.com",
        "http://localhost.evil.example",
        f"https://user:{SECRET_TEXT}@api.bird.com",
        f"https://api.bird.com?key={SECRET_TEXT}",
        "https://api.bird.com#part",
        "https://api.bird.com/\n",
        "https://",
        "https://api.bird.com:port",
        "https://[::1",
        "api.bird.com",
        "ftp://api.bird.com",
        "https://bücher.example",
    ],
)
def test_a_vendor_is_reached_by_https_or_on_loopback(url: str) -> None:
    """Credentials and queries in an address are refused, as is what is no address."""
    assert _problems({"BIRD_BASE_URL": url}) == [f"BIRD_BASE_URL {ADDRESS}"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9101", "http://[::1]:9101", "http://localhost", "https://eu.example/v"]
)
def test_an_address_is_taken_as_given_but_for_its_last_slash(url: str) -> None:
    """A path may be part of it."""
    settings = read_settings({"TEST_BIRD_BASE_URL": f"{url}/"}, VENDORS)
    assert settings.vendors[Vendor.BIRD, Environment.TEST] == VendorSettings(url)


def test_the_keys_of_an_issuer_are_asked_for_exactly_where_it_has_them() -> None:
    """A last slash is part of that address."""
    settings = read_settings({**TOKENS, "SWITCHBOARD_JWKS_URL": "https://id.example/jwks/"}, VENDORS)
    assert settings.tokens is not None
    assert settings.tokens.jwks_url == "https://id.example/jwks/"


@pytest.mark.parametrize(
    ("url", "problems"),
    [
        ("nonsense", [NO_URL]),
        ("postgresql://gw:hunter2@3:horse@db.example:5432/sb", [NO_URL]),
        ("postgresql://gw:hunter2@db.example:/sb", [NO_URL]),
        ("mysql://u:hunter2@h/d", [f"SWITCHBOARD_DATABASE_URL {DRIVER}", POSTGRES_SECRET]),
        ("postgresql+psycopg://u:hunter2@h/d", [f"SWITCHBOARD_DATABASE_URL {DRIVER}", POSTGRES_SECRET]),
        (
            "postgresql://h/d?sslmode=require&sslrootcert=hunter2",
            [f"SWITCHBOARD_DATABASE_URL {PARAMETER}", POSTGRES_SECRET],
        ),
        ("postgresql://h/d?connect_timeout=5", [f"SWITCHBOARD_DATABASE_URL {PARAMETER}", POSTGRES_SECRET]),
        ("postgresql:///d?host=/run&sslmode=disable&command_timeout=5", [POSTGRES_SECRET]),
        ("sqlite://", [f"SWITCHBOARD_DATABASE_URL {NO_FILE}"]),
        ("sqlite:///:memory:", [f"SWITCHBOARD_DATABASE_URL {NO_FILE}"]),
        ("sqlite:///file:x?mode=memory&uri=true", [f"SWITCHBOARD_DATABASE_URL {NO_FILE}"]),
        ("postgresql://u:hunter2@h/d", [POSTGRES_SECRET]),
    ],
)
def test_a_database_is_a_file_or_a_postgresql_with_a_secret(url: str, problems: list[str]) -> None:
    """What would forget, what has no driver here, and replicas that would not know each other's keys are refused."""
    assert _problems({"SWITCHBOARD_DATABASE_URL": url}) == problems


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"SWITCHBOARD_SECRET": SECRET_TEXT}, "SWITCHBOARD_SECRET must have at least 16 characters"),
        ({"SWITCHBOARD_VENDOR_TIMEOUT": "0"}, f"SWITCHBOARD_VENDOR_TIMEOUT {SECONDS}"),
        ({"SWITCHBOARD_VENDOR_TIMEOUT": "nan"}, f"SWITCHBOARD_VENDOR_TIMEOUT {SECONDS}"),
        ({"SWITCHBOARD_VENDOR_TIMEOUT": "inf"}, f"SWITCHBOARD_VENDOR_TIMEOUT {SECONDS}"),
        ({"SWITCHBOARD_VENDOR_TIMEOUT": "ten"}, f"SWITCHBOARD_VENDOR_TIMEOUT {SECONDS}"),
        ({"SWITCHBOARD_LOG_LEVEL": "loud"}, f"SWITCHBOARD_LOG_LEVEL {LEVELS}"),
        ({"SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY": "yes"}, f"SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY {ONLY}"),
        ({"SWITCHBOARD_MAX_DEPTH": "0"}, "SWITCHBOARD_MAX_DEPTH must be a whole number from 1 to 100000000"),
        ({"SWITCHBOARD_STATUS_CODES": "2027"}, "SWITCHBOARD_STATUS_CODES must be one of 2025, 2026"),
        ({"SWITCHBOARD_RATE_LIMIT": "60 a minute"}, f"SWITCHBOARD_RATE_LIMIT {RATE}"),
        ({"SWITCHBOARD_RATE_LIMIT": "0/60"}, f"SWITCHBOARD_RATE_LIMIT {RATE}"),
        ({"SWITCHBOARD_RATE_LIMIT_STORE": f"mysql://u:{SECRET_TEXT}@h"}, STORE),
        ({"SWITCHBOARD_RATE_LIMIT_STORE": f"redis://:{SECRET_TEXT}@127.0.0.1:abc/0"}, STORE),
        ({"SWITCHBOARD_RATE_LIMIT_STORE": f"redis://:{SECRET_TEXT}/x@127.0.0.1:6379/0"}, STORE),
        ({"SWITCHBOARD_RATE_LIMIT_STORE": f"redis://:12/{SECRET_TEXT}@127.0.0.1:6379/0"}, STORE),
        ({"SWITCHBOARD_RATE_LIMIT_STORE": f"redis://:[{SECRET_TEXT}@127.0.0.1:6379/0"}, STORE),
        (
            {"SWITCHBOARD_TRUSTED_PROXIES": "10.0.0.1, proxy.example"},
            "SWITCHBOARD_TRUSTED_PROXIES must be addresses or networks such as 10.0.0.0/8, with commas",
        ),
        ({"SWITCHBOARD_CORS_ORIGINS": "https://a.example/, https://b.example"}, f"SWITCHBOARD_CORS_ORIGINS {ORIGINS}"),
        ({"SWITCHBOARD_HOSTS": "gateway, 127.0.0.1:8213"}, f"SWITCHBOARD_HOSTS {HOSTS}"),
        ({"SWITCHBOARD_HOSTS": "https://gw.example.com"}, f"SWITCHBOARD_HOSTS {HOSTS}"),
        ({"SWITCHBOARD_HOSTS": "gw.example.com/graphql"}, f"SWITCHBOARD_HOSTS {HOSTS}"),
        ({"SWITCHBOARD_HOSTS": "[::1]:8000"}, f"SWITCHBOARD_HOSTS {HOSTS}"),
        ({"SWITCHBOARD_HOSTS": "::1"}, f"SWITCHBOARD_HOSTS {HOSTS}"),
        ({"SWITCHBOARD_CORS_ORIGINS": "*"}, f"SWITCHBOARD_CORS_ORIGINS {ORIGINS}"),
        (
            {"SWITCHBOARD_JWKS_URL": "https://id.example/jwks", "SWITCHBOARD_JWT_AUDIENCE": "x"},
            "SWITCHBOARD_JWT_ISSUERS is missing: without it no token can be judged",
        ),
        ({**TOKENS, "SWITCHBOARD_JWT_ISSUERS": "https://id.example"}, f"SWITCHBOARD_JWT_ISSUERS {ISSUERS}"),
        ({**TOKENS, "SWITCHBOARD_JWT_ISSUERS": "https://id.example=prod"}, f"SWITCHBOARD_JWT_ISSUERS {ISSUERS}"),
        ({**TOKENS, "SWITCHBOARD_JWKS_URL": "http://id.example/jwks"}, f"SWITCHBOARD_JWKS_URL {ADDRESS}"),
        ({"BIRD_ACCESS_KEY": SECRET_TEXT}, ALONE),
        ({"BIRD_ACCESS_KEY": SECRET_TEXT, "BIRD_WORKSPACE_ID": "acme"}, "BIRD_WORKSPACE_ID must be a UUID"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named_with_what_is_right(environ: dict[str, str], problem: str) -> None:
    """The message says what to do, and never what was given."""
    assert _problems(environ) == [problem]


def test_everything_wrong_is_reported_together_and_no_value_is_shown() -> None:
    """One start tells it all; what was given, secret or not, stands in no message."""
    problems = _problems(
        {
            "SWITCHBOARD_DATABASE_URL": f"postgresql://u:{SECRET_TEXT}@h/d",
            "SWITCHBOARD_LOG_LEVEL": SECRET_TEXT,
            "SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY": SECRET_TEXT,
            "SWITCHBOARD_VENDOR_TIMEOUT": SECRET_TEXT,
            "ARTU_API_KEY": f"{SECRET_TEXT}\n",
            "BIRD_ACCESS_KEY": SECRET_TEXT,
            "TEST_REEVO_BASE_URL": f"http://{SECRET_TEXT}.example",
        }
    )
    assert sorted(problems) == sorted(
        [
            POSTGRES_SECRET,
            f"SWITCHBOARD_LOG_LEVEL {LEVELS}",
            f"SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY {ONLY}",
            f"SWITCHBOARD_VENDOR_TIMEOUT {SECONDS}",
            f"ARTU_API_KEY {ASCII}",
            ALONE,
            f"TEST_REEVO_BASE_URL {ADDRESS}",
        ]
    )


def test_with_nothing_set_everything_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendors' own addresses, none configured, ten seconds, a file in the user's state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    settings = read_settings({}, VENDORS)
    assert settings.vendors == {
        (vendor, where): VendorSettings(_documented(vendor)) for vendor in Vendor for where in Environment
    }
    assert settings.database_url == make_url("sqlite:////state/switchboard/switchboard.db")
    rest = (settings.secret, settings.vendor_timeout, settings.log_level, settings.takes_sandbox_key)
    assert rest == (None, 10.0, "warning", False)


def test_what_the_edge_is_told_is_read_as_it_is_meant() -> None:
    """Lists with spaces in them, environments in any case, numbers in the place of their defaults."""
    settings = read_settings(
        {
            **TOKENS,
            "SWITCHBOARD_JWT_ISSUERS": "https://a.example=LIVE, https://b.example/?x=y=test ,https://c.example",
            "SWITCHBOARD_JWT_ENVIRONMENT_CLAIM": "stage",
            "SWITCHBOARD_RATE_LIMIT": "600/30",
            "SWITCHBOARD_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "SWITCHBOARD_HOSTS": "API.example.com, localhost",
            "SWITCHBOARD_MAX_COST": "5",
        },
        VENDORS,
    )
    assert settings.tokens == TokenSettings(
        "https://id.example/jwks",
        {"https://a.example": Environment.LIVE, "https://b.example/?x=y": Environment.TEST, "https://c.example": None},
        "switchboard",
        "stage",
    )
    assert (settings.rate, settings.rate_store) == (Rate(600, 30), None)
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.hosts == {"api.example.com", "localhost"}
    assert settings.limits == Limits(cost=5)


def test_an_empty_variable_is_as_if_it_were_not_there() -> None:
    """As container platforms set what was left blank."""
    names = [f"{prefix}{name}" for prefix in ("", "TEST_") for spec in VENDORS for name in spec.variables]
    names += ["SWITCHBOARD_DATABASE_URL", "SWITCHBOARD_SECRET", "SWITCHBOARD_VENDOR_TIMEOUT", "BIRD_BASE_URL"]
    assert read_settings(dict.fromkeys(names, ""), VENDORS) == read_settings({}, VENDORS)


def test_test_and_live_credentials_stay_apart() -> None:
    """A vendor configured in one environment is not in the other."""
    environ = {"TEST_BIRD_ACCESS_KEY": "t", "TEST_BIRD_WORKSPACE_ID": WORKSPACE, "REEVO_API_KEY": "l"}
    vendors = read_settings(environ, VENDORS).vendors
    assert {where: dict(found.values) for where, found in vendors.items() if found.values} == {
        (Vendor.BIRD, Environment.TEST): {"BIRD_ACCESS_KEY": SecretStr("t"), "BIRD_WORKSPACE_ID": SecretStr(WORKSPACE)},
        (Vendor.REEVO, Environment.LIVE): {"REEVO_API_KEY": SecretStr("l")},
    }


def test_settings_are_frozen_and_do_not_show_their_secrets() -> None:
    """Printed in a log or a debugger, they hold no key, no password and no secret."""
    environ = {
        "ARTU_API_KEY": SECRET_TEXT,
        "SWITCHBOARD_SECRET": f"{SECRET_TEXT}-{SECRET_TEXT}-x",
        "SWITCHBOARD_DATABASE_URL": f"postgresql://u:{SECRET_TEXT}@h/d",
    }
    settings = read_settings(environ, VENDORS)
    assert SECRET_TEXT not in repr(settings) + str(settings)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.log_level = "debug"  # type: ignore[misc]  # that is the test


def _documented(vendor: Vendor) -> str:
    """The address in the vendor's OpenAPI document."""
    document = yaml.safe_load((DOCUMENTS / f"{vendor.value.lower()}.openapi.yaml").read_text("utf-8"))
    [server] = document["servers"]
    address: str = server["url"]
    return address


def _problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as raised:
        read_settings(environ, VENDORS)
    assert SECRET_TEXT not in str(raised.value) + repr(raised.value)
    return list(raised.value.problems)
