"""What set-up says where it fails in ways that a whole run seldom meets: one sentence, with what to do."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Part = Callable[[str], ModuleType]


def failing(part: Part, output: str) -> Callable[..., None]:
    def run(argv: object, task: str, **how: object) -> None:
        raise part("errors").ChildFailed(f"Set-up stopped while {task}.", 1, output)

    return run


@pytest.mark.parametrize("output", ["Error: No module named venv", "ensurepip is not available"])
def test_a_python_that_makes_no_environments(part: Part, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    environment = part("environment")
    monkeypatch.setattr(environment, "run", failing(part, output))
    with pytest.raises(part("errors").SetupError, match=r"cannot make environments .*: install python3\.\d+-venv, or"):
        environment.ensure_venv(trusted=False)


def test_an_environment_that_fails_otherwise_says_so_itself(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = part("environment")
    monkeypatch.setattr(environment, "run", failing(part, "Permission denied"))
    with pytest.raises(part("errors").ChildFailed, match="while making the environment"):
        environment.ensure_venv(trusted=False)


def test_a_lock_that_does_not_name_a_package(part: Part, tmp_path: Path) -> None:
    environment, error = part("environment"), part("errors").SetupError
    lock = tmp_path / "uv.txt"
    lock.write_text("pip==1.0\n")
    with pytest.raises(error, match=r"uv\.txt does not name uv: take the file anew from git"):
        environment.locked_version(lock, "uv")
    with pytest.raises(error, match="The lock does not name llama-cpp-python: take the file anew from git"):
        environment.split_lock(lock.read_text())


def test_system_packages_that_cannot_be_installed(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = part("system_packages")
    monkeypatch.setattr(packages, "run", failing(part, "E: Unable to locate package"))
    with pytest.raises(
        part("errors").SetupError, match=r"could not be installed .*: run `sudo apt-get install .*libnone1`"
    ):
        packages._install([], ["libnone1"], [])


def test_fonts_that_cannot_be_installed_stop_nothing(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = part("system_packages")
    monkeypatch.setattr(packages, "run", failing(part, "E: Unable to locate package"))
    packages._install([], [], ["fonts-none"])


def test_an_app_that_does_not_say_where_its_model_belongs(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    model = part("model")
    broken = subprocess.CompletedProcess([], 1, "", "Traceback\nModuleNotFoundError: No module named 'platformdirs'\n")
    monkeypatch.setattr(model.subprocess, "run", lambda *args, **how: broken)
    with pytest.raises(part("errors").SetupError, match="where the default model belongs: ModuleNotFoundError: No mod"):
        model.ensure()
