"""Connects the import and export card, the chat menus and the file dialogs to the controller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QDate, QLocale, QObject
from PySide6.QtWidgets import QFileDialog

from desktop.chat.controller import ChatController
from desktop.error_messages import error_message
from desktop.framework.actions import Action, Actions
from desktop.framework.app_window import AppWindow
from desktop.import_export.card import ImportExportCard
from desktop.import_export.controller import ImportExportController
from desktop.import_export.exporter import Format
from desktop.import_export.importer import ImportResult
from desktop.import_export.strings import import_summary
from desktop.platform.surrogates import well_formed
from desktop.platform.task_set import TaskSet
from desktop.sidebar.chat_list_view import ChatListView
from desktop.store.records import Chat

TOPIC = "import and export"
"""Topic of the toasts on import and export. A new toast replaces the previous one of the same topic."""


class ImportExportWiring(QObject):
    """Connects the import and export controls of one window. The card is added when the settings page is created. GUI
    thread only."""

    def __init__(
        self,
        window: AppWindow,
        chat_list: ChatListView | None,
        controller: ImportExportController,
        chats: ChatController,
        actions: Actions,
        tasks: TaskSet,
    ) -> None:
        super().__init__(window)
        self._window, self._controller = window, controller
        self._chats, self._tasks = chats, tasks
        self._card: ImportExportCard | None = None
        self._import_text, self._is_importing, self._restore_text = "", False, ""
        """What the card shows, or will show when it is added."""
        if chat_list is not None:
            chat_list.requests.export_requested.connect(self._export_chat)
            chat_list.requests.export_several_requested.connect(self._export_chats)
        controller.progressed.connect(self._show_import_progress)
        controller.imported.connect(self._show_import_result)
        controller.export_started.connect(self._show_export_started)
        controller.export_cancelled.connect(lambda: window.toast.clear(TOPIC))
        controller.exported.connect(self._show_exported)
        controller.restore_staged.connect(self._show_restore_staged)
        controller.restore_cancelled.connect(self._show_restore_cancelled)
        controller.failed.connect(self._show_error)
        actions.add(
            Action("import_file", self.tr("Import file…"), lambda: self._choose_import(False)),
            Action("import_folder", self.tr("Import folder…"), lambda: self._choose_import(True)),
            Action("export_all", self.tr("Export all chats…"), self._choose_export_of_all),
        )
        if controller.is_restore_staged:
            self._restore_text = self.tr("A backup is restored at the next start.")

    def add_card(self, card: ImportExportCard) -> None:
        """Connects the card and shows the current state on it. Called once."""
        self._card = card
        card.import_requested.connect(self._choose_import)
        card.import_cancel_requested.connect(self._controller.cancel_import)
        card.export_requested.connect(self._choose_export_of_all)
        card.backup_requested.connect(self._choose_backup)
        card.restore_requested.connect(self._choose_restore)
        card.restore_cancel_requested.connect(self._controller.cancel_restore)
        card.show_import(self._import_text, running=self._is_importing)
        card.show_restore(self._restore_text)

    def start_import(self, path: Path) -> None:
        self._window.toast.clear(TOPIC)
        self._show_import(self.tr("Reading {name}…").format(name=well_formed(path.name)), running=True)
        self._controller.import_from(path)

    def _show_import(self, text: str, *, running: bool) -> None:
        self._import_text, self._is_importing = text, running
        if self._card is not None:
            self._card.show_import(text, running=running)

    def _show_restore(self, text: str) -> None:
        self._restore_text = text
        if self._card is not None:
            self._card.show_restore(text)

    def _choose_export_of_all(self) -> None:
        self._choose_export("inglenook-chats", "json", self._controller.export_all)

    def _choose_import(self, folder: bool) -> None:
        dialog = QFileDialog(self._window, self.tr("Import chats"))
        if folder:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.setNameFilters([self.tr("Exports (*.json *.zip *.md)"), self.tr("All files (*)")])
        _open(dialog, self.start_import)

    def _export_chat(self, chat: Chat, file_format: Format) -> None:
        self._choose_export(chat.title, file_format, lambda path: self._controller.export(chat, path, file_format))

    def _export_chats(self, chats: Sequence[Chat]) -> None:
        self._choose_export("inglenook-chats", "json", lambda path: self._controller.export_several(chats, path))

    def _choose_backup(self) -> None:
        def back_up(path: Path) -> None:
            text = self.tr("Backing up to {name}…").format(name=well_formed(path.name))
            self._window.toast.show_message(text, topic=TOPIC)
            self._controller.back_up(path)

        self._choose_export(f"inglenook-{datetime.now():%Y-%m-%d}", "zip", back_up)

    def _choose_restore(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Restore a backup"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Backups (*.zip)"), self.tr("All files (*)")])
        _open(dialog, self._controller.restore)

    def _choose_export(self, title: str, suffix: str, export: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self._window, self.tr("Save as"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.selectFile(f"{_file_name(title)}.{suffix}")
        _open(dialog, export)

    def _show_import_progress(self, so_far: ImportResult) -> None:
        text = self.tr("%Ln chats so far…", "", so_far.n_new + so_far.n_known)
        self._show_import(text, running=True)

    def _show_import_result(self, result: ImportResult) -> None:
        if result == ImportResult():
            self._show_import("", running=False)
        else:
            self._show_import(import_summary(result), running=False)
            self._tasks.spawn(self._chats.load(), "list the imported chats")

    def _show_export_started(self, name: str) -> None:
        text = self.tr("Saving {name}…").format(name=name)
        cancel = self._controller.cancel_export
        self._window.toast.show_message(text, action=self.tr("Cancel"), act=cancel, topic=TOPIC)

    def _show_exported(self, name: str) -> None:
        self._window.toast.show_message(self.tr("Saved as {name}.").format(name=name), for_ms=5_000, topic=TOPIC)

    def _show_restore_staged(self, made: datetime) -> None:
        text = self.tr(
            "The backup of {day} is restored at the next start. The present chats and settings are kept in a folder."
        )
        day = QLocale().toString(QDate(made.year, made.month, made.day), QLocale.FormatType.LongFormat)
        self._show_restore(text.format(day=day))
        close = self._window.close_requested.emit
        self._window.toast.show_message(text.format(day=day), action=self.tr("Close now"), act=close, topic="restart")

    def _show_restore_cancelled(self) -> None:
        self._show_restore("")
        self._window.toast.show_message(self.tr("No backup is restored; everything stays as it is."), for_ms=5_000)

    def _show_error(self, error: BaseException) -> None:
        self._window.toast.show_message(error_message(error), alert=True, topic=TOPIC)


def _open(dialog: QFileDialog, use: Callable[[Path], None]) -> None:
    """Shows a file dialog without blocking, and calls `use` with the path that the user selects."""
    dialog.fileSelected.connect(lambda path: use(Path(path)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def _file_name(title: str) -> str:
    """Returns the title without the characters that Windows, macOS or Linux forbids in file names."""
    plain = "".join(" " if letter in '\\/:*?"<>|' or not letter.isprintable() else letter for letter in title)
    return " ".join(plain.split()).strip(". ")[:80] or "chat"
