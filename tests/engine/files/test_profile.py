"""The location of the default profile folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.files.profile import PORTABLE_FOLDER, Profile


def test_profile_folder_next_to_the_program_is_used_only_by_a_packaged_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Profile.default()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "inglenook"))
    (tmp_path / PORTABLE_FOLDER).mkdir()
    assert Profile.default() == usual, "not from a checkout"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert Profile.default() == Profile(tmp_path / PORTABLE_FOLDER)
    (tmp_path / PORTABLE_FOLDER).rmdir()
    assert Profile.default() == usual
