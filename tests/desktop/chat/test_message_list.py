"""Tests of the signals of `MessageList`, the Qt model of the shown messages."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.chat.message_list import MessageList, MessageRole
from desktop.store.records import ChatMessage

ONE = ChatMessage("1", "c", None, "user", "Question", "complete", 0.0)
TWO = ChatMessage("2", "c", "1", "assistant", "", "streaming", 0.0)


def test_message_list_signals_carry_exact_rows_and_roles_of_each_change(
    qtbot: QtBot, qtmodeltester: ModelTester
) -> None:
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
