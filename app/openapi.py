"""The trusted documents as plain endpoints, described in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import orjson
from graphql import (
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    get_named_type,
    is_input_type,
    type_from_ast,
    value_from_ast_untyped,
)
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.json_schema import REFERENCE, InputSchemas, answer_schema, with_default
from app.outcome import STATUSES
from app.trusted import TrustedDocument

PATH = "/operations/{name}"
_NAME = re.compile(r"(?![0-9a-f]{32,}$)[A-Za-z_][A-Za-z0-9_.-]*")  # what a build made up has a hash for a name
_HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
_ERROR = {
    "type": "object",
    "required": ["message", "extensions"],
    "properties": {
        "message": {"type": "string", "description": "What happened. For people."},
        "path": {"type": "array", "description": "Leads to the part of data that is null for it."},
        "locations": {"type": "array", "description": "Where in the document the part is."},
        "extensions": {
            "type": "object",
            "required": ["code"],
            "properties": {"code": {"type": "string", "description": "For programs; the README lists them."}},
        },
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes the write safe to repeat: with the same key it is done once, and a repeat answers the same.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


class Description:
    """`GET /openapi.json`, an ASGI app. It is made when it is first asked for."""

    def __init__(self, sdl: Callable[[], str], documents: Sequence[TrustedDocument], version: str) -> None:
        self._sdl, self._documents, self._version = sdl, documents, version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response(self._body, media_type="application/json", headers=_HEADERS)(scope, receive, send)

    @cached_property
    def _body(self) -> bytes:
        """The schema goes through its text: only so does graphql-core know of @oneOf."""
        return orjson.dumps(describe(build_schema(self._sdl()), self._documents, self._version))


def describe(schema: GraphQLSchema, documents: Sequence[TrustedDocument], version: str) -> dict[str, Any]:
    """The OpenAPI document. Subscriptions, and documents that only a hash names, are left out."""
    inputs = InputSchemas()
    shown = [each for each in documents if _NAME.fullmatch(each.id) and each.kind != OperationType.SUBSCRIPTION.value]
    paths = {PATH.format(name=each.id): {"post": _endpoint(schema, inputs, each)} for each in shown}
    answers = {_answer_name(each): _envelope(schema, each) for each in shown}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "switchboard",
            "version": version,
            "description": "The gateway's trusted operations for partners without a GraphQL client: variables in, data out.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"header": []}],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR, **inputs.components, **answers},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A gateway key."},
                "header": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "A gateway key."},
            },
        },
    }


def _endpoint(schema: GraphQLSchema, inputs: InputSchemas, document: TrustedDocument) -> dict[str, Any]:
    operation = document.operation
    is_write = operation.operation is OperationType.MUTATION
    return {
        "operationId": document.id,
        "summary": document.description or document.id,
        "tags": ["Writes" if is_write else "Reads"],
        **({"parameters": [_KEY]} if _takes_key(schema, operation) else {}),
        "requestBody": _body(_variables(schema, inputs, operation)),
        "responses": _responses({"$ref": REFERENCE + _answer_name(document)}, is_write=is_write),
    }


def _takes_key(schema: GraphQLSchema, operation: OperationDefinitionNode) -> bool:
    """Whether it is a write that its idempotency key makes safe to repeat: not so, for one, the settling of a receipt."""
    if operation.operation is not OperationType.MUTATION or schema.mutation_type is None:
        return False
    asked = {each.name.value for each in operation.selection_set.selections if isinstance(each, FieldNode)}
    mutations = [each for name, each in schema.mutation_type.fields.items() if name in asked]
    inputs = [get_named_type(each.type) for mutation in mutations for each in mutation.args.values()]
    return any("idempotencyKey" in getattr(each, "fields", {}) for each in inputs)


def _body(variables: Mapping[str, Any]) -> dict[str, Any]:
    needed = bool(variables.get("required"))
    return {
        "required": needed,
        "description": "The operation's variables." if needed else "The operation's variables; may be left out.",
        "content": {"application/json": {"schema": variables}},
    }


def _variables(schema: GraphQLSchema, inputs: InputSchemas, operation: OperationDefinitionNode) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required = []
    for each in operation.variable_definitions or ():
        name, type_ = each.variable.name.value, type_from_ast(schema, each.type)
        if type_ is None or not is_input_type(type_):
            continue
        properties[name] = inputs.of(type_)
        if each.default_value is not None:
            properties[name] = with_default(properties[name], value_from_ast_untyped(each.default_value))
        elif inputs.is_required(type_):
            required.append(name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _envelope(schema: GraphQLSchema, document: TrustedDocument) -> dict[str, Any]:
    root = schema.get_root_type(document.operation.operation)
    if root is None:
        raise ValueError(f"{document.id}: the schema has no {document.kind}")
    return {
        "type": "object",
        "properties": {
            "data": {"anyOf": [answer_schema(schema, root, document.document, document.operation), {"type": "null"}]},
            "errors": {"type": "array", "minItems": 1, "items": {"$ref": REFERENCE + "Error"}},
        },
        "additionalProperties": True,
    }


def _answer_name(document: TrustedDocument) -> str:
    return f"{document.id}.answer"


def _responses(answer: Mapping[str, Any], *, is_write: bool) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}}
    return {
        str(status): {"description": meaning, "content": content}
        for status, (meaning, writes_only) in STATUSES.items()
        if is_write or not writes_only
    }
