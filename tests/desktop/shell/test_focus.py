"""Tests of the keyboard focus after an action: the next key press must reach the widget that the user expects."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from desktop.chat.chat_settings.number_row import NumberRow
from desktop.platform.theme import TEXT_SIZES
from tests.desktop.conftest import OpenGui, Run


def test_tab_from_number_field_skips_reset_button(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            gui.window.chat_page.composer.settings_requested.emit()
            sheet = gui.window.chat_page.settings_sheet
            rows = sheet.findChildren(NumberRow)
            assert len(rows) > 3
            for row in rows:
                row.show_text("0.5")
                assert row.reset.isVisible()
                row.edit.setFocus()
                QTest.keyClick(row.edit, Qt.Key.Key_Tab)
                reached = gui.window.focusWidget()
                assert reached not in [each.reset for each in rows]
                if isinstance(reached, QWidget):
                    QTest.keyClick(reached, Qt.Key.Key_Space)
                assert row.edit.text() == "0.5"

    run(story())


@pytest.mark.parametrize("name", ["smaller", "larger", "usual"])
def test_text_size_button_keeps_focus_when_the_size_limit_is_reached(run: Run, open_gui: OpenGui, name: str) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            gui.window.show_page("settings")
            row = gui.window.view("settings").row("text_size")
            button: QAbstractButton = getattr(row, name)
            row._change(TEXT_SIZES[1 if name != "larger" else -2])
            button.setFocus()
            for _ in range(3):
                QTest.keyClick(button, Qt.Key.Key_Space)
                QApplication.sendPostedEvents()
                assert gui.window.focusWidget() is button
            row._change(TEXT_SIZES[2])

    run(story())


def test_empty_shortcut_field_shows_none_instead_of_the_placeholder_of_qt(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            gui.window.show_page("settings")
            keys = gui.window.view("settings").shortcuts
            field = keys._edits["rename_chat"]
            line = field.findChild(QLineEdit)
            for step in (
                field.setFocus,
                lambda: QTest.keyClick(field, Qt.Key.Key_Tab),
                field.setFocus,
                lambda: QTest.keyClick(field, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier),
                field.clear,
                lambda: keys._edits["pin_chat"].setFocus(),
            ):
                step()
                QApplication.sendPostedEvents()
                assert line.placeholderText() == "none"

    run(story())


@pytest.mark.parametrize("by_key", [False, True])
def test_text_typed_after_undo_is_entered_in_the_composer(run: Run, open_gui: OpenGui, by_key: bool) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            window = gui.window
            window.chat_page.composer.setFocus()
            window.toast.show_message("Deleted.", action="Undo", act=lambda: None)
            button = window.toast._action
            if by_key:
                button.setFocus()
                QTest.keyClick(button, Qt.Key.Key_Space)
            else:
                QTest.mouseClick(button, Qt.MouseButton.LeftButton)
            assert not window.toast.isVisible()
            assert window.focusWidget() is window.chat_page.composer._edit

    run(story())
