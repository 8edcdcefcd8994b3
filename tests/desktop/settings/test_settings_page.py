"""Tests of the settings page: damaged settings, diagnostics, widths of the choice buttons, screenshots."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton

from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import SIZES, fill, show
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import Script


async def said(gui: Gui, words: str) -> None:
    await until(lambda: words in gui.window.toast.text)


async def found(gui: Gui) -> None:
    view = gui.window.sidebar._results
    assert view is not None
    await until(view.isVisible)


async def lived_in(gui: Gui) -> None:
    await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)


def test_damaged_settings_file_is_reported_by_a_toast(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        profile.settings.write_text("{")
        async with open_gui() as gui:
            await said(gui, "The settings file was damaged. It is kept as settings.json.damaged-")

    run(story())


def test_diagnostics_contain_no_chat_text_and_no_profile_path(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"A secret answer.")) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "A secret question")
            await answered(gui)
            page = gui.window.view("settings")
            page._copy.click()
            report = QGuiApplication.clipboard().text()
            assert "llama-cpp-python: 0.3" in report
            assert "model: ready" in report
            assert "secret" not in report
            assert str(tmp_path) not in report

    run(story())


def has_room_when_chosen(button: QPushButton) -> bool:
    option = QStyleOptionButton()
    button.initStyleOption(option)
    room = button.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, button)
    bold = QFont(button.font())
    bold.setWeight(QFont.Weight.DemiBold)
    return QFontMetrics(bold).horizontalAdvance(button.text()) <= room.width()


def test_choice_button_is_wide_enough_for_its_text_in_bold(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        for language in ("en", "de"):
            async with open_gui(language=language) as gui:
                gui.window.show_page("settings")
                sheet = gui.window.chat_page.settings_sheet
                choices = gui.window.view("settings").findChildren(QPushButton, "choice")
                assert len(choices) == 6
                assert all(map(has_room_when_chosen, choices))
                gui.window.show_page("chat")
                sheet.open_sheet()
                segments = sheet.findChildren(QPushButton, "segment")
                assert len(segments) == 3
                assert all(map(has_room_when_chosen, segments))

    run(story())


def test_screenshots_of_settings_page_are_saved(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        for scheme in ("light", "dark"):
            async with open_gui(theme=scheme) as gui:
                await lived_in(gui)
                gui.window.show_page("settings")
                await show(gui, "settings", scheme)
                gui.window.show_page("chat")
                gui.window.sidebar.search.setText("garden")
                await found(gui)
                await show(gui, "search", scheme, SIZES[1:2])

    run(story())
