"""Writes Python functions. What comes from a document is bound to names made up here, and never becomes source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from keyword import iskeyword
from typing import Any


class Source:
    """Functions, and the values that they name."""

    def __init__(self) -> None:
        self._bound: dict[str, Any] = {}
        self._names: dict[object, str] = {}
        self._functions = 0

    def bind(self, value: Any) -> str:
        """The name of a value; the same object, or an equal string, has one name."""
        identity = value if type(value) is str else id(value)
        name = self._names.get(identity)
        if name is None:
            name = self._names[identity] = f"c{len(self._names)}"
            self._bound[name] = value
        return name

    def function(self, parameters: str, lines: Iterable[str]) -> str:
        """The name of a new function with these lines as its body."""
        name = f"f{self._functions}"
        self._functions += 1
        text = f"def {name}({parameters}):\n" + "".join(f" {line}\n" for line in lines)
        exec(compile(text, "<compiled operation>", "exec"), self._bound)  # noqa: S102  # names and syntax made up here
        return name

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """The function of a name."""
        function: Callable[..., Any] = self._bound[name]
        return function


def is_attribute(name: str) -> bool:
    """Whether a name can stand after a dot."""
    return name.isascii() and name.isidentifier() and not iskeyword(name) and not name.startswith("__")
