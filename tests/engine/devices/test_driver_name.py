"""Tests of the name of a graphics card's driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.devices.driver_name import driver_name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system with two cards, of which one driver states its version."""
    for address, driver in (("0000:01:00.0", "nvidia"), ("0000:c1:00.0", "amdgpu")):
        folder = tmp_path / "sys/bus/pci/drivers" / driver
        device = tmp_path / "sys/bus/pci/devices" / address
        folder.mkdir(parents=True)
        device.mkdir(parents=True)
        (device / "driver").symlink_to(folder)
    (tmp_path / "sys/module/nvidia").mkdir(parents=True)
    (tmp_path / "sys/module/nvidia/version").write_text("550.54.14\n")
    return tmp_path


@pytest.mark.parametrize(
    ("pci_id", "name"),
    [
        ("0000:01:00.0", "nvidia 550.54.14"),
        ("0000:C1:00.0", "amdgpu"),
        ("0000:02:00.0", ""),
        ("", ""),
        ("../../../../etc", ""),
    ],
)
def test_driver_is_named_with_its_version_if_that_is_known(root: Path, pci_id: str, name: str) -> None:
    assert driver_name(pci_id, root) == name
