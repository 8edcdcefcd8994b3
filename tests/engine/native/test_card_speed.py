"""The speed of a card is measured in the child process that tries its library."""

from __future__ import annotations

import pytest

from engine.devices.backend_libraries import BackendLibrary
from engine.devices.device_probe import DeviceProbe
from engine.native import card_speed, devices
from engine.native.llama import start
from tests.failing_card.preload import SOFTWARE_DEVICE, missing_part, vulkan_library


def test_trial_of_a_library_measures_the_speed_of_its_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    if missing := missing_part():
        pytest.skip(missing)
    for name, value in SOFTWARE_DEVICE.items():
        monkeypatch.setenv(name, value)
    [state] = DeviceProbe(None).check([BackendLibrary("vulkan", vulkan_library())])
    assert not state.error
    assert state.devices[0].bytes_per_s > 1e6


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor takes the part of the card."""
    start()
    monkeypatch.setattr(card_speed, "device_pointers", lambda ids: devices._pointers()[:1])


@pytest.mark.usefixtures("processor")
def test_speed_is_that_of_a_product_of_four_bit_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_speed, "SLOW_BYTES_PER_S", 1e15)
    assert card_speed.read_bytes_per_s("CPU", 1 << 40) > 1e6
    assert card_speed.read_bytes_per_s("CPU", card_speed.SMALL_BYTES) == 0, "too little memory"


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize(("seconds", "n_bytes"), [(1e-4, card_speed.LARGE_BYTES), (1.0, card_speed.SMALL_BYTES)])
def test_large_weights_are_read_unless_the_device_is_slow(
    monkeypatch: pytest.MonkeyPatch, seconds: float, n_bytes: int
) -> None:
    monkeypatch.setattr(card_speed, "_fastest_s", lambda *arguments: seconds)
    assert card_speed.read_bytes_per_s("CPU", 1 << 40) == pytest.approx(n_bytes / seconds, rel=0.001)
