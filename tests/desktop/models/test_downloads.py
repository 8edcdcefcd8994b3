"""Tests of model downloads: pause, resume, cancel, their order, and closing the app during a download."""

from __future__ import annotations

import asyncio

from desktop.models.model_list import ModelRow
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.models.page_driver import NAME, REPO, card, names, page_of
from tests.engine.library.fake_hub import FakeHub, FakeRepo


def test_paused_download_resumes_after_restart_and_can_be_cancelled(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, profile: Profile, model: bytes
) -> None:
    fake_hub.bytes_per_s = 60_000

    async def story() -> None:
        async with open_gui(model=False) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            page.action_requested.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            await until(lambda: page.downloads.cards and "MB of" in card(gui).text.text())
            await until(lambda: card(gui).bar.value() > 50)
            assert card(gui).pause.accessibleName() == "Pause Tiny Chat"
            card(gui).pause.click()
            assert "Paused" in card(gui).text.text()
            assert card(gui).pause.accessibleName() == "Resume Tiny Chat"
        assert not (profile.models / NAME).exists()
        async with open_gui(model=False) as gui:
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: page_of(gui).downloads.cards)
            assert "Paused" in card(gui).text.text()
            assert card(gui).bar.value() > 50
            card(gui).pause.click()
            await until(lambda: card(gui).bar.value() > 300)
            assert any("bytes=" in path for path in fake_hub.requests)
            card(gui).cancel.click()
            assert page_of(gui).downloads.cards == ()
            await until(lambda: list(profile.models.iterdir()) == [])
        async with open_gui(model=False) as gui:
            fake_hub.bytes_per_s = 0
            gui.window.sidebar.page_buttons["models"].click()
            page_of(gui).action_requested.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            await until((profile.models / NAME).exists)
            await until(lambda: names(page_of(gui).local_models.view) == ["Tiny Chat"])

    run(story())


def test_second_download_waits_until_the_first_is_complete(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, profile: Profile, model: bytes
) -> None:
    fake_hub.repos["makers/Other-GGUF"] = FakeRepo({"Other-Q4_0.gguf": model})
    fake_hub.bytes_per_s = 400_000

    async def story() -> None:
        async with open_gui(model=False) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            page.action_requested.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            page.action_requested.emit("download", ModelRow("makers/Other-GGUF", "hub", "Other"))
            await until(lambda: any("Waiting" in each.text.text() for each in page.downloads.cards))
            await until(lambda: sorted(names(page.local_models.view)) == ["Other", "Tiny Chat"])
            assert page.downloads.cards == ()

    run(story())


def test_closing_the_app_during_download_leaves_only_partial_files(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, profile: Profile
) -> None:
    fake_hub.faults = ["stall"]

    async def story() -> None:
        async with open_gui(model=False) as gui:
            gui.window.sidebar.page_buttons["models"].click()
            page_of(gui).action_requested.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            await until(lambda: (profile.models / f"{NAME}.part").exists())
        await asyncio.to_thread(fake_hub.stop)

    run(story())
    assert sorted(path.name for path in profile.models.iterdir()) == [f"{NAME}.part", f"{NAME}.part.json"]
