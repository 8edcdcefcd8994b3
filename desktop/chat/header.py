"""Header of the chat page: title and menu of the chat, button with the state of the model, number of programs that use
the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QCoreApplication, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from desktop.platform.bidi import is_mirrored, isolated
from desktop.platform.number_format import whole
from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import set_style_flag
from desktop.widgets.sidebar_button import SidebarButton
from desktop.widgets.status_icons import dot_pixmap, ring_pixmap

if TYPE_CHECKING:
    from desktop.store.records import Chat

translate = QCoreApplication.translate

HEIGHT = 52
MIN_PILL_WIDTH = 240
"""Pixels that the text of the model button may take in any window. In a wide one it may take half of the header."""

ModelState = Literal["ready", "loading", "none"]


class Header(QFrame):
    unarchive_requested = Signal(str)
    """Emitted with the id of the open chat."""
    tools_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.fill_menu: Callable[[QMenu, str], None] = lambda menu, menu_id: None
        """Adds actions to the menu with the given id, "chat" or "model". See `Actions.fill_menu`."""
        self.fill_models: Callable[[QMenu], None] = lambda menu: None
        """Adds the models that can be chosen to the menu of the model button."""
        self._chat: Chat | None = None
        self._model_text = ""
        self._model_state: ModelState = "none"
        self._progress = 0.0
        self._facts: Sequence[str] = ()
        self._speed = 0.0
        self._pill_text = ""
        self.setObjectName("header")
        self.setFixedHeight(HEIGHT)
        self.sidebar_button = SidebarButton(theme, self)
        self._title = QToolButton(self)
        self._title.setObjectName("chatTitle")
        self._title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        after = Qt.LayoutDirection.LeftToRight if is_mirrored() else Qt.LayoutDirection.RightToLeft
        self._title.setLayoutDirection(after)  # the layout direction places the arrow after the text
        self._title.clicked.connect(self._open_chat_menu)
        self._unarchive_button = QToolButton(self)
        self._unarchive_button.setObjectName("quiet")
        self._unarchive_button.setAccessibleName(self.tr("Restore from the archive"))
        self._unarchive_button.setToolTip(self.tr("Restore from the archive"))
        self._unarchive_button.clicked.connect(self._unarchive)
        self._unarchive_button.hide()
        self._pill = self._pill_button()
        self._pill.clicked.connect(self._open_model_menu)
        self._tools = self._pill_button()
        self._tools.setToolTip(self.tr("Show what tools are asking"))
        self._tools.clicked.connect(self.tools_requested)
        self._tools.hide()
        self._lay_out()
        theme.changed.connect(self._restyle)
        self.show_chat(None)
        self.show_model(self.tr("Starting…"), "loading")

    def _pill_button(self) -> QPushButton:
        button = QPushButton(self)
        button.setObjectName("pill")
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(*((20, 0, 12, 0) if is_mirrored() else (12, 0, 20, 0)))
        row.setSpacing(4)
        row.addWidget(self.sidebar_button)
        row.addWidget(self._title)
        row.addWidget(self._unarchive_button)
        row.addStretch(1)
        row.addWidget(self._pill)
        row.addSpacing(6)
        row.addWidget(self._tools)

    def show_chat(self, chat: Chat | None) -> None:
        self._chat = chat
        self._title.setVisible(chat is not None)
        self._unarchive_button.setVisible(chat is not None and chat.archived)
        set_style_flag(self, "lined", chat is not None)
        self._restyle()

    @property
    def is_loading(self) -> bool:
        """Whether a model is being loaded."""
        return self._model_state == "loading"

    def show_model(self, text: str, state: ModelState, progress: float = 0.0, facts: Sequence[str] = ()) -> None:
        """Show the state of the model. `facts` are shown in the menu of the model button. `progress` is the progress of
        loading, from 0 to 1."""
        self._model_text, self._model_state, self._progress, self._facts = text, state, progress, facts
        self._restyle()

    def show_speed(self, tokens_per_s: float) -> None:
        """Show the speed of the last answer in tokens per second; 0 hides it."""
        self._speed = tokens_per_s
        self._restyle()

    def show_tools(self, n_tools: int) -> None:
        """Show how many programs ("tools") are using the model through the API now; 0 hides the number."""
        self._tools.setText(" " + self.tr("%Ln tools", "", n_tools))
        self._tools.setVisible(n_tools > 0)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _open_chat_menu(self) -> None:
        if self._chat is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu, "chat")
        menu.popup(self.below_title)

    @property
    def below_title(self) -> QPoint:
        """Position on the screen where menus of the chat open."""
        return self._title.mapToGlobal(self._title.rect().bottomLeft())

    def _unarchive(self) -> None:
        if self._chat is not None:
            self.unarchive_requested.emit(self._chat.id)

    def _open_model_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for fact in self._facts:
            menu.addAction(button_text(fact)).setEnabled(False)
        if self._facts:
            menu.addSeparator()
        self.fill_models(menu)
        self.fill_menu(menu, "model")
        right = self._pill.mapToGlobal(self._pill.rect().bottomRight())
        menu.popup(QPoint(right.x() - menu.sizeHint().width(), right.y() + 4))

    def _restyle(self) -> None:
        self._title.setIcon(self._theme.icon("chevron-down", "muted"))
        self._unarchive_button.setIcon(self._theme.icon("archive-restore", "muted"))
        self._tools.setIcon(self._theme.icon("plug", "muted", 14))
        self._tools.setIconSize(QSize(14, 14))
        text = self._model_text
        if self._model_state == "ready" and self._speed:
            text = self.tr("{model} · {speed} tok/s").format(model=text, speed=whole(round(self._speed)))
        self._pill_text = text
        self._pill.setAccessibleName(self.tr("Model: {state}").format(state=text))
        self._pill.setIcon(self._state_icon())
        self._pill.setIconSize(QSize(14, 14) if self._model_state == "loading" else QSize(8, 8))
        self._elide()

    def _elide(self) -> None:
        room = max(MIN_PILL_WIDTH, self.width() // 2)
        shown = self._pill.fontMetrics().elidedText(self._pill_text, Qt.TextElideMode.ElideMiddle, room)
        self._pill.setText(" " + button_text(shown))
        title = self._chat.title if self._chat else ""
        free = self.width() - self._pill.sizeHint().width() - 110
        if not self._unarchive_button.isHidden():
            free -= self._unarchive_button.sizeHint().width() + 4
        if not self._tools.isHidden():
            free -= self._tools.sizeHint().width() + 10
        shown = self._title.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, max(60, free))
        self._title.setText(button_text(isolated(shown)))
        self._title.setAccessibleName(self.tr("Chat: {title}").format(title=title))

    def _state_icon(self) -> QIcon:
        scale = self.devicePixelRatioF()
        if self._model_state != "loading":
            return QIcon(dot_pixmap(self._theme, "ok" if self._model_state == "ready" else "muted", scale))
        return QIcon(ring_pixmap(self._theme, self._progress, scale))
