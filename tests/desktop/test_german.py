"""The window in German: every word that is seen or heard is German, and none is cut off. Pictures in build/gallery."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QStyle,
    QStyleOptionFrame,
    QTabBar,
    QWidget,
)

from desktop.compose.overflow import Overflow, Turn
from desktop.endpoint.errors import PortTaken
from desktop.language import TRANSLATIONS, language_for
from desktop.models.downloads import DownloadState
from desktop.settings import Settings, SettingsFile
from desktop.store.records import ChatSettings
from desktop.widgets.found_view import FoundView
from engine.library.hub_errors import Corrupt
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_gallery import SIZES, fill, open_chat, show
from tests.desktop.test_gallery_endpoint import busy
from tests.desktop.test_window import type_and_send
from tests.fakes import Script
from tests.packaging.checkout import ROOT
from tests.sparse_model import write_sparse

CONTENTS = QStyle.SubElement.SE_LineEditContents
OPENS_MENUS = pytest.mark.qt_log_ignore("This plugin does not support")  # the one without a screen, of a menu
NARROW_AND_USUAL = SIZES[:2]


@cache
def english() -> re.Pattern[str]:
    """Any text that is written in English in the sources, unless it is the same in German."""
    found = []
    for message in ElementTree.parse(TRANSLATIONS / "inglenook_de.ts").iter("message"):
        source = message.findtext("source") or ""
        if source != message.findtext("translation"):
            # A place for a value takes anything but another part of a line; a number has no words in it.
            parts = re.split(r"(\{\w+\}|%L?n)", source)
            found.append("".join(_pattern_of(part) for part in parts))
    return re.compile("|".join(found))


def _pattern_of(part: str) -> str:
    if part in ("%n", "%Ln"):
        return r"[\d.,]+"
    return r"[^·]+" if re.fullmatch(r"\{\w+\}", part) else re.escape(part)


def texts(root: QWidget) -> Iterator[tuple[str, str]]:
    """All that is written on a widget and what lies on it, with where it was found. Also of what is hidden."""
    for widget in (root, *root.findChildren(QWidget)):
        where = f"{type(widget).__name__} {widget.objectName()}"
        yield where, widget.toolTip()
        yield where, widget.accessibleName()
        yield where, widget.accessibleDescription()
        if isinstance(widget, QLabel | QAbstractButton):
            yield where, widget.text()
        if isinstance(widget, QLineEdit | QPlainTextEdit):
            yield where, widget.placeholderText()
        if isinstance(widget, QTabBar):
            yield from ((where, widget.tabText(number)) for number in range(widget.count()))
        if isinstance(widget, QMenu):
            yield from ((where, action.text()) for action in widget.actions())
        # What a search found is a person's own words.
        if isinstance(widget, QAbstractItemView) and widget.model() is not None and not isinstance(widget, FoundView):
            yield from ((where, text) for text in _rows(widget))
    for action in root.findChildren(QAction):
        yield "QAction", action.text()
        yield "QAction", action.toolTip()


def _rows(view: QAbstractItemView) -> Iterator[str]:
    model = view.model()
    for row in range(model.rowCount()):
        index = model.index(row, 0)
        for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            if isinstance(text := index.data(role), str):
                yield text


def left_in_english(root: QWidget) -> set[tuple[str, str]]:
    plain = ((where, text.replace("&", "").strip()) for where, text in texts(root))
    return {(where, text) for where, text in plain if english().fullmatch(text)}


def cut_off(root: QWidget) -> set[str]:
    """Words on labels and buttons that are in sight and need more room than they have."""
    found = set()
    for widget in root.findChildren(QWidget):
        if not widget.isVisible() or widget.visibleRegion().isEmpty():
            continue
        if isinstance(widget, QAbstractButton) and widget.text() and widget.sizeHint().width() > widget.width():
            found.add(f"{type(widget).__name__} {widget.text()!r}: {widget.width()} of {widget.sizeHint().width()}")
        if isinstance(widget, QLineEdit) and (words := widget.placeholderText()):
            margins, room = (
                widget.textMargins(),
                widget.style().subElementRect(CONTENTS, _option(widget), widget).width(),
            )
            needed = widget.fontMetrics().horizontalAdvance(words) + margins.left() + margins.right() + 4
            if needed > room:
                found.add(f"QLineEdit {words!r}: {room} of {needed}")
        if isinstance(widget, QLabel) and widget.text():
            width = widget.width()
            needed = widget.minimumSizeHint().width() if widget.wordWrap() else widget.sizeHint().width()
            needed_height = widget.heightForWidth(width) if widget.wordWrap() else widget.sizeHint().height()
            if needed > width or needed_height > widget.height():
                found.add(f"QLabel {widget.text()!r}: {width}×{widget.height()} of {needed}×{needed_height}")
    return found


def _option(edit: QLineEdit) -> QStyleOptionFrame:
    option = QStyleOptionFrame()
    edit.initStyleOption(option)
    return option


async def look(house: House, name: str) -> None:
    """Takes pictures, and holds the words to what is said above."""
    for size in NARROW_AND_USUAL:
        await show(house, f"german-{name}", "light", (size,))
        assert not cut_off(house.window), size
    assert not left_in_english(house.window)


def look_into(menu_of: Callable[[], object], house: House) -> None:
    """Opens a menu, and holds its words to the same."""
    menu_of()
    menu = next(menu for menu in house.window.findChildren(QMenu) if menu.isVisible())
    assert len(menu.actions()) > 1
    assert not left_in_english(house.window)
    menu.close()


def test_the_first_of_the_systems_languages_that_there_is_is_spoken() -> None:
    assert language_for("system", ["fr-FR", "de-AT", "en-GB"]) == "de"
    assert language_for("system", ["de_CH.UTF-8"]) == "de"
    assert language_for("system", ["fr-FR", "C"]) == "en"
    assert language_for("system", []) == "en"
    assert language_for("de", ["en-US"]) == "de"
    assert language_for("en", ["de-DE"]) == "en"


START = """
import os, pathlib, sys
import desktop.launch as launch
from PySide6.QtCore import QCoreApplication, QLocale
from desktop.numbers import whole

class Window(launch.MainWindow):
    def show(self):
        own = QCoreApplication.translate("QPlatformTheme", "Cancel")
        print("|".join([self.composer._edit.placeholderText(), own, whole(1234), QLocale().name()]), flush=True)
        os._exit(0)

launch.MainWindow = Window
launch.launch(launch.Options(launch.Profile(pathlib.Path(sys.argv[1]))))
"""


def test_the_app_starts_in_the_systems_language_or_in_the_one_that_was_chosen(profile: Profile) -> None:
    def started(system: str) -> str:
        told = os.environ | {"LC_ALL": system, "LANGUAGE": "", "QT_QPA_PLATFORM": "offscreen", "PYTHONUTF8": "1"}
        command = [sys.executable, "-c", START, str(profile.root)]
        done = subprocess.run(command, env=told, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert started("de_AT.UTF-8") == "Nachricht an Inglenook|Abbrechen|1\xa0234|de_AT"
    assert started("fr_FR.UTF-8") == "Message Inglenook|Cancel|1,234|en_US"
    profile.settings.write_text(json.dumps({"language": "de"}))
    assert started("en_GB.UTF-8") == "Nachricht an Inglenook|Abbrechen|1.234|de_DE"


@OPENS_MENUS
def test_a_chat_is_german(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=b"Das Meer ist weit.", step_s=0.001), language="de") as house:
            await until(lambda: house.ready and house.chats.model().rowCount() > 9)
            await look(house, "greeting")
            await open_chat(house, "c3")
            await look(house, "chat")
            type_and_send(house, "Und das Meer?")
            await until(lambda: house.rows[-1].state == "complete")
            await look(house, "answered")
            look_into(house.window.header._open_chat_menu, house)
            look_into(house.window.header._open_model_menu, house)
            house.chats.setCurrentIndex(house.chats.chats.index_of("c3"))
            key = QContextMenuEvent.Reason.Keyboard
            look_into(lambda: house.chats.contextMenuEvent(QContextMenuEvent(key, QPoint(), QPoint())), house)
            house.transcript.open_find()
            chats = house.chats
            chats.folder_asked.emit(("c4", "c5"))
            for chat_id in ("c4", "c6"):
                at = chats.visualRect(chats.chats.index_of(chat_id)).center()
                QTest.mouseClick(chats.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at)
            await look(house, "chosen")
            look_into(lambda: chats._open_menu(at), house)
            look_into(lambda: chats._open_menu(chats.visualRect(chats.chats.index(4)).center()), house)
            house.chats.archive_asked.emit(("c6",), True)
            await look(house, "archived")
            house.chats.delete_asked.emit(("c2",))
            await look(house, "deleted")
            QTest.keyClick(house.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
            await look(house, "palette")
            QTest.keyClick(QApplication.focusWidget() or house.window, Qt.Key.Key_Escape)
            house.window.sidebar.search.setText("garden")
            await until(lambda: house.window.sidebar._found is not None and house.window.sidebar._found.isVisible())
            await look(house, "search")

    run(story())


def test_what_stands_around_the_composer_is_german(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(language="de") as house:
            await until(lambda: house.ready and house.chats.model().rowCount() > 9)
            await open_chat(house, "c3")
            card, sheet = house.window.overflow_card, house.window.chat_settings
            turns = tuple(Turn(line, ()) for line in ("Wie lese ich eine Tabelle?", "Und mit Semikolons?"))
            card.show_overflow(Overflow("turns", 9_310, 8_192, 1_240, turns, True))
            await look(house, "overflow")
            card.show_turns.click()
            await look(house, "overflow-list")
            card.show_progress(0.4)
            await look(house, "overflow-summary")
            card.end_progress()
            card.show_overflow(Overflow("message", 9_310, 8_192))
            await look(house, "overflow-message")
            card.close_card()
            QTest.keyClick(house.window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
            await look(house, "sheet")
            sheet.show_settings(ChatSettings(system="Kurz antworten.", temperature=0.2, top_k=20, thinking=False))
            assert sheet.rows["temperature"].edit.text() == "0,2"
            sheet.rows["top_p"].edit.setText("7")
            sheet.rows["top_p"].show_fault(True)
            await look(house, "sheet-changed")
            sheet.presets.save.click()
            await look(house, "sheet-preset")

    run(story())


@OPENS_MENUS
def test_the_endpoint_is_german(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        async with open_house(language="de") as house:
            page = house.endpoint_page
            await until(lambda: house.ready and page._state.key)
            house.window.sidebar.endpoint_asked.emit()
            await until(lambda: page.memory.isVisible())
            await look(house, "endpoint-off")
            page.show_state(replace(page._state, stage="on"))
            busy(house)
            await look(house, "endpoint-on")
            view = page.requests.view
            look_into(lambda: view._open_menu(view.visualRect(view.model().index(0, 0)).center()), house)
            page._address_card.how.click()
            page.keys.show_made("notes.py", "ink-5k2Jq0mW8rTb1xYcV7nD4eGhL9uPzAaS6dFfQwEiRtU")
            await look(house, "endpoint-connect")
            page.show_state(replace(page._state, stage="failed", error=PortTaken(4645)))
            await look(house, "endpoint-failed")
            house.window.header.show_tools(2)
            house.window.show_chat_page()
            await look(house, "tools")

    run(story())


@OPENS_MENUS
def test_the_models_are_german(run: Run, open_house: OpenHouse, profile: Profile, tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    write_sparse(folder / "Qwen2.5-0.5B-Instruct-Q4_K_M.gguf", n_bytes=4 * 10**8, n_layers=24, n_embd=896)
    write_sparse(folder / "Llama-3.3-70B-Instruct-Q4_K_M.gguf", n_bytes=42_500_000_000, n_layers=80, n_embd=8192)
    (folder / "Broken-Q4_0.gguf").write_bytes(b"no model at all")
    profile.settings.write_text(json.dumps({"model_folders": [str(folder)]}))
    downloads = (
        DownloadState("a/1", "Qwen3 4B", "fetching", "Q4_K_M", 611_000_000, 2_500_000_000, 9_100_000),
        DownloadState("a/2", "Gemma 3 4B", "paused", "Q4_K_M", 1_900_000_000, 2_490_000_000),
        DownloadState("a/3", "Mistral Nemo 12B", "failed", error=Corrupt("Mistral-Nemo.gguf")),
    )

    async def story() -> None:
        async with open_house(language="de") as house:
            await until(lambda: house.ready)
            house.window.sidebar.models_asked.emit()
            page = house.window.models_page
            await until(lambda: len(page.on_disk._list or ()) >= 3 and not page.on_disk.note.text())
            await look(house, "models")
            view = page.on_disk.view
            look_into(lambda: view._open_menu(view.visualRect(view.model().index(1, 0)).center()), house)
            page.downloads.show_states(downloads)
            page.head.search.setText("nirgends")
            await look(house, "models-search")
            page.head.search.clear()
            page.on_disk.view.setCurrentIndex(page.on_disk.view.model().index(0, 0))
            QTest.keyClick(page.on_disk.view, Qt.Key.Key_Space)
            await until(page.sheet.isVisible)
            await look(house, "models-sheet")

    run(story())


def test_the_settings_are_german_and_the_language_is_kept(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        async with open_house(language="de", model=False) as house:
            await until(lambda: house.window.greeting._choose.isVisible())
            await look(house, "no-model")
            house.window.show_settings_page()
            await look(house, "settings")
            card = house.window.settings_page.language
            chosen = {button.property("choice"): button for button in card._buttons.buttons()}
            assert chosen["system"].isChecked()
            chosen["en"].click()
            assert chosen["en"].isChecked()
            assert "ab dem nächsten start" in house.window.notice.text.lower()
            house.window.settings_page.ensureWidgetVisible(card)
            await look(house, "settings-language")
        assert SettingsFile(profile.settings).value.language == "en"
        profile.settings.write_text(json.dumps({"language": "tlh"}))
        assert SettingsFile(profile.settings).value.language == Settings().language == "system"

    run(story())


def test_a_word_that_was_forgotten_is_found(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(language="de", model=False) as house:
            await until(lambda: house.window.greeting._choose.isVisible())
            note = QLabel("Reads 8,192 tokens", house.window)
            button = QLabel(house.window)
            button.setToolTip("Copy the answer")
            found = {text for _, text in left_in_english(house.window)}
            assert found == {"Reads 8,192 tokens", "Copy the answer"}
            note.deleteLater()
            button.deleteLater()

    run(story())
