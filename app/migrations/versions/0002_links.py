"""Identifiers in normal form, relations, and look-ups; of the records that were there already too.

Normal forms are made here as they were when this was written: a migration does the same for ever.
"""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

import idna
import phonenumbers
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("records", sa.Column("first_ms", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("records_in_order", "records", ["environment", "vendor", "kind", "first_ms", "id"])
    _create("record_identifiers", ("environment", "type", "value", "vendor", "kind", "id"))
    op.create_index("identifiers_of_record", "record_identifiers", ["environment", "vendor", "kind", "id"])
    _create("record_relations", ("environment", "vendor", "kind", "id", "relation", "target_kind", "target_id"))
    target = ["environment", "vendor", "kind", "relation", "target_kind", "target_id"]
    op.create_index("relations_of_target", "record_relations", target)
    _create(
        "lookups",
        ("environment", "vendor", "type", "value"),
        sa.Column("is_known", sa.Boolean, nullable=False),
        sa.Column("asked_ms", sa.BigInteger, nullable=False),
    )
    op.execute("UPDATE records SET first_ms = seen_ms")
    _link(op.get_bind())


def _link(connection: sa.Connection) -> None:
    """What 0001 kept of records, as this revision keeps it: Bird's keys and Artu's clients are identifiers now."""
    records, found, related = (_table(name) for name in ("records", "record_identifiers", "record_relations"))
    key = ("environment", "vendor", "kind", "id")
    for row in connection.execute(sa.select(records)).mappings().all():
        own = {name: row[name] for name in key}
        given = list(_identifiers(row))
        change = records.update().where(*(records.c[name] == own[name] for name in key)).values(identifiers=given)
        connection.execute(change)
        for type_, value in sorted({(type_, normal) for type_, text in given if (normal := _normal(type_, text))}):
            connection.execute(found.insert().values(own | {"type": type_, "value": value}))
        if row["kind"] in {"person_log", "prospect_log"}:
            target = {"relation": "person", "target_kind": "person", "target_id": row["fields"]["party"]}
            connection.execute(related.insert().values(own | target))


_RENAMED = {"emailaddress": "email", "phonenumber": "phone"}


def _identifiers(row: sa.RowMapping) -> Iterator[tuple[str, str]]:
    for type_, value in row["identifiers"]:
        yield _RENAMED.get(type_, type_) if row["vendor"] == "BIRD" else type_, value
    if row["kind"] == "contact_method" and row["fields"].get("clientId"):
        yield "client", row["fields"]["clientId"]


def _normal(type_: str, text: str) -> str | None:
    if type_ not in _NORMAL or len(text) > _LONGEST or _UNSTORABLE.search(text.strip()):
        return None
    return _NORMAL[type_](text.strip())


def _email(text: str) -> str | None:
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or any(c.isspace() for c in text):
        return None
    try:
        return f"{_folded(local)}@{idna.encode(domain, uts46=True).decode()}"
    except (idna.IDNAError, UnicodeError):
        return f"{_folded(local)}@{_folded(domain)}"


def _phone(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    return None if number.extension else phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _linkedin(text: str) -> str | None:
    found = re.search(r"\blinkedin\.com/in/([^/?#]+)", text, re.IGNORECASE)
    slug = unquote(found[1]) if found else ""
    return None if not slug or re.search(r"[\s/?#%]", slug) or _UNSTORABLE.search(slug) else f"in/{_folded(slug)}"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


_NORMAL = {"email": _email, "phone": _phone, "linkedin": _linkedin, "client": str.lower}
_LONGEST = 300
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())


def _create(name: str, key: tuple[str, ...], *others: sa.Column[object]) -> None:
    """A table of strings that together are its key, and other columns."""
    columns = [sa.Column(each, sa.String, nullable=False) for each in key]
    op.create_table(name, *columns, *others, sa.PrimaryKeyConstraint(*key))
