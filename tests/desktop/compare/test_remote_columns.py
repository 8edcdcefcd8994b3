"""Tests of comparisons with models on other servers, which listen on real ports."""

from __future__ import annotations

from tests.desktop.compare.test_compare_window import sheet_of
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.connections.test_connections import connected, connections_of, server
from tests.engine.remote.scripted_server import ScriptedServer, replies
from tests.fakes import Script

__all__ = ["server"]  # a fixture


def test_model_of_a_connection_answers_beside_the_local_one(
    run: Run, open_gui: OpenGui, server: ScriptedServer
) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"From here.")) as gui:
            await until(lambda: gui.ready)
            key = f"{await connected(gui, server)}/big-model"
            n_before = len(server.received)
            gui.window.chat_page.composer.insert_text("Where are you?")
            gui.action("compare_models").trigger()
            sheet = sheet_of(gui)
            host = connections_of(gui).states[0].connection.host
            assert sheet.rows[key].detail.text() == host
            sheet.rows[key].switch.click()
            assert sheet.hint.text() == f"This chat is sent to {host}."
            assert not any("chat" in each.path for each in server.received[n_before:]), "sent before the comparison"
            sheet.start.click()
            await until(lambda: not gui.window.chat_page.composer._answering)
            answers = gui.transcript.messages.alternatives(gui.rows[-1].id)
            assert [each.text for each in answers] == ["From here.", "From afar."]
            assert (answers[1].model_id, answers[1].host) == ("big-model", host)
            assert connections_of(gui).chosen is None, "the window changed its model"

    run(story())


def test_column_of_a_server_that_refuses_shows_why(run: Run, open_gui: OpenGui, server: ScriptedServer) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"From here.")) as gui:
            await until(lambda: gui.ready)
            key = f"{await connected(gui, server)}/big-model"
            gui.window.chat_page.composer.insert_text("Where are you?")
            gui.action("compare_models").trigger()
            sheet = sheet_of(gui)
            sheet.rows[key].switch.click()
            server.answer_chats(replies({"error": {"message": "no"}}, 401))
            sheet.start.click()
            await until(lambda: not gui.window.chat_page.composer._answering)
            answers = gui.transcript.messages.alternatives(gui.rows[-1].id)
            assert [each.state for each in answers] == ["complete", "failed"]
            assert answers[1].note

    run(story())
