"""With SWITCHBOARD_STATUS_CODES=2026 the statuses are those of the edition of September 2026."""

from __future__ import annotations

from typing import Any

import pytest

from app.security.keys import SANDBOX_KEY
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENVIRON = {"SWITCHBOARD_STATUS_CODES": "2026"}
GRAPHQL = "application/graphql-response+json"


@pytest.mark.parametrize(
    ("document", "variables", "status"),
    [
        ("{", None, 400),
        ("{ nope }", None, 422),
        ("query A { __typename } query B { __typename }", None, 422),
        ("query ($id: ID!) { node(id: $id) { id } }", {"id": None}, 422),
        ('{ viewer { name } node(id: "x") { id } }', None, 294),
        ("{ viewer { name } }", None, 200),
    ],
)
async def test_a_status_tells_what_became_of_the_operation(
    served: Gateway, document: str, variables: Any, status: int
) -> None:
    """What can be parsed and not run is 422, data with errors is 294; under JSON it is 200 as ever."""
    for accept, expected in ((GRAPHQL, status), ("application/json", 200)):
        headers = {"authorization": f"Bearer {SANDBOX_KEY}", "accept": accept}
        body = {"query": document, "variables": variables}
        response = await served.http.post("/graphql", json=body, headers=headers)
        assert response.status_code == expected
