"""The operation sync_contact_methods, and reading back what it did."""

from typing import Any

from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.operations.receipts import receipt
from tests.operations.sent import empties

SYNC = f"ARTU POST /clients/{FIRST_CLIENT_ID}/contact-methods/sync"
WORK = {"type": "EMAIL", "value": "ada@example.com", "isPrimary": True, "label": "Work", "externalId": "crm-1"}
MOBILE = {"type": "MOBILE", "value": "+31612345678", "metadata": {"verified": None, "tags": []}}


async def test_contact_methods_are_created_and_answered_whole(empty: Gateway) -> None:
    """One upstream call creates both; the answer holds what was given and what the vendor said."""
    done = await _sync(empty, items=[WORK, MOBILE])
    work, mobile = done["created"]
    assert done == {
        "created": [
            _method(work, WORK | {"metadata": None}),
            _method(mobile, MOBILE | {"isPrimary": False, "label": None, "externalId": None}),
        ],
        "updated": [],
        "deletedIds": [],
        "receipt": receipt(done["receipt"], "SYNC_CONTACT_METHODS", "ARTU"),
        "errors": [],
    }
    assert empty.calls() == [SYNC]


async def test_the_vendor_is_sent_only_what_was_given(empty: Gateway) -> None:
    """`isPrimary` and all else that was left out is absent; the caller's own metadata passes untouched."""
    await _sync(empty, items=[WORK, MOBILE])
    assert empty.upstream[0].body == {
        "items": [
            {"type": "email", "value": "ada@example.com", "isPrimary": True, "label": "Work", "externalId": "crm-1"},
            {"type": "mobile", "value": "+31612345678", "metadata": {"verified": None, "tags": []}},
        ],
        "replaceMode": False,
    }
    nulls = dict.fromkeys(("id", "isPrimary", "label", "externalId", "metadata"))
    await _sync(empty, items=[{**nulls, "type": "FAX", "value": "1"}])
    assert empties(empty.upstream[0].body) == []


async def test_what_was_created_is_read_back_through_node_in_one_call(empty: Gateway) -> None:
    """The record is the one that the mutation answered."""
    [created] = (await _sync(empty, items=[WORK]))["created"]
    read = (await empty.run("node", {"id": created["id"]}))["node"]
    read["type"] = read.pop("methodType")
    assert read == {"__typename": "ContactMethod", **created}
    assert empty.calls() == ["ARTU POST /contact-methods/list"]


async def test_an_item_changes_what_it_names_and_deletes_what_it_says(empty: Gateway) -> None:
    """By this API's ID or the caller's own externalId; what is left out stays, deleted IDs are this API's."""
    work, mobile = (await _sync(empty, items=[WORK, MOBILE]))["created"]
    done = await _sync(empty, items=[{"externalId": "crm-1", "label": "Office"}, {"id": mobile["id"], "delete": True}])
    assert done == {
        "created": [],
        "updated": [{**work, "label": "Office", "updatedAt": done["updated"][0]["updatedAt"]}],
        "deletedIds": [mobile["id"]],
        "receipt": receipt(done["receipt"], "SYNC_CONTACT_METHODS", "ARTU"),
        "errors": [],
    }
    assert empty.upstream[0].body["items"][1] == {"id": mobile["vendorRecord"]["id"], "_delete": True}
    assert await empty.run("node", {"id": mobile["id"]}) == {"node": None}


async def test_replacing_deletes_what_no_item_names(empty: Gateway) -> None:
    """With no items it deletes everything, and only when that was confirmed."""
    work, mobile = (await _sync(empty, items=[WORK, MOBILE]))["created"]
    done = await _sync(empty, items=[{"id": mobile["vendorRecord"]["id"]}], replace=True)
    assert ([each["id"] for each in done["updated"]], done["deletedIds"]) == ([mobile["id"]], [work["id"]])
    refused = await _sync(empty, items=[], replace=True)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [
        ("INVALID_INPUT", ["input", "confirmDeleteAll"])
    ]
    assert empty.calls() == []
    done = await _sync(empty, items=[], replace=True, confirmDeleteAll=True)
    assert (done["deletedIds"], done["errors"]) == ([mobile["id"]], [])


async def test_a_sync_that_changes_nothing_is_answered(empty: Gateway) -> None:
    """No items, nothing to remember: the first operation of a new gateway may be this one."""
    done = await _sync(empty, items=[])
    remembered = receipt(done["receipt"], "SYNC_CONTACT_METHODS", "ARTU")
    assert done == {"created": [], "updated": [], "deletedIds": [], "receipt": remembered, "errors": []}
    assert empty.calls() == [SYNC]


async def _sync(gateway: Gateway, **given: Any) -> Any:
    variables = {"input": {"client": {"clientId": FIRST_CLIENT_ID}, **given}}
    return (await gateway.run("sync_contact_methods", variables))["syncContactMethods"]


def _method(answered: Any, given: dict[str, Any]) -> Any:
    """A contact method that was just created; its ID and moment are the vendor's."""
    own_id, created_at = answered["vendorRecord"]["id"], answered["createdAt"]
    return {
        "id": encode(Kind.CONTACT_METHOD, own_id),
        "clientId": FIRST_CLIENT_ID,
        "isVerified": False,
        "verifiedAt": None,
        "createdAt": created_at,
        "updatedAt": created_at,
        "vendorRecord": {"vendor": "ARTU", "kind": "contact_method", "id": own_id},
        **given,
    }
