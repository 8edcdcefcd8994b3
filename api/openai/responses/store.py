"""Responses that a later call may go on from, one file each."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from api.errors import ResponseNotFound
from api.keyring import KeyHolder
from api.openai.responses.items import Item
from engine.files.atomic_write import PART_SUFFIX, write_atomic
from engine.files.private_files import make_private_folder

MAX_KEPT = 1000
MAX_STORE_BYTES = 256 * 1024 * 1024
"""Of all together. The oldest are removed first."""
MAX_RESPONSE_BYTES = 8 * 1024 * 1024
"""Of one, with its conversation. No context holds as much text."""

_ID = re.compile(r"resp_[0-9a-f]{32}")

_ITEM_FIELDS = frozenset(
    {"type", "id", "status", "role", "content", "call_id", "name", "namespace", "arguments", "input", "output"}
    | {"summary", "error"}
)
_WHOLE_FIELDS = frozenset({"action"})
"""Objects that are read again: the command of a `local_shell_call`."""
_PART_FIELDS = frozenset({"type", "text", "refusal"})


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """`items`: the conversation up to and with the response. `owner_id`: of the key that it came with."""

    response: Item
    items: list[Item]
    owner_id: str = ""


class ResponseStore:
    """In `folder`, readable by its owner alone; None keeps nothing.

    `get` and `delete` belong to a running loop, and do not block it; `put` to any other thread. A response is found
    only by the key that it was made with, and by the endpoint's own."""

    def __init__(
        self,
        folder: Path | None,
        max_kept: int = MAX_KEPT,
        max_bytes: int = MAX_STORE_BYTES,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._folder = folder
        self._max_kept = max_kept
        self._max_bytes = max_bytes
        self._max_response_bytes = max_response_bytes
        self._lock = threading.Lock()

    @property
    def keeps(self) -> bool:
        return self._folder is not None

    def put(self, kept: StoredResponse) -> bool:
        """Whether it is kept: not where the disk is full or read-only, nor where it is larger than any context."""
        if self._folder is None:
            return False
        found = {"owner": kept.owner_id, "response": kept.response, "items": list(map(_known_fields, kept.items))}
        content = json.dumps(found).encode()
        if len(content) > self._max_response_bytes:
            return False
        try:
            with self._lock:
                self._write(self._path(str(kept.response["id"])), content)
        except OSError:
            return False
        return True

    async def get(self, response_id: str, holder: KeyHolder) -> StoredResponse:
        """Raises ResponseNotFound."""
        return await asyncio.to_thread(self._read, response_id, holder)

    async def delete(self, response_id: str, holder: KeyHolder) -> None:
        """Raises ResponseNotFound."""
        await asyncio.to_thread(self._delete, response_id, holder)

    def _read(self, response_id: str, holder: KeyHolder) -> StoredResponse:
        try:
            found = json.loads(self._path(response_id).read_text("utf-8"))
            kept = StoredResponse(found["response"], found["items"], found.get("owner", ""))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ResponseNotFound(response_id) from None
        if not holder.owns(kept.owner_id):
            raise ResponseNotFound(response_id)
        return kept

    def _delete(self, response_id: str, holder: KeyHolder) -> None:
        self._read(response_id, holder)
        try:
            self._path(response_id).unlink()
        except OSError:
            raise ResponseNotFound(response_id) from None

    def _path(self, response_id: str) -> Path:
        """Raises ResponseNotFound for what is no id of ours, such as a way out of the folder."""
        if self._folder is None or not _ID.fullmatch(response_id):
            raise ResponseNotFound(response_id)
        return self._folder / f"{response_id}.json"

    def _write(self, path: Path, content: bytes) -> None:
        make_private_folder(path.parent)
        self._make_room(path.parent, len(content))
        write_atomic(path, [content])

    def _make_room(self, folder: Path, n_bytes: int) -> None:
        """For one more of this size. Also removes drafts that a crash left."""
        for draft in folder.glob(f"resp_*{PART_SUFFIX}"):
            draft.unlink(missing_ok=True)
        found = [(entry.stat(), Path(entry.path)) for entry in os.scandir(folder) if entry.name.endswith(".json")]
        found.sort(key=lambda each: each[0].st_mtime_ns)
        n_kept, total = len(found) + 1, sum(stat.st_size for stat, _ in found) + n_bytes
        for stat, path in found:
            if n_kept <= self._max_kept and total <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            n_kept, total = n_kept - 1, total - stat.st_size


def _known_fields(item: Item) -> Item:
    """Without what no later call reads: clients may add fields of any size."""
    return {
        name: value if name in _WHOLE_FIELDS else _known_parts(value)
        for name, value in item.items()
        if name in _ITEM_FIELDS | _WHOLE_FIELDS
    }


def _known_parts(value: object) -> object:
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
