"""The shape that every vendor package fills, and what it is given to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.types import ASGIApp

from app.links.records import Records
from app.links.resolve import Links
from app.loaders import forget_loaders
from app.paging import Cursors
from app.rest import Rest
from app.sandbox.world import World
from app.security.signing import Signer
from app.verdict import Complaint
from schema.types.status import Viewer
from schema.vendor import Environment, Vendor

_ENVIRONMENTS = {each: each.value for each in Environment}


@dataclass  # not frozen: each request makes one, and that takes thrice the time
class Scope:
    """What the adapters of one request work with."""

    viewer: Viewer
    records: Records
    signer: Signer
    ports: Mapping[str, Any]
    """All ports of the request, by name: some work with others."""
    assumed: frozenset[Vendor] = frozenset()
    """The vendors whose undocumented calls may be made."""

    @cached_property
    def links(self) -> Links:
        """Who is who, as far as this request has found out."""
        links: Links = self.ports["links_of_request"]
        return links

    def forget(self) -> None:
        """Has everything asked anew that this request has asked: a write has changed something."""
        for port in self.ports.values():
            forget_loaders(port)
        self.links.forget()

    @cached_property
    def cursors(self) -> Callable[..., Cursors]:
        """Makes the cursors of a question, whatever it consists of, in this environment."""
        return partial(Cursors, self.signer, _ENVIRONMENTS[self.viewer.environment])


@dataclass(frozen=True)
class VendorSpec:
    """One vendor, in its package's `__init__`."""

    vendor: Vendor
    base_url: str
    """The vendor's own address, without a path."""
    variables: tuple[str, ...]
    """The environment variables without which it is not configured."""
    capabilities: tuple[str, ...]
    """The root fields that it serves."""
    auth: Callable[[Mapping[str, SecretStr], str], HeaderAuth]
    """How a request is authenticated, from the variables' values and the environment (test or live)."""
    complaint: Callable[[Any], Complaint]
    """Reads the vendor's error body, already parsed as JSON."""
    paths: Mapping[str, str]
    """The paths of its calls by operation, as telemetry shows them: with the names of IDs in place of IDs."""
    client: Callable[[Rest, Mapping[str, SecretStr]], Any]
    """The client over a Rest; without credentials the mapping is empty."""
    adapters: Mapping[str, Callable[[Any, Scope], Any]]
    """What makes the ports that it fills, by their names in schema.context.Context, for one request."""
    sandbox: Callable[[World | None], ASGIApp]
    """The built-in stand-in."""
    sandbox_values: Callable[[], Mapping[str, str]]
    """The variables' values with which the sandbox lets one in."""
    finder: str | None = None
    """The port that finds its parties by identifiers (app.links.resolve.Finder), where it can be asked."""
    assumed: str | None = None
    """What its undocumented calls are good for, where it has any; a setting switches them on."""


class HeaderAuth(httpx.Auth):
    """Puts secret headers on a request as it is sent, so that they stand in no client's repr."""

    def __init__(self, headers: Callable[[], Mapping[str, str]]) -> None:
        self._headers = headers

    def headers(self) -> Mapping[str, str]:
        """The secret headers."""
        return self._headers()

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers.update(self.headers())
        yield request
