"""What one can do in the window, as actions with names and keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication

from desktop.actions import Action
from desktop.chat.controller import ChatController
from desktop.windows.chats_actions import chats_actions
from desktop.windows.main_window import MainWindow

translate = QCoreApplication.translate


def window_actions(window: MainWindow, chats: ChatController) -> list[Action]:
    """GUI thread. What an action does is what the button or the menu does that is for the same."""
    view = window.sidebar.chats
    of_list = chats_actions(window, view, chats) if view is not None else []
    return [*_places(window), *_chat_actions(window, chats), *of_list, *_others(window)]


def _places(window: MainWindow) -> list[Action]:
    return [
        Action("new_chat", translate("actions", "New chat"), window.sidebar.new_chat_asked.emit, "Ctrl+N"),
        Action("search", translate("actions", "Search all chats"), window.open_search, "Ctrl+Shift+F"),
        Action("go_chat", translate("actions", "Go to the chat"), window.show_chat_page, "Ctrl+1"),
        Action("go_endpoint", translate("actions", "Go to the endpoint"), window.sidebar.endpoint_asked.emit, "Ctrl+2"),
        Action("go_models", translate("actions", "Go to the models"), window.sidebar.models_asked.emit, "Ctrl+4"),
        Action("go_settings", translate("actions", "Go to the settings"), window.sidebar.settings_asked.emit, "Ctrl+3"),
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
        ("md", translate("actions", "Save this chat as Markdown")),
        ("html", translate("actions", "Save this chat as a web page")),
        ("pdf", translate("actions", "Save this chat as PDF")),
        ("json", translate("actions", "Save this chat with all its branches")),
    ]

    def find() -> None:
        if window.transcript is not None:
            window.show_chat_page()
            window.transcript.open_find()

    return [
        Action("find", translate("actions", "Find in this chat"), find, "Ctrl+F", is_possible=is_open),
        Action(
            "chat_settings",
            translate("actions", "Settings of this chat"),
            window.composer.settings_asked.emit,
            "Ctrl+,",
        ),
        Action("attach", translate("actions", "Attach files"), window.composer.attach_asked.emit, "Ctrl+Shift+A"),
        Action("stop", translate("actions", "Stop the answer"), chats.stop, is_possible=lambda: chats.answering),
        Action(
            "rename_chat",
            translate("actions", "Rename this chat"),
            with_chat(window.header.rename_asked.emit),
            is_possible=is_open,
        ),
        Action("pin_chat", translate("actions", "Pin or unpin this chat"), pin, is_possible=is_open),
        Action(
            "delete_chat",
            translate("actions", "Delete this chat"),
            with_chat(window.header.delete_asked.emit),
            is_possible=is_open,
        ),
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
        Action("open_model", translate("actions", "Open a model file…"), window.header.model_wanted.emit, "Ctrl+O"),
        Action("looks_light", translate("actions", "Light looks"), partial(choose_theme, "light")),
        Action("looks_dark", translate("actions", "Dark looks"), partial(choose_theme, "dark")),
        Action("looks_system", translate("actions", "Looks as the system"), partial(choose_theme, "system")),
        Action(
            "text_larger", translate("actions", "Larger text"), with_settings("text_step_asked", 1), "Ctrl++", "Ctrl+="
        ),
        Action("text_smaller", translate("actions", "Smaller text"), with_settings("text_step_asked", -1), "Ctrl+-"),
        Action(
            "text_usual", translate("actions", "Text in the usual size"), with_settings("text_step_asked", 0), "Ctrl+0"
        ),
        Action(
            "import_file", translate("actions", "Bring chats in from a file…"), with_settings("import_asked", False)
        ),
        Action(
            "import_folder", translate("actions", "Bring chats in from a folder…"), with_settings("import_asked", True)
        ),
        Action("export_all", translate("actions", "Save all chats…"), with_settings("export_asked")),
        Action("switch_endpoint", translate("actions", "Turn the endpoint on or off"), switch_endpoint),
        Action("quit", translate("actions", "Quit Inglenook"), window.quit, "Ctrl+Q"),
        Action("diagnostics", translate("actions", "Copy diagnostics"), with_settings("diagnostics_asked")),
    ]
