"""The ledger of writes, and its laws: constraints where one row tells, triggers where it takes the row before."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

OPEN = "('PENDING', 'SENDING', 'UNKNOWN')"
FINAL = "('SUCCEEDED', 'FAILED')"
LAWS = {
    "write_final_is_final": (
        "UPDATE",
        f"OLD.state IN {FINAL} AND NEW.state <> OLD.state",
        "a final state never changes",
    ),
    "write_doubt_stays": (
        "UPDATE",
        "OLD.in_doubt AND NOT NEW.in_doubt",
        "a write once in doubt never stops having been in doubt",
    ),
    "write_open_is_kept": (
        "DELETE",
        f"OLD.state IN {OPEN}",
        "an open write can not be deleted",
    ),
}
"""By the trigger's name: before what, the condition under which it refuses, and what it says."""


def upgrade() -> None:
    _create_writes()
    _create_indexes()
    op.create_table(
        "write_events",
        sa.Column("write_id", sa.String, sa.ForeignKey("writes.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("before", sa.String),
        sa.Column("after", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("write_id", "number"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _create_triggers_on_postgresql()
    else:
        _create_triggers_on_sqlite()


def _create_writes() -> None:
    op.create_table(
        "writes",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("environment", sa.String, nullable=False),
        sa.Column("gateway_key", sa.String, nullable=False),
        sa.Column("idempotency_key", sa.String, nullable=False),
        sa.Column("operation", sa.String, nullable=False),
        sa.Column("vendor", sa.String, nullable=False),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("vendor_key", sa.String),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("delivery", sa.String, nullable=False),
        sa.Column("draft", sa.Text),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("in_doubt", sa.Boolean, nullable=False),
        sa.Column("owner", sa.String),
        sa.Column("lease_ms", sa.BigInteger),
        sa.Column("due_ms", sa.BigInteger),
        sa.Column("give_up_ms", sa.BigInteger, nullable=False),
        sa.Column("examined", sa.Integer, nullable=False),
        sa.Column("needs_attention", sa.Boolean, nullable=False),
        sa.Column("error", sa.JSON(none_as_null=True)),
        sa.Column("result_id", sa.String),
        sa.Column("answer", sa.Text),
        sa.Column("first_sent_ms", sa.BigInteger),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("completed_ms", sa.BigInteger),
        sa.Column("superseded", sa.Boolean, nullable=False),
        sa.CheckConstraint("length(idempotency_key) BETWEEN 1 AND 255", name="write_key_length"),
        sa.CheckConstraint(
            "state IN ('PENDING', 'SENDING', 'UNKNOWN', 'SUCCEEDED', 'FAILED')",
            name="write_state",
        ),
        sa.CheckConstraint(
            "(state IN ('SUCCEEDED', 'FAILED')) = (completed_ms IS NOT NULL)",
            name="write_completed",
        ),
        sa.CheckConstraint(
            "state <> 'SENDING' OR (owner IS NOT NULL AND lease_ms IS NOT NULL AND attempts >= 1)",
            name="write_sending",
        ),
        sa.CheckConstraint("state <> 'UNKNOWN' OR in_doubt", name="write_unknown_is_doubt"),
        sa.CheckConstraint(
            "vendor_key IS NOT NULL OR NOT in_doubt OR state NOT IN ('PENDING', 'SENDING')",
            name="write_keyless_not_resent",
        ),
    )


def _create_indexes() -> None:
    op.create_index(
        "write_of_key",
        "writes",
        ["gateway_key", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("superseded = 0"),
        postgresql_where=sa.text("NOT superseded"),
    )
    op.create_index("writes_due", "writes", ["state", "due_ms"])
    op.create_index("writes_in_lane", "writes", ["lane", "created_ms", "id"])
    op.create_index("writes_in_order", "writes", ["environment", "created_ms", "id"])
    _create_index_of_known("writes_of_result", ["environment", "result_id"])
    _create_index_of_known("writes_completed", ["completed_ms"])


def _create_index_of_known(name: str, columns: list[str]) -> None:
    """An index of the rows whose last column is not null."""
    known = sa.text(f"{columns[-1]} IS NOT NULL")
    op.create_index(name, "writes", columns, sqlite_where=known, postgresql_where=known)


def _create_triggers_on_sqlite() -> None:
    for name, (act, condition, message) in LAWS.items():
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {act} ON writes WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )


def _create_triggers_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION write_law_broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'check_violation'; END $$"
    )
    for name, (act, condition, message) in LAWS.items():
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {act} ON writes FOR EACH ROW WHEN ({condition}) "
            f"EXECUTE FUNCTION write_law_broken('{message}')"
        )
