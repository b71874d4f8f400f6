"""Brings the sandboxes back to how they started, and makes the gateway forget what passed through from them."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from starlette.types import Receive, Scope, Send

from app.answers import Answer, Answers
from app.bad_request import BadRequest
from app.head import Head
from app.links.records import Memory
from app.negotiation import JSON_TYPE
from app.sandbox.reset import PATH
from app.security.door import Door
from app.telemetry import current_request_id
from schema.access import EVERYTHING
from schema.vendor import Environment, Vendor

_SECONDS = 10.0


class DemoReset:
    """`POST /demo/reset`, an ASGI app. Receipts stay: they tell what was sent, whatever became of it."""

    def __init__(self, door: Door, memory: Memory, sandboxes: Mapping[Vendor, str]) -> None:
        self._door = door
        self._memory = memory
        self._sandboxes = sandboxes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answers = Answers(JSON_TYPE, current_request_id())
        try:
            answer = await self._answer(Head(scope))
        except BadRequest as refused:
            answer = answers.bad(refused)
        await answer(scope, receive, send)

    async def _answer(self, head: Head) -> Answer:
        key = await self._door.admit(head)
        if key.environment is not Environment.TEST or EVERYTHING not in key.scopes:
            raise BadRequest(403, "FORBIDDEN", "Only a TEST key with the scope * can bring the demo world back.")
        try:
            await self._reset()
        except httpx.HTTPError:
            raise BadRequest(503, "VENDOR_UNAVAILABLE", "A sandbox does not answer: restart the gateway.") from None
        return Answer(204, [(b"cache-control", b"no-store")], b"")

    async def _reset(self) -> None:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as http:
            for base_url in self._sandboxes.values():
                (await http.delete(base_url + PATH)).raise_for_status()
        await self._memory.settled()
        await self._memory.forget(Environment.TEST, list(self._sandboxes))
