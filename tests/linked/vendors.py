"""Vendors under test: the demo sandboxes, any of them behind an app of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.types import ASGIApp

from app.registry import VENDORS
from app.sandbox.server import serving
from app.sandbox.world import build_world
from app.serving import loopback_sockets, sandbox_environ
from schema.vendor import Vendor
from tests.gateway import Gateway, Recorder, UpstreamCall, gateway

Wrap = Callable[[ASGIApp], ASGIApp]


@asynccontextmanager
async def behind(database: Path, wrapped: Mapping[Vendor, Wrap], environ: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """A gateway over the demo world, with these vendors wrapped and these settings on top."""
    upstream: list[UpstreamCall] = []
    sockets, world = loopback_sockets(VENDORS), build_world()
    apps: dict[str, ASGIApp] = {}
    for spec in VENDORS:
        wrap, sandbox = wrapped.get(spec.vendor), spec.sandbox(world)
        apps[spec.vendor.value] = Recorder(spec.vendor.value, wrap(sandbox) if wrap else sandbox, upstream)
    with serving(apps, sockets):
        settings = sandbox_environ(VENDORS, sockets, "127.0.0.1") | dict(environ)
        async with gateway(settings, database, upstream) as served:
            yield served
