"""Finds the graphics cards of this machine, and makes llama.cpp know them, without a risk for the app.

A library is first tried in a child process (`engine.devices.device_probe`). If that went well with the same drivers
before, the library is loaded at once. If a process of the app ends unexpectedly while it uses a library, the library is
left out until the user tries it again: at once if the model had not computed anything yet, otherwise only if this
happens twice in a row, because the process may also have been killed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from engine.devices.backend_libraries import CHOICE_VARIABLE, BackendLibrary, find_libraries
from engine.devices.backend_state import BackendState
from engine.devices.card_detection import Cards, detect_cards
from engine.devices.device import Device, without_duplicates
from engine.devices.device_probe import DeviceProbe
from engine.devices.driver_mark import driver_mark
from engine.devices.library_folders import library_folders
from engine.devices.library_record import LibraryRecord
from engine.errors import Reason
from engine.native import list_devices, load_library

BUILT_IN = "metal"
"""The kind of cards for which llama.cpp needs no library of its own."""

_BACKENDS = {"cuda": "CUDA", "hip": "ROCm", "vulkan": "Vulkan"}
"""llama.cpp's names (`Device.backend`) for the devices of each kind of library."""

Probed = tuple[BackendLibrary | None, BackendState]
"""A library, None if the cards need none, with its error or with what the child process listed."""


class GraphicsCards:
    """Call `probe` on a pool thread, then `load` on the native thread, because llama.cpp must not load a model
    meanwhile. Other methods may be called on any thread."""

    def __init__(
        self,
        folder: Path | None,
        *,
        folders: Callable[[], Sequence[Path]] = library_folders,
        detect: Callable[[], Cards] = detect_cards,
        probe: DeviceProbe | None = None,
        drivers: Callable[[], str] = driver_mark,
        load_library: Callable[[Path], str] = load_library,
        list_devices: Callable[[], list[Device]] = list_devices,
    ) -> None:
        """`folder` is where results are stored; with None, nothing is. `load_library` returns the reason if a library
        cannot be loaded, else an empty text."""
        self._folders, self._detect, self._drivers = folders, detect, drivers
        self._probe = probe or DeviceProbe(folder / "failed.json" if folder else None)
        self._record = LibraryRecord(folder)
        self._load_library, self._list_devices = load_library, list_devices
        self._lock = threading.Lock()
        self._loaded: dict[str, str] = {}
        """The marks of the libraries in this process, by their kinds."""
        self._used: list[str] = []
        """The marks of the libraries that a model uses."""
        self._has_computed = False
        """Whether that model has computed something."""
        self._backends: tuple[BackendState, ...] = ()

    def probe(self, again: bool = False) -> list[Probed]:
        """Returns the libraries to load, and those that are left out with the reason. A library None means that the
        cards need none. Blocks while child processes try libraries that were not tried with these drivers before.

        With `again`, libraries that failed before are tried again. Without a card, returns an empty list at once."""
        cards, choice = self._detect(), os.environ.get(CHOICE_VARIABLE, "")
        if choice == "off" or not (cards.has_card or choice not in ("", "auto")):
            return []
        if cards.is_built_in:
            return [(None, BackendState(BUILT_IN))]
        with self._lock:
            found = find_libraries(self._folders(), choice)
            if again:
                self._record.forget_crashes()
            crashed = self._record.crashed() if found else frozenset()
            reason = Reason("the app ended unexpectedly while it used the graphics card")
            left_out = [(each, BackendState(each.kind, error=reason)) for each in found if each.mark in crashed]
            return self._tried([each for each in found if each.mark not in crashed], again) + left_out

    def load(self, probed: Sequence[Probed]) -> tuple[BackendState, ...]:
        """Loads what `probe` returned, unless it is loaded, and returns the state of each library with its devices.
        Called on the native thread."""
        states = [state if state.error else self._loaded_state(library, state.kind) for library, state in probed]
        kept = {each.id for each in without_duplicates([device for state in states for device in state.devices])}
        self._backends = tuple(
            replace(state, devices=tuple(each for each in state.devices if each.id in kept)) for state in states
        )
        return self._backends

    def set_in_use(self, device_ids: Iterable[str] | None) -> None:
        """Records that a model uses these devices from now on; with None, all devices. With none, it uses none."""
        wanted = None if device_ids is None else set(device_ids)
        kinds = [
            state.kind
            for state in self._backends
            if any(wanted is None or device.id in wanted for device in state.devices)
        ]
        self._used = [self._loaded[kind] for kind in kinds if kind in self._loaded]
        self._has_computed = False
        self._write_in_use(self._used)

    def first_step_passed(self) -> None:
        """Records that the loaded model has computed something with its devices."""
        self._has_computed = True
        if self._used:
            self._write_in_use(self._used)

    def stop(self) -> None:
        """Ends `probe` early, and makes later calls return at once."""
        self._probe.stop()

    def _write_in_use(self, marks: Sequence[str]) -> None:
        with self._lock:
            self._record.set_in_use(marks, self._used if self._has_computed else ())

    def _tried(self, libraries: Sequence[BackendLibrary], again: bool) -> list[Probed]:
        drivers = self._drivers()
        passed = {each for each in libraries if not again and self._record.has_passed(each.mark, drivers)}
        unknown = [each for each in libraries if each not in passed]
        result: list[Probed] = [(each, BackendState(each.kind)) for each in libraries if each in passed]
        for library, state in zip(unknown, self._probe.check(unknown, again=again), strict=True):
            if state.devices:
                self._record.add_passed(library.mark, drivers)
            for device in state.devices:
                if device.bytes_per_s:
                    self._record.add_speed(device.key, device.bytes_per_s)
            if state.devices or state.error:  # a library that finds no card is not loaded
                result.append((library, state))
        return sorted(result, key=lambda each: libraries.index(each[0]) if each[0] is not None else 0)

    def _loaded_state(self, library: BackendLibrary | None, kind: str) -> BackendState:
        if library is None:
            return BackendState(kind, tuple(self._list_devices()))
        error = "" if kind in self._loaded else self._load_new(library)
        return BackendState(kind, () if error else self._devices_of(kind), error)

    def _devices_of(self, kind: str) -> tuple[Device, ...]:
        found = [each for each in self._list_devices() if each.backend == _BACKENDS[kind]]
        return tuple(replace(each, bytes_per_s=self._record.speed(each.key)) for each in found)

    def _load_new(self, library: BackendLibrary) -> str:
        """Returns why the library cannot be loaded, else an empty text."""
        mark = library.mark
        self._write_in_use([*self._used, mark])  # so that a crash is remembered
        error = self._load_library(library.path)
        self._write_in_use(self._used)
        if not error:
            self._loaded[library.kind] = mark
        return error
