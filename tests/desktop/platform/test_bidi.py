"""Tests of right-to-left text, and of the window in right-to-left layout."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.models.model_row_delegate import columns
from desktop.platform.bidi import direction_of, isolated, mirrored
from desktop.platform.theme import Theme
from desktop.render.html import END_ISOLATE, ISOLATE, THIN
from desktop.shell.main_window import MainWindow
from desktop.store.records import Chat, ChatMessage
from desktop.store.store import Store
from desktop.transcript.message_item import MessageItem
from desktop.transcript.user_message_item import PADDING_X, UserMessageItem
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import SIZES, fill, open_chat, show

LEFT_TO_RIGHT, RIGHT_TO_LEFT = Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft
TITLE, QUESTION, HEBREW = "خطة الحديقة لشهر مارس وما بعده من الشهور الطويلة", "كيف أزرع الفول؟", "מה שלומך היום?"
ANSWER = """# ما يجب معرفته قبل الزراعة

تحصل الأحواض على **ست ساعات** من الشمس في مارس. انظر `csv.Error` في [التقويم](https://example.org/a).

1. اقلب التربة ثم انتظر أسبوعًا.
2. ازرع ما يتحمل البرد أولًا:
   - الفول
   - السبانخ

> الحديقة لا تنتهي أبدًا.

```python
print("hello")
```

An English paragraph in between stays as it is."""


@pytest.fixture
def from_right(qapp: QApplication) -> Iterator[None]:
    qapp.setLayoutDirection(RIGHT_TO_LEFT)
    yield
    qapp.setLayoutDirection(LEFT_TO_RIGHT)


async def with_arabic(profile: Profile) -> None:
    await fill(profile)
    store, now = Store(profile.chats), time.time()
    await store.open()
    ask = ChatMessage("r-q", "r", None, "user", QUESTION, "complete", now)
    reply = ChatMessage("r-a", "r", "r-q", "assistant", ANSWER, "complete", now + 1, "tiny", 40, 0, 184, 3.5, 0.1)
    await store.save(Chat("r", TITLE, now, now, leaf_id="r-a"), [ask, reply])
    await store.aclose()


async def lived_in(gui: Gui) -> None:
    await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
    await open_chat(gui, "r")


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("Hello", LEFT_TO_RIGHT),
        (HEBREW, RIGHT_TO_LEFT),
        (f"1. “{QUESTION}” in English", RIGHT_TO_LEFT),
        ("csv: " + QUESTION, LEFT_TO_RIGHT),
        ("12 · …", LEFT_TO_RIGHT),
        ("", LEFT_TO_RIGHT),
    ],
)
def test_first_letter_with_a_direction_decides_the_text_direction(
    qapp: QApplication, text: str, direction: Qt.LayoutDirection
) -> None:
    assert direction_of(text) == direction
    assert isolated(text)[1:-1] == text


def test_boxes_are_mirrored_only_in_rtl_layout(qapp: QApplication, from_right: None) -> None:
    row = QRect(10, 0, 100, 20)
    assert mirrored(QRect(10, 0, 30, 20), row) == QRect(80, 0, 30, 20)
    assert mirrored(QRectF(25, 2, 10, 5), QRectF(row)) == QRectF(85, 2, 10, 5)
    name, _, speed = columns(QRect(0, 0, 800, 58))
    assert name.left() > speed.right()
    assert direction_of("12") == RIGHT_TO_LEFT
    qapp.setLayoutDirection(LEFT_TO_RIGHT)
    assert mirrored(QRect(10, 0, 30, 20), row) == QRect(10, 0, 30, 20)


def message(text: str, role: str, state: str = "complete") -> ChatMessage:
    return ChatMessage("m", "c", None, role, text, state, 0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [QUESTION, HEBREW, "Hello there"])
def test_user_message_is_drawn_inside_its_bubble_in_both_text_directions(theme: Theme, text: str) -> None:
    item = UserMessageItem(message(text, "user"), theme, 600)
    (segment,) = item.segments
    first, last = (segment.boxes(at, at + 1)[0].translated(item._corner(segment)) for at in (0, len(text) - 1))
    box = item._box()
    assert box.width() < 300
    for place in (first, last):
        assert box.left() + PADDING_X - 4 <= place.left()
        assert place.right() <= box.right() - PADDING_X + 4
    assert (first.left() > last.left()) == (direction_of(text) == RIGHT_TO_LEFT)


def test_each_paragraph_has_the_direction_of_its_own_text(theme: Theme) -> None:
    item = MessageItem(message(ANSWER, "assistant"), theme, 600)
    runs = {segment.block.kind: segment.is_rtl for segment in item.segments[:-1]}
    assert runs == {"heading": True, "text": True, "list": True, "quote": True, "code": False}
    assert not item.segments[-1].is_rtl
    heading, quote = item.segments[0], next(each for each in item.segments if each.block.kind == "quote")
    assert heading.boxes(0, 1)[0].right() > 590
    assert quote.text_origin.x() == 0
    assert quote.boxes(0, 1)[0].right() < 600 - 10  # left of the vertical line that marks the quote at the right edge
    growing = MessageItem(message(QUESTION[:8], "assistant", "streaming"), theme, 600)
    assert growing.segments[0].caret().right() < growing.segments[0].boxes(7, 8)[0].left() + 4


CODE_FIRST = """`csv.Error()` هو نوع الخطأ الذي يظهر هنا.

- `git pull` يجلب التغييرات
- افتح الملف

1. **API** واجهة
2. [link](https://example.org) مرحبا
3. Only English

The word مرحبا بكم في البحر القديم والمنارة is English.

> `x` مرحبا

| الاسم | القيمة |
|--|--|
| `a` | ب |"""


def test_code_and_links_do_not_change_paragraph_direction(theme: Theme) -> None:
    item = MessageItem(message(CODE_FIRST, "assistant"), theme, 600)
    directions: dict[str, Qt.LayoutDirection] = {}
    for segment in item.segments:
        block = segment.document.begin()
        while block.isValid():
            directions[block.text().strip(f"{ISOLATE}{END_ISOLATE}{THIN} .")[:7]] = block.textDirection()
            block = block.next()
    from_left = {start for start, direction in directions.items() if direction == LEFT_TO_RIGHT and start}
    assert from_left == {"Only En", "The wor"}


def test_first_column_of_rtl_table_is_at_the_right(theme: Theme) -> None:
    segment = MessageItem(message(CODE_FIRST, "assistant"), theme, 600).segments[-1]
    text = segment.document.toPlainText()
    first, second = (segment.boxes(text.index(word), text.index(word) + 3)[0] for word in ("الاسم", "القيمة"))
    assert second.right() < first.left() <= first.right() <= 600
    assert segment.boxes(text.index("ب"), text.index("ب") + 1)[0].right() > second.right() - 8


def test_copied_rtl_text_contains_no_isolate_characters(theme: Theme) -> None:
    item = MessageItem(message(CODE_FIRST, "assistant"), theme, 600)
    copied = item.text_between(*item.whole())
    assert copied.startswith("csv.Error() هو نوع")
    assert copied.endswith("الاسم\nالقيمة\na\nب")
    assert not set(copied) & {ISOLATE, END_ISOLATE, THIN}


def test_code_in_rtl_text_keeps_character_order(theme: Theme) -> None:
    segment = MessageItem(message(CODE_FIRST, "assistant"), theme, 600).segments[0]
    at = segment.document.toPlainText().index("csv.Error()")
    first, last = segment.boxes(at, at + 1)[0], segment.boxes(at + 9, at + 11)[0]
    assert first.left() < last.left()


def test_composer_has_the_direction_of_the_typed_text(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            edit = gui.window.chat_page.composer._edit
            edit.insertPlainText(HEBREW[:4])  # QTest cannot press Hebrew keys
            option = edit.document().defaultTextOption()
            assert (option.textDirection(), option.alignment()) == (RIGHT_TO_LEFT, Qt.AlignmentFlag.AlignRight)
            edit.clear()
            QTest.keyClicks(edit, "Hello")
            option = edit.document().defaultTextOption()
            assert (option.textDirection(), option.alignment()) == (LEFT_TO_RIGHT, Qt.AlignmentFlag.AlignLeft)

    run(story())


def test_screenshots_of_rtl_text_are_saved(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await with_arabic(profile)
        for scheme in ("light", "dark"):
            async with open_gui(theme=scheme) as gui:
                await lived_in(gui)
                gui.window.chat_page.composer._edit.setPlainText("ما هو أفضل وقت؟")
                await show(gui, "arabic", scheme, SIZES[:2])

    run(story())


def is_at_the_right(window: MainWindow) -> bool:
    return window.sidebar.geometry().right() == window.rect().right() and window.pages.x() == 0


def test_window_is_mirrored_in_rtl_layout(run: Run, open_gui: OpenGui, profile: Profile, from_right: None) -> None:
    async def story() -> None:
        await with_arabic(profile)
        async with open_gui() as gui:
            await lived_in(gui)
            assert is_at_the_right(gui.window)
            item = gui.transcript.column.item(0)
            assert item._box().left() == 0
            controls = gui.transcript.cache.controls["r-a"]
            column = gui.transcript.column.reading_column()
            assert all(each.x() > column[0] + column[1] // 2 for each in controls._named.values())
            await show(gui, "mirrored-chat", "light", SIZES)
            await open_chat(gui, "c3")
            await show(gui, "mirrored-english", "light", SIZES[1:2])
            for place in ("settings", "models", "endpoint"):
                gui.window.show_page(place)
                await show(gui, f"mirrored-{place}", "light", SIZES[1:2])

    run(story())
