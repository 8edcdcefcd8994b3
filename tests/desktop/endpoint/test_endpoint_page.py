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
from desktop.endpoint import strings
from desktop.endpoint.activity import ToolRequest
from desktop.endpoint.connection_snippets import snippets
from desktop.endpoint.errors import BodyUnreadable
from desktop.endpoint.request_conversation import RequestConversation, conversation_in
from desktop.endpoint.request_list import MAX_ROWS, RequestList
from desktop.endpoint.request_row_delegate import action_rects
from desktop.settings.settings_file import SettingsFile
from desktop.widgets.row_list import RowRole
from engine.files.profile import Profile
from tests.api.live_endpoint import ask, live
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import free_port, type_and_send
from tests.fakes import FakeOpener, Script

ENDLESS = Script(answer=None, step_s=0.01)
CALL = ToolRequest("1", "127.0.0.1", "aider", "openai", "/v1/chat/completions", "writing", n_output=3)


@dataclass
class Client:
    """A tool that streams."""

    gui: Gui
    key: str
    chunks: list[str] = field(default_factory=list)
    status: int = 0
    ended: bool = False

    async def ask(self, text: str, **fields: object) -> None:
        body = {"messages": [{"role": "user", "content": text}], "stream": True, **fields}
        url = self.gui.endpoint_page._address.text() + "/chat/completions"
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
async def served(open_gui: OpenGui, script: Script) -> AsyncIterator[Gui]:
    """A gui whose endpoint is on, with its page open."""
    async with open_gui(script) as gui:
        gui.window.sidebar._endpoint.click()
        gui.endpoint_page.port_requested.emit(free_port())
        await until(lambda: gui.endpoint_page._state.stage == "on" and gui.ready and gui.endpoint_page._state.key)
        yield gui


async def make_key(gui: Gui, name: str) -> str:
    """As a person does it; the key is copied."""
    keys = gui.endpoint_page.keys
    keys._new_link.click()
    QTest.keyClicks(keys._name, name)
    QTest.keyClick(keys._name, Qt.Key.Key_Return)
    await until(keys._new_key.isVisible)
    keys._new_key.copy.click()
    value = QGuiApplication.clipboard().text()
    keys._new_key.done.emit()
    assert keys._new_key.line.text() == ""
    return value


def rows(gui: Gui) -> list[ToolRequest]:
    model = gui.endpoint_page.requests.view.model()
    return [model.index(row, 0).data(RowRole.ROW) for row in range(model.rowCount())]


def click(gui: Gui, row: int, act: str) -> None:
    view = gui.endpoint_page.requests.view
    index = view.model().index(row, 0)
    place: QPoint = action_rects(view.visualRect(index), rows(gui)[row])[act].center()  # type: ignore[index]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_one_of_two_that_stream_is_stopped_and_the_other_goes_on(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, ENDLESS) as gui:
            one, two = Client(gui, await make_key(gui, "aider")), Client(gui, await make_key(gui, "continue"))
            asking = asyncio.gather(one.ask("First"), two.ask("Second", max_tokens=300))
            await until(lambda: [row.state for row in rows(gui)] == ["writing", "writing"])
            assert {row.key for row in rows(gui)} == {"aider", "continue"}
            lines = gui.endpoint_page.keys._rows_by_name
            await until(lambda: [lines[name]._usage.text() for name in ("aider", "continue")] == ["in use now"] * 2)
            assert gui.window.header._tools.text() == " 2 tools"
            before = {row.id: row.n_output for row in rows(gui)}
            await until(lambda: all(row.n_output > before[row.id] and row.tokens_per_s > 0 for row in rows(gui)))
            began = time.monotonic()
            click(gui, [row.key for row in rows(gui)].index("aider"), "stop")
            await until(lambda: one.ended)
            assert time.monotonic() - began < 1.0
            n_chunks = len(two.chunks)
            await until(lambda: len(two.chunks) > n_chunks + 5)
            await until(lambda: [row.state for row in rows(gui)] == ["writing", "cancelled"])
            gui.endpoint_page.requests.stop_all.click()
            await asking
            await until(lambda: [row.state for row in rows(gui)] == ["cancelled", "cancelled"])
            await until(lambda: not gui.endpoint_page.requests.stop_all.isEnabled())
            assert gui.window.header._tools.isHidden()

    run(story())


def test_the_switch_keeps_the_focus_and_the_last_press_wins(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, ENDLESS) as gui:
            page = gui.endpoint_page
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
def test_a_key_is_shown_once_counted_and_revoked_at_once(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, Script(answer=b"Hello there.")) as gui:
            client = Client(gui, await make_key(gui, "aider"))
            await client.ask("Hello")
            keys = gui.endpoint_page.keys
            await until(lambda: keys._rows_by_name["aider"]._usage.text().startswith("1 request · "))
            keys._rows_by_name["aider"].button.click()
            menu = next(each for each in keys.findChildren(QMenu) if each.isVisible())
            QTest.keyClick(menu, Qt.Key.Key_Return)
            await until(lambda: "aider" not in keys._rows_by_name)
            await client.ask("Are you there?")
            assert client.status == 401
            own = Client(gui, gui.endpoint_page._state.key)
            await own.ask("And now?")
            assert own.status == 200

    run(story())


def test_a_name_that_is_taken_is_said(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, Script(answer=b"Hi")) as gui:
            await make_key(gui, "aider")
            gui.endpoint_page.keys.add_requested.emit("aider")
            await until(gui.window.toast.isVisible)
            assert list(gui.endpoint_page.keys._rows_by_name) == ["inglenook", "aider"]

    run(story())


def test_a_request_is_opened_as_a_chat_where_bodies_are_kept(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, Script(answer=b"Of course.")) as gui:
            client = Client(gui, gui.endpoint_page._state.key)
            await client.ask("Before")
            await until(lambda: [row.state for row in rows(gui)] == ["finished"])
            click(gui, 0, "open")
            await until(gui.window.toast.isVisible)
            assert gui.window.pages.currentWidget() is gui.endpoint_page
            gui.endpoint_page.requests.keep.click()
            await client.ask("Can you help me?")
            await until(lambda: len(rows(gui)) == 2 and rows(gui)[0].state == "finished")
            view = gui.endpoint_page.requests.view
            view.setFocus()
            view.setCurrentIndex(view.model().index(0, 0))
            QTest.keyClick(view, Qt.Key.Key_Return)
            await until(lambda: len(gui.rows) == 2)
            assert [row.text for row in gui.rows] == ["Can you help me?", "Of course."]
            assert gui.window.pages.currentWidget() is not gui.endpoint_page
            gui.window.show_endpoint_page()
            gui.endpoint_page.requests.keep.click()
            await until(lambda: all(row.body is None for row in rows(gui)))

    run(story())


def test_nothing_is_looked_at_while_the_page_is_hidden(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, ENDLESS) as gui:
            gui.window.show_chat_page()
            client = Client(gui, gui.endpoint_page._state.key)
            asking = asyncio.gather(client.ask("Hello", max_tokens=150))
            await until(gui.window.header._tools.isVisible)
            assert gui.window.header._tools.text() == " 1 tool"
            assert rows(gui) == []
            await asking
            await until(gui.window.header._tools.isHidden)

    run(story())


def test_delete_stops_the_chosen_request(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, ENDLESS) as gui:
            client = Client(gui, gui.endpoint_page._state.key)
            asking = asyncio.gather(client.ask("Hello"))
            await until(lambda: rows(gui) and rows(gui)[0].state == "writing")
            view = gui.endpoint_page.requests.view
            view.setFocus()
            QTest.keyClick(view, Qt.Key.Key_Down)
            QTest.keyClick(view, Qt.Key.Key_Delete)
            await asking
            await until(lambda: rows(gui)[0].state == "cancelled")

    run(story())


def test_what_tools_hold_of_the_memory_is_told_apart_from_the_chats() -> None:
    with live(FakeOpener(Script(answer=b"Hello there.")), keep_bodies=True) as endpoint:
        assert endpoint.engine.memory.kv_endpoint == 0
        assert endpoint.post(ask("x" * 1000)).status_code == 200
        assert 0.2 < endpoint.engine.memory.kv_endpoint < 0.4
        assert endpoint.engine.memory.kv_window == 0
        assert [(each.origin, each.owner) for each in endpoint.engine.memory.kv_usage] == [("endpoint", "inglenook")]
        activity = activity_of(endpoint.app)
        (call,) = activity.calls
        assert activity.said(call.id) == "Hello there."
        used = activity.usage["inglenook"]
        assert (used.n_requests, used.n_tokens_in, used.n_tokens_out) == (1, call.n_prompt, call.n_output)
        activity.forget_bodies()
        assert (activity.said(call.id), activity.calls[0].body) == ("", None)


def test_the_pill_opens_the_page_and_memory_is_told(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            gui.window.header.tools_requested.emit()
            assert gui.window.pages.currentWidget() is gui.endpoint_page
            await until(gui.endpoint_page.memory.isVisible)
            assert "App " in gui.endpoint_page.memory.bar.accessibleDescription()

    run(story())


def test_memory_is_told_by_chat_and_by_tool(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, Script(answer=b"Of course.")) as gui:
            await Client(gui, await make_key(gui, "aider")).ask("x" * 900)
            type_and_send(gui, "How far is it to the sea? " * 9)
            await until(lambda: gui.rows and gui.rows[-1].state == "complete")
            gui.window.show_endpoint_page()
            holders = gui.endpoint_page.memory._holders
            await until(lambda: "aider (tool)" in holders.text() and "“How far is it" in holders.text())
            assert holders.text().index("aider") < holders.text().index("How far"), "who holds most comes first"

    run(story())


def test_tools_are_counted_before_the_page_was_ever_open(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        settings = SettingsFile(profile.settings)
        settings.change(endpoint_on=True, endpoint_port=free_port())
        await asyncio.to_thread(settings.save)
        async with open_gui(ENDLESS) as gui:
            await until(lambda: gui.ready and gui.endpoint_page._state.stage == "on" and gui.endpoint_page._state.key)
            client = Client(gui, gui.endpoint_page._state.key)
            asking = asyncio.create_task(client.ask("Hello"))
            await until(lambda: gui.window.header._tools.text() == " 1 tool")
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    run(story())


def test_what_is_copied_has_the_key_that_is_hidden_on_the_page(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            page = gui.endpoint_page
            await until(lambda: page._state.key and gui.ready)
            gui.window.show_endpoint_page()
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
    calls = RequestList(strings.accessible_text)
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
    assert conversation_in(json.dumps(body)) == RequestConversation(asked[0], (("user", asked[1]),))


@pytest.mark.parametrize(
    "body", ["", "[]", "[" * 100_000, '{"input": ["a"]}', '{"messages": [{"role": "us', '{"messages": 3}']
)
def test_a_body_without_a_conversation(body: str) -> None:
    with pytest.raises(BodyUnreadable):
        conversation_in(body)


def test_snippets_that_are_data_can_be_read() -> None:
    import tomllib

    made = {each.name: each.text for each in snippets(4645, "ink-key", "tiny", "Hi")}
    assert tomllib.loads(made["Codex CLI"])["model_providers"]["inglenook"]["wire_api"] == "responses"
    assert json.loads(made["llama.vscode"])["llama-vscode.endpoint"] == "http://127.0.0.1:4645"
    for name in ("Python", "LangChain"):
        compile(made[name], name, "exec")
