"""Parts of the smoke test of the .deb. Here they run without a clean Debian."""

from __future__ import annotations

import importlib
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from desktop.endpoint.registration import ENDPOINT_PAGE
from tests.packaging.checkout import ROOT

Smoke = Callable[[str], ModuleType]


@pytest.fixture
def smoke(monkeypatch: pytest.MonkeyPatch) -> Smoke:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return lambda name: importlib.import_module(f"smoke.{name}")


def test_commands_in_the_clean_debian_get_only_the_given_environment_variables(smoke: Smoke) -> None:
    command = smoke("clean_root").CleanRoot().command("inglenook", as_user=True, environment={"DISPLAY": ":87"})

    inner = command[command.index("-i") :]
    assert command[command.index("-i") - 1] == "env"
    assert {"HOME=/home/ada", "DISPLAY=:87", "LANG=C.UTF-8"} < set(inner)
    assert inner[-1] == "inglenook"
    assert "WHO=1500:1500" in command
    assert command[command.index("unshare") + 1] == "--mount"


def test_file_listing_of_the_clean_debian_omits_user_data_and_files_of_dpkg(smoke: Smoke, tmp_path: Path) -> None:
    root = smoke("clean_root").CleanRoot()
    root.path = tmp_path
    for name in ("usr/bin/inglenook", "var/lib/dpkg/status", "home/ada/.local/share/inglenook/chats.sqlite3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert root.listing() == {"usr/bin/inglenook"}


def test_user_session_runs_the_command_in_the_menu_entry(smoke: Smoke, tmp_path: Path) -> None:
    root = smoke("clean_root").CleanRoot()
    root.path = tmp_path
    (tmp_path / "usr/share/applications").mkdir(parents=True)
    entry = (ROOT / "packaging/linux/inglenook.desktop").read_text(encoding="utf-8")
    (tmp_path / "usr/share/applications/inglenook.desktop").write_text(entry, encoding="utf-8")

    assert smoke("user_session").UserSession(root)._exec() == ["inglenook"]


def test_user_session_returns_only_finished_messages(smoke: Smoke, tmp_path: Path) -> None:
    root = smoke("clean_root").CleanRoot()
    root.home = tmp_path
    session = smoke("user_session").UserSession(root)
    assert session.messages() == []

    data = tmp_path / ".local/share/inglenook"
    data.mkdir(parents=True)
    with closing(sqlite3.connect(data / "chats.sqlite3")) as store:
        store.commit()
        assert session.messages() == []
        store.execute("CREATE TABLE messages (role, text, state, created_s)")
        rows = [("assistant", "Red", "streaming", 2.0), ("user", "Colours?", "complete", 1.0)]
        store.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", rows)
        store.commit()
    assert session.messages() == [("user", "Colours?")]


def test_page_of_the_endpoint_is_opened_by_its_shortcut(smoke: Smoke) -> None:
    assert ENDPOINT_PAGE.shortcut == smoke("user_session").ENDPOINT_SHORTCUT


def test_recommended_packages_can_be_left_out(smoke: Smoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, commands = smoke("clean_root").CleanRoot(), list[tuple[str, ...]]()
    root.path, deb = tmp_path / "root", tmp_path / "inglenook_1.0_amd64.deb"
    root.path.mkdir()
    deb.touch()
    monkeypatch.setattr(root, "run", lambda *argv: commands.append(argv))
    root.install(deb, without=("libvulkan1", "mesa-vulkan-drivers"))
    # For apt a name with a minus is a package to leave out, even if another recommends it.
    assert commands[0][-3:] == ("/tmp/inglenook_1.0_amd64.deb", "libvulkan1-", "mesa-vulkan-drivers-")


def test_clean_debian_with_a_vulkan_loader_is_refused(smoke: Smoke, tmp_path: Path) -> None:
    smoke("__main__")._expect_no_vulkan_loader(tmp_path)
    (tmp_path / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    (tmp_path / "usr/lib/x86_64-linux-gnu/libvulkan.so.1").touch()
    with pytest.raises(importlib.import_module("bootstrap.errors").SetupError, match="has a Vulkan loader"):
        smoke("__main__")._expect_no_vulkan_loader(tmp_path)


def test_graphics_cards_of_the_program_are_read_and_a_failed_library_is_refused(
    smoke: Smoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, props = smoke("clean_root").CleanRoot(), {"devices": [{"name": "llvmpipe", "n_layers": 31}]}
    root.home = tmp_path
    key = tmp_path / ".local/share/inglenook/endpoint.key"
    key.parent.mkdir(parents=True)
    key.write_text("secret")
    session = smoke("user_session").UserSession(root)
    monkeypatch.setattr(smoke("user_session"), "_run", lambda *argv: json.dumps(props | {"failed_devices": failed}))
    failed: list[dict[str, str]] = []
    assert session.graphics_cards() == [("llvmpipe", 31)]
    failed = [{"kind": "vulkan", "error": "no such function"}]
    with pytest.raises(importlib.import_module("bootstrap.errors").SetupError, match="no such function"):
        session.graphics_cards()


def test_missing_deb_is_reported_with_the_command_that_builds_it(
    smoke: Smoke, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke("__main__").main(["missing.deb"]) == 1
    assert "missing.deb: `make package` makes" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="there is no dpkg-deb here")
def test_package_to_upgrade_from_has_the_same_files_and_a_lower_version(smoke: Smoke, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "usr/lib/inglenook").mkdir(parents=True)
    program = tree / "usr/lib/inglenook/inglenook"
    program.write_text("program")
    program.chmod(0o755)
    (tree / "DEBIAN").mkdir()
    fields = ("Package: inglenook", "Version: 1.2.3", "Architecture: all", "Maintainer: Ada <ada@example.org>")
    (tree / "DEBIAN/control").write_text("\n".join((*fields, "Description: a program", "")))
    deb = tmp_path / "inglenook_1.2.3_all.deb"
    subprocess.run(["dpkg-deb", "--build", tree, deb], check=True, capture_output=True)

    older = smoke("older_package").make_older(deb, tmp_path / "smoke")

    assert older.name == "inglenook_1.2.3~older_all.deb"
    versions = [
        subprocess.check_output(["dpkg-deb", "-f", each, "Version"], text=True).strip() for each in (older, deb)
    ]
    assert versions == ["1.2.3~older", "1.2.3"]
    subprocess.run(["dpkg", "--compare-versions", versions[0], "lt", versions[1]], check=True)
    subprocess.run(["dpkg-deb", "--extract", older, tmp_path / "out"], check=True)
    kept = tmp_path / "out/usr/lib/inglenook/inglenook"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("program", 0o755)
