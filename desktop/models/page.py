"""The page of the models: what is on this computer, what would run well on it, and what is on its way."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.models.download_cards import DownloadCards
from desktop.models.library_controller import LibraryState
from desktop.models.model_settings_sheet import ModelSettingsSheet
from desktop.models.page_header import ModelsPageHeader
from desktop.models.page_sections import HubSearchSection, LocalModelsSection, ModelSection
from desktop.platform.theme import Theme
from desktop.widgets.scroll_page import ScrollPage


class ModelsPage(ScrollPage):
    seen = Signal()
    """Somebody looks at the page now."""
    action_requested = Signal(str, object)
    """What a row is to do (an `Act`), and the `ModelRow`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("models", parent)
        inner = QWidget(self._body)
        self.head = ModelsPageHeader(theme, inner)
        self.sidebar_button = self.head.sidebar_button
        self.downloads = DownloadCards(theme, inner)
        self.on_disk = LocalModelsSection(theme, inner)
        self.suggested = ModelSection(theme, self.tr("Worth a try"), inner)
        self.on_hub = HubSearchSection(theme, inner)
        self.sheet = self.side_sheet = ModelSettingsSheet(theme, self)
        self.sheet.room_changed.connect(lambda taken: self.setViewportMargins(0, 0, taken, 0))
        for section in (self.on_disk, self.suggested, self.on_hub):
            section.action_requested.connect(self.action_requested)
        self.head.search.down_pressed.connect(self.on_disk.view.setFocus)
        self._lay_out(inner)

    def show_state(self, state: LibraryState) -> None:
        self.on_disk.show_state(state)
        self.on_hub.show_state(state)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.seen.emit()

    def _lay_out(self, inner: QWidget) -> None:
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addWidget(self.head)
        for part in (self.on_disk, self.downloads, self.on_hub, self.suggested):
            column.addWidget(part)
        column.addStretch(1)
        self._put_in_the_middle(inner)
