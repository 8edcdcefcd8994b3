"""LoRA adapters in the settings sheet of a model: added, scaled, removed, stored, loaded, and shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from desktop.models import strings
from desktop.models.adapter_list import AdapterList
from desktop.models.load_options import LoadOptions
from desktop.models.model_list import ModelRow, row_of_file
from desktop.platform.theme import Theme
from desktop.settings.settings_file import SettingsFile
from engine.adapter import Adapter
from engine.files.profile import Profile
from engine.library.memory_fit import MemoryFit
from engine.library.model_scan import scan
from engine.library.model_scan_cache import ModelScanCache
from engine.status import ModelInfo, Status
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.models.page_driver import click, names, page_of, rows, save_folder, use_of
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
            await until(lambda: len(sheet.adapters.rows) == 1)
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


def test_unusable_adapters_are_not_added_and_the_sheet_says_why(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile, tmp_path: Path
) -> None:
    save_folder(profile, model_folder)
    other, good = write_adapter(tmp_path / "other.gguf", "qwen2"), write_adapter(tmp_path / "good.gguf")
    text = "other.gguf cannot be added: it is for qwen2 models, the model is llama."

    async def story() -> None:
        async with open_gui(real=model_folder / "Alpha-Q4_0.gguf") as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            adapters = page.sheet.adapters
            drop(adapters, other, good)
            await until(lambda: adapters.problem.isVisible())
            assert adapters.problem.text() == text
            assert len(adapters.rows) == 1, "the other file fits"
            page.sheet.close_sheet()
            click(page.local_models.view, "Alpha", "settings")
            assert not adapters.problem.isVisible()
            assert len(adapters.rows) == 1
            page.sheet.show_model(replace(page.sheet._row, fault=""), LoadOptions(), None)
            drop(adapters, tmp_path / "gone.gguf")
            await until(lambda: "gone.gguf cannot be added: there is no such file." in adapters.problem.text())

    run(story())


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def adapter_list(parent: QWidget, theme: Theme, *adapters: Adapter) -> tuple[AdapterList, list[tuple[Adapter, ...]]]:
    """A list, and all values that its signal `changed` carries later."""
    widget = AdapterList(theme, parent)
    widget.show_adapters(adapters)
    changes: list[tuple[Adapter, ...]] = []
    widget.changed.connect(changes.append)
    return widget, changes


STYLE = Path("/a/style.gguf")


@pytest.mark.parametrize(("typed", "scale"), [("-1", -1.0), ("10", 10.0), ("-100", -100.0), ("0,125", 0.125)])
def test_negative_and_large_scales_can_be_typed(parent: QWidget, theme: Theme, typed: str, scale: float) -> None:
    adapters, changes = adapter_list(parent, theme, Adapter(STYLE))
    (row,) = adapters.rows
    row.scale.selectAll()
    QTest.keyClicks(row.scale, typed)
    QTest.keyClick(row.scale, Qt.Key.Key_Return)
    assert changes == [(Adapter(STYLE, scale),)]
    assert not adapters.is_wrong


def test_impossible_scale_is_marked_and_kept_for_correction(parent: QWidget, theme: Theme) -> None:
    adapters, changes = adapter_list(parent, theme, Adapter(STYLE))
    (row,) = adapters.rows
    for typed in ("100.5", "many", "nan", "inf", "-"):
        row.scale.selectAll()
        QTest.keyClicks(row.scale, typed)
        adapters.commit()
        assert row.scale.text() == typed
        assert adapters.is_wrong
        assert not row.problem.isHidden()
        assert row.problem.text() == "A number from -100 to 100."
    row.scale.selectAll()
    QTest.keyClicks(row.scale, "2")
    adapters.commit()
    assert not adapters.is_wrong
    assert row.problem.isHidden()
    assert changes == [(Adapter(STYLE, 2.0),)]


@pytest.mark.parametrize(("scale", "text"), [(-1.0, "-1.00"), (12.5, "12.50"), (0.125, "0.125")])
def test_scale_is_shown_as_it_is_set_and_not_changed_by_leaving_the_field(
    parent: QWidget, theme: Theme, scale: float, text: str
) -> None:
    adapters, changes = adapter_list(parent, theme, Adapter(STYLE, scale))
    (row,) = adapters.rows
    assert row.scale.text() == text
    adapters.commit()
    assert changes == []


def test_arrow_keys_step_the_scale_up_to_the_limit(parent: QWidget, theme: Theme) -> None:
    adapters, changes = adapter_list(parent, theme, Adapter(STYLE, 99.92))
    (row,) = adapters.rows
    for _ in range(5):
        QTest.keyClick(row.scale, Qt.Key.Key_Up)
    assert changes == [(Adapter(STYLE, 99.97),), (Adapter(STYLE, 100.0),)]
    wheel(row.scale, -3)
    assert row.scale.text() == "100.00", "without the focus, the wheel scrolls the sheet"


@pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform logs this warning for dialogs
def test_file_dialog_opens_in_the_models_folder_and_then_in_the_last_one(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile, tmp_path: Path
) -> None:
    save_folder(profile, model_folder)
    adapter = write_adapter(tmp_path / "style.gguf")
    profile.models.mkdir(exist_ok=True)

    async def story() -> None:
        async with open_gui(real=model_folder / "Alpha-Q4_0.gguf") as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            adapters = page.sheet.adapters
            for folder in (profile.models, tmp_path):
                adapters.add.click()
                (dialog,) = gui.window.findChildren(QFileDialog)
                assert Path(dialog.directory().absolutePath()) == folder
                dialog.filesSelected.emit([str(adapter)])
                dialog.reject()
                await until(lambda: len(adapters.rows) == 1 and not gui.window.findChildren(QFileDialog))

    run(story())


def test_sheet_opens_at_the_top(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)

    async def story() -> None:
        async with open_gui(real=model_folder / "Alpha-Q4_0.gguf") as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            bar = page.sheet._scroll.verticalScrollBar()
            await until(lambda: bar.maximum() > 0)
            bar.setValue(bar.maximum())
            other = next(name for name in names(page.local_models.view) if name != "Alpha")
            click(page.local_models.view, other, "settings")
            assert bar.value() == 0

    run(story())


def test_needed_memory_includes_adapters_and_the_draft_model(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile, tmp_path: Path
) -> None:
    save_folder(profile, model_folder)
    path = model_folder / "Alpha-Q4_0.gguf"
    adapter = write_adapter(tmp_path / "large.gguf", tensors={"blk.0.attn_q.weight": (1 << 20, 32)})

    async def story() -> None:
        async with open_gui(real=path) as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")

            def row() -> ModelRow:
                return next(each for each in rows(page.local_models.view) if each.name == "Alpha")

            await until(lambda: row().fit is not None)
            click(page.local_models.view, "Alpha", "settings")
            assert "draft model" not in page.sheet._parts.text()
            before = fit_of(row()).needed
            page.sheet.adapters.add_checked([Adapter(adapter)], ())
            await until(lambda: fit_of(row()).needed - before == adapter.stat().st_size)
            page.sheet.options_changed.emit(path, LoadOptions(draft_model=str(path)))
            await until(lambda: "draft model" in page.sheet._parts.text())
            assert fit_of(row()).needed - before == fit_of(row()).estimate.draft_bytes > path.stat().st_size

    run(story())


def fit_of(row: ModelRow) -> MemoryFit:
    assert row.fit is not None
    return row.fit


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
