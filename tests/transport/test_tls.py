"""TLS: whom a client trusts, and that a doubt about the server is an error before the hook and before any byte."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.transport.client import Client
from app.transport.seam import CONNECTING, Request
from app.transport.tls import open_tls
from tests.transport.server import MOST, OK, Visit, answering, ask, serving

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor of the tests")])
DAY = timedelta(days=1)


def certificate(folder: Path, *names: x509.GeneralName, days: int = 1) -> Path:
    """A self-signed certificate for these names and its key in one file, good until so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    until = datetime.now(UTC) + days * DAY
    built = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - 2 * DAY)
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        built.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    return file


def serving_tls(file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


LOCALHOST = x509.DNSName("localhost")
LOOPBACK = x509.IPAddress(ip_address("127.0.0.1"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_trusted_server_is_called(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name in its certificate, in HTTP/1.1 though it could do more, over one kept connection."""
    file = certificate(tmp_path, LOCALHOST, LOOPBACK)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    protocols: list[str | None] = []

    async def behave(visit: Visit) -> None:
        protocols.append(visit.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await answering(OK)(visit)

    async with serving(behave, serving_tls(file)) as server:
        client = Client(f"https://{host}:{server.port}", {}, open_tls, connect_seconds=5)
        for _ in range(2):
            assert (await ask(client)).content == b"{}"
        await client.close()
        assert (server.connections, protocols) == (1, ["http/1.1"])


@pytest.mark.parametrize(
    ("names", "days", "is_trusted"),
    [
        pytest.param((LOCALHOST,), 1, False, id="untrusted"),
        pytest.param((LOCALHOST,), -1, True, id="expired"),
        pytest.param((x509.DNSName("elsewhere.example"), LOOPBACK), 1, True, id="another's name"),
    ],
)
async def test_a_server_in_doubt_is_sent_nothing(
    names: tuple[x509.GeneralName, ...], days: int, *, is_trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not reached, for a reason that is kept; the hook does not run."""
    file = certificate(tmp_path, *names, days=days)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    events: list[str] = []

    async def trace(event: str, _: Mapping[str, Any]) -> None:
        events.append(event)

    async with serving(answering(OK), serving_tls(file)) as server:
        client = Client(f"https://localhost:{server.port}", {}, open_tls, connect_seconds=5)
        with pytest.raises(httpx.ConnectError) as refused:
            await client.exchange(Request("GET", "/"), trace, MOST)
        await client.close()
        assert isinstance(refused.value.__cause__, ssl.SSLCertVerificationError)
        assert (events, server.requests) == ([CONNECTING], [])
