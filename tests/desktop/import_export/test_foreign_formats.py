"""Tests of reading exports of other programs, and of the errors for damaged and unknown files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from desktop.chat.conversation import Conversation
from desktop.import_export.errors import UnknownFormat, UnreadableFile
from desktop.import_export.formats.foreign_json import as_seconds
from desktop.import_export.reader import read
from desktop.import_export.records import PortableChat
from tests.desktop.import_export import foreign_exports


def only(folder: Path, data: object, name: str = "export.json") -> PortableChat:
    (folder / name).write_text(json.dumps(data), encoding="utf-8")
    (found,) = foreign_exports.chats_in(folder / name)
    return found


def branch(found: PortableChat) -> list[tuple[str, str]]:
    shown = Conversation(found.messages, found.chat.leaf_id).branch()
    return [(message.role, message.text) for message in shown]


def texts(found: PortableChat) -> set[str]:
    return {message.text for message in found.messages}


def test_chatgpt_export_is_read(tmp_path: Path) -> None:
    found = only(tmp_path, foreign_exports.CHATGPT)
    assert (found.chat.title, found.chat.created_s, found.chat.updated_s) == ("Sea", 100.5, 200.5)
    assert branch(found) == [("user", "What is the sea?"), ("assistant", "Salt water.")]
    assert texts(found) == {"What is the sea?", "Water.", "Salt water."}
    assert {message.model_id for message in found.messages} == {"", "gpt-4"}


def test_chatgpt_zip_with_split_conversations_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("user.json", "{}")
        for number in range(2):
            chats = [{**foreign_exports.CHATGPT[0], "conversation_id": f"c{number}"}]
            archive.writestr(f"conversations-{number:03}.json", json.dumps(chats))
    assert len({found.chat.id for found in foreign_exports.chats_in(tmp_path / "export.zip")}) == 2


def test_open_webui_export_is_read(tmp_path: Path) -> None:
    found = only(tmp_path, foreign_exports.OPEN_WEBUI)
    assert branch(found) == [("user", "How are hills?"), ("assistant", "Green.")]
    assert texts(found) == {"How are hills?", "Green.", "Old.", "A ring."}


def test_llama_server_export_is_read(tmp_path: Path) -> None:
    found = only(tmp_path, foreign_exports.LLAMA_SERVER)
    assert branch(found) == [("user", "What is fire?"), ("assistant", "Hot.")]
    assert (found.messages[1].reasoning, found.messages[1].model_id) == ("Let me see.", "smol")
    assert (found.chat.created_s, found.chat.updated_s) == (99.0, 300.0)


def test_lm_studio_export_is_read(tmp_path: Path) -> None:
    found = only(tmp_path, foreign_exports.LM_STUDIO, "1.conversation.json")
    assert branch(found) == [
        ("system", "Be short."), ("user", "What is the moon?"), ("assistant", "A rock."), ("user", "Thanks"),
    ]  # fmt: skip
    assert "Cheese." in texts(found)
    assert next(message.reasoning for message in found.messages if message.text == "A rock.") == "Hm"


def test_folder_with_jan_threads_and_other_files_is_read(tmp_path: Path) -> None:
    thread = tmp_path / "threads" / "jan_1"
    thread.mkdir(parents=True)
    (thread / "thread.json").write_text(json.dumps(foreign_exports.JAN_THREAD))
    (thread / "messages.jsonl").write_text("\n".join(map(json.dumps, foreign_exports.JAN_MESSAGES)) + "\n")
    (tmp_path / "moon.json").write_text(json.dumps(foreign_exports.LM_STUDIO))
    (tmp_path / "broken.json").write_text("{")
    found = {each.chat.title: each for each in foreign_exports.chats_in(tmp_path)}
    assert set(found) == {"Trees", "Moon"}
    assert branch(found["Trees"]) == [("user", "How are trees?"), ("assistant", "Tall.")]
    assert found["Trees"].chat.created_s == 1_000_000_000.0


def test_reading_an_export_twice_yields_the_same_ids(tmp_path: Path) -> None:
    assert only(tmp_path, foreign_exports.CHATGPT) == only(tmp_path, foreign_exports.CHATGPT)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "[1]", '{"messages": []}', "\x00\x01", "[" * 100_000])
def test_file_that_is_no_export_raises_unknown_format(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(UnknownFormat, match=r"x\.json"):
        list(read(tmp_path / "x.json"))


@pytest.mark.parametrize(
    "data",
    [
        [{"mapping": {"a": {"parent": None, "message": {"author": 3}}}}],
        [{"mapping": 3}],
        {"conv": {}, "messages": [{"role": "user"}]},
        {"messages": [{"versions": [{"content": 3}]}]},
        {"format": "inglenook-chats", "version": 99, "chats": []},
        {"format": "inglenook-chats", "version": 1, "chats": [{"chat": {"id": "a"}, "messages": []}]},
        [{"chat": {"history": {"messages": [1]}}}],
    ],
)
def test_damaged_export_raises_unreadable_file(tmp_path: Path, data: object) -> None:
    (tmp_path / "x.json").write_text(json.dumps(data))
    with pytest.raises(UnreadableFile, match=r"x\.json"):
        list(read(tmp_path / "x.json"))


def test_damaged_zip_and_missing_file_raise_unreadable_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("conversations.json", json.dumps(foreign_exports.CHATGPT) * 3)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[60:90] = b"\xff" * 30
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(UnreadableFile):
        list(read(tmp_path / "x.zip"))
    with pytest.raises(UnreadableFile, match="No such file"):
        list(read(tmp_path / "none.json"))


@pytest.mark.parametrize("unit_s", [1.0, 0.001])
def test_unit_of_numeric_times_does_not_affect_iso_8601_times(unit_s: float) -> None:
    assert as_seconds("2024-01-01T00:00:00+00:00", unit_s) == 1_704_067_200
    assert as_seconds("1704067200000", 0.001) == 1_704_067_200
