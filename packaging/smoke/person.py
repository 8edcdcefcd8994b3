"""A person before a screen: starts the program from the menu, types, points, and looks at what comes."""

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
from ship.places import SHIP

from .clean_root import NUMBER, CleanRoot

DISPLAY = ":87"
ENDPOINT = "http://127.0.0.1:4645"
PICTURES = SHIP.parent / "smoke"
ANSWER_S = 180
SEND_S, RETURN_S = 60, 2
Seen = TypeVar("Seen")


class Person:
    """Sits in a network of their own, in which there is nothing but this computer."""

    def __init__(self, root: CleanRoot) -> None:
        self._root = root
        self._data = root.home / ".local/share/inglenook"
        self.window = ""

    @contextmanager
    def screen(self) -> Iterator[None]:
        """A screen without a window manager."""
        command = ["Xvfb", DISPLAY, "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait("the screen", 20, lambda: _quiet("xdotool", "getdisplaygeometry") or None)
            yield
        finally:
            server.terminate()
            server.wait()

    @contextmanager
    def program(self) -> Iterator[None]:
        """The program, by the Exec line of its menu entry, until it is asked to end."""
        runtime = self._root.path / "run/user" / str(NUMBER)
        runtime.mkdir(parents=True, exist_ok=True)
        runtime.chmod(0o700)
        subprocess.run(["chown", "-R", str(NUMBER), runtime], check=True)
        told = {"DISPLAY": DISPLAY, "XDG_RUNTIME_DIR": f"/run/user/{NUMBER}"}
        with self._running(*self._exec(), environment=told):
            names = ("search", "--onlyvisible", "--name", "Inglenook")
            self.window = _wait("the window", 60, lambda: _quiet("xdotool", *names).split()[:1])[0]
            _do("xdotool", "windowfocus", "--sync", self.window)
            yield

    @contextmanager
    def server(self) -> Iterator[None]:
        """`inglenook-serve`, until it is asked to end."""
        with self._running("inglenook-serve"):
            yield

    def _exec(self) -> list[str]:
        entry = configparser.ConfigParser(interpolation=None)
        entry.read(self._root.path / "usr/share/applications/inglenook.desktop", encoding="utf-8")
        return shlex.split(entry["Desktop Entry"]["Exec"])

    @contextmanager
    def _running(self, *argv: str, environment: dict[str, str] | None = None) -> Iterator[None]:
        command = self._root.command(*argv, person=True, environment=environment)
        with (PICTURES / "program.log").open("ab") as log:
            # unshare, sh, chroot and env all become the program in turn, so that signals reach it.
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

    def ask(self, question: str) -> str:
        """Types a question, presses Return and reads the answer, in the program's own store."""
        n_before = len(self.messages())
        _do("xdotool", "type", "--delay", "30", question)

        def sent() -> bool:
            # The program may still be opening behind its window, and then does nothing on Return: press it again.
            _do("xdotool", "key", "Return")
            time.sleep(RETURN_S)
            return len(self.messages()) > n_before

        _wait("what was typed to be sent", SEND_S, sent)

        def answer() -> str | None:
            new = self.messages()[n_before:]
            return new[-1][1] if [role for role, _ in new] == ["user", "assistant"] and new[-1][1] else None

        text = _wait("an answer", ANSWER_S, answer)
        if self.messages()[n_before] != ("user", question):
            raise SetupError(f"What was typed is not what was kept: {self.messages()[n_before]}")
        return text

    def messages(self) -> list[tuple[str, str]]:
        """Role and text of what is finished, oldest first."""
        path = self._data / "chats.sqlite3"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path, timeout=10)) as store:
            # The program lays out the file at its first start, while somebody may already type.
            if not store.execute("SELECT name FROM sqlite_master WHERE name = 'messages'").fetchone():
                return []
            done = "SELECT role, text FROM messages WHERE state != 'streaming' ORDER BY created_s"
            return [(str(role), str(text)) for role, text in store.execute(done)]

    def show_endpoint_page(self) -> None:
        """By its keys."""
        _do("xdotool", "key", "ctrl+2")
        time.sleep(1)

    def press_switch(self) -> None:
        """On the page of the endpoint, with the mouse: the switch is at the right end of the page's title."""
        shape = dict(line.split("=") for line in _do("xdotool", "getwindowgeometry", "--shell", self.window).split())
        _do("xdotool", "mousemove", "--window", self.window, str(int(shape["WIDTH"]) - 56), "40", "click", "1")

    def wait_for_endpoint(self) -> None:
        """Until it listens and its model is loaded."""
        _wait("the endpoint", 60, lambda: _quiet("curl", "-sf", f"{ENDPOINT}/health") or None)

    def ask_endpoint(self, **more: Any) -> str:
        """As a tool does, with curl and the person's key."""
        key = (self._data / "endpoint.key").read_text(encoding="utf-8").strip()
        body = {"messages": [{"role": "user", "content": "Name a colour."}], "max_tokens": 24, **more}
        heads = ("-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json")
        said = _do(
            "curl",
            "-sS",
            "--max-time",
            str(ANSWER_S),
            f"{ENDPOINT}/v1/chat/completions",
            *heads,
            "-d",
            json.dumps(body),
        )
        try:
            return str(json.loads(said)["choices"][0]["message"]["content"])
        except (ValueError, KeyError) as error:
            raise SetupError(f"The endpoint did not answer: {said[:300]}") from error

    def picture(self, name: str) -> None:
        """Of the screen, into build/smoke, where ImageMagick is there."""
        _quiet("import", "-window", "root", str(PICTURES / f"{name}.png"))


def _wait(what: str, at_most_s: float, look: Callable[[], Seen | None]) -> Seen:
    deadline = time.monotonic() + at_most_s
    while True:
        if seen := look():
            return seen
        if time.monotonic() > deadline:
            raise SetupError(f"Waited {at_most_s:.0f} s for {what}, in vain; see {PICTURES / 'program.log'}.")
        time.sleep(0.2)


def _do(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, env=_environment())
    if done.returncode != 0:
        raise SetupError(f"{argv[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def _quiet(*argv: str) -> str:
    """What a program says, or nothing where it fails or is not there."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, env=_environment())
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DISPLAY": DISPLAY, "HOME": "/root"}
