"""Tests of the endpoint page. The requests that it lists are sent to the port of a running endpoint."""

from __future__ import annotations

import asyncio
import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from api.request_context import activity_of
from desktop.settings.settings_file import SettingsFile
from engine.files.profile import Profile
from tests.api.live_endpoint import ask, live
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.endpoint.page_driver import Client, click, make_key, rows, served
from tests.desktop.shell.test_main_window import free_port, type_and_send
from tests.fakes import FakeOpener, Script

ENDLESS = Script(answer=None, step_s=0.01)


def test_stopping_one_of_two_requests_leaves_the_other_running(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, ENDLESS) as gui:
            one, two = Client(gui, await make_key(gui, "aider")), Client(gui, await make_key(gui, "continue"))
            requests = asyncio.gather(one.ask("First"), two.ask("Second", max_tokens=300))
            await until(lambda: [row.state for row in rows(gui)] == ["writing", "writing"])
            assert {row.key for row in rows(gui)} == {"aider", "continue"}
            lines = gui.endpoint_page.keys._rows_by_name
            await until(lambda: [lines[name]._usage.text() for name in ("aider", "continue")] == ["in use now"] * 2)
            assert gui.window.chat_page.header._tools.text() == " 2 tools"
            before = {row.id: row.n_output for row in rows(gui)}
            await until(lambda: all(row.n_output > before[row.id] and row.tokens_per_s > 0 for row in rows(gui)))
            start = time.monotonic()
            click(gui, [row.key for row in rows(gui)].index("aider"), "stop")
            await until(lambda: one.ended)
            assert time.monotonic() - start < 8
            n_chunks = len(two.chunks)
            await until(lambda: len(two.chunks) > n_chunks + 5)
            await until(lambda: [row.state for row in rows(gui)] == ["writing", "cancelled"])
            gui.endpoint_page.requests.stop_all.click()
            await requests
            await until(lambda: [row.state for row in rows(gui)] == ["cancelled", "cancelled"])
            await until(lambda: not gui.endpoint_page.requests.stop_all.isEnabled())
            assert gui.window.chat_page.header._tools.isHidden()

    run(story())


def test_endpoint_ends_in_the_last_requested_state_if_its_switch_is_pressed_repeatedly(
    run: Run, open_gui: OpenGui
) -> None:
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


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen platform logs this warning for menus
def test_requests_with_new_api_key_are_accepted_until_the_key_is_revoked(run: Run, open_gui: OpenGui) -> None:
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


def test_creating_an_api_key_with_an_existing_name_shows_toast(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, Script(answer=b"Hi")) as gui:
            await make_key(gui, "aider")
            gui.endpoint_page.keys.add_requested.emit("aider")
            await until(gui.window.toast.isVisible)
            assert list(gui.endpoint_page.keys._rows_by_name) == ["inglenook", "aider"]

    run(story())


def test_endpoint_request_can_be_opened_as_chat_only_if_its_body_was_stored(run: Run, open_gui: OpenGui) -> None:
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
            gui.window.show_page("endpoint")
            gui.endpoint_page.requests.keep.click()
            await until(lambda: all(row.body is None for row in rows(gui)))

    run(story())


def test_hidden_endpoint_page_counts_tools_but_lists_no_requests(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, ENDLESS) as gui:
            gui.window.show_page("chat")
            client = Client(gui, gui.endpoint_page._state.key)
            requests = asyncio.gather(client.ask("Hello", max_tokens=150))
            await until(gui.window.chat_page.header._tools.isVisible)
            assert gui.window.chat_page.header._tools.text() == " 1 tool"
            assert rows(gui) == []
            await requests
            await until(gui.window.chat_page.header._tools.isHidden)

    run(story())


def test_pressing_the_delete_key_stops_the_selected_endpoint_request(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, ENDLESS) as gui:
            client = Client(gui, gui.endpoint_page._state.key)
            requests = asyncio.gather(client.ask("Hello"))
            await until(lambda: rows(gui) and rows(gui)[0].state == "writing")
            view = gui.endpoint_page.requests.view
            view.setFocus()
            QTest.keyClick(view, Qt.Key.Key_Down)
            QTest.keyClick(view, Qt.Key.Key_Delete)
            await requests
            await until(lambda: rows(gui)[0].state == "cancelled")

    run(story())


def test_kv_cache_used_by_tools_is_not_counted_as_used_by_chats() -> None:
    with live(FakeOpener(Script(answer=b"Hello there.")), keep_bodies=True) as endpoint:
        assert endpoint.engine.memory.kv_endpoint == 0
        assert endpoint.post(ask("x" * 1000)).status_code == 200
        assert 0.2 < endpoint.engine.memory.kv_endpoint < 0.4
        assert endpoint.engine.memory.kv_window == 0
        assert [(each.origin, each.owner) for each in endpoint.engine.memory.kv_usage] == [("endpoint", "inglenook")]
        activity = activity_of(endpoint.app)
        (call,) = activity.views()
        assert activity.answer_text(call.id) == "Hello there."
        used = activity.usage()["inglenook"]
        assert (used.n_requests, used.n_tokens_in, used.n_tokens_out) == (1, call.n_prompt, call.n_output)
        activity.forget_bodies()
        assert (activity.answer_text(call.id), activity.views()[0].body) == ("", None)


def test_tools_button_of_chat_page_opens_endpoint_page_with_memory_card(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            gui.window.chat_page.header.tools_requested.emit()
            assert gui.window.pages.currentWidget() is gui.endpoint_page
            await until(gui.endpoint_page.memory.isVisible)
            assert "App " in gui.endpoint_page.memory.bar.accessibleDescription()

    run(story())


def test_memory_card_lists_chats_and_tools_by_size_of_their_kv_cache(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with served(open_gui, ENDLESS) as gui:
            tool = asyncio.create_task(Client(gui, await make_key(gui, "aider")).ask("x" * 900))
            type_and_send(gui, "How far is it to the sea? " * 9)
            gui.window.show_page("endpoint")
            holders = gui.endpoint_page.memory._holders
            await until(lambda: "aider (tool)" in holders.text() and "“How far is it" in holders.text())
            assert holders.text().index("aider") < holders.text().index("How far"), "the largest user is listed first"
            tool.cancel()
            await asyncio.gather(tool, return_exceptions=True)

    run(story())


def test_chat_page_counts_active_tools_before_endpoint_page_is_first_shown(
    run: Run, open_gui: OpenGui, profile: Profile
) -> None:
    async def story() -> None:
        settings = SettingsFile(profile.settings)
        settings.change(endpoint_on=True, endpoint_port=free_port())
        await asyncio.to_thread(settings.save)
        async with open_gui(ENDLESS) as gui:
            await until(lambda: gui.ready and gui.endpoint_page._state.stage == "on" and gui.endpoint_page._state.key)
            client = Client(gui, gui.endpoint_page._state.key)
            requests = asyncio.create_task(client.ask("Hello"))
            await until(lambda: gui.window.chat_page.header._tools.text() == " 1 tool")
            requests.cancel()
            await asyncio.gather(requests, return_exceptions=True)

    run(story())


def test_copied_snippet_contains_the_api_key_although_it_is_hidden(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            page = gui.endpoint_page
            await until(lambda: page._state.key and gui.ready)
            gui.window.show_page("endpoint")
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
