"""Conversion between records and database rows. Nested values are stored as JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeVar

from desktop.platform.surrogates import well_formed
from desktop.store.records import Attachment, Call, Chat, ChatMessage, ChatSettings, Folder

T = TypeVar("T", Attachment, Call, ChatSettings)

CHAT_COLUMNS = tuple(field.name for field in fields(Chat))
FOLDER_COLUMNS = tuple(field.name for field in fields(Folder))
MESSAGE_COLUMNS = tuple(field.name for field in fields(ChatMessage))
_CALLS, _ATTACHMENTS = MESSAGE_COLUMNS.index("calls"), MESSAGE_COLUMNS.index("attachments")
# `message_from_row` relies on this order: it takes slices of a row, which is faster than a dict per row.
assert _ATTACHMENTS == _CALLS + 1


def chat_row(chat: Chat) -> tuple[object, ...]:
    """Returns the values of a chat in the order of `CHAT_COLUMNS`."""
    return tuple(_flat(getattr(chat, name)) for name in CHAT_COLUMNS)


def chat_from_row(row: Sequence[Any]) -> Chat:
    values = dict(zip(CHAT_COLUMNS, row, strict=True))
    for name in ("pinned", "archived"):
        values[name] = bool(values[name])
    return Chat(**values | {"settings": settings_from_json(values["settings"])})


def folder_row(folder: Folder) -> tuple[object, ...]:
    """Returns the values of a folder in the order of `FOLDER_COLUMNS`."""
    return tuple(getattr(folder, name) for name in FOLDER_COLUMNS)


def folder_from_row(row: Sequence[Any]) -> Folder:
    folder_id, name, place, folded = row
    return Folder(folder_id, name, place, bool(folded))


def message_row(message: ChatMessage) -> tuple[object, ...]:
    """Returns the values of a message in the order of `MESSAGE_COLUMNS`."""
    return tuple(_flat(getattr(message, name)) for name in MESSAGE_COLUMNS)


def message_from_row(row: Sequence[Any]) -> ChatMessage:
    calls, attachments = row[_CALLS], row[_ATTACHMENTS]
    values: list[Any] = [
        *row[:_CALLS],
        _all_of(Call, calls),
        attachments_from_json(attachments),
        *row[_ATTACHMENTS + 1 :],
    ]
    return ChatMessage(*values)


def settings_json(settings: ChatSettings) -> str:
    """Returns the settings as JSON. Default values are left out, so that a later version may change a default."""
    plain = ChatSettings()
    return _json({name: value for name, value in asdict(settings).items() if value != getattr(plain, name)})


def settings_from_json(text: str) -> ChatSettings:
    return ChatSettings() if text == "{}" else _one_of(ChatSettings, _of_json(text))


def attachments_json(attachments: Sequence[Attachment]) -> str:
    return _json([asdict(each) for each in attachments])


def attachments_from_json(text: str) -> tuple[Attachment, ...]:
    return _all_of(Attachment, text)


def _flat(value: object) -> object:
    if isinstance(value, ChatSettings):
        return settings_json(value)
    if isinstance(value, tuple):
        return _json([asdict(each) for each in value]) if value else "[]"
    return value


def _all_of(kind: type[T], text: str) -> tuple[T, ...]:
    return tuple(_one_of(kind, each) for each in _of_json(text)) if text != "[]" else ()


def _json(value: object) -> str:
    return well_formed(json.dumps(value, ensure_ascii=False))


def _of_json(text: str) -> Any:
    """Parses JSON. Lone surrogates, which earlier versions could write as escapes, are replaced."""
    value = json.loads(text)
    return json.loads(_json(value)) if "\\ud" in text else value


def _one_of(kind: type[T], values: Mapping[str, Any]) -> T:
    """Creates a record of class `kind`. Ignores unknown keys, which a newer version may have written."""
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})
