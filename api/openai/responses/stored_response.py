"""What clients can read of a stored response: its input items, its output items, and its events. Does no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from api.errors import BadRequest
from api.openai.responses.request import Item
from api.openai.responses.store import StoredResponse
from api.streaming import event_frame

_ITEM_ID = re.compile(r"(?:msg|rs|fc)_([0-9a-f]{32})_\d+")
MAX_EVENTS = 1_000_000_000
MAX_REFERENCED_ITEMS = 1000
"""Limit for resolving item references: once this many items have been collected, no further responses are read."""


def reference(item: Item) -> str | None:
    """Returns the id in an item reference, or None if the item is not a reference. OpenAI's clients may omit the type
    of a reference."""
    id = item.get("id")
    if not isinstance(id, str) or "role" in item or item.get("type", "item_reference") not in ("item_reference", None):
        return None
    return id


def query_number(query: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    """Parses a number in the query string. Raises BadRequest."""
    text = query.get(name)
    if text is None:
        return default
    if len(text) > 9 or not text.removeprefix("-").isdecimal() or int(text) not in allowed:
        raise BadRequest(f"'{name}' must be a number from {allowed.start} to {allowed.stop - 1}.", name)
    return int(text)


def response_id_of(item_id: str) -> str:
    """Returns the id of the response that an output item belongs to; an empty text if this server did not create the
    item."""
    found = _ITEM_ID.fullmatch(item_id)
    return f"resp_{found[1]}" if found else ""


def output_items(response: Mapping[str, object]) -> list[Item]:
    found = response.get("output")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def input_items(stored: StoredResponse, limit: int, *, newest_first: bool, after: str | None) -> Item:
    """Returns a page of the items that precede the response. Raises BadRequest if `after` is not the id of one of
    them."""
    key = str(stored.response.get("id", "")).removeprefix("resp_")
    n_output = len(output_items(stored.response))
    before = stored.items[: len(stored.items) - n_output]
    items = [_listed(item, f"item_{key}_{index}") for index, item in enumerate(before)]
    if newest_first:
        items.reverse()
    if after is not None:
        ids = [item["id"] for item in items]
        if after not in ids:
            raise BadRequest("'after' is not the id of an item of this response.", "after")
        items = items[ids.index(after) + 1 :]
    page = items[:limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": len(page) < len(items),
    }


def _listed(item: Item, id: str) -> Item:
    """Returns a copy of the item, and adds the fields that clients may omit in a request."""
    listed: Item = {"id": id, **{key: value for key, value in item.items() if key != "id" or isinstance(value, str)}}
    if "role" in item:
        listed.setdefault("type", "message")
        listed.setdefault("status", "completed")
        if isinstance(content := item.get("content"), str):
            listed["content"] = [
                {"type": "output_text" if item["role"] == "assistant" else "input_text", "text": content}
            ]
    return listed


def replay(response: Mapping[str, object], starting_after: int = -1) -> bytes:
    """Returns the events of a stored response as bytes, with each text in one piece. Omits events up to the number
    `starting_after`."""
    return b"".join(
        event_frame(name, {"type": name, "sequence_number": number, **fields})
        for number, (name, fields) in enumerate(_events(response))
        if number > starting_after
    )


def _events(response: Mapping[str, object]) -> Iterator[tuple[str, Item]]:
    status = response.get("status")
    opened = {**response, "status": "in_progress", "output": [], "usage": None}
    yield "response.created", {"response": opened}
    yield "response.in_progress", {"response": opened}
    for index, item in enumerate(output_items(response)):
        location: Item = {"item_id": item.get("id"), "output_index": index}
        empty: Item = {"arguments": ""} if item.get("type") == "function_call" else {"content": []}
        yield "response.output_item.added", {"output_index": index, "item": {**item, **empty, "status": "in_progress"}}
        if item.get("type") == "function_call":
            named: Item = {key: item[key] for key in ("name", "namespace") if key in item}
            yield "response.function_call_arguments.delta", {**location, "delta": item.get("arguments")}
            yield "response.function_call_arguments.done", {**location, **named, "arguments": item.get("arguments")}
        else:
            yield from _parts(item, location)
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield f"response.{status}", {"response": response}


def _parts(item: Item, location: Item) -> Iterator[tuple[str, Item]]:
    content = item.get("content")
    for index, part in enumerate(content if isinstance(content, list) else []):
        part_location = {**location, "content_index": index}
        kind, text = part["type"], part["text"]
        scores = {"logprobs": part.get("logprobs", [])} if kind == "output_text" else {}
        yield "response.content_part.added", {**part_location, "part": {**part, "text": ""}}
        yield f"response.{kind}.delta", {**part_location, "delta": text, **scores}
        yield f"response.{kind}.done", {**part_location, "text": text, **scores}
        yield "response.content_part.done", {**part_location, "part": part}
