"""What tests of execution share."""

from __future__ import annotations

import pytest

from schema.build import Schema
from tests.execution.small import small_schema


@pytest.fixture(scope="session")
def small() -> Schema:
    return small_schema()
