"""Every key of a run is a canary: one mark is in all of them, new in each run and each worker.

So it is enough to look for one word, whatever key it came from; what follows it in a key says whose that is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from app.registry import VENDORS
from app.security import keys, signing

MARK = f"cnry{secrets.token_hex(4)}"
"""Small letters and digits alone, so it stays as it is where a key is escaped; short, so half a key is found too."""

KINDS = (
    *("architect", "bird", "artu", "reevo", "vendor"),
    *("secret", "gateway", "wrong", "token", "metrics", "database", "store"),
)
"""Whose a canary may be."""


def canary(kind: str) -> str:
    """A key of this kind, with characters that URLs, JSON and HTML escape."""
    assert kind in KINDS
    return f"a?{MARK}{kind}/+=&<"


def wrong_key() -> str:
    """A gateway key of the right form that opens nothing."""
    return f"sk_test_{'a' * 16}_{_marked('wrong', 'b' * 43)}"


def mark_keys(patch: pytest.MonkeyPatch) -> None:
    """From now on what opens the sandboxes in this process, new gateway keys and new secrets beside databases are canaries."""
    mark_sandboxes({name: canary(name) for name in _sandboxes()}, patch)
    draw, write = keys._random, signing._write_once  # noqa: SLF001  # where chance comes in

    def drawn(alphabet: str, length: int) -> str:
        text = draw(alphabet, length)
        return _marked("gateway", text) if length > 16 else text

    def written(path: Path, secret: str) -> None:
        write(path, _marked("secret", secret))

    patch.setattr(keys, "_random", drawn)
    patch.setattr(signing, "_write_once", written)


def mark_sandboxes(given: Mapping[str, str], patch: pytest.MonkeyPatch) -> None:
    """Has the sandboxes want these keys, by the vendors' names in small letters."""
    for name, sandbox in _sandboxes().items():
        patch.setattr(sandbox, "SANDBOX_KEY", given[name])
        patch.setitem(sandbox.create_sandbox.__kwdefaults__, "key", given[name])


def sandbox_keys() -> Mapping[str, str]:
    """What opens the sandboxes, by the vendors' names in small letters."""
    return {name: sandbox.SANDBOX_KEY for name, sandbox in _sandboxes().items()}


def _sandboxes() -> Mapping[str, ModuleType]:
    names: Iterator[str] = (spec.vendor.value.lower() for spec in VENDORS)
    return {name: import_module(f"app.vendors.{name}.sandbox") for name in names}


def _marked(kind: str, text: str) -> str:
    mark = MARK + kind
    return mark + text[len(mark) :]
