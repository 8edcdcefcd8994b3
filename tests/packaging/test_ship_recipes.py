"""The recipes that other programs read: menu entry, metadata, man pages, plists, the script of NSIS, workflows."""

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


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"there is no {program} here")


def filled(ship: Ship, name: str) -> str:
    text: str = ship("share").fill_in((LINUX / f"{name}.in").read_text(encoding="utf-8"))
    assert not re.search(r"@[A-Z_]+@", text)
    return text


def test_the_menu_entry_starts_the_program(ship: Ship) -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(LINUX / ship("share").DESKTOP_ID, encoding="utf-8")

    assert entry["Desktop Entry"]["Exec"] == "inglenook"
    # As the window names itself, so that the desktop knows that both belong together.
    assert 'setDesktopFileName("inglenook")' in (ROOT / "desktop/launch.py").read_text(encoding="utf-8")


@needs("desktop-file-validate")
def test_the_menu_entry_is_as_desktops_want_it() -> None:
    done = subprocess.run(["desktop-file-validate", LINUX / "inglenook.desktop"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_metadata_names_the_version_and_the_menu_entry(ship: Ship) -> None:
    component = ElementTree.fromstring(filled(ship, f"{ship('share').APP_ID}.metainfo.xml"))

    assert component.findtext("id") == ship("share").APP_ID
    assert component.findtext("launchable") == ship("share").DESKTOP_ID
    release = component.find("releases/release")
    assert release is not None
    assert release.attrib["version"] == ship("places").version()


@needs("appstreamcli")
def test_the_metadata_is_as_appstream_wants_it(ship: Ship, tmp_path: Path) -> None:
    path = tmp_path / f"{ship('share').APP_ID}.metainfo.xml"
    path.write_text(filled(ship, path.name), encoding="utf-8")
    done = subprocess.run(["appstreamcli", "validate", "--no-net", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("name", "module"), [("inglenook", "desktop"), ("inglenook-serve", "api")])
def test_a_man_page_names_every_option(ship: Ship, name: str, module: str) -> None:
    page = filled(ship, f"{name}.1").replace("\\-", "-")
    shown = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    options = set(re.findall(r"--[a-z-]+", shown.stdout))
    assert options <= set(re.findall(r"--[a-z-]+", page))
    described = re.search(r"\n\n(\S.*?)\n\n", shown.stdout, re.DOTALL)
    assert described is not None
    if name == "inglenook-serve":  # the dialects that it speaks, in both
        for dialect in ("OpenAI", "Anthropic", "Ollama", "llama.cpp"):
            assert dialect in described[1]
            assert dialect in page
    assert set(re.findall(r"--[a-z-]+", page)) <= options


@needs("man")
@pytest.mark.parametrize("name", ["inglenook", "inglenook-serve"])
def test_a_man_page_can_be_shown(ship: Ship, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.1"
    path.write_text(filled(ship, path.name), encoding="utf-8")
    command = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"MANWIDTH": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "OPTIONS" in re.sub(".\b", "", done.stdout)  # bold letters are struck twice


def test_the_mac_knows_the_app_by_its_name(ship: Ship) -> None:
    text = (ROOT / "packaging/macos/Info.plist.in").read_text(encoding="utf-8")
    information = plistlib.loads(ship("share").fill_in(text).encode())

    assert information["CFBundleIdentifier"] == ship("share").APP_ID
    assert information["CFBundleShortVersionString"] == ship("places").version()
    assert information["CFBundleExecutable"] == "inglenook"
    # What is compiled runs there too, whatever the Mac that compiles it has.
    oldest = ship("llama").definitions("darwin", "arm64")["CMAKE_OSX_DEPLOYMENT_TARGET"]
    assert information["LSMinimumSystemVersion"] == oldest


def test_the_mac_lets_the_app_do_no_more_than_it_must(ship: Ship) -> None:
    granted = plistlib.loads(ship("macos").ENTITLEMENTS.read_bytes())
    assert granted == {
        "com.apple.security.cs.allow-unsigned-executable-memory": True,
        "com.apple.security.cs.disable-library-validation": True,
    }


def test_the_mac_signs_with_the_hardened_runtime(ship: Ship) -> None:
    signed, verified = ship("macos").sign_commands(Path("Inglenook.app"), "Developer ID Application: Ada (X1)")

    assert signed[signed.index("--options") + 1] == "runtime"
    assert "--timestamp" in signed
    assert signed[signed.index("--sign") + 1].startswith("Developer ID")
    assert "--verify" in verified
    ad_hoc, _ = ship("macos").sign_commands(Path("Inglenook.app"), "")
    assert ad_hoc[ad_hoc.index("--sign") + 1] == "-"


def test_the_mac_notarises_only_where_apple_is_told_who_asks(ship: Ship) -> None:
    who = {"NOTARY_APPLE_ID": "ada@example.org", "NOTARY_TEAM": "X1", "NOTARY_PASSWORD": "secret"}
    submit, staple = ship("macos").notary_commands(Path("a.dmg"), who)

    assert submit[:5] == ["xcrun", "notarytool", "submit", "a.dmg", "--wait"]
    assert staple == ["xcrun", "stapler", "staple", "a.dmg"]
    assert ship("macos").notary_commands(Path("a.dmg"), who | {"NOTARY_TEAM": ""}) == []


@needs("makensis")
def test_the_installer_for_windows_compiles(ship: Ship, tmp_path: Path) -> None:
    app = tmp_path / "inglenook"
    for name in ("inglenook.exe", "inglenook-serve.exe", "_internal/PySide6/Qt6Core.dll", "licences/README.md"):
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_bytes(b"MZ" + name.encode())
    icon, out = tmp_path / "inglenook.ico", tmp_path / "inglenook-setup.exe"
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
        "0000000049454e44ae426082"
    )
    icon.write_bytes(ship("icons").ico({16: pixel}))

    for version in ("0.1.0", "0.2.0rc1"):
        ship("windows").compile_script(app, icon, out, version)

        assert out.read_bytes()[:2] == b"MZ"
        assert out.stat().st_size > 30_000
        out.unlink()


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("0.1.0", "0.1.0.0"), ("1.2", "1.2.0.0"), ("0.2.0rc1", "0.2.0.0"), ("1.2.3.4.5", "1.2.3.4")],
)
def test_windows_has_four_numbers_of_a_version(ship: Ship, version: str, numbers: str) -> None:
    assert ship("windows").numbers(version) == numbers


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script of the shell")
def test_the_german_of_the_installer_is_read_as_it_is_written(
    ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "makensis"
    tool.write_text('#!/bin/sh\nfor word; do echo "$word"; done > "$0.told"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    ship("windows").compile_script(Path("app"), Path("icon"), Path("out"), "0.1.0")

    told = tool.with_name("makensis.told").read_text().splitlines()
    assert told[told.index("-INPUTCHARSET") + 1] == "UTF8"
    assert "schließen" in (ROOT / "packaging/windows/inglenook.nsi").read_text(encoding="utf-8")


def test_the_installer_for_windows_waits_for_both_programs_to_end() -> None:
    script = (ROOT / "packaging/windows/inglenook.nsi").read_text(encoding="utf-8")

    asked = re.findall(r'!insertmacro RefuseWhileRunning "(.+)"', script)
    assert asked == ["inglenook.exe", "inglenook-serve.exe"]
    sections = re.findall(r"^Section .*?^SectionEnd", script, re.MULTILINE | re.DOTALL)
    for section in sections[:2]:
        assert section.index("!insertmacro RefuseWhileOpen") < section.index("RMDir /r")
        # What lies in folders of ours goes with them: an older version may have had more.
        assert {"_internal", "licences"} <= set(re.findall(r'RMDir /r "\$INSTDIR\\(\w+)"', section))


@pytest.mark.skipif(sys.platform == "win32", reason="there it may lie on the path")
def test_the_newest_signtool_of_the_sdk_is_found(ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PROGRAMFILES(X86)", str(tmp_path))
    assert ship("windows")._signtool() is None
    for number in ("10.0.9600.0", "10.0.22621.0"):
        tool = tmp_path / "Windows Kits/10/bin" / number / "x64/signtool.exe"
        tool.parent.mkdir(parents=True)
        tool.touch()
    assert ship("windows")._signtool() == tool


def test_the_installer_for_windows_keeps_what_is_a_persons() -> None:
    script = (ROOT / "packaging/windows/inglenook.nsi").read_text(encoding="utf-8")

    assert "RequestExecutionLevel user" in script
    deleting = script.index(r'RMDir /r "$LOCALAPPDATA\inglenook"')
    # In a section that is off unless it is chosen, after a question whose silent answer is no.
    section = script.rindex("Section ", 0, deleting)
    assert script[section:].startswith("Section /o ")
    assert "/SD IDNO" in script[section:deleting]


def test_nothing_is_signed_where_there_is_no_certificate(
    ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SIGN_CERTIFICATE", raising=False)
    ship("windows").sign(tmp_path / "setup.exe")
    assert "not signed" in capsys.readouterr().out


def test_the_workflows_test_and_build_on_three_systems() -> None:
    read = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/workflows").glob("*.yml")}

    assert set(read["test"]["jobs"]) == {"linux", "others"}
    jobs = read["release"]["jobs"]
    assert {"version", "linux", "smoke", "windows", "macos", "publish"} <= set(jobs)
    assert all("version" in jobs[name]["needs"] for name in ("linux", "windows", "macos"))
    assert set(jobs["publish"]["needs"]) == {"linux", "smoke", "windows", "macos"}
    # Only what publishes may write.
    assert [name for name, job in jobs.items() if "write" in str(job.get("permissions"))] == ["publish"]


def test_what_the_workflows_run_is_there() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").glob("*.yml"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    targets = set(re.findall(r"\bmake (?!g\+\+)(\w+)", text))
    assert targets == {"check", "package", "smoke", "test"}
    assert targets <= set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    locks = re.findall(r"packaging/lock/\w+\.txt", text)
    # The tests of the other systems need the model too, which `make test` fetches on Linux.
    assert "packaging/lock/model.txt" in locks
    modules = re.findall(r"-m ship\.(\w+)", text)
    places = [ROOT / lock for lock in locks] + [ROOT / f"packaging/ship/{module}.py" for module in modules]
    assert modules
    assert all(place.is_file() for place in places)


def test_the_flatpak_starts_the_program(ship: Ship) -> None:
    manifest = yaml.safe_load((LINUX / f"flatpak/{ship('share').APP_ID}.yml").read_text())

    assert manifest["id"] == ship("share").APP_ID
    assert manifest["command"] == "inglenook"
    assert manifest["rename-desktop-file"] == ship("share").DESKTOP_ID


def test_the_flatpak_may_do_no_more_than_it_must(ship: Ship) -> None:
    """A screen; the network for the endpoint and downloads; model files, which are used where they lie and only read.
    It computes on the processor and draws without OpenGL, so it needs no device."""
    manifest = yaml.safe_load((LINUX / f"flatpak/{ship('share').APP_ID}.yml").read_text(encoding="utf-8"))
    screen = {"--socket=wayland", "--socket=fallback-x11", "--share=ipc"}
    assert set(manifest["finish-args"]) == screen | {"--share=network", "--filesystem=home:ro"}
