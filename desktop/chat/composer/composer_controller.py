"""Connects the composer with drafts, attachments, sending, context usage, and the card for messages that do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFileDialog

from desktop.chat import strings
from desktop.chat.attachments.attachment_loader import AttachmentLoader
from desktop.chat.attachments.drop_zone import DropZone
from desktop.chat.chat_settings.controller import ChatSettingsController
from desktop.chat.composer.context_usage import ContextUsage
from desktop.chat.composer.drafts import NEW_CHAT_KEY, Draft, DraftSaver
from desktop.chat.composer.message_sender import MessageSender
from desktop.chat.composer.overflow_card import OverflowCard
from desktop.chat.composer.overflow_controller import OverflowController
from desktop.chat.controller import ChatController
from desktop.chat.page import ChatPage
from desktop.chat.prompt import TokenCounter
from desktop.framework.app_window import AppWindow
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.store.records import Chat
from desktop.store.store import Store

translate = QCoreApplication.translate


class ComposerController:
    """Controller of the composer. Exists as long as its window. Make it before other objects that connect to
    `ChatSessions.opened`, so that its handler runs first. GUI thread only."""

    def __init__(
        self,
        window: AppWindow,
        page: ChatPage,
        chats: ChatController,
        models: ModelController,
        store: Store,
        tasks: TaskSet,
    ) -> None:
        self._window, self._page, self._composer, self._chats = window, page, page.composer, chats
        self._key, self._models = NEW_CHAT_KEY, models
        counter, self._draft_counter = TokenCounter(), TokenCounter(asks_servers=False)
        self.settings = ChatSettingsController(window, page, chats.sessions, store, tasks)
        self.card = OverflowCard(window.theme, page)
        page.add_composer_panels(self.settings.sheet, self.card)
        self._drop_zone = DropZone(page)
        self.attachments = AttachmentLoader(models, self._draft_counter, tasks, self._notify)
        self.drafts = DraftSaver(store, tasks, self._draft, self._show_draft, window.show_error)
        self.usage = ContextUsage(chats, models, self._draft_counter, tasks, self._draft, self._show_usage)
        self.sender = MessageSender(chats, models, counter, tasks, self._draft)
        self.overflow = OverflowController(chats, models, tasks, self.sender, self.card, self._draft, window.show_error)
        self._connect_composer()
        self._connect_sending()
        chats.sessions.opened.connect(self._show_chat)
        chats.sessions.usage_changed.connect(self.usage.show_answer_usage)
        self.settings.changed.connect(self.usage.settings_changed)
        models.chat_status_changed.connect(self.attachments.count)
        models.chat_status_changed.connect(self.usage.recount)

    async def open(self) -> None:
        """Load drafts and presets from the store. Raises StoreError."""
        await self.drafts.open()
        await self.settings.open()

    async def aclose(self) -> None:
        """Cancel all running work and save the drafts. Idempotent."""
        self.settings.sheet.flush()
        self.sender.close()
        self.overflow.close()
        self.usage.close()
        self.attachments.close()
        await self.drafts.aclose()

    def _connect_composer(self) -> None:
        composer = self._composer
        composer.submitted.connect(self.sender.submit)
        composer.stop_requested.connect(self.sender.cancel_check)
        composer.edited.connect(self._edited)
        composer.attach_requested.connect(self._choose_files)
        composer.removal_requested.connect(self.attachments.remove)
        for source in (composer, self._drop_zone):
            source.files_given.connect(self.attachments.add)
        self.attachments.changed.connect(self._show_attachments)

    def _connect_sending(self) -> None:
        sender, card, overflow = self.sender, self.card, self.overflow
        sender.sent.connect(self._remove_sent)
        sender.checking_changed.connect(
            lambda checking: self._composer.set_checking(strings.checking() if checking else "")
        )
        sender.not_sent.connect(lambda key: self._notify_about(key, strings.message_not_sent()))
        overflow.summarized.connect(
            lambda key, sent: self._notify_about(key, strings.summarized() if sent else strings.message_not_sent())
        )
        overflow.summary_failed.connect(lambda key: self._notify_about(key, strings.summary_failed()))
        card.new_chat_requested.connect(self._move_to_new_chat)
        card.closed.connect(self._composer.setFocus)
        card.focus_left.connect(self._composer.setFocus)

    def _draft(self) -> Draft:
        return Draft(self._composer.text, self.attachments.list.attachments)

    def _show_draft(self, draft: Draft, same_chat: bool) -> None:
        if draft.text != self._composer.text:
            self._composer.show_text(draft.text)
        self.attachments.show(draft.attachments, keep_reading=same_chat)

    def _edited(self) -> None:
        self.drafts.edited()
        self.overflow.edited()
        self.usage.recount()

    def _show_usage(self, n_tokens: int, n_ctx: int, n_left_out: int) -> None:
        model = self._models.chat_status.model
        is_estimate = not self._models.capabilities.counts_tokens or (model is not None and bool(model.host))
        self._composer.set_context_usage(n_tokens, n_ctx, n_left_out, is_estimate=is_estimate)

    def _show_attachments(self) -> None:
        attachments = self.attachments.list
        self._composer.show_attachments(attachments.items)
        self._composer.set_blocked(strings.reading_file() if attachments.is_reading else "")
        self._edited()

    def _choose_files(self) -> None:
        dialog = QFileDialog(self._window, translate("composer", "Attach files"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.attachments.add([Path(name) for name in names]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _remove_sent(self, key: str, draft: Draft) -> None:
        """Remove a sent draft: from the composer if its chat is open, otherwise from the cached drafts."""
        if key != self._key:
            self.drafts.remove_sent(key, draft)
            return
        self.card.dismiss()
        self._composer.remove_sent(draft.text)
        self.attachments.remove_sent(draft.attachments)
        self._page.show_greeting(False)

    def _move_to_new_chat(self) -> None:
        """Move the draft to a new chat. The new chat has the settings of the old one, except for `leaves_out` and the
        summary. The old chat does not change."""
        sessions = self._chats.sessions
        self.settings.sheet.flush()
        settings = replace(sessions.settings, leaves_out=False, summary="", summarised_to="")
        self.drafts.move(NEW_CHAT_KEY)
        sessions.new_chat()
        sessions.change_settings(settings)
        self._composer.setFocus()

    def _show_chat(self, chat: Chat | None) -> None:
        key = chat.id if chat is not None else NEW_CHAT_KEY
        if key != self._key:
            self._key = key
            if not self.sender.is_sending:
                self.sender.report_checking()
                self.overflow.chat_changed()
            self.drafts.switch(key, sent=self.sender.is_sending)
        self.usage.recount()

    def _notify(self, text: str) -> None:
        self._window.toast.show_message(text, alert=True)

    def _notify_about(self, key: str, text: str) -> None:
        """Show a toast with the title of a chat in its text. If another chat is open, the toast has a button that opens
        the chat."""
        chat = self._chats.sessions.chat(key)
        text = text.replace("{title}", chat.title if chat is not None else translate("composer", "New chat"))
        if chat is None or key == self._key:
            self._notify(text)
        else:
            action = translate("composer", "Open the chat")
            self._window.toast.show_message(
                text, alert=True, action=action, act=lambda: self._chats.sessions.open_chat(key)
            )
