"""Tests of the chat list: its actions in the command palette, names for screen readers, right-to-left layout."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton

from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_command_palette import offered, palette_of
from tests.desktop.shell.test_main_window import titles
from tests.desktop.sidebar.sidebar_actions import (
    IGNORES_MENU_WARNING,
    INITIAL_ROWS,
    run_in_window,
    selection_bar,
)

pytestmark = IGNORES_MENU_WARNING


def test_command_palette_offers_only_possible_chat_list_actions(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        palette_of(gui).open()
        assert {"New folder", "Go to the archive", "Select all chats"} <= set(offered(gui))
        assert not {"Delete the selected chats", "Rename this folder", "Archive or unarchive this chat"} & set(
            offered(gui)
        )
        palette_of(gui)._field.setText("go to the archive")
        QTest.keyClick(palette_of(gui)._field, Qt.Key.Key_Return)
        assert titles(gui)[-2:] == ["Tax return 2024", "Bicycle tour along the Danube"]
        assert gui.window.focusWidget() is gui.chats
        QTest.keyClick(gui.chats, Qt.Key.Key_Down)
        QTest.keyClick(gui.chats, Qt.Key.Key_Return)
        await until(lambda: bool(gui.rows))
        assert gui.rows[0].text == "Tax return 2024"
        gui.chats.setFocus()
        gui.chats.setCurrentIndex(gui.chats.chats.index_of_folder("garden"))
        palette_of(gui).open()
        assert {"Rename this folder", "Fold or unfold this folder", "Delete this folder"} <= set(offered(gui))
        palette_of(gui)._field.setText("move this folder down")
        QTest.keyClick(palette_of(gui)._field, Qt.Key.Key_Return)
        assert titles(gui)[4:6] == ["Code", "Garden and house"]

    run_in_window(run, open_gui, profile, story)


def test_chat_list_rows_and_buttons_have_accessible_names(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story(gui: Gui) -> None:
        spoken = QAccessible.queryAccessibleInterface(gui.chats)
        names = [spoken.child(row).text(QAccessible.Text.Name) for row in range(spoken.childCount())]
        assert "Folder Garden and house, 2 chats, open" in names
        assert "Folder Code, 1 chat, folded" in names
        assert "Archive, 2 chats, folded" in names
        plus = next(each for each in gui.chats.findChildren(QToolButton) if each.accessibleName() == "New folder")
        QTest.mouseClick(plus, Qt.MouseButton.LeftButton)
        assert "New folder" in titles(gui)
        for button in selection_bar(gui).findChildren(QToolButton):
            assert button.accessibleName()
            assert button.focusPolicy() & Qt.FocusPolicy.TabFocus

    run_in_window(run, open_gui, profile, story)


def test_chat_list_is_mirrored_in_right_to_left_layout(
    run: Run, open_gui: OpenGui, profile: Profile, qapp: QApplication
) -> None:
    async def story(gui: Gui) -> None:
        view = gui.chats
        view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        view.setFocus()
        view.setCurrentIndex(view.chats.index_of_folder("garden"))
        QTest.keyClick(view, Qt.Key.Key_Right)
        assert "Garden plan for March" not in titles(gui)
        QTest.keyClick(view, Qt.Key.Key_Left)
        assert titles(gui) == INITIAL_ROWS
        left = QPoint(20, view.visualRect(view.chats.index_of_folder("garden")).center().y())
        image = view.viewport().grab().toImage()
        ink = {image.pixelColor(left + QPoint(dx, 0)).name() for dx in range(-16, 10)}
        assert len(ink) > 1, "the count is at the left"

    run_in_window(run, open_gui, profile, story)
