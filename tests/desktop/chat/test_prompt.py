"""Tests of prompts that are built from a branch, its attachments and the settings of the chat."""

from __future__ import annotations

from desktop.chat.prompt import fenced, prompt_messages, prompt_parts, with_attachments
from desktop.store.records import Attachment, ChatMessage, ChatSettings
from engine.requests import Message
from tests.desktop.chat.test_conversation import message


def row(text: str, role: str = "user", attachments: tuple[Attachment, ...] = (), row_id: str = "") -> ChatMessage:
    return ChatMessage(row_id or text, "c", None, role, text, "complete", 0.0, attachments=attachments)  # type: ignore[arg-type]


def test_attachments_are_code_blocks_before_text_of_message() -> None:
    code = Attachment("a.py", "code", "print(1)")
    tricky = Attachment("b.md", "markdown", "```\ncode\n```\n````x````\n")
    assert fenced(code) == "a.py:\n```python\nprint(1)\n```"
    assert fenced(tricky) == "b.md:\n`````\n```\ncode\n```\n````x````\n`````"
    assert with_attachments("Why?", [code]) == f"{fenced(code)}\n\nWhy?"
    assert with_attachments("", [code]) == fenced(code)


def test_prompt_has_one_system_message_and_merges_consecutive_messages_of_same_role() -> None:
    branch = [row("one"), row("", "assistant"), row("two"), row("three", "assistant"), row("four")]
    settings = ChatSettings(system=" Be brief. ")
    assert prompt_messages(branch, settings) == (
        Message("system", "Be brief."),
        Message("user", "one\n\ntwo"),
        Message("assistant", "three"),
        Message("user", "four"),
    )
    assert [len(part.rows) for part in prompt_parts(branch, settings)] == [0, 1, 1, 1, 1]
    assert prompt_messages(branch, settings, (1, 2, 3)) == (Message("system", "Be brief."), Message("user", "four"))


def test_summary_follows_instructions_and_replaces_oldest_turns() -> None:
    branch = [row("one"), row("two", "assistant"), row("three")]
    settings = ChatSettings(system="Be brief.", summary="They counted.", summarised_to="two")
    messages = prompt_messages(branch, settings)
    assert [message.role for message in messages] == ["system", "user"]
    assert messages[0].content == "Be brief.\n\nSummary of the conversation up to here:\nThey counted."
    other_branch = [row("one"), row("else", "assistant"), row("three")]
    assert len(prompt_messages(other_branch, settings)) == 4


def test_prompt_merges_questions_before_and_after_empty_answer() -> None:
    branch = [
        message("a", None, text="One"),
        message("b", "a", "assistant", "", "failed"),
        message("c", "b", text="Two"),
        message("d", "c", "assistant", "Three", "stopped"),
    ]
    assert prompt_messages(branch, ChatSettings()) == (Message("user", "One\n\nTwo"), Message("assistant", "Three"))
