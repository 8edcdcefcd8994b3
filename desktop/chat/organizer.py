"""Where chats are put: in folders, among the pinned, away, or off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from desktop.chat.session import new_id
from desktop.chat.sessions import ChatSessions
from desktop.store.records import Chat, Folder


@dataclass(frozen=True, slots=True)
class DeletedFolder:
    """A folder that was deleted, and the chats that lay in it, so that it can be restored."""

    folder: Folder
    chat_ids: tuple[str, ...]


class ChatOrganizer(ChatSessions):
    """Chats and folders are named by their ids; those that are not there are left alone. What changes several chats
    returns them as they were, for `put_back`. GUI thread only."""

    def known(self, chat_ids: Iterable[str]) -> list[Chat]:
        return [self._known[chat_id] for chat_id in chat_ids if chat_id in self._known]

    def pin(self, chat_ids: Iterable[str], pinned: bool) -> list[Chat]:
        """What is pinned comes out of the archive."""
        return self._each(chat_ids, lambda chat: replace(chat, pinned=pinned, archived=chat.archived and not pinned))

    def move(self, chat_ids: Iterable[str], folder_id: str) -> list[Chat]:
        """Into that folder, "" for none; out of the archive and from among the pinned, so that they are seen there."""
        return self._each(chat_ids, lambda chat: replace(chat, folder_id=folder_id, archived=False, pinned=False))

    def archive(self, chat_ids: Iterable[str], archived: bool) -> list[Chat]:
        """Puts them away or brings them back. An open chat that is put away is left; an answer in it goes on."""
        before = self._each(chat_ids, lambda chat: replace(chat, archived=archived))
        if archived and self.current is not None and self.current.id in {chat.id for chat in before}:
            self.new_chat()
        return before

    def put_back(self, before: Iterable[Chat]) -> None:
        """Undoes `pin`, `move` and `archive`; what else has changed since stays."""
        was = {chat.id: chat for chat in before}

        def back(chat: Chat) -> Chat:
            old = was[chat.id]
            return replace(chat, pinned=old.pinned, folder_id=old.folder_id, archived=old.archived)

        self._each(was, back)

    def delete(self, chat_ids: Iterable[str]) -> list[Chat]:
        """Takes the chats away and returns them; `restore` brings them back as long as the app runs."""
        chats = self.known(chat_ids)
        for chat in chats:
            if (session := self._writer.live.get(chat.id)) is not None:
                session.stop()
            del self._known[chat.id]
        if self.current is not None and self.current.id in {chat.id for chat in chats}:
            self.new_chat()
        self._list_chats()
        self._tasks.spawn(self._store.delete(*(chat.id for chat in chats)), "delete chats")
        return chats

    def restore(self, chats: Sequence[Chat]) -> None:
        self._known |= {chat.id: chat for chat in chats}
        self._list_chats()
        self._tasks.spawn(self._store.restore(*(chat.id for chat in chats)), "restore chats")

    def fold_archive(self, folded: bool) -> None:
        self._archive_folded = folded
        self._list_chats()
        self.archive_folded.emit(folded)

    # Folders

    def add_folder(self, name: str) -> Folder:
        """The last one; where the name is taken, with a number."""
        taken = {folder.name.casefold() for folder in self._folders.values()}
        names = (name if number == 1 else f"{name} {number}" for number in range(1, len(taken) + 2))
        free = next(each for each in names if each.casefold() not in taken)
        folder = Folder(new_id(), free, max((each.place for each in self._folders.values()), default=0.0) + 1)
        self._keep_folders(folder)
        return folder

    def rename_folder(self, folder_id: str, name: str) -> None:
        if (folder := self._folders.get(folder_id)) is not None:
            self._keep_folders(replace(folder, name=name))

    def fold(self, folder_id: str, folded: bool) -> None:
        if (folder := self._folders.get(folder_id)) is not None and folder.folded != folded:
            self._keep_folders(replace(folder, folded=folded))

    def place_folder(self, folder_id: str, step: int) -> None:
        """So many places further down; at either end it stays."""
        order = self.folders
        at = next((place for place, folder in enumerate(order) if folder.id == folder_id), -1)
        if at >= 0 and 0 <= at + step < len(order):
            order.insert(at + step, order.pop(at))
            self._keep_folders(*(replace(folder, place=float(place)) for place, folder in enumerate(order, start=1)))

    def delete_folder(self, folder_id: str) -> DeletedFolder | None:
        """Its chats stay, in no folder."""
        folder = self._folders.pop(folder_id, None)
        if folder is None:
            return None
        inside = [chat.id for chat in self._known.values() if chat.folder_id == folder_id]
        self._each(inside, lambda chat: replace(chat, folder_id=""))
        self._list_chats()
        self._tasks.spawn(self._write_queue.delete_folder(folder_id), "delete a folder")
        return DeletedFolder(folder, tuple(inside))

    def restore_folder(self, deleted: DeletedFolder) -> None:
        """With those of its chats that have not been put elsewhere since."""
        self._keep_folders(deleted.folder)
        homeless = [chat.id for chat in self.known(deleted.chat_ids) if not chat.folder_id]
        self._each(homeless, lambda chat: replace(chat, folder_id=deleted.folder.id))

    def _keep_folders(self, *folders: Folder) -> None:
        self._folders |= {folder.id: folder for folder in folders}
        self._list_chats()
        self._tasks.spawn(self._write_queue.save_folders(*folders), "save folders")

    def _each(self, chat_ids: Iterable[str], change: Callable[[Chat], Chat]) -> list[Chat]:
        before = self.known(chat_ids)
        after = [change(chat) for chat in before]
        changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        if changed:
            self._take_up([new for _, new in changed])
        return [old for old, _ in changed]
