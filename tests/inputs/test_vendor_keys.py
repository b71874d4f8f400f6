"""The idempotency key that Architect is sent: one for each caller's key, and never the caller's own text."""

from __future__ import annotations

import re
from pathlib import Path

from app.main import open_signer
from app.registry import VENDORS
from app.sandbox.faults import Fault
from app.security.keys import SANDBOX_KEY, Keys
from app.settings import read_settings
from app.transactions import Transactions
from schema.vendor import Environment
from tests.databases import open_engine
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes
from tests.inputs.mutations import ENOUGH, PERSON_LOG, PROSPECT_LOG

FORM = re.compile(r"gw1_[a-z2-7]{52}")


async def _sent_keys(served: Gateway, mutation: str, callers: str | None, key: str = SANDBOX_KEY) -> list[str]:
    """The keys of all that is sent of a write that Architect never applies, so that it may be repeated."""
    document = f"""mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{
      {mutation}(input: $input) {{ errors {{ code }} }}
    }}"""
    given = {**ENOUGH[mutation], "source": Fault.MISDIRECTED.value, "idempotencyKey": callers}
    answer = await served.ask(document, {"input": given}, key=key)
    assert answer.data == {mutation: {"errors": [{"code": "VENDOR_UNAVAILABLE"}]}}
    return [str(call.body["idempotencyKey"]) for call in served.upstream]


async def _sent_key(served: Gateway, mutation: str, callers: str | None, key: str = SANDBOX_KEY) -> str:
    [sent] = set(await _sent_keys(served, mutation, callers, key))
    return sent


async def test_the_same_key_of_a_caller_is_always_the_same_at_the_vendor(empty: Gateway) -> None:
    """So that the vendor recognises a repeat, whatever the caller's text is."""
    for text in ("order-1", "x" * 255, "ключ 🔑", "'); DROP TABLE"):
        sent = [key for _ in range(2) for key in await _sent_keys(empty, PERSON_LOG, text)]
        assert len(sent) >= 2  # and repeats, as the budget allows
        assert len(set(sent)) == 1
        assert FORM.fullmatch(sent[0])


async def test_another_key_or_another_operation_is_another_key_at_the_vendor(empty: Gateway) -> None:
    """Also for texts that differ only in case or in a trailing space."""
    texts = ("order-1", "order-2", "Order-1", "order-1 ")
    sent = [await _sent_key(empty, mutation, text) for mutation in (PERSON_LOG, PROSPECT_LOG) for text in texts]
    assert len(set(sent)) == len(sent)


async def test_without_a_key_each_write_gets_a_fresh_one(empty: Gateway) -> None:
    """Two writes without a key are two writes."""
    sent = [await _sent_key(empty, PERSON_LOG, None) for _ in range(3)]
    assert len(set(sent)) == len(sent)
    assert all(map(FORM.fullmatch, sent))


async def test_two_gateway_keys_never_share_a_key_at_the_vendor(tmp_path: Path) -> None:
    """The same text of two callers is two writes."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as served:
            url = f"sqlite:///{tmp_path / 'switchboard.db'}"
            settings = read_settings({"SWITCHBOARD_DATABASE_URL": url, **environ}, VENDORS)
            engine = open_engine(settings.database_url)
            other = await Keys(Transactions(engine), open_signer(settings)).create("Other", Environment.TEST, ["*"])
            await engine.dispose()
            sent = [await _sent_key(served, PERSON_LOG, "order-1", key) for key in (SANDBOX_KEY, other)]
    assert len(set(sent)) == len(sent)
