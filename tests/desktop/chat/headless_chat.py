"""Provides a `ChatController` without a window, with a store on disk and the fake model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from desktop.chat.controller import ChatController
from desktop.models.model_controller import ModelController
from desktop.store.store import Store
from engine.engine import Engine
from engine.files.profile import Profile
from tests.fakes import FakeOpener


@asynccontextmanager
async def headless_chat(profile: Profile, opener: FakeOpener) -> AsyncIterator[ChatController]:
    store = Store(profile.chats)
    models = ModelController(lambda: Engine(opener))
    chats = ChatController(store, models, lambda texts: None)
    await store.open()
    await chats.load()
    try:
        await models.load(profile.root / "fake.gguf")
        yield chats
    finally:
        await chats.aclose()
        await models.aclose()
        await store.aclose()
