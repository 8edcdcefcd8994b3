"""Registers the endpoint page with its title, icon, shortcut and factory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP
from PySide6.QtWidgets import QWidget

from desktop.framework.pages import Page

if TYPE_CHECKING:
    from desktop.services import Services


def _prepare(services: Services) -> Callable[[], QWidget]:
    from desktop.endpoint.wiring import EndpointWiring

    wiring = EndpointWiring(
        services.window,
        services.chat_page,
        services.sidebar,
        services.endpoint,
        services.endpoint_presenter,
        services.chats,
        services.models,
        services.actions,
        services.tasks,
        services.settings,
    )
    return wiring.make_page


ENDPOINT_PAGE = Page(
    id="endpoint",
    title=str(QT_TRANSLATE_NOOP("pages", "Endpoint")),
    icon="plug",
    command=str(QT_TRANSLATE_NOOP("actions", "Go to the endpoint")),
    shortcut="Ctrl+3",
    prepare=_prepare,
)
