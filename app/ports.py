"""The ports of one request: each is made when it is first asked for, since nearly all requests use one or two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeAlias

from app.links.resolve import Finder
from app.loaders import forget_loaders
from schema.context import Context
from schema.types.status import Viewer
from schema.vendor import Vendor

PORTS = frozenset(each.name for each in fields(Context)) - {"viewer", "request_id", "idempotency_key"}

Make: TypeAlias = "Callable[[Ports], Any]"


class Ports(dict[str, Any]):
    """Ports by their names in schema.context.Context, for one request or one delivery, and what they are made of."""

    __slots__ = ("_makers", "viewer")

    def __init__(self, viewer: Viewer, makers: Mapping[str, Make]) -> None:
        self.viewer = viewer
        self._makers = makers

    def __missing__(self, name: str) -> Any:
        made = self[name] = self._makers[name](self)
        return made

    def let_go(self) -> None:
        """Ports work with each other, and with loaders that work with them: left so, they would stay until the collector comes."""
        for port in self.values():
            forget_loaders(port)
        self.clear()


class Finders(Mapping[Vendor, Finder]):
    """The ports that find parties by identifiers; `names` of them by vendor."""

    def __init__(self, ports: Ports, names: Mapping[Vendor, str]) -> None:
        self._ports = ports
        self._names = names

    def __getitem__(self, vendor: Vendor) -> Finder:
        finder: Finder = self._ports[self._names[vendor]]
        return finder

    def __iter__(self) -> Iterator[Vendor]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class RequestContext(Context):
    """A context whose ports are those."""

    def __init__(self, request_id: str, idempotency_key: str | None, ports: Ports) -> None:
        own = self.__dict__
        own["viewer"] = ports.viewer
        own["request_id"] = request_id
        own["idempotency_key"] = idempotency_key
        own["_ports"] = ports

    def __getattr__(self, name: str) -> Any:
        if name not in PORTS:
            raise AttributeError(name)
        port = self.__dict__[name] = self._ports[name]  # the next time nobody asks here
        return port
