"""Without a valid gateway key there is no answer but 401."""

from __future__ import annotations

import pytest

from app.security.keys import SANDBOX_KEY
from tests.canaries.keys import wrong_key
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK = b'{"query": "{ viewer { name } }"}'
UNKNOWN = wrong_key()

REFUSED: dict[str, dict[str, str | bytes]] = {
    "none": {},
    "an empty header": {"authorization": ""},
    "a scheme alone": {"authorization": "Bearer"},
    "an empty key": {"authorization": "Bearer "},
    "another scheme": {"authorization": f"Basic {SANDBOX_KEY}"},
    "a key without a scheme": {"authorization": SANDBOX_KEY},
    "an unknown key": {"authorization": f"Bearer {UNKNOWN}"},
    "an unknown key of the other environment": {"x-api-key": UNKNOWN.replace("test", "live")},
    "a key with something before it": {"authorization": f"Bearer x{SANDBOX_KEY}"},
    "a key with something after it": {"x-api-key": f"{SANDBOX_KEY} x"},
    "bytes that are no text": {"authorization": b"Bearer \xff\xfe"},
    "another alphabet": {"x-api-key": "ключ".encode()},
    "a long key": {"authorization": f"Bearer {'x' * 100_000}"},
    "a long key of the right form": {"x-api-key": f"sk_test_{'a' * 16}_{'b' * 100_000}"},
    "a wrong key beside a right one": {"authorization": f"Bearer {UNKNOWN}", "x-api-key": SANDBOX_KEY},
}
UNPRESENTED = REFUSED.keys() & {
    "none",
    "an empty header",
    "a scheme alone",
    "an empty key",
    "another scheme",
    "a key without a scheme",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_request_without_a_valid_key_is_refused(served: Gateway, name: str) -> None:
    """In GraphQL's error form, saying how a key is sent; the key itself is not repeated."""
    headers = {"content-type": "application/json", **REFUSED[name]}
    encoded = [(header.encode(), v if isinstance(v, bytes) else v.encode()) for header, v in headers.items()]
    response = await served.http.post("/graphql", content=ASK, headers=encoded)
    message = "Send a valid gateway key: Authorization: Bearer … or x-api-key: …."
    challenge = "Bearer" if name in UNPRESENTED else 'Bearer error="invalid_token"'
    assert (response.status_code, response.headers["www-authenticate"]) == (401, challenge)
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "UNAUTHENTICATED"}}]}
    assert served.upstream == []


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {SANDBOX_KEY}"},
        {"authorization": f"bearer   {SANDBOX_KEY} "},
        {"x-api-key": SANDBOX_KEY},
        {"authorization": "Basic eDp5", "x-api-key": SANDBOX_KEY},
    ],
)
async def test_a_key_is_taken_in_either_header(served: Gateway, headers: dict[str, str]) -> None:
    """The scheme in any case; x-api-key where a proxy needs Authorization for itself."""
    response = await served.http.post("/graphql", content=ASK, headers={"content-type": "application/json", **headers})
    assert (response.status_code, response.json()) == (200, {"data": {"viewer": {"name": "Sandbox"}}})


async def test_the_key_is_asked_for_before_the_body_is_read(served: Gateway) -> None:
    """A stranger learns nothing of what a body should be, and can't make the gateway read one."""
    response = await served.http.post("/graphql", content=b"[" * 3_000_000)
    assert response.status_code == 401
