"""The chat list of the sidebar."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QMenu, QToolButton, QWidget

from desktop.platform.number_format import whole
from desktop.platform.theme import Theme, scaled
from desktop.sidebar.chat_drag import drag_of, dragged_ids, request_drop
from desktop.sidebar.chat_list_model import ChatListModel, ChatListRole
from desktop.sidebar.chat_requests import ChatRequests, ids_of
from desktop.sidebar.chat_row_delegate import ARCHIVE, FIRST_HEADING, HEADING, ROW, ChatRowDelegate, content_of
from desktop.sidebar.chat_sections import ArchiveRow, FolderRow, Section
from desktop.sidebar.fixed_height_list_view import FixedHeightListView
from desktop.sidebar.folder_menu import add_folders
from desktop.store.records import Chat, Folder
from desktop.widgets.row_list import Index

_RANGE_KEYS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class ChatListView(FixedHeightListView):
    """Shows a `ChatListModel`. What the user requests is emitted as signals of `requests`.

    A click or Enter opens a chat, or folds (collapses) or unfolds a folder. A double click or F2 renames, Delete
    deletes. Ctrl and Shift select several chats. The first click with Ctrl selects only the clicked chat and deselects
    the open one."""

    multi_selection_changed = Signal(int)
    """Carries the number of selected chats. It is 0 unless several chats are selected or the user is selecting chats
    one by one with Ctrl."""
    typed = Signal(str)
    """A character that the user typed in the list."""

    _new_folder: QToolButton | None = None  # Qt calls `updateGeometries` before this button exists

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(scaled(ROW), parent)
        self.requests = ChatRequests(self)
        self.fill_menu: Callable[[QMenu, str], None] = lambda menu, menu_id: None
        """Adds the actions of the menu "chats", "folder" or "new_folder" to a menu; see `Actions.fill_menu`."""
        self.theme = theme
        self._rows = ChatRowDelegate(theme, self)
        self._is_plain_click = True
        self._is_ctrl_selection = False
        """Whether the user is selecting chats one by one with Ctrl."""
        self.setAccessibleName(self.tr("Chats"))
        self.setItemDelegate(self._rows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self._new_folder = self._new_folder_button()
        self.clicked.connect(self._click)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def chats(self) -> ChatListModel:
        model = self.model()
        assert isinstance(model, ChatListModel)
        return model

    @property
    def folder(self) -> Folder | None:
        """The folder in the current row, None if the row is not a folder."""
        row = self.currentIndex().data(ChatListRole.FOLDER)
        return row.folder if isinstance(row, FolderRow) else None

    def selected_chats(self) -> list[Chat]:
        """Returns the selected chats in display order."""
        selection = self.selectionModel().selection()
        ranges = sorted((selection.at(n).top(), selection.at(n).bottom()) for n in range(selection.count()))
        return [chat for first, last in ranges for chat in self.chats.chats_in_rows(first, last)]

    def mark_current(self, marked: bool) -> None:
        """Sets whether the open chat is highlighted. It is not highlighted while another page is shown."""
        self._rows.marks_current = marked
        self.viewport().update()

    def rename(self, chat_id: str) -> None:
        """Opens the editor for the title of a chat."""
        self._edit(self.chats.index_of(chat_id))

    def rename_folder(self, folder_id: str) -> None:
        self._edit(self.chats.index_of_folder(folder_id))

    def go_to(self, index: QModelIndex) -> None:
        """Makes a row the current one and selects only this row. Unlike `setCurrentIndex`, ignores pressed modifier
        keys."""
        self._is_ctrl_selection = False
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def leave_multi_selection(self) -> None:
        self.go_to(self.currentIndex())
        self._update_selection()

    def show_open(self, chat: Chat | None) -> None:
        """Selects the opened chat and scrolls to it. If a folded folder or the archive hides the chat, scrolls to the
        row of the folder or archive instead.

        With `chat` None, only clears the selection. A selection of several chats is never changed."""
        if chat is None:
            if not self._rows.several:
                self.clearSelection()
            return
        index = self.chats.index_of(chat.id)
        if index.isValid() and not self._rows.several:
            self.go_to(index)
        elif not index.isValid():
            archive = self.chats.index_of_section(Section.ARCHIVE)
            index = archive if chat.archived else self.chats.index_of_folder(chat.folder_id)
        self.scrollTo(index)

    def open_folder_menu(self, chats: Iterable[Chat], at: QPoint | None = None) -> None:
        """Opens the menu of folders to which the chats can be moved, at a point of the screen or below the current
        row."""
        menu = self._new_menu()
        add_folders(menu, list(chats), self.chats.folders, self.requests, self.theme)
        if at is None:
            rect = self.visualRect(self.currentIndex()).intersected(self.viewport().rect())
            at = self.viewport().mapToGlobal(rect.bottomLeft() if rect.isValid() else self.rect().topLeft())
        menu.popup(at)
        menu.setActiveAction(next(action for action in menu.actions() if action.isEnabled()))

    def special_heights(self) -> Iterable[tuple[int, int]]:
        if self.model() is None:
            return
        for number, row in self.chats.section_rows:
            height = ARCHIVE if isinstance(row, ArchiveRow) else HEADING if number else FIRST_HEADING
            yield number, scaled(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keeps the current row visible when the list becomes smaller because the selection bar appears below it."""
        super().resizeEvent(event)
        if self._rows.several:
            self.scrollTo(self.currentIndex())

    def updateGeometries(self) -> None:
        super().updateGeometries()
        self._place_new_folder()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._place_new_folder()

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self._update_selection()

    def _update_selection(self) -> None:
        n_selected = len(self.selected_chats())
        self._is_ctrl_selection = self._is_ctrl_selection and n_selected > 0
        self._rows.several = n_selected > 1 or self._is_ctrl_selection
        self.viewport().update()
        self.multi_selection_changed.emit(n_selected if self._rows.several else 0)

    def _start_ctrl_selection(self, modifiers: Qt.KeyboardModifier, index: QModelIndex) -> None:
        if not modifiers & _RANGE_KEYS:
            self._is_ctrl_selection = False
        elif modifiers & Qt.KeyboardModifier.ControlModifier and not self._rows.several and chat_at(index) is not None:
            self.clearSelection()
            self._is_ctrl_selection = True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._is_plain_click = not event.modifiers() & _RANGE_KEYS
        if event.button() == Qt.MouseButton.LeftButton:
            self._start_ctrl_selection(event.modifiers(), self.indexAt(event.position().toPoint()))
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if chat_at(index) is None:
            self._click(index)
        else:
            super().mouseDoubleClickEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        self._open_menu(self.visualRect(self.currentIndex()).center() if by_key else event.pos())

    def _open_menu(self, at: QPoint) -> None:
        """Opens the context menu of the row at this point of the viewport. If the row is a selected chat, the menu is
        for all selected chats."""
        index, menu = self.indexAt(at), self._new_menu()
        chat, folder = chat_at(index), index.data(ChatListRole.FOLDER) if index.isValid() else None
        if (chat is not None and chat not in self.selected_chats()) or folder is not None:
            self.go_to(index)
        if chat is not None:
            if (n_selected := len(self.selected_chats())) > 1:
                menu.addAction(self.tr("{n} chats").format(n=whole(n_selected))).setEnabled(False)
                menu.addSeparator()
            self.fill_menu(menu, "chats")
        elif folder is not None:
            self.fill_menu(menu, "folder")
            menu.addSeparator()
        if chat is None:
            self.fill_menu(menu, "new_folder")
        menu.popup(self.viewport().mapToGlobal(at))

    def _new_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _click(self, index: QModelIndex) -> None:
        if self._is_plain_click:
            self._open(index)

    def _open(self, index: QModelIndex) -> None:
        folder, archive = index.data(ChatListRole.FOLDER), index.data(ChatListRole.ARCHIVE)
        if (chat := chat_at(index)) is not None:
            self.requests.open_requested.emit(chat.id)
        elif isinstance(folder, FolderRow):
            self.requests.fold_requested.emit(folder.folder.id, not folder.folder.folded)
        elif isinstance(archive, ArchiveRow):
            self.requests.fold_archive_requested.emit(not archive.folded)

    def _edit(self, index: QModelIndex) -> None:
        if index.isValid():
            self.scrollTo(index)
            self.go_to(index)
            self.edit(index)

    def event(self, event: QEvent) -> bool:
        """Accepts Escape while several chats are selected. Otherwise Escape is the window's shortcut to stop an
        answer."""
        match event:
            case QKeyEvent() if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                if self._rows.several:
                    event.accept()
                    return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.state() == QAbstractItemView.State.EditingState or not self._handle_key(event):
            super().keyPressEvent(event)

    def _handle_key(self, event: QKeyEvent) -> bool:
        folder, requests = self.folder, self.requests
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._open(self.currentIndex())
            case Qt.Key.Key_Escape if self._rows.several:
                self.leave_multi_selection()
            case Qt.Key.Key_Delete if chats := self.selected_chats():
                requests.delete_requested.emit(ids_of(chats))
            case Qt.Key.Key_Delete if folder is not None:
                requests.delete_folder_requested.emit(folder.id)
            case Qt.Key.Key_Up | Qt.Key.Key_Down if folder is not None and _is_alt(event):
                requests.move_folder_requested.emit(folder.id, -1 if event.key() == Qt.Key.Key_Up else 1)
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                self._fold_current(folded=(event.key() == Qt.Key.Key_Right) == self.isRightToLeft())
            case _ if is_typed_letter(event):
                self.typed.emit(event.text())
            case _:
                return False
        return True

    def _fold_current(self, *, folded: bool) -> None:
        """Folds or unfolds the folder or archive in the current row. If the row is a chat in one of these, folding
        makes the folder or archive the current row."""
        index, folder = self.currentIndex(), self.folder
        archive, chat = index.data(ChatListRole.ARCHIVE), chat_at(index)
        if folder is not None:
            self.requests.fold_requested.emit(folder.id, folded)
        elif isinstance(archive, ArchiveRow):
            self.requests.fold_archive_requested.emit(folded)
        elif chat is not None and index.data(ChatListRole.NESTED) and folded:
            self.go_to(self.chats.heading_of(index))

    def startDrag(self, actions: Qt.DropAction) -> None:
        if chats := self.selected_chats():
            drag_of(chats, self.chats, self.theme, self, self.devicePixelRatioF()).exec(Qt.DropAction.MoveAction)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dragged_ids(event.mimeData()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)  # the base class scrolls the list when the pointer is near an edge
        index = self.indexAt(event.position().toPoint())
        self._set_drop_target(self.chats.heading_of(index) if index.isValid() else QModelIndex())
        event.setAccepted(index.isValid() and bool(dragged_ids(event.mimeData())))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._set_drop_target(QModelIndex())

    def dropEvent(self, event: QDropEvent) -> None:
        chat_ids, index = dragged_ids(event.mimeData()), self.indexAt(event.position().toPoint())
        self._set_drop_target(QModelIndex())
        self.stopAutoScroll()
        self.setState(QAbstractItemView.State.NoState)
        if chat_ids and index.isValid():
            event.acceptProposedAction()
            request_drop(chat_ids, index, self.chats, self.requests)

    def _set_drop_target(self, index: QModelIndex) -> None:
        if self._rows.target != index:
            self._rows.target = QPersistentModelIndex(index)
            self.viewport().update()

    # The button that creates a folder is shown in the heading of the folders.

    def _new_folder_button(self) -> QToolButton:
        button = QToolButton(self.viewport())
        button.setObjectName("quiet")
        button.setFixedSize(26, 26)
        button.setAccessibleName(self.tr("New folder"))
        button.setToolTip(self.tr("New folder"))
        button.clicked.connect(lambda: self.requests.new_folder_requested.emit(()))
        button.hide()
        return button

    def _place_new_folder(self) -> None:
        button = self._new_folder
        if button is None or self.model() is None:
            return
        index = self.chats.index_of_section(Section.FOLDERS)
        button.setVisible(index.isValid())
        if index.isValid():
            box = content_of(self._rect_of(index.row()))
            x = 4 if self.isRightToLeft() else box.right() - button.width() - 2
            button.move(x, box.bottom() - button.height() + 1)

    def _restyle(self) -> None:
        if self._new_folder is not None:
            self._new_folder.setIcon(self.theme.icon("folder-plus", "muted"))
        self.set_row_height(scaled(ROW))
        self.viewport().update()


def chat_at(index: Index) -> Chat | None:
    """Returns the chat in this row, None if the row is not a chat."""
    chat = index.data(ChatListRole.CHAT) if index.isValid() else None
    return chat if isinstance(chat, Chat) else None


def is_typed_letter(event: QKeyEvent) -> bool:
    """Whether the key types a character. The space key does not count, because it selects rows in lists."""
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
    return bool(event.text().strip()) and event.text().isprintable() and not event.modifiers() & held


def _is_alt(event: QKeyEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
