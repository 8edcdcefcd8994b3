"""The buttons of a message and of its code blocks. They are widgets, so that keyboard and screen readers reach them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desktop.chat.controller import CONTINUABLE
from desktop.platform.bidi import mirrored
from desktop.platform.number_format import counted
from desktop.platform.theme import Theme
from desktop.render.blocks import Block
from desktop.store.records import ChatMessage
from desktop.transcript.accessibility import AccessibleProxy
from desktop.transcript.buttons import ActionButton, CopyButton, discard, show_at
from desktop.transcript.message_item import MessageItem
from desktop.transcript.strings import reasoning_title
from desktop.widgets.card_parts import set_enabled

translate = QCoreApplication.translate

ROW_HEIGHT, SPACING, OVERHANG = 26, 2, 6
"""In pixels: the height of the row of buttons, the space between two buttons, and how far the row extends beyond the
text so that its icons are aligned with it."""


@dataclass(frozen=True, slots=True)
class MessageCallbacks:
    """The functions that the buttons of a message call. Most of them get the message id."""

    retry: Callable[[str], None]
    go_on: Callable[[str], None]
    edit: Callable[[str], None]
    version: Callable[[str, int], None]
    """Shows another version: +1 for the next, -1 for the previous one."""
    alternatives: Callable[[str], None]
    pick: Callable[[str], None]
    stop: Callable[[str], None]
    """Stops one of the answers in a comparison."""
    delete: Callable[[str], None]
    toggle_reasoning: Callable[[str], None]
    show_more: Callable[[str], None]
    save_code: Callable[[Block], None]
    n_deleted: Callable[[str], int]
    """Returns how many messages `delete` would delete."""


@dataclass(frozen=True, slots=True)
class _Button:
    """A button that the message currently needs, and the function that creates it."""

    key: str
    make: Callable[[], QPushButton]


class MessageControls:
    """The buttons of one laid-out message. GUI thread only."""

    def __init__(self, item: MessageItem, theme: Theme, parent: QWidget, callbacks: MessageCallbacks) -> None:
        self._item = item
        self._theme = theme
        self._parent = parent
        self._callbacks = callbacks
        self._code = CodeButtons(item, theme, parent, callbacks)
        self._named: dict[str, QPushButton] = {}
        self._version_label: QLabel | None = None
        self._proxy: AccessibleProxy | None = None

    def arrange(self, corner: QPoint, versions: tuple[int, int]) -> None:
        """Creates the buttons that the message currently needs, and places them.

        `corner` is the message's top left corner in the viewport. `versions` is the number of the shown version, from
        1, and the number of all versions."""
        self._code.arrange(corner)
        wanted = {button.key: button.make for button in self._wanted(versions)}
        for key in self._named.keys() - wanted.keys():
            discard(self._named.pop(key))
        for key, make in wanted.items():
            if key not in self._named:
                self._named[key] = make()
        self._update_versions(versions)
        self._arrange_reasoning(corner)
        self._arrange_row(corner + self._item.actions_box.topLeft(), [*wanted])
        if QAccessible.isActive():
            self._represent(corner)

    def restyle(self) -> None:
        """Applies a change of the theme's colours."""
        for button in self._all():
            if isinstance(button, CopyButton | ActionButton):
                button.restyle()

    def hide(self) -> None:
        for widget in self._all():
            widget.hide()

    def drop(self) -> None:
        """Deletes the buttons."""
        for widget in self._all():
            discard(widget)

    def _represent(self, corner: QPoint) -> None:
        """Represents the message to screen readers, which read messages in order, each before its buttons."""
        self._proxy = self._proxy or AccessibleProxy(self._parent)
        self._proxy.represent(self._item.message, QRect(corner, QSize(self._item.width, self._item.height)))
        for widget in self._all():
            widget.raise_()

    def _all(self) -> list[QWidget]:
        return [*filter(None, (self._proxy, self._version_label)), *self._code.all(), *self._named.values()]

    def _wanted(self, versions: tuple[int, int]) -> Iterator[_Button]:
        """The buttons that the message currently needs, in order."""
        callbacks, message = self._callbacks, self._item.message
        if message.reasoning:
            name = translate("transcript", "Show the thoughts")
            yield self._action("reasoning", "chevron-right", name, callbacks.toggle_reasoning)
        if not self._item.has_actions:
            return
        if message.state != "streaming":
            yield from self._content_buttons()
        if message.role == "assistant":
            yield self._action("retry", "refresh-cw", translate("transcript", "Answer once more"), callbacks.retry)
            name = translate("transcript", "Several answers side by side")
            yield self._action("alternatives", "git-branch", name, callbacks.alternatives)
        if message.state == "streaming":
            return
        yield self._action("edit", "pencil", translate("transcript", "Edit"), callbacks.edit)
        name = translate("transcript", "Delete from here on")
        yield self._action("delete", "trash-2", name, callbacks.delete, self._delete_tip)
        if versions[1] > 1:
            name = translate("transcript", "The version before")
            yield self._action("previous", "chevron-left", name, lambda message_id: callbacks.version(message_id, -1))
            name = translate("transcript", "The version after")
            yield self._action("next", "chevron-right", name, lambda message_id: callbacks.version(message_id, 1))

    def _content_buttons(self) -> Iterator[_Button]:
        """The buttons that show more of the content, continue it or copy it."""
        callbacks, item = self._callbacks, self._item
        if item.n_hidden:
            name = translate("transcript", "Show more of this message")
            label = translate("transcript", "Show more")
            yield self._action("more", "chevron-down", name, callbacks.show_more, label=label)
        if can_continue(item.message):
            name = translate("transcript", "Go on with this answer")
            label = translate("transcript", "Go on")
            yield self._action("continue", "corner-down-right", name, callbacks.go_on, label=label)
        if item.blocked_pictures():
            name = translate("transcript", "Show the pictures")
            yield self._action("pictures", "eye", name, lambda message_id: item.load_blocked_pictures())
        if item.message.text:
            yield _Button("copy", self._make_copy_button)

    def _action(
        self,
        key: str,
        icon: str,
        name: str,
        callback: Callable[[str], None],
        tip: Callable[[], str] | None = None,
        label: str = "",
    ) -> _Button:
        def make() -> ActionButton:
            button = ActionButton(icon, name, lambda: callback(self._item.message.id), self._theme, self._parent, tip)
            button.set_label(label)
            return button

        return _Button(key, make)

    def _make_copy_button(self) -> CopyButton:
        is_user = self._item.message.role == "user"
        name = translate("transcript", "Copy the message") if is_user else translate("transcript", "Copy the answer")
        button = CopyButton(lambda: self._item.message.text, self._theme, self._parent, label="", name=name)
        button.setObjectName("quiet")
        return button

    def _delete_tip(self) -> str:
        return _n_deleted_text(self._callbacks.n_deleted(self._item.message.id))

    def _update_versions(self, versions: tuple[int, int]) -> None:
        """Updates the label between the two version buttons, and disables a button at the first or last version."""
        if "next" not in self._named:
            if self._version_label is not None:
                discard(self._version_label)
            self._version_label = None
            return
        if self._version_label is None:
            self._version_label = QLabel(self._parent)
            self._version_label.setObjectName("versions")
            self._version_label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._version_label.setText(f"{versions[0]} / {versions[1]}")
        set_enabled(self._named["previous"], versions[0] > 1)
        set_enabled(self._named["next"], versions[0] < versions[1])

    def _arrange_reasoning(self, corner: QPoint) -> None:
        """Places the button that shows or hides the reasoning, above the text."""
        button = self._named.get("reasoning")
        if not isinstance(button, ActionButton):
            return
        if self._item.reasoning_shown:
            button.change("chevron-down", translate("transcript", "Hide the thoughts"))
        else:
            button.change("chevron-right", translate("transcript", "Show the thoughts"))
        button.set_label(reasoning_title(self._item.message))
        show_at(button, corner - QPoint(OVERHANG, 4))
        self._mirror(button, corner.x())

    def _arrange_row(self, corner: QPoint, keys: list[str]) -> None:
        """Places the row of buttons below the message: at the left for an answer, at the right for a user message."""
        left, widgets = corner.x(), list[QWidget]()
        for key in keys:
            if key == "next" and self._version_label is not None:
                widgets.append(self._version_label)
            if key != "reasoning":
                widgets.append(self._named[key])
        x = left - OVERHANG
        if self._item.message.role == "user":
            x = left + self._item.width - sum(each.sizeHint().width() + SPACING for each in widgets) + 4
        for widget in widgets:
            show_at(widget, QPoint(x, corner.y() + (ROW_HEIGHT - widget.sizeHint().height()) // 2))
            x += widget.width() + SPACING
            self._mirror(widget, left)
        self._item.buttons_width = x - left

    def _mirror(self, widget: QWidget, left: int) -> None:
        """Moves a widget to the other side of the message in a right-to-left window. `left` is the left edge of the
        message."""
        widget.move(mirrored(widget.geometry(), QRect(left, 0, self._item.width, 0)).topLeft())


class CodeButtons:
    """The buttons in the title bars of a message's code blocks: copy, and save as a file. GUI thread only."""

    def __init__(self, item: MessageItem, theme: Theme, parent: QWidget, callbacks: MessageCallbacks) -> None:
        self._item = item
        self._theme = theme
        self._parent = parent
        self._callbacks = callbacks
        self.rows: list[tuple[CopyButton, ActionButton]] = []

    def arrange(self, corner: QPoint) -> None:
        """Creates the buttons of each code block, and places them. `corner` is the message's top left corner in the
        viewport."""
        heads = self._item.code_heads()
        while len(self.rows) < len(heads):
            self.rows.append(self._make_row(len(self.rows)))
        while len(self.rows) > len(heads):
            for button in self.rows.pop():
                discard(button)
        for row, (head, _) in zip(self.rows, heads, strict=True):
            right = head.right() - 3
            for button in row:
                size = button.sizeHint()
                right -= size.width()
                show_at(button, corner + QPoint(right, head.top() + (head.height() - size.height()) // 2 + 1))

    def all(self) -> list[QPushButton]:
        return [button for row in self.rows for button in row]

    def _make_row(self, number: int) -> tuple[CopyButton, ActionButton]:
        def block() -> Block:
            heads = self._item.code_heads()
            return heads[number][1] if number < len(heads) else Block("code")

        label, name = translate("transcript", "Copy"), translate("transcript", "Copy this code")
        copy = CopyButton(lambda: block().code, self._theme, self._parent, label=label, name=name)
        name = translate("transcript", "Save this code")
        save = ActionButton("download", name, lambda: self._callbacks.save_code(block()), self._theme, self._parent)
        for button in (copy, save):
            button.setObjectName("copyCode")
        return copy, save


def can_continue(message: ChatMessage) -> bool:
    """Whether the message is an incomplete answer with text, which the model can continue."""
    return message.role == "assistant" and message.state in CONTINUABLE and bool(message.text)


def _n_deleted_text(n_messages: int) -> str:
    return counted("Delete from here on: %Ln messages", "", n_messages)
