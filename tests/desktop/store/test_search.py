"""Tests of the search in a chat database on disk: matches, ranking, updates of the index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.store.records import Chat, ChatMessage, State
from desktop.store.search import ChatSearch, fts_query
from desktop.store.store import Store


def message(number: int, text: str, state: State = "complete", chat_id: str = "c") -> ChatMessage:
    return ChatMessage(f"m{number}", chat_id, None, "user", text, state, float(number))


CHAT = Chat("c", "Garden plan for March", 1.0, 1.0)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Store, ChatSearch]]:
    store, search = Store(folder / "chats.db"), ChatSearch(folder / "chats.db")
    await store.open()
    try:
        yield store, search
    finally:
        await search.aclose()
        await store.aclose()


def with_store(folder: Path, story: Callable[[Store, ChatSearch], Awaitable[None]]) -> None:
    async def run() -> None:
        async with opened(folder) as (store, search):
            await story(store, search)

    asyncio.run(run())


async def found(search: ChatSearch, words: str) -> list[str]:
    hits = await search.find(words)
    assert hits is not None
    return [hit.message_id or hit.chat_id for hit in hits]


def test_search_finds_word_prefixes_regardless_of_accents_and_case(tmp_path: Path) -> None:
    async def story(store: Store, search: ChatSearch) -> None:
        await store.save(CHAT, [message(1, "Die Bäume am Fluss"), message(2, "Trees by the river")])
        assert await found(search, "BAUM") == ["m1"]
        assert await found(search, "tre river") == []  # only the last word is searched as a prefix
        assert await found(search, "tre") == ["m2"]
        assert await found(search, "march") == ["c"]
        assert await found(search, "nothing") == []

    with_store(tmp_path, story)


@pytest.mark.parametrize(
    ("words", "place"),
    [("都庁", "都庁"), ("会議", "会議"), ("部署", "部署"), ("悬空", "悬空"), ("itgc", "itgc"), ("京", "京"),
     ("gen", "gen"), ("会議 ITGC", "会議"), ("東京都庁で部署の会議", "東京都庁で部署の会議")],
)  # fmt: skip
def test_search_finds_and_marks_words_in_text_without_spaces(tmp_path: Path, words: str, place: str) -> None:
    async def story(store: Store, search: ChatSearch) -> None:
        text = "昨日、東京都庁で部署の会議。重跑gen-itgc后50条悬空引用"
        await store.save(CHAT, [message(1, text), message(2, "昨日"), message(3, "nothing of the kind " * 50)])
        (hit,) = await search.find(words) or []
        assert hit.message_id == "m1"
        assert "".join(part.text for part in hit.snippet if part.matched).startswith(place)

    with_store(tmp_path, story)


@pytest.mark.parametrize(("text", "part"), [
    ("ฉันชอบกินข้าวผัดมาก", "ข้าวผัด"), ("나는한국어를공부한다", "한국어"), ("ខ្ញុំចូលចិត្តបាយ", "ចូលចិត្ត"), ("ｶﾀｶﾅテスト", "ﾀｶﾅ"),
])  # fmt: skip
def test_search_finds_parts_of_thai_korean_khmer_and_kana_words(tmp_path: Path, text: str, part: str) -> None:
    async def story(store: Store, search: ChatSearch) -> None:
        await store.save(replace(CHAT, title=text), [message(1, text), message(2, "other")])
        assert await found(search, part) == ["c", "m1"]
        await store.delete("c")
        assert await found(search, part) == []

    with_store(tmp_path, story)


def test_latin_word_is_not_found_by_its_last_letters(tmp_path: Path) -> None:
    async def story(store: Store, search: ChatSearch) -> None:
        await store.save(CHAT, [message(1, "lighthouse keeper"), message(2, "都庁")])
        assert await found(search, "house") == []
        assert await found(search, "ligh keeper") == []

    with_store(tmp_path, story)


def test_search_snippet_contains_the_matched_word(tmp_path: Path) -> None:
    async def story(store: Store, search: ChatSearch) -> None:
        text = "word " * 50 + "the\nlighthouse keeper sleeps " + "word " * 50
        await store.save(CHAT, [message(1, text)])
        (hit,) = await search.find("lighthouse") or []
        assert [part.text for part in hit.snippet if part.matched] == ["lighthouse"]
        assert "the lighthouse keeper" in "".join(part.text for part in hit.snippet)
        assert len("".join(part.text for part in hit.snippet)) < 120

    with_store(tmp_path, story)


def test_message_with_more_matches_is_the_first_search_result(tmp_path: Path) -> None:
    async def story(store: Store, search: ChatSearch) -> None:
        rows = [message(1, "sea " + "land " * 30), message(2, "sea sea sea"), message(3, "the sea and more " * 3)]
        await store.save(CHAT, rows)
        assert (await found(search, "sea"))[0] == "m2"

    with_store(tmp_path, story)


def test_search_results_follow_changes_and_deletions_of_messages(tmp_path: Path) -> None:
    async def story(store: Store, search: ChatSearch) -> None:
        writing = message(1, "half a sto", "streaming")
        await store.save(CHAT, [writing])
        assert await found(search, "half") == []
        await store.save(CHAT, [replace(writing, text="half a story", state="complete")])
        assert await found(search, "half") == ["m1"]
        await store.save(CHAT, [replace(writing, text="a whole story", state="complete")])
        assert await found(search, "half") == []
        assert await found(search, "whole") == ["m1"]
        await store.save(replace(CHAT, title="Winter"))
        assert await found(search, "garden") == []
        assert await found(search, "winter") == ["c"]
        await store.delete_messages(["m1"])
        assert await found(search, "whole") == []
        await store.restore_messages(["m1"])
        assert await found(search, "whole") == ["m1"]
        await store.delete("c")
        assert await found(search, "whole") == await found(search, "winter") == []

    with_store(tmp_path, story)

    async def after(store: Store, search: ChatSearch) -> None:
        assert await found(search, "whole") == []
        await store.save(CHAT, [message(9, "whole")])
        assert await found(search, "whole") == ["m9"]

    with_store(tmp_path, after)


def test_superseded_search_returns_none(tmp_path: Path) -> None:
    async def story(store: Store, search: ChatSearch) -> None:
        await store.save(CHAT, [message(number, f"word{number} common") for number in range(2_000)])
        first, second = await asyncio.gather(search.find("common"), search.find("word7"))
        assert first is None
        assert second is not None
        assert second[0].message_id

    with_store(tmp_path, story)


@pytest.mark.parametrize("words", ['"', "*", "AND", "NEAR(", "a OR", "text:", "-", "^a", "(", "\x00", "日本"])
def test_search_for_special_characters_raises_no_error(tmp_path: Path, words: str) -> None:
    async def story(store: Store, search: ChatSearch) -> None:
        await store.save(CHAT, [message(1, "a AND b OR c NEAR d 日本語 text")])
        assert await search.find(words) is not None

    with_store(tmp_path, story)


@given(st.text(max_size=30))
def test_words_of_a_search_query_are_quoted(words: str) -> None:
    query = fts_query(words)
    assert query == "" or (query.startswith('"') and query.endswith('"*'))
    assert query.count('"') % 2 == 0
