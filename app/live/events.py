"""GraphQL over server-sent events, in distinct connections mode: one request, one stream, `next` events and a `complete`.

Protocol: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. Only subscriptions are answered so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import ExitStack, aclosing
from typing import Any, NoReturn, TypeVar

from graphql import GraphQLError
from starlette.types import Receive, Scope, Send

from app.answers import Answers, encode
from app.bad_request import BadRequest
from app.execution.document import Operation
from app.execution.refused import Refused
from app.head import Head
from app.live.connections import Caller, Connections, KeyLost
from app.live.operations import Answer, Operations, refusal
from app.negotiation import JSON_TYPE, kept, names
from app.security.door import Door
from app.security.keys import GatewayKey
from app.stopping import draining
from app.telemetry import current_request_id

E = TypeVar("E", bound=Exception)
STREAM_TYPE = "text/event-stream"
_HEADERS = (
    (b"content-type", f"{STREAM_TYPE}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy that collects an answer before it passes it on would keep all events
    (b"x-content-type-options", b"nosniff"),
)
_HEARTBEAT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"  # without data a browser would drop it


class _Ended(Exception):
    """The stream is at its end; `error` says why, if it is not the end of what was asked for."""

    def __init__(self, error: GraphQLError | None = None, *, is_gone: bool = False) -> None:
        super().__init__()
        self.error = error
        self.is_gone = is_gone


class EventStreams:
    """Answers subscriptions over HTTP."""

    def __init__(self, operations: Operations, connections: Connections, door: Door) -> None:
        self._operations = operations
        self._connections = connections
        self._door = door

    async def open(
        self,
        head: Head,
        key: GatewayKey,
        operation: Operation,
        variables: Mapping[str, Any] | None,
        headers: Sequence[tuple[bytes, bytes]],
    ) -> EventStream:
        """The stream of a subscription, which was admitted. `headers` stand beside its own. Raises BadRequest if the client
        does not take one.
        """
        if not takes_stream(head.headers.get(b"accept")):
            message = "Send a subscription by WebSocket (graphql-transport-ws), or with Accept: text/event-stream."
            raise BadRequest(406, "SUBSCRIPTION_NEEDS_STREAM", message)
        caller = Caller(self._door, head, key)
        started = await self._operations.subscribe(caller, operation, variables)
        if isinstance(started, Answer):
            return EventStream(self._connections, caller, _alone(started), started.result.errors, headers)
        return EventStream(self._connections, caller, self._operations.follow(caller, started), headers=headers)

    def refused(self, head: Head, key: GatewayKey, refused: Refused) -> EventStream:
        """The stream for who takes nothing else: what is wrong with the document is told in an event."""
        told = refusal(refused.errors, suggests=refused.suggests)
        return EventStream(self._connections, Caller(self._door, head, key), _alone(told))


@kept
def takes_stream(accept: bytes | None) -> bool:
    """Whether a client that sends this header names event streams; one that takes anything does not expect them."""
    return names(accept, STREAM_TYPE)


class EventStream:
    """The answers of one operation, as an ASGI app that takes as long as they do."""

    def __init__(
        self,
        connections: Connections,
        caller: Caller,
        answers: AsyncGenerator[Answer, None],
        errors: Sequence[GraphQLError] | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self.errors = errors
        self._headers = headers
        self._connections = connections
        self._caller = caller
        self._answers = answers
        self._as_json = Answers(JSON_TYPE, current_request_id())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with ExitStack() as places:
            try:
                places.enter_context(self._connections.one())
                places.enter_context(self._connections.of(self._caller.key))
            except BadRequest as refused:
                await self._as_json.bad(refused)(scope, receive, send)
                return
            headers = [*_HEADERS, *self._headers, (b"x-request-id", self._as_json.request_id.encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            ended = await self._tell_all(scope, receive, send)
            if ended.is_gone:
                return
            last = _next({"errors": self._as_json.errors([ended.error])}) if ended.error is not None else b""
            await send({"type": "http.response.body", "body": last + _COMPLETE})

    async def _tell_all(self, scope: Scope, receive: Receive, send: Send) -> _Ended:
        """Sends what comes until something ends it: the answers, the client, the key, or the gateway."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_beat(send, self._connections.limits.heartbeat))
                tasks.create_task(_until_gone(receive))
                tasks.create_task(_until_draining(scope))
                tasks.create_task(_until_key_is_lost(self._caller, self._connections.limits.key_check))
                async with aclosing(self._answers):
                    async for answer in self._answers:
                        await _write(send, _event(answer, self._as_json))
                tasks.create_task(_end())
        except* _Ended as group:
            ended = _first(group)
        except* Exception as group:  # noqa: BLE001  # the edge: it is masked where it is written
            ended = _Ended(GraphQLError("", original_error=_first(group)))
        return ended


async def _alone(answer: Answer) -> AsyncGenerator[Answer, None]:
    yield answer


def _event(answer: Answer, as_json: Answers) -> bytes:
    if answer.is_refusal:
        return _next({"errors": as_json.errors(answer.result.errors or (), suggests=answer.suggests)})
    return _next(as_json.payload(answer.result))


async def _end() -> NoReturn:
    raise _Ended


async def _beat(send: Send, every: float) -> NoReturn:
    while True:
        await asyncio.sleep(every)
        await _write(send, _HEARTBEAT)


async def _until_gone(receive: Receive) -> NoReturn:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise _Ended(is_gone=True)


async def _until_draining(scope: Scope) -> NoReturn:
    await draining(scope).wait()
    message = "The gateway is being stopped. Subscribe again."
    raise _Ended(GraphQLError(message, extensions={"code": "GATEWAY_STOPPING"}))


async def _until_key_is_lost(caller: Caller, every: float) -> NoReturn:
    try:
        await caller.watch(every)
    except KeyLost:
        message = "The gateway key is no longer valid. Subscribe again with another."
        raise _Ended(GraphQLError(message, extensions={"code": "UNAUTHENTICATED"})) from None


async def _write(send: Send, event: bytes) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": True})


def _next(content: Any) -> bytes:
    return b"event: next\ndata: " + encode(content) + b"\n\n"  # JSON has no line breaks of its own


def _first(group: ExceptionGroup[E]) -> E:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
