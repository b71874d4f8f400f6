"""What changed in memory, in order, for the other processes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "memory_changes",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("writer", sa.String, nullable=False),
        sa.Column("environment", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("vendor", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
    )
