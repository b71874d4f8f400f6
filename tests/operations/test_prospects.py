"""The operation prospects: all who passed through, from memory."""

from tests.gateway import Gateway

INPUT = {"source": "web", "payload": {}}


async def test_prospects_are_listed_in_the_order_in_which_they_passed_through(empty: Gateway) -> None:
    """Each as the mutation answered them, page by page, without a call."""
    prospects = [await _pass_through(empty, n) for n in range(3)]
    first = (await empty.run("prospects", {"first": 2}))["prospects"]
    after = first["pageInfo"]["endCursor"]
    rest = (await empty.run("prospects", {"first": 2, "after": after}))["prospects"]
    assert empty.calls() == []
    assert [first["nodes"], rest["nodes"]] == [prospects[:2], prospects[2:]]
    assert [each["pageInfo"]["hasNextPage"] for each in (first, rest)] == [True, False]


async def test_a_cursor_of_people_is_refused(empty: Gateway) -> None:
    """Though memory lists the same records under both names."""
    for n in range(2):
        await _pass_through(empty, n)
    after = (await empty.run("people", {"first": 1}))["people"]["pageInfo"]["endCursor"]
    answer = await empty.ask("query($after: String) { prospects(after: $after) { nodes { id } } }", {"after": after})
    assert answer.data == {"prospects": None}
    assert [(error["path"], error["extensions"]) for error in answer.errors] == [
        (["prospects"], {"code": "BAD_USER_INPUT"})
    ]


async def _pass_through(gateway: Gateway, n: int) -> object:
    given = {**INPUT, "emailAddress": f"p{n}@example.com", "name": f"Prospect {n}"}
    made: object = (await gateway.run("create_prospect_log", {"input": given}))["createProspectLog"]["prospect"]
    return made
