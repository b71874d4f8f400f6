"""The operation activities_of_opportunity."""

from app.sandbox.world import build_world
from schema.ids import Kind, encode
from schema.scalars import print_date_time
from tests.gateway import Gateway

COMPANY = build_world().companies[0]
PEOPLE = [human for human in build_world().humans if human.company == COMPANY]
NEWEST_FIRST = [
    encode(Kind.ACTIVITY, human.uuid("reevo/activity/webinar"))
    for human in sorted(PEOPLE, key=lambda human: human.at(8), reverse=True)
]


async def test_activities_of_an_opportunity_come_newest_first_in_one_call(demo: Gateway) -> None:
    """The webinars alone concern it; each says so."""
    page = (await demo.run("activities_of_opportunity", {"opportunityId": COMPANY.opportunity_id}))["activities"]
    assert [each["id"] for each in page["nodes"]] == NEWEST_FIRST
    opportunity = {"vendor": "REEVO", "kind": "opportunity", "id": COMPANY.opportunity_id}
    assert [each["opportunity"] for each in page["nodes"]] == [opportunity] * len(PEOPLE)
    assert demo.calls() == ["REEVO POST /api/v2/activity/_query"]
    assert demo.upstream[0].body == {"opportunity_id": COMPANY.opportunity_id, "limit": 20}


async def test_from_is_included_and_to_is_not(demo: Gateway) -> None:
    """From the first webinar to the third: two of them."""
    moments = sorted(human.at(8) for human in PEOPLE)
    bounds = {"from": print_date_time(moments[0]), "to": print_date_time(moments[2])}
    variables = {"opportunityId": COMPANY.opportunity_id, **bounds}
    page = (await demo.run("activities_of_opportunity", variables))["activities"]
    assert [each["id"] for each in page["nodes"]] == NEWEST_FIRST[-2:]
