"""Tests that very long messages are laid out in short steps and shown only in part, so that the window stays
responsive."""

from __future__ import annotations

import time

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.render.long_text import EXCERPT_LENGTH, PIECE_LENGTH, excerpt
from desktop.render.markdown import IncrementalMarkdown, blocks
from desktop.transcript.block_reader import STEP_LENGTH
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import message

LINES = {
    "words": "word and so on ",
    "no blanks": "a",
    "CJK": "漢字かな",
    "Arabic": "مرحبا بكم ",
    "emoji": "\U0001f469\u200d\U0001f692",
    "marks": "a\u0301\u0302",
    "separators": "a\u2028",
    "halves": "\ud800a",
}


@pytest.mark.parametrize("role", [1, 0], ids=["answer", "user"])
@pytest.mark.parametrize("name", LINES)
def test_line_of_two_million_characters_is_laid_out_in_short_steps(
    qtbot: QtBot, view: TranscriptView, messages: MessageList, name: str, role: int
) -> None:
    text = LINES[name] * (2_000_000 // len(LINES[name]))
    started = time.thread_time()
    messages.show([message(role, text)])
    first_s = time.thread_time() - started
    item = view.column.item(0)
    longest_s = 0.0
    while item.is_unfinished:
        started = time.thread_time()
        view.deferred.lay_out_more()
        longest_s = max(longest_s, time.thread_time() - started)
    assert max(first_s, longest_s) < 0.3, "takes 0.1 s on an idle machine"
    assert all(len(segment.block.html) < 3 * PIECE_LENGTH for segment in item.segments)
    shown = sum(len(segment.document.toPlainText()) for segment in item.segments)
    assert shown < 1.1 * EXCERPT_LENGTH * len(LINES[name].encode("utf-16-le", "surrogatepass")) / 2 / len(LINES[name])
    assert item.n_hidden > 1_000_000


def test_long_message_is_copied_completely_and_shown_completely_after_show_more(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    text = "word " * 40_000
    messages.show([message(1, text)])
    controls, item = view.cache.controls["m1"], view.column.item(0)
    qtbot.waitUntil(lambda: not item.is_unfinished)
    before = item.height
    controls._named["copy"].click()
    assert QGuiApplication.clipboard().text() == text
    assert controls._named["more"].accessibleName() == "Show more of this message"
    for _ in range(3):
        controls._named["more"].click()
        qtbot.waitUntil(lambda: not item.is_unfinished)
    assert "more" not in controls._named
    assert item.n_hidden == 0
    assert item.height > 3 * before
    assert item.text_between(*item.whole()) == text.strip()


def test_paragraph_split_into_pieces_is_copied_unchanged(view: TranscriptView, messages: MessageList) -> None:
    text = " ".join(f"word{n}" for n in range(1_500))
    messages.show([message(1, text), message(0, text)])
    for row in (0, 1):
        item = view.column.item(row)
        item.finish()
        assert len(item.segments) > 2
        assert item.text_between(*item.whole()) == text


def test_formula_too_long_for_one_piece_is_shown_as_source() -> None:
    source = "$" + "x+" * 5_000 + "y$"
    found = blocks(f"**Bold**, $a$ and {source} end")
    assert "<b>Bold</b>" in found[0].html
    assert [image.source for block in found for image in block.inline_images] == ["a"]
    assert f"{source} end" in "".join((block.joiner or "") + block.html[3:-4] for block in found)


def test_text_parsed_in_steps_has_the_blocks_of_text_parsed_at_once(
    view: TranscriptView, messages: MessageList
) -> None:
    text = "\n\n".join(f"## Part {n}\n\nSome **words** `and`\nmore.\n\n- a\n- b" for n in range(400))
    assert STEP_LENGTH < len(text) < EXCERPT_LENGTH
    messages.show([message(1, text)])
    item = view.column.item(0)
    item.finish()
    assert [segment.block for segment in item.segments] == list(blocks(text))


def test_long_code_block_is_not_split_into_pieces(view: TranscriptView, messages: MessageList) -> None:
    code = "x = 1\n" * 3_000
    messages.show([message(1, f"See:\n\n```python\n{code}```\n\nEnd")])
    item = view.column.item(0)
    item.finish()
    assert [segment.block.kind for segment in item.segments] == ["text", "code", "text"]
    assert item.segments[1].block.code == code.rstrip()


def test_very_long_streaming_paragraph_is_split_into_pieces(view: TranscriptView) -> None:
    growing, text = IncrementalMarkdown(), "word " * 20_000
    longest_s = 0.0
    for end in range(1_000, len(text), 1_000):
        started = time.thread_time()
        found = growing.feed(text[:end])
        longest_s = max(longest_s, time.thread_time() - started)
    assert growing.was_split
    assert longest_s < 0.3
    assert all(block.joiner is not None for block in found[1:])


def test_all_rows_of_a_long_streaming_table_are_rendered_as_table_rows() -> None:
    growing = IncrementalMarkdown()
    text = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 2_000
    for end in range(1_000, len(text) + 1, 1_000):
        found = growing.feed(text[:end])
    assert {block.kind for block in found} == {"table"}
    assert sum(block.html.count("<th ") for block in found) == 2
    assert abs(sum(block.html.count("<td ") for block in found) - 2 * text.count("| 1 |")) <= 4


def test_excerpt_ends_after_a_whole_word_or_character() -> None:
    assert excerpt("short") == "short"
    assert excerpt("word " * 100, 52) == ("word " * 10).rstrip() or len(excerpt("word " * 100, 52)) <= 52
    assert len(excerpt("a\u0301" * 100, 51)) == 50
