"""Finding out whether there is a graphics card, with fake file systems."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.devices.card_detection import Cards, detect_cards, wanted_kind


def add_display(root: Path, vendor: str = "", pci_class: str = "0x030000", driver: str = "") -> None:
    device = root / "sys/class/drm/card0/device"
    device.mkdir(parents=True)
    if vendor:
        (device / "vendor").write_text(f"{vendor}\n")
        (device / "class").write_text(f"{pci_class}\n")
    if driver:
        (root / "sys/bus/drivers" / driver).mkdir(parents=True)
        (device / "driver").symlink_to(root / "sys/bus/drivers" / driver)


def add_loader(root: Path) -> None:
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/ld.so.cache").write_bytes(b"glibc-ld.so.cache1.1\0libvulkan.so.1\0/usr/lib/libvulkan.so.1\0")


@pytest.fixture(autouse=True)
def no_library_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)


@pytest.mark.parametrize("vendor", ["0x1002", "0x10de", "0x8086"])
def test_card_of_amd_nvidia_or_intel_is_found(tmp_path: Path, vendor: str) -> None:
    add_display(tmp_path, vendor)
    assert detect_cards(tmp_path, "linux") == Cards(has_card=True)


@pytest.mark.parametrize("vendor", ["0x1af4", "0x1234", "0x15ad", "0x1b36", "0x1414"])
def test_display_of_a_virtual_machine_is_no_card(tmp_path: Path, vendor: str) -> None:
    add_display(tmp_path, vendor)
    add_loader(tmp_path)
    assert detect_cards(tmp_path, "linux") == Cards()


def test_device_that_is_no_display_controller_is_no_card(tmp_path: Path) -> None:
    add_display(tmp_path, "0x8086", pci_class="0x120000")
    assert detect_cards(tmp_path, "linux") == Cards()


@pytest.mark.parametrize(("driver", "is_card"), [("panthor", True), ("simple-framebuffer", False)])
def test_card_without_a_vendor_number_is_recognized_by_its_driver(tmp_path: Path, driver: str, is_card: bool) -> None:
    if os.name == "nt":
        pytest.skip("links need a permission on Windows")
    add_display(tmp_path, driver=driver)
    assert detect_cards(tmp_path, "linux").has_card == is_card


@pytest.mark.parametrize(("name", "is_nvidia"), [("nvidia0", True), ("dxg", False)])
def test_device_file_of_a_driver_means_a_card(tmp_path: Path, name: str, is_nvidia: bool) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / name).touch()
    assert detect_cards(tmp_path, "linux") == Cards(has_card=True, has_nvidia_driver=is_nvidia)


def test_vulkan_loader_is_found_in_the_cache_of_the_dynamic_linker(tmp_path: Path) -> None:
    add_display(tmp_path, "0x1002")
    add_loader(tmp_path)
    assert detect_cards(tmp_path, "linux").can_use_vulkan


def test_vulkan_loader_is_found_in_the_library_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_display(tmp_path, "0x1002")
    (tmp_path / "libvulkan.so.1").touch()
    if os.name == "nt":
        pytest.skip("paths of Linux have no colon")
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nowhere:{tmp_path}")
    assert detect_cards(tmp_path, "linux").can_use_vulkan


def test_windows_with_a_driver_has_a_card(tmp_path: Path) -> None:
    folder = tmp_path / "Windows/System32"
    folder.mkdir(parents=True)
    assert detect_cards(tmp_path, "win32") == Cards()
    (folder / "vulkan-1.dll").touch()
    assert detect_cards(tmp_path, "win32") == Cards(has_card=True, has_vulkan_loader=True)


def test_metal_on_apple_silicon_needs_no_library() -> None:
    cards = detect_cards(system="darwin", machine="arm64")
    assert (cards.has_card, wanted_kind(cards, "")) == (True, "")
    assert detect_cards(system="darwin", machine="x86_64") == Cards()


@pytest.mark.parametrize(
    ("cards", "choice", "kind"),
    [
        (Cards(), "", ""),
        (Cards(has_card=True), "", ""),
        (Cards(has_card=True, has_vulkan_loader=True), "", "vulkan"),
        (Cards(has_card=True, has_vulkan_loader=True), "auto", "vulkan"),
        (Cards(has_card=True, has_vulkan_loader=True), "off", ""),
        (Cards(has_card=True, has_vulkan_loader=True), "cuda", "cuda"),
        (Cards(), "vulkan", "vulkan"),
    ],
)
def test_kind_of_library_follows_from_card_and_choice(cards: Cards, choice: str, kind: str) -> None:
    assert wanted_kind(cards, choice) == kind


def test_kind_of_library_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPU", "off")
    assert wanted_kind(Cards(has_card=True, has_vulkan_loader=True)) == ""
