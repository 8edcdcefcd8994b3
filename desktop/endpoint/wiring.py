"""Connects the page of the endpoint with its controllers and the window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject

from desktop.chat.controller import ChatController
from desktop.chat.page import ChatPage
from desktop.endpoint import strings
from desktop.endpoint.controller import EndpointController, EndpointState
from desktop.endpoint.page import EndpointPage
from desktop.endpoint.presenter import EndpointPresenter
from desktop.endpoint.request_conversation import RequestConversation
from desktop.error_messages import error_message
from desktop.framework.actions import Action, Actions
from desktop.framework.app_window import AppWindow
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.settings.current_settings import AppSettings
from desktop.sidebar.sidebar import Sidebar
from engine.status import Status

translate = QCoreApplication.translate


class EndpointWiring(QObject):
    """Owns the connections of the endpoint page, which is created by `make_page`. A child object of the window. GUI
    thread only."""

    def __init__(
        self,
        window: AppWindow,
        chat_page: ChatPage,
        sidebar: Sidebar,
        endpoint: EndpointController,
        presenter: EndpointPresenter,
        chats: ChatController,
        models: ModelController,
        actions: Actions,
        tasks: TaskSet,
        settings: AppSettings,
    ) -> None:
        super().__init__(window)
        self._switch_action = _switch_action(self._toggle)
        actions.add(self._switch_action)
        self._window, self._endpoint, self._presenter, self._models = window, endpoint, presenter, models
        self._page: EndpointPage | None = None
        self._chats, self._tasks, self._settings, self._sidebar = chats, tasks, settings, sidebar
        self._stage = endpoint.state.stage
        chat_page.header.tools_requested.connect(self._show_page)
        presenter.n_tools_changed.connect(chat_page.header.show_tools)
        endpoint.changed.connect(self._show_state)
        presenter.allowed_origins_changed.connect(lambda origins: settings.change(endpoint_origins=list(origins)))
        presenter.conversation_opened.connect(self._open_as_chat)
        presenter.failed.connect(self._show_error)
        self._show_state(endpoint.state)

    def make_page(self) -> EndpointPage:
        """Creates the page and connects it. Called once."""
        self._page = page = EndpointPage(self._window.theme)
        page.switched.connect(self._switch)
        page.port_requested.connect(self._use_port)
        page.show_state(self._endpoint.state)
        self._connect_presenter(page)

        def show_model(status: Status) -> None:
            page.snippets.show_model(status.model.id if status.model else "")

        self._models.status_changed.connect(show_model)
        show_model(self._models.status)
        return page

    def _connect_presenter(self, page: EndpointPage) -> None:
        presenter = self._presenter
        page.requests.set_list(presenter.requests)
        page.visible_changed.connect(presenter.set_visible)
        page.requests.stop_requested.connect(presenter.stop)
        page.requests.stop_all_requested.connect(presenter.stop_all)
        page.requests.open_requested.connect(presenter.open_as_chat)
        page.requests.keep_bodies_toggled.connect(presenter.keep_bodies)
        page.keys.add_requested.connect(presenter.add_key)
        page.keys.revoke_requested.connect(presenter.revoke_key)
        presenter.keys_changed.connect(page.keys.show_keys)
        presenter.key_created.connect(page.keys.show_new_key)
        page.origins.allow_requested.connect(presenter.allow_origin)
        page.origins.remove_requested.connect(presenter.remove_origin)
        presenter.origins_changed.connect(page.origins.show_origins)
        presenter.memory_read.connect(page.memory.show_shares)

    def _show_page(self) -> None:
        self._window.show_page("endpoint")

    def _show_error(self, error: BaseException) -> None:
        self._window.toast.show_message(strings.error_text(error) or error_message(error), alert=True, topic="endpoint")

    def _toggle(self) -> None:
        """Turns the endpoint on or off, like a click on the switch of the page."""
        if self._page is not None:
            self._page.toggle()
        else:
            self._switch(self._endpoint.state.stage not in ("on", "starting"))

    def _switch(self, on: bool) -> None:
        self._settings.change(endpoint_on=on)
        change = self._endpoint.turn_on() if on else self._endpoint.turn_off()
        self._tasks.spawn(change, "switch the endpoint")

    def _use_port(self, port: int) -> None:
        port = port if port < 65_536 else 1_024
        self._settings.change(endpoint_on=True, endpoint_port=port)
        self._tasks.spawn(self._endpoint.turn_on(port), "start the endpoint")

    def _show_state(self, state: EndpointState) -> None:
        if self._page is not None:
            self._page.show_state(state)
        self._switch_action.setChecked(state.stage in ("on", "starting"))
        self._sidebar.show_endpoint(state.stage == "on")
        if state.stage != self._stage:
            self._stage = state.stage
            self._report_failure(state)

    def _report_failure(self, state: EndpointState) -> None:
        """Show a toast if the endpoint fails to start. While the endpoint page is open, there is no toast, because the
        page shows the reason itself."""
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

    def _open_as_chat(self, conversation: RequestConversation) -> None:
        self._tasks.spawn(self._save_and_open(conversation), "open a request as a chat")

    async def _save_and_open(self, conversation: RequestConversation) -> None:
        chat = await self._chats.sessions.add_chat(conversation.system, conversation.messages)
        self._chats.sessions.open_chat(chat.id)
        self._window.show_page("chat")


def _switch_action(toggle: Callable[[], None]) -> Action:
    name, label = translate("actions", "Turn the endpoint on or off"), translate("actions", "Endpoint")
    action = Action("switch_endpoint", name, toggle, label=label)
    action.setCheckable(True)
    return action
