"""Tests of export and import in the JSON format of Inglenook, and of errors of the reader process."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.import_export.errors import Problem, UnknownFormat, UnreadableFile
from desktop.import_export.formats import inglenook
from desktop.import_export.formats.markdown import markdown
from desktop.import_export.html_export import html
from desktop.import_export.importer import Importer, ImportResult
from desktop.import_export.reader import read
from desktop.import_export.records import PortableChat
from desktop.store.records import Attachment, Call, Chat, ChatMessage, ChatSettings, Folder
from desktop.store.store import Store
from tests.desktop.import_export import foreign_exports

TEXT = st.text(max_size=40)
MESSAGES = st.builds(
    ChatMessage,
    id=st.uuids().map(str),
    chat_id=st.just("c"),
    parent_id=st.none(),
    role=st.sampled_from(["user", "assistant", "system"]),
    text=TEXT,
    state=st.sampled_from(["complete", "cut", "stopped", "failed", "length"]),
    created_s=st.floats(0, 2e9),
    reasoning=TEXT,
    calls=st.tuples(st.builds(Call, TEXT, TEXT)) | st.just(()),
    attachments=st.tuples(st.builds(Attachment, TEXT, st.just("pdf"), TEXT)) | st.just(()),
)
CHATS = st.builds(
    Chat,
    id=st.just("c"),
    title=TEXT,
    created_s=st.floats(0, 2e9),
    updated_s=st.floats(0, 2e9),
    pinned=st.booleans(),
    settings=st.builds(ChatSettings, system=TEXT, temperature=st.none() | st.floats(0, 2)),
    archived=st.booleans(),
)
FOLDERS = st.none() | st.builds(Folder, st.uuids().map(str), TEXT, st.floats(0, 9), st.booleans())


@given(CHATS, st.lists(MESSAGES, max_size=4, unique_by=lambda message: message.id), FOLDERS)
@settings(max_examples=60, deadline=None)
def test_json_export_and_import_preserve_every_field(
    chat: Chat, messages: list[ChatMessage], folder: Folder | None
) -> None:
    each = PortableChat(replace(chat, folder_id=folder.id if folder else ""), tuple(messages), folder)
    assert list(inglenook.read(json.loads(inglenook.document([each])))) == [each]
    assert inglenook.from_line(inglenook.line(each)) == each
    assert "\n" not in inglenook.line(each)


def sample() -> PortableChat:
    chat = Chat("c", "The <sea>", 1.0, 2.0, settings=ChatSettings(system="Be kind."))
    ask = ChatMessage(
        "q", "c", None, "user", "Tell **me**", "complete", 1.0, attachments=(Attachment("a.txt", "text", "x"),)
    )
    return PortableChat(
        chat, (ask, ChatMessage("a", "c", "q", "assistant", "It is *wide*.\n\n```py\nx<1\n```", "complete", 2.0))
    )


def test_chat_is_exported_as_markdown_and_html() -> None:
    each = sample()
    names = {"user": "You", "assistant": "Inglenook", "system": "Instructions"}
    text = markdown(each.chat, each.messages, names.__getitem__)
    assert text.startswith("# The <sea>\n\n## Instructions\n\nBe kind.\n\n## You\n\n*a.txt*\n\nTell **me**")
    page = html(each.chat, each.messages, names.__getitem__, "p { color: red }")
    assert "<title>The &lt;sea&gt;</title>" in page
    assert "<i>wide</i>" in page
    assert "Tell <b>me</b>" in page
    assert "x&lt;1" in page or "&lt;" in page


def imported(database: Path, path: Path, command: list[str] | None = None) -> tuple[ImportResult, list[Chat]]:
    async def run() -> tuple[ImportResult, list[Chat]]:
        kept = Store(database)
        await kept.open()
        try:
            progress: list[ImportResult] = []
            importer = (
                Importer(kept, progress.append)
                if command is None
                else Importer(kept, progress.append, lambda _: command)
            )
            result = await importer.run(path)
            assert progress[-1] == result
            return result, await kept.chats()
        finally:
            await kept.aclose()

    return asyncio.run(run())


def test_second_import_of_a_file_adds_no_chats(tmp_path: Path) -> None:
    many = [{**foreign_exports.CHATGPT[0], "conversation_id": f"c{n}", "title": f"Chat {n}"} for n in range(40)]
    (tmp_path / "export.json").write_text(json.dumps(many))
    first, chats = imported(tmp_path / "chats.db", tmp_path / "export.json")
    assert (first.n_new, len(chats)) == (40, 40)
    again, chats = imported(tmp_path / "chats.db", tmp_path / "export.json")
    assert (again, len(chats)) == (ImportResult(0, 40), 40)


def test_import_does_not_overwrite_existing_chats(tmp_path: Path) -> None:
    each = sample()
    (tmp_path / "mine.json").write_text(inglenook.document([each]))

    async def run() -> None:
        store = Store(tmp_path / "chats.db")
        await store.open()
        await store.save(replace(each.chat, title="Mine"), each.messages)
        assert await Importer(store, lambda _: None).run(tmp_path / "mine.json") == ImportResult(0, 1)
        assert [chat.title for chat in await store.chats()] == ["Mine"]
        await store.aclose()

    asyncio.run(run())


def test_error_of_the_reader_process_is_raised_by_the_importer(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UnknownFormat) as caught:
        imported(tmp_path / "chats.db", tmp_path / "x.json")
    assert caught.value.name == "x.json"


def test_chats_read_before_a_crash_of_the_reader_process_are_imported(tmp_path: Path) -> None:
    line = inglenook.line(sample())
    script = f"print({line!r}, flush=True); import os; os._exit(9)"
    with pytest.raises(UnreadableFile) as caught:
        imported(tmp_path / "chats.db", tmp_path, [sys.executable, "-c", script])
    assert caught.value.reason == Problem.READER_CRASHED
    assert len(list(read_back(tmp_path / "chats.db"))) == 1


def read_back(path: Path) -> list[Chat]:
    async def run() -> list[Chat]:
        store = Store(path)
        await store.open()
        try:
            return await store.chats()
        finally:
            await store.aclose()

    return asyncio.run(run())


def test_inglenook_export_is_recognised_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(inglenook.document([sample()]), encoding="utf-8")
    assert list(read(tmp_path / "x.json")) == [sample()]
