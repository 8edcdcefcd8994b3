"""Tests of writing answers: stopping, errors, and what an answer waits for before its first token."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from desktop.chat import answer_writer
from desktop.chat.answer_writer import Answer
from desktop.chat.controller import ChatController
from desktop.platform.task_set import TaskSet
from desktop.store.records import ChatMessage
from engine.backend import Limits
from engine.chat_engine import ChatEngine
from engine.engine import Engine
from engine.files.profile import Profile
from engine.requests import ChatRequest, Message
from tests.desktop.chat.headless_chat import headless_chat
from tests.desktop.conftest import Run, until
from tests.fakes import FakeOpener, Script

LONG = 3_000
SHORT = "hello"


@asynccontextmanager
async def tasks() -> AsyncIterator[TaskSet]:
    found = TaskSet(lambda error, name: pytest.fail(f"{name}: {error!r}"))
    yield found
    await found.aclose()


class PendingAnswer:
    """An `Answer` whose request is built only when `release` is set. If `error` is set, building the request then
    raises it."""

    def __init__(self, profile: Profile) -> None:
        self.engine = Engine(FakeOpener(Script(answer=b"Hello there.")))
        self.path = profile.root / "fake.gguf"
        self.saved: list[ChatMessage] = []
        self.reached, self.release = asyncio.Event(), asyncio.Event()
        self.error: Exception | None = None
        message = ChatMessage("a", "c", None, "assistant", "", "streaming", 0.0)
        self.answer = Answer(message, lambda message: None, self._save)

    async def _save(self, message: ChatMessage) -> None:
        self.saved.append(message)

    async def ready(self) -> Engine:
        await self.engine.load(self.path)
        return self.engine

    async def build(self, engine: ChatEngine) -> ChatRequest:
        self.reached.set()
        await self.release.wait()
        if self.error is not None:
            raise self.error
        return ChatRequest((Message("user", "Hi"),), "window")


class VirtualTime(selectors.SelectSelector):
    """A selector for an event loop whose time passes only while the loop waits, and without waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now_s += timeout or 0.0
        return super().select(0)


@pytest.mark.parametrize("write_s", [0.0, 0.04, 0.075])
def test_text_is_saved_within_250_ms_if_a_write_takes_up_to_75_ms(
    monkeypatch: pytest.MonkeyPatch, write_s: float
) -> None:
    shown, saved = list[tuple[float, int]](), list[tuple[float, int]]()
    virtual = VirtualTime()

    async def save(message: ChatMessage) -> None:
        await asyncio.sleep(write_s)
        saved.append((virtual.now_s, len(message.text)))

    async def story() -> None:
        answer = Answer(ChatMessage("a", "c", None, "assistant", "", "streaming", 0.0), lambda message: None, save)
        saving = asyncio.ensure_future(answer._save_periodically())
        for n_letters in range(1, 500):
            answer._change(replace(answer.message, text="x" * n_letters))
            shown.append((virtual.now_s, n_letters))
            await asyncio.sleep(0.004)
        await asyncio.sleep(1)
        saving.cancel()

    loop = asyncio.SelectorEventLoop(virtual)
    monkeypatch.setattr(loop, "time", lambda: virtual.now_s)
    monkeypatch.setattr(answer_writer, "time", SimpleNamespace(monotonic=lambda: virtual.now_s))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(story())
    for at_s, n_letters in shown:
        assert next(when_s for when_s, n_saved in saved if n_saved >= n_letters) <= at_s + 0.25


def test_answer_stopped_while_its_request_is_built_is_marked_stopped(run: Run, profile: Profile) -> None:
    async def story() -> None:
        pending = PendingAnswer(profile)
        async with tasks() as owned:
            running = owned.spawn(pending.answer.run(owned, pending.ready, pending.build), "answer")
            await pending.reached.wait()
            pending.answer.stop()
            pending.answer.stop()
            assert pending.answer.waiting.stage == "stopping"
            await running
        assert pending.saved[-1].state == "stopped"
        await pending.engine.aclose()

    run(story())


def test_stop_ends_all_alternative_answers_while_their_requests_are_built(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener(Script(answer=None, step_s=0.005))) as chats:
            chats.send("Hi")
            await until(lambda: chats.sessions.messages[1].text)
            chats.write_alternatives(chats.sessions.messages[1].id)
            await asyncio.sleep(0)  # the tasks have started, but have not submitted their requests
            chats.stop()
            await until(lambda: not chats.sessions.answering)

    run(story())


@pytest.mark.parametrize("fault", [ValueError("no such thing"), TimeoutError(), OSError("gone")])
def test_unexpected_error_while_building_request_marks_answer_failed(
    run: Run, profile: Profile, fault: Exception
) -> None:
    async def story() -> None:
        pending = PendingAnswer(profile)
        pending.error = fault
        pending.release.set()
        async with tasks() as owned:
            await owned.spawn(pending.answer.run(owned, pending.ready, pending.build), "answer")
        assert pending.saved[-1].state == "failed"
        assert pending.saved[-1].note
        await pending.engine.aclose()

    run(story())


def test_answer_is_marked_failed_if_first_save_raises_error(
    run: Run, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            failures: list[BaseException] = []
            chats.sessions.failed.connect(failures.append)

            async def refuse(*_: object) -> None:
                raise ValueError("the disk has no letters")

            monkeypatch.setattr(chats.sessions.write_queue, "save", refuse)
            chats.send("Hi")
            await until(lambda: not chats.sessions.answering)
            assert chats.sessions.messages[1].state == "failed"
            assert failures
            monkeypatch.undo()

    run(story())


def test_answer_whose_task_is_cancelled_before_first_step_is_marked_stopped(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            chats.send("Hi")
            chats.sessions.answer_writer._tasks.cancel()
            await until(lambda: not chats.sessions.answering)
            assert chats.sessions.messages[1].state == "stopped"

    run(story())


def stage(chats: ChatController, row: int = 1) -> str:
    return chats.sessions.waiting(chats.sessions.messages[row].id).stage


def test_reported_progress_increases_during_long_prefill(run: Run, profile: Profile) -> None:
    async def story() -> None:
        opener = FakeOpener(Script(answer=b"Well.", step_s=0.02), Limits(8192, 8, 64))
        async with headless_chat(profile, opener) as chats:
            chats.send("w" * LONG)
            shares: list[float] = []

            def has_text() -> bool:
                waiting = chats.sessions.waiting(chats.sessions.messages[1].id)
                if waiting.stage == "reading" and waiting.share is not None:
                    shares.append(waiting.share)
                return bool(chats.sessions.messages[1].text)

            await until(has_text)
            assert shares == sorted(shares)
            assert shares[0] < 0.3
            assert shares[-1] > 0.7

    run(story())


def test_short_question_is_answered_during_long_prefill_of_other_chat(run: Run, profile: Profile) -> None:
    async def story() -> None:
        opener = FakeOpener(Script(answer=b"Well.", step_s=0.02), Limits(8192, 8, 64))
        async with headless_chat(profile, opener) as chats:
            chats.send("w" * LONG)
            long = chats.sessions.messages[1]
            await until(lambda: stage(chats) == "reading")
            chats.sessions.new_chat()
            chats.send(SHORT)
            await until(lambda: chats.sessions.messages[1].state == "complete")
            assert chats.sessions.waiting(long.id).stage == "reading"
            chats.sessions.stop_chat(long.chat_id)

    run(story())


def test_queued_answer_reports_title_of_chat_whose_answer_runs_first(run: Run, profile: Profile) -> None:
    async def story() -> None:
        opener = FakeOpener(Script(answer=None, step_s=0.01), Limits(4096, 1, 64))
        async with headless_chat(profile, opener) as chats:
            chats.send("Go on and on")
            first = chats.sessions.current
            assert first is not None
            await until(lambda: chats.sessions.messages[1].text)
            chats.sessions.new_chat()
            chats.send(SHORT)
            await until(lambda: stage(chats) == "queued")
            assert chats.sessions.waiting(chats.sessions.messages[1].id).behind == "Go on and on"
            chats.sessions.stop_chat(first.id)
            await until(lambda: chats.sessions.messages[1].text)
            chats.stop()
            assert stage(chats) == "stopping"
            assert chats.sessions.stopping

    run(story())


def test_answer_being_written_emits_growing_context_usage(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener(Script(answer=None, step_s=0.005))) as chats:
            usage: list[int] = []
            chats.sessions.usage_changed.connect(usage.append)
            chats.send("Go on and on")
            await until(lambda: len({n for n in usage if n}) > 3)
            assert chats.sessions.answering
            chats.stop()
            await until(lambda: not chats.sessions.answering)

    run(story())
