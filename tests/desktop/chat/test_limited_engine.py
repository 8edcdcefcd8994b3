"""The window works with an engine that supports less than the local one: it hides what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.chat.answer_writer import ChatSession
from desktop.chat.attachments.attachment_chips import AttachmentChip
from desktop.chat.attachments.attachment_list import AttachmentItem
from desktop.chat.chat_settings.settings_sheet import ChatSettingsSheet
from desktop.chat.composer.overflow import Overflow
from desktop.chat.controller import ChatController
from desktop.chat.prompt import CONTINUE
from desktop.chat.strings import overflow_text
from desktop.error_messages import error_message
from desktop.error_reasons import KNOWN
from desktop.models.model_controller import ModelController
from desktop.models.model_switcher import ModelSwitcher
from desktop.models.strings import model_facts, model_state
from desktop.platform.theme import Theme
from desktop.store.records import Attachment, ChatMessage, ChatSettings
from engine.capability_check import FEATURES, check_capabilities
from engine.chat_engine import Capabilities
from engine.errors import AccessDenied, RemoteError, ServerBusy, ServerFailed, ServerUnreachable, Unsupported
from engine.files.profile import Profile
from engine.requests import ChatRequest, Message
from tests.desktop.chat.headless_chat import headless_chat
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import FakeOpener, Script
from tests.limited_engine import LimitedEngine, LimitedModel, LimitedStatus

SMALL = LimitedStatus(model=LimitedModel(n_ctx=4096))


def models_of(chats: ChatController) -> ModelController:
    return chats._models


def sent(engine: LimitedEngine) -> list[ChatRequest]:
    """The requests that were sent, each of which the engine supports."""
    for request in engine.submitted:
        check_capabilities(request, engine.capabilities)
    return [request for request in engine.submitted if isinstance(request, ChatRequest)]


async def ask(chats: ChatController, text: str) -> ChatMessage:
    chats.send(text)
    await until(lambda: not chats.sessions.answering)
    last = chats.sessions.messages.last
    assert last is not None
    return last


def test_chosen_engine_answers_until_a_local_model_is_loaded(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener(Script(b"Local."))) as chats:
            models, remote = models_of(chats), LimitedEngine(answer="Remote.")
            seen: list[str] = []
            models.chat_status_changed.connect(lambda status: seen.append(status.model.id if status.model else ""))
            models.answer_with(remote)
            answer = await ask(chats, "Hi")
            assert (answer.text, answer.model_id) == ("Remote.", "big")
            assert models.status.model is not None, "the local model stays loaded"
            models.answer_with(None)
            assert (await ask(chats, "Again")).text == "Local."
            models.answer_with(remote)
            await models.load(profile.root / "fake.gguf")
            assert (await ask(chats, "And again")).text == "Local."
            assert "big" in seen
            assert seen[-1] == "fake"

    run(story())


def test_messages_wait_while_chosen_engine_loads_and_fail_with_its_error(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            error = ServerUnreachable("gpu-box.lan", "no route")
            models_of(chats).answer_with(LimitedEngine(status=LimitedStatus("empty", None, error=error)))
            answer = await ask(chats, "Hi")
            assert (answer.state, answer.note) == ("failed", "gpu-box.lan cannot be reached: no route.")

    run(story())


def test_go_on_asks_for_the_rest_if_answers_cannot_be_continued(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            engine = LimitedEngine(answer="One, two", error=None)
            models_of(chats).answer_with(engine)
            answer = await ask(chats, "Count")
            session = chats.sessions.session
            assert isinstance(session, ChatSession)
            session.conversation.put(stopped := _stopped(answer))
            engine.answer = ", three."
            chats.continue_answer(stopped.id)
            await until(lambda: not chats.sessions.answering)
            last = chats.sessions.messages.last
            assert last is not None
            assert last.text == "One, two, three."
            assert sent(engine)[-1].messages[-2:] == (Message("assistant", "One, two"), Message("user", CONTINUE))

    run(story())


def test_go_on_continues_the_answer_where_that_is_supported(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            engine = LimitedEngine(Capabilities(answer_start=True), answer="One, two")
            models_of(chats).answer_with(engine)
            answer = await ask(chats, "Count")
            session = chats.sessions.session
            assert isinstance(session, ChatSession)
            session.conversation.put(_stopped(answer))
            chats.continue_answer(answer.id)
            await until(lambda: not chats.sessions.answering)
            assert sent(engine)[-1].answer_start == "One, two"
            assert sent(engine)[-1].messages == (Message("user", "Count"),)

    run(story())


def _stopped(answer: ChatMessage) -> ChatMessage:
    return replace(answer, state="stopped")


def test_thinking_of_a_chat_is_not_requested_where_the_model_does_not_think(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            without, able = LimitedEngine(), LimitedEngine(Capabilities(reasoning=True))
            models_of(chats).answer_with(without)
            chats.send_in_new_chat("Hi", settings=ChatSettings(thinking=True))
            await until(lambda: not chats.sessions.answer_writer.live)
            models_of(chats).answer_with(able)
            chats.send_in_new_chat("Hi", settings=ChatSettings(thinking=True))
            await until(lambda: not chats.sessions.answer_writer.live)
            assert [request.thinking for request in sent(without) if not request.background] == [None]
            assert [request.thinking for request in sent(able) if not request.background] == [True]

    run(story())


def test_title_is_requested_only_from_a_model_elsewhere_that_answered_the_chat(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener(Script(b"Local."))) as chats:
            engine = LimitedEngine(answer="Greeting friends")
            titles = chats.sessions.title_generator
            local = await ask(chats, "Hello friends, greeting")
            titles.cancel()
            session = chats.sessions.session
            assert session is not None
            models_of(chats).answer_with(engine)
            titles.answer_ended(session, local)
            await until(lambda: not titles._pending)
            assert not engine.submitted
            chats.sessions.new_chat()
            await ask(chats, "Hello friends, greeting")
            await until(lambda: len(engine.submitted) == 2)
            assert sent(engine)[1].background
            assert not sent(engine)[1].answer_start

    run(story())


def test_unknown_context_length_does_not_end_answers_as_full(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener()) as chats:
            models_of(chats).answer_with(LimitedEngine())
            answer = await ask(chats, "Hi")
            assert (answer.state, answer.note) == ("complete", "")

    run(story())


def test_window_hides_what_the_engine_does_not_support(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            switcher = gui.window.findChild(ModelSwitcher)
            assert switcher is not None
            models = switcher._models
            sheet = gui.window.chat_page.findChild(ChatSettingsSheet)
            assert sheet is not None
            assert gui.transcript.words.enabled
            assert not sheet._thinking_part.isHidden()
            models.answer_with(LimitedEngine(status=SMALL))
            assert not gui.transcript.words.enabled
            assert sheet._thinking_part.isHidden()
            type_and_send(gui, "Hi there")
            await answered(gui)
            composer = gui.window.chat_page.composer
            await until(lambda: composer._context_meter.text() == "about 13 of 4,096")
            models.answer_with(LimitedEngine(Capabilities(logprobs=True, answer_start=True, counts_tokens=True)))
            assert gui.transcript.words.enabled
            models.answer_with(None)
            await until(lambda: composer._context_meter.text().split()[0] != "about")

    run(story())


def test_header_names_the_machine_of_the_model() -> None:
    assert model_state(SMALL) == "Big on gpu-box.lan"
    assert model_facts(LimitedModel(n_ctx=4096)) == ["gpu-box.lan", "Context length: 4,096 tokens"]
    assert model_facts(LimitedModel()) == ["gpu-box.lan"]


def test_estimated_counts_say_about(theme: Theme) -> None:
    overflow = Overflow("message", 9_310, 8_192, is_estimate=True)
    assert overflow_text(overflow).startswith("It takes about 9,310 tokens, the model reads 8,192.")
    attachment = Attachment("a.txt", "text", "a" * 40)
    chip = AttachmentChip(theme, AttachmentItem("1", "a.txt", attachment, 10, is_estimate=True))
    assert chip._tokens.text() == "about 10 tokens"
    assert chip.accessibleName() == "a.txt, about 10 tokens"
    chip.show_item(AttachmentItem("1", "a.txt", attachment, 10))
    assert chip._tokens.text() == "10 tokens"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ServerUnreachable("a.lan", "no route"), "a.lan cannot be reached: no route."),
        (
            AccessDenied("a.lan", "sk-1 is wrong"),
            "a.lan refused the key, or requires one. Check the key of this connection.",
        ),
        (ServerBusy("a.lan", "loading"), "a.lan is busy: loading. Try again in a moment."),
        (ServerFailed("a.lan", "out of memory", 500), "a.lan answered with an error: out of memory"),
        (RemoteError("a.lan", "no JSON"), "a.lan answered with an error: no JSON"),
        (Unsupported("tools"), "The model's server does not support this: tools."),
    ],
)
def test_errors_of_other_servers_have_sentences(error: Exception, sentence: str) -> None:
    assert error_message(error) == sentence


def test_every_feature_has_a_translation() -> None:
    assert set(FEATURES) <= KNOWN
