"""Writes Python functions. What comes from a document is bound to names made up here, and never becomes source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from keyword import iskeyword
from types import CodeType
from typing import Any

_BOUND = re.compile(r"\b_\d+_\b")
_LONG = 2_000
"""In characters: the code of longer functions is not kept for others that are written alike."""


class Source:
    """Functions, and the values that they name."""

    def __init__(self) -> None:
        self._bound: dict[str, Any] = {}
        self._names: dict[object, str] = {}

    def bind(self, value: Any) -> str:
        """The name of a value; the same object, or an equal string, has one name."""
        identity = value if type(value) is str else id(value)
        name = self._names.get(identity)
        if name is None:
            name = self._names[identity] = f"_{len(self._names)}_"
            self._bound[name] = value
        return name

    def function(self, parameters: str, lines: Iterable[str]) -> str:
        """The name of a new function with these lines as its body.

        It has its own names for what it binds, in the order in which they stand there: so many are written alike, and compiled once.
        """
        own: dict[str, str] = {}
        body = "".join(f" {line}\n" for line in lines)
        text = _BOUND.sub(lambda match: own.setdefault(match[0], f"_{len(own)}_"), f"def f({parameters}):\n{body}")
        values = {name: self._bound[bound] for bound, name in own.items()}
        exec(_compiled(text) if len(text) <= _LONG else _compile(text), values)  # noqa: S102  # names and syntax made up here
        return self.bind(values["f"])

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """The function of a name."""
        function: Callable[..., Any] = self._bound[name]
        return function


def _compile(text: str) -> CodeType:
    return compile(text, "<compiled operation>", "exec")


_compiled = lru_cache(maxsize=1_000)(_compile)


def is_attribute(name: str) -> bool:
    """Whether a name can stand after a dot."""
    return name.isascii() and name.isidentifier() and not iskeyword(name) and not name.startswith("__")
