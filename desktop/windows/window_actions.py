"""What one can do in the window, as actions with names and keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication

from desktop.actions import Action
from desktop.chat.controller import ChatController
from desktop.windows.main_window import MainWindow


def _tr(text: str) -> str:
    return QCoreApplication.translate("actions", text)


def window_actions(window: MainWindow, chats: ChatController) -> list[Action]:
    """GUI thread. What an action does is what the button or the menu does that is for the same."""
    return [*_places(window), *_chat_actions(window, chats), *_others(window)]


def _places(window: MainWindow) -> list[Action]:
    return [
        Action("new_chat", _tr("New chat"), window.sidebar.new_chat_asked.emit, "Ctrl+N"),
        Action("search", _tr("Search all chats"), window.open_search, "Ctrl+Shift+F"),
        Action("go_chat", _tr("Go to the chat"), window.show_chat_page, "Ctrl+1"),
        Action("go_endpoint", _tr("Go to the endpoint"), window.sidebar.endpoint_asked.emit, "Ctrl+2"),
        Action("go_models", _tr("Go to the models"), window.sidebar.models_asked.emit, "Ctrl+4"),
        Action("go_settings", _tr("Go to the settings"), window.sidebar.settings_asked.emit, "Ctrl+3"),
    ]


def _chat_actions(window: MainWindow, chats: ChatController) -> list[Action]:
    def is_open() -> bool:
        return chats.current is not None

    def with_chat(act: Callable[[str], object]) -> Callable[[], None]:
        def run() -> None:
            if chats.current is not None:
                act(chats.current.id)

        return run

    def pin() -> None:
        if chats.current is not None:
            window.header.pin_asked.emit(chats.current.id, not chats.current.pinned)

    def save(form: str) -> None:
        if chats.current is not None:
            window.header.export_asked.emit(chats.current, form)

    saves = [
        ("md", _tr("Save this chat as Markdown")),
        ("html", _tr("Save this chat as a web page")),
        ("pdf", _tr("Save this chat as PDF")),
        ("json", _tr("Save this chat with all its branches")),
    ]

    def find() -> None:
        if window.transcript is not None:
            window.show_chat_page()
            window.transcript.open_find()

    return [
        Action("find", _tr("Find in this chat"), find, "Ctrl+F", is_possible=is_open),
        Action("chat_settings", _tr("Settings of this chat"), window.composer.settings_asked.emit, "Ctrl+,"),
        Action("attach", _tr("Attach files"), window.composer.attach_asked.emit, "Ctrl+Shift+A"),
        Action("stop", _tr("Stop the answer"), chats.stop, is_possible=lambda: chats.answering),
        Action("rename_chat", _tr("Rename this chat"), with_chat(window.header.rename_asked.emit), is_possible=is_open),
        Action("pin_chat", _tr("Pin or unpin this chat"), pin, is_possible=is_open),
        Action("delete_chat", _tr("Delete this chat"), with_chat(window.header.delete_asked.emit), is_possible=is_open),
        *(Action(f"save_{form}", words, partial(save, form), is_possible=is_open) for form, words in saves),
    ]


def _others(window: MainWindow) -> list[Action]:
    def choose_theme(choice: str) -> None:
        if window.settings_page is not None:
            window.settings_page.theme_chosen.emit(choice)

    def with_settings(signal: str, *values: object) -> Callable[[], None]:
        def run() -> None:
            if window.settings_page is not None:
                getattr(window.settings_page, signal).emit(*values)

        return run

    def switch_endpoint() -> None:
        if window.endpoint_page is not None:
            window.endpoint_page.press_switch()

    return [
        Action("open_model", _tr("Open a model file…"), window.header.model_wanted.emit, "Ctrl+O"),
        Action("looks_light", _tr("Light looks"), partial(choose_theme, "light")),
        Action("looks_dark", _tr("Dark looks"), partial(choose_theme, "dark")),
        Action("looks_system", _tr("Looks as the system"), partial(choose_theme, "system")),
        Action("text_larger", _tr("Larger text"), with_settings("text_step_asked", 1), "Ctrl++", "Ctrl+="),
        Action("text_smaller", _tr("Smaller text"), with_settings("text_step_asked", -1), "Ctrl+-"),
        Action("text_usual", _tr("Text in the usual size"), with_settings("text_step_asked", 0), "Ctrl+0"),
        Action("import_file", _tr("Bring chats in from a file…"), with_settings("import_asked", False)),
        Action("import_folder", _tr("Bring chats in from a folder…"), with_settings("import_asked", True)),
        Action("export_all", _tr("Save all chats…"), with_settings("export_asked")),
        Action("switch_endpoint", _tr("Turn the endpoint on or off"), switch_endpoint),
        Action("quit", _tr("Quit Inglenook"), window.quit, "Ctrl+Q"),
        Action("diagnostics", _tr("Copy diagnostics"), with_settings("diagnostics_asked")),
    ]
