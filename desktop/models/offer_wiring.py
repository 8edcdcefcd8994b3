"""Shows the offer of a model below the greeting and on the models page, and connects its buttons."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject

from desktop.chat.greeting import Greeting
from desktop.framework.app_window import AppWindow
from desktop.models.library_controller import LibraryController
from desktop.models.model_controller import ModelController
from desktop.models.model_offer import ModelOffer, OfferedModel
from desktop.models.model_switcher import ModelSwitcher
from desktop.models.offer_card import OfferCard
from desktop.platform.task_set import TaskSet
from desktop.settings.current_settings import AppSettings
from engine.library.network_state import has_network
from engine.status import Status


class OfferWiring(QObject):
    """Makes the card when there is an offer for the first time. A child object of the window. GUI thread only."""

    def __init__(
        self,
        window: AppWindow,
        greeting: Greeting,
        library: LibraryController,
        models: ModelController,
        switcher: ModelSwitcher,
        settings: AppSettings,
        tasks: TaskSet,
    ) -> None:
        super().__init__(window)
        self._window, self._greeting, self._switcher = window, greeting, switcher
        self._card: OfferCard | None = None
        self._page_card: OfferCard | None = None
        self._offer = ModelOffer(library, settings, tasks, has_network)
        self._offer.changed.connect(self._show)
        self._models = models
        models.status_changed.connect(self._update_status)
        self._update_status(models.status)

    def add_to_page(self, card: OfferCard) -> None:
        """Show the offer on the models page, too, while there is no model."""
        self._page_card = card
        self._connect(card)
        self._show_on_page(self._offer.offered)

    def offers_to_load(self, path: Path) -> bool:
        """Whether a card is visible and offers to load this file."""
        offered = self._offer.offered
        is_visible = any(card is not None and card.isVisible() for card in (self._card, self._page_card))
        return offered is not None and offered.path == path and is_visible

    def shows_download(self, key: str) -> bool:
        """Whether the card is visible and shows the state of this download."""
        download = self._offer.offered.download if self._offer.offered is not None else None
        return download is not None and download.key == key and self._card is not None and self._card.isVisible()

    def _update_status(self, status: Status) -> None:
        self._offer.update_status(status, self._models.path)

    def _show(self, offered: OfferedModel | None) -> None:
        self._show_on_page(offered)
        if self._card is None and offered is None:
            return
        card = self._card = self._card or self._make_card()
        card.show_offer(offered)
        self._greeting.fit()

    def _show_on_page(self, offered: OfferedModel | None) -> None:
        """The page shows downloads and the other models itself."""
        if self._page_card is not None:
            is_shown = offered is not None and offered.is_first and offered.stage != "downloading"
            self._page_card.show_offer(offered if is_shown else None)

    def _make_card(self) -> OfferCard:
        card = OfferCard(self._greeting)
        self._connect(card)
        card.declined.connect(lambda: self._window.show_page("chat"))  # gives the composer the focus
        self._greeting.add_card(card)
        return card

    def _connect(self, card: OfferCard) -> None:
        card.download_requested.connect(self._offer.accept)
        card.declined.connect(self._offer.decline)
        card.load_requested.connect(self._load)
        card.models_requested.connect(lambda: self._window.show_page("models"))

    def _load(self) -> None:
        if (offered := self._offer.offered) is not None and offered.path is not None:
            self._switcher.load(str(offered.path))
