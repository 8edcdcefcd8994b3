"""What a person does in a chat: ask, edit, ask again, step through versions, go on, take away. Nothing is overwritten
but an answer that is gone on with; everything else is a new branch of the chat's tree."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from desktop.chat.conversation import Conversation, RemovedMessages
from desktop.chat.organizer import ChatOrganizer
from desktop.chat.prompt import Prompt
from desktop.chat.prompt_messages import prompt_for
from desktop.chat.session import ChatSession, new_id
from desktop.chat.titles import title_of
from desktop.chat.token_alternatives import TokenAlternative, word_choices
from desktop.store.records import Attachment, Chat, ChatMessage, ChatSettings, State
from engine.requests import Message

CONTINUABLE: frozenset[State] = frozenset({"failed", "cut", "stopped", "length"})
"""What can be gone on with."""

N_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Deletion:
    """Messages that were deleted from a chat, so that they can be restored."""

    session: ChatSession
    removed: RemovedMessages


class ChatController(ChatOrganizer):
    """One per window. `messages` and `chats` are what it shows. Messages are named by their ids; what is not in the
    open chat, or not of the right kind, is left alone. GUI thread only."""

    def send(self, text: str, attachments: Sequence[Attachment] = ()) -> bool:
        """Takes a message and has it answered; while the model is still loading, as soon as it is there.

        False, and nothing is done, for an empty message or while an answer is being written in the open chat."""
        text = text.strip()
        if not (text or attachments) or self.answering:
            return False
        session = self._current or self._begin(title_of(text or attachments[0].name))
        asked = self._message(session, "user", text, session.conversation.leaf_id, "complete")
        self._answer_to(session, replace(asked, attachments=tuple(attachments)))
        return True

    async def send_to_chat(self, chat_id: str, text: str, attachments: Sequence[Attachment] = ()) -> bool:
        """As `send`, in a chat that need not be open. False also where the chat is gone or cannot be read."""
        session, text = await self._session_of(chat_id), text.strip()
        if session is None or session.is_live or not (text or attachments):
            return False
        asked = self._message(session, "user", text, session.conversation.leaf_id, "complete")
        self._answer_to(session, replace(asked, attachments=tuple(attachments)))
        return True

    def send_in_new_chat(
        self, text: str, attachments: Sequence[Attachment] = (), settings: ChatSettings = ChatSettings()
    ) -> ChatMessage | None:
        """Begins a chat with this question, beside the one that is open. Returns its answer as it begins; None, and
        nothing is done, for an empty question."""
        text, now = text.strip(), time.time()
        if not (text or attachments):
            return None
        chat = Chat(new_id(), title_of(text or attachments[0].name), now, now, settings=settings)
        session = ChatSession(chat, Conversation())
        question = self._message(session, "user", text, None, "complete")
        question = replace(question, attachments=tuple(attachments))
        answer = self._message(session, "assistant", "", question.id, "streaming")
        for message in (question, answer):
            session.conversation.put(message)
        self._title_generator.cancel()
        self._keep_chat(session)
        self._writer.write(session, answer, Prompt((question,), session.chat.settings), question)
        self._mark()
        return answer

    def stop_chat(self, chat_id: str) -> None:
        """Ends what is being written in this chat, whether it is open or not. Idempotent."""
        if (session := self._writer.live.get(chat_id)) is not None:
            session.stop()
            self.stop_requested.emit(chat_id)

    def stop(self) -> None:
        """Ends what is being written in the open chat; what was written stays. Idempotent."""
        if self._current is not None:
            self.stop_chat(self._current.chat.id)

    def edit(self, message_id: str, text: str) -> None:
        """A new version with this text. A question is answered anew; an answer stays as the person wrote it."""
        found = self._found(message_id)
        text = text.strip()
        if found is None or text == found[1].text or not (text or found[1].attachments):
            return
        session, old = found
        new = self._message(session, old.role, text, old.parent_id, "complete")
        if old.role == "user":
            session.stop()
            self._answer_to(session, replace(new, attachments=old.attachments))
            return
        new = replace(new, model_id=old.model_id)
        session.conversation.put(new)
        self._keep_chat(session)
        self._show_branch()
        self._announce()
        self._tasks.spawn(self._write_queue.save(session.chat, new), f"save message {new.id}")

    def retry(self, message_id: str) -> None:
        """Has the same question answered once more: a new version of this answer."""
        found = self._found(message_id, "assistant")
        if found is not None:
            session, old = found
            session.stop()
            self._write_version(session, self._message(session, "assistant", "", old.parent_id, "streaming"))

    def version(self, message_id: str, step: int) -> None:
        """Shows the version so many places further, with what was last seen after it."""
        found = self._found(message_id)
        if found is not None and found[0].conversation.step(message_id, step):
            self._show_other(found[0])

    def alternatives(self, message_id: str, n: int = N_ALTERNATIVES) -> None:
        """Several answers at once to a question, or to the one that this message answers, from one reading of the
        prompt. They are seen side by side until the chat goes on from one of them."""
        found = self._found(message_id)
        if found is None or (question_id := _question_of(found[1])) is None:
            return
        session = found[0]
        session.stop()
        group_id = new_id()
        answers = [
            replace(self._message(session, "assistant", "", question_id, "streaming"), group_id=group_id)
            for _ in range(n)
        ]
        for answer in answers:
            session.conversation.put(answer)
        session.conversation.end_at(answers[0].id)
        self._keep_chat(session)
        prompt = Prompt(tuple(session.conversation.path(question_id)), session.chat.settings)
        self._writer.write_several(session, answers, prompt)
        self._show_new_answer()

    def pick(self, message_id: str) -> None:
        """Goes on from this one of the answers side by side; the others stay as its versions."""
        found = self._found(message_id, "assistant")
        if found is not None:
            found[0].conversation.show(message_id)
            self._show_other(found[0])

    def go_on(self, message_id: str) -> None:
        """Goes on with an answer that was cut, stopped, failed or ran out of length, from its last word. What is there
        stays, whatever happens. Where the chat has gone on from it, it does so as a new version."""
        found = self._found(message_id, "assistant")
        if found is None or found[1].state not in CONTINUABLE or message_id in found[0].answers:
            return
        session, message = found
        message = replace(message, state="streaming", note="")
        session.stop()
        if session.conversation.is_leaf(message_id):
            session.conversation.put(message)
            self._write_version(session, message)
        else:
            self._write_version(session, _as_new(message, len(message.text)))

    def continue_from(self, message_id: str, start: int, word: str) -> None:
        """A new version of this answer, which is the same up to `start`, then says `word` and goes on from there."""
        found = self._found(message_id, "assistant")
        if found is not None and word:
            session, old = found
            session.stop()
            new = _as_new(old, start)
            self._write_version(session, replace(new, text=new.text + word))

    def text_of(self, message_id: str) -> str:
        """The words of a message as they are now; "" where it is not in the open chat."""
        found = self._found(message_id)
        return found[1].text if found else ""

    async def words(self, message_id: str, start: int, end: int) -> list[TokenAlternative]:
        """What could have stood in the place of `text[start:end]` of this answer, the likeliest first.

        Raises EngineError."""
        found = self._found(message_id, "assistant")
        if found is None:
            return []
        session, message = found
        prompt = Prompt(tuple(session.conversation.path(message.parent_id)), session.chat.settings)
        engine = await self._models.ready()
        return await word_choices(engine, await prompt.request(engine), message.text, start, end)

    def delete_message(self, message_id: str) -> Deletion | None:
        """Takes away this message and what follows it, on every branch; `restore_messages` brings it back as long as
        the app runs."""
        found = self._found(message_id)
        if found is None:
            return None
        session = found[0]
        removed = session.conversation.remove(message_id)
        for message in removed.messages:
            if message.id in session.answers:
                session.answers[message.id].stop()
        ids = [message.id for message in removed.messages]
        self._show_other(session)
        self._tasks.spawn(self._store.delete_messages(ids), f"delete message {message_id}")
        return Deletion(session, removed)

    def n_deleted_with(self, message_id: str) -> int:
        """How many messages `delete_message` would delete, on all branches; 0 where it is not in the open chat."""
        found = self._found(message_id)
        return len(found[0].conversation.descendants(message_id)) if found is not None else 0

    def restore_messages(self, deletion: Deletion) -> None:
        """Undoes `delete_message`, also where another chat is open meanwhile."""
        session = deletion.session
        if self._current is not None and self._current.chat.id == session.chat.id:
            session = self._current
        session.away |= deletion.session.away
        session.restore(deletion.removed)
        session.chat = self._known.get(session.chat.id, session.chat)
        ids = [message.id for message in deletion.removed.messages]
        self._tasks.spawn(self._store.restore_messages(ids), "restore messages")
        self._show_other(session)

    def prompt_preview(self, text: str = "", attachments: Sequence[Attachment] = ()) -> tuple[Message, ...]:
        """What the model would read if this were sent now, all of it, whether it fits or not. Changes nothing."""
        branch = self._current.conversation.branch() if self._current else []
        if text or attachments:
            chat_id = self._current.chat.id if self._current else ""
            said = ChatMessage("", chat_id, None, "user", text, "complete", 0.0, attachments=tuple(attachments))
            branch = [*branch, said]
        return prompt_for(branch, self.settings)

    def _found(self, message_id: str, role: str | None = None) -> tuple[ChatSession, ChatMessage] | None:
        """The message and its chat, where that is open."""
        session = self._current
        if session is None or message_id not in session.conversation:
            return None
        message = session.conversation[message_id]
        return (session, message) if role in (None, message.role) else None

    def _answer_to(self, session: ChatSession, question: ChatMessage) -> None:
        """Puts the question where it belongs, and has it answered."""
        goes_on = question.parent_id == session.conversation.leaf_id
        session.conversation.put(question)
        answer = self._message(session, "assistant", "", question.id, "streaming")
        session.conversation.put(answer)
        self._title_generator.cancel()
        self._keep_chat(session, updated_s=question.created_s, archived=False)
        prompt = Prompt(tuple(session.conversation.path(question.id)), session.chat.settings)
        self._writer.write(session, answer, prompt, question)
        if session is self._current and goes_on and not self.messages.shows_alternatives:
            self.messages.append(question, answer)
            self._mark()
            self._announce()
        else:
            self._show_new_answer()

    def _write_version(self, session: ChatSession, answer: ChatMessage) -> None:
        """Has an answer written, new or begun, at the end of the branch that is shown then."""
        session.conversation.put(answer)
        session.conversation.end_at(answer.id)
        self._keep_chat(session)
        prompt = Prompt(tuple(session.conversation.path(answer.parent_id)), session.chat.settings)
        self._writer.write(session, answer, prompt)
        self._show_new_answer()

    def _show_new_answer(self) -> None:
        self._title_generator.cancel()
        self._show_branch()
        self._mark()
        self._announce()

    def _show_other(self, session: ChatSession) -> None:
        """The shown branch of a chat has changed, and nothing else."""
        self._keep_chat(session)
        if session is self._current:
            self._show_branch()
            self._announce()
        self._tasks.spawn(self._write_queue.save(session.chat), f"save chat {session.chat.id}")


def _question_of(message: ChatMessage) -> str | None:
    return message.id if message.role == "user" else message.parent_id


def _as_new(old: ChatMessage, end: int) -> ChatMessage:
    """A version of an answer that is the same up to `end` and is being written from there."""
    return replace(
        old,
        id=new_id(),
        text=old.text[:end],
        state="streaming",
        note="",
        created_s=time.time(),
        n_output=0,
        decode_s=0.0,
        first_token_s=0.0,
        calls=(),
        group_id="",
    )
