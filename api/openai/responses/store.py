"""Responses that a later call may go on from, one file each."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from api.errors import ResponseUnknown
from api.openai.responses.items import Item
from engine.library.permissions import make_private_folder, open_private

MAX_KEPT = 1000
"""The oldest go first."""

_ID = re.compile(r"resp_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Kept:
    """`items`: the conversation up to and with the response."""

    response: Item
    items: list[Item]


class ResponseStore:
    """In `folder`, readable by its owner alone; None keeps nothing. Files are small, and read and written at once."""

    def __init__(self, folder: Path | None, max_kept: int = MAX_KEPT) -> None:
        self._folder = folder
        self._max_kept = max_kept

    def put(self, kept: Kept) -> None:
        """A disk that is full or read-only costs the response its memory, not its answer."""
        if self._folder is None:
            return
        with suppress(OSError):
            make_private_folder(self._folder)
            path = self._path(str(kept.response["id"]))
            draft = path.with_suffix(".new")
            with open(draft, "w", encoding="utf-8", opener=open_private) as file:
                json.dump({"response": kept.response, "items": kept.items}, file)
            draft.replace(path)
            self._forget_oldest()

    def get(self, response_id: str) -> Kept:
        """Raises ResponseUnknown."""
        try:
            found = json.loads(self._path(response_id).read_text("utf-8"))
            return Kept(found["response"], found["items"])
        except (OSError, ValueError, KeyError, TypeError):
            raise ResponseUnknown(response_id) from None

    def delete(self, response_id: str) -> None:
        """Raises ResponseUnknown."""
        try:
            self._path(response_id).unlink()
        except OSError:
            raise ResponseUnknown(response_id) from None

    def _path(self, response_id: str) -> Path:
        """Raises ResponseUnknown for what is no id of ours, such as a way out of the folder."""
        if self._folder is None or not _ID.fullmatch(response_id):
            raise ResponseUnknown(response_id)
        return self._folder / f"{response_id}.json"

    def _forget_oldest(self) -> None:
        assert self._folder is not None
        paths = list(self._folder.glob("resp_*.json"))
        if len(paths) > self._max_kept:
            paths.sort(key=lambda path: path.stat().st_mtime_ns)
            for path in paths[: len(paths) - self._max_kept]:
                path.unlink(missing_ok=True)
