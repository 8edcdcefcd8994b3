"""Runs the app that is tested: the window with the real model, with the endpoint turned on. Stalls of its event loop
are logged."""

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
FINAL_STATES = ("complete", "stopped", "length")


class StallLog(QObject):
    """Records how late each tick of a timer is, in seconds. The timer runs in the event loop of the window."""

    def __init__(self) -> None:
        super().__init__()
        self.late_s = array("d")  # a list of 120,000 floats would grow by 4 MB and look like a memory leak
        self._last = time.perf_counter()
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late_s.append(max(0.0, now - self._last - TICK_MS / 1000))
        self._last = now


class SoakedApp:
    def __init__(self, window: MainWindow, profile: Profile, stores: list[Store]) -> None:
        self.window = window
        self.profile = profile
        self.final_texts: dict[str, str] = {}
        """The text of each finished answer in the window, by message id."""
        self._stores = stores
        assert window.chat_page.transcript is not None
        assert window.chat_page.transcript.messages is not None
        self.messages = window.chat_page.transcript.messages
        self.messages.dataChanged.connect(self._record)

    @property
    def store(self) -> Store:
        return self._stores[0]

    @property
    def is_ready(self) -> bool:
        return self.window.chat_page.header._model_state == "ready"

    @property
    def is_serving(self) -> bool:
        page = self.window.view("endpoint", EndpointPage)
        return page is not None and page._state.stage == "on" and bool(page._state.key)

    def _record(self, first: QModelIndex, last: QModelIndex) -> None:
        for row in range(first.row(), last.row() + 1):
            message = self.messages[row]
            if message.role == "assistant" and message.state in FINAL_STATES:
                self.final_texts[message.id] = message.text


@asynccontextmanager
async def running_app(application: QApplication, folder: Path, port: int) -> AsyncIterator[SoakedApp]:
    """Runs the app. On exit the window is closed as a user would close it. Fails if the app then does not end in
    time."""
    stores: list[Store] = []

    class RecordedStore(Store):
        def __init__(self, path: Path, **options: Any) -> None:
            super().__init__(path, **options)
            stores.append(self)

    setattr(desktop.app, "Store", RecordedStore)  # noqa: B010 -- what is assigned to is not the app's to export
    profile = Profile(folder).ensure()
    settings = SettingsFile(profile.settings)
    settings.change(endpoint_on=True, endpoint_port=port)
    window = MainWindow(Theme(application, "light"), "")
    window.show()
    options = Options(profile)
    running = asyncio.create_task(run_until_closed(window, settings, options, lambda: make_engine(profile)))
    try:
        await until(lambda: window.is_ready)
        app = SoakedApp(window, profile, stores)
        await until(lambda: app.is_ready and app.is_serving, 60)
        yield app
    finally:
        window.close()
        assert await running, "shutdown exceeded its time limit"
        setattr(desktop.app, "Store", Store)  # noqa: B010


async def until(condition: object, timeout_s: float = 30.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 -- the state of a widget has no event
            await asyncio.sleep(0.02)
