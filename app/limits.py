"""The numbers that a document, and whoever follows what happens, are held to."""

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


@dataclass(frozen=True)
class LiveLimits:
    """How much may be followed at a time, and for how long. Times are in seconds."""

    connections: int = 1000
    """WebSockets and event streams of one process."""
    connections_per_key: int = 100
    """The same of one gateway key."""
    subscriptions: int = 50
    """Operations under way on one WebSocket."""
    idle: float = 60.0
    """How long a WebSocket may stay open with nothing under way."""
    key_check: float = 30.0
    """How often it is made sure that the key still opens the gateway."""
    init: float = 3.0
    """How long a WebSocket may take to say who is asking."""
    heartbeat: float = 12.0
    """How often an event stream shows that it is alive, for the proxies on its way."""
