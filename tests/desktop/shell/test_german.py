"""Tests of the German user interface: all texts are German, and none is cut off. Its screenshots are in
build/gallery."""

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
    QScrollArea,
    QStyle,
    QStyleOptionFrame,
    QTabBar,
    QWidget,
)

from desktop.chat.composer.overflow import Overflow, Turn
from desktop.endpoint.errors import PortTaken
from desktop.models.download_manager import DownloadState
from desktop.platform.language import TRANSLATIONS, language_for
from desktop.settings.all_settings import Settings
from desktop.settings.settings_file import SettingsFile
from desktop.settings.shortcuts_card import ShortcutField
from desktop.sidebar.search_results_view import SearchResultsView
from desktop.store.records import ChatSettings
from engine.files.profile import Profile
from engine.library.hub_errors import Corrupt
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.endpoint.test_gallery_endpoint import show_activity
from tests.desktop.shell.test_gallery import SIZES, fill, open_chat, show
from tests.desktop.shell.test_main_window import type_and_send
from tests.fakes import Script
from tests.model_files.sparse_model import write_sparse
from tests.packaging.checkout import ROOT

CONTENTS = QStyle.SubElement.SE_LineEditContents
# the offscreen platform logs this warning for menus
OPENS_MENUS = pytest.mark.qt_log_ignore("This plugin does not support")
NARROW_AND_USUAL = SIZES[:2]


@cache
def english() -> re.Pattern[str]:
    """A pattern that matches every English source string whose German translation differs from it."""
    found = []
    for message in ElementTree.parse(TRANSLATIONS / "inglenook_de.ts").iter("message"):
        source = message.findtext("source") or ""
        if source != message.findtext("translation"):
            # A placeholder matches anything within a line; a number contains no letters.
            parts = re.split(r"(\{\w+\}|%L?n)", source)
            found.append("".join(_pattern_of(part) for part in parts))
    return re.compile("|".join(found))


def _pattern_of(part: str) -> str:
    if part in ("%n", "%Ln"):
        return r"[\d.,]+"
    return r"[^·]+" if re.fullmatch(r"\{\w+\}", part) else re.escape(part)


def texts(root: QWidget) -> Iterator[tuple[str, str]]:
    """All texts of a widget and its children, including hidden ones. Each is a pair of the place and the text."""
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
        # Search results are excluded, because their texts are user content.
        if (
            isinstance(widget, QAbstractItemView)
            and widget.model() is not None
            and not isinstance(widget, SearchResultsView)
        ):
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
    """The visible labels, buttons and placeholders whose text is wider or higher than the widget."""
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


async def look(gui: Gui, name: str) -> None:
    """Takes screenshots of the window, and asserts that all texts are German and none is cut off."""
    for size in NARROW_AND_USUAL:
        await show(gui, f"german-{name}", "light", (size,))
        assert not cut_off(gui.window), size
    assert not left_in_english(gui.window)


def look_into(menu_of: Callable[[], object], gui: Gui) -> None:
    """Opens a menu and asserts that its texts are German."""
    menu_of()
    menu = next(menu for menu in gui.window.findChildren(QMenu) if menu.isVisible())
    assert len(menu.actions()) > 1
    assert not left_in_english(gui.window)
    menu.close()


def test_interface_language_is_the_first_supported_language_of_the_system() -> None:
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
from desktop.platform.number_format import whole

class Window(launch.MainWindow):
    def show(self):
        own = QCoreApplication.translate("QPlatformTheme", "Cancel")
        placeholder = self.chat_page.composer._edit.placeholderText()
        print("|".join([placeholder, own, whole(1234), QLocale().name()]), flush=True)
        os._exit(0)

launch.MainWindow = Window
launch.launch(launch.Options(launch.Profile(pathlib.Path(sys.argv[1]))))
"""


def test_app_starts_in_chosen_language_else_in_that_of_the_system(profile: Profile) -> None:
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
def test_chat_page_is_german(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=b"Das Meer ist weit.", step_s=0.001), language="de") as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            await look(gui, "greeting")
            await open_chat(gui, "c3")
            await look(gui, "chat")
            type_and_send(gui, "Und das Meer?")
            await until(lambda: gui.rows[-1].state == "complete")
            await look(gui, "answered")
            look_into(gui.window.chat_page.header._open_chat_menu, gui)
            look_into(gui.window.chat_page.header._open_model_menu, gui)
            gui.chats.setCurrentIndex(gui.chats.chats.index_of("c3"))
            key = QContextMenuEvent.Reason.Keyboard
            look_into(lambda: gui.chats.contextMenuEvent(QContextMenuEvent(key, QPoint(), QPoint())), gui)
            gui.transcript.open_find()
            chats = gui.chats
            chats.requests.new_folder_requested.emit(("c4", "c5"))
            for chat_id in ("c4", "c6"):
                at = chats.visualRect(chats.chats.index_of(chat_id)).center()
                QTest.mouseClick(chats.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at)
            await look(gui, "chosen")
            look_into(lambda: chats._open_menu(at), gui)
            look_into(lambda: chats._open_menu(chats.visualRect(chats.chats.index(4)).center()), gui)
            gui.chats.requests.archive_requested.emit(("c6",), True)
            await look(gui, "archived")
            gui.chats.requests.delete_requested.emit(("c2",))
            await look(gui, "deleted")
            QTest.keyClick(gui.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
            await look(gui, "palette")
            QTest.keyClick(QApplication.focusWidget() or gui.window, Qt.Key.Key_Escape)
            gui.window.sidebar.search.setText("garden")
            await until(lambda: gui.window.sidebar._results is not None and gui.window.sidebar._results.isVisible())
            await look(gui, "search")

    run(story())


def test_chat_settings_sheet_and_cards_of_composer_are_german(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(language="de") as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            await open_chat(gui, "c3")
            card, sheet = gui.window.chat_page.overflow_card, gui.window.chat_page.settings_sheet
            turns = tuple(Turn(line, ()) for line in ("Wie lese ich eine Tabelle?", "Und mit Semikolons?"))
            card.show_overflow(Overflow("turns", 9_310, 8_192, 1_240, turns, True))
            await look(gui, "overflow")
            card.show_turns.click()
            await look(gui, "overflow-list")
            card.show_progress(0.4)
            await look(gui, "overflow-summary")
            card.end_progress()
            card.show_overflow(Overflow("message", 9_310, 8_192))
            await look(gui, "overflow-message")
            card.close_card()
            QTest.keyClick(gui.window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
            await look(gui, "sheet")
            body = sheet.findChild(QScrollArea)
            assert body is not None
            assert body.widget().width() <= body.viewport().width(), "no setting is cut off at the right"
            sheet.show_settings(ChatSettings(system="Kurz antworten.", temperature=0.2, top_k=20, thinking=False))
            assert sheet.rows["temperature"].edit.text() == "0,2"
            sheet.rows["top_p"].edit.setText("7")
            sheet.rows["top_p"].show_invalid(True)
            await look(gui, "sheet-changed")
            sheet.presets.save.click()
            await look(gui, "sheet-preset")

    run(story())


@OPENS_MENUS
def test_endpoint_page_is_german(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        async with open_gui(language="de") as gui:
            page = gui.endpoint_page
            await until(lambda: gui.ready and page._state.key)
            gui.window.show_page("endpoint")
            await until(lambda: page.memory.isVisible())
            await look(gui, "endpoint-off")
            page.show_state(replace(page._state, stage="on"))
            show_activity(gui)
            await look(gui, "endpoint-on")
            view = page.requests.view
            look_into(lambda: view._open_menu(view.visualRect(view.model().index(0, 0)).center()), gui)
            page._address_card.how.click()
            page.keys.show_new_key("notes.py", "ink-5k2Jq0mW8rTb1xYcV7nD4eGhL9uPzAaS6dFfQwEiRtU")
            await look(gui, "endpoint-connect")
            page.show_state(replace(page._state, stage="failed", error=PortTaken(4645)))
            await look(gui, "endpoint-failed")
            gui.window.chat_page.header.show_tools(2)
            gui.window.show_page("chat")
            await look(gui, "tools")

    run(story())


@OPENS_MENUS
def test_models_page_is_german(run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path) -> None:
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
        async with open_gui(language="de") as gui:
            await until(lambda: gui.ready)
            gui.window.show_page("models")
            page = gui.window.view("models")
            await until(lambda: len(page.local_models._list or ()) >= 3 and not page.local_models.note.text())
            await look(gui, "models")
            view = page.local_models.view
            look_into(lambda: view._open_menu(view.visualRect(view.model().index(1, 0)).center()), gui)
            page.downloads.show_states(downloads)
            page.header.search.setText("nirgends")
            await look(gui, "models-search")
            page.header.search.clear()
            page.local_models.view.setCurrentIndex(page.local_models.view.model().index(0, 0))
            QTest.keyClick(page.local_models.view, Qt.Key.Key_Space)
            await until(page.sheet.isVisible)
            await look(gui, "models-sheet")

    run(story())


def test_settings_page_is_german_and_language_is_kept(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        async with open_gui(language="de", model=False) as gui:
            await until(lambda: gui.window.chat_page.greeting._choose.isVisible())
            await look(gui, "no-model")
            gui.window.show_page("settings")
            await look(gui, "settings")
            for field in gui.window.view("settings").findChildren(ShortcutField):
                line = field.findChild(QLineEdit)
                assert line is not None
                line.grab()
                at_left = line.cursorPositionAt(QPoint(0, line.height() // 2))
                assert at_left == 0, f"{line.text()} is cut off"
            card = gui.window.view("settings").row("language")
            chosen = card.buttons
            assert chosen["system"].isChecked()
            chosen["en"].click()
            assert chosen["en"].isChecked()
            assert "nach einem neustart" in gui.window.toast.text.lower()
            gui.window.view("settings").ensureWidgetVisible(card)
            await look(gui, "settings-language")
        assert SettingsFile(profile.settings).value.language == "en"
        profile.settings.write_text(json.dumps({"language": "tlh"}))
        assert SettingsFile(profile.settings).value.language == Settings().language == "system"

    run(story())


def test_check_for_english_texts_finds_an_untranslated_one(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(language="de", model=False) as gui:
            await until(lambda: gui.window.chat_page.greeting._choose.isVisible())
            note = QLabel("Context length: 8,192 tokens", gui.window)
            button = QLabel(gui.window)
            button.setToolTip("Copy the answer")
            found = {text for _, text in left_in_english(gui.window)}
            assert found == {"Context length: 8,192 tokens", "Copy the answer"}
            note.deleteLater()
            button.deleteLater()

    run(story())
