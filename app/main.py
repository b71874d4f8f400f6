"""The composition root: settings in, a served gateway out."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from app.cors import Cors
from app.current import current
from app.database import close_engine, open_engine
from app.demo import DemoReset
from app.documents import Documents
from app.endpoint import GraphQLEndpoint, unforeseen, unrouted
from app.execution.execution import Execution
from app.failpoints import nowhere
from app.front import PATH, Front
from app.ledger.book import PLANNERS, LedgerBook, Planner
from app.ledger.callbacks import Callbacks, open_client
from app.ledger.census import Census
from app.ledger.delivery import Deliveries
from app.ledger.moves import tell_moves
from app.ledger.reconcile import Reconciler
from app.ledger.selftest import hook_is_sound
from app.ledger.write import Write
from app.links.book import LinkBook
from app.links.records import Memory, Records
from app.links.resolve import Links
from app.live.activities import ActivityFeed
from app.live.connections import Connections
from app.live.events import EventStreams
from app.live.feeds import Feeds
from app.live.operations import Operations
from app.live.receipts import ReceiptWatch
from app.live.websocket import WebSockets
from app.migrate import migrate
from app.openapi import Description
from app.operations import NamedOperations
from app.pages.graphiql import BUILT, OWN, Assets, GraphiQL
from app.pages.receipts import ReceiptsPage, ReceiptsParts, page_documents
from app.plan import Intent, Plan
from app.ports import Finders, Make, Ports, RequestContext
from app.readings import Readings
from app.registry import VENDORS
from app.rest import NotConfigured, Rest
from app.security.door import Door
from app.security.keys import SANDBOX_KEY, GatewayKey, Keys
from app.security.rates import Budget, FailedKeys
from app.security.signing import Signer, secret_beside
from app.settings import Settings, VendorSettings, read_settings, sqlite_file
from app.shedding import LoadShedder
from app.stopping import draining
from app.telemetry import Telemetry, configure_logging, describe
from app.telemetry.exposition import Exposition
from app.telemetry.names import operation_names
from app.transactions import Transactions
from app.transport.client import Client
from app.transport.late import LateTransport
from app.transport.tls import open_tls
from app.trusted import own_documents
from app.vendor import Scope, VendorSpec
from app.writer import Writer
from schema.build import build_schema
from schema.context import Context
from schema.ports import ActivityLog
from schema.types.status import VendorStatus, Viewer
from schema.vendor import Environment, Vendor

if TYPE_CHECKING:
    from app.security.tokens import Tokens

VERSION = "0.1.0"
CONNECT_SECONDS = 2.0
_READY_SECONDS = 2.0
"""In seconds: how long the database may take to answer, and how long the ledger to be written."""

FINDERS = {spec.vendor: spec.finder for spec in VENDORS if spec.finder is not None}
_log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None, shedder: LoadShedder | None = None) -> Starlette:
    """The gateway as an ASGI app; without settings it reads the environment. Raises BadSettings."""
    chosen = settings or read_settings(os.environ, VENDORS)
    configure_logging(chosen.log_level)
    gateway = Gateway(chosen, shedder or LoadShedder())
    return Front(
        gateway.endpoint,
        gateway.telemetry.refused,
        chosen.hosts,
        Cors(chosen.cors_origins),
        routes=[
            Route("/", _home, methods=["GET"]),
            Route("/livez", _alive, methods=["GET"]),
            Route("/readyz", gateway.ready, methods=["GET"]),
            Route("/operations/{name}", gateway.operations, methods=["POST"]),
            Route("/receipts", gateway.receipts_page, methods=["GET"]),
            Route("/receipts/writes", gateway.receipts_parts, methods=["GET"]),
            *([Route("/demo/reset", gateway.demo_reset, methods=["POST"])] if chosen.takes_sandbox_key else []),
            Route("/openapi.json", gateway.openapi, methods=["GET"]),
            Mount("/assets", Assets(BUILT)),
            Mount("/pages", Assets(OWN)),
            Route("/metrics", gateway.metrics.get, methods=["GET"]),
            WebSocketRoute(PATH, gateway.sockets.serve),
        ],
        exception_handlers={HTTPException: unrouted, Exception: unforeseen},
        lifespan=gateway.running,
    )


class Gateway:
    """Everything that lives as long as the service."""

    def __init__(self, settings: Settings, shedder: LoadShedder) -> None:
        self._settings = settings
        self._tls = cache(open_tls)
        self._engine = open_engine(settings.database_url)
        self.telemetry = open_telemetry(settings)
        self._signer = open_signer(settings)
        self._clients: dict[tuple[Vendor, Environment], Any] = {}
        self._reads = Transactions(self._engine)
        self._rests: dict[tuple[Vendor, Environment], Rest] = {}
        self._readings = Readings()
        self._configured = {each: _configured(settings, each) for each in Environment}
        self._watch = ReceiptWatch(self._reads)
        self._feed = ActivityFeed(
            self._activities, every=settings.live_poll_seconds, look_seconds=settings.vendor_timeout
        )
        self._writer = Writer(self._engine, committed=self._committed)
        self.metrics = Exposition(
            self.telemetry.metrics.registry,
            Census(self._reads),
            folder=settings.metrics_folder,
            key=settings.metrics_key,
        )
        self._memory = Memory(self._reads, self._writer)
        self._records = {each: Records(self._memory, each) for each in Environment}
        self._makers = self._make_ports()
        self._deliveries = Deliveries(
            self._reads,
            self._writer,
            self._plan,
            reached=settings.failpoint or nowhere,
            learned=self._memory.learned,
            logged=self._feed.logged,
        )
        self._wake = asyncio.Event()
        self._reconciler = Reconciler(
            self._reads,
            self._writer,
            self._deliveries,
            self._plan,
            seconds=settings.vendor_timeout,
            keep=timedelta(days=settings.receipts_days),
            wake=self._wake,
        )
        self._identity_http = httpx.AsyncClient(
            timeout=5.0,
            follow_redirects=False,
            trust_env=False,
            transport=LateTransport(lambda: httpx.AsyncHTTPTransport(trust_env=False)),
        )
        self._budget = Budget(settings.rate, settings.rate_store) if settings.rate else None
        self._shedder = shedder
        schema, door = build_schema(), self._open_door()
        own = own_documents()
        sandbox_key = SANDBOX_KEY if settings.takes_sandbox_key else None
        trusted = [*own, *settings.documents]
        documents = Documents([*trusted, *page_documents()], settings.trusted_only)
        execution = Execution(schema, settings.limits)
        connections = Connections(settings.live, self.telemetry.turned_away)
        operations = Operations(
            execution,
            documents,
            self._context,
            settings.limits,
            self._budget,
            self.telemetry,
            settings.vendor_timeout,
            self._shedder,
        )
        self.sockets = WebSockets(operations, connections, door, settings.cors_origins)
        self.endpoint = GraphQLEndpoint(
            execution,
            door,
            self._context,
            GraphiQL(own, sandbox_key),
            documents=documents,
            limits=settings.limits,
            streams=EventStreams(operations, connections, door),
            newest_statuses=settings.newest_statuses,
            budget=self._budget,
            request_seconds=settings.vendor_timeout,
            telemetry=self.telemetry,
            shedder=self._shedder,
        )

        self.demo_reset = DemoReset(door, self._memory, _sandboxes(settings))
        self.receipts_page = ReceiptsPage(sandbox_key)
        self.receipts_parts = ReceiptsParts(self.endpoint)
        self.operations = NamedOperations(self.endpoint, documents)
        self.openapi = Description(schema.as_str, trusted, VERSION)

    @asynccontextmanager
    async def running(self, _: Starlette) -> AsyncIterator[None]:
        """Opens the database and one client per vendor and environment, and closes them again."""
        async with AsyncExitStack() as stack:
            stack.push(_tell_failure)
            stack.push_async_callback(close_engine, self._engine)
            await stack.enter_async_context(self.telemetry.running())
            stack.push_async_callback(self._identity_http.aclose)
            if self._budget is not None:
                stack.push_async_callback(self._budget.close)
            stack.callback(self._reads.close)
            await migrate(self._engine)
            await stack.enter_async_context(self._writer.running())
            await stack.enter_async_context(self._memory.running())
            await stack.enter_async_context(self._watch.running())
            self._deliveries.commits_early = not await hook_is_sound()
            for spec in VENDORS:
                for environment in Environment:
                    self._clients[spec.vendor, environment] = await self._open(stack, spec, environment)
            stack.push_async_callback(self._deliveries.drain, self._settings.vendor_timeout)
            await stack.enter_async_context(self._reconciler.running())
            await stack.enter_async_context(self._feed.running())
            await stack.enter_async_context(self._shedder.running(self._writer.late))
            http = await stack.enter_async_context(open_client(f"switchboard/{VERSION}"))
            await stack.enter_async_context(Callbacks(self._reads, self._writer, self._signer, http).running())
            yield

    def _open_door(self) -> Door:
        keys = Keys(self._reads, self._signer, sandbox=self._settings.takes_sandbox_key)
        return Door(keys, self._open_tokens(), FailedKeys(self._settings.failed_keys))

    def _open_tokens(self) -> Tokens | None:
        trusted = self._settings.tokens
        if trusted is None:
            return None
        from app.security.tokens import KeySet, Tokens  # noqa: PLC0415  # 10 MB of cryptography that only tokens need

        return Tokens(trusted, KeySet(trusted.jwks_url, self._identity_http))

    async def ready(self, request: Request) -> Response:
        """Whether requests can be served, and more of them are welcome; a vendor that is down does not count."""
        if draining(request.scope).is_set():
            return JSONResponse({"status": "stopping"}, 503)
        if not await _answers(self._reads):
            return JSONResponse({"status": "the database does not answer"}, 503)
        if not await self._writer.answers(_READY_SECONDS):
            return JSONResponse({"status": "the ledger can't be written"}, 503)
        return JSONResponse({"status": "ready"})

    async def _open(self, stack: AsyncExitStack, spec: VendorSpec, environment: Environment) -> Any:
        where = self._settings.vendors[spec.vendor, environment]
        rest = self._rests[spec.vendor, environment] = await self._open_rest(stack, spec, environment)
        return spec.client(rest, where.values)

    async def _open_rest(self, stack: AsyncExitStack, spec: VendorSpec, environment: Environment) -> Rest:
        where = self._settings.vendors[spec.vendor, environment]
        if not where.values:
            return NotConfigured(spec.vendor)
        http = _http_client(spec, where, environment, self._tls, self._settings.vendor_timeout)
        stack.push_async_callback(http.close)
        rest = Rest(
            spec.vendor,
            http,
            spec.complaint,
            timeout=self._settings.vendor_timeout,
            concurrency=self._settings.vendor_concurrency,
            calls=self.telemetry.vendor(spec.vendor.value, environment.value, where.base_url, spec.paths),
            readings=self._readings,
        )
        self.telemetry.looks(rest.tell_circuits)
        return rest

    def _context(self, key: GatewayKey, request_id: str, idempotency_key: str | None) -> Context:
        """What the resolvers of one request reach: only the vendors of the key's environment."""
        ports = self._ports(key.viewer)
        current().ends_with(ports.let_go)
        return RequestContext(request_id, idempotency_key, ports)

    def _ports(self, viewer: Viewer) -> Ports:
        return Ports(viewer, self._makers)

    def _make_ports(self) -> Mapping[str, Make]:
        """How each port is made, and what those of the vendors work with: the scope, and the links of the request."""
        return {
            "scope": self._scope,
            "links_of_request": self._links,
            "ledger": self._ledger,
            "receipts": lambda ports: ports["ledger"],
            "links": lambda ports: LinkBook(
                ports["links_of_request"], ports["people"], ports["prospects"], ports["contact_book"]
            ),
            "vendors": lambda ports: _Statuses(self._settings.vendors, self._rests, ports.viewer.environment),
            "live": lambda ports: Feeds(ports.viewer.environment, ports["receipts"], self._watch, self._feed),
            **{name: partial(self._adapter, spec, make) for spec in VENDORS for name, make in spec.adapters.items()},
        }

    def _scope(self, ports: Ports) -> Scope:
        records = self._records[ports.viewer.environment]
        return Scope(ports.viewer, records, self._signer, ports, self._settings.assumed)

    def _links(self, ports: Ports) -> Links:
        records = self._records[ports.viewer.environment]
        return Links(records, self._settings.links_max_age * 1000, Finders(ports, FINDERS))

    def _ledger(self, ports: Ports) -> LedgerBook:
        return LedgerBook(
            ports.viewer,
            self._reads,
            self._writer,
            self._deliveries,
            ports,
            self._configured[ports.viewer.environment],
            ports["scope"].cursors("receipts"),
            self._settings.delivery_max_age,
            self._wake,
        )

    def _adapter(self, spec: VendorSpec, make: Callable[[Any, Scope], Any], ports: Ports) -> Any:
        return make(self._clients[spec.vendor, ports.viewer.environment], ports["scope"])

    def _committed(self, news: Sequence[Any]) -> None:
        self._watch.stir()
        tell_moves(news, self.telemetry.moved)

    def _activities(self, environment: Environment) -> ActivityLog:
        """What a look for new activities asks, on behalf of all who follow them."""
        activities: ActivityLog = self._ports(nobody(environment))["activities"]
        return activities

    def _plan(self, write: Write) -> Plan[Any]:
        """How a write is sent, after the request that asked for it."""
        asked_at = datetime.fromtimestamp(write.created_ms / 1000, UTC)
        intent = Intent(write.idempotency_key, asked_at)
        planner: Planner = self._ports(nobody(write.environment, write.gateway_key))[PLANNERS[write.operation]]
        return planner.plan(write.read_draft(), intent)


def _tell_failure(_: object, error: BaseException | None, __: object) -> None:
    """The server logs a traceback in one text, with the exception's own words: of that a log may show nothing."""
    if isinstance(error, Exception):
        _log.error("the gateway could not start, or not stop in good order", extra=describe(error))


def nobody(environment: Environment, key_id: str = "") -> Viewer:
    """Who works in the background: on behalf of a key, or of nobody, and with no scope."""
    return Viewer(key_id=key_id, name="", environment=environment, scopes=[])


def _configured(settings: Settings, environment: Environment) -> frozenset[Vendor]:
    """The vendors that can be called."""
    return frozenset(
        vendor for (vendor, where), each in settings.vendors.items() if where is environment and each.values
    )


def _sandboxes(settings: Settings) -> dict[Vendor, str]:
    """Where the sandboxes are that stand in for vendors."""
    stood_in = {vendor: where for (vendor, _), where in settings.vendors.items() if where.sandboxed}
    return {vendor: where.base_url for vendor, where in stood_in.items()}


def open_telemetry(settings: Settings) -> Telemetry:
    """With traces, if there is a collector."""
    if settings.traces_to is None:
        return Telemetry(names=operation_names())
    from app.telemetry.traces import open_traces  # noqa: PLC0415  # every start is faster without OpenTelemetry's SDK

    return Telemetry(open_traces(settings.traces_to, settings.traceparent), operation_names())


def open_signer(settings: Settings) -> Signer:
    """The signer over the configured secret, or over the one beside the SQLite file."""
    file = sqlite_file(settings.database_url)
    secret = settings.secret or (secret_beside(file) if file else None)
    if secret is None:
        raise ValueError("settings without a secret")
    return Signer(secret)


@dataclass(frozen=True)
class _Statuses:
    """Fills schema.ports.Vendors."""

    vendors: Mapping[tuple[Vendor, Environment], VendorSettings]
    rests: Mapping[tuple[Vendor, Environment], Rest]
    environment: Environment

    async def statuses(self) -> list[VendorStatus]:
        return [self._status(spec, self.vendors[spec.vendor, self.environment]) for spec in VENDORS]

    def _status(self, spec: VendorSpec, where: VendorSettings) -> VendorStatus:
        return VendorStatus(
            vendor=spec.vendor,
            environment=self.environment,
            available=self.rests[spec.vendor, self.environment].is_available,
            sandboxed=where.sandboxed,
            capabilities=list(spec.capabilities),
        )


def _http_client(
    spec: VendorSpec, where: VendorSettings, environment: Environment, tls: Callable[[], SSLContext], timeout: float
) -> Client:
    """No redirects, proxies, netrc or cookies."""
    headers = {"accept": "application/json", "accept-encoding": "identity", "user-agent": f"switchboard/{VERSION}"}
    opening = spec.auth(where.values, environment.value.lower()).headers()
    return Client(where.base_url, {**headers, **opening}, tls, connect_seconds=min(timeout / 2, CONNECT_SECONDS))


async def _home(_: Request) -> Response:
    return RedirectResponse("/graphql")


async def _alive(_: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _answers(database: Transactions) -> bool:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            await database.run(lambda connection: connection.execute(text("SELECT 1")) and None)
    except (SQLAlchemyError, OSError):
        return False
    return True
