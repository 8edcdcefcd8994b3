"""A cache of laid-out messages and their buttons. A message is laid out when it becomes visible, and discarded when it
has been out of sight for long."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from desktop.platform.theme import Theme
from desktop.settings.all_settings import Settings
from desktop.store.records import ChatMessage
from desktop.transcript.comparison import ComparisonControls, ComparisonItem
from desktop.transcript.inline_images import InlineImageCache
from desktop.transcript.message_controls import MessageCallbacks, MessageControls
from desktop.transcript.message_item import MessageItem, ReadOnlyItem
from desktop.transcript.user_message_item import UserMessageItem

MAX_HIDDEN_ITEMS = 48
"""The number of messages that stay laid out although they are not visible."""


class ItemCache:
    """The laid-out messages and their buttons, by message id, the most recently used last. GUI thread only."""

    def __init__(
        self,
        theme: Theme,
        viewport: QWidget,
        images: InlineImageCache,
        callbacks: MessageCallbacks,
        *,
        read_only: bool = False,
    ) -> None:
        """`viewport` is the parent widget of the buttons. With `read_only`, messages have no action buttons."""
        self.items: dict[str, MessageItem] = {}
        self.controls: dict[str, MessageControls] = {}
        self.settings: Callable[[], Settings] = Settings
        """Returns the current settings. Each new item gets this function, and calls it when it is painted."""
        self._theme = theme
        self._viewport = viewport
        self._images = images
        self._callbacks = callbacks
        self._read_only = read_only

    def lay_out(self, message: ChatMessage, alternatives: Sequence[ChatMessage], width: int) -> MessageItem:
        """The layout of a message at a width in pixels, created if necessary. With `alternatives`, it is a comparison
        of these answers."""
        item = self.items.pop(message.id, None)
        if item is None:
            item = self._make(message, alternatives, width)
        elif item.width != width:
            item.set_width(width)
        self.items[message.id] = item
        return item

    def discard(self, message_id: str) -> None:
        """Discards a laid-out message and its buttons. Idempotent."""
        if self.items.pop(message_id, None) is not None:
            self.controls.pop(message_id).drop()

    def clear(self) -> None:
        for controls in self.controls.values():
            controls.drop()
        self.items.clear()
        self.controls.clear()

    def hide_all_but(self, visible: set[str]) -> None:
        """Hides the buttons of all messages that are not in `visible`. If more than `MAX_HIDDEN_ITEMS` messages are
        hidden, discards the least recently used ones."""
        hidden = [message_id for message_id in self.items if message_id not in visible]
        n_discarded = max(0, len(hidden) - MAX_HIDDEN_ITEMS)
        for message_id in hidden[:n_discarded]:
            self.discard(message_id)
        for message_id in hidden[n_discarded:]:
            self.controls[message_id].hide()

    def restyle(self) -> None:
        """Applies a change of the theme's colours or of the text size."""
        for item in self.items.values():
            item.restyle()
        for controls in self.controls.values():
            controls.restyle()

    def _make(self, message: ChatMessage, alternatives: Sequence[ChatMessage], width: int) -> MessageItem:
        item: MessageItem
        if alternatives:
            item = comparison = ComparisonItem(message, alternatives, self._theme, width, self._images)
            controls: MessageControls = ComparisonControls(comparison, self._theme, self._viewport, self._callbacks)
        else:
            item = self._make_single(message, width)
            controls = MessageControls(item, self._theme, self._viewport, self._callbacks)
        item.settings = self.settings
        self.controls[message.id] = controls
        return item

    def _make_single(self, message: ChatMessage, width: int) -> MessageItem:
        if self._read_only:
            return ReadOnlyItem(message, self._theme, width, self._images)
        kind = UserMessageItem if message.role == "user" else MessageItem
        return kind(message, self._theme, width, self._images, in_steps=True)
