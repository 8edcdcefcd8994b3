"""What the user can do in a chat: send, edit, retry, continue and delete messages, and switch between their versions.

Edits and new answers are added to the tree of messages. An existing message is changed only when the user continues the
last answer of a branch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from desktop.chat.answer_source import AnswerSource
from desktop.chat.answer_writer import ChatSession
from desktop.chat.conversation import Conversation, RemovedMessages, new_id
from desktop.chat.organizer import ChatOrganizer
from desktop.chat.prompt import ChatPrompt, prompt_messages
from desktop.chat.sessions import ChatSessions
from desktop.chat.titles import title_of
from desktop.chat.token_alternatives import TokenAlternative, token_alternatives
from desktop.models.model_controller import ModelController
from desktop.store.records import Attachment, Chat, ChatMessage, ChatSettings, Role, State
from desktop.store.store import Store
from engine.requests import Message

CONTINUABLE: frozenset[State] = frozenset({"failed", "cut", "stopped", "length"})
"""States of answers that the user can continue."""

N_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Deletion:
    """Messages deleted from a chat. `ChatController.restore_messages` takes this object to undo the deletion."""

    session: ChatSession
    removed: RemovedMessages


class ChatController:
    """Changes the messages of the chats. There is one instance per window; `sessions` holds the chats, and `organizer`
    their folders.

    Messages are given by id. Methods ignore the id of a message that is not in the open chat or has the wrong role. GUI
    thread only."""

    def __init__(self, store: Store, models: ModelController, prepare: Callable[[Sequence[str]], None]) -> None:
        """For the parameter `prepare`, see `ChatSessions`."""
        self.sessions = ChatSessions(store, models, prepare)
        self.organizer = ChatOrganizer(self.sessions)
        self._models = models

    async def load(self) -> None:
        """Read folders and chats from the store. Raises StoreError."""
        await self.organizer.load()
        await self.sessions.load()

    async def aclose(self) -> None:
        """Stop all answers, and wait until everything is saved. Idempotent."""
        await self.sessions.aclose()

    def send(self, text: str, attachments: Sequence[Attachment] = ()) -> bool:
        """Send a message in the open chat. Its answer starts as soon as the model is loaded.

        Returns False, and does nothing, if the message is empty or an answer is being written in the open chat."""
        text = text.strip()
        if not (text or attachments) or self.sessions.answering:
            return False
        self._ask(self.sessions.session or self.sessions.begin(text or attachments[0].name), text, attachments)
        return True

    async def send_to_chat(self, chat_id: str, text: str, attachments: Sequence[Attachment] = ()) -> bool:
        """Send a message in any chat. Returns False in the same cases as `send`, and if the chat is deleted or cannot
        be read."""
        session, text = await self.sessions.session_of(chat_id), text.strip()
        if session is None or session.is_answering or not (text or attachments):
            return False
        self._ask(session, text, attachments)
        return True

    def send_in_new_chat(
        self, text: str, attachments: Sequence[Attachment] = (), settings: ChatSettings = ChatSettings()
    ) -> ChatMessage | None:
        """Send a message in a new chat, without opening this chat. Returns the answer, which has no text yet.

        Returns None, and does nothing, if the message is empty."""
        text, now_s = text.strip(), time.time()
        if not (text or attachments):
            return None
        chat = Chat(new_id(), title_of(text or attachments[0].name), now_s, now_s, settings=settings)
        session = ChatSession(chat, Conversation())
        question = replace(_message(session, "user", text, None), attachments=tuple(attachments))
        answer = _message(session, "assistant", "", question.id)
        for message in (question, answer):
            session.conversation.put(message)
        self.sessions.title_generator.cancel()
        self.sessions.update_leaf(session)
        self.sessions.answer_writer.write(session, answer, ChatPrompt((question,), settings), question)
        self.sessions.marks_changed.emit()
        return answer

    def stop(self) -> None:
        """Stop the answers in the open chat and keep their text. Idempotent."""
        if self.sessions.current is not None:
            self.sessions.stop_chat(self.sessions.current.id)

    def edit(self, message_id: str, text: str) -> None:
        """Add a version of this message with this text. A question with a new text is answered again. If the message is
        an answer, its new version has the text that the user typed, and the model writes nothing."""
        found = self._find(message_id)
        text = text.strip()
        if found is None or text == found[1].text or not (text or found[1].attachments):
            return
        session, old = found
        new = _message(session, old.role, text, old.parent_id, "complete")
        if old.role == "user":
            session.stop()
            self._answer(session, replace(new, attachments=old.attachments))
            return
        new = replace(new, model_id=old.model_id)
        session.conversation.put(new)
        self._show_branch(session, new)

    def retry(self, message_id: str) -> None:
        """Let the model write a new version of this answer."""
        if (found := self._find(message_id, "assistant")) is not None:
            session, old = found
            session.stop()
            self._write_version(session, _message(session, "assistant", "", old.parent_id))

    def write_alternatives(self, message_id: str, n: int = N_ALTERNATIVES) -> None:
        """Let the model write `n` answers to a question at once, with one prefill. `message_id` is the question or one
        of its answers.

        The answers are shown side by side until the user sends the next message."""
        found = self._find(message_id)
        if found is None or (question_id := _question_id(found[1])) is None:
            return
        session = found[0]
        session.stop()
        group_id = new_id()
        answers = [replace(_message(session, "assistant", "", question_id), group_id=group_id) for _ in range(n)]
        for answer in answers:
            session.conversation.put(answer)
        session.conversation.end_at(answers[0].id)
        self.sessions.update_leaf(session)
        self.sessions.answer_writer.write_several(session, answers, _prompt_to(session, question_id))
        self._show_new_answer()

    def compare(self, sources: Sequence[AnswerSource], text: str = "", attachments: Sequence[Attachment] = ()) -> bool:
        """Let each of these models answer a message in the open chat; without text and attachments, the last question.

        The answers are shown side by side until the user sends the next message. Returns False, and does nothing, if
        there is no question or an answer is being written in the open chat."""
        text, sessions = text.strip(), self.sessions
        if sessions.answering:
            return False
        if text or attachments:
            session = sessions.session or sessions.begin(text or attachments[0].name)
            question = _message(session, "user", text, session.conversation.leaf_id)
            question = replace(question, attachments=tuple(attachments))
            session.conversation.put(question)
        else:
            last = sessions.messages.last
            found = self._find((_question_id(last) if last is not None else None) or "", "user")
            if found is None:
                return False
            session, question = found
        self._compare(session, question, sources)
        return True

    def pick(self, message_id: str) -> None:
        """Choose one of the answers shown side by side, so that the chat continues from it. The other answers become
        further versions of it."""
        if (found := self._find(message_id, "assistant")) is not None:
            found[0].conversation.show(message_id)
            self._show_branch(found[0])

    def step_version(self, message_id: str, step: int) -> None:
        """Show another version of this message: the one `step` versions later. Below it, the branch that was last shown
        there is shown again."""
        found = self._find(message_id)
        if found is not None and found[0].conversation.step(message_id, step):
            self._show_branch(found[0])

    def continue_answer(self, message_id: str) -> None:
        """Let the model continue an answer that is cut, stopped, failed or at its maximum length. The text so far is
        kept. If messages follow the answer, a new version of it is continued."""
        found = self._find(message_id, "assistant")
        if found is None or found[1].state not in CONTINUABLE or message_id in found[0].answers:
            return
        session, message = found
        message = replace(message, state="streaming", note="")
        session.stop()
        if session.conversation.is_leaf(message_id):
            self._write_version(session, message)
        else:
            self._write_version(session, _new_version(message, len(message.text)))

    def continue_from(self, message_id: str, start: int, word: str) -> None:
        """Write a new version of this answer. It has the same text up to `start`, then `word`; the model continues from
        there."""
        found = self._find(message_id, "assistant")
        if found is not None and word:
            session, old = found
            session.stop()
            new = _new_version(old, start)
            self._write_version(session, replace(new, text=new.text + word))

    async def token_alternatives(self, message_id: str, start: int, end: int) -> list[TokenAlternative]:
        """Words that could replace `text[start:end]` in this answer, the most likely one first. Raises EngineError."""
        found = self._find(message_id, "assistant")
        if found is None:
            return []
        session, message = found
        prompt = _prompt_to(session, message.parent_id)
        engine = await self._models.ready()
        model = engine.status.model
        if model is not None and model.host and (model.id, model.host) != (message.model_id, message.host):
            return []  # a model elsewhere gets only the chats that it answers
        return await token_alternatives(engine, await prompt.request(engine), message.text, start, end)

    def delete_message(self, message_id: str) -> Deletion | None:
        """Delete this message and all messages that follow it on any branch. `restore_messages` can undo this until the
        app closes."""
        found = self._find(message_id)
        if found is None:
            return None
        session = found[0]
        removed = session.conversation.remove(message_id)
        ids = [message.id for message in removed.messages]
        for each in ids:
            if each in session.answers:
                session.answers[each].stop()
        self._show_branch(session)
        self.sessions.tasks.spawn(self.sessions.store.delete_messages(ids), f"delete message {message_id}")
        return Deletion(session, removed)

    def n_deleted_with(self, message_id: str) -> int:
        """Number of messages that `delete_message` would delete; 0 if this message is not in the open chat."""
        found = self._find(message_id)
        return len(found[0].conversation.descendants(message_id)) if found is not None else 0

    def restore_messages(self, deletion: Deletion) -> None:
        """Undo `delete_message`, even if another chat was opened since."""
        sessions, session = self.sessions, deletion.session
        if sessions.session is not None and sessions.session.chat.id == session.chat.id:
            session = sessions.session
        session.removed_answers |= deletion.session.removed_answers
        session.restore(deletion.removed)
        session.chat = sessions.chats_by_id.get(session.chat.id, session.chat)
        ids = [message.id for message in deletion.removed.messages]
        sessions.tasks.spawn(sessions.store.restore_messages(ids), "restore messages")
        self._show_branch(session)

    def text_of(self, message_id: str) -> str:
        """Text of a message; "" if the message is not in the open chat."""
        found = self._find(message_id)
        return found[1].text if found else ""

    def prompt_preview(self, text: str = "", attachments: Sequence[Attachment] = ()) -> tuple[Message, ...]:
        """The whole prompt that the model would get if this message were sent now, even if it does not fit into the
        context."""
        session = self.sessions.session
        branch = session.conversation.branch() if session else []
        if text or attachments:
            chat_id = session.chat.id if session else ""
            question = ChatMessage("", chat_id, None, "user", text, "complete", 0.0, attachments=tuple(attachments))
            branch = [*branch, question]
        return prompt_messages(branch, self.sessions.settings)

    def _find(self, message_id: str, role: str | None = None) -> tuple[ChatSession, ChatMessage] | None:
        """Find a message in the open chat. Returns None if the chat has no message with this id and role."""
        session = self.sessions.session
        if session is None or message_id not in session.conversation:
            return None
        message = session.conversation[message_id]
        return (session, message) if role in (None, message.role) else None

    def _ask(self, session: ChatSession, text: str, attachments: Sequence[Attachment]) -> None:
        question = _message(session, "user", text, session.conversation.leaf_id)
        self._answer(session, replace(question, attachments=tuple(attachments)))

    def _answer(self, session: ChatSession, question: ChatMessage) -> None:
        """Add the question to its chat, and let the model answer it."""
        sessions = self.sessions
        is_appended = question.parent_id == session.conversation.leaf_id
        session.conversation.put(question)
        answer = _message(session, "assistant", "", question.id)
        session.conversation.put(answer)
        sessions.title_generator.cancel()
        sessions.update_leaf(session, updated_s=question.created_s, archived=False)
        sessions.answer_writer.write(session, answer, _prompt_to(session, question.id), question)
        if session is sessions.session and is_appended and not sessions.messages.shows_alternatives:
            sessions.messages.append(question, answer)
            sessions.marks_changed.emit()
            sessions.announce()
        else:
            self._show_new_answer()

    def _compare(self, session: ChatSession, question: ChatMessage, sources: Sequence[AnswerSource]) -> None:
        group_id = new_id()
        blank = [_message(session, "assistant", "", question.id) for _ in sources]
        answers = [
            replace(each, group_id=group_id, model_id=source.model_id, host=source.host)
            for each, source in zip(blank, sources, strict=True)
        ]
        for answer in answers:
            session.conversation.put(answer)
        session.conversation.end_at(answers[0].id)
        self.sessions.update_leaf(session, updated_s=answers[0].created_s, archived=False)
        prompt = _prompt_to(session, question.id)
        self.sessions.answer_writer.write_compared(session, answers, sources, prompt, question)
        self._show_new_answer()

    def _write_version(self, session: ChatSession, answer: ChatMessage) -> None:
        """Make this new or continued answer the leaf of the shown branch, and let the model write it."""
        session.conversation.put(answer)
        session.conversation.end_at(answer.id)
        self.sessions.update_leaf(session)
        self.sessions.answer_writer.write(session, answer, _prompt_to(session, answer.parent_id))
        self._show_new_answer()

    def _show_new_answer(self) -> None:
        self.sessions.title_generator.cancel()
        self.sessions.show_branch()
        self.sessions.marks_changed.emit()
        self.sessions.announce()

    def _show_branch(self, session: ChatSession, *new: ChatMessage) -> None:
        """Show and save the shown branch of a chat after a change. `new` are the messages added by the change."""
        sessions = self.sessions
        sessions.update_leaf(session)
        if session is sessions.session:
            sessions.show_branch()
            sessions.announce()
        sessions.tasks.spawn(sessions.write_queue.save(session.chat, *new), f"save chat {session.chat.id}")


def _message(
    session: ChatSession, role: Role, text: str, parent_id: str | None, state: State | None = None
) -> ChatMessage:
    """New message. Unless `state` is given, the state of an answer is "streaming" and that of a question "complete"."""
    state = state or ("streaming" if role == "assistant" else "complete")
    return ChatMessage(new_id(), session.chat.id, parent_id, role, text, state, time.time())


def _prompt_to(session: ChatSession, message_id: str | None) -> ChatPrompt:
    """Prompt for an answer to this message."""
    return ChatPrompt(tuple(session.conversation.path(message_id)), session.chat.settings)


def _question_id(message: ChatMessage) -> str | None:
    return message.id if message.role == "user" else message.parent_id


def _new_version(old: ChatMessage, end: int) -> ChatMessage:
    """New version of an answer, with the old text up to `end`. The model is about to continue it."""
    return replace(
        old,
        id=new_id(),
        text=old.text[:end],
        state="streaming",
        note="",
        created_s=time.time(),
        n_output=0,
        n_drafted=0,
        n_accepted=0,
        decode_s=0.0,
        first_token_s=0.0,
        calls=(),
        group_id="",
    )
