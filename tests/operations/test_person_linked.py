"""The operation person_linked."""

from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.operations.linked import ACTIVITIES, ADA, CONTACT, METHODS, pass_through
from tests.operations.test_contact_by_id import CONTACTS

CONTACT_NODE = {"id": encode(Kind.CONTACT, CONTACT), "displayName": ADA.name}


async def test_a_person_is_answered_with_all_that_other_vendors_know(demo: Gateway) -> None:
    """By either form of the ID; each other vendor is asked who it is once, and for what it has each time."""
    made = await pass_through(demo)
    person, log = made["person"], made["personLog"]
    own_id = person["vendorRecord"]["id"]
    logged = {key: log[key] for key in ("id", "source", "type", "payload")}
    expected = {
        "id": person["id"],
        "name": ADA.name,
        "logs": {"nodes": [{**logged, "person": {"id": person["id"]}}]},
        "prospect": {"id": encode(Kind.PROSPECT, own_id), "name": ADA.name},
        "contacts": [CONTACT_NODE],
        "contactMethods": {"nodes": METHODS},
        "activities": {"nodes": ACTIVITIES},
    }
    assert await demo.run("person_linked", {"id": person["id"]}) == {"person": expected}
    assert sorted(demo.calls()) == [
        "ARTU POST /contact-methods/list",
        "ARTU POST /contact-methods/list",
        f"BIRD POST {CONTACTS}/search",
        "REEVO POST /api/v2/activity/_query",
        "REEVO POST /api/v2/contact/_query",
    ]
    assert await demo.run("person_linked", {"id": own_id}) == {"person": expected}
    assert sorted(demo.calls()) == [
        "ARTU POST /contact-methods/list",
        f"BIRD GET {CONTACTS}/{CONTACT}",
        "REEVO POST /api/v2/activity/_query",
    ]
