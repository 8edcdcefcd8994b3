"""What happens when a person does something with a message: edits it, steps through its versions, asks for others."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect

from desktop import sentences
from desktop.chat.controller import ChatController
from desktop.tasks import TaskSet
from desktop.transcript.view import TranscriptView
from desktop.widgets.word_choices import WordChoices
from desktop.windows.main_window import MainWindow
from engine.errors import EngineError

UNDO_MS = 8_000


class MessageWiring(QObject):
    """Connects the transcript of one window to its chats. GUI thread only."""

    def __init__(self, window: MainWindow, transcript: TranscriptView, chats: ChatController, tasks: TaskSet) -> None:
        super().__init__(window)
        self._window, self._transcript, self._chats, self._tasks = window, transcript, chats, tasks
        transcript.retry_asked.connect(chats.retry)
        transcript.continue_asked.connect(chats.go_on)
        transcript.edited.connect(chats.edit)
        transcript.version_asked.connect(chats.version)
        transcript.alternatives_asked.connect(lambda message_id: chats.alternatives(message_id))
        transcript.picked.connect(chats.pick)
        transcript.delete_asked.connect(self._delete)
        chats.pointed_at.connect(transcript.show_message)
        transcript.word_asked.connect(self._ask_word)

    def _delete(self, message_id: str) -> None:
        deletion = self._chats.delete_message(message_id)
        if deletion is not None:
            words = self.tr("%Ln messages are deleted.", "", len(deletion.removed.messages))
            self._window.notice.tell(
                words, action=self.tr("Undo"), act=lambda: self._chats.restore_messages(deletion), for_ms=UNDO_MS
            )

    def _ask_word(self, message_id: str, start: int, end: int, place: QRect) -> None:
        """Opens the card beside the word at once, and fills it when the model has said what else it thought of."""
        text = self._chats.text_of(message_id)
        if not text[start:end].strip():
            return
        card = WordChoices(text[start:end], self._window.theme, self._window)
        looking = self._tasks.spawn(self._fill(card, message_id, start, end), "look for other words")
        card.chosen.connect(lambda word: self._chats.go_on_from(message_id, start, word))
        card.closed.connect(looking.cancel)
        card.closed.connect(self._transcript.clear_word)
        card.open_at(place)

    async def _fill(self, card: WordChoices, message_id: str, start: int, end: int) -> None:
        try:
            choices = await self._chats.words(message_id, start, end)
        except EngineError as error:
            card.close()
            self._window.notice.tell(sentences.of(error), alert=True)
        else:
            card.show_choices(choices)
