"""Thousands of requests that nobody wrote: each is answered in GraphQL's form, and none is an error of the gateway's."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import AsyncIterator
from random import Random

import httpx
import pytest
import pytest_asyncio

from app.security.keys import SANDBOX_KEY
from schema.build import build_schema
from tests.attacks.grammar import Grammar
from tests.gateway import Gateway, gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEEDS = range(20)
EACH = 1000
HEADERS = {"authorization": f"Bearer {SANDBOX_KEY}", "content-type": "application/json", "accept": "*/*"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """A gateway without vendors: what would be asked of one is answered with why it can't be."""
    database = tmp_path_factory.mktemp("gateway") / "switchboard.db"
    async with gateway({"SWITCHBOARD_SANDBOX_KEY": "on"}, database, []) as served:
        yield served


@pytest.mark.parametrize("seed", [each if each < 2 else pytest.param(each, marks=pytest.mark.big) for each in SEEDS])
async def test_made_up_requests_are_answered(alone: Gateway, caplog: pytest.LogCaptureFixture, seed: int) -> None:
    """With data, or errors that all have a code; the seed and the number make the request again."""
    caplog.set_level(logging.ERROR)
    grammar = Grammar(build_schema().core, Random(seed))  # noqa: S311  # to be made again, not to be secret
    wrong, outcomes = [], Counter[str]()
    for number in range(EACH):
        body = grammar.body()
        response = await alone.http.post("/graphql", content=body, headers=HEADERS)
        outcome = _outcome(response)
        outcomes[outcome] += 1
        if outcome.startswith("wrong"):
            wrong.append((number, body, outcome, response.text[:300]))
    assert (wrong, caplog.records) == ([], [])
    assert {"answered", "BAD_REQUEST", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"} <= outcomes.keys()
    assert outcomes["answered"] > EACH / 10


async def test_a_seed_makes_the_same_requests_again() -> None:
    """And another one makes others."""
    schema = build_schema().core
    first, again, other = (Grammar(schema, Random(seed)) for seed in (1, 1, 2))  # noqa: S311  # the same
    bodies = [first.body() for _ in range(50)]
    assert bodies == [again.body() for _ in range(50)]
    assert bodies != [other.body() for _ in range(50)]


def _outcome(response: httpx.Response) -> str:
    try:
        answered = response.json()
        codes = [error["extensions"]["code"] for error in answered.get("errors", [])]
    except (json.JSONDecodeError, KeyError, AttributeError) as error:
        return f"wrong: {error!r}"
    if response.status_code >= 500 or "INTERNAL_ERROR" in codes:
        return f"wrong: {response.status_code} {codes}"
    if "data" in answered:
        return "answered"
    return str(codes[0]) if codes else "wrong: neither data nor errors"
