"""GraphQL over WebSocket: the subprotocol graphql-transport-ws, for subscriptions, queries and mutations.

Own code, for Strawberry's handler has one context for all that a connection asks, and executes by itself: here each answer
has a context, a deadline and a request ID of its own, errors are masked as over HTTP, and everything is bounded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, aclosing, suppress
from typing import Any

from graphql import GraphQLError
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.answers import Answers, encode
from app.bad_request import BadRequest
from app.execution.refused import Refused
from app.head import Head
from app.live.connections import Caller, Connections, KeyLost
from app.live.messages import SUBPROTOCOL, Closing, Code, Message, read_message
from app.live.operations import Operations
from app.negotiation import JSON_TYPE
from app.request import GraphQLRequest
from app.security.door import Door
from app.stopping import draining
from app.telemetry import current_request_id, describe

_CREDENTIALS = (b"authorization", b"x-api-key")
_log = logging.getLogger(__name__)


class WebSockets:
    """Serves GraphQL on WebSockets."""

    def __init__(
        self, operations: Operations, connections: Connections, door: Door, origins: frozenset[str] = frozenset()
    ) -> None:
        """`origins` are those of pages on other sites that may connect."""
        self._operations = operations
        self._connections = connections
        self._door = door
        self._origins = origins

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from its handshake to its end."""
        if not _is_welcome(socket.headers, self._origins):
            message = "Pages of this origin may not connect. Ask the gateway's operator to list it."
            await deny(socket, BadRequest(403, "FORBIDDEN_ORIGIN", message))
            return
        if draining(socket.scope).is_set():
            await deny(socket, BadRequest(503, "OVERLOADED", "The gateway is being stopped. Connect again."))
            return
        with ExitStack() as places:
            try:
                places.enter_context(self._connections.one())
            except BadRequest as refused:
                await deny(socket, refused)
                return
            with suppress(WebSocketDisconnect):
                await self._accept(socket, places)

    async def _accept(self, socket: WebSocket, places: ExitStack) -> None:
        if SUBPROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.accept()
            await socket.close(Code.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            return
        await socket.accept(SUBPROTOCOL)
        await _Session(socket, self._operations, self._connections, self._door, places).run()


class _Session:
    """What happens on one connection. Whatever ends it raises Closing in one of its tasks, and takes the others with it."""

    def __init__(
        self, socket: WebSocket, operations: Operations, connections: Connections, door: Door, places: ExitStack
    ) -> None:
        self._socket = socket
        self._operations = operations
        self._connections = connections
        self._door = door
        self._places = places
        self._caller: Caller | None = None
        self._is_initialised = False
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._as_json = Answers(JSON_TYPE, current_request_id())

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._leave_when_draining())
                await self._receive()
        except* Closing as closings:
            await self._close(_first(closings))
        except* WebSocketDisconnect:
            pass
        except* Exception as errors:  # noqa: BLE001  # the edge: nothing behind it would mask what this says
            _log.error("a connection failed", extra=describe(errors.exceptions[0]))
            await self._close(Closing(Code.INTERNAL_ERROR, "Internal error"))

    async def _receive(self) -> None:
        try:
            async with asyncio.timeout(self._connections.limits.init) as self._patience:
                while True:
                    await self._take(read_message(await self._next_text()))
        except TimeoutError:
            if self._is_initialised:
                raise Closing(Code.IDLE, "Idle") from None
            raise Closing(Code.INITIALISATION_TIMEOUT, "Connection initialisation timeout") from None

    async def _next_text(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise Closing
        text = message.get("text")
        if text is None:
            raise Closing(Code.BAD_REQUEST, "Messages must be text.")
        return str(text)

    async def _take(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                await self._initialise(message.payload or {})
            case "subscribe" if message.request is not None:
                self._subscribe(message.id, message.request)
            case "complete":
                self._complete(message.id)
            case "ping":
                await self._send("pong", content=message.payload)

    async def _initialise(self, given: Mapping[str, Any]) -> None:
        if self._is_initialised:
            raise Closing(Code.TOO_MANY_INITIALISATION_REQUESTS, "Too many initialisation requests")
        self._is_initialised = True
        head = _head(self._socket, given)
        try:
            self._caller = Caller(self._door, head, await self._door.admit(head))
            self._places.enter_context(self._connections.of(self._caller.key))
        except BadRequest as refused:
            raise _refused(refused) from None
        self._tasks.create_task(self._leave_without_key(self._caller))
        self._rest()
        await self._send("connection_ack")

    def _subscribe(self, operation_id: str, request: GraphQLRequest) -> None:
        if self._caller is None:
            raise Closing(Code.UNAUTHORIZED, "Unauthorized")
        if operation_id in self._under_way:
            raise Closing(Code.SUBSCRIBER_ALREADY_EXISTS, f"Subscriber for {operation_id} already exists")
        is_full = len(self._under_way) >= self._connections.limits.subscriptions
        refused = self._refuse(operation_id, [self._connections.full()]) if is_full else None
        work = refused or self._operate(self._caller, operation_id, request)
        task = self._under_way[operation_id] = self._tasks.create_task(work)
        task.add_done_callback(lambda done: self._forget(operation_id, done))
        self._patience.reschedule(None)

    async def _operate(self, caller: Caller, operation_id: str, request: GraphQLRequest) -> None:
        try:
            async with aclosing(self._operations.ask(caller, request)) as answers:
                async for answer in answers:
                    if answer.is_refusal:
                        await self._refuse(operation_id, answer.result.errors or ())
                        return
                    await self._send("next", operation_id, self._as_json.payload(answer.result))
        except Refused as refused:
            await self._refuse(operation_id, refused.errors, suggests=refused.suggests)
        except BadRequest as refused:
            extensions = {"code": refused.code, **refused.facts}
            await self._refuse(operation_id, [GraphQLError(str(refused), extensions=extensions)])
        except WebSocketDisconnect:
            raise
        except Exception as error:  # noqa: BLE001  # the edge: it is masked where it is written
            await self._refuse(operation_id, [GraphQLError("", original_error=error)])
        else:
            self._under_way.pop(operation_id, None)  # its ID may be used again once the client has read this
            await self._send("complete", operation_id)

    async def _refuse(self, operation_id: str, errors: Sequence[GraphQLError], *, suggests: bool = False) -> None:
        """Ends an operation with errors."""
        self._under_way.pop(operation_id, None)
        await self._send("error", operation_id, self._as_json.errors(errors, suggests=suggests))

    def _complete(self, operation_id: str) -> None:
        task = self._under_way.pop(operation_id, None)
        if task is not None:
            task.cancel()
            self._rest()

    def _forget(self, operation_id: str, done: asyncio.Task[None]) -> None:
        if self._under_way.get(operation_id) is done:
            del self._under_way[operation_id]
        self._rest()

    def _rest(self) -> None:
        """With nothing under way the time that the connection may be idle begins."""
        if not self._under_way:
            with suppress(RuntimeError):  # the connection is at its end
                self._patience.reschedule(asyncio.get_running_loop().time() + self._connections.limits.idle)

    async def _send(self, type_: str, operation_id: str | None = None, content: Any = None) -> None:
        message = {"type": type_}
        if operation_id is not None:
            message["id"] = operation_id
        if content is not None:
            message["payload"] = content
        await self._socket.send_text(encode(message).decode())

    async def _leave_when_draining(self) -> None:
        await draining(self._socket.scope).wait()
        raise Closing(Code.GOING_AWAY, "The gateway is being stopped")

    async def _leave_without_key(self, caller: Caller) -> None:
        try:
            await caller.watch(self._connections.limits.key_check)
        except KeyLost:
            raise Closing(Code.FORBIDDEN, "Forbidden") from None

    async def _close(self, closing: Closing) -> None:
        if closing.code is not None:
            with suppress(WebSocketDisconnect):
                await self._socket.close(closing.code, closing.reason)


def _is_welcome(headers: Mapping[str, str], origins: frozenset[str]) -> bool:
    """Whether it is no page of another site, or one that is listed: browsers ask nobody before they connect (RFC 6455, 10.2)."""
    origin = headers.get("origin")
    return origin is None or origin in origins or origin.partition("://")[2] == headers.get("host")


def _head(socket: WebSocket, given: Mapping[str, Any]) -> Head:
    """The head of the handshake, with the credentials in the payload of connection_init in the place of its own."""
    lowered = {name.lower().encode(): value for name, value in given.items()}
    presented = [(name, lowered[name].encode()) for name in _CREDENTIALS if isinstance(lowered.get(name), str)]
    pairs: list[tuple[bytes, bytes]] = socket.scope["headers"]
    if presented:
        pairs = [(name, value) for name, value in pairs if name not in _CREDENTIALS] + presented
    return Head({**socket.scope, "method": "GET", "headers": pairs})


def _refused(refused: BadRequest) -> Closing:
    """A refusal at the door, as a client understands it: whether to try again is in the code."""
    if refused.status in {401, 403}:
        return Closing(Code.FORBIDDEN, "Forbidden")
    return Closing(Code.TRY_AGAIN_LATER, refused.code)


async def deny(socket: WebSocket, refused: BadRequest) -> None:
    """Answers a handshake as a request over HTTP is refused."""
    answer = Answers(JSON_TYPE, current_request_id()).bad(refused)
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    await socket.send_denial_response(Response(answer.body, answer.status, headers))


def _first(group: ExceptionGroup[Closing]) -> Closing:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
