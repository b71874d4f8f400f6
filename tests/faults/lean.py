"""A partner whose questions cost so little that the gateway's time is measured, and not its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.bench.load import Connection
from tests.faults.matrix import IN_TIME
from tests.faults.partner import Partner

_FRESH = 3.0
"""In seconds: how long an unused connection is taken for one that the gateway has not closed."""

_PATIENCE = 60.0


@dataclass
class LeanPartner(Partner):
    """Keeps connections of its own. Asking raises OSError, EOFError or ValueError where there is no whole answer."""

    idle: list[tuple[float, Connection]] = field(default_factory=list)

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, deadline: float = IN_TIME) -> Any:
        connection = self._connection()
        headers = f"x-request-timeout-ms: {deadline * 1000:.0f}\r\n"
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = json.loads(await connection.ask(query, variables or {}, headers))
        except BaseException:
            connection.close()
            self.close()  # whoever ended it may have ended them all
            raise
        self.idle.append((time.monotonic(), connection))
        return answer

    def close(self) -> None:
        for _, connection in self.idle:
            connection.close()
        self.idle.clear()

    def _connection(self) -> Connection:
        """The one that was used last, unless it has rested for too long: then the others have, too."""
        if self.idle:
            since, connection = self.idle.pop()
            if time.monotonic() - since < _FRESH:
                return connection
            connection.close()
            self.close()
        return Connection(str(self.http.base_url), self.key)
