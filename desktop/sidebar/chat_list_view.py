"""The sidebar's list of chats, in folders and by day."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QToolButton, QWidget

from desktop.platform.theme import Theme, scaled
from desktop.sidebar.chat_drag import ChatsDragView, chat_at
from desktop.sidebar.chat_list_model import ChatListRole
from desktop.sidebar.chat_menu import ChatMenu, ids_of
from desktop.sidebar.chat_row_delegate import ARCHIVE, FIRST_HEADING, HEADING, ROW, content_of
from desktop.sidebar.chat_sections import ArchiveRow, FolderRow, Section
from desktop.store.records import Chat, Folder


class ChatListView(ChatsDragView):
    """Enter or a click opens or unfolds, F2 or a double click renames, Delete deletes; Ctrl and Shift choose several,
    which then are dragged or asked for together; the menu offers the same. The first click with Ctrl chooses that chat
    alone, not the open one too. Ids of chats are given as tuples."""

    chosen = Signal(str)
    multi_selection_changed = Signal(int)
    """How many chats are chosen; 0 where it is one that was not chosen with Ctrl."""
    typed = Signal(str)
    """A letter that was pressed here and means nothing here."""
    delete_requested = Signal(object)
    save_requested = Signal(object, str)
    """A `Chat`, and the ending of the file that it is to become."""
    save_several_requested = Signal(object)
    """`Chat`s."""
    fold_requested = Signal(str, bool)
    folder_step_requested = Signal(str, int)
    folder_delete_requested = Signal(str)
    chat_in_folder_requested = Signal(str)
    archive_fold_requested = Signal(bool)

    _plus: QToolButton | None = None  # Qt lays out while the list is being made

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._plain_click = True
        self._picks = False
        """Whether chats are chosen one by one, with Ctrl."""
        self.setAccessibleName(self.tr("Chats"))
        self._plus = self._new_folder_button()
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.clicked.connect(self._clicked)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def folder(self) -> Folder | None:
        """The folder that one is at."""
        row = self.currentIndex().data(ChatListRole.FOLDER)
        return row.folder if isinstance(row, FolderRow) else None

    def mark_current(self, marked: bool) -> None:
        """Whether the open chat is where one is; on another page it is not."""
        self._rows.marks_current = marked
        self.viewport().update()

    def rename(self, chat_id: str) -> None:
        """Opens the title for editing."""
        self._edit(self.chats.index_of(chat_id))

    def rename_folder(self, folder_id: str) -> None:
        self._edit(self.chats.index_of_folder(folder_id))

    def go_to(self, index: QModelIndex) -> None:
        """Is there, and nothing else is chosen; whatever keys are held, which Qt would ask for."""
        self._picks = False
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def leave_multi_selection(self) -> None:
        """Leaves the choice of several."""
        self.go_to(self.currentIndex())
        self._count_chosen()

    def show_open(self, chat: Chat | None) -> None:
        """Scrolls to the chat that is open now, or to what it is folded away in, and goes there unless several are
        chosen."""
        if chat is None:
            if not self._rows.several:
                self.clearSelection()
            return
        index = self.chats.index_of(chat.id)
        if index.isValid() and not self._rows.several:
            self.go_to(index)
        elif not index.isValid():
            folded = self.chats.index_of_section(Section.ARCHIVE)
            index = folded if chat.archived else self.chats.index_of_folder(chat.folder_id)
        self.scrollTo(index)

    def open_folder_menu(self, chats: Iterable[Chat], at: QPoint | None = None) -> None:
        """Where these chats can be put, at that point of the screen, else where one is in the list."""
        menu = ChatMenu(self._theme, self)
        menu.offer_folders(list(chats), self.chats.folders)
        if at is None:
            rect = self.visualRect(self.currentIndex()).intersected(self.viewport().rect())
            at = self.viewport().mapToGlobal(rect.bottomLeft() if rect.isValid() else self.rect().topLeft())
        menu.popup(at)
        menu.setActiveAction(next(action for action in menu.actions() if action.isEnabled()))

    def special_heights(self) -> Iterable[tuple[int, int]]:
        if self.model() is None:
            return
        for number, row in self.chats.tops:
            height = ARCHIVE if isinstance(row, ArchiveRow) else HEADING if number else FIRST_HEADING
            yield number, scaled(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What was chosen last stays in sight when the line under the list comes up."""
        super().resizeEvent(event)
        if self._rows.several:
            self.scrollTo(self.currentIndex())

    def updateGeometries(self) -> None:
        super().updateGeometries()
        self._place_plus()

    def event(self, event: QEvent) -> bool:
        """While several are chosen, Escape is the list's own, not the window's key to stop an answer."""
        match event:
            case QKeyEvent() if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                if self._rows.several:
                    event.accept()
                    return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.state() == QAbstractItemView.State.EditingState or not self._pressed(event):
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        self._plain_click = not event.modifiers() & held
        if event.button() == Qt.MouseButton.LeftButton:
            self._begin_picking(event.modifiers(), self.indexAt(event.position().toPoint()))
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if chat_at(index) is None:
            self._clicked(index)
        else:
            super().mouseDoubleClickEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        self._open_menu(self.visualRect(self.currentIndex()).center() if by_key else event.pos())

    def _open_menu(self, at: QPoint) -> None:
        """That of what stands there."""
        index, menu = self.indexAt(at), ChatMenu(self._theme, self)
        chats, folder = self.selected_chats(), index.data(ChatListRole.FOLDER) if index.isValid() else None
        if (chat := chat_at(index)) is not None and len(chats) > 1 and chat in chats:
            menu.offer_several(chats, self.chats.folders)
        elif chat is not None:
            menu.offer_one(chat, self.chats.folders)
        elif isinstance(folder, FolderRow):
            menu.offer_folder(folder.folder, len(self.chats.folders))
        else:
            menu.offer_new_folder()
        menu.popup(self.viewport().mapToGlobal(at))

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self._count_chosen()

    def _count_chosen(self) -> None:
        n_chosen = len(self.selected_chats())
        self._picks = self._picks and n_chosen > 0
        self._rows.several = n_chosen > 1 or self._picks
        self.viewport().update()
        self.multi_selection_changed.emit(n_chosen if self._rows.several else 0)

    def _begin_picking(self, held: Qt.KeyboardModifier, index: QModelIndex) -> None:
        if not held & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier):
            self._picks = False
        elif held & Qt.KeyboardModifier.ControlModifier and not self._rows.several and chat_at(index) is not None:
            self.clearSelection()
            self._picks = True

    # Keys

    def _pressed(self, event: QKeyEvent) -> bool:
        """True where the key meant something here."""
        folder = self.folder
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._open(self.currentIndex())
            case Qt.Key.Key_Escape if self._rows.several:
                self.leave_multi_selection()
            case Qt.Key.Key_Delete if chats := self.selected_chats():
                self.delete_requested.emit(ids_of(chats))
            case Qt.Key.Key_Delete if folder is not None:
                self.folder_delete_requested.emit(folder.id)
            case Qt.Key.Key_Up | Qt.Key.Key_Down if folder is not None and _is_alt(event):
                self.folder_step_requested.emit(folder.id, -1 if event.key() == Qt.Key.Key_Up else 1)
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                self._unfold((event.key() == Qt.Key.Key_Right) != self.isRightToLeft())
            case _ if is_typed_letter(event):
                self.typed.emit(event.text())
            case _:
                return False
        return True

    def _unfold(self, unfolded: bool) -> None:
        """Folds or unfolds what one is at; from a chat in a folder, goes to the folder."""
        index, folder = self.currentIndex(), self.folder
        archive, chat = index.data(ChatListRole.ARCHIVE), chat_at(index)
        if folder is not None:
            self.fold_requested.emit(folder.id, not unfolded)
        elif isinstance(archive, ArchiveRow):
            self.archive_fold_requested.emit(not unfolded)
        elif chat is not None and index.data(ChatListRole.NESTED) and not unfolded:
            self.go_to(self._section_index(index))

    def _clicked(self, index: QModelIndex) -> None:
        if self._plain_click:
            self._open(index)

    def _open(self, index: QModelIndex) -> None:
        folder, archive = index.data(ChatListRole.FOLDER), index.data(ChatListRole.ARCHIVE)
        if (chat := chat_at(index)) is not None:
            self.chosen.emit(chat.id)
        elif isinstance(folder, FolderRow):
            self.fold_requested.emit(folder.folder.id, not folder.folder.folded)
        elif isinstance(archive, ArchiveRow):
            self.archive_fold_requested.emit(not archive.folded)

    def _edit(self, index: QModelIndex) -> None:
        if index.isValid():
            self.scrollTo(index)
            self.go_to(index)
            self.edit(index)

    # The button in the heading of the folders

    def _new_folder_button(self) -> QToolButton:
        button = QToolButton(self.viewport())
        button.setObjectName("quiet")
        button.setFixedSize(26, 26)
        button.setAccessibleName(self.tr("New folder"))
        button.setToolTip(self.tr("New folder"))
        button.clicked.connect(lambda: self.folder_requested.emit(()))
        button.hide()
        return button

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._place_plus()

    def _place_plus(self) -> None:
        if self._plus is None or self.model() is None:
            return
        index = self.chats.index_of_section(Section.FOLDERS)
        self._plus.setVisible(index.isValid())
        if index.isValid():
            box = content_of(self._rect_of(index.row()))
            x = 4 if self.isRightToLeft() else box.right() - self._plus.width() - 2
            self._plus.move(x, box.bottom() - self._plus.height() + 1)

    def _restyle(self) -> None:
        if self._plus is not None:
            self._plus.setIcon(self._theme.icon("folder-plus", "muted"))
        self.set_row_height(scaled(ROW))
        self.viewport().update()


def is_typed_letter(event: QKeyEvent) -> bool:
    """Whether a key writes a letter, not a blank, which means something in a list."""
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
    return bool(event.text().strip()) and event.text().isprintable() and not event.modifiers() & held


def _is_alt(event: QKeyEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
