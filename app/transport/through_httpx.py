"""The seam over an httpx client: whatever transport it has, a test's own included."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from app.transport.seam import Asked, Reply, Trace


@dataclass(frozen=True)
class ThroughHttpx:
    """Has a client of httpx make the calls."""

    http: httpx.AsyncClient

    async def exchange(self, request: Asked, trace: Trace | None, most: int) -> Reply:
        """One request, and its answer with a body of up to `most` bytes. Raises the errors of httpx."""
        sent = self.http.build_request(
            request.method,
            request.path,
            params=request.query,
            content=request.content,
            headers={"content-type": "application/json"} if request.content is not None else None,
            extensions={"trace": trace} if trace is not None else None,
        )
        response = await self.http.send(sent, stream=True)
        try:
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > most:
                    break
            headers = {name.lower(): value for name, value in response.headers.raw}
            return Reply(response.status_code, headers, bytes(content))
        finally:
            await response.aclose()

    def renew(self) -> None:
        """Leaves things as they are: httpx offers no way, and nothing that is served is called through it."""
