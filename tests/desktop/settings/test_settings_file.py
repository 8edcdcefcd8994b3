"""Tests of reading a settings file that another program has written."""

from __future__ import annotations

from pathlib import Path

from desktop.settings.settings_file import SettingsFile


def test_settings_file_with_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    file = SettingsFile(path)
    file.change(theme="dark", endpoint_port=5000)
    file.save()
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    again = SettingsFile(path)
    assert again.problem is None
    assert (again.value.theme, again.value.endpoint_port) == ("dark", 5000)
    assert [each.name for each in tmp_path.iterdir()] == ["settings.json"]
