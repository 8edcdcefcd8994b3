"""Tests that streaming messages, which are laid out and repainted in parts, look like messages that are painted at
once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from desktop.chat.message_list import MessageList
from desktop.platform.theme import Theme
from desktop.store.records import ChatMessage
from desktop.transcript.message_item import MessageItem
from desktop.transcript.view import TranscriptView
from tests.desktop.platform.test_bidi import ANSWER as ARABIC

WIDTH, HEIGHT = 320, 1400

STORY = """The sea was calm that morning, and the old keeper of the lighthouse went down to the pier, as he did daily.
He found **a bottle, green and heavy**, with a letter in it; `cork and wax` kept it dry & whole.  Two spaces, then <b>.

It said: "Come at once", and nothing else — save a number, 12.5, and a word that nobody
knew: Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen. 海の上の灯台は、昔からそこに立っていた。誰も知らない。

A line separator, a paragraph separator and a space  that holds, é 👩‍🚒 and a tab.

# What he did then, which nobody had thought of before him

- He read it twice, sat down on a crate and thought about it for a long time.
- He went to *the harbour office*, and
  1. asked whose boat it had been that had passed in the night without a light
  2. wrote it down

| who | what he had area of it |
|---|---|
| the keeper | a light, far out |
| the clerk | nothing at all |

> It was nothing, the clerk said, and closed his book.

```python
def light(on: bool) -> str:
    return "on" if on else "off"
```

1. One more thing, loosely

2. and another that is long enough to be broken into lines
"""
TURNING = "1234 5678 1234 5678 1234 5678 1234 5678 1234 5678 مرحبا بكم في البحر القديم والمنارة"


def message(text: str) -> ChatMessage:
    return ChatMessage("m", "c", None, "assistant", text, "streaming", 0.0)


def paint(item: MessageItem, image: QImage, top: int) -> None:
    """Repaints the part of the item from `top` on, as the transcript does."""
    area = QRect(0, top, WIDTH, HEIGHT - top)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(area)
    painter.fillRect(area, "white")
    item.paint(painter, QRectF(area), None)
    painter.end()


@pytest.mark.parametrize("text", [STORY, ARABIC, TURNING], ids=["story", "Arabic", "turning"])
@pytest.mark.parametrize("n_letters", [1, 7])
def test_streamed_item_looks_like_an_item_painted_at_once(theme: Theme, text: str, n_letters: int) -> None:
    growing, image = MessageItem(message(""), theme, WIDTH), QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    paint(growing, image, 0)
    for end in range(n_letters, len(text), n_letters):
        paint(growing, image, growing.update(message(text[:end])))
        if end % 5 == 0 or n_letters > 1:
            whole, at_once = MessageItem(message(text[:end]), theme, WIDTH), QImage(image.size(), image.format())
            paint(whole, at_once, 0)
            assert whole.height == growing.height < HEIGHT
            assert image == at_once, f"after {text[:end][-60:]!r}"


def test_text_appended_to_a_long_paragraph_repaints_only_its_end(theme: Theme) -> None:
    """A repaint of the whole paragraph for each token would take as long as decoding the token."""
    paragraph = STORY.split("\n\n")[0].split("**")[0] * 6
    growing = MessageItem(message(paragraph), theme, WIDTH)
    segment = growing.segments[0]
    document, height = segment.document, segment.height
    top = growing.update(message(paragraph + "and then"))
    assert height - 50 < top < height  # the height of one line, and of glyphs that reach above it
    assert growing.segments[0].document is document


def on_screen(view: TranscriptView) -> QImage:
    QApplication.processEvents()
    return view.screen().grabWindow(view.winId()).toImage()


def test_streamed_viewport_looks_like_a_full_repaint(view: TranscriptView, messages: MessageList) -> None:
    """This must also be true after scrolling, which shifts the part that is already painted."""
    question = ChatMessage("q", "c", None, "user", "What happened at sea?", "complete", 0.0)
    messages.append(question, replace(message(""), parent_id="q"))
    story, n_moves, at = STORY.split("#")[0] * 6, 0, view.verticalScrollBar().value()
    for end in range(20, len(story), 20):
        messages.replace(replace(message(story[:end]), parent_id="q"))
        view.updates.refresh()
        n_moves, at = n_moves + (view.verticalScrollBar().value() != at), view.verticalScrollBar().value()
        piecewise = on_screen(view)
        view.viewport().update()
        assert piecewise == on_screen(view), f"after {story[:end][-60:]!r}"
    assert n_moves > 15


def test_search_match_that_continues_on_the_next_line_is_highlighted_completely(
    view: TranscriptView, messages: MessageList
) -> None:
    QApplication.setCursorFlashTime(0)  # the cursor must not blink between the two screenshots
    messages.append(message(""))
    view.open_find()
    assert view.finder.bar is not None
    view.finder.bar.edit.setText("sunset and")
    n_broken = 0
    for n_letters in range(60, 160, 4):  # the line breaks at a different place for each length
        before = "s" * (n_letters % 60) + " word" * (n_letters // 5) + " sunset"
        for text in (before + " an", before + " and dusk"):
            messages.replace(message(text))
            view.updates.refresh()
            piecewise = on_screen(view)
            view.viewport().update()
            assert piecewise == on_screen(view), text
        item = view.cache.items["m"]
        ((start, end),) = item.matches
        n_broken += item.line_top(start) != item.line_top(replace(end, offset=end.offset - 1))
    assert n_broken
