"""The history of the tables, applied by Alembic where a database is behind it."""

NEWEST = "0009"
"""The revision that the code knows."""
