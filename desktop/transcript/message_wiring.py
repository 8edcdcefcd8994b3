"""What happens when a person does something with a message: edits it, steps through its versions, asks for others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QIODevice, QObject, QRect, QSaveFile
from PySide6.QtWidgets import QFileDialog

from desktop.chat.controller import ChatController, Deletion
from desktop.error_messages import error_message
from desktop.platform.surrogates import well_formed
from desktop.platform.task_set import TaskSet
from desktop.render.blocks import Block
from desktop.render.code_highlighting import file_name
from desktop.shell.main_window import MainWindow
from desktop.transcript.token_alternatives_popup import TokenAlternativesPopup
from desktop.transcript.view import TranscriptView
from engine.errors import EngineError
from engine.redacted_traceback import redacted_traceback

log = logging.getLogger(__name__)


class MessageWiring(QObject):
    """Connects the transcript of one window to its chats. GUI thread only."""

    def __init__(self, window: MainWindow, transcript: TranscriptView, chats: ChatController, tasks: TaskSet) -> None:
        super().__init__(window)
        self._window, self._transcript, self._chats, self._tasks = window, transcript, chats, tasks
        self._deletions: list[Deletion] = []
        """Those that the newest notice offers to undo together."""
        self._told = ""
        self._undo: Callable[[], None] = lambda: None
        transcript.n_deleted = chats.n_deleted_with
        transcript.retry_requested.connect(chats.retry)
        transcript.continue_requested.connect(chats.continue_answer)
        transcript.edited.connect(chats.edit)
        transcript.version_requested.connect(chats.step_version)
        transcript.alternatives_requested.connect(lambda message_id: chats.write_alternatives(message_id))
        transcript.picked.connect(chats.pick)
        transcript.delete_requested.connect(self._delete)
        chats.sessions.message_focused.connect(transcript.show_message)
        transcript.token_alternatives_requested.connect(self._ask_word)
        transcript.typed.connect(window.composer.write)
        transcript.save_requested.connect(self._choose_file)

    def _delete(self, message_id: str) -> None:
        """What was deleted a moment ago, and can still be brought back, comes back with it: a click may be double."""
        deletion = self._chats.delete_message(message_id)
        if deletion is None:
            return
        stack = self._window.undo_stack
        if self._told and self._window.toast.text == self._told:
            stack.remove(self._undo)
            deletions = [*self._deletions, deletion]
        else:
            deletions = [deletion]

        def undo() -> None:
            for each in reversed(deletions):
                self._chats.restore_messages(each)

        n_messages = sum(len(each.removed.messages) for each in deletions)
        self._told = self.tr("%Ln messages are deleted.", "", n_messages)
        self._deletions, self._undo = deletions, undo
        stack.push(self._told, undo)

    def _choose_file(self, block: Block) -> None:
        dialog = QFileDialog(self._window, self.tr("Save this code"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(file_name(block.language))
        dialog.fileSelected.connect(lambda path: self._save(block.code, Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _save(self, code: str, path: Path) -> None:
        """Whole or not at all: what stood there before stays where it fails."""
        file = QSaveFile(str(path))
        data = well_formed(code).encode() + (b"" if code.endswith("\n") else b"\n")
        if not (file.open(QIODevice.OpenModeFlag.WriteOnly) and file.write(data) == len(data) and file.commit()):
            words = self.tr("{name} could not be saved: {reason}").format(name=path.name, reason=file.errorString())
            self._window.toast.show_message(words, alert=True)

    def _ask_word(self, message_id: str, start: int, end: int, place: QRect) -> None:
        """Opens the card beside the word at once, and fills it when the model has said what else it thought of."""
        text = self._chats.text_of(message_id)
        if not text[start:end].strip():
            return
        card = TokenAlternativesPopup(text[start:end], self._window.theme, self._window)
        looking = self._tasks.spawn(self._fill(card, message_id, start, end), "look for other words")
        card.chosen.connect(lambda word: self._chats.continue_from(message_id, start, word))
        card.closed.connect(looking.cancel)
        card.closed.connect(self._transcript.clear_word_mark)
        card.open_at(place)

    async def _fill(self, card: TokenAlternativesPopup, message_id: str, start: int, end: int) -> None:
        try:
            choices = await self._chats.token_alternatives(message_id, start, end)
        except Exception as error:  # whatever it is: the card must not wait for ever
            card.close()
            self._window.toast.show_message(error_message(error), alert=True)
            if not isinstance(error, EngineError):
                log.error("looking for other words failed\n%s", redacted_traceback(error))
        else:
            card.show_alternatives(choices)
