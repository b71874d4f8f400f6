"""Callbacks, and the trigger that stores one with the transition that makes a background write final."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BECOMES_FINAL = (
    "OLD.state IN ('PENDING', 'SENDING', 'UNKNOWN') AND NEW.state IN ('SUCCEEDED', 'FAILED') "
    "AND NEW.delivery = 'BACKGROUND'"
)
STORE = (
    "INSERT INTO callbacks (write_id, gateway_key, created_ms, attempts, due_ms) "
    "SELECT NEW.id, gateway_key, NEW.completed_ms, 0, NEW.completed_ms "
    "FROM callback_urls WHERE gateway_key = NEW.gateway_key"
)


def upgrade() -> None:
    op.create_table(
        "callback_urls",
        sa.Column("gateway_key", sa.String, sa.ForeignKey("gateway_keys.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("url", sa.String, nullable=False),
    )
    op.create_table(
        "callbacks",
        sa.Column("write_id", sa.String, sa.ForeignKey("writes.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "gateway_key",
            sa.String,
            sa.ForeignKey("callback_urls.gateway_key", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("callbacks_due", "callbacks", ["gateway_key", "due_ms"])
    if op.get_bind().dialect.name == "postgresql":
        _create_trigger_on_postgresql()
    else:
        op.execute(
            f"CREATE TRIGGER write_final_calls_back AFTER UPDATE ON writes WHEN {BECOMES_FINAL} BEGIN {STORE}; END"
        )


def _create_trigger_on_postgresql() -> None:
    op.execute(
        f"CREATE FUNCTION write_calls_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {STORE}; RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER write_final_calls_back AFTER UPDATE ON writes FOR EACH ROW WHEN ({BECOMES_FINAL}) "
        "EXECUTE FUNCTION write_calls_back()"
    )
