"""Tests of the store: damaged databases are recovered, old databases are migrated, full disks and a second process on
the same profile cause no damage."""

from __future__ import annotations

import asyncio
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.error_messages import error_message
from desktop.store.errors import StoreDamaged, StoreError, StoreFull
from desktop.store.page_reader import PageReader
from desktop.store.records import Attachment, Chat, ChatMessage, ChatSettings
from desktop.store.schema import STEPS
from desktop.store.store import Store
from engine.backend import Limits
from engine.files.profile import Profile
from tests.desktop.chat.headless_chat import headless_chat
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import click_chat, titles
from tests.desktop.shell.test_process import start, wait_for
from tests.desktop.store.test_store import ASK, CHAT, REPLY, _limit
from tests.fakes import FakeOpener, Script

ROOT = Path(__file__).parents[3]
PAGE = 4096
N_CHATS, N_TURNS = 40, 25


def words(chat: int, turn: int) -> str:
    return f"Chat {chat}, turn {turn}: " + "words and more words. " * (turn % 40)


def tree(number: int) -> list[ChatMessage]:
    rows: list[ChatMessage] = []
    for turn in range(N_TURNS):
        parent = rows[-1].id if rows else None
        at = float(number * 1000 + turn)
        role = "assistant" if turn % 2 else "user"
        rows.append(
            ChatMessage(f"m{number}-{turn}", f"c{number}", parent, role, words(number, turn), "complete", at)  # type: ignore[arg-type]
        )
    return rows


async def _fill(path: Path) -> None:
    store = Store(path)
    await store.open()
    for number in range(N_CHATS):
        rows = tree(number)
        at = rows[-1].created_s
        await store.save(Chat(f"c{number}", f"Chat {number}", at, at, leaf_id=rows[-1].id), rows)
    await store.save_draft("c1", "half a thought", [Attachment("a.txt", "text", "A")])
    await store.save_preset("Everyday", ChatSettings(temperature=0.3))
    await store.delete("c39")
    await store.aclose()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "chats.sqlite3"
    asyncio.run(_fill(path))
    return path.read_bytes()


async def _read(path: Path) -> tuple[StoreError | None, list[Chat], list[ChatMessage]]:
    store = Store(path)
    notice = await store.open()
    chats = await store.chats()
    messages = [message for chat in chats for message in await store.messages(chat.id)]
    await store.aclose()
    return notice, chats, messages


def recovered(path: Path, damaged: bytes) -> tuple[StoreDamaged | None, list[Chat], list[ChatMessage]]:
    path.write_bytes(damaged)
    notice, chats, messages = asyncio.run(_read(path))
    assert notice is None or isinstance(notice, StoreDamaged)
    if notice is not None:
        assert notice.kept_as is not None
        assert notice.kept_as.read_bytes() == damaged, "the damaged file is not changed"
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    return notice, chats, messages


def roots_of(path: Path, data: bytes) -> set[int]:
    """Returns the root pages of all tables. Without the root page of a table, SQL finds none of its rows."""
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as file:
        return {row[0] for row in file.execute("SELECT rootpage FROM sqlite_master WHERE type = 'table'")}


@pytest.mark.parametrize("seed", range(12))
def test_rows_around_damaged_pages_are_recovered(tmp_path: Path, whole: bytes, seed: int) -> None:
    drawn = random.Random(seed)
    n_pages = len(whole) // PAGE
    damaged = bytearray(whole)
    roots = roots_of(tmp_path / "whole", whole)
    hit = drawn.sample([page for page in range(1, n_pages) if page + 1 not in roots], 3)
    for page in hit:
        damaged[page * PAGE : (page + 1) * PAGE] = drawn.randbytes(PAGE)
    notice, chats, messages = recovered(tmp_path / "chats.sqlite3", bytes(damaged))
    if notice is None:
        assert len(messages) == (N_CHATS - 1) * N_TURNS, "only unused pages were damaged"
        return
    assert (notice.n_chats, notice.n_messages) == (len(chats), len(messages))
    known = {message.id: message for number in range(N_CHATS) for message in tree(number)}
    intact = [message for message in messages if message.text == known[message.id].text]
    assert len(intact) >= 0.6 * (N_CHATS - 1) * N_TURNS
    assert len(chats) >= N_CHATS - 4
    for message in messages:
        parent = known[message.id].parent_id
        assert message.parent_id == parent or parent not in {each.id for each in messages}


def test_rows_of_a_truncated_database_are_recovered(tmp_path: Path, whole: bytes) -> None:
    notice, chats, messages = recovered(tmp_path / "chats.sqlite3", whole[: len(whole) * 2 // 3])
    assert notice is not None
    assert len(messages) > N_TURNS * N_CHATS // 3
    assert chats


def test_messages_are_recovered_without_root_page_or_without_file_header(tmp_path: Path, whole: bytes) -> None:
    """In one copy of the file the root page of the messages is overwritten, in another the header page of the file."""
    path = tmp_path / "chats.sqlite3"
    path.write_bytes(whole)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        [root] = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()
    for page in (root, 1):
        damaged = bytearray(whole)
        damaged[(page - 1) * PAGE : page * PAGE] = bytes(PAGE)
        here = tmp_path / f"page-{page}.sqlite3"
        notice, chats, messages = recovered(here, bytes(damaged))
        assert notice is not None
        assert (len(chats), len(messages)) == (N_CHATS - 1, (N_CHATS - 1) * N_TURNS)
        known = {message.id: message for number in range(N_CHATS) for message in tree(number)}
        assert {message.id: message for message in messages} == {each.id: known[each.id] for each in messages}


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_page_reader_finds_rows_despite_arbitrary_damage(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(whole) - 1))
        junk = data.draw(st.binary(min_size=1, max_size=64))
        damaged[at : at + len(junk)] = junk
    assert len(list(PageReader.of(bytes(damaged)).rows())) > N_TURNS
    assert list(PageReader.of(b"").rows()) == []


def test_chat_whose_row_is_lost_is_titled_by_its_first_message(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "chats.sqlite3"
    path.write_bytes(whole)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        [root] = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'chats'").fetchone()
    damaged = bytearray(whole)
    damaged[(root - 1) * PAGE : root * PAGE] = b"\xaa" * PAGE
    notice, chats, messages = recovered(path, bytes(damaged))
    assert notice is not None
    assert len(messages) == (N_CHATS - 1) * N_TURNS
    assert {chat.title for chat in chats} == {
        words(number, 0).strip() for number in range(N_CHATS - 1)
    }  # every chat is recovered except the deleted one


def test_drafts_and_presets_are_recovered_and_invalid_json_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"

    async def story() -> None:
        await _fill(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("UPDATE messages SET calls = '[{', attachments = 'x' WHERE id = 'm0-0'")
            file.execute("UPDATE chats SET settings = '{' WHERE id = 'c0'")
            [root] = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages_by_parent'").fetchone()
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        damaged = bytearray(path.read_bytes())
        damaged[(root - 1) * PAGE : root * PAGE] = b"\xaa" * PAGE
        path.write_bytes(bytes(damaged))
        store = Store(path)
        notice = await store.open()
        assert isinstance(notice, StoreDamaged)
        assert (notice.n_chats, notice.n_messages) == (N_CHATS - 1, (N_CHATS - 1) * N_TURNS)
        assert "39 chats were recovered" in error_message(notice)
        assert (await store.drafts())["c1"] == ("half a thought", (Attachment("a.txt", "text", "A"),))
        assert await store.presets() == {"Everyday": ChatSettings(temperature=0.3)}
        assert (await store.messages("c0"))[0].calls == ()
        await store.aclose()

    asyncio.run(story())


def test_messages_that_are_only_in_the_wal_are_recovered(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"

    async def story() -> None:
        store = Store(path)
        await store.open()
        await store.save(CHAT, [ASK])
        await store._call(lambda: store._sql("PRAGMA wal_checkpoint(TRUNCATE)"))
        await store._call(lambda: store._sql("PRAGMA wal_autocheckpoint = 0"))
        await store.save(CHAT, [replace(REPLY, state="complete")])
        files = {name: (tmp_path / name).read_bytes() for name in (path.name, f"{path.name}-wal")}
        await store.aclose()
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        for name, data in files.items():
            (elsewhere / name).write_bytes(data)
        damaged = bytearray(files[path.name])
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            [root] = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'drafts'").fetchone()
        damaged[(root - 1) * PAGE : root * PAGE] = b"\xaa" * PAGE
        (elsewhere / path.name).write_bytes(bytes(damaged))
        other = Store(elsewhere / path.name)
        assert isinstance(await other.open(), StoreDamaged)
        assert [each.text for each in await other.messages("c")] == [ASK.text, REPLY.text]
        await other.aclose()

    asyncio.run(story())


def test_window_reports_the_recovery_and_lists_the_recovered_chats(
    run: Run, open_gui: OpenGui, profile: Profile, whole: bytes
) -> None:
    damaged = bytearray(whole)
    damaged[20 * PAGE : 21 * PAGE] = b"\xaa" * PAGE
    profile.chats.write_bytes(bytes(damaged))

    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: len(titles(gui)) > 30)
            await until(lambda: "chats were recovered" in gui.window.toast.text)
            click_chat(gui, "Chat 7")
            await until(lambda: len(gui.rows) > 3)

    run(story())


def test_database_of_the_first_schema_version_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {STEPS[0]} PRAGMA user_version = 1; COMMIT;")
        file.execute("INSERT INTO chats VALUES ('c', 'Old title', 1.0, 2.0, 1, 'a', NULL)")
        file.execute("INSERT INTO messages (id, chat_id, role, text, state, created_s) VALUES (?, ?, ?, ?, ?, ?)",
                     ("q", "c", "user", "Question", "complete", 1.0))  # fmt: skip
        answer_row = ("a", "c", "q", "assistant", "Half", "streaming", 2.0, "m", 9, 1, 2, 0.5, 0.1, "")
        file.execute(f"INSERT INTO messages VALUES ({', '.join('?' * 14)})", answer_row)
    notice, [chat], [question, answer] = asyncio.run(_read(path))
    assert notice is None
    assert chat == Chat("c", "Old title", 1.0, 2.0, True, "a")
    assert question == ChatMessage("q", "c", None, "user", "Question", "complete", 1.0)
    assert answer == ChatMessage("a", "c", "q", "assistant", "Half", "cut", 2.0, "m", 9, 1, 2, 0.5, 0.1)
    with closing(sqlite3.connect(path.with_name("chats.sqlite3.layout-1"))) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT text FROM messages WHERE id = 'a'").fetchone() == ("Half",)


def test_damaged_database_of_the_first_schema_version_is_recovered(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.executescript(f"PRAGMA journal_mode = WAL; {STEPS[0]} PRAGMA user_version = 1;")
        file.execute("INSERT INTO chats VALUES ('c', 'Old title', 1.0, 2.0, 1, 'a', NULL)")
        file.execute(
            "INSERT INTO messages VALUES ('a', 'c', NULL, 'user', 'Hm', 'complete', 2.0, '', 0, 0, 0, 0, 0, '')"
        )
        [root] = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages_by_parent'").fetchone()
    damaged = bytearray(path.read_bytes())
    damaged[(root - 1) * PAGE : root * PAGE] = b"\xaa" * PAGE
    notice, [chat], [message] = recovered(path, bytes(damaged))
    assert notice is not None
    assert (chat.title, chat.pinned, message.text) == ("Old title", True, "Hm")


def test_full_disk_at_start_leaves_chats_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chats.sqlite3"

    async def story() -> None:
        store = Store(path)
        await store.open()
        await store.save(CHAT, [ASK, REPLY])
        await store.aclose()
        full = Store(path)

        def refused() -> None:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

        monkeypatch.setattr(full, "_erase_deleted", refused)
        assert isinstance(await full.open(), StoreFull)
        assert len(await full.messages("c")) == 2
        await full.aclose()

    asyncio.run(story())


def test_full_disk_is_reported_once_and_no_message_is_lost(run: Run, profile: Profile) -> None:
    async def story() -> None:
        reported: list[StoreError] = []
        opener = FakeOpener(Script(answer=b"wave " * 500), Limits(16_384, 8, 64))
        async with headless_chat(profile, opener) as chats:
            chats.sessions.saving_failed.connect(reported.append)
            chats.send("First")
            await until(lambda: not chats.sessions.answering)
            await chats.sessions.store._call(_limit, chats.sessions.store, 1)
            chats.send("Second")
            await until(lambda: not chats.sessions.answering)
            await until(lambda: reported)
            assert [type(error) for error in reported] == [StoreFull], "reported once, not for each save"
            assert error_message(reported[0]).startswith("The disk is full")
            assert chats.sessions.messages[3].text == "wave " * 500, "the unsaved message is still shown"
            chat_id = chats.sessions.messages[3].chat_id
            await chats.sessions.store._call(_limit, chats.sessions.store, 1_000_000)
        store = Store(profile.chats)
        await store.open()
        assert [len(each.text) for each in await store.messages(chat_id)] == [5, 2_500, 6, 2_500]
        await store.aclose()

    run(story())


def test_database_at_its_size_limit_stays_intact(tmp_path: Path) -> None:
    """Streams an answer in a process whose files are limited to 200 kB, and then kills the process."""

    def quota() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    command = [sys.executable, "-m", "tests.desktop.streaming_process", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=quota) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line.split()[1]) >= 600:
                break
        child.kill()
    with closing(sqlite3.connect(tmp_path / "chats.sqlite3")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    notice, _, messages = asyncio.run(_read(tmp_path / "chats.sqlite3"))
    assert notice is None
    assert messages[0].text == "Go on and on"


def times(folder: Path) -> dict[str, int]:
    return {each.name: each.stat().st_mtime_ns for each in sorted(folder.iterdir())}


def settled(folder: Path) -> dict[str, int]:
    """Waits until no file has changed for half a second. Returns the modification times of the files."""
    before: dict[str, int] = {}
    for _ in range(40):
        if before == (before := times(folder)):
            return before
        time.sleep(0.5)
    pytest.fail("the profile does not come to rest")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a matter of POSIX")
def test_second_process_on_a_profile_exits_without_changing_its_files(tmp_path: Path) -> None:
    chats, key = tmp_path / "chats.sqlite3", tmp_path / "endpoint.key"
    with start(tmp_path) as first:
        wait_for(first, lambda: chats.exists() and key.exists())
        before = settled(tmp_path)
        with start(tmp_path) as second:
            _, output = second.communicate(timeout=20)
        assert (second.returncode, output) == (0, "")
        after = times(tmp_path)
        first.send_signal(signal.SIGTERM)
        _, complaints = first.communicate(timeout=20)
    assert after == before
    # The offscreen platform warns that it cannot bring a window to the front.
    assert (first.returncode, complaints.replace("This plugin does not support raise()\n", "")) == (0, "")
