"""Bird's own identifier keys `client` and `linkedin` are no kinds of identifiers, and link nobody.

Under `email` and `phone` nothing tells them from what links rightly: they go when the contact is read again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_KEY = ("environment", "vendor", "kind", "id")
_WRONG = ("client", "linkedin")


def upgrade() -> None:
    records = sa.table("records", *map(sa.column, _KEY), sa.column("identifiers", sa.JSON))
    links = sa.table("record_identifiers", *map(sa.column, _KEY), sa.column("type"))
    connection = op.get_bind()
    wrong = (links.c.vendor == "BIRD") & links.c.type.in_(_WRONG)
    for own in connection.execute(sa.select(*(links.c[name] for name in _KEY)).where(wrong).distinct()).all():
        is_it = sa.and_(*(records.c[name] == value for name, value in zip(_KEY, own, strict=True)))
        given = connection.execute(sa.select(records.c.identifiers).where(is_it)).scalar_one()
        kept = [[f"bird:{type_}" if type_ in _WRONG else type_, value] for type_, value in given]
        connection.execute(records.update().where(is_it).values(identifiers=kept))
    connection.execute(links.delete().where(wrong))
