"""JWT bearer tokens: verified against the issuer's keys, and good for no more than they say."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.bad_request import BadRequest
from app.limits import LiveLimits
from app.live.connections import Connections
from app.sandbox.server import serving
from app.security.keys import GatewayKey
from app.security.tokens import KeySet, Tokens
from app.settings import TokenSettings
from app.sockets import bound_socket
from schema.vendor import Environment
from tests.canaries.keys import canary
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

TEST_ISSUER = "https://id.test.example"
LIVE_ISSUER = "https://id.example"
ANY_ISSUER = "https://any.example"
AUDIENCE = "switchboard"
SETTINGS = TokenSettings(
    "https://id.example/jwks",
    {TEST_ISSUER: Environment.TEST, LIVE_ISSUER: Environment.LIVE, ANY_ISSUER: None},
    AUDIENCE,
    "environment",
)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
SIGNERS: dict[str, tuple[Any, str]] = {
    "rsa": (RSA, "RS256"),
    "ec": (EC, "ES256"),
    "ed": (ED, "EdDSA"),
    "pss": (RSA, "PS256"),
}


@dataclass
class Issuer:
    """Publishes keys; `fetched` counts how often it was asked, `status` is what it answers, `body` what in place of keys."""

    keys: list[Mapping[str, Any]]
    status: int = 200
    body: bytes | None = None
    fetched: int = 0
    now: list[float] = field(default_factory=lambda: [1000.0])

    def answer(self, _: httpx.Request) -> httpx.Response:
        self.fetched += 1
        if self.body is not None:
            return httpx.Response(self.status, content=self.body)
        return httpx.Response(self.status, json={"keys": self.keys})


def published(key_id: str, key: Any, **more: Any) -> Mapping[str, Any]:
    """A public key as a JWKS has it."""
    kind: Any = {"RSAPrivateKey": RSAAlgorithm, "ECPrivateKey": ECAlgorithm}.get(type(key).__name__, OKPAlgorithm)
    return {**json.loads(kind.to_jwk(key.public_key())), "kid": key_id, "use": "sig", **more}


KEYS = [published("rsa", RSA), published("ec", EC), published("ed", ED), published("pss", RSA, alg="PS256")]


@pytest.fixture
async def issuer() -> Issuer:
    return Issuer(list(KEYS))


@pytest.fixture
async def tokens(issuer: Issuer) -> AsyncIterator[Tokens]:
    """A gateway's tokens, whose key set is the issuer's."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(issuer.answer)) as http:
        yield Tokens(SETTINGS, KeySet(SETTINGS.jwks_url, http, lambda: issuer.now[0]))


def token(signer: str = "rsa", *, key: Any = None, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A token that is good but for what is given; a claim of None is left out."""
    private, algorithm = SIGNERS[signer]
    whole = {
        "iss": LIVE_ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "exp": time.time() + 300,
        "jti": canary("token"),
        "scope": "read",
        **claims,
    }
    present = {name: value for name, value in whole.items() if value is not None}
    named = {name: value for name, value in {"kid": signer, **(headers or {})}.items() if value is not None}
    return jwt.encode(present, key or private, algorithm, headers=named)


@pytest.mark.parametrize("signer", SIGNERS)
async def test_a_token_is_recognised_by_its_signature(tokens: Tokens, signer: str) -> None:
    """Whoever of the issuer's keys made it."""
    expected = GatewayKey("ada", "web", Environment.LIVE, ("read", "contacts:write"))
    assert await tokens.recognise(token(signer, scope="contacts:write read other", azp="web")) == expected


@pytest.mark.parametrize(
    ("claims", "environment"),
    [
        ({"iss": TEST_ISSUER}, Environment.TEST),
        ({"iss": LIVE_ISSUER}, Environment.LIVE),
        ({"iss": LIVE_ISSUER, "environment": "test"}, Environment.LIVE),
        ({"iss": ANY_ISSUER, "environment": "test"}, Environment.TEST),
        ({"iss": ANY_ISSUER, "environment": "LIVE"}, Environment.LIVE),
        ({"iss": ANY_ISSUER, "environment": "staging"}, None),
        ({"iss": ANY_ISSUER}, None),
    ],
)
async def test_the_issuer_or_a_claim_leads_to_the_environment(
    tokens: Tokens, claims: dict[str, Any], environment: Environment | None
) -> None:
    """The issuer's own, where the settings name one; nowhere, where nothing says it."""
    known = await tokens.recognise(token(**claims))
    assert (known and known.environment) == environment


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "read  receipts:settle"}, ("read", "receipts:settle")),
        ({"scope": None, "scp": "read"}, ("read",)),
        ({"scope": None, "scp": ["contacts:write", 5, None]}, ("contacts:write",)),
        ({"scope": "*"}, ("*",)),
        ({"scope": None}, ()),
        ({"scope": {"read": True}}, ()),
        ({"scope": "READ admin"}, ()),
    ],
)
async def test_scopes_are_those_that_there_are(tokens: Tokens, claims: dict[str, Any], scopes: tuple[str, ...]) -> None:
    """In `scope` with spaces, or in `scp`; what is none here is left out."""
    known = await tokens.recognise(token(**claims))
    assert known is not None
    assert sorted(known.scopes) == sorted(scopes)


def _unsigned(claims: Mapping[str, Any]) -> str:
    return jwt.encode(dict(claims), None, algorithm="none")  # type: ignore[arg-type]  # what an attacker does


REFUSED: dict[str, Callable[[], str]] = {
    "expired": lambda: token(exp=time.time() - 31),
    "not yet": lambda: token(nbf=time.time() + 31),
    "of tomorrow": lambda: token(iat=time.time() + 3600),
    "without an end": lambda: token(exp=None),
    "of another issuer": lambda: token(iss="https://evil.example"),
    "of no issuer": lambda: token(iss=None),
    "for somebody else": lambda: token(aud="another"),
    "for nobody": lambda: token(aud=None),
    "of nobody": lambda: token(sub=None),
    "of an empty subject": lambda: token(sub=""),
    "of a subject that is a number": lambda: token(sub=5),
    "of a subject that is a gateway key's ID": lambda: token(sub="a1b2c3d4e5f6g7h8"),
    "of a subject that is the sandbox's": lambda: token(sub="sandbox"),
    "signed by another key": lambda: token(key=OTHER_RSA),
    "of an unknown key": lambda: token(headers={"kid": "other"}),
    "without a key's ID among several": lambda: token(headers={"kid": None}),
    "with a public key for a secret": lambda: jwt.encode(
        {"iss": LIVE_ISSUER, "sub": "ada"}, "x" * 64, "HS256", {"kid": "rsa"}
    ),
    "unsigned": lambda: _unsigned({"iss": LIVE_ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": time.time() + 300}),
    "without its signature": lambda: token().rpartition(".")[0] + ".",
    "with another's signature": lambda: token().rpartition(".")[0] + "." + token(sub="eve").rpartition(".")[2],
    "with a key of another kind": lambda: token("ec", headers={"kid": "rsa"}),
    "with another algorithm than the key is for": lambda: token("rsa", headers={"kid": "pss"}),
    "nonsense": lambda: "a.b.c",
    "no text": lambda: "é.é.é",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_token_that_is_not_good_is_nobodys(tokens: Tokens, name: str) -> None:
    """And none of them is an exception."""
    assert await tokens.recognise(REFUSED[name]()) is None


async def test_clocks_may_be_half_a_minute_apart(tokens: Tokens) -> None:
    """In both directions."""
    assert await tokens.recognise(token(exp=time.time() - 25)) is not None
    assert await tokens.recognise(token(nbf=time.time() + 25)) is not None


async def test_keys_are_fetched_once_and_again_when_they_are_old(tokens: Tokens, issuer: Issuer) -> None:
    """Ten minutes; and at once when a token names one that isn't known, though not more than every ten seconds."""
    for _ in range(5):
        assert await tokens.recognise(token()) is not None
    assert issuer.fetched == 1
    issuer.now[0] += 601
    assert await tokens.recognise(token()) is not None
    assert issuer.fetched == 2
    issuer.keys.append(published("new", OTHER_RSA))
    rotated = token(key=OTHER_RSA, headers={"kid": "new"})
    assert await tokens.recognise(rotated) is None
    issuer.now[0] += 11
    assert await tokens.recognise(rotated) is not None
    for n in range(50):
        assert await tokens.recognise(token(headers={"kid": f"made-up-{n}"})) is None
    assert issuer.fetched == 3


async def test_known_keys_stay_in_use_while_the_issuer_is_down(tokens: Tokens, issuer: Issuer) -> None:
    """Who is signed in stays so."""
    assert await tokens.recognise(token()) is not None
    issuer.status = 503
    issuer.now[0] += 3600
    assert await tokens.recognise(token()) is not None


async def test_without_any_keys_nobody_is_told_that_the_token_is_wrong(tokens: Tokens, issuer: Issuer) -> None:
    """It is the gateway that can't tell: 503, to be tried again."""
    issuer.status = 500
    with pytest.raises(BadRequest) as raised:
        await tokens.recognise(token())
    assert (raised.value.status, raised.value.code) == (503, "IDENTITY_UNAVAILABLE")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"5", b'"x"', b'{"keys": {}}', b"[" * 400_000, b"\xff"])
async def test_an_answer_that_is_no_key_set_is_as_none(tokens: Tokens, issuer: Issuer, body: bytes) -> None:
    """At first it is 503; later those that are known stay in use, and a token of another key is nobody's."""
    issuer.body = body
    with pytest.raises(BadRequest) as raised:
        await tokens.recognise(token())
    assert (raised.value.status, raised.value.code) == (503, "IDENTITY_UNAVAILABLE")
    issuer.body = None
    issuer.now[0] += 11
    assert await tokens.recognise(token()) is not None
    issuer.body = body
    issuer.now[0] += 601
    assert await tokens.recognise(token(headers={"kid": "other"})) is None
    assert await tokens.recognise(token()) is not None
    assert issuer.fetched == 3


@pytest.mark.parametrize("algorithm", ["none", "HS256", "made up", 5, [1], {"a": 1}])
async def test_a_key_for_an_algorithm_that_is_not_the_tokens_verifies_nothing(
    tokens: Tokens, issuer: Issuer, algorithm: Any
) -> None:
    """Whatever the set says it is for."""
    issuer.keys.append(published("odd", RSA, alg=algorithm))
    assert await tokens.recognise(token(headers={"kid": "odd"})) is None


async def test_a_front_end_asks_with_its_token(tmp_path: Any, issuer: Issuer) -> None:
    """From the settings to the viewer: its ID is the token's subject."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ, _published_on_a_socket(issuer) as url:
        environ |= {
            "SWITCHBOARD_JWKS_URL": url,
            "SWITCHBOARD_JWT_ISSUERS": f"{TEST_ISSUER}=test, {LIVE_ISSUER}=live",
            "SWITCHBOARD_JWT_AUDIENCE": AUDIENCE,
            "SWITCHBOARD_RATE_LIMIT": "1000/3600",
        }
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as served:
            await _check_viewer(served)
            await _check_budgets(served)


async def test_a_subject_is_counted_in_each_environment_on_its_own(tokens: Tokens) -> None:
    """Of who has all their connections open in one, there is a place in the other."""
    test, live = [await tokens.recognise(token(iss=each)) for each in (TEST_ISSUER, LIVE_ISSUER)]
    assert test is not None
    assert live is not None
    assert (test.id, test.account == live.account) == (live.id, False)
    connections = Connections(LiveLimits(connections_per_key=1))
    with connections.of(test), connections.of(live), pytest.raises(BadRequest), connections.of(test):
        pass


async def _check_viewer(served: Gateway) -> None:
    answer = await served.ask(
        "{ viewer { keyId name environment scopes } }", key=token(iss=TEST_ISSUER, client_id="shop")
    )
    assert answer.data == {"viewer": {"keyId": "ada", "name": "shop", "environment": "TEST", "scopes": ["read"]}}
    write = 'mutation { createContact(input: {displayName: "x"}) { __typename } }'
    [forbidden] = (await served.ask(write, key=token(iss=TEST_ISSUER))).errors
    assert forbidden["extensions"] == {"code": "FORBIDDEN", "scope": "contacts:write"}
    refused = await served.ask("{ viewer { keyId } }", key=token(exp=time.time() - 60))
    assert (refused.response.status_code, refused.response.headers["www-authenticate"]) == (
        401,
        'Bearer error="invalid_token"',
    )


async def _check_budgets(served: Gateway) -> None:
    """What is spent in one environment is not spent in the other."""
    spent = {
        issuer: [
            (await served.ask("{ viewer { keyId } }", key=token(iss=issuer, sub="eve"))).response.headers for _ in "ab"
        ]
        for issuer in (TEST_ISSUER, LIVE_ISSUER)
    }
    left = {issuer: [each["ratelimit"].split(";")[1] for each in told] for issuer, told in spent.items()}
    assert left[TEST_ISSUER] == left[LIVE_ISSUER]


@contextmanager
def _published_on_a_socket(issuer: Issuer) -> Iterator[str]:
    async def keys(_: Request) -> JSONResponse:
        return JSONResponse({"keys": issuer.keys})

    sock = bound_socket("127.0.0.1", 0)
    with serving({"issuer": Starlette(routes=[Route("/jwks", keys)])}, {"issuer": sock}):
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/jwks"
