"""The field for the scale of a LoRA adapter."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.platform.number_format import decimal, plain
from desktop.widgets.card_parts import set_style_flag
from engine.library.adapter_file import MAX_SCALE, is_scale

STEP = 0.05


class ScaleField(QLineEdit):
    """A scale from -MAX_SCALE to MAX_SCALE. The arrow keys change it by STEP, and the wheel too while the field has the
    focus. Invalid text is not removed but marked as wrong, so that the user can correct it."""

    scale_entered = Signal(float)
    """The user entered another scale."""
    validity_changed = Signal()

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._scale = 1.0
        self.setObjectName("settingValue")
        self.setAccessibleName(name)
        self.setFixedWidth(64)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.editingFinished.connect(self.commit)
        self.show_scale(1.0)

    @property
    def is_wrong(self) -> bool:
        return bool(self.property("wrong"))

    def show_scale(self, scale: float) -> None:
        """Show a scale with all its digits, and with two decimals at least; unless the user is typing."""
        self._scale = scale
        if not self.isModified():
            self.setText(decimal(scale, 2) if scale == round(scale, 2) else plain(scale))
            self._mark(is_wrong=not is_scale(scale))

    def commit(self) -> None:
        """Take over the typed text if it is a valid scale, otherwise mark it as wrong."""
        if not self.isModified():
            return
        try:
            scale = float(self.text().strip().replace(",", "."))
        except ValueError:
            scale = float("nan")
        if is_scale(scale):
            self.setModified(False)
            self._enter(scale)
        else:
            self._mark(is_wrong=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if steps is None:
            super().keyPressEvent(event)
        else:
            self._step(steps)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            self._step(1 if event.angleDelta().y() > 0 else -1)
        else:  # the sheet scrolls
            event.ignore()

    def _step(self, n: int) -> None:
        self.commit()
        if not self.isModified():
            self._enter(round(min(MAX_SCALE, max(-MAX_SCALE, self._scale + n * STEP)), 2))

    def _enter(self, scale: float) -> None:
        has_changed = scale != self._scale
        self.show_scale(scale)
        if has_changed:
            self.scale_entered.emit(scale)

    def _mark(self, *, is_wrong: bool) -> None:
        if is_wrong != self.is_wrong:
            set_style_flag(self, "wrong", is_wrong)
            self.validity_changed.emit()
