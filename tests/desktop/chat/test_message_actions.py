"""Tests of editing, retrying, continuing, deleting and restoring messages with the fake model, most of them in the
whole window."""

from __future__ import annotations

import json
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.chat.answer_writer import Answer
from desktop.store.records import Attachment, Chat, ChatMessage, ChatSettings
from desktop.store.store import Store
from engine.events import ToolCallDelta, ToolCallStarted
from engine.files.profile import Profile
from tests.desktop.chat.headless_chat import headless_chat
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import ENDLESS, answered, click_chat, titles, type_and_send
from tests.fakes import FakeOpener, Script

THINKING = Script(
    answer=b"Hm, the sea.</think>It is wide.",
    template="{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]<think>",
)


def texts(gui: Gui) -> list[str]:
    return [row.text for row in gui.rows]


def versions(gui: Gui) -> list[tuple[int, int]]:
    return [gui.transcript.messages.versions(row.id) for row in gui.rows]


async def ask(gui: Gui, text: str) -> None:
    """Send a question and wait for its answer."""
    before = len(gui.rows)
    type_and_send(gui, text)
    await until(lambda: len(gui.rows) == before + 2)
    await answered(gui)


def test_edited_question_becomes_new_version_with_new_answer(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(cases={b"river": b"Long.", b"sea": b"Wide."})) as gui:
            await ask(gui, "Tell me of the sea")
            await ask(gui, "And more of the sea")
            gui.transcript.edited.emit(gui.rows[0].id, "Tell me of the river")
            await answered(gui)
            assert texts(gui) == ["Tell me of the river", "Long."]
            assert versions(gui) == [(2, 2), (1, 1)]
            gui.transcript.version_requested.emit(gui.rows[0].id, -1)
            assert texts(gui) == ["Tell me of the sea", "Wide.", "And more of the sea", "Wide."]
            gui.transcript.version_requested.emit(gui.rows[0].id, -1)
            assert versions(gui)[0] == (1, 2), "the first version has no predecessor"
            gui.transcript.version_requested.emit(gui.rows[0].id, 1)
            assert texts(gui) == ["Tell me of the river", "Long."]
        async with open_gui() as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "Tell me of the sea")
            await until(lambda: texts(gui) == ["Tell me of the river", "Long."])
            assert versions(gui) == [(2, 2), (1, 1)]

    run(story())


def test_edited_answer_becomes_new_version_and_part_of_next_prompt(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(cases={b"deep": b"So it is deep."}, answer=b"Wide.")) as gui:
            await ask(gui, "Tell me of the sea")
            gui.transcript.edited.emit(gui.rows[1].id, "It is deep.")
            assert texts(gui) == ["Tell me of the sea", "It is deep."]
            assert gui.rows[1].state == "complete"
            assert versions(gui)[1] == (2, 2)
            await ask(gui, "Why?")
            assert texts(gui)[-1] == "So it is deep.", "the prompt contains the edited answer"
            gui.transcript.edited.emit(gui.rows[1].id, "It is deep.")
            assert versions(gui)[1] == (2, 2), "unchanged text adds no version"
        async with open_gui() as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "Tell me of the sea")
            await until(lambda: len(gui.rows) == 4)
            gui.transcript.version_requested.emit(gui.rows[1].id, -1)
            assert texts(gui) == ["Tell me of the sea", "Wide."]

    run(story())


def test_retry_of_earlier_answer_adds_version_of_this_answer(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        script = Script(answer=b"One.")
        async with open_gui(script) as gui:
            await ask(gui, "First")
            await ask(gui, "Second")
            script.answer = b"Two."
            gui.transcript.retry_requested.emit(gui.rows[1].id)
            await until(lambda: texts(gui) == ["First", "Two."])
            await answered(gui)
            assert versions(gui)[1] == (2, 2)
            gui.transcript.version_requested.emit(gui.rows[1].id, -1)
            assert texts(gui) == ["First", "One.", "Second", "One."]

    run(story())


def test_retry_while_answer_is_written_stops_this_answer(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(ENDLESS) as gui:
            type_and_send(gui, "Go on and on")
            await until(lambda: len(gui.rows[-1].text) > 5)
            gui.transcript.retry_requested.emit(gui.rows[-1].id)
            await until(lambda: versions(gui)[1] == (2, 2) and len(gui.rows[-1].text) > 5)
            gui.transcript.version_requested.emit(gui.rows[-1].id, -1)
            await until(lambda: gui.rows[-1].state == "stopped")
            assert len(gui.rows[-1].text) > 5
            assert gui.window.chat_page.composer._answering, "the other version is still being written"
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await until(lambda: not gui.window.chat_page.composer._answering)

    run(story())


def test_one_of_several_answers_written_with_one_prefill_can_be_picked(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"A title for you.", step_s=0.002)) as gui:
            question = "Give me a title for a talk about models that run on your own desk"
            await ask(gui, question)
            messages = gui.transcript.messages
            gui.transcript.alternatives_requested.emit(gui.rows[1].id)
            assert len(messages.alternatives(gui.rows[1].id)) == 3
            await until(lambda: sum(bool(each.text) for each in messages.alternatives(gui.rows[1].id)) == 3)
            assert any(each.state == "streaming" for each in messages.alternatives(gui.rows[1].id)), (
                "not written at the same time"
            )
            await until(lambda: not gui.window.chat_page.composer._answering)
            group = messages.alternatives(gui.rows[1].id)
            assert [each.text for each in group] == ["A title for you."] * 3
            assert len({each.group_id for each in group}) == 1
            assert all(each.n_cached >= each.n_prompt - 1 for each in group), "the prompt was computed again"
            gui.transcript.picked.emit(group[2].id)
            assert gui.rows[1].id == group[2].id
            assert messages.alternatives(group[2].id) == group, "another answer can be picked later"
            await ask(gui, "Thanks")
            assert messages.alternatives(group[2].id) == ()
            assert versions(gui)[1] == (4, 4)
        async with open_gui() as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, titles(gui)[1])
            await until(lambda: len(gui.rows) == 4)
            assert gui.rows[1].id == group[2].id

    run(story())


def test_prompt_of_several_alternative_answers_is_computed_only_once(run: Run, profile: Profile) -> None:
    """The first answer computes the prompt. The other answers wait for this, and then use its KV cache."""

    async def story() -> None:
        opener = FakeOpener(Script(answer=b"A title."))
        async with headless_chat(profile, opener) as chats:
            chats.send("x" * 300)
            await until(lambda: not chats.sessions.answering)
            opener.backends[0].batch_sizes.clear()
            chats.edit(chats.sessions.messages[0].id, "y" * 300)
            chats.write_alternatives(chats.sessions.messages[0].id, 4)
            await until(lambda: not chats.sessions.answering)
            group = chats.sessions.messages.alternatives(chats.sessions.messages[1].id)
            assert len(group) == 4
            assert sum(opener.backends[0].batch_sizes) < 2 * 330, "the prompt was computed more than once"

    run(story())


def test_continuing_stopped_answer_extends_it_in_place(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(ENDLESS) as gui:
            type_and_send(gui, "Go on and on")
            await until(lambda: len(gui.rows[-1].text) > 20)
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await answered(gui)
            before = gui.rows[-1]
            gui.transcript.continue_requested.emit(before.id)
            assert gui.rows[-1].state == "streaming"
            await until(lambda: len(gui.rows[-1].text) > len(before.text) + 10)
            assert (gui.rows[-1].id, versions(gui)[1]) == (before.id, (1, 1))
            QTest.keyClick(gui.window, Qt.Key.Key_Escape)
            await answered(gui)
            after = gui.rows[-1]
            assert after.text.startswith(before.text)
            assert after.n_cached >= before.n_prompt + before.n_output - 2, "the answer was computed again"
            assert (after.n_prompt, after.first_token_s) == (before.n_prompt, before.first_token_s)
            assert after.n_output > before.n_output

    run(story())


def test_failed_continuation_of_answer_after_restart_keeps_text_of_answer(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        await _store_cut_answer(profile)
        async with open_gui(model=False) as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "Sea")
            await until(lambda: len(gui.rows) == 2)
            assert gui.rows[1].state == "cut"
            gui.transcript.continue_requested.emit(gui.rows[1].id)
            await until(lambda: gui.rows[1].state == "failed")
            assert gui.rows[1].text == "It is wi"
            assert "No model is loaded" in gui.rows[1].note
        async with open_gui(ENDLESS) as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "Sea")
            await until(lambda: len(gui.rows) == 2 and gui.ready)
            gui.transcript.continue_requested.emit(gui.rows[1].id)
            await until(lambda: len(gui.rows[1].text) > 20)
            assert gui.rows[1].text.startswith("It is wi")
            assert gui.rows[1].note == ""

    run(story())


async def _store_cut_answer(profile: Profile) -> None:
    store = Store(profile.chats)
    await store.open()
    question = ChatMessage("q", "c", None, "user", "Tell me of the sea", "complete", 1.0)
    answer = ChatMessage("a", "c", "q", "assistant", "It is wi", "streaming", 2.0)
    await store.save(Chat("c", "Sea", 1.0, 2.0, leaf_id="a"), [question, answer])
    await store.aclose()


def test_continuing_earlier_answer_adds_version_of_this_answer(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(ENDLESS) as gui:
            for text in ("First", "Second"):
                type_and_send(gui, text)
                await until(lambda: len(gui.rows) and len(gui.rows[-1].text) > 5)
                QTest.keyClick(gui.window, Qt.Key.Key_Escape)
                await answered(gui)
            old = gui.rows[1]
            gui.transcript.continue_requested.emit(old.id)
            await until(lambda: len(gui.rows) == 2 and len(gui.rows[1].text) > len(old.text))
            assert gui.rows[1].id != old.id
            gui.transcript.version_requested.emit(gui.rows[1].id, -1)
            assert gui.rows[1] == old
            assert len(gui.rows) == 4

    run(story())


def test_undo_restores_deleted_message_and_all_messages_after_it(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"So.")) as gui:
            await ask(gui, "First")
            await ask(gui, "Second")
            whole = gui.rows
            gui.transcript.delete_requested.emit(gui.rows[1].id)
            assert texts(gui) == ["First"]
            assert gui.window.toast.text == "3 messages are deleted."
            gui.window.toast._action.click()
            assert gui.rows == whole
            gui.transcript.delete_requested.emit(gui.rows[3].id)
            assert gui.window.toast.text == "The message is deleted."
        async with open_gui(Script(answer=b"So.")) as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "First")
            await until(lambda: texts(gui) == ["First", "So.", "Second"])

    run(story())


def test_undo_restores_messages_of_two_successive_deletions(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"So.")) as gui:
            await ask(gui, "First")
            for words in ("Second", "Third"):
                gui.transcript.edited.emit(gui.rows[0].id, words)
                await answered(gui)
                assert texts(gui) == [words, "So."]
            third = gui.rows
            gui.transcript.delete_requested.emit(gui.rows[0].id)
            gui.transcript.delete_requested.emit(gui.rows[0].id)
            assert texts(gui) == ["First", "So."]
            assert gui.window.toast.text == "4 messages are deleted."
            gui.window.toast._action.click()
            assert gui.rows == third
            assert gui.transcript.messages.versions(third[0].id) == (3, 3)
            gui.transcript.delete_requested.emit(gui.rows[1].id)
            assert gui.window.toast.text == "The message is deleted.", "restored messages are not counted again"

    run(story())


def test_answer_deleted_while_being_written_is_restored_in_final_state(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(ENDLESS) as gui:
            type_and_send(gui, "Go on and on")
            await until(lambda: len(gui.rows[-1].text) > 10)
            gui.transcript.delete_requested.emit(gui.rows[1].id)
            assert len(gui.rows) == 1
            await until(lambda: not gui.window.chat_page.composer._answering)
            assert len(gui.rows) == 1
            gui.window.toast._action.click()
            assert gui.rows[1].state == "stopped"
            assert len(gui.rows[1].text) > 10
            text = gui.rows[1].text
        async with open_gui() as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "Go on and on")
            await until(lambda: len(gui.rows) == 2)
            assert gui.rows[1].text == text

    run(story())


def test_reasoning_is_stored_but_not_part_of_next_prompt(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(THINKING) as gui:
            await ask(gui, "Tell me of the sea")
            answer = gui.rows[1]
            assert (answer.reasoning, answer.text) == ("Hm, the sea.", "It is wide.")
            n_prompt = answer.n_prompt
            await ask(gui, "And?")
            user_message = len("It is wide.[user]And?[assistant]<think>")
            assert gui.rows[3].n_prompt <= n_prompt + user_message
        async with open_gui(THINKING) as gui:
            await until(lambda: len(titles(gui)) == 2)
            click_chat(gui, "Tell me of the sea")
            await until(lambda: len(gui.rows) == 4)
            assert gui.rows[1] == answer

    run(story())


def test_answer_that_reached_max_tokens_can_be_continued(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener(Script(answer=None))) as chats:
            chats.sessions.change_settings(ChatSettings(max_tokens=5))
            assert chats.sessions.settings.max_tokens == 5
            chats.send("Go on and on")
            assert chats.sessions.settings.max_tokens == 5, "the new chat has the settings"
            await until(lambda: not chats.sessions.answering)
            assert (chats.sessions.messages[1].state, len(chats.sessions.messages[1].text)) == ("length", 5)
            assert chats.sessions.messages[1].note == "", "the context is not full"
            chats.continue_answer(chats.sessions.messages[1].id)
            await until(lambda: not chats.sessions.answering)
            assert (chats.sessions.messages[1].state, len(chats.sessions.messages[1].text)) == ("length", 10)
            chats.sessions.new_chat()
            assert chats.sessions.settings == ChatSettings()

    run(story())


def test_prompt_contains_instructions_summary_and_attachments(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener(Script(answer=b"Ok."))) as chats:
            chats.sessions.change_settings(ChatSettings(system="Be brief."))
            file = Attachment("notes.md", "markdown", "# Notes\n```\ncode\n```")
            [system, user_message] = chats.prompt_preview("What is this?", [file])
            assert (system.role, system.content) == ("system", "Be brief.")
            assert user_message.content == "notes.md:\n````\n# Notes\n```\ncode\n```\n````\n\nWhat is this?"
            assert chats.send("What is this?", [file])
            assert not chats.send("Too early")
            await until(lambda: not chats.sessions.answering)
            assert chats.sessions.messages[0].attachments == (file,)
            assert chats.prompt_preview()[:2] == (system, user_message)
            chats.edit(chats.sessions.messages[0].id, "And what is this?")
            await until(lambda: not chats.sessions.answering)
            assert chats.sessions.messages[0].attachments == (file,), "an edited question keeps its attachments"
            chats.sessions.change_settings(
                replace(chats.sessions.settings, summary="It was notes.", summarised_to=chats.sessions.messages[0].id)
            )
            assert "It was notes." in chats.prompt_preview()[0].content
            assert [each.role for each in chats.prompt_preview()] == ["system", "assistant"]
            chat_id = chats.sessions.messages[0].chat_id
        async with headless_chat(profile, FakeOpener()) as chats:
            chats.sessions.open_chat(chat_id)
            await until(lambda: chats.sessions.current)
            assert chats.sessions.settings.system == "Be brief."

    run(story())


def test_long_prompt_omits_oldest_turns_if_chat_settings_allow_it(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with headless_chat(profile, FakeOpener(Script(answer=b"Ok."))) as chats:
            for number in range(5):
                chats.send(f"{number} " + "x" * 1_200)
                await until(lambda: not chats.sessions.answering)
            assert chats.sessions.messages[9].state == "failed"
            chats.sessions.change_settings(ChatSettings(leaves_out=True))
            chats.retry(chats.sessions.messages[9].id)
            await until(lambda: not chats.sessions.answering)
            assert (chats.sessions.messages[9].state, chats.sessions.messages[9].text) == ("complete", "Ok.")
            assert chats.sessions.messages[9].n_prompt < 4_096

    run(story())


def test_tool_call_events_are_stored_in_message(run: Run, profile: Profile) -> None:
    """The events are passed directly to an `Answer`, because the window does not offer tools to the model yet."""

    async def story() -> None:
        seen: list[ChatMessage] = []

        async def save(message: ChatMessage) -> None:
            seen.append(message)

        answer = Answer(ChatMessage("a", "c", "q", "assistant", "", "streaming", 0.0), seen.append, save)
        for event in (ToolCallStarted(0, "x", "weather"), ToolCallDelta(0, '{"city":'), ToolCallDelta(0, ' "Rome"}')):
            answer._apply(event, 100)
        [call] = seen[-1].calls
        assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Rome"})

    run(story())
