"""Fixtures of the desktop tests: an asyncio loop on Qt's event loop for each test, and a window with a fake model."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import create_loop, make_engine, run_until_closed
from desktop.chat.message_list import MessageList
from desktop.endpoint.page import EndpointPage
from desktop.framework.actions import Action, Actions
from desktop.platform.language import LanguageChoice, install_translators
from desktop.platform.theme import Theme
from desktop.settings.settings_file import SettingsFile
from desktop.shell.main_window import MainWindow
from desktop.sidebar.chat_list_view import ChatListView
from desktop.startup.options import Options
from desktop.transcript.view import TranscriptView
from engine.engine import Engine
from engine.files.profile import Profile
from tests.fakes import FakeOpener, Script

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # tests store nothing in the system's keyring

T = TypeVar("T")

PATIENCE_S = 30.0
THREADS_END_S = 3.0
"""How long the fixture waits for threads that are still ending when the loop is closed."""

# Automatic garbage collection is off for the reason in `desktop.platform.gui_gc`.
# `run` collects garbage at the end of each test.
gc.disable()


@pytest.fixture(scope="session", autouse=True)
def _english(qapp: QApplication) -> None:
    """Sets the language to English, whatever the language of the system is."""
    install_translators(qapp, "en")


@pytest.fixture(autouse=True)
def _no_graphics_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uses no graphics card, and builds no library for one, whatever this machine has."""
    monkeypatch.setenv("GPU", "off")


@pytest.fixture(scope="session", autouse=True)
def _no_cursor_blinking(qapp: QApplication) -> None:
    """Stops the text cursor from blinking, so that screenshots do not differ because of it."""
    qapp.setCursorFlashTime(0)


class Run(Protocol):
    def __call__(self, coro: Coroutine[Any, Any, T]) -> T: ...


@pytest.fixture
def run(qapp: QApplication) -> Run:
    """Returns a function that runs a coroutine on a new qasync loop, and fails if a task or thread is left running."""

    def runner(coro: Coroutine[Any, Any, T]) -> T:
        before = set(threading.enumerate())
        with asyncio.Runner(loop_factory=lambda: create_loop(qapp)) as loop:
            result = loop.run(_check_tasks(coro))
        _collect_garbage(qapp)
        deadline = time.monotonic() + THREADS_END_S
        while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not left, f"threads left behind: {left}"
        return result

    return runner


def _collect_garbage(qapp: QApplication) -> None:
    """Destroys unreachable Qt objects on this thread, for the reason in `desktop.platform.gui_gc`."""
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


async def _check_tasks(coro: Coroutine[Any, Any, T]) -> T:
    result = await asyncio.wait_for(coro, 60)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks left behind: {left}"
    return result


async def until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Waits until the condition is true, like `qtbot.waitUntil`, which cannot be used inside a task."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 -- any state of a widget, most have no event to wait for
            await asyncio.sleep(0.005)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile(tmp_path / "profile").ensure()


class Gui:
    """Access to a running window with a real engine and a fake model."""

    def __init__(self, window: MainWindow, opener: FakeOpener) -> None:
        self.window = window
        self.opener = opener

    @property
    def transcript(self) -> Any:
        assert self.window.chat_page.transcript is not None
        return self.window.chat_page.transcript

    @property
    def endpoint_page(self) -> EndpointPage:
        page = self.window.view("endpoint", EndpointPage)
        assert page is not None
        return page

    def action(self, action_id: str) -> Action:
        actions = self.window.findChild(Actions)
        assert actions is not None
        return actions[action_id]

    @property
    def rows(self) -> list[Any]:
        messages = self.transcript.messages
        return [messages[row] for row in range(len(messages))]

    @property
    def chats(self) -> ChatListView:
        assert self.window.sidebar.chats is not None
        return self.window.sidebar.chats

    @property
    def ready(self) -> bool:
        return self.window.chat_page.header._model_state == "ready"


OpenGui = Callable[..., Any]


@pytest.fixture
def open_gui(qapp: QApplication, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenGui:
    """`async with open_gui(...) as gui` opens the window and runs the app. On exit, it closes the window as a user
    does."""
    monkeypatch.setattr("desktop.app.find_default_model", lambda profile: None)

    @asynccontextmanager
    async def opener(
        script: Script | None = None,
        *,
        model: bool = True,
        theme: str = "light",
        real: Path | None = None,
        file: Path | None = None,
        language: LanguageChoice = "en",
        hurry: Callable[[MainWindow], Coroutine[Any, Any, None]] | None = None,
    ) -> AsyncIterator[Gui]:
        """Opens the window and runs the app. `hurry` is called directly after the first paint, before the services are
        open."""
        fake = FakeOpener(script or Script(answer=b"Hello there."))
        file = real or file or tmp_path / "Tiny-Chat-Q4_1.gguf"
        settings = SettingsFile(profile.settings)
        settings.change(theme=theme)
        install_translators(qapp, language)
        window = MainWindow(Theme(qapp, settings.value.theme, settings.value.text_size), settings.value.geometry)
        window.show()
        options = Options(profile, file if model else None)
        living = asyncio.create_task(
            run_until_closed(
                window, settings, options, (lambda: make_engine(options.profile)) if real else lambda: Engine(fake)
            )
        )
        try:
            if hurry is not None:
                await hurry(window)
            await until(lambda: window.is_ready or living.done())
            yield Gui(window, fake)
        finally:
            window.close()
            clean = await living
            window.deleteLater()
            install_translators(qapp, "en")
        assert clean

    return opener


@pytest.fixture
def messages() -> MessageList:
    return MessageList()


@pytest.fixture
def view(qtbot: QtBot, theme: Theme, messages: MessageList) -> Iterator[TranscriptView]:
    """A transcript without a main window, which shows `messages`."""
    view = TranscriptView(theme)
    view.set_list(messages)
    view.resize(900, 600)
    with qtbot.waitExposed(view):
        view.show()
    yield view
    view.close()
    view.deleteLater()
