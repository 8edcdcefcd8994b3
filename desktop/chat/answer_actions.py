"""Actions on the last answer of the open chat: retry it, write alternative answers, continue it, edit the question,
copy it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QGuiApplication

from desktop.chat.controller import CONTINUABLE, ChatController
from desktop.chat.page import ChatPage
from desktop.framework.actions import Action
from desktop.framework.app_window import AppWindow
from desktop.store.records import ChatMessage

translate = QCoreApplication.translate


def answer_actions(window: AppWindow, page: ChatPage, chats: ChatController) -> list[Action]:
    """Make the actions on the last answer. They are enabled only while the last message of the open chat is an answer
    and no answer in this chat is being written, except for answers that are stopping. GUI thread only."""

    def last_answer() -> ChatMessage | None:
        last, sessions = chats.sessions.messages.last, chats.sessions
        is_possible = sessions.stopping or not sessions.answering
        return last if last is not None and last.role == "assistant" and is_possible else None

    def action(
        name: str,
        text: str,
        act: Callable[[ChatMessage], object],
        is_possible: Callable[[ChatMessage], bool] = lambda answer: True,
    ) -> Action:
        def run() -> None:
            if (answer := last_answer()) is not None:
                window.show_page("chat")
                act(answer)

        return Action(
            name, text, run, is_possible=lambda: (answer := last_answer()) is not None and is_possible(answer)
        )

    def edit_question(answer: ChatMessage) -> None:
        if page.transcript is not None and answer.parent_id is not None:
            page.transcript.edit(answer.parent_id)

    again, several = translate("actions", "Answer once more"), translate("actions", "Three answers side by side")
    return [
        action("answer_again", again, lambda answer: chats.retry(answer.id)),
        action("answers_beside", several, lambda answer: chats.write_alternatives(answer.id)),
        action(
            "continue_answer",
            translate("actions", "Continue the answer"),
            lambda answer: chats.continue_answer(answer.id),
            lambda answer: answer.state in CONTINUABLE,
        ),
        action("edit_question", translate("actions", "Edit the last question"), edit_question),
        action(
            "copy_answer",
            translate("actions", "Copy the last answer"),
            lambda answer: QGuiApplication.clipboard().setText(answer.text),
        ),
    ]
