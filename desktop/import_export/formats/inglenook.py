"""The JSON format of Inglenook's own exports. It contains every field, so that an import restores exactly what was
exported."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from desktop.import_export.errors import DAMAGE_ERRORS, Problem, UnreadableFile
from desktop.import_export.formats.chat_builder import parents_first
from desktop.import_export.formats.foreign_json import as_list, as_mapping, as_text
from desktop.import_export.records import ImportItem, PortableChat, UnreadableChat
from desktop.platform.surrogates import well_formed
from desktop.store.records import Attachment, Call, Chat, ChatMessage, ChatSettings, Folder

T = TypeVar("T", Attachment, Call, Chat, ChatMessage, ChatSettings, Folder)

FORMAT, VERSION = "inglenook-chats", 1
HINTS = {kind.__name__: get_type_hints(kind) for kind in (Attachment, Call, Chat, ChatMessage, ChatSettings, Folder)}


def document(chats: Iterable[PortableChat], folders: Iterable[Folder] = ()) -> str:
    """Returns a JSON document with the chats and their folders. `folders` are the folders without chats."""
    body = {
        "format": FORMAT,
        "version": VERSION,
        "folders": [asdict(each) for each in folders],
        "chats": [_values(each) for each in chats],
    }
    return well_formed(json.dumps(body, ensure_ascii=False, indent=1))


def line(item: ImportItem) -> str:
    """Serialises an item to one line of JSON. The reader process writes such lines to its standard output."""
    match item:
        case Folder():
            return json.dumps({"empty": asdict(item)})
        case UnreadableChat():
            return json.dumps({"unread": item.name})
        case _:
            return json.dumps(_values(item) | {"n_unread": item.n_unread})


def from_line(text: str) -> ImportItem:
    """Parses a line that the function `line` returned."""
    data = json.loads(text)
    if "unread" in data:
        return UnreadableChat(data["unread"])
    if "empty" in data:
        return _from_dict(Folder, data["empty"])
    return replace(_exchanged(data), n_unread=int(data["n_unread"]))


def recognises(element: object) -> bool:
    return isinstance(element, dict) and element.get("format") == FORMAT


def read(data: Any) -> Iterator[ImportItem]:
    """Yields the chats and empty folders of a document. Raises UnreadableFile if a newer version of Inglenook wrote it,
    and LookupError, TypeError or ValueError if it is malformed."""
    if int(data["version"]) > VERSION:
        raise UnreadableFile("", Problem.NEWER_VERSION)
    for each in as_list(data.get("folders")):
        try:
            yield _from_dict(Folder, each)
        except DAMAGE_ERRORS:
            yield UnreadableChat(well_formed(as_text(as_mapping(each).get("name"))))
    for each in data["chats"]:
        try:
            yield _exchanged(each)
        except DAMAGE_ERRORS:
            chat = as_mapping(as_mapping(each).get("chat"))
            yield UnreadableChat(" ".join(well_formed(as_text(chat.get("title"))).split())[:80])


def _values(each: PortableChat) -> dict[str, Any]:
    values = asdict(each)
    del values["n_unread"]
    return values


def _exchanged(data: Mapping[str, Any]) -> PortableChat:
    chat = _from_dict(Chat, data["chat"] | {"settings": _from_dict(ChatSettings, data["chat"].get("settings", {}))})
    messages = {message.id: message for message in map(_message, data["messages"])}
    if len(messages) < len(data["messages"]) or any(
        message.chat_id != chat.id or message.parent_id not in {None, *messages} for message in messages.values()
    ):
        raise ValueError("its messages do not belong together")
    folder = _from_dict(Folder, data["folder"]) if data.get("folder") else None
    if folder is not None and chat.folder_id != folder.id:
        raise ValueError("its folder id differs from that of its folder")
    return PortableChat(chat, tuple(_parents_first(messages)), folder)


def _parents_first(messages: Mapping[str, ChatMessage]) -> Iterator[ChatMessage]:
    """Returns the messages so that each follows its parent. Messages that are already in such an order are not
    reordered."""
    seen: set[str | None] = {None}
    for message in messages.values():
        if message.parent_id not in seen:
            ordered = parents_first({each.id: each.parent_id for each in messages.values()})
            return iter([messages[each] for each in ordered])
        seen.add(message.id)
    return iter(messages.values())


def _message(data: Mapping[str, Any]) -> ChatMessage:
    parts = {
        "calls": tuple(_from_dict(Call, each) for each in data.get("calls", ())),
        "attachments": tuple(_from_dict(Attachment, each) for each in data.get("attachments", ())),
    }
    message = _from_dict(ChatMessage, {**data, **parts})
    # An answer that was exported while it was being generated is incomplete.
    return replace(message, state="cut") if message.state == "streaming" else message


def _from_dict(kind: type[T], values: Mapping[str, Any]) -> T:
    """Creates a record of class `kind` from `values`, and ignores unknown keys. Raises TypeError if a value has a wrong
    type."""
    hints = HINTS[kind.__name__]
    good: dict[str, Any] = {}
    for name, value in values.items():
        if name in hints:
            if not _has_type(value, hints[name]):
                raise TypeError(f"{name} has a wrong type")
            good[name] = well_formed(value) if isinstance(value, str) else value
    return kind(**good)


def _has_type(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if origin in (Union, UnionType):
        return any(_has_type(value, each) for each in get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return isinstance(value, hint)
