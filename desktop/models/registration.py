"""Registers the models page with its title, icon, shortcut and factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP
from PySide6.QtWidgets import QWidget

from desktop.framework.pages import Page

if TYPE_CHECKING:
    from desktop.services import Services


def _prepare(services: Services) -> Callable[[], QWidget]:
    from desktop.connections.model_menu import ModelMenu
    from desktop.connections.wiring import ConnectionsWiring
    from desktop.models.offer_wiring import OfferWiring
    from desktop.models.wiring import ModelsWiring

    offer = OfferWiring(
        services.window,
        services.chat_page.greeting,
        services.library,
        services.models,
        services.model_switcher,
        services.settings,
        services.tasks,
    )
    wiring = ModelsWiring(
        services.window,
        services.library,
        services.models,
        services.chats,
        services.model_switcher,
        services.tasks,
        services.graphics,
        offer.offers_to_load,
        offer.shows_download,
    )

    connections = ConnectionsWiring(
        services.window, services.chat_page, services.connections, services.models, services.tasks
    )
    header = services.chat_page.header
    header.fill_models = partial(ModelMenu.fill, services.connections, services.models)

    def make_page() -> QWidget:
        page = wiring.make_page()
        connections.connect_section(page.connections, page.connection_sheet)
        page.seen.connect(services.connections.look_at_all)
        offer.add_to_page(page.offer)
        return page

    return make_page


MODELS_PAGE = Page(
    id="models",
    title=str(QT_TRANSLATE_NOOP("pages", "Models")),
    icon="box",
    command=str(QT_TRANSLATE_NOOP("actions", "Go to the models")),
    shortcut="Ctrl+2",
    prepare=_prepare,
)
