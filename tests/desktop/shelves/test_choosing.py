"""Folders, the archive and several chats at once, as a person uses them: real clicks and keys, a real file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent, QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu, QToolButton

from desktop.exchange.reading import read
from desktop.widgets.chats_drag import dragged
from desktop.widgets.chosen_bar import ChosenBar
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_gallery_chats import fill_shelves, listed, middle
from tests.desktop.test_palette import offered, palette_of
from tests.desktop.test_window import answered, titles, type_and_send
from tests.fakes import Script

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
PLAIN = Qt.KeyboardModifier.NoModifier

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, of menus and dialogs

AS_FILLED = [
    "Pinned", "Reading group notes", "Rust borrow checker",
    "Folders", "Garden and house", "Garden plan for March", "Letter to the landlord", "Code",
    "Today", "Sea shanties", "Parse a CSV with quotes", "Titles for the talk",
    "This week", "Why is the sky dark at night?",
    "Archive",
]  # fmt: skip


def live_in(run: Run, open_house: OpenHouse, profile: Profile, story: Any) -> None:
    async def whole() -> None:
        await fill_shelves(profile)
        async with open_house() as house:
            await listed(house)
            assert titles(house) == AS_FILLED
            await story(house)

    run(whole())


def click(house: House, index: QModelIndex, held: Qt.KeyboardModifier = PLAIN) -> None:
    assert index.isValid()
    house.chats.scrollTo(index)
    QTest.mouseClick(house.chats.viewport(), Qt.MouseButton.LeftButton, held, middle(house, index))


def click_title(house: House, title: str, held: Qt.KeyboardModifier = PLAIN) -> None:
    click(house, house.chats.model().index(titles(house).index(title), 0), held)


def drop(house: House, chat_ids: Sequence[str], title: str) -> None:
    chats, view = house.chats.chats, house.chats
    index = chats.index(titles(house).index(title))
    view.scrollTo(index)
    at, data = middle(house, index), chats.mimeData([chats.index_of(chat_id) for chat_id in chat_ids])
    how = Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton, PLAIN
    for event in (QDragEnterEvent(at, *how), QDragMoveEvent(at, *how), QDropEvent(at.toPointF(), *how)):
        QApplication.sendEvent(view.viewport(), event)
        assert event.isAccepted()


def menu_of(house: House) -> QMenu:
    return next(each for each in house.chats.findChildren(QMenu) if each.isVisible())


def open_menu(house: House, index: QModelIndex) -> QMenu:
    at = middle(house, index)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, house.chats.viewport().mapToGlobal(at))
    QApplication.sendEvent(house.chats.viewport(), event)
    return menu_of(house)


def do(menu: QMenu, *words: str) -> None:
    """Chooses what is called so; the words before the last are those of menus in it."""
    top = menu
    for word in words[:-1]:
        action = next(each for each in menu.actions() if each.text() == word)
        menu = next(each for each in menu.findChildren(QMenu) if each.menuAction() is action)
    next(each for each in menu.actions() if each.text() == words[-1]).trigger()
    top.close()


def chosen(house: House) -> list[str]:
    return [chat.title for chat in house.chats.chosen_chats()]


def bar_of(house: House) -> Any:
    return house.window.findChild(ChosenBar)


def test_a_folder_is_made_named_folded_and_remembered(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Here.")) as house:
            type_and_send(house, "Sea shanties")
            await answered(house)
            QTest.keyClick(house.window, Qt.Key.Key_N, CONTROL | SHIFT)
            editor = house.chats.findChild(QLineEdit)
            assert isinstance(editor, QLineEdit)
            assert editor.selectedText() == "New folder"
            QTest.keyClicks(editor, "Songs")
            QTest.keyClick(editor, Qt.Key.Key_Return)
            await until(lambda: titles(house) == ["Folders", "Songs", "Today", "Sea shanties"])
            drop(house, [house.rows[0].chat_id], "Songs")
            assert titles(house) == ["Folders", "Songs", "Sea shanties"]
            click_title(house, "Songs")
            assert titles(house) == ["Folders", "Songs"]
            assert house.window.pages.currentWidget() is house.window.chat_page
            assert len(house.rows) == 2, "a folder is no chat: what was open stays open"
        async with open_house() as house:
            await until(lambda: titles(house) == ["Folders", "Songs"])
            house.chats.setFocus()
            house.chats.setCurrentIndex(house.chats.model().index(1, 0))
            QTest.keyClick(house.chats, Qt.Key.Key_Right)
            assert titles(house) == ["Folders", "Songs", "Sea shanties"]

    run(story())


def test_several_are_chosen_by_mouse_and_by_key(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        view = house.chats
        click_title(house, "Sea shanties")
        await until(lambda: len(house.rows) == 2)
        opened = house.rows[0].chat_id
        click_title(house, "Titles for the talk", CONTROL)
        assert chosen(house) == ["Sea shanties", "Titles for the talk"]
        assert bar_of(house)._count.text() == "2 chosen"
        click_title(house, "Letter to the landlord", SHIFT)
        assert chosen(house) == AS_FILLED[6:7] + AS_FILLED[9:12], "headings and folders are not chosen"
        assert house.rows[0].chat_id == opened, "to choose is not to open"
        QTest.keyClick(view, Qt.Key.Key_Escape)
        assert bar_of(house).isHidden()
        click_title(house, "Sea shanties")
        view.setFocus()
        for _ in range(3):
            QTest.keyClick(view, Qt.Key.Key_Down, SHIFT)
        assert chosen(house) == AS_FILLED[9:12] + AS_FILLED[13:14]
        QTest.keyClick(view, Qt.Key.Key_Up, SHIFT)
        assert chosen(house) == AS_FILLED[9:12]
        click_title(house, "Rust borrow checker")
        assert chosen(house) == ["Rust borrow checker"]
        QTest.keyClick(view, Qt.Key.Key_A, CONTROL)
        assert len(chosen(house)) == 8

    live_in(run, open_house, profile, story)


def test_several_are_deleted_and_brought_back(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        click_title(house, "Sea shanties", CONTROL)
        click_title(house, "Titles for the talk", SHIFT)
        house.chats.setFocus()
        QTest.keyClick(house.chats, Qt.Key.Key_Delete)
        left = [title for title in AS_FILLED if title not in ("Today", *AS_FILLED[9:12])]
        assert titles(house) == left
        assert house.window.notice.text == "3 chats are deleted."
        house.window.notice._action.click()
        assert titles(house) == AS_FILLED
        click_title(house, "Garden plan for March", CONTROL)
        click_title(house, "Letter to the landlord", CONTROL)
        next(each for each in bar_of(house).findChildren(QToolButton) if "Delete" in each.accessibleName()).click()
        assert "Letter to the landlord" not in titles(house)

    live_in(run, open_house, profile, story)

    async def again() -> None:
        async with open_house() as house:
            await until(lambda: titles(house) == AS_FILLED[:5] + AS_FILLED[7:])

    run(again())


def test_the_menu_acts_on_all_that_are_chosen(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        chats = house.chats.chats
        for title in ("Sea shanties", "Reading group notes"):
            click_title(house, title, CONTROL)
        do(open_menu(house, chats.index_of("c2")), "Move to", "Code")
        click(house, chats.index_of_folder("code"))
        assert titles(house)[6:10] == ["Code", "Sea shanties", "Reading group notes", "Kubernetes probes"]
        for title in ("Sea shanties", "Reading group notes"):
            click_title(house, title, CONTROL)
        click_title(house, "Code", CONTROL)
        do(open_menu(house, chats.index_of("c2")), "Pin")
        assert titles(house)[:4] == ["Pinned", "Sea shanties", "Reading group notes", "Rust borrow checker"]
        await until(lambda: not house.chats.findChildren(QMenu))
        do(open_menu(house, chats.index_of("c2")), "Unpin")
        assert "Sea shanties" in titles(house)[8:10], "it is back in its folder"

    live_in(run, open_house, profile, story)


def test_chats_are_dragged_to_every_part(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        drop(house, ["c2", "c4"], "Letter to the landlord")
        assert titles(house)[4:9] == ["Garden and house", "Sea shanties", "Titles for the talk", *AS_FILLED[5:7]]
        drop(house, ["c4"], "Today")
        assert titles(house)[9:12] == ["Today", "Parse a CSV with quotes", "Titles for the talk"]
        drop(house, ["c4"], "Rust borrow checker")
        assert titles(house)[:4] == ["Pinned", "Titles for the talk", *AS_FILLED[1:3]]
        drop(house, ["c4", "c0"], "Archive")
        assert titles(house)[:2] == ["Pinned", "Rust borrow checker"]
        assert house.window.notice.text == "2 chats are in the archive."
        click_title(house, "Archive")
        assert titles(house)[-4:] == ["Titles for the talk", "Reading group notes", "Tax return 2024",
                                      "Bicycle tour along the Danube"]  # fmt: skip
        drop(house, ["c4"], "Why is the sky dark at night?")
        assert titles(house)[-4:] == ["Archive", "Reading group notes", *titles(house)[-2:]]
        assert "Titles for the talk" in titles(house)
        assert not house.chats._rows.target.isValid()
        drop(house, ["old0"], "Pinned")
        assert titles(house)[:2] == ["Pinned", "Rust borrow checker"]
        assert "Tax return 2024" in titles(house)[1:4], "it is out of the archive"
        assert [titles(house).count(title) for title in ("Tax return 2024", "Titles for the talk")] == [1, 1]

    live_in(run, open_house, profile, story)


def test_a_drag_takes_all_that_are_chosen(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        for title in ("Titles for the talk", "Letter to the landlord"):
            click_title(house, title, CONTROL)
        drag = house.chats._drag_of(house.chats.chosen_chats())
        assert dragged(drag.mimeData()) == ("c6", "c4")
        assert not drag.pixmap().isNull()
        drag.deleteLater()

    live_in(run, open_house, profile, story)


def test_what_is_put_away_is_found_opened_and_brought_back(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        click_title(house, "Letter to the landlord")
        await until(lambda: len(house.rows) == 2)
        QTest.keyClick(house.window, Qt.Key.Key_E, CONTROL | SHIFT)
        assert "Letter to the landlord" not in titles(house)
        assert house.rows == []
        assert house.window.notice.text == "“Letter to the landlord” is in the archive."
        field: Any = house.window.sidebar.search
        found: Any = house.window.sidebar._found
        QTest.keyClicks(field, "landlord")
        await until(lambda: found.isVisible() and found.model().rowCount() > 0)
        found.choose_first()
        await until(lambda: len(house.rows) == 2)
        header = house.window.header
        assert header._back.isVisible()
        assert found.model().hits[0].archived
        header._back.click()
        assert header._back.isHidden()
        await until(lambda: not found.model().hits[0].archived)
        QTest.keyClick(field, Qt.Key.Key_Escape)
        assert titles(house) == AS_FILLED, "in its folder again"
        QTest.keyClick(house.window, Qt.Key.Key_E, CONTROL | SHIFT)
        house.window.notice._action.click()
        assert titles(house) == AS_FILLED

    live_in(run, open_house, profile, story)


def test_what_is_written_in_comes_out_of_the_archive(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        house.chats.chosen.emit("old0")
        await until(lambda: bool(house.rows))
        type_and_send(house, "And this year?")
        assert titles(house)[8:10] == ["Today", "Tax return 2024"]
        await answered(house)

    live_in(run, open_house, profile, story)


def test_a_chat_is_moved_by_key(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        click_title(house, "Sea shanties")
        await until(lambda: len(house.rows) == 2)
        QTest.keyClick(house.window, Qt.Key.Key_M, CONTROL | SHIFT)
        menu = menu_of(house)
        assert [each.text() for each in menu.actions() if each.text()] == ["Garden and house", "Code", "New folder…"]
        QTest.keyClick(menu, Qt.Key.Key_Return)
        assert titles(house)[4:6] == ["Garden and house", "Sea shanties"]
        QTest.keyClick(house.window, Qt.Key.Key_M, CONTROL | SHIFT)
        do(menu_of(house), "Out of its folder")
        assert titles(house) == AS_FILLED

    live_in(run, open_house, profile, story)


def test_the_head_of_a_chat_offers_the_same(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        header = house.window.header
        click_title(house, "Sea shanties")
        await until(lambda: len(house.rows) == 2)
        header._title.click()
        menu = next(each for each in header.findChildren(QMenu) if each.isVisible())
        do(menu, "Move to a folder…")
        do(menu_of(house), "New folder…")
        editor = house.chats.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        assert titles(house)[8:10] == ["New folder", "Sea shanties"]
        header._title.click()
        do(next(each for each in header.findChildren(QMenu) if each.isVisible()), "Archive")
        assert "Sea shanties" not in titles(house)
        assert house.rows == []

    live_in(run, open_house, profile, story)


def test_folders_are_renamed_ordered_deleted_and_brought_back(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story(house: House) -> None:
        view, chats = house.chats, house.chats.chats
        view.setFocus()
        view.setCurrentIndex(chats.index_of("c6"))
        QTest.keyClick(view, Qt.Key.Key_Left)
        assert view.folder is not None
        QTest.keyClick(view, Qt.Key.Key_F2)
        editor = view.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        QTest.keyClicks(editor, "House")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        await until(lambda: titles(house)[4] == "House")
        QTest.keyClick(view, Qt.Key.Key_Down, ALT)
        assert titles(house)[4:7] == ["Code", "House", "Garden plan for March"]
        view.setCurrentIndex(chats.index_of_folder("garden"))
        await until(lambda: not view.findChild(QLineEdit))
        QTest.keyClick(view, Qt.Key.Key_Delete)
        assert "House" not in titles(house)
        assert titles(house)[-4:-1] == ["Garden plan for March", "Letter to the landlord", AS_FILLED[13]]
        assert house.window.notice.text == "The folder “House” is deleted; its chats stay."
        house.window.notice._action.click()
        assert titles(house)[4:8] == ["Code", "House", "Garden plan for March", "Letter to the landlord"]
        do(open_menu(house, chats.index_of_folder("code")), "New chat here")
        type_and_send(house, "In its place at once")
        await answered(house)
        click(house, chats.index_of_folder("code"))
        assert titles(house)[4:6] == ["Code", "In its place at once"]

    live_in(run, open_house, profile, story)


def test_the_chosen_are_saved_together(
    run: Run, open_house: OpenHouse, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(house: House) -> None:
        for title in ("Letter to the landlord", "Sea shanties"):
            click_title(house, title, CONTROL)
        QTest.keyClick(house.window, Qt.Key.Key_K, CONTROL)
        QTest.keyClicks(palette_of(house)._field, "save chosen")
        assert offered(house)[0] == "Save the chosen chats as JSON…"
        QTest.keyClick(palette_of(house)._field, Qt.Key.Key_Return)
        dialog = next(each for each in house.window.findChildren(QFileDialog) if each.isVisible())
        dialog.fileSelected.emit(str(tmp_path / "two.json"))
        dialog.close()
        await until(lambda: (tmp_path / "two.json").exists())

    live_in(run, open_house, profile, story)
    both = list(read(tmp_path / "two.json"))
    assert [each.chat.title for each in both] == ["Letter to the landlord", "Sea shanties"]
    assert [each.folder.name if each.folder else "" for each in both] == ["Garden and house", ""]


def test_the_palette_offers_what_makes_sense(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        palette_of(house).open()
        assert {"New folder", "Go to the archive", "Choose all chats"} <= set(offered(house))
        assert not {"Delete the chosen chats", "Rename this folder", "Archive this chat, or bring it back"} & set(
            offered(house)
        )
        palette_of(house)._field.setText("go to the archive")
        QTest.keyClick(palette_of(house)._field, Qt.Key.Key_Return)
        assert titles(house)[-2:] == ["Tax return 2024", "Bicycle tour along the Danube"]
        assert house.window.focusWidget() is house.chats
        QTest.keyClick(house.chats, Qt.Key.Key_Down)
        QTest.keyClick(house.chats, Qt.Key.Key_Return)
        await until(lambda: bool(house.rows))
        assert house.rows[0].text == "Tax return 2024"
        house.chats.setFocus()
        house.chats.setCurrentIndex(house.chats.chats.index_of_folder("garden"))
        palette_of(house).open()
        assert {"Rename this folder", "Fold or unfold this folder", "Delete this folder"} <= set(offered(house))
        palette_of(house)._field.setText("move this folder down")
        QTest.keyClick(palette_of(house)._field, Qt.Key.Key_Return)
        assert titles(house)[4:6] == ["Code", "Garden and house"]

    live_in(run, open_house, profile, story)


def test_what_is_open_stays_chosen_while_others_change(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        for title in ("Sea shanties", "Letter to the landlord"):
            click_title(house, title, CONTROL)
        top = house.chats.verticalScrollBar().value()
        house.chats.chats.renamed.emit("c4", "Another name")
        house.window.header.pin_asked.emit("c7", True)
        assert sorted(chosen(house)) == ["Letter to the landlord", "Sea shanties"]
        assert house.chats.verticalScrollBar().value() == top

    live_in(run, open_house, profile, story)


def test_all_of_it_is_said_to_who_cannot_see_it(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        spoken = QAccessible.queryAccessibleInterface(house.chats)
        names = [spoken.child(row).text(QAccessible.Text.Name) for row in range(spoken.childCount())]
        assert "Folder Garden and house, 2 chats, open" in names
        assert "Folder Code, 1 chat, folded" in names
        assert "Archive, 2 chats, folded" in names
        plus = next(each for each in house.chats.findChildren(QToolButton) if each.accessibleName() == "New folder")
        QTest.mouseClick(plus, Qt.MouseButton.LeftButton)
        assert "New folder" in titles(house)
        for button in bar_of(house).findChildren(QToolButton):
            assert button.accessibleName()
            assert button.focusPolicy() & Qt.FocusPolicy.TabFocus

    live_in(run, open_house, profile, story)


def test_the_row_that_was_chosen_stays_in_sight_above_the_line(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story(house: House) -> None:
        house.window.resize(1100, 560)
        view = house.chats
        click_title(house, "Reading group notes")
        await until(lambda: view.height() < 400)
        lowest = view.indexAt(view.viewport().rect().bottomLeft())
        click(house, lowest, CONTROL)
        await until(lambda: bar_of(house).isVisible())
        await until(lambda: view.viewport().rect().contains(view.visualRect(lowest)))
        bar_of(house).resize(160, 38)
        assert bar_of(house)._count.text() == "2"
        assert bar_of(house).accessibleName() == "2 chosen"

    live_in(run, open_house, profile, story)


def test_the_narrow_window_shows_the_list_for_it(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story(house: House) -> None:
        house.window.resize(600, 450)
        await until(lambda: not house.window.sidebar.isVisible())
        QTest.keyClick(house.window, Qt.Key.Key_N, CONTROL | SHIFT)
        assert house.window.sidebar.isVisible()
        editor = house.chats.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        assert house.chats.viewport().rect().contains(editor.geometry())
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        await asyncio.sleep(0)

    live_in(run, open_house, profile, story)


def test_right_to_left_it_is_mirrored(run: Run, open_house: OpenHouse, profile: Profile, qapp: QApplication) -> None:
    async def story(house: House) -> None:
        view = house.chats
        view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        view.setFocus()
        view.setCurrentIndex(view.chats.index_of_folder("garden"))
        QTest.keyClick(view, Qt.Key.Key_Right)
        assert "Garden plan for March" not in titles(house)
        QTest.keyClick(view, Qt.Key.Key_Left)
        assert titles(house) == AS_FILLED
        left = QPoint(20, view.visualRect(view.chats.index_of_folder("garden")).center().y())
        image = view.viewport().grab().toImage()
        ink = {image.pixelColor(left + QPoint(dx, 0)).name() for dx in range(-16, 10)}
        assert len(ink) > 1, "the count stands at the left now"

    live_in(run, open_house, profile, story)
