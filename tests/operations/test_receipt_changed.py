"""The subscription receipt_changed."""

from tests.gateway import QUERIES
from tests.live.served import Served
from tests.operations.receipts import SENT, history

FOLLOW = (QUERIES / "receipt_changed.graphql").read_text("utf-8")
INPUT = {"displayName": "Ada", "identifiers": [{"key": "crm_id", "value": "77"}], "idempotencyKey": "crm:77"}


async def test_a_receipt_that_is_final_is_told_whole_and_once(listening: Served) -> None:
    """As the query receipt answers it; then the stream is complete."""
    made = (await listening.run("create_contact", {"input": INPUT}))["createContact"]
    read = (await listening.run("receipt", {"by": {"idempotencyKey": "crm:77"}}))["receipt"]
    async with listening.socket() as follower:
        await follower.follow("receipt_changed", {"by": {"id": made["receipt"]["id"]}})
        told = (await follower.data())["receiptChanged"]
        assert told == {name: read[name] for name in told}
        assert [{"from": each["from"], "to": each["to"]} for each in told["events"]] == history(*SENT, "SUCCEEDED")
        assert await follower.next() == {"type": "complete", "id": "receipt_changed"}


async def test_it_is_streamed_as_well(listening: Served) -> None:
    """The same by server-sent events."""
    await listening.run("create_contact", {"input": INPUT})
    async with listening.stream(FOLLOW, {"by": {"idempotencyKey": "crm:77"}}) as stream:
        event, told = await stream.next()
        assert (event, told["data"]["receiptChanged"]["state"]) == ("next", "SUCCEEDED")
        assert await stream.next() == ("complete", None)
