"""Tells partners what became of their background writes: each final receipt is posted to its gateway key's callback URL.

A trigger stores a callback in the very transaction that makes a write final, whoever ends it: a delivery, a look at the
vendor, an operator. It is posted at least once, under one and the same `webhook-id`, and signed as Standard Webhooks says
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
from sqlalchemy import Connection, and_, delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock, now_ms
from app.database import callback_urls, callbacks
from app.ledger import store
from app.ledger.write import Write
from app.security.signing import Signer
from app.settings import LOOPBACK
from app.telemetry import describe
from app.transactions import Transactions
from app.transport.late import LateTransport
from app.writer import Writer
from schema import ids
from schema.ids import Kind
from schema.scalars import print_date_time

SECONDS = 10.0
"""How long one callback may take, from the look-up of the host's name to the end of the answer."""

LARGEST_ANSWER = 64 * 1024
"""In bytes: what is read of an answer, so that its connection can be used again. Nobody looks at it."""

MOST_PER_KEY = 16
"""How many callbacks of one gateway key a process posts at a time: who does not answer keeps nobody else waiting."""

HOLD = 30_000
"""Milliseconds for which a callback belongs to the process that took it."""

_DAY = 24 * 3600 * 1000
_FIRST_WAIT, _LONGEST_WAIT = 5_000, 3_600_000
_LONGEST_URL = 2000
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_log = logging.getLogger(__name__)


def is_callback_url(given: str) -> bool:
    """Whether callbacks may go there: https, or http on loopback; no credentials, no fragment."""
    if len(given) > _LONGEST_URL or "#" in given or _VISIBLE_ASCII.fullmatch(given) is None:
        return False
    try:
        url = httpx.URL(given)
    except httpx.InvalidURL:
        return False
    is_safe = url.scheme == "https" or (url.scheme == "http" and url.host in LOOPBACK)
    return is_safe and bool(url.host) and not url.userinfo and (url.port is None or 0 < url.port < 65536)


def shown_secret(signer: Signer, key_id: str) -> str:
    """What a partner verifies signatures with: `whsec_` and base64 of 32 bytes. It is derived, and stored nowhere."""
    return "whsec_" + base64.b64encode(_secret(signer, key_id)).decode()


def milliseconds_until_retry(attempts: int) -> int:
    """How long the next attempt waits after so many that failed, at least one."""
    return min(_FIRST_WAIT << min(attempts - 1, 20), _LONGEST_WAIT)


def open_client(agent: str) -> httpx.AsyncClient:
    """A client for callbacks: no redirects, proxies, netrc or cookies."""
    return httpx.AsyncClient(
        headers={"accept-encoding": "identity", "user-agent": agent},
        timeout=SECONDS,
        transport=LateTransport(_open_transport),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


@dataclass(frozen=True)
class Callback:
    """A callback that this process has taken; `held_ms` is until when, and by it is known whether it still has."""

    write: Write
    url: str
    created_ms: int
    attempts: int
    held_ms: int


@dataclass
class Callbacks:
    """Posts what is due. `seconds` is what one callback may take, `every` the longest pause between two looks, in seconds;
    `clock` tells milliseconds since 1970.
    """

    reads: Transactions
    writer: Writer
    signer: Signer
    http: httpx.AsyncClient
    seconds: float = SECONDS
    every: float = 1.0
    clock: Clock = now_ms
    _under_way: dict[asyncio.Task[None], Callback] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks for what is due until the block ends; what is under way then is left to the next start."""
        task = asyncio.create_task(self._run(), name="callbacks")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self._break_off()

    async def look(self) -> list[asyncio.Task[None]]:
        """One round: takes what is due, as far as each gateway key has room, and starts to post it."""
        now = self.clock()
        keys = await self.reads.run(lambda c: _due_keys(c, now))
        rooms = {key: room for key in keys if (room := MOST_PER_KEY - self._busy(key)) > 0}
        if not rooms:
            return []
        taken = await self.writer.run(lambda c: _claim(c, rooms, now))
        return [self._start(callback) for callback in taken]

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001  # the database may be away for a while; this must go on
                _log.error("looking for callbacks failed", extra=describe(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self.every):
                    await self._wake.wait()

    def _busy(self, gateway_key: str) -> int:
        return sum(callback.write.gateway_key == gateway_key for callback in self._under_way.values())

    def _start(self, callback: Callback) -> asyncio.Task[None]:
        task = asyncio.create_task(self._handle(callback), name=f"callback {callback.write.id}")
        self._under_way[task] = callback
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        self._wake.set()  # there is room for the next one

    async def _break_off(self) -> None:
        """Ends what is under way and gives it back, so that whoever looks next need not wait for the hold to run out."""
        under_way = dict(self._under_way)
        if not under_way:
            return
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        try:
            await self.writer.run(lambda c: _give_back(c, list(under_way.values()), self.clock()))
        except (SQLAlchemyError, OSError) as error:
            _log.error("callbacks could not be given back", extra=describe(error))

    async def _handle(self, callback: Callback) -> None:
        try:
            if await self._is_taken(callback):
                await self.writer.run(lambda c: _remove(c, callback))
            else:
                await self._try_later(callback)
        except (SQLAlchemyError, OSError) as error:
            _log.error("a callback's outcome could not be stored", extra=describe(error))  # posted again after the hold

    async def _is_taken(self, callback: Callback) -> bool:
        """Whether the partner answered with success; what comes after the status does not matter."""
        body = _body(callback.write)
        headers = _headers(self.signer, callback.write, self.clock() // 1000, body)
        status = 0
        try:
            async with (
                asyncio.timeout(self.seconds),
                self.http.stream("POST", callback.url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
                await _read_off(answer)
        except Exception as error:  # noqa: BLE001  # whatever it was that went wrong: it is posted again
            _log.info("a callback went wrong", extra=describe(error))
        return 200 <= status < 300

    async def _try_later(self, callback: Callback) -> None:
        attempts = callback.attempts + 1
        due_ms = self.clock() + milliseconds_until_retry(attempts)
        if due_ms <= callback.created_ms + _DAY:
            await self.writer.run(lambda c: _put_off(c, callback, due_ms=due_ms, attempts=attempts))
            return
        await self.writer.run(lambda c: _remove(c, callback))
        write = callback.write
        _log.warning(
            "a callback is dropped: nobody took it for a day",
            extra={"receipt": _receipt_id(write), "gateway_key": write.gateway_key, "attempts": attempts},
        )


def _open_transport() -> httpx.AsyncBaseTransport:
    from app.transport.apart import ApartTransport  # noqa: PLC0415  # see LateTransport

    return ApartTransport(httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=15.0))


def _due_keys(connection: Connection, now: int) -> Sequence[str]:
    query = select(callbacks.c.gateway_key).where(callbacks.c.due_ms <= now).distinct()
    return (connection.execute(query)).scalars().all()


def _claim(connection: Connection, rooms: Mapping[str, int], now: int) -> list[Callback]:
    """Callbacks that are due, the oldest first and so many of each gateway key; no other process takes them for a while."""
    return [each for key, room in rooms.items() for each in _claim_of(connection, key, room, now)]


def _claim_of(connection: Connection, gateway_key: str, most: int, now: int) -> list[Callback]:
    due = and_(callbacks.c.gateway_key == gateway_key, callbacks.c.due_ms <= now)
    query = (
        select(callbacks, callback_urls.c.url)
        .join(callback_urls, callback_urls.c.gateway_key == callbacks.c.gateway_key)
        .where(due)
        .order_by(callbacks.c.due_ms, callbacks.c.write_id)
        .limit(most)
    )
    if connection.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True, of=callbacks)
    rows = (connection.execute(query)).all()
    taken = callbacks.c.write_id.in_([row.write_id for row in rows])
    connection.execute(update(callbacks).where(taken).values(due_ms=now + HOLD))
    found = [(row, store.by_id(connection, row.write_id)) for row in rows]
    return [
        Callback(write, row.url, row.created_ms, row.attempts, now + HOLD) for row, write in found if write is not None
    ]


def _remove(connection: Connection, callback: Callback) -> None:
    connection.execute(delete(callbacks).where(callbacks.c.write_id == callback.write.id))


def _give_back(connection: Connection, held: Sequence[Callback], now: int) -> None:
    for callback in held:
        _put_off(connection, callback, due_ms=now)


def _put_off(connection: Connection, callback: Callback, **values: int) -> None:
    """Unless it was given up meanwhile, or another process has it."""
    still_held = and_(callbacks.c.write_id == callback.write.id, callbacks.c.due_ms == callback.held_ms)
    connection.execute(update(callbacks).where(still_held).values(**values))


def _body(write: Write) -> bytes:
    """The receipt as JSON, without what was written: that may be personal."""
    error = write.read_error()
    receipt: dict[str, Any] = {
        "id": _receipt_id(write),
        "idempotencyKey": write.idempotency_key,
        "operation": write.operation.value,
        "vendor": write.vendor.value,
        "state": write.state.value,
        "resultId": write.result_id,
        "error": {"code": error.code, "message": error.message, "retryable": error.retryable} if error else None,
        "createdAt": _stamp(write.created_ms),
        "completedAt": _stamp(write.completed_ms) if write.completed_ms is not None else None,
    }
    return json.dumps(receipt, ensure_ascii=False, separators=(",", ":")).encode()


def _headers(signer: Signer, write: Write, timestamp: int, body: bytes) -> dict[str, str]:
    """The ID is the receipt's, in every attempt; the time is the attempt's."""
    webhook_id = _receipt_id(write)
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    digest = hmac.digest(_secret(signer, write.gateway_key), signed, hashlib.sha256)
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


async def _read_off(answer: httpx.Response) -> None:
    """Reads an answer as it comes off the wire, so that no compression makes it larger."""
    read = 0
    async for chunk in answer.aiter_raw():
        read += len(chunk)
        if read >= LARGEST_ANSWER:
            return


def _secret(signer: Signer, key_id: str) -> bytes:
    return signer.sign("callback", key_id)


def _receipt_id(write: Write) -> str:
    return ids.encode(Kind.RECEIPT, write.id)


def _stamp(milliseconds: int) -> str:
    return print_date_time(datetime.fromtimestamp(milliseconds / 1000, UTC))
