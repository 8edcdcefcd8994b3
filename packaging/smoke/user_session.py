"""A simulated user on a virtual screen: starts the program by its menu entry, types, clicks and reads results."""

from __future__ import annotations

import configparser
import json
import shlex
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

from bootstrap.errors import SetupError
from ship.paths import SHIP

from .clean_root import USER_ID, CleanRoot

DISPLAY = ":87"
ENDPOINT_SHORTCUT = "Ctrl+3"
ENDPOINT = "http://127.0.0.1:4645"
OUTPUT_FOLDER = SHIP.parent / "smoke"
ANSWER_S = 180
SEND_S, RETRY_S = 60, 2
Result = TypeVar("Result")


class UserSession:
    """The session of a simulated user. It must run in a network namespace with only the loopback device."""

    def __init__(self, root: CleanRoot) -> None:
        self._root = root
        self._data = root.home / ".local/share/inglenook"
        self.window = ""

    @contextmanager
    def screen(self) -> Iterator[None]:
        """Runs a virtual screen without a window manager."""
        command = ["Xvfb", DISPLAY, "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for("the screen", 20, lambda: _output_or_empty("xdotool", "getdisplaygeometry") or None)
            yield
        finally:
            server.terminate()
            server.wait()

    @contextmanager
    def program(self) -> Iterator[None]:
        """Runs the program with the command in the Exec line of its menu entry."""
        runtime = self._root.path / "run/user" / str(USER_ID)
        runtime.mkdir(parents=True, exist_ok=True)
        runtime.chmod(0o700)
        subprocess.run(["chown", "-R", str(USER_ID), runtime], check=True)
        environment = {"DISPLAY": DISPLAY, "XDG_RUNTIME_DIR": f"/run/user/{USER_ID}"}
        with self._running(*self._exec(), environment=environment):
            names = ("search", "--onlyvisible", "--name", "Inglenook")
            self.window = _wait_for("the window", 60, lambda: _output_or_empty("xdotool", *names).split()[:1])[0]
            _run("xdotool", "windowfocus", "--sync", self.window)
            yield

    @contextmanager
    def server(self, environment: dict[str, str] | None = None) -> Iterator[None]:
        """Runs `inglenook-serve`."""
        with self._running("inglenook-serve", environment=environment):
            yield

    def _exec(self) -> list[str]:
        entry = configparser.ConfigParser(interpolation=None)
        entry.read(self._root.path / "usr/share/applications/inglenook.desktop", encoding="utf-8")
        return shlex.split(entry["Desktop Entry"]["Exec"])

    @contextmanager
    def _running(self, *argv: str, environment: dict[str, str] | None = None) -> Iterator[None]:
        command = self._root.command(*argv, as_user=True, environment=environment)
        with (OUTPUT_FOLDER / "program.log").open("ab") as log:
            # unshare, sh, chroot and env each replace themselves by the next program, so signals reach the last.
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield
            if process.poll() is not None:
                raise SetupError(f"{argv[0]} ended by itself, with {process.returncode}.")
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def send(self, question: str) -> str:
        """Types a message, presses Return, and returns the answer from the program's database."""
        n_before = len(self.messages())
        _run("xdotool", "type", "--delay", "30", question)

        def sent() -> bool:
            # While the program is starting, it ignores Return. So Return is pressed again.
            _run("xdotool", "key", "Return")
            time.sleep(RETRY_S)
            return len(self.messages()) > n_before

        _wait_for("what was typed to be sent", SEND_S, sent)

        def answer() -> str | None:
            new = self.messages()[n_before:]
            return new[-1][1] if [role for role, _ in new] == ["user", "assistant"] and new[-1][1] else None

        text = _wait_for("an answer", ANSWER_S, answer)
        if self.messages()[n_before] != ("user", question):
            raise SetupError(f"The stored message differs from the typed one: {self.messages()[n_before]}")
        return text

    def messages(self) -> list[tuple[str, str]]:
        """Returns role and text of each finished message, oldest first."""
        path = self._data / "chats.sqlite3"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path, timeout=10)) as store:
            # The program may still be creating the tables.
            if not store.execute("SELECT name FROM sqlite_master WHERE name = 'messages'").fetchone():
                return []
            done = "SELECT role, text FROM messages WHERE state != 'streaming' ORDER BY created_s"
            return [(str(role), str(text)) for role, text in store.execute(done)]

    def show_endpoint_page(self) -> None:
        """Opens the page of the endpoint with its keyboard shortcut."""
        _run("xdotool", "key", ENDPOINT_SHORTCUT.lower())
        time.sleep(1)

    def press_switch(self) -> None:
        """Clicks the switch that turns the endpoint on. It is on the page of the endpoint, to the right of the
        title."""
        shape = dict(line.split("=") for line in _run("xdotool", "getwindowgeometry", "--shell", self.window).split())
        _run("xdotool", "mousemove", "--window", self.window, str(int(shape["WIDTH"]) - 56), "40", "click", "1")

    def wait_for_endpoint(self) -> None:
        """Waits until the endpoint listens and its model is loaded."""
        _wait_for("the endpoint", 60, lambda: _output_or_empty("curl", "-sf", f"{ENDPOINT}/health") or None)

    def request_endpoint(self, **more: Any) -> str:
        """Asks the endpoint a question. Returns the answer."""
        body = {"messages": [{"role": "user", "content": "Name a colour."}], "max_tokens": 24, **more}
        response = self._fetch("/v1/chat/completions", "-d", json.dumps(body))
        try:
            return str(response["choices"][0]["message"]["content"])
        except (LookupError, TypeError) as error:
            raise SetupError(f"The endpoint did not answer: {str(response)[:300]}") from error

    def graphics_cards(self) -> list[tuple[str, int]]:
        """Returns the names of the graphics cards that the endpoint lists, with the number of the model's layers on
        each. Raises SetupError if a library for cards failed."""
        found = self._fetch("/props")
        if failed := found["failed_devices"]:
            raise SetupError(f"The library for graphics cards failed: {failed}")
        return [(str(device["name"]), int(device["n_layers"])) for device in found["devices"]]

    def _fetch(self, route: str, *options: str) -> Any:
        """Sends a request to the endpoint with curl and the user's API key. Returns the parsed response."""
        key = (self._data / "endpoint.key").read_text(encoding="utf-8").strip()
        heads = ("-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json")
        response = _run("curl", "-sS", "--max-time", str(ANSWER_S), ENDPOINT + route, *heads, *options)
        try:
            return json.loads(response)
        except ValueError as error:
            raise SetupError(f"The endpoint did not answer: {response[:300]}") from error

    def save_screenshot(self, name: str) -> None:
        """Saves a screenshot in build/smoke, if ImageMagick is installed."""
        _output_or_empty("import", "-window", "root", str(OUTPUT_FOLDER / f"{name}.png"))


def _wait_for(what: str, at_most_s: float, look: Callable[[], Result | None]) -> Result:
    deadline = time.monotonic() + at_most_s
    while True:
        if result := look():
            return result
        if time.monotonic() > deadline:
            raise SetupError(f"Waited {at_most_s:.0f} s for {what}, in vain; see {OUTPUT_FOLDER / 'program.log'}.")
        time.sleep(0.2)


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, env=_environment())
    if done.returncode != 0:
        raise SetupError(f"{argv[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def _output_or_empty(*argv: str) -> str:
    """The output of a program; empty if it fails or does not exist."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, env=_environment())
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DISPLAY": DISPLAY, "HOME": "/root"}
