"""What a person does with the messages of a chat, in the whole window over the fake model: nothing is overwritten."""

from __future__ import annotations

import json
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.chat.answer import Answer
from desktop.store.records import Attachment, Chat, ChatMessage, ChatSettings
from desktop.store.store import Store
from engine.events import ToolCallDelta, ToolCallStarted
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.desk import desk
from tests.desktop.test_window import ENDLESS, answered, click_chat, titles, type_and_send
from tests.fakes import FakeOpener, Script

THINKING = Script(
    answer=b"Hm, the sea.</think>It is wide.",
    template="{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]<think>",
)


def texts(house: House) -> list[str]:
    return [row.text for row in house.rows]


def versions(house: House) -> list[tuple[int, int]]:
    return [house.transcript.messages.versions(row.id) for row in house.rows]


async def asked(house: House, text: str) -> None:
    """Asked, and answered to the end."""
    before = len(house.rows)
    type_and_send(house, text)
    await until(lambda: len(house.rows) == before + 2)
    await answered(house)


def test_an_edited_question_is_answered_anew_and_the_old_one_stays(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(cases={b"river": b"Long.", b"sea": b"Wide."})) as house:
            await asked(house, "Tell me of the sea")
            await asked(house, "And more of the sea")
            house.transcript.edited.emit(house.rows[0].id, "Tell me of the river")
            await answered(house)
            assert texts(house) == ["Tell me of the river", "Long."]
            assert versions(house) == [(2, 2), (1, 1)]
            house.transcript.version_asked.emit(house.rows[0].id, -1)
            assert texts(house) == ["Tell me of the sea", "Wide.", "And more of the sea", "Wide."]
            house.transcript.version_asked.emit(house.rows[0].id, -1)
            assert versions(house)[0] == (1, 2), "there is none before the first"
            house.transcript.version_asked.emit(house.rows[0].id, 1)
            assert texts(house) == ["Tell me of the river", "Long."]
        async with open_house() as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, "Tell me of the sea")
            await until(lambda: texts(house) == ["Tell me of the river", "Long."])
            assert versions(house) == [(2, 2), (1, 1)]

    run(story())


def test_an_answer_is_edited_and_the_chat_goes_on_from_there(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(cases={b"deep": b"So it is deep."}, answer=b"Wide.")) as house:
            await asked(house, "Tell me of the sea")
            house.transcript.edited.emit(house.rows[1].id, "It is deep.")
            assert texts(house) == ["Tell me of the sea", "It is deep."]
            assert house.rows[1].state == "complete"
            assert versions(house)[1] == (2, 2)
            await asked(house, "Why?")
            assert texts(house)[-1] == "So it is deep.", "the model read the edited answer"
            house.transcript.edited.emit(house.rows[1].id, "It is deep.")
            assert versions(house)[1] == (2, 2), "the same text is no new version"
        async with open_house() as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, "Tell me of the sea")
            await until(lambda: len(house.rows) == 4)
            house.transcript.version_asked.emit(house.rows[1].id, -1)
            assert texts(house) == ["Tell me of the sea", "Wide."]

    run(story())


def test_any_answer_is_asked_for_again_also_one_in_the_middle(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        script = Script(answer=b"One.")
        async with open_house(script) as house:
            await asked(house, "First")
            await asked(house, "Second")
            script.answer = b"Two."
            house.transcript.retry_asked.emit(house.rows[1].id)
            await until(lambda: texts(house) == ["First", "Two."])
            await answered(house)
            assert versions(house)[1] == (2, 2)
            house.transcript.version_asked.emit(house.rows[1].id, -1)
            assert texts(house) == ["First", "One.", "Second", "One."]

    run(story())


def test_asking_again_while_an_answer_is_written_ends_that_one(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(ENDLESS) as house:
            type_and_send(house, "Go on and on")
            await until(lambda: len(house.rows[-1].text) > 5)
            house.transcript.retry_asked.emit(house.rows[-1].id)
            await until(lambda: versions(house)[1] == (2, 2) and len(house.rows[-1].text) > 5)
            house.transcript.version_asked.emit(house.rows[-1].id, -1)
            await until(lambda: house.rows[-1].state == "stopped")
            assert len(house.rows[-1].text) > 5
            assert house.window.composer._answering, "the other version is still being written"
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            await until(lambda: not house.window.composer._answering)

    run(story())


def test_several_answers_at_once_from_one_prefill_and_one_is_picked(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"A title for you.", step_s=0.002)) as house:
            question = "Give me a title for a talk about models that run on your own desk"
            await asked(house, question)
            messages = house.transcript.messages
            house.transcript.alternatives_asked.emit(house.rows[1].id)
            assert len(messages.alternatives(house.rows[1].id)) == 3
            await until(lambda: sum(bool(each.text) for each in messages.alternatives(house.rows[1].id)) == 3)
            assert any(each.state == "streaming" for each in messages.alternatives(house.rows[1].id)), "all at once"
            await until(lambda: not house.window.composer._answering)
            group = messages.alternatives(house.rows[1].id)
            assert [each.text for each in group] == ["A title for you."] * 3
            assert len({each.group_id for each in group}) == 1
            assert all(each.n_cached >= each.n_prompt - 1 for each in group), "the prompt was read again"
            house.transcript.picked.emit(group[2].id)
            assert house.rows[1].id == group[2].id
            assert messages.alternatives(group[2].id) == group, "one may think again"
            await asked(house, "Thanks")
            assert messages.alternatives(group[2].id) == ()
            assert versions(house)[1] == (4, 4)
        async with open_house() as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, titles(house)[1])
            await until(lambda: len(house.rows) == 4)
            assert house.rows[1].id == group[2].id

    run(story())


def test_an_answer_of_nothing_but_a_prompt_that_was_never_read_is_read_once(run: Run, profile: Profile) -> None:
    """The first of several reads the prompt; the others wait for it and read nothing."""

    async def story() -> None:
        opener = FakeOpener(Script(answer=b"A title."))
        async with desk(profile, opener) as chats:
            chats.send("x" * 300)
            await until(lambda: not chats.answering)
            opener.backends[0].batch_sizes.clear()
            chats.edit(chats.messages[0].id, "y" * 300)
            chats.alternatives(chats.messages[0].id, 4)
            await until(lambda: not chats.answering)
            group = chats.messages.alternatives(chats.messages[1].id)
            assert len(group) == 4
            assert sum(opener.backends[0].batch_sizes) < 2 * 330, "the prompt was read more than once"

    run(story())


def test_a_stopped_answer_is_gone_on_with_in_place(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(ENDLESS) as house:
            type_and_send(house, "Go on and on")
            await until(lambda: len(house.rows[-1].text) > 20)
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            await answered(house)
            before = house.rows[-1]
            house.transcript.continue_asked.emit(before.id)
            assert house.rows[-1].state == "streaming"
            await until(lambda: len(house.rows[-1].text) > len(before.text) + 10)
            assert (house.rows[-1].id, versions(house)[1]) == (before.id, (1, 1))
            QTest.keyClick(house.window, Qt.Key.Key_Escape)
            await answered(house)
            after = house.rows[-1]
            assert after.text.startswith(before.text)
            assert after.n_cached >= before.n_prompt + before.n_output - 2, "the answer was read again"
            assert (after.n_prompt, after.first_token_s) == (before.n_prompt, before.first_token_s)
            assert after.n_output > before.n_output

    run(story())


def test_a_cut_answer_is_gone_on_with_after_a_restart_and_stays_if_that_fails(
    run: Run, open_house: OpenHouse, profile: Profile
) -> None:
    async def story() -> None:
        await _keep_cut_answer(profile)
        async with open_house(model=False) as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, "Sea")
            await until(lambda: len(house.rows) == 2)
            assert house.rows[1].state == "cut"
            house.transcript.continue_asked.emit(house.rows[1].id)
            await until(lambda: house.rows[1].state == "failed")
            assert house.rows[1].text == "It is wi"
            assert "No model is loaded" in house.rows[1].note
        async with open_house(ENDLESS) as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, "Sea")
            await until(lambda: len(house.rows) == 2 and house.ready)
            house.transcript.continue_asked.emit(house.rows[1].id)
            await until(lambda: len(house.rows[1].text) > 20)
            assert house.rows[1].text.startswith("It is wi")
            assert house.rows[1].note == ""

    run(story())


async def _keep_cut_answer(profile: Profile) -> None:
    store = Store(profile.chats)
    await store.open()
    question = ChatMessage("q", "c", None, "user", "Tell me of the sea", "complete", 1.0)
    answer = ChatMessage("a", "c", "q", "assistant", "It is wi", "streaming", 2.0)
    await store.save(Chat("c", "Sea", 1.0, 2.0, leaf_id="a"), [question, answer])
    await store.aclose()


def test_what_has_been_gone_on_from_is_continued_as_a_new_version(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(ENDLESS) as house:
            for text in ("First", "Second"):
                type_and_send(house, text)
                await until(lambda: len(house.rows) and len(house.rows[-1].text) > 5)
                QTest.keyClick(house.window, Qt.Key.Key_Escape)
                await answered(house)
            old = house.rows[1]
            house.transcript.continue_asked.emit(old.id)
            await until(lambda: len(house.rows) == 2 and len(house.rows[1].text) > len(old.text))
            assert house.rows[1].id != old.id
            house.transcript.version_asked.emit(house.rows[1].id, -1)
            assert house.rows[1] == old
            assert len(house.rows) == 4

    run(story())


def test_a_message_is_deleted_with_what_follows_and_brought_back(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"So.")) as house:
            await asked(house, "First")
            await asked(house, "Second")
            whole = house.rows
            house.transcript.delete_asked.emit(house.rows[1].id)
            assert texts(house) == ["First"]
            assert house.window.notice.text == "3 messages are deleted."
            house.window.notice._action.click()
            assert house.rows == whole
            house.transcript.delete_asked.emit(house.rows[3].id)
            assert house.window.notice.text == "The message is deleted."
        async with open_house(Script(answer=b"So.")) as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, "First")
            await until(lambda: texts(house) == ["First", "So.", "Second"])

    run(story())


def test_undo_brings_back_all_that_a_double_click_deleted(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"So.")) as house:
            await asked(house, "First")
            for words in ("Second", "Third"):
                house.transcript.edited.emit(house.rows[0].id, words)
                await answered(house)
                assert texts(house) == [words, "So."]
            third = house.rows
            house.transcript.delete_asked.emit(house.rows[0].id)
            house.transcript.delete_asked.emit(house.rows[0].id)
            assert texts(house) == ["First", "So."]
            assert house.window.notice.text == "4 messages are deleted."
            house.window.notice._action.click()
            assert house.rows == third
            assert house.transcript.messages.versions(third[0].id) == (3, 3)
            house.transcript.delete_asked.emit(house.rows[1].id)
            assert house.window.notice.text == "The message is deleted.", "what came back is not counted again"

    run(story())


def test_an_answer_deleted_while_it_is_written_comes_back_as_it_ended(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(ENDLESS) as house:
            type_and_send(house, "Go on and on")
            await until(lambda: len(house.rows[-1].text) > 10)
            house.transcript.delete_asked.emit(house.rows[1].id)
            assert len(house.rows) == 1
            await until(lambda: not house.window.composer._answering)
            assert len(house.rows) == 1
            house.window.notice._action.click()
            assert house.rows[1].state == "stopped"
            assert len(house.rows[1].text) > 10
            text = house.rows[1].text
        async with open_house() as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, "Go on and on")
            await until(lambda: len(house.rows) == 2)
            assert house.rows[1].text == text

    run(story())


def test_thoughts_are_kept_apart_and_not_sent_back(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house(THINKING) as house:
            await asked(house, "Tell me of the sea")
            answer = house.rows[1]
            assert (answer.reasoning, answer.text) == ("Hm, the sea.", "It is wide.")
            n_prompt = answer.n_prompt
            await asked(house, "And?")
            said = len("It is wide.[user]And?[assistant]<think>")
            assert house.rows[3].n_prompt <= n_prompt + said
        async with open_house(THINKING) as house:
            await until(lambda: len(titles(house)) == 2)
            click_chat(house, "Tell me of the sea")
            await until(lambda: len(house.rows) == 4)
            assert house.rows[1] == answer

    run(story())


def test_an_answer_that_may_not_be_longer_says_so_and_can_be_gone_on_with(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with desk(profile, FakeOpener(Script(answer=None))) as chats:
            chats.change_settings(ChatSettings(max_tokens=5))
            assert chats.settings.max_tokens == 5
            chats.send("Go on and on")
            assert chats.settings.max_tokens == 5, "the chat that begins has them"
            await until(lambda: not chats.answering)
            assert (chats.messages[1].state, len(chats.messages[1].text)) == ("length", 5)
            assert chats.messages[1].note == "", "there is room for more"
            chats.go_on(chats.messages[1].id)
            await until(lambda: not chats.answering)
            assert (chats.messages[1].state, len(chats.messages[1].text)) == ("length", 10)
            chats.new_chat()
            assert chats.settings == ChatSettings()

    run(story())


def test_a_chats_settings_and_files_are_what_the_model_reads(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with desk(profile, FakeOpener(Script(answer=b"Ok."))) as chats:
            chats.change_settings(ChatSettings(system="Be brief."))
            file = Attachment("notes.md", "markdown", "# Notes\n```\ncode\n```")
            [system, said] = chats.copy_of_prompt("What is this?", [file])
            assert (system.role, system.content) == ("system", "Be brief.")
            assert said.content == "notes.md:\n````\n# Notes\n```\ncode\n```\n````\n\nWhat is this?"
            assert chats.send("What is this?", [file])
            assert not chats.send("Too early")
            await until(lambda: not chats.answering)
            assert chats.messages[0].attachments == (file,)
            assert chats.copy_of_prompt()[:2] == (system, said)
            chats.edit(chats.messages[0].id, "And what is this?")
            await until(lambda: not chats.answering)
            assert chats.messages[0].attachments == (file,), "an edited question keeps its files"
            chats.change_settings(replace(chats.settings, summary="It was notes.", summarised_to=chats.messages[0].id))
            assert "It was notes." in chats.copy_of_prompt()[0].content
            assert [each.role for each in chats.copy_of_prompt()] == ["system", "assistant"]
            chat_id = chats.messages[0].chat_id
        async with desk(profile, FakeOpener()) as chats:
            chats.open_chat(chat_id)
            await until(lambda: chats.current)
            assert chats.settings.system == "Be brief."

    run(story())


def test_where_the_person_chose_that_the_oldest_turns_are_left_out(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with desk(profile, FakeOpener(Script(answer=b"Ok."))) as chats:
            for number in range(5):
                chats.send(f"{number} " + "x" * 1_200)
                await until(lambda: not chats.answering)
            assert chats.messages[9].state == "failed"
            chats.change_settings(ChatSettings(leaves_out=True))
            chats.retry(chats.messages[9].id)
            await until(lambda: not chats.answering)
            assert (chats.messages[9].state, chats.messages[9].text) == ("complete", "Ok.")
            assert chats.messages[9].n_prompt < 4_096

    run(story())


def test_calls_are_shown_and_kept(run: Run, profile: Profile) -> None:
    """No tools are offered in the window yet, so the events come by hand."""

    async def story() -> None:
        seen: list[ChatMessage] = []

        async def save(message: ChatMessage) -> None:
            seen.append(message)

        answer = Answer(ChatMessage("a", "c", "q", "assistant", "", "streaming", 0.0), seen.append, save)
        for event in (ToolCallStarted(0, "x", "weather"), ToolCallDelta(0, '{"city":'), ToolCallDelta(0, ' "Rome"}')):
            answer._take(event, 100)
        [call] = seen[-1].calls
        assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Rome"})

    run(story())
