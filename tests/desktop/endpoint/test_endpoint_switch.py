"""Tests of the switch of the endpoint: turning it on and off, and a port that another program uses."""

from __future__ import annotations

import socket
import time

import httpx
import pytest

from desktop import app
from desktop.endpoint import server
from desktop.settings.settings_file import SettingsFile
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import free_port


def test_endpoint_answers_requests_while_switched_on(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            gui.window.sidebar.page_buttons["endpoint"].click()
            page = gui.endpoint_page
            assert gui.window.pages.currentWidget() is page
            port = free_port()
            page.port_requested.emit(port)
            await until(lambda: page._state.stage == "on")
            await until(lambda: gui.ready)
            async with httpx.AsyncClient(trust_env=False) as client:
                headers = {"Authorization": f"Bearer {page._state.key}"}
                answer = await client.get(f"http://127.0.0.1:{port}/v1/models", headers=headers)
            assert answer.status_code == 200
            assert page._address.text() == f"http://127.0.0.1:{port}/v1"
            page._switch.click()
            await until(lambda: page._state.stage == "off")
        assert SettingsFile(profile.settings).value.endpoint_port == port

    run(story())


def test_endpoint_switch_is_toggled_once_although_reading_the_api_key_is_slow(
    run: Run, open_gui: OpenGui, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_key = server.read_key

    def slowly(profile: Profile) -> str:
        time.sleep(0.3)
        return read_key(profile)

    monkeypatch.setattr(app, "read_key", slowly)

    async def story() -> None:
        async with open_gui() as gui:
            stages: list[bool] = []
            gui.endpoint_page.port_requested.emit(free_port())
            gui.window.view("endpoint")._switch.toggled.connect(stages.append)
            await until(lambda: gui.endpoint_page._state.stage == "on")
            await until(lambda: gui.endpoint_page._state.key)
            gui.endpoint_page._switch.click()
            await until(lambda: gui.endpoint_page._state.stage == "off")
            assert stages == [True, False]

    run(story())


def test_port_used_by_another_program_is_reported_on_endpoint_page(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            async with open_gui() as gui:
                page = gui.endpoint_page
                page.port_requested.emit(port)
                await until(lambda: page._state.stage == "failed")
                assert page._alert.text.text() == f"Port {port} is used by another program."
                assert not page._switch.isChecked()

    run(story())
