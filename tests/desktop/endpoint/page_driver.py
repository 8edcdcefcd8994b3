"""Helpers of the endpoint tests: click and read the endpoint page as a user does, send requests as a tool does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from desktop.endpoint.activity import ToolRequest
from desktop.endpoint.request_row_delegate import action_rects
from desktop.widgets.row_list import RowRole
from tests.desktop.conftest import Gui, OpenGui, until
from tests.desktop.shell.test_main_window import free_port
from tests.fakes import Script


@dataclass
class Client:
    """A tool that sends streamed requests to the endpoint, and collects the chunks of the answer."""

    gui: Gui
    key: str
    chunks: list[str] = field(default_factory=list)
    status: int = 0
    ended: bool = False

    async def ask(self, text: str, **fields: object) -> None:
        body = {"messages": [{"role": "user", "content": text}], "stream": True, **fields}
        url = self.gui.endpoint_page._address.text() + "/chat/completions"
        headers = {"Authorization": f"Bearer {self.key}"}
        async with (
            httpx.AsyncClient(trust_env=False, timeout=20) as client,
            client.stream("POST", url, json=body, headers=headers) as answer,
        ):
            self.status = answer.status_code
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    self.chunks.append(line)
        self.ended = True


@asynccontextmanager
async def served(open_gui: OpenGui, script: Script) -> AsyncIterator[Gui]:
    """Opens the app, turns the endpoint on and shows the endpoint page."""
    async with open_gui(script) as gui:
        gui.window.sidebar.page_buttons["endpoint"].click()
        gui.endpoint_page.port_requested.emit(free_port())
        await until(lambda: gui.endpoint_page._state.stage == "on" and gui.ready and gui.endpoint_page._state.key)
        yield gui


async def make_key(gui: Gui, name: str) -> str:
    """Create a key on the page, as a user does, and return its value, which is copied to the clipboard."""
    keys = gui.endpoint_page.keys
    keys._new_link.click()
    QTest.keyClicks(keys._name, name)
    QTest.keyClick(keys._name, Qt.Key.Key_Return)
    await until(keys._new_key.isVisible)
    keys._new_key.copy.click()
    value = QGuiApplication.clipboard().text()
    keys._new_key.done.emit()
    assert keys._new_key.line.text() == ""
    return value


def rows(gui: Gui) -> list[ToolRequest]:
    model = gui.endpoint_page.requests.view.model()
    return [model.index(row, 0).data(RowRole.ROW) for row in range(model.rowCount())]


def click(gui: Gui, row: int, act: str) -> None:
    view = gui.endpoint_page.requests.view
    index = view.model().index(row, 0)
    place: QPoint = action_rects(view.visualRect(index), rows(gui)[row])[act].center()  # type: ignore[index]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
