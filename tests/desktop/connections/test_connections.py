"""Tests of models on other servers in the real window. The servers listen on real ports and have scripted answers."""

from __future__ import annotations

import json
import socket
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QMenu

from desktop.chat.controller import ChatController
from desktop.chat.page_controller import ChatPageController
from desktop.connections.controller import ConnectionsController
from desktop.connections.model_menu import ModelMenu
from desktop.connections.wiring import ConnectionsWiring
from desktop.models.page import ModelsPage
from desktop.settings.all_settings import Settings
from desktop.settings.settings_file import SettingsFile
from desktop.transcript.strings import statistics
from engine.files.profile import Profile
from engine.remote.connection import Connection
from engine.remote.stored_connections import connection_record
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.engine.remote.scripted_server import (
    HEAD,
    Received,
    ScriptedServer,
    delta,
    ending,
    event,
    replies,
    scripted_server,
    streams,
    text,
)
from tests.fakes import Script

LISTED = {"object": "list", "data": [{"id": "big-model", "object": "model", "owned_by": "somebody"}]}
ANSWER = streams(delta(role="assistant"), text("From afar."), ending())


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        server.routes["/v1/models"] = replies(LISTED)
        server.answer_chats(ANSWER)
        yield server


def connections_of(gui: Gui) -> ConnectionsController:
    wiring = gui.window.findChild(ConnectionsWiring)
    assert wiring is not None
    return wiring._connections


def chats_of(gui: Gui) -> ChatController:
    controller = gui.window.findChild(ChatPageController)
    assert controller is not None
    return controller._chats


def page_of(gui: Gui) -> ModelsPage:
    gui.window.show_page("models")
    page = gui.window.view("models", ModelsPage)
    assert page is not None
    return page


def place(gui: Gui) -> str:
    return gui.window.chat_page.place.text()


def header(gui: Gui) -> str:
    return gui.window.chat_page.header._model_text


async def connected(gui: Gui, server: ScriptedServer, kind: Any = "auto", key: str | None = None) -> str:
    """Adds a connection and waits until its server was asked. Returns its id."""
    connections, connection = connections_of(gui), Connection.to(server.address, name="Box", kind=kind)
    connections.save(connection, key)
    await until(lambda: connections.states[-1].stage == "reachable")
    return connection.id


def entries(gui: Gui) -> list[tuple[str, bool]]:
    menu = QMenu(gui.window)
    ModelMenu.fill(connections_of(gui), connections_of(gui)._models, menu)
    found = [(entry.text(), entry.isChecked()) for entry in menu.actions() if entry.text()]
    menu.deleteLater()
    return found


def stored(profile: Profile) -> Any:
    return json.loads(profile.settings.read_text()) if profile.settings.exists() else {}


def test_connection_is_added_tested_and_removed_on_the_page(
    run: Run, open_gui: OpenGui, server: ScriptedServer, profile: Profile
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            page, sheet = page_of(gui), page_of(gui).connection_sheet
            page.connections.add.click()
            sheet.address.setText("http://")
            sheet.test.click()
            assert "cannot be used" in sheet.address_help.text()
            sheet.address.setText(server.address + "/v1/")
            sheet.name.setText("Box")
            sheet.key.setText("secret-key")
            sheet.test.click()
            await until(lambda: "big-model" in sheet.result.text())
            assert server.received[-1].headers["authorization"] == "Bearer secret-key"
            assert not connections_of(gui).states
            sheet.save.click()
            assert sheet.isHidden()
            await until(lambda: connections_of(gui).states[0].stage == "reachable")
            row = next(iter(page.connections.rows.values()))
            assert row.name.text() == "Box"
            assert "ms · models: 1" in row.state.text()
            assert "private file" in row._address.text(), "no keyring works in tests"
            assert stat.S_IMODE(profile.connection_keys.stat().st_mode) == 0o600
            await until(lambda: stored(profile).get("connections"))
            assert "secret-key" not in profile.settings.read_text()
            row.edit.click()
            assert sheet.key.text() == ""
            assert sheet.key.placeholderText() == "A key is stored"
            page.connections.remove_requested.emit(connections_of(gui).states[0].connection.id)
            await until(lambda: not profile.connection_keys.exists())
            assert sheet.isHidden()
            assert not page.connections.rows
            assert page.connections._empty.isVisible()

    run(story())


def test_stored_key_is_not_sent_to_another_server(
    run: Run, open_gui: OpenGui, server: ScriptedServer, profile: Profile
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await connected(gui, server, key="secret")
            connections, connection = connections_of(gui), connections_of(gui).states[0].connection
            with scripted_server() as other:
                other.routes["/v1/models"] = replies(LISTED)
                moved = replace(connection, address=other.address)
                await connections.test(moved, None)
                connections.save(moved, None)
                await until(lambda: connections.states[0].stage == "reachable")
                assert other.received
                assert not any("authorization" in each.headers for each in other.received)
            assert not profile.connection_keys.exists()

    run(story())


def test_key_that_is_being_read_or_removed_is_not_sent_to_another_server(
    run: Run, open_gui: OpenGui, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keyring can ask for its password, so that both take long."""
    has_begun, may_read, may_write = threading.Event(), threading.Event(), threading.Event()

    async def story() -> None:
        async with open_gui() as gui:
            connection_id = await connected(gui, server, key="secret")
            connections = connections_of(gui)
            await connections._close(connection_id)
            read, write = connections._keys.read, connections._keys.write

            def slow_read(id: str) -> Any:
                found = read(id)
                has_begun.set()
                assert may_read.wait(20)
                return found

            def slow_write(id: str, key: str) -> Any:
                assert may_write.wait(20)
                return write(id, key)

            monkeypatch.setattr(connections._keys, "read", slow_read)
            monkeypatch.setattr(connections._keys, "write", slow_write)
            with scripted_server() as other:
                other.routes["/v1/models"] = replies(LISTED)
                connections.look_at(connection_id)
                await until(has_begun.is_set)
                connections.save(replace(connections.states[0].connection, address=other.address), None)
                may_read.set()
                await until(lambda: bool(other.received))
                may_write.set()
                await until(lambda: connections.states[0].stage == "reachable" and not connections._new_keys)
                assert not any("authorization" in each.headers for each in other.received)

    run(story())


def test_model_of_a_connection_answers_until_the_local_one_is_chosen(
    run: Run, open_gui: OpenGui, server: ScriptedServer, profile: Profile
) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"From here.")) as gui:
            await until(lambda: gui.ready)
            assert place(gui) == "Runs on this computer. Nothing leaves it."
            assert entries(gui) == []
            connection_id = await connected(gui, server)
            assert entries(gui) == [("fake (this computer)", True), ("big-model (Box)", False)]
            assert not server.chat_bodies
            connections_of(gui).choose(connection_id, "big-model")
            assert place(gui) == "Runs on this computer, in another program."
            assert header(gui) == "big-model on 127.0.0.1"
            assert entries(gui) == [("fake (this computer)", False), ("big-model (Box)", True)]
            type_and_send(gui, "Where are you?")
            await answered(gui)
            assert gui.rows[-1].text == "From afar."
            chosen = {"connection": connection_id, "model": "big-model"}
            await until(lambda: stored(profile).get("remote_model") == chosen)
            await until(lambda: len(server.chat_bodies) == 2)  # the second one asks for the title of the chat
            connections_of(gui).choose_local()
            assert place(gui) == "Runs on this computer. Nothing leaves it."
            type_and_send(gui, "And now?")
            await answered(gui)
            assert gui.rows[-1].text == "From here."
            assert len(server.chat_bodies) == 2
            await until(lambda: stored(profile).get("remote_model") == {})

    run(story())


def test_line_below_the_composer_names_the_program_on_this_computer(
    run: Run, open_gui: OpenGui, server: ScriptedServer
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            connection_id = await connected(gui, server, "ollama")
            connections_of(gui).choose(connection_id, "big-model")
            assert place(gui) == "Runs on this computer, in Ollama."

    run(story())


def test_choice_is_kept_and_a_server_that_is_away_is_reported(
    run: Run, open_gui: OpenGui, server: ScriptedServer, profile: Profile, qapp: QApplication
) -> None:
    connection = Connection.to(server.address, name="Box")

    def refuse(_: Received, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n")

    async def first() -> None:
        async with open_gui() as gui:
            connections_of(gui).save(connection, None)
            await until(lambda: connections_of(gui).states[0].stage == "reachable")
            connections_of(gui).choose(connection.id, "big-model")

    async def second() -> None:
        settings = SettingsFile(profile.settings)
        settings.change(model_path=str(profile.root / "Tiny-Chat-Q4_1.gguf"))
        (profile.root / "Tiny-Chat-Q4_1.gguf").touch()
        settings.save()
        server.routes["/v1/models"] = refuse
        async with open_gui(Script(answer=b"From here."), model=False) as gui:
            toast = gui.window.toast
            await until(lambda: toast.isVisible() and "answered with an error" in toast.text)
            assert header(gui) == "big-model: not available"
            assert gui.window.chat_page.greeting._text.text() == "The model on 127.0.0.1 is not available now."
            assert (toast._action.text(), toast._other_action.text()) == ("Try again", "Use the local model")
            server.routes["/v1/models"] = replies(LISTED)
            toast._action.click()
            await until(lambda: gui.ready)
            assert toast.isHidden()
            type_and_send(gui, "Where are you?")
            await answered(gui)
            assert gui.rows[-1].text == "From afar."

    async def third() -> None:
        server.routes["/v1/models"] = refuse
        async with open_gui(Script(answer=b"From here."), model=False) as gui:
            toast = gui.window.toast
            await until(lambda: toast.isVisible() and "answered with an error" in toast.text)
            await until(lambda: connections_of(gui)._models.status.state == "ready")
            toast._other_action.click()
            await until(lambda: gui.ready)
            assert place(gui) == "Runs on this computer. Nothing leaves it."

    for story in (first, second, third):
        run(story())


def test_window_is_ready_while_the_server_does_not_answer(
    run: Run, open_gui: OpenGui, server: ScriptedServer, profile: Profile
) -> None:
    connection = Connection.to(server.address, name="Box")

    async def story() -> None:
        async with open_gui(model=False) as gui:
            await until(lambda: header(gui) == "Connecting to 127.0.0.1…")
            assert gui.window.is_ready

    server.routes["/v1/models"] = lambda _, client: server.until_closed(client)
    settings = SettingsFile(profile.settings)
    settings.change(
        connections=[connection_record(connection)], remote_model={"connection": connection.id, "model": "big-model"}
    )
    settings.save()
    run(story())


def test_lost_server_leaves_the_text_and_go_on_continues_it(
    run: Run, open_gui: OpenGui, server: ScriptedServer
) -> None:
    def breaks(_: Received, connection: socket.socket) -> None:
        connection.sendall(HEAD + event(text("Half an")))
        connection.shutdown(socket.SHUT_RDWR)

    async def story() -> None:
        async with open_gui() as gui:
            connections_of(gui).choose(await connected(gui, server), "big-model")
            server.answer_chats(breaks)
            type_and_send(gui, "Tell me.")
            await answered(gui)
            assert (gui.rows[-1].state, gui.rows[-1].text) == ("failed", "Half an")
            assert gui.rows[-1].note == "127.0.0.1 cannot be reached: the connection was lost."
            server.answer_chats(streams(text(" answer."), ending()))
            gui.transcript.continue_requested.emit(gui.rows[-1].id)
            await until(lambda: gui.rows[-1].text == "Half an answer.")

    run(story())


def test_stop_closes_the_connection_to_the_server(run: Run, open_gui: OpenGui, server: ScriptedServer) -> None:
    def waits(_: Received, connection: socket.socket) -> None:
        connection.sendall(HEAD + event(text("Half an")))
        server.until_closed(connection)

    async def story() -> None:
        async with open_gui() as gui:
            connections_of(gui).choose(await connected(gui, server), "big-model")
            server.answer_chats(waits)
            type_and_send(gui, "Tell me.")
            await until(lambda: gui.rows[-1].text == "Half an")
            gui.window.chat_page.composer._send.click()
            await server.has_seen_close()
            await answered(gui)
            assert (gui.rows[-1].state, gui.rows[-1].text) == ("stopped", "Half an")

    run(story())


def test_menu_with_many_models_has_a_search(run: Run, open_gui: OpenGui, server: ScriptedServer) -> None:
    server.routes["/v1/models"] = replies({"data": [{"id": f"model-{n}"} for n in range(30)]})

    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            await connected(gui, server)
            menu = QMenu(gui.window)
            found = ModelMenu(menu, connections_of(gui), connections_of(gui)._models)
            assert [entry.text() for entry in menu.actions()][-2:] == ["18 more on Box", ""]
            assert found._search is not None
            found._search.setText("l-29")
            texts = [entry.text() for entry in menu.actions() if entry.text()]
            assert texts == ["fake (this computer)", "model-29 (Box)"]
            menu.deleteLater()

    run(story())


def test_server_gets_nothing_but_the_chats_that_it_answers(run: Run, open_gui: OpenGui, server: ScriptedServer) -> None:
    """The scripted server counts tokens for clients, so a draft would be sent to it by whoever asks it for a count."""

    async def story() -> None:
        async with open_gui(Script(answer=b"From here.")) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "The local question.")
            await answered(gui)
            connections_of(gui).choose(await connected(gui, server, "vllm"), "big-model")
            composer = gui.window.chat_page.composer
            composer.show_text("A draft that is not sent.")
            await until(lambda: composer._context_meter.text().startswith("about"))
            assert all(each.method == "GET" for each in server.received)
            assert await asked_for_words(gui) == []
            composer.show_text("")
            gui.window.chat_page.composer.setFocus()
            gui.action("new_chat").trigger()
            type_and_send(gui, "The remote question.")
            await answered(gui)
            await until(lambda: len(server.chat_bodies) == 2)
            assert {each.path for each in server.received if each.method == "POST"} <= {
                "/v1/chat/completions",
                "/tokenize",
            }
            sent = [json.dumps(each.body) for each in server.received if each.body is not None]
            assert all("The remote question." in each for each in sent)
            assert not any("local question" in each or "draft" in each for each in sent)

    def limits(_: Received, connection: socket.socket) -> None:
        replies({"data": [{"id": "big-model", "owned_by": "vllm", "max_model_len": 4096}]})(_, connection)

    server.routes["/v1/models"] = limits
    server.routes["/tokenize"] = replies({"count": 12})
    run(story())


async def asked_for_words(gui: Gui) -> list[object]:
    """The alternatives to a word of an answer that another model wrote."""
    chats = chats_of(gui)
    return list(await chats.token_alternatives(gui.rows[-1].id, 0, 4))


def test_answer_names_the_model_and_its_machine_also_after_a_restart(
    run: Run, open_gui: OpenGui, server: ScriptedServer
) -> None:
    async def first() -> None:
        async with open_gui() as gui:
            connections_of(gui).choose(await connected(gui, server), "big-model")
            type_and_send(gui, "Where are you?")
            await answered(gui)
            assert statistics(gui.rows[-1], Settings()).startswith("big-model on 127.0.0.1")

    async def second() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.chats.model().rowCount() > 0)
            chats = chats_of(gui)
            chats.sessions.open_chat(next(iter(chats.sessions.chats_by_id)))
            await until(lambda: len(gui.rows) == 2)
            assert (gui.rows[-1].model_id, gui.rows[-1].host) == ("big-model", "127.0.0.1")

    run(first())
    run(second())
