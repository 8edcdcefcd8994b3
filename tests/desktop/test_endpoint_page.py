"""The endpoint's page as a person uses it, with real requests over a live port."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.modeltest import ModelTester

from api.deps import activity_of
from desktop.endpoint import words
from desktop.endpoint.bodies import Asked, read
from desktop.endpoint.call_list import MAX_ROWS, CallList
from desktop.endpoint.errors import NotReadable
from desktop.endpoint.feed import ToolRequest
from desktop.endpoint.snippets import snippets
from desktop.row_list import RowRole
from desktop.settings import SettingsFile
from desktop.widgets.endpoint_rows import actions
from engine.library.profile import Profile
from tests.api.live import ask, live
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_window import free_port, type_and_send
from tests.fakes import FakeOpener, Script

ENDLESS = Script(answer=None, step_s=0.01)
CALL = ToolRequest("1", "127.0.0.1", "aider", "openai", "/v1/chat/completions", "writing", n_output=3)


@dataclass
class Client:
    """A tool that streams."""

    house: House
    key: str
    chunks: list[str] = field(default_factory=list)
    status: int = 0
    ended: bool = False

    async def ask(self, text: str, **fields: object) -> None:
        body = {"messages": [{"role": "user", "content": text}], "stream": True, **fields}
        url = self.house.endpoint_page._address.text() + "/chat/completions"
        headers = {"Authorization": f"Bearer {self.key}"}
        async with (
            httpx.AsyncClient(trust_env=False, timeout=20) as client,
            client.stream("POST", url, json=body, headers=headers) as answer,
        ):
            self.status = answer.status_code
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    self.chunks.append(line)
        self.ended = True


@asynccontextmanager
async def served(open_house: OpenHouse, script: Script) -> AsyncIterator[House]:
    """A house whose endpoint is on, with its page open."""
    async with open_house(script) as house:
        house.window.sidebar._endpoint.click()
        house.endpoint_page.port_asked.emit(free_port())
        await until(lambda: house.endpoint_page._state.stage == "on" and house.ready and house.endpoint_page._state.key)
        yield house


async def make_key(house: House, name: str) -> str:
    """As a person does it; the key is copied."""
    keys = house.endpoint_page.keys
    keys._new.click()
    QTest.keyClicks(keys._name, name)
    QTest.keyClick(keys._name, Qt.Key.Key_Return)
    await until(keys._made.isVisible)
    keys._made.copy.click()
    value = QGuiApplication.clipboard().text()
    keys._made.done.emit()
    assert keys._made.line.text() == ""
    return value


def rows(house: House) -> list[ToolRequest]:
    model = house.endpoint_page.requests.view.model()
    return [model.index(row, 0).data(RowRole.ROW) for row in range(model.rowCount())]


def click(house: House, row: int, act: str) -> None:
    view = house.endpoint_page.requests.view
    index = view.model().index(row, 0)
    place: QPoint = actions(view.visualRect(index), rows(house)[row])[act].center()  # type: ignore[index]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_one_of_two_that_stream_is_stopped_and_the_other_goes_on(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with served(open_house, ENDLESS) as house:
            one, two = Client(house, await make_key(house, "aider")), Client(house, await make_key(house, "continue"))
            asking = asyncio.gather(one.ask("First"), two.ask("Second", max_tokens=300))
            await until(lambda: [row.state for row in rows(house)] == ["writing", "writing"])
            assert {row.key for row in rows(house)} == {"aider", "continue"}
            lines = house.endpoint_page.keys._lines
            await until(lambda: [lines[name]._use.text() for name in ("aider", "continue")] == ["in use now"] * 2)
            assert house.window.header._tools.text() == " 2 tools"
            before = {row.id: row.n_output for row in rows(house)}
            await until(lambda: all(row.n_output > before[row.id] and row.tokens_per_s > 0 for row in rows(house)))
            began = time.monotonic()
            click(house, [row.key for row in rows(house)].index("aider"), "stop")
            await until(lambda: one.ended)
            assert time.monotonic() - began < 1.0
            n_chunks = len(two.chunks)
            await until(lambda: len(two.chunks) > n_chunks + 5)
            await until(lambda: [row.state for row in rows(house)] == ["writing", "cancelled"])
            house.endpoint_page.requests.stop_all.click()
            await asking
            await until(lambda: [row.state for row in rows(house)] == ["cancelled", "cancelled"])
            await until(lambda: not house.endpoint_page.requests.stop_all.isEnabled())
            assert house.window.header._tools.isHidden()

    run(story())


def test_the_switch_keeps_the_focus_and_the_last_press_wins(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with served(open_house, ENDLESS) as house:
            page = house.endpoint_page
            page._switch.setFocus(Qt.FocusReason.TabFocusReason)
            for stage, presses in (("off", 1), ("on", 1), ("on", 2), ("off", 3)):
                for _ in range(presses):
                    QTest.keyClick(page._switch, Qt.Key.Key_Space)
                    await asyncio.sleep(0)
                    assert page._switch.hasFocus()
                await until(lambda stage=stage: page._state.stage == stage)  # type: ignore[misc]
                assert page._switch.hasFocus()
                assert page._switch.isChecked() == (stage == "on")

    run(story())


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, of a menu
def test_a_key_is_shown_once_counted_and_revoked_at_once(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with served(open_house, Script(answer=b"Hello there.")) as house:
            client = Client(house, await make_key(house, "aider"))
            await client.ask("Hello")
            keys = house.endpoint_page.keys
            await until(lambda: keys._lines["aider"]._use.text().startswith("1 request · "))
            keys._lines["aider"].button.click()
            menu = next(each for each in keys.findChildren(QMenu) if each.isVisible())
            QTest.keyClick(menu, Qt.Key.Key_Return)
            await until(lambda: "aider" not in keys._lines)
            await client.ask("Are you there?")
            assert client.status == 401
            own = Client(house, house.endpoint_page._state.key)
            await own.ask("And now?")
            assert own.status == 200

    run(story())


def test_a_name_that_is_taken_is_said(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with served(open_house, Script(answer=b"Hi")) as house:
            await make_key(house, "aider")
            house.endpoint_page.keys.add_asked.emit("aider")
            await until(house.window.notice.isVisible)
            assert list(house.endpoint_page.keys._lines) == ["inglenook", "aider"]

    run(story())


def test_a_request_is_opened_as_a_chat_where_bodies_are_kept(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with served(open_house, Script(answer=b"Of course.")) as house:
            client = Client(house, house.endpoint_page._state.key)
            await client.ask("Before")
            await until(lambda: [row.state for row in rows(house)] == ["finished"])
            click(house, 0, "open")
            await until(house.window.notice.isVisible)
            assert house.window.pages.currentWidget() is house.endpoint_page
            house.endpoint_page.requests.keep.click()
            await client.ask("Can you help me?")
            await until(lambda: len(rows(house)) == 2 and rows(house)[0].state == "finished")
            view = house.endpoint_page.requests.view
            view.setFocus()
            view.setCurrentIndex(view.model().index(0, 0))
            QTest.keyClick(view, Qt.Key.Key_Return)
            await until(lambda: len(house.rows) == 2)
            assert [row.text for row in house.rows] == ["Can you help me?", "Of course."]
            assert house.window.pages.currentWidget() is not house.endpoint_page
            house.window.show_endpoint_page()
            house.endpoint_page.requests.keep.click()
            await until(lambda: all(row.body is None for row in rows(house)))

    run(story())


def test_nothing_is_looked_at_while_the_page_is_hidden(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with served(open_house, ENDLESS) as house:
            house.window.show_chat_page()
            client = Client(house, house.endpoint_page._state.key)
            asking = asyncio.gather(client.ask("Hello", max_tokens=150))
            await until(house.window.header._tools.isVisible)
            assert house.window.header._tools.text() == " 1 tool"
            assert rows(house) == []
            await asking
            await until(house.window.header._tools.isHidden)

    run(story())


def test_delete_stops_the_chosen_request(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with served(open_house, ENDLESS) as house:
            client = Client(house, house.endpoint_page._state.key)
            asking = asyncio.gather(client.ask("Hello"))
            await until(lambda: rows(house) and rows(house)[0].state == "writing")
            view = house.endpoint_page.requests.view
            view.setFocus()
            QTest.keyClick(view, Qt.Key.Key_Down)
            QTest.keyClick(view, Qt.Key.Key_Delete)
            await asking
            await until(lambda: rows(house)[0].state == "cancelled")

    run(story())


def test_what_tools_hold_of_the_memory_is_told_apart_from_the_chats() -> None:
    with live(FakeOpener(Script(answer=b"Hello there.")), keep_bodies=True) as endpoint:
        assert endpoint.engine.memory.kv_endpoint == 0
        assert endpoint.post(ask("x" * 1000)).status_code == 200
        assert 0.2 < endpoint.engine.memory.kv_endpoint < 0.4
        assert endpoint.engine.memory.kv_window == 0
        assert [(each.door, each.owner) for each in endpoint.engine.memory.holdings] == [("endpoint", "inglenook")]
        activity = activity_of(endpoint.app)
        (call,) = activity.calls
        assert activity.said(call.id) == "Hello there."
        used = activity.usage["inglenook"]
        assert (used.n_requests, used.n_tokens_in, used.n_tokens_out) == (1, call.n_prompt, call.n_output)
        activity.forget_bodies()
        assert (activity.said(call.id), activity.calls[0].body) == ("", None)


def test_the_pill_opens_the_page_and_memory_is_told(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house() as house:
            house.window.header.tools_asked.emit()
            assert house.window.pages.currentWidget() is house.endpoint_page
            await until(house.endpoint_page.memory.isVisible)
            assert "App " in house.endpoint_page.memory.bar.accessibleDescription()

    run(story())


def test_memory_is_told_by_chat_and_by_tool(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with served(open_house, Script(answer=b"Of course.")) as house:
            await Client(house, await make_key(house, "aider")).ask("x" * 900)
            type_and_send(house, "How far is it to the sea? " * 9)
            await until(lambda: house.rows and house.rows[-1].state == "complete")
            house.window.show_endpoint_page()
            holders = house.endpoint_page.memory.holders
            await until(lambda: "aider (tool)" in holders.text() and "“How far is it" in holders.text())
            assert holders.text().index("aider") < holders.text().index("How far"), "who holds most comes first"

    run(story())


def test_tools_are_counted_before_the_page_was_ever_open(run: Run, open_house: OpenHouse, profile: Profile) -> None:
    async def story() -> None:
        settings = SettingsFile(profile.settings)
        settings.change(endpoint_on=True, endpoint_port=free_port())
        await asyncio.to_thread(settings.save)
        async with open_house(ENDLESS) as house:
            await until(
                lambda: house.ready and house.endpoint_page._state.stage == "on" and house.endpoint_page._state.key
            )
            client = Client(house, house.endpoint_page._state.key)
            asking = asyncio.create_task(client.ask("Hello"))
            await until(lambda: house.window.header._tools.text() == " 1 tool")
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    run(story())


def test_what_is_copied_has_the_key_that_is_hidden_on_the_page(run: Run, open_house: OpenHouse) -> None:
    async def story() -> None:
        async with open_house() as house:
            page = house.endpoint_page
            await until(lambda: page._state.key and house.ready)
            house.window.show_endpoint_page()
            page._address_card.how.click()
            assert page.snippets.isVisible()
            for tab in range(page.snippets.tabs.count()):
                page.snippets.tabs.setCurrentIndex(tab)
                assert page._state.key not in page.snippets.box.toPlainText()
                page.snippets.copy.click()
                assert page._state.key in QGuiApplication.clipboard().text()
            page.snippets._eye.click()
            assert page._state.key in page.snippets.box.toPlainText()

    run(story())


def test_requests_as_a_list(qtmodeltester: ModelTester) -> None:
    calls = CallList(words.sentence)
    qtmodeltester.check(calls)  # type: ignore[no-untyped-call]
    two = replace(CALL, id="2", state="queued", queue_place=1)
    calls.show([CALL, two])
    changes: list[int] = []
    resets: list[object] = []
    calls.dataChanged.connect(lambda first, last, roles: changes.append(first.row()))
    calls.modelReset.connect(lambda: resets.append(1))
    calls.show([CALL, two])
    assert changes == []
    calls.show([CALL, replace(two, state="reading", n_prompt=10, n_read=5)])
    assert changes == [1]
    calls.show([replace(two, state="writing"), replace(CALL, state="finished")])
    assert [calls[row].id for row in range(len(calls))] == ["2", "1"]
    calls.show([replace(CALL, id=str(n), state="finished") for n in range(200)])
    assert len(calls) == MAX_ROWS
    calls.show([])
    assert (len(calls), resets) == (0, [])
    calls.show([CALL])
    assert calls.index(0).data(Qt.ItemDataRole.AccessibleTextRole) == "aider, chat, answering · 3, 0:00"


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (
            {"messages": [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]},
            ("Be kind", "Hi"),
        ),
        (
            {"system": [{"type": "text", "text": "S"}], "messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
            ("S", "Hi"),
        ),
        ({"instructions": "S", "input": "Hi"}, ("S", "Hi")),
        ({"input": [{"type": "function_call_output", "output": "7"}]}, ("", "7")),
        ({"prompt": "Hi", "system": "S"}, ("S", "Hi")),
    ],
)
def test_the_conversation_in_a_body(body: dict[str, object], asked: tuple[str, str]) -> None:
    assert read(json.dumps(body)) == Asked(asked[0], (("user", asked[1]),))


@pytest.mark.parametrize(
    "body", ["", "[]", "[" * 100_000, '{"input": ["a"]}', '{"messages": [{"role": "us', '{"messages": 3}']
)
def test_a_body_without_a_conversation(body: str) -> None:
    with pytest.raises(NotReadable):
        read(body)


def test_snippets_that_are_data_can_be_read() -> None:
    import tomllib

    made = {each.name: each.text for each in snippets(4645, "ink-key", "tiny", "Hi")}
    assert tomllib.loads(made["Codex CLI"])["model_providers"]["inglenook"]["wire_api"] == "responses"
    assert json.loads(made["llama.vscode"])["llama-vscode.endpoint"] == "http://127.0.0.1:4645"
    for name in ("Python", "LangChain"):
        compile(made[name], name, "exec")
