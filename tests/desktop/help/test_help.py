"""Tests of the user guide: it is complete in both languages, and the help page shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImageReader
from PySide6.QtTest import QTest

from desktop.framework.actions import Actions
from desktop.help.page import HelpPage
from desktop.help.topics import FOLDER, PICTURES, topics
from desktop.platform.theme import Scheme
from desktop.render.markdown import blocks
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import SIZES, show

LANGUAGES = ("en", "de")


def test_user_guide_has_the_same_topics_in_both_languages() -> None:
    names = [{path.name for path in (FOLDER / language).glob("*.md")} for language in LANGUAGES]
    assert names[0] == names[1]
    assert len(names[0]) >= 8
    assert [topic.id for topic in topics("fr")] == [topic.id for topic in topics("en")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_topic_of_the_guide_has_a_heading_text_and_existing_pictures(language: str, scheme: Scheme) -> None:
    shown = set()
    for topic in topics(language):
        first, *rest = blocks(topic.text_in(scheme))
        assert (first.kind, len(rest) >= 2) == ("heading", True), topic.id
        for image in (image for block in rest for image in block.inline_images):
            assert QImageReader(image.source).size().isValid(), image.source
            shown.add(Path(image.source).name)
    assert shown == {path.name for path in (PICTURES / scheme).iterdir()}
    assert all(path.stat().st_size < 80_000 for path in (PICTURES / scheme).iterdir())


def test_shortcuts_in_the_guide_are_those_of_the_app(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            actions = gui.window.findChild(Actions)
            assert actions is not None
            shortcuts = {each.id: each.shortcut_at_first for each in actions.listed}
            text = next(topic.text for topic in topics("en") if topic.id == "keys")
            for named in re.findall(r"^\| (Ctrl\+[^ |]+|F1) \|", text, re.MULTILINE):
                assert named in shortcuts.values(), named
            pages = ("chat", "models", "endpoint", "settings")
            assert [shortcuts[f"go_{name}"] for name in pages] == [f"Ctrl+{n}" for n in (1, 2, 3, 4)]
            assert f"| Ctrl+1 to Ctrl+4 | {', '.join(pages)} |" in text

    run(story())


def help_page(gui: Gui) -> HelpPage:
    page = gui.window.view("help", HelpPage)
    assert page is not None
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_f1_opens_help_and_clicking_a_topic_scrolls_to_it(run: Run, open_gui: OpenGui, scheme: str) -> None:
    async def story() -> None:
        async with open_gui(theme=scheme) as gui:
            QTest.keyClick(gui.window, Qt.Key.Key_F1)
            page = help_page(gui)
            assert gui.window.pages.currentWidget() is page
            await until(lambda: any(segment._drawn_images for segment in page.view.column.item(0).segments))
            assert page.view.verticalScrollBar().maximum() > 80
            assert page.view.end_button is None
            await show(gui, "help", scheme)
            ids = [page.contents.item(n).data(Qt.ItemDataRole.UserRole) for n in range(page.contents.count())]
            position = page.contents.visualItemRect(page.contents.item(ids.index("keys"))).center()
            QTest.mouseClick(page.contents.viewport(), Qt.MouseButton.LeftButton, pos=position)
            assert page.contents.currentRow() == ids.index("keys")
            assert 0 <= page.view.column.corner(ids.index("keys")).y() < page.view.height() / 2
            await show(gui, "help-keys", scheme, SIZES[1:2])
            page.view.verticalScrollBar().setValue(0)
            assert page.contents.currentRow() == 0, "the visible topic is selected"
            QTest.mouseClick(page.view.viewport(), Qt.MouseButton.LeftButton, pos=page.view.viewport().rect().center())
            assert not page.view.words._click_timer.isActive(), "there are no alternatives for words of the guide"
            QTest.keyClick(gui.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
            assert gui.window.pages.currentWidget() is gui.window.chat_page

    run(story())


def test_changed_colour_scheme_replaces_guide_pictures_and_keeps_position(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(theme="light") as gui:
            QTest.keyClick(gui.window, Qt.Key.Key_F1)
            page = help_page(gui)
            position = page.contents.visualItemRect(page.contents.item(3)).center()
            QTest.mouseClick(page.contents.viewport(), Qt.MouseButton.LeftButton, pos=position)

            def brightness() -> float:
                """The brightness of the picture in the topic "Models" as drawn, from 0 to 1; -1 if it is not drawn
                yet."""
                item = page.view.column.item(3)
                (segment,) = [each for each in item.segments if each.block.inline_images]
                if not segment._drawn_images:
                    return -1
                corner = page.view.column.corner(3) + QPoint(0, round(segment.top))
                picture = page.view.viewport().grab(QRect(corner, QSize(300, round(segment.height)))).toImage()
                return (
                    picture.scaled(1, 1, mode=Qt.TransformationMode.SmoothTransformation).pixelColor(0, 0).lightnessF()
                )

            await until(lambda: brightness() > 0.8)
            top = page.view.column.corner(3).y()
            gui.window.theme.choose("dark")
            await until(lambda: 0 <= brightness() < 0.3)
            assert page.view.column.corner(3).y() == top
            gui.window.theme.choose("light")
            await until(lambda: brightness() > 0.8)

    run(story())
