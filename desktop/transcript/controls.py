"""The buttons that belong to a message: real widgets, so that keys and screen readers reach them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desktop.theme import Theme
from desktop.transcript.item import MessageItem
from desktop.transcript.wishes import Wishes, can_go_on

translate = QCoreApplication.translate

CONFIRM_MS = 1_500


class CopyButton(QPushButton):
    """Puts a text on the clipboard and says so for a moment."""

    def __init__(self, text: Callable[[], str], theme: Theme, parent: QWidget, *, label: str, name: str) -> None:
        super().__init__(parent)
        self._text = text
        self._theme = theme
        self._label = label
        self.setAccessibleName(name)
        self.setToolTip(name)
        self._confirmed = QTimer(self, singleShot=True, interval=CONFIRM_MS)
        self._confirmed.timeout.connect(self.restyle)
        self.clicked.connect(self._copy)
        self.restyle()

    def restyle(self) -> None:
        done = self._confirmed.isActive()
        self.setIcon(self._theme.icon("check" if done else "copy", "ok" if done else "muted"))
        words = translate("transcript", "Copied") if done else self._label
        self.setText(f" {words}" if self._label else "")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text())
        self._confirmed.start()
        self.restyle()


class ActionButton(QPushButton):
    """A quiet icon, with words beside it where `label` is given."""

    def __init__(self, icon: str, name: str, act: Callable[[], None], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = icon
        self.setObjectName("quiet")
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.clicked.connect(act)
        self.restyle()

    def change(self, icon: str, name: str, label: str = "") -> None:
        self._icon = icon
        self.setAccessibleName(name)
        self.setText(f" {label}" if label else "")
        self.restyle()

    def restyle(self) -> None:
        self.setIcon(self._theme.icon(self._icon, "muted"))


class MessageControls:
    """The buttons of one message that is laid out. GUI thread only."""

    def __init__(self, item: MessageItem, theme: Theme, parent: QWidget, wishes: Wishes) -> None:
        self._item = item
        self._theme = theme
        self._parent = parent
        self._wishes = wishes
        self._copy_code: list[CopyButton] = []
        self._named: dict[str, QPushButton] = {}
        self._count: QLabel | None = None

    def arrange(self, corner: QPoint, versions: tuple[int, int]) -> None:
        """Makes what the message needs now, and puts it where the message stands in the viewport.

        `versions`: the message is the first-th of so many."""
        self._arrange_code(corner)
        wanted = self._wanted(versions)
        for name in self._named.keys() - wanted.keys():
            _drop(self._named.pop(name))
        for name, make in wanted.items():
            if name not in self._named:
                self._named[name] = make()
        self._arrange_head(corner)
        self._arrange_row(corner + self._item.actions_box.topLeft(), [*wanted], versions)

    def restyle(self) -> None:
        """Takes up colours that have changed."""
        for button in [*self._copy_code, *self._named.values()]:
            if isinstance(button, CopyButton | ActionButton):
                button.restyle()

    def hide(self) -> None:
        """The message is out of sight."""
        for widget in self._all():
            widget.hide()

    def drop(self) -> None:
        """Takes the buttons away with their message."""
        for widget in self._all():
            _drop(widget)

    def _all(self) -> list[QWidget]:
        return [*self._copy_code, *self._named.values(), *([self._count] if self._count else [])]

    def _wanted(self, versions: tuple[int, int]) -> dict[str, Callable[[], QPushButton]]:
        """The buttons in their order, each with what makes it."""
        item, wishes = self._item, self._wishes
        message = item.message
        found: dict[str, Callable[[], QPushButton]] = {}

        def action(key: str, icon: str, name: str, act: Callable[[], None]) -> None:
            found[key] = lambda: ActionButton(icon, name, act, self._theme, self._parent)

        def of(wish: Callable[[str], None]) -> Callable[[], None]:
            return lambda: wish(item.message.id)

        if message.reasoning:
            action("fold", "chevron-right", translate("transcript", "Show the thoughts"), of(wishes.fold))
        if not item.has_actions:
            return found
        question = message.role == "user"
        if can_go_on(message):
            action("go_on", "corner-down-right", translate("transcript", "Go on with this answer"), of(wishes.go_on))
        if message.text:
            name = (
                translate("transcript", "Copy the message") if question else translate("transcript", "Copy the answer")
            )
            found["copy"] = lambda: self._copier(name)
        if not question:
            action("retry", "refresh-cw", translate("transcript", "Answer once more"), of(wishes.retry))
            action(
                "alternatives",
                "git-branch",
                translate("transcript", "Several answers side by side"),
                of(wishes.alternatives),
            )
        action("edit", "pencil", translate("transcript", "Edit"), of(wishes.edit))
        action("delete", "trash-2", translate("transcript", "Delete from here on"), of(wishes.delete))
        if versions[1] > 1:
            action(
                "before",
                "chevron-left",
                translate("transcript", "The version before"),
                lambda: wishes.version(item.message.id, -1),
            )
            action(
                "after",
                "chevron-right",
                translate("transcript", "The version after"),
                lambda: wishes.version(item.message.id, 1),
            )
        return found

    def _arrange_code(self, corner: QPoint) -> None:
        heads = self._item.code_heads()
        while len(self._copy_code) < len(heads):
            self._copy_code.append(self._code_button(len(self._copy_code)))
        while len(self._copy_code) > len(heads):
            _drop(self._copy_code.pop())
        for button, (head, _) in zip(self._copy_code, heads, strict=True):
            size = button.sizeHint()
            at = QPoint(head.right() - size.width() - 3, head.top() + (head.height() - size.height()) // 2 + 1)
            _show_at(button, corner + at)

    def _arrange_head(self, corner: QPoint) -> None:
        fold = self._named.get("fold")
        if isinstance(fold, ActionButton):
            opened = self._item.thoughts_shown
            name = (
                translate("transcript", "Hide the thoughts") if opened else translate("transcript", "Show the thoughts")
            )
            fold.change("chevron-down" if opened else "chevron-right", name, self._item.thoughts_title)
            _show_at(fold, corner - QPoint(6, 4))

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
            self._named["before"].setEnabled(versions[0] > 1)
            self._named["after"].setEnabled(versions[0] < versions[1])
        elif self._count is not None:
            _drop(self._count)
            self._count = None
        widgets: list[QWidget] = []
        for button in row:
            if self._count is not None and button is self._named.get("after"):
                widgets.append(self._count)
            widgets.append(button)
        if self._item.message.role == "user":
            at += QPoint(self._item.width - sum(each.sizeHint().width() + 2 for each in widgets) + 4, 0)
        else:
            at -= QPoint(6, 0)
        for widget in widgets:
            _show_at(widget, at + QPoint(0, (26 - widget.sizeHint().height()) // 2))
            at += QPoint(widget.width() + 2, 0)

    def _copier(self, name: str) -> CopyButton:
        button = CopyButton(lambda: self._item.message.text, self._theme, self._parent, label="", name=name)
        button.setObjectName("quiet")
        return button

    def _code_button(self, number: int) -> CopyButton:
        def code() -> str:
            heads = self._item.code_heads()
            return heads[number][1] if number < len(heads) else ""

        button = CopyButton(
            code,
            self._theme,
            self._parent,
            label=translate("transcript", "Copy"),
            name=translate("transcript", "Copy this code"),
        )
        button.setObjectName("copyCode")
        return button


def _show_at(widget: QWidget, corner: QPoint) -> None:
    widget.resize(widget.sizeHint())
    widget.move(corner)
    widget.show()


def _drop(widget: QWidget) -> None:
    viewport = widget.parentWidget()
    if widget.hasFocus() and viewport is not None and (page := viewport.parentWidget()) is not None:
        page.setFocus()  # else Qt would give it to whatever comes next in the window
    widget.hide()
    widget.deleteLater()
