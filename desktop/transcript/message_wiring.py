"""Connects the message actions of the transcript to the chats: edit, retry, delete, versions, token alternatives."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QIODevice, QObject, QRect, QSaveFile
from PySide6.QtWidgets import QFileDialog

from desktop.chat.controller import ChatController, Deletion
from desktop.chat.page import ChatPage
from desktop.error_messages import error_message
from desktop.framework.app_window import AppWindow
from desktop.platform.surrogates import well_formed
from desktop.platform.task_set import TaskSet
from desktop.render.blocks import Block
from desktop.render.code_highlighting import file_name
from desktop.transcript.token_alternatives_popup import TokenAlternativesPopup
from desktop.transcript.view import TranscriptView
from engine.errors import EngineError
from engine.redacted_traceback import redacted_traceback

log = logging.getLogger(__name__)


class MessageWiring(QObject):
    """Connects the transcript of one window to its chats. GUI thread only."""

    def __init__(
        self, window: AppWindow, page: ChatPage, transcript: TranscriptView, chats: ChatController, tasks: TaskSet
    ) -> None:
        super().__init__(window)
        self._window, self._transcript, self._chats, self._tasks = window, transcript, chats, tasks
        self._deletions: list[Deletion] = []
        """The deletions that the undo button of the current toast reverts together."""
        self._toast_text = ""
        self._undo: Callable[[], None] = lambda: None
        transcript.n_deleted = chats.n_deleted_with
        transcript.retry_requested.connect(chats.retry)
        transcript.continue_requested.connect(chats.continue_answer)
        transcript.edited.connect(chats.edit)
        transcript.version_requested.connect(chats.step_version)
        transcript.alternatives_requested.connect(lambda message_id: chats.write_alternatives(message_id))
        transcript.picked.connect(chats.pick)
        transcript.stop_requested.connect(chats.sessions.stop_answer)
        transcript.delete_requested.connect(self._delete)
        chats.sessions.message_focused.connect(transcript.show_message)
        transcript.token_alternatives_requested.connect(self._show_token_alternatives)
        transcript.typed.connect(page.composer.insert_text)
        transcript.save_requested.connect(self._save_code)

    def _delete(self, message_id: str) -> None:
        """Deletes a message and all that follow it, with a toast to undo this.

        If the toast of the previous deletion is still shown, both deletions are undone together, since a double click
        may delete two messages."""
        deletion = self._chats.delete_message(message_id)
        if deletion is None:
            return
        stack = self._window.undo_stack
        if self._toast_text and self._window.toast.text == self._toast_text:
            stack.remove(self._undo)
            deletions = [*self._deletions, deletion]
        else:
            deletions = [deletion]

        def undo() -> None:
            for each in reversed(deletions):
                self._chats.restore_messages(each)

        n_messages = sum(len(each.removed.messages) for each in deletions)
        self._toast_text = self.tr("%Ln messages are deleted.", "", n_messages)
        self._deletions, self._undo = deletions, undo
        stack.push(self._toast_text, undo)

    def _save_code(self, block: Block) -> None:
        dialog = QFileDialog(self._window, self.tr("Save this code"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(file_name(block.language))
        dialog.fileSelected.connect(lambda path: self._save(block.code, Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _save(self, code: str, path: Path) -> None:
        """Saves the code of a block atomically: if writing fails, an existing file is unchanged."""
        file = QSaveFile(str(path))
        data = well_formed(code).encode() + (b"" if code.endswith("\n") else b"\n")
        if not (file.open(QIODevice.OpenModeFlag.WriteOnly) and file.write(data) == len(data) and file.commit()):
            text = self.tr("{name} could not be saved: {reason}").format(name=path.name, reason=file.errorString())
            self._window.toast.show_message(text, alert=True)

    def _show_token_alternatives(self, message_id: str, start: int, end: int, word_box: QRect) -> None:
        """Opens the popup with placeholders, and fills it when the alternatives are computed."""
        text = self._chats.text_of(message_id)
        if not text[start:end].strip():
            return
        popup = TokenAlternativesPopup(text[start:end], self._window.theme, self._window)
        lookup = self._tasks.spawn(self._fill_popup(popup, message_id, start, end), "token alternatives")
        popup.chosen.connect(lambda word: self._chats.continue_from(message_id, start, word))
        popup.closed.connect(lookup.cancel)
        popup.closed.connect(self._transcript.clear_word_mark)
        popup.open_at(word_box)

    async def _fill_popup(self, popup: TokenAlternativesPopup, message_id: str, start: int, end: int) -> None:
        try:
            choices = await self._chats.token_alternatives(message_id, start, end)
        except Exception as error:  # the popup must not stay open without alternatives
            popup.close()
            self._window.toast.show_message(error_message(error), alert=True)
            if not isinstance(error, EngineError):
                log.error("cannot compute token alternatives\n%s", redacted_traceback(error))
        else:
            popup.show_alternatives(choices)
