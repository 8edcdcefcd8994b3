"""New versions: asked about once, looked for when allowed, and what the server says is believed with care."""

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


class Place(ThreadingHTTPServer):
    """Where releases are announced."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.says: bytes = json.dumps(NEWER).encode()
        self.status = 200
        self.asked: list[dict[str, str]] = []


class Answer(BaseHTTPRequestHandler):
    server: Place

    def do_GET(self) -> None:
        self.server.asked.append({"path": self.path, **dict(self.headers)})
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.says)))
        self.end_headers()
        self.wfile.write(self.server.says)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    server = Place()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("INGLENOOK_RELEASES", f"http://127.0.0.1:{server.server_port}/latest")
    monkeypatch.setattr(update_checker, "START_DELAY_S", 0.05)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_newer_release_is_told_with_its_notes(place: Place) -> None:
    assert newer_release("0.1.0") == Release("99.1", NOTES, "https://a.example/99")
    assert newer_release("99.1") is None
    assert newer_release("100.0") is None
    told = place.asked[0]
    assert (told["User-Agent"], told["path"]) == ("Inglenook", "/latest"), "nothing about this machine"


@pytest.mark.parametrize("says", [{"draft": True}, {"prerelease": True}])
def test_what_is_not_out_yet_is_none(place: Place, says: dict[str, object]) -> None:
    place.says = json.dumps({**NEWER, **says}).encode()
    assert newer_release("0.1.0") is None


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (404, b"{}"), (200, b"no json"), (200, b"[]"), (200, b"{}"), (200, b'{"tag_name": "??", "html_url": "https://x"}'),
        (200, b'{"tag_name": "v99", "html_url": "file:///bin/sh"}'), (200, b" " * (MAX_BYTES + 1)), (302, b"{}"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_an_error(place: Place, status: int, says: bytes) -> None:
    place.status, place.says = status, says
    with pytest.raises(UpdateCheckError):
        newer_release("0.1.0")


def test_nobody_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGLENOOK_RELEASES", "http://127.0.0.1:9/latest")
    with pytest.raises(UpdateCheckError):
        newer_release("0.1.0")


async def lived_in(profile: Profile) -> None:
    store = Store(profile.chats)
    await store.open()
    await store.save(Chat("c", "Before", 1.0, 1.0))
    await store.aclose()


def answer(gui: Gui, words: str) -> None:
    buttons = [each for each in gui.window.toast.findChildren(QPushButton) if each.text() == words]
    QTest.mouseClick(buttons[0], Qt.MouseButton.LeftButton)


@pytest.mark.qt_log_ignore("propagateSizeHints")  # of dialogs, without a screen
def test_it_asks_once_and_yes_looks(run: Run, open_gui: OpenGui, profile: Profile, place: Place) -> None:
    async def story() -> None:
        await lived_in(profile)
        async with open_gui() as gui:
            await until(lambda: "once a week" in gui.window.toast.text)
            assert not place.asked, "nothing is sent before it is allowed"
            answer(gui, "Yes")
            await until(lambda: "99.1" in gui.window.toast.text)
            answer(gui, "What is new")
            card = gui.window.findChild(ReleaseDialog)
            assert card is not None
            GALLERY.mkdir(parents=True, exist_ok=True)
            assert card.grab().save(str(GALLERY / "update-light.png"))
            asked: list[QUrl] = []
            card.download_requested.disconnect()  # the browser is not opened here
            card.download_requested.connect(asked.append)
            QTest.mouseClick(card.download, Qt.MouseButton.LeftButton)
            assert asked == [QUrl("https://a.example/99")]
        assert SettingsFile(profile.settings).value.updates == "on"
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            assert gui.window.view("settings")._updates.isChecked()
        assert len(place.asked) == 1, "once a week"

    run(story())


def test_no_answer_is_no_and_it_is_never_asked_again(
    run: Run, open_gui: OpenGui, profile: Profile, place: Place
) -> None:
    async def story() -> None:
        await lived_in(profile)
        async with open_gui() as gui:
            await until(lambda: "once a week" in gui.window.toast.text)
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            await wait_beyond_the_question()
            assert gui.window.toast.text == ""
        assert not place.asked

    run(story())


def test_somebody_new_is_not_asked(run: Run, open_gui: OpenGui, profile: Profile, place: Place) -> None:
    async def story() -> None:
        async with open_gui() as gui:
            await until(lambda: gui.ready)
            await wait_beyond_the_question()
            assert gui.window.toast.text == ""
        assert SettingsFile(profile.settings).value.updates == "unasked"
        assert not place.asked

    run(story())


def test_who_allowed_it_is_told_after_a_week(run: Run, open_gui: OpenGui, profile: Profile, place: Place) -> None:
    async def story() -> None:
        settings = SettingsFile(profile.settings)
        settings.change(updates="on", updates_looked_at=time.time() - 8 * 24 * 3600)
        settings.save()
        async with open_gui() as gui:
            await until(lambda: "99.1" in gui.window.toast.text)
            gui.window.view("settings")._updates.click()
        assert SettingsFile(profile.settings).value.updates == "off"

    run(story())


def test_looking_now_says_what_it_found(run: Run, open_gui: OpenGui, place: Place) -> None:
    async def story() -> None:
        place.says = json.dumps({**NEWER, "tag_name": "v0.0.1"}).encode()
        async with open_gui() as gui:
            updates = gui.window.findChild(UpdateWiring)
            assert updates is not None
            updates.check_now()
            await until(lambda: "newest version" in gui.window.toast.text)
            place.status = 500
            updates.check_now()
            await until(lambda: "500" in gui.window.toast.text)

    run(story())


async def wait_beyond_the_question() -> None:
    deadline = time.monotonic() + 5 * update_checker.START_DELAY_S
    await until(lambda: time.monotonic() > deadline)
