"""How the vendor is asked for new activities: one poller for all who follow a subject, over a window that moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from app.live.activities import MOST_WAITING, OVERLAP, ActivityFeed, SlowReader
from app.paging import page_of
from schema.errors import Refusal, VendorUnavailable
from schema.ids import Kind, encode
from schema.ports import ActivityLog, ActivityQuery
from schema.types.activity import Activity
from schema.types.connection import Connection, Edge
from schema.types.identity import Identity
from schema.types.node import VendorRecord
from schema.vendor import Environment, Vendor
from tests.live.served import PATIENCE

ACCOUNT = ActivityQuery(account_id="an account")
DOWN = Refusal(VendorUnavailable(message="down", vendor=Vendor.REEVO))
GONE = Refusal(VendorUnavailable(message="gone", vendor=Vendor.REEVO, code="VENDOR_NOT_CONFIGURED", retryable=False))


class FakeLog:
    """Fills schema.ports.ActivityLog: each look is answered with what the test puts there, and waits until it does."""

    def __init__(self) -> None:
        self.queries: list[ActivityQuery] = []
        self.answers: asyncio.Queue[list[Activity] | Refusal] = asyncio.Queue()
        self.contacts = ["b", "a"]

    async def page(self, query: ActivityQuery, first: int, after: str | None) -> Connection[Activity]:
        self.queries.append(query)
        answer = await self.answers.get()
        if isinstance(answer, Refusal):
            raise answer
        assert (first, after) == (100, None)
        edges = [Edge(write_cursor=str, node=each) for each in answer]
        return page_of(edges, after, has_next_page=False)

    async def contact_ids(self, _: Identity) -> list[str]:
        return self.contacts


@pytest.fixture
def log() -> FakeLog:
    """The vendor's activities."""
    return FakeLog()


@pytest.fixture
async def feed(log: FakeLog) -> AsyncIterator[ActivityFeed]:
    """Looks again after no time at all."""
    feed = ActivityFeed(lambda _: cast(ActivityLog, log), every=0.001, look_seconds=5)
    async with feed.running():
        yield feed


async def test_what_was_there_before_is_not_told_and_what_appears_is_told_once(
    feed: ActivityFeed, log: FakeLog
) -> None:
    """By whatever clock stamps it: what was not there at the first look is new, however old it says it is."""
    old, new, late = _activity("old", minutes=-3), _activity("new", minutes=1), _activity("late", minutes=-4)
    for answer in ([old], [new, old], [new, late, old], [new, late, old], [_activity("last")]):
        log.answers.put_nowait(answer)
    told = [await _next(stream) for stream in [feed.follow(Environment.TEST, ACCOUNT)] for _ in range(3)]
    assert told == ["new", "late", "last"]


async def test_a_stamp_as_coarse_as_a_second_hides_nothing(feed: ActivityFeed, log: FakeLog) -> None:
    """What is created in the second in which somebody begins to follow may be stamped with its beginning."""
    log.answers.put_nowait([_activity("now", at=datetime.now(UTC).replace(microsecond=0))])
    assert await _next(feed.follow(Environment.TEST, ACCOUNT)) == "now"


async def test_activities_are_told_in_the_order_in_which_they_were_created(feed: ActivityFeed, log: FakeLog) -> None:
    """Vendors list the newest first."""
    stream = feed.follow(Environment.TEST, ACCOUNT)
    log.answers.put_nowait([])
    log.answers.put_nowait([_activity("3", minutes=3), _activity("2", minutes=2), _activity("1", minutes=1)])
    assert [await _next(stream) for _ in range(3)] == ["1", "2", "3"]


async def test_the_window_moves_with_the_looks_and_covers_the_past_again(feed: ActivityFeed, log: FakeLog) -> None:
    """It begins a while before the look before; after a look that failed it reaches back to the last that did not."""
    stream = feed.follow(Environment.TEST, ACCOUNT)
    for answer in ([], DOWN, [], [_activity("new")]):
        log.answers.put_nowait(answer)
    before = datetime.now(UTC)
    await _next(stream)
    starts = [query.window.start or datetime.max.replace(tzinfo=UTC) for query in log.queries]
    assert [query.account_id for query in log.queries] == ["an account"] * 4
    assert starts == sorted(starts)
    assert before - OVERLAP <= starts[0] <= starts[1] == starts[2] < starts[3] <= datetime.now(UTC) - OVERLAP


async def test_a_human_being_is_followed_at_all_records_of_theirs(feed: ActivityFeed, log: FakeLog) -> None:
    """Also at those that are found later; what stands at several of them is told once."""
    stream = feed.follow(Environment.TEST, Identity(email_addresses=("ada@example.com",)))
    both = [_activity("both")]
    for answer in ([], [], both, both, [_activity("last")], []):
        log.answers.put_nowait(answer)
    assert [await _next(stream), await _next(stream)] == ["both", "last"]
    assert [query.contact_id for query in log.queries][:4] == ["a", "b", "a", "b"]


async def test_all_who_follow_one_subject_share_its_looks(feed: ActivityFeed, log: FakeLog) -> None:
    """Each hears everything; the other environment and another subject have looks of their own."""
    streams = [feed.follow(Environment.TEST, ACCOUNT) for _ in range(3)]
    waiting = [asyncio.ensure_future(_next(stream)) for stream in streams]
    while not log.queries:  # noqa: ASYNC110  # one tick or two
        await asyncio.sleep(0)
    log.answers.put_nowait([])
    log.answers.put_nowait([_activity("new")])
    assert await asyncio.gather(*waiting) == ["new"] * 3
    looks = len(log.queries)
    others = [feed.follow(Environment.LIVE, ACCOUNT), feed.follow(Environment.TEST, ActivityQuery(account_id="other"))]
    waiting = [asyncio.ensure_future(_next(stream)) for stream in others]
    async with asyncio.timeout(PATIENCE):
        while len(log.queries) < looks + 2:  # noqa: ASYNC110  # one tick or two
            await asyncio.sleep(0)
    for each in waiting:
        each.cancel()


async def test_when_nobody_follows_any_longer_nobody_looks(feed: ActivityFeed, log: FakeLog) -> None:
    """The poller ends with the last of them."""
    streams = [feed.follow(Environment.TEST, ACCOUNT) for _ in range(2)]
    log.answers.put_nowait([_activity("new", minutes=1)])
    assert [await _next(stream) for stream in streams[:1]] == ["new"]
    pollers = _pollers()
    assert len(pollers) == 1
    await streams[0].aclose()
    await asyncio.wait(pollers, timeout=PATIENCE)
    assert _pollers() == set()


async def test_a_vendor_that_is_away_is_asked_again_and_nothing_is_missed(feed: ActivityFeed, log: FakeLog) -> None:
    """Who follows does not hear of it."""
    stream = feed.follow(Environment.TEST, ACCOUNT)
    for answer in (DOWN, DOWN, [_activity("new", minutes=1)]):
        log.answers.put_nowait(answer)
    assert await _next(stream) == "new"


async def test_a_refusal_that_time_does_not_mend_ends_the_subscription(feed: ActivityFeed, log: FakeLog) -> None:
    """As an error, at once."""
    log.answers.put_nowait(GONE)
    with pytest.raises(Refusal) as refused:
        await _next(feed.follow(Environment.TEST, ACCOUNT))
    assert refused.value is GONE


async def test_who_takes_activities_too_slowly_is_told_so_after_what_was_kept(feed: ActivityFeed, log: FakeLog) -> None:
    """What waits for one follower is bounded; another who keeps up hears all."""
    slow, quick = (feed.follow(Environment.TEST, ACCOUNT) for _ in range(2))
    first = asyncio.ensure_future(_next(slow))
    both = asyncio.ensure_future(_next(quick))
    log.answers.put_nowait([])
    log.answers.put_nowait([_activity("first")])
    assert [await first, await both] == ["first", "first"]
    subjects = [f"{number:03}" for number in range(MOST_WAITING + 20)]
    for part in (subjects[:60], subjects[60:]):
        log.answers.put_nowait([_activity(each, minutes=int(each)) for each in part])
        assert [await _next(quick) for _ in part] == part
    assert [await _next(slow) for _ in range(MOST_WAITING)] == subjects[:MOST_WAITING]
    with pytest.raises(SlowReader):
        await _next(slow)


async def _next(stream: AsyncGenerator[Activity, None]) -> str | None:
    async with asyncio.timeout(PATIENCE):
        return (await anext(stream)).subject


def _pollers() -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if task.get_name() == "activity poller"}


def _activity(subject: str, *, minutes: float = 0, at: datetime | None = None) -> Activity:
    created_at = at or datetime.now(UTC) + timedelta(minutes=minutes)
    return Activity(
        id=encode(Kind.ACTIVITY, subject),
        subject=subject,
        created_at=created_at,
        vendor_record=VendorRecord(vendor=Vendor.REEVO, kind="activity", id=subject),
    )
