"""Graphics cards in llama.cpp's API, and the options with which they are chosen."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from api.card_options import add_card_options, card_settings
from api.llama_cpp.devices import device_list, failed_backend_list
from api.model_routes import model_object
from engine.devices.backend_state import BackendState
from engine.devices.device import Device
from engine.devices.offload import Offload
from engine.status import MemoryEstimate, ModelInfo, Status
from tests.api.live_endpoint import live
from tests.fakes import FakeOpener

CARD = Device("Vulkan0", "A card", "Vulkan", "gpu", 7 << 30, 8 << 30, driver="NVIDIA 550.54")
OTHER = Device("Vulkan1", "Another card", "Vulkan", "igpu", 1 << 30, 2 << 30)
OFFLOAD = Offload(("Vulkan0",), 20, 33, split=(20,), device_bytes=(1 << 30,))
MODEL = ModelInfo("a", "A", Path("a.gguf"), 1, 512, 512, 1, 0.0, MemoryEstimate(1, 1, 1, 1, offload=OFFLOAD))
STATUS = Status(
    "ready", MODEL, backends=(BackendState("cuda", error="no driver"), BackendState("vulkan", (CARD, OTHER)))
)


def read(*arguments: str) -> object:
    parser = argparse.ArgumentParser()
    add_card_options(parser)
    return card_settings(parser.parse_args(arguments))


def test_devices_have_their_memory_and_the_layers_of_the_model() -> None:
    first, second = device_list(STATUS, MODEL)
    assert first == {
        "id": "Vulkan0",
        "name": "A card",
        "kind": "gpu",
        "backend": "Vulkan",
        "driver": "NVIDIA 550.54",
        "memory_free": 7 << 30,
        "memory_total": 8 << 30,
        "n_layers": 20,
    }
    assert second["n_layers"] == 0
    assert failed_backend_list(STATUS) == [{"kind": "cuda", "error": "no driver"}]
    assert model_object(MODEL)["meta"]["n_gpu_layers"] == 20  # type: ignore[index]


def test_props_list_no_device_without_a_card() -> None:
    with live(FakeOpener()) as endpoint, endpoint.http() as client:
        props = client.get("/props").json()
    assert (props["devices"], props["failed_devices"]) == ([], [])


def test_options_have_the_names_of_llama_cpp() -> None:
    automatic = {"devices": None, "n_gpu_layers": None, "n_cpu_experts": None, "tensor_split": ()}
    assert read() == automatic
    assert read("--device", "none") == {**automatic, "devices": ()}
    assert read("--device", "Vulkan0,Vulkan1", "-ngl", "7", "--n-cpu-moe", "3", "--tensor-split", "3,1") == {
        "devices": ("Vulkan0", "Vulkan1"),
        "n_gpu_layers": 7,
        "n_cpu_experts": 3,
        "tensor_split": (3.0, 1.0),
    }


@pytest.mark.parametrize("option", [("-ngl", "-1"), ("--tensor-split", "0,0"), ("--tensor-split", "a"), ("-ts", "nan")])
def test_wrong_value_of_an_option_is_refused(option: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(*option)
    assert f"'{option[1]}' is not a " in capsys.readouterr().err
