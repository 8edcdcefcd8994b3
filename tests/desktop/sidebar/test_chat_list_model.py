"""Tests of the chat list model: rows, marked chats, and the signals for changed rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.sidebar.chat_list_model import ChatListModel, ChatListRole
from desktop.sidebar.chat_sections import Section
from desktop.store.records import Chat, Folder

NOW = datetime(2026, 11, 22, 12, 0)


def test_chat_list_is_grouped_and_updated_without_model_reset(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    chats = ChatListModel(lambda section: section.name, lambda: NOW)
    qtmodeltester.check(chats)  # type: ignore[no-untyped-call]
    at = NOW.timestamp()
    a, b, c = (Chat(name, name.upper(), at, at - number) for number, name in enumerate("abc"))
    chats.show([a, b, c])
    assert texts(chats) == ["TODAY", "A", "B", "C"]
    resets: list[object] = []
    chats.modelReset.connect(lambda: resets.append(1))
    chats.show([a, b, replace(c, updated_s=at + 1), Chat("d", "D", at, at, pinned=True)])
    assert texts(chats) == ["PINNED", "D", "TODAY", "C", "A", "B"]
    chats.show([a])
    assert texts(chats) == ["TODAY", "A"]
    assert resets == []
    assert not chats.flags(chats.index(0)) & Qt.ItemFlag.ItemIsSelectable


def test_open_and_answering_chats_are_marked_and_editing_a_title_emits_renamed(qtbot: QtBot) -> None:
    chats = ChatListModel(lambda section: section.name, lambda: NOW)
    at = NOW.timestamp()
    chats.show([Chat("a", "A", at, at), Chat("b", "B", at, at - 1)])
    changed: list[int] = []
    chats.dataChanged.connect(lambda first, last: changed.append(first.row()))
    chats.mark("a", ["b"])
    assert sorted(changed) == [1, 2]
    assert chats.index_of("a").data(ChatListRole.CURRENT)
    assert chats.index_of("b").data(ChatListRole.LIVE)
    chats.mark("a", [])
    assert changed[2:] == [2]
    with qtbot.waitSignal(chats.renamed) as renamed:
        assert chats.setData(chats.index_of("b"), " Better ")
    assert renamed.args == ["b", "Better"]
    assert not chats.setData(chats.index_of("b"), "  ")
    assert not chats.index_of("gone").isValid()


FOLDERS = [Folder("w", "Work", 1.0), Folder("h", "Home", 2.0, folded=True)]


def sample_chats() -> list[Chat]:
    at = NOW.timestamp()
    return [
        Chat("a", "A", at, at),
        Chat("b", "B", at, at - 1, folder_id="w"),
        Chat("c", "C", at, at - 2, folder_id="h"),
        Chat("d", "D", at, at - 3, archived=True, folder_id="w", pinned=True),
        Chat("e", "E", at, at - 4, pinned=True, folder_id="w"),
        Chat("f", "F", at, at - 5, folder_id="gone"),
    ]


def test_each_chat_is_listed_in_exactly_one_section_or_folder(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    chats = ChatListModel(lambda section: section.name, lambda: NOW)
    qtmodeltester.check(chats)  # type: ignore[no-untyped-call]
    chats.show(sample_chats(), FOLDERS)
    assert texts(chats) == ["PINNED", "E", "FOLDERS", "Work", "B", "Home", "TODAY", "A", "F", "ARCHIVE"]
    nested = [chats.index_of(chat_id).data(ChatListRole.NESTED) for chat_id in "abef"]
    assert nested == [False, True, False, False]
    chats.mark("c", ["c"])
    home, changed = chats.index_of_folder("h"), []
    assert (home.data(ChatListRole.CURRENT), home.data(ChatListRole.LIVE)) == (True, True), (
        "the folded folder is marked for its chat"
    )
    chats.dataChanged.connect(lambda first, last: changed.append(first.row()))
    chats.mark("a", [])
    assert sorted(changed) == [5, 7]
    assert (home.data(ChatListRole.CURRENT), home.data(ChatListRole.LIVE)) == (False, False)
    unfolded = [replace(folder, folded=False) for folder in FOLDERS]
    chats.show(sample_chats(), unfolded, False)
    assert texts(chats)[3:8] == ["Work", "B", "Home", "C", "TODAY"]
    assert texts(chats)[-2:] == ["ARCHIVE", "D"]
    assert chats.index_of("d").data(ChatListRole.NESTED)
    chats.show(sample_chats(), [unfolded[1]], False)
    assert texts(chats) == ["PINNED", "E", "FOLDERS", "Home", "C", "TODAY", "A", "B", "F", "ARCHIVE", "D"]
    archive = chats.index_of_section(Section.ARCHIVE)
    assert archive.data(Qt.ItemDataRole.AccessibleTextRole) == "/archive"
    assert chats.flags(archive) & Qt.ItemFlag.ItemIsEnabled
    chats.show([], [])
    assert texts(chats) == []


def test_editing_a_folder_name_emits_folder_renamed(qtbot: QtBot) -> None:
    chats = ChatListModel(lambda section: section.name, lambda: NOW)
    chats.show(sample_chats(), FOLDERS)
    with qtbot.waitSignal(chats.folder_renamed) as renamed:
        assert chats.setData(chats.index_of_folder("w"), " At  work ")
    assert renamed.args == ["w", "At work"]
    assert not chats.setData(chats.index_of_folder("w"), "Work")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.sampled_from("wh-")), max_size=9), max_size=5))
def test_chat_list_model_signals_describe_every_row_change(
    qapp: QApplication, orders: list[list[tuple[int, bool, str]]]
) -> None:
    """A copy of the rows that is updated only from the signals must stay equal to the model."""
    chats = ChatListModel(lambda section: section.name, lambda: NOW)
    tester = QAbstractItemModelTester(chats, QAbstractItemModelTester.FailureReportingMode.Fatal)
    copy: list[object] = []
    chats.rowsRemoved.connect(lambda _, first, last: copy.__delitem__(slice(first, last + 1)))
    chats.rowsInserted.connect(
        lambda _, first, last: copy.__setitem__(
            slice(first, first), [chats.index(row).data() for row in range(first, last + 1)]
        )
    )
    for order in orders:
        at = NOW.timestamp()
        many = [
            Chat(str(number), f"chat {number}", at, at - place, pinned, folder_id=folder)
            for place, (number, pinned, folder) in enumerate(order)
        ]
        chats.show({chat.id: chat for chat in many}.values(), FOLDERS, len(order) % 2 == 0)
        assert copy == texts(chats)
    tester.deleteLater()


def texts(chats: ChatListModel) -> list[object]:
    return [chats.index(row).data() for row in range(chats.rowCount())]
