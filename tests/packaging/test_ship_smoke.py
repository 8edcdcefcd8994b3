"""The trial of the .deb, as far as it can be held without a clean Debian."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from tests.packaging.checkout import ROOT

Smoke = Callable[[str], ModuleType]


@pytest.fixture
def smoke(monkeypatch: pytest.MonkeyPatch) -> Smoke:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return lambda name: importlib.import_module(f"smoke.{name}")


def test_the_person_has_nothing_of_our_environment(smoke: Smoke) -> None:
    command = smoke("clean_root").CleanRoot().command("inglenook", person=True, environment={"DISPLAY": ":87"})

    inner = command[command.index("-i") :]
    assert command[command.index("-i") - 1] == "env"
    assert {"HOME=/home/ada", "DISPLAY=:87", "LANG=C.UTF-8"} < set(inner)
    assert inner[-1] == "inglenook"
    assert "WHO=1500:1500" in command
    assert command[command.index("unshare") + 1] == "--mount"


def test_what_apt_keeps_for_itself_is_no_trace(smoke: Smoke, tmp_path: Path) -> None:
    root = smoke("clean_root").CleanRoot()
    root.path = tmp_path
    for name in ("usr/bin/inglenook", "var/lib/dpkg/status", "home/ada/.local/share/inglenook/chats.sqlite3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert root.listing() == {"usr/bin/inglenook"}


def test_the_person_starts_what_the_menu_entry_names(smoke: Smoke, tmp_path: Path) -> None:
    root = smoke("clean_root").CleanRoot()
    root.path = tmp_path
    (tmp_path / "usr/share/applications").mkdir(parents=True)
    entry = (ROOT / "packaging/linux/inglenook.desktop").read_text(encoding="utf-8")
    (tmp_path / "usr/share/applications/inglenook.desktop").write_text(entry, encoding="utf-8")

    assert smoke("person").Person(root)._exec() == ["inglenook"]


def test_only_what_is_finished_counts_as_an_answer(smoke: Smoke, tmp_path: Path) -> None:
    root = smoke("clean_root").CleanRoot()
    root.home = tmp_path
    person = smoke("person").Person(root)
    assert person.messages() == []

    data = tmp_path / ".local/share/inglenook"
    data.mkdir(parents=True)
    with closing(sqlite3.connect(data / "chats.sqlite3")) as store:
        store.commit()
        assert person.messages() == []
        store.execute("CREATE TABLE messages (role, text, state, created_s)")
        rows = [("assistant", "Red", "streaming", 2.0), ("user", "Colours?", "complete", 1.0)]
        store.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", rows)
        store.commit()
    assert person.messages() == [("user", "Colours?")]
