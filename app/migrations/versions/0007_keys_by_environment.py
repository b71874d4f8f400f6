"""An idempotency key belongs to one environment: IDs of whom tokens name need not be unique beyond it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.drop_index("write_of_key", "writes")
    op.create_index(
        "write_of_key",
        "writes",
        ["environment", "gateway_key", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("superseded = 0"),
        postgresql_where=sa.text("NOT superseded"),
    )
