"""Set-up installs the Vulkan loader and drivers only if there is a graphics card. apt-get is a fake."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.packaging.checkout import Checkout

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="apt-get is on Linux only")

Part = Callable[[str], ModuleType]
ROWS = "engine libc6 libc.so.6\ngraphics libnone1 libnone.so.1\ngraphics none-drivers /nowhere/none\n"


@pytest.fixture
def fake_apt(checkout: Checkout, tmp_path: Path) -> Path:
    """Prepares a checkout whose machine lacks the drivers. Returns the file to which the fake apt-get writes."""
    checkout.make_venv()
    checkout.make_uv()
    checkout.install_llama()
    (checkout.root / "packaging/linux/debian-packages.txt").write_text(ROWS)
    apt = tmp_path / "bin/apt-get"
    apt.parent.mkdir()
    apt.write_text('#!/bin/sh\necho "$@" >> apt.log\n[ "$1" != install ] || exit 100\n')
    apt.chmod(0o755)
    return checkout.root / "apt.log"


def set_up(checkout: Checkout, tmp_path: Path, *, has_card: bool, gpu: str = "") -> None:
    """Runs set-up with a fake of the app's detection of cards."""
    devices = checkout.root / "engine/devices"
    devices.mkdir()
    (devices / "card_detection.py").write_text(f"class detect_cards:\n    has_card = {has_card}\n")
    done = checkout.run("serve", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}", GPU=gpu)
    assert (done.returncode, done.stderr) == (0, "")


def test_drivers_are_installed_if_there_is_a_card_and_their_failure_is_ignored(
    checkout: Checkout, tmp_path: Path, fake_apt: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("asks apt-get as root")
    set_up(checkout, tmp_path, has_card=True)
    assert fake_apt.read_text().splitlines() == [
        "update",
        "install -y --no-install-recommends libnone1 none-drivers",
    ]


@pytest.mark.parametrize(("has_card", "gpu"), [(False, ""), (True, "off")])
def test_drivers_are_not_installed_without_a_card_or_with_gpu_off(
    checkout: Checkout, tmp_path: Path, fake_apt: Path, has_card: bool, gpu: str
) -> None:
    set_up(checkout, tmp_path, has_card=has_card, gpu=gpu)
    assert not fake_apt.exists()


def test_command_that_installs_drivers_is_printed_without_root(
    part: Part, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packages = part("system_packages")
    (tmp_path / "packages.txt").write_text(ROWS)
    monkeypatch.setattr(packages, "DEBIAN_PACKAGES", tmp_path / "packages.txt")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name: {"apt-get": "/usr/bin/apt-get"}.get(name))

    packages.ensure_graphics()

    assert "sudo apt-get install -y --no-install-recommends libnone1 none-drivers" in capsys.readouterr().out
