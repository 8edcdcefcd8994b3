"""The page of the models: what is on this computer, what would run well on it, and what is on its way."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.models.library import LibraryState
from desktop.theme import Theme
from desktop.widgets.models_downloads import DownloadsBox
from desktop.widgets.models_head import ModelsHead
from desktop.widgets.models_sections import DiskSection, HubSection, ModelsSection
from desktop.widgets.models_sheet import ModelSheet
from desktop.widgets.scroll_page import ScrollPage


class ModelsPage(ScrollPage):
    sidebar_asked = Signal()
    seen = Signal()
    """Somebody looks at the page now."""
    act_asked = Signal(str, object)
    """What a row is to do (an `Act`), and the `ModelRow`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("models", parent)
        inner = QWidget(self._body)
        self.head = ModelsHead(theme, inner)
        self.fold = self.head.fold
        self.fold.clicked.connect(self.sidebar_asked)
        self.downloads = DownloadsBox(theme, inner)
        self.on_disk = DiskSection(theme, inner)
        self.suggested = ModelsSection(theme, self.tr("Worth a try"), inner)
        self.on_hub = HubSection(theme, inner)
        self.sheet = ModelSheet(theme, self)
        self.sheet.room_changed.connect(lambda taken: self.setViewportMargins(0, 0, taken, 0))
        for section in (self.on_disk, self.suggested, self.on_hub):
            section.act_asked.connect(self.act_asked)
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
