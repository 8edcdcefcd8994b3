"""Tests of models on other servers in the real window. The servers listen on real ports and have scripted answers."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QMenu

from desktop.connections.controller import ConnectionsController
from desktop.connections.model_menu import ModelMenu
from desktop.connections.wiring import ConnectionsWiring
from desktop.models.page import ModelsPage
from desktop.settings.settings_file import SettingsFile
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
    return json.loads(profile.settings.read_text())


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
            await until(lambda: stored(profile)["connections"])
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
            assert stored(profile)["remote_model"] == {"connection": connection_id, "model": "big-model"}
            connections_of(gui).choose_local()
            assert place(gui) == "Runs on this computer. Nothing leaves it."
            n_sent = len(server.chat_bodies)
            type_and_send(gui, "And now?")
            await answered(gui)
            assert gui.rows[-1].text == "From here."
            assert len(server.chat_bodies) == n_sent
            await until(lambda: stored(profile)["remote_model"] == {})

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
