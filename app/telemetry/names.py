"""The operations that are shown by name: the gateway's own examples."""

from __future__ import annotations

import re
from pathlib import Path

QUERIES = Path(__file__).parents[2] / "queries"
_NAMED = re.compile(r"^\s*(?:query|mutation|subscription)\s+([A-Za-z_]\w{0,63})", re.MULTILINE)


def operation_names(folder: Path = QUERIES) -> frozenset[str]:
    """The names of the operations in a folder's documents; none where there is no such folder."""
    texts = [file.read_text("utf-8") for file in sorted(folder.glob("*.graphql"))]
    return frozenset(name for text in texts for name in _NAMED.findall(text))
