"""Tests of searching the hub and downloading from it, and of failures of the hub."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.models.model_list import ModelRow
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.models.page_driver import NAME, REPO, card, names, page_of, rows, save_folder, use_of
from tests.engine.library.fake_hub import FakeHub


def test_typing_in_model_search_filters_lists_without_network_request(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)

    async def story() -> None:
        async with open_gui(model=False) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: len(rows(page.local_models.view)) == 3 and len(rows(page.recommended.view)) > 5)
            QTest.keyClicks(page.header.search, "flash glm")
            assert names(page.recommended.view) == ["GLM 4.7 Flash"]
            assert rows(page.local_models.view) == []
            assert page.local_models.empty.text() == "No model here has “flash glm” in its name."
            assert page.hub_results._search_link.text() == "Search Hugging Face for “flash glm”"
            QTest.keyClick(page.header.search, Qt.Key.Key_Escape)
            assert page.header.search.text() == ""
            assert len(rows(page.local_models.view)) == 3
            assert page.hub_results.isHidden()
        assert fake_hub.requests == []

    run(story())


def test_model_found_on_hub_is_downloaded_and_loaded(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, profile: Profile, model: bytes
) -> None:
    async def story() -> None:
        async with open_gui(model=False) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: len(rows(page.recommended.view)) > 5)
            QTest.keyClicks(page.header.search, "tiny")
            QTest.keyClick(page.header.search, Qt.Key.Key_Return)
            await until(lambda: names(page.hub_results.view) == ["Tiny Chat"])
            page.hub_results.view.setFocus()
            QTest.keyClick(page.hub_results.view, Qt.Key.Key_Return)
            await until(lambda: names(page.local_models.view) == ["Tiny Chat"])
            assert page.downloads.cards == ()
            assert (profile.models / NAME).read_bytes() == model
            assert gui.window.toast.text == "Tiny Chat was downloaded."
            assert [row.is_local for row in rows(page.hub_results.view)] == [True]
            gui.window.toast._action.click()
            await until(lambda: gui.ready and use_of(gui, "Tiny Chat") == "in_use")

    run(story())


def test_corrupt_download_is_deleted_and_can_be_retried(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, profile: Profile
) -> None:
    fake_hub.faults = ["corrupt"]

    async def story() -> None:
        async with open_gui(model=False) as gui:
            gui.window.sidebar.page_buttons["models"].click()
            page_of(gui).action_requested.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            await until(lambda: page_of(gui).downloads.cards and "It was deleted" in card(gui).text.text())
            assert list(profile.models.iterdir()) == []
            card(gui).pause.click()
            await until((profile.models / NAME).exists)

    run(story())


def test_search_on_unreachable_hub_shows_message_in_list_but_no_toast(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub
) -> None:
    fake_hub.down = True

    async def story() -> None:
        async with open_gui(model=False) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            QTest.keyClicks(page.header.search, "tiny")
            QTest.keyClick(page.header.search, Qt.Key.Key_Return)
            await until(lambda: "cannot be reached" in page.hub_results.empty.text())
            assert gui.window.toast.text == ""
            fake_hub.down = False
            page.hub_results._search_link.click()
            await until(lambda: names(page.hub_results.view) == ["Tiny Chat"])

    run(story())
