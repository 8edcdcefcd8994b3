"""Where a person's data lies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.files.profile import PORTABLE_FOLDER, Profile


def test_a_profile_beside_an_installed_program_goes_where_it_goes(
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
