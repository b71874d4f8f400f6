"""Looks for canaries in what a gateway puts out, and remembers where it found which, never the canary itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from os.path import commonprefix
from pathlib import Path

from tests.canaries.forms import forms
from tests.canaries.keys import KINDS, MARK

_MADE_BY_COMMAND = re.compile(rb"sk_(?:test|live)_[a-z0-9]{16}_([A-Za-z0-9]{43})")
_SHOWN_BY_COMMAND = re.compile(rb"export TEST_[A-Z_]+_KEY=\S+")
_CARRIED = 128
"""In bytes: what is looked at again with the next piece of a stream, lest a form stand across both."""

Look = Callable[[bytes], None]


@dataclass
class Watch:
    """`constant` are keys that can't be new in each run, all of which begin alike, by whose they are.

    `at` says what runs at the moment. `seen` is how much was looked through, by kind; `hits` are sentences.
    """

    constant: Mapping[str, str]
    at: str = "the start"
    seen: Counter[str] = field(default_factory=Counter)
    hits: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._roots = forms(MARK) | forms(commonprefix([*self.constant.values()]))  # noqa: RUF071  # of keys, not of paths
        self._names = {form: kind for kind in KINDS for form in forms(MARK + kind)}
        self._made: frozenset[bytes] = frozenset()
        self._names |= {form: name for name, key in self.constant.items() for form in forms(key)}

    def look(self, place: str, *shown: str | bytes) -> None:
        """Looks through texts, each a whole of its own."""
        self.seen[place] += 1
        self._search(place, b"\n".join(each if isinstance(each, bytes) else _encoded(each) for each in shown))

    def stream(self, place: str) -> Look:
        """The same for what comes in pieces."""
        self.seen[place] += 1
        last = b""

        def look(piece: bytes) -> None:
            nonlocal last
            self._search(place, last + piece)
            last = (last + piece)[-_CARRIED:]

        return look

    def command(self, output: bytes) -> None:
        """What a command wrote to standard output: there it may show a key that it has just made, and `sandbox` its own."""
        for made in _MADE_BY_COMMAND.findall(output):
            self._made |= forms(made.decode())
        self.look("output", _SHOWN_BY_COMMAND.sub(b"", _MADE_BY_COMMAND.sub(b"", output)))

    def files(self, folder: Path, paths: Iterable[Path]) -> None:
        """Files below a folder; but a secret's own, if nobody else may read it."""
        for path in paths:
            is_secret = path.suffix == ".secret" and path.stat().st_mode & 0o077 == 0
            if path.is_file() and not path.is_symlink() and not is_secret:
                self.seen["file"] += 1
                content = path.read_bytes()  # mmap.find takes five times as long as that of bytes
                self._search(f"file {path.relative_to(folder)}", content)

    def end(self, left: Path | None) -> None:
        """The end of a test, and what it has left: keys made by commands have no mark, and are too many to look for later."""
        if self._made and left is not None:
            self.files(left, left.rglob("*"))
        self._made = frozenset()

    def _search(self, place: str, content: bytes) -> None:
        if not any(root in content for root in (*self._roots, *self._made)):
            return
        names = {name for form, name in self._names.items() if form in content}
        if any(form in content for form in self._made):
            names.add("gateway")
        if not names and any(form in content for form in forms(MARK)):
            names.add("unknown")
        self.hits |= dict.fromkeys(f"{place}, during {self.at}: a key of kind {name}" for name in sorted(names))


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
