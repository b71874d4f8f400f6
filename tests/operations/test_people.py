"""The operation people: all who passed through, from memory."""

from schema.ids import Kind, encode
from tests.gateway import Gateway

NAMES = ("Ada", "Björn", "Chloé", "Dmitri", "Elif")


async def test_everybody_who_passed_through_is_listed_in_that_order_without_a_call(empty: Gateway) -> None:
    """Each as the mutation answered them; nobody twice, however much was logged about them."""
    people = [await _pass_through(empty, name) for name in NAMES]
    await _pass_through(empty, NAMES[0])
    page = (await empty.run("people"))["people"]
    assert page["nodes"] == people
    assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (False, False)
    assert empty.calls() == []


async def test_people_are_read_page_by_page(empty: Gateway) -> None:
    """By two: each once, and the last page says that it is the last."""
    people = [await _pass_through(empty, name) for name in NAMES]
    pages, after, has_next = [], None, True
    while has_next:
        page = (await empty.run("people", {"first": 2, "after": after}))["people"]
        pages.append(page["nodes"])
        after, has_next = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert pages == [people[:2], people[2:4], people[4:]]


async def test_prospects_are_the_same_records_under_the_other_name(empty: Gateway) -> None:
    """Architect keeps one record for both."""
    person = await _pass_through(empty, "Ada")
    own_id = person["vendorRecord"]["id"]
    expected = {**person, "id": encode(Kind.PROSPECT, own_id)}
    expected["vendorRecord"] = {**person["vendorRecord"], "kind": "prospect"}
    assert (await empty.run("prospects"))["prospects"]["nodes"] == [expected]
    assert empty.calls() == []


async def test_before_anybody_passed_through_the_list_is_empty(demo: Gateway) -> None:
    """Architect has sixty people; it can't be asked for them."""
    for name in ("people", "prospects"):
        page = (await demo.run(name))[name]
        nobody = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
        assert page == {"nodes": [], "pageInfo": nobody}
        assert demo.calls() == []


async def _pass_through(gateway: Gateway, name: str) -> dict[str, dict[str, str]]:
    given = {
        "emailAddress": f"{name}@example.com".encode("ascii", "ignore").decode().lower(),
        "name": name,
        "source": "web",
        "payload": {},
    }
    made = (await gateway.run("create_person_log", {"input": given}))["createPersonLog"]
    assert made["errors"] == []
    person: dict[str, dict[str, str]] = made["person"]
    return person
