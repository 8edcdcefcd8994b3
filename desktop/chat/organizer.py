"""Organises the chats: pins, folders, archive and deletion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from desktop.chat.conversation import new_id
from desktop.chat.sessions import ChatSessions
from desktop.store.records import Chat, Folder


@dataclass(frozen=True, slots=True)
class DeletedFolder:
    """A deleted folder and the ids of the chats in it. `ChatOrganizer.restore_folder` takes this object to undo the
    deletion."""

    folder: Folder
    chat_ids: tuple[str, ...]


class ChatOrganizer(QObject):
    """Organises the chats of `sessions`. GUI thread only.

    Methods ignore ids of missing chats and folders. Methods that change several chats return the previous records of
    these chats."""

    changed = Signal()
    """Emitted when the folders have changed, or the archive was folded or unfolded."""
    archive_folded_changed = Signal(bool)

    def __init__(self, sessions: ChatSessions) -> None:
        super().__init__()
        self._sessions = sessions
        self._folders: dict[str, Folder] = {}
        self.archive_folded = True
        """Whether the archive is folded, so that the chat list shows only its heading."""

    @property
    def folders(self) -> list[Folder]:
        """All folders, in the order of the chat list."""
        return sorted(self._folders.values(), key=lambda folder: folder.place)

    async def load(self) -> None:
        """Read the folders from the store. Raises StoreError."""
        self._folders |= {folder.id: folder for folder in await self._sessions.store.folders()}

    def chats(self, chat_ids: Iterable[str]) -> list[Chat]:
        """Records of the chats with these ids."""
        known = self._sessions.chats_by_id
        return [known[chat_id] for chat_id in chat_ids if chat_id in known]

    def pin(self, chat_ids: Iterable[str], pinned: bool) -> list[Chat]:
        """Pin or unpin chats. A chat that is pinned is also taken out of the archive."""
        return self._update(chat_ids, lambda chat: replace(chat, pinned=pinned, archived=chat.archived and not pinned))

    def move(self, chat_ids: Iterable[str], folder_id: str) -> list[Chat]:
        """Move chats into a folder; "" takes them out of their folder. Also unpins and unarchives the chats, so that
        they are visible in the folder."""
        return self._update(chat_ids, lambda chat: replace(chat, folder_id=folder_id, archived=False, pinned=False))

    def archive(self, chat_ids: Iterable[str], archived: bool) -> list[Chat]:
        """Archive or unarchive chats. If the open chat is archived, a new chat is opened, and answers in the archived
        chat continue."""
        before = self._update(chat_ids, lambda chat: replace(chat, archived=archived))
        if archived:
            self._leave_open_chat(before)
        return before

    def restore_places(self, before: Iterable[Chat]) -> None:
        """Undo `pin`, `move` or `archive`. Other changes to the chats since then are kept."""
        places = {chat.id: chat for chat in before}

        def restored(chat: Chat) -> Chat:
            old = places[chat.id]
            return replace(chat, pinned=old.pinned, folder_id=old.folder_id, archived=old.archived)

        self._update(places, restored)

    def delete(self, chat_ids: Iterable[str]) -> list[Chat]:
        """Delete chats and return their records. `restore` can undo this until the app is closed."""
        sessions = self._sessions
        sessions.leaving.emit()
        chats = self.chats(chat_ids)
        for chat in chats:
            if (session := sessions.live.get(chat.id)) is not None:
                session.stop()
            del sessions.chats_by_id[chat.id]
        self._leave_open_chat(chats)
        sessions.chats_changed.emit()
        sessions.tasks.spawn(sessions.store.delete(*(chat.id for chat in chats)), "delete chats")
        return chats

    def restore(self, chats: Sequence[Chat]) -> None:
        """Undo `delete`, so that these chats exist again."""
        sessions = self._sessions
        sessions.chats_by_id |= {chat.id: chat for chat in chats}
        sessions.chats_changed.emit()
        sessions.tasks.spawn(sessions.store.restore(*(chat.id for chat in chats)), "restore chats")

    def fold_archive(self, folded: bool) -> None:
        self.archive_folded = folded
        self.changed.emit()
        self.archive_folded_changed.emit(folded)

    def add_folder(self, name: str) -> Folder:
        """Add a folder at the end. If the name is taken, a number is appended to it."""
        taken = {folder.name.casefold() for folder in self._folders.values()}
        names = (name if number == 1 else f"{name} {number}" for number in range(1, len(taken) + 2))
        free = next(each for each in names if each.casefold() not in taken)
        folder = Folder(new_id(), free, max((each.place for each in self._folders.values()), default=0.0) + 1)
        self._save_folders(folder)
        return folder

    def rename_folder(self, folder_id: str, name: str) -> None:
        if (folder := self._folders.get(folder_id)) is not None:
            self._save_folders(replace(folder, name=name))

    def fold(self, folder_id: str, folded: bool) -> None:
        if (folder := self._folders.get(folder_id)) is not None and folder.folded != folded:
            self._save_folders(replace(folder, folded=folded))

    def move_folder(self, folder_id: str, step: int) -> None:
        """Move a folder down by `step` places. Does nothing if this would move it beyond either end."""
        order = self.folders
        at = next((place for place, folder in enumerate(order) if folder.id == folder_id), -1)
        if at >= 0 and 0 <= at + step < len(order):
            order.insert(at + step, order.pop(at))
            self._save_folders(*(replace(folder, place=float(place)) for place, folder in enumerate(order, start=1)))

    def delete_folder(self, folder_id: str) -> DeletedFolder | None:
        """Delete a folder. Its chats are kept, and are then in no folder."""
        folder = self._folders.pop(folder_id, None)
        if folder is None:
            return None
        inside = [chat.id for chat in self._sessions.chats_by_id.values() if chat.folder_id == folder_id]
        self._update(inside, lambda chat: replace(chat, folder_id=""))
        self.changed.emit()
        self._sessions.tasks.spawn(self._sessions.write_queue.delete_folder(folder_id), "delete a folder")
        return DeletedFolder(folder, tuple(inside))

    def restore_folder(self, deleted: DeletedFolder) -> None:
        """Undo `delete_folder`. Chats that were moved to another folder since then stay in that folder."""
        self._save_folders(deleted.folder)
        without_folder = [chat.id for chat in self.chats(deleted.chat_ids) if not chat.folder_id]
        self._update(without_folder, lambda chat: replace(chat, folder_id=deleted.folder.id))

    def _save_folders(self, *folders: Folder) -> None:
        self._folders |= {folder.id: folder for folder in folders}
        self.changed.emit()
        self._sessions.tasks.spawn(self._sessions.write_queue.save_folders(*folders), "save folders")

    def _leave_open_chat(self, chats: Iterable[Chat]) -> None:
        """If the open chat is one of these, open a new chat instead."""
        current = self._sessions.current
        if current is not None and current.id in {chat.id for chat in chats}:
            self._sessions.new_chat()

    def _update(self, chat_ids: Iterable[str], change: Callable[[Chat], Chat]) -> list[Chat]:
        before = self.chats(chat_ids)
        changed = [(old, new) for old in before if (new := change(old)) != old]
        if changed:
            self._sessions.update_chats([new for _, new in changed])
        return [old for old, _ in changed]
