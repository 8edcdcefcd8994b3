"""Packaging files that other programs read: menu entry, AppStream metadata, man pages, plists and workflows."""

from __future__ import annotations

import configparser
import os
import plistlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from tests.packaging.checkout import ROOT

yaml = pytest.importorskip("yaml")
Ship = Callable[[str], ModuleType]
LINUX = ROOT / "packaging/linux"


def requires(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"there is no {program} here")


def filled_template(ship: Ship, name: str) -> str:
    text: str = ship("linux_files").fill_in((LINUX / f"{name}.in").read_text(encoding="utf-8"))
    assert not re.search(r"@[A-Z_]+@", text)
    return text


def test_menu_entry_starts_the_program(ship: Ship) -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(LINUX / ship("linux_files").DESKTOP_ID, encoding="utf-8")

    assert entry["Desktop Entry"]["Exec"] == "inglenook"
    # The window announces the name of its menu entry, so that the desktop can match the two.
    assert 'setDesktopFileName("inglenook")' in (ROOT / "desktop/launch.py").read_text(encoding="utf-8")


@requires("desktop-file-validate")
def test_menu_entry_is_valid() -> None:
    done = subprocess.run(["desktop-file-validate", LINUX / "inglenook.desktop"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_appstream_metadata_has_the_version_and_the_menu_entry(ship: Ship) -> None:
    component = ElementTree.fromstring(filled_template(ship, f"{ship('linux_files').APP_ID}.metainfo.xml"))

    assert component.findtext("id") == ship("linux_files").APP_ID
    assert component.findtext("launchable") == ship("linux_files").DESKTOP_ID
    release = component.find("releases/release")
    assert release is not None
    assert release.attrib["version"] == ship("paths").version()


@requires("appstreamcli")
def test_appstream_metadata_is_valid(ship: Ship, tmp_path: Path) -> None:
    path = tmp_path / f"{ship('linux_files').APP_ID}.metainfo.xml"
    path.write_text(filled_template(ship, path.name), encoding="utf-8")
    done = subprocess.run(["appstreamcli", "validate", "--no-net", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("name", "module"), [("inglenook", "desktop"), ("inglenook-serve", "api")])
def test_man_page_lists_every_option(ship: Ship, name: str, module: str) -> None:
    page = filled_template(ship, f"{name}.1").replace("\\-", "-")
    help_output = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    options = set(re.findall(r"--[a-z-]+", help_output.stdout))
    assert options <= set(re.findall(r"--[a-z-]+", page))
    description = re.search(r"\n\n(\S.*?)\n\n", help_output.stdout, re.DOTALL)
    assert description is not None
    if name == "inglenook-serve":  # the help text and the man page list all API dialects
        for dialect in ("OpenAI", "Anthropic", "Ollama", "llama.cpp"):
            assert dialect in description[1]
            assert dialect in page
    assert set(re.findall(r"--[a-z-]+", page)) <= options


@requires("man")
@pytest.mark.parametrize("name", ["inglenook", "inglenook-serve"])
def test_man_page_renders_without_warnings(ship: Ship, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.1"
    path.write_text(filled_template(ship, path.name), encoding="utf-8")
    command = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"MANWIDTH": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    # man prints a bold letter as the letter, a backspace and the letter again
    assert "OPTIONS" in re.sub(".\b", "", done.stdout)


def test_info_plist_has_name_version_and_oldest_macos(ship: Ship) -> None:
    text = (ROOT / "packaging/macos/Info.plist.in").read_text(encoding="utf-8")
    plist = plistlib.loads(ship("linux_files").fill_in(text).encode())

    assert plist["CFBundleIdentifier"] == ship("linux_files").APP_ID
    assert plist["CFBundleShortVersionString"] == ship("paths").version()
    assert plist["CFBundleExecutable"] == "inglenook"
    # llama.cpp is compiled for the same oldest macOS. The build machine may have a newer version.
    oldest = ship("llama_build").definitions("darwin", "arm64")["CMAKE_OSX_DEPLOYMENT_TARGET"]
    assert plist["LSMinimumSystemVersion"] == oldest


def test_macos_entitlements_are_minimal(ship: Ship) -> None:
    entitlements = plistlib.loads(ship("macos").ENTITLEMENTS.read_bytes())
    assert entitlements == {
        "com.apple.security.cs.allow-unsigned-executable-memory": True,
        "com.apple.security.cs.disable-library-validation": True,
    }


def test_macos_signing_uses_the_hardened_runtime(ship: Ship) -> None:
    signed, verified = ship("macos").sign_commands(Path("Inglenook.app"), "Developer ID Application: Ada (X1)")

    assert signed[signed.index("--options") + 1] == "runtime"
    assert "--timestamp" in signed
    assert signed[signed.index("--sign") + 1].startswith("Developer ID")
    assert "--verify" in verified
    ad_hoc, _ = ship("macos").sign_commands(Path("Inglenook.app"), "")
    assert ad_hoc[ad_hoc.index("--sign") + 1] == "-"


def test_app_is_not_notarised_without_credentials(ship: Ship) -> None:
    credentials = {"NOTARY_APPLE_ID": "ada@example.org", "NOTARY_TEAM": "X1", "NOTARY_PASSWORD": "secret"}
    submit, staple = ship("macos").notary_commands(Path("a.dmg"), credentials)

    assert submit[:5] == ["xcrun", "notarytool", "submit", "a.dmg", "--wait"]
    assert staple == ["xcrun", "stapler", "staple", "a.dmg"]
    assert ship("macos").notary_commands(Path("a.dmg"), credentials | {"NOTARY_TEAM": ""}) == []


def test_release_workflow_builds_for_three_systems_before_it_publishes() -> None:
    workflows = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/workflows").glob("*.yml")}

    assert set(workflows["test"]["jobs"]) == {"linux", "others"}
    jobs = workflows["release"]["jobs"]
    assert {"version", "linux", "smoke", "windows", "macos", "publish"} <= set(jobs)
    assert all("version" in jobs[name]["needs"] for name in ("linux", "windows", "macos"))
    assert set(jobs["publish"]["needs"]) == {"linux", "smoke", "windows", "macos"}
    # Only the job that publishes has write permission.
    assert [name for name, job in jobs.items() if "write" in str(job.get("permissions"))] == ["publish"]


def test_commands_in_workflows_exist() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").glob("*.yml"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    targets = set(re.findall(r"\bmake (?!g\+\+)(\w+)", text))
    assert targets == {"check", "package", "smoke", "test"}
    assert targets <= set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    locks = re.findall(r"packaging/lock/\w+\.txt", text)
    # On Windows and macOS the workflow installs the test model from its lock file; on Linux `make test` installs it.
    assert "packaging/lock/model.txt" in locks
    modules = re.findall(r"-m ship\.(\w+)", text)
    places = [ROOT / lock for lock in locks] + [ROOT / f"packaging/ship/{module}.py" for module in modules]
    assert modules
    assert all(place.is_file() for place in places)


def test_flatpak_manifest_starts_the_program(ship: Ship) -> None:
    manifest = yaml.safe_load((LINUX / f"flatpak/{ship('linux_files').APP_ID}.yml").read_text())

    assert manifest["id"] == ship("linux_files").APP_ID
    assert manifest["command"] == "inglenook"
    assert manifest["rename-desktop-file"] == ship("linux_files").DESKTOP_ID


def test_flatpak_permissions_are_minimal(ship: Ship) -> None:
    """The Flatpak may use the screen, graphics cards, and the network for the endpoint and downloads. It may read files
    in the home folder, since model files are not copied."""
    manifest = yaml.safe_load((LINUX / f"flatpak/{ship('linux_files').APP_ID}.yml").read_text(encoding="utf-8"))
    screen = {"--socket=wayland", "--socket=fallback-x11", "--share=ipc"}
    assert set(manifest["finish-args"]) == screen | {"--device=dri", "--share=network", "--filesystem=home:ro"}
