"""The operation activities_of_account."""

from typing import Any

from app.sandbox.world import Human, build_world
from app.vendors.reevo.sandbox import USER_ID
from schema.ids import Kind, encode
from schema.scalars import print_date_time
from tests.gateway import Gateway
from tests.operations.test_log_activity import INPUT

PEOPLE = [human for human in build_world().humans if human.number % 12 == 0]
COMPANY = PEOPLE[0].company
LAST = PEOPLE[-1]
KINDS = ("intro", "webinar", "meeting", "voicemail")
DAYS = {"intro": 1, "webinar": 8, "meeting": 15, "voicemail": 20}


async def test_activities_come_newest_first_in_one_call(demo: Gateway) -> None:
    """All of everybody at the account, by the moment at which they were logged."""
    page = (await demo.run("activities_of_account", {"accountId": COMPANY.account_id}))["activities"]
    expected = sorted(((human.at(DAYS[kind]), human, kind) for human in PEOPLE for kind in KINDS), key=_age)
    assert [each["id"] for each in page["nodes"]] == [_id(human, kind) for _, human, kind in expected]
    assert page["pageInfo"]["hasNextPage"] is False
    assert demo.calls() == ["REEVO POST /api/v2/activity/_query"]
    assert demo.upstream[0].body == {"account_id": COMPANY.account_id, "limit": 20}


async def test_a_kind_that_the_schema_does_not_know_is_answered_whole(demo: Gateway) -> None:
    """The newest one at the account is a voicemail: its metadata comes as JSON, untouched."""
    page = (await demo.run("activities_of_account", {"accountId": COMPANY.account_id, "first": 1}))["activities"]
    raw = {
        "kind": "voicemail",
        "duration_seconds": 42,
        "transcript": f"{LAST.first_name} asks to be called back",
    }
    details = {"__typename": "OtherActivityDetails", "kind": "voicemail", "raw": raw}
    subject = f"Voicemail from {LAST.name}"
    assert page["nodes"] == [_activity("voicemail", subject, details, type="VOICEMAIL")]


async def test_a_meeting_is_answered_with_its_details(demo: Gateway) -> None:
    """Title, place, moments and everybody who takes part."""
    page = (await demo.run("activities_of_account", {"accountId": COMPANY.account_id}))["activities"]
    title, start = f"Review with {COMPANY.name}", LAST.at(15)
    details = {
        "__typename": "MeetingDetails",
        "title": title,
        "location": "Video call",
        "startAt": print_date_time(start),
        "endAt": print_date_time(LAST.at(15 + 1 / 48)),
        "status": "COMPLETED",
        "meetingType": "EXTERNAL",
        "participants": [
            _participant("Robin Seller", "robin@switchboard.example", is_host=True),
            _participant(LAST.name, LAST.email, is_host=False),
        ],
    }
    meeting = next(each for each in page["nodes"] if each["id"] == _id(LAST, "meeting"))
    more = {"type": "MEETING", "status": "COMPLETED", "location": "Video call"}
    assert meeting == _activity("meeting", title, details, **more)


async def test_from_is_included_and_to_is_not(demo: Gateway) -> None:
    """Both bounds are sent upstream, in UTC."""
    bounds = {"from": print_date_time(LAST.at(15)), "to": print_date_time(LAST.at(20))}
    page = (await demo.run("activities_of_account", {"accountId": COMPANY.account_id, **bounds}))["activities"]
    within = [
        _id(human, kind) for human in PEOPLE for kind in KINDS if LAST.at(15) <= human.at(DAYS[kind]) < LAST.at(20)
    ]
    assert sorted(each["id"] for each in page["nodes"]) == sorted(within)
    sent = {"created_from": bounds["from"].replace(".000Z", "Z"), "created_to": bounds["to"].replace(".000Z", "Z")}
    assert demo.upstream[0].body == {"account_id": COMPANY.account_id, **sent, "limit": 20}


async def test_an_activity_logged_here_is_listed_with_what_the_vendor_keeps_to_itself(empty: Gateway) -> None:
    """Description, account and opportunity come from memory, in the same form as the mutation answered."""
    made = (await empty.run("log_activity", {"input": INPUT}))["logActivity"]["activity"]
    page = (await empty.run("activities_of_account", {"accountId": COMPANY.account_id}))["activities"]
    assert page["nodes"] == [made]


def _age(row: tuple[Any, Human, str]) -> tuple[float, str]:
    moment, human, kind = row
    return -moment.timestamp(), human.uuid(f"reevo/activity/{kind}")


def _id(human: Human, kind: str) -> str:
    return encode(Kind.ACTIVITY, human.uuid(f"reevo/activity/{kind}"))


def _participant(name: str, email: str, *, is_host: bool) -> dict[str, Any]:
    return {"name": name, "emailAddress": email, "isHost": is_host, "rsvpStatus": "ACCEPTED"}


def _activity(kind: str, subject: str, details: Any, **more: str) -> dict[str, Any]:
    """An activity with the last person at the account."""
    moment = print_date_time(LAST.at(DAYS[kind]))
    silent = ("description", "category", "subType", "status", "priority", "location", "badgeStatus", "opportunity")
    return {
        **dict.fromkeys(silent),
        "id": _id(LAST, kind),
        "subject": subject,
        "occurredAt": moment,
        "owner": {"vendor": "REEVO", "kind": "user", "id": USER_ID},
        "details": details,
        "account": {"vendor": "REEVO", "kind": "account", "id": COMPANY.account_id},
        "createdAt": moment,
        "updatedAt": moment,
        "vendorRecord": {"vendor": "REEVO", "kind": "activity", "id": LAST.uuid(f"reevo/activity/{kind}")},
        **more,
    }
