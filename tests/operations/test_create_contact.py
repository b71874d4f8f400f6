"""The operation create_contact, and reading back what it made."""

from typing import Any

from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.operations.receipts import SENT, history, receipt
from tests.operations.sent import empties

CONTACTS = "/workspaces/6f0d2c1e-8a47-4b5e-9c3d-2e7b1a90f4d8/contacts"
LIST_ID = "0b5d1f0e-2a3c-4d5e-8f90-1a2b3c4d5e6f"
INPUT = {
    "displayName": "محمد 🦊",
    "emailAddresses": ["M@EXAMPLE.com", "m@home.example"],
    "phoneNumbers": ["+31 6 12345678"],
    "identifiers": [{"key": "crm_id", "value": "77"}],
    "attributes": {"city": "Zwolle", "visits": 3, "tags": ["a", "b"]},
    "listIds": [LIST_ID],
    "accountIds": ["account-1"],
    "companyRefs": ["acme"],
}
IDENTIFIERS = [
    {"key": "emailaddress", "value": "M@example.com"},
    {"key": "emailaddress", "value": "m@home.example"},
    {"key": "phonenumber", "value": "+31612345678"},
    {"key": "crm_id", "value": "77"},
]


async def test_a_contact_is_made_and_answered_whole(empty: Gateway) -> None:
    """One call makes it, one more lists its identifiers, for it has more than the vendor features."""
    made = (await empty.run("create_contact", {"input": INPUT}))["createContact"]
    own_id = made["contact"]["vendorRecord"]["id"]
    assert made == {
        "contact": _contact(own_id, made["contact"]["createdAt"]),
        "receipt": receipt(made["receipt"], "CREATE_CONTACT", "BIRD"),
        "errors": [],
    }
    assert empty.calls() == [f"BIRD POST {CONTACTS}", f"BIRD GET {CONTACTS}/{own_id}/identifiers?limit=100"]


async def test_the_vendor_is_sent_exactly_what_was_given(empty: Gateway) -> None:
    """Identifiers go in their normal form, e-mail addresses first, then phone numbers, then the others."""
    await empty.run("create_contact", {"input": INPUT})
    assert empty.upstream[0].body == {
        "displayName": "محمد 🦊",
        "identifiers": IDENTIFIERS,
        "attributes": INPUT["attributes"],
        "listIds": [LIST_ID],
        "accountIds": ["account-1"],
        "companyRefs": ["acme"],
    }


async def test_what_is_empty_is_not_sent(empty: Gateway) -> None:
    """Bird's lists have a minimum of one, and null is not absent: neither leaves the gateway."""
    lists = ("emailAddresses", "phoneNumbers", "identifiers", "listIds", "accountIds", "companyRefs")
    nothing: dict[str, Any] = {**{key: [] for key in lists}, "attributes": None, "idempotencyKey": None}
    made = (await empty.run("create_contact", {"input": {"displayName": "Nobody", **nothing}}))["createContact"]
    assert made["errors"] == []
    assert empty.upstream[0].body == {"displayName": "Nobody"}
    assert empties(empty.upstream[0].body) == []


async def test_the_contact_is_read_back_by_node_by_id_and_by_email(empty: Gateway) -> None:
    """All three ways lead to the same record as the mutation answered, whole."""
    made = (await empty.run("create_contact", {"input": INPUT}))["createContact"]["contact"]
    own_id = made["vendorRecord"]["id"]
    listed = f"BIRD GET {CONTACTS}/{own_id}/identifiers?limit=100"
    assert await empty.run("node", {"id": made["id"]}) == {"node": {"__typename": "Contact", **made}}
    assert empty.calls() == [f"BIRD GET {CONTACTS}/{own_id}", listed]
    assert await empty.run("contact_by_id", {"id": own_id}) == {"contact": made}
    assert empty.calls() == [f"BIRD GET {CONTACTS}/{own_id}", listed]
    assert await empty.run("contact_by_email", {"emailAddress": "m@HOME.example"}) == {"contact": made}
    assert empty.calls() == [f"BIRD POST {CONTACTS}/search", listed]


async def test_a_taken_identifier_is_the_vendors_refusal(empty: Gateway) -> None:
    """Bird's 409 comes back as data: its status and code, no record, and an empty path, for it names no field."""
    await empty.run("create_contact", {"input": INPUT})
    refused = (await empty.run("create_contact", {"input": {**INPUT, "displayName": "Twin"}}))["createContact"]
    assert refused == {
        "contact": None,
        "receipt": receipt(
            refused["receipt"],
            "CREATE_CONTACT",
            "BIRD",
            state="FAILED",
            error={"code": "VENDOR_REJECTED"},
            events=history(*SENT, "FAILED"),
        ),
        "errors": [
            {
                "__typename": "VendorRejected",
                "code": "VENDOR_REJECTED",
                "message": "Bird has a record that stands in the way: something unique is taken already.",
                "retryable": False,
                "vendor": "BIRD",
                "status": 409,
                "vendorCode": "ResourceAlreadyExists",
                "path": [],
            }
        ],
    }


def _contact(own_id: str, created_at: str) -> Any:
    """The contact of INPUT; its ID and moment are the vendor's."""
    return {
        "id": encode(Kind.CONTACT, own_id),
        "displayName": "محمد 🦊",
        "emailAddresses": ["M@example.com", "m@home.example"],
        "phoneNumbers": ["+31612345678"],
        "identifiers": IDENTIFIERS,
        "identifierCount": 4,
        "attributes": {
            "city": "Zwolle",
            "visits": 3,
            "tags": ["a", "b"],
            "displayName": "محمد 🦊",
            "emailaddress": ["M@example.com", "m@home.example"],
            "phonenumber": ["+31612345678"],
            "crm_id": ["77"],
        },
        "listIds": [LIST_ID],
        "accountIds": ["account-1"],
        "companyRefs": ["acme"],
        "isAnonymous": False,
        "createdAt": created_at,
        "updatedAt": created_at,
        "vendorRecord": {"vendor": "BIRD", "kind": "contact", "id": own_id},
    }
