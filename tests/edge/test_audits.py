"""The audits of graphql-http, the reference implementation, find nothing (https://github.com/graphql/graphql-http)."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from app.security.keys import SANDBOX_KEY
from tests import npm
from tests.edge.sockets import listening
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUDITS = Path(__file__).parent / "audits"


async def test_every_audit_of_the_reference_implementation_is_passed(served: Gateway, tmp_path: Path) -> None:
    """Those of MUST, SHOULD and MAY alike."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    npm.linked(AUDITS, tmp_path)
    for name in ("package.json", "audit.js"):
        shutil.copy(AUDITS / name, tmp_path)
    async with listening(served.app) as address:
        command = (node, "audit.js", f"{address.url}/graphql", SANDBOX_KEY)
        process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE)
        printed, _ = await process.communicate()
    results = json.loads(printed)
    assert len(results) > 60
    assert [each for each in results if each["status"] != "ok"] == []
