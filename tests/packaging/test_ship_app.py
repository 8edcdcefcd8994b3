"""What the installed program needs: it finds the bundled model and a compute backend of llama.cpp, and it reads chat
exports in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop.import_export.reader_process import READ_OPTION, reader_command, run_as_reader
from engine.files.profile import Profile
from engine.library import default_model
from engine.native import llama
from tests.packaging.checkout import ROOT


def test_model_in_the_profile_takes_precedence_over_the_bundled_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(default_model, "INSTALLED", tmp_path / "installed")
    profile = Profile(tmp_path / "profile")
    assert default_model.find_default_model(profile) is None

    for folder in (tmp_path / "installed", profile.models):
        folder.mkdir(parents=True)
        (folder / default_model.FILE_NAME).touch()
        assert default_model.find_default_model(profile) == folder / default_model.FILE_NAME


def test_freeze_puts_the_bundled_model_into_the_folder_where_the_app_searches_for_it() -> None:
    assert default_model.INSTALLED == ROOT / "resources" / "models"
    recipe = (ROOT / "packaging/ship/freeze.py").read_text(encoding="utf-8")
    assert 'staged / "resources" / "models" / model.name' in recipe


def test_llama_cpp_finds_a_compute_backend() -> None:
    llama.start()
    assert llama.C._lib.ggml_backend_reg_count() > 0


def test_frozen_program_reads_chat_exports_in_a_second_process_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = tmp_path / "chats.json"
    export.write_text("{}")
    assert reader_command(export) == [sys.executable, "-m", "desktop.import_export.reader_process", str(export)]
    assert run_as_reader([READ_OPTION, str(export)]) is None

    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert run_as_reader(["--model", "some.gguf"]) is None
    command = reader_command(export)
    assert command == [sys.executable, READ_OPTION, str(export)]
    script = (
        "import sys; from desktop.import_export.reader_process import run_as_reader; "
        f"sys.frozen = True; sys.exit(run_as_reader({command[1:]}))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert "UnknownFormat" in done.stdout
