"""New activities: what this gateway logs is told at once, what others log as soon as the vendor has been asked.

The vendor offers no push, so it is asked again and again for what was created lately; one poller serves all who follow the
same subject in the same environment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from app.current import begin
from app.telemetry import describe, new_request_id
from schema.drafts import ActivityDraft
from schema.errors import GatewayError, RateLimited, Refusal, VendorUnavailable
from schema.pages import LARGEST_PAGE
from schema.ports import ActivityLog, ActivityQuery
from schema.types.activity import Activity
from schema.types.identity import Identity
from schema.vendor import Environment
from schema.window import Window

T = TypeVar("T")
Subject = Identity | ActivityQuery

OVERLAP = timedelta(minutes=5)
"""How much of the past each look covers again: clocks differ, and what was created shows up late."""

MOST_WAITING = 100
"""Activities that one follower has not taken yet."""

_LONGEST_WAIT = 60.0
_SLOWEST = 5
"""A quiet subject is asked for this many times less often than a lively one."""

_LOOKS_PER_SECOND = 10
_MOST_PAGES = 50
_log = logging.getLogger(__name__)


class SlowReader(GatewayError):
    """A follower takes activities more slowly than they appear."""

    code = "SLOW_READER"

    def __init__(self) -> None:
        super().__init__(
            "More activities waited than are kept for a slow reader: subscribe again, and read what is missing."
        )


class ActivityFeed:
    """All pollers of one process. `activities` opens the port in an environment, for one look."""

    def __init__(self, activities: Callable[[Environment], ActivityLog], *, every: float, look_seconds: float) -> None:
        self._activities = activities
        self._every = every
        self._look_seconds = look_seconds
        self._pollers: dict[tuple[Environment, str], _Poller] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await asyncio.gather(*(poller.stop() for poller in self._pollers.values()))

    async def follow(self, environment: Environment, subject: Subject) -> AsyncGenerator[Activity, None]:
        """Each activity that appears from now on, once. Raises Refusal where the vendor can't be asked, and SlowReader."""
        place = (environment, repr(subject))
        poller = self._pollers.get(place)
        if poller is None:
            poller = self._pollers[place] = _Poller(self, environment, subject)
        follower = poller.join()
        try:
            while True:
                yield await follower.take()
        finally:
            if poller.leave(follower):
                del self._pollers[place]
                await poller.stop()

    def logged(self, environment: Environment, draft: ActivityDraft, activity_id: str) -> None:
        """An activity (by the vendor's own ID) was logged through this gateway."""
        for poller in list(self._pollers.values()):
            if poller.environment is environment and poller.is_about(draft):
                poller.tell_later(activity_id)

    def open(self, environment: Environment) -> ActivityLog:
        return self._activities(environment)

    @property
    def pace(self) -> float:
        """Seconds between two looks at a lively subject: more of them when many subjects are followed."""
        return max(self._every, len(self._pollers) / _LOOKS_PER_SECOND)

    @property
    def look_seconds(self) -> float:
        return self._look_seconds


class _Follower:
    """What one subscription has not taken yet."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Activity | GatewayError] = asyncio.Queue()

    async def take(self) -> Activity:
        item = await self._waiting.get()
        if isinstance(item, GatewayError):
            raise item
        return item

    def put(self, item: Activity | GatewayError) -> None:
        if self._waiting.qsize() == MOST_WAITING:
            item = SlowReader()
        if self._waiting.qsize() <= MOST_WAITING:
            self._waiting.put_nowait(item)


class _Poller:
    """Looks for new activities of one subject."""

    def __init__(self, feed: ActivityFeed, environment: Environment, subject: Subject) -> None:
        self.environment = environment
        self._feed = feed
        self._subject = subject
        self._followers: set[_Follower] = set()
        self._contact_ids: frozenset[str] = frozenset()
        self._began = datetime.now(UTC)
        self._last_look: datetime | None = None
        self._told: dict[str, datetime] = {}
        self._tasks = {asyncio.create_task(self._run(), name="activity poller", context=Context())}

    def join(self) -> _Follower:
        follower = _Follower()
        self._followers.add(follower)
        return follower

    def leave(self, follower: _Follower) -> bool:
        """Whether nobody is left."""
        self._followers.discard(follower)
        return not self._followers

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def is_about(self, draft: ActivityDraft) -> bool:
        if isinstance(self._subject, Identity):
            return not self._contact_ids.isdisjoint(draft.contact_ids)
        account_id, opportunity_id = self._subject.account_id, self._subject.opportunity_id
        return (account_id is not None and account_id == draft.account_id) or (
            opportunity_id is not None and opportunity_id == draft.opportunity_id
        )

    def tell_later(self, activity_id: str) -> None:
        """Reads an activity from memory, which holds it by now, and tells it."""
        task = asyncio.create_task(self._tell_one(activity_id), name="activity logged here", context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_one(self, activity_id: str) -> None:
        try:
            activity = await self._in_a_request(lambda activities: activities.get(activity_id))
        except Exception as error:  # noqa: BLE001  # the next look at the vendor finds it all the same
            _log.error("an activity could not be told at once", extra=describe(error))
        else:
            self._tell([activity] if activity is not None else [])

    async def _run(self) -> None:
        wait = self._feed.pace
        while True:
            try:
                found = await self._look()
            except Refusal as refusal:
                if not refusal.errors[0].retryable:
                    self._refuse(refusal)
                wait = _after_failure(wait, refusal)
            except Exception as error:  # noqa: BLE001  # memory may be away for a while; this must go on
                _log.error("activities could not be looked for", extra=describe(error))
                wait = min(2 * wait, _LONGEST_WAIT)
            else:
                pace = self._feed.pace
                wait = pace if found else min(1.5 * wait, _SLOWEST * pace)
            await asyncio.sleep(wait)

    async def _look(self) -> bool:
        """Asks for what was created since a while before the last look; whether anything of it was new."""
        now = datetime.now(UTC)
        window = Window((self._last_look or self._began) - OVERLAP)
        found = await self._in_a_request(lambda activities: self._read(activities, window))
        if self._last_look is None:
            self._told |= {each.id: now for each in found if self._is_old(each)}
        is_news = self._tell(sorted(found, key=lambda each: (each.created_at or now, each.id)))
        self._told |= {each.id: now for each in found}
        self._told = {own_id: at for own_id, at in self._told.items() if at > now - 2 * OVERLAP}
        self._last_look = now
        return is_news

    def _is_old(self, activity: Activity) -> bool:
        """Whether it was there before anybody followed; a stamp may be as coarse as a second."""
        created = activity.created_at
        if created is None:
            return True
        return created < (self._began if created.microsecond else self._began.replace(microsecond=0))

    async def _read(self, activities: ActivityLog, window: Window) -> list[Activity]:
        queries = await self._queries(activities)
        pages = [self._read_all(activities, replace(query, window=window)) for query in queries]
        found = {each.id: each for page in await asyncio.gather(*pages) for each in page}
        return list(found.values())

    async def _queries(self, activities: ActivityLog) -> Sequence[ActivityQuery]:
        if isinstance(self._subject, ActivityQuery):
            return [self._subject]
        self._contact_ids = frozenset(await activities.contact_ids(self._subject))
        return [ActivityQuery(contact_id=each) for each in sorted(self._contact_ids)]

    async def _read_all(self, activities: ActivityLog, query: ActivityQuery) -> list[Activity]:
        found: list[Activity] = []
        after: str | None = None
        for _ in range(_MOST_PAGES):
            page = await activities.page(query, LARGEST_PAGE, after)
            found += page.nodes
            if not page.page_info.has_next_page:
                break
            after = page.page_info.write_end()
        return found

    async def _in_a_request(self, ask: Callable[[ActivityLog], Awaitable[T]]) -> T:
        """Each look is a request of its own, with its deadline, its loaders and its share of the vendor's time."""
        current = begin(f"live-{new_request_id()}", self._feed.look_seconds)
        try:
            return await ask(self._feed.open(self.environment))
        finally:
            await current.end()

    def _tell(self, activities: Sequence[Activity]) -> bool:
        news = [each for each in activities if each.id not in self._told]
        self._told |= {each.id: datetime.now(UTC) for each in news}
        for follower in self._followers:
            for each in news:
                follower.put(each)
        return bool(news)

    def _refuse(self, refusal: Refusal) -> None:
        for follower in self._followers:
            follower.put(refusal)


def _after_failure(wait: float, refusal: Refusal) -> float:
    """Longer and longer, and as long as the vendor asks for."""
    error = refusal.errors[0]
    asked = error.retry_after_seconds if isinstance(error, RateLimited | VendorUnavailable) else None
    return max(min(2 * wait, _LONGEST_WAIT), asked or 0.0)
