"""The models' page as a person uses it: what is listed, loaded and set; what comes from the hub, and what keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QFileDialog, QLineEdit, QProgressBar
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.models import words
from desktop.models.load_choice import LoadChoice
from desktop.models.model_list import ModelList
from desktop.models.rows import ModelRow
from desktop.row_list import RowRole
from desktop.settings import SettingsFile
from desktop.widgets.models_downloads import DownloadCard
from desktop.widgets.models_page import ModelsPage
from desktop.widgets.models_rows import actions
from desktop.widgets.models_view import ModelsView
from engine.backend import LoadSettings
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.engine.fake_hub import FakeHub, FakeRepo
from tests.sparse_model import write_sparse
from tests.tiny_models import TINY_MODELS

REPO = "makers/Tiny-Chat-GGUF"
NAME = "Tiny-Chat-Q4_K_M.gguf"


@pytest.fixture
def model(tmp_path: Path) -> bytes:
    return TINY_MODELS["plain"].write(tmp_path / "made.gguf").read_bytes()


@pytest.fixture
def fake(model: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    hub = FakeHub({REPO: FakeRepo({NAME: model}, gguf={"total": 43_000})}).start()
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setattr("desktop.models.library.default_folder", lambda: tmp_path / "nowhere")
    yield hub
    hub.stop()


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    TINY_MODELS["plain"].write(folder / "Alpha-Q4_0.gguf")
    TINY_MODELS["gemma3"].write(folder / "Beta-Q8_0.gguf")
    (folder / "Gamma.gguf").write_text("this is no model, but it is long enough")
    return folder


def page_of(house: House) -> ModelsPage:
    assert house.window.models_page is not None
    return house.window.models_page


def rows(view: ModelsView) -> list[ModelRow]:
    models = view.model()
    assert isinstance(models, ModelList)
    return [models[n] for n in range(len(models))]


def names(view: ModelsView) -> list[str]:
    return [row.name for row in rows(view)]


def click(view: ModelsView, name: str, act: str) -> None:
    index = view.model().index(names(view).index(name), 0)
    row = index.data(RowRole.ROW)
    box = actions(view.visualRect(index), row, pointed=True)[act]  # type: ignore[index]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=box.center())


def use_of(house: House, name: str) -> str:
    return next((row.use for row in rows(page_of(house).on_disk.view) if row.name == name), "not listed")


def card(house: House) -> DownloadCard:
    (only,) = page_of(house).downloads.cards
    return only


def keep_folder(profile: Profile, *folders: Path) -> None:
    settings = SettingsFile(profile.settings)
    settings.change(model_folders=[str(folder) for folder in folders])
    settings.save()


def test_the_list(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    models = ModelList(words.sentence)
    qtmodeltester.check(models)  # type: ignore[no-untyped-call]
    one, two, three = (ModelRow(key, "disk", key.upper()) for key in "abc")
    models.show([one, two])
    changed: list[int] = []
    models.dataChanged.connect(lambda first, last: changed.append(first.row()))
    models.show([three, one, ModelRow("b", "disk", "B", use="in_use")])
    assert changed == [2]
    assert [models.index(n).data() for n in range(3)] == ["C", "A", "B"]
    assert models.index(2).data(Qt.ItemDataRole.AccessibleTextRole) == "B, In use"
    models.show([])
    assert models.rowCount() == 0


@pytest.mark.qt_log_ignore("propagateSizeHints")  # said by the platform without a screen, of any dialog
def test_folders_are_added_listed_and_taken_away(
    run: Run, open_house: OpenHouse, fake: FakeHub, shelf: Path, profile: Profile
) -> None:
    async def story() -> None:
        async with open_house(model=False) as house:
            page = page_of(house)
            house.window.sidebar._models.click()
            assert house.window.pages.currentWidget() is page
            page.head.add_folder.click()
            dialog = house.window.findChild(QFileDialog)
            assert dialog is not None
            dialog.fileSelected.emit(str(shelf))
            dialog.close()
            await until(lambda: len(rows(page.on_disk.view)) == 3)
            assert names(page.on_disk.view) == ["Alpha", "Beta", "Gamma"]
            gamma = rows(page.on_disk.view)[2]
            assert words.why(gamma) == "It cannot be used: the file is no GGUF model."
            assert not gamma.can_load
        assert SettingsFile(profile.settings).value.model_folders == [str(shelf)]
        async with open_house(model=False) as house:
            page = page_of(house)
            house.window.sidebar._models.click()
            await until(lambda: len(rows(page.on_disk.view)) == 3)
            chip = page.on_disk.chips.findChildren(QAbstractButton)[0]
            assert chip.accessibleName() == f"Look no more into {words.folder(shelf)}"
            chip.click()
            await until(lambda: rows(page.on_disk.view) == [])
            assert "There is no model yet" in page.on_disk.empty.text()

    run(story())
    assert sorted(path.name for path in shelf.iterdir()) == ["Alpha-Q4_0.gguf", "Beta-Q8_0.gguf", "Gamma.gguf"]


def test_models_are_loaded_and_unloaded(
    run: Run, open_house: OpenHouse, fake: FakeHub, shelf: Path, profile: Profile
) -> None:
    keep_folder(profile, shelf)

    async def story() -> None:
        async with open_house(model=False) as house:
            view = page_of(house).on_disk.view
            house.window.sidebar._models.click()
            await until(lambda: len(rows(view)) == 3 and rows(view)[0].fit is not None)
            click(view, "Alpha", "load")
            await until(lambda: use_of(house, "Alpha") == "in_use")
            assert house.ready
            click(view, "Beta", "load")
            await until(lambda: use_of(house, "Beta") == "in_use")
            assert use_of(house, "Alpha") == ""
            assert names(view)[0] == "Beta", "what is in use stands first"
            click(view, "Beta", "unload")
            await until(lambda: use_of(house, "Beta") == "")
            assert not house.ready
        assert SettingsFile(profile.settings).value.model_path == str(shelf / "Beta-Q8_0.gguf")

    run(story())


def test_everything_by_keyboard(run: Run, open_house: OpenHouse, fake: FakeHub, shelf: Path, profile: Profile) -> None:
    keep_folder(profile, shelf)

    async def story() -> None:
        async with open_house(model=False) as house:
            page = page_of(house)
            view = page.on_disk.view
            house.window.resize(600, 450)
            QTest.keyClick(house.window, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
            await until(lambda: len(rows(view)) == 3 and rows(view)[0].fit is not None)
            page.head.search.setFocus()
            QTest.keyClick(page.head.search, Qt.Key.Key_Down)
            assert view.hasFocus()
            assert view.currentIndex().row() == 0
            QTest.keyClick(view, Qt.Key.Key_Return)
            await until(lambda: use_of(house, "Alpha") == "in_use")
            QTest.keyClick(view, Qt.Key.Key_Space)
            assert page.sheet.isVisible()
            assert page.sheet.context.hasFocus()
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            assert not page.sheet.isVisible()
            assert view.hasFocus()
            QTest.keyClick(view, Qt.Key.Key_Down)
            QTest.keyClick(view, Qt.Key.Key_Down)
            QTest.keyClick(view, Qt.Key.Key_Down)
            assert not view.hasFocus(), "the arrows go on to the next list"

    run(story())


def test_settings_are_kept_for_each_file_and_used(
    run: Run, open_house: OpenHouse, fake: FakeHub, shelf: Path, profile: Profile
) -> None:
    keep_folder(profile, shelf)
    path = shelf / "Alpha-Q4_0.gguf"

    async def story() -> None:
        async with open_house(real=path) as house:
            page = page_of(house)
            house.window.sidebar._models.click()
            await until(lambda: house.ready and use_of(house, "Alpha") == "in_use")
            await until(lambda: rows(page.on_disk.view)[0].fit is not None)
            click(page.on_disk.view, "Alpha", "settings")
            sheet = page.sheet
            assert sheet.load.isHidden()
            before = sheet._cost.text()
            QTest.keyClicks(sheet.context, "99")
            QTest.keyClick(sheet.context, Qt.Key.Key_Return)
            assert sheet.context.property("wrong")
            sheet.context.clear()
            QTest.keyClicks(sheet.context, "1,024")
            QTest.keyClick(sheet.context, Qt.Key.Key_Return)
            assert not sheet.context.property("wrong")
            assert sheet._cost.text() != before
            assert sheet.load.text() == "Load again with these"
            sheet.load.click()
            await until(lambda: use_of(house, "Alpha") == "loading")
            await until(lambda: use_of(house, "Alpha") == "in_use")
            assert "Reads 1,024 tokens" in house.window.header._pill.toolTip() or sheet.load.isHidden()
            sheet.unload.click()
            await until(lambda: use_of(house, "Alpha") == "")
        kept = SettingsFile(profile.settings).value.model_settings
        assert kept == {str(path): {"n_ctx": 1024}}
        async with open_house(real=path) as house:
            await until(lambda: house.ready)
            page = page_of(house)
            house.window.sidebar._models.click()
            await until(lambda: use_of(house, "Alpha") == "in_use")
            click(page.on_disk.view, "Alpha", "settings")
            assert page.sheet.context.text() == "1024"
            page.sheet.context.clear()
            QTest.keyClick(page.sheet.context, Qt.Key.Key_Return)
        assert SettingsFile(profile.settings).value.model_settings == {}

    run(story())


def test_choices() -> None:
    choice = LoadChoice(4096, "q8_0", 12)
    assert LoadChoice.of(choice.kept()) == choice
    assert choice.settings == LoadSettings(4096, kv_type_k="q8_0", kv_type_v="q8_0", n_gpu_layers=12)
    assert LoadChoice().kept() == {}
    assert LoadChoice.of({"n_ctx": "many", "kv_type": "q1", "n_gpu_layers": -3}) == LoadChoice()


def test_what_is_typed_is_found_here_and_asks_nobody(
    run: Run, open_house: OpenHouse, fake: FakeHub, shelf: Path, profile: Profile
) -> None:
    keep_folder(profile, shelf)

    async def story() -> None:
        async with open_house(model=False) as house:
            page = page_of(house)
            house.window.sidebar._models.click()
            await until(lambda: len(rows(page.on_disk.view)) == 3 and len(rows(page.suggested.view)) > 5)
            QTest.keyClicks(page.head.search, "qwen 8b")
            assert names(page.suggested.view) == ["Qwen3 8B"]
            assert rows(page.on_disk.view) == []
            assert page.on_disk.empty.text() == "Nothing here has “qwen 8b” in its name."
            assert page.on_hub._offer.text() == "Search Hugging Face for “qwen 8b”"
            QTest.keyClick(page.head.search, Qt.Key.Key_Escape)
            assert page.head.search.text() == ""
            assert len(rows(page.on_disk.view)) == 3
            assert page.on_hub.isHidden()
        assert fake.asked == []

    run(story())


def test_a_model_comes_from_the_hub(
    run: Run, open_house: OpenHouse, fake: FakeHub, profile: Profile, model: bytes
) -> None:
    async def story() -> None:
        async with open_house(model=False) as house:
            page = page_of(house)
            house.window.sidebar._models.click()
            await until(lambda: len(rows(page.suggested.view)) > 5)
            QTest.keyClicks(page.head.search, "tiny")
            QTest.keyClick(page.head.search, Qt.Key.Key_Return)
            await until(lambda: names(page.on_hub.view) == ["Tiny Chat"])
            page.on_hub.view.setFocus()
            QTest.keyClick(page.on_hub.view, Qt.Key.Key_Return)
            await until(lambda: names(page.on_disk.view) == ["Tiny Chat"])
            assert page.downloads.cards == ()
            assert (profile.models / NAME).read_bytes() == model
            assert house.window.notice.text == "Tiny Chat is here."
            assert [row.is_here for row in rows(page.on_hub.view)] == [True]
            house.window.notice._action.click()
            await until(lambda: house.ready and use_of(house, "Tiny Chat") == "in_use")

    run(story())


def test_a_download_pauses_goes_on_after_a_restart_and_is_cancelled(
    run: Run, open_house: OpenHouse, fake: FakeHub, profile: Profile, model: bytes
) -> None:
    fake.bytes_per_s = 60_000

    async def story() -> None:
        async with open_house(model=False) as house:
            page = page_of(house)
            house.window.sidebar._models.click()
            page.act_asked.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            await until(lambda: page.downloads.cards and "MB of" in card(house).text.text())
            await until(lambda: card(house).bar.value() > 50)
            assert card(house).pause.accessibleName() == "Pause Tiny Chat"
            card(house).pause.click()
            assert "Paused" in card(house).text.text()
            assert card(house).pause.accessibleName() == "Go on with Tiny Chat"
        assert not (profile.models / NAME).exists()
        async with open_house(model=False) as house:
            house.window.sidebar._models.click()
            await until(lambda: page_of(house).downloads.cards)
            assert "Paused" in card(house).text.text()
            assert card(house).bar.value() > 50
            card(house).pause.click()
            await until(lambda: card(house).bar.value() > 300)
            assert any("bytes=" in path for path in fake.asked)
            card(house).cancel.click()
            assert page_of(house).downloads.cards == ()
            await until(lambda: list(profile.models.iterdir()) == [])
        async with open_house(model=False) as house:
            fake.bytes_per_s = 0
            house.window.sidebar._models.click()
            page_of(house).act_asked.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            await until((profile.models / NAME).exists)
            await until(lambda: names(page_of(house).on_disk.view) == ["Tiny Chat"])

    run(story())


def test_what_is_not_what_it_should_be_is_said_and_tried_again(
    run: Run, open_house: OpenHouse, fake: FakeHub, profile: Profile
) -> None:
    fake.faults = ["corrupt"]

    async def story() -> None:
        async with open_house(model=False) as house:
            house.window.sidebar._models.click()
            page_of(house).act_asked.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            await until(lambda: page_of(house).downloads.cards and "It was deleted" in card(house).text.text())
            assert list(profile.models.iterdir()) == []
            card(house).pause.click()
            await until((profile.models / NAME).exists)

    run(story())


def test_offline_is_a_quiet_sentence(run: Run, open_house: OpenHouse, fake: FakeHub) -> None:
    fake.down = True

    async def story() -> None:
        async with open_house(model=False) as house:
            page = page_of(house)
            house.window.sidebar._models.click()
            QTest.keyClicks(page.head.search, "tiny")
            QTest.keyClick(page.head.search, Qt.Key.Key_Return)
            await until(lambda: "cannot be reached" in page.on_hub.empty.text())
            assert house.window.notice.text == ""
            fake.down = False
            page.on_hub._offer.click()
            await until(lambda: names(page.on_hub.view) == ["Tiny Chat"])

    run(story())


def test_two_downloads_come_one_after_the_other(
    run: Run, open_house: OpenHouse, fake: FakeHub, profile: Profile, model: bytes
) -> None:
    fake.repos["makers/Other-GGUF"] = FakeRepo({"Other-Q4_0.gguf": model})
    fake.bytes_per_s = 400_000

    async def story() -> None:
        async with open_house(model=False) as house:
            page = page_of(house)
            house.window.sidebar._models.click()
            page.act_asked.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            page.act_asked.emit("download", ModelRow("makers/Other-GGUF", "hub", "Other"))
            await until(lambda: any("Waits" in each.text.text() for each in page.downloads.cards))
            await until(lambda: sorted(names(page.on_disk.view)) == ["Other", "Tiny Chat"])
            assert page.downloads.cards == ()

    run(story())


def test_closing_in_the_middle_of_a_download_leaves_nothing_that_looks_whole(
    run: Run, open_house: OpenHouse, fake: FakeHub, profile: Profile
) -> None:
    fake.faults = ["stall"]

    async def story() -> None:
        async with open_house(model=False) as house:
            house.window.sidebar._models.click()
            page_of(house).act_asked.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            await until(lambda: (profile.models / f"{NAME}.part").exists())
        await asyncio.to_thread(fake.stop)

    run(story())
    assert sorted(path.name for path in profile.models.iterdir()) == [f"{NAME}.part", f"{NAME}.part.json"]


def test_too_big_is_said_in_words_and_not_offered(
    run: Run, open_house: OpenHouse, fake: FakeHub, tmp_path: Path, profile: Profile
) -> None:
    write_sparse(tmp_path / "big" / "Giant-900B-Q4_K_M.gguf", n_bytes=500 * 10**9, n_layers=100)
    keep_folder(profile, tmp_path / "big")

    async def story() -> None:
        async with open_house(model=False) as house:
            view = page_of(house).on_disk.view
            house.window.sidebar._models.click()
            await until(lambda: rows(view) and rows(view)[0].fit is not None)
            giant = rows(view)[0]
            assert words.verdict(giant) == "Too big"
            assert words.speed(giant.fit).startswith("needs 4")
            assert "are free" in words.why(giant)
            assert not giant.can_load
            index = view.model().index(0, 0)
            assert "load" not in actions(view.visualRect(index), giant, pointed=True)

    run(story())


def test_controls_and_rows_have_names(
    run: Run, open_house: OpenHouse, fake: FakeHub, shelf: Path, profile: Profile
) -> None:
    keep_folder(profile, shelf)
    fake.bytes_per_s = 30_000

    async def story() -> None:
        async with open_house(model=False) as house:
            page = page_of(house)
            house.window.sidebar._models.click()
            await until(lambda: len(rows(page.on_disk.view)) == 3 and rows(page.on_disk.view)[0].fit is not None)
            page.act_asked.emit("download", ModelRow(REPO, "hub", "Tiny Chat"))
            click(page.on_disk.view, "Alpha", "settings")
            await until(lambda: page.downloads.cards)
            kinds = (QAbstractButton, QLineEdit, QAbstractItemView, QProgressBar)
            nameless = [
                control
                for kind in kinds
                for control in page.findChildren(kind)
                if control.isVisible() and not control.accessibleName()
                if not (isinstance(control, QAbstractButton) and control.text())
            ]
            assert nameless == []
            spoken = QAccessible.queryAccessibleInterface(page.on_disk.view).child(0)
            assert spoken.text(QAccessible.Text.Name).startswith("Alpha, Q4_0")

    run(story())
