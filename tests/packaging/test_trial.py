"""Parts of `make trial`, which runs the tests in a clean Debian. Here they run without a clean Debian."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.packaging.checkout import ROOT


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return importlib.import_module("trial.__main__")


@pytest.fixture
def commands_run(trial: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The commands that the trial runs in the clean Debian. Here they are only recorded. The first `make test` fails,
    and asks for a system package."""
    commands: list[list[str]] = []
    from smoke.clean_root import CleanRoot

    def in_root(command: list[str]) -> tuple[int, str]:
        commands.append(command)
        sentence = "Some system packages are missing: run `sudo apt-get install -y libegl1`, then start again."
        return (0, "") if ["apt-get", "install", "-y", "libegl1"] in commands else (2, sentence)

    def as_root(root: CleanRoot, *argv: str) -> str:
        commands.append(list(argv))
        return ""

    def command_as(root: CleanRoot, *argv: str, as_user: bool, environment: dict[str, str]) -> list[str]:
        return ["user" if as_user else "root", *argv]

    monkeypatch.setattr(trial, "_run", in_root)
    monkeypatch.setattr(trial, "_clone", lambda checkout: commands.append(["clone", checkout.name]))
    monkeypatch.setattr(CleanRoot, "make", lambda root: None)
    monkeypatch.setattr(CleanRoot, "run", as_root)
    monkeypatch.setattr(CleanRoot, "command", command_as)
    monkeypatch.setattr(trial, "_network", lambda root: {})
    return commands


def test_trial_installs_missing_packages_and_runs_make_test_again(
    trial: ModuleType, commands_run: list[list[str]]
) -> None:
    assert trial.main(["trixie"]) == 0
    make_test = ["user", "make", "-C", "/home/ada/inglenook", "test"]
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *trial.REQUIRED_PACKAGES]
    assert commands_run == [
        install,
        ["clone", "inglenook"],
        make_test,
        ["apt-get", "install", "-y", "libegl1"],
        make_test,
    ]


def test_readme_lists_the_packages_that_the_trial_installs(trial: ModuleType) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    sentence = re.search(r"On Debian.*?:\n", readme, re.DOTALL)
    assert sentence is not None
    for package, word in zip(
        trial.REQUIRED_PACKAGES, ("Python 3.11 to 3.13", "git", "make", "C++ compiler"), strict=True
    ):
        assert word in sentence[0].replace("\n", " "), package


def test_trial_of_an_unknown_debian_release_prints_the_usage(
    trial: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial.main(["sarge"]) == 2
    assert "bookworm,trixie" in capsys.readouterr().err


def test_certificates_are_copied_into_the_clean_debian(
    trial: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in (*trial._NETWORK_VARIABLES, *(each for each in os.environ if each.startswith("PIP_"))):
        monkeypatch.delenv(name, raising=False)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("certificates")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    monkeypatch.setenv("PIP_CERT", str(bundle))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    found = trial._network(root)
    assert found == {"PIP_CERT": "/etc/pip_cert.pem", "HTTPS_PROXY": "http://127.0.0.1:9"}
    assert (root / "etc/pip_cert.pem").read_text() == "certificates"


def test_make_trial_runs_the_trial_with_the_given_debian_release() -> None:
    done = subprocess.run(["make", "-n", "trial", "SUITE=trixie"], cwd=ROOT, capture_output=True, text=True)
    assert "-m trial trixie" in done.stdout
