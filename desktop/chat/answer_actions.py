"""Actions for the last answer of the open chat."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QGuiApplication

from desktop.chat.controller import CONTINUABLE, ChatController
from desktop.chat.page import ChatPage
from desktop.framework.actions import Action
from desktop.framework.app_window import AppWindow
from desktop.store.records import ChatMessage

translate = QCoreApplication.translate


def answer_actions(window: AppWindow, page: ChatPage, chats: ChatController) -> list[Action]:
    """Enabled while the open chat ends with an answer that is not being written. GUI thread only."""

    def last() -> ChatMessage | None:
        rows = chats.sessions.messages
        answer = rows[len(rows) - 1] if len(rows) else None
        return answer if answer is not None and answer.role == "assistant" and not chats.sessions.answering else None

    def with_last(act: Callable[[ChatMessage], object]) -> Callable[[], None]:
        def run() -> None:
            if (answer := last()) is not None:
                window.show_page("chat")
                act(answer)

        return run

    def can_continue() -> bool:
        answer = last()
        return answer is not None and answer.state in CONTINUABLE

    def edit_question(answer: ChatMessage) -> None:
        if page.transcript is not None and answer.parent_id is not None:
            page.transcript.edit(answer.parent_id)

    of_last = partial(Action, is_possible=lambda: last() is not None)
    return [
        of_last(
            "answer_again", translate("actions", "Answer once more"), with_last(lambda answer: chats.retry(answer.id))
        ),
        of_last(
            "answers_beside",
            translate("actions", "Three answers side by side"),
            with_last(lambda answer: chats.write_alternatives(answer.id)),
        ),
        Action(
            "continue_answer",
            translate("actions", "Continue the answer"),
            with_last(lambda answer: chats.continue_answer(answer.id)),
            is_possible=can_continue,
        ),
        of_last("edit_question", translate("actions", "Edit the last question"), with_last(edit_question)),
        of_last(
            "copy_answer",
            translate("actions", "Copy the last answer"),
            with_last(lambda answer: QGuiApplication.clipboard().setText(answer.text)),
        ),
    ]
