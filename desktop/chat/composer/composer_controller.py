"""All that happens around the writing of a message: files, drafts, settings, the gauge, what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QPoint
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFileDialog

from desktop.chat import strings
from desktop.chat.attachments.attachment_loader import AttachmentLoader
from desktop.chat.attachments.drop_zone import DropZone
from desktop.chat.chat_settings.preset_bar import preset_menu
from desktop.chat.chat_settings.presets import Presets, as_preset
from desktop.chat.chat_settings.settings_sheet import ChatSettingsSheet
from desktop.chat.composer.context_usage import ContextUsage
from desktop.chat.composer.draft_saver import DraftSaver
from desktop.chat.composer.drafts import NEW_CHAT_KEY, Draft
from desktop.chat.composer.message_sender import MessageSender
from desktop.chat.composer.overflow_card import OverflowCard
from desktop.chat.controller import ChatController
from desktop.chat.prompt import TokenCounter
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.shell.main_window import MainWindow
from desktop.store.records import Chat, ChatSettings
from desktop.store.store import Store
from engine.events import Status

translate = QCoreApplication.translate


class ComposerController:
    """Connects the composer of one window. Made before the window's other signals are connected. GUI thread only."""

    def __init__(
        self,
        window: MainWindow,
        chats: ChatController,
        models: ModelController,
        store: Store,
        tasks: TaskSet,
        tell: Callable[[BaseException], None],
    ) -> None:
        self._window, self._composer, self._chats = window, window.composer, chats
        self._store, self._tasks = store, tasks
        self._presets = Presets({})
        self._chat_id = NEW_CHAT_KEY
        self._sending_now = False
        self.sheet = ChatSettingsSheet(window.theme, window.chat_page)
        self.card = OverflowCard(window.theme, window.chat_page)
        window.add_composing(self.sheet, self.card)
        self._drop_zone = DropZone(window.chat_page)
        counter = TokenCounter()
        say = self._say
        self.attachment_loader = AttachmentLoader(models, counter, tasks, say)
        self.draft_saver = DraftSaver(store, tasks, self._draft, self._show_draft, tell)
        self.context_usage = ContextUsage(chats, models, counter, tasks, self._draft, self._composer.set_context_usage)
        self.sending = MessageSender(
            chats,
            models,
            counter,
            tasks,
            self._composer,
            self.card,
            draft=self._draft,
            send=self._send,
            send_to_chat=self._send_in,
            afresh=self._start_afresh,
            tell=tell,
            say_of=self._say_of,
        )
        self._connect_composer()
        self._connect_settings()
        chats.sessions.opened.connect(self._show_chat)
        chats.sessions.usage_changed.connect(self.context_usage.show_usage)
        models.status_changed.connect(self._show_status)
        self._show_settings()

    async def open(self) -> None:
        """Brings back what was being written, and the person's presets. Raises StoreError."""
        await self.draft_saver.open()
        self._take_presets(Presets(await self._store.presets()))

    async def aclose(self) -> None:
        """Keeps what is being written. Idempotent."""
        self.sheet.flush()
        self.sending.close()
        self.context_usage.close()
        self.attachment_loader.close()
        await self.draft_saver.aclose()

    def _connect_composer(self) -> None:
        composer = self._composer
        composer.submitted.connect(self._submit)
        composer.stop_requested.connect(self.sending.cancel_check)
        composer.edited.connect(self._edited)
        composer.attach_requested.connect(self._choose_files)
        composer.removal_requested.connect(self.attachment_loader.remove)
        composer.settings_requested.connect(self._toggle_settings)
        composer.presets_requested.connect(self._open_presets)
        for source in (composer, self._drop_zone):
            source.files_given.connect(self.attachment_loader.add)
        self.attachment_loader.changed.connect(self._show_items)

    def _connect_settings(self) -> None:
        sheet, window = self.sheet, self._window
        sheet.changed.connect(self._change_settings)
        sheet.closed.connect(self._composer.setFocus)
        sheet.preset_saved.connect(self._save_preset)
        sheet.preset_renamed.connect(self._rename_preset)
        sheet.preset_deleted.connect(self._delete_preset)
        # A change that has not settled belongs to the chat that is still open.
        window.sidebar.new_chat_requested.connect(sheet.flush)
        if window.sidebar.chats is not None:
            window.sidebar.chats.chosen.connect(sheet.flush)
            window.sidebar.chats.delete_requested.connect(sheet.flush)

    # What is being written

    def _draft(self) -> Draft:
        return Draft(self._composer.text, self.attachment_loader.tray.attachments)

    def _show_draft(self, draft: Draft, same_chat: bool) -> None:
        if draft.text != self._composer.text:
            self._composer.show_text(draft.text)
        self.attachment_loader.show(draft.attachments, keep_reading=same_chat)

    def _edited(self) -> None:
        self.draft_saver.edited()
        self.sending.edited()
        self.context_usage.recount()

    def _show_items(self) -> None:
        tray = self.attachment_loader.tray
        self._composer.show_items(tray.items)
        self._composer.set_waiting(strings.reading() if tray.is_reading else "")
        self._edited()

    def _choose_files(self) -> None:
        dialog = QFileDialog(self._window, translate("composer", "Attach files"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._files_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _files_chosen(self, names: list[str]) -> None:
        self.attachment_loader.add([Path(name) for name in names])

    def _submit(self) -> None:
        self.sheet.flush()
        self.sending.submit()

    def _send(self, draft: Draft) -> None:
        self._sending_now = True
        try:
            taken = self._chats.send(draft.text, draft.attachments)
        finally:
            self._sending_now = False
        if taken:
            self._composer.take(draft.text)
            self.attachment_loader.take(draft.attachments)
            self._window.show_greeting(False)

    async def _send_in(self, chat_id: str, draft: Draft, settings: ChatSettings) -> bool:
        """Sends a message in a chat that was left meanwhile."""
        if chat_id == NEW_CHAT_KEY:
            sent = self._chats.send_in_new_chat(draft.text, draft.attachments, settings) is not None
        else:
            sent = await self._chats.send_to_chat(chat_id, draft.text, draft.attachments)
        if sent and chat_id == self._chat_id:  # opened again meanwhile
            self._composer.take(draft.text)
            self.attachment_loader.take(draft.attachments)
        elif sent:
            self.draft_saver.drop(chat_id, draft)
        return sent

    def _start_afresh(self) -> None:
        """The same words, files and way of answering in a new chat; the old one stays as it is."""
        settings = replace(self._chats.sessions.settings, leaves_out=False, summary="", summarised_to="")
        self.sheet.flush()
        self.draft_saver.move(NEW_CHAT_KEY)
        self._chats.sessions.new_chat()
        self._chats.sessions.change_settings(settings)
        self._composer.setFocus()

    # The chat, its settings, the model

    def _show_chat(self, chat: Chat | None) -> None:
        chat_id = chat.id if chat is not None else NEW_CHAT_KEY
        if chat_id != self._chat_id:
            self._chat_id = chat_id
            if not self._sending_now:
                self.sending.chat_changed()
            self.draft_saver.switch(chat_id, sent=self._sending_now)
        self._show_settings()
        self.context_usage.recount()

    def _show_status(self, status: Status) -> None:
        self.attachment_loader.count()
        self.context_usage.recount()

    def _show_settings(self) -> None:
        self.sheet.show_settings(self._chats.sessions.settings)
        name, changed = self._presets.name_of(self._chats.sessions.settings)
        self._composer.show_preset(strings.preset_name(name), changed=changed)

    def _change_settings(self, settings: ChatSettings) -> None:
        self._chats.sessions.change_settings(settings)
        self.context_usage.settings_changed()

    def _toggle_settings(self) -> None:
        if self.sheet.isVisible():
            self.sheet.close_sheet()
        else:
            self._window.show_chat_page()
            self.sheet.open_sheet()

    # Presets

    def _open_presets(self) -> None:
        pill = self._composer.preset_pill
        current, _ = self._presets.name_of(self._chats.sessions.settings)
        menu = preset_menu(self._window.theme, self._presets, current, pill)
        menu.addSeparator()
        more = menu.addAction(translate("composer", "Settings of this chat…"))
        more.setShortcut(QKeySequence("Ctrl+,"))
        menu.triggered.connect(
            lambda action: self._toggle_settings() if action is more else self._choose_preset(str(action.data()))
        )
        menu.popup(pill.mapToGlobal(QPoint(0, -menu.sizeHint().height() - 4)))

    def _choose_preset(self, name: str) -> None:
        self.sheet.flush()
        self._change_settings(self._presets.chosen(name, self._chats.sessions.settings))

    def _take_presets(self, presets: Presets) -> None:
        self._presets = presets
        self.sheet.show_presets(presets)
        self._show_settings()

    def _save_preset(self, name: str) -> None:
        self.sheet.flush()
        preset = as_preset(name, self._chats.sessions.settings)
        self._take_presets(Presets({**self._presets.own, name: preset}))
        self._change_settings(replace(self._chats.sessions.settings, preset=name))
        self._tasks.spawn(self._store.save_preset(name, preset), "save a preset")

    def _rename_preset(self, old: str, new: str) -> None:
        preset = as_preset(new, self._presets.own[old])
        others = {name: kept for name, kept in self._presets.own.items() if name != old}
        self._take_presets(Presets({**others, new: preset}))
        self._change_settings(replace(self._chats.sessions.settings, preset=new))
        self._tasks.spawn(self._move_preset(old, new, preset), "rename a preset")

    def _delete_preset(self, name: str) -> None:
        """The values stay in force; with an Undo, as all that is deleted has."""
        preset = self._presets.own[name]
        self._take_presets(Presets({other: kept for other, kept in self._presets.own.items() if other != name}))
        self._tasks.spawn(self._store.save_preset(name, None), "delete a preset")

        def undo() -> None:
            self._take_presets(Presets({**self._presets.own, name: preset}))
            self._tasks.spawn(self._store.save_preset(name, preset), "bring a preset back")

        gone = translate("composer", "The preset “{name}” is deleted.").format(name=name)
        self._window.undo_stack.push(gone, undo)

    async def _move_preset(self, old: str, new: str, preset: ChatSettings) -> None:
        await self._store.save_preset(new, preset)  # first, so that at no moment there is neither
        await self._store.save_preset(old, None)

    def _say(self, text: str) -> None:
        self._window.toast.show_message(text, alert=True)

    def _say_of(self, chat_id: str, text: str) -> None:
        """Something about a chat that may not be open: with its title, and a way there."""
        chat = self._chats.sessions.chat(chat_id)
        words = text.replace("{title}", chat.title if chat is not None else translate("composer", "New chat"))
        if chat is None or chat_id == self._chat_id:
            self._say(words)
        else:
            go = translate("composer", "Open the chat")
            self._window.toast.show_message(
                words, alert=True, action=go, act=lambda: self._chats.sessions.open_chat(chat_id)
            )
