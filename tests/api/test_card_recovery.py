"""A server without a window loads its model again after a lost card, at the second loss without cards."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from api.card_recovery import CardRecovery
from engine.backend import LoadSettings
from engine.errors import CardLost
from engine.status import Status
from tests.fakes import FakeOpener


def test_model_is_loaded_once_for_each_loss() -> None:
    loads: list[LoadSettings] = []

    async def load(path: Path, settings: LoadSettings) -> None:
        loads.append(settings)

    async def story() -> None:
        model = FakeOpener()(Path("a.gguf"), LoadSettings(), lambda progress: True).info
        recovery = CardRecovery(load, LoadSettings())
        for _ in range(2):
            recovery.status_changed(Status("ready", model))
            lost = Status("dead", error=CardLost("ErrorDeviceLost"))
            recovery.status_changed(lost)
            recovery.status_changed(replace(lost, progress=0.5))
        await recovery.aclose()

    asyncio.run(story())
    assert [each.devices for each in loads] == [None, ()]
