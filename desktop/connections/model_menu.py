"""Adds the local model and the models of connections to the menu of the model button."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QMenu, QWidgetAction

from desktop.connections.connection_state import ConnectionState
from desktop.connections.controller import ConnectionsController
from desktop.models import strings
from desktop.models.model_controller import ModelController
from desktop.platform.text_escaping import button_text, tooltip_text

translate = QCoreApplication.translate

MAX_WITHOUT_SEARCH = 10
"""With more models on other servers, the menu has a search field."""

MAX_SHOWN = 12
"""As many models of one server are shown. The search finds the others."""


class ModelMenu(QObject):
    """The entries of one open menu, which follow the state of the connections. A child object of the menu. GUI thread
    only."""

    def __init__(self, menu: QMenu, connections: ConnectionsController, models: ModelController) -> None:
        super().__init__(menu)
        self._menu, self._connections, self._models = menu, connections, models
        self._entries: list[QAction] = []
        self._search: QLineEdit | None = None
        self._end = menu.addSeparator()
        self._show()
        connections.changed.connect(self._show)
        connections.look_at_all()

    @classmethod
    def fill(cls, connections: ConnectionsController, models: ModelController, menu: QMenu) -> None:
        """Adds the entries, unless there is no connection."""
        if connections.states:
            cls(menu, connections, models)

    def _show(self, _: object = None) -> None:
        for entry in self._entries:
            self._menu.removeAction(entry)
            entry.deleteLater()
        self._entries = []
        self._add_local_model()
        if self._search is None and sum(len(each.models) for each in self._connections.states) > MAX_WITHOUT_SEARCH:
            self._add_search()
        for state in self._connections.states:
            self._add_models(state)

    def _add_local_model(self) -> None:
        model = self._models.status.model
        if self._models.status.state == "ready" and model is not None:
            name = strings.model_name(model)
            text = translate("connections", "{model} (this computer)").format(model=name)
            self._add(text, is_checked=self._models.answers_locally).triggered.connect(self._connections.choose_local)

    def _add_search(self) -> None:
        """Add the field once, because it keeps its text while the entries change."""
        self._search = QLineEdit(self._menu)
        self._search.setObjectName("search")
        self._search.setPlaceholderText(translate("connections", "Search models"))
        self._search.setAccessibleName(translate("connections", "Search models"))
        self._search.setTextMargins(6, 3, 6, 3)
        self._search.textChanged.connect(self._show)
        action = QWidgetAction(self._menu)
        action.setDefaultWidget(self._search)
        before = self._entries[0] if self._entries else self._end
        self._menu.insertAction(before, action)

    def _add_models(self, state: ConnectionState) -> None:
        connection, wanted = state.connection, self._search.text().casefold() if self._search is not None else ""
        found = [model for model in state.models if wanted in f"{model.name} {model.id}".casefold()]
        for model in found[:MAX_SHOWN]:
            text = translate("connections", "{model} ({host})").format(model=model.name, host=connection.name)
            entry = self._add(text, is_checked=self._connections.chosen == (connection.id, model.id))
            entry.setToolTip(tooltip_text(model.id))
            entry.triggered.connect(partial(self._choose, connection.id, model.id))
        if len(found) > MAX_SHOWN:
            n_more = len(found) - MAX_SHOWN
            self._add_note(translate("connections", "{n} more on {host}").format(n=n_more, host=connection.name))
        if state.stage == "asking" and not state.models:
            self._add_note(translate("connections", "Connecting to {host}…").format(host=connection.name))
        elif state.stage == "failed":
            self._add_note(translate("connections", "{host} cannot be used now").format(host=connection.name))

    def _choose(self, connection_id: str, model_id: str) -> None:
        self._connections.choose(connection_id, model_id)

    def _add(self, text: str, *, is_checked: bool) -> QAction:
        entry = QAction(button_text(text), self._menu)
        entry.setCheckable(True)
        entry.setChecked(is_checked)
        self._menu.insertAction(self._end, entry)
        self._entries.append(entry)
        return entry

    def _add_note(self, text: str) -> None:
        note = QAction(button_text(text), self._menu)
        note.setEnabled(False)
        self._menu.insertAction(self._end, note)
        self._entries.append(note)
