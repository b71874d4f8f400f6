"""Gateways with trusted documents: one for all tests of a file that change nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from app.security.keys import SANDBOX_KEY
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

KEY = {"authorization": f"Bearer {SANDBOX_KEY}"}
NewGateway = Callable[..., Awaitable[Gateway]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def new_gateway(tmp_path_factory: Any) -> AsyncIterator[NewGateway]:
    """Makes gateways with these settings over sandboxes with the demo world."""
    async with AsyncExitStack() as stack:
        upstream: list[UpstreamCall] = []
        environ = stack.enter_context(recorded_sandboxes(upstream, demo=True))

        async def make(**variables: str) -> Gateway:
            database: Path = tmp_path_factory.mktemp("gateway") / "switchboard.db"
            return await stack.enter_async_context(gateway({**environ, **variables}, database, upstream))

        yield make


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(new_gateway: NewGateway) -> Gateway:
    """A gateway as it comes."""
    return await new_gateway()


async def post(served: Gateway, body: Mapping[str, Any], key: str = SANDBOX_KEY) -> httpx.Response:
    """One request to /graphql."""
    return await served.http.post("/graphql", json=body, headers={"authorization": f"Bearer {key}"})


def code(answer: httpx.Response) -> str:
    """The code of the first error."""
    found: str = answer.json()["errors"][0]["extensions"]["code"]
    return found
