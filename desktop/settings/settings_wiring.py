"""Connects the page of settings, and what brings chats in and out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QDate, QLocale, QObject
from PySide6.QtWidgets import QFileDialog

from desktop.chat.controller import ChatController
from desktop.chat.header import Header
from desktop.error_messages import error_message
from desktop.framework.actions import Actions
from desktop.framework.app_window import AppWindow
from desktop.import_export.controller import Format, ImportExportController
from desktop.import_export.importer import ImportResult
from desktop.import_export.strings import import_summary
from desktop.platform.surrogates import well_formed
from desktop.platform.task_set import TaskSet
from desktop.platform.theme import TEXT_SIZES
from desktop.settings.app_settings import AppSettings
from desktop.settings.page import SettingsPage
from desktop.settings.settings_file import TEXT_SIZE, LanguageChoice, ThemeChoice
from desktop.sidebar.chat_list_view import ChatListView
from desktop.store.records import Chat

SAVING = "import and export"
"""The topic of notices about files that are read and written."""


class SettingsWiring(QObject):
    """Lives as long as its window. GUI thread only.

    `diagnose` gives the text for a report."""

    def __init__(
        self,
        window: AppWindow,
        header: Header,
        chat_list: ChatListView | None,
        exchange: ImportExportController,
        chats: ChatController,
        actions: Actions,
        tasks: TaskSet,
        settings: AppSettings,
        diagnose: Callable[[], str],
    ) -> None:
        super().__init__(window)
        self._window, self._exchange, self._chats, self._tasks = window, exchange, chats, tasks
        self._settings = settings
        self._actions = actions
        self.page = SettingsPage(window.theme, actions)
        self.page.language.show_choice(settings.value.language)
        self.page.theme_chosen.connect(self._choose_theme)
        self.page.language.chosen.connect(self._choose_language)
        self.page.text_step_requested.connect(self._step_text)
        self.page.keys.keys_chosen.connect(self._change_keys)
        self.page.keys.reset_requested.connect(actions.reset_shortcuts)
        self.page.import_requested.connect(self._choose_source)
        self.page.cancel_requested.connect(exchange.cancel_import)
        self.page.export_requested.connect(self._choose_target_for_all)
        self.page.backup_requested.connect(self._choose_target_for_backup)
        self.page.restore_requested.connect(self._choose_backup)
        self.page.diagnostics_requested.connect(lambda: self.page.put_diagnostics(diagnose()))
        header.export_requested.connect(self._choose_target)
        if chat_list is not None:
            chat_list.save_requested.connect(self._choose_target)
            chat_list.save_several_requested.connect(self._choose_target_for_several)
        self.page.help_requested.connect(lambda: window.show_page("help"))
        self.page.updates_chosen.connect(lambda on: settings.change(updates="on" if on else "off"))
        self.page.show_updates(settings.value.updates == "on")
        settings.on_change("updates", lambda choice: self.page.show_updates(choice == "on"))
        exchange.progressed.connect(self._show_progress)
        exchange.imported.connect(self._show_imported)
        exchange.export_started.connect(self._show_saving)
        exchange.export_cancelled.connect(lambda: window.toast.clear(SAVING))
        exchange.exported.connect(self._show_exported)
        exchange.staged.connect(self._show_staged)
        exchange.failed.connect(self._show_failed)
        exchange.restore_cancelled.connect(self._show_restore_cancelled)
        self.page.restore_cancelled.connect(exchange.cancel_restore)
        if exchange.restore_staged:
            self.page.show_restore(self.tr("A backup comes back when Inglenook starts next."))

    def _choose_theme(self, choice: ThemeChoice) -> None:
        self._window.theme.choose(choice)
        self._settings.change(theme=choice)
        self.page.show_theme(choice)

    def _choose_language(self, choice: LanguageChoice) -> None:
        self._settings.change(language=choice)
        self.page.language.show_choice(choice)
        self._offer_to_close(self.tr("The language is another one from the next start on."))

    def _step_text(self, step: int) -> None:
        """The next larger or smaller size, or the usual one for 0."""
        theme = self._window.theme
        place = TEXT_SIZES.index(min(TEXT_SIZES, key=lambda each: abs(each - theme.text_size)))
        size = TEXT_SIZES[max(0, min(place + step, len(TEXT_SIZES) - 1))] if step else TEXT_SIZE
        theme.resize_text(size)
        self._settings.change(text_size=size)

    def _change_keys(self, action_id: str, keys: str) -> None:
        if (holder := self._actions.change_shortcut(action_id, keys)) is not None:
            self.page.keys.refuse(action_id, holder.words)

    def _choose_source(self, folder: bool) -> None:
        dialog = QFileDialog(self._window, self.tr("Bring chats in"))
        if folder:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.setNameFilters([self.tr("Exports (*.json *.zip *.md)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(lambda path: self.start_import(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def start_import(self, path: Path) -> None:
        self._window.toast.clear(SAVING)
        self.page.show_import(self.tr("Reading {name}…").format(name=well_formed(path.name)), running=True)
        self._exchange.import_from(path)

    def _choose_target(self, chat: Chat, form: Format) -> None:
        self._save_as(chat.title, form, lambda path: self._exchange.export(chat, path, form))

    def _choose_target_for_several(self, chats: Sequence[Chat]) -> None:
        self._save_as("inglenook-chats", "json", lambda path: self._exchange.export_several(chats, path))

    def _choose_target_for_all(self) -> None:
        self._save_as("inglenook-chats", "json", self._exchange.export_all)

    def _choose_target_for_backup(self) -> None:
        self._save_as(f"inglenook-{datetime.now():%Y-%m-%d}", "zip", self._back_up)

    def _back_up(self, path: Path) -> None:
        words = self.tr("Backing up to {name}…").format(name=well_formed(path.name))
        self._window.toast.show_message(words, topic=SAVING)
        self._exchange.back_up(path)

    def _choose_backup(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Bring a backup back"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Backups (*.zip)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(lambda path: self._exchange.restore(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show_staged(self, made: datetime) -> None:
        words = self.tr("The backup of {day} comes back when Inglenook starts next. What is here now is kept aside.")
        day = QLocale().toString(QDate(made.year, made.month, made.day), QLocale.FormatType.LongFormat)
        self.page.show_restore(words.format(day=day))
        self._offer_to_close(words.format(day=day))

    def _show_restore_cancelled(self) -> None:
        self.page.show_restore("")
        self._window.toast.show_message(self.tr("No backup comes back; everything stays as it is."), for_ms=5_000)

    def _offer_to_close(self, words: str) -> None:
        self._window.toast.show_message(
            words, action=self.tr("Close now"), act=self._window.close_requested.emit, topic="restart"
        )

    def _save_as(self, title: str, form: str, save: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self._window, self.tr("Save as"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(form)
        dialog.selectFile(f"{_file_name(title)}.{form}")
        dialog.fileSelected.connect(lambda path: save(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show_progress(self, so_far: ImportResult) -> None:
        text = self.tr("%Ln chats so far…", "", so_far.n_new + so_far.n_known)
        self.page.show_import(text, running=True)

    def _show_imported(self, result: ImportResult) -> None:
        if result != ImportResult():
            self.page.show_import(import_summary(result), running=False)
            self._tasks.spawn(self._chats.load_chats(), "list the chats that came in")
        else:
            self.page.show_import("", running=False)

    def _show_saving(self, name: str) -> None:
        words = self.tr("Saving {name}…").format(name=name)
        self._window.toast.show_message(words, action=self.tr("Cancel"), act=self._exchange.cancel_export, topic=SAVING)

    def _show_exported(self, name: str) -> None:
        self._window.toast.show_message(self.tr("Saved as {name}.").format(name=name), for_ms=5_000, topic=SAVING)

    def _show_failed(self, error: BaseException) -> None:
        self._window.toast.show_message(error_message(error), alert=True, topic=SAVING)


def _file_name(title: str) -> str:
    """A title without what some system does not take in a file's name."""
    plain = "".join(" " if letter in '\\/:*?"<>|' or not letter.isprintable() else letter for letter in title)
    return " ".join(plain.split()).strip(". ")[:80] or "chat"
