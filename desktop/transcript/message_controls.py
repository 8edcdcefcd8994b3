"""The buttons that belong to a message: real widgets, so that keys and screen readers reach them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desktop.platform.bidi import mirrored
from desktop.platform.number_format import counted
from desktop.platform.theme import Theme
from desktop.transcript.accessible_proxy import AccessibleProxy
from desktop.transcript.buttons import ActionButton, CopyButton, drop, show_at
from desktop.transcript.code_buttons import CodeButtons
from desktop.transcript.message_callbacks import MessageCallbacks, can_continue
from desktop.transcript.message_item import MessageItem
from desktop.widgets.card_parts import enable

translate = QCoreApplication.translate


def _how_many(n_messages: int) -> str:
    """What Delete would do."""
    return counted("Delete from here on: %Ln messages", "", n_messages)


class MessageControls:
    """The buttons of one message that is laid out. GUI thread only."""

    def __init__(self, item: MessageItem, theme: Theme, parent: QWidget, callbacks: MessageCallbacks) -> None:
        self._item = item
        self._theme = theme
        self._parent = parent
        self._callbacks = callbacks
        self._code = CodeButtons(item, theme, parent, callbacks)
        self._named: dict[str, QPushButton] = {}
        self._count: QLabel | None = None
        self._spoken: AccessibleProxy | None = None

    def arrange(self, corner: QPoint, versions: tuple[int, int]) -> None:
        """Makes what the message needs now, and puts it where the message stands in the viewport.

        `versions`: the message is the first-th of so many."""
        self._code.arrange(corner)
        wanted = self._wanted(versions)
        for name in self._named.keys() - wanted.keys():
            drop(self._named.pop(name))
        for name, make in wanted.items():
            if name not in self._named:
                self._named[name] = make()
        self._arrange_head(corner)
        self._arrange_row(corner + self._item.actions_box.topLeft(), [*wanted], versions)
        if QAccessible.isActive():
            self._speak(corner)

    def restyle(self) -> None:
        """Takes up colours that have changed."""
        for button in self._all():
            if isinstance(button, CopyButton | ActionButton):
                button.restyle()

    def hide(self) -> None:
        """The message is out of sight."""
        for widget in self._all():
            widget.hide()

    def drop(self) -> None:
        """Takes the buttons away with their message."""
        for widget in self._all():
            drop(widget)

    def _speak(self, corner: QPoint) -> None:
        """Messages are read in their order, each before its buttons."""
        self._spoken = self._spoken or AccessibleProxy(self._parent)
        self._spoken.arrange(self._item.message, QRect(corner, QSize(self._item.width, self._item.height)))
        for widget in self._all():
            widget.raise_()

    def _all(self) -> list[QWidget]:
        return [*filter(None, (self._spoken, self._count)), *self._code.all(), *self._named.values()]

    def _wanted(self, versions: tuple[int, int]) -> dict[str, Callable[[], QPushButton]]:
        """The buttons in their order, each with what makes it."""
        item, callbacks = self._item, self._callbacks
        message = item.message
        found: dict[str, Callable[[], QPushButton]] = {}

        def action(
            key: str, icon: str, name: str, act: Callable[[], None], tip: Callable[[], str] | None = None
        ) -> None:
            found[key] = lambda: ActionButton(icon, name, act, self._theme, self._parent, tip)

        def of(wish: Callable[[str], None]) -> Callable[[], None]:
            return lambda: wish(item.message.id)

        if message.reasoning:
            action("fold", "chevron-right", translate("transcript", "Show the thoughts"), of(callbacks.fold))
        if not item.has_actions:
            return found
        question = message.role == "user"
        if item.n_hidden:
            action("more", "chevron-down", translate("transcript", "Show more of this message"), of(callbacks.more))
        if can_continue(message):
            action("go_on", "corner-down-right", translate("transcript", "Go on with this answer"), of(callbacks.go_on))
        if item.blocked_pictures():
            action("pictures", "eye", translate("transcript", "Show the pictures"), item.load_blocked_pictures)
        if message.text:
            name = (
                translate("transcript", "Copy the message") if question else translate("transcript", "Copy the answer")
            )
            found["copy"] = lambda: self._copier(name)
        if not question:
            action("retry", "refresh-cw", translate("transcript", "Answer once more"), of(callbacks.retry))
            action(
                "alternatives",
                "git-branch",
                translate("transcript", "Several answers side by side"),
                of(callbacks.alternatives),
            )
        action("edit", "pencil", translate("transcript", "Edit"), of(callbacks.edit))
        delete = translate("transcript", "Delete from here on")
        action(
            "delete", "trash-2", delete, of(callbacks.delete), lambda: _how_many(callbacks.n_deleted(item.message.id))
        )
        if versions[1] > 1:
            action(
                "before",
                "chevron-left",
                translate("transcript", "The version before"),
                lambda: callbacks.version(item.message.id, -1),
            )
            action(
                "after",
                "chevron-right",
                translate("transcript", "The version after"),
                lambda: callbacks.version(item.message.id, 1),
            )
        return found

    def _arrange_head(self, corner: QPoint) -> None:
        fold = self._named.get("fold")
        if isinstance(fold, ActionButton):
            opened = self._item.reasoning_shown
            name = (
                translate("transcript", "Hide the thoughts") if opened else translate("transcript", "Show the thoughts")
            )
            fold.change("chevron-down" if opened else "chevron-right", name, self._item.reasoning_title)
            show_at(fold, corner - QPoint(6, 4))
            self._mirror(fold, corner.x())

    def _arrange_row(self, at: QPoint, names: list[str], versions: tuple[int, int]) -> None:
        """Answers have theirs at the left below them, questions at the right."""
        row = [self._named[name] for name in names if name != "fold"]
        if "go_on" in self._named:
            go_on = self._named["go_on"]
            go_on.setText(" " + translate("transcript", "Go on"))
        if "after" in names:
            if self._count is None:
                self._count = QLabel(self._parent)
                self._count.setObjectName("versions")
                self._count.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._count.setText(f"{versions[0]} / {versions[1]}")
            enable(self._named["before"], versions[0] > 1)
            enable(self._named["after"], versions[0] < versions[1])
        elif self._count is not None:
            drop(self._count)
            self._count = None
        if "more" in self._named:
            self._named["more"].setText(" " + translate("transcript", "Show more"))
        left, widgets = at.x(), list[QWidget]()
        for button in row:
            if self._count is not None and button is self._named.get("after"):
                widgets.append(self._count)
            widgets.append(button)
        if self._item.message.role == "user":
            at += QPoint(self._item.width - sum(each.sizeHint().width() + 2 for each in widgets) + 4, 0)
        else:
            at -= QPoint(6, 0)
        for widget in widgets:
            show_at(widget, at + QPoint(0, (26 - widget.sizeHint().height()) // 2))
            at += QPoint(widget.width() + 2, 0)
            self._mirror(widget, left)
        self._item.buttons_width = at.x() - left

    def _mirror(self, widget: QWidget, left: int) -> None:
        """To the other side of the message, whose left edge is `left`, where the window is laid out so."""
        widget.move(mirrored(widget.geometry(), QRect(left, 0, self._item.width, 0)).topLeft())

    def _copier(self, name: str) -> CopyButton:
        button = CopyButton(lambda: self._item.message.text, self._theme, self._parent, label="", name=name)
        button.setObjectName("quiet")
        return button
