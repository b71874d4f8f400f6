"""The ports of a request: each is made once, and only if somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.main import Gateway
from app.ports import PORTS, Finders, Ports, RequestContext
from app.registry import VENDORS
from app.security.keys import GatewayKey
from app.settings import read_settings
from app.shedding import LoadShedder
from schema.types.status import Viewer
from schema.vendor import Environment, Vendor


def _context(made: list[str]) -> RequestContext:
    def maker(name: str) -> Callable[[Ports], str]:
        return lambda _: made.append(name) or name  # type: ignore[func-returns-value]  # notes it

    viewer = Viewer(key_id="k", name="K", environment=Environment.TEST, scopes=[])
    return RequestContext("q", None, Ports(viewer, {name: maker(name) for name in PORTS}))


def test_a_port_is_made_when_it_is_first_asked_for() -> None:
    """And never again."""
    made: list[str] = []
    context = _context(made)
    assert (context.request_id, context.idempotency_key, context.viewer.key_id, made) == ("q", None, "k", [])
    assert [getattr(context, name) for name in ("people", "people", "links")] == ["people", "people", "links"]
    assert made == ["people", "links"]


def test_what_is_no_port_is_not_there() -> None:
    """As with any object."""
    with pytest.raises(AttributeError):
        _context([]).nonsense  # noqa: B018  # what reading it comes to


def test_a_finder_is_made_when_its_vendor_is_to_be_asked() -> None:
    """Which vendors there are can be told before."""
    made: list[str] = []
    ports = Ports(_context([]).viewer, {"a": lambda _: made.append("a"), "b": lambda _: made.append("b")})
    finders = Finders(ports, {Vendor.BIRD: "a", Vendor.ARTU: "b"})
    assert (list(finders), len(finders), Vendor.REEVO in finders, made) == ([Vendor.BIRD, Vendor.ARTU], 2, False, [])
    assert finders.get(Vendor.ARTU) is ports["b"]
    assert made == ["b"]


def test_every_port_of_the_schema_can_be_made(tmp_path: Path) -> None:
    """The gateway knows how, and each vendor's finder is one of them."""
    gateway = Gateway(
        read_settings({"SWITCHBOARD_DATABASE_URL": f"sqlite:///{tmp_path / 'db'}"}, VENDORS), LoadShedder()
    )
    assert gateway._make_ports().keys() >= PORTS  # noqa: SLF001  # who adds a port adds how it is made
    assert {each.finder for each in VENDORS if each.finder is not None} < PORTS
    assert GatewayKey("k", "K", Environment.TEST, ("read",)).viewer.scopes == ["read"]
