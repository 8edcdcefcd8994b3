"""Sections of the models page: local models with their folders, recommended models, search results."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.models import strings
from desktop.models.library_controller import LibraryState
from desktop.models.model_list import ModelList
from desktop.models.model_list_view import ModelListView
from desktop.platform.text_escaping import tooltip_text
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import Card, IconButton, label, link
from desktop.widgets.flow import FlowLayout
from desktop.widgets.tab_order import set_tab_order

translate = QCoreApplication.translate


class ModelSection(QWidget):
    """A heading and a card with a list of models. Hidden if there is neither a row nor a message."""

    action_requested = Signal(str, object)

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list: ModelList | None = None
        self._message = ""
        self.note = label("cardLabel", "", self)
        self.view = ModelListView(theme, title, self)
        self.view.action_requested.connect(self.action_requested)
        self.card = Card(self)
        self.empty = label("pageText", "", self.card, wraps=True)
        self.empty.setContentsMargins(10, 12, 10, 12)
        inside = QVBoxLayout(self.card)
        inside.setContentsMargins(9, 3, 9, 3)
        inside.setSpacing(0)
        inside.addWidget(self.view)
        inside.addWidget(self.empty)
        head = QHBoxLayout()
        head.setContentsMargins(2, 0, 2, 0)
        head.addWidget(label("sectionTitle", title, self), 1)
        head.addWidget(self.note)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addLayout(head)
        self._column.addWidget(self.card)

    def set_list(self, models: ModelList) -> None:
        self._list = models
        self.view.set_list(models)
        for signal in (models.rowsInserted, models.rowsRemoved):
            signal.connect(self._fit)
        self._fit()

    def show_message(self, text: str) -> None:
        """Set the text that is shown if the list is empty; with "" an empty section is hidden."""
        self._message = text
        self.empty.setText(text)
        self._fit()

    def _fit(self) -> None:
        n_rows = len(self._list) if self._list is not None else 0
        self.view.setVisible(n_rows > 0)
        self.empty.setVisible(n_rows == 0)
        self.setVisible(self._has_content(n_rows))

    def _has_content(self, n_rows: int) -> bool:
        return n_rows > 0 or bool(self._message)


class LocalModelsSection(ModelSection):
    """Lists the local models, and shows a chip for each folder that the user added."""

    folder_removed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, translate("LocalModelsSection", "On this computer"), parent)
        self._theme = theme
        self._folders: tuple[Path, ...] = ()
        self._unreadable: tuple[Path, ...] = ()
        self.chips = QWidget(self)
        self._flow = FlowLayout(8, self.chips)
        self._column.addWidget(self.chips)

    def show_state(self, state: LibraryState) -> None:
        self.note.setText(self.tr("Scanning…") if state.scanning else "")
        if state.filter:
            self.show_message(self.tr("No model here has “{text}” in its name.").format(text=state.filter))
        elif state.scanning:
            self.show_message(self.tr("Scanning your folders…"))
        else:
            self.show_message(
                self.tr("There is no model yet. Add a folder with models, or download one of the models below.")
            )
        if (state.folders, state.unreadable) != (self._folders, self._unreadable):
            self._folders, self._unreadable = state.folders, state.unreadable
            self._show_folders()

    def _show_folders(self) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        removes: list[QWidget] = []
        for folder in self._folders:
            chip = FolderChip(self._theme, folder, folder not in self._unreadable, self.chips)
            chip.remove.clicked.connect(lambda _=False, folder=folder: self.folder_removed.emit(folder))
            self._flow.addWidget(chip)
            removes.append(chip.remove)
            chip.show()
        set_tab_order(self.view, *removes)
        self.chips.setVisible(bool(self._folders))


class FolderChip(QFrame):
    def __init__(self, theme: Theme, folder: Path, readable: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("folderChip")
        shown = strings.folder_name(folder)
        self.text = label("folderName", shown, self)
        short = self.fontMetrics().elidedText(shown, Qt.TextElideMode.ElideMiddle, 300)
        self.text.setText(short if readable else self.tr("{folder}: cannot be read").format(folder=short))
        self.text.setToolTip(tooltip_text(str(folder)))
        self.remove = IconButton(theme, "x", self.tr("Remove the folder {folder}").format(folder=shown), self)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 2, 0)
        row.setSpacing(2)
        row.addWidget(self.text)
        row.addWidget(self.remove)


class HubSearchSection(ModelSection):
    """Lists the results of a search on the hub, and shows the link that starts the search."""

    search_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, translate("HubSearchSection", "On Hugging Face"), parent)
        self._theme = theme
        self._state = LibraryState()
        self._offers_search = False
        self._search_link = link("", self)
        self._search_link.clicked.connect(self.search_requested)
        self._cloud = QLabel(self)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._cloud)
        row.addWidget(self._search_link)
        row.addStretch(1)
        self._column.addLayout(row)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.show_state(self._state)

    def show_state(self, state: LibraryState) -> None:
        self._state = state
        text, hub = state.filter, state.hub
        match hub.stage:
            case "searching":
                self.show_message(self.tr("Searching Hugging Face for “{text}”…").format(text=hub.text))
            case "failed":
                self.show_message(strings.hub_error(hub.error))
            case "found":
                self.show_message(self.tr("Hugging Face has no GGUF model named “{text}”.").format(text=hub.text))
            case _:
                self.show_message("")
        was_searched, failed = hub.text == text, hub.stage == "failed"
        self._offers_search = bool(text) and hub.stage != "searching" and (not was_searched or failed)
        self._search_link.setText(
            self.tr("Try again")
            if was_searched and failed
            else self.tr("Search Hugging Face for “{text}”").format(text=text)
        )
        self._search_link.setVisible(self._offers_search)
        self._cloud.setVisible(failed)
        self.card.setVisible(hub.stage != "idle")
        self._fit()

    def _has_content(self, n_rows: int) -> bool:
        return self._offers_search or self._state.hub.stage != "idle"

    def _restyle(self) -> None:
        self._cloud.setPixmap(self._theme.pixmap("cloud-off", "muted", 16, self.devicePixelRatioF()))
