"""Registers the chat page. The page itself is made together with the window."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP

from desktop.framework.pages import Page

CHAT_PAGE = Page(
    id="chat",
    title=str(QT_TRANSLATE_NOOP("pages", "Chat")),
    icon="",
    command=str(QT_TRANSLATE_NOOP("actions", "Go to the chat")),
    shortcut="Ctrl+1",
    prepare=lambda services: lambda: services.chat_page,
    in_sidebar=False,
)
