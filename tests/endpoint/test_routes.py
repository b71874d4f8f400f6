"""What is asked elsewhere, or in another way than by POST, is refused in the same form as all the rest."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.security.keys import SANDBOX_KEY
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = {"authorization": f"Bearer {SANDBOX_KEY}"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
async def test_another_method_is_refused(served: Gateway, method: str) -> None:
    """With the methods that are served."""
    response = await served.http.request(method, "/graphql", headers=KEY, json={"query": "{ viewer { name } }"})
    message = "Send queries by GET or POST, mutations by POST."
    assert response.status_code == 405
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "METHOD_NOT_ALLOWED"}}]}
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


async def test_options_says_what_is_served_here(served: Gateway) -> None:
    """Without a key: it is the same for everybody."""
    response = await served.http.options("/graphql")
    assert (response.status_code, response.headers["allow"], response.content) == (204, "GET, HEAD, POST, OPTIONS", b"")


@pytest.mark.parametrize("path", ["/graphql.php", "/v1/graphql", "/favicon.ico", "/%00", "/../etc/passwd"])
async def test_another_path_is_not_found(served: Gateway, path: str) -> None:
    """In GraphQL's error form, saying where operations go."""
    response = await served.http.post(path, headers=KEY, json={"query": "{ viewer { name } }"})
    message = "Nothing is served here. Send operations to /graphql."
    assert response.status_code == 404
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "NOT_FOUND"}}]}


async def test_a_fault_on_any_other_path_is_masked_too(served: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """As JSON, with the ID of the request; what happened is in the log alone."""

    async def fail(_: Request) -> Response:
        raise RuntimeError("secret 42")

    served.app.router.routes.insert(0, Route("/fails", fail))
    response = await served.http.get("/fails")
    request_id = response.headers["x-request-id"]
    [error] = response.json()["errors"]
    assert (response.status_code, error["extensions"]) == (500, {"code": "INTERNAL_ERROR", "requestId": request_id})
    assert "secret 42" not in response.text + "".join(record.getMessage() for record in caplog.records)


async def test_the_part_of_a_page_may_be_asked_for_with_anything(served: Gateway) -> None:
    """However many parameters there are, and whatever they are called."""
    response = await served.http.get("/receipts/writes?state=UNKNOWN" + "&a=1" * 17, headers=KEY)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_the_root_leads_to_graphiql(served: Gateway) -> None:
    """Who types the address that the gateway announces gets somewhere."""
    response = await served.http.get("/", headers={"accept": "text/html"})
    assert (response.status_code, response.headers["location"]) == (307, "/graphql")


async def test_graphiql_needs_no_key(served: Gateway) -> None:
    """The page is for everyone; with the sandboxes it opens with their key filled in."""
    page = await served.http.get("/graphql", headers={"accept": "text/html"})
    assert f"Bearer {SANDBOX_KEY}" in page.text
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert served.upstream == []


async def test_graphiql_is_not_for_who_does_not_take_it(served: Gateway) -> None:
    """A page that is named to be refused is no browser's wish (RFC 9110, section 12.5.1)."""
    for accept in (
        "application/json, text/html;q=0",
        "application/json, text/html; q=0.0",
        "application/json, x/text/html",
    ):
        response = await served.http.get("/graphql", headers={"accept": accept})
        assert (response.status_code, response.headers["content-type"]) == (401, "application/json; charset=utf-8")


@pytest.mark.parametrize(
    ("asked", "status"), [("bytes=0-1", 206), ("Bytes=0-1", 206), ("lines=0-1", 200), ("bytes=99999999-", 416)]
)
async def test_a_part_of_a_file_is_asked_for_in_bytes(served: Gateway, asked: str, status: int) -> None:
    """Any other unit is passed over (RFC 9110, section 14.2)."""
    response = await served.http.get("/pages/receipts.js", headers={"range": asked})
    assert response.status_code == status
    assert status == 416 or (len(response.content) == 2) is (status == 206)
