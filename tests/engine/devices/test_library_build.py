"""The build of a library for graphics cards beside the running app. A shell script takes the place of the build."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.devices import library_build, library_folders
from engine.devices.card_detection import Cards
from engine.devices.library_build import LibraryBuild, kind_to_build
from engine.errors import Reason

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="libraries are built on Linux only")

CARDS = Cards(has_card=True, has_vulkan_loader=True)


def run(script: str, folder: Path) -> tuple[LibraryBuild, list[float]]:
    """Runs a build to its end. Returns it, and the progress at each change."""
    ended, seen = threading.Event(), list[float]()

    def changed() -> None:
        seen.append(build.progress)
        if build.is_done:
            ended.set()

    build = LibraryBuild("vulkan", changed, command=["sh", "-c", script], checkout=folder)
    build.start()
    assert ended.wait(60)
    build.stop()
    return build, seen


def test_build_reports_progress_and_the_library(tmp_path: Path) -> None:
    script = """
        echo '{"percent": 4}'; echo 'Fetching the tools'; echo '{"percent": 50}'; echo '{"library": "/lib/x.so"}'
    """
    build, seen = run(script, tmp_path)
    assert seen == [0.04, 0.5, 1.0]
    assert (build.library, build.error) == (Path("/lib/x.so"), "")


def test_failed_build_has_the_sentence_of_set_up_as_its_error(tmp_path: Path) -> None:
    build, seen = run("""echo '{"percent": 4}'; echo 'There is no compiler.' >&2; exit 1""", tmp_path)
    assert (build.error, build.is_done, build.library) == ("There is no compiler.", True, None)
    assert seen[-1] < 1


def test_build_that_ends_without_a_library_is_an_error(tmp_path: Path) -> None:
    build, _ = run("true", tmp_path)
    assert build.error == "the build ended (0)"


def test_build_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    build = LibraryBuild("vulkan", command=["/no/such/program"], checkout=tmp_path)
    build.start()
    assert build.is_done
    assert build.error == "the build cannot be started (No such file or directory)"
    build.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process runs. One that has ended stays in the list as a zombie until its parent has seen that."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_stop_ends_the_build_with_the_processes_that_it_started(tmp_path: Path) -> None:
    script = "sleep 600 & echo $! > pid.part; mv pid.part pid; wait"
    build = LibraryBuild("vulkan", command=["sh", "-c", script], checkout=tmp_path)
    build.start()
    wait_for((tmp_path / "pid").exists)
    compiler = int((tmp_path / "pid").read_text())
    assert is_running(compiler)

    build.stop()

    wait_for(lambda: not is_running(compiler))
    assert (build.is_done, build.error) == (True, "")
    build.stop()


def copy_set_up(checkout: Path) -> None:
    packaging = Path(__file__).resolve().parents[3] / "packaging"
    for name in ("bootstrap", "lock", "llama-gpu"):
        shutil.copytree(packaging / name, checkout / "packaging" / name)
    # The free memory of the machine does not matter here.
    checks = checkout / "packaging/bootstrap/checks.py"
    checks.write_text(checks.read_text(encoding="utf-8").replace("/proc/meminfo", "/none"), encoding="utf-8")


def test_set_up_that_refuses_a_build_gives_one_sentence(tmp_path: Path) -> None:
    copy_set_up(tmp_path)
    ended = threading.Event()
    build = LibraryBuild("metal", lambda: ended.set() if build.is_done else None, checkout=tmp_path)
    build.start()
    assert ended.wait(60)
    assert build.error == "There is no library for graphics cards called metal: GPU is vulkan, cuda, hip or off."
    assert isinstance(build.error, Reason), "the window cannot translate it"
    assert build.error.values == {"kind": "metal", "kinds": "vulkan, cuda, hip"}


def test_unusual_reports_of_a_failed_build_are_ignored(tmp_path: Path) -> None:
    reports = ['{"error": "a {b}", "values": {}}', '{"error": "a", "values": 3}', '{"error": "a"}', '{"percent": {}}']
    script = "".join(f"echo '{report}';" for report in reports)
    build, _ = run(script + "echo 'The reason.' >&2; exit 1", tmp_path)
    assert build.error == "The reason."


def test_build_of_set_up_ends_when_the_app_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real command of set-up, with a fake cmake that never ends. Closing its stdin is what happens when the app is
    killed."""
    copy_set_up(tmp_path)
    monkeypatch.setenv("CC", "sh")  # nothing is compiled
    monkeypatch.setenv("CXX", "sh")
    work = tmp_path / "build/gpu-work"
    cmake = work / "tools/cmake/data/bin/cmake"
    cmake.parent.mkdir(parents=True)
    (work / "sources/ggml").mkdir(parents=True)
    unpacked = work / "vulkan-toolchain/trixie/root"
    for folder in ("usr/lib64", "usr/lib/x86_64-linux-gnu"):
        (unpacked / folder).mkdir(parents=True)
    (unpacked / "usr/lib64/ld-linux-x86-64.so.2").touch()
    cmake.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/pid.part; mv {tmp_path}/pid.part {tmp_path}/pid; exec sleep 600\n"
    )
    cmake.chmod(0o755)

    build = LibraryBuild("vulkan", checkout=tmp_path)
    build.start()
    wait_for(lambda: (tmp_path / "pid").exists() or build.is_done)
    assert not build.is_done, build.error
    compiler = int((tmp_path / "pid").read_text())
    assert os.getpriority(os.PRIO_PROCESS, compiler) == 19

    child = build._child
    assert child is not None
    assert child.stdin is not None
    child.stdin.close()

    wait_for(lambda: not is_running(compiler))
    wait_for(lambda: build.is_done)
    build.stop()


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folder for built libraries of a checkout, and that of a package."""
    built, packaged = tmp_path / "built", tmp_path / "packaged"
    monkeypatch.setattr(library_build, "built_folder", lambda: built)
    monkeypatch.setattr(library_build, "library_folders", lambda: [built, packaged])
    return built, packaged


def test_library_is_built_only_with_a_card_and_if_it_is_missing(folders: tuple[Path, Path]) -> None:
    assert kind_to_build(Cards(), "") == ""
    assert kind_to_build(CARDS, "off") == ""
    assert kind_to_build(CARDS, "") == "vulkan"
    for folder in folders:
        folder.mkdir()
        (folder / "libggml-vulkan.so").touch()
        assert kind_to_build(CARDS, "") == ""
        (folder / "libggml-vulkan.so").unlink()


def test_package_builds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert library_folders.built_folder() is None
    assert kind_to_build(CARDS, "vulkan") == ""


def test_packaged_library_lies_in_a_folder_beside_the_libraries_of_llama_cpp(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert library_folders.library_folders()[-1].parts[-3:] == ("llama_cpp", "lib", "gpu")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert library_folders.library_folders() == [tmp_path / "llama_cpp/lib/gpu"]
