"""The secret beside the SQLite file, and what is signed with it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from pydantic import SecretStr

from app.main import open_signer
from app.registry import VENDORS
from app.security.signing import Signer, secret_beside
from app.settings import read_settings

STARTS = 16


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """A first start makes it, mode 0600, in a folder of mode 0700; the next reads the same."""
    database = tmp_path / "state" / "switchboard.db"
    first = secret_beside(database)
    file = database.with_suffix(".secret")
    assert [each.name for each in file.parent.iterdir()] == ["switchboard.secret"]
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (file.parent, file)]
    assert modes == [0o700, 0o600]
    assert len(first.get_secret_value()) == 64
    assert secret_beside(database) == first


def test_first_starts_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    """Whoever links the whole file into place first is right, and nothing is left lying beside it."""
    together = Barrier(STARTS)

    def start(_: int) -> str:
        together.wait()
        return secret_beside(tmp_path / "switchboard.db").get_secret_value()

    with ThreadPoolExecutor(STARTS) as starts:
        secrets = set(starts.map(start, range(STARTS)))
    assert len(secrets) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["switchboard.secret"]


def test_a_configured_secret_needs_no_file(tmp_path: Path) -> None:
    """SWITCHBOARD_SECRET is used as it is, and nothing is written."""
    database = tmp_path / "switchboard.db"
    environ = {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{database}", "SWITCHBOARD_SECRET": "s" * 16}
    signer = open_signer(read_settings(environ, VENDORS))
    assert signer.sign("purpose", "part") == Signer(SecretStr("s" * 16)).sign("purpose", "part")
    assert list(tmp_path.iterdir()) == []


def test_no_two_meanings_share_a_signature() -> None:
    """Purpose, the borders between parts, and the secret all count."""
    signer, other = Signer(SecretStr("s" * 16)), Signer(SecretStr("t" * 16))
    signatures = [
        signer.sign("a", "b", "c"),
        signer.sign("a", "bc"),
        signer.sign("ab", "c"),
        signer.sign("a", "b,c"),
        signer.sign("a", 'b", "c'),
        signer.sign("a", "b", "c", ""),
        other.sign("a", "b", "c"),
    ]
    assert len(set(signatures)) == len(signatures)
    assert {len(each) for each in signatures} == {32}


def test_a_signer_does_not_show_its_secret() -> None:
    """Neither in its repr nor in its attributes' repr."""
    signer = Signer(SecretStr("correct horse battery"))
    assert "correct horse" not in repr(signer) + repr(vars(signer))
