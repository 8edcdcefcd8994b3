"""Stores responses, one file each, so that later requests can continue them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from api.authentication import KeyHolder
from api.errors import ResponseNotFound
from api.openai.responses.request import Item
from engine.files.atomic_write import PART_SUFFIX, write_atomic
from engine.files.private_files import make_private_folder

MAX_RESPONSES = 1000
MAX_STORE_BYTES = 256 * 1024 * 1024
"""Maximum size of all stored responses together. The oldest are deleted first."""
MAX_RESPONSE_BYTES = 8 * 1024 * 1024
"""Maximum size of one stored response with its conversation. No model's context can hold that much text."""

_ID = re.compile(r"resp_[0-9a-f]{32}")

_ITEM_FIELDS = frozenset(
    {"type", "id", "status", "role", "content", "call_id", "name", "namespace", "arguments", "input", "output"}
    | {"summary", "error"}
)
_WHOLE_FIELDS = frozenset({"action"})
"""Fields that are stored whole. `action` contains the command of a `local_shell_call`."""
_PART_FIELDS = frozenset({"type", "text", "refusal"})


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """`items`: the conversation, including the output of the response. `owner_id`: id of the `KeyHolder` that sent the
    request."""

    response: Item
    items: list[Item]
    owner_id: str = ""


class ResponseStore:
    """Stores responses in `folder`, which only its owner can read. If `folder` is None, nothing is stored.

    A response can be read and deleted only with the key that created it, or with the endpoint's own key. `get` and
    `delete` are coroutines that do not block the event loop. `put` blocks its thread, so it must not be called on the
    event loop's thread."""

    def __init__(
        self,
        folder: Path | None,
        max_responses: int = MAX_RESPONSES,
        max_bytes: int = MAX_STORE_BYTES,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._folder = folder
        self._max_responses = max_responses
        self._max_bytes = max_bytes
        self._max_response_bytes = max_response_bytes
        self._lock = threading.Lock()

    @property
    def is_enabled(self) -> bool:
        return self._folder is not None

    def put(self, stored: StoredResponse) -> bool:
        """Stores a response, and returns whether that succeeded. It fails if the response is too large, or if the disk
        is full or read-only."""
        if self._folder is None:
            return False
        items = list(map(_stored_item, stored.items))
        text = json.dumps({"owner": stored.owner_id, "response": stored.response, "items": items})
        if len(text) > self._max_response_bytes:
            return False
        try:
            with self._lock:
                self._write(self._path(str(stored.response["id"])), text)
        except OSError:
            return False
        return True

    async def get(self, response_id: str, holder: KeyHolder) -> StoredResponse:
        """Returns a stored response. Raises ResponseNotFound."""
        return await asyncio.to_thread(self._read, response_id, holder)

    async def delete(self, response_id: str, holder: KeyHolder) -> None:
        """Deletes a stored response. Raises ResponseNotFound."""
        await asyncio.to_thread(self._delete, response_id, holder)

    def _read(self, response_id: str, holder: KeyHolder) -> StoredResponse:
        try:
            found = json.loads(self._path(response_id).read_text("utf-8"))
            stored = StoredResponse(found["response"], found["items"], found.get("owner", ""))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ResponseNotFound(response_id) from None
        if not holder.owns(stored.owner_id):
            raise ResponseNotFound(response_id)
        return stored

    def _delete(self, response_id: str, holder: KeyHolder) -> None:
        self._read(response_id, holder)
        try:
            self._path(response_id).unlink()
        except OSError:
            raise ResponseNotFound(response_id) from None

    def _path(self, response_id: str) -> Path:
        """Returns the file of a response. Raises ResponseNotFound for a malformed id, such as one that contains a
        path."""
        if self._folder is None or not _ID.fullmatch(response_id):
            raise ResponseNotFound(response_id)
        return self._folder / f"{response_id}.json"

    def _write(self, path: Path, text: str) -> None:
        make_private_folder(path.parent)
        self._make_room(path.parent, len(text))
        write_atomic(path, text)

    def _make_room(self, folder: Path, n_bytes: int) -> None:
        """Deletes partial files that remain after a crash, and then the oldest responses until a new one of this size
        fits."""
        for part in folder.glob(f"resp_*{PART_SUFFIX}"):
            part.unlink(missing_ok=True)
        found = [(entry.stat(), Path(entry.path)) for entry in os.scandir(folder) if entry.name.endswith(".json")]
        found.sort(key=lambda each: each[0].st_mtime_ns)
        n_responses, total = len(found) + 1, sum(stat.st_size for stat, _ in found) + n_bytes
        for stat, path in found:
            if n_responses <= self._max_responses and total <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            n_responses, total = n_responses - 1, total - stat.st_size


def _stored_item(item: Item) -> Item:
    """Returns the item with only the fields that later requests need, because clients may add other fields of any
    size."""
    return {
        name: value if name in _WHOLE_FIELDS else _stored_parts(value)
        for name, value in item.items()
        if name in _ITEM_FIELDS | _WHOLE_FIELDS
    }


def _stored_parts(value: object) -> object:
    match value:
        case str():
            return value
        case list():
            return [
                {name: text for name, text in part.items() if name in _PART_FIELDS and isinstance(text, str)}
                if isinstance(part, dict)
                else None
                for part in value
            ]
    return None
