"""Libraries for graphics cards are found, tried in a child process, and left out if they fail."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from engine.child_commands import device_probe_command
from engine.devices.backend_libraries import BackendLibrary, file_name, find_libraries
from engine.devices.device import Device
from engine.devices.device_probe import OUTPUT_PREFIX, DeviceProbe

CARD = Device("Vulkan0", "A card", "Vulkan", "gpu", 7 << 30, 8 << 30, pci_id="0000:01:00.0")


class Child:
    """Child processes that run Python code instead of llama.cpp's."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.n_runs = 0

    def __call__(self, library: BackendLibrary) -> list[str]:
        self.n_runs += 1
        return [sys.executable, "-c", self.code]


def reports(*devices: Device) -> str:
    report = OUTPUT_PREFIX + json.dumps({"devices": [each.to_json() for each in devices]})
    return f"print('noise of a driver'); print({report!r})"


def library(folder: Path, kind: str = "vulkan") -> BackendLibrary:
    path = folder / file_name(kind)
    path.write_bytes(b"a library")
    return BackendLibrary(kind, path)


def test_libraries_are_found_by_preference_and_by_choice(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    here, cuda = library(first), library(second, "cuda")
    library(second)
    assert find_libraries([first, second], "") == [cuda, here]
    assert find_libraries([first, second], "vulkan") == [here]
    assert find_libraries([first, second], "off") == []
    assert find_libraries([tmp_path / "missing"], "") == []


def test_choice_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(tmp_path)
    monkeypatch.setenv("GPU", "off")
    assert find_libraries([tmp_path]) == []
    monkeypatch.setenv("GPU", "vulkan")
    assert len(find_libraries([tmp_path])) == 1


def test_devices_of_a_library_are_listed(tmp_path: Path) -> None:
    [state] = DeviceProbe(tmp_path / "gpu.json", Child(reports(CARD))).check([library(tmp_path)])
    assert state.devices == (CARD,)
    assert not state.error


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.abort()", "ended its process"),
        ("print('nothing of use')", "ended its process"),
        (f"print({OUTPUT_PREFIX + 'not json'!r})", "could not be read"),
        (f"print({OUTPUT_PREFIX + json.dumps({'devices': [{'id': 3}]})!r})", "could not be read"),
        (f"print({OUTPUT_PREFIX + json.dumps({'error': 'no loader'})!r})", "no loader"),
        ("import time; time.sleep(60)", "did not answer"),
    ],
)
def test_library_that_fails_is_left_out_until_it_is_tried_again(tmp_path: Path, code: str, reason: str) -> None:
    found, file = library(tmp_path), tmp_path / "gpu.json"
    child = Child(code)
    timeout_s = 1.0 if "sleep" in code else 60.0
    [state] = DeviceProbe(file, child, timeout_s).check([found])
    assert reason in state.error
    assert state.devices == ()
    # The next start of the app does not run the driver again.
    [state] = DeviceProbe(file, child).check([found])
    assert reason in state.error
    assert child.n_runs == 1
    working = Child(reports(CARD))
    [state] = DeviceProbe(file, working).check([found], again=True)
    assert state.devices == (CARD,)
    [state] = DeviceProbe(file, working).check([found])
    assert state.devices == (CARD,)


def test_library_that_was_built_again_is_tried_again(tmp_path: Path) -> None:
    found, file = library(tmp_path), tmp_path / "gpu.json"
    DeviceProbe(file, Child("import os; os.abort()")).check([found])
    os.utime(found.path, ns=(1, 1))
    [state] = DeviceProbe(file, Child(reports(CARD))).check([found])
    assert state.devices == (CARD,)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format": 1, "failed": 3}', b"\xff\xfe"])
def test_damaged_record_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "gpu.json").write_bytes(content)
    [state] = DeviceProbe(tmp_path / "gpu.json", Child(reports(CARD))).check([library(tmp_path)])
    assert state.devices == (CARD,)


def test_card_that_two_libraries_list_belongs_to_the_first(tmp_path: Path) -> None:
    other = Device("Vulkan1", "Another card", "Vulkan", "igpu", 1 << 30, 2 << 30)
    probe = DeviceProbe(None, Child(reports(CARD, other)))
    states = probe.check([library(tmp_path, "cuda"), library(tmp_path)])
    assert states[0].devices == (CARD, other)
    assert states[1].devices == (other,)


def test_real_child_process_reports_a_library_that_cannot_be_loaded(tmp_path: Path) -> None:
    found = library(tmp_path)
    [state] = DeviceProbe(None).check([found])
    assert "failed to load" in state.error
    assert device_probe_command(found.path)[-1] == str(found.path)
