"""The installer for Windows: the NSIS script, and the arguments of makensis and signtool."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.packaging.checkout import ROOT

Ship = Callable[[str], ModuleType]


@pytest.mark.skipif(shutil.which("makensis") is None, reason="there is no makensis here")
def test_windows_installer_compiles_for_release_and_prerelease_versions(ship: Ship, tmp_path: Path) -> None:
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
def test_windows_version_has_four_numbers(ship: Ship, version: str, numbers: str) -> None:
    assert ship("windows").numbers(version) == numbers


@pytest.mark.skipif(sys.platform == "win32", reason="the fake makensis is a shell script")
def test_installer_script_is_read_as_utf8(ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "makensis"
    tool.write_text('#!/bin/sh\nfor word; do echo "$word"; done > "$0.arguments"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    ship("windows").compile_script(Path("app"), Path("icon"), Path("out"), "0.1.0")

    arguments = tool.with_name("makensis.arguments").read_text().splitlines()
    assert arguments[arguments.index("-INPUTCHARSET") + 1] == "UTF8"
    assert "schließen" in (ROOT / "packaging/windows/inglenook.nsi").read_text(encoding="utf-8")


def test_installers_are_built_without_modules_that_windows_lacks() -> None:
    missing = ("fcntl", "grp", "pwd", "resource", "termios")
    script = f"import sys; sys.modules.update(dict.fromkeys({missing})); from ship.__main__ import _parts; _parts()"
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(ROOT / "packaging")}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()


def test_windows_installer_waits_for_both_programs_to_end() -> None:
    script = (ROOT / "packaging/windows/inglenook.nsi").read_text(encoding="utf-8")

    programs = re.findall(r'!insertmacro RefuseWhileRunning "(.+)"', script)
    assert programs == ["inglenook.exe", "inglenook-serve.exe"]
    sections = re.findall(r"^Section .*?^SectionEnd", script, re.MULTILINE | re.DOTALL)
    for section in sections[:2]:
        assert section.index("!insertmacro RefuseWhileOpen") < section.index("RMDir /r")
        # The folders `_internal` and `licences` are removed with all files in them, since an older version may have
        # installed other files.
        assert {"_internal", "licences"} <= set(re.findall(r'RMDir /r "\$INSTDIR\\(\w+)"', section))


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows signtool may be on PATH")
def test_newest_signtool_of_the_sdk_is_found(ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PROGRAMFILES(X86)", str(tmp_path))
    assert ship("windows")._signtool() is None
    for number in ("10.0.9600.0", "10.0.22621.0"):
        tool = tmp_path / "Windows Kits/10/bin" / number / "x64/signtool.exe"
        tool.parent.mkdir(parents=True)
        tool.touch()
    assert ship("windows")._signtool() == tool


def test_windows_uninstaller_keeps_user_data() -> None:
    script = (ROOT / "packaging/windows/inglenook.nsi").read_text(encoding="utf-8")

    assert "RequestExecutionLevel user" in script
    deleting = script.index(r'RMDir /r "$LOCALAPPDATA\inglenook"')
    # The section that deletes user data is off by default. It asks the user first; a silent uninstall assumes the
    # answer no.
    section = script.rindex("Section ", 0, deleting)
    assert script[section:].startswith("Section /o ")
    assert "/SD IDNO" in script[section:deleting]


def test_nothing_is_signed_without_a_certificate(
    ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SIGN_CERTIFICATE", raising=False)
    ship("windows").sign(tmp_path / "setup.exe")
    assert "not signed" in capsys.readouterr().out
