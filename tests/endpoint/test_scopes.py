"""What a gateway key may is what its scopes say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from app.main import open_signer
from app.registry import VENDORS
from app.security.keys import Keys
from app.settings import read_settings
from app.transactions import Transactions
from schema.access import EVERYTHING, SCOPES, Scope
from schema.build import build_schema
from schema.vendor import Environment
from tests.databases import open_engine
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

NewKey = Callable[[list[str]], Awaitable[str]]

OPERATIONS = {
    "createPersonLog": ("person-logs:write", '{emailAddress: "a@b.co", source: "x", payload: {}}'),
    "createProspectLog": ("prospect-logs:write", '{emailAddress: "a@b.co", source: "x", payload: {}}'),
    "createContact": ("contacts:write", '{displayName: "x"}'),
    "syncContactMethods": ("contact-methods:write", '{client: {clientId: "x"}, items: []}'),
    "logActivity": ("activities:write", '{subject: "x"}'),
}


@pytest.fixture
async def scoped(tmp_path: Path) -> AsyncIterator[tuple[Gateway, NewKey]]:
    """A gateway, and what makes keys for it."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as found:
        environ = {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{tmp_path / 'switchboard.db'}", **found}
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as served:
            settings = read_settings(environ, VENDORS)
            engine = open_engine(settings.database_url)
            keys = Keys(Transactions(engine), open_signer(settings))

            async def new_key(scopes: list[str]) -> str:
                return await keys.create("Test", Environment.TEST, scopes)

            yield served, new_key
            await engine.dispose()


async def test_without_its_scope_a_mutation_is_forbidden(scoped: tuple[Gateway, NewKey]) -> None:
    """Even with all other scopes: the field is null, the error names the scope, and nothing is sent."""
    served, new_key = scoped
    for mutation, (scope, given) in OPERATIONS.items():
        key = await new_key(sorted(SCOPES.keys() - {EVERYTHING, scope}))
        answer = await served.ask(f"mutation {{ {mutation}(input: {given}) {{ errors {{ message }} }} }}", key=key)
        [error] = answer.errors
        assert answer.data == {mutation: None}
        assert error["message"] == f"This key lacks the scope {scope}. Ask for a key that has it."
        assert error["extensions"] == {"code": "FORBIDDEN", "scope": scope}
        assert served.upstream == []


async def test_with_its_scope_alone_a_mutation_runs(scoped: tuple[Gateway, NewKey]) -> None:
    """No other scope is needed, and EVERYTHING holds them all."""
    served, new_key = scoped
    for mutation, (scope, given) in OPERATIONS.items():
        for scopes in ([scope], [EVERYTHING]):
            key = await new_key(scopes)
            answer = await served.ask(f"mutation {{ {mutation}(input: {given}) {{ __typename }} }}", key=key)
            assert (answer.errors, answer.data[mutation] is not None) == ([], True)


async def test_without_the_scope_to_read_every_query_is_forbidden(scoped: tuple[Gateway, NewKey]) -> None:
    """Each root field by itself, so that one answer names them all."""
    served, new_key = scoped
    key = await new_key(sorted(SCOPES.keys() - {EVERYTHING, "read"}))
    answer = await served.ask('{ viewer { name } contacts { nodes { id } } node(id: "x") { id } }', key=key)
    assert answer.data == {"viewer": None, "contacts": None, "node": None}
    assert [error["extensions"] for error in answer.errors] == [{"code": "FORBIDDEN", "scope": "read"}] * 3
    assert served.upstream == []


@pytest.mark.parametrize("root", ["Query", "Mutation", "Subscription"])
def test_every_root_field_names_its_scope(root: str) -> None:
    """A field without one would be open to every key; a scope that is not listed could be given to none."""
    definition = build_schema().get_type_by_name(root)
    assert definition is not None
    fields = definition.fields  # type: ignore[union-attr]  # a root type is an object type
    assert fields
    for field in fields:
        scopes = [each.scope for each in field.extensions if isinstance(each, Scope)]
        assert (field.name, len(scopes), set(scopes) <= SCOPES.keys()) == (field.name, 1, True)
