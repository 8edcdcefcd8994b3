"""Where the person writes, with what goes with a message."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from desktop.chat.attachments.attachment_chips import AttachmentChips
from desktop.chat.attachments.attachment_list import AttachmentItem
from desktop.chat.composer.context_meter import ContextMeter
from desktop.chat.composer.message_edit import MessageEdit
from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme
from desktop.widgets.tab_order import set_tab_order

WIDTH = 732


class Composer(QFrame):
    """`submitted` carries the text, which stays until `take` or `clear`: what was not taken is not lost. What a person
    sends before `enable_sending` is submitted then."""

    submitted = Signal(str)
    stop_requested = Signal()
    edited = Signal()
    """The text is another."""
    attach_requested = Signal()
    files_given = Signal(list)
    removal_requested = Signal(str)
    settings_requested = Signal()
    presets_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._answering = self._stopping = False
        self._is_live = False
        self._early: str | None = None
        """What was to be sent before anything could take it."""
        self._waits = self._checks = ""
        self._begun = ""
        self._has_items = False
        self.setObjectName("composer")
        self.setMaximumWidth(WIDTH)
        self.chips = AttachmentChips(theme, self)
        self.chips.removal_requested.connect(self.removal_requested)
        self._edit = MessageEdit(self)
        self._edit.setPlaceholderText(self.tr("Message Inglenook"))
        self._edit.setAccessibleName(self.tr("Message"))
        self._edit.setAccessibleDescription(self.tr("Enter sends, Shift Enter begins a new line"))
        self._edit.submitted.connect(self._submit)
        self._edit.files_given.connect(self.files_given)
        self._edit.textChanged.connect(self._edited)
        self._edit.installEventFilter(self)
        self._attach = self._quiet("paperclip", self.tr("Attach files"), self.attach_requested)
        self._settings = self._quiet(
            "sliders-horizontal", self.tr("Settings of this chat (Ctrl ,)"), self.settings_requested
        )
        self.preset_pill = QPushButton(self)
        self.preset_pill.setObjectName("preset")
        self.preset_pill.clicked.connect(self.presets_requested)
        self._wait_note = QLabel(self)
        self._wait_note.setObjectName("composerNote")
        self._context_meter = ContextMeter(theme, self)
        self._send = QToolButton(self)
        self._send.setObjectName("send")
        self._send.setFixedSize(30, 30)
        self._send.clicked.connect(self._pressed)
        self._lay_out()
        self.setFocusProxy(self._edit)
        self.show_preset(self.tr("Everyday"), changed=False)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def text(self) -> str:
        return self._edit.toPlainText()

    def enable_sending(self) -> None:
        """From now on what is submitted can be taken. What a person wrote behind the words that they sent before stays
        behind; where they changed those words, nothing is sent."""
        self._is_live = True
        early, self._early = self._early, None
        if early is not None and self.text.startswith(early):
            behind = self.text.removeprefix(early)
            if behind:
                self.show_text(early)
            self._submit()
            if behind:
                self.show_text(self.text + behind)

    def clear(self) -> None:
        self._edit.clear()

    def take(self, text: str) -> None:
        """Takes away what was sent. What was written behind it meanwhile stays."""
        rest = self.text.removeprefix(text)
        if rest != self.text:
            self.show_text(rest)

    def show_text(self, text: str) -> None:
        """Another draft. The cursor stands at its end."""
        self._edit.setPlainText(text)
        self._edit.moveCursor(self._edit.textCursor().MoveOperation.End)

    def begin_with(self, text: str) -> None:
        """Puts a beginning into the field, to be written on. What a person wrote there already goes behind it."""
        written = "" if self.text == self._begun else self.text
        self._begun = text
        self.show_text(text + written)
        self._edit.setFocus()

    def write(self, text: str) -> None:
        """What was typed elsewhere, where the cursor stands; the next letter comes here by itself."""
        self._edit.insertPlainText(text)
        self._edit.setFocus()

    def set_answering(self, answering: bool, *, stopping: bool = False) -> None:
        """`stopping`: the answer was stopped, and has not ended yet."""
        self._answering, self._stopping = answering, answering and stopping
        self._restyle()

    def set_waiting(self, reason: str) -> None:
        """Why nothing can be sent at this moment, "" where it can."""
        self._waits = reason
        self._restyle()

    def set_checking(self, reason: str) -> None:
        """The same, for a message that is being looked at."""
        self._checks = reason
        self._restyle()

    def show_items(self, items: Sequence[AttachmentItem]) -> None:
        """The files that go with the message."""
        had_focus = self.chips.isAncestorOf(self.focusWidget() or self)
        self._has_items = bool(items)
        self.chips.show_items(items)
        set_tab_order(self._edit, *self.chips.stops)
        if had_focus and not self._has_items:
            self._edit.setFocus()
        self._restyle()

    def show_preset(self, name: str, *, changed: bool) -> None:
        words = self.tr("{preset}, changed").format(preset=name) if changed else name
        self.preset_pill.setText(button_text(words))
        self.preset_pill.setAccessibleName(self.tr("Preset: {preset}").format(preset=words))
        self.preset_pill.setToolTip(self.tr("Choose a preset"))

    def set_context_usage(self, n_tokens: int, n_ctx: int, n_left_out: int = 0) -> None:
        """How much of what the model can read this chat takes; nothing is shown while that is unknown."""
        self._context_meter.show_share(n_tokens, n_ctx, n_left_out)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._edit and event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.setProperty("focused", event.type() == QEvent.Type.FocusIn)
            self.style().unpolish(self)
            self.style().polish(self)
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self._attach, self._settings, self.preset_pill):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._wait_note)
        row.addWidget(self._context_meter)
        row.addSpacing(8)
        row.addWidget(self._send)
        texts = QVBoxLayout()
        texts.setContentsMargins(6, 0, 4, 0)
        texts.setSpacing(10)
        texts.addWidget(self.chips)
        texts.addWidget(self._edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 13, 12, 10)
        column.setSpacing(10)
        column.addLayout(texts)
        column.addLayout(row)
        set_tab_order(*self._tab_order())

    def _tab_order(self) -> list[QWidget]:
        return [self._edit, self._attach, self._settings, self.preset_pill, self._send]

    def _quiet(self, icon: str, name: str, asked: object) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("quiet")
        button.setProperty("icon_name", icon)
        button.setFixedSize(30, 30)
        button.setIconSize(QSize(16, 16))
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(lambda: asked.emit())  # type: ignore[attr-defined]  # a bound signal has no type of its own
        return button

    def _pressed(self) -> None:
        if self._answering:
            self.stop_requested.emit()
        else:
            self._submit()

    def _submit(self) -> None:
        if not self._can_send():
            return
        if self._is_live:
            self.submitted.emit(self.text)
        else:
            self._early = self.text

    def _can_send(self) -> bool:
        return (
            not self._answering
            and not self._waits
            and not self._checks
            and (bool(self.text.strip()) or self._has_items)
        )

    def _edited(self) -> None:
        self._restyle()
        self.edited.emit()

    def _restyle(self) -> None:
        stops = self._answering
        waits = self.tr("Stopping…") if self._stopping else self._checks or self._waits
        self._wait_note.setText(waits)
        self._wait_note.setVisible(bool(waits))
        name = self.tr("Stop the answer") if stops else self.tr("Send the message")
        tip = self.tr("Stop (Esc)") if stops else self._checks or self._waits or self.tr("Send (Enter)")
        self._send.setAccessibleName(self.tr("Stopping…") if self._stopping else name)
        self._send.setToolTip(self.tr("Stopping…") if self._stopping else tip)
        self._send.setEnabled((stops and not self._stopping) or self._can_send())
        token = "on_accent" if self._send.isEnabled() else "muted"
        self._send.setIcon(self._theme.icon("stop" if stops else "arrow-up", token))
        self._send.setIconSize(QSize(16, 16))
        for button in (self._attach, self._settings):
            button.setIcon(self._theme.icon(str(button.property("icon_name")), "muted"))
