"""The ledger's statements do the same on SQLite and on PostgreSQL, also when several processes are at it."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from itertools import pairwise, product
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.clock import now_ms
from app.database import write_events, writes
from app.ledger import store
from app.ledger.states import FINAL
from app.ledger.store import Wanted
from app.ledger.write import Event, Write, write_error
from app.transactions import Work
from schema.errors import VendorRejected, VendorUnavailable
from schema.types.receipt import Delivery, WriteOperation, WriteState
from schema.vendor import Environment, Vendor
from tests.databases import opened, writing
from tests.ledger.rows import DAY, a_write, changing, claiming, in_state

T = TypeVar("T")
RACERS = 8
OPEN = [state for state in WriteState if state not in FINAL]
FULL = Write(
    id="w1",
    environment=Environment.LIVE,
    gateway_key="partner",
    idempotency_key="Schlüssel ✓ ' \" \\ %s :x",
    operation=WriteOperation.SYNC_CONTACT_METHODS,
    vendor=Vendor.ARTU,
    fingerprint="0" * 64,
    vendor_key="gw1_key",
    lane="ARTU client 7",
    delivery=Delivery.BACKGROUND,
    draft='{"text": "שלום 🦉 \\u0000"}',
    state=WriteState.SENDING,
    attempts=3,
    in_doubt=True,
    owner="host:7:x",
    lease_ms=2**43,
    due_ms=2**43 + 1,
    give_up_ms=2**43 + 2,
    examined=4,
    needs_attention=True,
    error=write_error(
        VendorRejected(message="Artu says nö.", vendor=Vendor.ARTU, status=422, path=["input", "items", "3"])
    ),
    result_id="cm_7",
    answer='{"id": "7"}',
    first_sent_ms=2**43 + 3,
    created_ms=2**43 + 4,
    updated_ms=2**43 + 5,
    completed_ms=None,
    superseded=False,
)


@pytest.mark.parametrize(
    "write",
    [FULL, in_state(WriteState.SUCCEEDED, idempotency_key=FULL.idempotency_key), a_write(draft=None, due_ms=None)],
    ids=["full", "final", "bare"],
)
async def test_every_column_comes_back_as_it_was_stored(ledger: AsyncEngine, write: Write) -> None:
    """By ID, by key and in a page, each with its own type; the first event says how it came in."""
    assert await do(ledger, lambda c: store.add(c, write, "stored"))
    found = [
        await do(ledger, lambda c: store.by_id(c, write.id)),
        await do(ledger, lambda c: store.by_key(c, write.environment, write.gateway_key, write.idempotency_key)),
        *await do(ledger, lambda c: store.page(c, Wanted(write.environment), None, 10)),
    ]
    assert found == [write] * 3
    assert [_types(each) for each in found if each] == [_types(write)] * 3
    first = Event(write.id, 1, write.updated_ms, None, write.state, "stored")
    assert await do(ledger, lambda c: store.events(c, [write.id])) == {write.id: [first]}


async def test_what_is_not_there_is_none(ledger: AsyncEngine) -> None:
    """Another ID, another gateway key, another idempotency key: nobody's write is shown."""
    await put(ledger, a_write())
    assert await do(ledger, lambda c: store.by_id(c, "w2")) is None
    assert await do(ledger, lambda c: store.by_key(c, Environment.TEST, "another", "w1")) is None
    assert await do(ledger, lambda c: store.by_key(c, Environment.TEST, "partner", "w2")) is None
    assert await do(ledger, lambda c: store.events(c, ["w2"])) == {}
    assert await do(ledger, lambda c: store.events(c, [])) == {}


@pytest.mark.parametrize("state", WriteState)
async def test_a_key_that_is_held_is_refused(ledger: AsyncEngine, state: WriteState) -> None:
    """Whatever has become of the write that holds it; nothing of the second is stored, no event either."""
    held = in_state(state, idempotency_key="k")
    await put(ledger, held)
    assert not await do(ledger, lambda c: store.add(c, a_write("w2", idempotency_key="k"), "stored"))
    assert await do(ledger, lambda c: store.by_key(c, Environment.TEST, "partner", "k")) == held
    assert await everything(ledger) == [held]
    assert set(await do(ledger, lambda c: store.events(c, ["w1", "w2"]))) == {"w1"}


async def test_gateway_keys_do_not_share_their_idempotency_keys(ledger: AsyncEngine) -> None:
    """Two partners may well use the same text."""
    await put(ledger, a_write("w1", idempotency_key="k"), a_write("w2", idempotency_key="k", gateway_key="another"))
    mine = await do(ledger, lambda c: store.by_key(c, Environment.TEST, "partner", "k"))
    others = await do(ledger, lambda c: store.by_key(c, Environment.TEST, "another", "k"))
    assert [each and each.id for each in (mine, others)] == ["w1", "w2"]


async def test_environments_do_not_share_their_idempotency_keys(ledger: AsyncEngine) -> None:
    """One ID may be somebody's in TEST and somebody's in LIVE: whose token each is, only their issuers know."""
    live = a_write("w2", idempotency_key="k", environment=Environment.LIVE)
    await put(ledger, a_write("w1", idempotency_key="k"))
    assert await do(ledger, lambda c: store.claim_key(c, live)) == live
    mine = await do(ledger, lambda c: store.by_key(c, Environment.TEST, "partner", "k"))
    others = await do(ledger, lambda c: store.by_key(c, Environment.LIVE, "partner", "k"))
    assert [each and each.id for each in (mine, others)] == ["w1", "w2"]


async def test_a_clock_that_is_set_back_does_not_change_the_order_of_a_lane(ledger: AsyncEngine) -> None:
    """What is claimed later was made later, by a millisecond at least, and waits for what is before it; so when it is repeated."""
    first = a_write("w1", lane="client")
    early = a_write("w0", lane="client", created_ms=first.created_ms - 500, updated_ms=first.created_ms - 500)
    await put(ledger, first)
    claimed = [await do(ledger, lambda c: store.claim_key(c, early)) for _ in range(2)]
    assert [each.created_ms for each in claimed] == [first.created_ms + 1] * 2
    assert await do(ledger, lambda c: store.by_id(c, "w0")) == claimed[0]
    assert not await do(ledger, lambda c: store.is_next_in_lane(c, claimed[0]))


async def test_a_repeated_transaction_knows_its_own_write(ledger: AsyncEngine) -> None:
    """What was committed without anybody hearing of it is not taken for somebody else's."""
    write = a_write()
    assert [await do(ledger, lambda c: store.add(c, write, "stored")) for _ in range(2)] == [True, True]
    assert len((await do(ledger, lambda c: store.events(c, ["w1"])))["w1"]) == 1


async def test_an_unlawful_write_is_an_error_and_no_held_key(ledger: AsyncEngine) -> None:
    """Only a key that is held is answered with False."""
    with pytest.raises(IntegrityError, match="write_key_length"):
        await do(ledger, lambda c: store.add(c, a_write(idempotency_key=""), "stored"))


async def test_of_writes_that_race_for_a_key_one_is_stored(database: URL, ledger: AsyncEngine) -> None:
    """Over two engines, as two processes have: the others are told, and none fails."""
    async with opened(database) as other:
        stored = await asyncio.gather(
            *(do((ledger, other)[n % 2], _adding(a_write(f"w{n}", idempotency_key="k"))) for n in range(RACERS))
        )
    assert sorted(stored) == [False] * (RACERS - 1) + [True]
    [kept] = await everything(ledger)
    assert kept.id == f"w{stored.index(True)}"


async def test_a_superseded_write_gives_its_key_to_the_newest(ledger: AsyncEngine) -> None:
    """Both stay in the list; the key leads to the newest."""
    old, new = in_state(WriteState.FAILED, "w1", idempotency_key="k"), a_write("w2", idempotency_key="k")
    await put(ledger, old)
    assert await do(ledger, lambda c: store.supersede(c, old))
    await put(ledger, new)
    assert await do(ledger, lambda c: store.by_key(c, Environment.TEST, "partner", "k")) == new
    assert await everything(ledger) == [replace(old, superseded=True), new]
    assert not await do(ledger, lambda c: store.supersede(c, old))


@pytest.mark.parametrize("state", [state for state in WriteState if state is not WriteState.FAILED])
async def test_only_what_failed_is_superseded(ledger: AsyncEngine, state: WriteState) -> None:
    """An open write, or one that was applied, keeps its key."""
    await put(ledger, write := in_state(state))
    assert not await do(ledger, lambda c: store.supersede(c, write))
    assert await everything(ledger) == [write]


async def test_of_repeats_that_race_one_supersedes(database: URL, ledger: AsyncEngine) -> None:
    """Superseding and adding are one transaction: in the end one new write holds the key."""
    old = in_state(WriteState.FAILED, idempotency_key="k")
    await put(ledger, old)

    def repeat(number: int) -> Work[bool]:
        def work(connection: Connection) -> bool:
            new = a_write(f"n{number}", idempotency_key="k")
            return store.supersede(connection, old) and store.add(connection, new, "stored")

        return work

    async with opened(database) as other:
        done = await asyncio.gather(*(do((ledger, other)[n % 2], repeat(n)) for n in range(RACERS)))
    assert sorted(done) == [False] * (RACERS - 1) + [True]
    held = await do(ledger, lambda c: store.by_key(c, Environment.TEST, "partner", "k"))
    assert held is not None
    assert {each.id for each in await everything(ledger)} == {"w1", held.id}
    assert held.id == f"n{done.index(True)}"


async def test_a_change_returns_the_write_as_it_is_stored(ledger: AsyncEngine) -> None:
    """Named columns change, and the moment of the change; all others stay."""
    await put(ledger, write := a_write())
    values: dict[str, Any] = {
        "state": WriteState.SENDING,
        "owner": "host:1:x",
        "lease_ms": 5,
        "attempts": 1,
        "error": {"type": "é"},
    }
    changed = await do(ledger, lambda c: changing(c, write, "sending", **values))
    assert changed is not None
    assert changed == replace(write, **values, updated_ms=changed.updated_ms)
    assert changed.updated_ms > write.updated_ms
    assert await everything(ledger) == [changed]


async def test_a_stale_read_changes_nothing(ledger: AsyncEngine) -> None:
    """Also when both changes fall into one millisecond, or the clock has gone back: the second loses, without an event."""
    await put(ledger, write := in_state(WriteState.UNKNOWN, updated_ms=now_ms() + DAY))
    first = await do(ledger, lambda c: changing(c, write, "looked", examined=1))
    assert first is not None
    assert first.updated_ms == write.updated_ms + 1
    assert await do(ledger, lambda c: changing(c, write, "stale", examined=2)) is None
    assert await everything(ledger) == [first]
    assert [each.reason for each in (await do(ledger, lambda c: store.events(c, ["w1"])))["w1"]] == ["stored", "looked"]


async def test_of_changes_that_race_one_wins(database: URL, ledger: AsyncEngine) -> None:
    """All have read the same; the others are told None."""
    await put(ledger, write := a_write())

    def sending(number: int) -> Work[Write | None]:
        values: dict[str, Any] = {"state": WriteState.SENDING, "owner": f"o{number}", "lease_ms": 5, "attempts": 1}
        return lambda connection: changing(connection, write, "sending", **values)

    async with opened(database) as other:
        done = await asyncio.gather(*(do((ledger, other)[n % 2], sending(n)) for n in range(RACERS)))
    won = [each for each in done if each is not None]
    assert await everything(ledger) == won
    assert len((await do(ledger, lambda c: store.events(c, ["w1"])))["w1"]) == 2


async def test_a_write_that_is_gone_is_not_changed(ledger: AsyncEngine) -> None:
    """None, as for any that is not as it was."""
    assert await do(ledger, lambda c: changing(c, a_write(), "lost", examined=1)) is None


@pytest.mark.parametrize("state", sorted(FINAL, key=str))
async def test_a_final_state_empties_what_is_no_longer_needed(ledger: AsyncEngine, state: WriteState) -> None:
    """The draft, who was sending it, when it is due, and whether a person is needed; the completion is dated."""
    await put(ledger, write := replace(FULL, state=WriteState.UNKNOWN))
    done = await do(ledger, lambda c: changing(c, write, "settled", state=state, result_id="cm_8"))
    assert done is not None
    nothing: dict[str, Any] = {"draft": None, "owner": None, "lease_ms": None, "due_ms": None, "needs_attention": False}
    moments: dict[str, Any] = {"updated_ms": done.updated_ms, "completed_ms": done.updated_ms}
    assert done == replace(write, state=state, result_id="cm_8", **nothing, **moments)
    assert await everything(ledger) == [done]


async def test_events_tell_the_whole_way_in_order(ledger: AsyncEngine) -> None:
    """One for each change, numbered from 1, of this write alone, with its moment and its reason."""
    await put(ledger, a_write(), a_write("w2"))
    way: list[tuple[WriteState, dict[str, Any]]] = [
        (WriteState.SENDING, {"owner": "o", "lease_ms": 1, "attempts": 1}),
        (WriteState.UNKNOWN, {"in_doubt": True}),
        (WriteState.UNKNOWN, {"examined": 1}),
        (WriteState.SUCCEEDED, {}),
    ]
    passed = [await do(ledger, lambda c: store.by_id(c, "w1"))]
    for number, (state, values) in enumerate(way):
        passed.append(await do(ledger, _changing(passed[-1], f"step {number}", {"state": state} | values)))
    known = [each for each in passed if each is not None]
    expected = [Event("w1", 1, known[0].updated_ms, None, WriteState.PENDING, "stored")] + [
        Event("w1", number + 2, after.updated_ms, before.state, after.state, f"step {number}")
        for number, (before, after) in enumerate(pairwise(known))
    ]
    found = await do(ledger, lambda c: store.events(c, ["w1", "w2"]))
    assert found["w1"] == expected
    assert len(found["w2"]) == 1


async def test_a_quiet_change_leaves_no_event_unless_the_state_changes(ledger: AsyncEngine) -> None:
    """What only moves a date is no news; a change of state always is."""
    await put(ledger, write := a_write())
    moved = await do(ledger, lambda c: changing(c, write, "waits", quietly=True, due_ms=5))
    assert moved is not None
    assert moved.due_ms == 5
    await do(ledger, lambda c: changing(c, moved, "given up", quietly=True, state=WriteState.FAILED))
    found = (await do(ledger, lambda c: store.events(c, ["w1"])))["w1"]
    assert [each.reason for each in found] == ["stored", "given up"]


async def test_what_is_due_is_claimed_once_and_the_longest_due_first(ledger: AsyncEngine) -> None:
    """What waits for delivery or for a look; as many as asked for; the rest the next time; then nothing until the hold is over."""
    now = now_ms()
    await put(ledger, *(in_state(OPEN[2 * (n % 2)], f"w{n}", due_ms=now - 100 + n) for n in range(5)))
    claimed = [await do(ledger, lambda c: claiming(c, hold_ms=DAY, most=3)) for _ in range(3)]
    assert [[each.id for each in some] for some in claimed] == [["w0", "w1", "w2"], ["w3", "w4"], []]
    assert {each.due_ms for some in claimed for each in some if each.due_ms and each.due_ms < now + DAY} == set()
    assert sorted(claimed[0] + claimed[1], key=lambda each: each.id) == await everything(ledger)


async def test_a_claim_ends_with_its_hold(ledger: AsyncEngine) -> None:
    """A process that dies over what it has claimed keeps it from nobody for longer."""
    await put(ledger, a_write())
    for _ in range(3):
        [claimed] = await do(ledger, lambda c: claiming(c, hold_ms=0, most=3))
        assert claimed.id == "w1"


async def test_a_claimed_write_is_still_as_it_was_read(ledger: AsyncEngine) -> None:
    """To claim is no change: who has claimed it can change it, and who was changing it still can."""
    await put(ledger, a_write())
    [claimed] = await do(ledger, lambda c: claiming(c, hold_ms=DAY, most=3))
    assert await do(ledger, lambda c: changing(c, claimed, "given up", state=WriteState.FAILED)) is not None


async def test_nothing_else_is_claimed(ledger: AsyncEngine) -> None:
    """Not what is being sent, not what is final, not what is due later or never."""
    later = now_ms() + DAY
    await put(ledger, *(in_state(state, state.value, due_ms=1) for state in (WriteState.SENDING, *FINAL)))
    await put(ledger, *(in_state(state, f"later {state.value}", due_ms=later) for state in OPEN))
    await put(ledger, *(in_state(state, f"never {state.value}", due_ms=None) for state in OPEN))
    assert await do(ledger, lambda c: claiming(c, hold_ms=DAY, most=100)) == []


async def test_two_processes_never_claim_the_same(database: URL, ledger: AsyncEngine) -> None:
    """Claims that run at the same time: every write is taken, and by one."""
    await put(ledger, *(a_write(f"w{n}") for n in range(40)))
    async with opened(database) as other:
        claims = await asyncio.gather(
            *(do((ledger, other)[n % 2], lambda c: claiming(c, hold_ms=DAY, most=10)) for n in range(RACERS))
        )
        claims.append(await do(other, lambda c: claiming(c, hold_ms=DAY, most=100)))
    taken = [each.id for some in claims for each in some]
    assert sorted(taken) == sorted(f"w{n}" for n in range(40))


async def test_a_claim_does_not_wait_for_another_on_postgresql(database: URL, ledger: AsyncEngine) -> None:
    """What another open transaction has claimed is left out, and the rest taken. SQLite has one writer at a time."""
    if ledger.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time: a second transaction can't be open")
    await put(ledger, *(a_write(f"w{n}") for n in range(4)))
    async with opened(database) as other, ledger.begin() as one, other.begin() as two:
        first = await one.run_sync(claiming, hold_ms=DAY, most=3)
        async with asyncio.timeout(60):
            second = await two.run_sync(claiming, hold_ms=DAY, most=3)
    assert (len(first), len(second)) == (3, 1)
    assert {each.id for each in first + second} == {f"w{n}" for n in range(4)}


async def test_what_nobody_sends_any_more_is_abandoned(ledger: AsyncEngine) -> None:
    """A lease that has run out, or an owner that is dead; the longest lost first, as many as asked for."""
    now = now_ms()
    await put(
        ledger,
        in_state(WriteState.SENDING, "alive", owner="alive", lease_ms=now + DAY),
        in_state(WriteState.SENDING, "expired", owner="alive", lease_ms=now - 5),
        in_state(WriteState.SENDING, "orphan", owner="dead", lease_ms=now + DAY),
        in_state(WriteState.UNKNOWN, "unknown", owner="dead", lease_ms=now - 5),
    )

    async def lost(*dead: str, most: int = 10) -> list[str]:
        found = await do(ledger, lambda c: store.abandoned(c, now_ms(), dead_owners=dead, most=most))
        return [each.id for each in found]

    assert await lost() == ["expired"]
    assert await lost("dead") == ["expired", "orphan"]
    assert await lost("dead", most=1) == ["expired"]
    assert await lost("nobody") == ["expired"]


async def test_owners_are_those_who_hold_open_writes(ledger: AsyncEngine) -> None:
    """Each once, however many writes it has, whether it sends them or has only claimed them."""
    sending = [in_state(WriteState.SENDING, f"w{n}", owner=f"o{n % 2}") for n in range(4)]
    await put(ledger, *sending, in_state(WriteState.UNKNOWN, "w8", owner="looks"), in_state(WriteState.UNKNOWN, "w9"))
    assert sorted(await do(ledger, store.owners)) == ["looks", "o0", "o1"]


async def test_what_an_owner_held_is_due_once_it_is_released(ledger: AsyncEngine) -> None:
    """What it waited to send or to look at; not what it was sending, not another's, not what nobody is to look at."""
    now, later = now_ms(), now_ms() + DAY
    held = [in_state(state, state.value, owner="dead", due_ms=later) for state in OPEN]
    others = [a_write("alive", owner="alive", due_ms=later), in_state(WriteState.UNKNOWN, "hopeless", due_ms=None)]
    await put(ledger, *held, *others)
    await do(ledger, lambda c: store.release(c, now, ["dead", "gone"]))
    released = {each.id: (each.due_ms, each.owner) for each in await everything(ledger)}
    assert released == {
        "PENDING": (now, None),
        "UNKNOWN": (now, None),
        "SENDING": (later, "dead"),
        "alive": (later, "alive"),
        "hopeless": (None, None),
    }


async def test_the_next_of_a_lane_is_due_once_one_is_out_of_the_way(ledger: AsyncEngine) -> None:
    """What waits in the background; not what somebody holds, not another lane, not the other environment."""
    now, later = now_ms(), now_ms() + DAY
    first = in_state(WriteState.SUCCEEDED, "w0", lane="l")
    waiting = a_write("waiting", lane="l", due_ms=later)
    live = replace(waiting, id="live", idempotency_key="live", environment=Environment.LIVE)
    others = [a_write("held", lane="l", due_ms=later, owner="o"), a_write("apart", lane="m", due_ms=later), live]
    await put(ledger, first, waiting, *others)
    await do(ledger, lambda c: store.next_is_due(c, first, now))
    assert {each.id for each in await everything(ledger) if each.due_ms == now} == {"waiting"}


@pytest.mark.parametrize("state", WriteState)
async def test_nothing_is_sent_while_another_of_its_lane_is(ledger: AsyncEngine, state: WriteState) -> None:
    """Also not what is older than what is being sent; the statement that begins to send makes sure of it itself."""
    older, newer = a_write("w1", lane="l", created_ms=5), in_state(state, "w2", lane="l", created_ms=6)
    await put(ledger, older, newer)
    sending: dict[str, Any] = {"attempts": 1, "owner": "o", "lease_ms": 1}
    begun = await do(ledger, lambda c: store.start_sending(c, older, now_ms(), **sending))
    assert (begun is None) is (state is WriteState.SENDING)


async def test_of_two_that_race_to_be_sent_in_a_lane_one_is(database: URL, ledger: AsyncEngine) -> None:
    """In two processes that have both seen that nothing goes first."""
    pair = [a_write(f"w{n}", lane="l", created_ms=5) for n in range(2)]
    await put(ledger, *pair)
    sending: dict[str, Any] = {"attempts": 1, "owner": "o", "lease_ms": 1}

    def starting(write: Write) -> Work[Write | None]:
        return lambda c: store.start_sending(c, write, now_ms(), **sending)

    async with opened(database) as other:
        begun = await asyncio.gather(do(other, starting(pair[1])), do(ledger, starting(pair[0])))
    assert [each.id for each in begun if each is not None] == ["w0"]


@pytest.mark.parametrize("state", WriteState)
async def test_a_key_is_claimed_or_the_one_that_holds_it_is_told(ledger: AsyncEngine, state: WriteState) -> None:
    """In one step; only a failure that may be repeated gives way."""
    error = write_error(VendorUnavailable(message="Away.", vendor=Vendor.BIRD))
    held = in_state(state, "w1", idempotency_key="k", error=error if state is WriteState.FAILED else None)
    await put(ledger, held)
    new = a_write("w2", idempotency_key="k")
    claimed = await do(ledger, lambda c: store.claim_key(c, new))
    assert claimed == (new if state is WriteState.FAILED else held)
    assert await do(ledger, lambda c: store.by_key(c, Environment.TEST, "partner", "k")) == claimed


@pytest.mark.parametrize("state", WriteState)
async def test_a_lane_waits_for_what_is_older_and_to_be_delivered(ledger: AsyncEngine, state: WriteState) -> None:
    """An older one that waits or is being sent goes first; one in doubt or final holds up nobody."""
    await put(
        ledger, older := in_state(state, "w1", lane="l", created_ms=5), newer := a_write("w2", lane="l", created_ms=6)
    )
    assert await do(ledger, lambda c: store.is_next_in_lane(c, newer)) is (state not in {OPEN[0], OPEN[1]})
    assert await do(ledger, lambda c: store.is_next_in_lane(c, older))


async def test_lanes_and_environments_do_not_wait_for_each_other(ledger: AsyncEngine) -> None:
    """The same name in the other environment is another lane."""
    await put(ledger, a_write("w1", lane="l", created_ms=5), a_write("w2", lane="m", created_ms=5))
    for newer in (a_write("w3", lane="n"), a_write("w4", lane="l", environment=Environment.LIVE)):
        await put(ledger, newer)
        assert await do(ledger, _asking_lane(newer))


async def test_writes_of_one_millisecond_keep_their_order(ledger: AsyncEngine) -> None:
    """IDs made one after the other sort so: the lane follows them."""
    ids = [store.new_id() for _ in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 50
    made = [a_write(write_id, lane="l", created_ms=7) for write_id in ids]
    await put(ledger, *reversed(made))
    assert [await do(ledger, _asking_lane(each)) for each in made] == [True] + [False] * 49


async def test_a_record_is_claimed_by_the_write_that_made_it(ledger: AsyncEngine) -> None:
    """In its own environment."""
    await put(ledger, in_state(WriteState.SUCCEEDED, result_id="r1"))
    claimed = {
        (environment, result_id): await do(ledger, _asking_claim(environment, result_id))
        for environment, result_id in product(Environment, ("r1", "r2"))
    }
    assert claimed == {each: each == (Environment.TEST, "r1") for each in claimed}


async def test_what_is_sent_beside_a_write_is_alike_and_not_the_write_itself(ledger: AsyncEngine) -> None:
    """Of the same operation and environment, and being sent at this moment."""
    asked = in_state(WriteState.SENDING, "asked")
    others = [in_state(state, state.value) for state in WriteState]
    elsewhere = in_state(WriteState.SENDING, "elsewhere", environment=Environment.LIVE)
    other = in_state(WriteState.SENDING, "other", operation=WriteOperation.LOG_ACTIVITY)
    await put(ledger, asked, *others, elsewhere, other)
    assert await do(ledger, lambda c: store.sent_beside(c, asked)) == {"SENDING"}


async def test_pages_are_the_newest_first_and_every_filter_holds(ledger: AsyncEngine) -> None:
    """All combinations of filters, against the same said in Python; the start is included, the end is not."""
    kept = [
        in_state(
            state,
            f"{n:02}",
            environment=environment,
            gateway_key=key,
            needs_attention=attention,
            created_ms=100 + n // 3,
        )
        for n, (environment, key, state, attention) in enumerate(
            product(Environment, ("a", "b"), (WriteState.PENDING, WriteState.FAILED), (False, True))
        )
    ]
    await put(ledger, *kept)
    asked = product(Environment, (None, "a"), (None, WriteState.FAILED), (None, False, True), (None, 102), (None, 104))
    for wanted in (Wanted(*values) for values in asked):
        expected = sorted((each for each in kept if _is_wanted(each, wanted)), key=_place, reverse=True)
        assert await do(ledger, _paging(wanted, None, 100)) == expected, wanted


async def test_pages_follow_each_other_without_gap_or_repeat(ledger: AsyncEngine) -> None:
    """Also where many writes have the same moment."""
    kept = [a_write(f"{n:02}", created_ms=100 + n // 4) for n in range(11)]
    await put(ledger, *kept)
    found: list[Write] = []
    while some := await do(ledger, _paging(Wanted(Environment.TEST), _place(found[-1]) if found else None, 3)):
        found += some
    assert found == sorted(kept, key=_place, reverse=True)


async def test_purging_keeps_what_is_open_or_young_and_takes_events_along(ledger: AsyncEngine) -> None:
    """Old final writes go, superseded ones too; an open one stays however old it is."""
    old = [in_state(state, f"old {state.value}", completed_ms=10) for state in sorted(FINAL, key=str)]
    old.append(in_state(WriteState.FAILED, "superseded", completed_ms=10, superseded=True))
    kept = [in_state(state, f"open {state.value}", created_ms=1, updated_ms=1) for state in OPEN]
    kept += [in_state(state, f"young {state.value}", completed_ms=11) for state in FINAL]
    await put(ledger, *old, *kept)
    assert await do(ledger, lambda c: store.purge(c, completed_before_ms=11, most=1)) == 1
    assert await do(ledger, lambda c: store.purge(c, completed_before_ms=11)) == len(old) - 1
    assert {each.id for each in await everything(ledger)} == {each.id for each in kept}
    async with ledger.connect() as connection:
        left = (await connection.execute(select(write_events.c.write_id))).scalars().all()
    assert sorted(left) == sorted(each.id for each in kept)
    assert await do(ledger, lambda c: store.purge(c, completed_before_ms=11)) == 0


async def do(engine: AsyncEngine, work: Work[T]) -> T:
    """In a transaction of its own, as the writer has them."""
    async with writing(engine).begin() as connection:
        return await connection.run_sync(work)


async def put(engine: AsyncEngine, *given: Write) -> None:
    async with writing(engine).begin() as connection:
        for write in given:
            assert await connection.run_sync(store.add, write, "stored")


async def everything(engine: AsyncEngine) -> list[Write]:
    """All writes, by their IDs."""
    async with engine.connect() as connection:
        ids = (await connection.execute(select(writes.c.id).order_by(func.lower(writes.c.id)))).scalars().all()
        found = [await connection.run_sync(store.by_id, write_id) for write_id in ids]
    return [each for each in found if each is not None]


def _types(write: Write) -> list[type[Any]]:
    """True is not 1 here."""
    return [type(getattr(write, each.name)) for each in fields(Write)]


def _adding(write: Write) -> Work[bool]:
    return lambda connection: store.add(connection, write, "stored")


def _changing(write: Write | None, reason: str, values: dict[str, Any]) -> Work[Write | None]:
    assert write is not None
    return lambda connection: changing(connection, write, reason, **values)


def _asking_lane(write: Write) -> Work[bool]:
    return lambda connection: store.is_next_in_lane(connection, write)


def _asking_claim(environment: Environment, result_id: str) -> Work[bool]:
    return lambda connection: store.is_claimed(connection, environment, result_id)


def _paging(wanted: Wanted, after: tuple[int, str] | None, most: int) -> Work[list[Write]]:
    return lambda connection: store.page(connection, wanted, after, most)


def _place(write: Write) -> tuple[int, str]:
    return write.created_ms, write.id


def _is_wanted(write: Write, wanted: Wanted) -> bool:
    asked = [
        (wanted.environment, write.environment),
        (wanted.gateway_key, write.gateway_key),
        (wanted.state, write.state),
        (wanted.needs_attention, write.needs_attention),
    ]
    is_in_time = (wanted.start or 0) <= write.created_ms < (wanted.end or DAY)
    return is_in_time and all(value is None or value == found for value, found in asked)
