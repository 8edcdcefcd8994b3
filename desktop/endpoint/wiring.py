"""Where the endpoint's page meets its controllers."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktop.chat.controller import ChatController
from desktop.chat.imported_chat import keep_imported
from desktop.chat.page import ChatPage
from desktop.endpoint import strings
from desktop.endpoint.controller import EndpointController, EndpointState
from desktop.endpoint.page import EndpointPage
from desktop.endpoint.presenter import EndpointPresenter
from desktop.endpoint.request_conversation import Asked
from desktop.error_messages import error_message
from desktop.framework.app_window import AppWindow
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.settings.app_settings import AppSettings
from desktop.sidebar.sidebar import Sidebar
from desktop.store.store import Store
from engine.events import Status


class EndpointWiring(QObject):
    """Connects the page of one window, and lives as long. GUI thread only."""

    def __init__(
        self,
        window: AppWindow,
        chat_page: ChatPage,
        sidebar: Sidebar,
        page: EndpointPage,
        endpoint: EndpointController,
        desk: EndpointPresenter,
        chats: ChatController,
        models: ModelController,
        store: Store,
        tasks: TaskSet,
        settings: AppSettings,
    ) -> None:
        super().__init__(window)
        self._window, self._page, self._endpoint, self._desk = window, page, endpoint, desk
        self._chats, self._store, self._tasks, self._settings = chats, store, tasks, settings
        self._sidebar = sidebar
        self._stage = endpoint.state.stage
        chat_page.header.tools_requested.connect(self._show_page)
        desk.tools_changed.connect(chat_page.header.show_tools)
        page.switched.connect(self._switch)
        page.port_requested.connect(self._use_port)
        endpoint.changed.connect(self._show_state)
        models.status_changed.connect(self._show_model)
        self._connect_desk()
        self._show_state(endpoint.state)
        self._show_model(models.status)

    def _connect_desk(self) -> None:
        page, desk = self._page, self._desk
        page.requests.set_list(desk.calls)
        page.seen_changed.connect(desk.set_visible)
        page.requests.stop_requested.connect(desk.stop)
        page.requests.stop_all_requested.connect(desk.stop_all)
        page.requests.open_requested.connect(desk.open)
        page.requests.keep_asked.connect(desk.keep_bodies)
        page.keys.add_requested.connect(desk.add_key)
        page.keys.revoke_requested.connect(desk.revoke_key)
        desk.keys_changed.connect(page.keys.show_keys)
        desk.key_made.connect(page.keys.show_made)
        page.origins.allow_requested.connect(desk.allow_origin)
        page.origins.remove_requested.connect(desk.remove_origin)
        desk.origins_changed.connect(page.origins.show_origins)
        desk.allowed_origins_changed.connect(lambda origins: self._settings.change(endpoint_origins=list(origins)))
        desk.memory_read.connect(page.memory.show_shares)
        desk.request_opened.connect(self._open_as_chat)
        desk.failed.connect(self._tell)

    def _show_page(self) -> None:
        self._window.show_page("endpoint")

    def _tell(self, error: BaseException) -> None:
        self._window.toast.show_message(strings.trouble(error) or error_message(error), alert=True, topic="endpoint")

    def _switch(self, on: bool) -> None:
        self._settings.change(endpoint_on=on)
        change = self._endpoint.turn_on() if on else self._endpoint.turn_off()
        self._tasks.spawn(change, "switch the endpoint")

    def _use_port(self, port: int) -> None:
        port = port if port < 65_536 else 1_024
        self._settings.change(endpoint_on=True, endpoint_port=port)
        self._tasks.spawn(self._endpoint.turn_on(port), "start the endpoint")

    def _show_state(self, state: EndpointState) -> None:
        self._page.show_state(state)
        self._sidebar.show_endpoint(state.stage == "on")
        if state.stage != self._stage:
            self._stage = state.stage
            self._tell_failed(state)

    def _tell_failed(self, state: EndpointState) -> None:
        """The page says why the endpoint did not start; a person who is elsewhere has to be told too."""
        if state.stage != "failed" or state.error is None:
            self._window.toast.clear("endpoint failed")
        elif not self._window.is_page_shown("endpoint"):
            self._window.toast.show_message(
                error_message(state.error),
                alert=True,
                action=self.tr("Show the endpoint"),
                act=self._show_page,
                topic="endpoint failed",
            )

    def _show_model(self, status: Status) -> None:
        self._page.snippets.show_model(status.model.id if status.model else "")

    def _open_as_chat(self, asked: Asked) -> None:
        self._tasks.spawn(self._keep_and_open(asked), "open a request as a chat")

    async def _keep_and_open(self, asked: Asked) -> None:
        chat = await keep_imported(self._store, asked.system, asked.messages)
        await self._chats.load_chats()
        self._chats.open_chat(chat.id)
        self._window.show_page("chat")
