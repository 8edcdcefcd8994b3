"""Fills the command palette with the matching actions and chats, runs the chosen action or opens the chosen chat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from PySide6.QtCore import QCoreApplication, QObject

from desktop.chat.controller import ChatController
from desktop.framework.actions import Action, Actions
from desktop.shell.command_palette import CommandPalette, Entry
from desktop.shell.main_window import MainWindow
from desktop.sidebar.search_controller import SearchController, plain_text
from desktop.store.search import SearchHit

translate = QCoreApplication.translate

ACTION_ID, SHORTCUT = "palette", "Ctrl+K"
MAX_CHATS = 8


class Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


class CommandPaletteController(QObject):
    """Connects the palette with actions and search. A child object of the window. GUI thread only.

    Only this controller may use `search`, since all of its results are shown in the palette."""

    def __init__(self, window: MainWindow, actions: Actions, search: SearchController, chats: ChatController) -> None:
        super().__init__(window)
        self._window, self._actions, self._search, self._chats = window, actions, search, chats
        self._query = ""
        self._hits: Sequence[SearchHit] | None = None
        """The chats that are shown for the query; None while the search for the query runs."""
        self.palette = CommandPalette(window.theme, window)
        self.palette.query_changed.connect(self._look_up)
        self.palette.chosen.connect(self._run)
        search.finished.connect(self._show_chats)
        chats.sessions.saved.connect(self._search_again)
        actions.add(Action(ACTION_ID, translate("actions", "Do something, or find a chat"), self._toggle, SHORTCUT))
        actions.triggered.connect(self._close_for)
        window.pages.currentChanged.connect(self.palette.hide)

    def _toggle(self) -> None:
        if self.palette.isVisible():
            self.palette.close_palette()
        else:
            self.palette.open()

    def _close_for(self, action_id: str) -> None:
        """Closes the palette when an action is triggered, for example by a shortcut. The action that opens the palette
        does not close it."""
        if action_id != ACTION_ID:
            self.palette.close_palette()

    def _look_up(self, query: str) -> None:
        self._query = query.strip()
        self._hits = None
        self._show(())
        self._search.search_for(self._query)

    def _search_again(self) -> None:
        """Repeats the search, to find messages that were saved after the query was typed."""
        if self.palette.isVisible():
            self._search.repeat()

    def _show_chats(self, query: str, n_hits: int) -> None:
        hits = self._search.results.hits[:MAX_CHATS]
        if query and query == self._query and hits != self._hits:  # showing equal hits again would reset the selection
            self._hits = hits
            self._show(hits, is_complete=True)

    def _show(self, hits: Sequence[SearchHit], *, is_complete: bool = False) -> None:
        possible = [action for action in self._actions.listed if action.id != ACTION_ID and action.is_possible()]
        actions = [
            Entry("action", action.id, action.name, self._actions.shown_shortcut(action.id))
            for action in matching(possible, self._query)
        ]
        self.palette.show_entries([*actions, *map(_chat_entry, hits)], is_complete=is_complete)

    def _run(self, entry: Entry) -> None:
        if entry.kind == "action":
            self._actions[entry.id].trigger()
        else:
            self._chats.sessions.open_chat(entry.id, entry.message_id)
            self._window.show_page("chat")


def _chat_entry(hit: SearchHit) -> Entry:
    if not hit.message_id:
        return Entry("chat", hit.chat_id, plain_text(hit.title))
    return Entry("chat", hit.chat_id, plain_text(hit.snippet), plain_text(hit.title), hit.message_id)


def matching(actions: Iterable[N], query: str) -> list[N]:
    """The actions whose names contain all words of `query`, best match first; all actions for an empty query.

    A match at the start of a word counts more than a match inside of a word."""
    words = query.casefold().split()
    scored = [(score, place, action) for place, action in enumerate(actions) if (score := _score(action.name, words))]
    return [action for _, _, action in sorted(scored, key=lambda each: (-each[0], each[1]))]


def _score(name: str, words: Sequence[str]) -> int:
    """How well the name of an action matches the words; 0 if it does not contain all of them."""
    plain_name = name.casefold()
    parts = plain_name.split()
    score = 1
    for word in words:
        if any(part.startswith(word) for part in parts):
            score += 2
        elif word in plain_name:
            score += 1
        else:
            return 0
    return score + (2 if words and plain_name.startswith(words[0]) else 0)
