"""Tests of profiles that are not writable, and of settings files that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from desktop.settings.all_settings import Settings
from desktop.settings.settings_file import SettingsDamaged, SettingsFile, SettingsUnreadable
from desktop.startup.options import Options
from desktop.startup.writable_profile import check_writable, show_restore_failed, writable
from engine.files.profile import Profile

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform logs this warning for dialogs


def click(name: str) -> None:
    """Waits for the next message box and clicks the button with the label `name`."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            seen.append(f"{box.text()} {box.informativeText()}")
            next(button for button in box.buttons() if button.text().replace("&", "") == name).click()
        else:
            QTimer.singleShot(10, press)

    seen.clear()
    QTimer.singleShot(0, press)


seen: list[str] = []


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "profile"


def test_writable_profile_is_used_unchanged(qapp: QApplication, tmp_path: Path) -> None:
    options = Options(Profile(tmp_path / "new"))
    assert writable(options) is options
    assert list((tmp_path / "new").iterdir()) == []


def test_unwritable_profile_shows_message_in_which_the_user_can_quit(qapp: QApplication, blocked: Path) -> None:
    with pytest.raises(OSError, match="Not a directory"):
        check_writable(Profile(blocked))
    click("Quit")
    assert writable(Options(Profile(blocked))) is None
    assert "cannot write" in seen[0]
    assert f"{blocked}: Not a directory." in seen[0]


def test_folder_chosen_by_the_user_replaces_unwritable_profile(
    qapp: QApplication, blocked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [
        "",
        str(blocked),
        str(tmp_path / "other"),
    ]  # the dialog is cancelled, then a folder is not writable, then a folder is writable

    def choose(*_: object) -> str:
        click("Choose another folder…")
        return answers.pop(0)

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", choose)
    click("Choose another folder…")
    options = writable(Options(Profile(blocked), port=4691))
    assert options == Options(Profile(tmp_path / "other"), port=4691)
    assert (tmp_path / "other").is_dir()
    QApplication.processEvents()


def test_failed_restore_of_backup_shows_message_with_reason(qapp: QApplication) -> None:
    click("OK")
    show_restore_failed(OSError(30, "Read-only file system"))
    assert "could not be restored. Read-only file system." in seen[0]


def test_unreadable_settings_file_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"theme": "dark"}))

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse)
        file = SettingsFile(path)
    assert isinstance(file.problem, SettingsUnreadable)
    assert file.problem.reason == "Permission denied"
    assert file.change(theme="light")
    file.save()
    assert json.loads(path.read_text()) == {"theme": "dark"}


def test_folder_in_place_of_settings_file_is_reported_as_unreadable(tmp_path: Path) -> None:
    (tmp_path / "settings.json").mkdir()
    file = SettingsFile(tmp_path / "settings.json")
    assert isinstance(file.problem, SettingsUnreadable)
    file.save()
    assert file.value == Settings()


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_damaged_settings_file_is_kept_under_another_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    file = SettingsFile(path)
    assert isinstance(file.problem, SettingsDamaged)
    assert (tmp_path / file.problem.kept_as).read_bytes() == content
    file.save()
    assert json.loads(path.read_text())["theme"] == "system"
