"""Connects the palette to what there is to do and to find."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QObject

from desktop.chat.controller import ChatController
from desktop.framework.actions import Action, Actions
from desktop.shell.command_match import fitting
from desktop.shell.command_palette import CommandPalette, Offer
from desktop.shell.main_window import MainWindow
from desktop.sidebar.search_controller import SearchController, plain_text
from desktop.store.search import SearchHit

translate = QCoreApplication.translate

PALETTE_KEYS = "Ctrl+K"
MOST_CHATS = 8


class CommandPaletteController(QObject):
    """Lives as long as its window. `search` is the palette's own. GUI thread only."""

    def __init__(self, window: MainWindow, actions: Actions, search: SearchController, chats: ChatController) -> None:
        super().__init__(window)
        self._window, self._actions, self._search, self._chats = window, actions, search, chats
        self._typed = ""
        self.palette = CommandPalette(window.theme, window)
        self.palette.typed.connect(self._look_for)
        self.palette.chosen.connect(self._do)
        search.finished.connect(self._found)
        words = translate("actions", "Do something, or find a chat")
        actions.add(Action("palette", words, self._toggle, PALETTE_KEYS))
        actions.triggered.connect(self._close_for)
        window.pages.currentChanged.connect(self.palette.hide)

    def _toggle(self) -> None:
        if self.palette.isVisible():
            self.palette.close_it()
        else:
            self.palette.open()

    def _close_for(self, action_id: str) -> None:
        """Another action's key was pressed while the palette is open."""
        if action_id != "palette":
            self.palette.close_it()

    def _look_for(self, typed: str) -> None:
        self._typed = typed.strip()
        self._show(())
        self._search.search_for(self._typed)

    def _found(self, words: str, n_hits: int) -> None:
        if words and words == self._typed:
            self._show(self._search.results.hits[:MOST_CHATS], complete=True)

    def _show(self, hits: Sequence[SearchHit], *, complete: bool = False) -> None:
        possible = [each for each in self._actions.listed if each.id != "palette" and each.is_possible()]
        self.palette.show_offers(
            [
                Offer("action", each.id, each.name, self._actions.shown_shortcut(each.id))
                for each in fitting(possible, self._typed)
            ]
            + [_offer(hit) for hit in hits],
            complete=complete,
        )

    def _do(self, offer: Offer) -> None:
        if offer.kind == "action":
            self._actions[offer.id].trigger()
        else:
            self._chats.sessions.open_chat(offer.id, offer.message_id)
            self._window.show_page("chat")


def _offer(hit: SearchHit) -> Offer:
    if not hit.message_id:
        return Offer("chat", hit.chat_id, plain_text(hit.title))
    return Offer("chat", hit.chat_id, plain_text(hit.snippet), plain_text(hit.title), hit.message_id)
