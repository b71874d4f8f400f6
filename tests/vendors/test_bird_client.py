"""Bird's client: its five calls as they leave, and its answers as they are read."""

from datetime import UTC, datetime

from app.readings import whole
from app.sandbox.world import build_world
from app.vendors.bird import SPEC, wire
from tests.vendors.upstream import KEY, WORKSPACE, fixture, sandboxed, upstream

AUTH = {"authorization": f"AccessKey {KEY}"}
SENT = {**AUTH, "content-type": "application/json"}
CONTACTS = f"/workspaces/{WORKSPACE}/contacts"
CONTACT_ID = "12bd0e40-9361-4e32-8b26-99b4ab7eae09"
CONTACT = wire.Contact.model_construct(
    id=CONTACT_ID,
    display_name="Ada Example",
    workspace_id=WORKSPACE,
    featured_identifiers=[wire.FeaturedIdentifier(key="emailaddress", value="ada@example.com")],
    identifier_count=1,
    attributes={"displayName": "Ada Example", "emailaddress": ["ada@example.com"]},
    account_ids=["223e4567-e89b-12d3-a456-426614174000"],
    list_ids=["123e4567-e89b-12d3-a456-426614174000"],
    company_refs=["acme"],
    is_anonymous=False,
    created_at=datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
    updated_at=datetime(2026, 1, 16, 10, 30, tzinfo=UTC),
)
PAGE = wire.ContactPage.model_construct(results=[CONTACT], next_page_token="WyJhIl0=")


async def test_a_contact_is_created_with_every_field_under_its_documented_name() -> None:
    """Nothing is lost or renamed on the way, and a null attribute is the caller's own."""
    body = wire.NewContact(
        display_name="Ada Example",
        identifiers=(
            wire.Identifier(key="emailaddress", value="ada@example.com"),
            wire.Identifier(key="phonenumber", value="+31612345678"),
        ),
        attributes={"firstName": "Ada", "rating": 9.6, "labels": ["A", "B"], "nickname": None},
        list_ids=("123e4567-e89b-12d3-a456-426614174000",),
        account_ids=("223e4567-e89b-12d3-a456-426614174000",),
        company_refs=("acme",),
    )
    async with upstream(SPEC) as vendor:
        vendor.answers(201, fixture("bird/contact"))
        assert await vendor.client.create_contact(body, lambda _: None) == CONTACT
    assert vendor.requests == [("POST", CONTACTS, SENT, fixture("bird/new_contact"))]


async def test_what_was_not_given_is_not_sent() -> None:
    """Absent stays absent: no null, no empty list."""
    async with upstream(SPEC) as vendor:
        vendor.answers(201, fixture("bird/contact"))
        await vendor.client.create_contact(wire.NewContact(display_name="Ada"), lambda _: None)
    assert vendor.requests == [("POST", CONTACTS, SENT, {"displayName": "Ada"})]


async def test_a_contact_is_read_by_its_id() -> None:
    """All documented fields arrive; 404 is None; the ID is one segment of the path."""
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("bird/contact"))
        assert await vendor.client.get_contact(CONTACT_ID, whole(wire.Contact)) == CONTACT
        vendor.answers(404, {"code": "ResourceNotFound"})
        assert await vendor.client.get_contact("a/b", whole(wire.Contact)) is None
    assert vendor.requests == [
        ("GET", f"{CONTACTS}/{CONTACT_ID}", AUTH, None),
        ("GET", f"{CONTACTS}/a%2Fb", AUTH, None),
    ]


async def test_contacts_are_listed_page_by_page() -> None:
    """The token of one page fetches the next; the first is asked for without one."""
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("bird/contacts"))
        assert await vendor.client.list_contacts(None, 20, whole(wire.ContactPage)) == PAGE
        assert await vendor.client.list_contacts("WyJhIl0=", 100, whole(wire.ContactPage)) == PAGE
    assert vendor.requests == [
        ("GET", f"{CONTACTS}?limit=20", AUTH, None),
        ("GET", f"{CONTACTS}?limit=100&pageToken=WyJhIl0%3D", AUTH, None),
    ]


async def test_contacts_are_searched_by_one_identifier() -> None:
    """By POST, as the reference says."""
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("bird/contacts"))
        assert await vendor.client.search_contacts("emailaddress", "ada@example.com") == PAGE
    body = {"identifier": {"key": "emailaddress", "value": "ada@example.com"}}
    assert vendor.requests == [("POST", f"{CONTACTS}/search", SENT, body)]


async def test_identifiers_are_listed_a_hundred_at_a_time() -> None:
    """The largest page that Bird allows."""
    async with upstream(SPEC) as vendor:
        vendor.answers(200, fixture("bird/identifiers"))
        page = await vendor.client.list_identifiers(CONTACT_ID, None)
        await vendor.client.list_identifiers(CONTACT_ID, "next")
    assert vendor.requests == [
        ("GET", f"{CONTACTS}/{CONTACT_ID}/identifiers?limit=100", AUTH, None),
        ("GET", f"{CONTACTS}/{CONTACT_ID}/identifiers?limit=100&pageToken=next", AUTH, None),
    ]
    listed = wire.ListedIdentifier.model_construct(
        contact_id=CONTACT_ID,
        key="phonenumber",
        value="+31612345678",
        properties={"countryCode": "NL"},
        created_at=datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
    )
    assert page == wire.IdentifierPage.model_construct(results=[listed], next_page_token=None)


async def test_the_sandbox_and_the_client_agree() -> None:
    """What the client writes, the sandbox keeps, and every read finds the same contact."""
    one = wire.Identifier(key="emailaddress", value="new@example.com")
    async with sandboxed(SPEC, build_world()) as client:
        body = wire.NewContact(display_name="New", identifiers=(one,), attributes={"tier": 2})
        made = await client.create_contact(body, lambda _: None)
        assert await client.get_contact(made.id, whole(wire.Contact)) == made
        assert (await client.search_contacts(one.key, one.value)).results == [made]
        assert (await client.list_contacts(None, 100, whole(wire.ContactPage))).results[-1] == made
        identifiers = await client.list_identifiers(made.id, None)
    assert made.attributes == {"displayName": "New", "tier": 2, "emailaddress": ["new@example.com"]}
    assert [(each.contact_id, each.key, each.value) for each in identifiers.results] == [(made.id, one.key, one.value)]
