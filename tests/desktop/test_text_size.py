"""Larger and smaller text: the whole window, by key and by the page of settings, and where one reads stays."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.settings import SettingsFile
from desktop.theme import TEXT_SIZES, Theme, scaled, text_font
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_gallery import SIZES, fill, open_chat, show
from tests.desktop.test_window import answered, type_and_send
from tests.fakes import Script

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def _usual_size(qapp: QApplication) -> object:
    yield
    Theme(qapp, "light")


def test_sizes_are_in_proportion(qapp: QApplication) -> None:
    theme = Theme(qapp, "light", 13)
    assert (scaled(15), text_font(15).pixelSize()) == (15, 15)
    assert "font-size: 15px" in theme.style_of("window.qss")
    theme.resize_text(18)
    assert (scaled(13), text_font(15).pixelSize()) == (18, 21)
    assert QFont().pixelSize() == 18
    style = theme.style_of("window.qss")
    assert "font-size: 21px" in style
    assert "height: 1px" in style  # a hairline stays one
    assert "border-radius: 16px" in style  # one larger than half of its box would not be drawn
    assert "line-height: 33px" in theme.style_of("document.css")
    assert theme.print_style_of("document.css") == Theme(qapp, "light", 13).style_of("document.css")


def reading_height(house: House) -> int:
    return int(house.transcript._item(1).height)


def test_the_keys_resize_all_of_the_window_and_it_is_remembered(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"A few words, and `code`.\n\n```py\nx = 1\n```")) as house:
            type_and_send(house, "The sea?")
            await answered(house)
            await until(lambda: reading_height(house) > 100)  # the view takes up what is new at most every 40 ms
            before, low = reading_height(house), house.window.composer._edit.height()
            QTest.keyClick(house.window, Qt.Key.Key_Plus, CONTROL)
            QTest.keyClick(house.window, Qt.Key.Key_Equal, CONTROL)
            assert house.window.theme.text_size == 15
            assert reading_height(house) > before
            assert house.window.composer._edit.height() > low
            for _ in TEXT_SIZES:
                QTest.keyClick(house.window, Qt.Key.Key_Plus, CONTROL)
            assert house.window.theme.text_size == TEXT_SIZES[-1]
            house.window.show_settings_page()
            page = house.window.settings_page
            assert (page._usual.text(), page._larger.isEnabled()) == ("154 %", False)
        assert SettingsFile(profile.settings).value.text_size == TEXT_SIZES[-1]
        async with open_house() as house:
            assert QFont().pixelSize() == TEXT_SIZES[-1]
            page = house.window.settings_page
            page._smaller.click()
            assert house.window.theme.text_size == TEXT_SIZES[-2]
            QTest.keyClick(house.window, Qt.Key.Key_0, CONTROL)
            assert (QFont().pixelSize(), page._usual.text()) == (13, "100 %")
        assert SettingsFile(profile.settings).value.text_size == 13

    run(story())


def test_where_one_reads_stays(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        answer = "\n\n".join(f"Paragraph {n} of a long answer that fills the window." for n in range(60))
        async with open_house(Script(answer=answer.encode())) as house:
            type_and_send(house, "The sea?")
            await answered(house)
            bar = house.transcript.verticalScrollBar()
            await until(lambda: reading_height(house) > 1_500)
            bar.setValue(bar.maximum() // 2)
            share = (bar.value() - 24) / house.transcript._heights.total
            house.window.theme.resize_text(20)
            after = (bar.value() - 24) / house.transcript._heights.total
            assert bar.maximum() > 0
            assert abs(after - share) < 0.02

    run(story())


def test_it_is_pictured(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house() as house:
            await until(lambda: house.ready and house.chats.model().rowCount() > 9)
            for size in (TEXT_SIZES[0], TEXT_SIZES[-1]):
                house.window.theme.resize_text(size)
                await open_chat(house, "c3")
                await show(house, f"text-{size}-chat", "light", SIZES[:2])
                await open_chat(house, "c5")
                await show(house, f"text-{size}-rich", "light", SIZES[1:2])
                house.window.show_settings_page()
                await show(house, f"text-{size}-settings", "light", SIZES[:2])
                house.window.show_models_page()
                await show(house, f"text-{size}-models", "light", SIZES[1:2])
                house.window.show_endpoint_page()
                await show(house, f"text-{size}-endpoint", "light", SIZES[1:2])
                house.window.show_chat_page()

    run(story())
