"""Tests of importing damaged exports in every format: malformed chats are counted, reported by name, and do not affect
others."""

from __future__ import annotations

import asyncio
import json
import time
import zipfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.chat.conversation import Conversation
from desktop.import_export.errors import ImportExportError, Problem, UnreadableFile
from desktop.import_export.formats import inglenook
from desktop.import_export.formats.chat_builder import split_reasoning
from desktop.import_export.formats.markdown import read_markdown_chat
from desktop.import_export.importer import Importer, ImportResult
from desktop.import_export.reader import read
from desktop.import_export.records import PortableChat, UnreadableChat
from desktop.store.records import Chat, ChatMessage
from desktop.store.store import Store
from tests.desktop.import_export import foreign_exports


def own_chat(number: int) -> dict[str, Any]:
    chat = Chat(f"c{number}", f"good {number}", 1.0, 2.0)
    message = ChatMessage(f"m{number}", f"c{number}", None, "user", f"q{number}", "complete", 1.0)
    return json.loads(inglenook.document([PortableChat(chat, (message,))]))["chats"][0]  # type: ignore[no-any-return]


def chatgpt_chat(number: int) -> dict[str, Any]:
    chat = deepcopy(foreign_exports.CHATGPT[0])
    return chat | {"conversation_id": f"c{number}", "title": f"good {number}"}


def open_webui_chat(number: int) -> dict[str, Any]:
    return deepcopy(foreign_exports.OPEN_WEBUI[0]) | {"id": f"w{number}", "title": f"good {number}"}


def llama_server_chat(number: int) -> dict[str, Any]:
    chat = deepcopy(foreign_exports.LLAMA_SERVER)
    chat["conv"] |= {"id": f"l{number}", "name": f"good {number}"}
    return chat


def own_document(chats: list[Any]) -> Any:
    return {"format": "inglenook-chats", "version": 1, "folders": [], "chats": chats}


def as_list(chats: list[Any]) -> Any:
    return chats


LISTS: dict[str, tuple[Callable[[int], dict[str, Any]], Callable[[list[Any]], Any], list[Any]]] = {
    "own": (
        own_chat,
        own_document,
        [
            None,
            {"chat": {"title": "bad"}},
            own_chat(7) | {"messages": [{"id": "x"}]},
            {**own_chat(8), "chat": {**own_chat(8)["chat"], "created_s": "yesterday"}},
            {**own_chat(8), "chat": {**own_chat(8)["chat"], "updated_s": 1e999}},
            {**own_chat(9), "messages": [{**own_chat(9)["messages"][0], "role": "king"}]},
            {**own_chat(9), "messages": [{**own_chat(9)["messages"][0], "n_prompt": 2**70}]},
        ],
    ),
    "chatgpt": (
        chatgpt_chat,
        as_list,
        [
            {"title": "bad", "mapping": None},
            {"mapping": {"x": None}, "current_node": "x"},
            {"mapping": [1, 2]},
            {"mapping": {"x": {"message": 3}}},
            {"mapping": {"x": {"message": {"author": []}}}},
            None,
            "text",
            5,
            [],
        ],
    ),
    "open_webui": (
        open_webui_chat,
        as_list,
        [
            {"id": "b", "title": "bad", "chat": None},
            {"chat": {"history": {"messages": {"1": None}}}},
            {"chat": {"history": {"messages": {"1": {"content": 3}}}}},
            {"chat": {"messages": [1]}},
            {"chat": []},
            None,
            True,
        ],
    ),
    "llama_server": (
        llama_server_chat,
        as_list,
        [
            {"conv": None, "messages": []},
            {"conv": {"id": "x", "name": "bad"}, "messages": None},
            {"conv": {"id": "x"}, "messages": [{"role": "user"}]},
            {"conv": {"id": "x"}, "messages": [None]},
            None,
        ],
    ),
}
CASES = [(kind, place) for kind, (_, _, bad) in LISTS.items() for place in range(len(bad))]


def titles_and_unread(path: Path) -> tuple[list[str], list[str]]:
    pieces = list(read(path))
    chats = [piece.chat.title for piece in pieces if isinstance(piece, PortableChat)]
    return chats, [piece.name for piece in pieces if isinstance(piece, UnreadableChat)]


@pytest.mark.parametrize(("kind", "place"), CASES)
def test_malformed_chat_in_an_export_is_counted_and_other_chats_are_read(tmp_path: Path, kind: str, place: int) -> None:
    make, wrap, bad = LISTS[kind]
    (tmp_path / "x.json").write_text(json.dumps(wrap([make(1), bad[place], make(2)])))
    chats, unread = titles_and_unread(tmp_path / "x.json")
    assert chats == ["good 1", "good 2"]
    assert len(unread) == 1


@pytest.mark.parametrize("kind", LISTS)
def test_malformed_chats_at_start_and_end_of_an_export_are_counted(tmp_path: Path, kind: str) -> None:
    make, wrap, bad = LISTS[kind]
    (tmp_path / "x.json").write_text(json.dumps(wrap([*bad, make(1), *bad])))
    chats, unread = titles_and_unread(tmp_path / "x.json")
    assert chats == ["good 1"]
    assert len(unread) == 2 * len(bad)
    assert "bad" in unread


@pytest.mark.parametrize("kind", [kind for kind in LISTS if kind != "own"])
def test_truncated_export_yields_its_complete_chats(tmp_path: Path, kind: str) -> None:
    make, wrap, _ = LISTS[kind]
    text = json.dumps(wrap([make(1), make(2), make(3)]))
    (tmp_path / "x.json").write_text(text[: len(text) - 40])
    assert titles_and_unread(tmp_path / "x.json") == (["good 1", "good 2"], [""])


@pytest.mark.parametrize("broken", ['{"mapping": {"a": [1,}, ]}}', "[" * 5_000 + "]" * 5_000, "nul", '{"a": "x" "b"}'])
def test_chats_around_an_element_of_invalid_json_are_read(tmp_path: Path, broken: str) -> None:
    chats = [json.dumps(chatgpt_chat(1)), broken, json.dumps(chatgpt_chat(2))]
    (tmp_path / "x.json").write_text(f"[{', '.join(chats)}]")
    assert titles_and_unread(tmp_path / "x.json") == (["good 1", "good 2"], [""])


def test_chat_in_json_nested_5000_levels_deep_is_skipped(tmp_path: Path) -> None:
    deep = '{"mapping": ' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "}"
    (tmp_path / "x.json").write_text(f"[{json.dumps(chatgpt_chat(1))}, {deep}]")
    chats, unread = titles_and_unread(tmp_path / "x.json")
    assert chats == ["good 1"]
    assert len(unread) <= 1  # Python 3.13 parses this depth and yields a chat without messages


def test_invalid_utf_8_in_an_export_becomes_replacement_characters(tmp_path: Path) -> None:
    text = json.dumps([chatgpt_chat(1)]).replace("What is the sea?", "caf§").encode().replace("§".encode(), b"\xe9")
    (tmp_path / "x.json").write_bytes(text)
    (found,) = foreign_exports.chats_in(tmp_path / "x.json")
    assert "caf\ufffd" in {message.text for message in found.messages}


def test_malformed_message_is_counted_and_other_messages_are_read(tmp_path: Path) -> None:
    chat = open_webui_chat(1)
    chat["chat"]["history"]["messages"]["4"] = None
    (tmp_path / "x.json").write_text(json.dumps([chat]))
    (found,) = foreign_exports.chats_in(tmp_path / "x.json")
    assert found.n_unread == 1
    assert {message.text for message in found.messages} >= {"How are hills?", "Green."}


def test_lm_studio_and_jan_messages_around_malformed_ones_are_read(tmp_path: Path) -> None:
    moon = deepcopy(foreign_exports.LM_STUDIO)
    moon["messages"] += [None, {"versions": 3}, {"versions": [None, {"content": 5}]}]
    (tmp_path / "moon.json").write_text(json.dumps(moon))
    (tmp_path / "th").mkdir()
    (tmp_path / "th" / "thread.json").write_text(json.dumps(foreign_exports.JAN_THREAD))
    lines = [*map(json.dumps, foreign_exports.JAN_MESSAGES), "{", "5", "[" * 9_000]
    (tmp_path / "th" / "messages.jsonl").write_text("\n".join(lines))
    found = {each.chat.title: each for each in foreign_exports.chats_in(tmp_path)}
    assert {title: each.n_unread for title, each in found.items()} == {"Moon": 3, "Trees": 3}


def test_unreadable_file_in_a_folder_or_zip_is_reported_by_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("conversations-000.json", json.dumps([{"mapping": None, "title": "t"}]))
        archive.writestr("conversations-001.json", json.dumps([chatgpt_chat(1)]))
    assert titles_and_unread(tmp_path / "x.zip") == (["good 1"], ["t"])
    (tmp_path / "th").mkdir()
    (tmp_path / "th" / "thread.json").write_text("{")
    (tmp_path / "th" / "messages.jsonl").write_text("")
    assert titles_and_unread(tmp_path) == (["good 1"], ["th", "t"])


def imported(folder: Path, path: Path) -> tuple[ImportResult | ImportExportError, list[Chat], list[ChatMessage]]:
    async def run() -> tuple[ImportResult | ImportExportError, list[Chat], list[ChatMessage]]:
        store = Store(folder / "chats.db")
        await store.open()
        try:
            try:
                result: ImportResult | ImportExportError = await Importer(store, lambda _: None).run(path)
            except ImportExportError as error:
                result = error
            chats = await store.chats()
            return result, chats, [each for chat in chats for each in await store.messages(chat.id)]
        finally:
            await store.aclose()

    return asyncio.run(run())


def test_import_result_counts_and_names_unreadable_chats(tmp_path: Path) -> None:
    bad = [{"title": f"bad {number}", "mapping": None} for number in range(5)]
    (tmp_path / "x.json").write_text(json.dumps([chatgpt_chat(1), *bad, chatgpt_chat(2)]))
    result, chats, _ = imported(tmp_path, tmp_path / "x.json")
    assert result == ImportResult(n_new=2, n_unread=5, names=("bad 0", "bad 1", "bad 2"))
    assert len(chats) == 2


def test_chats_read_before_an_error_of_the_reader_process_are_imported(tmp_path: Path) -> None:
    line = inglenook.line(PortableChat(Chat("c", "t", 1.0, 1.0), ()))
    script = f'print({line!r}); print(\'["UnreadableFile", "x", "y"]\')'

    async def run() -> list[Chat]:
        import sys

        store = Store(tmp_path / "chats.db")
        await store.open()
        with pytest.raises(UnreadableFile):
            await Importer(store, lambda _: None, lambda _: [sys.executable, "-c", script]).run(tmp_path)
        chats = await store.chats()
        await store.aclose()
        return chats

    assert [chat.id for chat in asyncio.run(run())] == ["c"]


def test_chat_duplicated_in_an_export_gets_new_message_ids(tmp_path: Path) -> None:
    first, second = own_chat(1), own_chat(1)
    second["chat"] |= {"id": "copy", "title": "copy", "leaf_id": "m1"}
    second["messages"][0]["chat_id"] = "copy"
    (tmp_path / "x.json").write_text(json.dumps(own_document([first, second])))
    result, chats, messages = imported(tmp_path, tmp_path / "x.json")
    assert result == ImportResult(n_new=2)
    assert sorted(message.chat_id for message in messages) == ["c1", "copy"]
    copy = next(chat for chat in chats if chat.id == "copy")
    assert copy.leaf_id in {message.id for message in messages if message.chat_id == "copy"}


def test_messages_listed_before_their_parents_are_imported(tmp_path: Path) -> None:
    chat = own_chat(1)
    reply = {**chat["messages"][0], "id": "r", "parent_id": "m1", "role": "assistant", "text": "a"}
    chat["messages"].insert(0, reply)
    (tmp_path / "x.json").write_text(json.dumps(own_document([chat])))
    result, _, messages = imported(tmp_path, tmp_path / "x.json")
    assert result == ImportResult(n_new=1)
    assert {message.text for message in messages} == {"q1", "a"}


def test_deleted_chat_is_imported_again(tmp_path: Path) -> None:
    async def run() -> None:
        (tmp_path / "x.json").write_text(json.dumps(own_document([own_chat(1)])))
        store = Store(tmp_path / "chats.db")
        await store.open()
        for _ in range(2):
            assert await Importer(store, lambda _: None).run(tmp_path / "x.json") == ImportResult(n_new=1)
            assert len(await store.messages("c1")) == 1
            await store.delete("c1")
        await store.aclose()

    asyncio.run(run())


HALVES = {
    "good 1": "half \\ud83d title", "sea?": "\\udc00?", "hills?": "\\ud83d", "fire?": "\\ud83d\\ude00\\ud83d",
    '"q1"': '"\\ud83d"', "moon?": "\\udfff", "trees?": "\\ud83d",
}  # fmt: skip


def halves(text: str) -> str:
    for whole, half in HALVES.items():
        text = text.replace(whole, half)
    return text


@pytest.mark.parametrize("kind", [*LISTS, "lm_studio", "jan"])
def test_lone_surrogate_in_an_export_becomes_a_replacement_character(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "x.json"
    if kind == "lm_studio":
        place.write_text(halves(json.dumps(foreign_exports.LM_STUDIO)))
    elif kind == "jan":
        place = tmp_path / "th"
        place.mkdir()
        (place / "thread.json").write_text(halves(json.dumps(foreign_exports.JAN_THREAD | {"id": "\ud83d"})))
        (place / "messages.jsonl").write_text(halves("\n".join(map(json.dumps, foreign_exports.JAN_MESSAGES))))
    else:
        make, wrap, _ = LISTS[kind]
        place.write_text(halves(json.dumps(wrap([make(number) for number in range(3)]))))
    result, chats, messages = imported(tmp_path, place)
    assert isinstance(result, ImportResult)
    assert result.n_new == (1 if kind in ("lm_studio", "jan") else 3)
    texts = [chat.title for chat in chats] + [message.text for message in messages]
    assert any("\ufffd" in text for text in texts)
    for text in texts:
        text.encode()


def test_jan_message_file_is_split_only_at_line_feeds(tmp_path: Path) -> None:
    text_with_breaks = "one\u2028two\u2029three\x85four\x1cfive\x0bsix\x0cseven"
    (tmp_path / "thread.json").write_text(json.dumps(foreign_exports.JAN_THREAD))
    messages = [
        {"id": f"m{number}", "role": role, "content": [{"type": "text", "text": {"value": text}}], "created_at": number}
        for number, (role, text) in enumerate([("user", text_with_breaks), ("assistant", "ok")], start=1)
    ]
    lines = "".join(json.dumps(each, ensure_ascii=False) + "\r\n" for each in messages).replace("\x1c", "\\u001c")
    lines = lines.replace("\x0b", "\\u000b").replace("\x0c", "\\u000c")
    (tmp_path / "messages.jsonl").write_bytes(lines.encode())
    (found,) = foreign_exports.chats_in(tmp_path)
    assert [message.text for message in found.messages] == [text_with_breaks, "ok"]


def node(node_id: str, parent: str | None, role: str | None = None, text: str = "", **more: Any) -> dict[str, Any]:
    message = {
        "author": {"role": role},
        "content": {"content_type": "text", "parts": [text]},
        "create_time": len(node_id),
    }
    return {"id": node_id, "parent": parent, "message": message if role else None, **more}


def tree(current: str | None = "a2") -> dict[str, Any]:
    nodes = [
        node("r", None), node("u1", "r", "user", "First?", children=[]), node("a1", "u1", "assistant", "One."),
        node("s", "a1", "system", ""), node("u2", "s", "user", "Second?"), node("a2", "u2", "assistant", "Two."),
    ]  # fmt: skip
    return {"title": "t", "conversation_id": "c", "current_node": current, "mapping": {n["id"]: n for n in nodes}}


@pytest.mark.parametrize("current", ["a2", "gone", None])
def test_chatgpt_tree_without_children_lists_is_read_completely(tmp_path: Path, current: str | None) -> None:
    (tmp_path / "x.json").write_text(json.dumps([tree(current)]))
    (found,) = foreign_exports.chats_in(tmp_path / "x.json")
    shown = Conversation(found.messages, found.chat.leaf_id).branch()
    assert [message.text for message in shown] == ["First?", "One.", "Second?", "Two."]


def test_chatgpt_tree_without_parent_ids_is_read_completely(tmp_path: Path) -> None:
    chat = tree()
    names = list(chat["mapping"])
    for name, child in zip(names, [*names[1:], None], strict=True):
        chat["mapping"][name] |= {"parent": None, "children": [child] if child else []}
    (tmp_path / "x.json").write_text(json.dumps([chat]))
    (found,) = foreign_exports.chats_in(tmp_path / "x.json")
    assert [message.parent_id is None for message in found.messages] == [True, False, False, False]


def test_chatgpt_tree_of_20000_messages_is_read(tmp_path: Path) -> None:
    nodes = [node(str(number), str(number - 1) if number else None, "user", "x") for number in range(20_000)]
    chat = {"title": "long", "conversation_id": "c", "current_node": "19999", "mapping": {n["id"]: n for n in nodes}}
    (tmp_path / "x.json").write_text(json.dumps([chat]))
    (found,) = foreign_exports.chats_in(tmp_path / "x.json")
    assert len(found.messages) == 20_000


def test_imported_chat_with_unknown_current_message_shows_the_newest_branch(tmp_path: Path) -> None:
    for make, key in ((open_webui_chat, "history"), (llama_server_chat, "conv")):
        chat = make(1)
        holder = chat["chat"][key] if key == "history" else chat[key]
        holder |= {"currentId": "gone", "currNode": "gone"}
        (tmp_path / "x.json").write_text(json.dumps([chat]))
        (found,) = foreign_exports.chats_in(tmp_path / "x.json")
        shown = Conversation(found.messages, found.chat.leaf_id).branch()
        assert shown[-1].text in ("Green.", "Hot.")


def test_open_webui_text_parts_are_joined_and_reasoning_is_separated(tmp_path: Path) -> None:
    chat = open_webui_chat(1)
    messages = chat["chat"]["history"]["messages"]
    messages["1"]["content"] = [
        {"type": "text", "text": "How are"},
        {"type": "image_url", "image_url": {"url": "data:"}},
        {"type": "text", "text": "hills?"},
    ]
    messages["3"]["content"] = (
        '<details type="reasoning" done="true" duration="4">\n<summary>Thought for 4 seconds</summary>\n'
        "&gt; Is 1 &lt; 2?\n> Yes.\n</details>\nThey are green."
    )
    (tmp_path / "x.json").write_text(json.dumps([chat]))
    (found,) = foreign_exports.chats_in(tmp_path / "x.json")
    by_text = {message.text: message for message in found.messages}
    assert "How are\n\nhills?" in by_text
    green = by_text["They are green."]
    assert (green.reasoning, green.reasoning_s) == ("Is 1 < 2?\nYes.", 4.0)


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("<think>a\nb</think>\n\nc", "c", "a\nb"),
        ("<think>never ended", "", "never ended"),
        ('<details type="reasoning" done="false">\n<summary>Thinking…</summary>\n> x', "", "x"),
        ("<details><summary>s</summary>kept</details>", "<details><summary>s</summary>kept</details>", ""),
        ("say <think> aloud", "say <think> aloud", ""),
    ],
)
def test_reasoning_in_an_exported_answer_is_separated_from_its_text(
    tmp_path: Path, text: str, answer: str, reasoning: str
) -> None:
    chat = chatgpt_chat(1)
    chat["mapping"]["b"]["message"]["content"]["parts"] = [text]
    (tmp_path / "x.json").write_text(json.dumps([chat]))
    (found,) = foreign_exports.chats_in(tmp_path / "x.json")
    assert (answer, reasoning) in {(message.text, message.reasoning) for message in found.messages}


@pytest.mark.parametrize(
    "when", [1e300, -5, "soon", True, None, [], 1.7e9, 1.7e12, 1.7e15, 1.7e18, "2024-01-02T03:04:05Z"]
)
def test_times_in_exports_are_read_in_any_unit_and_invalid_times_are_ignored(tmp_path: Path, when: object) -> None:
    from datetime import datetime

    chats = [chatgpt_chat(1) | {"create_time": when, "update_time": when}, open_webui_chat(2) | {"created_at": when}]
    for place, chat in enumerate(chats):
        (tmp_path / f"{place}.json").write_text(json.dumps([chat]))
        (found,) = foreign_exports.chats_in(tmp_path / f"{place}.json")
        assert datetime.fromtimestamp(found.chat.created_s).year in (1969, 1970, 2023, 2024)


def test_exported_markdown_is_imported_unchanged(tmp_path: Path) -> None:
    from desktop.import_export.formats.markdown import markdown

    chat = Chat("c", "Seas", 1.0, 1.0, settings=replace(Chat("", "", 0, 0).settings, system="Be kind."))
    branch = [
        ChatMessage("1", "c", None, "user", "Say\n\n```md\n## You\n```", "complete", 1.0),
        ChatMessage("2", "c", "1", "assistant", "It is wide.\n\n### Depth\n\nDeep.", "complete", 1.0),
    ]
    for names in ({"user": "You", "assistant": "Inglenook", "system": "Instructions"},
                  {"user": "Sie", "assistant": "Inglenook", "system": "Anweisungen"}):  # fmt: skip
        (tmp_path / "x.md").write_text(markdown(chat, branch, names.__getitem__))
        (found,) = foreign_exports.chats_in(tmp_path / "x.md")
        assert found.chat.title == "Seas"
        assert [(each.role, each.text) for each in found.messages] == [
            ("system", "Be kind."), ("user", branch[0].text), ("assistant", branch[1].text)
        ]  # fmt: skip


def test_markdown_with_bold_role_names_is_imported_and_other_markdown_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("**User:** hello\nthere\n\n**Assistant:**\n\nHi.\n")
    (found,) = foreign_exports.chats_in(tmp_path / "x.md")
    assert [(each.role, each.text) for each in found.messages] == [("user", "hello\nthere"), ("assistant", "Hi.")]
    (tmp_path / "x.md").write_text("# Shopping\n\nMilk\n")
    with pytest.raises(ImportExportError):
        list(read(tmp_path / "x.md"))


def test_zip_bomb_is_rejected_within_the_memory_limit(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo("conversations.json")
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as sink:
            sink.write(b"[")
            for _ in range(600):
                sink.write(b"[],[],[]," * 111_111)
            sink.write(b"[]]")
    result, chats, _ = imported(tmp_path, tmp_path / "x.zip")
    assert isinstance(result, UnreadableFile)
    assert (result.reason, chats) == (Problem.TOO_LARGE, [])


def test_file_with_a_million_unknown_elements_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[" + "[]," * 1_000_000 + "[]]")
    with pytest.raises(ImportExportError):
        list(read(tmp_path / "x.json"))


@pytest.mark.parametrize(
    "text",
    [
        "<details " * 200_000,
        '<details type="reasoning">' + " " * 200_000 + "x</details>",
        '<details type="reasoning">' + "<summary>" * 100_000 + "x</details>",
    ],
)
def test_reasoning_in_an_exported_answer_is_separated_in_linear_time(text: str) -> None:
    started = time.thread_time()
    split_reasoning(text)
    assert time.thread_time() - started < 1


def test_markdown_headings_with_long_runs_of_spaces_are_read_in_linear_time() -> None:
    started = time.thread_time()
    (chat,) = read_markdown_chat("# A title" + " " * 200_000 + "of spaces #\n## You\nHello\n## Inglenook\nHi", 0.0)
    assert time.thread_time() - started < 1
    assert [message.text for message in chat.messages] == ["Hello", "Hi"]
    assert chat.chat.title == "A title of spaces"
