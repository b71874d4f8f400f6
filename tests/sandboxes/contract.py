"""Checks that an answer is one which the vendor's OpenAPI document describes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    import httpx

_DOCUMENTS = Path(__file__).parents[2] / "docs" / "vendors"
_ROOT = "urn:document"


class Contract:
    """One vendor's OpenAPI document, by the vendor's name: `Contract("bird").check(response)`."""

    def __init__(self, vendor: str) -> None:
        text = (_DOCUMENTS / f"{vendor}.openapi.yaml").read_text("utf-8")
        self._document: dict[str, Any] = yaml.safe_load(text)
        self._registry = Registry().with_resource(_ROOT, DRAFT202012.create_resource(self._document))
        self._templates = sorted(self._document["paths"], key=_generality)

    def check(self, response: httpx.Response) -> None:
        """Raises AssertionError unless path, method and status are documented and the body has the documented shape."""
        pointer = self._response_pointer(response)
        content = self._at(pointer).get("content")
        if content is None:
            assert response.content == b"", f"{_named(response)} should have no body"
            return
        assert response.headers["content-type"].partition(";")[0] == "application/json", _named(response)
        self._validate(response, (*pointer, "content", "application/json", "schema"))

    def check_as(self, response: httpx.Response, schema: str) -> None:
        """The same for an answer whose status is outside the document, against one of its named schemas."""
        self._validate(response, ("components", "schemas", schema))

    def _response_pointer(self, response: httpx.Response) -> tuple[str, ...]:
        operation = self._operation_pointer(response)
        responses = self._at(operation)["responses"]
        status = str(response.status_code) if str(response.status_code) in responses else "default"
        assert status in responses, f"{_named(response)} is not a documented status: {response.text[:500]}"
        return self._dereferenced((*operation, "responses", status))

    def _operation_pointer(self, response: httpx.Response) -> tuple[str, ...]:
        path = response.request.url.raw_path.decode("ascii").partition("?")[0]
        template = next((one for one in self._templates if re.fullmatch(_pattern(one), path)), None)
        assert template is not None, f"{_named(response)} is not a documented path"
        method = response.request.method.lower()
        assert method in self._document["paths"][template], f"{_named(response)} is not a documented operation"
        return ("paths", template, method)

    def _dereferenced(self, pointer: tuple[str, ...]) -> tuple[str, ...]:
        ref = self._at(pointer).get("$ref")
        return self._dereferenced(tuple(ref.removeprefix("#/").split("/"))) if ref else pointer

    def _at(self, pointer: tuple[str, ...]) -> dict[str, Any]:
        node = self._document
        for step in pointer:
            node = node[step]
        return node

    def _validate(self, response: httpx.Response, pointer: tuple[str, ...]) -> None:
        fragment = "/".join(quote(step.replace("~", "~0").replace("/", "~1")) for step in pointer)
        validator = Draft202012Validator(
            {"$ref": f"{_ROOT}#/{fragment}"},
            registry=self._registry,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(response.json())]
        assert not problems, f"{_named(response)}: {problems}"


def _generality(template: str) -> list[bool]:
    """Sorts a literal segment before a parameter, from left to right, as OpenAPI matches concrete paths first."""
    return [segment.startswith("{") for segment in template.split("/")]


def _pattern(template: str) -> str:
    return re.sub(r"\\\{.+?\\\}", "[^/]+", re.escape(template))


def _named(response: httpx.Response) -> str:
    return f"{response.request.method} {response.request.url.path} {response.status_code}"
