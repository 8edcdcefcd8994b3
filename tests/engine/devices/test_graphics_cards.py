"""Libraries for graphics cards are tried, loaded, remembered, and left out after a crash. No driver is used."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from engine.devices.backend_libraries import file_name
from engine.devices.backend_state import BackendState
from engine.devices.card_detection import Cards
from engine.devices.device import Device
from engine.devices.device_probe import DeviceProbe
from engine.devices.driver_mark import driver_mark
from engine.devices.graphics_cards import GraphicsCards
from engine.devices.library_record import LibraryRecord
from engine.engine import Engine
from engine.requests import ChatRequest, Message
from tests.engine.devices.test_device_probe import CARD, Child, reports
from tests.fakes import FakeOpener, Script


class Machine:
    """A machine with libraries for graphics cards, whose cards llama.cpp knows after their library was loaded."""

    def __init__(self, folder: Path, *kinds: str, cards: Cards = Cards(True, True)) -> None:
        self.profile, self.libraries, self.cards = folder / "graphics", folder / "libraries", cards
        self.libraries.mkdir()
        for kind in kinds:
            (self.libraries / file_name(kind)).write_bytes(b"a library")
        self.child, self.drivers = Child(reports(CARD)), "driver 1"
        self.devices = {file_name("vulkan"): [CARD]}
        self.known: list[Device] = []
        self.loaded: list[str] = []
        self.load_error = ""

    def load(self, path: Path) -> str:
        self.loaded.append(path.name)
        if not self.load_error:
            self.known += self.devices[path.name]
        return self.load_error

    def start(self) -> GraphicsCards:
        """A start of the app."""
        self.known, self.loaded = [], []
        return GraphicsCards(
            self.profile,
            folders=lambda: [self.libraries],
            detect=lambda: self.cards,
            probe=DeviceProbe(self.profile / "failed.json", self.child),
            drivers=lambda: self.drivers,
            load_library=self.load,
            list_devices=lambda: list(self.known),
        )


@pytest.fixture(autouse=True)
def no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPU", raising=False)


def find(graphics: GraphicsCards, *, again: bool = False) -> tuple[BackendState, ...]:
    return graphics.load(graphics.probe(again))


def end_process_in_use(machine: Machine) -> None:
    """Makes the file of this process look as if a process wrote it that has ended."""
    [path] = machine.profile.glob("in-use-*")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path.rename(path.with_name(f"in-use-{ended.pid}"))


def test_library_is_tried_in_a_child_process_before_it_is_loaded(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    assert find(machine.start()) == (BackendState("vulkan", (CARD,)),)
    assert (machine.child.n_runs, machine.loaded) == (1, [file_name("vulkan")])


def test_library_that_passed_is_loaded_at_once_until_a_driver_changes(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    find(machine.start())
    assert find(machine.start()) == (BackendState("vulkan", (CARD,)),)
    assert machine.child.n_runs == 1
    machine.drivers = "driver 2"
    find(machine.start())
    assert machine.child.n_runs == 2


def test_speed_that_the_child_process_measured_is_kept(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    machine.child.code = reports(replace(CARD, bytes_per_s=4e11))
    for _ in range(2):
        [state] = find(machine.start())
        assert state.devices == (replace(CARD, bytes_per_s=4e11),)
    assert machine.child.n_runs == 1


def test_without_a_card_nothing_is_tried_or_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path, "vulkan", cards=Cards())
    assert find(machine.start()) == ()
    machine.cards = Cards(True, True)
    monkeypatch.setenv("GPU", "off")
    assert find(machine.start()) == ()
    assert (machine.child.n_runs, machine.loaded, machine.profile.exists()) == (0, [], False)


def test_kind_named_by_hand_is_tried_without_a_known_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPU", "vulkan")
    assert find(Machine(tmp_path, "vulkan", cards=Cards()).start()) == (BackendState("vulkan", (CARD,)),)


def test_crashing_driver_is_left_out_with_its_reason_until_it_is_tried_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    machine.child = Child("import os; os.abort()")
    [state] = find(machine.start())
    assert "ended its process" in state.error
    assert machine.loaded == []
    machine.child = Child(reports(CARD))
    graphics = machine.start()
    assert find(graphics)[0].error
    assert find(graphics, again=True) == (BackendState("vulkan", (CARD,)),)


def test_library_without_a_card_is_not_loaded(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    machine.child = Child(reports())
    assert find(machine.start()) == ()
    assert machine.loaded == []


def test_library_that_this_process_cannot_load_has_the_reason(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    machine.load_error = "no such symbol"
    assert find(machine.start()) == (BackendState("vulkan", error="no such symbol"),)


@pytest.mark.parametrize("place", ["load", "use"])
def test_library_with_which_the_app_crashed_is_left_out_until_it_is_tried_again(tmp_path: Path, place: str) -> None:
    machine = Machine(tmp_path, "vulkan")

    def crash(path: Path) -> str:
        end_process_in_use(machine)
        return "crashed"

    if place == "load":
        machine.load = crash  # type: ignore[method-assign]
        find(machine.start())
        del machine.load
    else:
        graphics = machine.start()
        find(graphics)
        graphics.set_in_use(["Vulkan0"])
        end_process_in_use(machine)
    for _ in range(2):
        graphics = machine.start()
        [state] = find(graphics)
        assert "ended unexpectedly" in state.error
        assert machine.loaded == []
    assert find(graphics, again=True) == (BackendState("vulkan", (CARD,)),)
    assert find(machine.start()) == (BackendState("vulkan", (CARD,)),)


def kill_while_in_use(machine: Machine) -> None:
    """A start of the app, whose process is killed after its model has computed something on the card."""
    graphics = machine.start()
    assert find(graphics)[0].devices
    graphics.set_in_use(["Vulkan0"])
    graphics.first_step_passed()
    end_process_in_use(machine)


def test_kill_after_a_successful_step_is_blamed_on_the_driver_only_twice_in_a_row(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    kill_while_in_use(machine)
    graphics = machine.start()
    assert find(graphics) == (BackendState("vulkan", (CARD,)),)
    graphics.set_in_use(["Vulkan0"])
    graphics.first_step_passed()
    graphics.set_in_use([])  # this process ends as it should
    kill_while_in_use(machine)
    kill_while_in_use(machine)
    [state] = find(machine.start())
    assert "ended unexpectedly" in state.error


def test_process_that_ended_with_the_machine_is_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path, "vulkan")
    for boot in ("one", "two", "three"):
        (tmp_path / "boot_id").write_text(boot)
        monkeypatch.setattr("engine.devices.library_record._BOOT_ID", tmp_path / "boot_id")
        kill_while_in_use(machine)
    (tmp_path / "boot_id").write_text("four")
    assert find(machine.start()) == (BackendState("vulkan", (CARD,)),)


def test_loading_a_second_model_counts_as_unproven(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    graphics = machine.start()
    find(graphics)
    graphics.set_in_use(["Vulkan0"])
    graphics.first_step_passed()
    graphics.set_in_use(None)
    end_process_in_use(machine)
    assert find(machine.start())[0].error


def test_use_by_a_process_that_still_runs_is_no_crash(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    graphics = machine.start()
    find(graphics)
    graphics.set_in_use(None)
    assert len(list(machine.profile.glob("in-use-*"))) == 1
    assert not find(machine.start())[0].error
    graphics.set_in_use([])
    assert not list(machine.profile.glob("in-use-*"))


def test_process_id_that_was_given_to_another_process_is_a_crash(tmp_path: Path) -> None:
    (tmp_path / f"in-use-{psutil.Process().ppid()}").write_text(json.dumps({"a library": "12.0"}))
    assert LibraryRecord(tmp_path).crashed() == {"a library"}


def test_card_of_two_libraries_is_used_with_the_first(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "cuda", "vulkan")
    same = replace(CARD, id="CUDA0", backend="CUDA")
    machine.devices[file_name("cuda")] = [same]
    states = find(machine.start())
    assert states == (BackendState("cuda", (same,)),)
    assert machine.loaded == [file_name("cuda")]


def test_second_search_keeps_libraries_and_reads_free_memory_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    graphics = machine.start()
    find(graphics)
    machine.known = [replace(CARD, memory_free=5)]
    assert find(graphics)[0].devices == (replace(CARD, memory_free=5),)
    assert len(machine.loaded) == 1


def test_second_engine_of_a_process_knows_the_cards_too(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    find(machine.start())
    graphics = machine.start()
    machine.known = [CARD]  # llama.cpp never forgets a library
    machine.devices[file_name("vulkan")] = []
    assert find(graphics) == (BackendState("vulkan", (CARD,)),)


def test_driver_mark_changes_with_the_files_of_drivers(tmp_path: Path) -> None:
    marks = {driver_mark(tmp_path, "linux")}
    for name in ("usr/share/vulkan/icd.d/a.json", "sys/module/nvidia/version", "sys/class/drm/card0/device/vendor"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("1")
        marks.add(driver_mark(tmp_path, "linux"))
    assert len(marks) == 4
    assert driver_mark(tmp_path, "linux") in marks


class OffloadingOpener(FakeOpener):
    """Loads models on a card, and records what the profile says meanwhile."""

    def __init__(self, in_use: Callable[[], bool]) -> None:
        super().__init__()
        self.in_use, self.seen = in_use, list[bool]()

    def __call__(self, *arguments: object) -> object:  # type: ignore[override]
        self.seen.append(self.in_use())
        return super().__call__(*arguments)  # type: ignore[arg-type]


def test_engine_finds_cards_before_the_first_load_and_publishes_them(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    opener = OffloadingOpener(lambda: bool(list(machine.profile.glob("in-use-*"))))

    async def run() -> None:
        engine = Engine(opener, graphics=machine.start())  # type: ignore[arg-type]
        try:
            assert not engine.status.backends
            await engine.load(tmp_path / "a.gguf")
            assert engine.status.backends == (BackendState("vulkan", (CARD,)),)
            assert not opener.in_use()  # the fake model uses no card
            (machine.libraries / file_name("vulkan")).unlink()
            assert await engine.find_graphics_cards() == ()
            assert not engine.status.backends
        finally:
            await engine.aclose()

    asyncio.run(run())
    assert opener.seen == [True]


def test_engine_records_that_the_first_step_passed(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "vulkan")
    graphics = machine.start()
    seen: list[bool] = []
    graphics.first_step_passed = lambda: seen.append(True)  # type: ignore[method-assign]

    async def run() -> None:
        engine = Engine(FakeOpener(Script(answer=b"Hello there.")), graphics=graphics)
        try:
            for _ in range(2):
                await engine.load(tmp_path / "a.gguf")
                for _ in range(2):
                    await engine.submit(ChatRequest((Message("user", "Hello"),), "window")).collect()
        finally:
            await engine.aclose()

    asyncio.run(run())
    assert seen == [True, True]


def test_driver_that_does_not_answer_delays_neither_load_nor_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.devices.card_finder.WAIT_S", 0.01)
    machine = Machine(tmp_path, "vulkan")
    machine.child = Child("import time; time.sleep(600)")

    async def run() -> None:
        engine = Engine(FakeOpener(), graphics=machine.start())
        await engine.load(tmp_path / "a.gguf")
        await engine.aclose()

    asyncio.run(run())
    assert not (machine.profile / "failed.json").exists()
