"""Actions on the open chat. Actions with `menu="chat"` are shown in the menu of the chat's title."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication

from desktop.chat.controller import ChatController
from desktop.chat.page import ChatPage
from desktop.framework.actions import Action, Submenu
from desktop.framework.app_window import AppWindow
from desktop.sidebar.chat_list_view import ChatListView
from desktop.store.records import Chat

translate = QCoreApplication.translate


class ChatActions:
    """Makes the actions on the open chat. Actions that change the chat do so through signals of the chat list. GUI
    thread only."""

    def __init__(self, window: AppWindow, page: ChatPage, chat_list: ChatListView, chats: ChatController) -> None:
        self._window, self._page, self._list, self._chats = window, page, chat_list, chats
        self._of_chat = partial(Action, is_possible=lambda: self._chat is not None)
        """Makes an action that is enabled only while a chat is open."""

    def all(self) -> list[Action | Submenu]:
        composer, sessions = self._page.composer, self._chats.sessions
        return [
            self._of_chat("find", translate("actions", "Find in this chat"), self._find, "Ctrl+F"),
            Action(
                "chat_settings",
                translate("actions", "Settings of this chat"),
                composer.settings_requested.emit,
                "Ctrl+,",
            ),
            Action("attach", translate("actions", "Attach files"), composer.attach_requested.emit, "Ctrl+Shift+A"),
            Action(
                "stop",
                translate("actions", "Stop the answer"),
                self._chats.stop,
                is_possible=lambda: sessions.answering,
            ),
            *self._menu(),
        ]

    def _menu(self) -> list[Action | Submenu]:
        unpin, pin = translate("actions", "Unpin"), translate("actions", "Pin")
        unarchive, archive = translate("actions", "Unarchive"), translate("actions", "Archive")
        in_menu = partial(self._of_chat, menu="chat")
        return [
            in_menu(
                "rename_chat",
                translate("actions", "Rename this chat"),
                self._run(self._rename),
                label=translate("actions", "Rename"),
                icon="pencil",
            ),
            in_menu(
                "pin_chat",
                translate("actions", "Pin or unpin this chat"),
                self._run(lambda chat: self._list.requests.pin_requested.emit((chat.id,), not chat.pinned)),
                label=self._if(lambda chat: chat.pinned, unpin, pin),
                icon=self._if(lambda chat: chat.pinned, "pin-off", "pin"),
            ),
            in_menu(
                "move_open_chat",
                translate("actions", "Move to a folder…"),
                self._run(lambda chat: self._list.open_folder_menu([chat], self._page.header.below_title)),
                icon="folder",
                # The command palette lists "move_chat" instead, which also moves several selected chats.
                is_listed=False,
            ),
            in_menu(
                "archive_open_chat",
                archive,
                self._run(lambda chat: self._list.requests.archive_requested.emit((chat.id,), not chat.archived)),
                label=self._if(lambda chat: chat.archived, unarchive, archive),
                icon=self._if(lambda chat: chat.archived, "archive-restore", "archive"),
                is_listed=False,  # the command palette lists "archive_chat" instead
            ),
            Submenu("save_chat", translate("actions", "Export as"), "chat", "file-output"),
            *self._save(),
            in_menu(
                "delete_chat",
                translate("actions", "Delete this chat"),
                self._run(lambda chat: self._list.requests.delete_requested.emit((chat.id,))),
                label=translate("actions", "Delete"),
                icon="trash-2",
            ),
        ]

    def _save(self) -> list[Action]:
        formats = (
            ("md", translate("actions", "Export this chat as Markdown"), translate("actions", "Markdown…")),
            ("html", translate("actions", "Export this chat as a web page"), translate("actions", "Web page…")),
            ("pdf", translate("actions", "Export this chat as PDF"), translate("actions", "PDF…")),
            (
                "json",
                translate("actions", "Export this chat with all its branches"),
                translate("actions", "JSON with all branches…"),
            ),
        )
        return [
            self._of_chat(
                f"save_{suffix}",
                name,
                self._run(partial(self._export, suffix)),
                menu="save_chat",
                label=label,
            )
            for suffix, name, label in formats
        ]

    def _export(self, suffix: str, chat: Chat) -> None:
        self._list.requests.export_requested.emit(chat, suffix)

    @property
    def _chat(self) -> Chat | None:
        return self._chats.sessions.current

    def _run(self, act: Callable[[Chat], object]) -> Callable[[], None]:
        """A handler that calls `act` with the open chat, if there is one."""

        def run() -> None:
            if self._chat is not None:
                act(self._chat)

        return run

    def _if(self, condition: Callable[[Chat], bool], text: str, otherwise: str) -> Callable[[], str]:
        return lambda: text if self._chat is not None and condition(self._chat) else otherwise

    def _find(self) -> None:
        if self._page.transcript is not None:
            self._window.show_page("chat")
            self._page.transcript.open_find()

    def _rename(self, chat: Chat) -> None:
        """Start editing the title of a chat in the chat list. Before this, unfold the folder or the archive that
        contains the chat."""
        if chat.archived:
            self._chats.organizer.fold_archive(False)
        elif not chat.pinned:
            self._chats.organizer.fold(chat.folder_id, False)
        self._window.show_chat_list()
        self._list.rename(chat.id)
