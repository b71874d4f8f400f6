"""The demo world's Ada as linked operations answer her."""

from __future__ import annotations

from typing import Any

from app.sandbox.world import build_world
from schema.ids import Kind, encode
from schema.scalars import print_date_time
from tests.gateway import Gateway

ADA = build_world().humans[0]
CLIENT, CONTACT, REEVOS = (ADA.uuid(what) for what in ("artu/client", "bird/contact", "reevo/contact"))
METHODS: list[dict[str, object]] = [
    {"id": encode(Kind.CONTACT_METHOD, ADA.uuid(f"artu/method/{what}")), "type": type_, "value": value}
    for what, type_, value in (
        ("home", "EMAIL", "ada.andersen@home.example"),
        ("mobile", "MOBILE", ADA.phone),
        ("email", "EMAIL", ADA.email),
    )
]
ACTIVITIES: list[dict[str, object]] = [
    {
        "id": encode(Kind.ACTIVITY, ADA.uuid(f"reevo/activity/{kind}")),
        "subject": subject,
        "createdAt": print_date_time(ADA.at(days)),
    }
    for kind, days, subject in (
        ("voicemail", 20, f"Voicemail from {ADA.name}"),
        ("meeting", 15, f"Review with {ADA.company.name}"),
        ("webinar", 8, f"Ada at our webinar on {ADA.company.name}'s plans"),
        ("intro", 1, f"Intro call with {ADA.name}"),
    )
]
RECORDS = [
    {"vendor": "BIRD", "kind": "contact", "id": CONTACT},
    {"vendor": "REEVO", "kind": "contact", "id": REEVOS},
    {"vendor": "ARTU", "kind": "client", "id": CLIENT},
]


async def pass_through(gateway: Gateway) -> Any:
    """Logs something about Ada, so that memory has her as a person; the mutation's payload."""
    given = {"emailAddress": ADA.email, "name": ADA.name, "source": "web", "payload": {"page": "/pricing"}}
    return (await gateway.run("create_person_log", {"input": given}))["createPersonLog"]
