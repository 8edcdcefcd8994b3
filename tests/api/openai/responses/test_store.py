"""Stored responses: their number and size are limited, and they are found only with the key that created them or the
endpoint's own key."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.authentication import ENDPOINT_KEY_NAME, KeyHolder
from api.errors import ResponseNotFound
from api.openai.responses.request import Item, parse_messages
from api.openai.responses.store import ResponseStore, StoredResponse
from tests.api.live_endpoint import live

MAIN = KeyHolder(ENDPOINT_KEY_NAME)
EDITOR = KeyHolder("editor", "1234")


def stored(digit: str, owner_id: str = "", **item: Any) -> StoredResponse:
    return StoredResponse({"id": name(digit)}, [{"role": "user", "content": digit, **item}], owner_id)


def name(digit: str) -> str:
    return "resp_" + digit * 32


def find(store: ResponseStore, response_id: str, holder: KeyHolder = MAIN) -> StoredResponse | None:
    try:
        return asyncio.run(store.get(response_id, holder))
    except ResponseNotFound:
        return None


@contextmanager
def largest_file(n_bytes: int) -> Iterator[None]:
    """Limits the size of files while the block runs, so that writing fails as on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_oldest_response_is_deleted_if_number_limit_is_exceeded(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path / "responses", max_responses=2)
    assert all(store.put(stored(digit)) for digit in "123")
    assert find(ResponseStore(tmp_path / "responses"), name("3")) == stored("3")
    assert len(list((tmp_path / "responses").iterdir())) == 2
    asyncio.run(store.delete(name("3"), MAIN))
    assert find(store, name("1")) is find(store, name("3")) is None
    with pytest.raises(ResponseNotFound):
        asyncio.run(store.delete(name("3"), MAIN))


def test_oldest_responses_are_deleted_if_byte_limit_is_exceeded(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path, max_bytes=3000)
    for n, digit in enumerate("12345"):
        assert store.put(stored(digit, content=digit * 1000))
        os.utime(tmp_path / f"{name(digit)}.json", (n, n))
    assert [digit for digit in "12345" if find(store, name(digit)) is not None] == ["4", "5"]


def test_response_above_size_limit_is_not_stored(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path, max_response_bytes=1000)
    assert not store.put(stored("1", content="x" * 1000))
    assert list(tmp_path.iterdir()) == []


def test_unknown_item_fields_are_not_stored(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path)
    parts = [{"type": "input_text", "text": "a", "unknown": "x" * 9999}]
    item: Item = {
        "type": "message",
        "role": "user",
        "content": parts,
        "unknown": ["x" * 9999],
        "call_id": {"a": "x" * 9999},
    }
    assert store.put(StoredResponse({"id": name("1")}, [item]))
    assert (tmp_path / f"{name('1')}.json").stat().st_size < 500
    again = find(store, name("1"))
    assert again is not None
    assert again.items == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}], "call_id": None}
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "message", "role": "user", "content": "a"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "a"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "namespace": "n"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "a"}]},
        {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "a"},
        {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "mcp_call", "id": "m", "name": "f", "arguments": "{}", "output": "a"},
    ],
)
def test_all_item_fields_that_later_requests_need_are_stored(tmp_path: Path, item: Item) -> None:
    store = ResponseStore(tmp_path)
    store.put(StoredResponse({"id": name("1")}, [item]))
    again = find(store, name("1"))
    assert again is not None
    assert again.items == [item]
    assert parse_messages(again.items) == parse_messages([item])


def test_put_on_a_full_disk_returns_false_and_leaves_no_partial_file(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path)
    with largest_file(100):
        assert not store.put(stored("1", content="x" * 200))
    assert list(tmp_path.iterdir()) == []


def test_put_deletes_partial_file_of_an_earlier_crash(tmp_path: Path) -> None:
    (tmp_path / f"{name('9')}.json.part").write_text("half")
    assert ResponseStore(tmp_path).put(stored("1"))
    assert [path.name for path in tmp_path.iterdir()] == [f"{name('1')}.json"]


def test_put_in_unwritable_folder_returns_false(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not ResponseStore(tmp_path / "file").put(stored("1"))


def test_response_is_found_only_with_the_key_that_created_it_or_the_endpoint_key(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path)
    store.put(stored("1", EDITOR.id))
    store.put(stored("2"))
    for stranger in (KeyHolder("other", "5678"), KeyHolder("editor", "another key of that name")):
        assert find(store, name("1"), stranger) is None
        with pytest.raises(ResponseNotFound):
            asyncio.run(store.delete(name("1"), stranger))
    assert find(store, name("2"), EDITOR) is None
    assert find(store, name("1"), EDITOR) == find(store, name("1"), MAIN) == stored("1", EDITOR.id)


@pytest.mark.parametrize(
    "wrong",
    ["", "../secret", "resp_/../../secret", f"resp_{'1' * 32}/../../secret", "resp_" + "1" * 31, "resp_" + "G" * 32],
)
def test_get_and_delete_with_malformed_response_id_raise_response_not_found(tmp_path: Path, wrong: str) -> None:
    folder = tmp_path / "responses"
    secret = folder / f"{wrong}.json"
    for middle in ("resp_", f"resp_{'1' * 32}"):
        (folder / middle).mkdir(parents=True)
    secret.write_text(json.dumps({"response": {"id": "x"}, "items": []}))  # a valid response, which must not be found
    store = ResponseStore(folder)
    assert find(store, wrong) is None
    with pytest.raises(ResponseNotFound):
        asyncio.run(store.delete(wrong, MAIN))
    assert secret.exists()


def test_response_in_damaged_file_is_not_found(tmp_path: Path) -> None:
    for damaged in ("", "{", "[]", '{"response": {}}'):
        (tmp_path / f"{name('1')}.json").write_text(damaged)
        assert find(ResponseStore(tmp_path), name("1")) is None


def test_store_without_folder_stores_nothing() -> None:
    assert not ResponseStore(None).put(stored("1"))
    assert find(ResponseStore(None), name("1")) is None


@pytest.mark.parametrize("stream", [False, True])
def test_answer_has_store_false_if_disk_is_full(tmp_path: Path, stream: bool) -> None:
    with live(responses=tmp_path) as endpoint, largest_file(100), endpoint.openai() as client:
        if stream:
            last = list(client.responses.create(model="x", input="Hi", stream=True))[-1]
            answer = last.response.to_dict()  # type: ignore[union-attr]
        else:
            answer = client.responses.create(model="x", input="Hi").to_dict()
    assert answer["store"] is False
    assert list(tmp_path.iterdir()) == []


def test_answer_has_store_false_if_store_is_disabled() -> None:
    with live() as endpoint:
        assert endpoint.post({"input": "Hi"}, "/v1/responses").json()["store"] is False


def test_large_unknown_fields_of_a_conversation_are_not_stored(tmp_path: Path) -> None:
    with live(responses=tmp_path) as endpoint:
        previous = None
        for _ in range(4):
            item = {"role": "user", "content": "Hi", "unknown": "x" * 3_000_000}
            body = {"input": [item], "previous_response_id": previous}
            answer = endpoint.post(body, "/v1/responses").json()
            previous = answer["id"]
            assert answer["store"] is True
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 50_000
