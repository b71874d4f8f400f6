"""What a served gateway answers besides operations."""

from __future__ import annotations

from pathlib import Path

from tests.cli.command import LAST_LINE, SWITCHBOARD, started


async def test_health_and_graphiql_need_no_key(tmp_path: Path) -> None:
    """/livez and /readyz answer; a browser is shown GraphiQL with the sandbox key filled in; other GETs are refused."""
    serve = (SWITCHBOARD, "serve", "--sandbox", "--port", "0")
    async with started(*serve, home=tmp_path, until=LAST_LINE) as gateway, gateway.http() as http:
        alive = await http.get("/livez")
        assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
        page = await http.get("/graphql", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "graphiql" in page.text
        assert "Bearer sk_test_sandbox" in page.text
        refused = await http.get("/graphql", headers={"accept": "application/json"})
        assert refused.status_code == 401


async def test_without_sandboxes_there_is_no_key_to_fill_in(tmp_path: Path) -> None:
    """Without --sandbox GraphiQL is shown as it is, and the sandbox key opens nothing, whatever the environment says."""
    serve = (SWITCHBOARD, "serve", "--port", "0")
    stale = {"SWITCHBOARD_SANDBOX_KEY": "on", "SWITCHBOARD_SANDBOXED": "BIRD"}
    async with started(*serve, home=tmp_path, until="GraphQL", **stale) as gateway:
        assert gateway.lines == [f"GraphQL   {gateway.url}/graphql"]
        async with gateway.http() as http:
            page = await http.get("/graphql", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "sk_test_sandbox" not in page.text
        assert (await gateway.ask("{ viewer { name } }")).status_code == 401


async def test_on_a_reachable_address_the_sandbox_key_is_not_taken(tmp_path: Path) -> None:
    """Where others can connect, everybody's key opens nothing; the announcement says to make one."""
    serve = (SWITCHBOARD, "serve", "--sandbox", "--host", "0.0.0.0", "--port", "0")  # noqa: S104  # that is the test
    async with started(*serve, home=tmp_path, until="Key", SWITCHBOARD_SANDBOX_KEY="on") as gateway:
        assert gateway.lines == [
            f"GraphQL   {gateway.url}/graphql (GraphiQL in a browser)",
            "Key       make one: switchboard keys create --name me --environment test --scope '*'",
        ]
        assert (await gateway.ask("{ viewer { name } }")).status_code == 401
