"""Toasts: short messages above the composer or below a page, with at most two actions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from desktop.platform.theme import Theme
from desktop.widgets.card_parts import set_style_flag

MAX_WIDTH = 560
GAP = 12
MAX_WAITING = 5
"""At most this many messages are kept, including the shown one. Messages with `stays` do not count."""
ALERT_S = 30.0
"""How long an alert without an action is shown. If the window is inactive at the end of this time, the time starts
again."""
READ_S = 3.0
"""An alert without an action counts as read after this time. It is then removed when another chat or page is opened."""


@dataclass(eq=False, slots=True)
class _Message:
    text: str
    alert: bool
    actions: dict[str, Callable[[], None] | None]
    """At most two, by their labels."""
    topic: str
    seconds: float
    """How long the message is shown; 0 means without limit."""
    stays: bool = False
    shown_s: float = 0.0
    ends_s: float = 0.0

    @property
    def is_passing(self) -> bool:
        """Whether this is an alert that is removed after it was read. Such an alert has neither an action nor
        `stays`."""
        return self.alert and not self.actions and self.seconds > 0


class Toast(QFrame):
    """A toast at the lower edge of `area()`, a rectangle of its parent. It shows the newest message. When the newest
    message is removed, the previous message is shown again, unless its time is over. GUI thread only."""

    changed = Signal()
    """Another message is shown, or the toast was hidden."""
    focus_left = Signal()
    """The toast has the focus and is about to be hidden."""

    def __init__(self, theme: Theme, area: Callable[[], QRect], parent: QWidget) -> None:
        super().__init__(parent)
        self._area = area
        self._theme = theme
        self._messages: list[_Message] = []
        self.setObjectName("toast")
        self._icon = QLabel(self)
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._action, self._other_action = self._action_button(0), self._action_button(1)
        self._actions = (self._action, self._other_action)
        self._dismiss = QToolButton(self)
        self._dismiss.setObjectName("quiet")
        self._dismiss.setAccessibleName(self.tr("Dismiss"))
        self._dismiss.clicked.connect(self.dismiss)
        for button in (*self._actions, self._dismiss):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click must not take the focus from the composer
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(8)
        for widget in (self._icon, self._text, *self._actions, self._dismiss):
            row.addWidget(widget, 1 if widget is self._text else 0)
        self._fade = QTimer(self, singleShot=True)
        self._fade.timeout.connect(self._time_over)
        theme.changed.connect(self._restyle)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text() if self.isVisible() else ""

    def show_message(
        self,
        text: str,
        *,
        alert: bool = False,
        action: str = "",
        act: Callable[[], None] | None = None,
        other_action: tuple[str, Callable[[], None]] | None = None,
        for_ms: int = 0,
        topic: str = "",
        stays: bool = False,
    ) -> None:
        """Shows `text`, and replaces an earlier message of the same `topic`. `action` is the label of a button that
        calls `act`; a second button has the label and the function of `other_action`.

        With `for_ms`, the message is removed after that time. With `stays`, it remains until it is dismissed. An alert
        with neither `stays` nor an action is removed after `ALERT_S`. It is removed earlier if it was read and another
        page is opened. Every other message remains until it is dismissed or `MAX_WAITING` newer ones are shown."""
        seconds = for_ms / 1000 or (ALERT_S if alert and not action and not stays else 0.0)
        kept = [each for each in self._messages if each.text != text and not (topic and each.topic == topic)]
        actions = {action: act} if action else {}
        if other_action is not None:
            actions[other_action[0]] = other_action[1]
        messages = [*kept, _Message(text, alert, actions, topic, seconds, stays)]
        surplus = [each for each in messages if not each.stays][:-MAX_WAITING]
        self._messages = [each for each in messages if each not in surplus]
        self._show_newest()
        self._announce(text, alert)

    def clear(self, topic: str) -> None:
        """Removes the messages of a topic, because they no longer apply."""
        self._keep(lambda message: message.topic != topic)

    def move_on(self) -> None:
        """Removes the alerts that were read. Called when another chat or page is opened."""
        before_s = time.monotonic() - READ_S
        self._keep(lambda message: not (message.is_passing and 0 < message.shown_s < before_s))

    def dismiss(self) -> None:
        """Removes the shown message. The previous one is shown again."""
        del self._messages[-1:]
        self._show_newest()

    def place(self) -> None:
        """Places the toast in its area, in front of its siblings. Called after the area has changed."""
        area, margins = self._area(), self._row.contentsMargins()
        beside = [widget for widget in (self._icon, *self._actions, self._dismiss) if not widget.isHidden()]
        others = sum(widget.sizeHint().width() + self._row.spacing() for widget in beside)
        words = self._text.fontMetrics().horizontalAdvance(self._text.text()) + 4
        width = min(area.width() - 32, MAX_WIDTH, words + others + margins.left() + margins.right())
        self.resize(width, max(44, self.heightForWidth(width)))
        top = max(area.top() + GAP, area.top() + area.height() - self.height() - GAP)
        self.move(area.left() + (area.width() - width) // 2, top)
        self.raise_()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._fade.stop()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._start_fading()

    def _announce(self, text: str, alert: bool) -> None:
        """Announces the message to screen readers, since the toast does not get the focus."""
        if QAccessible.isActive():
            event = QAccessibleAnnouncementEvent(self, text)
            politeness = QAccessible.AnnouncementPoliteness
            event.setPoliteness(politeness.Assertive if alert else politeness.Polite)
            QAccessible.updateAccessibility(event)

    def _keep(self, wanted: Callable[[_Message], bool]) -> None:
        kept = [message for message in self._messages if wanted(message)]
        if len(kept) < len(self._messages):
            self._messages = kept
            self._show_newest()

    def _show_newest(self) -> None:
        now = time.monotonic()
        self._messages = [each for each in self._messages if not each.ends_s or each.ends_s > now]
        message = self._messages[-1] if self._messages else None
        if message is not None:
            message.shown_s = message.shown_s or now
            message.ends_s = message.ends_s or (now + message.seconds if message.seconds else 0.0)
            self._text.setText(message.text)
            for button, label in zip(self._actions, [*message.actions, "", ""], strict=False):
                button.setText(label)
                button.setVisible(bool(label))
            self.setAccessibleName(message.text)
            self._restyle()
            self.place()
        focused = self.window().focusWidget()
        if message is None and focused is not None and self.isAncestorOf(focused):
            self.focus_left.emit()
        self.setVisible(message is not None)
        self._start_fading()
        self.changed.emit()

    def _start_fading(self) -> None:
        self._fade.stop()
        if self._messages and self._messages[-1].ends_s:
            self._fade.start(max(0, round((self._messages[-1].ends_s - time.monotonic()) * 1000)))

    def _time_over(self) -> None:
        message = self._messages[-1] if self._messages else None
        if message is None:
            return
        if message.is_passing and not self.isActiveWindow():  # the user may not have seen the message
            message.ends_s = time.monotonic() + message.seconds
            self._start_fading()
        else:
            self.dismiss()

    def _action_button(self, n: int) -> QPushButton:
        button = QPushButton(self)
        button.setObjectName("link")
        button.clicked.connect(lambda: self._acted(n))
        return button

    def _acted(self, n: int) -> None:
        acts = [*self._messages[-1].actions.values()] if self._messages else []
        act = acts[n] if n < len(acts) else None
        self.dismiss()
        if act is not None:
            act()

    def _restyle(self) -> None:
        alert = bool(self._messages) and self._messages[-1].alert
        set_style_flag(self, "alert", alert)
        token = "accent" if alert else "muted"
        name = "triangle-alert" if alert else "info"
        self._icon.setPixmap(self._theme.pixmap(name, token, 16, self.devicePixelRatioF()))
        self._dismiss.setIcon(self._theme.icon("x", "muted"))
