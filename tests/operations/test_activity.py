"""The operation activity: Reevo can't be asked for one activity, memory can."""

from app.sandbox.world import build_world
from tests.gateway import Gateway
from tests.operations.test_log_activity import INPUT, logged

ADA = build_world().humans[0]


async def test_a_logged_activity_is_answered_from_memory(empty: Gateway) -> None:
    """Subject, description, category, account and opportunity included; by either form of ID, without a call."""
    made = (await empty.run("log_activity", {"input": INPUT}))["logActivity"]["activity"]
    own_id = made["vendorRecord"]["id"]
    for activity_id in (made["id"], own_id):
        assert await empty.run("activity", {"id": activity_id}) == {"activity": logged(own_id, made["createdAt"])}
        assert empty.calls() == []


async def test_an_activity_is_read_back_through_node(empty: Gateway) -> None:
    """The same record, without a call."""
    made = (await empty.run("log_activity", {"input": INPUT}))["logActivity"]["activity"]
    read = (await empty.run("node", {"id": made["id"]}))["node"]
    read["type"] = read.pop("activityType")
    assert read == {"__typename": "Activity", **made}
    assert empty.calls() == []


async def test_an_activity_that_was_listed_once_is_remembered(demo: Gateway) -> None:
    """What a list showed is answered again, whole, by its ID."""
    variables = {"accountId": ADA.company.account_id}
    listed = (await demo.run("activities_of_account", variables))["activities"]["nodes"]
    details = {each["details"] and each["details"]["__typename"] for each in listed}
    assert details == {None, "MeetingDetails", "OtherActivityDetails"}
    for each in listed:
        assert await demo.run("activity", {"id": each["id"]}) == {"activity": each}
        assert demo.calls() == []


async def test_an_activity_that_never_passed_through_is_null(demo: Gateway) -> None:
    """Not an error, and no call."""
    assert await demo.run("activity", {"id": ADA.uuid("reevo/activity/intro")}) == {"activity": None}
    assert demo.calls() == []
