"""The error messages for rare failures of set-up. Each one says what to do."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Part = Callable[[str], ModuleType]


def failing(part: Part, output: str) -> Callable[..., None]:
    def run(argv: object, task: str, **options: object) -> None:
        raise part("errors").ChildFailed(f"Set-up stopped while {task}.", 1, output)

    return run


@pytest.mark.parametrize("output", ["Error: No module named venv", "ensurepip is not available"])
def test_python_without_venv_module_is_reported(part: Part, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    environment = part("environment")
    monkeypatch.setattr(environment, "run", failing(part, output))
    with pytest.raises(
        part("errors").SetupError, match=r"cannot create environments .*: install python3\.\d+-venv, or"
    ):
        environment.ensure_venv(trusted=False)


def test_unknown_failure_to_create_the_venv_is_raised_unchanged(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = part("environment")
    monkeypatch.setattr(environment, "run", failing(part, "Permission denied"))
    with pytest.raises(part("errors").ChildFailed, match="while creating the environment"):
        environment.ensure_venv(trusted=False)


def test_lock_file_that_lacks_a_package_is_reported(part: Part, tmp_path: Path) -> None:
    environment, error = part("environment"), part("errors").SetupError
    lock = tmp_path / "uv.txt"
    lock.write_text("pip==1.0\n")
    with pytest.raises(error, match=r"uv\.txt does not name uv: restore the file from git"):
        environment.locked_version(lock, "uv")
    with pytest.raises(error, match="The lock does not name llama-cpp-python: restore the file from git"):
        environment.split_lock(lock.read_text())


def test_failed_installation_of_system_packages_is_reported_with_the_apt_command(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = part("system_packages")
    monkeypatch.setattr(packages, "run", failing(part, "E: Unable to locate package"))
    with pytest.raises(
        part("errors").SetupError, match=r"could not be installed .*: run `sudo apt-get install .*libnone1`"
    ):
        packages._install([], ["libnone1"], [])


def test_failed_font_installation_does_not_stop_set_up(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = part("system_packages")
    monkeypatch.setattr(packages, "run", failing(part, "E: Unable to locate package"))
    packages._install([], [], ["fonts-none"])


def test_failure_to_find_out_the_model_path_is_reported_with_the_error_output(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = part("model")
    broken = subprocess.CompletedProcess([], 1, "", "Traceback\nModuleNotFoundError: No module named 'platformdirs'\n")
    monkeypatch.setattr(model.subprocess, "run", lambda *args, **options: broken)
    with pytest.raises(part("errors").SetupError, match="where the default model belongs: ModuleNotFoundError: No mod"):
        model.ensure()
