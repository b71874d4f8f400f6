"""Receipts as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from app.pages.templates import template

_FILTERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("All", {}),
    ("Need attention", {"attention": "yes"}),
    ("Unknown", {"state": "UNKNOWN"}),
    ("Pending", {"state": "PENDING"}),
    ("Sending", {"state": "SENDING"}),
    ("Failed", {"state": "FAILED"}),
    ("Succeeded", {"state": "SUCCEEDED"}),
)
_LINK = Markup('<a href="/receipts{query}"{current}>{text}</a>')
_CURRENT = Markup(' aria-current="page"')
_NOTHING = Markup("")
_FLAG = Markup('<strong class="flag">needs attention</strong>')


def several(body: Mapping[str, Any], given: Mapping[str, str]) -> Markup:
    """A page of receipts."""
    data = body["data"]
    found = data.get("receipts")
    if found is None:
        return _around(data, given, wrong(body))
    rows = Markup().join(_row(each) for each in found["nodes"])
    listed = template("receipts_list").format(rows=rows) if rows else template("receipts_none").format()
    return _around(data, given, listed + _older(found["pageInfo"], given))


def one(body: Mapping[str, Any], given: Mapping[str, str]) -> Markup:
    """One receipt with its history, or that there is none."""
    data = body["data"]
    receipt = data.get("byId") or data.get("byKey")
    if receipt is None:
        return _around(data, given, template("receipt_missing").format(find=given.get("find", "")))
    return _around(data, given, _whole(receipt))


def wrong(body: Mapping[str, Any]) -> Markup:
    """What was refused, and why."""
    return Markup('<p class="wrong" role="alert">{}</p>').format(body["errors"][0]["message"])


def _around(data: Mapping[str, Any], given: Mapping[str, str], content: Markup) -> Markup:
    viewer = data.get("viewer") or {}
    filters = Markup("\n").join(Markup("<li>{}</li>").format(_filter(text, query, given)) for text, query in _FILTERS)
    return template("receipts_part").format(
        name=viewer.get("name", ""),
        environment=viewer.get("environment", ""),
        vendors=Markup().join(_vendor(each) for each in data.get("vendors") or ()),
        filters=filters,
        find=given.get("find", ""),
        content=content,
    )


def _filter(text: str, query: Mapping[str, str], given: Mapping[str, str]) -> Markup:
    chosen = {name: given[name] for name in ("state", "attention", "find") if given.get(name)}
    return _link(text, query, is_current=chosen == dict(query))


def _link(text: str, query: Mapping[str, str], *, is_current: bool = False) -> Markup:
    return _LINK.format(
        query=f"?{urlencode(query)}" if query else "", current=_CURRENT if is_current else _NOTHING, text=text
    )


def _older(page_info: Mapping[str, Any], given: Mapping[str, str]) -> Markup:
    if not page_info["hasNextPage"]:
        return _NOTHING
    kept = {name: given[name] for name in ("state", "attention") if given.get(name)}
    return Markup("<p>{}</p>").format(_link("Older", {**kept, "after": page_info["endCursor"]}))


def _vendor(vendor: Mapping[str, Any]) -> Markup:
    state = "available" if vendor["available"] else "not available"
    return template("vendor").format(
        vendor=vendor["vendor"].capitalize(),
        kind="up" if vendor["available"] else "down",
        state=f"{state}, sandbox" if vendor["sandboxed"] else state,
    )


def _row(receipt: Mapping[str, Any]) -> Markup:
    return template("receipts_row").format(
        key=_link(receipt["idempotencyKey"], {"find": receipt["id"]}), **_facts(receipt)
    )


def _whole(receipt: Mapping[str, Any]) -> Markup:
    return template("receipt").format(
        id=receipt["id"],
        key=receipt["idempotencyKey"],
        completed=_time(receipt["completedAt"]),
        error=_error(receipt["error"]),
        result=receipt["result"]["id"] if receipt["result"] else "none",
        events=Markup().join(_event(each) for each in receipt["events"]),
        settle=template("receipt_settle").format(id=receipt["id"]) if receipt["needsAttention"] else _NOTHING,
        **_facts(receipt),
    )


def _facts(receipt: Mapping[str, Any]) -> dict[str, object]:
    return {
        "state": receipt["state"],
        "flag": _FLAG if receipt["needsAttention"] else _NOTHING,
        "operation": receipt["operation"].replace("_", " ").capitalize(),
        "vendor": receipt["vendor"].capitalize(),
        "attempts": receipt["attempts"],
        "created": _time(receipt["createdAt"]),
        "updated": _time(receipt["updatedAt"]),
    }


def _event(event: Mapping[str, Any]) -> Markup:
    return template("receipt_event").format(
        at=_time(event["at"]), before=event["from"] or "new", after=event["to"], reason=event["reason"]
    )


def _error(error: Mapping[str, Any] | None) -> str:
    return f"{error['code']}: {error['message']}" if error else "none"


def _time(moment: str | None) -> Markup:
    """An RFC 3339 time in UTC, for people."""
    if moment is None:
        return Markup("not yet")
    return Markup('<time datetime="{}">{} UTC</time>').format(moment, moment[:19].replace("T", " "))
