"""Tests of formulas and pictures in messages: rendering, caching, and loading on request."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList
from desktop.platform.theme import Theme
from desktop.render.blocks import InlineImage
from desktop.transcript.inline_images import MAX_CACHED_BYTES, MAX_FORMULA_PIXELS, RenderedImage
from desktop.transcript.local_pictures import read_picture
from desktop.transcript.view import TranscriptView
from tests.desktop.chat.attachments.sample_documents import png_bomb
from tests.desktop.transcript.support import message

WIDE = "```python\n" + "a_long_name = " * 30 + "1\nshort = 2\n```"
EULER = r"It says $e^{i\pi}+1=0$, and so on."


def red_png(path: Path, width: int = 60, height: int = 40) -> Path:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    assert image.save(str(path))
    return path


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `tmp_path`, in which the tests save pictures, the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))


def drawn(view: TranscriptView, row: int = 0) -> list[str]:
    return [text for segment in view.column.item(row).segments for text in segment._drawn_images]


def test_formula_is_drawn_when_ready_and_copied_as_source(
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


def test_oversized_formulas_do_not_block_other_formulas(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    hostile = r"$\hspace{99999999999em}x$ and $x\hspace{100000em}y$ and $x\hspace{-100000em}z$"
    messages.show([message(1, f"{hostile}\n\nThen $b+1$.")])
    qtbot.waitUntil(lambda: drawn(view) == ["$b+1$"])
    assert "hspace" in view.column.item(0).segments[0].document.toPlainText()


def test_error_while_rendering_one_image_does_not_stop_other_images(
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


def test_image_cache_is_limited_in_bytes(view: TranscriptView) -> None:
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


def test_wide_formula_at_high_scale_has_limited_pixels(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    view.images.scale = 3.0
    messages.show([message(1, r"$$x\hspace{300em}y$$")])
    qtbot.waitUntil(lambda: bool(drawn(view)))
    (made,) = [each for each in view.images._cached.values() if each]
    assert made.image.width() * made.image.height() < 1.1 * MAX_FORMULA_PIXELS
    assert view.column.item(0).segments[0].document.idealWidth() <= view.column.item(0).width


def test_formula_has_the_colour_of_the_text(
    qtbot: QtBot, view: TranscriptView, messages: MessageList, theme: Theme
) -> None:
    messages.show([message(1, "$$x^2$$")])
    qtbot.waitUntil(lambda: bool(drawn(view)))

    def lightness() -> tuple[int, int]:
        """The brightness of the darkest and the lightest pixel of the formula."""
        image = view.viewport().grab().toImage()
        found = [image.pixelColor(x, y).lightness() for x in range(image.width()) for y in range(24, 50)]
        return min(found), max(found)

    assert lightness()[0] < 60, "dark on light"
    theme.choose("dark")
    assert lightness()[1] > 180, "light on dark"


def test_scroll_position_does_not_change_when_formulas_become_ready(
    qtbot: QtBot, view: TranscriptView, messages: MessageList
) -> None:
    tall = "\n\n".join(rf"$$\frac{{{n}}}{{\frac{{a}}{{b}}}}$$" for n in range(6))
    messages.show([message(1, tall), *(message(n, "word " * 60) for n in range(3, 20, 2))])
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    row, top = view.column.hold()
    view.column.item(0)  # laying out the first message starts the rendering of its formulas
    qtbot.waitUntil(lambda: len(drawn(view)) == 6)
    assert view.column.hold() == (row, top)


def test_local_picture_and_data_url_are_drawn(
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


def test_picture_outside_home_is_loaded_after_a_click_on_its_button(
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


def test_wide_picture_is_scaled_to_the_page(
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


def test_unsafe_broken_or_huge_pictures_are_not_loaded(tmp_path: Path) -> None:
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
