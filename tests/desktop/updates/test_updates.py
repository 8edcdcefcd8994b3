"""Tests of the check for new versions: the question, checks once they are enabled, and invalid responses of the
server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from desktop.settings.settings_file import SettingsFile
from desktop.store.records import Chat
from desktop.store.store import Store
from desktop.updates import update_checker
from desktop.updates.release_dialog import ReleaseDialog
from desktop.updates.releases import MAX_BYTES, Release, UpdateCheckError, newer_release
from desktop.updates.wiring import UpdateWiring
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import GALLERY

NOTES = "## What is new\n\n- Formulas are drawn.\n- ![x](https://a.example/x.png)"
NEWER = {"tag_name": "v99.1", "html_url": "https://a.example/99", "body": NOTES}


class ReleaseServer(ThreadingHTTPServer):
    """An HTTP server that returns a release in the format of GitHub's API."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.content: bytes = json.dumps(NEWER).encode()
        self.status = 200
        self.requests: list[dict[str, str]] = []


class Answer(BaseHTTPRequestHandler):
    server: ReleaseServer

    def do_GET(self) -> None:
        self.server.requests.append({"path": self.path, **dict(self.headers)})
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReleaseServer]:
    server = ReleaseServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("INGLENOOK_RELEASES", f"http://127.0.0.1:{server.server_port}/latest")
    monkeypatch.setattr(update_checker, "START_DELAY_S", 0.05)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_newer_release_is_returned_with_its_notes(server: ReleaseServer) -> None:
    assert newer_release("0.1.0") == Release("99.1", NOTES, "https://a.example/99")
    assert newer_release("99.1") is None
    assert newer_release("100.0") is None
    request = server.requests[0]
    assert (request["User-Agent"], request["path"]) == ("Inglenook", "/latest"), "no data about this machine is sent"


@pytest.mark.parametrize("fields", [{"draft": True}, {"prerelease": True}])
def test_draft_release_or_prerelease_is_not_returned(server: ReleaseServer, fields: dict[str, object]) -> None:
    server.content = json.dumps({**NEWER, **fields}).encode()
    assert newer_release("0.1.0") is None


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (404, b"{}"), (200, b"no json"), (200, b"[]"), (200, b"{}"), (200, b'{"tag_name": "??", "html_url": "https://x"}'),
        (200, b'{"tag_name": "v99", "html_url": "file:///bin/sh"}'), (200, b" " * (MAX_BYTES + 1)), (302, b"{}"),
    ],
)  # fmt: skip
def test_invalid_response_of_release_server_raises_update_check_error(
    server: ReleaseServer, status: int, content: bytes
) -> None:
    server.status, server.content = status, content
    with pytest.raises(UpdateCheckError):
        newer_release("0.1.0")


def test_unreachable_release_server_raises_update_check_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGLENOOK_RELEASES", "http://127.0.0.1:9/latest")
    with pytest.raises(UpdateCheckError):
        newer_release("0.1.0")


async def create_used_profile(profile: Profile) -> None:
    store = Store(profile.chats)
    await store.open()
    await store.save(Chat("c", "Before", 1.0, 1.0))
    await store.aclose()


def press_toast_button(gui: Gui, text: str) -> None:
    buttons = [each for each in gui.window.toast.findChildren(QPushButton) if each.text() == text]
    QTest.mouseClick(buttons[0], Qt.MouseButton.LeftButton)


@pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform logs this warning for dialogs
def test_answering_yes_enables_update_checks_and_shows_new_release(
    run: Run, open_gui: OpenGui, profile: Profile, server: ReleaseServer
) -> None:
    async def story() -> None:
        await create_used_profile(profile)
        async with open_gui() as gui:
            await until(lambda: "once a week" in gui.window.toast.text)
            assert not server.requests, "no request before the user allowed it"
            press_toast_button(gui, "Yes")
            await until(lambda: "99.1" in gui.window.toast.text)
            press_toast_button(gui, "What is new")
            card = gui.window.findChild(ReleaseDialog)
            assert card is not None
            GALLERY.mkdir(parents=True, exist_ok=True)
            assert card.grab().save(str(GALLERY / "update-light.png"))
            opened: list[QUrl] = []
            card.download_requested.disconnect()  # this prevents the test from opening a browser
            card.download_requested.connect(opened.append)
            QTest.mouseClick(card.download, Qt.MouseButton.LeftButton)
            assert opened == [QUrl("https://a.example/99")]
        assert SettingsFile(profile.settings).value.updates == "on"
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            assert gui.window.view("settings").row("updates").switch.isChecked()
        assert len(server.requests) == 1, "once a week"

    run(story())


def test_unanswered_question_about_update_checks_counts_as_no_and_is_not_repeated(
    run: Run, open_gui: OpenGui, profile: Profile, server: ReleaseServer
) -> None:
    async def story() -> None:
        await create_used_profile(profile)
        async with open_gui() as gui:
            await until(lambda: "once a week" in gui.window.toast.text)
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            await wait_past_start_delay()
            assert gui.window.toast.text == ""
        assert not server.requests

    run(story())


def test_new_user_is_not_asked_to_allow_update_checks(
    run: Run, open_gui: OpenGui, profile: Profile, server: ReleaseServer
) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            await wait_past_start_delay()
            assert gui.window.toast.text == ""
        assert SettingsFile(profile.settings).value.updates == "unasked"
        assert not server.requests

    run(story())


def test_enabled_check_for_new_version_runs_a_week_after_the_last_check(
    run: Run, open_gui: OpenGui, profile: Profile, server: ReleaseServer
) -> None:
    async def story() -> None:
        settings = SettingsFile(profile.settings)
        settings.change(updates="on", updates_looked_at=time.time() - 8 * 24 * 3600)
        settings.save()
        async with open_gui() as gui:
            await until(lambda: "99.1" in gui.window.toast.text)
            gui.window.view("settings").row("updates").switch.click()
        assert SettingsFile(profile.settings).value.updates == "off"

    run(story())


def test_requested_update_check_shows_its_result_even_without_new_version(
    run: Run, open_gui: OpenGui, server: ReleaseServer
) -> None:
    async def story() -> None:
        server.content = json.dumps({**NEWER, "tag_name": "v0.0.1"}).encode()
        async with open_gui() as gui:
            updates = gui.window.findChild(UpdateWiring)
            assert updates is not None
            updates.check_now()
            await until(lambda: "newest version" in gui.window.toast.text)
            server.status = 500
            updates.check_now()
            await until(lambda: "500" in gui.window.toast.text)

    run(story())


async def wait_past_start_delay() -> None:
    deadline = time.monotonic() + 5 * update_checker.START_DELAY_S
    await until(lambda: time.monotonic() > deadline)
