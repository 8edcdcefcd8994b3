"""What an answer waits for, from a progress report of the engine, and its text."""

from __future__ import annotations

import pytest

from desktop.chat.time_left import TimeLeft
from desktop.chat.waiting import Waiting
from desktop.transcript.strings import waiting_text
from engine.events import PromptProgress
from engine.request_state import RequestProgress


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (None, "Preparing the prompt…"),
        (RequestProgress(waits_for="preparation"), "Preparing the prompt…"),
        (RequestProgress(1, n_prompt=9, waits_for="slot"), "Waiting for other requests…"),
        (RequestProgress(2, n_prompt=9, waits_for="slot"), "Waiting for other requests… place 2 in the queue"),
        (RequestProgress(n_prompt=9, waits_for="other_prompts"), "Waiting for other requests…"),
        (RequestProgress(n_prompt=9), "Reading the prompt · 0 %"),
        (RequestProgress(n_prompt=9, n_read=9, n_output=1), ""),
    ],
)
def test_text_before_the_first_progress_event_tells_what_the_request_waits_for(
    progress: RequestProgress | None, text: str
) -> None:
    assert waiting_text(Waiting.of(progress)) == text


def test_place_in_the_queue_follows_the_name_of_the_chat_that_is_answered_first() -> None:
    waiting = Waiting("queued", behind="Plans", queue_place=3)
    assert waiting_text(waiting) == "Waiting for the answer in “Plans”… place 3 in the queue"


@pytest.mark.parametrize(
    ("n_read", "prefill_s", "text"),
    [
        (300, 0.4, "Reading the prompt · 20 %"),
        (500, 4.0, "Reading the prompt · 40 % · about 6 s left"),
        (500, 14.0, "Reading the prompt · 40 % · about 25 s left"),
        (500, 24.1, "Reading the prompt · 40 % · about 40 s left"),
        (500, 400.0, "Reading the prompt · 40 % · about 10 min left"),
        (1000, 9.0, "Reading the prompt · 90 %"),
    ],
)
def test_text_during_prefill_tells_progress_and_time_left(n_read: int, prefill_s: float, text: str) -> None:
    time_left = TimeLeft()
    time_left.add(n_read - 100, prefill_s)
    assert waiting_text(Waiting.reading(PromptProgress(1100, 100, n_read, prefill_s), time_left)) == text
