"""A gateway under test: the real app over the real sandboxes on real sockets, with every upstream call on record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx
from sqlalchemy.engine import URL
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from app.main import create_app, open_signer
from app.migrate import migrated
from app.registry import VENDORS
from app.sandbox.server import serving
from app.sandbox.world import build_world
from app.security.keys import SANDBOX_KEY, Keys
from app.serving import loopback_sockets, sandbox_environ
from app.settings import Settings, read_settings
from app.shedding import LoadShedder
from app.transactions import Transactions
from schema.vendor import Environment
from tests.databases import open_engine

T = TypeVar("T")
QUERIES = Path(__file__).parent.parent / "queries"
PATIENT = {"SWITCHBOARD_VENDOR_TIMEOUT": "60"}
"""What a machine with much else to do may take."""


class Unhurried(LoadShedder):
    """Lets in as many as at first, however late the loop is: tests share it with their client and the vendors."""

    def note(self, lag: float, used: float) -> None:
        pass


@dataclass(frozen=True)
class UpstreamCall:
    """One request that reached a sandbox. `body` is its JSON, or None without one."""

    vendor: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Recorder:
    """Stands in front of a sandbox and records what reaches it."""

    vendor: str
    app: ASGIApp
    calls: list[UpstreamCall]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path = scope["path"] + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        parsed = json.loads(body) if body else None
        self.calls.append(UpstreamCall(self.vendor, scope["method"], path, headers, parsed))
        read = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay() -> Any:
            return next(read, None) or await receive()

        await self.app(scope, replay, send)


@dataclass
class Answer:
    """An answer of the gateway: its HTTP response, and its JSON taken apart."""

    response: httpx.Response
    data: Any = None
    errors: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Gateway:
    """A served gateway, asked over HTTP. `upstream` is every call that reached a sandbox, in order."""

    http: httpx.AsyncClient
    app: Starlette
    upstream: list[UpstreamCall]
    settings: Settings

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, *, key: str = SANDBOX_KEY) -> Answer:
        """Asks one operation; `upstream` is emptied first."""
        self.upstream.clear()
        response = await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers={"authorization": f"Bearer {key}"}
        )
        body = response.json()
        return Answer(response, body.get("data"), body.get("errors", []))

    async def run(self, name: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The data of the operation in `queries/{name}.graphql`; there must be no errors."""
        answer = await self.ask((QUERIES / f"{name}.graphql").read_text("utf-8"), variables)
        assert answer.errors == []
        return answer.data

    async def new_key(self, *scopes: str, environment: Environment = Environment.TEST) -> str:
        """A key with these scopes, made as the command makes one: beside the running gateway."""
        return await self.with_keys(lambda keys: keys.create("Test", environment, scopes))

    async def with_keys(self, work: Callable[[Keys], Awaitable[T]]) -> T:
        """What `work` does to the gateway's keys, from outside."""
        engine = open_engine(self.settings.database_url)
        try:
            return await work(Keys(Transactions(engine), open_signer(self.settings)))
        finally:
            await engine.dispose()

    def calls(self) -> list[str]:
        """The upstream calls of the last operation, as `VENDOR METHOD /path`."""
        return [f"{call.vendor} {call.method} {call.path}" for call in self.upstream]


async def give_tables(database: Path) -> None:
    """All tables in a database that is not there yet: to make them anew for each test takes longer than most."""
    if not _made:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "made.db"
            async with migrated(URL.create("sqlite", database=str(file))):
                pass
            _made.append(await asyncio.to_thread(file.read_bytes))
    await asyncio.to_thread(_lay, database, _made[0])


_made: list[bytes] = []


def _lay(database: Path, content: bytes) -> None:
    if not database.exists():
        database.touch(mode=0o600)
        database.write_bytes(content)


@contextmanager
def recorded_sandboxes(upstream: list[UpstreamCall], *, demo: bool) -> Iterator[dict[str, str]]:
    """The four sandboxes on sockets; yields the environment variables that lead to them."""
    sockets = loopback_sockets(VENDORS)
    world = build_world() if demo else None
    apps = {spec.vendor.value: Recorder(spec.vendor.value, spec.sandbox(world), upstream) for spec in VENDORS}
    with serving(apps, sockets):
        yield sandbox_environ(VENDORS, sockets, "127.0.0.1")


@asynccontextmanager
async def gateway(environ: Mapping[str, str], database: Path, upstream: list[UpstreamCall]) -> AsyncIterator[Gateway]:
    """The gateway with these settings, over a SQLite database in a file."""
    await give_tables(database)
    settings = read_settings({"SWITCHBOARD_DATABASE_URL": f"sqlite:///{database}", **PATIENT, **environ}, VENDORS)
    app = create_app(settings, Unhurried())
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
            yield Gateway(http, app, upstream, settings)
