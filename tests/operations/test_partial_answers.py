"""A vendor that is down takes nothing with it but its own fields."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.sandbox.world import build_world
from schema.ids import Kind, encode
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes
from tests.operations.receipts import history, receipt

CHLOE = build_world().humans[2]
ACCOUNT = CHLOE.company.account_id
QUERY = f"""{{
    contacts(first: 1) {{ nodes {{ displayName }} }}
    contactMethods(first: 1) {{ nodes {{ isVerified }} }}
    activities(of: {{ accountId: "{ACCOUNT}" }}, first: 1) {{ nodes {{ type }} }}
    person(id: "prospect_x") {{ id }}
    viewer {{ name }}
}}"""


@pytest.fixture
async def birdless(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway over the demo world, whose Bird is behind a port on which nobody listens."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=True) as environ:
        closed = {**environ, "TEST_BIRD_BASE_URL": "http://127.0.0.1:1"}
        async with gateway(closed, tmp_path / "switchboard.db", upstream) as served:
            yield served


async def test_the_other_root_fields_are_answered(birdless: Gateway) -> None:
    """The failing one is null, with one error that says who, why and whether to try again."""
    answer = await birdless.ask(QUERY)
    assert answer.response.status_code == 200
    assert answer.data == {
        "contacts": None,
        "contactMethods": {"nodes": [{"isVerified": False}]},
        "activities": {"nodes": [{"type": "MANUAL_ACTIVITY"}]},
        "person": None,
        "viewer": {"name": "Sandbox"},
    }
    assert answer.errors == [
        {
            "message": "Bird could not be reached. Try again later.",
            "locations": [{"line": 2, "column": 5}],
            "path": ["contacts"],
            "extensions": {"code": "VENDOR_UNAVAILABLE", "retryable": True, "vendor": "BIRD"},
        }
    ]


async def test_the_other_nodes_of_a_list_are_answered(birdless: Gateway) -> None:
    """The error stands at the place of the one that could not be read."""
    contact = encode(Kind.CONTACT, CHLOE.uuid("bird/contact"))
    method = encode(Kind.CONTACT_METHOD, CHLOE.uuid("artu/method/email"))
    answer = await birdless.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [contact, method]})
    assert answer.data == {"nodes": [None, {"id": method}]}
    assert [(error["path"], error["extensions"]["vendor"]) for error in answer.errors] == [(["nodes", 0], "BIRD")]


async def test_a_mutation_says_that_the_vendor_has_not_seen_it(birdless: Gateway) -> None:
    """As data in its payload; it is safe to repeat."""
    made = await birdless.run("create_contact", {"input": {"displayName": "Ada"}})
    assert made == {
        "createContact": {
            "contact": None,
            "receipt": receipt(
                made["createContact"]["receipt"],
                "CREATE_CONTACT",
                "BIRD",
                state="FAILED",
                attempts=0,
                error={"code": "VENDOR_UNAVAILABLE"},
                events=history("PENDING", "PENDING", "PENDING", "FAILED"),
            ),
            "errors": [
                {
                    "__typename": "VendorUnavailable",
                    "code": "VENDOR_UNAVAILABLE",
                    "message": "Bird could not be reached. Try again later.",
                    "retryable": True,
                    "vendor": "BIRD",
                    "retryAfterSeconds": None,
                }
            ],
        }
    }


async def test_the_mutations_beside_it_are_done(birdless: Gateway) -> None:
    """Mutations of one request run in their order, each with an outcome of its own."""
    answer = await birdless.ask(
        """mutation {
            createContact(input: { displayName: "Ada" }) { errors { code } }
            logActivity(input: { subject: "Met Ada" }) { activity { subject } errors { code } }
        }"""
    )
    assert answer.errors == []
    assert answer.data == {
        "createContact": {"errors": [{"code": "VENDOR_UNAVAILABLE"}]},
        "logActivity": {"activity": {"subject": "Met Ada"}, "errors": []},
    }
