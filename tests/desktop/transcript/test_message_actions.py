"""What a person does with a message on the page: its buttons, its words, answers side by side, finding, selecting."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.render.markdown import blocks
from desktop.store.records import Attachment, Call, ChatMessage
from desktop.transcript.text_positions import SegmentPosition, find_in_source, word_at, words_in
from desktop.transcript.view import TranscriptView
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.desktop.transcript.test_column_layout import LONG, message
from tests.fakes import Script

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def button(view: TranscriptView, message_id: str, name: str) -> QPushButton:
    return view.cache.controls[message_id]._named[name]


def centre_of(view: TranscriptView, row: int, word: str, nth: int = 0) -> QPoint:
    item = view.column.item(row)
    found = [each for each in words_in(item.texts()) if each.text == word][nth]
    return view.column.corner(row) + item.word_box(found).center()


# Buttons


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
def test_each_button_says_what_is_wished(
    qtbot: QtBot, view: TranscriptView, messages: MessageList, name: str, signal: str, args: list[object]
) -> None:
    messages.show([message(0, "Hi"), message(1, "Hello")], {"m1": (2, 3)})
    with qtbot.waitSignal(getattr(view, signal)) as asked:
        button(view, "m1", name).click()
    assert asked.args == args


def test_versions_are_counted_and_end_at_the_ends(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "Hello")], {"m1": (1, 2), "m0": (2, 2)})
    assert view.cache.controls["m1"]._version_label is not None
    assert view.cache.controls["m1"]._version_label.text() == "1 / 2"
    assert not button(view, "m1", "previous").isEnabled()
    assert button(view, "m1", "next").isEnabled()
    assert not button(view, "m0", "next").isEnabled()


def test_figures_that_do_not_fit_beside_buttons_are_left_out(view: TranscriptView, messages: MessageList) -> None:
    answer = replace(message(1, "Hello"), n_output=202, decode_s=22.0, first_token_s=0.1)
    messages.show([message(0, "Hi"), answer], {"m1": (3, 4)})
    item = view.column.item(1)
    assert item.shown_stats == "202 tokens · 9 tok/s · 0.1 s to first word"
    item.set_width(item.buttons_width + 140)
    assert item.shown_stats == "202 tokens · 9 tok/s"
    item.set_width(item.buttons_width + 20)
    assert item.shown_stats == ""


@pytest.mark.parametrize("state", ["cut", "stopped", "length"])
def test_what_was_cut_offers_to_go_on(qtbot: QtBot, view: TranscriptView, messages: MessageList, state: str) -> None:
    messages.show([message(0, "Hi"), message(1, "Half an", state)])
    with qtbot.waitSignal(view.continue_requested):
        button(view, "m1", "continue").click()
    messages.show([message(0, "Hi"), message(1, "Whole")])
    assert "continue" not in view.cache.controls["m1"]._named


def test_a_question_is_edited_in_its_place(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "How are yuo?"), message(1, "Well.")])
    button(view, "m0", "edit").click()
    editor = view.editing.editor
    assert editor is not None
    assert editor.edit.toPlainText() == "How are yuo?"
    assert view.column.corner(1).y() >= editor.geometry().bottom()
    QTest.keyClick(editor.edit, Qt.Key.Key_Return, SHIFT)
    assert editor.edit.toPlainText() == "How are yuo?\n"
    editor.edit.setPlainText("How are you?")
    with qtbot.waitSignal(view.edited) as edited:
        QTest.keyClick(editor.edit, Qt.Key.Key_Return)
    assert edited.args == ["m0", "How are you?"]
    assert view.editing.editor is None


def test_an_answer_takes_control_enter_and_escape_leaves_it(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "Hi"), message(1, "Wel.")])
    with qtbot.assertNotEmitted(view.edited):
        QTest.keyClick(editing(view, "m1"), Qt.Key.Key_Escape)
    assert view.editing.editor is None
    edit = editing(view, "m1")
    edit.setPlainText("Well.")
    with qtbot.waitSignal(view.edited) as edited:
        QTest.keyClick(edit, Qt.Key.Key_Return, CONTROL)
    assert edited.args == ["m1", "Well."]


def test_editing_long_message_from_its_end_shows_editor(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "line of code\n" * 200), message(1, "Hello")])
    view.go_to_end()
    assert view.column.corner(0).y() < -1_000
    button(view, "m0", "edit").click()
    editor = view.editing.editor
    assert editor is not None
    assert view.viewport().rect().contains(editor.geometry())
    assert view.column.corner(1).y() >= editor.geometry().bottom()


def test_edited_message_is_not_painted_below_its_editor(view: TranscriptView, messages: MessageList) -> None:
    files = tuple(Attachment(f"notes {n}.txt", "text", "words", 5) for n in range(4))
    messages.show([replace(message(0, "What is in these?"), attachments=files), message(1, "Hello")])
    view.edit("m0")
    editor = view.editing.editor
    assert editor is not None
    assert 0 <= view.column.corner(1).y() - editor.geometry().bottom() < 60
    assert view.column.is_covered(0)
    assert all(each.isHidden() for each in view.cache.controls["m0"]._named.values())
    QTest.keyClick(editor.edit, Qt.Key.Key_Escape)
    assert not view.column.is_covered(0)
    assert not button(view, "m0", "edit").isHidden()


def test_editor_grows_with_what_is_typed(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "Hello")])
    edit = editing(view, "m0")
    before = edit.height()
    for _ in range(5):
        QTest.keyClick(edit, Qt.Key.Key_Return, SHIFT)
    assert edit.height() > before
    assert view.editing.editor is not None
    assert view.column.corner(1).y() >= view.editing.editor.geometry().bottom()


def editing(view: TranscriptView, message_id: str) -> QPlainTextEdit:
    view.edit(message_id)
    assert view.editing.editor is not None
    return view.editing.editor.edit


def test_what_was_read_stays_where_it_is_when_a_version_is_shown(view: TranscriptView, messages: MessageList) -> None:
    rows = [message(number) for number in range(12)]
    messages.show(rows)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 3)
    row = view.column.row_at(0)
    top = view.column.corner(row).y()
    messages.show([*rows[:10], message(99, "Another version.")])
    assert view.column.corner(row).y() == top


# Thoughts, calls, files


def test_thoughts_are_folded_until_they_are_wanted(view: TranscriptView, messages: MessageList) -> None:
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


def test_thoughts_come_while_they_are_thought(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "", "streaming")])
    messages.replace(replace(message(1, "", "streaming"), reasoning="Hm"))
    qtbot.waitUntil(lambda: "reasoning" in view.cache.controls["m1"]._named)
    assert button(view, "m1", "reasoning").text().strip() == "Thinking…"


def test_a_call_is_a_card_with_its_arguments(view: TranscriptView, messages: MessageList) -> None:
    answer = replace(message(1, "I ask."), calls=(Call("weather", '{"city":"Oslo"}'), Call("broken", "{")))
    messages.show([message(0, "Hi"), answer])
    assert [block.code for _, block in view.cache.items["m1"].code_heads()] == ['{\n  "city": "Oslo"\n}', "{"]
    assert [segment.block.language for segment in view.cache.items["m1"].segments[1:]] == ["weather", "broken"]


def test_files_stand_in_the_bubble(view: TranscriptView, messages: MessageList) -> None:
    asked = replace(message(0, "Read this"), attachments=(Attachment("a<b>.pdf", "pdf", "text", 1240),))
    messages.show([asked])
    assert "a<b>.pdf · 1,240" in view.cache.items["m0"].segments[0].document.toPlainText()


# Side by side


def alternatives(state: str = "complete") -> tuple[ChatMessage, ...]:
    return tuple(
        replace(message(1, f"Title {n}", state), id=f"a{n}", first_token_s=0.4, decode_s=1.0) for n in range(3)
    )


def test_answers_side_by_side_are_picked(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    three = alternatives()
    messages.show([message(0, "Hi"), three[0]], {}, {"a0": three})
    controls = view.cache.controls["a0"]
    names = [card.accessibleName() for card in controls._cards.values()]  # type: ignore[attr-defined]
    assert names == ["Answer 1, kept", "Keep answer 2", "Keep answer 3"]
    with qtbot.waitSignal(view.picked) as picked:
        controls._cards["a2"].click()  # type: ignore[attr-defined]
    assert picked.args == ["a2"]
    wide = view.cache.items["a0"].boxes()  # type: ignore[attr-defined]
    assert len({box.top() for box in wide}) == 1
    view.resize(420, 600)
    narrow: list[QRect] = view.cache.items["a0"].boxes()  # type: ignore[attr-defined]
    assert len({box.left() for box in narrow}) == 1
    assert all(not one.intersects(two) for one in narrow for two in narrow if one is not two)


def test_they_grow_while_they_are_written_and_become_one(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    live = alternatives("streaming")
    messages.show([message(0, "Hi"), live[0]])
    messages.show_alternatives("a0", live)
    qtbot.waitUntil(lambda: hasattr(view.cache.items.get("a0"), "boxes"))
    height = view.cache.items["a0"].height
    messages.show_alternatives("a0", (live[0], replace(live[1], text=LONG), live[2]))
    qtbot.waitUntil(lambda: view.cache.items["a0"].height > height + 200)
    messages.show_alternatives("a0", ())
    qtbot.waitUntil(lambda: not hasattr(view.cache.items.get("a0"), "boxes"))


# Words


def test_a_click_on_a_word_asks_what_else_it_could_have_been(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    text = "A **fine** word, a `fine` code and a [fine](https://fine.example) 🙂 link, finely."
    messages.show([message(0, "fine"), message(1, text.replace("https://fine.example", "https://b.example"))])
    source = messages[1].text
    for nth in range(2):
        with qtbot.waitSignal(view.token_alternatives_requested) as asked:
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(view, 1, "fine", nth))
        message_id, start, end, box = asked.args
        assert (message_id, source[start:end]) == ("m1", "fine")
        assert start == [4, 20][nth]
        assert view.viewport().mapFromGlobal(box.center()) == centre_of(view, 1, "fine", nth)
        assert view.cache.items["m1"].marked_word is not None
        view.clear_word_mark()
        assert view.cache.items["m1"].marked_word is None


@pytest.mark.parametrize("row", [0, 1])
def test_words_that_nobody_asks_for(qtbot: QtBot, view: TranscriptView, messages: MessageList, row: int) -> None:
    """The person's own, those of an answer that is being written, those that Markdown hides, and empty page."""
    messages.show([message(0, "Hello"), message(1, "Hello there", "streaming")])
    with qtbot.assertNotEmitted(view.token_alternatives_requested, wait=350):
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(view, row, "Hello"))
        if row:
            messages.show([message(0, "Hi"), message(1, "there [there](https://there.example)")])
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(view, 1, "there"))


def test_a_double_click_selects_and_asks_nothing(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "Hello there")])
    at = centre_of(view, 1, "there")
    with qtbot.assertNotEmitted(view.token_alternatives_requested, wait=350):
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert view.selected_text == "there"


def test_words_are_reached_by_key(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "One two three")])
    for key in (Qt.Key.Key_W, Qt.Key.Key_Left):
        QTest.keyClick(view, key)
    with qtbot.waitSignal(view.token_alternatives_requested) as asked:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert asked.args[1:3] == [4, 7]
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.cache.items["m1"].marked_word is None


@pytest.mark.parametrize("keys", ["Hello", "What", "why (so)?", "ww"])
def test_what_is_typed_on_the_page_is_for_the_composer(view: TranscriptView, messages: MessageList, keys: str) -> None:
    """A W that begins with words becomes the first letter of one, as soon as another follows."""
    typed: list[str] = []
    view.typed.connect(typed.append)
    messages.show([message(0, "Hi"), message(1, "One two three")])
    QTest.keyClicks(view, keys)
    assert "".join(typed) == keys.replace(" ", "")
    assert view.cache.items["m1"].marked_word is None
    for key, held in (
        (Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier),
    ):
        before = list(typed)
        QTest.keyClick(view, key, held)
        assert typed == before
    messages.show([])
    typed.clear()
    QTest.keyClick(view, Qt.Key.Key_W)
    assert typed == ["w"]


@given(
    st.lists(st.sampled_from(["one", "two", "**one**", "`two`", "🙂", "one's", "\n\n", "# one\n\n", ", "]), min_size=1)
)
def test_a_word_is_found_in_its_source_or_nowhere(pieces: list[str]) -> None:
    """Without a screen: the drawn texts are the blocks' own."""
    source = " ".join(pieces)
    texts = [re.sub(r"<[^>]+>", "", block.html).replace("&#x27;", "'") for block in blocks(source)]
    words = words_in(texts)
    for number, word in enumerate(words):
        span = find_in_source(words, number, source)
        assert span is None or source[slice(*span)] == word.text
        assert word_at(words, word.segment, word.start) is not None


# Selecting


def test_a_selection_goes_over_several_messages(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "The question"), message(1, "An **answer** here"), message(2, "And more")])
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=centre_of(view, 0, "question"))
    view.selection.drag_to(centre_of(view, 2, "more"))
    assert view.selected_text.split("\n\n")[1] == "An answer here"
    assert view.selected_markdown.split("\n\n")[1] == "An **answer** here"
    assert "question".endswith(view.selected_text.split("\n\n")[0])
    QTest.keyClick(view, Qt.Key.Key_C, CONTROL | SHIFT)
    assert "**answer**" in QGuiApplication.clipboard().text()
    view.grab()


def test_all_is_selected_in_two_steps(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "The question"), message(1, "An answer")])
    QTest.keyClick(view, Qt.Key.Key_A, CONTROL)
    assert view.selected_text == "An answer"
    QTest.keyClick(view, Qt.Key.Key_A, CONTROL)
    assert view.selected_text == "The question\n\nAn answer"


def test_where_a_link_goes_is_said(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, "Hi"), message(1, "[the almanac](https://example.org/a)")])
    QTest.mouseMove(view.viewport(), centre_of(view, 1, "almanac"))
    assert view.link_address is not None
    assert view.link_address.text() == "https://example.org/a"
    assert view.link_address.isVisible()
    QTest.mouseMove(view.viewport(), QPoint(5, 5))
    assert not view.link_address.isVisible()


# Finding


def test_what_is_looked_for_is_marked_and_stepped_through(view: TranscriptView, messages: MessageList) -> None:
    rows = [message(number, f"Needle {number} and NEEDLE. " + LONG) for number in range(30)]
    messages.show(rows)
    view.open_find()
    bar = view.finder.bar
    assert bar is not None
    QTest.keyClicks(bar.edit, "needle")
    assert bar._count.text().endswith("of 60")
    bar.edit.setText("needle 7")
    assert bar._count.text() == "1 of 1"
    row = view.column.row_of("m7")
    assert row in view.column.visible_rows()
    assert view.selected_text == "Needle 7"
    assert view.cache.items["m7"].matches == [(SegmentPosition(0, 0), SegmentPosition(0, 8))]
    bar.edit.setText("needle")
    first = bar._count.text()
    QTest.keyClick(bar.edit, Qt.Key.Key_Return)
    assert bar._count.text() != first
    QTest.keyClick(bar.edit, Qt.Key.Key_Return, SHIFT)
    assert bar._count.text() == first
    bar.edit.setText("no such word")
    assert bar._count.text() == "nothing"
    QTest.keyClick(bar.edit, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert all(not item.matches for item in view.cache.items.values())


# The whole way


async def press(gui: Gui, message_id: str, name: str) -> None:
    """A button of a message, as soon as it is there."""
    controls = gui.transcript.cache.controls
    await until(lambda: message_id in controls and name in controls[message_id]._named)
    controls[message_id]._named[name].click()


def test_a_person_edits_asks_again_and_steps_back(run: Run, open_gui: OpenGui) -> None:
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
