"""The services that the parts of the app share. `desktop.app` opens them and passes them to the factories of the
pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from desktop.chat.controller import ChatController
from desktop.chat.page import ChatPage
from desktop.compare.local_models import LocalModels
from desktop.connections.controller import ConnectionsController
from desktop.endpoint.controller import EndpointController
from desktop.endpoint.presenter import EndpointPresenter
from desktop.framework.actions import Actions
from desktop.framework.app_window import AppWindow
from desktop.import_export.controller import ImportExportController
from desktop.models.graphics_controller import GraphicsController
from desktop.models.library_controller import LibraryController
from desktop.models.model_controller import ModelController
from desktop.models.model_switcher import ModelSwitcher
from desktop.platform.task_set import TaskSet
from desktop.settings.current_settings import AppSettings
from desktop.sidebar.search_controller import SearchController
from desktop.sidebar.sidebar import Sidebar
from desktop.store.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """The window and all services behind it. GUI thread only."""

    window: AppWindow
    chat_page: ChatPage
    sidebar: Sidebar
    actions: Actions
    settings: AppSettings
    tasks: TaskSet
    store: Store
    search: SearchController
    palette_search: SearchController
    chats: ChatController
    models: ModelController
    model_switcher: ModelSwitcher
    library: LibraryController
    compared: LocalModels
    connections: ConnectionsController
    graphics: GraphicsController
    endpoint: EndpointController
    endpoint_presenter: EndpointPresenter
    import_export: ImportExportController
    diagnostics: Callable[[], str]
    """Returns a report for the clipboard: the machine, the versions, the states of model and endpoint, and the log."""
