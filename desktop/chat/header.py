"""The line above a chat: its title, and the model that answers."""

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
from desktop.widgets.card_parts import mark
from desktop.widgets.sidebar_button import SidebarButton
from desktop.widgets.status_icons import dot_pixmap, ring_pixmap

if TYPE_CHECKING:
    from desktop.store.records import Chat

translate = QCoreApplication.translate

HEIGHT = 52

Light = Literal["ready", "loading", "none"]


class Header(QFrame):
    unarchive_requested = Signal(str)
    """The id of the open chat."""
    tools_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.fill_menu: Callable[[QMenu, str], None] = lambda menu, menu_id: None
        """Adds the actions of the menu "chat" or "model"; see `Actions.fill_menu`."""
        self._chat: Chat | None = None
        self._model_words = ""
        self._light: Light = "none"
        self._progress = 0.0
        self._facts: Sequence[str] = ()
        self._speed = 0.0
        self.setObjectName("header")
        self.setFixedHeight(HEIGHT)
        self.sidebar_button = SidebarButton(theme, self)
        self._title = QToolButton(self)
        self._title.setObjectName("chatTitle")
        self._title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        after = Qt.LayoutDirection.LeftToRight if is_mirrored() else Qt.LayoutDirection.RightToLeft
        self._title.setLayoutDirection(after)  # the arrow stands after the words
        self._title.clicked.connect(self._open_chat_menu)
        self._back = QToolButton(self)
        self._back.setObjectName("quiet")
        self._back.setAccessibleName(self.tr("Bring back from the archive"))
        self._back.setToolTip(self.tr("Bring back from the archive"))
        self._back.clicked.connect(self._bring_back)
        self._back.hide()
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
        row.addWidget(self._back)
        row.addStretch(1)
        row.addWidget(self._pill)
        row.addSpacing(6)
        row.addWidget(self._tools)

    def show_chat(self, chat: Chat | None) -> None:
        self._chat = chat
        self._title.setVisible(chat is not None)
        self._back.setVisible(chat is not None and chat.archived)
        mark(self, "lined", chat is not None)
        self._restyle()

    @property
    def is_loading(self) -> bool:
        """Whether a model is being loaded."""
        return self._light == "loading"

    def show_model(self, words: str, light: Light, progress: float = 0.0, facts: Sequence[str] = ()) -> None:
        """Where the model stands, in a few words; `facts` are read in its menu."""
        self._model_words, self._light, self._progress, self._facts = words, light, progress, facts
        self._restyle()

    def show_speed(self, tokens_per_s: float) -> None:
        """The speed of the last answer; forgotten with the model."""
        self._speed = tokens_per_s
        self._restyle()

    def show_tools(self, n_tools: int) -> None:
        """How many tools are asking the model now; nothing is shown where none is."""
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
        """Where the menu of the chat opens, on the screen."""
        return self._title.mapToGlobal(self._title.rect().bottomLeft())

    def _bring_back(self) -> None:
        if self._chat is not None:
            self.unarchive_requested.emit(self._chat.id)

    def _open_model_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for fact in self._facts:
            menu.addAction(button_text(fact)).setEnabled(False)
        if self._facts:
            menu.addSeparator()
        self.fill_menu(menu, "model")
        right = self._pill.mapToGlobal(self._pill.rect().bottomRight())
        menu.popup(QPoint(right.x() - menu.sizeHint().width(), right.y() + 4))

    def _restyle(self) -> None:
        self._title.setIcon(self._theme.icon("chevron-down", "muted"))
        self._back.setIcon(self._theme.icon("archive-restore", "muted"))
        self._tools.setIcon(self._theme.icon("plug", "muted", 14))
        self._tools.setIconSize(QSize(14, 14))
        words = self._model_words
        if self._light == "ready" and self._speed:
            words = self.tr("{model} · {speed} tok/s").format(model=words, speed=whole(round(self._speed)))
        self._pill.setText(" " + button_text(words))
        self._pill.setAccessibleName(self.tr("Model: {state}").format(state=words))
        self._pill.setIcon(self._light_icon())
        self._pill.setIconSize(QSize(14, 14) if self._light == "loading" else QSize(8, 8))
        self._elide()

    def _elide(self) -> None:
        title = self._chat.title if self._chat else ""
        room = self.width() - self._pill.sizeHint().width() - 110
        if not self._back.isHidden():
            room -= self._back.sizeHint().width() + 4
        if not self._tools.isHidden():
            room -= self._tools.sizeHint().width() + 10
        shown = self._title.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, max(60, room))
        self._title.setText(button_text(isolated(shown)))
        self._title.setAccessibleName(self.tr("Chat: {title}").format(title=title))

    def _light_icon(self) -> QIcon:
        scale = self.devicePixelRatioF()
        if self._light != "loading":
            return QIcon(dot_pixmap(self._theme, "ok" if self._light == "ready" else "muted", scale))
        return QIcon(ring_pixmap(self._theme, self._progress, scale))
