"""Two spellings of one address meet in its normal form, and no text is too odd to have one or none."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.links.identifiers import (
    LONGEST,
    LONGEST_TEXT,
    Identifier,
    IdentifierKind,
    _identifier,
    email_of,
    identifier,
    linkedin_of,
    phone_of,
)

ALMOST = st.one_of(
    st.text(),
    st.builds("{}@{}".format, st.text(), st.text()),
    st.builds("{}@{}.{}".format, st.text(), st.text(min_size=1), st.sampled_from(["com", "xn--p1ai", "रत", "ß"])),
    st.builds("+{}".format, st.text("0123456789 -()./x;=extphon-contextisub")),
    st.builds("+{}".format, st.text("0123456789\u0660\u0661\uff13 ", min_size=6)),
    st.builds(
        "{}linkedin.com/{}/{}{}".format, *(st.text(), st.sampled_from(["in", "IN", "%69n"]), st.text(), st.text())
    ),
    st.builds("https://www.linkedin.com/in/{}".format, st.text("%0123456789abcdefABCDEFİẞ/?#")),
    st.builds("in/{}".format, st.text()),
    st.text(st.characters(categories=["Cs", "Cc", "Cf", "Zs", "Lu", "Mn"])),
)

EMAILS = {
    "ada@example.com": "ada@example.com",
    "  Ada.Lovelace@EXAMPLE.Com\n": "ada.lovelace@example.com",
    "ada+news@example.com": "ada+news@example.com",
    "ada@Bücher.example": "ada@xn--bcher-kva.example",
    "ada@xn--bcher-kva.example": "ada@xn--bcher-kva.example",
    "ada@\N{FULLWIDTH LATIN SMALL LETTER X}.example": "ada@x.example",
    "BJÖRN@example.com": "björn@example.com",
    "Bjo\N{COMBINING DIAERESIS}rn@example.com": "björn@example.com",
    '"a@b"@example.com': '"a@b"@example.com',
    "ada@under_score.example": "ada@under_score.example",
}
NO_EMAILS = ["", "ada", "@", "ada@", "@example.com", "a da@example.com", "a\x00da@example.com", "\ud800@example.com"]

PHONES = {
    "+31612345678": "+31612345678",
    " +31 6 1234-5678 ": "+31612345678",
    "+31 (0)6 12 34 56 78": "+31612345678",
    "+1 (415) 555-2671": "+14155552671",
    "+1.415.555.2671": "+14155552671",
    "tel:+31-6-12345678": "+31612345678",
    "\N{FULLWIDTH PLUS SIGN}31612345678": "+31612345678",
    "+39 06 698 1234": "+39066981234",
}
NO_PHONES = [
    "",
    "+",
    "0612345678",
    "0031612345678",
    "12",
    "+31",
    "+999123456789",
    "call me",
    "+31612345678 ext. 12",
    "+1110000000000",
]

PROFILES = [
    "https://www.linkedin.com/in/ada-lovelace",
    "http://linkedin.com/in/ada-lovelace/",
    "HTTPS://NL.LinkedIn.com/in/Ada-Lovelace?trk=people#about",
    "www.linkedin.com/in/ada-lovelace",
    " linkedin.com/in/ADA-LOVELACE// ",
    "//linkedin.com/in/ada-lovelace",
    "linkedin.com/in/ada-lovelace?next=https://example.com",
    "https://www.linkedin.com/in/ada-lovelace/details/skills/",
    "https://www.linkedin.com:443/IN/%61da-lovelace",
    "in/ada-lovelace",
    "in/ada-lovelace?trk=people",
]
NO_PROFILES = [
    "",
    "ada-lovelace",
    "in/",
    "https://www.linkedin.com/in/",
    "https://www.linkedin.com/company/analytical-engines",
    "https://www.linkedin.com/school/in/ada",
    "https://www.linkedin.com.example/in/ada",
    "https://notlinkedin.com/in/ada",
    "https://example.com/in/ada",
    "https://[linkedin.com/in/ada",
    "https://www.linkedin.com/in/%00",
    "https://www.linkedin.com/in/a%2Fb",
]


@given(st.sampled_from(IdentifierKind), ALMOST)
@settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_normal_form_is_its_own_and_no_text_is_an_error(kind: IdentifierKind, text: str) -> None:
    """Whatever the text, there is an answer; normalising it again, or with spaces around it, changes nothing."""
    found = identifier(kind, text)
    if found is not None:
        assert found == identifier(kind, found.value) == identifier(kind, f" {found.value}\n")
        assert (found.kind, found.value.strip(), len(found.value) <= LONGEST) == (kind, found.value, True)


@given(st.sampled_from(IdentifierKind), ALMOST)
@settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_database_takes_every_normal_form(kind: IdentifierKind, text: str) -> None:
    """It is UTF-8, without the NUL that PostgreSQL refuses, and fits into an index of PostgreSQL's (2704 bytes)."""
    found = identifier(kind, text)
    stored = found.value.encode() if found else b""
    assert (b"\0" in stored, len(stored) <= 2704) == (False, True)


@pytest.mark.parametrize("text", EMAILS)
def test_an_email_address_is_compared_by_its_domain_and_without_case(text: str) -> None:
    """The domain in IDNA, the local part without regard to case, nothing around it; tags and dots count."""
    assert email_of(text) == Identifier(IdentifierKind.EMAIL, EMAILS[text])


@pytest.mark.parametrize("text", PHONES)
def test_a_phone_number_is_compared_by_its_digits(text: str) -> None:
    """In E.164, however it is written."""
    assert phone_of(text) == Identifier(IdentifierKind.PHONE, PHONES[text])


@pytest.mark.parametrize("text", PROFILES)
def test_a_linkedin_profile_is_compared_by_its_slug(text: str) -> None:
    """Scheme, host, country, query and what follows the slug say nothing about who it is."""
    assert linkedin_of(text) == Identifier(IdentifierKind.LINKEDIN, "in/ada-lovelace")


def test_a_slug_is_the_same_percent_encoded_and_not() -> None:
    """As browsers copy it, and as people read it."""
    spellings = [
        "linkedin.com/in/bj%C3%B6rn-%F0%9F%A6%89",
        "linkedin.com/in/BJÖRN-🦉",
        "linkedin.com/in/bjo%CC%88rn-🦉",
    ]
    assert {linkedin_of(text) for text in spellings} == {Identifier(IdentifierKind.LINKEDIN, "in/björn-🦉")}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((IdentifierKind.EMAIL, text) for text in NO_EMAILS),
        *((IdentifierKind.PHONE, text) for text in NO_PHONES),
        *((IdentifierKind.LINKEDIN, text) for text in NO_PROFILES),
        *((kind, "a" * LONGEST + "@example.com") for kind in IdentifierKind),
        (IdentifierKind.CLIENT, " "),
    ],
)
def test_what_identifies_nobody_is_none(kind: IdentifierKind, text: str) -> None:
    """National numbers, extensions, pages of companies, hosts that only look like LinkedIn, and what is too long."""
    assert identifier(kind, text) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (IdentifierKind.EMAIL, "ada@x.example"),
        (IdentifierKind.PHONE, "+31612345678"),
        (IdentifierKind.LINKEDIN, "in/ada"),
        (IdentifierKind.CLIENT, "c1"),
    ],
)
def test_a_text_that_is_too_long_is_none_and_is_not_held_on_to(kind: IdentifierKind, text: str) -> None:
    """Whatever its normal form would be; the longest that is read has one."""
    assert identifier(kind, text.rjust(LONGEST_TEXT)) == Identifier(kind, text)
    before = _identifier.cache_info()
    assert identifier(kind, text.rjust(LONGEST_TEXT + 1)) is None
    assert _identifier.cache_info() == before


def test_different_people_stay_different() -> None:
    """Normal forms join spellings, not people."""
    assert len({email_of(f"{local}@example.com") for local in ("ada", "a.da", "ada+x", "adá")}) == 4
    assert len({phone_of(number) for number in ("+31612345678", "+31612345679", "+32612345678")}) == 3
    assert len({linkedin_of(f"linkedin.com/in/{slug}") for slug in ("ada", "ada-1", "adá")}) == 3
