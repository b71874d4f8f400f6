"""The operation contact_by_id."""

from app.sandbox.world import Human, build_world
from schema.ids import Kind, encode
from schema.scalars import print_date_time
from tests.gateway import Gateway

CONTACTS = "/workspaces/6f0d2c1e-8a47-4b5e-9c3d-2e7b1a90f4d8/contacts"
BJORN = build_world().humans[1]
CHLOE = build_world().humans[2]


async def test_a_contact_is_answered_whole_in_one_call(demo: Gateway) -> None:
    """Its featured identifiers are all that it has, so nothing more is asked."""
    own_id = CHLOE.uuid("bird/contact")
    answered = await demo.run("contact_by_id", {"id": encode(Kind.CONTACT, own_id)})
    held = {"emailaddress": CHLOE.email, "phonenumber": CHLOE.phone}
    assert answered == {"contact": contact(CHLOE, held)}
    assert demo.calls() == [f"BIRD GET {CONTACTS}/{own_id}"]


async def test_the_vendors_own_id_serves_in_any_case(demo: Gateway) -> None:
    """A UUID in capitals is the same UUID."""
    answered = await demo.run("contact_by_id", {"id": BJORN.uuid("bird/contact").upper()})
    assert answered == {"contact": contact(BJORN, {"emailaddress": BJORN.email})}


async def test_a_contact_that_does_not_exist_is_null(demo: Gateway) -> None:
    """The vendor's 404 is not an error."""
    assert await demo.run("contact_by_id", {"id": CHLOE.uuid("no/contact")}) == {"contact": None}
    assert demo.calls() == [f"BIRD GET {CONTACTS}/{CHLOE.uuid('no/contact')}"]


async def test_an_id_that_no_contact_has_is_refused_without_a_call(demo: Gateway) -> None:
    """An ID of a kind that is no party, and one that is no ID at all."""
    query = "query($id: ID!) { contact(by: { id: $id }) { id } }"
    for given, message in (
        (
            encode(Kind.ACTIVITY, CHLOE.uuid("reevo/activity/intro")),
            "Expected the ID of a Contact, was given the ID of an Activity.",
        ),
        ("nonsense", "Expected the ID of a Contact or a UUID of the vendor, was given something else."),
    ):
        answer = await demo.ask(query, {"id": given})
        shown = [(error["message"], error["path"], error["extensions"]) for error in answer.errors]
        assert shown == [(message, ["contact"], {"code": "BAD_USER_INPUT"})]
        assert answer.data == {"contact": None}
        assert demo.calls() == []


async def test_a_vendors_record_is_named_by_the_vendors_own_id_alone(demo: Gateway) -> None:
    """An ID of this API stands in `id`."""
    query = 'query($id: String!) { contact(by: { vendorRecord: { vendor: BIRD, kind: "contact", id: $id } }) { displayName } }'
    own_id = CHLOE.uuid("bird/contact")
    assert (await demo.ask(query, {"id": own_id.upper()})).data == {"contact": {"displayName": CHLOE.name}}
    answer = await demo.ask(query, {"id": encode(Kind.CONTACT, own_id)})
    assert [(each["message"], each["extensions"]["code"]) for each in answer.errors] == [
        ("Expected the vendor's ID of a contact, was given the ID of a Contact.", "BAD_USER_INPUT")
    ]


def contact(human: Human, held: dict[str, str]) -> dict[str, object]:
    """A demo contact as the operation answers it; `held` is what identifies it."""
    own_id, since = human.uuid("bird/contact"), print_date_time(human.at(0))
    return {
        "id": encode(Kind.CONTACT, own_id),
        "displayName": human.name,
        "emailAddresses": [held["emailaddress"]],
        "phoneNumbers": [held["phonenumber"]] if "phonenumber" in held else [],
        "identifiers": [{"key": key, "value": value} for key, value in held.items()],
        "identifierCount": len(held),
        "attributes": {
            "displayName": human.name,
            "firstName": human.first_name,
            "lastName": human.last_name,
            "company": human.company.name,
            **{key: [value] for key, value in held.items()},
        },
        "listIds": [],
        "accountIds": [],
        "companyRefs": [],
        "isAnonymous": False,
        "createdAt": since,
        "updatedAt": since,
        "vendorRecord": {"vendor": "BIRD", "kind": "contact", "id": own_id},
    }
