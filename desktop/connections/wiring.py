"""Connects the connections with the models page, the chat page and the toasts."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject

from desktop.chat.page import ChatPage
from desktop.connections import strings
from desktop.connections.controller import ConnectionsController
from desktop.connections.section import ConnectionsSection
from desktop.connections.sheet import ConnectionSheet
from desktop.error_messages import error_message
from desktop.framework.app_window import AppWindow
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from engine.chat_engine import EngineStatus
from engine.errors import EngineError
from engine.remote.connection import Connection

translate = QCoreApplication.translate

TOPIC = "model"
"""The topic of toasts about the model that answers."""


class ConnectionsWiring(QObject):
    """A child object of the window. GUI thread only."""

    def __init__(
        self,
        window: AppWindow,
        page: ChatPage,
        connections: ConnectionsController,
        models: ModelController,
        tasks: TaskSet,
    ) -> None:
        super().__init__(window)
        self._window, self._page, self._tasks = window, page, tasks
        self._connections, self._models = connections, models
        connections.not_stored.connect(window.show_error)
        models.chat_status_changed.connect(self._show_status)

    def connect_section(self, section: ConnectionsSection, sheet: ConnectionSheet) -> None:
        """Called once, with the section of the models page and its sheet."""
        connections = self._connections
        connections.changed.connect(section.show_states)
        section.show_states(connections.states)
        section.add_requested.connect(sheet.show_new)
        section.edit_requested.connect(lambda connection_id: self._edit(sheet, connection_id))
        section.test_requested.connect(connections.look_at)
        section.remove_requested.connect(lambda connection_id: self._remove(sheet, connection_id))
        sheet.save_requested.connect(lambda connection, key: self._save(sheet, connection, key))
        sheet.test_requested.connect(
            lambda connection, key: self._tasks.spawn(self._test(sheet, connection, key), "test a connection")
        )
        sheet.closed.connect(section.add.setFocus)

    def _edit(self, sheet: ConnectionSheet, connection_id: str) -> None:
        for state in self._connections.states:
            if state.connection.id == connection_id:
                sheet.show_connection(state)

    def _remove(self, sheet: ConnectionSheet, connection_id: str) -> None:
        sheet.close_sheet()
        self._connections.remove(connection_id)

    def _save(self, sheet: ConnectionSheet, connection: Connection, key: str | None) -> None:
        sheet.close_sheet()
        self._connections.save(connection, key)

    async def _test(self, sheet: ConnectionSheet, connection: Connection, key: str | None) -> None:
        sheet.show_testing()
        try:
            found = await self._connections.test(connection, key)
        except EngineError as error:
            sheet.show_error(error)
        else:
            sheet.show_found(found)

    def _show_status(self, status: EngineStatus) -> None:
        self._page.show_place(strings.place(status.model))
        if status.error is not None and not self._models.answers_locally:
            self._window.toast.show_message(
                error_message(status.error),
                alert=True,
                action=translate("connections", "Try again"),
                act=self._connections.try_again,
                other_action=(translate("connections", "Use the local model"), self._connections.choose_local),
                topic=TOPIC,
            )
