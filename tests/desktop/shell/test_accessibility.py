"""Tests of accessibility: names and roles for screen readers, and the tab order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from desktop.chat.message_list import MessageList
from desktop.settings.settings_file import SettingsFile
from desktop.sidebar.chat_list_view import ChatListView
from desktop.transcript.view import TranscriptView
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import type_and_send
from tests.desktop.transcript.support import message

NAME = QAccessible.Text.Name
INNER = {"qt_spinbox_lineedit", "qt_keysequenceedit_lineedit", "QLineEditIconButton"}
"""Inner widgets of Qt's controls. A screen reader reads them as part of the control."""


@pytest.fixture(autouse=True)
def reader() -> Iterator[None]:
    """Simulates an active screen reader."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


def tree(interface: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    yield interface
    for n in range(interface.childCount()):
        child = interface.child(n)
        if child is not None and child.isValid():
            yield from tree(child)


def names(widget: QWidget) -> list[str]:
    found = QAccessible.queryAccessibleInterface(widget)
    return [each.text(NAME) for each in tree(found) if not each.state().invisible]


def test_screen_reader_reads_transcript_message_by_message(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "How far is it?"), message(1, "A *long* way.")])
    said = names(view)
    assert "Conversation" in said
    assert said.index("You: How far is it?") < said.index("Answer: A *long* way.")
    roles = {each.text(NAME): each.role() for each in tree(QAccessible.queryAccessibleInterface(view))}
    assert roles["Answer: A *long* way."] == QAccessible.Role.StaticText
    assert roles["Copy the answer"] == QAccessible.Role.Button


def test_screen_reader_does_not_read_messages_scrolled_out_of_view(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(n, f"Number {n}. " + "word " * 300) for n in range(20)])
    assert not any("Number 0." in name for name in names(view))
    view.verticalScrollBar().setValue(0)
    said = names(view)
    assert any("Number 0." in name for name in said)
    assert not any("Number 19." in name for name in said)


def test_messages_have_no_accessible_objects_without_screen_reader(view: TranscriptView, messages: MessageList) -> None:
    QAccessible.setActive(False)
    messages.show([message(0, "Hi"), message(1, "Hello.")])
    assert not any(name.startswith("You:") for name in names(view))


def controls(window: QWidget) -> list[QWidget]:
    kinds = (QAbstractButton, QLineEdit, QTextEdit, QPlainTextEdit)
    found = [each for kind in kinds for each in window.findChildren(kind) if each.isVisibleTo(window)]
    return [each for each in found if not {each.objectName(), each.metaObject().className()} & INNER]


def test_every_control_of_every_page_has_an_accessible_name(open_gui: OpenGui, run: Run) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            window = gui.window
            n_checked = 0
            for page in ("chat", "endpoint", "models", "settings"):
                window.show_page(page)
                await asyncio.sleep(0.05)
                for each in controls(window):
                    name = QAccessible.queryAccessibleInterface(each).text(NAME)
                    assert name, f"{page}: {each.metaObject().className()} {each.objectName()!r} has no name"
                    n_checked += 1
            assert n_checked > 40

    run(story())


def test_tab_reaches_chat_list_and_transcript_and_returns_to_composer(open_gui: OpenGui, run: Run) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            window = gui.window
            type_and_send(gui, "How far is it?")
            await until(lambda: gui.rows[-1].state == "complete")
            window.activateWindow()
            window.chat_page.composer._edit.setFocus()
            start = window.focusWidget()
            assert start is not None, "the window opens with the composer in focus"
            seen: list[QWidget] = []
            while len(seen) < 200:
                QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
                focus = window.focusWidget()
                if focus is start:
                    break
                assert focus not in seen, f"it goes round in {focus}"
                assert focus.isVisibleTo(window)
                seen.append(focus)
            assert window.focusWidget() is start, "it never comes round"
            assert any(isinstance(each, TranscriptView) for each in seen)
            assert any(isinstance(each, ChatListView) for each in seen)

    run(story())


def tabbed(window: QWidget, start: QWidget, n: int) -> list[str]:
    """The accessible names of the widgets that `n` presses of Tab reach after `start`."""
    window.activateWindow()
    start.setFocus()
    found = []
    for _ in range(n):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        focus = window.focusWidget()
        assert focus is not None
        found.append(QAccessible.queryAccessibleInterface(focus).text(NAME))
    return found


def test_widgets_created_later_are_reached_by_tab_in_visual_order(
    open_gui: OpenGui, run: Run, profile: Profile, tmp_path: Path
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            window = gui.window
            type_and_send(gui, "How far is it?")
            await until(lambda: gui.rows[-1].state == "complete")
            files = [tmp_path / "one.txt", tmp_path / "two.txt"]
            for file in files:
                file.write_text("A note.")
            window.chat_page.composer.files_given.emit(files)
            await until(lambda: all("token" in chip.accessibleName() for chip in window.chat_page.composer.chips.chips))
            found = [name.partition(",")[0] for name in tabbed(window, window.chat_page.composer._edit, 5)]
            assert found == ["one.txt", "Remove one.txt", "two.txt", "Remove two.txt", "Attach files"]
            window.show_page("endpoint")
            keys = gui.endpoint_page.keys
            await until(lambda: any(row.isVisible() for row in keys._rows_by_name.values()))
            assert tabbed(window, keys._new_link, 2) == ["Copy the key of “inglenook”", "Keep request texts"]
            window.show_page("models")
            assert window.view("models") is not None
            assert tabbed(window, window.view("models").header.search, 2) == ["Open a file", "Add a folder"]
            section = window.view("models").local_models
            await until(lambda: section._flow.count() == 1 and window.view("models").recommended.view.isVisible())
            assert tabbed(window, section.view, 2) == [f"Remove the folder {tmp_path}", "Recommended"]

    settings = SettingsFile(profile.settings)
    settings.change(model_folders=[str(tmp_path)])
    settings.save()
    run(story())
