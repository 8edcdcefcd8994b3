"""Tests of user messages: code, tables, formulas, links and emphasis are formatted, and all other text is shown as
typed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from desktop.chat.message_list import MessageList
from desktop.render.blocks import Block
from desktop.render.user_markdown import user_message_blocks
from desktop.store.records import Attachment
from desktop.transcript.code_block import CodeBlock
from desktop.transcript.view import TranscriptView
from tests.desktop.transcript.support import message, wheel

TEXT = """Tell **me** what this  does:
   indented

```python
x = 1 < 2
```

| a | b |
|---|---|
| 1 | 2 |
- one
1. two"""


def words(text: str) -> str:
    """The HTML of a user message that consists of a single text block."""
    (block,) = user_message_blocks(text)
    return block.html.removeprefix('<p style="white-space: pre-wrap">').removesuffix("</p>")


def test_code_and_tables_of_a_user_message_become_blocks() -> None:
    found = user_message_blocks(TEXT)
    assert [block.kind for block in found] == ["text", "code", "table", "text"]
    assert "Tell <b>me</b> what this  does:\n   indented</p>" in found[0].html
    assert found[1] == Block("code", code="x = 1 < 2", language="python")
    assert "- one\n1. two</p>" in found[3].html


@pytest.mark.parametrize(
    "text",
    [
        "2*3*4 and a**b**c", "C:\\*x\\* and \\n", "__init__ and _x_", "# c\n- d\n1. b\n1. c", "a\n\n\n\nb  c\n\td ",
        "\n\nx\n\n", "x | y", "a | b\nc | d", "* a\n* b", "---", "[x]", "\u2028x\u2029", "1) a",
    ],
)  # fmt: skip
def test_markdown_characters_that_are_probably_literal_are_shown_as_typed(text: str) -> None:
    assert words(text) == text


def test_emphasis_code_and_links_of_a_user_message_are_formatted() -> None:
    assert words("**a b** (*c*) ~~d~~") == "<b>a b</b> (<i>c</i>) <s>d</s>"
    assert "<code>x</code>" in words("`x`")
    assert words("&amp; <b>") == "&amp;amp; &lt;b&gt;"
    assert user_message_blocks("So $x^2$ and $5")[0].inline_images[0].source == "x^2"
    assert user_message_blocks("```\nopen\n\n") == (Block("code", code="open\n\n"),)


@given(st.text(alphabet="ab *_`|-~\n$[]()\\<&#>.1", max_size=60))
def test_random_user_message_is_shown_with_all_its_digits(text: str) -> None:
    found = user_message_blocks(text)
    assert found
    shown = "".join(block.html + block.code + "".join(each.source for each in block.inline_images) for block in found)
    assert shown.count("1") >= text.count("1") - sum(block.language.count("1") for block in found)


def test_user_message_is_copied_as_typed(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(0, TEXT)])
    view.cache.controls["m0"]._named["copy"].click()
    assert QGuiApplication.clipboard().text() == TEXT
    item = view.column.item(0)
    assert item.text_between(*item.whole()).startswith("Tell me what this  does:\n   indented\n\nx = 1 < 2\n\n")


def test_code_in_a_user_message_has_buttons_and_scrolls_horizontally(
    view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(0, "See\n```\n" + "word " * 100 + "\n```")])
    item = view.column.item(0)
    code = item.segments[1]
    assert isinstance(code, CodeBlock)
    corner = QPointF(view.column.corner(0)) + item._corner(code)
    copy = view.cache.controls["m0"]._code.rows[0][0]
    assert corner.x() < copy.x() < copy.geometry().right() < corner.x() + code.width
    copy.click()
    assert QGuiApplication.clipboard().text() == "word " * 100
    wheel(view, (corner + QPointF(40, 40)).toPoint(), QPoint(-60, 0), Qt.KeyboardModifier.NoModifier)
    assert code.offset == 60
    handle = (code.thumb().center() + corner).toPoint()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=handle)
    QTest.mouseMove(view.viewport(), handle + QPoint(3, 0))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=handle + QPoint(3, 0))
    assert 60 < code.offset < 100
    assert view.selected_text == ""


def test_attached_files_are_listed_in_the_bubble(view: TranscriptView, messages: MessageList) -> None:
    sent = replace(message(0, "Read this"), attachments=(Attachment("a<b>.pdf", "pdf", "text", 1240),))
    messages.show([sent])
    assert "a<b>.pdf · 1,240" in view.cache.items["m0"].segments[0].document.toPlainText()
