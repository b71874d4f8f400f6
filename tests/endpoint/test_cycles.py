"""What a request has made is gone when it has been answered: what refers to each other would stay until the collector comes."""

from __future__ import annotations

import gc

import pytest

from tests.gateway import Gateway

LINKED = """{ contacts(first: 2) { nodes {
    person { name } prospect { name } profile { displayName } contactMethods { nodes { value } } activities { nodes { subject } }
} } }"""
LOGGED = """mutation { createPersonLog(input: { emailAddress: "ada@example.com", source: "web", payload: {} }) {
    person { contacts { displayName } } errors { code }
} }"""
MADE = """mutation { createContact(input: { displayName: "Ada" }) { contact { displayName } errors { code } } }"""


@pytest.mark.parametrize("document", [LINKED, LOGGED, MADE])
async def test_a_request_leaves_nothing_to_the_collector(document: str, demo: Gateway) -> None:
    """No object of this project's classes."""
    for _ in range(2):  # what is kept is made by now
        assert (await demo.ask(document)).errors == []
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await demo.ask(document)
        gc.collect()
        left = [type(each) for each in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert [each.__qualname__ for each in left if each.__module__.startswith(("app.", "schema."))] == []
