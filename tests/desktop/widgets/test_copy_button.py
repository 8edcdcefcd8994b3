"""Tests of the buttons that copy a text to the clipboard and then show a check mark."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from desktop.platform.theme import Theme
from desktop.widgets import copy_button
from desktop.widgets.copy_button import CopyButton
from tests.desktop.conftest import OpenGui, Run, until


def test_copy_button_copies_and_shows_a_check_mark_for_a_moment(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_button, "CONFIRM_MS", 30)
    button = CopyButton(theme, "Copy the address", lambda: "http://127.0.0.1", None)  # type: ignore[arg-type]
    qtbot.addWidget(button)
    button.show()
    before = button.icon().pixmap(16, 16).toImage()
    button.click()
    assert QGuiApplication.clipboard().text() == "http://127.0.0.1"
    assert button.shows_confirmation
    assert button.icon().pixmap(16, 16).toImage() != before
    qtbot.waitUntil(lambda: not button.shows_confirmation)
    assert button.icon().pixmap(16, 16).toImage() == before


def test_copy_buttons_of_endpoint_and_settings_pages_show_a_check_mark(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            page = gui.endpoint_page
            gui.window.show_page("endpoint")
            await until(lambda: page._state.key and page.keys._rows_by_name)
            pages = (page, gui.window.view("settings"))
            buttons = [each for where in pages for each in where.findChildren(CopyButton)]
            names = {button.accessibleName() for button in buttons}
            assert names >= {"Copy the address", "Copy the snippet", "Copy the new key", "Copy the command"}
            assert any(name.startswith("Copy the key of") for name in names)
            for button in buttons:
                button.click()
                assert button.shows_confirmation

    run(story())
