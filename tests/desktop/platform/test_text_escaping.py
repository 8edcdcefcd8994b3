"""Tests that names with ampersands and angle brackets are shown literally in all widgets."""

from __future__ import annotations

from datetime import datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as RichText
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.chat.chat_settings.preset_bar import preset_menu
from desktop.chat.chat_settings.presets import Presets
from desktop.platform.text_escaping import button_text, tooltip_text
from desktop.platform.theme import Theme
from desktop.sidebar.chat_list_model import ChatListModel
from desktop.store.records import Chat, ChatSettings, Folder
from desktop.widgets.card_parts import IconButton, label
from tests.desktop.chat.chat_settings.test_settings_sheet import sheet_of
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, type_and_send

NAME = "R&D <b>plan</b>"
AS_BUTTON = "R&&D <b>plan</b>"
AS_TOOLTIP = "<qt>R&amp;D &lt;b&gt;plan&lt;/b&gt;</qt>"


def test_ampersand_is_escaped_for_buttons_and_markup_for_tooltips() -> None:
    assert button_text(NAME) == AS_BUTTON
    assert tooltip_text(NAME) == AS_TOOLTIP
    assert tooltip_text("<b>\n</b>") == "<qt>&lt;b&gt;<br>&lt;/b&gt;</qt>"


@pytest.mark.parametrize("name", ["R&D", "notes <draft>.txt", "1 < 2 & 3", "plain"])
def test_tooltip_without_markup_is_unchanged(name: str) -> None:
    assert tooltip_text(name) == name
    assert not RichText.mightBeRichText(name)


def test_card_label_does_not_render_markup(qtbot: QtBot, theme: Theme) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    assert label("cardLabel", NAME, parent).textFormat() == Qt.TextFormat.PlainText
    assert IconButton(theme, "x", NAME, parent).toolTip() == AS_TOOLTIP


def test_tooltips_of_chats_and_folders_do_not_render_markup(qtbot: QtBot) -> None:
    chats = ChatListModel(lambda section: section.name)
    at = datetime.now().timestamp()
    chats.show([Chat("a", NAME, at, at)], [Folder("f", NAME, 1.0)])
    for index in (chats.index_of("a"), chats.index_of_folder("f")):
        assert index.data() == NAME
        assert index.data(Qt.ItemDataRole.ToolTipRole) == AS_TOOLTIP


def test_preset_menu_shows_ampersand_in_preset_name(qtbot: QtBot, theme: Theme) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    presets = Presets({NAME: ChatSettings()})
    action = preset_menu(theme, presets, NAME, parent).actions()[-1]
    assert (action.text(), action.data()) == (AS_BUTTON, NAME)


def test_ampersand_in_chat_title_or_preset_name_makes_no_mnemonic(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            sheet = sheet_of(gui)
            sheet.presets.save.click()
            sheet.presets.name.setText("Q&A")
            QTest.keyClick(sheet.presets.name, Qt.Key.Key_Return)
            assert gui.window.chat_page.composer.preset_pill.text() == sheet.presets.choice.text() == "Q&&A"
            assert sheet.presets.choice.accessibleName() == "Preset: Q&A"
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            type_and_send(gui, "R&D")
            await answered(gui)
            title = gui.window.chat_page.header._title
            await until(lambda: "R&&D" in title.text())
            assert title.shortcut().isEmpty()
            assert title.accessibleName() == "Chat: R&D"

    run(story())
