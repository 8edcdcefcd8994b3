"""Card with configuration snippets, one tab for each tool."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QTabBar, QVBoxLayout, QWidget

from desktop.endpoint.connection_snippets import Snippet, snippets
from desktop.endpoint.controller import EndpointState
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import Card, IconButton, label
from desktop.widgets.copy_button import CopyButton
from desktop.widgets.text_lines import CodeBox

HIDDEN_KEY = "$INGLENOOK_KEY"


class SnippetsCard(Card):
    """Shows snippets with a placeholder for the key, until the user reveals the key. Copied snippets always contain the
    key."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = EndpointState()
        self._model = ""
        self._key_shown = False
        self.tabs = self._make_tabs()
        self.tabs.currentChanged.connect(self._show)
        self.box = CodeBox(self)
        self.box.setAccessibleName(self.tr("What to paste"))
        self._place = label("pageText", "", self)
        self._eye = IconButton(theme, "eye", self.tr("Show the key"), self)
        self._eye.clicked.connect(self._toggle_key)
        self.copy = CopyButton(theme, self.tr("Copy the snippet"), self._snippet_with_key, self)
        foot = QHBoxLayout()
        foot.setSpacing(4)
        foot.addWidget(self._place, 1)
        foot.addWidget(self._eye)
        foot.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 12, 18, 10)
        column.setSpacing(8)
        column.addWidget(self.tabs)
        column.addWidget(self.box)
        column.addLayout(foot)

    def _make_tabs(self) -> QTabBar:
        tabs = QTabBar(self)
        tabs.setObjectName("snippetTabs")
        tabs.setAccessibleName(self.tr("Tools"))
        tabs.setDrawBase(False)
        tabs.setExpanding(False)
        tabs.setUsesScrollButtons(True)
        for snippet in self._snippets(""):
            tabs.addTab(snippet.name)
        return tabs

    def show_state(self, state: EndpointState) -> None:
        self._state = state
        self._show()

    def show_model(self, model_id: str) -> None:
        self._model = model_id
        self._show()

    def _snippets(self, key: str) -> tuple[Snippet, ...]:
        return snippets(self._state.port, key, self._model or "inglenook", self.tr("Good evening"))

    def _show(self) -> None:
        snippet = self._snippets(self._state.key if self._key_shown else HIDDEN_KEY)[self.tabs.currentIndex()]
        self.box.show_text(snippet.text)
        self._place.setText(snippet.place)

    def _snippet_with_key(self) -> str:
        return self._snippets(self._state.key)[self.tabs.currentIndex()].text

    def _toggle_key(self) -> None:
        self._key_shown = not self._key_shown
        label_text = self.tr("Hide the key") if self._key_shown else self.tr("Show the key")
        self._eye.show_icon("eye-off" if self._key_shown else "eye", label_text)
        self._show()
