"""Our own format: one JSON document that holds everything, so that what goes out comes in again as it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from desktop.exchange.records import Exchanged, Piece
from desktop.store.records import Attachment, Call, Chat, ChatMessage, ChatSettings, Folder

T = TypeVar("T", Attachment, Call, Chat, ChatMessage, ChatSettings, Folder)

FORMAT, VERSION = "inglenook-chats", 1


def document(chats: Iterable[Exchanged], folders: Iterable[Folder] = ()) -> str:
    """`folders` are those in which none of the chats lies; the others are told with their chats."""
    body = {
        "format": FORMAT,
        "version": VERSION,
        "folders": [asdict(each) for each in folders],
        "chats": [asdict(each) for each in chats],
    }
    return json.dumps(body, ensure_ascii=False, indent=1)


def line(piece: Piece) -> str:
    """One chat, or one empty folder, in one line, for a pipe."""
    return json.dumps({"empty": asdict(piece)} if isinstance(piece, Folder) else asdict(piece))


def of_line(text: str) -> Piece:
    data = json.loads(text)
    return _made(Folder, data["empty"]) if "empty" in data else _exchanged(data)


def recognises(data: object) -> bool:
    return isinstance(data, dict) and data.get("format") == FORMAT


def read(data: Any) -> Iterator[Piece]:
    """Raises LookupError, TypeError, ValueError where it is damaged, or newer than we are."""
    if int(data["version"]) > VERSION:
        raise ValueError("it was written by a newer Inglenook")
    yield from (_made(Folder, each) for each in data.get("folders", ()))
    yield from map(_exchanged, data["chats"])


def _exchanged(data: Mapping[str, Any]) -> Exchanged:
    chat = _made(Chat, data["chat"] | {"settings": _made(ChatSettings, data["chat"].get("settings", {}))})
    messages = tuple(map(_message, data["messages"]))
    known = {message.id for message in messages}
    if any(message.chat_id != chat.id or message.parent_id not in {None, *known} for message in messages):
        raise ValueError("its messages do not belong together")
    folder = _made(Folder, data["folder"]) if data.get("folder") else None
    if folder is not None and chat.folder_id != folder.id:
        raise ValueError("it lies in another folder than the one that came with it")
    return Exchanged(chat, messages, folder)


def _message(data: Mapping[str, Any]) -> ChatMessage:
    parts = {
        "calls": tuple(_made(Call, each) for each in data.get("calls", ())),
        "attachments": tuple(_made(Attachment, each) for each in data.get("attachments", ())),
    }
    return _made(ChatMessage, {**data, **parts})


def _made(kind: type[T], values: Mapping[str, Any]) -> T:
    """What we do not know is left aside."""
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})
