"""The shown branch of the open chat as a Qt list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType

from PySide6.QtCore import QByteArray, QModelIndex, QObject, Qt

from desktop.store.records import ChatMessage
from desktop.widgets.row_list import Index, RowList


class MessageRole(IntEnum):
    MESSAGE = Qt.ItemDataRole.UserRole + 1
    TEXT = Qt.ItemDataRole.UserRole + 2
    STATE = Qt.ItemDataRole.UserRole + 3
    VERSIONS = Qt.ItemDataRole.UserRole + 4
    """(number, count): the message is version `number`, from 1, of `count` versions."""
    ALTERNATIVES = Qt.ItemDataRole.UserRole + 5
    """Answers shown side by side in this row, including its own; empty for an ordinary row."""


class MessageList(RowList[ChatMessage]):
    """Rows are frozen `ChatMessage`s. GUI thread only."""

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
        """See `MessageRole.VERSIONS`; (1, 1) for a message with one version."""
        return self._versions.get(message_id, (1, 1))

    def alternatives(self, message_id: str) -> tuple[ChatMessage, ...]:
        """See `MessageRole.ALTERNATIVES`."""
        return self._alternatives.get(message_id, ())

    @property
    def shows_alternatives(self) -> bool:
        """Whether a row shows answers side by side."""
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
        """Replace all rows."""
        self.beginResetModel()
        self._rows, self._versions, self._alternatives = list(messages), dict(versions), dict(alternatives)
        self.endResetModel()

    def show_alternatives(self, message_id: str, alternatives: tuple[ChatMessage, ...]) -> None:
        """Set the answers shown side by side in the row of this message; none makes it an ordinary row."""
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
        """Replace the message with the same id; ignores messages that are not shown."""
        for row in range(len(self._rows) - 1, -1, -1):  # the answer being written is almost always the last row
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
