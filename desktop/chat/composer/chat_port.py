"""What composing needs of the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import SignalInstance

from desktop.chat.message_list import MessageList
from desktop.store.records import Attachment, Chat, ChatMessage, ChatSettings


class ChatPort(Protocol):
    """See `desktop.chat.controller.ChatController`."""

    messages: MessageList

    @property
    def opened(self) -> SignalInstance: ...

    @property
    def answering_changed(self) -> SignalInstance: ...

    @property
    def usage_changed(self) -> SignalInstance: ...

    @property
    def current(self) -> Chat | None: ...

    @property
    def answering(self) -> bool: ...

    @property
    def settings(self) -> ChatSettings:
        """Of the open chat, or of the one that begins."""
        ...

    def change_settings(self, settings: ChatSettings) -> None: ...

    def summarise(self, chat_id: str, summary: str, last_row_id: str) -> ChatSettings | None: ...

    def send_in_new_chat(
        self, text: str, attachments: Sequence[Attachment] = (), settings: ChatSettings = ...
    ) -> ChatMessage | None: ...

    async def send_to_chat(self, chat_id: str, text: str, attachments: Sequence[Attachment] = ()) -> bool: ...

    def open_chat(self, chat_id: str) -> None: ...

    def chat(self, chat_id: str) -> Chat | None: ...

    def send(self, text: str, attachments: Sequence[Attachment] = ()) -> bool: ...

    def new_chat(self) -> None: ...
