"""A list of models, as high as its rows are: the page scrolls, not the list."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QMenu, QToolTip, QWidget

from desktop.models import words
from desktop.models.model_list import ModelList
from desktop.models.rows import ModelRow
from desktop.theme import Theme, scaled
from desktop.widgets.models_rows import ROW, Act, ModelRows, actions


class ModelsView(QListView):
    """Enter does what the row's button says, or opens the settings of the model in use; Space opens the settings; a
    row's menu offers all of it."""

    act_asked = Signal(str, object)
    """What (an `Act`), and the `ModelRow`."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows = ModelRows(theme, self)
        self._most = 0
        self.setObjectName("models")
        self.setAccessibleName(name)
        self.setItemDelegate(self._rows)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        theme.changed.connect(self.fit_rows)

    def set_list(self, models: ModelList) -> None:
        self.setModel(models)
        for signal in (models.rowsInserted, models.rowsRemoved):
            signal.connect(self.fit_rows)
        self.fit_rows()

    def fit_rows(self) -> None:
        self.setFixedHeight(self._n_rows() * scaled(ROW))

    def row_at(self, index: QModelIndex) -> ModelRow | None:
        model = self.model()
        return model[index.row()] if isinstance(model, ModelList) and index.isValid() else None

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self._n_rows():
            self.setCurrentIndex(self.model().index(0, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.row_at(self.currentIndex())
        if row is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._act(_main_act(row), row)
        elif row is not None and event.key() == Qt.Key.Key_Space and row.place == "disk":
            self._act("settings", row)
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and not self._has_next(event.key()):
            self.focusNextPrevChild(event.key() == Qt.Key.Key_Down)
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._point(event.position().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        place = event.position().toPoint()
        row = self.row_at(self.indexAt(place))
        if event.button() == Qt.MouseButton.LeftButton and row is not None:
            self._act(self._act_at(place), row)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(QPoint(-1, -1))

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            row = self.row_at(self.indexAt(event.pos()))
            act = self._act_at(event.pos())
            text = self.tr("Settings of this model") if act == "settings" else words.why(row) if row else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)

    def _n_rows(self) -> int:
        model = self.model()
        return len(model) if isinstance(model, ModelList) else 0

    def _has_next(self, key: int) -> bool:
        at = self.currentIndex().row()
        return at > 0 if key == Qt.Key.Key_Up else at < self._n_rows() - 1

    def _act(self, act: Act | None, row: ModelRow) -> None:
        if act is not None:
            self.act_asked.emit(act, row)

    def _act_at(self, place: QPoint) -> Act | None:
        index = self.indexAt(place)
        row = self.row_at(index)
        found = actions(self.visualRect(index), row, pointed=True) if row is not None else {}
        return next((act for act, box in found.items() if box.contains(place)), None)

    def _point(self, place: QPoint) -> None:
        self._rows.pointed = place
        hand = self._act_at(place) is not None
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)
        self.viewport().update()

    def _open_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        row = self.row_at(index if index.isValid() else self.currentIndex())
        if row is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for line in filter(None, (words.about(row), words.why(row))):
            menu.addAction(line).setEnabled(False)
        menu.addSeparator()
        if row.can_load:
            menu.addAction(self.tr("Load"), lambda: self._act("load", row))
        if row.use == "in_use":
            menu.addAction(self.tr("Unload"), lambda: self._act("unload", row))
        if row.place == "disk":
            menu.addAction(self.tr("Settings…"), lambda: self._act("settings", row))
        elif not row.is_here and not row.gated:
            menu.addAction(self.tr("Download"), lambda: self._act("download", row))
        menu.popup(self.viewport().mapToGlobal(place))


def _main_act(row: ModelRow) -> Act | None:
    if row.can_load:
        return "load"
    if row.can_download:
        return "download"
    return "settings" if row.place == "disk" else None
