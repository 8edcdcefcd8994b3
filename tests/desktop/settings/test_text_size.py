"""Tests of the text size: shortcuts and the settings page change it for the whole window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.platform.theme import TEXT_SIZES, Theme, scaled, text_font
from desktop.settings.settings_file import SettingsFile
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import SIZES, fill, open_chat, show
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import Script

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def _usual_size(qapp: QApplication) -> object:
    yield
    Theme(qapp, "light")


def test_changed_text_size_scales_all_fonts_and_style_sheets(qapp: QApplication) -> None:
    theme = Theme(qapp, "light", 13)
    assert (scaled(15), text_font(15).pixelSize()) == (15, 15)
    assert "font-size: 15px" in theme.style_of("window.qss")
    theme.resize_text(18)
    assert (scaled(13), text_font(15).pixelSize()) == (18, 21)
    assert QFont().pixelSize() == 18
    style = theme.style_of("window.qss")
    assert "font-size: 21px" in style
    assert "height: 1px" in style  # hairlines are not scaled
    # The radius is scaled to at most half of the height of the box, because Qt ignores a larger one.
    assert "border-radius: 16px" in style
    assert "line-height: 33px" in theme.style_of("document.css")
    assert theme.print_style_of("document.css") == Theme(qapp, "light", 13).style_of("document.css")


def reading_height(gui: Gui) -> int:
    return int(gui.transcript.column.item(1).height)


def test_text_size_changed_by_shortcut_is_kept_after_restart(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"A few words, and `code`.\n\n```py\nx = 1\n```")) as gui:
            type_and_send(gui, "The sea?")
            await answered(gui)
            await until(lambda: reading_height(gui) > 100)  # the transcript lays out new text only at intervals
            before, low = reading_height(gui), gui.window.chat_page.composer._edit.height()
            QTest.keyClick(gui.window, Qt.Key.Key_Plus, CONTROL)
            QTest.keyClick(gui.window, Qt.Key.Key_Equal, CONTROL)
            assert gui.window.theme.text_size == 15
            assert reading_height(gui) > before
            assert gui.window.chat_page.composer._edit.height() > low
            for _ in TEXT_SIZES:
                QTest.keyClick(gui.window, Qt.Key.Key_Plus, CONTROL)
            assert gui.window.theme.text_size == TEXT_SIZES[-1]
            gui.window.show_page("settings")
            page = gui.window.view("settings")
            assert (page.row("text_size").usual.text(), page.row("text_size").larger.isEnabled()) == ("154 %", False)
        assert SettingsFile(profile.settings).value.text_size == TEXT_SIZES[-1]
        async with open_gui() as gui:
            assert QFont().pixelSize() == TEXT_SIZES[-1]
            page = gui.window.view("settings")
            page.row("text_size").smaller.click()
            assert gui.window.theme.text_size == TEXT_SIZES[-2]
            QTest.keyClick(gui.window, Qt.Key.Key_0, CONTROL)
            assert (QFont().pixelSize(), page.row("text_size").usual.text()) == (13, "100 %")
        assert SettingsFile(profile.settings).value.text_size == 13

    run(story())


def test_reading_position_is_kept_when_text_size_changes(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        answer = "\n\n".join(f"Paragraph {n} of a long answer that fills the window." for n in range(60))
        async with open_gui(Script(answer=answer.encode())) as gui:
            type_and_send(gui, "The sea?")
            await answered(gui)
            bar = gui.transcript.verticalScrollBar()
            await until(lambda: reading_height(gui) > 1_500)
            bar.setValue(bar.maximum() // 2)
            share = (bar.value() - 24) / gui.transcript.column.heights.total
            gui.window.theme.resize_text(20)
            after = (bar.value() - 24) / gui.transcript.column.heights.total
            assert bar.maximum() > 0
            assert abs(after - share) < 0.02

    run(story())


def test_screenshots_at_smallest_and_largest_text_size_are_saved(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui() as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            for size in (TEXT_SIZES[0], TEXT_SIZES[-1]):
                gui.window.theme.resize_text(size)
                await open_chat(gui, "c3")
                await show(gui, f"text-{size}-chat", "light", SIZES[:2])
                await open_chat(gui, "c5")
                await show(gui, f"text-{size}-rich", "light", SIZES[1:2])
                gui.window.show_page("settings")
                await show(gui, f"text-{size}-settings", "light", SIZES[:2])
                gui.window.show_page("models")
                await show(gui, f"text-{size}-models", "light", SIZES[1:2])
                gui.window.show_page("endpoint")
                await show(gui, f"text-{size}-endpoint", "light", SIZES[1:2])
                gui.window.show_page("chat")

    run(story())
