"""One request asks a vendor for one thing once."""

from app.sandbox.world import build_world
from schema.ids import Kind, encode
from tests.gateway import Gateway

HUMANS = build_world().humans
BJORN, CHLOE = HUMANS[1:3]
CONTACTS = "/workspaces/6f0d2c1e-8a47-4b5e-9c3d-2e7b1a90f4d8/contacts"


async def test_the_same_contact_under_five_aliases_is_one_call(demo: Gateway) -> None:
    """By this API's ID, the vendor's own in any case, vendorRecord and node."""
    own_id = CHLOE.uuid("bird/contact")
    answer = await demo.ask(
        """query($id: ID!, $own: ID!, $upper: ID!, $record: VendorRecordInput!) {
            a: contact(by: { id: $id }) { displayName }
            b: contact(by: { id: $own }) { displayName }
            c: contact(by: { id: $upper }) { displayName }
            d: contact(by: { vendorRecord: $record }) { displayName }
            e: node(id: $id) { ... on Contact { displayName } }
        }""",
        {
            "id": encode(Kind.CONTACT, own_id),
            "own": own_id,
            "upper": own_id.upper(),
            "record": {"vendor": "BIRD", "kind": "contact", "id": own_id},
        },
    )
    assert answer.errors == []
    assert answer.data == {alias: {"displayName": CHLOE.name} for alias in "abcde"}
    assert demo.calls() == [f"BIRD GET {CONTACTS}/{own_id}"]


async def test_the_same_email_under_two_aliases_is_one_search(demo: Gateway) -> None:
    """Another spelling of the domain is the same address; another person is another search."""
    answer = await demo.ask(
        """query($a: EmailAddress!, $b: EmailAddress!, $c: EmailAddress!) {
            a: contact(by: { emailAddress: $a }) { displayName }
            b: contact(by: { emailAddress: $b }) { displayName }
            c: contact(by: { emailAddress: $c }) { displayName }
        }""",
        {"a": CHLOE.email, "b": CHLOE.email.replace(".example", ".EXAMPLE"), "c": BJORN.email},
    )
    names = {"a": CHLOE.name, "b": CHLOE.name, "c": BJORN.name}
    assert answer.data == {alias: {"displayName": name} for alias, name in names.items()}
    assert demo.calls() == [f"BIRD POST {CONTACTS}/search"] * 2


async def test_identifiers_cost_a_call_only_where_the_featured_are_not_all(demo: Gateway) -> None:
    """Of the first thirty contacts three have a fourth identifier; all are answered in full."""
    answer = await demo.ask(
        "{ contacts(first: 30) { nodes { identifierCount identifiers { key } again: identifiers { value } } } }"
    )
    assert answer.errors == []
    nodes = answer.data["contacts"]["nodes"]
    assert [len(node["identifiers"]) for node in nodes] == [node["identifierCount"] for node in nodes]
    assert [node["identifierCount"] for node in nodes[:3]] == [4, 1, 2]
    more = [f"BIRD GET {CONTACTS}/{HUMANS[n].uuid('bird/contact')}/identifiers?limit=100" for n in (0, 10, 20)]
    assert demo.calls()[0] == f"BIRD GET {CONTACTS}?limit=30"
    assert sorted(demo.calls()[1:]) == sorted(more)


async def test_nothing_is_cached_from_one_request_to_the_next(demo: Gateway) -> None:
    """Loaders live as long as a request."""
    for _ in range(2):
        await demo.run("contact_by_id", {"id": CHLOE.uuid("bird/contact")})
        assert len(demo.upstream) == 1


async def test_one_record_that_fails_leaves_the_others_of_its_batch(demo: Gateway) -> None:
    """An ID of a form that the vendor refuses is an error at its own alias."""
    answer = await demo.ask(
        """query($good: ID!, $bad: ID!) { good: node(id: $good) { id } bad: node(id: $bad) { id } }""",
        {
            "good": encode(Kind.CONTACT_METHOD, CHLOE.uuid("artu/method/email")),
            "bad": encode(Kind.CONTACT_METHOD, "no-uuid"),
        },
    )
    assert answer.data == {
        "good": {"id": encode(Kind.CONTACT_METHOD, CHLOE.uuid("artu/method/email"))},
        "bad": None,
    }
    assert [(error["path"], error["extensions"]) for error in answer.errors] == [
        (
            ["bad"],
            {
                "code": "VENDOR_REJECTED",
                "retryable": False,
                "vendor": "ARTU",
                "status": 400,
                "vendorCode": "BAD_REQUEST",
            },
        )
    ]
