"""Tests of graphics cards on the models page: their lines, where models run, and the options for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.models import card_strings, strings
from desktop.models.card_lines import CardLines
from desktop.models.card_options import CardOptions
from desktop.models.graphics_controller import GraphicsController
from desktop.models.graphics_state import GraphicsState, LibraryProgress
from desktop.models.load_options import PROCESSOR, LoadOptions
from desktop.models.machine_capacity import N_SPEEDS, CapacityEstimator
from desktop.models.model_list import ModelRow
from desktop.models.model_settings_sheet import ModelSettingsSheet
from desktop.models.option_field import OptionField
from desktop.models.placement_strings import fewer_layers, placement, placement_sentence
from desktop.models.wiring import ModelsWiring
from desktop.platform.task_set import TaskSet
from desktop.platform.theme import Theme
from engine.backend import LoadSettings
from engine.devices.backend_state import BackendState
from engine.devices.card import Card
from engine.devices.device import Device
from engine.devices.library_build import LibraryBuild
from engine.devices.offload import NO_OFFLOAD, Offload
from engine.errors import Reason
from engine.files.profile import Profile
from engine.library.memory_fit import MemoryFit
from engine.library.model_metadata import ModelMetadata
from engine.library.throughput_estimate import ThroughputEstimate
from engine.status import MemoryEstimate, ModelInfo, Status
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.models.page_driver import click, page_of, rows, save_folder, use_of
from tests.engine.library.fake_hub import FakeHub

GIB = 1 << 30
RADEON = Device("Vulkan0", "Radeon RX 7600", "Vulkan", "gpu", 7 * GIB, 8 * GIB, driver="radv 25.1")
GEFORCE = Device("Vulkan1", "GeForce RTX 3060", "Vulkan", "gpu", 11 * GIB, 12 * GIB, driver="NVIDIA 550.54")
CARDS = (Card(RADEON), Card(GEFORCE))
WHOLE = Offload(("Vulkan0",), 33, 33, split=(33,), device_bytes=(4 * GIB,), moved_bytes=4 * GIB)
PART = replace(WHOLE, n_layers=20, split=(20,))
EXPERTS = replace(WHOLE, n_cpu_experts=12)


def estimate(offload: Offload) -> MemoryEstimate:
    return MemoryEstimate(4 * GIB, 1 * GIB, 10**7, 20 * GIB, 10**7, offload)


def row(offload: Offload = PART) -> ModelRow:
    fit = MemoryFit("fits", "", estimate(offload), 8192, 8192)
    return ModelRow("/m/a.gguf", "disk", "Qwen3 8B", "Q4_K_M", 5 * 10**9, fit, placement=offload)


def test_line_of_a_card_has_name_memory_driver_and_state(qtbot: QtBot) -> None:
    assert card_strings.card(RADEON, is_used=True) == (
        "Radeon RX 7600: 8.6 GB of memory, 7.5 GB free, radv 25.1, Vulkan, in use"
    )
    shared = replace(RADEON, kind="igpu", driver="")
    assert card_strings.card(shared, is_used=False) == "Radeon RX 7600: uses the memory of the computer, Vulkan, ready"


def test_lines_are_hidden_without_a_card_and_offer_what_can_be_done(qtbot: QtBot) -> None:
    home = QWidget()
    qtbot.addWidget(home)
    lines = CardLines(home)
    lines.show_state(GraphicsState())
    assert lines.isHidden()
    lines.show_state(GraphicsState(build=LibraryProgress(0.4)))
    (line,) = lines.lines
    assert (line.text.text(), line.button) == ("Preparing the graphics card… 40 %", None)
    lines.show_state(GraphicsState(build=LibraryProgress(0.5)))
    assert lines.lines == [line], "a growing number replaces no widget"
    failed = BackendState("vulkan", error=Reason("the driver ended its process ({code})", code=-11))
    lines.show_state(GraphicsState(CARDS[:1], failed=(failed,), offers_load=True))
    assert [line.text.text() for line in lines.lines] == [
        card_strings.card(RADEON, is_used=False),
        "The graphics card cannot be used with Vulkan: the driver ended its process (-11).",
        "The graphics card is ready: load the model again to use it.",
    ]
    retry, load = (line.button for line in lines.lines[1:])
    assert retry is not None
    assert load is not None
    with qtbot.waitSignal(lines.retry_requested):
        retry.click()
    with qtbot.waitSignal(lines.load_requested):
        load.click()
    lines.show_state(GraphicsState(build=LibraryProgress(0.4, "the disk is full")))
    assert lines.lines[0].text.text() == "The graphics card could not be prepared: the disk is full."
    assert lines.lines[0].button is not None


@pytest.mark.parametrize(
    ("offload", "words", "sentence"),
    [
        (WHOLE, "on the card", "All layers are on the card."),
        (
            PART,
            "20 of 33 layers on the card",
            "20 of 33 layers are on the card; the processor computes the others.",
        ),
        (
            EXPERTS,
            "experts on the processor",
            "All layers are on the card; the processor computes the experts of 12 of them.",
        ),
        (
            replace(PART, devices=("Vulkan0", "Vulkan1"), split=(12, 8), device_bytes=(2, 2)),
            "20 of 33 layers on the cards",
            "20 of 33 layers are on the cards; the processor computes the others.",
        ),
        (Offload(n_all=33), "on the processor", "The processor computes the model."),
    ],
)
def test_row_of_a_model_says_what_computes_it(qtbot: QtBot, offload: Offload, words: str, sentence: str) -> None:
    assert placement(offload) == words
    assert words in strings.details(row(offload))
    assert placement_sentence(offload) in strings.explanation(row(offload))
    assert placement_sentence(offload) == sentence
    assert words not in strings.details(replace(row(offload), placement=None)), "without a card nothing is new"


def test_explanation_names_memory_on_the_card_and_layers_that_did_not_fit(qtbot: QtBot) -> None:
    text = strings.explanation(row(WHOLE)).replace("\u00a0", " ")
    assert text.startswith("Needs about 4.3 GB on the card and 1.1 GB of memory; 21.5 GB of memory are free.")
    fewer = "The card had too little memory: 20 instead of 33 layers are on it."
    assert fewer in strings.explanation(replace(row(PART), n_layers_wanted=33))
    assert fewer_layers(PART, 33) == fewer
    assert fewer_layers(NO_OFFLOAD, 33) == "The card could not be used: the processor computes the model."


@pytest.mark.parametrize("offload", [WHOLE, PART, Offload(n_all=33)])
def test_explanation_of_a_slow_model_is_the_same_on_cards_and_on_the_processor(qtbot: QtBot, offload: Offload) -> None:
    slow = "It writes more slowly than people read."
    fits = MemoryFit("slow", "slow", estimate(offload), 8192, 8192, 2.0, is_slow=True)
    text = strings.explanation(replace(row(offload), fit=fits))
    assert f" are free. {slow} {placement_sentence(offload)}" in text
    tight = replace(fits, verdict="tight", reason="little_left")
    assert f"other programs. {slow}" in strings.explanation(replace(row(offload), fit=tight))
    assert slow not in strings.explanation(replace(row(offload), fit=replace(tight, is_slow=False)))


def test_facts_of_the_loaded_model_say_what_computes_it(qtbot: QtBot) -> None:
    model = ModelInfo("a", "A", Path("/m/a.gguf"), 10**9, 8192, 8192, GIB, 0.0, memory=estimate(PART))
    assert placement_sentence(PART) in strings.model_facts(model)
    alone = replace(model, memory=estimate(NO_OFFLOAD))
    assert "The processor computes the model." not in strings.model_facts(alone)
    assert "The processor computes the model." in strings.model_facts(alone, has_card=True)


def options_of(qtbot: QtBot) -> tuple[QWidget, CardOptions, list[dict[str, object]]]:
    home = QWidget()
    qtbot.addWidget(home)
    part = CardOptions(home)
    changes: list[dict[str, object]] = []
    part.changed.connect(changes.append)
    return home, part, changes


def type_into(field: OptionField, text: str) -> None:
    field.edit.clear()
    QTest.keyClicks(field.edit, text)
    QTest.keyClick(field.edit, Qt.Key.Key_Return)


def test_card_options_are_hidden_without_a_card_and_show_the_automatic_values(qtbot: QtBot) -> None:
    home, part, _ = options_of(qtbot)
    part.show_options(LoadOptions(), (), PART, has_experts=True)
    assert part.isHidden()
    part.show_options(LoadOptions(), CARDS[:1], EXPERTS, has_experts=True)
    assert not part.isHidden()
    assert part.device.text() == "Automatic"
    assert part.layers.edit.placeholderText() == "33"
    assert part.experts.edit.placeholderText() == "12"
    assert part.split.isHidden(), "there is one card"
    part.show_options(LoadOptions(), CARDS, WHOLE, has_experts=False)
    assert part.experts.isHidden()
    assert not part.split.isHidden()
    part.show_options(LoadOptions(device=PROCESSOR), CARDS, PART, has_experts=True)
    assert not part.layers.isEnabled()
    part.show_options(LoadOptions(device="CUDA7"), CARDS, PART, has_experts=True)
    assert part.device.text() == "CUDA7, which is missing"
    assert home is part.parent()


def test_card_options_are_changed_and_wrong_values_refused(qtbot: QtBot) -> None:
    home, part, changes = options_of(qtbot)
    part.show_options(LoadOptions(), CARDS, PART, has_experts=True)
    menu = part.device.menu()
    assert [action.text() for action in menu.actions()] == [
        "Automatic",
        "Radeon RX 7600",
        "GeForce RTX 3060",
        "Processor only",
    ]
    menu.actions()[2].trigger()
    type_into(part.layers, "12")
    type_into(part.experts, "3")
    type_into(part.split, "3 : 1")
    assert changes == [
        {"device": "Vulkan1"},
        {"n_gpu_layers": 12},
        {"n_cpu_experts": 3},
        {"tensor_split": (3.0, 1.0)},
    ]
    for field, text in ((part.layers, "34"), (part.experts, "x"), (part.split, "3"), (part.split, "0 0")):
        type_into(field, text)
        assert field.is_wrong, text
        assert field.help.property("wrong"), "its sentence says what is possible"
        assert part.is_wrong
        field.discard_typing()
    assert part.layers.help.text() == "0 to 33. Empty: as many as fit."
    assert len(changes) == 4
    assert home is part.parent()


def test_card_options_are_stored_and_become_load_settings() -> None:
    options = LoadOptions(device="Vulkan1", n_gpu_layers=12, n_cpu_experts=3, tensor_split=(3.0, 1.0))
    assert LoadOptions.from_dict(options.to_dict()) == options
    assert options.settings == LoadSettings(devices=("Vulkan1",), n_gpu_layers=12, n_cpu_experts=3)
    assert replace(options, device="").settings.tensor_split == (3.0, 1.0)
    assert replace(options, device=PROCESSOR).settings.devices == ()
    assert LoadOptions().settings.devices is None
    assert LoadOptions.from_dict({"device": 3, "n_cpu_experts": -1, "tensor_split": [0, 0]}) == LoadOptions()
    assert LoadOptions.from_dict({"tensor_split": [1, "x"]}) == LoadOptions()


def test_settings_sheet_cannot_load_while_a_card_option_is_wrong(qtbot: QtBot, theme: Theme) -> None:
    home = QWidget()
    qtbot.addWidget(home)
    sheet = ModelSettingsSheet(theme, home)
    sheet.show_model(row(), LoadOptions(), None, (), CARDS, PART)
    type_into(sheet.card_options.layers, "99")
    assert not sheet.load.isEnabled()
    type_into(sheet.card_options.layers, "9")
    assert sheet.load.isEnabled()
    assert home is sheet.parent()


@pytest.mark.parametrize(("loaded", "free_gib"), [(NO_OFFLOAD, 3), (WHOLE, 7)])
def test_memory_of_the_model_in_memory_counts_as_free_on_its_card(loaded: Offload, free_gib: int) -> None:
    capacity = CapacityEstimator(ThroughputEstimate(None))
    capacity.set_devices((replace(RADEON, memory_free=3 * GIB),), loaded)
    model = ModelInfo("a", "A", Path("/m/a.gguf"), 10**9, 8192, 8192, GIB, 0.0, memory=estimate(WHOLE))
    for status in (Status("empty"), Status("ready", model)):
        capacity.measure_memory(status)
        assert capacity.capacity.cards[0].device.memory_free == free_gib * GIB


def test_speed_of_a_card_is_learnt_from_answers_of_models_that_are_wholly_on_it(tmp_path: Path) -> None:
    throughput = ThroughputEstimate(tmp_path / "machine.json")
    throughput.measure()
    before = throughput.bytes_per_s
    capacity = CapacityEstimator(throughput)
    capacity.set_devices((RADEON,))
    capacity.measure_memory(Status("empty"))
    metadata = ModelMetadata("A", "llama", "Q4_0", 10**9, 8192, 5 * 10**9, 5 * 10**9, "", True, {})
    for offload in (PART, EXPERTS):
        assert not any(capacity.add_measured_speed(30, metadata, offload) for _ in range(N_SPEEDS))
    small = replace(metadata, read_bytes=10**8)
    assert not any(capacity.add_measured_speed(400, small, WHOLE) for _ in range(N_SPEEDS)), "not limited by memory"
    assert [capacity.add_measured_speed(40, metadata, WHOLE) for _ in range(N_SPEEDS)] == [False, False, True]
    capacity.measure_memory(Status("empty"))
    assert capacity.capacity.cards[0].bytes_per_s == 200e9
    assert capacity.capacity.bytes_per_s == before


class FakeBuild:
    """Has the attributes of LibraryBuild, and ends when a test says so."""

    def __init__(self, kind: str, on_change: Callable[[], None]) -> None:
        self.kind, self._on_change = kind, on_change
        self.progress, self.is_done, self.is_started, self.is_stopped = 0.0, False, False, False
        self.error: str | Reason = ""
        self.library: Path | None = None

    def start(self) -> None:
        self.is_started = True

    def stop(self) -> None:
        self.is_stopped = True

    def change(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self._on_change()


def test_library_is_built_shown_and_its_card_offered_for_the_next_load(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    save_folder(profile, model_folder)
    builds: list[FakeBuild] = []
    found: list[bool] = []

    async def story() -> None:
        async with open_gui(real=model_folder / "Alpha-Q4_0.gguf") as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            wiring = gui.window.findChild(ModelsWiring)
            library, status = wiring._library, wiring._models.status

            async def find_devices(again: bool) -> None:
                found.append(again)
                graphics.update_status(status, (BackendState("vulkan", (RADEON,)),))

            def make_build(kind: str, on_change: Callable[[], None]) -> LibraryBuild:
                builds.append(FakeBuild(kind, on_change))
                return cast(LibraryBuild, builds[-1])

            tasks = TaskSet(lambda error, name: pytest.fail(name))
            graphics = GraphicsController(library, find_devices, tasks, lambda: "vulkan", make_build)

            def building() -> LibraryProgress | None:
                return graphics.state.build

            graphics.start()
            await until(lambda: bool(builds) and builds[0].is_started)
            builds[0].change(progress=0.4)
            await until(lambda: graphics.state.build == LibraryProgress(0.4))
            builds[0].change(error="no compiler", is_done=True)
            await until(lambda: graphics.state.build == LibraryProgress(0.4, "no compiler"))
            graphics.try_again()
            await until(lambda: len(builds) == 2 and builds[1].is_started)
            assert building() == LibraryProgress()
            builds[1].change(progress=1.0, is_done=True, library=Path("/x"))
            await until(lambda: found == [False])
            assert building() is None
            assert [card.device.name for card in graphics.state.cards] == ["Radeon RX 7600"]
            assert graphics.state.offers_load, "the processor computes the model in use"
            await until(lambda: "on the processor" in strings.details(rows(page.local_models.view)[0]))
            in_use = rows(page.local_models.view)[0].fit
            assert in_use is not None
            assert not in_use.offload.devices, "its memory and speed are those of the processor"
            assert library.plan_for(Path(rows(page.local_models.view)[0].key)).is_whole
            click(page.local_models.view, "Beta", "settings")
            assert not page.sheet.card_options.isHidden()
            assert "on the card" in strings.details(next(r for r in rows(page.local_models.view) if r.name == "Beta"))
            graphics.update_status(status, (BackendState("vulkan", error="it crashed"),))
            assert graphics.state == GraphicsState(failed=(BackendState("vulkan", error="it crashed"),))
            graphics.try_again()
            await until(lambda: found == [False, True])
            await graphics.aclose()
            await tasks.aclose()

    run(story())


def test_cards_of_the_engine_are_shown_and_the_model_is_loaded_again(
    run: Run,
    open_gui: OpenGui,
    fake_hub: FakeHub,
    model_folder: Path,
    profile: Profile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_folder(profile, model_folder)
    started: list[GraphicsController] = []
    monkeypatch.setattr(GraphicsController, "start", lambda self: started.append(self))

    async def story() -> None:
        async with open_gui(real=model_folder / "Alpha-Q4_0.gguf") as gui:
            page = page_of(gui)
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            assert len(started) == 1, "a missing library is built"
            lines = page.header.cards
            assert lines.isHidden()
            engine = await gui.window.findChild(ModelsWiring)._models.engine()
            engine._status.publish_backends((BackendState("vulkan", (RADEON,)),))
            await until(lambda: len(lines.lines) == 2)
            assert lines.lines[0].text.text().startswith("Radeon RX 7600: ")
            assert "The processor computes the model." in gui.window.chat_page.header._facts
            button = lines.lines[1].button
            assert button is not None
            button.click()
            await until(lambda: use_of(gui, "Alpha") == "loading")
            await until(lambda: use_of(gui, "Alpha") == "in_use")

    run(story())
