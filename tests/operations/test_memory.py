"""What the gateway remembers: across requests, across restarts, and never across environments."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.main import open_signer
from app.registry import VENDORS
from app.sandbox.world import build_world
from app.security.keys import Keys
from app.settings import read_settings
from app.transactions import Transactions
from schema.vendor import Environment
from tests.databases import open_engine
from tests.gateway import Answer, Gateway, UpstreamCall, gateway, recorded_sandboxes

LOG = {"emailAddress": "ada@example.com", "name": "Ada", "source": "web", "payload": {"n": 1}}
LOOK = """query($person: ID!, $log: ID!, $activity: ID!) {
    person(id: $person) { name emailAddresses }
    log: node(id: $log) { ... on ProspectLog { payload } }
    activity(id: $activity) { subject description }
}"""
SEEN = {
    "person": {"name": "Ada", "emailAddresses": ["ada@example.com"]},
    "log": {"payload": {"n": 1}},
    "activity": {"subject": "Met", "description": "In the rain"},
}


async def test_what_one_request_made_the_next_one_knows(empty: Gateway) -> None:
    """Three records that no vendor gives back, without a call."""
    made = await _make(empty)
    assert (await empty.ask(LOOK, made)).data == SEEN
    assert empty.calls() == []


async def test_memory_outlives_the_gateway(tmp_path: Path) -> None:
    """The same database file, opened by another gateway while all vendors are gone."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as first:
            made = await _make(first)
    async with gateway(environ, tmp_path / "switchboard.db", upstream) as second:
        assert (await second.ask(LOOK, made)).data == SEEN


async def test_a_read_is_remembered_by_the_time_the_gateway_has_closed(tmp_path: Path) -> None:
    """What is stored behind the caller's back is stored before the end."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=True) as environ:
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as first:
            query = "query($id: ID!) { activities(of: { accountId: $id }, first: 1) { nodes { id subject } } }"
            listed = await first.ask(query, {"id": build_world().companies[0].account_id})
    [activity] = listed.data["activities"]["nodes"]
    async with gateway(environ, tmp_path / "switchboard.db", upstream) as second:
        again = await second.ask("query($id: ID!) { activity(id: $id) { id subject } }", {"id": activity["id"]})
    assert again.data == {"activity": activity}


async def test_a_live_key_sees_nothing_of_test(tmp_path: Path) -> None:
    """Its memory is another one, and its vendors are its own: without credentials there are none."""
    upstream: list[UpstreamCall] = []
    database = tmp_path / "switchboard.db"
    with recorded_sandboxes(upstream, demo=False) as environ:
        async with gateway(environ, database, upstream) as served:
            made = await _make(served)
            key = await _key(environ, database, Environment.LIVE)
            live = await served.ask(LOOK, made, key=key)
            contacts = await served.ask("{ contacts { nodes { id } } viewer { environment } }", key=key)
            assert served.calls() == []
    assert (live.data, live.errors) == ({"person": None, "log": None, "activity": None}, [])
    assert contacts.data == {"contacts": None, "viewer": {"environment": "LIVE"}}
    assert _extensions(contacts) == [{"code": "VENDOR_NOT_CONFIGURED", "retryable": False, "vendor": "BIRD"}]


async def test_a_key_reaches_the_vendors_of_its_own_environment(tmp_path: Path) -> None:
    """With Bird configured for LIVE alone, a TEST key doesn't reach it, and a LIVE key does."""
    upstream: list[UpstreamCall] = []
    database = tmp_path / "switchboard.db"
    with recorded_sandboxes(upstream, demo=True) as environ:
        live_bird = {name.removeprefix("TEST_"): value for name, value in environ.items() if "_BIRD_" in name}
        async with gateway(live_bird, database, upstream) as served:
            keys = {each: await _key(live_bird, database, each) for each in Environment}
            query = "{ contacts(first: 1) { nodes { displayName } } }"
            test = await served.ask(query, key=keys[Environment.TEST])
            assert (test.data, served.calls()) == ({"contacts": None}, [])
            live = await served.ask(query, key=keys[Environment.LIVE])
            assert len(served.calls()) == 1
    assert _extensions(test) == [{"code": "VENDOR_NOT_CONFIGURED", "retryable": False, "vendor": "BIRD"}]
    assert live.data == {"contacts": {"nodes": [{"displayName": "Ada Andersen"}]}}


async def _make(served: Gateway) -> dict[str, Any]:
    """A person with a prospect log, and an activity: their IDs."""
    log = (await served.run("create_prospect_log", {"input": LOG}))["createProspectLog"]
    given = {"subject": "Met", "description": "In the rain"}
    activity = (await served.run("log_activity", {"input": given}))["logActivity"]["activity"]
    person_id = log["prospect"]["vendorRecord"]["id"]
    return {"person": person_id, "log": log["prospectLog"]["id"], "activity": activity["id"]}


async def _key(environ: Mapping[str, str], database: Path, environment: Environment) -> str:
    """A new key, made as the command makes one: beside the gateway that runs."""
    settings = read_settings({"SWITCHBOARD_DATABASE_URL": f"sqlite:///{database}", **environ}, VENDORS)
    engine = open_engine(settings.database_url)
    try:
        return await Keys(Transactions(engine), open_signer(settings)).create("test", environment, ["*"])
    finally:
        await engine.dispose()


def _extensions(answer: Answer) -> list[Any]:
    return [error["extensions"] for error in answer.errors]
