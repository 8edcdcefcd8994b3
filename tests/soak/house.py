"""A window with the real model and an open endpoint, in a profile of its own; and the pulse of its event loop."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

import desktop.app
from desktop.app import make_engine, run_until_closed
from desktop.endpoint.page import EndpointPage
from desktop.platform.theme import Theme
from desktop.settings.settings_file import SettingsFile
from desktop.shell.main_window import MainWindow
from desktop.startup.options import Options
from desktop.store.store import Store
from engine.files.profile import Profile

TICK_MS = 5
OVER = ("complete", "stopped", "length")


class Pulse(QObject):
    """How late each tick of a timer in the GUI's loop is, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.late = array("d")  # a list of 120,000 floats would stand as a leak of 4 MB
        self._last = time.perf_counter()
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=TICK_MS)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, now - self._last - TICK_MS / 1000))
        self._last = now


class House:
    def __init__(self, window: MainWindow, profile: Profile, stores: list[Store]) -> None:
        self.window = window
        self.profile = profile
        self.said: dict[str, str] = {}
        """The text of every answer that the window showed as done, by the message's id."""
        self._stores = stores
        assert window.chat_page.transcript is not None
        assert window.chat_page.transcript.messages is not None
        self.messages = window.chat_page.transcript.messages
        self.messages.dataChanged.connect(self._note)

    @property
    def store(self) -> Store:
        return self._stores[0]

    @property
    def ready(self) -> bool:
        return self.window.chat_page.header._model_state == "ready"

    @property
    def serves(self) -> bool:
        page = self.window.view("endpoint", EndpointPage)
        return page is not None and page._state.stage == "on" and bool(page._state.key)

    def _note(self, first: QModelIndex, last: QModelIndex) -> None:
        for row in range(first.row(), last.row() + 1):
            message = self.messages[row]
            if message.role == "assistant" and message.state in OVER:
                self.said[message.id] = message.text


@asynccontextmanager
async def opened(application: QApplication, folder: Path, port: int) -> AsyncIterator[House]:
    """Leaving closes the window as a person would. Fails where the app does not end in time."""
    stores: list[Store] = []

    class Kept(Store):
        def __init__(self, path: Path, **options: Any) -> None:
            super().__init__(path, **options)
            stores.append(self)

    setattr(desktop.app, "Store", Kept)  # noqa: B010 -- what is assigned to is not the app's to export
    profile = Profile(folder).ensure()
    settings = SettingsFile(profile.settings)
    settings.change(endpoint_on=True, endpoint_port=port)
    window = MainWindow(Theme(application, "light"), "")
    window.show()
    options = Options(profile)
    living = asyncio.create_task(run_until_closed(window, settings, options, lambda: make_engine(profile)))
    try:
        await until(lambda: window.is_ready)
        house = House(window, profile, stores)
        await until(lambda: house.ready and house.serves, 60)
        yield house
    finally:
        window.close()
        assert await living, "something did not end in time"
        setattr(desktop.app, "Store", Store)  # noqa: B010


async def until(condition: object, timeout_s: float = 30.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 -- the state of a widget has no event
            await asyncio.sleep(0.02)
