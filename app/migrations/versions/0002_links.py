"""Identifiers in normal form, relations, and look-ups."""

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


def _create(name: str, key: tuple[str, ...], *others: sa.Column[object]) -> None:
    """A table of strings that together are its key, and other columns."""
    columns = [sa.Column(each, sa.String, nullable=False) for each in key]
    op.create_table(name, *columns, *others, sa.PrimaryKeyConstraint(*key))
