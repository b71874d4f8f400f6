"""When a gateway key ends, and the secret that it had before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("gateway_keys", sa.Column("expires_ms", sa.BigInteger))
    op.add_column("gateway_keys", sa.Column("revoked_ms", sa.BigInteger))
    op.add_column("gateway_keys", sa.Column("previous_digest", sa.String))
    op.add_column("gateway_keys", sa.Column("previous_until_ms", sa.BigInteger))
