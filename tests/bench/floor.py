"""The least that answers the workloads from Python: an ASGI callable without GraphQL, over this gateway's own transport."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from app.transport.client import Client
from app.transport.seam import Request
from app.transport.tls import open_tls

MOST = 4 * 1024 * 1024
HEADERS = [(b"content-type", b"application/json")]
DIRECT = ("identifierCount", "listIds", "accountIds", "companyRefs", "isAnonymous", "createdAt", "updatedAt")
METHOD = ("id", "type", "value", "isPrimary", "label", "createdAt")
PEOPLE = [
    {
        "id": f"person-{number:03d}",
        "displayName": f"Person {number:03d}",
        "name": f"Person {number:03d}",
        "linkedinProfileUrl": f"https://www.linkedin.com/in/person-{number:03d}",
        "createdAt": "2026-01-15T10:30:00.000Z",
    }
    for number in range(100)
]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Floor:
    """Knows the questions by their first words."""

    def __init__(self, vendors: str, workspace: str) -> None:
        self._http = Client(vendors, {"accept": "application/json"}, open_tls, connect_seconds=5)
        self._contacts = f"/workspaces/{workspace}/contacts"

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        asked = orjson.loads(body + message["body"])
        content = orjson.dumps({"data": await self._data(asked["query"], asked.get("variables") or {})})
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": content})

    async def _data(self, query: str, variables: Mapping[str, Any]) -> Any:
        match query.split(maxsplit=2)[1].partition("(")[0]:
            case "One":
                return {"contact": _contact(await self._get(f"{self._contacts}/{variables['id']}"))}
            case "List":
                after = variables.get("after")
                found = await self._get(self._contacts, {"limit": 20, **({"pageToken": after} if after else {})})
                return {"contacts": {"nodes": await asyncio.gather(*map(self._linked, found["results"]))}}
            case "Create":
                made = await self._post(self._contacts, variables["input"])
                contact = {
                    "id": made["id"],
                    "displayName": made["computedDisplayName"],
                    "createdAt": made["createdAt"],
                }
                return {"createContact": {"contact": contact, "errors": [], "receipt": {"state": "SUCCEEDED"}}}
            case "People":
                return {"people": {"nodes": PEOPLE}}
        return {"__typename": "Query"}

    async def _linked(self, found: dict[str, Any]) -> Any:
        attributes = found["attributes"]
        methods, activities = await asyncio.gather(
            self._post("/contact-methods/list", {"filter": {"clientId": attributes["client"]}, "limit": 20}),
            self._post("/api/v2/activity/_query", {"contact_id": attributes["reevo"], "limit": 20}),
        )
        return {
            **_contact(found),
            "contactMethods": {"nodes": [{name: each[name] for name in METHOD} for each in methods["data"]]},
            "activities": {"nodes": [_activity(each) for each in activities["data"]]},
        }

    async def _get(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        return orjson.loads((await self._http.exchange(Request("GET", path, query), _untraced, MOST)).content)

    async def _post(self, path: str, body: Any) -> Any:
        request = Request("POST", path, content=orjson.dumps(body))
        return orjson.loads((await self._http.exchange(request, _untraced, MOST)).content)


def _contact(found: dict[str, Any]) -> dict[str, Any]:
    own = {
        "id": found["id"],
        "displayName": found["computedDisplayName"],
        "emailAddresses": found["attributes"]["emailaddress"],
    }
    return own | {name: found[name] for name in DIRECT}


def _activity(found: dict[str, Any]) -> dict[str, Any]:
    attributes = found["attributes"]
    return {
        "id": found["id"],
        "subject": attributes["display_name"]["value"],
        "type": attributes["type"]["value"],
        "status": attributes["status"]["value"],
        "priority": attributes["priority"]["value"],
        "createdAt": found["created_at"],
    }


async def _untraced(_event: str, _info: Mapping[str, Any]) -> None:
    return


app = Floor(os.environ.get("VENDORS", "http://127.0.0.1:1"), os.environ.get("WORKSPACE", ""))
