"""Random actions of a user in the window: sending, stopping, editing, retrying, navigating, searching, resizing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.transcript.view import TranscriptView
from tests.soak.soaked_app import SoakedApp

QUESTIONS = (
    "Tell me of the sea.",
    "Answer with one word: the capital of France?",
    "Answer with one word: the colour of snow?",
    "Say hello.",
    "Write a table of three birds and their colours.",
    "Explain $e^{i\\pi}+1=0$ in one sentence.",
    "Write a short Python function that reads a file.",
    "List five long rivers, each with a country.",
)
SIZES = ((600, 450), (1100, 750), (1600, 1000))


class UserActions:
    def __init__(self, app: SoakedApp, rng: random.Random) -> None:
        self._app = app
        self._rng = rng
        self.done: dict[str, int] = {}
        """How often each action was done."""

    async def run(self) -> None:
        """Does random actions, until this task is cancelled."""
        actions: list[tuple[Callable[[], None], int]] = [
            (self._send, 8), (self._stop, 1), (self._retry, 2), (self._alternatives, 1), (self._edit, 1),
            (self._new_chat, 1), (self._navigate, 2), (self._scroll, 3), (self._resize, 1), (self._search, 1),
        ]  # fmt: skip
        while True:
            (action,) = self._rng.choices([action for action, _ in actions], [weight for _, weight in actions])
            name = action.__name__.strip("_")
            self.done[name] = self.done.get(name, 0) + 1
            action()
            await asyncio.sleep(self._rng.uniform(0.5, 5.0))

    def _send(self) -> None:
        window = self._app.window
        window.show_page("chat")
        field = window.chat_page.composer.focusProxy()
        assert field is not None
        QTest.keyClicks(field, self._rng.choice(QUESTIONS))
        QTest.keyClick(field, Qt.Key.Key_Return)

    def _stop(self) -> None:
        QTest.keyClick(self._app.window, Qt.Key.Key_Escape)

    def _last(self) -> str:
        messages = self._app.messages
        answers = [messages[row] for row in range(len(messages)) if messages[row].role == "assistant"]
        return answers[-1].id if answers and answers[-1].state != "streaming" else ""

    def _retry(self) -> None:
        if message_id := self._last():
            self._transcript.retry_requested.emit(message_id)

    def _alternatives(self) -> None:
        if message_id := self._last():
            self._transcript.alternatives_requested.emit(message_id)

    def _edit(self) -> None:
        if message_id := self._last():
            self._transcript.edited.emit(message_id, "That is what I would have said.")

    def _new_chat(self) -> None:
        self._app.window.sidebar.new_chat_requested.emit()

    def _navigate(self) -> None:
        window, chats = self._app.window, self._app.window.sidebar.chats
        places = [
            "models",
            "endpoint",
            "settings",
            "chat",
        ]
        window.show_page(self._rng.choice(places))
        if chats is not None and (model := chats.model()) is not None and model.rowCount():
            index = model.index(self._rng.randrange(model.rowCount()), 0)
            QTest.mouseClick(chats.viewport(), Qt.MouseButton.LeftButton, pos=chats.visualRect(index).center())

    def _scroll(self) -> None:
        bar = self._transcript.verticalScrollBar()
        bar.setValue(self._rng.randint(0, max(1, bar.maximum())))

    def _resize(self) -> None:
        self._app.window.resize(*self._rng.choice(SIZES))

    def _search(self) -> None:
        field = self._app.window.sidebar.search
        field.setText(self._rng.choice(("sea", "river", "python", "")))

    @property
    def _transcript(self) -> TranscriptView:
        assert self._app.window.chat_page.transcript is not None
        return self._app.window.chat_page.transcript
