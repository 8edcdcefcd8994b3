"""LoRA adapters in the settings sheet of a model: added, scaled, removed, stored, loaded, and shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.models import strings
from desktop.models.adapter_list import AdapterList
from desktop.models.load_options import LoadOptions
from desktop.models.model_list import row_of_file
from desktop.platform.theme import Theme
from desktop.settings.settings_file import SettingsFile
from engine.adapter import Adapter
from engine.files.profile import Profile
from engine.library.model_scan import scan
from engine.library.model_scan_cache import ModelScanCache
from engine.status import ModelInfo, Status
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.models.page_driver import click, page_of, rows, save_folder, use_of
from tests.desktop.mouse import wheel
from tests.engine.library.fake_hub import FakeHub
from tests.model_files.tiny_adapter import write_adapter


def drop(target: AdapterList, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    target.dropEvent(event)


def test_adapter_is_added_scaled_loaded_and_removed(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile, tmp_path: Path
) -> None:
    save_folder(profile, model_folder)
    path, adapter = model_folder / "Alpha-Q4_0.gguf", write_adapter(tmp_path / "style.gguf")

    async def story() -> None:
        async with open_gui(real=path) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            sheet = page.sheet
            drop(sheet.adapters, adapter, adapter)
            (row,) = sheet.adapters.rows
            assert row.scale.text() == "1.00"
            QTest.keyClick(row.scale, Qt.Key.Key_Down)
            assert row.scale.text() == "0.95"
            row.scale.selectAll()
            QTest.keyClicks(row.scale, "0,5")
            QTest.keyClick(row.scale, Qt.Key.Key_Return)
            assert not sheet.load.isHidden()
            assert gui.window.chat_page.header._model_text == "Alpha"
            sheet.load.click()
            await until(lambda: gui.window.chat_page.header._model_text == "Alpha + style")
            assert rows(page.local_models.view)[0].adapters == ("style",)
            assert "Adapter style.gguf, scale 0.5" in gui.window.chat_page.header._facts
        stored = SettingsFile(profile.settings).value.model_settings
        assert stored == {str(path): {"adapters": [{"path": str(adapter), "scale": 0.5}]}}
        async with open_gui(real=path) as gui:
            page = page_of(gui)
            await until(lambda: gui.window.chat_page.header._model_text == "Alpha + style")
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            (row,) = page.sheet.adapters.rows
            assert row.scale.text() == "0.50"
            row.remove.click()
            assert not page.sheet.adapters.rows
            page.sheet.load.click()
            await until(lambda: gui.window.chat_page.header._model_text == "Alpha")
        assert SettingsFile(profile.settings).value.model_settings == {}

    run(story())


def test_missing_adapter_is_left_out_at_the_start_and_named(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile, tmp_path: Path
) -> None:
    save_folder(profile, model_folder)
    path, missing = model_folder / "Alpha-Q4_0.gguf", tmp_path / "gone.gguf"
    settings = SettingsFile(profile.settings)
    settings.change(model_settings={str(path): {"adapters": [{"path": str(missing), "scale": 1.0}]}})
    settings.save()
    text = "The model is loaded without the adapter gone.gguf: there is no such file."

    async def story() -> None:
        async with open_gui(real=path) as gui:
            page = page_of(gui)
            await until(lambda: gui.ready and gui.window.toast.text == text)
            assert gui.window.chat_page.header._model_text == "Alpha"
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            (row,) = (each for each in rows(page.local_models.view) if each.name == "Alpha")
            assert text in strings.explanation(row)
            click(page.local_models.view, "Alpha", "settings")
            assert len(page.sheet.adapters.rows) == 1, "it stays in the settings until the user removes it"
        assert settings.value.model_settings == {str(path): {"adapters": [{"path": str(missing), "scale": 1.0}]}}

    run(story())


def test_scale_accepts_only_numbers_from_0_to_2(qtbot: QtBot, theme: Theme) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    adapters = AdapterList(theme, parent)
    changes: list[tuple[Adapter, ...]] = []
    adapters.changed.connect(changes.append)
    adapters.add_files([Path("/a/style.gguf")])
    (row,) = adapters.rows
    for typed in ("2.01", "-1", "many", "nan", ""):
        row.scale.selectAll()
        QTest.keyClicks(row.scale, typed)
        adapters.commit()
        assert row.scale.text() == "1.00"
    for _ in range(25):
        QTest.keyClick(row.scale, Qt.Key.Key_Up)
    assert changes[-1] == (Adapter(Path("/a/style.gguf"), 2.0),)
    assert changes[1] == (Adapter(Path("/a/style.gguf"), 1.05),)
    assert len(changes) == 1 + 20
    wheel(row.scale, 3)
    assert row.scale.text() == "2.00", "without the focus, the wheel scrolls the sheet"


def test_header_names_one_adapter_and_counts_several() -> None:
    model = ModelInfo("Alpha-Q4_0", "Alpha", Path("/m/Alpha-Q4_0.gguf"), 1, 512, 512, 1, 0.0)
    one, two, off = (Adapter(Path(f"/a/{name}.gguf"), scale) for name, scale in (("a", 1), ("b", 0.5), ("c", 0)))
    texts = [
        strings.model_state(Status("ready", replace(model, adapters=adapters)))
        for adapters in ((off,), (one, off), (one, two))
    ]
    assert texts == ["Alpha", "Alpha + a", "Alpha + 2 adapters"]


def test_adapter_is_listed_as_an_adapter_and_cannot_be_loaded_as_a_model(tmp_path: Path) -> None:
    write_adapter(tmp_path / "style.gguf")
    (found,) = scan([tmp_path], ModelScanCache(None)).models
    row = row_of_file(found, None, "", 0.0, is_bundled=False)
    assert strings.verdict(row) == "Adapter"
    assert strings.details(row) == "it is an adapter for llama models"
    assert strings.explanation(row).startswith("This LoRA adapter can be added")
    assert not row.can_load


def test_stored_adapters_are_read_back_and_invalid_ones_are_ignored() -> None:
    options = LoadOptions(adapters=(Adapter(Path("/a/one.gguf"), 0.5), Adapter(Path("/b/two.gguf"))))
    assert LoadOptions.from_dict(options.to_dict()) == options
    assert options.settings.adapters == options.adapters
    bad: list[object] = [{"path": 3, "scale": 1}, {"path": "/x"}, {"path": "/x", "scale": float("nan")}, "x", None]
    assert LoadOptions.from_dict({"adapters": [*bad, {"path": "/x", "scale": 1}]}).adapters == (Adapter(Path("/x")),)
    assert LoadOptions.from_dict({"adapters": "x"}) == LoadOptions()
