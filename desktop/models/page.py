"""The models page: an offered model, local models, downloads, search results and recommended models."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.connections.section import ConnectionsSection
from desktop.connections.sheet import ConnectionSheet
from desktop.models.download_cards import DownloadCards
from desktop.models.library_controller import LibraryState
from desktop.models.model_settings_sheet import ModelSettingsSheet
from desktop.models.offer_card import OfferCard
from desktop.models.page_header import ModelsPageHeader
from desktop.models.page_sections import HubSearchSection, LocalModelsSection, ModelSection
from desktop.platform.theme import Theme
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.side_sheet import SideSheet


class ModelsPage(ScrollPage):
    seen = Signal()
    """The page has become visible."""
    action_requested = Signal(str, object)
    """The user requested an action on a row. Carries the `RowAction` and the `ModelRow`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("models", parent)
        inner = QWidget(self._body)
        self.header = ModelsPageHeader(theme, inner)
        self.sidebar_button = self.header.sidebar_button
        self.offer = OfferCard(inner)
        self.downloads = DownloadCards(theme, inner)
        self.local_models = LocalModelsSection(theme, inner)
        self.recommended = ModelSection(theme, self.tr("Recommended"), inner)
        self.hub_results = HubSearchSection(theme, inner)
        self.connections = ConnectionsSection(theme, inner)
        self.sheet = self.side_sheet = ModelSettingsSheet(theme, self)
        self.connection_sheet = ConnectionSheet(theme, self)
        for sheet in (self.sheet, self.connection_sheet):
            sheet.taken_width_changed.connect(lambda taken: self.setViewportMargins(0, 0, taken, 0))
            sheet.opened.connect(partial(self._show_only, sheet))
        for section in (self.local_models, self.recommended, self.hub_results):
            section.action_requested.connect(self.action_requested)
        self.header.search.down_pressed.connect(self.local_models.view.setFocus)
        self._lay_out(inner)

    def show_state(self, state: LibraryState) -> None:
        self.local_models.show_state(state)
        self.hub_results.show_state(state)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.seen.emit()

    def _show_only(self, sheet: SideSheet) -> None:
        """Close the other sheet."""
        for other in (self.sheet, self.connection_sheet):
            if other is not sheet:
                other.hide()
        self.side_sheet = sheet

    def _lay_out(self, inner: QWidget) -> None:
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addWidget(self.header)
        parts = (
            *(self.offer, self.local_models, self.downloads),
            *(self.connections, self.hub_results, self.recommended),
        )
        for part in parts:
            column.addWidget(part)
        column.addStretch(1)
        self._put_in_the_middle(inner)
