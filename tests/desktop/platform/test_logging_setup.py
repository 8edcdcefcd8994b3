"""Tests that the log and the diagnostics contain no user content: a marker word is entered into all features of the
app."""

from __future__ import annotations

import ast
import logging
import sys
import threading
from pathlib import Path

import httpx
import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.exceptions import capture_exceptions

from desktop.platform.logging_setup import MAX_BYTES, N_OLD, NAME, LogFile
from engine.files.profile import Profile
from tests.desktop.chat.composer.test_composer import counted
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, free_port, type_and_send
from tests.fakes import Script

MARKER = "xylophone"
ROOT = Path(__file__).parents[3]
ALLOWED = {
    "name",  # this log argument is the name of a task or closing step, which is a constant or contains an id
    "timeout_s",
    "folder",  # this log argument is the folder of the app's translations
    "error.strerror",  # this log argument is the message of the operating system for the error code
    "len(constraint.source)",
    "len(late)",
    "kind",  # this log argument is "embedder" or "reranker"
    "type(error).__name__",
    "upstream.number",
    "key[0].kind",  # this log argument is "formula" or "picture"
    "platform.python_version()",
    "status.state",
    "_type_name(status.error)",
    "state.stage",
    "_type_name(state.error)",
    "message.state",
    "message.n_output",
    "reader.returncode",
    "redacted_traceback(error)",  # this log argument contains only types of errors and their places in the source
}


def written(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted(folder.glob(f"{NAME}*")))


def raise_it() -> None:
    raise RuntimeError(f"no {MARKER}")


async def status_of(port: int, key: str, body: object, path: str = "/v1/chat/completions") -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        response = await client.post(
            f"http://127.0.0.1:{port}{path}", json=body, headers={"Authorization": f"Bearer {key}"}
        )
        return response.status_code


async def send_requests(gui: Gui) -> str:
    """Turns the endpoint on and sends requests that contain the marker. Returns the key."""
    page, port = gui.endpoint_page, free_port()
    page.port_requested.emit(port)
    await until(lambda: page._state.stage == "on" and page._state.key)
    key = page._state.key
    messages = [{"role": "user", "content": f"Play the {MARKER}"}]
    assert await status_of(port, key, {"model": MARKER, "messages": messages}) == 200
    assert await status_of(port, MARKER, {"model": "m", "messages": messages}) == 401
    assert await status_of(port, key, {"model": "m", "messages": messages, "max_tokens": MARKER}) >= 400
    assert await status_of(port, key, {"messages": MARKER}, f"/v1/{MARKER}") >= 400
    wide = [{"role": "user", "content": MARKER * 5_000}]
    assert await status_of(port, key, {"model": "m", "messages": wide}) >= 400
    return str(key)


def raise_and_log_errors() -> None:
    """Raises uncaught exceptions and logs messages, all with texts that contain the marker."""
    with capture_exceptions() as caught:
        sys.excepthook(RuntimeError, RuntimeError(MARKER), None)
        thread = threading.Thread(target=raise_it)
        thread.start()
        thread.join()
    assert caught
    logging.getLogger("uvicorn.error").error("the %s broke", MARKER)
    logging.getLogger("desktop.test").error("%s failed", ValueError(MARKER))
    try:
        raise_it()
    except RuntimeError as error:
        outer = OSError(2, MARKER, MARKER)
        outer.__cause__ = error
        logging.getLogger("desktop.test").error("this failed", exc_info=outer)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_log_and_diagnostics_contain_no_user_content(
    run: Run, open_gui: OpenGui, profile: Profile, tmp_path: Path
) -> None:
    attached = tmp_path / f"{MARKER}.txt"
    attached.write_text(f"A file about the {MARKER}.\n")
    reports: list[str] = []

    async def story() -> None:
        script = Script(answer=f"I like the {MARKER}.".encode())
        async with open_gui(script) as gui:
            await until(lambda: gui.ready)
            gui.window.chat_page.composer.files_given.emit([attached])
            await until(lambda: counted(gui, 1))
            type_and_send(gui, f"Play the {MARKER}")
            await answered(gui)
            assert MARKER in gui.rows[-1].text
            key = await send_requests(gui)
            raise_and_log_errors()
            script.fail_after = 0
            type_and_send(gui, f"And the {MARKER}?")
            await answered(gui)
            page = gui.window.view("settings")
            page._copy.click()
            reports.append(QGuiApplication.clipboard().text())
            for secret in (key, MARKER, str(tmp_path)):
                assert secret not in reports[0]
                assert secret not in written(profile.root)

    with pytest.MonkeyPatch.context() as hooks:
        hooks.setattr(threading, "excepthook", lambda seen: None)
        run(story())
    log = written(profile.root)
    assert MARKER not in log
    for expected in (
        "desktop.platform.logging_setup: started, Python 3.",
        "the model: ready, no error",
        "the endpoint: on, no error",
        "CRITICAL desktop.platform.logging_setup: uncaught exception",
        "uvicorn.error: at test_logging_setup:",
        "desktop.test: ValueError failed",
        "builtins.FileNotFoundError ENOENT",
        "tests.desktop.platform.test_logging_setup:",
        "desktop.platform.logging_setup: ended",
    ):
        assert expected in log, expected
    assert "language: " in reports[0]
    assert "uncaught exception on a thread" in reports[0]


def test_log_file_is_rotated_and_a_missing_log_folder_raises_no_error(tmp_path: Path) -> None:
    book = LogFile(tmp_path)
    try:
        for number in range(16_000):
            logging.getLogger("desktop.test").info("a line like many others, number %s", number)
        assert "15999" in book.tail(3)[-1]
    finally:
        book.close()
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 1 + N_OLD
    assert max(sizes) <= MAX_BYTES
    nowhere = LogFile(tmp_path / "missing")
    nowhere.close()
    assert nowhere.tail() == []


def test_all_arguments_of_log_messages_are_reviewed() -> None:
    """If this fails, check that the new argument contains no user content, and add it to `ALLOWED`."""
    found: dict[str, str] = {}
    for path in (each for name in ("desktop", "engine", "api") for each in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("log.", "logger.", "logging.log")):
                name = ast.unparse(node.func).rpartition(".")[2]
                if name in ("debug", "info", "warning", "error", "exception", "critical"):
                    assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}"
                    found |= {ast.unparse(each): f"{path}:{node.lineno}" for each in node.args[1:]}
    assert {each: place for each, place in found.items() if each not in ALLOWED} == {}
