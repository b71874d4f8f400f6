"""One operation while it is answered: what it waits for, what went wrong, and graphql-core for what is out of the ordinary."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from types import CoroutineType
from typing import Any, TypeAlias

from graphql import GraphQLError, located_error
from graphql.execution import Executor
from graphql.execution.executor import CollectedErrors
from strawberry.execution import optimized_is_awaitable

from app.execution.positions import Position, is_within, path_of

Complete: TypeAlias = "Callable[[Any, Answering, Position], Any]"
"""Makes of a resolved value what is answered at a position; raises what leaves a null there or above.

Where the answer is still to come it returns None, and the position is filled later.
"""


class Answering:
    """`executor` is made by `make_executor` when something needs the way of graphql-core."""

    __slots__ = (
        "_executor",
        "_idle",
        "_make_executor",
        "_orphans",
        "_stopped",
        "collected",
        "context",
        "data",
        "fresh",
        "variables",
        "waiting",
    )

    def __init__(self, context: Any, variables: dict[str, Any], make_executor: Callable[[], Executor[None]]) -> None:
        self.context = context
        self.variables = variables
        self.collected = CollectedErrors()
        self.data: dict[str, Any] | None = None
        self.fresh: list[tuple[Awaitable[Any], Position, Complete]] = []
        self.waiting: set[_Wait] = set()
        self._make_executor = make_executor
        self._executor: Executor[None] | None = None
        self._idle: asyncio.Future[None] | None = None
        self._orphans: list[asyncio.Future[Any]] = []
        self._stopped: BaseException | None = None

    @property
    def executor(self) -> Executor[None]:
        if self._executor is None:
            self._executor = self._make_executor()
            self._executor.collected_errors = self.collected
            self._executor.with_abort_signal = self._shield  # type: ignore[method-assign]  # through which it awaits all
        return self._executor

    def complete(self, value: Any, position: Position) -> Any:
        """What graphql-core makes of a value: the way of everything that compiled code declines. A Complete."""
        if optimized_is_awaitable(value):
            self.fresh.append((value, position, _complete))
            return None
        place = position[3]
        path = path_of(position)
        executor = self.executor
        info = executor.build_resolve_info(place.definition, place.nodes, place.parent, path)
        completed = executor.complete_value(place.type, place.details, info, path, value, None)
        if optimized_is_awaitable(completed):
            self.fresh.append((completed, position, _keep))
            return None
        return completed

    def fail(self, error: Exception, position: Position) -> None:
        """Leaves a null at a position, or raises if none may stand there."""
        located = self._located(error, position)
        if not position[3].is_nullable:
            raise located
        self.collected.add(located, path_of(position))
        if located is error:  # it comes from beneath, where something may have been set going
            self._abandon(position)

    async def settle(self) -> None:
        """Waits until nothing is left to wait for."""
        try:
            while self.fresh:
                if len(self.fresh) > 1:
                    await self._settle_all()
                    continue
                awaitable, position, complete = self.fresh.pop()
                try:  # what there is to await alone is awaited in this task, and takes no other
                    value = await awaitable
                except Exception as error:  # noqa: BLE001  # whatever a resolver raises is an error of its field
                    self.fail_late(error, position)
                else:
                    self._fill(value, position, complete)
        finally:
            if self.fresh or self.waiting or self._orphans:
                await self._end()

    async def _settle_all(self) -> None:
        self._start()
        if self.waiting:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
        if self._stopped is not None:
            raise self._stopped

    def _start(self) -> None:
        """Sets going all that is fresh."""
        loop = asyncio.get_running_loop()
        while self.fresh:
            batch, self.fresh = self.fresh, []
            for awaitable, position, complete in batch:
                future = (
                    loop.create_task(awaitable) if isinstance(awaitable, CoroutineType) else _future(awaitable, loop)
                )
                wait = _Wait(future, position, complete, future is not awaitable)
                self.waiting.add(wait)
                future.add_done_callback(partial(self._arrive, wait))

    def _arrive(self, wait: _Wait, future: asyncio.Future[Any]) -> None:
        """Takes the outcome of what was waited for."""
        if wait not in self.waiting:
            if not future.cancelled():
                future.exception()  # or asyncio would say that nobody looked
            return
        self.waiting.discard(wait)
        try:
            self._fill(future.result(), wait.position, wait.complete)
        except Exception as error:  # noqa: BLE001  # whatever a resolver raises is an error of its field
            self.fail_late(error, wait.position)
        except BaseException as stop:  # noqa: BLE001  # such as CancelledError: it ends the operation, in its own task
            self._stopped = stop
            self._wake()
            return
        if self.fresh and (self.waiting or len(self.fresh) > 1):
            self._start()
        if not self.waiting:
            self._wake()

    def _fill(self, value: Any, position: Position, complete: Complete) -> None:
        try:
            position[1][position[2]] = complete(value, self, position)
        except Exception as error:  # noqa: BLE001  # what can't be answered is an error of its field
            self._abandon(position)
            self.fail_late(error, position)

    def fail_late(self, error: Exception, position: Position) -> None:
        """Leaves a null at the nearest position that may hold one, when those above were already filled."""
        located = self._located(error, position)
        above: Position | None = position
        while above is not None and not above[3].is_nullable:
            above = above[0]
        if above is None:
            self.collected.add(located, None)
            self.data = None
        else:
            self.collected.add(located, path_of(above))
            above[1][above[2]] = None
        if above is not position:
            self._abandon(above)

    def fail_root(self, error: Exception) -> None:
        """Leaves a null in place of the data."""
        self.collected.add(error if isinstance(error, GraphQLError) else located_error(error), None)
        self.data = None
        self._abandon(None)

    def _located(self, error: Exception, position: Position) -> GraphQLError:
        return located_error(error, position[3].nodes, path_of(position).as_list())

    def _abandon(self, position: Position | None) -> None:
        """Waits no more for what would stand beneath a null. It is ended with the operation.

        Not at once, for what it waits for may be waited for by others too.
        """
        fresh, self.fresh = self.fresh, []
        for entry in fresh:
            if is_within(entry[1], position):
                _close(entry[0])
            else:
                self.fresh.append(entry)
        orphans = {each for each in self.waiting if is_within(each.position, position)}
        self.waiting -= orphans
        self._orphans.extend(each.future for each in orphans if each.is_own)

    async def _end(self) -> None:
        """Ends all that still runs for this operation."""
        for awaitable, _, _ in self.fresh:
            _close(awaitable)
        left = [*self._orphans, *(wait.future for wait in self.waiting if wait.is_own)]
        self.fresh, self._orphans, self.waiting = [], [], set()
        for future in left:
            future.cancel()
        if left:
            await asyncio.gather(*left, return_exceptions=True)

    async def _shield(self, awaitable: Awaitable[Any]) -> Any:
        """Awaits for graphql-core, which cancels at once what a null makes superfluous."""
        future = asyncio.ensure_future(awaitable)
        if future is not awaitable:
            self._orphans.append(future)
        return await asyncio.shield(future)

    def _wake(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)


@dataclass(eq=False, slots=True)
class _Wait:
    """Something under way, and where its outcome goes."""

    future: asyncio.Future[Any]
    position: Position
    complete: Complete
    is_own: bool


def _complete(value: Any, answering: Answering, position: Position) -> Any:
    return answering.complete(value, position)


def _keep(value: Any, answering: Answering, position: Position) -> Any:  # noqa: ARG001  # a Complete
    return value


def _future(awaitable: Awaitable[Any], loop: asyncio.AbstractEventLoop) -> asyncio.Future[Any]:
    """Of what is no coroutine: a future as it is, anything else in a task."""
    if isinstance(awaitable, asyncio.Future) and awaitable.get_loop() is loop:
        return awaitable
    return loop.create_task(_wait_for(awaitable))


async def _wait_for(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _close(awaitable: Awaitable[Any]) -> None:
    """So that nothing warns that it was never awaited."""
    if isinstance(awaitable, CoroutineType):
        awaitable.close()
