"""Tests of `Actions`, the actions of the window: shortcuts, menus, and actions that are not possible now."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from desktop.framework.actions import Action, Actions, Submenu, is_usable

CONTROL = Qt.KeyboardModifier.ControlModifier


def test_shortcut_can_be_changed_and_reset_but_not_used_for_two_actions(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    done: list[str] = []
    kept: list[dict[str, str]] = []
    actions = Actions(window, {"b": "Ctrl+B"}, kept.append)
    actions.add(
        Action("a", "A", lambda: done.append("a"), "Ctrl+A"),
        Action("b", "B", lambda: done.append("b")),
        Action("c", "C", lambda: done.append("c"), "Ctrl+C", is_possible=lambda: False),
    )
    with qtbot.waitExposed(window):
        window.show()
    for key in (Qt.Key.Key_A, Qt.Key.Key_B, Qt.Key.Key_C):
        QTest.keyClick(window, key, CONTROL)
    assert done == ["a", "b"]
    holder = actions.change_shortcut("b", "Ctrl+A")
    assert holder is not None
    assert holder.id == "a"
    assert actions.change_shortcut("a", "Ctrl+D") is None
    QTest.keyClick(window, Qt.Key.Key_A, CONTROL)
    QTest.keyClick(window, Qt.Key.Key_D, CONTROL)
    assert done == ["a", "b", "a"]
    assert kept[-1] == {"b": "Ctrl+B", "a": "Ctrl+D"}
    actions.reset_shortcuts()
    assert (actions.shortcut_of("a"), actions.shortcut_of("b"), kept[-1]) == ("Ctrl+A", "", {})


@pytest.mark.parametrize(
    ("keys", "usable"),
    [
        ("N", False), ("Shift+N", False), ("1", False), ("Space", False), ("Return", False), ("Del", False),
        ("Tab", False), ("Esc", False), ("Left", False), ("Shift+F1", True), ("F5", True), ("Ctrl+N", True),
        ("Alt+1", True), ("Meta+K", True), ("Ctrl+Shift+Del", True), ("Media Play", True), ("", False),
    ],
)  # fmt: skip
def test_keys_that_type_or_move_the_cursor_need_a_modifier_to_be_a_shortcut(keys: str, usable: bool) -> None:
    assert is_usable(keys) == usable


def test_menu_contains_only_possible_actions_with_current_labels(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    runs: list[str] = []
    pinned = [False]
    actions = Actions(window, {}, lambda shortcuts: None)
    actions.add(
        Action(
            "pin",
            "Pin or unpin",
            lambda: runs.append("pin"),
            menu="chat",
            label=lambda: "Unpin" if pinned[0] else "Pin",
        ),
        Submenu("save", "Save as", "chat"),
        Action("save_md", "Save as Markdown", lambda: runs.append("save"), menu="save", label="Markdown…"),
        Action("stop", "Stop", lambda: runs.append("stop"), menu="chat", is_possible=lambda: False),
        Action("elsewhere", "Elsewhere", lambda: None, menu="model", is_listed=False),
    )

    def texts(menu: QMenu) -> list[str]:
        return [action.text() for action in menu.actions()]

    menu = QMenu(window)
    actions.fill_menu(menu, "chat", lambda name: QIcon())
    assert texts(menu) == ["Pin", "Save as"]
    assert texts(menu.findChildren(QMenu)[0]) == ["Markdown…"]
    pinned[0] = True
    again = QMenu(window)
    actions.fill_menu(again, "chat", lambda name: QIcon())
    assert texts(again) == ["Unpin", "Save as"]
    again.actions()[0].trigger()
    actions["stop"].trigger()
    assert runs == ["pin"]
    assert [action.id for action in actions.listed] == ["pin", "save_md", "stop"]
