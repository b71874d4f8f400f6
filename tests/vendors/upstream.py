"""A vendor's client under test: over fixture answers that keep every request, or over the vendor's own sandbox."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from app.rest import Rest
from app.sandbox.world import World
from app.transport.through_httpx import ThroughHttpx
from app.vendor import VendorSpec
from tests.canaries.keys import canary

FIXTURES = Path(__file__).parent.parent / "fixtures"
KEY = canary("vendor")
WORKSPACE = "a1405560-c8d3-4b1a-877d-3f449ad95352"
_OWN_HEADERS = ("x-api-key", "authorization", "x-environment", "content-type", "cookie")


def fixture(name: str) -> Any:
    """The JSON of a fixture such as `bird/contact`."""
    return json.loads((FIXTURES / f"{name}.json").read_bytes())


@dataclass
class Upstream:
    """A vendor that answers what it is told. `requests`: method, path with query, own headers, body of each."""

    client: Any
    respond: Callable[[], httpx.Response]
    requests: list[tuple[str, str, Mapping[str, str], Any]] = field(default_factory=list)

    def answers(self, status: int, content: Any = None) -> None:
        """From now on every request is answered so; `content` is JSON, or bytes as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.respond = lambda: httpx.Response(status, stream=httpx.ByteStream(body))

    def handle(self, request: httpx.Request) -> httpx.Response:
        headers = {name: request.headers[name] for name in _OWN_HEADERS if name in request.headers}
        body = json.loads(request.content) if request.content else None
        self.requests.append((request.method, request.url.raw_path.decode(), headers, body))
        return self.respond()


@asynccontextmanager
async def upstream(spec: VendorSpec) -> AsyncIterator[Upstream]:
    """A vendor's client over fixture answers, in environment test."""
    values = {name: SecretStr(WORKSPACE if name.endswith("_ID") else KEY) for name in spec.variables}
    told = Upstream(None, lambda: httpx.Response(500, stream=httpx.ByteStream(b"")))
    async with _http(spec, httpx.MockTransport(told.handle), values) as http:
        told.client = spec.client(Rest(spec.vendor, ThroughHttpx(http), spec.complaint, timeout=5), values)
        yield told


@asynccontextmanager
async def sandboxed(spec: VendorSpec, world: World | None = None) -> AsyncIterator[Any]:
    """A vendor's client over a new sandbox of that vendor."""
    values = {name: SecretStr(value) for name, value in spec.sandbox_values().items()}
    async with _http(spec, httpx.ASGITransport(spec.sandbox(world)), values) as http:
        yield spec.client(Rest(spec.vendor, ThroughHttpx(http), spec.complaint, timeout=5), values)


def _http(spec: VendorSpec, transport: httpx.AsyncBaseTransport, values: Mapping[str, SecretStr]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url="http://vendor", auth=spec.auth(values, "test"), transport=transport)
