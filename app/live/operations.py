"""Runs the operations of a connection: one answer to a query or a mutation, one to each event of a subscription."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, cast

from graphql import (
    ExecutionResult,
    Executor,
    GraphQLError,
    OperationType,
    create_source_event_stream,
    execute_subscription_event,
)

from app.bad_request import BadRequest
from app.current import Shedder, begin
from app.documents import Documents
from app.execution.admission import admit
from app.execution.document import Operation
from app.execution.execution import Execution
from app.execution.refused import Refused
from app.limits import Limits
from app.live.connections import Caller
from app.request import GraphQLRequest
from app.security.keys import GatewayKey
from app.security.rates import Budget
from app.telemetry import Operation as Watched
from app.telemetry import Telemetry, current_request_id
from schema.access import SCHEMA_READ, may
from schema.context import Context

OpenContext = Callable[[GatewayKey, str, str | None], Context]


@dataclass(frozen=True)
class Answer:
    """One execution's outcome. `is_refusal`: nothing was run, or nothing more will be. `suggests`: its errors may say what
    was meant.
    """

    result: ExecutionResult
    is_refusal: bool
    suggests: bool = False


@dataclass(frozen=True)
class Followed:
    """A subscription under way: what happens, and what makes an answer of it."""

    executor: Executor[Any]
    events: AsyncGenerator[Any, None]


@dataclass(frozen=True)
class Operations:
    """Runs operations, each with a context and a deadline (in seconds) of its own, and so each event of a subscription.

    `shedder` may refuse what is new; never an event, which nobody could ask for again.
    """

    execution: Execution
    documents: Documents
    context: OpenContext
    limits: Limits
    budget: Budget | None
    telemetry: Telemetry
    seconds: float
    shedder: Shedder

    async def ask(self, caller: Caller, request: GraphQLRequest) -> AsyncGenerator[Answer, None]:
        """The answers to a request, in their order; the last may be a refusal. Raises Refused and BadRequest."""
        with self.telemetry.operation() as watched:
            operation = await self._admit(caller, request, watched)
            watched.runs()
            started = await self._start(caller, operation, request.variables)
            result = started.result if isinstance(started, Answer) else ExecutionResult({})
            watched.answers(result.data, result.errors)
        if isinstance(started, Answer):
            yield started
            return
        async for answer in self.follow(caller, started):
            yield answer

    async def subscribe(
        self, caller: Caller, operation: Operation, variables: Mapping[str, Any] | None
    ) -> Followed | Answer:
        """Begins to follow what a subscription asks for; an answer if it can't be."""
        executor = self.execution.subscribe(operation, variables)
        if isinstance(executor, list):
            return refusal(executor)
        async with self._new_work():
            executor.context_value = self._context(caller)
            created = create_source_event_stream(executor)
            source = await created if isawaitable(created) else created
        if isinstance(source, ExecutionResult):
            return Answer(source, is_refusal=True)
        return Followed(executor, cast("AsyncGenerator[Any, None]", source))

    async def follow(self, caller: Caller, followed: Followed) -> AsyncGenerator[Answer, None]:
        """An answer to each event."""
        async with aclosing(followed.events) as events:
            while True:
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    return
                except Exception as error:  # noqa: BLE001  # the edge: it is masked where it is written
                    yield refusal([GraphQLError(str(error), original_error=error)])
                    return
                yield await self._tell(caller, followed.executor.build_per_event_executor(event))

    async def _admit(self, caller: Caller, request: GraphQLRequest, watched: Watched) -> Operation:
        key = caller.key
        suggests = may(key.scopes, SCHEMA_READ)
        try:
            text = self.documents.text(request, key.environment)
            operation = self.execution.prepare(text, request.operation_name, suggests=suggests)
            watched.asks(operation.kind, operation.name)
            cost = admit(operation, request.variables, key.viewer, None, self.limits)
            if self.budget is not None:
                await self.budget.spend(key.account, cost)
        except Refused as refused:
            self.telemetry.turned_away("", refused.errors[0].extensions or {})
            raise
        except BadRequest as refused:
            self.telemetry.turned_away(refused.code, refused.facts)
            raise
        return operation

    async def _start(
        self, caller: Caller, operation: Operation, variables: Mapping[str, Any] | None
    ) -> Followed | Answer:
        if operation.type is OperationType.SUBSCRIPTION:
            return await self.subscribe(caller, operation, variables)
        async with self._new_work():
            return _answer(await self.execution.run(operation, variables, self._context(caller)))

    @asynccontextmanager
    async def _new_work(self) -> AsyncIterator[None]:
        request = begin(current_request_id(), self.seconds, self.shedder)
        try:
            yield
        finally:
            if request.room.wait is not None:
                self.telemetry.turned_away("OVERLOADED", {})
            await request.end()

    async def _tell(self, caller: Caller, executor: Executor[Any]) -> Answer:
        current = begin(current_request_id(), self.seconds)
        executor.context_value = self._context(caller)
        try:
            result = execute_subscription_event(executor)
            return _answer(await result if isawaitable(result) else result)
        finally:
            await current.end()

    def _context(self, caller: Caller) -> Context:
        return self.context(caller.key, current_request_id(), None)


def refusal(errors: Sequence[GraphQLError], *, suggests: bool = False) -> Answer:
    """The answer where nothing is run."""
    return Answer(ExecutionResult(None, list(errors)), is_refusal=True, suggests=suggests)


def _answer(result: ExecutionResult) -> Answer:
    return Answer(result, result.data is None and all(error.path is None for error in result.errors or ()))
