"""The door: who asks, found out before anything else of a request is read."""

from __future__ import annotations

from app.bad_request import BadRequest
from app.head import Head
from app.security.keys import GatewayKey, Keys


class Door:
    """Lets in whoever presents a key that is recognised."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def admit(self, head: Head) -> GatewayKey:
        """Who is asking. Raises BadRequest."""
        presented = _presented(head)
        key = await self._keys.recognise(presented) if presented else None
        if key is None:
            raise unauthenticated(presented)
        return key


def unauthenticated(presented: str) -> BadRequest:
    """RFC 6750, section 3: what is asked for, and that what was presented is no good."""
    challenge = 'Bearer error="invalid_token"' if presented else "Bearer"
    message = "Send a valid gateway key: Authorization: Bearer … or x-api-key: …."
    return BadRequest(401, "UNAUTHENTICATED", message, {"www-authenticate": challenge})


def _presented(head: Head) -> str:
    scheme, _, token = (head.get(b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else head.get(b"x-api-key") or ""
