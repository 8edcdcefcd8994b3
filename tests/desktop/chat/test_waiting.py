"""What an answer waits for, from a progress report of the engine, and its text."""

from __future__ import annotations

import pytest

from desktop.chat.waiting import Waiting
from desktop.transcript.strings import waiting_text
from engine.request_state import RequestProgress


def reading(n_read: int, prefill_s: float, **fields: object) -> RequestProgress:
    return RequestProgress(0, n_prompt=1100, n_cached=100, n_read=n_read, prefill_s=prefill_s, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (None, "Preparing the prompt…"),
        (RequestProgress(waits_for="preparation"), "Preparing the prompt…"),
        (RequestProgress(1, n_prompt=9, waits_for="slot"), "Waiting for other requests…"),
        (RequestProgress(2, n_prompt=9, waits_for="slot"), "Waiting for other requests… place 2 in the queue"),
        (reading(100, 0.1, waits_for="other_prompts"), "Waiting for other requests…"),
        (reading(100, 3.0), "Reading the prompt · 0 %"),
        (reading(300, 0.4), "Reading the prompt · 20 %"),
        (reading(500, 4.0), "Reading the prompt · 40 % · about 6 s left"),
        (reading(500, 400.0), "Reading the prompt · 40 % · about 10 min left"),
        (reading(1000, 9.0), "Reading the prompt · 90 %"),
        (reading(500, 4.0, waits_for="other_prompts"), "Reading the prompt · 40 % · about 6 s left"),
        (reading(1100, 9.0, n_output=1), ""),
    ],
)
def test_text_tells_the_place_in_the_queue_or_the_progress_of_prefill(
    progress: RequestProgress | None, text: str
) -> None:
    assert waiting_text(Waiting.of(progress)) == text


def test_place_in_the_queue_follows_the_name_of_the_chat_that_is_answered_first() -> None:
    waiting = Waiting("queued", behind="Plans", queue_place=3)
    assert waiting_text(waiting) == "Waiting for the answer in “Plans”… place 3 in the queue"
