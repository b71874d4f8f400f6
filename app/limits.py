"""The numbers that a document is held to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one document may come to; see the README for what each counts."""

    source: int = 64 * 1024
    tokens: int = 10_000
    fragments: int = 200
    directives: int = 50
    depth: int = 20
    aliases: int = 100
    fields: int = 2_000
    repeats: int = 20_000
    mutations: int = 10
    cost: int = 50_000
