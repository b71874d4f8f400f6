"""The operation viewer."""

from tests.gateway import Gateway


async def test_the_viewer_is_the_key_that_asks(empty: Gateway) -> None:
    """Its ID, name, environment and scopes, and no call to any vendor."""
    assert await empty.run("viewer") == {
        "viewer": {"keyId": "sandbox", "name": "Sandbox", "environment": "TEST", "scopes": ["*"]}
    }
    assert empty.calls() == []
