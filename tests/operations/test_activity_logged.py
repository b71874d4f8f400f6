"""The subscription activity_logged."""

from tests.live.served import Served

ACCOUNT = "0c3f9a52-6f0e-4a3c-9a55-0a4b7a3f2a11"
INPUT = {"subject": "Call about the plan", "description": "by hand", "category": "CALL", "accountId": ACCOUNT}


async def test_an_activity_is_told_whole_when_it_has_been_logged(listening: Served) -> None:
    """As the mutation and the query activity answer it."""
    async with listening.socket() as follower:
        await follower.follow("activity_logged", {"of": {"accountId": ACCOUNT}})
        await follower.answered()
        logged = (await listening.run("log_activity", {"input": INPUT}))["logActivity"]["activity"]
        read = (await listening.run("activity", {"id": logged["id"]}))["activity"]
        told = (await follower.data())["activityLogged"]
        assert (told.pop("contacts"), told.pop("people")) == ([], [])
        assert told == {name: read[name] for name in told}
