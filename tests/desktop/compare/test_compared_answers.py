"""Tests of answers of several models to the same question: how they are written, stopped, kept and stored."""

from __future__ import annotations

from dataclasses import replace

from desktop.chat.controller import ChatController
from desktop.store.records import ChatMessage
from desktop.transcript.answer_status import WaitStatus
from engine.errors import ServerUnreachable
from engine.files.profile import Profile
from tests.desktop.chat.headless_chat import headless_chat
from tests.desktop.compare.fake_source import FakeSource
from tests.desktop.conftest import Run, until
from tests.fakes import FakeOpener, Script
from tests.limited_engine import LimitedEngine, LimitedModel, LimitedStatus


def remote(model_id: str, answer: str, host: str = "gpu-box.lan", *, ready: bool = True) -> FakeSource:
    status = LimitedStatus(model=LimitedModel(model_id, model_id, host=host))
    return FakeSource(model_id, LimitedEngine(answer=answer, status=status), ready=ready, host=host)


def group(chats: ChatController) -> tuple[ChatMessage, ...]:
    session = chats.sessions.session
    assert session is not None
    return next(iter(session.conversation.side_by_side().values()), ())


async def ended(chats: ChatController) -> None:
    await until(lambda: not chats.sessions.answering)


def test_each_model_answers_the_question_and_one_answer_is_kept(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener(Script(b"Local."))) as chats:
            one, two = remote("qwen", "One."), remote("qwen", "Two.", "other-box")
            assert chats.compare([one, two], "Which?")
            await ended(chats)
            answers = group(chats)
            assert [(each.model_id, each.host, each.text) for each in answers] == [
                ("qwen", "gpu-box.lan", "One."),
                ("qwen", "other-box", "Two."),
            ]
            await until(lambda: (one.n_open, two.n_open) == (0, 0))  # models are released after their answers
            chats.pick(answers[1].id)
            chats.send("And then?")
            await ended(chats)
            assert [row.text for row in chats.sessions.messages.rows] == ["Which?", "Two.", "And then?", "Local."]
            assert chats.sessions.messages.rows[1].host == "other-box"
            assert len(await chats.sessions.store.messages(answers[0].chat_id)) == 5

    run(story())


def test_last_question_is_answered_again_by_the_compared_models(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener(Script(b"Local."))) as chats:
            assert not chats.compare([remote("a", "A."), remote("b", "B.")]), "there is no question"
            chats.send("Which?")
            await ended(chats)
            assert chats.compare([remote("a", "A."), remote("b", "B.")])
            await ended(chats)
            assert [each.text for each in group(chats)] == ["A.", "B."]
            session = chats.sessions.session
            assert session is not None
            assert len(session.conversation.siblings(group(chats)[0].id)) == 3, "the first answer is lost"

    run(story())


def test_one_waiting_model_is_stopped_while_the_others_go_on(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            late, never = remote("late", "Late.", ready=False), remote("never", "Never.", ready=False)
            chats.compare([remote("a", "A."), late, never], "Which?")
            await until(lambda: group(chats)[0].state == "complete")
            waiting = WaitStatus.of(chats.sessions.waiting(group(chats)[1].id))
            assert waiting.text == "Waiting for another model…"
            chats.sessions.stop_answer(group(chats)[2].id)
            assert not chats.sessions.stopping, "only one of the answers is stopped"
            await until(lambda: group(chats)[2].state == "stopped")
            assert group(chats)[1].state == "streaming"
            late.ready.set()
            await ended(chats)
            assert [each.text for each in group(chats)] == ["A.", "Late.", ""]

    run(story())


def test_stop_ends_all_compared_answers(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            chats.compare([remote("a", "A.", ready=False), remote("b", "B.", ready=False)], "Which?")
            chats.stop()
            assert chats.sessions.stopping
            await ended(chats)
            assert [each.state for each in group(chats)] == ["stopped", "stopped"]

    run(story())


def test_failed_model_does_not_end_the_answers_of_the_others(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            failing = FakeSource("bad", LimitedEngine(error=ServerUnreachable("gpu-box.lan", "it does not answer")))
            chats.compare([failing, remote("b", "B.")], "Which?")
            await ended(chats)
            assert [each.state for each in group(chats)] == ["failed", "complete"]
            assert group(chats)[0].note

    run(story())


def test_all_answers_are_stored_before_any_model_is_ready(run: Run, profile: Profile) -> None:
    """The other chat controller reads what would be found after the process was killed."""

    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            chats.compare([remote("a", "A.", ready=False), remote("b", "B.", ready=False)], "Which?")
            answers = group(chats)
            stored: list[ChatMessage] = []
            while len(stored) < 3:
                stored = list(await chats.sessions.store.messages(answers[0].chat_id))
            assert [(each.text, each.model_id) for each in stored] == [
                ("Which?", ""),
                ("", "a"),
                ("", "b"),
            ]
            assert len({each.group_id for each in stored[1:]}) == 1
            chats.stop()
            await ended(chats)

    run(story())


def test_speed_of_other_models_is_not_that_of_the_model_of_the_window(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener(Script(b"Local answer."))) as chats:
            speeds: list[float] = []
            chats.sessions.speed_measured.connect(speeds.append)
            chats.compare([remote("a", "A."), remote("b", "B.")], "Which?")
            await ended(chats)
            assert not speeds
            chats.send("And then?")
            await ended(chats)
            assert len(speeds) == 1

    run(story())


def test_group_of_one_model_is_no_comparison(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            chats.send("Which?")
            await ended(chats)
            session = chats.sessions.session
            assert session is not None
            chats.write_alternatives(chats.sessions.messages.rows[1].id)
            await ended(chats)
            assert not session.conversation.is_compared(group(chats)[0].id)
            session.conversation.put(replace(group(chats)[1], model_id="other"))
            assert session.conversation.is_compared(group(chats)[0].id)

    run(story())
