"""Who is who in memory: records that share an identifier are one human being, and nobody else is."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.links import store
from app.links.circle import Circle
from app.links.identifiers import Identifier, IdentifierKind
from app.links.record import Record
from app.links.records import Records
from app.links.resolve import Links
from schema.vendor import Environment, Vendor
from tests.links.finders import at, keys, record
from tests.remembering import keep, remembering, remembering_beside

EMAIL, PHONE, PROFILE = "ada@x.example", "+31612345678", "https://www.linkedin.com/in/ada"
SWITCHBOARD = Identifier(IdentifierKind.PHONE, "+31201234567")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (EMAIL, "Ada@X.EXAMPLE"),
        (PHONE, "+31 6 1234-5678"),
        (PROFILE, "nl.linkedin.com/in/Ada/?trk=people"),
    ],
    ids=["e-mail", "phone", "linkedin"],
)
async def test_two_spellings_of_one_identifier_are_one_human_being(records: Records, one: str, other: str) -> None:
    """From either record, and from the identifier itself."""
    bird, person = record(Vendor.BIRD, "b1", one), record(Vendor.ARCHITECT, "p1", other)
    await keep(records, bird, person, record(Vendor.BIRD, "b2", "bob@x.example"))
    starts = [at(one), at(other), Circle(keys(bird)), Circle(keys(person))]
    found = [await Links(records, 0).remembered(start) for start in starts]
    assert found == [Circle(keys(bird, person), at(one).identifiers)] * 4


async def test_links_lead_on_from_vendor_to_vendor(records: Records) -> None:
    """An e-mail address of one, the phone number that another knows with it, and so on to the last."""
    chain = [
        record(Vendor.BIRD, "b1", EMAIL),
        record(Vendor.REEVO, "r1", EMAIL, PHONE),
        record(Vendor.ARCHITECT, "p1", PHONE, PROFILE),
        record(Vendor.ARCHITECT, "p2", PROFILE, "ada@y.example"),
        record(Vendor.ARTU, "m1", "ada@y.example", "client:c1"),
        record(Vendor.ARTU, "m2", "+31687654321", "client:c1"),
    ]
    await keep(records, *chain)
    circle = await Links(records, 0).remembered(Circle(keys(chain[0])))
    assert circle.records == keys(*chain)
    assert circle.clients == ["c1"]
    assert await Links(records, 0).remembered(at("+31687654321")) == circle


async def test_a_long_chain_is_followed_to_its_end(records: Records) -> None:
    """However many steps it takes, both ends see the same."""
    chain = [record(Vendor.BIRD, f"b{n}", f"{n}@x.example", f"{n + 1}@x.example") for n in range(40)]
    await keep(records, *chain)
    ends = [await Links(records, 0).remembered(Circle(keys(end))) for end in (chain[0], chain[-1])]
    assert [end.records for end in ends] == [keys(*chain)] * 2


async def test_environments_never_meet(records: Records) -> None:
    """The same address in the other environment is somebody else."""
    here, there = record(Vendor.BIRD, "b1", EMAIL), record(Vendor.ARCHITECT, "p1", EMAIL)
    live = Records(records.memory, Environment.LIVE)
    await keep(records, here)
    await keep(live, there)
    found = [(await Links(each, 0).remembered(at(EMAIL))).records for each in (records, live)]
    assert found == [keys(here), keys(there)]


async def test_what_twenty_share_links_and_what_more_share_does_not(records: Records) -> None:
    """A switchboard's number says nothing about who it is; it is listed as shared, and each keeps what is its own."""
    people = [record(Vendor.BIRD, f"b{n:02}", SWITCHBOARD.value, f"{n}@x.example") for n in range(21)]
    await keep(records, *people[:20])
    assert (await Links(records, 0).remembered(Circle(keys(people[0])))).records == keys(*people[:20])
    assert await records.shared([SWITCHBOARD]) == []
    await keep(records, people[20])
    alone = Circle(keys(people[0]), frozenset({SWITCHBOARD}) | at("0@x.example").identifiers)
    assert await Links(records, 0).remembered(Circle(keys(people[0]))) == alone
    assert (await Links(records, 0).remembered(at(SWITCHBOARD.value))).records == frozenset()
    assert await records.shared([SWITCHBOARD, *at("0@x.example").identifiers]) == [SWITCHBOARD]


async def test_what_too_many_shared_links_again_when_one_of_them_is_gone(engine: AsyncEngine) -> None:
    """Also in a process that has only looked at who shares it, and not at the records."""
    people = [record(Vendor.BIRD, f"b{n:02}", SWITCHBOARD.value) for n in range(21)]
    async with remembering(engine) as records:
        await keep(records, *people)
    async with remembering_beside(engine) as (records, writer):
        assert (await Links(records, 0).remembered(at(SWITCHBOARD.value))).records == frozenset()
        await writer.run(lambda connection: store.forget(connection, {(records.environment, people[0].key)}))
        records.memory.learned(records.environment, [], [people[0].key])
        assert (await Links(records, 0).remembered(at(SWITCHBOARD.value))).records == keys(*people[1:])


async def test_twenty_of_each_vendor_are_not_too_many(records: Records) -> None:
    """They are counted vendor by vendor: all four know each human being."""
    vendors = (Vendor.BIRD, Vendor.REEVO, Vendor.ARTU)
    everybody = [record(vendor, f"{n}", SWITCHBOARD.value) for vendor in vendors for n in range(20)]
    await keep(records, *everybody)
    assert (await Links(records, 0).remembered(at(SWITCHBOARD.value))).records == keys(*everybody)


async def test_all_contact_methods_of_one_client_belong_together(records: Records) -> None:
    """A client may have 250: they are one human being's by what the vendor says, not by what they share."""
    methods = [record(Vendor.ARTU, f"m{n:03}", f"{n}@x.example", "client:c1") for n in range(250)]
    await keep(records, *methods)
    circle = await Links(records, 0).remembered(at("7@x.example"))
    assert (circle.records, circle.clients) == (keys(*methods), ["c1"])
    assert await records.shared(list(circle.identifiers)) == []


async def test_what_carries_the_given_itself_stands_first(records: Records) -> None:
    """Then those that are linked over others, by their IDs."""
    near, far, given = record(Vendor.BIRD, "z", EMAIL), record(Vendor.BIRD, "a", PHONE), record(Vendor.BIRD, "m", PHONE)
    await keep(
        records, near, far, given, Record(Vendor.REEVO, "contact", "r", {}, (("email", EMAIL), ("phone", PHONE)))
    )
    links = Links(records, 0)
    start = Circle(keys(given), at(EMAIL).identifiers)
    own_ids = (await links.remembered(start)).of(Vendor.BIRD, "contact")
    assert own_ids == ["a", "m", "z"]
    assert await links.nearest_first(start, own_ids, Vendor.BIRD, "contact") == ["m", "z", "a"]
