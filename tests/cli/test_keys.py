"""`switchboard keys create`: a key is made from outside and works at once in a running gateway."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.cli.command import LAST_LINE, SWITCHBOARD, Finished, files, run, started

CREATE = (SWITCHBOARD, "keys", "create")
UNKNOWN = "There is no such key"
SIX = pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="no IPv6 here")
VIEWER = "{ viewer { keyId name environment scopes } }"
WRITE = 'mutation { createContact(input: {displayName: "Ada"}) { contact { displayName } errors { message } } }'


async def test_a_new_key_opens_a_running_gateway_as_far_as_its_scopes(tmp_path: Path) -> None:
    """The key alone is on the last line; its name, environment and scopes are the viewer's; what it lacks is forbidden."""
    async with started(SWITCHBOARD, "serve", "--sandbox", "--port", "0", home=tmp_path, until=LAST_LINE) as gateway:
        options = ("--name", "Reports", "--environment", "test", "--scope", "read", "--scope", "read")
        made = await run(*CREATE, *options, home=tmp_path)
        key = made.out.removesuffix("\n")
        assert made == Finished(0, f"{key}\n", "")
        prefix, environment, key_id, _ = key.split("_")
        assert (prefix, environment) == ("sk", "test")
        viewer = {"keyId": key_id, "name": "Reports", "environment": "TEST", "scopes": ["read"]}
        assert (await gateway.ask(VIEWER, key=key)).json() == {"data": {"viewer": viewer}}
        [forbidden] = (await gateway.ask(WRITE, key=key)).json()["errors"]
        assert (forbidden["path"], forbidden["extensions"]["code"]) == (["createContact"], "FORBIDDEN")
        assert (await gateway.ask(VIEWER, key=key[:-1] + ("a" if key[-1] != "a" else "b"))).status_code == 401


async def test_a_live_key_does_not_reach_the_sandboxes(tmp_path: Path) -> None:
    """Environment LIVE has no credentials here: all scopes, yet nothing to reach, and never the TEST vendors."""
    async with started(SWITCHBOARD, "serve", "--sandbox", "--port", "0", home=tmp_path, until=LAST_LINE) as gateway:
        made = await run(*CREATE, "--name", "Live", "--environment", "live", "--scope", "*", home=tmp_path)
        key = made.out.strip()
        assert key.startswith("sk_live_")
        statuses = (await gateway.ask("{ vendors { vendor environment available sandboxed } }", key=key)).json()
        closed = {"environment": "LIVE", "available": False, "sandboxed": False}
        vendors = ("ARCHITECT", "BIRD", "ARTU", "REEVO")
        assert statuses == {"data": {"vendors": [{"vendor": name, **closed} for name in vendors]}}
        [error] = (await gateway.ask("{ contacts(first: 1) { nodes { id } } }", key=key)).json()["errors"]
        assert error["extensions"]["code"] == "VENDOR_NOT_CONFIGURED"


async def test_an_unknown_scope_makes_no_key(tmp_path: Path) -> None:
    """The scope is named, and those that there are; no key is printed."""
    refused = await run(*CREATE, "--name", "x", "--environment", "test", "--scope", "everything", home=tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines()[-1] == (
        "Error: Invalid value for '--scope': 'everything' is not one of read, person-logs:write, prospect-logs:write, "
        "contacts:write, contact-methods:write, activities:write, receipts:read-all, receipts:settle, "
        "schema:read, telemetry:read, *."
    )
    assert files(tmp_path) == []


async def test_a_key_is_rotated_listed_and_revoked(tmp_path: Path) -> None:
    """In a running gateway the new secret opens at once, the old one as long as was said, a revoked key a second at most."""
    async with started(SWITCHBOARD, "serve", "--sandbox", "--port", "0", home=tmp_path, until=LAST_LINE) as gateway:
        options = ("--name", "Réports", "--environment", "test", "--scope", "read", "--days", "30")
        first = (await run(*CREATE, *options, home=tmp_path)).out.strip()
        key_id = first.split("_")[2]
        second = (await run(SWITCHBOARD, "keys", "rotate", key_id, "--overlap", "0", home=tmp_path)).out.strip()
        assert [(await gateway.ask(VIEWER, key=key)).status_code for key in (first, second)] == [401, 200]
        [line] = (await run(SWITCHBOARD, "keys", "list", home=tmp_path)).out.splitlines()
        listed = json.loads(line)
        days = [datetime.fromisoformat(listed.pop(name)) for name in ("createdAt", "expiresAt", "previousSecretUntil")]
        assert days[1] - days[0] == timedelta(days=30)
        shown = {"id": key_id, "name": "Réports", "environment": "TEST", "scopes": ["read"], "revokedAt": None}
        assert listed == shown
        assert await run(SWITCHBOARD, "keys", "revoke", key_id, home=tmp_path) == Finished(0, "", "")
        while (await gateway.ask(VIEWER, key=second)).status_code == 200:
            pass
        assert (await gateway.ask(VIEWER, key=second)).status_code == 401


async def test_a_second_rotation_keeps_the_promise_of_the_first(tmp_path: Path) -> None:
    """The line says until when the secret before opens, and what ends it now; with that no more is asked."""
    made = await run(*CREATE, "--name", "x", "--environment", "test", "--scope", "read", home=tmp_path)
    rotate = (SWITCHBOARD, "keys", "rotate", made.out.split("_")[2])
    assert (await run(*rotate, home=tmp_path)).code == 0
    [listed] = (await run(SWITCHBOARD, "keys", "list", home=tmp_path)).out.splitlines()
    until = json.loads(listed)["previousSecretUntil"]
    line = (
        f"Error: The secret before the present one still opens, until {until}, and would end now: "
        "wait until then, or add --force.\n"
    )
    assert await run(*rotate, home=tmp_path) == Finished(1, "", line)
    assert (await run(*rotate, "--force", home=tmp_path)).code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
async def test_a_key_that_cannot_be_shown_is_named(tmp_path: Path) -> None:
    """Nobody has it, yet it opens: the line says how it is ended, after `create` and after `rotate`."""
    shell = ("sh", "-c", '"$@" > /dev/full', "sh")
    created = await run(*shell, *CREATE, "--name", "x", "--environment", "test", "--scope", "read", home=tmp_path)
    [listed] = (await run(SWITCHBOARD, "keys", "list", home=tmp_path)).out.splitlines()
    key_id = json.loads(listed)["id"]
    line = (
        f"Error: Key {key_id} is valid, but its secret could not be written (No space left on device) and is not "
        f"shown again. End it: switchboard keys revoke {key_id}. Or give it another: switchboard keys rotate {key_id} --force\n"
    )
    rotated = await run(*shell, SWITCHBOARD, "keys", "rotate", key_id, home=tmp_path)
    assert created == rotated == Finished(1, "", line)


@pytest.mark.parametrize("command", ["revoke", "rotate"])
async def test_a_key_that_is_not_there_is_told_so(tmp_path: Path, command: str) -> None:
    """With where its ID is to be found."""
    refused = await run(SWITCHBOARD, "keys", command, "a" * 16, home=tmp_path)
    assert (refused.code, refused.out, UNKNOWN in refused.err) == (1, "", True)


@pytest.mark.parametrize(
    ("host", "trusted", "statuses"),
    [
        ("127.0.0.1", "127.0.0.1", [401, 429, 401]),
        ("127.0.0.1", "", [401, 429, 429]),
        pytest.param("::", "127.0.0.0/8", [401, 429, 401], marks=SIX),
        pytest.param("::", "10.0.0.0/8", [401, 429, 429], marks=SIX),
    ],
)
async def test_wrong_keys_count_for_who_presents_them(
    tmp_path: Path, host: str, trusted: str, statuses: list[int]
) -> None:
    """Behind a proxy that is trusted that is whom it names; anybody else may write into the header what they like.

    A socket of IPv6 shows a proxy of IPv4 by another address, which is known as well.
    """
    serve = (SWITCHBOARD, "serve", "--sandbox", "--host", host, "--port", "0")
    few = {"SWITCHBOARD_FAILED_KEYS": "1", "SWITCHBOARD_TRUSTED_PROXIES": trusted}
    async with (
        started(*serve, home=tmp_path, until="Key", **few) as gateway,
        httpx.AsyncClient(base_url=gateway.url.replace("[::1]", "127.0.0.1")) as http,
    ):
        asked = [
            await http.post(
                "/graphql", json={"query": VIEWER}, headers={"x-api-key": "wrong", "x-forwarded-for": address}
            )
            for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
        ]
        assert [each.status_code for each in asked] == statuses
