"""Our own format: one JSON document that holds everything, so that what goes out comes in again as it was."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from desktop.import_export.errors import UnreadableFile
from desktop.import_export.formats.json_values import as_list, as_mapping, as_text
from desktop.import_export.records import ImportItem, PortableChat, UnreadableChat, parents_first
from desktop.platform.surrogates import well_formed
from desktop.store.records import Attachment, Call, Chat, ChatMessage, ChatSettings, Folder

T = TypeVar("T", Attachment, Call, Chat, ChatMessage, ChatSettings, Folder)

FORMAT, VERSION = "inglenook-chats", 1
HINTS = {kind.__name__: get_type_hints(kind) for kind in (Attachment, Call, Chat, ChatMessage, ChatSettings, Folder)}
DAMAGE_ERRORS = (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError)


def document(chats: Iterable[PortableChat], folders: Iterable[Folder] = ()) -> str:
    """`folders` are those in which none of the chats lies; the others are told with their chats."""
    body = {
        "format": FORMAT,
        "version": VERSION,
        "folders": [asdict(each) for each in folders],
        "chats": [_values(each) for each in chats],
    }
    return well_formed(json.dumps(body, ensure_ascii=False, indent=1))


def line(piece: ImportItem) -> str:
    """One chat, one empty folder, or the name of what could not be read, in one line, for a pipe."""
    match piece:
        case Folder():
            return json.dumps({"empty": asdict(piece)})
        case UnreadableChat():
            return json.dumps({"unread": piece.name})
        case _:
            return json.dumps(_values(piece) | {"n_unread": piece.n_unread})


def from_line(text: str) -> ImportItem:
    """What `line` wrote."""
    data = json.loads(text)
    if "unread" in data:
        return UnreadableChat(data["unread"])
    if "empty" in data:
        return _from_dict(Folder, data["empty"])
    return replace(_exchanged(data), n_unread=int(data["n_unread"]))


def recognises(element: object) -> bool:
    return isinstance(element, dict) and element.get("format") == FORMAT


def read(data: Any) -> Iterator[ImportItem]:
    """Raises UnreadableFile where it is newer than we are, LookupError, TypeError, ValueError where it is damaged."""
    if int(data["version"]) > VERSION:
        raise UnreadableFile("", "it was written by a newer Inglenook")
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
        raise ValueError("it lies in another folder than the one that came with it")
    return PortableChat(chat, tuple(_parents_first(messages)), folder)


def _parents_first(messages: Mapping[str, ChatMessage]) -> Iterator[ChatMessage]:
    """As they come, where each comes after its parent already."""
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
    return replace(message, state="cut") if message.state == "streaming" else message  # nobody writes it any more


def _from_dict(kind: type[T], values: Mapping[str, Any]) -> T:
    """What we do not know is left aside. Raises TypeError where a value is of another type than its field."""
    hints = HINTS[kind.__name__]
    good: dict[str, Any] = {}
    for name, value in values.items():
        if name in hints:
            if not _has_type(value, hints[name]):
                raise TypeError(f"{name} is of another type")
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
