"""Keyed hashes: one secret, and a purpose for each use so that no hash serves for another."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from app.settings import SHORTEST_SECRET, BadSettings


class Signer:
    """Makes HMAC-SHA256 (RFC 2104) over a purpose and parts, unambiguously joined."""

    def __init__(self, secret: SecretStr) -> None:
        self._secret = secret

    def sign(self, purpose: str, *parts: str) -> bytes:
        """Thirty-two bytes."""
        message = json.dumps([purpose, *parts]).encode()
        return hmac.digest(self._secret.get_secret_value().encode(), message, hashlib.sha256)


def secret_beside(database: Path) -> SecretStr:
    """The secret in a file beside a SQLite database, made at the first start, readable by its owner alone."""
    path = database.with_suffix(".secret")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(48))
    secret = path.read_text("ascii").strip()
    if len(secret) < SHORTEST_SECRET:
        raise BadSettings([f"{path} holds no secret: delete it to have a new one made, which voids all keys"])
    return SecretStr(secret)


def _write_once(path: Path, secret: str) -> None:
    """Writes the whole file aside and links it into place, so that two first starts agree on one secret."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret + "\n")
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
