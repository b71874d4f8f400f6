"""DateTime: any offset in, UTC with three digits and a Z out, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from schema.scalars import parse_date_time, print_date_time
from tests.gateway import Gateway

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS)  # noqa: DTZ001  # hypothesis adds the zone
FORM = "DateTime expects an RFC 3339 time stamp such as 2026-01-15T10:30:00Z."
EXISTS = "DateTime expects a date and a time that exist."


@given(MOMENTS)
def test_a_moment_in_any_offset_is_read_in_utc(moment: datetime) -> None:
    """It stays the same moment, to the microsecond."""
    read = parse_date_time(moment.isoformat())
    assert (read, read.tzinfo) == (moment, UTC)


@given(MOMENTS)
def test_what_is_printed_is_read_again_to_the_millisecond(moment: datetime) -> None:
    """And is always of one form: twenty-four characters that end in Z."""
    printed = print_date_time(moment)
    assert len(printed) == len("2026-01-15T10:30:00.000Z")
    assert parse_date_time(printed) == moment - timedelta(microseconds=moment.microsecond % 1000)
    assert print_date_time(parse_date_time(printed)) == printed


@given(st.text() | st.integers() | st.floats() | st.none() | st.binary() | st.booleans())
def test_anything_is_a_moment_or_a_graphql_error(value: object) -> None:
    """Never another failure."""
    try:
        assert parse_date_time(value).tzinfo is UTC
    except GraphQLError as error:
        assert error.message in {FORM, EXISTS}  # noqa: PT017  # the other way is no error


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("2026-01-15T10:30:00Z", "2026-01-15T10:30:00.000Z"),
        ("2026-01-15t10:30:00z", "2026-01-15T10:30:00.000Z"),
        ("2026-01-15T10:30:00.1+01:00", "2026-01-15T09:30:00.100Z"),
        ("2026-01-15T10:30:00.123456789-00:00", "2026-01-15T10:30:00.123Z"),
        ("2024-02-29T23:59:59.9999-14:00", "2024-03-01T13:59:59.999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_rfc_3339_is_read(text: str, printed: str) -> None:
    """In all its forms; what is finer than a microsecond is cut off."""
    assert print_date_time(parse_date_time(text)) == printed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", FORM),
        ("2026-01-15", FORM),
        ("2026-01-15 10:30:00Z", FORM),
        ("2026-01-15T10:30:00", FORM),
        ("2026-01-15T10:30Z", FORM),
        ("2026-01-15T10:30:00+0100", FORM),
        ("2026-01-15T10:30:00Z\n", FORM),
        ("\uff12026-01-15T10:30:00Z", FORM),
        ("20260115T103000Z", FORM),
        ("2026-02-29T10:30:00Z", EXISTS),
        ("2026-13-01T10:30:00Z", EXISTS),
        ("2026-01-15T25:30:00Z", EXISTS),
        ("2026-01-15T10:30:00+24:00", EXISTS),
        ("0000-01-01T00:00:00Z", EXISTS),
        ("0001-01-01T00:00:00+14:00", EXISTS),
        ("9999-12-31T23:59:59-14:00", EXISTS),
    ],
)
def test_what_is_no_rfc_3339_is_refused(text: str, message: str) -> None:
    """With what is expected, or that there is no such moment; also at the ends of the calendar."""
    with pytest.raises(GraphQLError) as refused:
        parse_date_time(text)
    assert refused.value.message == message


async def test_a_bad_moment_is_a_clear_error_of_the_operation(empty: Gateway) -> None:
    """By variable and by literal, with nothing asked upstream."""
    document = 'query ($t: DateTime) { activities(of: {accountId: "a"}, from: $t) { nodes { id } } }'
    by_variable = await empty.ask(document, {"t": "0001-01-01T00:00:00+14:00"})
    assert [(e["message"], e["extensions"]) for e in by_variable.errors] == [
        (f"Variable '$t' has invalid value: {EXISTS}", {"code": "BAD_USER_INPUT"})
    ]
    literal = await empty.ask(document.replace("($t: DateTime)", "").replace("$t", '"2026-02-30T00:00:00Z"'))
    assert [(e["message"], e["extensions"]) for e in literal.errors] == [
        (EXISTS, {"code": "GRAPHQL_VALIDATION_FAILED"})
    ]
    assert empty.upstream == []
