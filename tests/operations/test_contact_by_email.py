"""The operation contact_by_email."""

from app.sandbox.world import build_world
from tests.gateway import Gateway
from tests.operations.test_contact_by_id import CONTACTS, contact

ADA = build_world().humans[0]


async def test_a_contact_is_found_by_its_email_and_answered_whole(demo: Gateway) -> None:
    """One call finds it; one more lists its identifiers, for only three of the four are featured."""
    own_id = ADA.uuid("bird/contact")
    held = {
        "emailaddress": ADA.email,
        "phonenumber": ADA.phone,
        "external_id": "crm-0000",
        "visitorid": ADA.uuid("bird/visitor"),
    }
    answered = await demo.run("contact_by_email", {"emailAddress": ADA.email})
    assert answered == {"contact": contact(ADA, held)}
    assert demo.calls() == [f"BIRD POST {CONTACTS}/search", f"BIRD GET {CONTACTS}/{own_id}/identifiers?limit=100"]


async def test_the_address_is_sent_in_its_normal_form(demo: Gateway) -> None:
    """Trimmed and in lower case, as addresses are compared, under Bird's own name for it."""
    await demo.run("contact_by_email", {"emailAddress": "  Nobody@EXAMPLE.com "})
    assert demo.upstream[0].body == {"identifier": {"key": "emailaddress", "value": "nobody@example.com"}}


async def test_an_address_that_nobody_has_is_null(demo: Gateway) -> None:
    """An empty search is not an error, and is not made again soon."""
    for calls in ([f"BIRD POST {CONTACTS}/search"], []):
        assert await demo.run("contact_by_email", {"emailAddress": "nobody@example.com"}) == {"contact": None}
        assert demo.calls() == calls


async def test_what_is_no_address_is_refused_without_being_repeated(demo: Gateway) -> None:
    """The message shows the form that was expected, not the value, which may be a secret pasted by mistake."""
    query = "query($e: EmailAddress!) { contact(by: { emailAddress: $e }) { id } }"
    answer = await demo.ask(query, {"e": "secret 123"})
    assert answer.data == {"contact": None}
    assert [(error["message"], error["extensions"]) for error in answer.errors] == [
        (
            "by.emailAddress: Must be an e-mail address such as ada@example.com.",
            {"code": "BAD_USER_INPUT"},
        )
    ]
    assert demo.calls() == []
