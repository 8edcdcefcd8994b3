"""The composer: text field, attachments, and buttons below them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from desktop.chat.composer.context_meter import ContextMeter
from desktop.chat.composer.message_edit import MessageEdit
from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import set_style_flag
from desktop.widgets.tab_order import set_tab_order

if TYPE_CHECKING:
    from desktop.chat.attachments.attachment_chips import AttachmentChips
    from desktop.chat.attachments.attachment_list import AttachmentItem

WIDTH = 732


class Composer(QFrame):
    """Lets the user write a message. Emits `submitted` on Enter; the text stays in the field until `remove_sent` or
    `clear` is called. If the user presses Enter before `enable_sending` was called, `submitted` is emitted by that
    call. GUI thread only."""

    submitted = Signal()
    stop_requested = Signal()
    edited = Signal()
    """Emitted when the text has changed."""
    attach_requested = Signal()
    files_given = Signal(list)
    """Emitted with the paths of dropped or pasted files. The list is empty if a picture was pasted."""
    removal_requested = Signal(str)
    """Emitted with the id of the attachment to remove."""
    settings_requested = Signal()
    presets_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._answering = self._stopping = False
        self._can_submit = False
        self._early_text: str | None = None
        """Text with which the user pressed Enter before `enable_sending` was called; None if this has not happened."""
        self._blocked = self._checking = ""
        """Reasons why nothing can be sent now. Both are "" if sending is possible."""
        self._prefix = ""
        """Text that `begin_with` inserted last."""
        self._has_attachments = False
        self.setObjectName("composer")
        self.setMaximumWidth(WIDTH)
        self._edit = self._make_edit()
        self._attach = self._quiet_button("paperclip", self.tr("Attach files"), self.attach_requested)
        self._settings = self._quiet_button(
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
        self.setProperty("focused", True)  # a new window gets the focus, so its first paint shows it
        self.show_preset(self.tr("Everyday"), changed=False)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _make_edit(self) -> MessageEdit:
        edit = MessageEdit(self)
        edit.setPlaceholderText(self.tr("Message Inglenook"))
        edit.setAccessibleName(self.tr("Message"))
        edit.setAccessibleDescription(self.tr("Enter sends, Shift Enter begins a new line"))
        edit.submitted.connect(self._submit)
        edit.files_given.connect(self.files_given)
        edit.textChanged.connect(self._edited)
        edit.installEventFilter(self)
        return edit

    @cached_property
    def chips(self) -> AttachmentChips:
        """The row of attached files, which is created when the first file is attached."""
        from desktop.chat.attachments.attachment_chips import AttachmentChips

        chips = AttachmentChips(self._theme, self)
        chips.removal_requested.connect(self.removal_requested)
        self._texts.insertWidget(0, chips)
        return chips

    @property
    def text(self) -> str:
        return self._edit.toPlainText()

    def enable_sending(self) -> None:
        """From now on, emit `submitted` when the user presses Enter. If the user has already pressed Enter, submit now
        the text that was in the field at that moment. Text typed after it stays in the field. Nothing is submitted now
        if the earlier text was edited meanwhile."""
        self._can_submit = True
        early_text, self._early_text = self._early_text, None
        if early_text is not None and self.text.startswith(early_text):
            rest = self.text.removeprefix(early_text)
            if rest:
                self.show_text(early_text)
            self._submit()
            if rest:
                self.show_text(self.text + rest)

    def update_focus_frame(self) -> None:
        """Show whether the text field has the focus. Called once after the start: a window that never became active
        gets no event for it."""
        set_style_flag(self, "focused", self._edit.hasFocus())

    def clear(self) -> None:
        self._edit.clear()

    def remove_sent(self, text: str) -> None:
        """Remove the text of a sent message from the field. Text typed after it stays."""
        rest = self.text.removeprefix(text)
        if rest != self.text:
            self.show_text(rest)

    def show_text(self, text: str) -> None:
        """Replace the text and move the cursor to its end."""
        self._edit.setPlainText(text)
        self._edit.moveCursor(self._edit.textCursor().MoveOperation.End)

    def begin_with(self, text: str) -> None:
        """Insert the beginning of a message, which the user then completes. Text already in the field follows it."""
        typed = "" if self.text == self._prefix else self.text
        self._prefix = text
        self.show_text(text + typed)
        self._edit.setFocus()

    def insert_text(self, text: str) -> None:
        """Insert text at the cursor, and take the focus. Used for keys that were pressed outside the text field."""
        self._edit.insertPlainText(text)
        self._edit.setFocus()

    def set_answering(self, answering: bool, *, stopping: bool = False) -> None:
        """Show whether an answer is being written. If `stopping` is True, the answer was stopped but has not ended
        yet."""
        self._answering, self._stopping = answering, answering and stopping
        self._restyle()

    def set_blocked(self, reason: str) -> None:
        """Disable sending and show this reason; "" enables sending."""
        self._blocked = reason
        self._restyle()

    def set_checking(self, reason: str) -> None:
        """Like `set_blocked`, but for the time in which a message is being checked."""
        self._checking = reason
        self._restyle()

    def show_attachments(self, items: Sequence[AttachmentItem]) -> None:
        if not items and not self._has_attachments:
            return
        had_focus = self.chips.isAncestorOf(self.focusWidget() or self)
        self._has_attachments = bool(items)
        self.chips.show_items(items)
        set_tab_order(self._edit, *self.chips.tab_stops)
        if had_focus and not self._has_attachments:
            self._edit.setFocus()
        self._restyle()

    def show_preset(self, name: str, *, changed: bool) -> None:
        words = self.tr("{preset}, changed").format(preset=name) if changed else name
        self.preset_pill.setText(button_text(words))
        self.preset_pill.setAccessibleName(self.tr("Preset: {preset}").format(preset=words))
        self.preset_pill.setToolTip(self.tr("Choose a preset"))

    def set_context_usage(self, n_tokens: int, n_ctx: int, n_left_out: int = 0, *, is_estimate: bool = False) -> None:
        """Show how much of the context is used. With `n_tokens` 0, the meter is hidden."""
        self._context_meter.show_usage(n_tokens, n_ctx, n_left_out, is_estimate=is_estimate)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._edit and event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            set_style_flag(self, "focused", event.type() == QEvent.Type.FocusIn)
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
        self._texts = texts = QVBoxLayout()
        texts.setContentsMargins(6, 0, 4, 0)
        texts.setSpacing(10)
        texts.addWidget(self._edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 13, 12, 10)
        column.setSpacing(10)
        column.addLayout(texts)
        column.addLayout(row)
        set_tab_order(*self._tab_order())

    def _tab_order(self) -> list[QWidget]:
        return [self._edit, self._attach, self._settings, self.preset_pill, self._send]

    def _quiet_button(self, icon: str, name: str, requested: object) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("quiet")
        button.setProperty("icon_name", icon)
        button.setFixedSize(30, 30)
        button.setIconSize(QSize(16, 16))
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(lambda: requested.emit())  # type: ignore[attr-defined]  # PySide gives bound signals no type
        return button

    def _pressed(self) -> None:
        if self._answering:
            self.stop_requested.emit()
        else:
            self._submit()

    def _submit(self) -> None:
        if not self._can_send():
            return
        if self._can_submit:
            self.submitted.emit()
        else:
            self._early_text = self.text

    def _can_send(self) -> bool:
        return (
            not self._answering
            and not self._blocked
            and not self._checking
            and (bool(self.text.strip()) or self._has_attachments)
        )

    def _edited(self) -> None:
        self._restyle()
        self.edited.emit()

    def _restyle(self) -> None:
        answering = self._answering
        note = self.tr("Stopping…") if self._stopping else self._checking or self._blocked
        self._wait_note.setText(note)
        self._wait_note.setVisible(bool(note))
        name = self.tr("Stop the answer") if answering else self.tr("Send the message")
        tip = self.tr("Stop (Esc)") if answering else self._checking or self._blocked or self.tr("Send (Enter)")
        self._send.setAccessibleName(self.tr("Stopping…") if self._stopping else name)
        self._send.setToolTip(self.tr("Stopping…") if self._stopping else tip)
        self._send.setEnabled((answering and not self._stopping) or self._can_send())
        token = "on_accent" if self._send.isEnabled() else "muted"
        self._send.setIcon(self._theme.icon("stop" if answering else "arrow-up", token))
        self._send.setIconSize(QSize(16, 16))
        for button in (self._attach, self._settings):
            button.setIcon(self._theme.icon(str(button.property("icon_name")), "muted"))
