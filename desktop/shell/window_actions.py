"""What one can do in the window, as actions with names and keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication

from desktop.chat.answer_actions import answer_actions
from desktop.chat.controller import ChatController
from desktop.endpoint.page import EndpointPage
from desktop.framework.actions import Action
from desktop.settings.page import SettingsPage
from desktop.shell.main_window import MainWindow
from desktop.shell.page_list import PAGES
from desktop.sidebar.chat_list_actions import chat_list_actions
from desktop.store.records import Chat

translate = QCoreApplication.translate


def window_actions(window: MainWindow, chats: ChatController) -> list[Action]:
    """GUI thread. What an action does is what the button or the menu does that is for the same."""
    view = window.sidebar.chats
    of_list = chat_list_actions(window, view, chats) if view is not None else []
    return [
        *_places(window),
        *_chat_actions(window, chats),
        *answer_actions(window, window.chat_page, chats),
        *of_list,
        *_others(window),
    ]


def _places(window: MainWindow) -> list[Action]:
    return [
        Action("new_chat", translate("actions", "New chat"), window.sidebar.new_chat_requested.emit, "Ctrl+N"),
        Action("search", translate("actions", "Search all chats"), window.show_search, "Ctrl+Shift+F"),
        *(
            Action(
                page.action_id or f"go_{page.id}", page.shown_command, partial(window.show_page, page.id), page.shortcut
            )
            for page in PAGES
        ),
    ]


def _chat_actions(window: MainWindow, chats: ChatController) -> list[Action]:
    of_chat = partial(Action, is_possible=lambda: chats.sessions.current is not None)

    def with_chat(act: Callable[[Chat], object]) -> Callable[[], None]:
        def run() -> None:
            if chats.sessions.current is not None:
                act(chats.sessions.current)

        return run

    def pin(chat: Chat) -> None:
        window.chat_page.header.pin_requested.emit(chat.id, not chat.pinned)

    def find() -> None:
        if window.chat_page.transcript is not None:
            window.show_page("chat")
            window.chat_page.transcript.open_find()

    rename = with_chat(lambda chat: window.chat_page.header.rename_requested.emit(chat.id))
    delete = with_chat(lambda chat: window.chat_page.header.delete_requested.emit(chat.id))
    settings, attach = (
        window.chat_page.composer.settings_requested.emit,
        window.chat_page.composer.attach_requested.emit,
    )
    return [
        of_chat("find", translate("actions", "Find in this chat"), find, "Ctrl+F"),
        Action("chat_settings", translate("actions", "Settings of this chat"), settings, "Ctrl+,"),
        Action("attach", translate("actions", "Attach files"), attach, "Ctrl+Shift+A"),
        Action(
            "stop", translate("actions", "Stop the answer"), chats.stop, is_possible=lambda: chats.sessions.answering
        ),
        of_chat("rename_chat", translate("actions", "Rename this chat"), rename),
        of_chat("pin_chat", translate("actions", "Pin or unpin this chat"), with_chat(pin)),
        of_chat("delete_chat", translate("actions", "Delete this chat"), delete),
        *(
            of_chat(f"save_{form}", words, with_chat(partial(_save, window, form)))
            for form, words in (
                ("md", translate("actions", "Save this chat as Markdown")),
                ("html", translate("actions", "Save this chat as a web page")),
                ("pdf", translate("actions", "Save this chat as PDF")),
                ("json", translate("actions", "Save this chat with all its branches")),
            )
        ),
    ]


def _save(window: MainWindow, form: str, chat: Chat) -> None:
    window.chat_page.header.export_requested.emit(chat, form)


def _others(window: MainWindow) -> list[Action]:
    def choose_theme(choice: str) -> None:
        if (page := window.view("settings", SettingsPage)) is not None:
            page.theme_chosen.emit(choice)

    def with_settings(signal: str, *values: object) -> Callable[[], None]:
        def run() -> None:
            if (page := window.view("settings", SettingsPage)) is not None:
                getattr(page, signal).emit(*values)

        return run

    def switch_endpoint() -> None:
        if (page := window.view("endpoint", EndpointPage)) is not None:
            page.toggle()

    return [
        Action(
            "open_model",
            translate("actions", "Open a model file…"),
            window.chat_page.header.model_file_requested.emit,
            "Ctrl+O",
        ),
        Action(
            "cancel_load",
            translate("actions", "Cancel loading the model"),
            window.chat_page.header.load_cancel_requested.emit,
            is_possible=lambda: window.chat_page.header.is_loading,
        ),
        Action("looks_light", translate("actions", "Light looks"), partial(choose_theme, "light")),
        Action("looks_dark", translate("actions", "Dark looks"), partial(choose_theme, "dark")),
        Action("looks_system", translate("actions", "Looks as the system"), partial(choose_theme, "system")),
        Action(
            "text_larger",
            translate("actions", "Larger text"),
            with_settings("text_step_requested", 1),
            "Ctrl++",
            "Ctrl+=",
        ),
        Action(
            "text_smaller", translate("actions", "Smaller text"), with_settings("text_step_requested", -1), "Ctrl+-"
        ),
        Action(
            "text_usual",
            translate("actions", "Text in the usual size"),
            with_settings("text_step_requested", 0),
            "Ctrl+0",
        ),
        Action("switch_endpoint", translate("actions", "Turn the endpoint on or off"), switch_endpoint),
        Action(
            "undo_deletion",
            translate("actions", "Undo the last deletion"),
            window.undo_stack.undo,
            "Ctrl+Z",
            is_possible=lambda: not window.undo_stack.is_empty,
        ),
        Action("quit", translate("actions", "Quit Inglenook"), window.quit, "Ctrl+Q"),
        Action("diagnostics", translate("actions", "Copy diagnostics"), with_settings("diagnostics_requested")),
    ]
