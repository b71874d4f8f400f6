"""The operation profile."""

from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.operations.linked import ACTIVITIES, ADA, CONTACT, METHODS, RECORDS, pass_through
from tests.operations.test_contact_by_id import CONTACTS

FURTHER: list[dict[str, object]] = [
    {"isPrimary": False, "label": "Home"},
    {"isPrimary": True, "label": "Mobile"},
    {"isPrimary": True, "label": "Work"},
]
KINDS = ("VOICEMAIL", "MEETING", "MANUAL_ACTIVITY", "MANUAL_ACTIVITY")
HELD = {
    "emailaddress": ADA.email,
    "phonenumber": ADA.phone,
    "external_id": "crm-0000",
    "visitorid": ADA.uuid("bird/visitor"),
}


async def test_one_question_is_answered_by_all_four_vendors(demo: Gateway) -> None:
    """Whole; once the vendors said who she is, it costs one call for each thing that is read."""
    made = await pass_through(demo)
    await demo.run("profile", {"emailAddress": ADA.email})
    assert sorted(demo.calls()) == [
        "ARTU POST /contact-methods/list",
        "ARTU POST /contact-methods/list",
        f"BIRD GET {CONTACTS}/{CONTACT}/identifiers?limit=100",
        f"BIRD POST {CONTACTS}/search",
        "REEVO POST /api/v2/activity/_query",
        "REEVO POST /api/v2/contact/_query",
    ]
    answered = (await demo.run("profile", {"emailAddress": ADA.email}))["profile"]
    assert sorted(demo.calls()) == [
        "ARTU POST /contact-methods/list",
        f"BIRD GET {CONTACTS}/{CONTACT}",
        f"BIRD GET {CONTACTS}/{CONTACT}/identifiers?limit=100",
        "REEVO POST /api/v2/activity/_query",
    ]
    for each in ("contactMethods", "activities"):
        assert answered[each].pop("pageInfo")["hasNextPage"] is False
    person, log = made["person"], made["personLog"]
    own_id = person["vendorRecord"]["id"]
    logged = {key: log[key] for key in ("id", "source", "type", "payload")}
    assert answered == {
        "displayName": ADA.name,
        "emailAddresses": [ADA.email, "ada.andersen@home.example"],
        "phoneNumbers": [ADA.phone],
        "linkedinProfileUrls": [],
        "people": [{"id": person["id"], "name": ADA.name, "logs": {"nodes": [logged]}}],
        "prospects": [{"id": encode(Kind.PROSPECT, own_id), "name": ADA.name, "logs": {"nodes": []}}],
        "contacts": [
            {
                "id": encode(Kind.CONTACT, CONTACT),
                "displayName": ADA.name,
                "identifiers": [{"key": key, "value": value} for key, value in HELD.items()],
            }
        ],
        "contactMethods": {"nodes": [{**each, **more} for each, more in zip(METHODS, FURTHER, strict=True)]},
        "activities": {"nodes": [{**each, "type": kind} for each, kind in zip(ACTIVITIES, KINDS, strict=True)]},
        "vendorRecords": [{"vendor": "ARCHITECT", "kind": "person", "id": own_id}, *RECORDS],
    }


async def test_a_profile_of_nobody_is_null(demo: Gateway) -> None:
    """Every vendor that can be asked was, once."""
    for calls in (
        ["ARTU POST /contact-methods/list", f"BIRD POST {CONTACTS}/search", "REEVO POST /api/v2/contact/_query"],
        [],
    ):
        assert await demo.run("profile", {"emailAddress": "nobody@example.com"}) == {"profile": None}
        assert sorted(demo.calls()) == calls
