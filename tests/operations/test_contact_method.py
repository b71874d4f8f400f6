"""The operation contact_method."""

from app.sandbox.world import Human, build_world
from schema.ids import Kind, encode
from schema.scalars import print_date_time
from tests.gateway import Gateway

ADA = build_world().humans[0]


async def test_a_contact_method_is_answered_whole_in_one_call(demo: Gateway) -> None:
    """By either form of ID; the vendor is asked for that one alone."""
    own_id = ADA.uuid("artu/method/email")
    for given in (encode(Kind.CONTACT_METHOD, own_id), own_id):
        assert await demo.run("contact_method", {"id": given}) == {"contactMethod": work_email(ADA)}
        assert demo.calls() == ["ARTU POST /contact-methods/list"]
        assert demo.upstream[0].body == {"filter": {"id": own_id}, "limit": 1}


async def test_a_contact_method_that_does_not_exist_is_null(demo: Gateway) -> None:
    """An empty list is not an error."""
    assert await demo.run("contact_method", {"id": ADA.uuid("nothing")}) == {"contactMethod": None}


def work_email(human: Human) -> dict[str, object]:
    """The first contact method of a person of the demo world."""
    own_id, since = human.uuid("artu/method/email"), print_date_time(human.at(1))
    return {
        "id": encode(Kind.CONTACT_METHOD, own_id),
        "clientId": human.uuid("artu/client"),
        "type": "EMAIL",
        "value": human.email,
        "isPrimary": True,
        "isVerified": True,
        "verifiedAt": print_date_time(human.at(2)),
        "label": "Work",
        "externalId": None,
        "metadata": None,
        "createdAt": since,
        "updatedAt": since,
        "vendorRecord": {"vendor": "ARTU", "kind": "contact_method", "id": own_id},
    }
