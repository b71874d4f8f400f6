"""Artu's client: its three calls as they leave, and its answers as they are read."""

from datetime import UTC, datetime

import pytest

from app.readings import whole
from app.sandbox.world import build_world
from app.vendors.artu import SPEC, wire
from schema.errors import NotFound, Refusal
from tests.vendors.upstream import KEY, fixture, sandboxed, upstream

AUTH = {"authorization": f"Bearer {KEY}", "x-environment": "test"}
SENT = {**AUTH, "content-type": "application/json"}
CLIENT_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
METHOD_ID = "7b0b6a50-6a3e-4d5e-9a0e-2f4c9b1d0c11"
DELETED_ID = "0f6f1d0a-5f0c-4c53-8c0c-a0f6d7c5e2aa"
METHOD = wire.ContactMethod.model_construct(
    id=METHOD_ID,
    client_id=CLIENT_ID,
    type="email",
    value="ana@example.com",
    is_verified=True,
    verified_at=datetime(2026, 1, 6, 10, tzinfo=UTC),
    created_at=datetime(2026, 1, 5, 10, tzinfo=UTC),
    updated_at=datetime(2026, 1, 7, 10, tzinfo=UTC),
    is_primary=True,
    label="Work",
    external_id="crm-81",
    metadata={"source": "crm"},
)


async def test_a_sync_is_sent_item_by_item_with_nothing_added() -> None:
    """What an item doesn't give stays absent, `isPrimary` and `_delete` above all."""
    items = (
        wire.SyncItem(id=METHOD_ID, value="ana.new@example.com"),
        wire.SyncItem(
            type="mobile",
            value="+5215512345678",
            is_primary=False,
            label="Personal",
            external_id="crm-82",
            metadata={"source": None},
        ),
        wire.SyncItem(id=DELETED_ID, delete=True),
    )
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("artu/synced"))
        synced = await vendor.client.sync(CLIENT_ID, wire.Sync(items=items, replace_mode=False))
    assert vendor.requests == [
        ("POST", f"/clients/{CLIENT_ID}/contact-methods/sync", SENT, fixture("artu/sync")),
    ]
    assert synced == wire.Synced.model_construct(created=[], updated=[METHOD], deleted=[DELETED_ID])


async def test_an_empty_sync_says_so() -> None:
    """No items are an empty list, which clears the client when replacing: that is what was asked."""
    async with upstream(SPEC) as vendor:
        vendor.answers(200, {"created": [], "updated": [], "deleted": []})
        await vendor.client.sync("a/b", wire.Sync(items=(), replace_mode=True))
    body = {"items": [], "replaceMode": True}
    assert vendor.requests == [("POST", "/clients/a%2Fb/contact-methods/sync", SENT, body)]


@pytest.mark.parametrize(
    ("items", "path"),
    [
        ((), ["input", "client"]),
        ((wire.SyncItem(type="fax", value="1", external_id="fax-1"),), ["input", "client"]),
        ((wire.SyncItem(type="fax", value="1"), wire.SyncItem(id="unknown", value="1")), ["input"]),
        ((wire.SyncItem(external_id="unknown", delete=True),), ["input"]),
    ],
)
async def test_a_404_leads_to_the_client_only_where_nothing_else_can_be_missing(
    items: tuple[wire.SyncItem, ...], path: list[str]
) -> None:
    """An item that names a contact method, to change or to delete it, may be what is unknown."""
    async with upstream(SPEC) as vendor:
        vendor.answers(404, {"code": "NOT_FOUND"})
        with pytest.raises(Refusal) as refusal:
            await vendor.client.sync(CLIENT_ID, wire.Sync(items=items, replace_mode=False))
    [error] = refusal.value.errors
    assert (type(error), getattr(error, "path", None)) == (NotFound, path)


async def test_contact_methods_are_listed_by_a_filter() -> None:
    """Every condition, the cursor and the limit stand in the body."""
    listing = wire.Listing(
        50,
        "opaque",
        client_id=CLIENT_ID,
        type="email",
        value="ana@example.com",
        external_id="crm-81",
        is_primary=True,
    )
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("artu/contact_methods"))
        page = await vendor.client.list(listing, whole(wire.ContactMethodPage))
        await vendor.client.list(wire.Listing(limit=1), whole(wire.ContactMethodPage))
    assert vendor.requests == [
        ("POST", "/contact-methods/list", SENT, fixture("artu/listing")),
        ("POST", "/contact-methods/list", SENT, {"limit": 1}),
    ]
    paging = wire.Pagination.model_construct(has_more=True, next_cursor="opaque-2", total_count=2)
    assert page == wire.ContactMethodPage.model_construct(data=[METHOD], pagination=paging)


async def test_the_primary_of_a_type_is_a_contact_method_or_null() -> None:
    """Null is Artu's word for none."""
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("artu/contact_method"))
        assert await vendor.client.get_primary(CLIENT_ID, "email") == METHOD
        vendor.answers(200, None)
        assert await vendor.client.get_primary(CLIENT_ID, "fax") is None
    path = f"/clients/{CLIENT_ID}/contact-methods/primary"
    assert vendor.requests == [("GET", f"{path}/email", AUTH, None), ("GET", f"{path}/fax", AUTH, None)]


async def test_the_sandbox_and_the_client_agree() -> None:
    """What a sync makes, the listing finds, and the primary is what it was made."""
    client_id = build_world().humans[1].uuid("artu/client")
    item = wire.SyncItem(type="fax", value="+31201234567", is_primary=True, external_id="fax-1", metadata={"floor": 3})
    async with sandboxed(SPEC, build_world()) as client:
        synced = await client.sync(client_id, wire.Sync(items=(item,), replace_mode=False))
        [made] = synced.created
        listing = wire.Listing(20, client_id=client_id, type="fax")
        assert (await client.list(listing, whole(wire.ContactMethodPage))).data == [made]
        assert await client.get_primary(client_id, "fax") == made
        assert await client.get_primary(client_id, "other") is None
        gone = await client.sync(
            client_id, wire.Sync(items=(wire.SyncItem(id=made.id, delete=True),), replace_mode=False)
        )
    assert (made.value, made.external_id, made.metadata) == ("+31201234567", "fax-1", {"floor": 3})
    assert gone == wire.Synced.model_construct(created=[], updated=[], deleted=[made.id])
