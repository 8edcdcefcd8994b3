"""Tests of load options: they are edited in the settings sheet, saved for each model file, and used for loading it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.error_messages import error_message
from desktop.models.load_options import LoadOptions
from desktop.settings.settings_file import SettingsFile
from engine.backend import LoadSettings
from engine.errors import InvalidSettings
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.models.page_driver import click, page_of, rows, save_folder, use_of
from tests.engine.library.fake_hub import FakeHub


def test_edited_load_options_are_saved_when_the_file_is_loaded(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)
    path = model_folder / "Alpha-Q4_0.gguf"

    async def story() -> None:
        async with open_gui(real=path) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            await until(lambda: rows(page.local_models.view)[0].fit is not None)
            click(page.local_models.view, "Alpha", "settings")
            sheet = page.sheet
            assert sheet.load.isHidden()
            before = sheet._cost.text()
            QTest.keyClicks(sheet.context.edit, "99")
            QTest.keyClick(sheet.context.edit, Qt.Key.Key_Return)
            assert sheet.context.edit.property("wrong")
            sheet.context.edit.clear()
            QTest.keyClicks(sheet.context.edit, "1,024")
            QTest.keyClick(sheet.context.edit, Qt.Key.Key_Return)
            assert not sheet.context.edit.property("wrong")
            assert sheet._cost.text() != before
            assert sheet.load.text() == "Reload with these settings"
            sheet.load.click()
            await until(lambda: use_of(gui, "Alpha") == "loading")
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            assert (
                "Context length: 1,024 tokens" in gui.window.chat_page.header._pill.toolTip() or sheet.load.isHidden()
            )
            sheet.unload.click()
            await until(lambda: use_of(gui, "Alpha") == "")
        stored = SettingsFile(profile.settings).value.model_settings
        assert stored == {str(path): {"n_ctx": 1024}}
        async with open_gui(real=path) as gui:
            await until(lambda: gui.ready)
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            assert page.sheet.context.edit.text() == "1024"
            page.sheet.context.edit.clear()
            QTest.keyClick(page.sheet.context.edit, Qt.Key.Key_Return)
        stored = SettingsFile(profile.settings).value.model_settings
        assert stored == {str(path): {"n_ctx": 1024}}, "edited but not loaded options are not saved"
        async with open_gui(real=path) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            page.sheet.context.edit.clear()
            page.sheet.load.click()
            await until(lambda: use_of(gui, "Alpha") == "loading")
            await until(lambda: use_of(gui, "Alpha") == "in_use")
        assert SettingsFile(profile.settings).value.model_settings == {}

    run(story())


def test_model_settings_sheet_is_updated_even_if_the_filter_hides_its_model(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)

    async def story() -> None:
        async with open_gui(real=model_folder / "Alpha-Q4_0.gguf") as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            page.header.search.setText("qwen")
            await until(lambda: use_of(gui, "Alpha") == "not listed")
            assert not page.sheet.unload.isHidden()
            page.sheet.unload.click()
            await until(lambda: page.sheet.unload.isHidden())
            assert not page.sheet.load.isHidden()

    run(story())


def test_load_option_being_typed_is_kept_when_the_model_row_changes(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)

    async def story() -> None:
        async with open_gui(real=model_folder / "Alpha-Q4_0.gguf") as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            await until(lambda: rows(page.local_models.view)[0].fit is not None)
            click(page.local_models.view, "Alpha", "settings")
            sheet = page.sheet
            QTest.keyClicks(sheet.context.edit, "48")
            row = rows(page.local_models.view)[0]
            sheet.show_model(replace(row, progress=0.5), LoadOptions(), None)
            assert sheet.context.edit.text() == "48"
            QTest.keyClick(sheet.context.edit, Qt.Key.Key_Return)
            assert sheet.context.edit.property("wrong")
            assert sheet.context.help.property("wrong"), "the help text has the minimum"
            assert not sheet.load.isEnabled()
            QTest.keyClick(sheet, Qt.Key.Key_Escape)
            click(page.local_models.view, "Alpha", "settings")
            assert sheet.context.edit.text() == ""
            assert not sheet.context.edit.property("wrong")
            assert sheet.load.isEnabled()
        assert SettingsFile(profile.settings).value.model_settings == {}

    run(story())


def test_stored_context_length_below_minimum_is_ignored() -> None:
    assert LoadOptions.from_dict({"n_ctx": 48}) == LoadOptions()


def test_stored_load_options_are_read_back_without_change() -> None:
    choice = LoadOptions(4096, "q8_0", 12, drafts=False)
    with_draft_model = LoadOptions(draft_model="/models/small.gguf")
    assert LoadOptions.from_dict(with_draft_model.to_dict()) == with_draft_model
    assert with_draft_model.settings == LoadSettings(draft_model=Path("/models/small.gguf"))
    assert replace(with_draft_model, drafts=False).settings == LoadSettings(drafts=False)
    assert LoadOptions.from_dict(choice.to_dict()) == choice
    assert choice.settings == LoadSettings(4096, kv_type_k="q8_0", kv_type_v="q8_0", n_gpu_layers=12, drafts=False)
    assert LoadOptions().to_dict() == {}
    assert (
        LoadOptions.from_dict({"n_ctx": "many", "kv_type": "q1", "n_gpu_layers": -3, "draft_model": 1}) == LoadOptions()
    )


def test_message_for_invalid_load_settings_names_field_and_reason() -> None:
    message = error_message(InvalidSettings("kv_type_v", "a quantised value cache needs flash attention"))
    assert message.endswith("kv_type_v: a quantised value cache needs flash attention.")
