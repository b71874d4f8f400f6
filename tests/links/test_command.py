"""`switchboard links`: an operator sees and deletes what a gateway remembers of one human being."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.world import Human, build_world
from tests.cli.command import Finished, run
from tests.gateway import UpstreamCall, gateway, recorded_sandboxes

ADA: Human = build_world().humans[0]
LINKS = (sys.executable, "-m", "app.cli", "links")
NOTHING = Finished(1, "", "Error: Nothing is remembered of them.\n")
PROFILE = "https://www.linkedin.com/in/ada-example"
SEE = """query($party: PartyRef!, $account: ID!) {
  contacts(first: 5) { nodes { id } }
  profile(by: $party) { contacts { id } contactMethods { nodes { id } } activities { nodes { id } } }
  activities(of: { accountId: $account }) { nodes { id } }
}"""


async def test_what_a_gateway_has_seen_is_shown_and_forgotten(tmp_path: Path) -> None:
    """By phone and by e-mail it is the same human being; forgotten, nothing is left but everybody else."""
    upstream: list[UpstreamCall] = []
    url = f"sqlite:///{tmp_path / 'switchboard.db'}"
    with recorded_sandboxes(upstream, demo=True) as environ:
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as served:
            seen = await served.ask(SEE, {"party": {"emailAddress": ADA.email}, "account": ADA.company.account_id})
            assert seen.errors == []

    async def links(*arguments: str) -> Finished:
        return await run(*LINKS, *arguments, home=tmp_path, SWITCHBOARD_DATABASE_URL=url)

    shown = await links("show", "--phone", ADA.phone)
    assert (shown.code, shown.err) == (0, "")
    [found] = map(json.loads, shown.out.splitlines())
    assert (found["environment"], found["sharedByTooMany"]) == ("TEST", [])
    kinds = {(each["vendor"], each["kind"]) for each in found["records"]}
    assert {("BIRD", "contact"), ("ARTU", "contact_method"), ("REEVO", "contact")} <= kinds
    assert {ADA.email, ADA.phone} <= {each["value"] for each in found["identifiers"]}
    assert await links("show", "--email", ADA.email.upper()) == shown
    assert await links("show", "--id", ADA.uuid("bird/contact"), "--environment", "test") == shown
    assert await links("show", "--email", ADA.email, "--environment", "live") == NOTHING
    assert (await links("show", "--email", "robin@switchboard.example")).code == 0, "who met her, and is no contact"
    assert await links("forget", "--email", ADA.email) == shown
    assert await links("show", "--phone", ADA.phone) == NOTHING
    assert await links("forget", "--id", ADA.uuid("bird/contact")) == NOTHING
    assert (await links("show", "--email", build_world().humans[1].email)).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give exactly one of --email, --phone, --linkedin and --id."),
        (["--email", "a@x.example", "--id", "1"], "Give exactly one of --email, --phone, --linkedin and --id."),
        (["--email", "ada"], "Invalid value for --email: this is not an e-mail address, such as ada@example.com."),
        (
            ["--phone", "0612345678"],
            "Invalid value for --phone: this is not an international phone number, such as +31612345678.",
        ),
        (
            ["--linkedin", "https://example.com/in/x"],
            f"Invalid value for --linkedin: this is not a LinkedIn profile, such as {PROFILE}.",
        ),
    ],
    ids=["nobody", "two", "email", "phone", "linkedin"],
)
async def test_what_names_nobody_is_a_usage_error(tmp_path: Path, arguments: list[Any], message: str) -> None:
    """The message says what is expected; nothing is deleted."""
    refused = await run(*LINKS, "forget", *arguments, home=tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines()[-1] == f"Error: {message}"
