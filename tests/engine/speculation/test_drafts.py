"""Answers with drafts from the request's own text: they are the answers without drafts, in fewer decodes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine.backend import Limits
from engine.engine import Engine
from engine.events import Event, Failed, Finished, Started, TextDelta
from engine.requests import ChatRequest, Constraint, Tool
from tests.conftest import chat
from tests.fakes import FakeOpener, Script

TEXT = "".join(f"line {n} has the value {n * 37 % 101}\n" for n in range(24))
CHANGED = TEXT.replace("line 7 has", "line 7 never had").replace("line 15 has the value", "line 15 is")
LIMITS = Limits(4096, 8, 256)


async def _answers(script: Script, requests: Sequence[ChatRequest], limits: Limits) -> tuple[list[list[Event]], int]:
    opener = FakeOpener(script, limits)
    engine = Engine(opener)
    await engine.load(Path("fake.gguf"))
    try:
        streams = [engine.submit(each) for each in requests]
        events = await asyncio.gather(*(_events(each) for each in streams))
        assert opener.backends[0].n_open_samplers == 0
        return list(events), opener.backends[0].n_decodes
    finally:
        await engine.aclose()


async def _events(stream: object) -> list[Event]:
    return [event async for event in stream]  # type: ignore[attr-defined]


def answers(script: Script, requests: Sequence[ChatRequest], limits: Limits = LIMITS) -> tuple[list[list[Event]], int]:
    """Runs requests at the same time. Returns their events, and the number of decodes."""
    return asyncio.run(_answers(script, requests, limits))


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def last_of(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def check_same(
    script: Script, request: ChatRequest, limits: Limits = LIMITS, *, fewer: bool = True
) -> tuple[list[Event], list[Event]]:
    """Asserts that a request has the same answer with and without drafts, and fewer decodes with them."""
    (drafted,), n_decodes = answers(script, [request], limits)
    (plain,), n_plain = answers(script, [replace(request, id="plain", n_draft_max=0)], limits)
    assert text_of(drafted) == text_of(plain)
    ours, theirs = last_of(drafted), last_of(plain)
    assert (ours.reason, ours.stop_string) == (theirs.reason, theirs.stop_string)
    assert replace(ours.usage, n_drafted=0, n_accepted=0, drafts=()) == theirs.usage
    assert theirs.usage.n_drafted == 0
    assert ours.usage.n_accepted <= ours.usage.n_drafted
    assert n_plain - n_decodes == ours.usage.n_accepted
    assert fewer == (n_decodes < n_plain)
    choices = [[c for e in events if isinstance(e, TextDelta) for c in e.choices] for events in (drafted, plain)]
    assert choices[0] == choices[1]
    n_tokens = [sum(e.n_tokens for e in events if isinstance(e, TextDelta)) for events in (drafted, plain)]
    assert n_tokens[0] == n_tokens[1]
    return drafted, plain


def test_copied_text_with_changes_takes_a_fraction_of_the_decodes() -> None:
    drafted, _ = check_same(Script(answer=CHANGED.encode()), chat(TEXT))
    usage = last_of(drafted).usage
    assert usage.n_accepted > 0.8 * usage.n_output
    assert usage.n_accepted > 0.7 * usage.n_drafted
    assert text_of(drafted) == CHANGED


@pytest.mark.parametrize(
    "options",
    [
        {"max_tokens": 100},
        {"max_tokens": 101},
        {"stop": ("line 9",)},
        {"stop": ("value 36",)},
        {"n_logprobs": 3},
        {"min_tokens": len(TEXT) + 5, "max_tokens": len(TEXT) + 9},
        {"n_draft_max": 5},
    ],
    ids=lambda options: next(iter(options)),
)
def test_answer_ends_at_the_same_token_as_without_drafts(options: dict[str, object]) -> None:
    script = Script(answer=TEXT.encode(), has_close_alternatives=True)
    drafted, _ = check_same(script, replace(chat(TEXT), **options))  # type: ignore[arg-type]
    if options.get("max_tokens") in (100, 101):
        assert last_of(drafted).usage.n_output == options["max_tokens"]
        assert last_of(drafted).reason == "length"


def test_end_token_in_a_draft_ends_the_answer() -> None:
    # the answer ends where the prompt goes on, and later where the prompt has an end token
    script = Script(answer=TEXT[:200].encode(), specials=("<sep>",))
    drafted, _ = check_same(script, chat(TEXT))
    assert text_of(drafted) == TEXT[:200]
    assert last_of(drafted).reason == "stop"


def test_endless_answer_without_repetition_is_the_same() -> None:
    check_same(Script(), chat("zq", max_tokens=300), fewer=False)


def test_constrained_answer_is_the_same() -> None:
    record = json.dumps([{"name": f"n{n}", "value": n} for n in range(20)])
    items = {"type": "object", "properties": {"name": {"type": "string"}, "value": {"type": "integer"}}}
    schema = {"type": "array", "items": {**items, "required": ["name", "value"]}, "maxItems": 12}
    request = replace(chat(record), constraint=Constraint("json_schema", json.dumps(schema)), max_tokens=400)
    drafted, _ = check_same(Script(answer=record.encode()), request)
    assert len(json.loads(text_of(drafted))) == 12


def test_constraint_that_allows_no_token_fails_after_the_text_before() -> None:
    request = replace(chat(TEXT), constraint=Constraint("choice", json.dumps([TEXT])))
    drafted, _ = check_same(Script(answer=CHANGED.encode()), request)
    assert text_of(drafted) == TEXT


def test_context_fills_up_at_the_same_token() -> None:
    limits = Limits(1400, 4, 256)
    drafted, _ = check_same(Script(answer=TEXT.encode() * 3), chat(TEXT), limits)
    assert last_of(drafted).reason == "length"
    assert last_of(drafted).usage.n_output < 3 * len(TEXT)


def test_concurrent_requests_with_drafts_have_the_answers_that_they_have_alone() -> None:
    texts = [TEXT[n * 40 :] for n in range(6)]
    script = Script(cases={f"<{n}>".encode(): text.encode() for n, text in enumerate(texts)})
    requests = [replace(chat(f"<{n}>{text}", "endpoint"), max_tokens=300) for n, text in enumerate(texts)]
    together, _ = answers(script, requests)  # how many tokens are drafted depends on measured step times
    assert [text_of(events) for events in together] == [text[:300] for text in texts]
    small = Limits(n_cells=2600, n_slots=4, n_batch=64, n_running=3)
    together, _ = answers(script, [replace(each, id=f"{each.id}+") for each in requests], small)
    assert [text_of(events) for events in together] == [text[:300] for text in texts]


def test_no_drafts_without_full_rollback() -> None:
    for limits in (replace(LIMITS, supports_truncation=False), replace(LIMITS, sliding_window=512)):
        drafted, _ = check_same(Script(answer=TEXT.encode()), chat(TEXT), limits, fewer=False)
        assert last_of(drafted).usage.n_drafted == 0


def test_continued_chat_reuses_the_kv_memory_of_an_answer_with_rejected_drafts() -> None:
    async def run() -> None:
        script = Script(cases={b"again": CHANGED.encode(), TEXT.encode(): CHANGED.encode()})
        opener = FakeOpener(script, LIMITS)
        engine = Engine(opener)
        await engine.load(Path("fake.gguf"))
        try:
            first, finished = await engine.submit(chat(TEXT)).collect()
            assert finished.usage.n_accepted < finished.usage.n_drafted
            held = max(opener.backends[0].slots.values(), key=len)
            assert bytes(held[-40:]).decode() == CHANGED[-40:]
            assert first == CHANGED
        finally:
            await engine.aclose()

    asyncio.run(run())


def test_failure_of_the_model_ends_a_request_with_drafts() -> None:
    (events,), _ = answers(Script(answer=TEXT.encode(), fail_after=6), [chat(TEXT)])
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Failed)


def test_tool_call_in_a_draft_ends_an_answer_with_a_single_call() -> None:
    call = '<tool_call>\n{"name": "look", "arguments": {"place": "the old harbour of the town"}}\n</tool_call>'
    tool = Tool("look", parameters='{"type": "object", "properties": {"place": {"type": "string"}}}')
    script = Script(answer=(call + "\n" + call).encode(), template=TEMPLATE, specials=("<tool_call>", "</tool_call>"))
    request = replace(chat(call + call), tools=(tool,), parallel_tool_calls=False)
    drafted, plain = check_same(script, request)
    assert last_of(drafted).reason == last_of(plain).reason == "tool_calls"


TEMPLATE = (
    "{% for message in messages %}{{ message.content }}{% endfor %}{% if tools %}"
    "For each function call, return a json object within <tool_call></tool_call> XML tags: "
    '<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>{% endif %}'
)
