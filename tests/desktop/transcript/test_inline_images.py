"""Formulas, pictures and wide code on the page, as a reader meets them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.platform.theme import Theme
from desktop.render.blocks import Block, InlineImage
from desktop.transcript.code_block import CodeBlock
from desktop.transcript.inline_images import MAX_CACHED_BYTES, MAX_FORMULA_PIXELS, RenderedImage
from desktop.transcript.local_pictures import read_picture
from desktop.transcript.view import TranscriptView
from tests.desktop.chat.attachments.sample_documents import png_bomb
from tests.desktop.transcript.test_column_layout import message

WIDE = "```python\n" + "a_long_name = " * 30 + "1\nshort = 2\n```"
EULER = r"It says $e^{i\pi}+1=0$, and so on."


def red_png(path: Path, width: int = 60, height: int = 40) -> Path:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    assert image.save(str(path))
    return path


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person's own folder is where these tests put their pictures."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))


def drawn(view: TranscriptView, row: int = 0) -> list[str]:
    return [text for segment in view.column.item(row).segments for text in segment._drawn_images]


def test_a_formula_is_drawn_when_it_is_ready_and_copied_as_it_was_written(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(1, EULER)])
    assert drawn(view) == []
    assert "e^{i" in view.column.item(0).segments[0].document.toPlainText(), "its source stands in"
    qtbot.waitUntil(lambda: drawn(view) == [r"$e^{i\pi}+1=0$"])
    assert "e^{i" not in view.column.item(0).segments[0].document.toPlainText()
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert view.selected_text == EULER
    messages.show([message(1, EULER)])
    assert drawn(view), "the second time it is there at once"


def test_hostile_formulas_stop_no_others(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    hostile = r"$\hspace{99999999999em}x$ and $x\hspace{100000em}y$ and $x\hspace{-100000em}z$"
    messages.show([message(1, f"{hostile}\n\nThen $b+1$.")])
    qtbot.waitUntil(lambda: drawn(view) == ["$b+1$"])
    assert "hspace" in view.column.item(0).segments[0].document.toPlainText()


def test_error_in_the_inset_thread_stops_no_others(
    qtbot: QtBot, view: TranscriptView, messages: MessageList, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = view.images._render

    def failing(image: InlineImage, scale: float) -> object:
        if image.source == "q_1":
            raise OverflowError
        return make(image, scale)

    monkeypatch.setattr(view.images, "_render", failing)
    messages.show([message(1, "$q_1$")])
    qtbot.waitUntil(lambda: not view.images._pending)
    messages.append(message(3, "$q_2$"))
    qtbot.waitUntil(lambda: drawn(view, 1) == ["$q_2$"])


def test_pictures_in_memory_are_bounded_in_bytes(view: TranscriptView) -> None:
    inline_images = view.images
    for number in range(40):
        image = QImage(2000, 1000, QImage.Format.Format_ARGB32_Premultiplied)
        inline_images._put(
            (InlineImage("formula", f"x_{number}", ""), 1.0), RenderedImage(image, 2000.0, 1000.0, is_formula=True)
        )
    assert (
        inline_images._n_bytes
        == sum(each.image.sizeInBytes() for each in inline_images._cached.values() if each)
        <= MAX_CACHED_BYTES
    )
    assert 2 < len(inline_images._cached) < 40


def test_wide_formula_on_a_fine_screen_is_drawn_within_bounds(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    view.images.scale = 3.0
    messages.show([message(1, r"$$x\hspace{300em}y$$")])
    qtbot.waitUntil(lambda: bool(drawn(view)))
    (made,) = [each for each in view.images._cached.values() if each]
    assert made.image.width() * made.image.height() < 1.1 * MAX_FORMULA_PIXELS
    assert view.column.item(0).segments[0].document.idealWidth() <= view.column.item(0).width


def test_a_formula_takes_the_colour_of_its_words(
    qtbot: QtBot, view: TranscriptView, messages: MessageList, theme: Theme
) -> None:
    messages.show([message(1, "$$x^2$$")])
    qtbot.waitUntil(lambda: bool(drawn(view)))

    def lightness() -> tuple[int, int]:
        """Of the darkest and of the lightest pixel where the formula stands."""
        image = view.viewport().grab().toImage()
        found = [image.pixelColor(x, y).lightness() for x in range(image.width()) for y in range(24, 50)]
        return min(found), max(found)

    assert lightness()[0] < 60, "dark on light"
    theme.choose("dark")
    assert lightness()[1] > 180, "light on dark"


def test_what_is_read_stays_where_it_is_when_formulas_come(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    tall = "\n\n".join(rf"$$\frac{{{n}}}{{\frac{{a}}{{b}}}}$$" for n in range(6))
    messages.show([message(1, tall), *(message(n, "word " * 60) for n in range(3, 20, 2))])
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    row, top = view.column.hold()
    view.column.item(0)  # asks for its formulas
    qtbot.waitUntil(lambda: len(drawn(view)) == 6)
    assert view.column.hold() == (row, top)


def test_a_picture_on_this_machine_and_one_in_the_text(
    qtbot: QtBot, view: TranscriptView, messages: MessageList, tmp_path: Path
) -> None:
    path = red_png(tmp_path / "a.png")
    inside = base64.b64encode(path.read_bytes()).decode()
    messages.show([message(1, f"![one](<{path}>)\n\n![two](data:image/png;base64,{inside})\n\n![gone](/no/such.png)")])
    qtbot.waitUntil(lambda: drawn(view) == ["one", "two"])
    image = view.viewport().grab().toImage()
    reds = sum(image.pixelColor(x, y) == QColor("red") for x in range(0, image.width(), 4) for y in range(0, 200, 4))
    assert reds == pytest.approx(2 * 60 * 40 / 16, rel=0.15)
    assert "gone" in view.column.item(0).segments[2].document.toPlainText()


def test_picture_elsewhere_is_shown_after_a_click(
    qtbot: QtBot,
    view: TranscriptView,
    messages: MessageList,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    messages.show([message(1, f"![one](<{red_png(tmp_path / 'a.png')}>) and ![](/no/such.png)")])
    qtbot.waitUntil(lambda: "pictures" in view.cache.controls["m1"]._named)
    text = view.column.item(0).segments[0].document.toPlainText()
    assert text == "one and /no/such.png"
    button = view.cache.controls["m1"]._named["pictures"]
    assert button.accessibleName() == "Show the pictures"
    button.click()
    qtbot.waitUntil(lambda: drawn(view) == ["one"])
    qtbot.waitUntil(lambda: not view.images._pending)
    assert "pictures" not in view.cache.controls["m1"]._named


def test_a_wide_picture_shrinks_with_the_page(
    qtbot: QtBot, view: TranscriptView, messages: MessageList, tmp_path: Path
) -> None:
    messages.show([message(1, f"![w](<{red_png(tmp_path / 'w.png', 1200, 100)}>)")])
    qtbot.waitUntil(lambda: bool(drawn(view)))
    segment = view.column.item(0).segments[0]
    assert segment.document.idealWidth() <= segment.width
    tall = segment.height
    view.resize(400, 400)
    segment = view.column.item(0).segments[0]
    assert segment.document.idealWidth() <= segment.width < 400
    assert segment.height < tall


def test_pictures_that_are_a_trap_are_not_read(tmp_path: Path) -> None:
    svg = tmp_path / "a.svg"
    svg.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (tmp_path / "text.png").write_text("no picture")
    for address in (str(svg), str(tmp_path / "text.png"), str(tmp_path), "/dev/zero", "data:image/png;base64,%%%"):
        assert read_picture(address, anywhere=True) is None, address
    assert read_picture(f"data:image/png;base64,{base64.b64encode(png_bomb(30_000, 30_000)).decode()}") is None
    big = red_png(tmp_path / "big.png", 4000, 3000)
    image = read_picture(str(big))
    assert isinstance(image, QImage)
    assert image.width() <= 1400
    (tmp_path / "cut.png").write_bytes(big.read_bytes()[:60])
    assert read_picture(str(tmp_path / "cut.png")) is None


def code(view: TranscriptView) -> CodeBlock:
    segment = view.column.item(0).segments[0]
    assert isinstance(segment, CodeBlock)
    return segment


def wheel(view: TranscriptView, at: QPoint, pixels: QPoint, keys: Qt.KeyboardModifier) -> None:
    none = Qt.MouseButton.NoButton
    where = QPointF(view.viewport().mapToGlobal(at))
    event = QWheelEvent(QPointF(at), where, pixels, pixels, none, keys, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(view.viewport(), event)


def test_wide_code_is_scrolled_sideways_not_broken(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, WIDE)])
    segment = code(view)
    assert segment.max_offset > 1000
    assert segment.height == 32 + 24 + 40, "two lines"
    at = view.column.corner(0) + QPoint(50, 50)
    wheel(view, at, QPoint(-60, 0), Qt.KeyboardModifier.NoModifier)
    assert segment.offset == 60
    wheel(view, at, QPoint(0, -60), Qt.KeyboardModifier.ShiftModifier)
    assert segment.offset == 120
    wheel(view, at, QPoint(0, -60), Qt.KeyboardModifier.NoModifier)
    assert segment.offset == 120, "that scrolls the page"
    handle = segment.thumb().center().toPoint() + view.column.corner(0)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=handle)
    QTest.mouseMove(view.viewport(), handle + QPoint(5000, 0))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=handle + QPoint(5000, 0))
    assert segment.offset == segment.max_offset
    assert view.selected_text == ""


def test_narrow_code_has_no_handle(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, "```\nx = 1\n```")])
    assert code(view).max_offset == 0
    assert code(view).thumb().isEmpty()


def test_text_is_selected_where_it_is_seen_in_code_that_is_scrolled(
    view: TranscriptView, messages: MessageList
) -> None:
    messages.show([message(1, "```\n" + "".join(f"w{n:03} " for n in range(200)) + "\n```")])
    segment = code(view)
    segment.scroll_to(700)
    (box,) = segment.boxes(110 * 5, 110 * 5 + 4)
    at = view.column.corner(0) + box.center().toPoint()
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert view.selected_text == "w110"


def test_a_match_in_wide_code_is_brought_into_sight(view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, "```\n" + "pad " * 100 + "needle\n```")])
    view.open_find()
    assert view.finder.bar is not None
    QTest.keyClicks(view.finder.bar.edit, "needle")
    assert code(view).offset > 0
    start, end = view.column.item(0).matches[0]
    assert code(view).boxes(start.offset, end.offset)[0].right() <= code(view).width


def test_code_is_saved_as_a_file(qtbot: QtBot, view: TranscriptView, messages: MessageList) -> None:
    messages.show([message(1, "```python\nx = 1\n```")])
    with qtbot.waitSignal(view.save_requested) as asked:
        view.cache.controls["m1"]._code.rows[0][1].click()
    assert asked.args == [Block("code", code="x = 1", language="python")]
