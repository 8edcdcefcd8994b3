"""The Qt lists: sound by Qt's own tester, and exact in what they say has changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.chat.chat_list import ChatList, ChatRole
from desktop.chat.message_list import MessageList, MessageRole
from desktop.store.records import Chat, ChatMessage

NOW = datetime(2026, 11, 22, 12, 0)
ONE = ChatMessage("1", "c", None, "user", "Question", "complete", 0.0)
TWO = ChatMessage("2", "c", "1", "assistant", "", "streaming", 0.0)


def test_messages(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    messages = MessageList()
    qtmodeltester.check(messages)  # type: ignore[no-untyped-call]
    messages.show([ONE])
    messages.append(TWO)
    changes: list[tuple[int, int, list[int]]] = []
    messages.dataChanged.connect(lambda first, last, roles: changes.append((first.row(), last.row(), roles)))
    messages.replace(TWO)
    messages.replace(replace(ONE, id="elsewhere"))
    assert changes == []
    messages.replace(replace(TWO, text="An"))
    assert changes.pop() == (1, 1, [MessageRole.MESSAGE, MessageRole.TEXT, Qt.ItemDataRole.DisplayRole])
    messages.replace(replace(TWO, text="An", state="complete"))
    assert changes.pop() == (1, 1, [MessageRole.MESSAGE, MessageRole.STATE])
    assert messages.index(1).data(MessageRole.TEXT) == "An"
    assert messages.index(0).data() == "Question"
    assert messages.roleNames()[MessageRole.STATE] == b"state"
    messages.show([])
    assert messages.rowCount() == 0


def test_chats(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    chats = ChatList(lambda section: section.name, lambda: NOW)
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


def test_a_chat_is_marked_and_renamed(qtbot: QtBot) -> None:
    chats = ChatList(lambda section: section.name, lambda: NOW)
    at = NOW.timestamp()
    chats.show([Chat("a", "A", at, at), Chat("b", "B", at, at - 1)])
    changed: list[int] = []
    chats.dataChanged.connect(lambda first, last: changed.append(first.row()))
    chats.mark("a", ["b"])
    assert sorted(changed) == [1, 2]
    assert chats.index_of("a").data(ChatRole.CURRENT)
    assert chats.index_of("b").data(ChatRole.LIVE)
    chats.mark("a", [])
    assert changed[2:] == [2]
    with qtbot.waitSignal(chats.renamed) as renamed:
        assert chats.setData(chats.index_of("b"), " Better ")
    assert renamed.args == ["b", "Better"]
    assert not chats.setData(chats.index_of("b"), "  ")
    assert not chats.index_of("gone").isValid()


def texts(chats: ChatList) -> list[object]:
    return [chats.index(row).data() for row in range(chats.rowCount())]
