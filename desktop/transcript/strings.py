"""Strings of the transcript: how an answer ended, its statistics, the heading of its reasoning."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.platform.number_format import counted, decimal, whole
from desktop.store.records import ChatMessage

translate = QCoreApplication.translate


def ending_note(message: ChatMessage) -> str:
    """What must be said about an answer that is not simply complete; "" where nothing must."""
    if message.note:
        return message.note
    if message.state == "cut":
        return translate("transcript", "This answer was cut off when Inglenook ended.")
    return (
        translate("transcript", "Stopped before the first word.")
        if message.state == "stopped" and not message.text
        else ""
    )


def reasoning_heading(message: ChatMessage) -> str:
    """The head of what a model thought before it answered."""
    if message.state == "streaming" and not message.text:
        return translate("transcript", "Thinking…")
    if message.reasoning_s < 1:
        return translate("transcript", "Thought for a moment")
    return translate("transcript", "Thought for {seconds} s").format(seconds=whole(round(message.reasoning_s)))


def answer_stats(message: ChatMessage) -> str:
    """What an answer took, in a line: tokens, speed, wait for the first word."""
    parts = [translate("transcript", "Stopped")] if message.state == "stopped" and message.text else []
    if message.n_output:
        parts.append(counted("%Ln tokens", "", message.n_output))
    if message.n_output > 1 and message.decode_s > 0:
        parts.append(
            translate("transcript", "{speed} tok/s").format(speed=whole(round(message.n_output / message.decode_s)))
        )
    if message.first_token_s > 0:
        parts.append(
            translate("transcript", "{seconds} s to first word").format(seconds=decimal(message.first_token_s))
        )
    return " · ".join(parts)
