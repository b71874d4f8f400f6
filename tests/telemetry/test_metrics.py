"""GET /metrics: what is counted, how many series there can be, who may read them, and what reading them costs."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Route

from app.call import Call, CallFailed
from app.rest import Rest
from app.security.keys import SANDBOX_KEY
from app.telemetry import Telemetry
from app.telemetry.backlog import Backlog
from app.telemetry.exposition import FRESH_SECONDS, Exposition
from app.telemetry.series import Series
from app.transport.through_httpx import ThroughHttpx
from app.verdict import Complaint
from schema.errors import Refusal
from schema.vendor import Vendor
from tests.canaries.keys import canary
from tests.gateway import Gateway
from tests.telemetry.scrape import Samples, of, samples, series, value

KEY = canary("metrics")
AUTHORIZED = {"authorization": f"Bearer {SANDBOX_KEY}"}


class Clock:
    """Stands still until it is told otherwise."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def _nothing() -> Mapping[str, int]:
    return {}


def _http(exposition: Exposition) -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/metrics", exposition.get)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")


async def _scrape(gateway: Gateway) -> Samples:
    answer = await gateway.http.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return samples(answer.text)


async def test_a_thousand_operation_names_are_one_series(demo: Gateway) -> None:
    """Names that callers make up can't fill the operator's database; nor can paths or methods."""
    for _ in range(1000):
        query = f"query {secrets.token_hex(8).translate(str.maketrans('0123456789', 'ghijklmnop'))} {{ __typename }}"
        await demo.http.post("/graphql", json={"query": query}, headers=AUTHORIZED)
    for path in ("/" + secrets.token_hex(4) for _ in range(10)):
        await demo.http.request("PROPFIND", path)
    found = await _scrape(demo)
    assert series(found, "graphql_operations_total") == {("other", "success", "query"): 1000}
    assert series(found, "http_requests_refused_total") == {("404",): 10}
    assert len(found) < 200


def test_a_metric_has_only_so_many_series() -> None:
    """Whatever a caller of the code counts: what is too much is counted as `other`."""
    registry = CollectorRegistry()
    counted = Series(Counter("x_total", "x", ("a", "b"), registry=registry), most=2)
    for each in ("p", "q", "r", "s", "p"):
        counted.of(each, "b").inc()
    assert series(of(registry), "x_total") == {("p", "b"): 2, ("q", "b"): 1, ("other", "other"): 2}


async def test_the_process_and_the_ledger_are_measured(demo: Gateway) -> None:
    """Memory, file descriptors, CPU; and how many writes are not final, also where there are none."""
    found = await _scrape(demo)
    assert series(found, "ledger_writes") == {("PENDING",): 0, ("SENDING",): 0, ("UNKNOWN",): 0}
    for name in ("process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"):
        assert (value(found, name) or 0) > 0
    assert value(found, "event_loop_lag_seconds_count") is not None


async def test_an_open_write_is_counted_by_its_state(demo: Gateway) -> None:
    """So that an operator can be woken by a write in doubt."""
    variables = {"input": {"displayName": "sandbox-500", "emailAddresses": ["ada@example.com"]}}
    query = "mutation ($input: CreateContactInput!) { createContact(input: $input) { receipt { state } } }"
    answer = await demo.ask(query, variables)
    assert answer.data == {"createContact": {"receipt": {"state": "UNKNOWN"}}}
    assert series(await _scrape(demo), "ledger_writes") == {("PENDING",): 0, ("SENDING",): 0, ("UNKNOWN",): 1}


@pytest.mark.parametrize(
    ("authorization", "status"),
    [(None, 401), ("Bearer no", 401), (f"Basic {KEY}", 401), (f"bearer {KEY}", 200)],
    ids=["none", "wrong", "another scheme", "right"],
)
async def test_a_key_can_be_asked_for(authorization: str | None, status: int) -> None:
    """By a setting; the refusal says what to send."""
    exposition = Exposition(Backlog(), _nothing, key=SecretStr(KEY))
    headers = {"authorization": authorization} if authorization else {}
    async with _http(exposition) as http:
        answer = await http.get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
    assert ("authorization: bearer" in answer.text.lower()) is (status == 401)


async def test_an_answer_is_used_again_for_a_second() -> None:
    """Whoever asks all the time costs next to nothing, though the page is open to all."""
    telemetry, clock, counted = Telemetry(), Clock(), []

    async def census() -> Mapping[str, int]:
        counted.append(1)
        return {"UNKNOWN": len(counted)}

    async with _http(Exposition(telemetry.metrics.registry, census, clock=clock)) as http:
        first, again = [(await http.get("/metrics")).text for _ in range(2)]
        clock.now += FRESH_SECONDS
        later = (await http.get("/metrics")).text
    assert first == again
    assert [value(samples(text), "ledger_writes", state="UNKNOWN") for text in (first, later)] == [1, 2]


async def test_a_database_that_does_not_answer_takes_only_its_own_metric_away() -> None:
    """It is then that the others are needed."""

    async def census() -> None:
        return None

    telemetry = Telemetry()
    telemetry.turned_away("PAYLOAD_TOO_LARGE", {})
    async with _http(Exposition(telemetry.metrics.registry, census)) as http:
        found = samples((await http.get("/metrics")).text)
    assert series(found, "ledger_writes") == {}
    assert series(found, "limits_hit_total") == {("body",): 1}


def test_breakers_shared_reads_and_transitions_are_told_apart() -> None:
    """By vendor, environment and operation; by the states before and after."""
    telemetry = Telemetry()
    bird = telemetry.vendor("BIRD", "TEST", "https://api.bird.example")
    for state in ("open", "half-open", "closed", "open"):
        bird.breaker("contacts.create", state)
    bird.shared()
    telemetry.moved(None, "PENDING", 1)
    telemetry.moved("PENDING", "SENDING", 2)
    found = of(telemetry.metrics.registry)
    assert value(found, "vendor_breaker_state", vendor="BIRD", environment="TEST", operation="contacts.create") == 2
    assert value(found, "vendor_reads_shared_total", vendor="BIRD", environment="TEST") == 1
    assert series(found, "ledger_transitions_total") == {("NONE", "PENDING"): 1, ("PENDING", "SENDING"): 2}


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        ("200", "2xx"),
        ("201", "2xx"),
        ("307", "3xx"),
        ("404", "4xx"),
        ("429", "429"),
        ("503", "5xx"),
        ("TOO_SLOW", "too_slow"),
    ],
)
def test_a_call_counts_by_the_class_of_its_status(outcome: str, shown: str) -> None:
    """A vendor may answer any of nine hundred statuses: they are a few series."""
    telemetry = Telemetry()
    telemetry.vendor("BIRD", "LIVE", "https://x.example").called("contacts.get", "GET", outcome, 0.02)
    found = of(telemetry.metrics.registry)
    labels = {"vendor": "BIRD", "environment": "LIVE", "operation": "contacts.get"}
    assert value(found, "vendor_calls_total", outcome=shown, **labels) == 1
    assert value(found, "vendor_call_seconds_bucket", le="0.025", **labels) == 1
    assert value(found, "vendor_call_seconds_bucket", le="0.01", **labels) == 0


def test_two_gateways_of_one_process_count_apart() -> None:
    """Nothing is global."""
    one, other = Telemetry(), Telemetry()
    one.refused(401)
    assert series(of(one.metrics.registry), "http_requests_refused_total") == {("401",): 1}
    assert series(of(other.metrics.registry), "http_requests_refused_total") == {}


@pytest.mark.parametrize(
    ("code", "facts", "limit"),
    [
        ("QUERY_TOO_COMPLEX", {"limit": "depth", "value": 21, "max": 20}, "depth"),
        ("PAYLOAD_TOO_LARGE", {}, "body"),
        ("RATE_LIMITED", {"retryAfterSeconds": 1}, "rate"),
        ("UNAUTHENTICATED", {}, None),
    ],
)
def test_a_refusal_counts_by_the_limit_that_was_reached(
    code: str, facts: Mapping[str, object], limit: str | None
) -> None:
    """By its own name, or by that of its code; other refusals are no limit's."""
    telemetry = Telemetry()
    telemetry.turned_away(code, facts)
    assert series(of(telemetry.metrics.registry), "limits_hit_total") == ({(limit,): 1} if limit else {})


async def test_limits_of_a_served_gateway_are_counted(demo: Gateway) -> None:
    """Of its document, and of its body."""
    deep = '{ node(id: "x") ' + "{ ... on Node " * 30 + "{ id }" + " }" * 31
    aliased = "{ " + " ".join(f"a{n}: __typename" for n in range(101)) + " }"
    for body in (
        {"query": deep},
        {"query": aliased},
        {"query": aliased},
        {"query": "{__typename}", "x": "x" * 3_000_000},
    ):
        await demo.http.post("/graphql", json=body, headers=AUTHORIZED)
    found = await _scrape(demo)
    assert series(found, "limits_hit_total") == {("aliases",): 2, ("body",): 1}


async def test_a_circuit_is_looked_at_and_what_it_keeps_back_is_counted() -> None:
    """Open after twenty bad calls, half-open when its time is up, also where nobody asks meanwhile."""
    telemetry, clock = Telemetry(), Clock()
    async with httpx.AsyncClient(transport=httpx.MockTransport(_down), base_url="http://vendor") as http:
        calls = telemetry.vendor("BIRD", "TEST", "http://vendor")
        rest = Rest(Vendor.BIRD, ThroughHttpx(http), lambda _: Complaint(), timeout=5, clock=clock, calls=calls)
        call = Call("GET", "/contacts", operation="contacts.list")
        for _ in range(20):
            with pytest.raises(CallFailed):
                await rest.exchange(call)
        with pytest.raises(Refusal):
            await rest.exchange(call)
        assert rest.gate("contacts.list").refusal() is not None
        shown = [_circuit(telemetry, rest)]
        clock.now += 20
        shown.append(_circuit(telemetry, rest))
    found = of(telemetry.metrics.registry)
    assert shown == [2, 1]
    assert series(found, "vendor_calls_total") == {("TEST", "contacts.list", "not_reached", "BIRD"): 20}
    assert series(found, "limits_hit_total") == {("vendor-circuit",): 2}


def _down(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens")


def _circuit(telemetry: Telemetry, rest: Rest) -> float | None:
    rest.tell_circuits()
    labels = {"vendor": "BIRD", "environment": "TEST", "operation": "contacts.list"}
    return value(of(telemetry.metrics.registry), "vendor_breaker_state", **labels)


async def test_the_event_loop_is_watched_while_the_gateway_runs() -> None:
    """And what only a look can tell is looked at."""
    telemetry, looked = Telemetry(), asyncio.Event()
    telemetry.looks(looked.set)
    async with telemetry.running():
        await asyncio.wait_for(looked.wait(), 30)
    assert (value(of(telemetry.metrics.registry), "event_loop_lag_seconds_count") or 0) >= 1
    assert (value(of(telemetry.metrics.registry), "event_loop_tasks") or 0) >= 2
