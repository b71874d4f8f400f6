"""What it costs to run an operation, compiled and by graphql-core: `python -m tests.bench.execution`.

Four questions over ports that answer from memory at the event loop's next turn, so that nothing but execution is measured.
Documents are prepared before. CPU time of this process; the best of some rounds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from aiodataloader import DataLoader
from graphql import ExecutionResult

from app.execution.execution import Execution
from app.execution.run import run
from app.limits import Limits
from schema import ids
from schema.build import Schema, build_schema
from schema.context import Context
from schema.ids import Kind
from schema.ports import Written
from schema.types.activity import Activity
from schema.types.connection import Connection, Edge, PageInfo
from schema.types.contact import Contact
from schema.types.contact_method import ContactMethod
from schema.types.person import Person
from schema.types.receipt import Receipt
from schema.types.status import Viewer
from schema.vendor import Environment
from tests.execution.world import PORTS, UUID, made

ROUNDS = 5
SECONDS = 0.4
PAGE = PageInfo(has_next_page=False, has_previous_page=False, write_start=str, write_end=str)

CONTACT = """id displayName emailAddresses phoneNumbers identifierCount listIds accountIds isAnonymous createdAt
    updatedAt"""
METHOD = "id clientId type value isPrimary createdAt"
ACTIVITY = "id subject type status occurredAt createdAt"


@dataclass(frozen=True)
class Workload:
    name: str
    text: str
    variables: dict[str, Any]


WORKLOADS = (
    Workload(
        "one contact",
        f"query One($id: ID!) {{ contact(by: {{id: $id}}) {{ {CONTACT} }} }}",
        {"id": ids.encode(Kind.CONTACT, UUID)},
    ),
    Workload(
        "20 contacts with 40 lists",
        f"""query List($first: Int!) {{ contacts(first: $first) {{ nodes {{ {CONTACT}
            contactMethods(first: 5) {{ nodes {{ {METHOD} }} }} activities(first: 5) {{ nodes {{ {ACTIVITY} }} }} }} }} }}""",
        {"first": 20},
    ),
    Workload(
        "one mutation",
        """mutation Make($input: CreateContactInput!) { createContact(input: $input) {
            contact { id displayName } receipt { id state } errors { code message } } }""",
        {
            "input": {
                "displayName": "Ada",
                "emailAddresses": ["ada@example.com"],
                "attributes": {"a": 1},
                "delivery": "WAIT",
            }
        },
    ),
    Workload("500 leaves", "{ people(first: 100) { nodes { id displayName name linkedinProfileUrl createdAt } } }", {}),
)


class Answers:
    """A port that answers the same to every question."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers
        self._loader: DataLoader[Any, Any] | None = None

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        answer = self._answers[method]

        async def ask(*asked: Any, **_: Any) -> Any:
            if method == "of":
                self._loader = self._loader or DataLoader(self._load)
                return await self._loader.load(id(asked[0]))
            await asyncio.sleep(0)
            return answer

        return ask

    async def _load(self, keys: list[Any]) -> list[Any]:
        await asyncio.sleep(0)
        return [self._answers["of"] for _ in keys]


def _page(type_: Any, count: int) -> Any:
    nodes = [made(type_, Random(n), 0.0) for n in range(count)]  # noqa: S311  # not for secrets
    edges = [Edge(node=node, write_cursor=str) for node in nodes]
    return Connection(make_edges=lambda: edges, nodes=nodes, page_info=PAGE)


def _contexts() -> Callable[[], Context]:
    contacts, people = _page(Contact, 20), _page(Person, 100)
    methods, activities = {"of": _page(ContactMethod, 5)}, {"of": _page(Activity, 5)}
    receipt = made(Receipt, Random(1), 0.0)  # noqa: S311  # not for secrets
    viewer = Viewer(key_id="k", name="Bench", environment=Environment.TEST, scopes=["*"])

    def make() -> Context:
        ports = {
            "contact_book": Answers({"get": contacts.nodes[0], "page": contacts}),
            "people": Answers({"page": people}),
            "contact_methods": Answers(methods),
            "activities": Answers(activities),
            "ledger": Answers({"write": Written(result=contacts.nodes[0], receipt=receipt)}),
        }
        fakes: dict[str, Any] = {**dict.fromkeys(PORTS), **ports}
        return Context(viewer=viewer, request_id="q", idempotency_key=None, **fakes)

    return make


async def _measure(work: Callable[[], Awaitable[Any]]) -> float:
    """Microseconds of CPU."""
    best = float("inf")
    for _ in range(ROUNDS):
        count, began = 0, time.process_time()
        while time.process_time() - began < SECONDS:
            await work()
            count += 1
        best = min(best, (time.process_time() - began) / count)
    return best * 1e6


async def compare(schema: Schema, workload: Workload) -> tuple[float, float]:
    """What compiled code and graphql-core take for a workload."""
    execution, make_context = Execution(schema, Limits()), _contexts()

    async def compiled() -> ExecutionResult:
        operation = execution.prepare(workload.text, None)
        return await execution.run(operation, workload.variables, make_context())

    async def by_core() -> ExecutionResult:
        return await run(schema, execution.prepare(workload.text, None), workload.variables, make_context())

    ours, core = await compiled(), await by_core()
    if (ours.data, ours.errors) != (core.data, None):
        raise RuntimeError(f"The answers to {workload.name} differ.")
    return await _measure(compiled), await _measure(by_core)


async def main() -> None:
    schema = build_schema()
    print(f"{'microseconds of CPU':26}{'compiled':>10}{'graphql-core':>14}{'ratio':>8}")  # noqa: T201  # for whoever runs it
    for workload in WORKLOADS:
        fast, slow = await compare(schema, workload)
        print(f"{workload.name:26}{fast:10.0f}{slow:14.0f}{slow / fast:8.1f}")  # noqa: T201  # for whoever runs it


if __name__ == "__main__":
    asyncio.run(main())
