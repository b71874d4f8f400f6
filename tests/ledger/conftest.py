"""Databases to test on."""

from tests.databases import cluster, database, engine

__all__ = ["cluster", "database", "engine"]
