"""The operation contact_methods."""

from typing import Any

import pytest

from app.sandbox.world import build_world
from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.operations.test_contact_method import work_email

ADA = build_world().humans[0]
CLIENT = ADA.uuid("artu/client")
LIST = ["ARTU POST /contact-methods/list"]


async def test_the_contact_methods_of_a_client_come_newest_first_in_one_call(demo: Gateway) -> None:
    """All three; the oldest is compared whole."""
    page = (await demo.run("contact_methods", {"filter": {"clientId": CLIENT}}))["contactMethods"]
    expected = [encode(Kind.CONTACT_METHOD, ADA.uuid(f"artu/method/{what}")) for what in ("home", "mobile", "email")]
    assert [each["id"] for each in page["nodes"]] == expected
    assert page["nodes"][-1] == work_email(ADA)
    assert page["pageInfo"]["hasNextPage"] is False
    assert demo.calls() == LIST
    assert demo.upstream[0].body == {"filter": {"clientId": CLIENT}, "limit": 20}


@pytest.mark.parametrize(
    ("given", "sent", "found"),
    [
        ({"value": ADA.email}, {"value": ADA.email}, ["Work"]),
        ({"externalId": "crm-0"}, {"externalId": "crm-0"}, ["Home"]),
        ({"clientId": CLIENT.upper(), "type": "MOBILE"}, {"clientId": CLIENT, "type": "mobile"}, ["Mobile"]),
        ({"clientId": CLIENT, "isPrimary": False}, {"clientId": CLIENT, "isPrimary": False}, ["Home"]),
    ],
)
async def test_a_filter_is_sent_as_the_vendor_spells_it(
    demo: Gateway, given: dict[str, Any], sent: dict[str, Any], found: list[str]
) -> None:
    """What was given, nothing else, and all of it must hold."""
    page = (await demo.run("contact_methods", {"filter": given}))["contactMethods"]
    assert [each["label"] for each in page["nodes"]] == found
    assert demo.upstream[0].body == {"filter": sent, "limit": 20}


async def test_without_a_filter_all_are_listed(demo: Gateway) -> None:
    """Left out, null and empty mean the same: no filter is sent at all."""
    choices: list[dict[str, Any]] = [{}, {"filter": None}, {"filter": {}}]
    for variables in choices:
        page = (await demo.run("contact_methods", {"first": 3, **variables}))["contactMethods"]
        assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (3, True)
        assert demo.upstream[0].body == {"limit": 3}


async def test_a_client_by_what_is_no_uuid_is_refused_without_a_call(demo: Gateway) -> None:
    """The message says where and which form was expected."""
    query = "query($f: ContactMethodFilter) { contactMethods(filter: $f) { nodes { id } } }"
    answer = await demo.ask(query, {"f": {"clientId": "client-7"}})
    assert answer.data == {"contactMethods": None}
    assert [(error["message"], error["extensions"]) for error in answer.errors] == [
        (
            "filter.clientId: Expected the vendor's ID of a client, which is a UUID; was given something else.",
            {"code": "BAD_USER_INPUT"},
        )
    ]
    assert demo.calls() == []
