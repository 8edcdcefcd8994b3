"""Tests of the command palette and of shortcuts: the palette finds actions by name, shortcuts run them, and the user
can change shortcuts."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from desktop.framework.actions import Action, Actions
from desktop.settings.settings_file import SettingsFile
from desktop.shell.command_palette import CommandPalette
from desktop.shell.command_palette_controller import matching
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import SIZES, fill, show
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import Script

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def palette_of(gui: Gui) -> Any:
    return gui.window.findChild(CommandPalette)


def offered(gui: Gui) -> list[str]:
    return [entry.text for entry in palette_of(gui)._entries]


@pytest.mark.parametrize(
    ("typed", "first"),
    [("", "New chat"), ("chat", "New chat"), ("se", "Search all chats"), ("all ch", "Search all chats"), ("zz", None)],
)
def test_best_match_of_palette_query_is_first(typed: str, first: str | None) -> None:
    actions = [Action(word, word, lambda: None) for word in ("New chat", "Search all chats", "Delete this chat")]
    found = [action.name for action in matching(actions, typed)]
    assert found[:1] == ([first] if first else [])


def test_palette_runs_an_action_and_opens_a_chat_by_name(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"The lighthouse is tall.")) as gui:
            type_and_send(gui, "About the coast")
            await answered(gui)
            QTest.keyClick(gui.window, Qt.Key.Key_K, CONTROL)
            field = palette_of(gui)._field
            assert gui.window.focusWidget() is field
            assert "Pin or unpin this chat" in offered(gui)
            assert "Stop the answer" not in offered(gui)
            QTest.keyClicks(field, "dark")
            assert offered(gui)[0] == "Dark appearance"
            QTest.keyClick(field, Qt.Key.Key_Return)
            assert gui.window.theme.scheme == "dark"
            assert not palette_of(gui).isVisible()
            QTest.keyClick(gui.window, Qt.Key.Key_N, CONTROL)
            QTest.keyClick(gui.window, Qt.Key.Key_K, CONTROL)
            assert "Pin or unpin this chat" not in offered(gui)
            QTest.keyClicks(field, "lightho")
            await until(lambda: any("lighthouse" in words for words in offered(gui)))
            QTest.keyClick(field, Qt.Key.Key_Return)
            await until(lambda: len(gui.rows) == 2)
            QTest.keyClick(gui.window, Qt.Key.Key_K, CONTROL)
            QTest.keyClick(field, Qt.Key.Key_Escape)
            assert not palette_of(gui).isVisible()

    run(story())


def test_open_palette_finds_message_saved_after_query_was_typed(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Hello there.")) as gui:
            await until(lambda: gui.ready)
            palette = palette_of(gui)
            QTest.keyClick(gui.window, Qt.Key.Key_K, CONTROL)
            QTest.keyClicks(palette._field, "lightho")
            await until(palette._nothing.isVisible)
            composer = gui.window.chat_page.composer
            # sets the text without focusing the composer, because the palette closes when it loses the focus
            composer._edit.setPlainText("About the lighthouse")
            composer._submit()
            await until(lambda: any("lighthouse" in text for text in offered(gui)))

    run(story())


def test_palette_without_match_shows_that_nothing_matches(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            palette = palette_of(gui)
            QTest.keyClick(gui.window, Qt.Key.Key_K, CONTROL)
            QTest.keyClicks(palette._field, "zzzz")
            await until(palette._nothing.isVisible)
            assert palette.rect().contains(palette._nothing.geometry())
            palette._field.setText("new")
            assert not palette._nothing.isVisible()
            assert "New chat" in offered(gui)

    run(story())


def test_changed_shortcut_is_kept_after_restart(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            keys = gui.window.view("settings").shortcuts
            edit = keys._edits["go_endpoint"]
            edit.setKeySequence(QKeySequence("Ctrl+E"))
            edit.editingFinished.emit()
            edit = keys._edits["go_settings"]
            edit.setKeySequence(QKeySequence("Ctrl+E"))
            edit.editingFinished.emit()
            assert "Go to the endpoint" in keys._alert.text()
            assert edit.keySequence() == QKeySequence("Ctrl+4")
        assert SettingsFile(profile.settings).value.shortcuts == {"go_endpoint": "Ctrl+E"}
        async with open_gui() as gui:
            QTest.keyClick(gui.window, Qt.Key.Key_E, CONTROL)
            assert gui.window.pages.currentWidget() is gui.endpoint_page

    run(story())


def test_screenshots_of_command_palette_are_saved(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        for scheme in ("light", "dark"):
            async with open_gui(theme=scheme) as gui:
                await lived_in(gui)
                palette_of(gui).open()
                await show(gui, "palette", scheme, SIZES[:2])
                palette_of(gui)._field.setText("gar")
                await chat_offered(gui)
                await show(gui, "palette-found", scheme, SIZES[1:2])

    run(story())


async def lived_in(gui: Gui) -> None:
    await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)


async def chat_offered(gui: Gui) -> None:
    await until(lambda: any(entry.kind == "chat" for entry in palette_of(gui)._entries))


def test_single_letter_is_refused_as_shortcut_and_ignored_if_stored(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    settings = SettingsFile(profile.settings)
    settings.change(shortcuts={"delete_chat": "N", "pin_chat": "Ctrl+J"})
    settings.save()

    async def story() -> None:
        async with open_gui(Script(answer=b"Here.")) as gui:
            keys = gui.window.view("settings").shortcuts
            assert keys._edits["delete_chat"].keySequence().isEmpty()
            assert keys._edits["pin_chat"].keySequence() == QKeySequence("Ctrl+J")
            type_and_send(gui, "A chat")
            await answered(gui)
            edit = keys._edits["delete_chat"]
            edit.setKeySequence(QKeySequence("N"))
            edit.editingFinished.emit()
            assert keys._alert.text().startswith("N is needed for writing.")
            assert edit.keySequence().isEmpty()
            gui.transcript.setFocus()
            QTest.keyClick(gui.transcript, Qt.Key.Key_N)
            assert len(gui.rows) == 2, "the chat is there"

    run(story())


def test_palette_closes_when_another_shortcut_is_pressed(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            palette = palette_of(gui)
            for key, page in (
                (Qt.Key.Key_2, "models"),
                (Qt.Key.Key_3, "endpoint"),
                (Qt.Key.Key_1, "chat"),
            ):
                QTest.keyClick(gui.window, Qt.Key.Key_K, CONTROL)
                assert palette.isVisible()
                QTest.keyClick(palette._field, key, CONTROL)
                assert gui.window.pages.currentWidget() is gui.window.view(page)
                assert not palette.isVisible()
            QTest.keyClick(gui.window, Qt.Key.Key_K, CONTROL)
            QTest.keyClick(palette._field, Qt.Key.Key_K, CONTROL)
            assert not palette.isVisible()
            assert gui.window.focusWidget() is gui.window.chat_page.composer._edit

    run(story())


def test_page_shortcuts_are_numbered_in_sidebar_order(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            sidebar, keys = gui.window.sidebar, gui.window.findChild(Actions)
            places = sorted(
                (
                    (sidebar.page_buttons["models"].y(), "models"),
                    (sidebar.page_buttons["endpoint"].y(), "endpoint"),
                    (sidebar.page_buttons["settings"].y(), "settings"),
                )
            )
            assert keys is not None
            assert [keys.shortcut_of(f"go_{place}") for _, place in places] == ["Ctrl+2", "Ctrl+3", "Ctrl+4"]

    run(story())


def test_palette_lists_actions_for_answers_only_if_there_is_an_answer(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Here.")) as gui:
            palette = palette_of(gui)
            palette.open()
            QTest.keyClicks(palette._field, "three")
            assert offered(gui) == [], "there is no answer yet"
            palette.close_palette()
            type_and_send(gui, "A question")
            await answered(gui)
            palette.open()
            QTest.keyClicks(palette._field, "three")
            assert offered(gui)[0] == "Three answers side by side"
            QTest.keyClick(palette._field, Qt.Key.Key_Return)
            await until(lambda: len(gui.transcript.messages.alternatives(gui.rows[-1].id)) == 3)

    run(story())
