"""llama.cpp's `return_progress` and `timings_per_token` in streamed answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.openai.chat.answer import ChatChunkWriter, ResponseMeta, ResponseOptions
from engine.events import PromptProgress, TextDelta
from engine.request_state import RequestProgress
from tests.api.live_endpoint import Live, ask, live
from tests.fakes import FakeOpener, Script

LONG = "a long prompt " * 30
HALF_READ = PromptProgress(10, 2, 6, 0.25)
WRITING = RequestProgress(0, n_prompt=10, n_cached=2, n_read=10, n_output=5, prefill_s=0.5, decode_s=1.0)


@pytest.fixture
def slow() -> Iterator[Live]:
    """An endpoint that processes a long prompt in several steps, and sends a progress report after each."""
    with live(FakeOpener(Script(b"Hello there.", step_s=0.05))) as endpoint:
        yield endpoint


def frames(endpoint: Live, path: str, body: object) -> list[dict[str, Any]]:
    answer = endpoint.post(body, path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream"
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]


BODIES = {
    "/v1/chat/completions": ask(LONG, stream=True, max_tokens=8),
    "/completion": {"prompt": LONG, "stream": True, "n_predict": 8},
}


@pytest.mark.parametrize("path", BODIES)
def test_return_progress_sends_prompt_progress_before_answer(slow: Live, path: str) -> None:
    found = frames(slow, path, {**BODIES[path], "return_progress": True})
    reports = [each["prompt_progress"] for each in found if "prompt_progress" in each]
    assert found[: len(reports)] == [each for each in found if "prompt_progress" in each]
    assert len(reports) > 2
    processed = [each["processed"] for each in reports]
    assert processed == sorted(set(processed))
    assert processed[-1] == reports[-1]["total"] >= len(LONG)
    assert reports[-1]["time_ms"] >= 50
    again = frames(slow, path, {**BODIES[path], "return_progress": True})
    assert {each["prompt_progress"]["cache"] > 0 for each in again if "prompt_progress" in each} == {True}


@pytest.mark.parametrize("path", BODIES)
def test_timings_per_token_are_in_every_chunk(slow: Live, path: str) -> None:
    found = frames(slow, path, {**BODIES[path], "timings_per_token": True})
    pieces = [each for each in found if each.get("content") or (each.get("choices") or [{}])[0].get("delta")]
    assert len(pieces) > 3
    for each in pieces[:-1]:  # the last chunk has no timings if the request ends before this chunk is written
        assert each["timings"]["prompt_n"] >= len(LONG)
        assert each["timings"]["prompt_ms"] >= 50
        assert each["timings"]["predicted_n"] >= 1


def test_stream_sends_ping_while_progress_is_unchanged() -> None:
    opener = FakeOpener(Script(b"Hello there.", step_s=0.2))
    with live(opener, ping_interval_s=0.05) as endpoint:
        answer = endpoint.post(ask(LONG, stream=True, max_tokens=1, return_progress=True))
    before, _, _ = answer.text.partition('"content":"H')
    assert before.count("prompt_progress") >= 1
    assert before.count("\n:\n") >= 2


@pytest.mark.parametrize("path", BODIES)
def test_progress_and_timings_are_not_sent_by_default(slow: Live, path: str) -> None:
    found = frames(slow, path, BODIES[path])
    assert not any("prompt_progress" in each for each in found)
    assert sum("timings" in each for each in found) == 1


def test_overlong_prompt_with_return_progress_is_400(slow: Live) -> None:
    answer = slow.post(ask("a" * 100_000, stream=True, return_progress=True))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "context_length_exceeded"


def test_engine_failure_after_progress_report_is_sent_in_the_stream(slow: Live) -> None:
    slow.script.fail_after = 2
    found = frames(slow, "/v1/chat/completions", ask(LONG, stream=True, return_progress=True))
    assert "prompt_progress" in found[0]
    assert found[-1]["error"]["code"] == "engine_dead"


def test_progress_fields_are_accepted_without_stream(slow: Live) -> None:
    fields: dict[str, Any] = {"return_progress": True, "timings_per_token": True}
    assert slow.post(ask(max_tokens=1, **fields)).status_code == 200
    assert slow.post({"prompt": "a", "n_predict": 1, **fields}, "/completion").status_code == 200


def test_progress_report_and_timings_match_expected_bytes() -> None:
    head = ResponseMeta("chatcmpl-1", 1, "alias")
    report = ChatChunkWriter(head).frames(0, HALF_READ).decode()
    assert report.endswith(
        '"choices":[{"index":0,"delta":{"role":"assistant","content":null},"finish_reason":null}],'
        '"prompt_progress":{"total":10,"cache":2,"processed":6,"time_ms":250}}\n\n'
    )
    writer = ChatChunkWriter(head, ResponseOptions(timings_per_token=True), lambda place: WRITING)
    assert (
        '"timings":{"cache_n":2,"prompt_n":8,"prompt_ms":500.0,"prompt_per_token_ms":62.5,"prompt_per_second":16.0,'
        '"predicted_n":5,"predicted_ms":1000.0,"predicted_per_token_ms":200.0,"predicted_per_second":5.0}'
    ) in writer.frames(0, TextDelta("Hel", 1)).decode()
