"""Indexes that SQLite, which knows nothing of how many rows there are, prefers to reading all of an environment."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.drop_index("identifiers_of_record", "record_identifiers")
    op.create_index(
        "identifiers_of_record", "record_identifiers", ["environment", "vendor", "kind", "id", "type", "value"]
    )
    op.drop_index("writes_in_lane", "writes")
    op.create_index("writes_in_lane", "writes", ["lane", "environment", "created_ms", "id"])
