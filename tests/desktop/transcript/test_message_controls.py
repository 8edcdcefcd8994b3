"""Tests of the buttons of messages and code blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.platform.theme import Theme
from desktop.render.blocks import Block
from desktop.settings.all_settings import Settings
from desktop.store.records import Call
from desktop.transcript.view import TranscriptView
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.desktop.transcript.support import button, message
from tests.fakes import Script


@pytest.mark.parametrize(
    ("name", "signal", "args"),
    [
        ("retry", "retry_requested", ["m1"]),
        ("alternatives", "alternatives_requested", ["m1"]),
        ("delete", "delete_requested", ["m1"]),
        ("previous", "version_requested", ["m1", -1]),
        ("next", "version_requested", ["m1", 1]),
    ],
)
def test_each_button_of_a_message_emits_its_signal(
    qtbot: QtBot, view: TranscriptView, messages: MessageList, name: str, signal: str, args: list[object]
) -> None:
    messages.show([message(0, "Hi"), message(1, "Hello")], {"m1": (2, 3)})
    with qtbot.waitSignal(getattr(view, signal)) as emitted:
        button(view, "m1", name).click()
    assert emitted.args == args


def test_version_buttons_are_disabled_at_the_first_and_last_version(
    view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "Hi"), message(1, "Hello")], {"m1": (1, 2), "m0": (2, 2)})
    assert view.cache.controls["m1"]._version_label is not None
    assert view.cache.controls["m1"]._version_label.text() == "1 / 2"
    assert not button(view, "m1", "previous").isEnabled()
    assert button(view, "m1", "next").isEnabled()
    assert not button(view, "m0", "next").isEnabled()


def test_statistics_that_do_not_fit_beside_buttons_are_omitted(view: TranscriptView, messages: MessageList) -> None:
    answer = replace(message(1, "Hello"), n_output=202, decode_s=22.0, first_token_s=0.1)
    messages.show([message(0, "Hi"), answer], {"m1": (3, 4)})
    item = view.column.item(1)
    assert item.shown_stats == "202 tokens · 9 tok/s · 0.1 s to first word"
    item.set_width(item.buttons_width + 140)
    assert item.shown_stats == "202 tokens · 9 tok/s"
    item.set_width(item.buttons_width + 20)
    assert item.shown_stats == ""


def test_statistics_show_the_share_of_accepted_draft_tokens(view: TranscriptView, messages: MessageList) -> None:
    answer = replace(message(1, "Hello"), n_output=202, n_drafted=120, n_accepted=74)
    messages.show([message(0, "Hi"), answer])
    assert view.column.item(1).shown_stats == "202 tokens · 62 % of 120 draft tokens accepted"


def test_laid_out_messages_use_the_current_settings(qtbot: QtBot, theme: Theme, messages: MessageList) -> None:
    current = Settings()
    view = TranscriptView(theme, settings=lambda: current)
    qtbot.addWidget(view)
    view.set_list(messages)
    messages.show([message(0, "Hi"), message(1, "Hello")])
    current = Settings(tray=False)
    assert [view.column.item(row).settings() for row in range(2)] == [current, current]


def test_setting_changed_on_the_settings_page_applies_to_the_transcript(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            gui.window.sidebar.page_buttons["settings"].click()
            assert gui.transcript.cache.settings().notifies
            gui.window.view("settings").row("notifies").switch.click()
            assert not gui.transcript.cache.settings().notifies

    run(story())


@pytest.mark.parametrize("state", ["cut", "stopped", "length"])
def test_incomplete_answer_has_a_continue_button(
    qtbot: QtBot, view: TranscriptView, messages: MessageList, state: str
) -> None:
    messages.show([message(0, "Hi"), message(1, "Half an", state)])
    with qtbot.waitSignal(view.continue_requested):
        button(view, "m1", "continue").click()
    messages.show([message(0, "Hi"), message(1, "Whole")])
    assert "continue" not in view.cache.controls["m1"]._named


def test_copy_buttons_copy_code_and_message(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "So:\n\n```python\nx = 1\n```")])
    controls = view.cache.controls["m1"]
    controls._code.rows[0][0].click()
    assert QGuiApplication.clipboard().text() == "x = 1"
    controls._named["copy"].click()
    assert QGuiApplication.clipboard().text() == "So:\n\n```python\nx = 1\n```"
    assert {button.accessibleName() for button in controls._all()} == {
        "Copy this code", "Save this code", "Copy the answer", "Answer once more", "Several answers side by side",
        "Edit", "Delete from here on",
    }  # fmt: skip


def test_retry_button_of_failed_answer_emits_retry_request(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "Hi"), replace(message(1, "", "failed"), note="It went wrong.")])
    retry = view.cache.controls["m1"]._named["retry"]
    with qtbot.waitSignal(view.retry_requested) as emitted:
        retry.click()
    assert emitted.args == ["m1"]


def test_save_button_of_code_block_emits_the_block(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, "```python\nx = 1\n```")])
    with qtbot.waitSignal(view.save_requested) as emitted:
        view.cache.controls["m1"]._code.rows[0][1].click()
    assert emitted.args == [Block("code", code="x = 1", language="python")]


def test_reasoning_is_hidden_until_its_button_is_clicked(view: TranscriptView, messages: MessageList) -> None:
    answer = replace(message(1, "Rain."), reasoning="I look outside.", reasoning_s=3.2)
    messages.show([message(0, "Hi"), answer])
    fold, height = button(view, "m1", "reasoning"), view.cache.items["m1"].height
    assert fold.text().strip() == "Thought for 3 s"
    assert fold.accessibleName() == "Show the thoughts"
    fold.click()
    assert view.cache.items["m1"].height > height
    assert "I look outside." in view.cache.items["m1"].segments[0].document.toPlainText()
    fold.click()
    assert view.cache.items["m1"].height == height


def test_reasoning_button_appears_while_reasoning_streams(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "Hi"), message(1, "", "streaming")])
    messages.replace(replace(message(1, "", "streaming"), reasoning="Hm"))
    qtbot.waitUntil(lambda: "reasoning" in view.cache.controls["m1"]._named)
    assert button(view, "m1", "reasoning").text().strip() == "Thinking…"


def test_tool_call_is_shown_as_code_block_with_formatted_arguments(view: TranscriptView, messages: MessageList) -> None:
    answer = replace(message(1, "I ask."), calls=(Call("weather", '{"city":"Oslo"}'), Call("broken", "{")))
    messages.show([message(0, "Hi"), answer])
    assert [block.code for _, block in view.cache.items["m1"].code_heads()] == ['{\n  "city": "Oslo"\n}', "{"]
    assert [segment.block.language for segment in view.cache.items["m1"].segments[1:]] == ["weather", "broken"]


CONTROL = Qt.KeyboardModifier.ControlModifier


async def press(gui: Gui, message_id: str, name: str) -> None:
    """Waits until a message has this button, and clicks it."""
    controls = gui.transcript.cache.controls
    await until(lambda: message_id in controls and name in controls[message_id]._named)
    controls[message_id]._named[name].click()


def test_buttons_for_retry_version_edit_and_alternatives_change_the_chat(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"It is wide and blue.")) as gui:
            type_and_send(gui, "The sea?")
            await answered(gui)
            first = gui.rows[-1].id
            await press(gui, first, "retry")
            await until(lambda: gui.rows[-1].id != first and gui.rows[-1].state == "complete")
            await press(gui, gui.rows[-1].id, "previous")
            await until(lambda: gui.rows[-1].id == first)
            gui.transcript.edit(gui.rows[0].id)
            gui.transcript.editing.editor.edit.setPlainText("The lake?")
            QTest.keyClick(gui.transcript.editing.editor.edit, Qt.Key.Key_Return)
            await until(lambda: gui.rows[0].text == "The lake?")
            await answered(gui)
            await press(gui, gui.rows[-1].id, "alternatives")
            await until(lambda: len(gui.transcript.messages.alternatives(gui.rows[-1].id)) == 3)
            await answered(gui)
            QTest.keyClick(gui.window, Qt.Key.Key_F, CONTROL)
            assert gui.transcript.finder.bar.isVisible()

    run(story())
