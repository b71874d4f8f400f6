"""What pages are served with: a policy that names all they may do, and files that stay where they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from app.pages.graphiql import BUILT, Assets, GraphiQL, example_variables
from app.security.keys import SANDBOX_KEY
from app.trusted import TrustedDocument, own_documents
from tests.documents.conftest import KEY
from tests.gateway import Gateway

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

pytestmark = pytest.mark.asyncio(loop_scope="module")

_NONCE = re.compile(r"'nonce-([\w-]{24})'")


async def test_graphiql_runs_its_own_scripts_only(served: Gateway) -> None:
    """A nonce of its own for each answer; connections, workers and fonts of this server."""
    answers = [await served.http.get("/graphql", headers=HTML) for _ in range(2)]
    policies = [each.headers["content-security-policy"] for each in answers]
    found = [_NONCE.findall(each) for each in policies]
    assert found[0] != found[1]
    nonce = found[0][0]
    elsewhere = "" if (BUILT / "built.json").is_file() else " https://cdn.jsdelivr.net"
    assert policies[0] == (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'{elsewhere}; style-src 'self' 'unsafe-inline'{elsewhere}; "
        f"img-src 'self' data:; font-src 'self' data:{elsewhere}; connect-src 'self' ws://gateway wss://gateway; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; worker-src 'self'"
    )
    assert answers[0].text.count(f'nonce="{nonce}"') == 2
    assert answers[0].headers["cache-control"] == "no-store"


async def test_the_page_of_receipts_has_a_stricter_policy(served: Gateway) -> None:
    """No styles but its own files, no scripts but its own file."""
    answer = await served.http.get("/receipts", headers=HTML)
    assert _NONCE.sub("'nonce'", answer.headers["content-security-policy"]) == (
        "default-src 'none'; script-src 'self' 'nonce'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert SANDBOX_KEY in answer.text


@pytest.mark.parametrize("host", ["a b", "evil.example; script-src *", "a'b", "a\tb"])
async def test_a_host_that_is_none_is_left_out_of_the_policy(served: Gateway, host: str) -> None:
    """Whoever calls chooses it."""
    answer = await served.http.get("/graphql", headers={**HTML, "host": host})
    assert host not in answer.headers.get("content-security-policy", "")


async def test_no_example_ends_the_script_that_holds_it(tmp_path: Path) -> None:
    """Whatever stands in a document that a front end brought."""
    hostile = "</script><script>alert(1)</script>\u2028<!--"
    document = TrustedDocument("a", f"# {hostile}\nquery a {{ viewer {{ name }} }}")
    app = GraphiQL([document], None, built=tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
        shown = (await http.get("/graphql", headers=HTML)).text
    _, _, rest = shown.partition('<script type="application/json"')
    held = rest.partition(">")[2].partition("</script>")[0]
    assert json.loads(held)["examples"][0]["query"] == document.text


async def test_every_operation_has_an_example_or_needs_none() -> None:
    """Who opens one from the menu can press the button."""
    needs = [each.id for each in own_documents() if each.operation.variable_definitions]
    assert sorted(example_variables()) == sorted(needs)


@pytest.mark.usefixtures("built")
async def test_what_has_its_hash_in_its_name_never_changes(served: Gateway) -> None:
    """A browser fetches it once."""
    file = next(BUILT.glob("chunk-*.js"))
    answer = await served.http.get(f"/assets/{file.name}")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await served.http.get("/assets/graphiql.js")).headers["cache-control"] == "no-cache"


async def test_where_nothing_was_built_nothing_is_found(tmp_path: Path) -> None:
    """Without npm at set-up the folder is not there."""
    app = Starlette(routes=[Mount("/assets", Assets(tmp_path / "none"))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
        assert (await http.get("/assets/graphiql.js")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/pages/receipts.js", "/pages/receipts.css", "/pages/graphiql.css", "/pages/icon.svg"]
)
async def test_a_file_is_asked_for_again(served: Gateway, path: str) -> None:
    """So that a new version is seen; what has not changed is not sent again."""
    answer = await served.http.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = await served.http.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    ["/pages/", "/pages/../graphiql.py", "/pages/%2e%2e/graphiql.py", "/pages/..%2fgraphiql.py", "/assets/%2e%2e/policy.py",
     "/assets/none.js", "/assets//etc/passwd", "/pages/%00", "/pages/" + "a" * 5000, "/pages/%ff"],
)  # fmt: skip
async def test_no_other_file_is_served(served: Gateway, path: str) -> None:
    """In the form of all that is not found."""
    answer = await served.http.get(path)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


async def test_the_parts_of_the_page_need_a_key(served: Gateway) -> None:
    """They are pieces of HTML under a policy that lets nothing run."""
    refused = await served.http.get("/receipts/writes")
    assert (refused.status_code, refused.text) == (
        401,
        '<p class="wrong" role="alert">Send a valid gateway key: Authorization: Bearer … or x-api-key: ….</p>',
    )
    shown = await served.http.get("/receipts/writes", headers=KEY)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert shown.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    "query", ["state=DONE", "after=nonsense", "find=%00", "find=%ff", "state=UNKNOWN&state=", "&" * 5000]
)
async def test_odd_addresses_are_answered(served: Gateway, query: str) -> None:
    """With what can be shown, or with what is wrong with them."""
    answer = await served.http.get(f"/receipts/writes?{query}", headers=KEY)
    assert answer.status_code in {200, 400}
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
