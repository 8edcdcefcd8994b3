"""Tests of web origins: a refused origin is listed on the endpoint page, and the user can allow it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QPushButton, QWidget

from desktop.endpoint.activity import PageOrigins
from desktop.endpoint.origins_card import OriginsCard
from desktop.platform.theme import Theme
from desktop.settings.settings_file import SettingsFile
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.endpoint.page_driver import served
from tests.fakes import Script

APP = "app://obsidian.md"


async def preflight(gui: Gui, origin: str) -> httpx.Response:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        return await client.options(gui.endpoint_page._address.text() + "/chat/completions", headers=headers)


def shown(gui: Gui) -> dict[str, bool]:
    """Returns each listed origin, mapped to True if its row has the button "Allow"."""
    return {origin: row.button.text() == "Allow" for origin, row in gui.endpoint_page.origins.rows.items()}


@pytest.mark.parametrize("origin", [APP, "tauri://localhost", "vscode-webview://1a2b3c", "http://localhost:5173"])
def test_refused_origin_is_allowed_with_one_click(run: Run, open_gui: OpenGui, profile: Profile, origin: str) -> None:
    async def story() -> None:
        async with served(open_gui, Script(b"Hello there.")) as gui:
            card = gui.endpoint_page.origins
            assert card.isHidden()
            refused = await preflight(gui, origin)
            assert refused.status_code == 403
            assert origin in refused.json()["error"]["message"]
            await until(lambda: shown(gui) == {origin: True})
            card.rows[origin].button.setFocus()
            QTest.keyClick(card.rows[origin].button, Qt.Key.Key_Space)
            assert shown(gui) == {origin: False}
            assert card.rows[origin].button.hasFocus()
            assert (await preflight(gui, origin)).headers["access-control-allow-origin"] == origin
            path = profile.settings
            await until(lambda: path.exists() and SettingsFile(path).value.endpoint_origins == [origin])
            QTest.mouseClick(card.rows[origin].button, Qt.MouseButton.LeftButton)
            assert card.isHidden()
            assert (await preflight(gui, origin)).status_code == 403

    run(story())


def test_allowed_origin_is_served_after_a_restart_of_the_endpoint(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, Script(b"Hello there.")) as gui:
            await preflight(gui, APP)
            await until(lambda: shown(gui) == {APP: True})
            gui.endpoint_page.origins.rows[APP].button.click()
            for stage in ("off", "on"):
                gui.endpoint_page.toggle()
                await until(lambda stage=stage: gui.endpoint_page._state.stage == stage)  # type: ignore[misc]
            assert (await preflight(gui, APP)).headers["access-control-allow-origin"] == APP

    run(story())


def test_refused_origin_that_is_invalid_is_not_listed(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, Script(b"Hello there.")) as gui:
            for origin in ("null", "*", "https://" + "a" * 300, "javascript:alert(1)"):
                assert (await preflight(gui, origin)).status_code == 403
            await preflight(gui, APP)
            await until(lambda: shown(gui) == {APP: True})

    run(story())


def test_endpoint_starts_despite_an_invalid_allowed_origin(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, Script(b"Hello there.")) as gui:
            gui.endpoint_page.origins.allow_requested.emit("no origin")
            for stage in ("off", "on"):
                gui.endpoint_page.toggle()
                await until(lambda stage=stage: gui.endpoint_page._state.stage == stage)  # type: ignore[misc]
            await asyncio.sleep(0)

    run(story())


def test_stored_origins_that_are_not_strings_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    for stored, expected in (([APP], [APP]), ([1], []), ("x", [])):
        path.write_text(json.dumps({"endpoint_origins": stored}))
        assert SettingsFile(path).value.endpoint_origins == expected


def test_origins_card_has_accessible_buttons_and_is_hidden_without_origins(qtbot: object, theme: Theme) -> None:
    page = QWidget()
    card = OriginsCard(theme, page)
    after = QPushButton(page)
    card.show_origins(PageOrigins(("https://a.example",), (APP,)))
    assert [row.button.accessibleName() for row in card.rows.values()] == [
        "No longer allow https://a.example",
        f"Allow {APP}",
    ]
    chain, widget = [], card.nextInFocusChain()
    while widget is not None and widget is not card:
        chain.append(widget)
        widget = widget.nextInFocusChain()
    stops = [each for each in chain if isinstance(each, QAbstractButton) and not each.isHidden()]
    assert stops == [*(row.button for row in card.rows.values()), after]
    card.show_origins(PageOrigins())
    assert card.isHidden()
