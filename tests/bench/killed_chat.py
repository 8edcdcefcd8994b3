"""A process that streams answers into a chat until it is killed. It reports what the chat shows or has saved, and
when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from desktop.chat.controller import ChatController
from desktop.models.model_controller import ModelController
from desktop.store.records import Chat, ChatMessage
from desktop.store.store import Store
from engine.engine import Engine
from tests.fakes import FakeOpener, Script

STEP_S = 0.004
THINKING = "{% for m in messages %}{{ m.content }}{% endfor %}<think>"

KINDS = ("answer", "reasoning", "alternatives", "continued answer")


class ReportingStore(Store):
    """A store that reports what it has written, each time after a write has returned."""

    def __init__(self, path: Path, reports: Connection) -> None:
        super().__init__(path)
        self._reports = reports

    async def save_all(self, chats: Sequence[tuple[Chat, Sequence[ChatMessage]]]) -> None:
        await super().save_all(chats)
        self._reports.send(_report(message for _, messages in chats for message in messages))


def stream_until_killed(folder: str, kind: str, reports: Connection, saved: bool = False) -> None:
    """Streams answers of one of `KINDS`. After each change, sends the monotonic time, and the number of shown
    characters for each message id; with `saved`, after each write, the number of characters that it wrote."""
    asyncio.run(_stream(Path(folder), kind, reports, saved))


async def _stream(folder: Path, kind: str, reports: Connection, saved: bool) -> None:
    path = folder / "chats.sqlite3"
    store = ReportingStore(path, reports) if saved else Store(path)
    await store.open()
    script = Script(answer=None, step_s=STEP_S, template=THINKING if kind == "reasoning" else None)
    models = ModelController(lambda: Engine(FakeOpener(script)))
    chats = ChatController(store, models, lambda texts: None)
    await models.load(folder / "fake.gguf")

    def report() -> None:
        """Sends the number of shown characters of each answer."""
        last = chats.sessions.messages[len(chats.sessions.messages) - 1]
        reports.send(_report(chats.sessions.messages.alternatives(last.id) or (last,)))

    if not saved:
        chats.sessions.messages.dataChanged.connect(report)
    chats.send("Go on and on")
    if kind == "alternatives":
        chats.write_alternatives(chats.sessions.messages[0].id)
    elif kind == "continued answer":
        await asyncio.sleep(0.3)
        chats.stop()
        while chats.sessions.answering:  # noqa: ASYNC110 -- the controller has a signal for it, but no event
            await asyncio.sleep(0.005)
        chats.continue_answer(chats.sessions.messages[1].id)
    await asyncio.Event().wait()


def _report(messages: Iterable[ChatMessage]) -> tuple[float, dict[str, int]]:
    answers = [each for each in messages if each.role == "assistant"]
    return time.monotonic(), {each.id: len(each.text) + len(each.reasoning) for each in answers}
