"""A process that has answers written into a chat until somebody kills it, and says what it shows, and when."""

from __future__ import annotations

import asyncio
import time
from multiprocessing.connection import Connection
from pathlib import Path

from desktop.chat.controller import ChatController
from desktop.models.model_controller import ModelController
from desktop.store.store import Store
from engine.engine import Engine
from tests.fakes import FakeOpener, Script

STEP_S = 0.004
THINKING = "{% for m in messages %}{{ m.content }}{% endfor %}<think>"

KINDS = ("one answer", "a thought", "three at once", "gone on with")


def die(folder: str, kind: str, told: Connection) -> None:
    asyncio.run(_write(Path(folder), kind, told))


async def _write(folder: Path, kind: str, told: Connection) -> None:
    store = Store(folder / "chats.sqlite3")
    await store.open()
    script = Script(answer=None, step_s=STEP_S, template=THINKING if kind == "a thought" else None)
    models = ModelController(lambda: Engine(FakeOpener(script)))
    chats = ChatController(store, models, lambda texts: None)
    await models.load(folder / "fake.gguf")

    def tell() -> None:
        """The letters of each answer that is seen now."""
        last = chats.sessions.messages[len(chats.sessions.messages) - 1]
        seen = chats.sessions.messages.alternatives(last.id) or (last,)
        told.send((time.monotonic(), {each.id: len(each.text) + len(each.reasoning) for each in seen}))

    chats.sessions.messages.dataChanged.connect(tell)
    chats.send("Go on and on")
    if kind == "three at once":
        chats.write_alternatives(chats.sessions.messages[0].id)
    elif kind == "gone on with":
        await asyncio.sleep(0.3)
        chats.stop()
        while chats.sessions.answering:  # noqa: ASYNC110 -- the controller has a signal for it, but no event
            await asyncio.sleep(0.005)
        chats.continue_answer(chats.sessions.messages[1].id)
    await asyncio.Event().wait()
