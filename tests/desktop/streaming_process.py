"""A process that streams a long answer into a chat until it is killed, and prints its progress."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from desktop.chat.controller import ChatController
from desktop.models.model_controller import ModelController
from desktop.store.store import Store
from engine.engine import Engine
from tests.fakes import FakeOpener, Script


async def write(path: Path) -> None:
    store = Store(path / "chats.sqlite3")
    await store.open()
    models = ModelController(lambda: Engine(FakeOpener(Script(answer=None, step_s=0.004))))
    chats = ChatController(store, models, lambda texts: None)
    chats.sessions.messages.dataChanged.connect(
        lambda: print(time.monotonic(), len(chats.sessions.messages[len(chats.sessions.messages) - 1].text), flush=True)  # noqa: T201
    )
    await models.load(path / "fake.gguf")
    chats.send("Go on and on")
    await asyncio.Event().wait()


asyncio.run(write(Path(sys.argv[1])))
