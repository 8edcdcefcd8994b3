"""Qt list model of the messages on the shown branch of the open chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType

from PySide6.QtCore import QByteArray, QModelIndex, QObject, Qt

from desktop.store.records import ChatMessage, State
from desktop.widgets.row_list import Index, RowList


class MessageRole(IntEnum):
    MESSAGE = Qt.ItemDataRole.UserRole + 1
    TEXT = Qt.ItemDataRole.UserRole + 2
    STATE = Qt.ItemDataRole.UserRole + 3
    VERSIONS = Qt.ItemDataRole.UserRole + 4
    """Role of a pair (number, count): the row shows version `number`, counted from 1, of `count` versions."""
    ALTERNATIVES = Qt.ItemDataRole.UserRole + 5
    """Answers that are shown side by side in this row, including the row's own message; empty for an ordinary row."""


class MessageList(RowList[ChatMessage]):
    """Qt list model whose rows are immutable `ChatMessage`s. GUI thread only."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._versions: dict[str, tuple[int, int]] = {}
        self._alternatives: dict[str, tuple[ChatMessage, ...]] = {}

    @property
    def rows(self) -> tuple[ChatMessage, ...]:
        return tuple(self._rows)

    @property
    def last(self) -> ChatMessage | None:
        return self._rows[-1] if self._rows else None

    def versions(self, message_id: str) -> tuple[int, int]:
        """Value of `MessageRole.VERSIONS` for this message; (1, 1) if it has only one version."""
        return self._versions.get(message_id, (1, 1))

    def alternatives(self, message_id: str) -> tuple[ChatMessage, ...]:
        """Value of `MessageRole.ALTERNATIVES` for this message."""
        return self._alternatives.get(message_id, ())

    def is_any_in_state(self, state: State) -> bool:
        """Whether a message, or an answer that is shown side by side with one, is in this state."""
        if any(message.state == state for message in reversed(self._rows)):
            return True
        return any(each.state == state for group in self._alternatives.values() for each in group)

    @property
    def shows_alternatives(self) -> bool:
        """Whether any row shows answers side by side."""
        return any(self._alternatives.values())

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        message = self.at(index)
        if message is None:
            return None
        if role == MessageRole.MESSAGE:
            return message
        if role in (MessageRole.TEXT, Qt.ItemDataRole.DisplayRole):
            return message.text
        if role == MessageRole.VERSIONS:
            return self.versions(message.id)
        if role == MessageRole.ALTERNATIVES:
            return self.alternatives(message.id)
        return message.state if role == MessageRole.STATE else None

    def roleNames(self) -> dict[int, QByteArray]:
        return {role.value: QByteArray(role.name.lower().encode()) for role in MessageRole}

    def show(
        self,
        messages: Sequence[ChatMessage],
        versions: Mapping[str, tuple[int, int]] = MappingProxyType({}),
        alternatives: Mapping[str, tuple[ChatMessage, ...]] = MappingProxyType({}),
    ) -> None:
        """Replace all rows of the list."""
        self.beginResetModel()
        self._rows, self._versions, self._alternatives = list(messages), dict(versions), dict(alternatives)
        self.endResetModel()

    def show_alternatives(self, message_id: str, alternatives: tuple[ChatMessage, ...]) -> None:
        """Set the answers that are shown side by side in the row of this message. An empty tuple makes it an ordinary
        row."""
        self._alternatives[message_id] = alternatives
        for row in range(len(self._rows) - 1, -1, -1):
            if self._rows[row].id == message_id:
                self.dataChanged.emit(self.index(row), self.index(row), [MessageRole.ALTERNATIVES])
                return

    def append(self, *messages: ChatMessage) -> None:
        first = len(self._rows)
        self.beginInsertRows(QModelIndex(), first, first + len(messages) - 1)
        self._rows += messages
        self.endInsertRows()

    def replace(self, message: ChatMessage) -> None:
        """Replace the message with the same id. Messages that are not shown are ignored."""
        # Search from the end, because the answer that is being written is almost always the last row.
        for row in range(len(self._rows) - 1, -1, -1):
            if self._rows[row].id == message.id:
                break
        else:
            return
        before, self._rows[row] = self._rows[row], message
        if before == message:
            return
        roles: list[int] = [MessageRole.MESSAGE]
        if before.text != message.text:
            roles += [MessageRole.TEXT, Qt.ItemDataRole.DisplayRole]
        if before.state != message.state:
            roles.append(MessageRole.STATE)
        index = self.index(row)
        self.dataChanged.emit(index, index, roles)
