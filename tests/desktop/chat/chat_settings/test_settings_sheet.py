"""Tests of the settings sheet: validation, saving the settings with the chat, presets."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.chat.chat_settings.presets import Presets, as_preset
from desktop.chat.chat_settings.settings_form import SettingsForm
from desktop.chat.chat_settings.settings_sheet import ChatSettingsSheet
from desktop.store.records import ChatSettings
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, click_chat, type_and_send
from tests.fakes import Script


def test_invalid_number_keeps_previous_setting() -> None:
    changes: list[ChatSettings] = []
    form = SettingsForm(changes.append)
    assert form.enter("temperature", "0,3")
    assert form.enter("top_k", " 12 ")
    for name, text in (
        ("temperature", "warm"),
        ("temperature", "nan"),
        ("top_p", "1.1"),
        ("seed", "-1"),
        ("top_k", "1.5"),
    ):
        assert not form.enter(name, text)  # type: ignore[arg-type]
    assert form.settings == ChatSettings(temperature=0.3, top_k=12) == changes[-1]
    assert len(changes) == 2
    assert form.enter("temperature", "")
    assert form.settings.temperature is None
    assert (form.text_of("top_k"), form.text_of("temperature")) == ("12", "")


def test_applying_preset_without_instructions_keeps_instructions_of_chat() -> None:
    own = as_preset("Terse", ChatSettings(system="One line.", temperature=0.1, leaves_out=True, summary="s"))
    assert own == ChatSettings(system="One line.", preset="Terse", temperature=0.1)
    presets = Presets({"Terse": own})
    chat = ChatSettings(system="Be kind.", seed=3, summary="They met.", summarised_to="m")
    precise = presets.apply("Precise", chat)
    assert (precise.system, precise.seed, precise.summary, precise.temperature) == ("Be kind.", None, "They met.", 0.2)
    assert presets.apply("Terse", chat).system == "One line."
    assert presets.name_of(ChatSettings()) == ("Everyday", False)
    assert presets.name_of(precise) == ("Precise", False)
    assert presets.name_of(ChatSettings(preset="Precise", temperature=1.0)) == ("Precise", True)
    assert presets.name_of(ChatSettings(temperature=1.0)) == ("", False)


@pytest.mark.parametrize(
    ("name", "fault"), [(" ", "empty"), ("x" * 41, "long"), ("everyday", "taken"), ("TERSE", "taken"), ("New", "")]
)
def test_name_problem_returns_reason_why_preset_name_is_invalid(name: str, fault: str) -> None:
    presets = Presets({"Terse": ChatSettings()})
    assert presets.name_problem(name) == fault
    assert presets.name_problem("terse", replaces="Terse") == ""


def sheet_of(gui: Gui) -> ChatSettingsSheet:
    QTest.keyClick(gui.window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert gui.window.chat_page.settings_sheet is not None
    assert gui.window.chat_page.settings_sheet.isVisible()
    return gui.window.chat_page.settings_sheet


def test_chat_settings_are_restored_when_chat_is_opened_after_restart(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Yes.")) as gui:
            await until(lambda: gui.ready)
            sheet = sheet_of(gui)
            QTest.keyClicks(sheet.system, "Be kind.")
            temperature = sheet.rows["temperature"]
            QTest.keyClicks(temperature.edit, "7")
            assert temperature._help.text() == "A number from 0 to 2."
            QTest.keyClick(temperature.edit, Qt.Key.Key_Backspace)
            QTest.keyClicks(temperature.edit, "0.2")
            assert temperature._help.text() == "Low is predictable, high is varied"
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            assert not sheet.isVisible()
            type_and_send(gui, "Hello")
            await answered(gui)
            read = next(iter(gui.opener.backends[-1].slots.values()))
            assert "Be kind." in bytes(token for token in read if token < 256).decode()
            QTest.keyClick(gui.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
            assert sheet.form.settings == ChatSettings()
        async with open_gui() as gui:
            await until(lambda: gui.chats.model().rowCount() == 2)
            click_chat(gui, "Hello")
            await until(lambda: len(gui.rows) == 2)
            sheet = sheet_of(gui)
            assert sheet.system.toPlainText() == "Be kind."
            assert sheet.rows["temperature"].edit.text() == "0.2"
            QTest.mouseClick(sheet.rows["temperature"].reset, Qt.MouseButton.LeftButton)
            assert sheet.form.settings == ChatSettings(system="Be kind.")

    run(story())


def test_saved_preset_can_be_renamed_deleted_and_restored(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            sheet, pill = sheet_of(gui), gui.window.chat_page.composer.preset_pill
            bar = sheet.presets
            assert pill.text() == "Everyday"
            QTest.keyClicks(sheet.rows["top_k"].edit, "9")
            bar.save.click()
            QTest.keyClicks(bar.name, "Precise")
            QTest.keyClick(bar.name, Qt.Key.Key_Return)
            assert bar.problem.text() == "There is a preset of that name already."
            bar.name.setText("Nine")
            QTest.keyClick(bar.name, Qt.Key.Key_Return)
            assert pill.text() == "Nine"
            bar.rename.click()
            bar.name.setText("Ninth")
            QTest.keyClick(bar.name, Qt.Key.Key_Return)
            assert pill.text() == "Ninth"
            bar.delete.click()
            assert "Ninth" not in bar._presets.names
            gui.window.toast._action.click()
            assert "Ninth" in bar._presets.names
            bar.chosen.emit("Creative")
            await until(lambda: pill.text() == "Creative")
        async with open_gui() as gui:
            await until(lambda: gui.window.chat_page.settings_sheet is not None)
            assert gui.window.chat_page.settings_sheet is not None
            await until(lambda: "Ninth" in gui.window.chat_page.settings_sheet.presets._presets.names)

    run(story())
