"""What records said when they were last stored: of very many, where the records themselves would take too much room."""

from __future__ import annotations

from app.links.record import MARK_BYTES, Key, Record

BUCKETS = 1 << 14
"""Two megabytes for 131,072 records, as soon as there is one."""

_TAG = 4
_PLACE = _TAG + MARK_BYTES + 1
_PLACES = 8
_BUCKET = _PLACES * _PLACE
_FREE = bytes(_TAG)
_PARTLY, _WHOLLY = b"\1", b"\2"


class Said:
    """A table of marks (`Record.mark`) of fixed size, in buckets of eight places: who comes to a full one takes the place of another.

    Of whom it has forgotten it says nothing; what it says is true, but for marks that are alike by chance, one of 2**88.
    """

    def __init__(self, buckets: int = BUCKETS) -> None:
        self._buckets = buckets
        self._table = bytearray()

    def note(self, record: Record, *, is_all: bool) -> None:
        """Notes what was stored of a record, and whether that `is_all` that is known of it."""
        if not self._table:
            self._table = bytearray(self._buckets * _BUCKET)
        start, tag = self._bucket(record.key)
        at = self._find(start, tag)
        if at < 0:
            at = self._find(start, _FREE)
        if at < 0:
            at = start + tag[1] % _PLACES * _PLACE
        self._table[at : at + _PLACE] = tag + record.mark + (_WHOLLY if is_all else _PARTLY)

    def has(self, record: Record) -> bool:
        """Whether what it says is what was last stored of it."""
        at = self._find(*self._bucket(record.key))
        return at >= 0 and self._table.startswith(record.mark, at + _TAG)

    def has_all(self, record: Record) -> bool:
        """Whether it says all that is known of it."""
        at = self._find(*self._bucket(record.key))
        return at >= 0 and self._table.startswith(record.mark + _WHOLLY, at + _TAG)

    def drop(self, key: Key) -> None:
        at = self._find(*self._bucket(key))
        if at >= 0:
            self._table[at : at + _PLACE] = bytes(_PLACE)

    def clear(self) -> None:
        self._table = bytearray()

    def _bucket(self, key: Key) -> tuple[int, bytes]:
        """Where it begins, and by what a record is found there."""
        number, bucket = divmod(hash(key), self._buckets)
        return bucket * _BUCKET, (number & 0xFFFF_FFFF | 1).to_bytes(_TAG, "little")

    def _find(self, start: int, tag: bytes) -> int:
        """The place with this tag in a bucket, or -1."""
        for at in range(start, start + _BUCKET, _PLACE):
            if self._table.startswith(tag, at):
                return at
        return -1
