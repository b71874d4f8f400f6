"""Four hundred attacks, each refused with a code: none is an error of the gateway's, and none reaches a vendor."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from app.negotiation import RESPONSE_TYPE
from app.security.keys import SANDBOX_KEY
from tests.attacks.documents import DOCUMENTS, Case
from tests.attacks.requests import KEY, REQUESTS, Attack
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENVIRON = {"SWITCHBOARD_FAILED_KEYS": "0"}
SUGGESTION = "Did you mean"


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_documents_are_refused(served: Gateway, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """Before anything of them runs, or where what they ask for is nobody's."""
    caplog.set_level(logging.WARNING)
    key = await served.new_key("read", "contacts:write", "person-logs:write")
    wrong = [(_shown(case), problem) for case in DOCUMENTS[name] if (problem := await _judged(served, case, key))]
    assert (wrong, served.upstream, caplog.records) == ([], [], [])


@pytest.mark.parametrize("name", REQUESTS)
async def test_requests_are_refused(served: Gateway, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """With 4xx, as JSON; nothing of the gateway's own is in the answer."""
    caplog.set_level(logging.WARNING)
    wrong = []
    for attack in REQUESTS[name]:
        response = await _send(served, attack)
        problem = _problem(response)
        if problem or not 400 <= response.status_code < 500:
            wrong.append((attack.target, attack.headers, attack.body[:60], response.status_code, problem))
    assert (wrong, served.upstream, caplog.records) == ([], [], [])


async def test_a_gateway_that_was_attacked_works_as_before(served: Gateway) -> None:
    """Nothing was left behind."""
    answer = await served.ask("{ viewer { name } }")
    assert answer.data == {"viewer": {"name": "Sandbox"}}


async def test_no_two_attacks_are_alike() -> None:
    """More than four hundred, of twenty kinds."""
    attacks = [_shown(case) for cases in DOCUMENTS.values() for case in cases]
    attacks += [repr(attack) for requests in REQUESTS.values() for attack in requests]
    assert [attack for attack, times in Counter(attacks).items() if times > 1] == []
    assert (len(DOCUMENTS) + len(REQUESTS) >= 20, len(attacks) >= 400) == (True, True)


async def _judged(served: Gateway, case: Case, key: str) -> str | None:
    document, variables = case if isinstance(case, tuple) else (case, None)
    body = json.dumps({"query": document, "variables": variables}).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return _problem(await served.http.post("/graphql", content=body, headers=headers))


async def _send(served: Gateway, attack: Attack) -> httpx.Response:
    headers = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in attack.headers]
    if not any(name == b"accept" for name, _ in headers):
        headers.append((b"accept", RESPONSE_TYPE.encode()))
    request = served.http.build_request(attack.method, attack.target, content=attack.body, headers=headers)
    return await served.http.send(request)


def _problem(response: httpx.Response) -> str | None:
    """What is wrong with how an attack was answered."""
    if response.status_code >= 500:
        return f"status {response.status_code}"
    try:
        errors: Iterable[Any] = response.json()["errors"]
        codes = {error["extensions"]["code"] for error in errors}
    except (ValueError, KeyError):
        return f"no refusal: {response.text[:200]}"
    if not codes or "INTERNAL_ERROR" in codes:
        return f"codes {codes}"
    leaks = [
        text for text in (SUGGESTION, "Traceback", KEY[1], SANDBOX_KEY, "/site-packages/") if text in response.text
    ]
    return f"leaks {leaks}" if leaks else None


def _shown(case: Case) -> str:
    return repr(case)
