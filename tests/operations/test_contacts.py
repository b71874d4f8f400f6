"""The operation contacts."""

from tests.gateway import Gateway


async def test_contacts_reads_one_page_in_one_call(demo: Gateway) -> None:
    """A page is one upstream call, and its end cursor reads on without repetition."""
    first = await demo.run("contacts", {"first": 2})
    assert [node["displayName"] for node in first["contacts"]["nodes"]] == ["Ada Andersen", "Björn Andersen"]
    assert len(demo.upstream) == 1
    second = await demo.run("contacts", {"first": 1, "after": first["contacts"]["pageInfo"]["endCursor"]})
    assert [node["displayName"] for node in second["contacts"]["nodes"]] == ["Chloé Andersen"]
    assert len(demo.upstream) == 1
