"""JWT bearer tokens of front ends (RFC 7519, RFC 9068): verified against the issuer's published keys.

A token opens the environment that its issuer, or a claim of it, leads to, with the scopes in its claim `scope` (RFC 8693,
section 4.2) or `scp`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import jwt

from app.bad_request import BadRequest
from app.security.keys import KEY_ID, GatewayKey
from app.settings import TokenSettings
from app.telemetry import describe
from schema.access import SCOPES
from schema.vendor import Environment

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric ones only: who can verify a token must not be able to make one."""

LEEWAY = 30.0
"""In seconds: how far clocks may be apart."""

LONGEST = 16 * 1024
_LARGEST_SET = 1024 * 1024
_FRESH_SECONDS = 600.0
_RETRY_SECONDS = 10.0
_FETCH_SECONDS = 5.0
_ENVIRONMENTS = {each.value.lower(): each for each in Environment}
_RESERVED = "sandbox"
_log = logging.getLogger(__name__)


class KeySet:
    """The issuer's public keys (RFC 7517): asked for when they are old, or when a token names one that isn't known."""

    def __init__(self, url: str, http: httpx.AsyncClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._http = http
        self._monotonic = monotonic
        self._keys: list[Mapping[str, Any]] = []
        self._tried = float("-inf")
        self._fetched = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, key_id: str | None) -> Mapping[str, Any] | None:
        """The key of this ID; without an ID, the only one. Raises BadRequest where no keys could be had at all."""
        if self._find(key_id) is None or self._monotonic() - self._fetched > _FRESH_SECONDS:
            async with self._lock:
                await self._refresh(key_id)
        if self._fetched == float("-inf"):
            message = "The keys that tokens are signed with can't be had right now: try again."
            raise BadRequest(503, "IDENTITY_UNAVAILABLE", message, {"retry-after": f"{_RETRY_SECONDS:.0f}"})
        return self._find(key_id)

    def _find(self, key_id: str | None) -> Mapping[str, Any] | None:
        found = [each for each in self._keys if key_id is None or each.get("kid") == key_id]
        return found[0] if len(found) == 1 else None

    async def _refresh(self, key_id: str | None) -> None:
        is_fresh = self._monotonic() - self._fetched <= _FRESH_SECONDS
        if (is_fresh and self._find(key_id)) or self._monotonic() - self._tried < _RETRY_SECONDS:
            return
        self._tried = self._monotonic()
        try:
            self._keys = await self._fetch()
            self._fetched = self._monotonic()
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:  # those that are known stay in use
            _log.warning("the JWKS can't be read", extra=describe(error))

    async def _fetch(self) -> list[Mapping[str, Any]]:
        async with asyncio.timeout(_FETCH_SECONDS), self._http.stream("GET", self._url) as response:
            response.raise_for_status()
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST_SET:
                    raise ValueError
        answer = httpx.Response(200, content=body).json() if body else None
        keys = answer.get("keys") if isinstance(answer, dict) else None
        if not isinstance(keys, list):
            raise ValueError  # noqa: TRY004  # it is the answer's content that is wrong
        return [each for each in keys if isinstance(each, dict) and each.get("use", "sig") == "sig"]


class Tokens:
    """Recognises tokens."""

    def __init__(self, settings: TokenSettings, keys: KeySet) -> None:
        self._settings = settings
        self._keys = keys

    @staticmethod
    def is_token(presented: str) -> bool:
        """Whether it has the form of a JWT: three parts."""
        return presented.count(".") == 2 and len(presented) <= LONGEST

    async def recognise(self, presented: str) -> GatewayKey | None:
        """Who a token is of, or None. Raises BadRequest if that can't be told for now."""
        header = _header(presented)
        if header is None or header.get("alg") not in ALGORITHMS:
            return None
        key_id = header.get("kid")
        key = await self._keys.find(key_id if isinstance(key_id, str) else None)
        claims = None if key is None else self._verify(presented, key, header["alg"])
        return None if claims is None else self._holder(claims)

    def _verify(self, presented: str, key: Mapping[str, Any], algorithm: str) -> Mapping[str, Any] | None:
        if (key.get("alg") or algorithm) != algorithm:
            return None
        try:
            return jwt.decode(
                presented,
                jwt.PyJWK(dict(key), algorithm),
                algorithms=[algorithm],
                audience=self._settings.audience,
                issuer=list(self._settings.issuers),
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError:
            return None

    def _holder(self, claims: Mapping[str, Any]) -> GatewayKey | None:
        subject = claims["sub"]
        environment = self._environment(claims)
        if environment is None or not subject:
            return None
        if subject == _RESERVED or KEY_ID.fullmatch(subject):
            _log.warning("a token's subject looks like the ID of a gateway key, and is refused")
            return None
        return GatewayKey(subject, _name(claims), environment, _scopes(claims), int(claims["exp"] * 1000))

    def _environment(self, claims: Mapping[str, Any]) -> Environment | None:
        named = self._settings.issuers.get(claims["iss"])
        claim = self._settings.environment_claim
        return named if named is not None or claim is None else _ENVIRONMENTS.get(str(claims.get(claim)).lower())


def _header(presented: str) -> Mapping[str, Any] | None:
    try:
        return jwt.get_unverified_header(presented)
    except jwt.PyJWTError:
        return None


def _name(claims: Mapping[str, Any]) -> str:
    """Who it is for people: the client, rather than a person's name."""
    return str(claims.get("client_id") or claims.get("azp") or claims["sub"])


def _scopes(claims: Mapping[str, Any]) -> tuple[str, ...]:
    given = claims.get("scope") or claims.get("scp") or ()
    named = given.split() if isinstance(given, str) else given if isinstance(given, list) else ()
    return tuple(scope for scope in SCOPES if scope in named)
