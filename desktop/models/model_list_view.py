"""A list of models in a card. The models page has three: local models, recommended models, search results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QMenu, QWidget

from desktop.models import strings
from desktop.models.model_list import ModelRow
from desktop.models.model_row_delegate import ModelRowDelegate, RowAction, action_rects
from desktop.platform.theme import Theme
from desktop.widgets.card_list_view import CardListView


class ModelListView(CardListView[ModelRow, RowAction]):
    """A list of models. Enter has the effect of the button of the row. In the row of the model in use, Enter opens the
    settings sheet. Space opens the settings sheet in every row. The context menu has all actions."""

    action_requested = Signal(str, object)
    """The user requested an action. Carries the `RowAction` and the `ModelRow`."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, ModelRowDelegate, "models", parent)
        self.setAccessibleName(name)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self._n_rows():
            self.setCurrentIndex(self.model().index(0, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self._row_of(self.currentIndex())
        if row is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if (action := _default_action(row)) is not None:
                self._perform(action, row)
        elif row is not None and event.key() == Qt.Key.Key_Space and row.place == "disk":
            self._perform("settings", row)
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and not self._has_next(event.key()):
            self.focusNextPrevChild(event.key() == Qt.Key.Key_Down)
        else:
            super().keyPressEvent(event)

    def _has_next(self, key: int) -> bool:
        at = self.currentIndex().row()
        return at > 0 if key == Qt.Key.Key_Up else at < self._n_rows() - 1

    def _action_rects(self, box: QRect, row: ModelRow) -> Mapping[RowAction, QRect]:
        return action_rects(box, row, hovered=True)

    def _perform(self, action: RowAction, row: ModelRow) -> None:
        self.action_requested.emit(action, row)

    def _tooltip(self, row: ModelRow, action: RowAction | None) -> str:
        return self.tr("Settings of this model") if action == "settings" else strings.explanation(row)

    def _menu_header(self, row: ModelRow) -> Iterable[str]:
        return filter(None, (strings.details(row), strings.explanation(row)))

    def _fill_menu(self, menu: QMenu, row: ModelRow) -> None:
        if row.can_load:
            menu.addAction(self.tr("Load"), lambda: self._perform("load", row))
        if row.use == "loading":
            menu.addAction(self.tr("Cancel loading"), lambda: self._perform("cancel", row))
        if row.use == "in_use":
            menu.addAction(self.tr("Unload"), lambda: self._perform("unload", row))
        if row.place == "disk":
            menu.addAction(self.tr("Settings…"), lambda: self._perform("settings", row))
        elif not row.is_local and not row.gated:
            menu.addAction(self.tr("Download"), lambda: self._perform("download", row))


def _default_action(row: ModelRow) -> RowAction | None:
    if row.can_load:
        return "load"
    if row.can_download:
        return "download"
    return "settings" if row.place == "disk" else None
