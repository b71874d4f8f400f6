"""The operation contacts."""

from app.sandbox.world import Human, build_world
from schema.ids import Kind, encode
from tests.gateway import Gateway

CONTACTS = "/workspaces/6f0d2c1e-8a47-4b5e-9c3d-2e7b1a90f4d8/contacts"
ADA, BJORN, CHLOE = build_world().humans[:3]


async def test_contacts_reads_one_page_in_one_call(demo: Gateway) -> None:
    """A page is one upstream call, and its end cursor reads on without repetition."""
    first = (await demo.run("contacts", {"first": 2}))["contacts"]
    end = first["pageInfo"]["endCursor"]
    assert first == {
        "nodes": [
            _summary(ADA, [ADA.phone]),
            _summary(BJORN, []),
        ],
        "pageInfo": {
            "hasNextPage": True,
            "hasPreviousPage": False,
            "startCursor": first["pageInfo"]["startCursor"],
            "endCursor": end,
        },
    }
    assert demo.calls() == [f"BIRD GET {CONTACTS}?limit=2"]
    second = (await demo.run("contacts", {"first": 1, "after": end}))["contacts"]
    assert second["nodes"] == [_summary(CHLOE, [CHLOE.phone])]
    assert second["pageInfo"]["hasPreviousPage"] is True
    assert len(demo.upstream) == 1


async def test_contacts_answers_twenty_when_nothing_is_said(demo: Gateway) -> None:
    """Left out and null mean the same."""
    for variables in ({}, {"first": None}):
        page = (await demo.run("contacts", variables))["contacts"]
        assert [node["displayName"] for node in page["nodes"]] == [human.name for human in build_world().humans[:20]]
        assert demo.calls() == [f"BIRD GET {CONTACTS}?limit=20"]


async def test_without_contacts_there_is_an_empty_page(empty: Gateway) -> None:
    """No cursors, and nothing before or after."""
    nothing = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert await empty.run("contacts") == {"contacts": {"nodes": [], "pageInfo": nothing}}


def _summary(human: Human, phones: list[str]) -> dict[str, object]:
    return {
        "id": encode(Kind.CONTACT, human.uuid("bird/contact")),
        "displayName": human.name,
        "emailAddresses": [human.email],
        "phoneNumbers": phones,
    }
