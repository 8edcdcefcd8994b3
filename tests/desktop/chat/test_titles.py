"""Titles by the model: made in the background, never a person's, and never nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.chat.titles import MAX_TITLE_COLUMNS, TASK, accepted_title, columns, title_of
from engine.files.profile import Profile
from tests.desktop.chat.headless_chat import desk
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, titles, type_and_send
from tests.fakes import FakeOpener, Script

CHAT = ["How do I parse a CSV whose fields hold quotes?", "Use the standard library's csv module."]
WRITE = TASK[:20].encode()


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Parsing CSV with quotes", "Parsing CSV with quotes"),
        ('  "Parsing CSV with quotes."\n', "Parsing CSV with quotes"),
        ("Title: **Parsing CSV**", "Parsing CSV"),
        ("<think>A title, then.</think>Quotes in CSV files", "Quotes in CSV files"),
        ("The Parsing of CSV with Quotes", "Parsing of CSV with Quotes"),
        ("CSV and quotes: How to use the module", "CSV and quotes"),
        ("parsing CSV", "Parsing CSV"),
        ("引号与字段", "引号与字段"),
        ("", ""),
        ("\n\n", ""),
        ('"..."', ""),
        ("Parsing CSV\nwith quotes", ""),
        ("Parsing CSV with quotes " * 3, ""),
        ("Parsing CSV fields that hold quotes", ""),
        ("Internationalised comma-separated quotes", ""),
        ("Parsing “CSV with", ""),
        ("Parsing CSV,", ""),
        ("Parsing Elephants, Roman Emperors", ""),
        ("Use the standard library's csv module.", ""),
        ("Use the standard", ""),
        ("Cats of the Roman Empire", ""),
        ("Write a title for this conversation", ""),
        ("<think>A title about CSV", ""),
    ],
)
def test_generated_text_is_accepted_or_rejected_as_title(written: str, title: str) -> None:
    assert accepted_title(written, CHAT) == title


def test_first_answer_generates_title(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"It is wide.", cases={WRITE: b'The wide sea"'})) as gui:
            type_and_send(gui, "Tell me of the sea")
            await answered(gui)
            await until(lambda: titles(gui) == ["Today", "The wide sea"])
            assert gui.window.windowTitle() == "The wide sea – Inglenook"
            assert len(gui.rows) == 2, "what was asked for a title is no part of the chat"
            assert gui.rows[1].text == "It is wide."
        async with open_gui() as gui:
            await until(lambda: titles(gui) == ["Today", "The wide sea"])

    run(story())


def test_title_set_by_user_is_kept(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with desk(profile, FakeOpener(Script(answer=b"It is wide.", cases={WRITE: b'The wide sea"'}))) as chats:
            chats.send("Tell me of the sea")
            assert chats.sessions.current
            chats.sessions.rename(chats.sessions.current.id, "Mine")
            await until(lambda: not chats.sessions.answering)
            chats.retry(chats.sessions.messages[1].id)
            await until(lambda: not chats.sessions.answering)
            await chats.sessions.titles._tasks.join()
            assert (chats.sessions.current.title, chats.sessions.current.titled_by) == ("Mine", "person")

    run(story())


@pytest.mark.parametrize("nonsense", [b"It is wide.", b"line\nsea", b"", b"sea " * 30])
def test_rejected_title_keeps_first_words(run: Run, profile: Profile, nonsense: bytes) -> None:
    async def story() -> None:
        async with desk(profile, FakeOpener(Script(answer=b"It is wide.", cases={WRITE: nonsense}))) as chats:
            chats.send("Tell me of the sea")
            await until(lambda: not chats.sessions.answering)
            await chats.sessions.titles._tasks.join()
            assert chats.sessions.current
            assert (chats.sessions.current.title, chats.sessions.current.titled_by) == ("Tell me of the sea", "start")

    run(story())


def test_next_message_cancels_title_and_keeps_cached_prompt(run: Run, profile: Profile) -> None:
    async def story() -> None:
        opener = FakeOpener(Script(answer=b"It is wide.", cases={WRITE: b'The wide, wide sea"'}, step_s=0.01))
        async with desk(profile, opener) as chats:
            chats.send("Tell me of the sea " * 5)
            await until(lambda: not chats.sessions.answering)
            assert chats.sessions.titles._tasks._tasks, "a title is being made"
            before = chats.sessions.messages[1]
            chats.send("And more?")
            await until(lambda: not chats.sessions.answering)
            assert chats.sessions.current
            assert chats.sessions.messages[3].n_cached >= before.n_prompt + before.n_output - 2, (
                "the title took the chat's place"
            )
            await until(
                lambda: chats.sessions.current and chats.sessions.current.titled_by == "model"
            )  # after the second answer

    run(story())


def test_title_cancelled_by_other_chat_is_generated_later(run: Run, profile: Profile) -> None:
    async def story() -> None:
        script = Script(answer=b"It is wide.", cases={WRITE: b'The wide sea"', b"And": b"Yes."}, step_s=0.01)
        async with desk(profile, FakeOpener(script)) as chats:
            chats.send("Tell me of the sea " * 5)
            first = chats.sessions.current
            assert first is not None
            await until(lambda: not chats.sessions.answering)
            chats.sessions.new_chat()
            chats.send("And?")
            await until(lambda: not chats.sessions.answering)
            await until(lambda: (chat := chats.sessions.chat(first.id)) and chat.title == "The wide sea")

    run(story())


def test_failed_title_request_does_not_block_other_titles(run: Run, profile: Profile) -> None:
    refuses = "{% if 'And' in messages[0].content and messages|length > 2 %}{{ raise_exception('no') }}{% endif %}"
    template = refuses + "{% for message in messages %}{{ message.content }}\n{% endfor %}"

    async def story() -> None:
        cases = {WRITE: b'The wide sea"', b"And": b"Yes."}
        script = Script(answer=b"It is wide.", cases=cases, step_s=0.01, template=template)
        async with desk(profile, FakeOpener(script)) as chats:
            chats.send("Tell me of the sea " * 5)
            first = chats.sessions.current
            assert first is not None
            await until(lambda: not chats.sessions.answering)
            chats.sessions.new_chat()
            chats.send("And?")
            await until(lambda: not chats.sessions.answering)
            await until(lambda: (chat := chats.sessions.chat(first.id)) and chat.title == "The wide sea")

    run(story())


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("How do I parse a CSV whose fields hold quotes?", "How do I parse a CSV…"),
        ("Tell me of the sea", "Tell me of the sea"),
        ('"To be or not to be, that is the question": who said it?', "To be or not to be…"),
        ("„Sein oder Nichtsein“ steht in welchem Stück?", "„Sein oder Nichtsein“ steht…"),
        ("## A plan for the garden", "A plan for the garden"),
        ("Write a short story about the sea in winter", "Write a short story…"),
        ("quarterly-report-of-the-year-2025-final.pdf", "quarterly-report-of-the-year-2…"),
        ("引号与字段" * 6, "引号与字段引号与字段引号与字段…"),
        ("---", "---"),
        ("", ""),
    ],
)
def test_first_words_become_title(text: str, title: str) -> None:
    assert title_of(text) == title


def test_stopped_answer_generates_no_title(run: Run, profile: Profile) -> None:
    async def story() -> None:
        async with desk(profile, FakeOpener(Script(answer=None, step_s=0.002))) as chats:
            chats.send("Go on and on")
            await until(lambda: len(chats.sessions.messages[1].text) > 3)
            chats.stop()
            await until(lambda: not chats.sessions.answering)
            assert not chats.sessions.titles._tasks._tasks

    run(story())


@given(st.text())
def test_title_is_one_short_line(text: str) -> None:
    title = title_of(text)
    assert columns(title) <= MAX_TITLE_COLUMNS + 1
    assert len(title.splitlines()) <= 1


def test_long_title_is_cut_at_word_boundary() -> None:
    assert title_of("\n  Parse   a CSV\nwith quotes") == "Parse a CSV"
    assert title_of("word " * 20) == "word word word word word word…"
