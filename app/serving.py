"""Puts the gateway and its sandboxes on sockets, and takes it off them without cutting anything."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_network
from multiprocessing import parent_process, resource_tracker
from tempfile import TemporaryDirectory
from time import monotonic
from types import FrameType
from typing import Any, NoReturn, cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.lifespan.on import LifespanOn, LifespanSendMessage
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from app import sending
from app.body import LARGEST_BODY
from app.deadline import MOST_SECONDS
from app.registry import VENDORS
from app.settings import LOOPBACK, PREFIXES, Settings, read_settings
from app.sockets import bound_socket
from app.stopping import DRAINING
from app.telemetry import configure_logging
from app.variables import METRICS_FOLDER, SANDBOX_KEY, SANDBOXED, base_url_name
from app.vendor import VendorSpec
from schema.vendor import Environment

_ALLOCATIONS = 20_000
"""How many more objects must have been made than dropped before cycles are looked for; Python's own number is 700."""

_TURN = 0.001
"""In seconds: for how long one thread may keep the others waiting while it runs Python. With Python's own 5 ms a look into the
database, which changes threads several times, takes tens of milliseconds where the event loop is busy.
"""

_BEYOND_DEADLINE = 5
"""In seconds: what a request that has reached its deadline may take to be answered."""

_AGAIN = 3.0
"""In seconds: how often a worker is started anew while none can start."""

_log = logging.getLogger(__name__)


@contextmanager
def sandboxes(specs: tuple[VendorSpec, ...], sockets: Mapping[str, socket.socket], *, demo: bool) -> Iterator[None]:
    """Serves the sandboxes of these vendors, each on the socket that stands under its name."""
    from app.sandbox.reset import Resettable  # noqa: PLC0415  # without sandboxes every start is faster for it
    from app.sandbox.server import serving  # noqa: PLC0415
    from app.sandbox.world import build_world  # noqa: PLC0415

    world = build_world() if demo else None
    with serving({spec.vendor.value: Resettable(partial(spec.sandbox, world)) for spec in specs}, sockets):
        yield


def without_credentials(settings: Settings) -> tuple[VendorSpec, ...]:
    """The vendors that have none in environment TEST: those that a sandbox stands in for."""
    return tuple(spec for spec in VENDORS if not settings.vendors[spec.vendor, Environment.TEST].values)


def leave_sandboxes() -> None:
    """Drops from the environment what an earlier `serve --sandbox` may have left in it."""
    for setting in (SANDBOXED, SANDBOX_KEY):
        os.environ.pop(setting.name, None)


def is_loopback(host: str) -> bool:
    return host in LOOPBACK


def sandbox_environ(specs: tuple[VendorSpec, ...], sockets: Mapping[str, socket.socket], host: str) -> dict[str, str]:
    """The environment variables that lead a gateway to its sandboxes."""
    environ = {SANDBOXED.name: ",".join(spec.vendor.value for spec in specs)}
    if is_loopback(host):
        environ[SANDBOX_KEY.name] = "on"
    for spec in specs:
        environ |= sandbox_variables(spec, sockets[spec.vendor.value])
    return environ


def sandbox_variables(spec: VendorSpec, sock: socket.socket) -> dict[str, str]:
    """One vendor's variables of environment TEST, for a sandbox on a socket."""
    prefix = PREFIXES[Environment.TEST]
    host, port = sock.getsockname()[:2]
    values = {prefix + name: value for name, value in spec.sandbox_values().items()}
    return {prefix + base_url_name(spec.vendor): f"http://{host}:{port}", **values}


def loopback_sockets(specs: tuple[VendorSpec, ...]) -> dict[str, socket.socket]:
    return {spec.vendor.value: bound_socket("127.0.0.1", 0) for spec in specs}


def serve(sock: socket.socket, workers: int, announce: Callable[[], None]) -> None:
    """Serves the gateway, whose settings are in the environment, until SIGINT or SIGTERM; then leaves with 0.

    From the signal on `/readyz` answers 503; the settings say how long new requests are still taken. What is under way
    is answered, within the deadline that every request has.
    """
    settings = read_settings(os.environ, VENDORS)
    config = _Config(
        "app.main:create_app",
        factory=True,
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(max(settings.vendor_timeout, MOST_SECONDS)) + _BEYOND_DEADLINE,
        lifespan="on",
        http=sending.Http,
        ws=sending.WebSockets,
        ws_max_size=LARGEST_BODY,
        ws_per_message_deflate=False,  # a small frame could unfold into a large message, and a small one gains nothing
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[*settings.trusted_proxies, *_mapped(settings.trusted_proxies)],
        drain_seconds=settings.drain_seconds,
        send_seconds=settings.send_seconds,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    configure_logging(settings.log_level)
    if workers == 1:
        _Server(config, announce).run(sockets=[sock])
        return
    with sock, TemporaryDirectory(prefix="switchboard-") as folder:
        os.environ[METRICS_FOLDER.name] = folder
        _spare_the_collector()  # the parent's: it may serve sandboxes
        announce()
        _Workers(config, sockets=[sock]).run()


def _mapped(networks: Sequence[str]) -> list[str]:
    """Those of IPv4 as a socket of IPv6 shows them (RFC 4291, 2.5.5.2)."""
    found = [ip_network(each) for each in networks]
    return [f"::ffff:{each.network_address}/{96 + each.prefixlen}" for each in found if each.version == 4]


class _Config(uvicorn.Config):
    """Reaches every worker, and with it how the worker is to leave."""

    def __init__(self, app: str, *, drain_seconds: float, send_seconds: float, **options: Any) -> None:
        super().__init__(app, **options)
        self.drain_seconds = drain_seconds
        self.send_seconds = send_seconds

    def load(self) -> None:
        gc.disable()  # until all stands that will: see _spare_the_collector
        super().load()
        self.lifespan_class = _Lifespan


class _Lifespan(LifespanOn):
    """Stands between a signal and uvicorn, which would close its listener at once: whoever balances the load needs time to
    see the 503 of `/readyz`. The app finds the flag in its state. A second Ctrl-C ends the grace period; a second SIGTERM
    doesn't: a service manager may send one to all processes of a group, and the parent another. One that comes before the
    app has started ends the start: it may wait for a database, and nobody is served yet.
    """

    async def startup(self) -> None:
        self._draining = self.state[DRAINING] = asyncio.Event()
        self._starting = asyncio.current_task()
        self._watch(asyncio.get_running_loop())
        try:
            await super().startup()
        except asyncio.CancelledError:
            await self._give_up()
        self._starting = None
        if not self.should_exit:
            _spare_the_collector()
            sys.setswitchinterval(_TURN)

    async def main(self) -> None:
        self._app = cast("asyncio.Task[None]", asyncio.current_task())
        await super().main()

    async def send(self, message: LifespanSendMessage) -> None:
        """Without the text of a failure, a traceback: the gateway has logged what may be told of it."""
        await super().send(cast(LifespanSendMessage, {"type": message["type"]}))

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        leave = cast("Callable[[int, None], None]", signal.getsignal(signal.SIGTERM))  # uvicorn's own handler

        def drain(number: int, _: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._drain, number, leave)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, drain)
        if (parent := parent_process()) is not None:
            loop.add_reader(parent.sentinel, self._outlive, loop, parent.sentinel)

    def _outlive(self, loop: asyncio.AbstractEventLoop, sentinel: int) -> None:
        """A worker whose parent is gone leaves as if it were told to: nobody else would tell it."""
        loop.remove_reader(sentinel)
        signal.raise_signal(signal.SIGTERM)

    async def _give_up(self) -> NoReturn:
        """The app closes what it has opened."""
        self._app.cancel()
        await asyncio.wait([self._app])
        sys.exit(0)

    def _drain(self, number: int, leave: Callable[[int, None], None]) -> None:
        config = cast(_Config, self.config)
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
        elif not self._draining.is_set():
            self._draining.set()
            config.encoded_headers.append((b"connection", b"close"))  # who keeps a connection has to ask elsewhere
            self._end = asyncio.get_running_loop().call_later(config.drain_seconds, leave, number, None)
        elif number == signal.SIGINT:
            self._end.cancel()
            leave(number, None)


def _spare_the_collector() -> None:
    """What stands after the start stays: it need not be looked through again and again (docs.python.org/3/library/gc.html).

    A request makes thousands of objects, of which next to none are in cycles: they are looked for less often.
    """
    gc.freeze()  # of what a start makes, next to nothing is garbage
    gc.enable()
    gc.set_threshold(_ALLOCATIONS, 20, 50)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


class _Workers(Multiprocess):
    """Unlike uvicorn's it ends with a worker that can't start only as long as none has started: what one could do before is
    hindered by what passes, such as a database that is down, and those that still serve go on.
    """

    _has_started = False
    _next_try = 0.0

    def init_processes(self) -> None:
        with _interrupts_held():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        if self.should_exit.is_set():
            return
        self._has_started = self._has_started or any(_is_ready(worker) for worker in self.processes)
        gone = [worker for worker in self.processes if not worker.is_alive(self.config.timeout_worker_healthcheck)]
        for worker in gone:
            worker.kill()  # it may hang
            worker.join()
        failed = any(worker.exitcode == STARTUP_FAILURE for worker in gone)
        if failed and not self._has_started:
            self.should_exit.set()
        elif gone and not (failed and monotonic() < self._next_try):
            self._next_try = monotonic() + _AGAIN
            self._replace(gone)

    def _replace(self, gone: Sequence[Process]) -> None:
        with _interrupts_held():
            for worker in gone:
                _log.info("a worker is gone, and another takes its place")
                another = Process(self.config, self.sockets)
                another.start()
                self.processes[self.processes.index(worker)] = another

    def run(self) -> None:
        super().run()
        if not self._has_started and any(worker.exitcode == STARTUP_FAILURE for worker in self.processes):
            sys.exit(STARTUP_FAILURE)


def _is_ready(worker: Process) -> bool:
    return worker.process.is_alive() and worker.is_ready()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A terminal's Ctrl-C reaches all processes; workers started here inherit the mask, and wait for their parent's word."""
    resource_tracker.ensure_running()  # it is started with the first worker otherwise, and ends with SIGINT let through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave(_: int, __: FrameType | None) -> None:
    """Uvicorn raises the signal again once it has shut down; by then all is well."""
    sys.exit(0)
