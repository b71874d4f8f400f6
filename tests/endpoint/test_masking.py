"""What nobody foresaw is masked: the caller gets a request ID, the operator finds it in the log, without texts."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url
from starlette.responses import PlainTextResponse

from app.endpoint import GraphQLEndpoint
from app.execution.execution import Execution
from app.limits import Limits
from app.migrate import migrate
from app.security.door import Door
from app.security.keys import SANDBOX_KEY, GatewayKey, Keys
from app.security.rates import FailedKeys
from app.security.signing import Signer, secret_beside
from app.transactions import Transactions
from schema.build import build_schema
from schema.context import Context
from schema.types.status import Viewer
from tests.databases import open_engine

Asker = Callable[..., Any]


class Broken:
    """Fills any port, and fails at whatever is asked of it."""

    def __getattr__(self, _: str) -> Callable[..., Any]:
        async def fail(*_: object) -> Any:
            raise RuntimeError("secret 42")

        return fail


def _context(key: GatewayKey, request_id: str, idempotency_key: str | None) -> Context:
    viewer = Viewer(key_id=key.id, name=key.name, environment=key.environment, scopes=list(key.scopes))
    broken: Any = Broken()
    ports = (
        "ledger",
        "receipts",
        "links",
        "people",
        "prospects",
        "person_logs",
        "prospect_logs",
        "contact_book",
        "contact_methods",
        "activities",
        "live",
    )
    return Context(
        viewer=viewer,
        request_id=request_id,
        idempotency_key=idempotency_key,
        vendors=broken,
        **dict.fromkeys(ports, broken),
    )


def _no_context(_: GatewayKey, request_id: str, __: str | None) -> Context:
    raise RuntimeError(f"secret 42 of {request_id}")


@pytest.fixture
async def asking(tmp_path: Path) -> AsyncIterator[Asker]:
    """Asks an endpoint whose contexts come from a factory of the test's own."""
    database = tmp_path / "switchboard.db"
    engine = open_engine(make_url(f"sqlite+aiosqlite:///{database}"))
    await migrate(engine)
    keys = Keys(Transactions(engine), Signer(secret_beside(database)), sandbox=True)

    async def ask(query: str, context: Callable[[GatewayKey, str, str | None], Context] = _context) -> httpx.Response:
        streams: Any = Broken()
        endpoint = GraphQLEndpoint(
            Execution(build_schema(), Limits()),
            Door(keys, None, FailedKeys(0)),
            context,
            PlainTextResponse("a page"),
            limits=Limits(),
            streams=streams,
        )
        async with httpx.AsyncClient(transport=httpx.ASGITransport(endpoint), base_url="http://gateway") as http:
            return await http.post("/graphql", json={"query": query}, headers={"x-api-key": SANDBOX_KEY})

    yield ask
    await engine.dispose()


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("vendors", "{ vendors { vendor } }"),
        ("contacts", "{ contacts { nodes { id } } }"),
        ("profile", '{ profile(by: {emailAddress: "a@x.example"}) { displayName } }'),
        ("logActivity", 'mutation { logActivity(input: {subject: "x"}) { errors { message } } }'),
    ],
)
async def test_a_fault_in_a_port_is_masked_and_logged(
    asking: Asker, caplog: pytest.LogCaptureFixture, field: str, query: str
) -> None:
    """The answer and the log line share a request ID; neither holds the exception's text."""
    caplog.set_level(logging.DEBUG)
    response = await asking(query)
    request_id = response.headers["x-request-id"]
    assert (response.status_code, response.json()["data"]) == (200, {field: None})
    [error] = response.json()["errors"]
    assert (error["message"], error["path"]) == ("Internal error", [field])
    assert error["extensions"] == {"code": "INTERNAL_ERROR", "requestId": request_id}
    assert _logged(caplog) == [("internal error", request_id, "RuntimeError")]
    assert "secret 42" not in response.text + _everything(caplog)


async def test_a_fault_takes_no_other_field_with_it(asking: Asker) -> None:
    """Root fields are nullable, so that what can be answered is."""
    response = await asking("{ vendors { vendor } viewer { name } }")
    assert response.json()["data"] == {"vendors": None, "viewer": {"name": "Sandbox"}}


async def test_a_fault_before_anything_runs_is_masked_too(asking: Asker, caplog: pytest.LogCaptureFixture) -> None:
    """As 500, in the same form."""
    response = await asking("{ viewer { name } }", _no_context)
    request_id = response.headers["x-request-id"]
    extensions = {"code": "INTERNAL_ERROR", "requestId": request_id}
    assert response.status_code == 500
    assert response.json() == {"errors": [{"message": "Internal error", "extensions": extensions}]}
    assert _logged(caplog) == [("internal error", request_id, "RuntimeError")]
    assert "secret 42" not in response.text + _everything(caplog)


async def test_no_two_requests_share_an_id(asking: Asker) -> None:
    """So that a request ID leads to one line of the log."""
    ids = [(await asking("{ viewer { name } }")).headers["x-request-id"] for _ in range(3)]
    assert len(set(ids)) == len(ids)


def _logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    errors = [vars(record) for record in caplog.records if record.levelno >= logging.ERROR]
    return [(record["message"], record["request_id"], record["error"]) for record in errors]


def _everything(caplog: pytest.LogCaptureFixture) -> str:
    return "".join(f"{vars(record)} {record.exc_text}" for record in caplog.records)
